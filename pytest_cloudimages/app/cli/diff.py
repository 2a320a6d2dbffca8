"""`cloudimages diff`: compare two runs, finding by finding."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import FINE, FOUND, NOT_JUDGED, SUITE_ERROR, USAGE

if TYPE_CHECKING:
    import argparse

    from pytest_cloudimages.reporting.comparison import Comparison


def diff(chosen: argparse.Namespace) -> int:
    """Say what became of every finding, and return the exit status."""
    from pytest_cloudimages.app.result_files import results_at
    from pytest_cloudimages.reporting import compared
    from pytest_cloudimages.reporting.comparison import compare

    try:
        comparison = compare(results_at(Path(chosen.old)), results_at(Path(chosen.new)))
    except ValueError as problem:
        print(f"cloudimages diff: {problem}", file=sys.stderr)
        return USAGE
    status = _status(comparison, strict=chosen.strict)
    verdict = compared.verdict(comparison, status, strict=chosen.strict)
    if chosen.json:
        print(json.dumps({**comparison.as_data(), "exit_status": status, "verdict": verdict}, indent=1))
    elif chosen.markdown:
        print("\n".join(compared.markdown(comparison, verdict)))
    else:
        print("\n".join([*compared.lines(comparison), "", verdict]))
    return status


def _status(comparison: Comparison, *, strict: bool) -> int:
    if comparison.against(strict=strict) or comparison.trouble:
        return FOUND
    if comparison.errors:
        return SUITE_ERROR
    return NOT_JUDGED if comparison.unjudged or comparison.cut_short else FINE
