"""Services that go wrong where a tag comes, is shown or is named in another way than usual; each with its look-alike."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound
from pytest_cloudimages.spec.limits import LONGEST

from .kinds import Kind
from .registry import breaks

KIND = Kind.VISIBILITY


def _asked(*ids: str) -> tuple[str, ...]:
    return tuple(word for each in ids for word in ("--select", each))


# Tags that an image is created with

OF_A_CREATION = _asked("TAG-HIST-03", "TAG-VIS-05", "TAG-VIS-07")


class _Creates(App):
    """Does something of its own with the tags that an image is created with."""

    def create_image(self, request: Request) -> Reply:
        document = json.loads(request.body)
        tags = document.get("tags") or []
        reply = super().create_image(replace(request, body=json.dumps(document | {"tags": self.taken(tags)}).encode()))
        if reply.status == HTTPStatus.CREATED:
            with self.images.lock:
                image = self.images.get(json.loads(reply.body)["id"])
                image.tags = self.kept(image.tags, tags)
                return Reply.of_json(self.represent(image), reply.status, reply.headers[1:])
        return reply

    def taken(self, tags: list[str]) -> list[str]:
        """Return the tags that are looked at."""
        return tags

    def kept(self, taken: list[str], asked: list[str]) -> list[str]:
        """Return the tags that the image has then."""
        del asked
        return taken


@breaks("TAG-VIS-07", profile="standard", words=OF_A_CREATION)
class CreatesWithLongTags(_Creates):
    """Looks at the length of tags where they are added, and not where an image is created with them."""

    def taken(self, tags: list[str]) -> list[str]:
        return [tag for tag in tags if len(tag) <= LONGEST]

    def kept(self, taken: list[str], asked: list[str]) -> list[str]:
        return taken + [tag for tag in asked if tag not in taken]


@breaks("TAG-VIS-05", profile="standard", words=OF_A_CREATION)
class CreatesWithATagTwice(_Creates):
    """Keeps a tag twice that an image is created with twice."""

    def kept(self, taken: list[str], asked: list[str]) -> list[str]:
        return asked or taken


@breaks(profile="standard", words=OF_A_CREATION)
class CreatesWithEachTagOnce(_Creates):
    """Answers 400 to the creation of an image with a tag twice, which is no set."""

    def taken(self, tags: list[str]) -> list[str]:
        if len({*tags}) < len(tags):
            raise Invalid("A tag is there twice.")
        return tags


@breaks("TAG-HIST-03", profile="standard", words=OF_A_CREATION)
class SharesTheTagsOfACreation(_Creates):
    """Keeps one list of tags for all images that are created with the same."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[tuple[str, ...], list[str]] = {}

    def kept(self, taken: list[str], asked: list[str]) -> list[str]:
        return self.lists.setdefault((*asked,), taken) if asked else taken


@breaks(profile="standard", words=OF_A_CREATION)
class CreatesWithoutTags(_Creates):
    """Answers 400 to the creation of an image with tags: they have an operation of their own."""

    def taken(self, tags: list[str]) -> list[str]:
        if tags:
            raise Invalid("Tags are added to an image that is there.")
        return tags


# The length of what a PATCH sets


class _PatchesLongTags(App):
    """Takes tags past the limit in a PATCH, and makes something of them."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        changes = json.loads(request.body)
        long: list[str] = []
        for change in changes:
            value = change.get("value") if change.get("path") == "/tags" else None
            if isinstance(value, list):
                long += [tag for tag in value if isinstance(tag, str) and len(tag) > LONGEST]
                change["value"] = [tag for tag in value if tag not in long]
        with self.images.lock:
            reply = super().update_image(replace(request, body=json.dumps(changes).encode()), image_id)
            if not long or reply.status != HTTPStatus.OK:
                return reply
            image = self.images.get(image_id)
            image.tags += [self.kept(tag) for tag in long]
            return Reply.of_json(self.represent(image))

    def kept(self, tag: str) -> str:
        """Return what is stored of a tag that is too long."""
        return tag


@breaks("TAG-VIS-07", profile="standard", words=_asked("TAG-VIS-07", "TAG-VIS-08", "TAG-ADD-11"))
class PatchesWithLongTags(_PatchesLongTags):
    """Looks at the length of tags where they are added, and not where a PATCH sets them."""


@breaks("TAG-VIS-08", profile="standard", words=_asked("TAG-VIS-07", "TAG-VIS-08", "TAG-ADD-11"))
class CutsLongTagsOfAPatch(_PatchesLongTags):
    """Cuts tags that a PATCH sets to 255 characters."""

    def kept(self, tag: str) -> str:
        return tag[:LONGEST]


# The old form of a PATCH

OF_A_PATCH = _asked("TAG-VIS-08")


class _KnowsTheOldForm(App):
    """Reads the old form of a PATCH in a way of its own."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        old = request.media_type.endswith("v2.0-json-patch") and b"/tags" in request.body
        return self.in_old_form(request, image_id) if old else super().update_image(request, image_id)

    def in_old_form(self, request: Request, image_id: str) -> Reply:
        """Answer a PATCH in the old form."""
        with self.images.lock:
            before = [*self.images.open(request.caller, image_id).tags]
            super().update_image(request, image_id)
            image = self.images.get(image_id)
            image.tags[:] = [*before, *(tag for tag in image.tags if tag not in before)]
            return Reply.of_json(self.represent(image))


