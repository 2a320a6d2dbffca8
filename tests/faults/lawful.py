"""Services that are unlike ours and break nothing: the suite must find nothing in them."""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from random import Random

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .racing import MILLISECOND, RACES_AND_CODES, Meets, Minds
from .registry import breaks

KIND = Kind.STATUS


@breaks()
class Honest(App):
    """The honest app itself."""


@breaks(profile="standard")
class HonestToTheEnd(App):
    """The honest app, asked for everything."""


@breaks()
class ShowsTagsInOrder(App):
    """Shows tags in the order of the alphabet, the last first."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": sorted(image.tags, reverse=True)}


@breaks()
class ShowsTagsInNoOrder(App):
    """Shows tags in an order that changes with every answer."""

    turn = 0

    def represent(self, image: Image) -> dict[str, object]:
        self.turn += 1
        cut = self.turn % (len(image.tags) or 1)
        return super().represent(image) | {"tags": [*image.tags[cut:], *image.tags[:cut]]}


@breaks("TAG-ADD-18", profile="standard")
class Answers201ToAFirstAddition(App):
    """Answers 201 to a first addition, as HTTP has it: undocumented, and no more than that."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        again = tag in self.images.get(image_id).tags
        reply = super().add_tag(request, image_id, tag)
        return reply if again else Reply(HTTPStatus.CREATED)


@breaks("TAG-ADD-16", profile="standard")
class RefusesAnUnknownImageOtherwise(App):
    """Answers 400 to an addition to an unknown image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not any(image.id == image_id for image in self.images.all()):
            return self.error(request, HTTPStatus.BAD_REQUEST, "There is no such image.")
        return super().add_tag(request, image_id, tag)


class _Dislikes(App):
    status = HTTPStatus.BAD_REQUEST

    def disliked(self, tag: str) -> bool:
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.disliked(tag):
            return self.error(request, self.status, "Not such a tag.")
        return super().add_tag(request, image_id, tag)


@breaks(profile="standard")
class TakesAsciiOnly(_Dislikes):
    """Refuses tags beyond ASCII with 400."""

    def disliked(self, tag: str) -> bool:
        return not tag.isascii()


@breaks(profile="standard")
class TakesNoControls(_Dislikes):
    """Refuses tags with control characters with 400."""

    def disliked(self, tag: str) -> bool:
        return any(ord(character) < 32 or ord(character) == 127 for character in tag)


@breaks(profile="standard")
class TakesNoSlash(_Dislikes):
    """Answers 404 to a tag with a slash, as Glance does."""

    status = HTTPStatus.NOT_FOUND

    def disliked(self, tag: str) -> bool:
        return "/" in tag


@breaks("TAG-RESP-03", profile="standard")
class SaysNoMoreThanTheStatus(App):
    """Sends errors without words or types, and what HTTP asks for all the same."""

    def error(
        self, request: Request, status: HTTPStatus, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> Reply:
        if "/tags" in request.path:
            return Reply(status, b"", headers)
        return super().error(request, status, message, headers)


@breaks()
class AsksToWait(App):
    """Answers every ninth tag operation with 503 and asks to come back at once."""

    turn = 0

    def route(self, request: Request) -> Reply:
        if "/tags/" in request.path:
            self.turn += 1
            if self.turn % 9 == 0:
                return self.error(request, HTTPStatus.SERVICE_UNAVAILABLE, "Too busy.", (("Retry-After", "0"),))
        return super().route(request)


@breaks()
class ShowsChangesLate(App):
    """Shows changes of tags 30 milliseconds after they were acknowledged."""

    lag = 0.03

    def __init__(self) -> None:
        super().__init__()
        self.past: dict[str, list[tuple[float, list[str]]]] = {}

    def _noted(self, image_id: str, reply: Reply) -> Reply:
        tags = list(self.images.get(image_id).tags)
        self.past.setdefault(image_id, [(0.0, [])]).append((time.monotonic(), tags))
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            return self._noted(image_id, super().add_tag(request, image_id, tag))

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            return self._noted(image_id, super().delete_tag(request, image_id, tag))

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            return self._noted(image_id, super().update_image(request, image_id))

    def show_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            seen = [tags for when, tags in self.past.get(image_id, ()) if when < time.monotonic() - self.lag]
            data = self.represent(image)
            return Reply.of_json(data | {"tags": seen[-1]} if seen else data)


# Where clients meet, or leave


@breaks(profile="standard")
class TakesItsTime(App):
    """Waits up to 5 ms before every operation, and as long after it."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = Random(1)  # noqa: S311 - a delay is no secret

    def route(self, request: Request) -> Reply:
        time.sleep(self.chance.uniform(0, 5) * MILLISECOND)
        reply = super().route(request)
        time.sleep(self.chance.uniform(0, 5) * MILLISECOND)
        return reply


