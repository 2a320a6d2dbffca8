"""The record of every exchange of a run."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from pytest_cloudimages.client.exchange import Exchange, Purpose

REMARKABLE = (413, 429, 431, 503)
KEPT_REMARKABLE = 50
MOST_LENIENT = 1.0
"""Seconds after a change that every reading waits for; what takes longer is waited for where it is missed."""


_PURPOSE: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.JUDGING)


@dataclass
class Traces:
    """What a run has on the service: nothing stays of it in the end, or the summary names it."""

    in_use: set[str] = field(default_factory=set)
    """Ids of created images that are in use."""
    certain: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    """Lent images whose tags are known to be accepted, with these tags."""
    left_behind: list[str] = field(default_factory=list)
    """What could not be put back or taken away."""


@dataclass
class Recorder:
    """Counts every exchange of a run, and keeps those of the case in hand."""

    counts: Counter[str] = field(default_factory=Counter)
    created: int = 0
    """Images that were created."""
    late_creation: bool = False
    """Whether an image was seen to be shown some time after its creation only."""
    lag: float = 0.0
    """Longest time in seconds until an acknowledged change was visible."""
    changed: float = 0.0
    """When a request that may have changed something was answered last, by the monotonic clock."""
    remarkable: list[Exchange] = field(default_factory=list)
    """Answers that no check can provoke, but any may meet: over a limit, or unavailable."""
    traces: Traces = field(default_factory=Traces)
    _case: list[Exchange] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange down."""
        with self._lock:
            self.counts[exchange.purpose] += 1
            self._case.append(exchange)
            if exchange.status in REMARKABLE and len(self.remarkable) < KEPT_REMARKABLE:
                self.remarkable.append(exchange)

    def let_it_be_seen(self) -> None:
        """Wait until a change is seen everywhere, where the service was seen to show changes late."""
        if self.lag:
            time.sleep(max(0.0, self.changed + min(1.5 * self.lag + 0.02, MOST_LENIENT) - time.monotonic()))

    def take(self) -> list[Exchange]:
        """Give the exchanges since the last call, and begin anew."""
        with self._lock:
            case, self._case = self._case, []
        return case

    @property
    def purpose(self) -> Purpose:
        """What requests are sent for here, and in every thread that was given a copy of this context."""
        return _PURPOSE.get()

    @contextmanager
    def of(self, purpose: Purpose) -> Iterator[None]:
        """Mark the requests of this context with a purpose for the length of a block.

        Whatever it takes to explain a finding is sent to explain it.
        """
        before = self.purpose
        _PURPOSE.set(before if before is Purpose.EXPLAINING else purpose)
        try:
            yield
        finally:
            _PURPOSE.set(before)
