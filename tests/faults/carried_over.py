"""Services in which something of one request is left to later ones: a parameter, an error, an operation, a node's schema."""

import hashlib
import json
import threading
import time
import unicodedata
from contextlib import suppress
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.refusals import Invalid, NotFound, Refusal

from .kinds import Kind
from .registry import breaks

KIND = Kind.SEQUENCE
NOT_MODIFIED = HTTPStatus.NOT_MODIFIED
LATER = 0.3
"""Seconds until a queue delivers once more."""


def _of_a_tag(request: Request) -> bool:
    return "/tags/" in request.path


# An error, as it is told


@breaks(
    *("TAG-URI-10", "TAG-URI-14", "TAG-URI-15", "TAG-AUTH-07", "TAG-ADD-15", "TAG-ADD-16"),
    *("TAG-DEL-05", "TAG-DEL-06", "TAG-DEL-07", "TAG-DEL-10", "TAG-HIST-01"),
    profile="standard",
)
class TellsOfErrorsIn200(App):
    """Answers 200 where there is no such tag, or image, to change, with a document that tells of the 404."""

    def error(
        self, request: Request, status: HTTPStatus, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> Reply:
        if status is HTTPStatus.NOT_FOUND and _of_a_tag(request):
            return Reply.of_json({"error": {"code": status.value, "message": message}})
        return super().error(request, status, message, headers)


@breaks(profile="standard")
class ShowsWhatErrorsShow(App):
    """Shows members of an image that its errors have as well."""

    def represent(self, image: Image) -> dict[str, object]:
        told = {"code": "404 Not Found", "message": "There is no such image.", "title": "Not Found"}
        return super().represent(image) | told


# A parameter


@breaks("TAG-HIST-01", perhaps=["TAG-ADD-34"], profile="standard")
class AddsWhatWasLookedFor(App):
    """Adds, in place of the tag that is named, the one by which the list was filtered last, once."""

    looked_for = ""

    def list_images(self, request: Request) -> Reply:
        if "tag=" in request.query:
            self.looked_for = request.query.partition("tag=")[2].partition("&")[0]
        return super().list_images(request)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        named, self.looked_for = self.looked_for or tag, ""
        return super().add_tag(request, image_id, named)


# A transaction that an error has aborted


class _OnceAfterARefusal(App):
    def __init__(self) -> None:
        super().__init__()
        self.connection = threading.local()

    def answer(self, request: Request) -> Reply:
        refused = getattr(self.connection, "refused", False)
        if refused and _of_a_tag(request):
            self.connection.refused = False
            return self.once(request)
        reply = super().answer(request)
        if reply.status == HTTPStatus.BAD_REQUEST and _of_a_tag(request):
            self.connection.refused = True
        return reply

    def once(self, request: Request) -> Reply:
        """Return what the next change is answered on the same connection."""
        raise NotImplementedError


@breaks("TAG-RESP-09", perhaps=["TAG-URI-12", "TAG-URI-13", "TAG-ADD-14"], profile="standard")
class LeavesATransactionAborted(_OnceAfterARefusal):
    """Fails once at the next change on a connection on which a change was refused for its form."""

    def once(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The transaction is aborted.")


@breaks(profile="standard")
class IsBusyAfterARefusal(_OnceAfterARefusal):
    """Asks to try again at once on a connection on which a change was refused for its form."""

    def once(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.SERVICE_UNAVAILABLE, "Once more, please.", (("Retry-After", "0"),))


# An operation that a queue delivers twice


class _Queue(App):
    every = 1

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def once_more(self, image_id: str, tag: str, caller: Caller) -> None:
        """Carry out an operation that was carried out a while ago."""
        raise NotImplementedError

    def deliver_again(self, image_id: str, tag: str, caller: Caller) -> None:
        self.count += 1
        if self.count % self.every:
            return

        def deliver() -> None:
            with suppress(Refusal):
                self.once_more(image_id, tag, caller)

        later = threading.Timer(LATER, deliver)
        later.daemon = True
        later.start()


@breaks("TAG-HIST-01", perhaps=["TAG-DEL-04", "TAG-ADD-04", "TAG-HIST-04"], profile="standard")
class DeletesAgainLater(_Queue):
    """Carries every third deletion out once more, after a while."""

    every = 3

    def once_more(self, image_id: str, tag: str, caller: Caller) -> None:
        self.images.delete_tag(caller, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.deliver_again(image_id, tag, request.caller)
        return reply


@breaks("TAG-HIST-01", perhaps=["TAG-DEL-04", "TAG-ADD-04", "TAG-HIST-02", "TAG-HIST-04"], profile="standard")
class AddsAgainLater(_Queue):
    """Carries every fifth addition out once more, after a while."""

    every = 5

    def once_more(self, image_id: str, tag: str, caller: Caller) -> None:
        self.images.add_tag(caller, image_id, tag)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.deliver_again(image_id, tag, request.caller)
        return reply


@breaks(profile="standard")
class TouchesAgainLater(_Queue):
    """Delivers every change once more, and knows what was done: nothing but the time of the update changes."""

    def once_more(self, image_id: str, tag: str, caller: Caller) -> None:
        del tag
        with self.images.lock:
            self.images.open(caller, image_id).touch()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.deliver_again(image_id, tag, request.caller)
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.deliver_again(image_id, tag, request.caller)
        return reply


# A node of another age


class _OldNode(App):
    """Has every third addition carried out by a node that was not upgraded."""

    additions = 0

    def as_ever(self, tag: str) -> str:
        """Return what the old node makes of a tag, or raise what it refuses it with."""
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.additions += 1
        return super().add_tag(request, image_id, tag if self.additions % 3 else self.as_ever(tag))


@breaks("TAG-URI-20", "TAG-HIST-04", profile="standard")
class HasANodeThatComposes(_OldNode):
    """Stores tags composed (NFC) where one of three nodes adds them."""

    def as_ever(self, tag: str) -> str:
        return unicodedata.normalize("NFC", tag)


@breaks(profile="standard")
class HasANodeThatTakesNoControls(_OldNode):
    """Refuses control characters where one of three nodes adds them, and stores them otherwise."""

    def as_ever(self, tag: str) -> str:
        if any(unicodedata.category(character) == "Cc" for character in tag):
            raise Invalid("A tag has no control characters.")
        return tag


# What was read a moment ago


@breaks("TAG-HIST-02", perhaps=["TAG-ADD-29"], profile="standard")
class WritesBackWhatItRead(App):
    """Puts back, at the end of an addition of some milliseconds, the tags that were there at its beginning."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            known = [*self.images.open(request.caller, image_id).tags]
        reply = super().add_tag(request, image_id, tag)
        time.sleep(0.006)
        with self.images.lock, suppress(NotFound):
            image = self.images.get(image_id)
            image.tags += [each for each in known if each not in image.tags]
        return reply


# A validator


class _Validated(App):
    """Answers 304 to whoever has shown an image before, and names its validator."""

    def validator(self, shown: dict[str, object]) -> str:
        raise NotImplementedError

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        field = ("ETag", self.validator(json.loads(reply.body)))
        if request.headers.get("If-None-Match") == field[1]:
            return Reply(NOT_MODIFIED, headers=(field,))
        return Reply(reply.status, reply.body, (*reply.headers, field))


def _digest(shown: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


@breaks("TAG-ADD-03", "TAG-DEL-03", profile="standard")
class ValidatesAllButTags(_Validated):
    """Has a strong validator that stays the same whatever becomes of the tags of an image."""

    def validator(self, shown: dict[str, object]) -> str:
        return f'"{_digest({name: value for name, value in shown.items() if name not in ("tags", "updated_at")})}"'


@breaks(profile="standard")
class ValidatesAll(_Validated):
    """Has a strong validator of all that an image shows."""

    def validator(self, shown: dict[str, object]) -> str:
        return f'"{_digest(shown)}"'


@breaks(profile="standard")
class ValidatesWeakly(_Validated):
    """Has a weak validator, of whole seconds, which may stay the same over a change."""

    def validator(self, shown: dict[str, object]) -> str:
        return f'W/"{shown["id"]}-{str(shown["updated_at"])[:19]}"'
