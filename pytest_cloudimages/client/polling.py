"""Looking again until a change is seen, or time is over."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pytest_cloudimages.client.recorder import Recorder

Seen = TypeVar("Seen")


@dataclass
class Eventually:
    """How long to wait for an acknowledged change to be seen, in seconds, over a whole run.

    A service that has shown nothing late within the time given is not waited for again: it is wrong, not late. One that
    has been late before is still waited for, three times as long as it ever took.
    """

    seconds: float
    recorder: Recorder
    _begun: float = 0.0

    def until(self, seen: Seen, look: Callable[[], Seen], satisfied: Callable[[Seen], bool]) -> Seen:
        """Look again until what is seen satisfies a condition, and give what was seen last."""
        if satisfied(seen):
            return seen
        for _ in self.attempts():
            seen = look()
            if satisfied(seen):
                self.observed_lag()
                break
        return seen

    def attempts(self) -> Iterator[int]:
        """Pause between attempts, a little longer each time, until the time given is over."""
        self._begun = begun = time.monotonic()
        pause, number = 0.02, 0
        while (left := self.seconds - (time.monotonic() - begun)) > 0:
            time.sleep(min(pause, left))
            pause, number = min(pause * 2, 1.0), number + 1
            yield number
        self.seconds = min(self.seconds, 3 * self.recorder.lag)

    def observed_lag(self) -> None:
        """Note that the change was seen at last."""
        self.recorder.lag = max(self.recorder.lag, time.monotonic() - self._begun)
