"""What happens to an image and its tags: events that change tags, and tags that undo events."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status, Visibility
from pytest_cloudimages.reference.images import Image

from .changing import BROKEN, Changes, When
from .kinds import Kind
from .registry import breaks, registrar

KIND = Kind.ATTRIBUTES
faulty = registrar(__name__, profile="standard")

SEQUENCES = ("--select", "TAG-ADD", "--select", "TAG-DEL", "--select", "TAG-HIST-01")
"""What looks at an image's life."""


def _undoes(name: str, doc: str, when: When, change: Callable[[Changes, Image, str], None]) -> None:
    """Register a service that undoes what has happened to an image when something is done to its tags."""
    app = type(name, (Changes,), {"when": when, "change": change, "__doc__": doc})
    breaks(BROKEN[when], profile="standard")(app)


def _lose_the_data(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001 - every change is handed the tag
    image.data = image.data and b""


def _lose_the_members(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.members.clear()


def _ask_the_members_again(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    for project, member in image.members.items():
        image.members[project] = replace(member, status=type(member.status).PENDING)


def _free(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.protected = False


def _activate(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    if image.status is Status.DEACTIVATED:
        image.status = Status.ACTIVE


def _share(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.visibility = Visibility.SHARED


_undoes("LosesTheDataWithATag", "Loses the data of an image with a tag.", When.DELETED, _lose_the_data)
_undoes("LosesTheDataTwice", "Loses the data of an image at a second deletion.", When.ABSENT, _lose_the_data)
_undoes("LosesTheMembers", "Shares an image with nobody when a tag is added.", When.ADDED, _lose_the_members)
_undoes("AsksMembersAgain", "Makes members pending when a tag is deleted.", When.DELETED, _ask_the_members_again)
_undoes("FreesTheImage", "Takes protection off when a tag is deleted.", When.DELETED, _free)
_undoes("ActivatesWithATag", "Activates a deactivated image when a tag is added.", When.ADDED, _activate)
_undoes("SharesWithATag", "Makes an image shared when a tag is deleted.", When.DELETED, _share)


def _minds_the_last(name: str, doc: str, handler: str, when: Callable[[Image], bool], *ids: str) -> None:
    """Register a service that answers 403 to the deletion of the last tag, or the addition of the first, in a state."""

    def handle(self: App, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        if when(image) and image.tags == ([tag] if handler == "delete_tag" else []):
            return self.error(request, HTTPStatus.FORBIDDEN, "Not while the image is in this state.")
        reply: Reply = getattr(App, handler)(self, request, image_id, tag)
        return reply

    faulty(name, doc, *ids, words=SEQUENCES, **{handler: handle})


_minds_the_last(
    "KeepsTheLastTagOfACommunityImage",
    "Does not delete the last tag of a community image.",
    "delete_tag",
    lambda image: image.visibility is Visibility.COMMUNITY,
    "TAG-DEL-01",
)
_minds_the_last(
    "RefusesTheFirstTagOfAProtectedImage",
    "Adds no tag to a protected image that has none.",
    "add_tag",
    lambda image: image.protected,
    "TAG-ADD-31",
)
_minds_the_last(
    "KeepsTheLastTagOfADeactivatedImage",
    "Does not delete the last tag of a deactivated image.",
    "delete_tag",
    lambda image: image.status is Status.DEACTIVATED,
    "TAG-ADD-32",
)


@breaks("TAG-ADD-26", profile="standard", words=SEQUENCES)
class ShowsItselfAtARepetition(App):
    """Hides an image no more when a tag is added that it has."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        if tag in image.tags:
            image.os_hidden = False
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-06", "TAG-ADD-18", profile="standard", words=SEQUENCES)
class RefusesARepetitionOnceActive(App):
    """Answers 409 to the addition of a tag that an image with data has."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        if tag in image.tags and image.status is Status.ACTIVE and not image.protected:
            return self.error(request, HTTPStatus.CONFLICT, "It is there.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-01", profile="standard", words=SEQUENCES)
class LeavesWhatWasSharedAlone(App):
    """Adds no tag to an image that is private and was shared with somebody."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        if image.visibility is Visibility.PRIVATE and image.members:
            return self.error(request, HTTPStatus.FORBIDDEN, "Somebody may be looking.")
        return super().add_tag(request, image_id, tag)


class _ForgetsAt(App):
    """Forgets tags when something else happens to an image."""

    def lose(self, image_id: str) -> None:
        """Forget the second tag."""
        with self.images.lock:
            del self.images.get(image_id).tags[1:2]


def _forgets(name: str, doc: str, handler: str, *perhaps: str, requires: bytes = b"") -> None:
    """Register a service that forgets a tag when a request of a kind comes."""

    def handle(self: _ForgetsAt, request: Request, image_id: str, *rest: str) -> Reply:
        reply: Reply = getattr(App, handler)(self, request, image_id, *rest)
        if requires in request.body and reply.status < HTTPStatus.BAD_REQUEST:
            self.lose(image_id)
        return reply

    app = type(name, (_ForgetsAt,), {handler: handle, "__doc__": doc})
    breaks("TAG-HIST-01", perhaps=["TAG-HIST-02", *perhaps], profile="standard")(app)


_forgets(
    "ForgetsATagWithANewName",
    "Forgets a tag when the image is renamed.",
    "update_image",
    "TAG-VIS-08",
    requires=b'"/name"',
)
_forgets("ForgetsATagShown", "Forgets a tag when the visibility changes.", "update_image", requires=b"/visibility")
_forgets("ForgetsATagUploaded", "Forgets a tag when data is uploaded.", "upload")
_forgets("ForgetsATagShared", "Forgets a tag when the image is shared.", "create_member")
_forgets("ForgetsATagDeactivated", "Forgets a tag when the image is deactivated.", "deactivate")


@breaks("TAG-HIST-01", perhaps=["TAG-HIST-02"], profile="standard")
class BringsATagBackWithAPatch(App):
    """Brings back the tag that was deleted last when another attribute of the image is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, str] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.gone[image_id] = tag
        return reply

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().update_image(request, image_id)
            tag, tags = self.gone.get(image_id, ""), self.images.get(image_id).tags
            if tag and tag not in tags and b"/tags" not in request.body:
                tags.append(tag)
            return reply


# What is written back with an event


def _writes_back(name: str, doc: str, handler: str, *ids: str) -> None:
    """Register a service that keeps what it has shown of tags, and stores that with an event, or drops it."""

    def show_image(self: App, request: Request, image_id: str) -> Reply:
        reply = App.show_image(self, request, image_id)
        vars(self).setdefault("shown", {})[image_id] = list(self.images.get(image_id).tags)
        return reply

    def handle(self: App, request: Request, image_id: str) -> Reply:
        reply: Reply = getattr(App, handler)(self, request, image_id)
        shown = vars(self).setdefault("shown", {}).pop(image_id, None)
        if ids and shown is not None and reply.status < HTTPStatus.BAD_REQUEST:
            self.images.get(image_id).tags[:] = shown
        return reply

    breaks(*ids, profile="standard", words=("--select", "TAG-HIST-01"))(
        type(name, (App,), {"show_image": show_image, handler: handle, "__doc__": doc})
    )


_writes_back("DeactivatesWhatWasShown", "Stores at its deactivation what it showed last.", "deactivate", "TAG-HIST-01")
_writes_back("SharesWhatWasShown", "Stores what it showed last when it is shared.", "create_member", "TAG-HIST-01")
_writes_back("ForgetsWhatWasShown", "Keeps what it has shown, and drops it when it is deactivated.", "deactivate")


# Tags that are what the image says of itself


def _mistakes(name: str, doc: str, handler: str, own: Callable[[Image], str]) -> None:
    """Register a service that answers 400 where a tag is what the image says of itself."""

    def handle(self: App, request: Request, image_id: str, tag: str) -> Reply:
        if tag == own(self.images.open(request.caller, image_id)):
            return self.error(request, HTTPStatus.BAD_REQUEST, "That is no tag.")
        reply: Reply = getattr(App, handler)(self, request, image_id, tag)
        return reply

    breaks("TAG-URI-03", profile="standard", words=("--select", "TAG-URI-03"))(
        type(name, (App,), {handler: handle, "__doc__": doc})
    )


_mistakes("RefusesItsId", "Refuses a tag that is the id of its image.", "add_tag", lambda image: image.id)
_mistakes("RefusesItsOwner", "Refuses a tag that is the id of its project.", "add_tag", lambda image: image.owner)
_mistakes(
    "DeletesNoName", "Does not delete a tag that is its image's name.", "delete_tag", lambda image: image.name or ""
)


# A PATCH of the tags, with other changes and without


def _patches(name: str, doc: str, read: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    """Register a service that reads the changes of a PATCH in its own way where there are tags among them."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        changes = json.loads(request.body)
        if not any(change.get("path") == "/tags" for change in changes):
            return App.update_image(self, request, image_id)
        body = json.dumps(read(changes)).encode()
        return App.update_image(self, Request("PATCH", request.target, request.headers, body, request.caller), image_id)

    breaks("TAG-VIS-08", profile="standard", words=("--select", "TAG-VIS-08"))(
        type(name, (App,), {"update_image": update_image, "__doc__": doc})
    )


_RESET: dict[str, object] = {"op": "replace", "path": "/min_ram", "value": 0}

_patches(
    "PatchesTheFirst", "Makes the first of several changes where tags are among them.", lambda changes: changes[:1]
)
_patches("PatchesTheLast", "Makes the last of several changes where tags are among them.", lambda changes: changes[-1:])


def _of_tags(changes: list[dict[str, object]]) -> tuple[list[dict[str, object]], list[list[str]]]:
    """Return the other changes of a PATCH, and the lists that it sets of tags, one after another."""
    others = [change for change in changes if change.get("path") != "/tags"]
    lists = [change.get("value") for change in changes if change.get("path") == "/tags"]
    return others, [[*each] for each in lists if isinstance(each, list)]


def _first_list(changes: list[dict[str, object]]) -> list[dict[str, object]]:
    others, lists = _of_tags(changes)
    return [*others, {"op": "replace", "path": "/tags", "value": lists[0]}] if len(lists) > 1 else changes


def _without_what_one_lacks(changes: list[dict[str, object]]) -> list[dict[str, object]]:
    others, lists = _of_tags(changes)
    # What was there before is in the list before the last.
    kept = [tag for tag in lists[-1] if len(lists) == 1 or tag in lists[0] or tag not in lists[-2]]
    return [*others, {"op": "replace", "path": "/tags", "value": kept}]


_patches("TakesTheFirstOfItsLists", "Sets the first of the lists of tags that one PATCH has.", _first_list)
_patches(
    "DeletesWhatAnyListLacks",
    "Deletes at the end of a PATCH what the first of its lists of tags lacks of those that are there.",
    _without_what_one_lacks,
)
_patches("ResetsWithTags", "Sets min_ram to 0 with a PATCH of the tags.", lambda changes: [*changes, _RESET])


@breaks(profile="standard", words=("--select", "TAG-VIS-08"))
class PatchesOneThing(App):
    """Answers 400 to a PATCH of several attributes."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if len(json.loads(request.body)) > 1:
            return self.error(request, HTTPStatus.BAD_REQUEST, "One change at a time.")
        return super().update_image(request, image_id)


@breaks(profile="standard", words=("--select", "TAG-VIS-08"))
class TakesOneListOfTags(App):
    """Answers 400 to a PATCH that sets the tags twice."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if request.body.count(b'"/tags"') > 1:
            return self.error(request, HTTPStatus.BAD_REQUEST, "Which of them?")
        return super().update_image(request, image_id)


# Lawful ones


class _Offers(App):
    """Refuses some of what may happen to an image."""

    refused: tuple[str, ...] = ()

    def update_image(self, request: Request, image_id: str) -> Reply:
        if any(name.encode() in request.body for name in self.refused):
            return self.error(request, HTTPStatus.FORBIDDEN, "That stays as it is.")
        return super().update_image(request, image_id)

    def deactivate(self, request: Request, image_id: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.NOT_FOUND, "There are no actions.")

    def upload(self, request: Request, image_id: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.METHOD_NOT_ALLOWED, "Data comes by a task.", (("Allow", "GET"),))

    def create_member(self, request: Request, image_id: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.NOT_FOUND, "There are no members.")


@breaks(profile="standard", words=SEQUENCES)
class OffersTagsAlone(_Offers):
    """Knows no protection, hiding, visibility, data, members or actions: images have names and tags."""

    refused = ("/protected", "/os_hidden", "/visibility", "/min_disk")


@breaks(profile="standard", words=SEQUENCES)
class ActivatesLate(App):
    """Saves uploaded data for 40 ms before the image is active, and shows its checksum 40 ms later."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[str, float] = {}

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        self.begun[image_id] = time.monotonic()
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        age = time.monotonic() - self.begun.get(image.id, 0.0)
        shown = super().represent(image)
        if age < 0.08:
            shown |= {"checksum": None, "os_hash_value": None}
        return shown | ({"status": "saving", "size": None} if age < 0.04 else {})
