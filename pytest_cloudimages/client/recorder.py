"""The record of every exchange of a run."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.capabilities import Capabilities
from pytest_cloudimages.client.denials import Denials
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.latency import Latencies
from pytest_cloudimages.client.notes import Notes
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.client.trouble_counts import Disturbances

REMARKABLE = (413, 429, 431, 503)
KEPT_REMARKABLE = 50
A_CHANGE = "a change to be seen"
"""What is waited for most: every other wait is said each time."""


_PURPOSE: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.JUDGING)
_SAKE: ContextVar[str] = ContextVar("sake", default="")


@contextmanager
def for_the_sake_of(name: str) -> Iterator[None]:
    """Mark the requests of this context as made for the sake of a workload, or of a requirement, for a block."""
    before = _SAKE.get()
    _SAKE.set(name)
    try:
        yield
    finally:
        _SAKE.set(before)


@dataclass
class Traces:
    """What a run has on the service: nothing stays of it in the end, or the summary names it."""

    in_use: set[str] = field(default_factory=set)
    """Ids of created images that are in use."""
    of_others: set[str] = field(default_factory=set)
    """Ids of images that were there before the run, as far as they were seen: nothing is ever written to them."""
    created_by: dict[str, str] = field(default_factory=dict)
    """Who created each of them."""
    created: set[str] = field(default_factory=set, repr=False)
    """The ids of all images that were created, also of those that are gone."""
    gone: set[str] = field(default_factory=set, repr=False)
    """The ids of those whose deletion was acknowledged and that were not found then: nothing is left to clean up."""
    certain: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)
    """Sets of lent images that are known to be accepted: the image, what a value is called, and the values."""
    own_values: dict[str, frozenset[str]] = field(default_factory=dict)
    """What the service gave the first image that was created, by what a value is called."""
    handed_on: bool = False
    """Whether the creation of a later image showed something else that nobody gave it."""
    unknown: set[str] = field(default_factory=set, repr=False)
    """Ids of images that say that they are of this run, as lists show them; those whose creation goes on among them."""
    delete_as_another: Callable[[str], bool] = field(default=lambda _: False, repr=False, compare=False)
    """Deletes an image for somebody who may not do so, and returns whether that was done."""
    out_of_reach: int = 0
    """Images that were created with ids that cannot be asked for."""
    waiting_helps: bool = False
    """Whether an image was deleted only after a while, or was found again then."""
    waited_in_vain: int = 0
    """With how many images it made no difference."""
    left_behind: list[str] = field(default_factory=list)
    """What could not be put back or taken away."""
    notes: Notes = field(default_factory=Notes, repr=False, compare=False)
    """What is written down before it is sent."""
    lifetime: float = 24 * 3600.0
    """Seconds after which an image of this run is nobody's any more."""
    takes_properties: bool | None = None
    """Whether new images may have properties that say whose they are; ``None`` as long as nobody knows."""
    formats: dict[str, str] = field(default_factory=lambda: {"disk_format": "raw", "container_format": "bare"})
    """The formats of new images: those that every service is known to have, unless its schema lists others alone."""
    notices: list[str] = field(default_factory=list)
    """What the tester has to hear of all this, besides what is left behind."""
    _known: bool = False
    _first: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def forget(self, image: str) -> None:
        """Have nobody wait for an image to be known whose deletion was acknowledged."""
        self.created_by.pop(image, None)

    def stays(self, image: str) -> bool:
        """Return whether an image could not be deleted, so that it is there for all that was done."""
        return any(image in told for told in self.left_behind)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let one image be created alone: what the service does with it is known when others are."""
        if self._known:
            yield
            return
        with self._first:
            yield
            self._known = True


class Onlooker(Protocol):
    """Whoever looks at all that is exchanged."""

    def look(self, exchange: Exchange, sake: str) -> None:
        """Look at an exchange that was made for the sake of a workload, or a requirement; at one that nobody's is."""

    def forget(self, sakes: Iterable[str]) -> None:
        """Forget what was met for the sake of some workloads, which are made again."""


