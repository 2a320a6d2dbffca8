"""The vendor's page told in our own words, each statement with what a run has shown of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.spec.verdicts import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = Path(__file__).with_name("annotated.toml")


def operations() -> list[dict[str, Any]]:
    """Return the operations of the page: parts, and their statements with the requirements that ask for them."""
    return list(tomllib.loads(FILE.read_text(encoding="utf-8"))["operations"])


def annotated(verdicts: Mapping[str, Verdict]) -> list[dict[str, Any]]:
    """Return the operations of the page, each statement with the verdict of this run."""
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


def _judged(statement: Mapping[str, Any], verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    known = {identifier: verdicts[identifier] for identifier in statement["requirements"] if identifier in verdicts}
    return {**statement, "requirements": known, "verdict": _together(known.values())}


def _together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict of those that were asked for; a statement is untested where none was."""
    return worst(verdict for verdict in verdicts if verdict is not Verdict.UNTESTED)
