"""Services that are unlike ours and break nothing: the suite must find nothing in them."""

import time
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .registry import breaks


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


@breaks("TAG-ADD-18")
class Answers201ToAFirstAddition(App):
    """Answers 201 to a first addition, as HTTP has it: undocumented, and no more than that."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        again = tag in self.images.get(image_id).tags
        reply = super().add_tag(request, image_id, tag)
        return reply if again else Reply(HTTPStatus.CREATED)


@breaks("TAG-ADD-16")
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


@breaks("TAG-ADD-14", profile="standard")
class TakesAsciiOnly(_Dislikes):
    """Refuses tags beyond ASCII with 400."""

    def disliked(self, tag: str) -> bool:
        return not tag.isascii()


@breaks(profile="standard")
class TakesNoControls(_Dislikes):
    """Refuses tags with control characters with 400."""

    def disliked(self, tag: str) -> bool:
        return any(ord(one) < 32 or ord(one) == 127 for one in tag)


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
