"""A comparison of two runs, for a terminal and for a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting.closing import WORDS
from pytest_cloudimages.reporting.comparison import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_cloudimages.reporting.comparison import Change, Comparison

MARKDOWN = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]|~#"} | {"<": "&lt;", "&": "&amp;"})
UNLIKE = ("endpoint", "profile", "specification", "suite")


def lines(comparison: Comparison) -> list[str]:
    """Return the lines of a terminal: what became of each finding, with what is new first."""
    data = comparison.as_data()
    found = [f"{name}: {_run(data[name])}" for name in ("old", "new")]
    found += [f"note: {text}" for text in _unlike(data)]
    for kind, words in KINDS.items():
        if changes := comparison.of(kind):
            found += ["", f"{kind} ({words}):", *(f"  {_line(change)}" for change in changes)]
    found += ["", f"{comparison.not_asked} requirements that were judged before are not asked for now."] * bool(
        comparison.not_asked
    )
    return found


def counts(comparison: Comparison) -> str:
    """Return how many findings are new, fixed and so on, in one line."""
    return ", ".join(f"{len(comparison.of(kind))} {kind}" for kind in ("new", "fixed", "still")) + "".join(
        f", {len(found)} {kind}" for kind in ("appeared", "vanished", "deviating") if (found := comparison.of(kind))
    )


def verdict(comparison: Comparison, status: int, *, strict: bool) -> str:
    """Return the comparison in one sentence, with the exit status."""
    against = ", ".join(change.id for change in comparison.against(strict=strict))
    reasons = [f"{against} not as required" if against else "", *comparison.trouble, comparison.cut_short]
    reasons += [f"{', '.join(comparison.errors)}: an error of the suite"] if comparison.errors else []
    reasons += [f"{', '.join(comparison.unjudged)} could not be judged"] if comparison.unjudged else []
    told = "; ".join([counts(comparison), *filter(None, reasons)])
    return in_one_line(f"{WORDS[status]}: {told}; exit {status}")


def markdown(comparison: Comparison, sentence: str) -> list[str]:
    """Return a page of Markdown, which begins with the verdict."""
    data = comparison.as_data()
    found = [f"**{escaped(sentence)}**", "", *(f"- {name}: {escaped(_run(data[name]))}" for name in ("old", "new"))]
    found += [f"- note: {escaped(text)}" for text in _unlike(data)]
    if comparison.changes:
        found += ["", "| | requirement | before | now | finding |", "| --- | --- | --- | --- | --- |"]
    for kind in KINDS:
        for change in comparison.of(kind):
            cells = (kind, change.id, change.before, change.verdict, _finding(change))
            found.append(f"| {' | '.join(map(escaped, cells))} |")
    return found


def _run(run: Mapping[str, Any]) -> str:
    cut = ", interrupted" if run["interrupted"] else ""
    return in_one_line(f"{run['endpoint']} at {run['started']}, profile {run['profile']}, seed {run['seed']}{cut}")


def _unlike(data: Mapping[str, Any]) -> list[str]:
    """Return in which respects the two runs cannot be told apart from their service."""
    old, new = data["old"], data["new"]
    return [
        in_one_line(f"{name} differs: {old[name]} before, {new[name]} now") for name in UNLIKE if old[name] != new[name]
    ]


def _line(change: Change) -> str:
    return in_one_line(f"{change.id} {change.before} → {change.verdict}: {_finding(change)}")


def _finding(change: Change) -> str:
    parts = [part for part in change.identity.split(" | ")[1:] if part not in ("any input", "not as required")]
    return "; ".join([change.statement.removesuffix("."), *parts, *filter(None, [change.note])])


def escaped(text: str) -> str:
    """Return a text for a line or a cell of Markdown: no markup, and one line."""
    return in_one_line(text).translate(MARKDOWN)
