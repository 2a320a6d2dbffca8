"""SARIF 2.1.0: whole, for any reader, and as GitHub code scanning takes it.

GitHub ignores suppressions and opens an alert for each result, so its file leaves out what is accepted and what is met.
It identifies an alert by ``primaryLocationLineHash`` alone, and wants a place in a file of the user's repository: a run
has none, so findings point at the file in which departures are accepted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_json_text
from pytest_cloudimages.reporting.formats.entries import OPEN, details, fingerprint, headline, reason, shown
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LONGEST = 1024
"""Characters of a description that GitHub takes."""
LEVELS = {str(Verdict.FAIL): "error", str(Verdict.ADVISORY): "warning"}
KINDS = {
    str(Verdict.PASS): "pass",
    str(Verdict.NOTED): "informational",
    str(Verdict.UNTESTED): "notApplicable",
    **dict.fromkeys(OPEN, "open"),
}
"""The kinds of results that are no findings."""
BASELINE = {"new": "new", "appeared": "new", "still": "unchanged", "deviating": "unchanged", "vanished": "absent"}
"""Baseline states, by what became of a finding; one that is fixed has no result but a pass."""


def render(data: Mapping[str, Any], location: str) -> str:
    """Return the results of every requirement; what is accepted is suppressed, with its reason."""
    states = {change["id"]: change["kind"] for change in data.get("baseline", {}).get("changes", ())}
    results = []
    for verdict, entry in shown(data):
        result = _result(data, verdict, entry, location)
        if verdict == DEVIATES:
            why = entry["deviates"]
            told = f"{why['reason']} ({why['owner']}, until {why['expires']})"
            result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": told}]
        if "baseline" in data and entry["id"] in states and states[entry["id"]] in BASELINE:
            result["baselineState"] = BASELINE[states[entry["id"]]]
        elif "baseline" in data:
            result["baselineState"] = "unchanged"
        results.append(result)
    return _log(data, results)


def for_github(data: Mapping[str, Any], location: str) -> str:
    """Return the findings that nobody has accepted, as GitHub's code scanning takes them."""
    return _log(data, [_result(data, verdict, entry, location) for verdict, entry in shown(data) if verdict in LEVELS])


def _result(data: Mapping[str, Any], verdict: str, entry: Mapping[str, Any], location: str) -> dict[str, Any]:
    found = LEVELS.get(verdict if verdict != DEVIATES else str(entry["verdict"]))
    text = f"{entry['statement']} {reason(verdict, entry)}" if found or verdict in OPEN else reason(verdict, entry)
    return {
        "ruleId": entry["id"],
        "kind": "fail" if found else KINDS[verdict],
        "level": found or "none",
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": location},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(data, entry)},
        "properties": {"verdict": verdict, "identity": entry.get("identity", "")}
        | ({"details": "\n".join(details(verdict, entry))} if found else {}),
    }


def _log(data: Mapping[str, Any], results: list[dict[str, Any]]) -> str:
    wanted = {result["ruleId"] for result in results}
    rules = [_rule(entry) for _, entry in shown(data) if entry["id"] in wanted]
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    unjudged = [(verdict, entry) for verdict, entry in shown(data) if verdict in OPEN]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cloudimages",
                        "semanticVersion": data["suite"]["version"],
                        "rules": rules,
                    }
                },
                "automationDetails": {"id": "cloudimages/"},
                "invocations": [
                    {
                        "executionSuccessful": data["ended"] == "whole" and not unjudged and not data["problem"],
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": {"text": f"{verdict}: {headline(entry)}: {reason(verdict, entry)}"},
                                "associatedRule": {"id": entry["id"]},
                            }
                            for verdict, entry in unjudged
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [{**result, "ruleIndex": places[result["ruleId"]]} for result in results],
            }
        ],
    }
    return as_json_text(json.dumps(log, indent=1)) + "\n"


def _rule(entry: Mapping[str, Any]) -> dict[str, Any]:
    statement = entry["statement"][:LONGEST]
    told = f"{entry['statement']}\n\nRequired by: {entry['source']} ({entry['level']}, {entry['provenance']})."
    must = entry["level"] == "MUST"
    rule = {
        "id": entry["id"],
        "name": entry["id"].replace("-", ""),
        "shortDescription": {"text": statement},
        "fullDescription": {"text": told[:LONGEST]},
        "help": {"text": f"{told}\n\nOperation: {entry['operation']}."},
        "defaultConfiguration": {"level": "error" if must else "warning"},
        "properties": {
            "tags": [entry["area"], entry["level"], entry["provenance"]],
            "precision": "very-high",
            "problem.severity": "error" if must else "warning",
        },
    }
    return rule | ({"helpUri": entry["url"]} if str(entry["url"]).startswith("https://") else {})
