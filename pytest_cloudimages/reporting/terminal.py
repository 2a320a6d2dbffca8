"""What a run says on the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.spec.catalogue import VERSION
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pytest

    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.reporting.results import Results

COLOURS = {
    Verdict.PASS: "green",
    Verdict.NOTED: "cyan",
    Verdict.ADVISORY: "yellow",
    Verdict.FAIL: "red",
    Verdict.UNSTABLE: "purple",
    Verdict.BLOCKED: "purple",
    Verdict.ERROR: "red",
}
LONGEST = 300


def header(run: Run) -> list[str]:
    """Give the lines that stand above the progress."""
    settings, service = run.settings, run.service
    region = f", region {service.region}" if service.region else ""
    image = f"lent: {', '.join(settings.image)}" if settings.image else "created and deleted"
    if run.meant:
        return [f"dry run: nothing is sent to {run.meant.endpoint}; the embedded server is asked in its place"]
    lines = [
        f"service: {service.endpoint} ({service.named}{region})",
        f"credentials: {run.owner.how}",
        f"image: {image}",
        f"profile: {settings.profile}, seed: {settings.seed}, specification: version {VERSION}",
    ]
    return [*lines, f"PROBLEM: {run.problem}"] if run.problem else lines


def table(results: Results) -> list[str]:
    """Give the table of groups and verdicts; groups without any test of this run are one line."""
    rows: dict[str, Counter[str]] = {}
    for one in results.entries:
        rows.setdefault(one["id"].rpartition("-")[0] or one["id"], Counter())[one["verdict"]] += 1
    shown = {group: counts for group, counts in rows.items() if set(counts) != {"untested"}}
    rest = sum(sum(counts.values()) for group, counts in rows.items() if group not in shown)
    verdicts = [str(one) for one in Verdict if any(counts[str(one)] for counts in shown.values())]
    width = max([len("requirements"), *map(len, shown)])
    lines = ["  ".join(["requirements".ljust(width), *(one.rjust(8) for one in verdicts)])]
    lines += [
        "  ".join([group.ljust(width), *(str(counts[one] or "·").rjust(8) for one in verdicts)])
        for group, counts in shown.items()
    ]
    return [*lines, f"{rest} requirements of other groups are untested."] if rest else lines


def finding(one: Mapping[str, Any]) -> list[str]:
    """Give a finding in a few lines: what was asked, what came, for which input, and the command that replays it."""
    asked = [f"{x['method']} {x['target']} → {x['status'] or 'no answer'}" for x in one.get("exchanges", ())]
    return [
        f"{one['verdict'].upper()} {one['id']}: {one['statement']}",
        f"  asked:  {_short('; '.join(asked[-3:])) or 'nothing could be asked'}",
        *_came(one),
        *([f"  class:  {_short(one['class'])}"] if "class" in one else []),
        f"  source: {one['level']}, {one['provenance']}: {one['source']}",
        f"  replay: {one['replay']}",
    ]


def _came(found: Mapping[str, Any]) -> list[str]:
    """Return what came: on one line, without the middle of a long one, but a witness whole and line by line.

    A witness is the proof of a race, and small: what it leaves out makes no difference to it.
    """
    told = found["explanation"].splitlines()
    for witness in found.get("witnesses", ()):
        first, *others = witness["text"].splitlines()
        place = next((place for place, line in enumerate(told) if line.endswith(first)), None)
        if place is not None:
            # The explanation has the witness's lines too, without what sets them in.
            shown = {line.strip() for line in others}
            after = [line for line in told[place + 1 :] if line.strip() not in shown]
            lines = [_folded(told[:place]), told[place], *others, _folded(after)]
            break
    else:
        lines = [_folded(told)]
    visible = [_printable(line) for line in lines if line]
    return [f"{' ' * 10 if place else '  came:   '}{line}" for place, line in enumerate(visible or [""])]


def _folded(lines: Iterable[str]) -> str:
    return _short(" ".join(" ".join(lines).split()))


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _short(text: str) -> str:
    text = _printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def rehearsed(results: Results) -> list[str]:
    """Say what a run would create and send, as its rehearsal has shown."""
    data = results.data
    images, requests = data["service"]["image"], data["requests"]
    created = data["service"]["created"]
    what = f"would create: {created} images named pytest-cloudimages-…, each deleted when its check is done"
    asked = sum(1 for one in results.entries if one["cases"])
    return [
        what if images == "created" else f"would borrow: {', '.join(images)}; their tags are put back as they were",
        f"would send:   {_counted(requests)} requests; more where the service departs from the specification",
        f"would judge:  {asked} requirements",
        *_reasons(results),
    ]


def _reasons(results: Results) -> list[str]:
    """Give what else would have to be given, for how many requirements."""
    reasons = Counter(
        one["explanation"] for one in results.entries if one["verdict"] == "untested" and "needs" in one["explanation"]
    )
    return [f"not asked:    {count} requirements: {_short(reason)}" for reason, count in reasons.items()]


def _counted(requests: Mapping[str, int]) -> str:
    purposes = ", ".join(f"{count} {purpose}" for purpose, count in requests.items())
    return f"{sum(requests.values())} ({purposes})"


def summary(results: Results, out: pytest.TerminalReporter) -> None:
    """Print the verdicts by group, every finding, and what the run cost."""
    data = results.data
    if data["settings"]["dry_run"]:
        out.section("dry run")
        for line in rehearsed(results):
            out.write_line(line)
        return
    out.section("conformance")
    for line in table(results):
        out.write_line(line)
    # Where one cause stands behind many, it is told once.
    told: Counter[str] = Counter()
    for one in results.findings:
        verdict = Verdict[one["verdict"].upper()]
        told[one["explanation"]] += 1
        if verdict in (Verdict.BLOCKED, Verdict.UNTESTED) and told[one["explanation"]] > 1:
            continue
        first, *rest = finding(one)
        out.write_line("")
        out.write_line(first, **{COLOURS.get(verdict, "white"): True, "bold": True})
        for line in rest:
            out.write_line(line)
    again = [(text, count) for text, count in told.items() if count > 1]
    for text, count in again:
        out.write_line("")
        out.write_line(f"{count} requirements share this cause: {_short(' '.join(text.split()))}")
    _costs(results, out)


def _costs(results: Results, out: pytest.TerminalReporter) -> None:
    data = results.data
    out.write_line("")
    counts = ", ".join(f"{results.count(one)} {one}" for one in Verdict if results.count(one))
    requests: Mapping[str, int] = data["requests"]
    out.write_line(f"verdicts: {counts}")
    out.write_line(f"requests: {_counted(requests)} in {data['seconds']:.1f} s")
    if noted := results.count(Verdict.NOTED):
        out.write_line(f"noted:    {noted} facts where the specification is silent; the reports tell them")
    for line in _aftermath(data):
        out.write_line(line, red=True)
    if data["settings"]["reports"]:
        out.write_line(f"reports:  {data['settings']['reports']} (conformance.json, conformance.html, junit.xml)")


def _aftermath(data: Mapping[str, Any]) -> Sequence[str]:
    lines = [f"LEFT BEHIND: {one}" for one in data["left_behind"]]
    if data["interrupted"]:
        tidy = "; what it had created is gone, what it had borrowed is as it was" if not lines else ""
        lines.append(f"The run was interrupted{tidy}.")
    return lines
