"""A unit of work: one run of the suite in a process of its own, the same wherever it is carried out.

The process is told to stop through a pipe that is its standard input: each octet is an interrupt, and its end says that
whoever started it is gone. So nobody signals a process that may have ended, and none outlives a worker that was killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, MEANINGS, SUITE_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTERRUPT = b"."


@dataclass(frozen=True)
class Unit:
    """What is handed to a worker: names alone, and no secret. Workers find out the credentials for themselves."""

    service: str
    """What the service is called here."""
    words: tuple[str, ...]
    """What stands behind `cloudimages run`, but for where the reports go."""
    rest: tuple[str, ...] = ()
    """What stands behind ``--`` there."""
    folder: str = ""
    """Where the reports go."""
    shard: str = ""
    """Which shard of the service it is, such as ``2/4``; empty where it is all of it."""
    places: tuple[str, ...] = ()
    """Its region and its cloud: a worker that has a resource of such a name can reach it."""

    @property
    def label(self) -> str:
        """What its output is marked by."""
        return " ".join(filter(None, (self.service, self.shard)))


@dataclass(frozen=True)
class Ending:
    """How a unit ended."""

    status: int
    """As `cloudimages run` has it."""
    told: str = ""
    """The last line that it said."""
    lines: tuple[str, ...] = ()
    """All that it said, where that was not printed at once."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What it has left, by the place below its folder, where that lies on another machine."""


def ended(status: int, why: str) -> Ending:
    """Return the ending of a unit that said nothing itself."""
    from pytest_cloudimages.reporting.closing import WORDS

    return Ending(status, f"{WORDS[status]}: {why}; exit {status}")


class Stop:
    """What interrupts units that are under way; one that is asked for before they begin keeps them from it."""

    def __init__(self) -> None:
        self.count = 0
        """How many interrupts there have been."""
        self._lines: dict[int, bool] = {}
        """Ends of pipes that lead to processes; closed when all have ended, so that no number is used twice."""

    def interrupt(self) -> None:
        """Interrupt every unit; a signal handler may call this at any time."""
        self.count += 1
        for line in [*self._lines]:
            _write(line, INTERRUPT)

    def lead_to_process(self) -> tuple[int, int]:
        """Return the two ends of a new pipe: what a process reads, and what interrupts it."""
        theirs, ours = os.pipe()
        self._lines[ours] = True
        if self.count:
            _write(ours, INTERRUPT)
        return theirs, ours

    def close(self) -> None:
        """Close what led to processes, which have ended."""
        for line in [*self._lines]:
            del self._lines[line]
            os.close(line)


def _write(line: int, octets: bytes) -> None:
    with suppress(OSError):  # who has ended hears nothing any more
        os.write(line, octets)


def execute(
    unit: Unit,
    tell: Callable[[str], None],
    stop: Stop,
    *,
    folder: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Ending:
    """Carry a unit out in a process of its own, say what it says line by line, and return how it ended.

    ``folder`` and ``environ`` are those that it is started in, where they are not this process's.
    """
    if stop.count:
        return Ending(INTERRUPTED)
    theirs, _ = stop.lead_to_process()
    words = [*unit.words, f"--reports={unit.folder}", *(["--", *unit.rest] if unit.rest else [])]
    # A terminal's Ctrl-C is for the command, which hands it on.
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "pytest_cloudimages.app.many.process", *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environ,
        process_group=0,
        encoding="utf-8",
        errors="backslashreplace",
    )
    os.close(theirs)
    told = ""
    with process:
        for line in process.stdout or ():
            tell(line.rstrip("\n"))
            told = line.strip() or told
    if process.returncode in MEANINGS:
        return Ending(process.returncode, told)
    return Ending(INTERRUPTED if stop.count else SUITE_ERROR, told)
