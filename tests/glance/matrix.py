"""
Judges releases of Glance and writes docs/matrix.md and docs/matrix.html.

    python -m tests.glance.matrix [--only 33/mysql …] [--kept] [--cache FOLDER] [--reports FOLDER] [--output FOLDER]

Each release is installed into an environment of its own, which is kept, and judged on SQLite, the newest two also on MariaDB
and PostgreSQL (profile standard, seed 7). The suite that judges is the one that runs this. With --kept, runs whose
results are there already are not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .releases import OLDER, RELEASES, NotInstalledError, Release, installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_cloudimages.reporting.side_by_side import Column

ROOT = Path(__file__).parents[2]
DATABASES = {"sqlite": "SQLite", "mysql": "MariaDB", "postgresql": "PostgreSQL"}
ON_ALL = 2
"""How many of the newest releases are judged on every database; the others on SQLite."""
ASKED = ("--seed", "7", "--tag-limit", "128")
JUDGED = (0, 1, 3)
"""Exit statuses of a run whose results tell something: nothing amiss, findings, something that could not be judged."""

HEAD = """\
# Releases of Glance

Made by `tox run -e matrix`: do not edit. The newest release of each major version since {oldest}, with Keystone behind
gunicorn on Python {python}, judged by `cloudimages run {asked}` (profile standard). SQLite takes one process
of one thread; on MariaDB and PostgreSQL two processes of four threads each meet, so that races show there.
[glance.md](glance.md) tells of each deviation who is right. As a page with a switch: [matrix.html](matrix.html).

"""


@dataclass(frozen=True)
class Place:
    """A release on a database."""

    release: Release
    database: str

    @property
    def name(self) -> str:
        """What is given to ``--only``."""
        return f"{self.release.major}/{self.database}"

    @property
    def folder(self) -> str:
        """The name of the folder of its reports."""
        return f"{self.release.major}-{self.database}"

    @property
    def label(self) -> str:
        """What stands above its column."""
        return f"{self.release.version} {DATABASES[self.database]}"


def places() -> list[Place]:
    """Return what is judged, in the order of the columns."""
    newest = RELEASES[-ON_ALL:]
    others = [database for database in DATABASES if database != "sqlite"]
    return [
        *(Place(release, "sqlite") for release in RELEASES),
        *(Place(release, database) for database in others for release in newest),
    ]


def judge(place: Place, python: Path, reports: Path) -> bool:
    """Judge a release on a database, and return whether there are results."""
    folder = reports / place.folder
    (folder / "conformance.json").unlink(missing_ok=True)
    suite = [sys.executable, "-m", "pytest_cloudimages", "run", "--reports", str(folder), *ASKED]
    serve = [str(python), "-m", "tests.glance", "--database", place.database, "--logs", str(folder)]
    done = subprocess.run([*serve, "--", *suite], cwd=ROOT, check=False)
    return done.returncode in JUDGED and (folder / "conformance.json").is_file()


def columns(reports: Path, wanted: Sequence[Place]) -> list[Column]:
    """Return a column for each place that has results."""
    from pytest_cloudimages.app.result_files import results_at
    from pytest_cloudimages.reporting.side_by_side import Column

    return [
        Column(place.label, results_at(reports / place.folder))
        for place in wanted
        if (reports / place.folder / "conformance.json").is_file()
    ]


def differences(found: Sequence[Column]) -> str:
    """Return in words where releases differ on the same database, and databases with the same release."""
    lines = []
    for what, place, beside in (("releases", 1, "on"), ("databases", 0, "with")):
        for same in dict.fromkeys(column.label.split(" ")[place] for column in found):
            group = [column for column in found if column.label.split(" ")[place] == same]
            if len(group) > 1:
                told = [f"  - {told}" for told in _differing(group, 1 - place)]
                lines += [f"- Between {what}, {beside} {same}:{'' if told else ' nothing.'}", *told]
    return "\n".join(["## What differs", "", *lines, "", ""]) if lines else ""


def _differing(group: Sequence[Column], place: int) -> Iterator[str]:
    from pytest_cloudimages.reporting.side_by_side import MISSED, rows

    names = [column.label.split(" ")[place] for column in group]
    for row in rows(group):
        if row.differs:
            missed = [name for name, cell in zip(names, row.cells, strict=True) if cell.verdict in MISSED]
            met = [name for name in names if name not in missed]
            how = f"missed by {', '.join(missed)}, not by {', '.join(met)}" if met else "missed by all, each otherwise"
            identifier = row.entry["id"]
            raced = any("rate" in column.entries.get(identifier, {}) for column in group)
            yield f"{identifier}: {how}{'; a race, which is lost by chance' if raced else ''}"


def write(found: Sequence[Column], refused: Mapping[str, str], output: Path) -> None:
    """Write both pages."""
    from pytest_cloudimages.reporting.side_by_side import as_html, as_markdown

    python = ".".join(map(str, sys.version_info[:2]))
    page = HEAD.format(oldest=RELEASES[0].major, python=python, asked=" ".join(ASKED))
    if without := [column.label for column in found if column.data["settings"]["tag_limit"] is None]:
        page += f"Without `--tag-limit`: {', '.join(without)}.\n\n"
    if old := [f"{release.version} ({', '.join(release.constraints)})" for release in RELEASES if release.constraints]:
        page += (
            f"Installed with older libraries than pip would choose, since newer ones broke them: {'; '.join(old)}.\n\n"
        )
    page += f"Of the other releases that PyPI has, {'; '.join(f'{older} {why}' for older, why in OLDER.items())}.\n\n"
    known = {column.label for column in found} | {*refused}
    if missing := [place.label for place in places() if place.label not in known]:
        page += f"Not judged yet: {', '.join(missing)}.\n\n"
    page += differences(found) + as_markdown(found)
    if refused:
        told = [f"### {label}\n\n```\n{why}\n```\n" for label, why in refused.items()]
        page += "\n## What was not judged\n\n" + "\n".join(told)
    (output / "matrix.md").write_text(page, "utf-8")
    (output / "matrix.html").write_text(as_html(found), "utf-8")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    known = [place.name for place in places()]
    parser = argparse.ArgumentParser(prog="python -m tests.glance.matrix", allow_abbrev=False)
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="MAJOR/DATABASE")
    parser.add_argument("--kept", action="store_true", help="make no run again whose results are there")
    parser.add_argument("--cache", type=Path, default=ROOT / ".tox" / "releases", help="where environments are kept")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports" / "matrix", help="where runs leave results")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="where both pages go")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Judge what is asked for, and write the pages of all that has results."""
    options = parsed(arguments)
    problems = options.reports / "refused.json"
    refused: dict[str, Any] = json.loads(problems.read_text("utf-8")) if problems.is_file() else {}
    for place in places():
        there = (options.reports / place.folder / "conformance.json").is_file()
        if place.name not in options.only or (options.kept and there):
            continue
        refused.pop(place.label, None)
        try:
            python = installed(place.release, options.cache)
        except NotInstalledError as error:
            refused[place.label] = f"It does not install:\n{error}"
            continue
        if not judge(place, python, options.reports.resolve()):
            refused[place.label] = "It was installed, and no run came to results; the logs of the run say why."
    options.reports.mkdir(parents=True, exist_ok=True)
    problems.write_text(json.dumps(refused, indent=1) + "\n", "utf-8")
    write(columns(options.reports, places()), refused, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
