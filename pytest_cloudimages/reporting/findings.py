"""What makes a finding the same one in another run, which findings have one cause, and what kept others from being."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.identifiers import UUID
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from pytest_cloudimages.reporting.results import CheckResult

OF_AN_IMAGE = re.compile(f"{UUID}|req-[0-9a-f-]+")
"""Ids, which differ where the cause is the same."""
UNNAMED = ("any tag", "any two tags")
"""Classes that say nothing of the cause: services go wrong with every tag in more than one way."""


def identified(entry: Mapping[str, Any], record: CheckResult | None) -> dict[str, str]:
    """Return what makes a finding the same one in another run, with another seed, on another machine.

    That is the requirement, the class of input as far as it was found out, and the symptom; nothing of it holds a tag
    that was drawn, an id or a time.
    """
    input_class = record.input_class if record else ""
    symptom = symptom_of(record) if record else ""
    identity = " | ".join([entry["id"], input_class or "any input", symptom or "not as required"])
    return {"identity": identity, "input_class": input_class, "symptom": symptom}


def symptom_of(record: CheckResult) -> str:
    """Return in which way a finding departs, as far as it can be told without what was drawn."""
    if record.rate:
        return str(record.rate["what"])
    return record.symptom or (_of_difference(record.mismatch) if record.mismatch else "")


def _of_difference(mismatch: Mapping[str, Any]) -> str:
    if differences := [name for name in ("missing", "unexpected") if name in mismatch]:
        return " and ".join(differences)
    actual = mismatch["actual"]
    if actual is None:
        return "nothing came"
    if isinstance(actual, int) and 100 <= actual < 600 and "status" in mismatch["what"]:  # noqa: PLR2004 - codes of HTTP
        return f"answered {actual // 100}xx"
    return "another value"


def causes(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings by cause, the worst first: what shares a class of input, or the words of a check, is one."""
    groups: dict[Hashable, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if "identity" in entry:
            groups.setdefault(_cause_of(entry), []).append(entry)
    found = [_as_cause(group) for group in groups.values()]
    return sorted(found, key=lambda cause: (cause["verdict"] != str(Verdict.FAIL), -len(cause["requirements"])))


def _cause_of(entry: Mapping[str, Any]) -> Hashable:
    if entry["input_class"]:
        named = entry["input_class"] not in UNNAMED
        return entry["input_class"], "" if named else entry["symptom"]
    if witnesses := entry.get("witnesses"):
        return "race", witnesses[0]["category"]
    return "check", entry["explanation"] or entry["id"]


def _as_cause(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    verdicts = {entry["verdict"] for entry in group}
    return {
        "class": group[0]["input_class"],
        "symptoms": [*dict.fromkeys(entry["symptom"] for entry in group if entry["symptom"])],
        "verdict": str(Verdict.FAIL if str(Verdict.FAIL) in verdicts else Verdict.ADVISORY),
        "requirements": [entry["id"] for entry in group],
    }


def obstacles(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what kept requirements from being judged, what is in the way of most of them first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry["verdict"] == str(Verdict.BLOCKED):
            groups.setdefault(OF_AN_IMAGE.sub("*", entry["explanation"]), []).append(entry)
    found = [
        {"explanation": group[0]["explanation"], "requirements": [entry["id"] for entry in group]}
        for group in groups.values()
    ]
    return sorted(found, key=lambda obstacle: -len(obstacle["requirements"]))
