"""Services that treat most images rightly: what goes wrong needs a second time, a second image, or a certain status."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import UUID
from pytest_cloudimages.reference.images import Image, MemberStatus, Status, Visibility
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid

from .images import LIFE
from .kinds import Kind
from .registry import registrar, selecting
from .updating import UPDATES, operations, rewritten

KIND = Kind.IMAGES


faulty = registrar(__name__, words=LIFE, profile="standard")
"""Registers a service that has some methods of its own."""


# Patches


def rewrites(name: str, sentence: str, *ids: str, change: Callable[[list[Any]], list[Any]]) -> None:
    """Register a service that carries another patch out than it is sent."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        if request.media_type.endswith("v2.1-json-patch") and (found := operations(request)):
            request = rewritten(request, change(found))
        return App.update_image(self, request, image_id)

    faulty(name, sentence, *ids, words=UPDATES, update_image=update_image)


def _is_of_ours(operation: Any) -> bool:
    return isinstance(operation, dict) and str(operation.get("path")).lower().startswith("/cloudimages")


rewrites(
    "CarriesAdditionsOutLast",
    "Carries the additions of a patch out once all else is done.",
    "IMG-UPD-01",
    "IMG-UPD-26",
    change=lambda found: sorted(found, key=lambda each: isinstance(each, dict) and each.get("op") == "add"),
)
rewrites(
    "FoldsTheNamesOfAttributes",
    "Takes names of attributes that differ in case alone for one.",
    "IMG-UPD-11",
    change=lambda found: [each | {"path": each["path"].lower()} if _is_of_ours(each) else each for each in found],
)
rewrites(
    "AddsNothingWithoutAValue",
    "Takes an addition without a value for one of nothing.",
    "IMG-UPD-06",
    change=lambda found: [
        {"value": ""} | each if isinstance(each, dict) and each.get("op") == "add" else each for each in found
    ],
)


def _typed(self: App, image: Image) -> dict[str, object]:
    truths = {"true": True, "false": False}
    return App.represent(self, image) | {
        name: truths.get(str(value), value) for name, value in image.properties.items()
    }


faulty(
    "ShowsTruthValuesByTheirLook",
    "Shows as a truth value what an attribute says in letters.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    "IMG-ENT-02",
    "IMG-ENT-12",
    words=UPDATES,
    represent=_typed,
)


