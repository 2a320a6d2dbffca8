"""The first look: findings are told before the checks are judged that they are of, and no other is."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import Outcome, judged

from pytest_cloudimages import areas
from pytest_cloudimages.app.order import place_of, places, workloads_before
from pytest_cloudimages.engine import registry
from pytest_cloudimages.spec.catalogue import load

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


def test_all_that_has_a_place_in_the_order_is_known() -> None:
    """A name that is neither a workload nor a requirement would be passed over; a workload that has none comes late."""
    areas.load()
    declared, catalogue = {each.name for each in registry.workloads()}, load()

    assert {*places()} <= declared | catalogue.keys()
    assert declared <= {*places()}


def test_a_check_is_judged_after_all_that_it_looks_at() -> None:
    """One that looks at much beside what it is about would keep from their turn those that find more."""
    areas.load()
    first, *_, last = [name for name in places() if name.islower()]
    item = _looking_at(last)

    assert place_of(item, ["TAG-ADD-16"]) == places()[last]
    assert workloads_before(place_of(item, ["TAG-ADD-16"]))[0] == first


def test_what_a_check_has_begun_and_does_not_look_at_keeps_it_from_no_turn() -> None:
    """A long life is looked at long after it began: the check that has it begin keeps its own place."""
    areas.load()
    begins = _looking_at("long_life", pytest.mark.usefixtures("long_life").mark)

    assert place_of(begins, ["TAG-URI-06"]) == places()["TAG-URI-06"] < places()["long_life"]
    assert place_of(_looking_at("long_life"), ["TAG-URI-06"]) == places()["long_life"]


def _looking_at(name: str, *marks: pytest.Mark) -> Any:
    looks = SimpleNamespace(name2fixturedefs={name: [SimpleNamespace(func=_made(name))]})
    return SimpleNamespace(
        _fixtureinfo=looks, iter_markers=lambda named: [each for each in marks if each.name == named]
    )


def _made(name: str) -> Any:
    return SimpleNamespace(workload=next(each for each in registry.workloads() if each.name == name))


def test_a_workload_is_looked_at_while_it_is_made(tmp_path: Path) -> None:
    """What the first requests of a workload show is known long before it is over."""
    outcome = judged(FAULTS["ChallengesWithNothing"], tmp_path, select=["TAG-AUTH-03"])

    assert outcome.known["TAG-AUTH-03"]["requests"] < outcome.sent - 20


@pytest.mark.parametrize(
    ("fault", "requirement"), [("AllowsTags64Long", "TAG-ADD-10"), ("CallsOtherStatuses422", "MEM-UPD-10")]
)
def test_what_needs_more_than_a_workload_is_told_too(tmp_path: Path, fault: str, requirement: str) -> None:
    """A check that asks for a control where it finds anything, or takes the specification, has its first look."""
    outcome = judged(FAULTS[fault], tmp_path, profile="standard", select=[requirement])

    assert any(TOLD in line and requirement in line for line in outcome.output.splitlines())
    assert requirement in outcome.found
