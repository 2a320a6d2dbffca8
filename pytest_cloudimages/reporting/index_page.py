"""index.html: what a run has shown, on one page that needs nothing besides itself.

Everything on it comes from the results. What is put into the template passes through ``as_html``, and a policy lets the
page run its own script and use its own style sheet, both known by their digests, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.exchange import KEPT_OCTETS
from pytest_cloudimages.client.showing import as_html
from pytest_cloudimages.reporting import joining, latency_plot, plans, power
from pytest_cloudimages.reporting.annotated import annotated
from pytest_cloudimages.reporting.anomalies import from_json
from pytest_cloudimages.reporting.closing import WORDS, sentence
from pytest_cloudimages.reporting.disturbances import in_words
from pytest_cloudimages.reporting.results import DEVIATES, shown_verdict, specification_of, verdict_of
from pytest_cloudimages.reporting.terminal import differences
from pytest_cloudimages.reporting.timeline import timeline
from pytest_cloudimages.spec.requirements import Level, Provenance
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markupsafe import Markup

    from pytest_cloudimages.reporting.results import Results

FOLDER = Path(__file__).parent
LONGEST_SYMPTOM = 300
"""Characters of what came that stand beside a cause."""
LARGEST = 1_900_000
"""Octets of a page at most, so that browsers and mailboxes take it."""
REQUEST_ID = "x-openstack-request-id"
MARKS = {
    DEVIATES: "=",
    str(Verdict.PASS): "✓",
    str(Verdict.UNTESTED): "–",
    str(Verdict.NOTED): "i",
    str(Verdict.ADVISORY): "!",
    str(Verdict.FAIL): "✗",
    str(Verdict.UNSTABLE): "~",
    str(Verdict.BLOCKED): "◦",
    str(Verdict.ERROR): "?",
}
"""What stands before a verdict, for whoever sees no colours."""
MEANING = {
    str(Verdict.FAIL): "a MUST of the documentation is not met",
    str(Verdict.ADVISORY): "a SHOULD, or a rule of HTTP itself, is not met",
    str(Verdict.UNSTABLE): "asked again, the same question had another answer",
    str(Verdict.BLOCKED): "a precondition failed, so that it could not be tested",
    str(Verdict.ERROR): "our mistake",
    str(Verdict.PASS): "asked, and as required",
    str(Verdict.NOTED): "nothing is required; what was seen is told",
    str(Verdict.UNTESTED): "not asked, for the reason that is told",
    DEVIATES: "not met, and accepted for a reason and for a time",
}
"""What each verdict says, in the order in which a reader wants to know."""


@dataclass(frozen=True)
class Limits:
    """How much of one finding a page shows; conformance.json has the rest."""

    exchanges: int
    answer: int
    """Characters of the body of an answer."""
    value: int
    """Characters of the values that were compared."""
    headers: int = 100


LIMITS = (Limits(12, 2_000, 60_000), Limits(8, 600, 8_000), Limits(4, 200, 1_000, 20), Limits(2, 80, 200, 5))
"""The first with which a page is small enough holds; almost always that is the first."""


def as_page(results: Results) -> str:
    """Return index.html."""
    shown = {**_facts(results), "limits": LIMITS[-1]}
    made = template("index.html")
    page = ""
    for limits in LIMITS:
        page = made.render(shown | {"limits": limits})
        if len(page.encode()) <= LARGEST:
            break
    return page


def template(name: str) -> Any:
    """Return a template of this folder, whose every expression is escaped by ``as_html``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def defused(value: object) -> Markup:
        return value if isinstance(value, Markup) else Markup(as_html(value))  # noqa: S704 - that is where it is escaped

    environment = Environment(
        autoescape=True,
        finalize=defused,
        loader=FileSystemLoader(FOLDER),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "values": values,
        "cut": cut,
        "seconds": latency_plot.words,
        "request_id": request_id,
        "count": counted,
        "explanation": explanation,
        "power": power.told,
        "once_more": once_more,
    }
    return environment.get_template(name)


def _facts(results: Results) -> dict[str, Any]:
    """Return everything that the template shows."""
    from markupsafe import Markup

    data = results.data
    verdicts = {entry["id"]: shown_verdict(entry) for entry in results.entries}
    entries = {entry["id"]: entry for entry in results.entries}
    found = Counter(verdicts.values())
    style, script = (own_file(name) for name in ("index.css", "index.js"))
    latencies = data.get("latencies", ())
    return {
        "data": data,
        "entries": entries,
        "groups": [*_groups(results.entries)],
        "noted": [entry for entry in results.entries if verdict_of(entry) is Verdict.NOTED],
        "verdict": overall(results),
        "sentence": sentence(results, status=False),
        "statuses": {strict: results.exit_status(strict=strict) for strict in (False, True)},
        "words": WORDS,
        "verdicts": verdicts,
        "causes": [_shown_cause(cause, verdicts, entries) for cause in data["causes"]],
        "counts": [(verdict, found[verdict]) for verdict in MEANING if found[verdict]],
        "marks": MARKS,
        "meaning": MEANING,
        "levels": [*Level],
        "provenances": [*Provenance],
        "specification": specification_of(data["settings"]),
        "annotated": annotated(verdicts),
        "timelines": {
            entry["id"]: [Markup(timeline(from_json(witness))) for witness in entry["witnesses"]]  # noqa: S704 - escaped
            for entry in results.entries
            if entry.get("witnesses")
        },
        "plot": Markup(latency_plot.latency_plot(latencies)) if latencies else "",  # noqa: S704 - escaped
        "style": style,
        "script": script,
        "parts": joining.told(data),
        "asked_in": joining.asked_in(data),
        "disturbed": in_words(data.get("disturbances")),
        "policy": policy(style, script),
    }