def _of_all(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    image = self.images.get(image_id)
    for other in self.images.all():
        if reply.status == HTTPStatus.OK and other.owner == image.owner:
            other.properties |= {name: value for name, value in image.properties.items() if name == "cloudimages_first"}
    return reply


faulty(
    "SetsAnAttributeOfAll",
    "Sets an attribute of one's own with all images of its owner.",
    "IMG-UPD-11",
    words=selecting("IMG-UPD-11"),
    update_image=_of_all,
)


def _refuses_case(self: App, request: Request, image_id: str) -> Reply:
    known = {name.lower(): name for name in self.images.get(image_id).properties}
    for each in operations(request):
        name = str(each.get("path", "")).removeprefix("/") if _is_of_ours(each) or isinstance(each, dict) else ""
        if known.get(name.lower(), name) != name:
            raise Conflict("There is an attribute of this name, but for its case.")
    return App.update_image(self, request, image_id)


faulty(
    "RefusesNamesThatDifferInCase",
    "Refuses an attribute whose name differs from that of another in case alone.",
    words=UPDATES,
    update_image=_refuses_case,
)

# Deletion and data


def _insists(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    asked: set[str] = self.__dict__.setdefault("asked", set())
    if image.protected and image_id in asked:
        image.protected = False
    asked.add(image_id)
    return App.delete_image(self, request, image_id)


faulty(
    "YieldsToTheSecondDeletion",
    "Deletes a protected image when it is asked to a second time.",
    "IMG-DEL-02",
    delete_image=_insists,
)


def _deletes_alike(self: App, request: Request, image_id: str) -> Reply:
    digest = self.images.open(request.caller, image_id).checksum
    reply = App.delete_image(self, request, image_id)
    for other in self.images.all():
        if digest and other.checksum == digest and other.owner == request.caller.project and not other.protected:
            self.images.delete(request.caller, other.id)
    return reply


faulty(
    "DeletesWhatHasTheSameData", "Deletes images of the same data as one.", "IMG-DEL-01", delete_image=_deletes_alike
)


def _uploaded(change: Callable[[Image, bytes], None]) -> Callable[..., Reply]:
    def upload(self: App, request: Request, image_id: str) -> Reply:
        reply = App.upload(self, request, image_id)
        change(self.images.get(image_id), request.body)
        return reply

    return upload


def _sum_of_the_first(image: Image, data: bytes) -> None:
    image.checksum = hashlib.md5(data[:512], usedforsecurity=False).hexdigest()


def _saving_for_nothing(image: Image, data: bytes) -> None:
    image.status = image.status if data else Status.SAVING


faulty("SumsTheFirstBlock", "Sums the first block of data alone.", "IMG-ENT-11", upload=_uploaded(_sum_of_the_first))
faulty(
    "WaitsForAnOctet", "Leaves an image without octets saving.", "IMG-STAT-03", upload=_uploaded(_saving_for_nothing)
)


def _refuses_nothing(self: App, request: Request, image_id: str) -> Reply:
    if not request.body:
        raise Invalid("There are no data.")
    return App.upload(self, request, image_id)


faulty("RefusesNoData", "Refuses data of no octets.", upload=_refuses_nothing)

# Other projects


def _members_update(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.get(image_id)
    member = image.members.get(request.caller.project)
    if member and member.status is MemberStatus.ACCEPTED:
        request = replace(request, caller=replace(request.caller, project=image.owner))
    return App.update_image(self, request, image_id)


def _shows_to(may: Callable[[App, Request, Image], bool]) -> Callable[..., Reply]:
    def show_image(self: App, request: Request, image_id: str) -> Reply:
        image = self.images.get(image_id)
        return (
            Reply.of_json(self.represent(image))
            if may(self, request, image)
            else App.show_image(self, request, image_id)
        )

    return show_image


def _knows_the_owner(self: App, request: Request, image: Image) -> bool:
    return any(other.owner == image.owner and request.caller.project in other.members for other in self.images.all())


faulty(
    "LetsWhoHasAcceptedUpdate",
    "Lets a member that has accepted update the image.",
    "IMG-UPD-21",
    words=UPDATES,
    update_image=_members_update,
)
faulty(
    "TrustsAcquaintances",
    "Shows all images of an owner to whom one of them is shared with.",
    "IMG-GET-03",
    show_image=_shows_to(_knows_the_owner),
)
faulty(
    "ShowsDeactivatedImagesToAll",
    "Shows deactivated images to every project.",
    "IMG-STAT-07",
    show_image=_shows_to(lambda _, __, image: image.status is Status.DEACTIVATED),
)


def _private(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    image = self.images.get(document["id"])
    if b'"visibility"' not in request.body:
        image.visibility = Visibility.PRIVATE
    return Reply.of_json(self.represent(image), reply.status, reply.headers)


faulty("CreatesPrivateImages", "Creates images as private ones.", create_image=_private)


# What is refused changes nothing


def _spoils(status: Status) -> Callable[[App, Request, str], Reply]:
    """Return what refuses data for an image that has some, and puts the image in a status."""

    def upload(self: App, request: Request, image_id: str) -> Reply:
        try:
            return App.upload(self, request, image_id)
        except Conflict:
            self.images.open(request.caller, image_id).status = status
            raise

    return upload


faulty(
    "KillsWhatIsRefusedData",
    "Has an image killed that was refused data because it has some.",
    "IMG-STAT-03",
    words=selecting("IMG-STAT-03"),
    upload=_spoils(Status.KILLED),
)


def _takes_more(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if image.status is Status.ACTIVE:
        return Reply(HTTPStatus.NO_CONTENT)
    return App.upload(self, request, image_id)


faulty("PassesOverFurtherData", "Takes no notice of further data.", words=selecting("IMG-STAT-03"), upload=_takes_more)


# Deletion and protection


def _protected_by_patch(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    if document["protected"]:
        self.__dict__.setdefault("unlocked", set()).add(document["id"])
    return reply


def _deletes_unlocked(self: App, request: Request, image_id: str) -> Reply:
    if image_id in self.__dict__.get("unlocked", ()):
        self.images.open(request.caller, image_id).protected = False
    return App.delete_image(self, request, image_id)


faulty(
    "ProtectsByPatchesAlone",
    "Deletes what was protected when it was created.",
    "IMG-DEL-02",
    words=selecting("IMG-DEL"),
    create_image=_protected_by_patch,
    delete_image=_deletes_unlocked,
)


def _protected_by_addition(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    for each in operations(request):
        if isinstance(each, dict) and "/protected" in each.values():
            unlocked: set[str] = self.__dict__.setdefault("unlocked", set())
            (unlocked.discard if each.get("op") == "replace" else unlocked.add)(image_id)
    return reply


faulty(
    "ProtectsByReplacementsAlone",
    "Deletes what is protected and was not by the operation replace.",
    "IMG-DEL-02",
    words=selecting("IMG-DEL"),
    update_image=_protected_by_addition,
    delete_image=_deletes_unlocked,
)


def _adds_what_is_new(self: App, request: Request, image_id: str) -> Reply:
    if {"op": "add", "path": "/protected", "value": True} in operations(request):
        raise Conflict("Every image has it already: replace it.")
    return App.update_image(self, request, image_id)


faulty(
    "AddsNoProtection",
    "Refuses to add protection, which every image has already, and replaces it.",
    words=selecting("IMG-DEL"),
    update_image=_adds_what_is_new,
)


def _unprotected(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    image = self.images.get(document["id"])
    image.protected = False
    return Reply.of_json(self.represent(image), reply.status, reply.headers)


faulty(
    "ProtectsNoNewImages", "Creates no image as a protected one.", words=selecting("IMG-DEL"), create_image=_unprotected
)


def _keeps(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    reply = App.delete_image(self, request, image_id)
    self.__dict__.setdefault("kept", []).append(image)
    return reply


def _lists_kept(whose: Callable[[Image, str], bool]) -> Callable[[App, Request], Reply]:
    def list_images(self: App, request: Request) -> Reply:
        reply = App.list_images(self, request)
        document: Any = reply.json()
        asked = dict(listing.Query.read(request.query).pairs)
        kept = [each for each in self.__dict__.get("kept", ()) if each.name == asked.get("name")]
        kept = [] if "limit" in asked else kept  # a page holds no more than was asked for
        found = [self.represent(each) for each in kept if whose(each, request.caller.project)]
        return Reply.of_json(document | {"images": document.get("images", []) + found}, reply.status)

    return list_images


def _of_accepted(image: Image, project: str) -> bool:
    member = image.members.get(project)
    return member is not None and member.status is MemberStatus.ACCEPTED


GONE = selecting("IMG-DEL-04")
faulty(
    "ListsDeletedImagesByName",
    "Finds deleted images by their names.",
    "IMG-DEL-04",
    words=GONE,
    delete_image=_keeps,
    list_images=_lists_kept(lambda image, project: image.owner == project),
)


def _lists_kept_at_first(self: App, request: Request) -> Reply:
    reply = _lists_kept(lambda image, project: image.owner == project)(self, request)
    shown = [image.id for image in self.__dict__.get("kept", ()) if image.id.encode() in reply.body]
    seen = self.__dict__.setdefault("seen", [])
    seen += shown
    self.kept = [image for image in self.__dict__.get("kept", ()) if seen.count(image.id) < 3]  # type: ignore[attr-defined]
    return reply


faulty(
    "ListsDeletedImagesAWhileLonger",
    "Finds deleted images by their names until it was asked three times: its index is a little late.",
    words=(*GONE, *selecting("IMG-LIST-03", "PAGE-08")),
    profile="standard",
    delete_image=_keeps,
    list_images=_lists_kept_at_first,
)
faulty(
    "ListsDeletedImagesThatHadData",
    "Finds deleted images by their names if they had data, which another index holds.",
    "IMG-DEL-04",
    words=GONE,
    delete_image=_keeps,
    list_images=_lists_kept(lambda image, project: image.owner == project and bool(image.size)),
)
faulty(
    "ListsDeletedImagesToMembers",
    "Lists a deleted image to those who had accepted it.",
    "IMG-DEL-04",
    words=GONE,
    delete_image=_keeps,
    list_images=_lists_kept(_of_accepted),
)


# Once seen by everybody


def _as_it_was(self: App, request: Request, image_id: str) -> Reply:
    seen: dict[str, Visibility] = self.__dict__.setdefault("seen", {})
    image = next((each for each in self.images.all() if each.id == image_id), None)
    owns = image is not None and image.owner == request.caller.project
    if image is None or owns or image.visibility in (Visibility.PUBLIC, Visibility.COMMUNITY):
        reply = App.show_image(self, request, image_id)
        if image is not None and not owns and not request.caller.admin:
            seen[f"{request.caller.project} {image_id}"] = image.visibility
        return reply
    if f"{request.caller.project} {image_id}" in seen:
        return Reply.of_json(self.represent(image))
    return App.show_image(self, request, image_id)


faulty(
    "ShowsWhatSomebodySawBefore",
    "Shows an image to whoever has seen it while everybody saw it, though it is private since.",
    "IMG-GET-03",
    words=selecting("IMG-GET-03"),
    show_image=_as_it_was,
)


def _to_the_operator(self: App, request: Request, image_id: str) -> Reply:
    if request.caller.admin:
        self.images.open(request.caller, image_id).protected = False
    return App.delete_image(self, request, image_id)


faulty(
    "LiftsProtectionForTheOperator",
    "Deletes a protected image for the operator's administrator.",
    "IMG-DEL-02",
    words=selecting("IMG-DEL"),
    delete_image=_to_the_operator,
)


def _kept_for_members(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if any(member.status == MemberStatus.PENDING for member in image.members.values()) and not image.protected:
        return self.error(request, HTTPStatus.FORBIDDEN, "Somebody has not decided on it yet.")
    return App.delete_image(self, request, image_id)


faulty(
    "KeepsImagesUntilMembersDecide",
    "Forbids the deletion of an image that a member has not decided on.",
    "IMG-DEL-01",
    words=selecting("IMG-DEL-01"),
    delete_image=_kept_for_members,
)


def _held_by_members(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if not image.protected and any(member.status != MemberStatus.REJECTED for member in image.members.values()):
        return self.error(request, HTTPStatus.CONFLICT, "A row of another table refers to it.")
    return App.delete_image(self, request, image_id)


faulty(
    "DeletesNoImageThatHasMembers",
    "Answers 409 to the deletion of an image for as long as it has a member that has not rejected it.",
    "IMG-DEL-01",
    words=selecting("IMG-DEL"),
    delete_image=_held_by_members,
)


# Lawful


def _in_use_by_members(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if image.members and not image.protected:
        image.members.clear()
        return self.error(request, HTTPStatus.CONFLICT, "It is in use by members, who are told.")
    return App.delete_image(self, request, image_id)


faulty(
    "LetsMembersGoFirst",
    "Answers 409 to the deletion of an image that has members, until these are told.",
    words=selecting("IMG-DEL"),
    delete_image=_in_use_by_members,
)


# Ids that are none, and values that cannot be shown


def _without_lines(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if any("\n" in str(value) for value in (image.name, *image.properties.values())):
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "A control character cannot be written.")
    return App.show_image(self, request, image_id)


faulty(
    "FailsToShowLineBreaks",
    "Answers 500 to requests for an image with a line break in an attribute.",
    "IMG-GET-01",
    words=selecting("IMG-GET-01", "IMG-UPD"),
    show_image=_without_lines,
)


def odd_ids(status: HTTPStatus, *methods: str) -> Callable[[App, Request], Reply]:
    """Return what answers requests for an image whose id is no UUID by a status."""

    def route(self: App, request: Request) -> Reply:
        found = re.fullmatch("/v2/images/([^/]+)", request.path)
        if found and request.method in methods and not UUID.fullmatch(found[1]):
            return self.error(request, status, "This is no UUID.")
        return App.route(self, request)

    return route


WITHOUT = selecting("IMG-GET-02", "IMG-DEL", "IMG-UPD-23")
faulty(
    "FailsToDeleteWhatIsNoUuid",
    "Answers 500 to the deletion of an image whose id is no UUID.",
    "IMG-DEL-03",
    words=WITHOUT,
    route=odd_ids(HTTPStatus.INTERNAL_SERVER_ERROR, "DELETE"),
)
faulty(
    "FailsToPatchWhatIsNoUuid",
    "Answers 500 to patches of an image whose id is no UUID.",
    "IMG-UPD-23",
    words=WITHOUT,
    route=odd_ids(HTTPStatus.INTERNAL_SERVER_ERROR, "PATCH"),
)
faulty(
    "LooksAtIdsFirst",
    "Lawful: answers 400 to changes of an image whose id is no UUID.",
    words=WITHOUT,
    route=odd_ids(HTTPStatus.BAD_REQUEST, "PATCH", "DELETE"),
)


def _kept_for_consumers(self: App, request: Request, image_id: str) -> Reply:
    last: dict[tuple[str, str], Reply] = self.__dict__.setdefault("last", {})
    key = request.caller.project, image_id
    image = next((each for each in self.images.all() if each.id == image_id), None)
    if image is None and key in last:
        return last[key]
    reply = App.show_image(self, request, image_id)
    if image and request.caller.project in image.members:
        last[key] = reply
    return reply


faulty(
    "RemembersImagesForConsumers",
    "Shows a deleted image to a project that it was shared with and that has asked for it before.",
    "IMG-DEL-04",
    words=selecting("IMG-DEL-04"),
    show_image=_kept_for_consumers,
)


# Once it is deleted, or was to be


def _patches_nothing(self: App, request: Request, image_id: str) -> Reply:
    gone: dict[str, Image] = self.__dict__.setdefault("gone", {})
    if image_id in gone:
        return Reply.of_json(self.represent(gone[image_id]))
    return App.update_image(self, request, image_id)


def _buries(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    reply = App.delete_image(self, request, image_id)
    self.__dict__.setdefault("gone", {})[image_id] = image
    return reply


faulty(
    "AnswersPatchesOfDeletedImages",
    "Answers 200 to a patch of an image that was deleted, and does nothing.",
    "IMG-UPD-23",
    words=selecting("IMG-UPD-23", "IMG-DEL-04"),
    delete_image=_buries,
    update_image=_patches_nothing,
)


def _to_the_bin(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.delete_image(self, request, image_id)
    except Forbidden:
        image = self.images.open(request.caller, image_id)
        if image.protected:
            self.__dict__.setdefault("binned", set()).add(image_id)
        raise


def _not_from_the_bin(self: App, request: Request, image_id: str) -> Reply:
    if image_id in self.__dict__.get("binned", ()):
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such file.")
    return App.download(self, request, image_id)


faulty(
    "MovesDataBeforeItLooksAtProtection",
    "Has no data of a protected image any more once its deletion was refused.",
    "IMG-STAT-03",
    "IMG-DEL-02",
    words=(*LIFE, *selecting("TASK-IMP-04")),
    delete_image=_to_the_bin,
    download=_not_from_the_bin,
)


def _protected_elsewhere(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    image = self.images.get(image_id)
    if image.protected and image.data is not None:
        image.data = b""
    return reply


faulty(
    "LosesDataOnItsWayToASafePlace",
    "Serves no data of an image any more once it is protected.",
    "IMG-STAT-03",
    words=(*LIFE, *selecting("IMG-STAT-03")),
    update_image=_protected_elsewhere,
)


def _by_whoever_could(self: App, request: Request, image_id: str) -> Reply:
    could: set[tuple[str, str]] = self.__dict__.setdefault("could", set())
    image, who = self.images.show(request.caller, image_id), (request.caller.project, image_id)
    if who in could and image.data is not None:
        return Reply(HTTPStatus.OK, image.data, (("Content-Type", "application/octet-stream"),))
    reply = App.download(self, request, image_id)
    could.add(who)
    return reply


faulty(
    "RemembersWhoMayDownload",
    "Gives out the data of a deactivated image to a project that has downloaded it before.",
    "IMG-STAT-07",
    download=_by_whoever_could,
)


def _with_its_frames(self: App, request: Request, image_id: str) -> Reply:
    reply = App.upload(self, request, image_id)
    if "Content-Length" not in request.headers:
        self.images.get(image_id).size = len(f"{len(request.body):x}") + len(request.body) + 9
    return reply


faulty(
    "CountsTheFramesOfChunks",
    "Counts the frames of chunks to the size of data that comes in such.",
    "IMG-ENT-10",
    upload=_with_its_frames,
)


def _of_a_length(self: App, request: Request, image_id: str) -> Reply:
    if "Content-Length" not in request.headers:
        return self.error(request, HTTPStatus.LENGTH_REQUIRED, "Say how much it is.")
    return App.upload(self, request, image_id)


def _anew(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if image.status is Status.ACTIVE:
        image.status = Status.QUEUED
    return App.upload(self, request, image_id)


faulty("TakesNoDataInChunks", "Takes no data whose length it is not told before.", upload=_of_a_length)
faulty("TakesOtherDataInstead", "Takes other data for an image that has some, in its place.", upload=_anew)


# Deletions that are refused


def _lets_its_members_go(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if request.caller.deletes and image.protected:
        for member in [*image.members.values()]:
            if member.status is MemberStatus.PENDING:
                del image.members[member.project]
    return App.delete_image(self, request, image_id)


faulty(
    "LetsMembersGoBeforehand",
    "Removes the members that have not decided when it is to delete an image, which it refuses then as it is protected.",
    "IMG-DEL-02",
    delete_image=_lets_its_members_go,
)


def _lists_no_members(self: App, request: Request, image_id: str) -> Reply:
    App.list_members(self, request, image_id)
    return Reply.of_json({"members": [], "schema": "/v2/schemas/members"})


faulty(
    "ListsNoMembers",
    "Lists no members of any image, which is MEM-LIST-01's to say and not that of deletions.",
    words=selecting("IMG-DEL-02"),
    list_members=_lists_no_members,
)
