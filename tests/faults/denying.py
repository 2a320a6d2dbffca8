"""Services that delete what they are told to, and answer as if it had not been there: always, or under one condition.

Once, that is what somebody on the way leaves who sends a deletion twice; these do so whenever it is so.
"""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Member
from pytest_cloudimages.reference.refusals import Refusal

from .kinds import Kind
from .racing import Meets
from .registry import breaks, registrar, selecting

KIND = Kind.DELETION

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""
MANY = 10
"""Tags of an image that carries many."""


def _denied(app: App, request: Request, reply: Reply) -> Reply:
    return (
        app.error(request, HTTPStatus.NOT_FOUND, "There is nothing of that name.")
        if reply.status < HTTPStatus.MULTIPLE_CHOICES
        else reply
    )


def _denies_tags(
    name: str,
    sentence: str,
    *ids: str,
    when: Callable[[Image], object],
) -> None:
    def delete_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        denies = tag in image.tags and when(image)
        reply = App.delete_tag(self, request, image_id, tag)
        return _denied(self, request, reply) if denies else reply

    faulty(name, sentence, *ids, delete_tag=delete_tag)


_denies_tags(
    "DeniesTagsAmongMany",
    "Deletes a tag of an image that carries many and answers 404.",
    "TAG-DEL-01",
    "TAG-DEL-12",
    "TAG-HIST-01",
    when=lambda image: len(image.tags) > MANY,
)
_denies_tags(
    "DeniesTagsOfProtectedImages",
    "Deletes a tag of a protected image and answers 404.",
    "TAG-DEL-12",
    "TAG-DEL-19",
    when=lambda image: image.protected,
)


@breaks("TAG-HIST-02", profile="standard")
class DeniesWhereTwoMeet(Meets):
    """Deletes a tag and answers 404 where another request meets the deletion."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id) as met:
            reply = super().delete_tag(request, image_id, tag)
        return _denied(self, request, reply) if met else reply


def _denies_members(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    members: dict[str, Member] = {}
    with suppress(Refusal):
        members = {**self.images.open(request.caller, image_id).members}
    reply = App.delete_member(self, request, image_id, member_id)
    return _denied(self, request, reply) if member_id in members else reply


faulty(
    "DeniesMembers",
    "Removes a member and answers 404.",
    "MEM-DEL-01",
    words=selecting("MEM-DEL"),
    delete_member=_denies_members,
)


def _denies_images(self: App, request: Request, image_id: str) -> Reply:
    return _denied(self, request, App.delete_image(self, request, image_id))


faulty(
    "DeniesImages",
    "Deletes an image and answers 404.",
    "IMG-DEL-01",
    words=selecting("IMG-DEL"),
    delete_image=_denies_images,
)
