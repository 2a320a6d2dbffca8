"""`cloudimages doctor`: see what a run needs, step by step, and what is in its way."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.arguments import named, settings_of
from pytest_cloudimages.app.cli.exit_status import FINE, NOT_JUDGED, SUITE_ERROR, USAGE
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import in_one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pytest_cloudimages.app.checkup.lines import Line

TAKEN = named(
    "reference",
    "endpoint",
    "cloud",
    "region",
    "other-cloud",
    "reader-cloud",
    "creator-cloud",
    "admin-cloud",
    "image",
    "yes",
    "plain-http",
    "timeout",
    "max-rps",
)
"""The options of `cloudimages run` that say what is looked at, and how."""
MARKS = {"fine": "ok", "noted": "note", "trouble": "TROUBLE", "not tried": "-"}
COLOURS: dict[str, dict[str, bool]] = {
    "fine": {"green": True},
    "noted": {"yellow": True},
    "trouble": {"red": True, "bold": True},
    "not tried": {"light": True},
}
STATUSES = {"suite": SUITE_ERROR, "settings": USAGE, "elsewhere": NOT_JUDGED}
"""The exit status by where the trouble lies; of several the first counts."""
MARK_WIDTH, TOPIC_WIDTH = 9, 21
WIDEST, NARROWEST = 120, 60


def doctor(chosen: argparse.Namespace) -> int:
    """Say what each step has shown, as soon as it has, and return the exit status."""
    from pytest_cloudimages.app.checkup.examination import Examination

    settings = settings_of(chosen, TAKEN, os.environ)
    lines: list[Line] = []
    if not chosen.json:
        what = "an image is created, tagged and deleted" if chosen.write else "nothing is changed"
        print(f"cloudimages {__version__}: looking at what a run needs; {what}", flush=True)
    for line in Examination(settings, write=chosen.write).lines():
        lines.append(line)
        if not chosen.json:
            show(line)
    status = status_of(lines)
    ending = verdict(lines, status, chosen)
    if chosen.json:
        print(json.dumps({"lines": [line.as_data() for line in lines], **ending_as_data(ending, status)}, indent=1))
    else:
        print(f"{ending}; exit {status}")
    return status


def status_of(lines: Sequence[Line]) -> int:
    """Return the exit status with which a run would end that meets the same trouble."""
    faults = {str(line.fault) for line in lines if line.fault}
    return next((status for fault, status in STATUSES.items() if fault in faults), FINE)


def verdict(lines: Sequence[Line], status: int, chosen: argparse.Namespace) -> str:
    """Return the last sentence: what is in the way, or what to type now."""
    from pytest_cloudimages.reporting.closing import WORDS

    if status != FINE:
        where = ", ".join(line.topic for line in lines if line.fault)
        return f"{WORDS[status]}: {where}" if status == SUITE_ERROR else f"{WORDS[status]}: no run is possible: {where}"
    words = ["cloudimages", "run"]
    for option in TAKEN:
        words += option.words(getattr(chosen, option.key))
    partly = [line.topic for line in lines if line.outcome == "trouble"]
    without = f"; not all of it is tested: {', '.join(partly)}" if partly else ""
    return f"READY: {shlex.join(words)}{without}"


def ending_as_data(ending: str, status: int) -> dict[str, Any]:
    """Return how it ended as JSON data."""
    return {"verdict": SECRETS.hide(ending), "exit_status": status}


def show(line: Line) -> None:
    """Print a line, in colours where `cloudimages run` has them."""
    from _pytest._io import TerminalWriter

    writer = TerminalWriter(sys.stdout)
    mark, *rest = rendered(line)
    writer.write(f"{mark:<{MARK_WIDTH}}", **COLOURS[line.outcome])
    writer.line("\n".join(rest))
    writer.flush()


def rendered(line: Line) -> Iterator[str]:
    """Yield the mark of a line, and then what is told, broken where a terminal would break it."""
    yield MARKS[line.outcome]
    indent = " " * (MARK_WIDTH + TOPIC_WIDTH)
    told = f"{line.tried} → {line.came}" if line.tried else line.came
    yield f"{line.topic:<{TOPIC_WIDTH}}{_broken(told, indent).lstrip()}"
    for number, part in enumerate(line.advice.splitlines()):
        yield f"{indent}{'    ' if number else 'do: '}{_broken(part, f'{indent}    ').lstrip()}"


def _broken(text: str, indent: str) -> str:
    width = min(max(shutil.get_terminal_size((WIDEST, 24)).columns, NARROWEST), WIDEST)
    return textwrap.fill(
        in_one_line(SECRETS.hide(text)),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
