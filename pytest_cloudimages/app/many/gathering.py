"""What the units of a service have left, put together to what one run leaves."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, NOT_JUDGED, SUITE_ERROR, worst
from pytest_cloudimages.app.many.planning import EXAMPLES
from pytest_cloudimages.app.report_files import replace_together, write
from pytest_cloudimages.app.result_files import RESULTS, deviations_at, results_at
from pytest_cloudimages.reporting.closing import WORDS, count, sentence

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.app.many.planning import Task
    from pytest_cloudimages.app.many.units import Ending, Unit

MATRIX = "matrix"
"""The name of the files that show services side by side."""


@dataclass
class Judged:
    """A service that was judged, or could not be."""

    task: Task
    status: int
    told: str
    """How it went, in a sentence."""
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    """Its results, where there are some."""

    @property
    def label(self) -> str:
        """What it is called."""
        return self.task.label or "the service"


def stamp_of(folder: str | Path) -> tuple[int, int] | None:
    """Return what tells the results in a folder from those of an earlier run; ``None`` where there are none."""
    try:
        found = Path(folder, RESULTS).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def gathered(
    task: Task, endings: Mapping[Unit, Ending], earlier: Mapping[str, object], chosen: argparse.Namespace
) -> Judged:
    """Return what came of a service; ``earlier`` has the stamps of what lay there before. Raise ``OSError``."""
    if task.problem:
        return Judged(task, task.status, f"{WORDS[task.status]}: {task.problem}; exit {task.status}")
    ended = [endings[unit] for unit in task.units]
    try:
        found = {
            unit.folder: results_at(Path(unit.folder))
            for unit in task.units
            if stamp_of(unit.folder) not in (None, earlier.get(unit.folder))
        }
    except ValueError as problem:
        return Judged(task, SUITE_ERROR, f"{WORDS[SUITE_ERROR]}: {problem}; exit {SUITE_ERROR}")
    return _together(task, ended, found, chosen)


def _together(
    task: Task, ended: Sequence[Ending], found: Mapping[str, Mapping[str, Any]], chosen: argparse.Namespace
) -> Judged:
    """Return what came of a service, by how its units ended and what results they have left."""
    status = worst(ending.status for ending in ended)
    if len(task.units) == 1:
        return Judged(task, status, ended[0].told, next(iter(found.values()), None))
    if chosen.dry_run:
        return Judged(task, status, f"{WORDS[status]}: this was a rehearsal; exit {status}")
    if chosen.minutes is not None:
        return _explored(task, ended, found, chosen)
    if len(found) < len(task.units):
        status = worst((NOT_JUDGED, status))
        missing = count(len(task.units) - len(found), "has no results", "have no results")
        return Judged(task, status, f"{WORDS[status]}: of {len(task.units)} shards {missing}; exit {status}")
    return _merged(task, ended, found, chosen)


def _explored(
    task: Task, ended: Sequence[Ending], found: Mapping[str, Mapping[str, Any]], chosen: argparse.Namespace
) -> Judged:
    """Gather the seeds that found something, each in a range of its own, in one folder."""
    examples = Path(chosen.examples or task.folder / EXAMPLES)
    for unit in task.units:
        for file in sorted(Path(unit.folder, EXAMPLES).glob("*.json")):
            examples.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, examples / file.name)
    status = worst(ending.status for ending in ended)
    worst_of_all = next(unit for unit, ending in zip(task.units, ended, strict=True) if ending.status == status)
    kept = len([*examples.glob("*.json")])
    told = f"explored in {count(len(ended), 'range')} of seeds, {count(kept, 'seed')} kept in {examples}"
    return Judged(task, status, f"{WORDS[status]}: {told}; exit {status}", found.get(worst_of_all.folder))


def _merged(
    task: Task, ended: Sequence[Ending], found: Mapping[str, Mapping[str, Any]], chosen: argparse.Namespace
) -> Judged:
    """Write the results of all shards as those of one run."""
    from pytest_cloudimages.reporting.merging import merged, problems
    from pytest_cloudimages.reporting.results import Results

    if wrong := next(problems(found), ""):
        return Judged(task, NOT_JUDGED, f"{WORDS[NOT_JUDGED]}: {wrong}; exit {NOT_JUDGED}")
    data = merged([*found.values()])
    changed = {"strict": chosen.strict, "export": tuple(chosen.export or ()), "sign": chosen.sign}
    results = Results(data | {"settings": data["settings"] | changed})
    if chosen.deviations:
        results = results.accepting(deviations_at(Path(chosen.deviations)))
    write(results, task.folder)
    # Whether something is held against the service, and whether enough was judged, shows in the whole.
    others = (ending.status for ending in ended if ending.status in (SUITE_ERROR, INTERRUPTED))
    status = worst((results.exit_status(strict=chosen.strict), *others))
    return Judged(task, status, sentence(results), results.data)


def write_matrix(judged: Sequence[Judged], folder: Path) -> list[Path]:
    """Write the services side by side, and return where; raise ``OSError`` where that cannot be done."""
    from pytest_cloudimages.reporting.side_by_side import Column, as_html, as_markdown, page_beside

    pages = [folder / f"{MATRIX}.html", folder / f"{MATRIX}.md"]
    made: dict[Path, bytes] = {}
    for page, render in zip(pages, (as_html, as_markdown), strict=True):
        columns = [
            Column(each.label, each.data, page_beside(each.task.folder / RESULTS, page)) for each in judged if each.data
        ]
        made[page] = render(columns).encode()
    replace_together(made)
    return pages
