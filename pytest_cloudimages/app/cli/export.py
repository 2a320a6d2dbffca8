"""`cloudimages export`: write the results of a run in the form of another program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import FINE, SUITE_ERROR, USAGE
from pytest_cloudimages.reporting.formats import FORMATS, STANDARD_OUTPUT, rendered

if TYPE_CHECKING:
    import argparse


def forms() -> str:
    """Return what the help of the command says of the forms."""
    return "\n".join(["forms:", *(f"  {name:<12} {form.help}" for name, form in FORMATS.items()), ""])


def export(chosen: argparse.Namespace) -> int:
    """Write the results in a form to a file or to standard output, and return the exit status."""
    from pytest_cloudimages.app.result_files import results_at

    try:
        made = rendered(chosen.format, results_at(Path(chosen.results)), chosen.location or "")
    except ValueError as problem:
        print(f"cloudimages export: {problem}", file=sys.stderr)
        return USAGE
    if chosen.output in (None, STANDARD_OUTPUT):
        print_octets(made)
        return FINE
    try:
        Path(chosen.output).write_bytes(made)
    except OSError as problem:
        print(f"cloudimages export: {chosen.output} cannot be written: {problem.strerror}", file=sys.stderr)
        return SUITE_ERROR
    return FINE


def print_octets(octets: bytes) -> None:
    """Write octets to standard output, behind what was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()
