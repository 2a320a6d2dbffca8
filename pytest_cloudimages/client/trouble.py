"""What an answer is worth: whether it speaks of the request, or of the way to the service and its load.

Trouble on the way says nothing of a request. It is asked again, more slowly where that was the cause; what a repetition
cannot bring to light blocks the question. Only where a service is in trouble with one kind of request again and again,
and answers others in between, the trouble is its own, and its answer is judged like any other.
"""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from pytest_cloudimages.client.budget import Budget
from pytest_cloudimages.spec.verdicts import NoEffect

NO_ANSWER = 0
OF_FRONT_SERVERS = frozenset({*range(520, 531), 598, 599})
"""Statuses of no specification, by which content delivery networks and proxies say that the service did not answer."""
TROUBLE = frozenset({NO_ANSWER, 408, 421, 425, 429, 502, 503, 504}) | OF_FRONT_SERVERS
"""Statuses that speak of the way to the service or of its load."""
LOST = frozenset({NO_ANSWER, 502, 503, 504}) | OF_FRONT_SERVERS
"""Those after which the request may have been carried out all the same."""
OVERLOAD = frozenset({429, 503, 529})
"""Those by which a service says that it is asked too fast."""
MISSED_AT_ONCE = frozenset({NO_ANSWER, 408, 421, 425})
"""Those that a connection of its own mends: an idle one was closed, led elsewhere, or was too young (RFC 8470)."""

FEWEST_TRIES, MOST_TRIES = 4, 12
TRIES_OF_THE_KNOWN = 3
"""So many where this very kind of trouble is known to be the service's own."""
CHANCE = 1e-6
"""How likely passing trouble may be taken for the service's own."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds
LONGEST_OUTAGE = 30.0
"""Seconds that a service which answers nothing is waited for, once in a run."""
LONGEST_START = 10.0
"""Seconds that one is waited for that has answered nothing but that it is not ready, when a run begins."""
NOT_READY = frozenset({502, 503, 504})
"""Statuses by which a service, or who stands before it, says that it is not there now."""

FASTEST, SLOWEST = 0.001, 0.5
"""Seconds from one request to the next: less is no pace at all, and no service is that slow."""
FASTER, SLOWER = 0.98, 1.5
"""What the pace is multiplied with, after an answer and after a complaint."""
MUCH_SLOWER = 4
"""How many times more slowly than at first a service is asked before it is doubted that this is what it wants.

Whoever refuses what exceeds some rate refuses nothing once that is asked for. Others refuse the same share as before.
"""


def pause_before(tries: int, status: int) -> float:
    """Return the seconds to wait before a request is tried again, after so many tries."""
    if tries == 1 and status in MISSED_AT_ONCE:
        return 0.0
    return min(FIRST_PAUSE * 2.0 ** (tries - 1), LONGEST_PAUSE)


@dataclass
class Pace:
    """How fast a service lets itself be asked: as fast as we can, until it complains; then below what provoked it."""

    interval: float = 0.0
    """Seconds from one request to the next."""
    least: float = 0.0
    """Seconds that they never come below, as the tester has it."""
    _floor: float = 0.0
    _kept: bool = False
    """Whether complaints were seen to come whatever the pace, so that it stays as it is."""
    _first: float = 0.0
    _next: float = 0.0
    _complained: float = -math.inf
    _sent: deque[float] = field(default_factory=lambda: deque(maxlen=50))
    _provoking: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    _complaints: deque[bool] = field(default_factory=lambda: deque(maxlen=16))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Wait until it is time for the next request."""
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + max(self.interval, self.least)
            self._sent.append(begin)
        if begin > now:
            time.sleep(begin - now)

    def content(self) -> None:
        """Go a little faster after an answer, but never again as fast as what was complained of more than once."""
        with self._lock:
            self._complaints.append(False)
            if self.interval and not self._kept:
                slower = max(self.interval * FASTER, self._floor)
                self.interval = slower if slower > FASTEST else 0.0

    def complained(self) -> None:
        """Go more slowly: the service says that it is asked too fast. Complaints of one moment are one."""
        with self._lock:
            now = time.monotonic()
            self._complaints.append(True)
            if self._kept or now - self._complained < max(2 * self.interval, FIRST_PAUSE):
                return
            self._complained = now
            if self._floor and self.interval >= self._floor:
                # It complains of what it seemed to bear: it is not the pace that it complains of.
                self.interval, self._kept = self._floor, True
                return
            much_slower = 0.0 < self._first * MUCH_SLOWER <= self.interval
            if much_slower and 2 * sum(self._complaints) <= len(self._complaints):
                # Were it the pace, half of it would be borne.
                self.interval, self._kept = min(2 * self.interval, SLOWEST), True
                return
            if self.interval:
                self._provoking.append(self.interval)
            full = len(self._provoking) == self._provoking.maxlen
            if full and max(self._provoking) < 2 * min(self._provoking):
                self._floor = min(1.1 * max(self._provoking), SLOWEST)
            # Without a pace so far, what provoked it is how fast requests went out by themselves.
            took = self.interval or ((now - self._sent[0]) / len(self._sent) if self._sent else 0.0)
            self.interval = min(max(took * SLOWER, 2 * FASTEST), SLOWEST)
            self._first = self._first or self.interval


