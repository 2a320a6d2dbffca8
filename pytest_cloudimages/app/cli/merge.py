"""`cloudimages merge`: the results of shards put together to those of one run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import SUITE_ERROR, USAGE

if TYPE_CHECKING:
    import argparse

    from pytest_cloudimages.reporting.results import Results

WHOLE = "whole.json"
"""Where the results go, unless told otherwise."""
MOST = 20
"""Problems that are told, at most."""


def merge(chosen: argparse.Namespace) -> int:
    """Write the results of the whole, and return the exit status that one run would have ended with."""
    from pytest_cloudimages.app.result_files import deviations_at, results_at
    from pytest_cloudimages.reporting.closing import sentence
    from pytest_cloudimages.reporting.merging import merged, problems
    from pytest_cloudimages.reporting.results import Results

    try:
        shards = {name: results_at(Path(name)) for name in dict.fromkeys(chosen.results)}
        deviations = deviations_at(Path(chosen.deviations)) if chosen.deviations else None
    except ValueError as problem:
        print(f"cloudimages merge: {problem}", file=sys.stderr)
        return USAGE
    found = [f"{name}: named twice" for name in shards if chosen.results.count(name) > 1]
    found = found or [*problems(shards)]
    for told in found[:MOST]:
        print(f"cloudimages merge: {told}", file=sys.stderr)
    if found:
        return USAGE
    data = merged([*shards.values()])
    results = Results(data | {"settings": data["settings"] | {"strict": chosen.strict}})
    if deviations is not None:
        results = results.accepting(deviations)
    try:
        _write(results, Path(chosen.output))
    except OSError as problem:
        print(f"cloudimages merge: {chosen.output} cannot be written: {problem.strerror}", file=sys.stderr)
        return SUITE_ERROR
    print(sentence(results))
    return results.exit_status(strict=chosen.strict)


def _write(results: Results, output: Path) -> None:
    """Write the results, and beside them what shows each finding once more, as a run does."""
    from pytest_cloudimages.app.report_files import of_findings, replace_together
    from pytest_cloudimages.reporting.results import as_json

    scripts, kept = of_findings(results, output.parent)
    for path in scripts | kept:
        path.parent.mkdir(exist_ok=True)
    replace_together({output: as_json(results).encode()} | scripts | kept, scripts)
