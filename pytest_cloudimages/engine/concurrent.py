"""Executes concurrent plans: threads that only send and write down, and a verdict when nobody writes any more."""

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.outage import outlasted
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.retries import pause_after
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import FEWEST_TRIES, LOST, TROUBLE
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.checkers.unfounded import refusals
from pytest_cloudimages.history.concurrent_plans import ClientOperation, ConcurrentPlan, Phase, Process
from pytest_cloudimages.history.events import Anomaly, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import NAME, SetResource, uploads
from pytest_cloudimages.history.steps import Reading

Open = Callable[..., AbstractContextManager[Image]]
Result = TypeVar("Result")

LEAST_WAIT, LONGEST_WAIT = 0.02, 1.0  # seconds
MOST_TRIES = 6
"""How often a request of a race is sent where it meets trouble on the way."""
MAIN = 0
"""The client that prepares, reads while nobody writes, and cleans up; those that race are numbered from 1."""


class WorkerPool:
    """Clients that keep their connections from plan to plan: each is a thread of its own."""

    def __init__(self) -> None:
        self._workers: list[ThreadPoolExecutor] = []

    def ask(self, client: int, what: Callable[[], Result]) -> Future[Result]:
        """Have a client do something, which counts for the check, and serves the purpose, at hand here."""
        while len(self._workers) <= client:
            self._workers.append(ThreadPoolExecutor(1))
        return self._workers[client].submit(copy_context().run, what)

    def ask_each(self, tasks: Sequence[Callable[[], Result]], *, first: int = 0) -> list[Result]:
        """Have clients do one thing each, the one numbered ``first`` the first of them, and return what comes of each.

        All are waited for before the first problem is raised: no request may leak into what follows.
        """
        asked = [self.ask(client, task) for client, task in enumerate(tasks, first)]
        wait(asked)
        return [each.result() for each in asked]

    def close(self) -> None:
        """Let every worker go when it has finished."""
        for worker in self._workers:
            worker.shutdown()


@contextmanager
def worker_pool() -> Iterator[WorkerPool]:
    """Keep a pool of workers for the length of a block."""
    workers = WorkerPool()
    try:
        yield workers
    finally:
        workers.close()


@dataclass(frozen=True, slots=True)
class Completed:
    """One operation executed: as the checker sees it, and as it was sent."""

    event: Event
    exchange: Exchange
    phase: int
    """The phase it belongs to; the clean-up is one more."""
    concurrent: bool
    """Whether others wrote at the same time."""
    passing: bool = False
    """Whether it met passing trouble: it was sent again, or what was sent before may be why it was answered so."""
    cut: bool = False
    """Whether its client hung up on purpose."""


Shown = tuple[tuple[str, ...] | None, ...]
"""The values of every image; ``None`` for one whose values could not be read."""


@dataclass(frozen=True)
class ConcurrentRun:
    """What one concurrent plan, executed, has shown."""

    plan: ConcurrentPlan
    completed: tuple[Completed, ...]
    """In the order in which it was sent."""
    quiescent: tuple[Shown, ...]
    """What was read after every phase, and after the clean-up, while nobody wrote."""
    anomalies: tuple[Anomaly, ...]
    """What no order of the operations explains."""
    late: tuple[Anomaly, ...]
    """What is explained if reads among the changes may show what was a little while before."""
    resource: str = ""
    """The name of the set that it is about."""
    history: ConcurrentHistory = field(default=ConcurrentHistory((), {}), repr=False)
    """What happened, as the checkers see it, with reads among the changes that may be a little late."""

    def __repr__(self) -> str:
        return f"<ConcurrentRun: {self.plan.pattern}, {self.plan.clients} clients, {len(self.completed)} operations>"

    @property
    def exchanges(self) -> list[Exchange]:
        """All that was sent, in that order."""
        return [each.exchange for each in self.completed]

    def exchanges_of(self, events: Iterable[Event]) -> list[Exchange]:
        """Return the exchanges of some events."""
        wanted = {(event.client, event.answered, event.kind) for event in events}
        return [
            each.exchange
            for each in self.completed
            if (each.event.client, each.event.answered, each.event.kind) in wanted
        ]

    def looks(self, phase: int, image: int = 0) -> list[Exchange]:
        """Return the last reading of an image at the end of a phase, while nobody wrote."""
        found = [
            each.exchange
            for each in self.completed
            if (each.event.client, each.event.kind, each.event.image) == (MAIN, Kind.READ, image)
            and each.phase == phase
        ]
        return found[-1:]

    def asked(self, kind: Kind, phase: int) -> list[Completed]:
        """Return the operations of a kind in a phase, without those that met passing trouble."""
        found = [each for each in self.completed if each.phase == phase and each.event.kind is kind]
        return [each for each in found if not each.passing]

    def acknowledged(self, kind: Kind, phase: int) -> list[Completed]:
        """Return the operations of a kind in a phase that the service acknowledged (2xx)."""
        return [each for each in self.asked(kind, phase) if 200 <= each.event.status < 300]  # noqa: PLR2004 - the class


