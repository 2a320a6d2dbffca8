"""Annotations of GitHub Actions: lines that a step prints, and that GitHub shows beside the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import harmless
from pytest_cloudimages.reporting.formats.entries import headline, reason, worst_first
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 10
"""Annotations of a kind that GitHub shows of a step; what comes after them is dropped without a word."""
COMMANDS = {
    str(Verdict.FAIL): "error",
    str(Verdict.ERROR): "error",
    str(Verdict.ADVISORY): "warning",
    str(Verdict.UNSTABLE): "warning",
    str(Verdict.BLOCKED): "warning",
}


def render(data: Mapping[str, Any]) -> str:
    """Return an annotation for each finding and each requirement that could not be judged, the worst first."""
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for verdict, entry in worst_first(data):
        title = f"{verdict}: {entry['id']}"
        found[COMMANDS[verdict]].append(_annotation(COMMANDS[verdict], title, _message(verdict, entry)))
    printed: list[str] = []
    for command, told in found.items():
        if len(told) > MOST:
            rest = f"{len(told) - MOST + 1} more, which the reports name"
            told[MOST - 1 :] = [_annotation(command, "cloudimages", rest)]
        printed += told
    return "".join(f"{line}\n" for line in printed)


def _message(verdict: str, entry: Mapping[str, Any]) -> str:
    replay = f"\nreplay: {entry['replay']}" if "replay" in entry else ""
    return f"{headline(entry)}\n{reason(verdict, entry)}{replay}"


def _annotation(command: str, title: str, message: str) -> str:
    return f"::{command} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
