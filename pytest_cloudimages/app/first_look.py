"""A first look at what workloads show while they are made: who waits for a finding hears of it soon.

A check is judged by all that it looks at, and some of that takes hundreds of requests. So workloads are made in the
order in which they find most per request, and each is shown, step by step, to the checks that look at it and send
nothing themselves. What one of them finds there is told; the verdict is that of the whole check, later and as ever.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.asking_again import parameters_of
from pytest_cloudimages.client.budget import Budget
from pytest_cloudimages.engine import recording, registry
from pytest_cloudimages.engine.exploration import RUN
from pytest_cloudimages.engine.lacking import Lacking
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import CheckRecord, UnreadRecord
from pytest_cloudimages.spec.marks import ids_of, is_in_passing
from pytest_cloudimages.spec.verdicts import Blocked, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run

    Looker = tuple[str, pytest.Item, Mapping[str, Workload]]
    """A check by its id, with the workloads that it looks at."""

PLAIN = {"cloudimages_client", "specification", "vendors_own"}
"""Fixtures that follow from the run, and send nothing."""
_FOLLOWING: pytest.StashKey[Mapping[str, Callable[[Run], Any]]] = pytest.StashKey()
"""What a check takes that follows from the run: how it is made, by its name."""
_NO_REQUESTS = Budget(requests=0)
REQUESTS, PART = 3, 0.3
"""How many requests are sent, at least, between two looks, and which part of those that the workload sent before."""
THINGS = 3
"""How many things a check may look at for each request that is sent until it is called again."""


@dataclass(frozen=True)
class Seen:
    """When a check was first seen not to be met."""

    requests: int
    """How many the run had sent, for whatever purpose."""
    at: float
    """In seconds of the epoch."""


class FirstLook:
    """What was seen before any check was judged, by the test."""

    def __init__(
        self, items: Iterable[pytest.Item], workloads: Workloads, run: Run, tell: Callable[[int, Sequence[str]], None]
    ) -> None:
        self.seen: dict[str, Seen] = {}
        self.workloads, self.run = workloads, run
        self.tell = tell
        """Tells after how many requests which requirements were seen not to be met."""
        self._lookers: dict[str, list[Looker]] = {}
        for item in items:
            for name, each in (declared := looked_at(item)).items():
                if not registry.goes_on(each):
                    self._lookers.setdefault(name, []).append((item.nodeid, item, declared))
        self._in_hand, self._since, self._next = "", 0, 0
        self._told: set[str] = set()
        self._resting: dict[str, int] = {}
        """After how many requests checks are called again that had much to look at."""
        workloads.watch = self.look

    def take(self, names: Iterable[str]) -> None:
        """Make workloads that nobody has asked for yet, where any check looks at them."""
        for name in names:
            if registry.looked_at_as(name) in self._lookers and name not in self.workloads:
                with suppress(Exception, pytest.skip.Exception):  # whoever rests on it fails by it, later
                    self.workloads.get(name)

    def look(self, name: str, so_far: Callable[[], Any], *, whole: bool, due: bool = False) -> None:
        """Have checks look at what a workload has so far, unless too little was sent since they did."""
        sent = sum(self.run.recorder.counts.values())
        if name != self._in_hand:
            self._in_hand, self._since, self._next = name, sent, sent
        if name not in self._lookers or not (whole or due or sent >= self._next):
            return
        self._next = sent + REQUESTS + int((sent - self._since) * PART)
        lookers = [
            looker
            for looker in self._lookers[name]
            if looker[0] not in self.seen and (whole or due or sent >= self._resting.get(looker[0], 0))
        ]
        shown, found = so_far() if lookers else None, list[str]()
        for identifier, item, declared in lookers:
            mine = UnreadRecord()
            if finds(item, declared, self._beside(shown, declared) | {name: shown}, self.run, mine):
                self.seen[identifier] = Seen(sent, time.time())
                found += {*ids_of(item)} - self._told
            self._resting[identifier] = sent + mine.looks // THINGS
        if found:
            self._told.update(found)
            self.tell(sent, sorted(found))

    def _beside(self, shown: Any, declared: Mapping[str, Workload]) -> dict[str, Any]:
        """Return what else there is to look at for a check: of more of the same it has been shown every part."""
        there = [name for name in self.workloads.made.intersection(declared) if not registry.goes_on(declared[name])]
        made = {name: self.workloads.get(name) for name in there}
        return {name: each for name, each in made.items() if not _alike(each, shown)}


def _alike(made: object, other: object) -> bool:
    return isinstance(made, type(other)) or isinstance(other, type(made))


def looked_at(item: pytest.Item) -> dict[str, Workload]:
    """Return the workloads that a check looks at by name; none where it takes anything else it could ask with."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None or not ids_of(item) or is_in_passing(item):
        return {}
    found = {name: registry.workload_of(info.name2fixturedefs[name][-1]) for name in _taken(item) - PLAIN}
    return {name: declared for name, declared in found.items() if declared} if all(found.values()) else {}


