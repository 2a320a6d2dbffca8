"""What the check in hand rests on: cases, and the exchanges that made each of them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from typing import Self

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.history.events import Anomaly
from pytest_cloudimages.history.steps import Step


@dataclass
class CheckRecord:
    """The cases of one check; the last one's exchanges are those of a finding."""

    cases: int = 0
    main: bool = False
    """Whether the check has taken up a collection whose things are its cases; what it sends itself is none then."""
    requests: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    about: Step | None = None
    """The step of a history that the case in hand looks at, if it looks at one."""
    of_answer: bool = False
    """Whether it looks at nothing but the answer's form."""
    kinds: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    witnesses: list[Anomaly] = field(default_factory=list)
    """What no order of concurrent operations explains."""
    begun: float = field(default_factory=time.monotonic)
    _seen: dict[int, Exchange] = field(default_factory=dict)
    """Held, so that no later exchange gets the identity of one that is gone."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Threads of a pool count cases too."""

    def case(
        self,
        exchanges: Iterable[Exchange] = (),
        kind: str | None = None,
        *,
        about: Step | None = None,
        of_answer: bool = False,
    ) -> None:
        """Begin a case that rests on these exchanges."""
        with self._lock:
            self.cases += 1
            self.aside(exchanges, about=about, of_answer=of_answer)
            if kind:
                self.kinds[kind] += 1

    def aside(
        self,
        exchanges: Iterable[Exchange] = (),
        kind: str | None = None,  # noqa: ARG002 - taken as ``case`` takes it; of what is no case no kind was tried
        *,
        about: Step | None = None,
        of_answer: bool = False,
    ) -> None:
        """Begin a side question that rests on these exchanges: a finding shows them, and it is no case."""
        with self._lock:
            self.exchanges = []
            self.about, self.of_answer = about, of_answer
            self.attach(exchanges)

    def attach(self, exchanges: Iterable[Exchange]) -> None:
        """Attach exchanges to the case in hand; an exchange that several cases rest on counts as one request."""
        with self._lock:
            for exchange in exchanges:
                self.exchanges.append(exchange)
                if not self.holds(exchange):
                    self._seen[id(exchange)] = exchange
                    self.requests += 1

    def holds(self, exchange: Exchange) -> bool:
        """Return whether an exchange has been attached to any case."""
        return id(exchange) in self._seen

    def witness(self, anomaly: Anomaly, exchanges: Iterable[Exchange]) -> None:
        """Keep the smallest history that shows a finding; the exchanges are those of the finding."""
        if anomaly not in self.witnesses:
            self.witnesses.append(anomaly)
        self.exchanges = [*exchanges]

    def note(self, text: str) -> None:
        """Record an observation that is no finding."""
        if text not in self.notes:
            self.notes.append(text)


_CURRENT: ContextVar[CheckRecord | None] = ContextVar("evidence", default=None)


def current_check() -> CheckRecord:
    """Give the evidence of the check that runs now; outside any, one that nobody reads."""
    return _CURRENT.get() or CheckRecord()


def collect(evidence: CheckRecord | None) -> None:
    """Make this the evidence of the check that runs from now on."""
    _CURRENT.set(evidence)


def anything(_: object) -> bool:
    """Return True: the condition of a collection whose things are all asked about."""
    return True


@dataclass(frozen=True, repr=False)
class Cases:
    """A collection that checks look at. Each thing that it yields is a case of the check in hand.

    A check that reaches no case is *blocked*, so only what its requirement is about may be one. Conditions on what is
    yielded are named ``where``: a thing that the check would pass over must not be yielded, or it counts unasked.
    """

    counted: bool = field(default=True, kw_only=True)
    """Whether what is yielded are cases."""

    def __repr__(self) -> str:
        held = {other.name: getattr(self, other.name) for other in fields(self) if not other.name.startswith("_")}
        sizes = [f"{len(value)} {name}" for name, value in held.items() if isinstance(value, list | tuple)]
        return f"<{type(self).__name__}{': ' if sizes else ''}{', '.join(sizes)}>"

    def aside(self) -> Self:
        """Return the same collection for a side question: findings show its exchanges, and nothing of it is a case."""
        return replace(self, counted=False)

    def taken_up(self) -> Callable[..., None]:
        """Return what begins a case of the check in hand, or a side question; to be called before each ``yield``."""
        mine = current_check()
        if not self.counted:
            return mine.aside
        # Even if nothing comes of it: the question was meant for these things, and for nothing else that is sent.
        mine.main = True
        return mine.case
