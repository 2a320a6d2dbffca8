"""Carries races out: threads that only send and write down, and a verdict when all is quiet again."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pytest_cloudimages.client import PATCH_TYPE, Answer, Image, asked_to_wait, segment
from pytest_cloudimages.contests import Action, Beat, Lane, Race
from pytest_cloudimages.exchanges import Exchange
from pytest_cloudimages.histories import Anomaly, Event, History, check
from pytest_cloudimages.plans import Answered, Kind, Reading

Open = Callable[..., AbstractContextManager[Image]]
Result = TypeVar("Result")

OWNER = 0
"""The client that prepares, reads in quiet and cleans up; those that race are numbered from 1."""


class Crew:
    """Clients that keep their connections from race to race: each is a thread of its own."""

    def __init__(self) -> None:
        self._members: list[ThreadPoolExecutor] = []

    def ask(self, client: int, what: Callable[[], Result]) -> Future[Result]:
        """Have a client do something."""
        while len(self._members) <= client:
            self._members.append(ThreadPoolExecutor(1))
        return self._members[client].submit(what)

    def close(self) -> None:
        """Let everyone go when they have finished."""
        for one in self._members:
            one.shutdown()


@contextmanager
def crew() -> Iterator[Crew]:
    """Keep a crew together for the length of a block."""
    members = Crew()
    try:
        yield members
    finally:
        members.close()


@dataclass(frozen=True)
class Quiet:
    """What the images showed when a beat was over; ``None`` for one whose tags could not be read."""

    tags: tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True)
class Heat:
    """What one race, carried out, has shown."""

    race: Race
    events: tuple[tuple[Event, Exchange], ...]
    """In the order in which they were sent."""
    quiet: tuple[Quiet, ...]
    """After every beat, and after the clean-up."""
    anomalies: tuple[Anomaly, ...]
    late: int
    """Readings among the changes that showed no more than a delay."""

    @property
    def exchanges(self) -> list[Exchange]:
        """All that was sent, in that order."""
        return [exchange for _, exchange in self.events]

    def of(self, events: Iterable[Event]) -> list[Exchange]:
        """Give the exchanges behind some events."""
        wanted = {id(one) for one in events} | {*map(_moment, events)}
        return [exchange for event, exchange in self.events if id(event) in wanted or _moment(event) in wanted]

    def acknowledged(self, kind: Kind, beat: int) -> list[tuple[int, str]]:
        """Give the (image, tag) of a beat's operations of a kind that the service acknowledged."""
        asked = {(one.image, one.tag) for lane in self.race.beats[beat] for one in lane if one.kind is kind}
        done = {(one.image, one.tag) for one, exchange in self.events if one.kind == kind and _ok(exchange)}
        return sorted(asked & done)


def _moment(event: Event) -> tuple[int, float]:
    return event.client, event.sent


def _ok(exchange: Exchange) -> bool:
    return 200 <= exchange.status < 300  # noqa: PLR2004 - the class of codes


