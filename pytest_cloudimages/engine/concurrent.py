"""Carries races out: threads that only send and write down, and a verdict when all is quiet again."""

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import PATCH_TYPE, Answer, pause_after, segment
from pytest_cloudimages.client.trouble import LOST
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.concurrent_plans import ClientOperation, ConcurrentPlan, Phase, Process
from pytest_cloudimages.history.events import Anomaly, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Reading

Open = Callable[..., AbstractContextManager[Image]]
Result = TypeVar("Result")

LEAST_WAIT, LONGEST_WAIT = 0.02, 1.0  # seconds
MOST_TRIES = 6
"""How often a request of a race is sent where it meets trouble on the way."""
MAIN = 0
"""The client that prepares, reads in quiet and cleans up; those that race are numbered from 1."""


class WorkerPool:
    """Clients that keep their connections from race to race: each is a thread of its own."""

    def __init__(self) -> None:
        self._members: list[ThreadPoolExecutor] = []

    def ask(self, client: int, what: Callable[[], Result]) -> Future[Result]:
        """Have a client do something, which counts for the check, and serves the purpose, at hand here."""
        while len(self._members) <= client:
            self._members.append(ThreadPoolExecutor(1))
        return self._members[client].submit(copy_context().run, what)

    def close(self) -> None:
        """Let everyone go when they have finished."""
        for one in self._members:
            one.shutdown()


@contextmanager
def worker_pool() -> Iterator[WorkerPool]:
    """Keep a crew together for the length of a block."""
    members = WorkerPool()
    try:
        yield members
    finally:
        members.close()


@dataclass(frozen=True, slots=True)
class Completed:
    """One operation carried out: as the checker sees it, and as it was sent."""

    event: Event
    exchange: Exchange
    beat: int
    """The beat it belongs to; the clean-up is one more."""
    among: bool
    """Whether others wrote at the same time."""
    passing: bool = False
    """Whether it met passing trouble: it was sent again, or what was sent before may be why it was answered so."""


Shown = tuple[tuple[str, ...] | None, ...]
"""The tags of every image; ``None`` for one whose tags could not be read."""


@dataclass(frozen=True)
class ConcurrentRun:
    """What one race, carried out, has shown."""

    race: ConcurrentPlan
    done: tuple[Completed, ...]
    """In the order in which it was sent."""
    quiet: tuple[Shown, ...]
    """What was read after every beat, and after the clean-up."""
    anomalies: tuple[Anomaly, ...]
    """What no order of the operations explains."""
    late: tuple[Anomaly, ...]
    """What is explained if readings among the changes may show what was a little while before."""

    @property
    def exchanges(self) -> list[Exchange]:
        """All that was sent, in that order."""
        return [one.exchange for one in self.done]

    def behind(self, events: Iterable[Event]) -> list[Exchange]:
        """Give the exchanges behind some events."""
        wanted = {(one.client, one.answered, one.kind) for one in events}
        return [one.exchange for one in self.done if (one.event.client, one.event.answered, one.event.kind) in wanted]

    def asked(self, kind: Kind, beat: int) -> list[Completed]:
        """Return the operations of a kind in a beat, without those that met passing trouble."""
        return [done for done in self.done if done.beat == beat and done.event.kind is kind and not done.passing]

    def acknowledged(self, kind: Kind, beat: int) -> list[Completed]:
        """Give the operations of a kind in a beat that the service acknowledged (2xx)."""
        return [one for one in self.asked(kind, beat) if 200 <= one.event.status < 300]  # noqa: PLR2004 - the class


