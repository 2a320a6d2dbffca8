"""Requests that meet: deletions of one image, a patch and a deletion, uploads to several images, and two callers.

What meets is sent by clients of their own, at once or one shortly after the other. Which came first nobody knows: only
what no order explains is of interest.
"""

import enum
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import OCTETS, state_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.concurrent import WorkerPool, worker_pool
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

ROUNDS = 3
"""How often each meeting is brought about: whether two requests meet is for the service's load to say."""
LONGEST_PAUSE = 0.1
"""Seconds that one request is sent after the other at most, where it is to come while that one is served."""
Send = Callable[[], Answer]


class Meeting(enum.StrEnum):
    """What was asked while something else was."""

    DELETED = "the deletion of an image that another deletes at once"
    PATCHED = "an image that was deleted while it was patched"
    FILLED = "one of several images that were given data at once"
    SHOWN = "an image, asked for by another project that does not see it while its owner asks for it"
    LISTED = "a list of images, asked for by another project while their owner asks for the same"
    OWN_LIST = "a list of images, asked for by their owner while another project asks for the same"


@dataclass(frozen=True)
class Met:
    """An answer, and the image that it was about."""

    answer: Answer
    image: str
    before: tuple[Exchange, ...] = ()
    """What led to it."""

    def __str__(self) -> str:
        return str(self.answer)

    @property
    def failed(self) -> bool:
        """Whether the service failed: what speaks of the way to it and of its load is no failure."""
        return self.answer.status >= 500 and self.answer.status not in TROUBLE  # noqa: PLR2004 - the class of codes

    @property
    def lists_it(self) -> bool:
        """Whether the image is in the list that was answered."""
        return any(entry.get("id") == self.image for entry in entries_of(self.answer, "/images"))


@dataclass(frozen=True, repr=False)
class Meetings(Collection):
    """What was answered to requests that met, and what had become of the images when they were over."""

    met: dict[Meeting, list[Met]] = field(default_factory=dict)

    @cases
    def of(self, meeting: Meeting) -> Iterator[Case[Met]]:
        """Return what came of the meetings of a kind."""
        for met in self.met.get(meeting, ()):
            yield Case(met, [*met.before, met.answer.exchange])


@workload(empty=Meetings, requests=(0, 187, 187, 187))
def image_meetings(run: Run) -> Meetings:
    """Delete an image twice at once, and while it is patched; fill several at once; ask with two callers at once."""
    met: dict[Meeting, list[Met]] = {}
    if not run.rounds:
        return Meetings(met)
    run.require_own()
    with worker_pool() as workers:
        for part in (_deleted, _patched, _filled, _asked):
            with suppress(Blocked, pytest.skip.Exception):
                part(run, workers, met)
            run.show(partial(Meetings, met))
    return Meetings(met)


def _together(workers: WorkerPool, client: ImagesClient, sends: Sequence[Send], pause: float = 0.0) -> list[Answer]:
    """Send requests by clients of their own, one ``pause`` after another, and return the answers in their order."""
    start = threading.Barrier(len(sends))

    def sent(place: int, send: Send) -> Answer:
        client.transport.connect()
        with suppress(threading.BrokenBarrierError):
            start.wait(2 * client.transport.timeout)
        time.sleep(place * pause)
        return send()

    return workers.ask_each([partial(sent, place, send) for place, send in enumerate(sends)])


def _half_of(send: Callable[[], object]) -> float:
    """Return half the time that a request takes, in seconds: what is sent so much later comes while it is served."""
    begun = time.monotonic()
    send()
    return min((time.monotonic() - begun) / 2, LONGEST_PAUSE)


def _is_gone(answer: Answer) -> bool:
    return not answer.ok


def _forget(image: Image) -> None:
    """Have nobody wait for an image to be known that is gone."""
    image.client.recorder.traces.created_by.pop(image.id, None)


def _deleted(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    for _ in range(ROUNDS):
        with run.fresh_image(own=True) as image:
            deletion = partial(image.client.send_once, "DELETE", f"/images/{image.id}")
            answers = _together(workers, image.client, [deletion, deletion])
            if any(answer.ok for answer in answers):
                exchanges = [answer.exchange for answer in answers]
                met.setdefault(Meeting.DELETED, []).extend(
                    Met(answer, image.id, tuple(each for each in exchanges if each is not answer.exchange))
                    for answer in answers
                )
                if _is_gone(image.eventually(image.show, _is_gone)):
                    _forget(image)


def _patched(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    for _ in range(ROUNDS):
        with run.fresh_image(own=True) as image:
            with run.recorder.of(Purpose.PREPARING):
                pause = _half_of(partial(image.client.patch, image.id, replaced("/name", f"{image.name}-1")))
            change, kind = [replaced("/name", f"{image.name}-2")], {"Content-Type": PATCH_TYPE}
            patch = partial(image.client.send_once, "PATCH", f"/images/{image.id}", json=change, headers=kind)
            deletion = partial(image.client.send_once, "DELETE", f"/images/{image.id}")
            patched, deleted = _together(workers, image.client, [patch, deletion], pause)
            if deleted.ok:
                looked = image.eventually(image.show, _is_gone)
                before = patched.exchange, deleted.exchange
                met.setdefault(Meeting.PATCHED, []).append(Met(looked, image.id, before))
                if _is_gone(looked):
                    _forget(image)


def _filled(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    with ExitStack() as stack:
        images = [stack.enter_context(run.fresh_image(own=True)) for _ in range(ROUNDS)]
        with run.recorder.of(Purpose.PREPARING):
            answers = _together(workers, run.client, [partial(image.upload, OCTETS) for image in images])
        before = tuple(answer.exchange for answer in answers)
        for image, answer in zip(images, answers, strict=True):
            if answer.ok:
                looked = image.eventually(image.show, lambda shown: state_of(shown) == "active")
                met.setdefault(Meeting.FILLED, []).append(Met(looked, image.id, before))


def _asked(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    """Have the owner and another project ask for the same at once: each is answered what its own token opens."""
    other = run.of_another_project()
    if other is None:
        return
    with run.fresh_image(own=True) as image:
        if not other.show(image.id).refused:
            return
        listed = f"/images?name={image.name}"

        def is_listed() -> bool:
            looks = (Met(run.client.send("GET", listed), image.id) for _ in range(ROUNDS))
            return all(met.lists_it for met in looks)

        asked_for: list[tuple[str, tuple[Meeting, Meeting | None]]] = [(f"/images/{image.id}", (Meeting.SHOWN, None))]
        # A list that is late, or a replica's, has nothing to do with who else asks for it.
        if image.eventually(is_listed, bool):
            asked_for.append((listed, (Meeting.LISTED, Meeting.OWN_LIST)))
        for target, meetings in asked_for:
            callers = other, run.client
            first, second = (partial(client.send_once, "GET", target) for client in callers)
            pause = _half_of(first)
            for turn in range(2 * ROUNDS):
                sends = (first, second) if turn % 2 else (second, first)
                answers = _together(workers, run.client, sends, pause)
                asked = zip(meetings, answers if turn % 2 else reversed(answers), strict=True)
                for meeting, answer in asked:
                    if meeting:
                        others = tuple(each.exchange for each in answers if each is not answer)
                        met.setdefault(meeting, []).append(Met(answer, image.id, others))
