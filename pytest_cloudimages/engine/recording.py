"""What the check in hand rests on: cases, and the exchanges that made each of them."""

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.history.events import Anomaly
from pytest_cloudimages.history.steps import Step
from pytest_cloudimages.spec.chance import in_words, percent_shown

Thing = TypeVar("Thing")
Parameters = ParamSpec("Parameters")
Shower = TypeVar("Shower", bound="Collection")


@dataclass(frozen=True)
class Rate:
    """How often something was seen, of the times that it could have been."""

    violations: int
    of: int
    what: str
    """What was counted, as it follows "3 of 40"."""

    @property
    def power(self) -> str:
        """What would have shown, where nothing did: how often it happens at least that was to be seen for certain."""
        return "" if self.violations or not self.of else in_words(percent_shown(self.of))

    def __str__(self) -> str:
        return f"{self.violations} of {self.of} {self.what}" + (f": {self.power}" if self.power else "")


@dataclass
class CheckRecord:
    """The cases of one check; the last one's exchanges are those of a finding."""

    cases: int = 0
    main: "Cases[Any] | None" = None
    """The collection whose things are the check's cases, the first if there are several; what the check sends itself
    is no case then."""
    requests: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    step: Step | None = None
    """The step of a history that the case in hand looks at, if it looks at one."""
    answer_only: bool = False
    """Whether it looks at nothing of that step but the form of its answer."""
    kinds: Counter[str] = field(default_factory=Counter)
    """How many cases there were of each class of input."""
    inputs: dict[str, set[str]] = field(default_factory=dict)
    """The different values of each class that the steps of histories among them named."""
    notes: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Why parts of what it is about could not be made: the reason where the other parts have no case."""
    witnesses: list[Anomaly] = field(default_factory=list)
    """What no order of concurrent operations explains."""
    rate: Rate | None = None
    """How often concurrent clients met what the check is about; known also where they never did."""
    race: tuple[str, ConcurrentPlan] | None = None
    """The set that a race was about, and its plan, where it has shown a finding."""
    sakes: tuple[str, ...] = ()
    """For whose sake the requests of a finding were sent, where it was met in passing: a workload, a requirement."""
    silent: bool = False
    """Whether it has nothing to say, as what it looks for was not met: its requirement is judged by other checks."""
    begun: float = field(default_factory=time.monotonic)
    _chosen: bool = field(default=False, repr=False)
    """Whether the exchanges are those that a finding speaks of; others count as requests, and do not push them out."""
    _attached: dict[int, Exchange] = field(default_factory=dict, repr=False)
    """Held, so that no later exchange gets the identity of one that is gone."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Threads of a pool count cases too."""

    def case(
        self,
        exchanges: Iterable[Exchange] = (),
        input_class: str | None = None,
        *,
        step: Step | None = None,
        answer_only: bool = False,
    ) -> None:
        """Begin a case that rests on these exchanges."""
        with self._lock:
            self.cases += 1
            self.aside(exchanges, step=step, answer_only=answer_only)
            if input_class:
                self.kinds[input_class] += 1
                if step is not None:
                    self.inputs.setdefault(input_class, set()).add(step.value)

    def aside(self, exchanges: Iterable[Exchange] = (), *, step: Step | None = None, answer_only: bool = False) -> None:
        """Begin a side question that rests on these exchanges: a finding shows them, and it is no case."""
        with self._lock:
            self.exchanges, self._chosen = [], False
            self.step, self.answer_only = step, answer_only
            self.attach(exchanges)

    def attach(self, exchanges: Iterable[Exchange]) -> None:
        """Attach exchanges to the case in hand; an exchange that several cases rest on counts as one request."""
        with self._lock:
            held, shown = self._attached, None if self._chosen else self.exchanges
            for exchange in exchanges:
                if shown is not None:
                    shown.append(exchange)
                if id(exchange) not in held:
                    held[id(exchange)] = exchange
                    self.requests += 1

    def holds(self, exchange: Exchange) -> bool:
        """Return whether an exchange has been attached to any case."""
        return id(exchange) in self._attached

    def witness(self, anomaly: Anomaly, exchanges: Iterable[Exchange]) -> None:
        """Keep the smallest history that shows a finding; the exchanges are those of the finding."""
        if anomaly not in self.witnesses:
            self.witnesses.append(anomaly)
        self.show(exchanges)

    def show(self, exchanges: Iterable[Exchange]) -> None:
        """Let a finding show these exchanges, out of all that its case rests on: those that it speaks of."""
        with self._lock:
            self.exchanges, self._chosen = [*exchanges], True

    def note(self, text: str) -> None:
        """Record an observation that is no finding."""
        if text not in self.notes:
            self.notes.append(text)


