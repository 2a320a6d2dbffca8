"""What is done once more because an answer was lost, or because a deletion was denied that may have been sent twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_cloudimages.client.denials import MORE, OFTEN
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer, NoEffect

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from pytest_cloudimages.client.denials import Denial
    from pytest_cloudimages.engine.run import Run

Made = TypeVar("Made")

MOST_LOST = 2
"""How often a workload is begun anew because an answer was lost."""
MOST_DENIED, AT_THE_MOST = 5, OFTEN + MORE
"""How often the same is done where other deletions are denied each time, and where one is as often as it is done."""


def let_others_be_next(fresh_image: Callable[[], AbstractContextManager[object]], times: int) -> None:
    """Delete images: where every so many deletions are sent twice, it is not the same ones in each of several passes.

    ``times`` has to be another number before each of them.
    """
    for _ in range(times):
        with suppress(Blocked), fresh_image():
            pass


@dataclass
class Repetitions:
    """The same done several times, for it was seen that what was there could not be deleted, as if it were not there.

    What is denied at the same place again and again is the service's own doing.
    """

    run: Run
    sakes: Collection[str]
    """For whose sake it is done."""
    count: int = 0
    _mark: int = 0
    _all: list[Denial] = field(default_factory=list)
    _places: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def begin(self, mark: int | None = None) -> None:
        """Begin an attempt, here or at a mark."""
        if self._all:
            with self.run.recorder.of(Purpose.PREPARING):
                let_others_be_next(self.run.fresh_image, self.count)
        begun = self.run.recorder.denials.begin(self.sakes)
        self._mark = begun if mark is None else mark
        self.count += 1

    @property
    def denied(self) -> list[Denial]:
        """What was denied in the attempt in hand, and nobody has judged."""
        return self.run.recorder.denials.since(self._mark, self.sakes)

    def tells(self) -> bool:
        """Take what was denied in this attempt into account; return whether another one tells more of it."""
        denied = self.denied
        self._all += denied
        self._places.update({each.place for each in denied})
        return bool(denied) and not self.stands and self.count < (AT_THE_MOST if self._each_time else MOST_DENIED)

    @property
    def _each_time(self) -> bool:
        return self.count in self._places.values()

    @property
    def stands(self) -> bool:
        """Whether anything was denied each time, as often as makes it the service's own doing."""
        denials = self.run.recorder.denials
        if self._each_time and self.count >= denials.often:
            return True
        return any(times >= denials.often for times in denials.never_well(self._all).values())

    def settle(self) -> None:
        """Settle what is known of it: who denies at one place again and again does so at others by itself, too.

        Where something was denied each time, and something else the next, what was so in the last one stays open.
        """
        denials, last = self.run.recorder.denials, {id(each) for each in self.denied}
        if self.stands:
            denials.settle(each.exchange for each in self._all)
            denials.stands()
        else:
            denials.let_pass(each.exchange for each in self._all if id(each) not in last)
            if last:
                denials.undecided.update(self.sakes)


def made_steadily(make: Callable[[], Made], run: Run, sake: str) -> Made:
    """Make a workload, and once more on fresh images where an answer was lost that it cannot do without.

    Where a deletion was denied it is made again, too: nobody looks at what does not come again.
    """
    repetitions = Repetitions(run, {sake})
    while True:
        repetitions.begin()
        try:
            made = _unless_lost(make)
        except (Blocked, pytest.skip.Exception) as problem:
            if isinstance(problem, LostAnswer | NoEffect) or not repetitions.tells():
                repetitions.settle()
                raise
        else:
            if not repetitions.tells():
                repetitions.settle()
                return made


def _unless_lost(make: Callable[[], Made]) -> Made:
    for _ in range(MOST_LOST):
        try:
            return make()
        except LostAnswer:
            continue
    return make()
