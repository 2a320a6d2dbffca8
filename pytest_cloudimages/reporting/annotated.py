"""The vendor's page told in our own words, each statement with what a run has shown of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = Path(__file__).with_name("annotated.toml")


def operations() -> list[dict[str, Any]]:
    """Return the operations of the page: parts, and their statements with the requirements that ask for them."""
    return list(tomllib.loads(FILE.read_text(encoding="utf-8"))["operations"])


def annotated(verdicts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the operations of the page, each statement with the verdict of this run as readers see it."""
    return [
        operation
        | {
            "parts": [
                part | {"statements": [_judged(statement, verdicts) for statement in part["statements"]]}
                for part in operation["parts"]
            ]
        }
        for operation in operations()
    ]


def _judged(statement: Mapping[str, Any], verdicts: Mapping[str, str]) -> dict[str, Any]:
    known = {identifier: verdicts[identifier] for identifier in statement["requirements"] if identifier in verdicts}
    return {**statement, "requirements": known, "verdict": _together([*known.values()])}


def _together(verdicts: Sequence[str]) -> str:
    """Return the worst verdict of those that were asked for; a statement is untested where none was.

    What is accepted is told where nothing worse was seen.
    """
    found = worst(Verdict[name.upper()] for name in verdicts if name not in (DEVIATES, str(Verdict.UNTESTED)))
    return DEVIATES if DEVIATES in verdicts and found <= Verdict.NOTED else str(found)