class UnreadRecord(CheckRecord):
    """The record of a check that is only to say whether it is met: nobody asks what that rests on."""

    looks = 0
    """How many things it has looked at, cases or not."""

    def case(
        self,
        exchanges: Iterable[Exchange] = (),  # noqa: ARG002 - not kept
        input_class: str | None = None,  # noqa: ARG002 - likewise
        *,
        step: Step | None = None,
        answer_only: bool = False,
    ) -> None:
        """Begin a case."""
        self.cases += 1
        self.looks += 1
        self.step, self.answer_only = step, answer_only

    def aside(
        self,
        exchanges: Iterable[Exchange] = (),  # noqa: ARG002 - not kept
        *,
        step: Step | None = None,
        answer_only: bool = False,
    ) -> None:
        """Begin a side question."""
        self.looks += 1
        self.step, self.answer_only = step, answer_only

    def attach(self, exchanges: Iterable[Exchange]) -> None:
        """Attach nothing."""


_CURRENT: ContextVar[CheckRecord | None] = ContextVar("check record", default=None)


def current_check() -> CheckRecord:
    """Return the record of the check that runs in this context; outside any check, one that nobody reads."""
    return _CURRENT.get() or CheckRecord()


def collect(record: CheckRecord | None) -> None:
    """Make this the record of the check that runs from now on."""
    _CURRENT.set(record)


def nothing(*_: object) -> bool:
    """Return False: the condition of a collection that leaves nothing out."""
    return False


def anything(_: object) -> bool:
    """Return True: the condition of a collection whose things are all asked about."""
    return True


@dataclass(slots=True)
class Case(Generic[Thing]):
    """A thing to look at, and what a finding about it rests on."""

    thing: Thing
    exchanges: Iterable[Exchange]
    input_class: str | None = None
    """The class of input that it was drawn from."""
    step: Step | None = None
    """The step of a history that it is, or belongs to."""
    answer_only: bool = False
    """Whether it is nothing of that step but the answer."""
    aside: bool = False
    """Whether it is looked at without being what the requirement is about."""


@dataclass(frozen=True)
class Cases(Generic[Thing]):
    """Things that a check looks at: iterating over them makes each one a case of the check in hand.

    A check that reaches no case is *blocked*, so only what its requirement is about may be one. A thing that the check
    would pass over must not be yielded, or it counts unasked: conditions go into ``where``.
    """

    name: str
    """What they are called: the collection and its method."""
    find: Callable[[], Iterable[Case[Thing]]] = field(repr=False)
    """Finds the things, anew whenever they are iterated over."""
    counted: bool = True
    """Whether the things are cases."""
    collection: "Collection | None" = field(default=None, repr=False)
    """What they are things of."""

    def __iter__(self) -> Iterator[Thing]:
        """Yield the things; each becomes the case, or the side question, that the check in hand looks at."""
        record = current_check()
        if self.counted and record.main is None:
            # Even if nothing comes of it: the question was meant for these things, and for nothing else that is sent.
            record.main = self
        for case in self.find():
            if self.counted and not case.aside:
                record.case(case.exchanges, case.input_class, step=case.step, answer_only=case.answer_only)
            else:
                record.aside(case.exchanges, step=case.step, answer_only=case.answer_only)
            yield case.thing

    def where(self, condition: Callable[[Thing], bool]) -> Self:
        """Return those that satisfy a condition: what has to be so for a thing to be asked about."""
        return replace(self, find=lambda: (case for case in self.find() if condition(case.thing)))

    def aside(self) -> Self:
        """Return the same things for a side question: findings show their exchanges, and none of them is a case."""
        return replace(self, counted=False)


@dataclass(frozen=True, repr=False)
class Collection(Short):
    """What was done once and is looked at by many checks, through methods that return ``Cases``."""

    counted: bool = field(default=True, kw_only=True)
    """Whether what its methods return are cases."""

    def __repr__(self) -> str:
        held = {other.name: getattr(self, other.name) for other in fields(self) if not other.name.startswith("_")}
        sizes = [f"{len(value)} {name}" for name, value in held.items() if isinstance(value, list | tuple)]
        return f"<{type(self).__name__}{': ' if sizes else ''}{', '.join(sizes)}>"

    def led_up(self) -> tuple[str, Sequence[Exchange]]:
        """Return what was done, in words, and exchanges that show it: where no case came of it, that is why."""
        return "", ()

    def aside(self) -> Self:
        """Return the same collection for side questions: findings show its exchanges, and nothing of it is a case."""
        return replace(self, counted=False)


def cases(
    find: Callable[Concatenate[Shower, Parameters], Iterable[Case[Thing]]],
) -> Callable[Concatenate[Shower, Parameters], Cases[Thing]]:
    """Turn a method of a collection that finds each ``Case`` into one that returns ``Cases``."""

    @functools.wraps(find)
    def method(self: Shower, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Cases[Thing]:
        found = functools.partial(find, self, *args, **kwargs)
        return Cases(f"{type(self).__name__}.{find.__name__}", found, counted=self.counted, collection=self)

    return method
