"""Results as a run may leave them, made up without one: every verdict, and every kind of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.events import ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reporting.anomalies import as_data
from pytest_cloudimages.reporting.results import CheckResult, Results, RunFacts
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import Requirement
from pytest_cloudimages.spec.verdicts import Verdict

ENDPOINT = "https://images.example/v2"
VERDICTS = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.ADVISORY,
    Verdict.NOTED,
    Verdict.UNSTABLE,
    Verdict.BLOCKED,
    Verdict.ERROR,
)
LATENCIES = {
    "PUT /images/{image_id}/tags/{tag}": {"count": 2400, "p50": 0.0123, "p95": 0.045, "max": 1.25},
    "GET /images/{image_id}": {"count": 2100, "p50": 0.0082, "p95": 0.021, "max": 0.31},
}


def exchange(number: int, answer: str = '{"tags": ["a", "b"]}') -> dict[str, Any]:
    """Return an exchange as a report has it."""
    target = f"/v2/images/6e0b2c1a-0000-4000-8000-{number:012}/tags/miracle"
    return {
        "method": "PUT" if number % 2 else "GET",
        "target": target,
        "headers": [["Accept", "application/json"], ["X-Auth-Token", "***"]],
        "body": "",
        "status": 200 + 204 * (number % 3 == 0),
        "answer_headers": [["x-openstack-request-id", f"req-{number:012}"]],
        "answer": answer,
        "answer_octets": len(answer),
        "request_id": f"req-{number:012}",
        "stray": "",
        "caller": "tester",
        "purpose": "judging",
        "seconds": 0.0123,
        "note": "",
        "curl": f'curl -isS --path-as-is -X PUT -H "X-Auth-Token: $TOKEN" https://images.example{target}',
    }


def witness() -> dict[str, Any]:
    """Return what shows that an addition was lost, read after the patience of a run."""
    add = Event(Kind.ADD, 0, 3, 0.0, 0.002, 204, "lost")
    read = Event(Kind.READ, 0, 5, 10.0, 10.003, 200, values=())
    return as_data(check(ConcurrentHistory((add, read), {}), TAGS)[0])


def record(identifier: str, verdict: Verdict, cases: int, exchanges: Iterable[dict[str, Any]]) -> CheckResult:
    """Return what a check has shown."""
    finding = verdict.finding
    mismatch = {
        "what": "tags after add 'é'",
        "before": ["a"],
        "expected": ["a", "é"],
        "actual": ["é"],
        "missing": ["a"],
    }
    return CheckResult(
        identifier,
        verdict,
        f"test_{identifier.lower()}",
        cases=cases,
        requests=2 * cases,
        kinds={"upper case": cases, "plus": 1},
        notes=("tags are shown in the order of addition.",) if verdict is Verdict.NOTED else (),
        explanation="" if verdict in (Verdict.PASS, Verdict.NOTED) else "tags: expected a\nin the second round",
        mismatch=mismatch if finding else None,
        exchanges=tuple(exchanges) if verdict > Verdict.UNTESTED else (),
        witnesses=(witness(),) if identifier == "TAG-HIST-02" else (),
        extent="any tag beyond ASCII ('é' lost; 'e' fine)" if finding else "",
        input_class="any tag beyond ASCII" if finding else "",
        symptom="other tags lost" if finding else "",
        rate={"violations": 2, "of": 18, "what": "races lose an addition"} if identifier == "TAG-HIST-02" else None,
    )


def results(
    verdicts: Mapping[str, Verdict], *, cases: int = 3, exchanges: int = 2, answer: str = '{"tags": ["a"]}',
    catalogue: Mapping[str, Requirement] | None = None,
) -> Results:  # fmt: skip
    """Return the results of a run with these verdicts; what is not named was not asked."""
    known = load() if catalogue is None else catalogue
    records = [
        record(identifier, verdict, cases, (exchange(number, answer) for number in range(exchanges)))
        for identifier, verdict in verdicts.items()
    ]
    settings = Settings(seed=7)
    facts = RunFacts(
        ENDPOINT,
        "--endpoint",
        "token from CLOUDIMAGES_TOKEN",
        settings.as_data(),
        replay={identifier: settings.replay((identifier,)) for identifier in known},
        suite="0.1.0",
        software=dict.fromkeys(("python", "pytest", "hypothesis", "requests", "urllib3"), "3.13"),
        chosen=frozenset(known),
        tested={identifier: [f"test_{identifier.lower()}"] for identifier in verdicts},
        started=1_767_225_600.0,
        seconds=42.0,
        created=12,
        requests={"judging": 3000, "preparing": 200, "cleaning": 100, "explaining": 0},
        latencies=LATENCIES,
    )
    return Results.of(facts, known, records)
