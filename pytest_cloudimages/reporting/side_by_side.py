"""Services side by side: what each requirement came to with each of them."""

from __future__ import annotations

import functools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.compared import escaped
from pytest_cloudimages.reporting.index_page import MARKS, MEANING, own_file, policy, template
from pytest_cloudimages.reporting.results import shown_verdict
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ABSENT = "absent"
"""What stands for a requirement that the catalogue of a run did not have."""
NOT_ASKED = (str(Verdict.UNTESTED), ABSENT)


@dataclass(frozen=True)
class Column:
    """A service that was judged."""

    label: str
    data: Mapping[str, Any]
    page: str = ""
    """Where the page of its run lies, seen from the matrix; empty where there is none."""

    @functools.cached_property
    def entries(self) -> dict[str, Mapping[str, Any]]:
        """What is said of each requirement that the run knew, by its id."""
        return {entry["id"]: entry for entry in self.data["requirements"]}

    @functools.cached_property
    def counts(self) -> dict[str, int]:
        """How many requirements came to each verdict."""
        words = Counter(map(shown_verdict, self.data["requirements"]))
        return {word: words[word] for word in MEANING if word in words}


@dataclass(frozen=True)
class Row:
    """A requirement, with what it came to in each column."""

    entry: Mapping[str, Any]
    cells: Sequence[Cell]

    @property
    def differs(self) -> bool:
        """Whether services that were asked came to something else, or depart for another class of input."""
        asked = {(cell.verdict, cell.identity) for cell in self.cells if cell.verdict not in NOT_ASKED}
        return len(asked) > 1

    @property
    def asked(self) -> bool:
        """Whether any service was asked."""
        return any(cell.verdict not in NOT_ASKED for cell in self.cells)


@dataclass(frozen=True)
class Cell:
    """What a requirement came to with a service."""

    verdict: str
    identity: str
    """What makes a finding the same as another service's; empty where there is none."""
    link: str
    told: str
    """For which input it departs, or why it was not judged, in one line."""


def rows(columns: Sequence[Column]) -> list[Row]:
    """Return a row for each requirement that any run knew, in the order of their catalogues."""
    known: dict[str, Mapping[str, Any]] = {}
    for column in columns:
        for entry in column.data["requirements"]:
            known.setdefault(entry["id"], entry)
    return [Row(entry, [_cell(column, identifier) for column in columns]) for identifier, entry in known.items()]


def _cell(column: Column, identifier: str) -> Cell:
    entry = column.entries.get(identifier)
    if entry is None:
        return Cell(ABSENT, "", "", "")
    link = f"{column.page}#{identifier}" if column.page else ""
    told = str(entry.get("input_class") or entry.get("symptom") or " ".join(str(entry.get("explanation", "")).split()))
    return Cell(shown_verdict(entry), str(entry.get("identity", "")), link, told)


def as_html(columns: Sequence[Column]) -> str:
    """Return the page: every requirement, with a switch that leaves only what differs."""
    found = rows(columns)
    style = own_file("index.css") + own_file("matrix.css")
    return str(
        template("matrix.html").render(
            columns=columns,
            groups=_by_group([row for row in found if row.asked]),
            differing=sum(row.differs for row in found),
            asked=sum(row.asked for row in found),
            not_asked=sum(not row.asked for row in found),
            marks={**MARKS, ABSENT: "–"},
            meaning=MEANING,
            style=style,
            policy=policy(style),
        )
    )


def _by_group(found: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row.entry["group"], []).append(row)
    return groups


def as_markdown(columns: Sequence[Column]) -> str:
    """Return what differs and what is not met anywhere, as tables of Markdown."""
    return "\n".join(_lines(columns)) + "\n"


def _lines(columns: Sequence[Column]) -> Iterator[str]:
    found = [row for row in rows(columns) if row.asked]
    yield f"| service | {' | '.join(MEANING)} |"
    yield f"| --- |{' ---: |' * len(MEANING)}"
    for column in columns:
        yield f"| {escaped(column.label)} | {' | '.join(str(column.counts.get(word, 0)) for word in MEANING)} |"
    missed = (str(Verdict.FAIL), str(Verdict.ADVISORY), "deviates")
    shown = [row for row in found if row.differs or any(cell.verdict in missed for cell in row.cells)]
    if not shown:
        yield from ["", "They do not differ, and nothing is missed."]
        return
    yield from ["", f"| requirement | {' | '.join(escaped(column.label) for column in columns)} | |"]
    yield f"| --- |{' --- |' * len(columns)} --- |"
    for row in shown:
        cells = [_of_markdown(cell) for cell in row.cells]
        yield f"| {row.entry['id']}: {escaped(row.entry['statement'])} | {' | '.join(cells)} | " + (
            "differs |" if row.differs else "|"
        )
    yield from ["", f"{len(found) - len(shown)} further requirements do not differ, and are missed nowhere."]


def _of_markdown(cell: Cell) -> str:
    told = f": {escaped(cell.told)}" if cell.identity and cell.told else ""
    return f"{cell.verdict}{told}"


def page_beside(results: Path, output: Path | None) -> str:
    """Return where the page of a run lies, seen from the folder of the matrix; empty where there is none."""
    page = results.parent / "index.html"
    if output is None or not page.is_file():
        return ""
    return Path(os.path.relpath(page.resolve(), output.resolve().parent)).as_posix()
