"""What is judged beside the requirements that a fault breaks, without a request of its own to speak of."""

import contextlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from near import NEAR

from pytest_cloudimages.engine.registry import asked_by
from pytest_cloudimages.engine.settings import PROFILES
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.requirements import selected

from .registry import Fault
from .trial import SUITE, WARM

CHEAP = 60
"""Requests of a workload that is asked beside anything."""
RACES = frozenset(
    {
        "BringsRemovedMembersBack",
        "DecidesOnEndedMemberships",
        "DeletesWhatIsProtectedMeanwhile",
        "ForgetsMembersThatMeet",
        "LooksBeforeItAdds",
        "LosesAttributesThatMeet",
        "LosesConcurrentAdditions",
        "LosesNamesThatMeet",
        "SetsNewTagsBeforeItTakesTheOld",
        "WritesBackTheTagged",
        "WritesPatchesBitByBit",
    }
)
"""The faults outside ``racing`` that show only where two clients meet."""


def beside(fault: Fault) -> list[str] | None:
    """Return the requirements that a run has to ask for, so that what it sends for a fault's own is judged in full.

    These are the fault's own, and all near it that look at nothing but the workloads carried out for them anyway, or at
    cheap ones. Where a fault breaks nothing, is met by a quick run, or names what to select itself, ``None`` is returned:
    its run asks what is near, or what the fault names.
    """
    own = fault.broken | fault.perhaps
    if not own or fault.profile == "quick" or "--select" in fault.words:
        return None
    looked_at, catalogue = _workloads(fault.profile), load()
    carried_out = set().union(*(looked_at.get(identifier, ()) for identifier in own))
    levels = PROFILES[fault.profile].levels
    usual = {each for each in selected(catalogue, NEAR) if catalogue[each].level in levels}
    return sorted(
        identifier
        for identifier, names in looked_at.items()
        if identifier in own or (carried_out.issuperset(names) and identifier in usual)
    )


def rests_on_chance(fault: Fault) -> bool:
    """Return whether a fault shows only where two clients meet, as not every run on a busy machine has them do."""
    return fault.broken != frozenset() and (fault.__module__ == "faults.racing" or fault.__name__ in RACES)


@cache
def _workloads(profile: str) -> dict[str, frozenset[str]]:
    """Return the workloads, by the id of a requirement, that its tests look at and that are not cheap."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "workloads.json")
        collecting = WARM.Process(target=_collect, args=(str(file), profile))
        collecting.start()
        collecting.join()
        return {identifier: frozenset(names) for identifier, names in json.loads(file.read_text("utf-8")).items()}


def _collect(file: str, profile: str) -> None:
    class Collected:
        def pytest_collection_finish(self, session: pytest.Session) -> None:
            found: dict[str, set[str]] = {}
            for item in session.items:
                names = {each.name for each in asked_by([item]) if each.requests[profile] > CHEAP}
                for identifier in ids_of(item):
                    found.setdefault(identifier, set()).update(names)
            Path(file).write_text(json.dumps({key: sorted(names) for key, names in found.items()}), "utf-8")

    # Away from the checkout, whose settings are not the suite's.
    os.chdir(Path(file).parent)
    with Path(os.devnull).open("w", encoding="utf-8") as quiet, contextlib.redirect_stdout(quiet):
        pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "--pyargs", SUITE], plugins=[Collected()])
