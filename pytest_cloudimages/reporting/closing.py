"""The last line of a run: one sentence that says how it went, what its status is, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting.results import verdict_of
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_cloudimages.reporting.results import Results

WORDS = {0: "PASS", 1: "FAIL", 2: "NOT RUN", 3: "NOT JUDGED", 4: "ERROR", 130: "INTERRUPTED"}
OPEN = (Verdict.BLOCKED, Verdict.UNSTABLE)


def sentence(results: Results, *, status: bool = True, own: int = 0, ended: Callable[[int], int] = int) -> str:
    """Return how a run went in one sentence, with its exit status unless pytest has one of its own.

    ``own`` tests of the tester's own have failed; ``ended`` makes of the status of the results that of the run.
    """
    strict = bool(results.data["settings"]["strict"])
    exits = ended(results.exit_status(strict=strict))
    told = [*_parts(results), *([f"{count(own, 'test')} of your own failed"] if own else [])]
    text = f"{WORDS[exits]}: {', '.join(told)}"
    if not status:
        return text
    other = ended(results.exit_status(strict=not strict))
    return f"{text}; exit {exits} ({'without' if strict else 'with'} --strict: {other})"


def _parts(results: Results) -> Iterable[str]:
    failing = [entry for entry in results.findings if "deviates" not in entry]
    fails = [entry for entry in failing if verdict_of(entry) is Verdict.FAIL]
    advisory = [entry for entry in failing if verdict_of(entry) is Verdict.ADVISORY]
    if results.comparison is not None:
        yield _against(results)
    if fails or advisory:
        yield count(_causes(results.data, [*fails, *advisory]), "cause")
    if fails:
        yield f"{count(len(fails), 'MUST')} not met"
    if advisory:
        yield f"{len(advisory)} advisory"
    if accepted := len(results.deviating):
        yield f"{accepted} accepted"
    yield from _trouble(results.trouble)
    if errors := results.count(Verdict.ERROR):
        yield count(errors, "error of the suite", "errors of the suite")
    yield from (_open(results, open_end) for open_end in OPEN if results.count(open_end))
    if left_out := results.left_out:
        yield f"{len(left_out)} ({count(results.musts_left_out, 'MUST')}) untested for lack of budget"
    if left := results.data.get("left_behind"):
        yield f"{count(len(left), 'thing')} left behind"
    if not fails and not advisory:
        yield from _met(results)


def _open(results: Results, verdict: Verdict) -> str:
    number, obstacles = results.count(verdict), len(results.data.get("obstacles", ()))
    shared = verdict is Verdict.BLOCKED and 0 < obstacles < number
    return f"{number} {verdict}" + (f" by {count(obstacles, 'cause')}" if shared else "")


def _met(results: Results) -> Iterable[str]:
    met = results.count(Verdict.PASS)
    if met or results.count(Verdict.NOTED):
        yield f"{count(met, 'requirement')} met"
    elif not results.deviating:
        yield "nothing was judged"


def _causes(data: Mapping[str, Any], findings: Iterable[Mapping[str, Any]]) -> int:
    ids = {entry["id"] for entry in findings}
    return sum(not ids.isdisjoint(cause["requirements"]) for cause in data.get("causes", ()))


def _against(results: Results) -> str:
    """Return what counts against the baseline."""
    if results.comparison is None:
        return ""
    strict = bool(results.data["settings"]["strict"])
    new = [change.id for change in results.comparison.against(strict=strict)]
    return f"new since the baseline: {', '.join(new)}" if new else "nothing new since the baseline"


def _trouble(trouble: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for problem in trouble:
        yield in_one_line(problem["text"])


def count(number: int, thing: str, things: str = "") -> str:
    """Return a number of things in words."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"
