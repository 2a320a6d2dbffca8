"""CTRF, the Common Test Report Format: one test for each requirement."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_json_text
from pytest_cloudimages.reporting.formats.entries import OPEN, details, headline, reason, shown
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES = {
    str(Verdict.PASS): "passed",
    str(Verdict.NOTED): "passed",
    str(Verdict.FAIL): "failed",
    str(Verdict.ERROR): "failed",
    str(Verdict.UNTESTED): "skipped",
    **dict.fromkeys([str(Verdict.ADVISORY), DEVIATES, str(Verdict.UNSTABLE), str(Verdict.BLOCKED)], "other"),
}


def render(data: Mapping[str, Any]) -> str:
    """Return the results as CTRF."""
    tests = [_test(verdict, entry) for verdict, entry in shown(data)]
    start = int(datetime.fromisoformat(data["started"]).timestamp() * 1000)
    of_status = [test["status"] for test in tests]
    counted = {status: of_status.count(status) for status in ("passed", "failed", "skipped", "pending", "other")}
    report = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": "pytest-cloudimages",
        "timestamp": data["started"],
        "results": {
            "tool": {"name": "cloudimages", "version": data["suite"]["version"]},
            "summary": {
                "tests": len(tests),
                **counted,
                "start": start,
                "stop": start + round(data["seconds"] * 1000),
            },
            "tests": tests,
            "environment": {
                "appName": data["service"]["endpoint"],
                "extra": {"profile": data["settings"]["profile"], "seed": data["seed"], "ended": data["ended"]},
            },
        },
    }
    return as_json_text(json.dumps(report, indent=1)) + "\n"


def _test(verdict: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": headline(entry),
        "status": STATUSES[verdict],
        "duration": round(entry["seconds"] * 1000),
        "rawStatus": verdict,
        "suite": ["cloudimages", entry["group"]],
        "tags": [entry["level"], entry["provenance"], entry["area"]],
        "extra": {"requirement": entry["id"], "source": entry["source"], "identity": entry.get("identity", "")},
    }
    if verdict == str(Verdict.UNSTABLE):
        test["flaky"] = True
    if STATUSES[verdict] != "passed":
        test["message"] = reason(verdict, entry)
    if verdict in OPEN or "identity" in entry:
        test["trace"] = "\n".join(details(verdict, entry))
    return test
