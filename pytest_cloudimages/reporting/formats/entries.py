"""What every form says of a requirement, and in which words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting import terminal
from pytest_cloudimages.reporting.results import DEVIATES, shown_verdict
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPEN = frozenset(map(str, (Verdict.BLOCKED, Verdict.UNSTABLE, Verdict.ERROR)))
"""Verdicts of what could not be judged."""
WHOLE = ("before", "expected", "actual")
"""What was compared, as a whole."""
_WORST_FIRST = (Verdict.FAIL, Verdict.ADVISORY, Verdict.ERROR, Verdict.UNSTABLE, Verdict.BLOCKED)


def shown(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every requirement with its verdict as readers see it, in the order of the catalogue."""
    return [(shown_verdict(entry), entry) for entry in data["requirements"]]


def worst_first(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return what a reader has to look at: what is not met and not accepted, then what could not be judged."""
    order = {str(verdict): place for place, verdict in enumerate(_WORST_FIRST)}
    found = [(verdict, entry) for verdict, entry in shown(data) if verdict in order]
    return sorted(found, key=lambda pair: order[pair[0]])


def headline(entry: Mapping[str, Any]) -> str:
    """Return a requirement in one line: its id and its statement."""
    return f"{entry['id']} {entry['statement']}"


def reason(verdict: str, entry: Mapping[str, Any]) -> str:
    """Return why a requirement has its verdict, in one line: what was compared, or what the check says."""
    if verdict == DEVIATES:
        return terminal.accepted(entry)
    differences = dict(terminal.differences(entry))
    if {"missing", "unexpected"} & {*differences}:
        # They say it in fewer words.
        differences = {label: text for label, text in differences.items() if label not in WHOLE}
    told = [f"{label}: {text}" for label, text in differences.items()]
    told = told or [" ".join(str(entry["explanation"]).split())]
    told += [f"class: {entry['class']}"] if "class" in entry else []
    return "; ".join(filter(None, told)) or str(entry["statement"])


def details(verdict: str, entry: Mapping[str, Any]) -> list[str]:
    """Return all that a reader of a log needs to know of a requirement, as lines that no CI takes for a command."""
    if verdict == DEVIATES:
        return [terminal.accepted(entry)]
    if "exchanges" in entry and "replay" in entry and verdict != str(Verdict.NOTED):
        return terminal.finding(entry)
    texts = [*entry["notes"], *str(entry["explanation"]).splitlines()]
    return [in_one_line(str(text)) for text in texts]


def fingerprint(data: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Return what makes a finding the same alert in another run: a digest of its identity and of the service."""
    service = data["settings"].get("cloud") or data["service"]["endpoint"]
    return hashlib.sha256(f"{service}\n{entry.get('identity') or entry['id']}".encode()).hexdigest()


def counts(verdicts: Iterable[str]) -> dict[str, int]:
    """Return how many requirements have each verdict, in the order of verdicts; those that none has are left out."""
    every = [*verdicts]
    return {word: number for word in (*map(str, Verdict), DEVIATES) if (number := every.count(word))}
