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
from faults.beside import beside
from faults.registry import unasked
from faults.score import OURS, Measured
from faults.trial import judged

TESTED = requirements.tested_ids()
EACH = bool(os.environ.get("EVERY_FAULT"))
"""Whether each fault is judged; ``tox run -e every-fault``. All that follows takes more minutes than a change can wait."""


def judged_here() -> list[str]:
    """Return the faults that are judged: each lawful one, half of those of tags, and one in four of the others."""
    of_tags = selected(load(), ["TAG"])
    broken = [name for name, fault in FAULTS.items() if fault.broken]
    tags = [name for name in broken if not FAULTS[name].broken.isdisjoint(of_tags)]
    others = [name for name in broken if name not in tags]
    left_out = set() if EACH else {*tags[1::2], *others} - {*others[::4]}
    return [name for name in FAULTS if name not in left_out]


@pytest.mark.parametrize("name", judged_here())
def test_the_suite_finds_what_is_broken_and_nothing_else(name: str, tmp_path: Path) -> None:
    """A run finds a fault's requirements broken, these and no others, and no error is ours.

    It asks for what looks at the same workloads; `tox run -e faults` asks for all that is near, and where each fault is
    judged, what is lawful is asked for everything.
    """
    fault = FAULTS[name]

    outcome = judged(fault, tmp_path, profile=fault.profile, select=() if EACH and not fault.broken else beside(fault))

    assert not (quarrel := outcome.quarrel(fault.broken, fault.perhaps)), f"{fault.__doc__}\n{quarrel}"


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
