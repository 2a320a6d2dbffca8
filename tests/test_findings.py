"""What a finding is known by in other runs, and which findings have one cause."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.engine.recording import Rate
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import findings
from pytest_cloudimages.reporting.results import CheckResult
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS


def record(**rest: Any) -> CheckResult:
    """Make what a check has shown."""
    return CheckResult("A-01", Verdict.FAIL, "t", **rest)


@pytest.mark.parametrize(
    ("shown", "symptom"),
    [
        ({"symptom": "altered or lost"}, "altered or lost"),
        ({"rate": {"violations": 3, "of": 40, "what": "acknowledged additions lost"}}, "acknowledged additions lost"),
        ({"mismatch": {"what": "tags", "actual": ["drawn"], "missing": ["q7"]}}, "missing"),
        ({"mismatch": {"what": "tags", "actual": [], "missing": ["q7"], "unexpected": [1]}}, "missing and unexpected"),
        ({"mismatch": {"what": "status of PUT /v2/q7", "actual": 503}}, "answered 5xx"),
        ({"mismatch": {"what": "number of tags", "actual": 404}}, "another value"),
        ({"mismatch": {"what": "the header Date", "actual": None}}, "nothing came"),
        ({"explanation": "tag 'q7' is gone"}, ""),
    ],
)
def test_a_symptom_holds_nothing_that_was_drawn(shown: dict[str, Any], symptom: str) -> None:
    """Neither a tag nor an id: only the way in which it departs."""
    assert findings.symptom_of(record(**shown)) == symptom


def test_an_identity_is_made_of_requirement_class_and_symptom() -> None:
    """What is not known is said in words that never change."""
    entry = {"id": "A-01"}
    known = findings.identified(entry, record(input_class="any tag with a NUL", symptom="refused"))

    assert known["identity"] == "A-01 | any tag with a NUL | refused"
    assert findings.identified(entry, record())["identity"] == "A-01 | any input | not as required"


def finding(identifier: str, input_class: str = "", symptom: str = "", verdict: str = "fail", **rest: Any) -> Any:
    """Make the entry of a finding."""
    rest = {"explanation": identifier, **rest}
    return {
        "id": identifier, "verdict": verdict, "identity": "x", "input_class": input_class, "symptom": symptom, **rest,
    }  # fmt: skip


def test_findings_of_one_cause_are_one() -> None:
    """They share a class of input, whatever the symptom; or the kind of a race; or the words of a check."""
    entries = [
        finding("A-01", "any tag with a NUL", "refused", "advisory"),
        {"id": "A-02", "verdict": "pass"},
        finding("A-03", "any tag with a NUL", "altered or lost"),
        finding("A-04", "any tag", "refused"),
        finding("A-05", "any tag", "listed twice"),
        finding("A-06", witnesses=[{"category": "lost addition"}]),
        finding("A-07", witnesses=[{"category": "lost addition"}]),
        finding("A-08", explanation="no Date", verdict="advisory"),
        finding("A-09", explanation="no Date", verdict="advisory"),
    ]

    assert [(cause["requirements"], cause["verdict"]) for cause in findings.causes(entries)] == [
        (["A-01", "A-03"], "fail"),
        (["A-06", "A-07"], "fail"),
        (["A-04"], "fail"),
        (["A-05"], "fail"),
        (["A-08", "A-09"], "advisory"),
    ]
    assert findings.causes(entries)[0]["symptoms"] == ["refused", "altered or lost"]


def test_what_one_thing_is_in_the_way_of_is_one() -> None:
    """Whatever ids the requests had; the most first, and nothing that was judged."""
    image, other = "94425870-f043-4d1d-8e96-6c331bd57776", "1a4d088c-f6d4-408f-aa8b-d0e214edab5d"
    entries = [
        {"id": "A-01", "verdict": "blocked", "explanation": "No image."},
        {"id": "A-02", "verdict": "blocked", "explanation": f"Expected success, got PUT {image} → 500"},
        {"id": "A-03", "verdict": "pass", "explanation": "No image."},
        {"id": "A-04", "verdict": "blocked", "explanation": f"Expected success, got PUT {other} → 500"},
    ]

    assert [obstacle["requirements"] for obstacle in findings.obstacles(entries)] == [["A-02", "A-04"], ["A-01"]]


def test_a_finding_is_the_same_with_another_seed(workshop: Any) -> None:
    """Other tags are drawn, and what it is known by stays; the run names one cause."""
    seen = []
    for seed in ("1", "20261126"):
        with serving(FAULTS["ReadsPlusAsSpace"]()) as server:
            workshop.named(server)
            words = ("--profile", "standard", "--seed", seed, "--select", "TAG-URI-07", "--select", "TAG-URI-08")
            outcome = workshop.command("run", *words)
        identities = [entry["identity"] for entry in outcome.results["requirements"] if "identity" in entry]
        assert identities, outcome.out
        assert len(outcome.results["causes"]) == 1
        seen.append(identities)

    assert seen[0] == seen[1]


def test_a_rate_of_none_says_what_would_have_shown() -> None:
    """Of 240 trials without a loss, one that happens in 1.3 % of cases would have been missed by less than one run in twenty."""
    assert "1.3 % of cases or more would have shown" in str(Rate(0, 240, "additions lost"))
    assert str(Rate(3, 240, "additions lost")) == "3 of 240 additions lost"
    assert Rate(0, 0, "additions lost").power == ""
