"""Services that show images, members and tasks rightly, and otherwise where the same is seen from elsewhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import documents
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Visibility

from .kinds import Kind
from .listing import LISTS, Pairs, pairs_of, sending
from .registry import registrar, selecting

KIND = Kind.LISTS
LISTED = (*LISTS, *selecting("IMG-ENT", "GEN-08"))

faulty = registrar(__name__, words=LISTED, profile="standard")
"""Registers a service that has some methods of its own."""


def in_lists(change: Callable[[dict[str, Any]], object]) -> Callable[[App, Request], Reply]:
    """Return the list of images, in which each of them is shown otherwise."""

    def list_images(self: App, request: Request) -> Reply:
        reply = App.list_images(self, request)
        document: Any = reply.json()
        for image in document.get("images", ()):
            change(image)
        return Reply.of_json(document, reply.status)

    return list_images


def _later(image: dict[str, Any]) -> None:
    moment = datetime.fromisoformat(image["updated_at"]) + timedelta(hours=5, minutes=30)
    image["updated_at"] = documents.time_of_day(moment)


for each_name, each_sentence, each_id, each_change in (
    ("ListsChangesInLocalTime", "Lists when images changed in local time, called UTC.", "GEN-08", _later),
    (
        "ListsNoLeastDisks",
        "Lists every image as one that needs no disk.",
        "IMG-ENT-02",
        lambda image: image.update(min_disk=0),
    ),
    (
        "ListsNoChecksums",
        "Lists images with a checksum of nothing.",
        "IMG-ENT-02",
        lambda image: image.update(checksum="d41d8cd98f00b204e9800998ecf8427e"),
    ),
):
    faulty(each_name, each_sentence, each_id, list_images=in_lists(each_change))


def _has(pairs: Pairs, name: str) -> str:
    return next((value for key, value in pairs if key == name), "")


def reading(change: Callable[[Pairs], Pairs]) -> Callable[[App, Request], Reply]:
    """Return the list of images, asked for by other parameters than were sent."""
    return lambda self, request: App.list_images(self, sending(request, change(pairs_of(request))))


faulty(
    "EndsNamesAtAQuote",
    "Looks for a name up to the first quote in it.",
    "IMG-LIST-03",
    words=selecting("IMG-LIST-03"),
    list_images=reading(
        lambda pairs: [(key, value.partition("'")[0] if key == "name" else value) for key, value in pairs]
    ),
)


def _each_of_several(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    value = _has(pairs, "cloudimages_own")
    if "," not in value:
        return App.list_images(self, request)
    first = [(key, value.partition(",")[0] if key == "cloudimages_own" else value) for key, value in pairs]
    return App.list_images(self, sending(request, first))


faulty(
    "ReadsValuesUpToTheComma",
    "Filters by an attribute up to the first comma of what is asked for.",
    "IMG-LIST-11",
    words=selecting("IMG-LIST-11"),
    list_images=_each_of_several,
)


def _all_by_id(pairs: Pairs) -> Pairs:
    by_id = _has(pairs, "id") and not _has(pairs, "member_status")
    return [*pairs, ("member_status", "all")] if by_id else pairs


def _by_visibility_alone(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0] != "member_status" or _has(pairs, "visibility")]


SHARED = selecting("IMG-LIST-05", "MEM-UPD")
faulty(
    "FindsWhatWasNotAcceptedByItsId",
    "Lists what a consumer has not accepted if it is asked for by its id.",
    "IMG-LIST-05",
    words=SHARED,
    list_images=reading(_all_by_id),
)
faulty(
    "FiltersByDecisionsWithAVisibilityAlone",
    "Passes over what consumers have decided if no visibility is asked for.",
    "IMG-LIST-05",
    words=SHARED,
    list_images=reading(_by_visibility_alone),
)


# Members


def open_to_all(method: str, visibility: Visibility) -> Callable[..., Reply]:
    """Return an operation that whoever is no member carries out as the owner, on images of a visibility."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        image = next((each for each in self.images.all() if each.id == image_id), None)
        strange = image is not None and request.caller.project not in ("", *image.members)
        if image and image.visibility is visibility and strange:
            request = replace(request, caller=replace(request.caller, project=image.owner))
        return honest(self, request, image_id, *rest)  # type: ignore[no-any-return]  # an operation of App

    return operation


