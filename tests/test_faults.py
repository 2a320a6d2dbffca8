"""The suite finds what is broken in every faulty service, and nothing else."""

import os
import sys
from pathlib import Path

import pytest

from pytest_cloudimages.app.cli import requirements
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import Level, selected
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.beside import RACES, beside, rests_on_chance
from faults.registry import unasked
from faults.score import OURS, Measured
from faults.trial import SEED, judged

RUNS_OF_A_RACE = 4
"""How often a race is run at most until it is found: a busy machine may keep two clients from ever meeting."""
TESTED = requirements.tested_ids()
EACH = bool(os.environ.get("EVERY_FAULT"))
"""Whether each fault is judged; ``tox run -e every-fault``. All that follows takes more minutes than a change can wait."""


def judged_here() -> list[str]:
    """Return what is judged: every tenth lawful variant, one in 48 of the faults of tags, one in 80 of the others."""
    if EACH:
        return [*FAULTS]
    of_tags = selected(load(), ["TAG"])
    lawful = [name for name, fault in FAULTS.items() if not fault.broken]
    tags = [name for name, fault in FAULTS.items() if not fault.broken.isdisjoint(of_tags)]
    others = [name for name in FAULTS if name not in {*lawful, *tags}]
    judged_too = {*lawful[::10], *tags[::48], *others[::80]}
    return [name for name in FAULTS if name in judged_too]


@pytest.mark.parametrize("name", judged_here())
def test_the_suite_finds_what_is_broken_and_nothing_else(name: str, tmp_path: Path) -> None:
    """A run finds a fault's requirements broken, these and no others, and no error is ours.

    It asks for what looks at the same workloads; `tox run -e faults` asks for all that is near, and where each fault is
    judged, what is lawful is asked for everything.
    """
    fault = FAULTS[name]
    select = () if EACH and not fault.broken else beside(fault)
    found: frozenset[str] = frozenset()

    for seed in range(SEED, SEED + (RUNS_OF_A_RACE if rests_on_chance(fault) else 1)):
        (reports := tmp_path / str(seed)).mkdir()
        outcome = judged(fault, reports, profile=fault.profile, seed=seed, select=select)
        found |= outcome.found
        missed = outcome.asked & fault.broken - found
        assert not (quarrel := outcome.quarrel(fault.broken & outcome.found, fault.perhaps)), (
            f"{fault.__doc__}\n{quarrel}"
        )
        if getattr(fault, "leaves_nothing", False):
            assert "LEFT BEHIND" not in outcome.output
        if getattr(fault, "never_blocked", False):
            assert outcome.which("blocked") == frozenset()
        if not missed:
            break

    assert not missed, f"{fault.__doc__}\n{[f'{each}: {outcome.verdicts[each]}' for each in sorted(missed)]}"


def test_only_races_rest_on_chance() -> None:
    """What is found in a later run only, where it is no race, is missed."""
    assert sorted(RACES - FAULTS.keys()) == []
    assert rests_on_chance(FAULTS["RenamesWithTheTagsOfBefore"])
    assert not rests_on_chance(FAULTS["FoldsCase"])
    assert not rests_on_chance(FAULTS["Honest"])


@pytest.mark.parametrize("level", [*Level])
def test_every_requirement_is_seen_to_fail(level: Level) -> None:
    """Every requirement that is tested and can be a finding was found broken in some fault: measured, not declared."""
    found = {each for row in Measured.load(OURS).faults.values() for each in row["found"]}
    findings = (Verdict.FAIL, Verdict.ADVISORY)

    tested = {each.id for each in load().values() if each.level is level and each.id in TESTED}
    finds = {each for each in tested if load()[each].missed in findings}

    assert sorted(finds - found) == []
    assert finds == tested or level is Level.MAY


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_requirements_that_the_suite_asks_for(name: str) -> None:
    """Every id that a fault names is tested, asked for by the fault's profile, and says more than MAY."""
    fault, catalogue = FAULTS[name], load()

    named = fault.broken | fault.perhaps

    assert sorted(named - TESTED) == []
    assert unasked(fault) == [], f"profile {fault.profile} never asks for them"
    assert [each_name for each_name in sorted(named) if catalogue[each_name].level is Level.MAY] == []
    assert fault.broken.isdisjoint(fault.perhaps)


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_nothing_is_found_in_the_honest_app(profile: str, tmp_path: Path) -> None:
    """The honest app has no finding in any area, and nothing about it could not be asked."""
    outcome = judged(FAULTS["Honest"], tmp_path, profile=profile, seed=2, select=())

    assert outcome.which("fail", "advisory", "unstable", "blocked", "error") == frozenset()
