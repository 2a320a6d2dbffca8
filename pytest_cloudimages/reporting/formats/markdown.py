"""Markdown: the summary of a job of GitHub Actions, or a comment to a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_html
from pytest_cloudimages.reporting.closing import sentence
from pytest_cloudimages.reporting.compared import escaped
from pytest_cloudimages.reporting.formats.entries import counts, details, shown, worst_first
from pytest_cloudimages.reporting.results import DEVIATES, Results

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 900 * 1024
"""Octets; above one MiB GitHub drops a summary as a whole."""


def render(data: Mapping[str, Any]) -> str:
    """Return the verdict, the counts, and each finding to be unfolded, as far as they fit into a summary."""
    number = counts(verdict for verdict, _ in shown(data))
    service, settings, suite = data["service"], data["settings"], data["suite"]
    of_run = f"{service['endpoint']}, {data['started']}, profile {settings['profile']}, seed {data['seed']}"
    page = [
        f"**{escaped(sentence(Results(data)))}**",
        "",
        escaped(f"{of_run}, {suite['name']} {suite['version']}"),
        "",
        f"| {' | '.join(number)} |",
        f"|{' ---: |' * len(number)}",
        f"| {' | '.join(map(str, number.values()))} |",
        "",
    ]
    accepted = [(verdict, entry) for verdict, entry in shown(data) if verdict == DEVIATES]
    size, left_out = sum(len(line.encode()) + 1 for line in page), 0
    for verdict, entry in [*worst_first(data), *accepted]:
        block = _block(verdict, entry)
        size += len(block.encode()) + 1
        if size > LARGEST:
            left_out += 1
        else:
            page.append(block)
    page += [f"{left_out} more did not fit; the reports name them."] if left_out else []
    return "\n".join(page) + "\n"


def _block(verdict: str, entry: Mapping[str, Any]) -> str:
    told = as_html("\n".join(details(verdict, entry)))
    # An empty line would end the block of HTML, and what follows would be Markdown.
    told = "\n".join(line or " " for line in told.splitlines())
    title = f"<b>{verdict}</b> {entry['id']}: {as_html(entry['statement'])}"
    return f"<details><summary>{title}</summary><pre>{told}</pre></details>\n"
