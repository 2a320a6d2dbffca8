"""Operations on tags that change something else of the image: with each operation, each attribute, in each state."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks

KIND = Kind.ATTRIBUTES


class When(StrEnum):
    """An operation on a tag, by what it is to come to."""

    ADDED = "a tag is added"
    REPEATED = "a tag is added again"
    REFUSED = "an addition is refused"
    DELETED = "a tag is deleted"
    ABSENT = "the tag to be deleted is absent"


class Changes(App):
    """An app that changes an image when something is done to its tags."""

    when = When.DELETED

    def __init__(self) -> None:
        super().__init__()
        self.created: dict[str, Image] = {}

    def change(self, image: Image, tag: str) -> None:
        """Change the image."""
        raise NotImplementedError

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            before = {other_image.id for other_image in self.images.all()}
            reply = super().create_image(request)
            for image in self.images.all():
                if image.id not in before:
                    self.created[image.id] = replace(image, properties=dict(image.properties))
            return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            refused = len(tag) > 255
            now = When.REFUSED if refused else When.REPEATED if tag in image.tags else When.ADDED
            if now is self.when:
                self.change(image, tag)
            return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            if self.when is (When.DELETED if tag in image.tags else When.ABSENT):
                self.change(image, tag)
            return super().delete_tag(request, image_id, tag)


BROKEN = {
    When.ADDED: "TAG-ADD-26",
    When.REPEATED: "TAG-ADD-26",
    When.REFUSED: "TAG-ADD-22",
    When.DELETED: "TAG-DEL-04",
    When.ABSENT: "TAG-DEL-12",
}
"""The requirement that speaks of each operation."""


def _changes(
    name: str,
    what: str,
    change: Callable[[Changes, Image, str], None],
    *times: When,
    profile: str = "quick",
    perhaps: Iterable[str] = (),
) -> None:
    """Register a service for each operation that comes with a change of the image."""
    for when in times:
        about = {"when": when, "change": change, "__doc__": f"{what} when {when}."}
        app = type(f"{name}When{when.name.capitalize()}", (Changes,), about)
        breaks(
            BROKEN[when],
            perhaps=perhaps,
            profile=profile,
        )(app)


def _drop_properties(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001 - every change is handed the tag
    image.properties.clear()


def _reset_sizes(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.min_disk = image.min_ram = 0


def _put_back(app: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    """Put every attribute back to what the image was created with, its tags and its data apart."""
    first = app.created[image.id]
    for field in fields(Image):
        if field.name in ("name", "min_disk", "min_ram", "properties"):
            setattr(image, field.name, getattr(first, field.name))


def _lose_the_name(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.name = None


def _move_creation(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.created_at += timedelta(seconds=1)


def _hide(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    image.os_hidden = True


def _lose_the_last_property(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    if image.properties:
        image.properties.popitem()


def _throw_data_away(_: Changes, image: Image, tag: str) -> None:  # noqa: ARG001
    if image.status is Status.ACTIVE:
        image.status, image.data, image.size, image.checksum, image.os_hash_value = (
            Status.QUEUED,
            None,
            None,
            None,
            None,
        )


_changes("DropsProperties", "Drops the custom properties", _drop_properties, When.DELETED, When.ABSENT)
_changes("ResetsSizes", "Resets min_disk and min_ram", _reset_sizes, When.DELETED, When.REFUSED)
_changes(
    "PutsBack",
    "Puts attributes back to what the image was created with",
    _put_back,
    When.REPEATED,
    When.REFUSED,
    When.DELETED,
)
_changes("LosesTheName", "Loses the image's name", _lose_the_name, When.DELETED)
_changes("MovesCreation", "Moves the time of creation", _move_creation, When.ABSENT)
_changes("HidesTheImage", "Hides the image", _hide, When.DELETED)
_changes("LosesAProperty", "Loses the newest custom property", _lose_the_last_property, When.DELETED)
_changes(
    "ThrowsDataAway", "Throws the data of an active image away", _throw_data_away, When.DELETED, profile="standard"
)


@breaks()
class CountsReads(App):
    """Shows how often an image was read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: dict[str, int] = {}

    def show_image(self, request: Request, image_id: str) -> Reply:
        self.reads[image_id] = self.reads.get(image_id, 0) + 1
        return super().show_image(request, image_id)

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"reads": str(self.reads.get(image.id, 0))}


@breaks(profile="standard")
class TakesNoSizes(App):
    """Answers 400 to the creation of an image with min_disk or min_ram."""

    def create_image(self, request: Request) -> Reply:
        if b"min_disk" in request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "The sizes of an image are ours.")
        return super().create_image(request)
