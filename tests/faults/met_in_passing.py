"""Services that are wrong under a condition that many meet, and nobody asks about: what they say then is seen in passing."""

import json
from collections.abc import Callable
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, MemberStatus, Status, Visibility

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.PASSING
faulty = registrar(__name__, words=selecting("IMG", "MEM", "GEN", "PAGE", "AUTH-03", "TASK"), profile="standard")
"""Registers a service that has some methods of its own."""
Shown = dict[str, Any]


def _shows(edit: Callable[[Image, Shown], object]) -> Callable[[App, Image], Shown]:
    """Return how an image is shown by a service that edits what it shows of it."""

    def represent(self: App, image: Image) -> Shown:
        shown = App.represent(self, image)
        edit(image, shown)
        return shown

    return represent


def _edited(reply: Reply, edit: Callable[[Shown], object]) -> Reply:
    shown: Any = reply.json()
    edit(shown)
    return Reply(reply.status, json.dumps(shown).encode(), reply.headers)


def _called(reply: Reply, kind: str) -> Reply:
    """Return a reply with another Content-Type."""
    others = tuple(field for field in reply.headers if field[0].lower() != "content-type")
    return Reply(reply.status, reply.body, (("Content-Type", kind), *others))


def _patched(condition: Callable[[Image, Request], bool], edit: Callable[[Shown], object]) -> Callable[..., Reply]:
    def update_image(self: App, request: Request, image_id: str) -> Reply:
        reply = App.update_image(self, request, image_id)
        return _edited(reply, edit) if reply.status == 200 and condition(self.images.get(image_id), request) else reply

    return update_image


faulty(
    "CountsMemoryInWordsOnceDecided",
    "Shows min_ram as a text once a member has rejected the image.",
    "IMG-ENT-09",
    represent=_shows(
        lambda image, shown: (
            shown.update(min_ram=str(image.min_ram))
            if any(member.status is MemberStatus.REJECTED for member in image.members.values())
            else None
        )
    ),
)
faulty(
    "HidesTheSchemaOfHiddenImages",
    "Shows no link to the schema with an image that is hidden.",
    "IMG-ENT-06",
    represent=_shows(lambda image, shown: shown.pop("schema") if image.os_hidden else None),
)
faulty(
    "ListsManyMembersAsText",
    "Calls a list of two members or more plain text.",
    "GEN-01",
    list_members=lambda self, request, image_id: (
        _called(App.list_members(self, request, image_id), "text/plain")
        if len(self.images.get(image_id).members) > 1
        else App.list_members(self, request, image_id)
    ),
)
faulty(
    "DatesPrivateImagesByDay",
    "Shows of a private image that has members the day alone on which it was changed.",
    "GEN-07",
    represent=_shows(
        lambda image, shown: (
            shown.update(updated_at=shown["updated_at"][:10])
            if image.members and image.visibility is Visibility.PRIVATE
            else None
        )
    ),
)
faulty(
    "ProtectsInWords",
    "Shows whether an image is protected as a text, while it is deactivated and protected.",
    "IMG-ENT-01",
    represent=_shows(
        lambda image, shown: (
            shown.update(protected="True") if image.protected and image.status is Status.DEACTIVATED else None
        )
    ),
)
faulty(
    "LeadsNowhereFromPatchesOfTags",
    "Leads by self to the tags in the answer to a PATCH that sets many tags.",
    "IMG-ENT-04",
    words=selecting("IMG", "TAG-VIS", "TAG-HIST"),
    update_image=_patched(
        lambda image, request: b'"/tags"' in request.body and len(image.tags) > 2,
        lambda shown: shown.update(self=f"{shown['self']}/tags"),
    ),
)
faulty(
    "ShoutsWhoSeesWhatIsGivenAway",
    "Writes the visibility in capitals in the answer to the PATCH that gives an image to the community.",
    "IMG-ENT-08",
    words=selecting("IMG", "MEM"),
    update_image=_patched(
        lambda image, request: b'"community"' in request.body and image.visibility is Visibility.COMMUNITY,
        lambda shown: shown.update(visibility="COMMUNITY"),
    ),
)
faulty(
    "DescribesNoMembersOfHiddenImages",
    "Shows no link to the schema with the members of an image that is hidden.",
    "MEM-LIST-01",
    list_members=lambda self, request, image_id: (
        _edited(App.list_members(self, request, image_id), lambda shown: shown.pop("schema"))
        if self.images.get(image_id).os_hidden
        else App.list_members(self, request, image_id)
    ),
)


def _undated(self: App, request: Request) -> Reply:
    reply = App.handle(self, request)
    if reply.status != 409 or not request.path.endswith("/members"):
        return reply
    return Reply(reply.status, reply.body, tuple(field for field in reply.headers if field[0] != "Date"))


faulty("DatesNoRepeatedMembers", "Refuses a repeated member without a date.", "GEN-14", handle=_undated)
