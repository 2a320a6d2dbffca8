"""`cloudimages deviations new`: write a file of accepted departures, to be filled in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import FINE, SUITE_ERROR, USAGE

if TYPE_CHECKING:
    import argparse

OUTPUT = "deviations.toml"


def deviations(chosen: argparse.Namespace) -> int:
    """Write a deviation for each finding that is not accepted yet, and return the exit status."""
    from pytest_cloudimages.app.result_files import results_at
    from pytest_cloudimages.reporting.deviations import blank

    output = Path(chosen.output)
    try:
        data = results_at(Path(chosen.results))
    except ValueError as problem:
        print(f"cloudimages deviations new: {problem}", file=sys.stderr)
        return USAGE
    count = sum("identity" in entry and "deviates" not in entry for entry in data["requirements"])
    if not count:
        print("Nothing is to be accepted: every finding of that run is accepted already, or there is none.")
        return FINE
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(blank(data))
    except FileExistsError:
        print(f"cloudimages deviations new: {output} is there already; name another --output", file=sys.stderr)
        return USAGE
    except OSError as problem:
        print(f"cloudimages deviations new: {output} cannot be written: {problem.strerror}", file=sys.stderr)
        return SUITE_ERROR
    print(
        f"{output}: {count} deviations; fill in reason, owner and expires of each, then: cloudimages run"
        f" --deviations {output}"
    )
    return FINE
