"""What a run puts on the page that pytest-html makes. Everything that came from a service is escaped here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.exchange import KEPT_OCTETS, TESTER
from pytest_cloudimages.client.showing import as_html
from pytest_cloudimages.reporting.anomalies import from_json
from pytest_cloudimages.reporting.results import DEVIATES, shown_verdict, specification_of, verdict_of
from pytest_cloudimages.reporting.terminal import accepted, differences
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
NONE = "·"
"""What stands in a table for no requirement."""
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
"""What has a telephone show the page in its own width; the template of pytest-html has no room for it in its head."""
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


def _verdict(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the verdict on a check; where all that it has found is accepted, it deviates."""
    bad = [entry for entry in entries if verdict_of(entry) > Verdict.NOTED]
    if bad and all("deviates" in entry for entry in bad):
        return f'<b style="color:{INK[Verdict.NOTED]}">{DEVIATES}</b>'
    return _painted(worst(map(verdict_of, entries))) if entries else ""


def _level(entry: Mapping[str, Any]) -> str:
    return f"{entry['level']}, {entry['provenance']}"


def row(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cells of one check, which may have judged several requirements."""
    return [
        f'<td class="col-verdict">{_verdict(entries)}</td>',
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
        parts += [as_html(accepted(entry))] if "deviates" in entry else []
        parts += [as_html(line) for line in (entry["explanation"], *entry["notes"]) if line]
        parts += [f"{label + ':':11} {as_html(text)}" for label, text in differences(entry)]
        parts += [f"class:      {as_html(entry['class'])}"] if "class" in entry else []
        parts += [f"replay:     {as_html(entry['replay'])}"] if "replay" in entry else []
        parts += [timeline(from_json(witness)) for witness in entry.get("witnesses", ())]
        parts += ["", *(_exchange(exchange) for exchange in entry.get("exchanges", ()))]
    return "\n".join(parts)


def _exchange(exchange: Mapping[str, Any]) -> str:
    answer = f"\n    {as_html(exchange['answer'])}" if exchange["answer"] else ""
    if exchange["answer_octets"] > KEPT_OCTETS:
        answer += f"\n    (the first of {exchange['answer_octets']:,} octets)"
    note = f" ({as_html(exchange['note'])})" if exchange["note"] else ""
    caller = "" if exchange["caller"] == TESTER else f" as {as_html(exchange['caller'])}"
    request = f"{as_html(exchange['method'])} {as_html(exchange['target'])}{caller}"
    return f"{request} → {exchange['status'] or 'no answer'}{note}{answer}\n    {as_html(exchange['curl'])}\n"


def summary(results: Results) -> str:
    """Return the verdicts by group, and what was judged."""
    data = results.data
    service, specification = data["service"], specification_of(data["settings"])
    facts = [
        'The page to read is <a href="index.html">index.html</a>; this is the list of tests.',
        f"Service {as_html(service['endpoint'])} ({as_html(service['named'])}), {as_html(service['credentials'])}.",
        f"Profile {as_html(data['settings']['profile'])}, seed {data['seed']}.",
        f"Judged by {as_html(specification)}, catalogue version {data['catalogue']['version']}.",
        f"Suite version {as_html(data['suite']['version'])}.",
        f"{sum(data['requests'].values())} requests in {data['seconds']:.1f} s.",
    ]
    if data["problem"]:
        facts.append(f"<b>{as_html(data['problem'])}</b>")
    about = _groups(results) + _classes(results) + _silent(results)
    return f"{VIEWPORT}<p>{'<br>'.join(facts)}</p>{about}"


def _groups(results: Results) -> str:
    """Return the verdicts by group as a table; groups of which nothing was asked share a line below it."""
    rows: dict[str, Counter[str]] = {}
    for entry in results.entries:
        rows.setdefault(entry["group"], Counter())[shown_verdict(entry)] += 1
    asked = {group: counts for group, counts in rows.items() if {*counts} != {str(Verdict.UNTESTED)}}
    verdicts = [name for name in (*map(str, Verdict), DEVIATES) if any(counts[name] for counts in asked.values())]
    titles = "".join(f"<th>{title}</th>" for title in ("requirements", *verdicts))
    body = "".join(
        f"<tr><td>{as_html(group)}</td>{''.join(f'<td>{counts[name] or NONE}</td>' for name in verdicts)}</tr>"
        for group, counts in asked.items()
    )
    rest = sum(counts.total() for group, counts in rows.items() if group not in asked)
    below = f"<p>{rest} requirements of other groups are untested.</p>" if rest else ""
    return f'<table class="conformance"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{below}'


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
        f"<li>{_verdict([entry])} {as_html(entry['id'])}: {as_html(entry['class'])}</li>"
        for entry in results.findings
        if "class" in entry
    ]
    return f'<p>What the findings are about:</p><ul class="classes">{"".join(lines)}</ul>' if lines else ""