@dataclass
class Way:
    """What is known of the way to a service, over a whole run."""

    pace: Pace = field(default_factory=Pace)
    opened: bool = False
    """Whether the list of images was one when the run began."""
    given_up: NoEffect | None = None
    """Why nothing more is sent, where the service was waited for in vain."""
    shut_out: dict[str, NoEffect] = field(default_factory=dict)
    """Why nothing more is sent for a caller, where everything is refused to them."""
    refusal: int = 0
    """The status of everything that is asked, where that is why."""
    last_try: bool = False
    """Whether it was tried in spite of that to clean up."""
    budget: Budget = field(default_factory=Budget)
    """What the run may take."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set where a run ends early: whoever sends anything but what cleans up is stopped."""
    looking: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever waits for the service: of many clients, one is enough."""
    _asked: int = 0
    _troubled: int = 0
    _starting: bool = False
    _own: Counter[Hashable] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rest(self, seconds: float) -> None:
        """Wait, but no longer than the run goes on."""
        self.stopping.wait(seconds)

    @property
    def reached(self) -> bool:
        """Whether anything was ever answered."""
        return self._asked > self._troubled

    @property
    def outage(self) -> float:
        """Return the seconds that a service which answers nothing is waited for; none where nobody is there at all."""
        if self.reached:
            return LONGEST_OUTAGE
        return LONGEST_START if self._starting else 0.0

    def first(self, status: int) -> None:
        """Note what a request was answered when it was sent for the first time."""
        with self._lock:
            self._asked += 1
            self._troubled += status in TROUBLE
            self._starting = self._starting or status in NOT_READY
            if status not in TROUBLE:
                self.given_up = None

    def enough(self, kind: Hashable) -> int:
        """Return how often a request is tried before trouble with it counts as the service's own.

        That depends on how much trouble there is anyway: as often as makes it unlikely that all of it was passing.
        """
        if self._own[kind]:
            return TRIES_OF_THE_KNOWN
        known = sum(self._own.values())
        share = max(self._troubled - known, 1) / max(self._asked - known, 100)
        tries = math.ceil(math.log(CHANCE) / math.log(min(share, 0.9)))
        return min(max(tries, FEWEST_TRIES), MOST_TRIES)

    def blames(self, kind: Hashable) -> None:
        """Remember that a kind of trouble is the service's own."""
        with self._lock:
            self._own[kind] += 1

    def knows(self, kind: Hashable) -> bool:
        """Whether a kind of trouble is known to be the service's own."""
        return bool(self._own[kind])
