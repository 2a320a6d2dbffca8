"""What a run puts on the page that pytest-html makes. Everything that came from a service is escaped here."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.anomalies import from_json
from pytest_cloudimages.reporting.terminal import table
from pytest_cloudimages.reporting.timeline import timeline
from pytest_cloudimages.spec.verdicts import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.results import CheckResult, Results
    from pytest_cloudimages.spec.requirements import Requirement

STYLE = Path(__file__).with_name("page.css")
TITLE = "Image tags: conformance"
HEADER = [
    '<th class="sortable" data-column-type="verdict">Verdict</th>',
    '<th class="sortable" data-column-type="requirement">Requirement</th>',
    '<th class="sortable" data-column-type="level">Level</th>',
    "<th>Statement</th>",
]
INK = {
    Verdict.PASS: "#1a7f37",
    Verdict.NOTED: "#0969da",
    Verdict.ADVISORY: "#9a6700",
    Verdict.FAIL: "#cf222e",
    Verdict.UNSTABLE: "#8250df",
    Verdict.BLOCKED: "#8250df",
    Verdict.ERROR: "#cf222e",
}


def _safe(text: object) -> str:
    """Escape a text for HTML, and what no page can hold for a reader."""
    return html.escape(str(text).encode("utf-8", "backslashreplace").decode())


def _painted(verdict: Verdict) -> str:
    return f'<b style="color:{INK.get(verdict, "#57606a")}">{verdict}</b>'


def row(records: Sequence[CheckResult], catalogue: Mapping[str, Requirement]) -> list[str]:
    """Give the cells of one check."""
    requirements = [catalogue[one.id] for one in records]
    return [
        f'<td class="col-verdict">{_painted(worst(one.verdict for one in records)) if records else ""}</td>',
        f'<td class="col-requirement">{" ".join(_safe(one.id) for one in requirements)}</td>',
        f'<td class="col-level">{" ".join(f"{one.level}, {one.provenance}" for one in requirements)}</td>',
        f'<td class="col-statement">{"<br>".join(_safe(one.statement) for one in requirements)}</td>',
    ]


def details(records: Sequence[CheckResult], catalogue: Mapping[str, Requirement], settings: Settings) -> str:
    """Give what opens below the row of one check: explanation, source, exchanges, commands."""
    parts: list[str] = []
    for one in records:
        requirement = catalogue[one.id]
        parts.append(f"{_safe(one.id)}  {_safe(requirement.source)}")
        parts.append(f"{one.cases} cases, {one.requests} requests")
        parts += [_safe(line) for line in (one.explanation, *one.notes) if line]
        if one.verdict > Verdict.UNTESTED:
            parts.append(f"replay: {_safe(settings.replay((one.id,), one.seed))}")
        parts += [timeline(from_json(witness)) for witness in one.witnesses]
        parts += ["", *(_exchange(x) for x in one.exchanges)]
    return "\n".join(parts)


def _exchange(one: Mapping[str, Any]) -> str:
    answer = f"\n    {_safe(one['answer'][:400])}" if one["answer"] else ""
    note = f" ({_safe(one['note'])})" if one["note"] else ""
    caller = "" if one["caller"] == "tester" else f" as {_safe(one['caller'])}"
    first = f"{_safe(one['method'])} {_safe(one['target'])}{caller} → {one['status'] or 'no answer'}{note}"
    return f"{first}{answer}\n    {_safe(one['curl'])}\n"


def summary(results: Results) -> str:
    """Give the verdicts by group, and what was judged."""
    data = results.data
    service = data["service"]
    facts = [
        f"Service {_safe(service['endpoint'])} ({_safe(service['named'])}), {_safe(service['credentials'])}.",
        f"Profile {_safe(data['settings']['profile'])}, seed {data['seed']}.",
        f"Specification version {data['catalogue']['version']}, suite version {_safe(data['suite']['version'])}.",
        f"{sum(data['requests'].values())} requests in {data['seconds']:.1f} s.",
    ]
    if data["problem"]:
        facts.append(f"<b>{_safe(data['problem'])}</b>")
    rows = [line.split() for line in table(results)]
    head, body = rows[0], [cells for cells in rows[1:] if len(cells) == len(rows[0])]
    cells = "".join(f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in line)}</tr>" for line in body)
    titles = "".join(f"<th>{_safe(cell)}</th>" for cell in head)
    whole = f"<thead><tr>{titles}</tr></thead><tbody>{cells}</tbody>"
    about = _classes(results) + _silent(results)
    return f'<p>{"<br>".join(facts)}</p><table class="conformance">{whole}</table>{about}'


def _silent(results: Results) -> str:
    """Give what was seen where nothing is required, as a table."""
    rows = [
        f"<tr><td>{_safe(one['id'])}</td><td>{_safe(one['statement'])}</td>"
        f"<td>{'<br>'.join(_safe(note) for note in one['notes']) or _safe(one['explanation'])}</td></tr>"
        for one in results.entries
        if one["verdict"] == "noted"
    ]
    if not rows:
        return ""
    titles = "<tr><th>Requirement</th><th>What is not defined, or may be</th><th>What was seen</th></tr>"
    return (
        "<details><summary>How this service behaves where the specification is silent</summary>"
        f'<table class="conformance silent"><thead>{titles}</thead><tbody>{"".join(rows)}</tbody></table></details>'
    )


def _classes(results: Results) -> str:
    """Give the findings whose class of input is known, as a list."""
    lines = [
        f"<li>{_painted(Verdict[one['verdict'].upper()])} {_safe(one['id'])}: {_safe(_visible(one['class']))}</li>"
        for one in results.findings
        if "class" in one
    ]
    return f'<p>What the findings are about:</p><ul class="classes">{"".join(lines)}</ul>' if lines else ""


def _visible(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
