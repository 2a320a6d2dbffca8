"""What a run puts on the page that pytest-html makes. Everything that came from a service is escaped here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_html
from pytest_cloudimages.reporting.anomalies import from_json
from pytest_cloudimages.reporting.results import verdict_of
from pytest_cloudimages.reporting.terminal import differences, table
from pytest_cloudimages.reporting.timeline import timeline
from pytest_cloudimages.spec.verdicts import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.reporting.results import Results

STYLE = Path(__file__).with_name("page.css")
TITLE = "Image API: conformance"
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


def _painted(verdict: Verdict) -> str:
    return f'<b style="color:{INK.get(verdict, "#57606a")}">{verdict}</b>'


def _level(entry: Mapping[str, Any]) -> str:
    return f"{entry['level']}, {entry['provenance']}"


def row(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cells of one check, which may have judged several requirements."""
    return [
        f'<td class="col-verdict">{_painted(worst(map(verdict_of, entries))) if entries else ""}</td>',
        f'<td class="col-requirement">{" ".join(as_html(entry["id"]) for entry in entries)}</td>',
        f'<td class="col-level">{" ".join(_level(entry) for entry in entries)}</td>',
        f'<td class="col-statement">{"<br>".join(as_html(entry["statement"]) for entry in entries)}</td>',
    ]


def details(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return what opens below the row of one check: explanation, source, exchanges, commands."""
    parts: list[str] = []
    for entry in entries:
        parts.append(f"{as_html(entry['id'])}  {as_html(entry['source'])}")
        parts.append(f"{entry['cases']} cases, {entry['requests']} requests")
        parts += [as_html(line) for line in (entry["explanation"], *entry["notes"]) if line]
        parts += [f"{label + ':':11} {as_html(text)}" for label, text in differences(entry)]
        parts += [f"replay: {as_html(entry['replay'])}"] if "replay" in entry else []
        parts += [timeline(from_json(witness)) for witness in entry.get("witnesses", ())]
        parts += ["", *(_exchange(exchange) for exchange in entry.get("exchanges", ()))]
    return "\n".join(parts)


def _exchange(exchange: Mapping[str, Any]) -> str:
    answer = f"\n    {as_html(exchange['answer'][:400])}" if exchange["answer"] else ""
    note = f" ({as_html(exchange['note'])})" if exchange["note"] else ""
    caller = "" if exchange["caller"] == "tester" else f" as {as_html(exchange['caller'])}"
    request = f"{as_html(exchange['method'])} {as_html(exchange['target'])}{caller}"
    return f"{request} → {exchange['status'] or 'no answer'}{note}{answer}\n    {as_html(exchange['curl'])}\n"


def summary(results: Results) -> str:
    """Return the verdicts by group, and what was judged."""
    data = results.data
    service = data["service"]
    facts = [
        f"Service {as_html(service['endpoint'])} ({as_html(service['named'])}), {as_html(service['credentials'])}.",
        f"Profile {as_html(data['settings']['profile'])}, seed {data['seed']}.",
        f"Specification version {data['catalogue']['version']}, suite version {as_html(data['suite']['version'])}.",
        f"{sum(data['requests'].values())} requests in {data['seconds']:.1f} s.",
    ]
    if data["problem"]:
        facts.append(f"<b>{as_html(data['problem'])}</b>")
    rows = [line.split() for line in table(results)]
    head, body = rows[0], [cells for cells in rows[1:] if len(cells) == len(rows[0])]
    cells = "".join(f"<tr>{''.join(f'<td>{as_html(cell)}</td>' for cell in line)}</tr>" for line in body)
    titles = "".join(f"<th>{as_html(cell)}</th>" for cell in head)
    whole = f"<thead><tr>{titles}</tr></thead><tbody>{cells}</tbody>"
    about = _classes(results) + _silent(results)
    return f'<p>{"<br>".join(facts)}</p><table class="conformance">{whole}</table>{about}'


def _silent(results: Results) -> str:
    """Return what was seen where nothing is required, as a table."""
    rows = [
        f"<tr><td>{as_html(entry['id'])}</td><td>{as_html(entry['statement'])}</td>"
        f"<td>{'<br>'.join(as_html(note) for note in entry['notes']) or as_html(entry['explanation'])}</td></tr>"
        for entry in results.entries
        if verdict_of(entry) is Verdict.NOTED
    ]
    if not rows:
        return ""
    titles = "<tr><th>Requirement</th><th>What is not defined, or may be</th><th>What was seen</th></tr>"
    return (
        "<details><summary>How this service behaves where the specification is silent</summary>"
        f'<table class="conformance silent"><thead>{titles}</thead><tbody>{"".join(rows)}</tbody></table></details>'
    )


def _classes(results: Results) -> str:
    """Return the findings whose class of input is known, as a list."""
    lines = [
        f"<li>{_painted(verdict_of(entry))} {as_html(entry['id'])}: {as_html(entry['class'])}</li>"
        for entry in results.findings
        if "class" in entry
    ]
    return f'<p>What the findings are about:</p><ul class="classes">{"".join(lines)}</ul>' if lines else ""
