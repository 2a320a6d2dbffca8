"""Requests that meet: deletions of one image, a patch and a deletion, uploads to several images, and two callers.

What meets is sent by clients of their own, at once or one shortly after the other. Which came first nobody knows: only
what no order explains is of interest.
"""

import enum
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.images.patch_model import add, remove, replaced
from pytest_cloudimages.areas.images.states import OCTETS, once_active, once_deleted, shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.concurrent import WorkerPool, worker_pool
from pytest_cloudimages.engine.lateness import look_for_lateness
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

ROUNDS = 3
"""How often each meeting is brought about: whether two requests meet is for the service's load to say."""
LOOKS = 3
"""How often an image is looked at while a patch is under way."""
LONGEST_PAUSE = 0.1
"""Seconds that one request is sent after the other at most, where it is to come while that one is served."""
Send = Callable[[], Answer]


class Meeting(enum.StrEnum):
    """What was asked while something else was."""

    DELETED = "the deletion of an image that another deletes at once"
    PATCHED = "an image that was deleted while it was patched, or tagged"
    PROTECTED = "the deletion of an image whose protection was confirmed meanwhile"
    HALF = "an image, asked for while two of its attributes are set by one patch"
    HALF_REFUSED = "an image, asked for while a patch of it is refused"
    TAGS = "the tags of an image, asked for while a patch replaces the only one by another"
    REVOKED = "a membership that was ended while the member decided on it"
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
    def halves(self) -> tuple[object, ...]:
        """The values of the attributes that are set together."""
        return tuple(self._shown.get(name) for name in HALVES)

    @property
    def tags(self) -> list[object]:
        """The tags that are shown; none where no list is."""
        tags = self._shown.get("tags")
        return tags if isinstance(tags, list) else []

    def tags_among(self, ours: frozenset[str]) -> list[object]:
        """Return the tags that are shown, but for those that others have added."""
        return [tag for tag in self.tags if tag in ours]

    @property
    def _shown(self) -> Mapping[str, Any]:
        return self.answer.document

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


@workload(empty=Meetings, requests=(0, 144, 144, 144))
def image_meetings(run: Run) -> Meetings:
    """Delete an image twice at once, and while it is patched; fill several at once; ask with two callers at once."""
    met: dict[Meeting, list[Met]] = {}
    if not run.rounds:
        return Meetings(met)
    run.require_own()
    with worker_pool() as workers:
        for part in (_deleted, _patched, _protected, _half_way, _revoked, _filled, _asked):
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
                once_deleted(image)