faulty(
    "TellsTheCommunityWhoIsAMember",
    "Lists the members of an image to everybody once it is the community's.",
    "MEM-LIST-03",
    words=selecting("MEM-LIST", "MEM-GET"),
    list_members=open_to_all("list_members", Visibility.COMMUNITY),
)
faulty(
    "ShowsMembersOfPublicImages",
    "Shows a member of an image to everybody once that is public.",
    "MEM-GET-02",
    words=selecting("MEM-LIST", "MEM-GET"),
    show_member=open_to_all("show_member", Visibility.PUBLIC),
)


def _ahead(self: App, request: Request, image_id: str) -> Reply:
    reply = App.list_members(self, request, image_id)
    document: Any = reply.json()
    for member in document.get("members", ()):
        for name in ("created_at", "updated_at"):
            moment = datetime.fromisoformat(member[name]) - timedelta(hours=4)
            member[name] = documents.time_of_day(moment)
    return Reply.of_json(document, reply.status)


faulty(
    "ListsMembersInTheWest",
    "Lists members with times four hours earlier, called UTC.",
    "GEN-08",
    words=selecting("GEN-07", "GEN-08"),
    list_members=_ahead,
)


# Who may read


def to_readers(method: str, change: Callable[[Any], object]) -> Callable[..., Reply]:
    """Return an operation that shows something else to whoever may only read."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, *rest: str) -> Reply:
        reply: Reply = honest(self, request, *rest)
        if request.caller.writes or reply.status != HTTPStatus.OK:
            return reply
        document: Any = reply.json()
        change(document)
        return Reply.of_json(document, reply.status)

    return operation


READERS = selecting("RBAC-03", "RBAC-05")
faulty(
    "ListsMembersOfAcceptanceToReaders",
    "Lists to whoever may only read those members alone that have accepted.",
    "RBAC-03",
    "RBAC-05",
    words=READERS,
    list_members=to_readers(
        "list_members",
        lambda document: document.update(
            members=[each for each in document["members"] if each["status"] == "accepted"]
        ),
    ),
)
faulty(
    "ShowsNoTagsToReaders",
    "Shows no tags to whoever may only read.",
    "RBAC-03",
    "RBAC-05",
    words=READERS,
    show_image=to_readers("show_image", lambda document: document.update(tags=[])),
)


# What is long


def _first_of_many(self: App, image: Any) -> dict[str, object]:
    shown = App.represent(self, image)
    own = [name for name in shown if name.startswith("cloudimages_")]
    return {name: value for name, value in shown.items() if name not in own[100:]}


faulty(
    "ShowsAHundredAttributes",
    "Shows a hundred of an image's own attributes, and keeps all.",
    "IMG-ENT-02",
    words=selecting("IMG-ENT-02"),
    represent=_first_of_many,
)


def _in_one_buffer(self: App, request: Request) -> Reply:
    reply = App.handle(self, request)
    whole = request.method != "GET" or request.path.endswith("/file")
    return reply if whole else Reply(reply.status, reply.body[: 1 << 16], reply.headers)


faulty(
    "AnswersInOneBuffer",
    "Cuts answers after 64 KiB.",
    "GEN-01",
    words=selecting("GEN-01", "IMG-GET-01", "IMG-ENT-02"),
    handle=_in_one_buffer,
)


# Lawful


def _few(self: App, request: Request, image_id: str) -> Reply:
    if len(request.body) > 1 << 14:
        return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A body has 16 KiB at most.")
    return App.update_image(self, request, image_id)


faulty(
    "TakesShortBodies",
    "Takes bodies of 16 KiB at most.",
    words=selecting("GEN-01", "IMG-ENT", "IMG-GET", "IMG-LIST-01", "SCHEMA-14"),
    update_image=_few,
)


def _plain_names(self: App, request: Request, image_id: str) -> Reply:
    for change in json.loads(request.body) if request.body.startswith(b"[") else ():
        if isinstance(change, dict) and change.get("path") == "/name" and any(each in str(change) for each in ',"\\;|'):
            return self.error(request, HTTPStatus.BAD_REQUEST, "A name has letters, digits and few signs.")
    return App.update_image(self, request, image_id)


faulty(
    "TakesNamesOfFewSigns",
    "Refuses names with commas, quotes and the like.",
    words=(*LISTS, *selecting("IMG-ENT-02")),
    update_image=_plain_names,
)


def _nothing_of_ones_own(document: dict[str, Any]) -> None:
    for name in [name for name in document if name.startswith("cloudimages_")]:
        del document[name]


faulty(
    "KeepsAttributesFromReaders",
    "Keeps the attributes of one's own from whoever may only read.",
    words=READERS,
    show_image=to_readers("show_image", _nothing_of_ones_own),
)


def _none_to_strangers(self: App, request: Request, image_id: str) -> Reply:
    image = next((each for each in self.images.all() if each.id == image_id), None)
    if image and image.visibility in (Visibility.PUBLIC, Visibility.COMMUNITY):
        return self.error(request, HTTPStatus.FORBIDDEN, "Only shared images have members.")
    return App.list_members(self, request, image_id)


faulty(
    "KnowsMembersOfSharedImagesAlone",
    "Forbids the list of the members of an image that is not shared, to whomever.",
    words=selecting("MEM-LIST", "MEM-GET", "MEM-CRE"),
    list_members=_none_to_strangers,
)
faulty(
    "ListsTimesInTheEast",
    "Lists times with an offset, where images show theirs in UTC.",
    words=selecting("GEN-07", "GEN-08"),
    list_images=in_lists(
        lambda image: image.update(
            {
                name: f"{datetime.fromisoformat(image[name]) + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"
                for name in ("created_at", "updated_at")
            }
        )
    ),
)
faulty(
    "ListsLessOfImages",
    "Lists an image with its id, its name and its status alone, but for what is guaranteed.",
    words=(*LISTS, *selecting("IMG-ENT-02", "SCHEMA-14", "GEN-08")),
    list_images=in_lists(
        lambda image: [
            image.pop(name, None) for name in ("min_ram", "min_disk", "checksum", "disk_format", "os_distro")
        ]
    ),
)


# What was shown last


def _with_those_of_before(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    row: dict[str, Any] = {}
    for place, image in enumerate(document.get("images", ())):
        row |= {name: value for name, value in image.items() if name.startswith("cloudimages")}
        document["images"][place] = row | image
    return Reply.of_json(document, reply.status)


faulty(
    "ListsAttributesOfTheImageBefore",
    "Lists an image with the attributes of one's own of those before it that it has not itself.",
    "IMG-ENT-02",
    words=(*LISTS, *selecting("IMG-ENT-02")),
    list_images=_with_those_of_before,
)


def _as_under_its_name(*, once: bool) -> Callable[[App, Request, str], Reply]:
    """Return what shows members an image as they saw it when it had its name first, or ``once`` as it was before."""

    def show_image(self: App, request: Request, image_id: str) -> Reply:
        reply = App.show_image(self, request, image_id)
        image = self.images.get(image_id)
        if request.caller.project not in image.members:
            return reply
        seen: dict[tuple[str, str, str], Reply] = self.__dict__.setdefault("seen", {})
        key = (request.caller.project, image_id, image.name or "")
        before = seen.setdefault(key, reply)
        if once:
            seen[key] = reply
        return before

    return show_image


faulty(
    "ShowsMembersImagesByTheirNames",
    "Shows members an image as they saw it first, until it has another name.",
    "IMG-GET-01",
    words=selecting("IMG-GET-01"),
    show_image=_as_under_its_name(once=False),
)
faulty(
    "ShowsMembersAnImageOnceAsItWas",
    "Lawful: shows members an image as it was when they asked for it before: the second node they ask is up to date.",
    words=selecting("IMG-GET", "IMG-ENT-02"),
    show_image=_as_under_its_name(once=True),
)


def _moves(change: Callable[[App, Image], object]) -> Callable[[App, Request, str], Reply]:
    def update_image(self: App, request: Request, image_id: str) -> Reply:
        before = self.images.open(request.caller, image_id).visibility
        reply = App.update_image(self, request, image_id)
        if (image := self.images.get(image_id)).visibility is not before:
            change(self, image)
        return Reply.of_json(self.represent(image), reply.status)

    return update_image


def _checksum_later(self: App, request: Request, image_id: str) -> Reply:
    shown = self.represent(self.images.show(request.caller, image_id))
    moved: set[str] = self.__dict__.setdefault("moved", set())
    if image_id in moved:
        moved.remove(image_id)
        shown["checksum"] = None
    return Reply.of_json(shown)


faulty(
    "LeavesTheChecksumBehind",
    "Has no checksum of an image any more that was given another visibility.",
    "IMG-ENT-02",
    words=selecting("IMG-ENT-02"),
    update_image=_moves(lambda _, image: setattr(image, "checksum", None)),
)
faulty(
    "FindsTheChecksumWhereItMovesTo",
    "Lawful: shows no checksum of an image that was given another visibility until it was asked for once.",
    words=selecting("IMG-ENT", "IMG-STAT"),
    update_image=_moves(lambda app, image: app.__dict__.setdefault("moved", set()).add(image.id)),
    show_image=_checksum_later,
)
