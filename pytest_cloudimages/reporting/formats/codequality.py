"""GitLab Code Quality: the findings that nobody has accepted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_json_text
from pytest_cloudimages.reporting.formats.entries import fingerprint, headline, reason, shown
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

SEVERITIES = {str(Verdict.FAIL): "critical", str(Verdict.ADVISORY): "minor"}


def render(data: Mapping[str, Any], location: str) -> str:
    """Return the findings as GitLab's widget takes them."""
    entries = [
        {
            "description": f"{headline(entry)} {reason(verdict, entry)}",
            "check_name": entry["id"],
            "fingerprint": fingerprint(data, entry),
            "severity": SEVERITIES[verdict],
            "location": {"path": location, "lines": {"begin": 1}},
        }
        for verdict, entry in shown(data)
        if verdict in SEVERITIES
    ]
    return as_json_text(json.dumps(entries, indent=1)) + "\n"
