"""A first look at what finds most per request, before any check is judged: who waits for a finding hears of it soon.

A check is judged by all that it looks at, and some of that takes hundreds of requests. So the workloads that find most
per request are made first, one after another, and each is shown at once to the checks that look at it and send nothing
themselves. What one of them finds there is told; the verdict is that of the whole check, later and as ever.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.asking_again import parameters_of
from pytest_cloudimages.client.budget import Budget
from pytest_cloudimages.engine import recording, registry
from pytest_cloudimages.engine.exploration import RUN
from pytest_cloudimages.engine.lacking import Lacking
from pytest_cloudimages.spec.marks import ids_of, is_in_passing
from pytest_cloudimages.spec.verdicts import Blocked, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run

    Looker = tuple[pytest.Item, Mapping[str, Workload]]
    """A check, with the workloads that it looks at."""

FIRST = ("plain_tags", "access_attempts", "filtered_lists")
"""The workloads that are made first, in the order in which they find most per request; others wait for their checks."""


@dataclass(frozen=True)
class Seen:
    """When a check was first seen not to be met."""

    requests: int
    """How many the run had sent, for whatever purpose."""
    at: float
    """In seconds of the epoch."""


@dataclass
class FirstLook:
    """What was seen before any check was judged, by the test."""

    tell: Callable[[int, Sequence[str]], None]
    """Tells after how many requests which requirements were seen not to be met."""
    seen: dict[str, Seen] = field(default_factory=dict)

    def take(self, items: Iterable[pytest.Item], workloads: Workloads, run: Run) -> None:
        """Make the workloads that find most, and have those checks look at them that need nothing else."""
        lookers = [(item, _looked_at(item)) for item in items]
        for name in FIRST:
            looking = [(item, declared) for item, declared in lookers if name in declared]
            if looking:
                with suppress(Exception, pytest.skip.Exception):  # whoever rests on it fails by it, later
                    self._look(looking, {name: workloads.get(name)}, run)

    def _look(self, lookers: Iterable[Looker], made: Mapping[str, Any], run: Run) -> None:
        sent, found = sum(run.recorder.counts.values()), list[str]()
        for item, declared in lookers:
            if item.nodeid not in self.seen and _finds(item, declared, made, run):
                self.seen[item.nodeid] = Seen(sent, time.time())
                found += ids_of(item)
        if found:
            self.tell(sent, sorted({*found}))


def _looked_at(item: pytest.Item) -> dict[str, Workload]:
    """Return the workloads that a check looks at by name; none where it takes anything else it could ask with."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None or not ids_of(item) or is_in_passing(item):
        return {}
    found = {name: registry.workload_of(info.name2fixturedefs[name][-1]) for name in _taken(item)}
    return {name: declared for name, declared in found.items() if declared} if all(found.values()) else {}


def _taken(item: pytest.Item) -> set[str]:
    """Return the names of the fixtures that a check takes, but for parameters and the run."""
    names: Iterable[str] = item._fixtureinfo.argnames  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
    return {*names} - {RUN, *parameters_of(item)}


def _finds(item: pytest.Item, declared: Mapping[str, Workload], made: Mapping[str, Any], run: Run) -> bool:
    """Return whether a check is not met by some of what it looks at, with nothing in place of the rest."""
    given = {name: made[name] if name in made else _nothing(each) for name, each in declared.items()}
    given |= {RUN: run} if RUN in item._fixtureinfo.argnames else {}  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
    way, before = run.client.transport.way, recording.current_check()
    budget, way.budget = way.budget, Budget(requests=0)
    recording.collect(recording.CheckRecord())
    try:
        item.obj(**parameters_of(item), **given)  # type: ignore[attr-defined]  # a function, since it has fixtures
    except (Exception, pytest.skip.Exception) as problem:  # noqa: BLE001 - what cannot be told yet is told later
        return any(isinstance(leaf, AssertionError) for leaf in leaves(problem))
    finally:
        way.budget = budget
        recording.collect(before)
    return False


def _nothing(declared: Workload) -> Any:
    if declared.empty is not None:
        return declared.empty()
    return Lacking(declared.name, Blocked("It is made later."))