@dataclass
class _Execution:
    """One race while it is run."""

    race: ConcurrentPlan
    images: list[Image]
    worker_pool: WorkerPool
    patience: Eventually
    late: float
    done: list[Completed] = field(default_factory=list)
    """Threads write it, in any order."""
    beat: int = 0
    renamed: int = 0

    # What the clients do

    def run(self, beat: Phase) -> None:
        """Let the clients of a beat start together, step by step, and wait until all have finished."""
        if len(beat) == 1:
            for action in beat[0]:
                self.act(MAIN, action)
            return
        limit = 2 * self.images[0].client.transport.timeout
        longest = max(map(len, beat))
        starts = [threading.Barrier(sum(turn < len(lane) for lane in beat)) for turn in range(longest)]
        runs = [
            self.worker_pool.ask(number, functools.partial(self._lane, number, lane, starts, limit))
            for number, lane in enumerate(beat, MAIN + 1)
        ]
        # All are waited for before any problem is raised: no request may leak into the next race.
        problems = [execute.exception() for execute in runs]
        for problem in problems:
            if problem is not None:
                raise problem

    def _lane(self, client: int, lane: Process, starts: list[threading.Barrier], limit: float) -> None:
        self.images[0].client.transport.connect()
        try:
            for action, start in zip(lane, starts, strict=False):
                # One that hangs keeps the others waiting only so long.
                with suppress(threading.BrokenBarrierError):
                    start.wait(limit)
                self.act(client, action)
        except BaseException:
            for start in starts:
                start.abort()
            raise

    def act(self, client: int, action: ClientOperation) -> None:
        """Send one request, and again where it meets trouble or is asked to wait; each is an event of its own."""
        name = self._new_name(action.image) if action.kind is Kind.RENAME else None
        among = client != MAIN
        lost = False
        time.sleep(action.pause)
        for tries in range(1, MOST_TRIES + 1):
            answer = self._send(action, name)
            pause = None if action.cut else pause_after(answer, tries)
            again = pause is not None and tries < MOST_TRIES
            if action.kind is Kind.READ:
                self._seen(client, action.image, Reading(answer), among=among)
            else:
                event = _event(client, action, answer.exchange, name)
                passing = again or (lost and answer.refused)
                self.done.append(Completed(event, answer.exchange, self.beat, among, passing))
            if not again or pause is None:
                return
            lost = lost or answer.status in LOST
            time.sleep(pause)
            self.images[action.image].client.transport.way.pace.wait()

    def _new_name(self, number: int) -> str:
        self.renamed += 1
        return f"{self.images[number].name}-{self.renamed}"

    def _send(self, action: ClientOperation, name: str | None) -> Answer:
        image = self.images[action.image]
        client, target = image.client, f"/images/{image.id}"
        match action.kind:
            case Kind.RENAME:
                change = {"op": "replace", "path": "/name", "value": name}
                return client.send_once("PATCH", target, json=[change], headers={"Content-Type": PATCH_TYPE})
            case Kind.READ:
                return client.send_once("GET", target)
            case Kind.ADD:
                return client.send_once("PUT", f"{target}/tags/{segment(action.tag)}", cut=action.cut)
            case _:
                return client.send_once("DELETE", f"{target}/tags/{segment(action.tag)}", cut=action.cut)

    def wait(self) -> None:
        """Give the service time for what nobody waited for: twice as long as it took for anything else."""
        taken = [one.exchange.answered - one.exchange.sent for one in self.done if one.exchange.status]
        time.sleep(min(max(2 * max(taken, default=0.0), LEAST_WAIT), LONGEST_WAIT))

    def clean(self, shown: Shown) -> None:
        """Delete every tag that is listed."""
        for number, tags in enumerate(shown):
            for tag in dict.fromkeys(tags or ()):
                self.act(MAIN, ClientOperation(Kind.DELETE, tag, number))

    # What is seen

    def _seen(self, client: int, number: int, reading: Reading, *, among: bool) -> None:
        self.done.append(Completed(_read(client, number, reading), reading.answer.exchange, self.beat, among))

    def quiet(self) -> Shown:
        """Read the images when a beat is over."""
        shown = tuple(self.eventual_tags(MAIN, number) for number in range(len(self.images)))
        self.beat += 1
        return shown

    def eventual_tags(self, client: int, number: int) -> tuple[str, ...] | None:
        """Read an image in quiet; where it shows what nothing explains, wait for it."""
        image = self.images[number]

        def look() -> Reading:
            return Reading(image.show())

        def explained(seen: Reading) -> bool:
            return not check(self.history([_read(client, number, seen)], late=self.late))

        if lag := self.patience.recorder.lag:
            # What is shown late may well be explained, and be gone a moment later.
            time.sleep(min(2 * lag, self.late))
        reading = self.patience.until(look(), look, explained)
        self._seen(client, number, reading, among=False)
        return reading.tags

    # What is made of it

    def history(self, more: Iterable[Event] = (), *, late: float = 0.0) -> ConcurrentHistory:
        """Give the history so far; readings among the changes may be so many seconds ``late``."""
        events = [
            replace(one.event, sent=one.event.sent - late)
            if late and one.among and one.event.kind is Kind.READ
            else one.event
            for one in self.done
        ]
        events.sort(key=lambda one: one.sent)
        names = {number: image.name for number, image in enumerate(self.images) if image.name}
        return ConcurrentHistory((*events, *more), {}, names)

    def heat(self, quiet: Iterable[Shown]) -> ConcurrentRun:
        """Conclude the race."""
        anomalies, late = check(self.history()), list[Anomaly]()
        if anomalies:
            # A reader may see an acknowledged change a little late, here as anywhere else.
            strict, anomalies = anomalies, check(self.history(late=self.late))
            known = {(one.image, one.tag, one.category) for one in anomalies}
            late = [one for one in strict if (one.image, one.tag, one.category) not in known]
        done = sorted(self.done, key=lambda one: one.event.sent)
        return ConcurrentRun(self.race, tuple(done), tuple(quiet), tuple(anomalies), tuple(late))


def _event(client: int, action: ClientOperation, exchange: Exchange, name: str | None) -> Event:
    answered = exchange.answered if exchange.status else None
    return Event(action.kind, action.image, client, exchange.sent, answered, exchange.status, action.tag, None, name)


def _read(client: int, number: int, reading: Reading) -> Event:
    exchange, name = reading.answer.exchange, (reading.attributes or {}).get("name")
    shown = name if isinstance(name, str) else None
    return Event(Kind.READ, number, client, exchange.sent, exchange.answered, exchange.status, "", reading.tags, shown)


def execute(
    fresh_image: Open,
    race: ConcurrentPlan,
    members: WorkerPool,
    *,
    patience: Eventually,
    late: float,
    clean: bool = True,
) -> ConcurrentRun:
    """Run a race on images of its own, and give what it has shown.

    ``late`` is how long after its acknowledgement a reader may miss a change, in seconds; without ``clean`` the tags
    are left to the images' end. Raises ``Blocked`` where images cannot be had.
    """
    with ExitStack() as stack:
        images = [stack.enter_context(fresh_image()) for _ in range(race.images)]
        course = _Execution(race, images, members, patience, late)
        quiet = []
        for beat in race.beats:
            course.run(beat)
            if any(action.cut for lane in beat for action in lane):
                course.wait()
            quiet.append(course.quiet())
        for client, number in race.readers:
            # What the owner sees by now, everyone does.
            members.ask(client, functools.partial(course.eventual_tags, client, number)).result()
        if clean and any(quiet[-1]):
            course.clean(quiet[-1])
            quiet.append(course.quiet())
        return course.heat(quiet)