def _patched(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    """Delete an image while it is patched, and one while it is tagged: neither writes back what it has read before."""
    for turn in range(ROUNDS + 1):
        with run.fresh_image(own=True) as image:
            change, kind = [replaced("/name", f"{image.name}-2")], {"Content-Type": PATCH_TYPE}
            first = partial(image.client.patch, image.id, replaced("/name", f"{image.name}-1"))
            second = partial(image.client.send_once, "PATCH", f"/images/{image.id}", json=change, headers=kind)
            if turn == ROUNDS:
                first = partial(image.add_tag, "first")
                second = partial(image.client.send_once, "PUT", f"/images/{image.id}/tags/second")
            with run.recorder.of(Purpose.PREPARING):
                pause = _half_of(first)
            deletion = partial(image.client.send_once, "DELETE", f"/images/{image.id}")
            changed, deleted = _together(workers, image.client, [second, deletion], pause)
            if deleted.ok:
                before = changed.exchange, deleted.exchange
                met.setdefault(Meeting.PATCHED, []).append(Met(once_deleted(image), image.id, before))


def _protected(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    """Protect an image while it is deleted: of the two one comes first, and then the other one is refused."""
    with run.fresh_image(own=True) as first, run.recorder.of(Purpose.PREPARING):
        deleted = list[Answer]()
        pause = _half_of(lambda: deleted.append(first.client.delete(first.id)))
        if deleted[0].ok:
            once_deleted(first)
    for _ in range(ROUNDS):
        with run.fresh_image(own=True) as image:
            change, kind = [replaced("/protected", True)], {"Content-Type": PATCH_TYPE}
            patch = partial(image.client.send_once, "PATCH", f"/images/{image.id}", json=change, headers=kind)
            deletion = partial(image.client.send_once, "DELETE", f"/images/{image.id}")
            answer, patched = _together(workers, image.client, [deletion, patch], pause)
            if patched.ok:
                met.setdefault(Meeting.PROTECTED, []).append(Met(answer, image.id, (patched.exchange,)))
            with run.recorder.of(Purpose.CLEANING):
                if answer.ok:
                    once_deleted(image)
                else:
                    image.client.patch(image.id, replaced("/protected", False))


HALVES = ("cloudimages_half", "cloudimages_whole")
"""Attributes that are set together, always to the same."""
SET = frozenset({"first", *(f"{word}{turn}" for turn in range(ROUNDS) for word in ("", "not "))})
"""The values to which they are set, and the tags."""


def _half_way(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    """Look at an image while a patch sets two of its attributes to one value, and while one is refused at its end."""
    with run.fresh_image(own=True) as image:
        # A service may know no more than the tags' addresses.
        tagged = True

        def setting(value: str, *more: Mapping[str, Any]) -> Send:
            change = [*(add(f"/{name}", value) for name in HALVES), *more]
            if tagged and not more:
                change.append(replaced("/tags", [value]))
            kind = {"Content-Type": PATCH_TYPE}
            return partial(image.client.send_once, "PATCH", f"/images/{image.id}", json=change, headers=kind)

        with run.recorder.of(Purpose.PREPARING):
            begun = time.monotonic()
            if not setting("first")().ok:
                begun, tagged = time.monotonic(), False
                if not setting("first")().ok:
                    return
            pause = min((time.monotonic() - begun) / (LOOKS + 1), LONGEST_PAUSE)
        look = partial(image.client.send_once, "GET", f"/images/{image.id}")
        torn: list[Met] = []
        # Until all looks have shown tags, none at all may be what there was at first, shown late.
        begun_everywhere = False
        for turn in range(ROUNDS):
            lacking = remove("/cloudimages_lacking")
            patches = ((Meeting.HALF, setting(f"{turn}")), (Meeting.HALF_REFUSED, setting(f"not {turn}", lacking)))
            for meeting, patch in patches:
                patched, *looks = _together(workers, image.client, [patch, *[look] * LOOKS], pause)
                found = [Met(seen, image.id, (patched.exchange,)) for seen in looks]
                if patched.ok is (meeting is Meeting.HALF):
                    met.setdefault(meeting, []).extend(found)
                if tagged and begun_everywhere and patched.ok and Met(patched, image.id).tags == [f"{turn}"]:
                    torn += [seen for seen in found if seen.answer.ok and len(seen.tags_among(SET)) != 1]
                begun_everywhere = begun_everywhere or all(seen.answer.ok and seen.tags for seen in found)
    if torn:
        # Tags may be shown later than what they were set with.
        look_for_lateness(run)
        met[Meeting.TAGS] = [] if run.recorder.lag else torn


def _revoked(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    """End a membership while the member decides on it: whichever comes first, it is ended."""
    other = run.of_another_project(able=True)
    if other is None:
        return
    project = run.owner_of(other)
    with run.fresh_image(own=True) as image:
        target, pause = f"/images/{image.id}/members/{project}", 0.0
        for turn in range(ROUNDS + 1):
            with run.recorder.of(Purpose.PREPARING):
                shared(image, project)
            decide = partial(other.send_once, "PUT", target, json={"status": "accepted"})
            if not turn:  # it takes this long
                pause = _half_of(decide)
                with run.recorder.of(Purpose.PREPARING):
                    require_ok(image.client.send("DELETE", target))
                continue
            end = partial(image.client.send_once, "DELETE", target)
            decided, ended = _together(workers, image.client, [decide, end], pause)
            if not ended.ok:
                return
            looked = image.eventually(lambda: image.client.send("GET", target), lambda seen: not seen.ok)
            met.setdefault(Meeting.REVOKED, []).append(Met(looked, image.id, (decided.exchange, ended.exchange)))
            if looked.ok:
                return


def _filled(run: Run, workers: WorkerPool, met: dict[Meeting, list[Met]]) -> None:
    with ExitStack() as stack:
        images = [stack.enter_context(run.fresh_image(own=True)) for _ in range(ROUNDS)]
        with run.recorder.of(Purpose.PREPARING):
            answers = _together(workers, run.client, [partial(image.upload, OCTETS) for image in images])
        before = tuple(answer.exchange for answer in answers)
        for image, answer in zip(images, answers, strict=True):
            if answer.ok:
                looked = once_active(image)
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