@breaks("TAG-VIS-08", profile="standard", words=OF_A_PATCH)
class OnlyAddsInTheOldForm(_KnowsTheOldForm):
    """Adds the tags that a PATCH of the old form sets to those that there are."""


@breaks(profile="standard", words=OF_A_PATCH)
class KnowsNoOldForm(_KnowsTheOldForm):
    """Answers 415 to a PATCH of the old form."""

    def in_old_form(self, request: Request, image_id: str) -> Reply:
        del image_id
        return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Version 2.1 is spoken here.")


# Lists, as they are asked for and by whom

OF_LISTS = _asked("TAG-VIS-02", "TAG-VIS-05")
Shown = Callable[[Request, dict[str, Any]], object]


def _lists(name: str, doc: str, *ids: str, shown: Shown) -> None:
    """Register a service that shows tags in its lists in a way of its own."""

    def list_images(self: App, request: Request) -> Reply:
        reply = App.list_images(self, request)
        document = json.loads(reply.body)
        document["images"] = [item | {"tags": shown(request, item)} for item in document["images"]]
        return Reply(reply.status, json.dumps(document).encode(), reply.headers)

    app = type(name, (App,), {"list_images": list_images, "__doc__": doc, "__module__": __name__})
    breaks(*ids, profile="standard", words=OF_LISTS)(app)


def _sorted(request: Request) -> bool:
    return bool(listing.Query.read(request.query).all("sort_key"))


_lists(
    "DoublesTagsWhereItSorts",
    "Shows every tag twice in a list that is sorted by a key of one's choice.",
    "TAG-VIS-05",
    shown=lambda request, item: item["tags"] * (1 + _sorted(request)),
)
_lists(
    "TurnsTagsRoundWhereItSorts",
    "Shows the tags in another order in a list that is sorted by a key of one's choice.",
    shown=lambda request, item: item["tags"][:: -1 if _sorted(request) else 1],
)
_lists(
    "ListsNoneToAnAdministrator",
    "Shows an administrator no tags in the list where an image is another project's.",
    "TAG-VIS-02",
    shown=lambda request, item: (
        [] if request.caller.admin and item["owner"] != request.caller.project else item["tags"]
    ),
)


@breaks(profile="standard", words=OF_LISTS)
class ListsAnAdministratorsOwn(App):
    """Lists to an administrator the images of the administrator's own project alone."""

    def list_images(self, request: Request) -> Reply:
        return super().list_images(replace(request, caller=replace(request.caller, admin=False)))


# Who asks, and what for, by header fields


@breaks("TAG-AUTH-07", profile="standard", words=_asked("TAG-AUTH-07", "TAG-AUTH-05"))
class TrustsTheNamedProject(App):
    """Takes the caller for one of the project that a header field names, as behind a filter that sets it."""

    def authenticate(self, request: Request) -> Caller:
        caller = super().authenticate(request)
        named = request.headers.get("X-Project-Id")
        return replace(caller, project=named) if named and "/tags/" in request.path else caller


@breaks(profile="standard", words=_asked("TAG-AUTH-07", "TAG-AUTH-05"))
class RefusesAnotherNamedProject(App):
    """Answers 403 where a header field names another project than the token is for."""

    def authenticate(self, request: Request) -> Caller:
        caller = super().authenticate(request)
        if request.headers.get("X-Project-Id", caller.project) != caller.project:
            raise Forbidden("The token is for another project.")
        return caller


REQUEST_ID = "X-OpenStack-Request-ID"
OF_CLIENTS = _asked("TAG-ADD-03", "TAG-ADD-06", "TAG-DEL-05")


@breaks("TAG-ADD-03", profile="standard", words=OF_CLIENTS)
class AnswersARequestIdOnce(App):
    """Answers a request with the id of another one as it answered that, and does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], Reply] = {}

    def route(self, request: Request) -> Reply:
        named = request.headers.get(REQUEST_ID)
        if not named or "/tags/" not in request.path:
            return super().route(request)
        known = named, request.method
        if known not in self.answers:
            self.answers[known] = super().route(request)
        return self.answers[known]


@breaks(profile="standard", words=OF_CLIENTS)
class RepeatsTheRequestId(App):
    """Shows in its answers the id that a request came with."""

    def handle(self, request: Request) -> Reply:
        reply, named = super().handle(request), request.headers.get(REQUEST_ID)
        return replace(reply, headers=(*reply.headers, ("X-Global-Request-ID", named))) if named else reply


TYPED = _asked("TAG-DEL-08", "TAG-DEL-10")


@breaks("TAG-DEL-08", "TAG-DEL-10", profile="standard", words=TYPED)
class RefusesTypedDeletions(App):
    """Answers 415 to a deletion that names a media type other than JSON, with a body or without."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.media_type not in ("", "application/json"):
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "What is that?")
        return super().delete_tag(request, image_id, tag)


