"""A service is asked more slowly where that is what it complains of, and only there."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace

import pytest

from pytest_cloudimages.client import trouble
from pytest_cloudimages.client.trouble import Pace, pause_before

TOOK = 0.002  # seconds, from a request to its answer
REQUESTS = 1500


class Clock:
    """A clock that goes on when somebody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        """Return the seconds that have gone by."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let seconds go by."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that paces are kept by."""
    clock = Clock()
    monkeypatch.setattr(trouble, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep))
    return clock


def complaints_of(clock: Clock, is_refused: Callable[[], bool]) -> int:
    """Send requests, each until it is answered, and return how often that was refused."""
    pace, found = Pace(), 0
    for _ in range(REQUESTS):
        tries = 0
        while True:
            pace.wait()
            clock.sleep(TOOK)
            if not is_refused():
                break
            tries, found = tries + 1, found + 1
            pace.complained()
            clock.sleep(pause_before(tries, 503))
        pace.content()
    return found


def limit(clock: Clock, rate: float, burst: float) -> Callable[[], bool]:
    """Return whether a request exceeds a rate, as a bucket of tokens has it."""
    tokens, filled = burst, 0.0

    def is_refused() -> bool:
        nonlocal tokens, filled
        tokens, filled = min(burst, tokens + (clock.now - filled) * rate), clock.now
        if tokens < 1.0:
            return True
        tokens -= 1.0
        return False

    return is_refused


@pytest.mark.parametrize("rate", [40.0, 100.0])
def test_a_rate_is_kept_to(clock: Clock, rate: float) -> None:
    """Hardly anything is refused once it is known, and little time is lost."""
    assert complaints_of(clock, limit(clock, rate, 1.0)) < REQUESTS / 20
    assert clock.now < 1.5 * REQUESTS / rate


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25])
@pytest.mark.parametrize("seed", range(5))
def test_who_refuses_by_chance_is_not_asked_ever_more_slowly(clock: Clock, share: float, seed: int) -> None:
    """A gateway that refuses one in ten whatever the pace would have a run take an hour."""
    chance = Random(seed)  # noqa: S311 - no secret comes of it

    complaints_of(clock, lambda: chance.random() < share)

    assert clock.now < REQUESTS * 0.06