def _shown_cause(
    cause: Mapping[str, Any], verdicts: Mapping[str, str], entries: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a cause as readers see it: it deviates where all that it breaks is accepted.

    Without a class, the symptom is a word that tells a reader little; what was expected and what came says more.
    """
    accepted = {verdicts[identifier] for identifier in cause["requirements"]} == {DEVIATES}
    entry = entries[cause["requirements"][0]]
    shown = cause["symptoms"]
    if not cause["class"] and "expected" in entry and "rate" not in entry:
        rows = dict(differences(entry))
        told = f"{rows['looked at']}: expected {rows['expected']}, came {rows['actual']}"
        shown = [told if len(told) <= LONGEST_SYMPTOM else f"{told[:LONGEST_SYMPTOM]}…"]
    return {**cause, "symptoms": shown, "verdict": DEVIATES if accepted else cause["verdict"]}


def own_file(name: str) -> Markup:
    """Return a file of this folder as it stands: a style sheet, or a script."""
    from markupsafe import Markup

    return Markup((FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of ours


def policy(style: str, script: str = "") -> str:
    """Return a policy that lets a page use its style sheet, run its script, and nothing else."""
    own = [f"style-src '{_digest(style)}'", *([f"script-src '{_digest(script)}'"] if script else [])]
    return "; ".join(["default-src 'none'", *own, "img-src data:", "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _groups(entries: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the requirements by group, each with its counts, and the reason where none of it was asked."""
    for name in dict.fromkeys(entry["group"] for entry in entries):
        members = [entry for entry in entries if entry["group"] == name]
        found = Counter(shown_verdict(entry) for entry in members)
        reasons = {entry["explanation"] for entry in members}
        yield {
            "name": name,
            "area": members[0]["area"],
            "entries": members,
            "counts": [(verdict, found[verdict]) for verdict in MEANING if found[verdict]],
            "asked": {*found} != {str(Verdict.UNTESTED)},
            "reason": reasons.pop() if len(reasons) == 1 else "",
        }


def overall(results: Results) -> str:
    """Return the colour of the whole: that of the worst verdict that counts."""
    status = results.exit_status(strict=bool(results.data["settings"]["strict"]))
    return {0: "advisory" if results.not_accepted(Verdict.ADVISORY) else "pass", 1: "fail", 4: "error"}.get(
        status, "blocked"
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def values(value: object, limit: int) -> tuple[list[str], str]:
    """Return the values that were compared, each as a line, and a note where that are not all of them.

    Beside what is not of ASCII alone stand its escapes.
    """
    if value is None:
        return ["nothing"], ""
    items = value if isinstance(value, list) else [value]
    lines: list[str] = []
    left = limit
    for item in items:
        line = _value(item)
        if len(line) > left:
            return [
                *lines,
                line[:left],
            ], f"cut here, in value {len(lines) + 1} of {len(items)}; conformance.json has all"
        lines.append(line)
        left -= len(line)
    return lines or ["none"], ""


def _value(value: object) -> str:
    plain, escaped = repr(value), ascii(value)
    return plain if plain == escaped else f"{plain}  ({escaped})"


def cut(text: str, limit: int, octets: int = 0) -> tuple[str, str]:
    """Return the beginning of a text, and a note where that is not the whole."""
    if len(text) > limit:
        return text[:limit], f"cut here: {limit:,} of {max(octets, len(text)):,}; conformance.json has more"
    # Names that stand in the place of secrets make a text shorter; only what is longer than what is kept was cut.
    kept = max(KEPT_OCTETS, len(text.encode("utf-8", "backslashreplace")))
    return text, f"cut here: the answer has {octets:,} octets" if octets > kept else ""


def once_more(entry: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that sends only what shows a finding, and why there is none where that is so."""
    settings = data["settings"]
    found = plans.finding(entry, data)
    if found["plan"] is None and "asks" not in found:
        return "", found["reason"]
    service = ["--cloud", settings["cloud"]] if settings["cloud"] else []
    service += ["--endpoint", settings["url"]] if settings["url"] else []
    service += ["--reference"] if settings["reference"] else []
    return shlex.join(["cloudimages", "replay", str(Path(settings["reports"] or "", entry["finding"])), *service]), ""


def explanation(entry: Mapping[str, Any]) -> str:
    """Return what a check has said, without the line that says the same as expected and actual do."""
    told = str(entry["explanation"])
    return told.partition("\n")[2] if "expected" in entry else told


def request_id(headers: Iterable[Sequence[str]]) -> str:
    """Return the id that a service gave a request, for its operator to look for in the logs; empty if it gave none."""
    return next((value for name, value in headers if name.lower() == REQUEST_ID), "")
