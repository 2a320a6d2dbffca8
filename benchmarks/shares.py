"""Where the CPU of a run goes: a look every few milliseconds of CPU at what its main thread does.

Usage: python benchmarks/shares.py FILE WORD…: has `cloudimages run WORD…` judge a service in this process, and writes
to FILE, as JSON, how many looks met each part of the run; benchmarks/performance.py makes a table of it. A profiler
that follows every call makes what is called most look dearest.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

EVERY = 0.002
"""Seconds of CPU between two looks."""
PARTS = (
    ("/pytest_cloudimages/client/", "sending requests, reading and recording the answers"),
    ("/pytest_cloudimages/engine/ledger", "noting images in the ledger"),
    ("/pytest_cloudimages/reporting/", "writing the reports"),
    ("/pytest_html/", "writing the reports"),
    ("/_pytest/junitxml", "writing the reports"),
    ("/hypothesis/", "drawing tags and sequences"),
    ("/conformance/", "looking at what was seen"),
    ("/pytest_cloudimages/spec/", "looking at what was seen"),
    ("/pytest_cloudimages/engine/observations", "looking at what was seen"),
    ("/pytest_cloudimages/engine/recording", "looking at what was seen"),
    ("/pytest_cloudimages/areas/", "carrying out workloads"),
    ("/pytest_cloudimages/history/", "carrying out workloads"),
    ("/pytest_cloudimages/engine/", "carrying out workloads"),
    ("/pytest_cloudimages/", "all else of the suite"),
    ("/_pytest/", "pytest"),
    ("/pluggy/", "pytest"),
)
"""What stands in the name of a file, and to which part of a run it belongs: the innermost frame that has one counts."""
LOADING = "loading modules"
IMPORTING = ("importlib._bootstrap", "/_pytest/assertion/rewrite")


def part_of(frame: FrameType | None) -> str:
    """Return the part of a run that a frame and those that called it belong to."""
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if any(part in name for part in IMPORTING):
            return LOADING
        found = found or next((told for part, told in PARTS if part in name), "")
        frame = frame.f_back
    return found or "Python itself"


def main() -> None:
    """Judge, and count."""
    met: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: met.update([part_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    from pytest_cloudimages.app.cli import main as command

    try:
        command.main(["run", *sys.argv[2:]])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        Path(sys.argv[1]).write_text(json.dumps(dict(met.most_common())), encoding="utf-8")


if __name__ == "__main__":
    main()