@dataclass
class _Execution:
    """One concurrent plan while it is executed."""

    plan: ConcurrentPlan
    resource: SetResource
    images: list[Image]
    worker_pool: WorkerPool
    patience: Eventually
    late: float
    unhurried: bool = False
    """Whether every reading while nobody writes waits until what a late service shows has passed."""
    callers: Sequence[ImagesClient] = ()
    """Whom those who race act for, in turn; the images' own caller where there are none."""
    lag: float = field(init=False)
    """How late the service was seen to be before."""
    completed: list[Completed] = field(default_factory=list)
    """Threads write it, in any order."""
    phase: int = 0
    renamed: int = 0

    def __post_init__(self) -> None:
        self.lag = self.patience.recorder.lag

    # What the clients do

    def run(self, phase: Phase) -> None:
        """Let the clients of a phase start together, step by step, and wait until all have finished."""
        if len(phase) == 1:
            for operation in phase[0]:
                self.do(MAIN, operation)
            return
        limit = 2 * self.images[0].client.transport.timeout
        longest = max(map(len, phase))
        starts = [threading.Barrier(sum(turn < len(process) for process in phase)) for turn in range(longest)]
        processes = enumerate(phase, MAIN + 1)
        self.worker_pool.ask_each(
            [functools.partial(self._process, client, process, starts, limit) for client, process in processes],
            first=MAIN + 1,
        )

    def _process(self, client: int, process: Process, starts: list[threading.Barrier], limit: float) -> None:
        self.images[0].client.transport.connect()
        try:
            for operation, start in zip(process, starts, strict=False):
                # A client that hangs keeps the others waiting no longer than this.
                with suppress(threading.BrokenBarrierError):
                    start.wait(limit)
                self.do(client, operation)
        except BaseException:
            for start in starts:
                start.abort()
            raise

    def do(self, client: int, operation: ClientOperation) -> None:
        """Send one request, and again where it meets trouble or is asked to wait; each is an event of its own."""
        value = self._new_name(operation.image) if operation.kind is Kind.SET else operation.value
        concurrent = client != MAIN
        lost = False
        time.sleep(operation.pause)
        for tries in range(1, MOST_TRIES + 1):
            answer = self._send(client, operation, value)
            pause = None if operation.cut else pause_after(answer, tries)
            again = pause is not None and tries < MOST_TRIES
            if operation.kind is Kind.READ:
                self._saw(client, operation.image, Reading(answer, self.resource), concurrent=concurrent, passing=again)
            else:
                event = _event(client, operation, answer.exchange, value)
                passing = again or (lost and answer.refused)
                self.completed.append(Completed(event, answer.exchange, self.phase, concurrent, passing, operation.cut))
            if not again or pause is None:
                return
            lost = lost or answer.status in LOST
            if tries == FEWEST_TRIES and answer.status in TROUBLE:
                outlasted(self.images[operation.image].client, f"{answer.status or 'no answer'} to everything")
            time.sleep(pause)
            self.images[operation.image].client.transport.way.pace.wait()

    def _new_name(self, number: int) -> str:
        self.renamed += 1
        return f"{self.images[number].name}-{self.renamed}"

    def _send(self, number: int, operation: ClientOperation, value: str) -> Answer:
        image = self.images[operation.image]
        client = image.client
        number = operation.acts_for or number
        if self.callers and number != MAIN:
            client = self.callers[(number - MAIN - 1) % len(self.callers)]
        match operation.kind:
            case Kind.SET:
                request = NAME.set(image.id, value)
            case Kind.EVENT:
                request = uploads(image.id)
            case Kind.READ:
                request = self.resource.read(image.id)
            case Kind.ADD:
                request = self.resource.add(image.id, value)
            case _:
                request = self.resource.delete(image.id, value)
        if operation.spelled and self.resource.respelled:
            request = self.resource.respelled(request)
        return client.ask_once(request, cut=operation.cut)

    def wait(self) -> None:
        """Sleep for what nobody waited for: twice as long as it took for anything else."""
        taken = [each.exchange.answered - each.exchange.sent for each in self.completed if each.exchange.status]
        time.sleep(min(max(2 * max(taken, default=0.0), LEAST_WAIT), LONGEST_WAIT))

    def clean(self, shown: Shown) -> None:
        """Delete every value that is listed."""
        for number, values in enumerate(shown):
            for value in dict.fromkeys(values or ()):
                self.do(MAIN, ClientOperation(Kind.DELETE, value, number))

    # What is seen

    def _saw(self, client: int, number: int, reading: Reading, *, concurrent: bool, passing: bool = False) -> None:
        self.completed.append(
            Completed(_read(client, number, reading), reading.answer.exchange, self.phase, concurrent, passing)
        )

    def quiescent(self) -> Shown:
        """Read the images when a phase is over."""
        shown = tuple(self.eventual_values(MAIN, number) for number in range(len(self.images)))
        self.phase += 1
        return shown

    def eventual_values(self, client: int, number: int) -> tuple[str, ...] | None:
        """Read an image while nobody writes; where it shows what nothing explains, wait for it."""
        image = self.images[number]

        def look() -> Reading:
            return Reading(image.client.ask(self.resource.read(image.id)), self.resource)

        def explained(seen: Reading) -> bool:
            return not check(self.history([_read(client, number, seen)], late=self.late), self.resource)

        if self.unhurried:
            # What is shown late may well be explained, and be gone a moment later.
            time.sleep(min(2 * self.patience.recorder.lag, self.late))
        reading = self.patience.until(look(), look, explained)
        self._saw(client, number, reading, concurrent=False)
        return reading.values

    # What is made of it

    def history(
        self, more: Iterable[Event] = (), *, late: float = 0.0, quiescent_too: bool = False
    ) -> ConcurrentHistory:
        """Return the history so far; reads among the changes, or all of them, may be ``late`` by so many seconds."""
        events = [
            replace(each.event, sent=each.event.sent - late)
            if late and (each.concurrent or quiescent_too) and each.event.kind is Kind.READ
            else each.event
            for each in self.completed
        ]
        events.sort(key=lambda event: event.sent)
        names = {number: image.name for number, image in enumerate(self.images) if image.name}
        return ConcurrentHistory((*events, *more), {}, names)

    def may_be_late(self, anomalies: Iterable[Anomaly]) -> bool:
        """Return whether readings that are late, also of those while nobody wrote, would explain what has no order."""
        # A change that nobody waited for takes effect whenever it does: that is no lateness of a reading.
        cut = any(operation.cut for phase in self.plan.phases for process in phase for operation in process)
        lag = min(2 * (self.lag if cut else self.patience.recorder.lag), self.late)
        if not lag or self.unhurried or not [*anomalies]:
            return False
        return not check(self.history(late=lag, quiescent_too=True), self.resource)

    def concluded(self, quiescent: Iterable[Shown]) -> ConcurrentRun:
        """Return what the plan has shown."""
        anomalies, late = check(self.history(), self.resource), list[Anomaly]()
        if anomalies:
            # A reader may see an acknowledged change a little late, here as anywhere else.
            strict, anomalies = anomalies, check(self.history(late=self.late), self.resource)
            known = {(anomaly.image, anomaly.value, anomaly.category) for anomaly in anomalies}
            late = [each for each in strict if (each.image, each.value, each.category) not in known]
        completed = sorted(self.completed, key=lambda each: each.event.sent)
        # What was sent again is answered for by its repetition.
        anomalies += refusals((each.event for each in completed if not each.passing), self.resource)
        shown = tuple(completed), tuple(quiescent), tuple(anomalies), tuple(late)
        return ConcurrentRun(self.plan, *shown, self.resource.name, self.history(late=self.late))


