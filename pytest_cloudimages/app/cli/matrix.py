"""`cloudimages matrix`: services side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import FINE, SUITE_ERROR, USAGE

if TYPE_CHECKING:
    import argparse

    from pytest_cloudimages.reporting.side_by_side import Column


def matrix(chosen: argparse.Namespace) -> int:
    """Write the matrix to a file, or as Markdown to standard output, and return the exit status."""
    from pytest_cloudimages.reporting.side_by_side import as_html, as_markdown

    output = Path(chosen.output) if chosen.output else None
    if output is not None and output.suffix not in (".html", ".md"):
        print(f"cloudimages matrix: --output: expected a name ending in .html or .md, got {output}", file=sys.stderr)
        return USAGE
    try:
        columns = [_column(word, output) for word in chosen.results]
    except ValueError as problem:
        print(f"cloudimages matrix: {problem}", file=sys.stderr)
        return USAGE
    if output is None:
        print(as_markdown(columns), end="")
        return FINE
    try:
        output.write_text(as_html(columns) if output.suffix == ".html" else as_markdown(columns), encoding="utf-8")
    except OSError as problem:
        print(f"cloudimages matrix: {output} cannot be written: {problem.strerror}", file=sys.stderr)
        return SUITE_ERROR
    return FINE


def _column(word: str, output: Path | None) -> Column:
    """Return the column of a file or folder, which may be named: ``NAME=reports``."""
    from pytest_cloudimages.app.result_files import RESULTS, results_at
    from pytest_cloudimages.client.showing import in_one_line
    from pytest_cloudimages.reporting.side_by_side import Column, page_beside

    name, equals, rest = word.partition("=")
    named = bool(equals) and not Path(word).exists()
    path = Path(rest if named else word)
    data = results_at(path)
    label = name if named else str(data["settings"].get("cloud") or data["service"]["endpoint"])
    return Column(in_one_line(label), data, page_beside(path / RESULTS if path.is_dir() else path, output))
