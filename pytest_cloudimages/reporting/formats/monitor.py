"""One line for each requirement and for each test of Tempest that asks the same: ID, and PASS, FAIL or ABORT.

This is what the compliance checker of the Sovereign Cloud Stack reads from a script. It counts ABORT as failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.formats.entries import OPEN, shown
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEMPEST = {
    "id-10407036-6059-4f95-a2cd-cbbbee7ed329": ("TAG-ADD-01", "TAG-ADD-03", "TAG-DEL-01", "TAG-DEL-03"),
    "id-8cd30f82-6f9a-4c6e-8034-c1b51fba43d9": ("TAG-ADD-15", "TAG-ADD-16"),
    "id-39c023a2-325a-433a-9eea-649bf1414b19": ("TAG-DEL-06",),
}
"""Tempest's idempotent ids of its tests of image tags, and the requirements that ask what they ask.

Tempest knows no advice: what is advisory to the specification fails its test.
"""
ABORT = "ABORT"


def render(data: Mapping[str, Any]) -> str:
    """Return the lines, for all that was asked for."""
    verdicts = {entry["id"]: verdict for verdict, entry in shown(data)}
    found = {identifier: _word([verdict]) for identifier, verdict in verdicts.items()}
    found |= {
        test: _word(_without_advice(verdicts.get(identifier, str(Verdict.UNTESTED))) for identifier in ids)
        for test, ids in TEMPEST.items()
    }
    return "".join(f"{name}: {word}\n" for name, word in found.items() if word)


def _word(verdicts: Iterable[str]) -> str:
    """Return what is said of requirements together; nothing where one of them was not asked."""
    every = {*verdicts}
    if str(Verdict.FAIL) in every:
        return "FAIL"
    if every & OPEN:
        return ABORT
    return "" if str(Verdict.UNTESTED) in every else "PASS"


def _without_advice(verdict: str) -> str:
    return str(Verdict.FAIL) if verdict == str(Verdict.ADVISORY) else verdict
