"""The first look: findings are told before the checks are judged that they are of, and no other is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import Outcome, judged

from pytest_cloudimages import areas
from pytest_cloudimages.app.first_look import FIRST
from pytest_cloudimages.engine import registry

TOLD = "not judged yet"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what a quick run has shown of a service that lists a tag once too often."""
    return judged(FAULTS["ListsTheThirdAdditionToo"], tmp_path_factory.mktemp("reports"))


def test_a_finding_is_known_when_it_is_first_seen(outcome: Outcome) -> None:
    """What the first workloads show counts as known then, though it is judged later."""
    told = next(line for line in outcome.output.splitlines() if TOLD in line)
    known = {identifier: when["requests"] for identifier, when in outcome.known.items() if identifier in told}

    assert known
    assert {*known} <= outcome.found
    assert all(f"after {requests} requests" in told for requests in known.values())
    assert max(known.values()) < outcome.sent / 2


def test_nothing_is_told_of_an_honest_service(tmp_path: Path) -> None:
    """A first look at the rest, which is not there yet, accuses nobody."""
    outcome = judged(FAULTS["Honest"], tmp_path)

    assert TOLD not in outcome.output


def test_what_is_made_first_is_a_workload() -> None:
    """A name that is none would be passed over."""
    areas.load()

    assert {*FIRST} <= {declared.name for declared in registry.workloads()}
