"""Services side by side: what each requirement came to with each of them."""

from __future__ import annotations

import functools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.compared import escaped
from pytest_cloudimages.reporting.decisive_requests import decisive
from pytest_cloudimages.reporting.index_page import MARKS, MEANING, own_file, policy, template
from pytest_cloudimages.reporting.results import DEVIATES, shown_verdict
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ABSENT = "absent"
"""What stands for a requirement that the catalogue of a run did not have."""
CLAIMED = "claimed"
"""What stands for a requirement of an area that a service says it has, and that the run did not judge."""
MISSED = (str(Verdict.FAIL), str(Verdict.ADVISORY), DEVIATES)
"""What stands for a requirement that is not met."""
NOT_ASKED = (str(Verdict.UNTESTED), CLAIMED, ABSENT)
STATES = {**MEANING, CLAIMED: "claimed, not judged: the service says it has this, and the run did not ask"}
"""What may stand in a cell, in the order in which a reader wants to know."""


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
    def claims(self) -> Mapping[str, str]:
        """The areas that the service says it has, with the document that says so."""
        return dict(self.data["service"].get("claims", {}))

    def word(self, entry: Mapping[str, Any]) -> str:
        """Return what stands in the cell of a requirement."""
        word = shown_verdict(entry)
        return CLAIMED if word == str(Verdict.UNTESTED) and entry["area"] in self.claims else word

    @functools.cached_property
    def counts(self) -> dict[str, int]:
        """How many requirements came to each verdict."""
        words = Counter(map(self.word, self.data["requirements"]))
        return {word: words[word] for word in STATES if word in words}


@dataclass(frozen=True)
class Row:
    """A requirement, with what it came to in each column."""

    entry: Mapping[str, Any]
    cells: Sequence[Cell]

    @property
    def differs(self) -> bool:
        """Whether services that were asked came to something else, or depart for another class of input."""
        asked = [cell for cell in self.cells if cell.verdict not in NOT_ASKED]
        findings = [cell for cell in asked if cell.identity]
        # Where a run had no requests left to look for the class, nothing is known of it.
        different = (
            {cell.verdict for cell in asked},
            {cell.symptom for cell in findings},
            {cell.input_class for cell in findings if cell.input_class},
        )
        return any(len(values) > 1 for values in different)

    @property
    def asked(self) -> bool:
        """Whether any service was asked."""
        return any(cell.verdict not in NOT_ASKED for cell in self.cells)

    @property
    def claimed(self) -> bool:
        """Whether a service claims it, and no run has judged it."""
        return not self.asked and any(cell.verdict == CLAIMED for cell in self.cells)


@dataclass(frozen=True)
class Cell:
    """What a requirement came to with a service."""

    verdict: str
    identity: str
    """What makes a finding the same as another service's; empty where there is none."""
    symptom: str
    """In which way it departs."""
    input_class: str
    """For which input it departs, where that was found."""
    link: str
    told: str
    """For which input it departs, or why it was not judged, in one line."""
    requests: tuple[str, ...]
    """The few requests that show a finding, a line each."""


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
        return Cell(ABSENT, "", "", "", "", "", ())
    link = f"{column.page}#{identifier}" if column.page else ""
    told = str(entry.get("input_class") or entry.get("symptom") or " ".join(str(entry.get("explanation", "")).split()))
    word = column.word(entry)
    if word == CLAIMED:
        told = f"{column.claims[entry['area']]}; {told}"
    return Cell(
        verdict=word,
        identity=str(entry.get("identity", "")),
        symptom=str(entry.get("symptom", "")),
        input_class=str(entry.get("input_class", "")),
        link=link,
        told=told,
        requests=tuple(decisive(entry)) if entry.get("identity") else (),
    )