@breaks(profile="standard", words=TYPED)
class RefusesTypedAdditions(App):
    """Answers 415 to an addition without a body that names a media type other than JSON."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not request.body and request.media_type not in ("", "application/json"):
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "What is that?")
        return super().add_tag(request, image_id, tag)


# The address

OF_ADDRESSES = _asked("TAG-DEL-07", "TAG-RESP-09")
OF_PERCENTS = _asked("TAG-DEL-07", "TAG-RESP-09", "TAG-URI-08", "TAG-HIST-04", "TAG-DEL-01")


class _SaysWhichIsMissing(App):
    """Says of an image that is not there which tag was not deleted, where that is of ASCII."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().delete_tag(request, image_id, tag)
        except NotFound:
            if tag.isascii() or any(image.id == image_id for image in self.images.all()):
                raise
            return self.error(request, self.status, "That cannot be said.")


@breaks("TAG-DEL-07", "TAG-RESP-09", profile="standard", words=OF_ADDRESSES)
class FailsToSayWhichIsMissing(_SaysWhichIsMissing):
    """Fails where it is to say that there is no image from which a tag beyond ASCII could be deleted."""


@breaks("TAG-DEL-01", "TAG-RESP-09", "TAG-URI-08", "TAG-HIST-04", profile="standard", words=OF_PERCENTS)
class FailsToDeletePercents(App):
    """Fails where a tag with a percent sign is to be deleted, whatever the image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if "%" in tag:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "not enough arguments for format string")
        return super().delete_tag(request, image_id, tag)


@breaks(profile="standard", words=OF_ADDRESSES)
class RefusesOddTagsOfNoImage(_SaysWhichIsMissing):
    """Answers 400 to the deletion of a tag beyond ASCII from an image that is not there."""

    status = HTTPStatus.BAD_REQUEST


@breaks("TAG-URI-11", "TAG-HIST-04", profile="standard", words=_asked("TAG-URI-06", "TAG-URI-11", "TAG-HIST-04"))
class DeletesByAnotherEncoding(App):
    """Reads the octets of a tag that is to be deleted as Latin-1, in whatever case their digits are."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(request, image_id, tag.encode().decode("latin-1"))


# What a tag says

RELATED = _asked("TAG-ADD-04", "TAG-DEL-04", "TAG-HIST-04")


@breaks("TAG-DEL-04", "TAG-HIST-04", profile="standard", words=RELATED)
class EmptiesTheListForAWord(App):
    """Takes all tags off where the one to be deleted is a word that stands for any of them."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            if tag.lower() == "any":
                self.images.get(image_id).tags.clear()
            return reply


# A while later

TEN = 10


@breaks("TAG-HIST-01", profile="standard", words=_asked("TAG-HIST-01"))
class ReadsAnOldReplica(App):
    """Has every fifth look at an image answered by a replica that hears of no deletion, from the tenth of them on."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: dict[str, list[str]] = {}
        self.looks = 0

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.deleted.setdefault(image_id, []).append(tag)
        return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply, deleted = super().show_image(request, image_id), self.deleted.get(image_id, [])
        self.looks += 1
        if self.looks % 5 or len(deleted) < TEN:
            return reply
        document = json.loads(reply.body)
        document["tags"] = [*dict.fromkeys([*document["tags"], *deleted])]
        return Reply(reply.status, json.dumps(document).encode(), reply.headers)


@breaks("TAG-HIST-01", profile="standard", words=_asked("TAG-HIST-01"))
class ForgetsRepeatedTags(App):
    """Lets a tag that was added a second time go half a second later, where no other request has named it since."""

    def __init__(self) -> None:
        super().__init__()
        self.due: dict[tuple[str, str], float] = {}

    def route(self, request: Request) -> Reply:
        with self.images.lock:
            for image in self.images.all():
                over = [tag for tag in image.tags if time.monotonic() > self.due.get((image.id, tag), float("inf"))]
                image.tags[:] = [tag for tag in image.tags if tag not in over]
        return super().route(request)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            again = tag in self.images.open(request.caller, image_id).tags
            reply = super().add_tag(request, image_id, tag)
            if again:
                self.due[image_id, tag] = time.monotonic() + 0.5
            return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.due.pop((image_id, tag), None)
        return super().delete_tag(request, image_id, tag)
