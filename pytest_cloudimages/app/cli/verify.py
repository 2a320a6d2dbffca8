"""`cloudimages verify`: whether results are complete, consistent, unchanged, and signed by whom they should be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import FINE, FOUND, USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from pytest_cloudimages.spec.requirements import Requirement

MOST = 20
"""Problems that are told, at most."""


def verify(chosen: argparse.Namespace) -> int:
    """Say what is wrong with results, and return the exit status."""
    from pytest_cloudimages.app.result_files import RESULTS
    from pytest_cloudimages.reporting.closing import count
    from pytest_cloudimages.spec.catalogue import load

    path = Path(chosen.results)
    file = path / RESULTS if path.is_dir() else path
    try:
        catalogue = load(*chosen.catalogue or ())
        readable(file)
        readable(Path(chosen.key or file))
    except ValueError as problem:
        print(f"cloudimages verify: {problem}", file=sys.stderr)
        return USAGE
    found = [*_problems(file, catalogue)]
    signed = _signed(file, chosen.key, found)
    for told in found[:MOST]:
        print(f"{file}: {told}")
    if len(found) > MOST:
        print(f"{file}: and {len(found) - MOST} more")
    if found:
        print(f"FAIL: {count(len(found), 'problem')}; exit {FOUND}")
        return FOUND
    print(f"PASS: complete, consistent and unchanged; {signed}; exit {FINE}")
    return FINE


def readable(file: Path) -> None:
    """Raise ``ValueError`` with one line that names a file where it cannot be read."""
    try:
        file.open("rb").close()
    except OSError as problem:
        raise ValueError(f"{file}: cannot be read: {problem.strerror}") from None


def _problems(file: Path, catalogue: Mapping[str, Requirement]) -> Iterator[str]:
    from pytest_cloudimages.app.result_files import results_at
    from pytest_cloudimages.reporting.verification import problems

    try:
        yield from problems(results_at(file), catalogue)
    except ValueError as problem:
        yield str(problem).removeprefix(f"{file}: ")


def _signed(file: Path, key: str | None, found: list[str]) -> str:
    """Return who signed the results, as far as that is known, and add what is wrong with it to what was found."""
    from pytest_cloudimages.app.signatures import SignatureError, check, signature_of

    if not key:
        unchecked = "signed, by whom was not checked: name the public key with --key"
        return unchecked if signature_of(file).exists() else "not signed"
    try:
        return check(file, Path(key))
    except SignatureError as problem:
        found.append(str(problem))
        return ""