def as_html(columns: Sequence[Column]) -> str:
    """Return the page: every requirement, with a switch that leaves only what differs."""
    found = rows(columns)
    style = own_file("index.css") + own_file("matrix.css")
    return str(
        template("matrix.html").render(
            columns=columns,
            groups=_by_group([row for row in found if row.asked or row.claimed]),
            differing=sum(row.differs for row in found),
            asked=sum(row.asked for row in found),
            claimed=sum(row.claimed for row in found),
            not_asked=sum(not row.asked for row in found),
            marks={**MARKS, ABSENT: "–", CLAIMED: "◌"},
            meaning=STATES,
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
    every = rows(columns)
    found = [row for row in every if row.asked]
    yield f"| service | {' | '.join(STATES)} |"
    yield f"| --- |{' ---: |' * len(STATES)}"
    for column in columns:
        yield f"| {escaped(column.label)} | {' | '.join(str(column.counts.get(word, 0)) for word in STATES)} |"
    shown = [row for row in found if row.differs or any(cell.verdict in MISSED for cell in row.cells)]
    if shown:
        yield from ["", f"| requirement | {' | '.join(escaped(column.label) for column in columns)} | |"]
        yield f"| --- |{' --- |' * len(columns)} --- |"
    else:
        yield from ["", "They do not differ, and nothing is missed."]
    for row in shown:
        cells = [_of_markdown(cell) for cell in row.cells]
        yield f"| {row.entry['id']}: {escaped(row.entry['statement'])} | {' | '.join(cells)} | " + (
            "differs |" if row.differs else "|"
        )
    if shown:
        yield from ["", f"{len(found) - len(shown)} further requirements do not differ, and are missed nowhere."]
    yield from _claimed(columns, every)
    yield from _shown_by(columns, shown)


def _claimed(columns: Sequence[Column], found: Sequence[Row]) -> Iterator[str]:
    """Yield what services say they have and no run has judged, an area each."""
    areas = Counter(row.entry["area"] for row in found if row.claimed)
    if areas:
        yield from ["", "## Claimed, not judged", ""]
    for area, number in areas.items():
        told = dict.fromkeys(column.claims[area] for column in columns if area in column.claims)
        yield f"- {escaped(area)}: {number} requirements; {'; '.join(map(escaped, told))}"


def _shown_by(columns: Sequence[Column], shown: Sequence[Row]) -> Iterator[str]:
    """Yield the requests that show each finding: those of the first service that departs in this way."""
    if any(cell.requests for row in shown for cell in row.cells):
        yield from ["", "## Requests that show it"]
    for row in shown:
        groups = _alike([(column, cell) for column, cell in zip(columns, row.cells, strict=True) if cell.requests])
        yield from ["", f"### {row.entry['id']}"] if groups else []
        for group in groups:
            told = next((cell for _, cell in group if cell.input_class), group[0][1])
            labels = ", ".join(escaped(column.label) for column, _ in group)
            yield from ["", f"{labels}: {escaped(told.told)}", "", *(f"    {line}" for line in told.requests)]


def _alike(cells: Sequence[tuple[Column, Cell]]) -> list[list[tuple[Column, Cell]]]:
    """Return the cells by what they show: in the same way, for the same class of input.

    Where a class was not looked for, the same requests have to show it: what else they depart for is not known.
    """
    groups: list[list[tuple[Column, Cell]]] = []
    for column, cell in sorted(cells, key=lambda pair: not pair[1].input_class):
        known = (group for group in groups if group[0][1].symptom == cell.symptom)
        fitting = next((group for group in known if _fits(cell, group[0][1])), None)
        if fitting is None:
            groups.append([(column, cell)])
        else:
            fitting.append((column, cell))
    return groups


def _fits(cell: Cell, first: Cell) -> bool:
    return cell.input_class == first.input_class or (not cell.input_class and cell.requests == first.requests)


def _of_markdown(cell: Cell) -> str:
    told = f": {escaped(cell.told)}" if cell.identity and cell.told else ""
    return f"{cell.verdict}{told}"


def page_beside(results: Path, output: Path | None) -> str:
    """Return where the page of a run lies, seen from the folder of the matrix; empty where there is none."""
    page = results.parent / "index.html"
    if output is None or not page.is_file():
        return ""
    return Path(os.path.relpath(page.resolve(), output.resolve().parent)).as_posix()