def _event(client: int, operation: ClientOperation, exchange: Exchange, value: str) -> Event:
    answered = exchange.answered if exchange.status else None
    return Event(operation.kind, operation.image, client, exchange.sent, answered, exchange.status, value)


def _read(client: int, number: int, reading: Reading) -> Event:
    exchange, shown = reading.answer.exchange, NAME.value(reading.answer)
    return Event(
        Kind.READ, number, client, exchange.sent, exchange.answered, exchange.status, "", reading.values, shown
    )


def execute(
    plan: ConcurrentPlan,
    resource: SetResource,
    fresh_image: Open,
    workers: WorkerPool,
    *,
    patience: Eventually,
    late: float,
    clean: bool = True,
    callers: Sequence[ImagesClient] = (),
) -> ConcurrentRun:
    """Execute a concurrent plan on images of its own, and return what it has shown.

    ``late`` is how long after its acknowledgement a reader may miss a change, in seconds; without ``clean`` the values
    are left to the images' end. What late readings would explain, on a service that was seen to be late, is executed
    once more with patience before it stands. Raise ``Blocked`` where images cannot be had.
    Those who race act for ``callers``, in turn.
    """
    for unhurried in (False, True):
        with ExitStack() as stack:
            images = [stack.enter_context(fresh_image()) for _ in range(plan.images)]
            execution = _Execution(plan, resource, images, workers, patience, late, unhurried, callers)
            run = _executed(execution, clean=clean)
        if not execution.may_be_late(run.anomalies):
            break
    return run


def _executed(execution: _Execution, *, clean: bool) -> ConcurrentRun:
    quiescent = []
    for phase in execution.plan.phases:
        execution.run(phase)
        if any(operation.cut for process in phase for operation in process):
            execution.wait()
        quiescent.append(execution.quiescent())
    for client, number in execution.plan.readers:
        # What the owner sees by now, everyone does.
        execution.worker_pool.ask(client, functools.partial(execution.eventual_values, client, number)).result()
    if clean and any(quiescent[-1]):
        execution.clean(quiescent[-1])
        quiescent.append(execution.quiescent())
    return execution.concluded(quiescent)