def _taken(item: pytest.Item) -> set[str]:
    """Return the names of the fixtures that a check takes, but for parameters and the run."""
    names: Iterable[str] = item._fixtureinfo.argnames  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
    return {*names} - {RUN, *parameters_of(item)}


def _nothing_of(declared: Workload) -> Any:
    """Return as little of a workload as there may be; ``None`` where there is always something."""
    if declared.empty is not None:
        return declared.empty()
    return Steps([]) if declared.make.__annotations__["return"] in ("Steps", Steps) else None


def finds(
    item: pytest.Item, declared: Mapping[str, Workload], made: Mapping[str, Any], run: Run, mine: CheckRecord
) -> bool:
    """Return whether a check is not met by some of what it looks at, where the rest is not to be had yet.

    What it rests on is in the record. The rest is as if it could not be made; where that is all a check has to say, as
    if it had nothing to show.
    """
    later = Blocked("It is made later.")
    lacking = {name: Lacking(name, later) for name in declared if name not in made}
    there = {name: made[name] for name in declared if name in made}
    problems = _problems(item, lacking | there, run, mine)
    if _accused(problems) or later not in problems:
        return _accused(problems)
    nothing = {name: found for name in lacking if (found := _nothing_of(declared[name])) is not None}
    return bool(nothing) and _accused(_problems(item, lacking | nothing | there, run, mine))


def _accused(problems: Iterable[BaseException]) -> bool:
    return any(isinstance(each, AssertionError) for each in problems)


def _following(item: pytest.Item) -> Mapping[str, Callable[[Run], Any]]:
    """Return how what a check takes is made that follows from the run, by its name."""
    if _FOLLOWING not in item.stash:
        info = item._fixtureinfo  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
        found: dict[str, Callable[[Run], Any]] = {RUN: lambda run: run} if RUN in info.argnames else {}
        item.stash[_FOLLOWING] = found | {name: info.name2fixturedefs[name][-1].func for name in _taken(item) & PLAIN}
    return item.stash[_FOLLOWING]


def _problems(item: pytest.Item, given: dict[str, Any], run: Run, mine: CheckRecord) -> list[BaseException]:
    """Return what a check has to say of what it is given, where it may send nothing."""
    given |= {name: of(run) for name, of in _following(item).items()}
    way, before = run.client.transport.way, recording.current_check()
    budget, way.budget = way.budget, _NO_REQUESTS
    recording.collect(mine)
    try:
        item.obj(**parameters_of(item), **given)  # type: ignore[attr-defined]  # a function, since it has fixtures
    except (Exception, pytest.skip.Exception) as problem:  # noqa: BLE001 - what cannot be told yet is told later
        return [*leaves(problem)]
    finally:
        way.budget = budget
        recording.collect(before)
    return []