@dataclass
class Recorder(Short):
    """Counts every exchange of a run, and hands it to the scopes that are open where it is sent.

    An exchange that no scope holds is counted and not kept.
    """

    counts: Counter[str] = field(default_factory=Counter)
    created: int = 0
    """Images that were created."""
    late_creation: bool = False
    """Whether an image was seen to be shown some time after its creation only."""
    lag: float = 0.0
    """Longest time in seconds until an acknowledged change was visible."""
    confirmations: int = 5
    """How often it is still made sure that what was late is seen everywhere: of several nodes, one may be behind."""
    patient: bool = False
    """Whether every reading waits until what is late has come: where a finding is looked into that it may explain."""
    changed: float = 0.0
    """When a request that may have changed something was answered last, by the monotonic clock."""
    absence: float = 2.0
    """Seconds after a change within which an image of ours that is not there may yet appear."""
    latencies: Latencies = field(default_factory=Latencies, repr=False)
    """How long answers took, by operation."""
    remarkable: list[Exchange] = field(default_factory=list)
    """Answers that no check can provoke, but any may meet: over a limit, or unavailable."""
    capabilities: Capabilities = field(default_factory=Capabilities, repr=False)
    """What the service was seen to be able to do, and not."""
    lacking: dict[str, str] = field(default_factory=dict, repr=False)
    """What was found once and is not asked for again: why a service does not have something, empty where it does."""
    given_by_others: frozenset[str] | None = None
    """What comes to a set of every image by itself; ``None`` until it was looked for."""
    looking: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Held while something is found out for the whole run."""
    disturbances: Disturbances = field(default_factory=Disturbances, repr=False)
    """What trouble there was on the way."""
    denials: Denials = field(default_factory=Denials, repr=False)
    """Deletions of what was there that were answered as if it had not been."""
    tell_of_waiting: Callable[[float, str], None] = field(default=lambda *_: None, repr=False, compare=False)
    """Says how many seconds are waited at most, and for what; whoever shows the run hears of it here."""
    traces: Traces = field(default_factory=Traces)
    onlooker: Onlooker | None = field(default=None, repr=False, compare=False)
    """Looks at every exchange as it comes."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<Recorder: {sum(self.counts.values())} exchanges>"

    def add(self, exchange: Exchange) -> None:
        """Count an exchange, and append it to every scope that is open in this context."""
        self.capabilities.saw(exchange, self.traces.created_by)
        if self.onlooker is not None:
            self.onlooker.look(exchange, _SAKE.get())
        with self._lock:
            self.counts[exchange.purpose] += 1
            if exchange.status:
                self.latencies.add(exchange.method, exchange.target, exchange.answered - exchange.sent)
            for scope in _SCOPES.get():
                if scope.recorder is self:
                    scope.sent.append(exchange)
            if exchange.status in REMARKABLE and len(self.remarkable) < KEPT_REMARKABLE:
                self.remarkable.append(exchange)

    def counts_for(self, answer: Answer) -> None:
        """Take an answer into account that counts: it is what came of a request in the end."""
        self.denials.look(answer, _SAKE.get())

    @property
    def spent(self) -> int:
        """How many requests were sent but for those that clean up."""
        return sum(self.counts.values()) - self.counts[Purpose.CLEANING]

    def let_it_be_seen(self) -> None:
        """Wait until a change is seen everywhere, where a finding is looked into that a late reading may explain."""
        if self.lag and self.patient:
            time.sleep(max(0.0, self.changed + 1.5 * self.lag + 0.02 - time.monotonic()))

    def count_creation(self) -> int:
        """Count one more created image, and return how many there were so far."""
        with self._lock:
            self.created += 1
            return self.created

    def saw_lag(self, seconds: float) -> None:
        """Remember how long an acknowledged change took to become visible, if none took longer."""
        with self._lock:
            self.lag = max(self.lag, seconds)

    @contextmanager
    def scope(self) -> Iterator[list[Exchange]]:
        """Open a scope for the length of a block, and yield the list of the exchanges that are sent inside.

        Scopes may be nested: each gets what is sent inside it, in this thread and in every other that was given a copy
        of this context (``contextvars.copy_context``), as the worker pools of the engine do.
        """
        opened = _Scope(self, [])
        _SCOPES.set((*_SCOPES.get(), opened))
        try:
            yield opened.sent
        finally:
            # Not reset: whoever opened another scope meanwhile keeps it, in whatever order they are closed.
            _SCOPES.set(tuple(scope for scope in _SCOPES.get() if scope is not opened))

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Keep what is sent in this block out of every scope around it."""
        around = _SCOPES.get()
        _SCOPES.set(tuple(scope for scope in around if scope.recorder is not self))
        try:
            yield
        finally:
            _SCOPES.set(around)

    for_the_sake_of = staticmethod(for_the_sake_of)

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


@dataclass(frozen=True, eq=False)
class _Scope:
    """A list that a recorder fills as long as it is open."""

    recorder: Recorder
    sent: list[Exchange]


_SCOPES: ContextVar[tuple[_Scope, ...]] = ContextVar("scopes", default=())