@dataclass
class _Course:
    """One race while it is run."""

    race: Race
    images: list[Image]
    crew: Crew
    patience: float
    events: list[tuple[Event, Exchange]] = field(default_factory=list)
    among: set[int] = field(default_factory=set)
    """Readings that were made while others wrote, by their place."""
    renamed: int = 0

    def note(self, event: Event, exchange: Exchange, *, among: bool = False) -> None:
        """Write an event down; threads do so in any order."""
        self.events.append((event, exchange))
        if among:
            self.among.add(id(event))

    # What the clients do

    def run(self, beat: Beat) -> None:
        """Let the clients of a beat start together, step by step, and wait until all have finished."""
        if len(beat) == 1:
            for action in beat[0]:
                self.act(OWNER, action)
            return
        limit = 2 * self.images[0].client.wire.timeout
        longest = max(map(len, beat))
        starts = [threading.Barrier(sum(turn < len(lane) for lane in beat)) for turn in range(longest)]
        runs = [
            self.crew.ask(number, lambda lane=lane, number=number: self._lane(number, lane, starts, limit))  # type: ignore[misc]
            for number, lane in enumerate(beat, OWNER + 1)
        ]
        # All are waited for before any problem is raised: no request may leak into the next race.
        problems = [run.exception() for run in runs]
        for problem in problems:
            if problem is not None:
                raise problem

    def _lane(self, client: int, lane: Lane, starts: list[threading.Barrier], limit: float) -> None:
        self.images[0].client.wire.connect()
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

    def act(self, client: int, action: Action) -> None:
        """Send one request, and once more where the service asks to wait; each is an event of its own."""
        image = self.images[action.image]
        for _ in range(2):
            answer = self._send(image, action)
            if action.kind is Kind.READ:
                self._seen(client, action.image, Reading(answer), among=True)
            else:
                self.note(_event(client, action, answer), answer.exchange)
            if (pause := asked_to_wait(answer.exchange.method, answer)) is None:
                return
            time.sleep(pause)

    def _send(self, image: Image, action: Action) -> Answer:
        target = f"/images/{image.id}"
        if action.kind is Kind.RENAME:
            self.renamed += 1
            change = {"op": "replace", "path": "/name", "value": f"{image.name}-{self.renamed}"}
            return image.client.send_once("PATCH", target, json=[change], headers={"Content-Type": PATCH_TYPE})
        if action.kind is Kind.READ:
            return image.client.send_once("GET", target)
        method = "PUT" if action.kind is Kind.ADD else "DELETE"
        return image.client.send_once(method, f"{target}/tags/{segment(action.tag)}", cut=action.cut)

    # What is seen

    def _seen(self, client: int, number: int, reading: Reading, *, among: bool = False) -> None:
        if reading.tags is not None:
            self.note(_read(client, number, reading), reading.answer.exchange, among=among)

    def quiet(self, client: int = OWNER, number: int | None = None) -> Quiet:
        """Read the images; where one shows what nothing explains, wait for it."""
        numbers = range(len(self.images)) if number is None else [number]
        return Quiet(tuple(self._settled(client, one) for one in numbers))

    def _settled(self, client: int, number: int) -> tuple[str, ...] | None:
        image = self.images[number]

        def look() -> Reading:
            return Reading(image.show())

        def explained(seen: Reading) -> bool:
            return seen.tags is None or not check(self.history([_read(client, number, seen)]))

        reading = look()
        if image.patience is not None:
            reading = image.patience.until(reading, look, explained)
        self._seen(client, number, reading)
        return reading.tags

    def clean(self, seen: Quiet) -> None:
        """Delete every tag that is listed."""
        for number, tags in enumerate(seen.tags):
            for tag in dict.fromkeys(tags or ()):
                self.act(OWNER, Action(Kind.DELETE, tag, number))

    # What is made of it

    def history(self, more: Iterable[Event] = (), *, late: float = 0.0) -> History:
        """Give the history so far; readings among the changes may be so many seconds ``late``."""
        events = [
            replace(event, sent=event.sent - late) if late and id(event) in self.among else event
            for event, _ in self.events
        ]
        return History((*events, *more), {})

    def heat(self, quiet: Iterable[Quiet]) -> Heat:
        """Conclude the race."""
        anomalies, late = check(self.history()), 0
        if anomalies:
            strict = anomalies
            # A reader may see an acknowledged change a little late, here as anywhere else.
            anomalies = check(self.history(late=self.patience))
            late = len(strict) - len(anomalies)
        events = sorted(self.events, key=lambda one: one[0].sent)
        return Heat(self.race, tuple(events), tuple(quiet), tuple(anomalies), max(late, 0))


def _event(client: int, action: Action, answer: Answer) -> Event:
    exchange = answer.exchange
    # What the service failed at may have been done, or may yet be.
    answered = None if exchange.broken else exchange.answered
    return Event(
        kind=action.kind, image=action.image, client=client, sent=exchange.sent, answered=answered,
        status=exchange.status, tag=action.tag, tags=None,
    )  # fmt: skip


def _read(client: int, number: int, reading: Reading) -> Event:
    exchange = reading.answer.exchange
    return Event(
        kind=Kind.READ, image=number, client=client, sent=exchange.sent, answered=exchange.answered,
        status=exchange.status, tag="", tags=reading.tags,
    )  # fmt: skip


def run(fresh_image: Open, race: Race, members: Crew, *, patience: float, clean: bool = True) -> Heat:
    """Run a race on images of its own, and give what it has shown.

    ``patience`` is how late a reader may see what was acknowledged, in seconds; without ``clean`` the tags are left to
    the images' end. Raises ``Blocked`` where images cannot be had.
    """
    with ExitStack() as stack:
        images = [stack.enter_context(fresh_image()) for _ in range(race.images)]
        course = _Course(race, images, members, patience)
        quiet = []
        for beat in race.beats:
            course.run(beat)
            quiet.append(course.quiet())
        for client, number in race.readers:
            members.ask(client, lambda client=client, number=number: course.quiet(client, number)).result()  # type: ignore[misc]
        if clean and any(quiet[-1].tags):
            course.clean(quiet[-1])
            quiet.append(course.quiet())
        return course.heat(quiet)