@breaks(profile="standard")
class DoesLaterWhatNobodyHeard(Minds):
    """Carries out a change whose client has left after the next change, whoever makes it."""

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:  # noqa: ARG002
        self.wait(image_id, change)
        return Reply(HTTPStatus.NO_CONTENT)


@breaks(profile="standard")
class DoesAtLastWhatNobodyHeard(Minds):
    """Carries out a change whose client has left 10 ms after that."""

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:  # noqa: ARG002
        time.sleep(10 * MILLISECOND)
        return change()


@breaks(profile="standard")
class DropsWhatNobodyHeard(Minds):
    """Never carries out a change whose client has left."""

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:  # noqa: ARG002
        return Reply(HTTPStatus.NO_CONTENT)


@breaks(profile="standard")
class AcknowledgesEveryDeletionOfARace(Meets):
    """Answers 204 to every deletion of a tag that was there when it came, whoever was the first."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        there = tag in self.images.open(request.caller, image_id).tags
        with self.meeting(image_id), self.images.lock:
            gone = tag not in self.images.get(image_id).tags
            return Reply(HTTPStatus.NO_CONTENT) if there and gone else super().delete_tag(request, image_id, tag)


@breaks("TAG-ADD-18", profile="standard")
class RefusesWhereTwoMeet(Meets):
    """Answers 409 to an addition that meets another, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        with self.meeting(image_id) as met:
            if met:
                return self.error(request, HTTPStatus.CONFLICT, "Someone else is at it.")
            return super().add_tag(request, image_id, tag)


@breaks(profile="standard", words=RACES_AND_CODES)
class LocksForEveryone(App):
    """Reads the tags, thinks for 5 ms, and writes them: one caller at a time, whoever it is."""

    held = 0.005

    def __init__(self) -> None:
        super().__init__()
        self.door = threading.Lock()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.door:
            time.sleep(self.held)
            return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.door:
            time.sleep(self.held)
            return super().delete_tag(request, image_id, tag)


@breaks(profile="standard")
class ShowsOthersChangesLate(ShowsChangesLate):
    """Shows changes 30 milliseconds late to whoever has never changed the image on the same connection."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote: set[tuple[int, str]] = set()

    def route(self, request: Request) -> Reply:
        if request.method != "GET":
            self.wrote |= {(threading.get_ident(), part) for part in request.path.split("/")}
        return super().route(request)

    def show_image(self, request: Request, image_id: str) -> Reply:
        if (threading.get_ident(), image_id) in self.wrote:
            return App.show_image(self, request, image_id)
        return super().show_image(request, image_id)


@breaks(profile="standard")
class CarriesFiftyTags(App):
    """Answers 413 where an image would carry more than fifty tags."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            if len(tags) >= 50 and tag not in tags:
                return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "An image carries at most 50 tags.")
            return super().add_tag(request, image_id, tag)


HONEST = (
    Honest,
    TakesItsTime,
    DoesLaterWhatNobodyHeard,
    DoesAtLastWhatNobodyHeard,
    DropsWhatNobodyHeard,
    AcknowledgesEveryDeletionOfARace,
    RefusesWhereTwoMeet,
)
"""Those on which races are run: no race of theirs may lack an order."""
