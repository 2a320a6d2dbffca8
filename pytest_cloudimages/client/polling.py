"""Looking again until a change is seen, or time is over."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_cloudimages.client.recorder import A_CHANGE, Recorder

Seen = TypeVar("Seen")

LOOKS = 4
"""How often a late change is looked at once more, while it is not known how late it may be."""
NOTICED = 1.0
"""Seconds of waiting after which it is said what is waited for."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0  # seconds
GOING_ON, TIMES = 10.0, 10
"""Seconds that are waited for what says itself that it goes on, and so many times patience at most."""
GOES_ON = "what says that it goes on"


@dataclass
class Eventually:
    """How long to wait for an acknowledged change to become visible, over a whole run.

    A service that has shown nothing late within the time given is not waited for again: it is wrong, not late. One that
    has been late before is still waited for, three times as long as it ever took. Several threads may wait at once.
    """

    seconds: float
    """How long at most, for the first change that does not show."""
    recorder: Recorder
    _disappointed: set[str] = field(default_factory=set, init=False)
    """What a wait has come to its end about, without the change."""

    def limit(self, about: str = "") -> float:
        """Return how many seconds the next change is waited for."""
        return min(self.seconds, 3 * self.recorder.lag) if about in self._disappointed else self.seconds

    def until(
        self,
        seen: Seen,
        look: Callable[[], Seen],
        satisfied: Callable[[Seen], bool],
        *,
        about: str = "",
        going_on: Callable[[Seen], bool] = lambda _: False,
    ) -> Seen:
        """Look again until what is seen satisfies a condition, and return what was seen last.

        ``about`` tells waits apart: one that ends in vain says nothing of those for anything else. What is seen to be
        ``going_on``, as an upload by its status, is no late reading, and is waited for longer.
        """
        if satisfied(seen):
            return seen
        begun = time.monotonic()
        limit = self.limit(about)
        for end in (limit, max(limit, min(GOING_ON, TIMES * self.limit(GOES_ON)))):
            for _ in pauses(begun + end):
                if time.monotonic() - begun >= NOTICED:
                    self.recorder.tell_of_waiting(end, A_CHANGE)
                late = not going_on(seen)
                seen = look()
                if satisfied(seen) and satisfied(seen := self._confirmed(seen, look, satisfied)):
                    if late:
                        self.recorder.saw_lag(time.monotonic() - begun)
                    return seen
            if not going_on(seen):
                break
        self._disappointed.add(GOES_ON if going_on(seen) else about)
        return seen

    def _confirmed(self, seen: Seen, look: Callable[[], Seen], satisfied: Callable[[Seen], bool]) -> Seen:
        """Look a few times more the first times that something was late: of several nodes, one may be behind."""
        if self.recorder.confirmations:
            self.recorder.confirmations -= 1
            for _ in range(LOOKS):
                seen = look()
                if not satisfied(seen):
                    break
        return seen


def pauses(end: float, fewest: int = 0) -> Iterator[float]:
    """Pause, a little longer each time, and yield after each pause until it is ``end`` by the monotonic clock.

    There are ``fewest`` of them at least, however late it is.
    """
    pause, made = FIRST_PAUSE, 0
    while (left := end - time.monotonic()) > 0 or made < fewest:
        time.sleep(min(pause, left) if left > 0 else pause)
        yield pause
        pause, made = min(pause * 2, LONGEST_PAUSE), made + 1
