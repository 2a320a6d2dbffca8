"""Additions that change more of an image than its tags."""

from datetime import timedelta
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status, Visibility
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks

KIND = Kind.ATTRIBUTES


class _ChangesTheImage(App):
    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            again = tag in image.tags
            reply = super().add_tag(request, image_id, tag)
            self.change(image, tag, again=again)
            return reply

    def change(self, image: Image, tag: str, *, again: bool) -> None:
        raise NotImplementedError


@breaks("TAG-ADD-26")
class RenamesTheImage(_ChangesTheImage):
    """Names the image after the tag."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002 - some need it
        image.name = tag


@breaks("TAG-ADD-26")
class HidesTheImage(_ChangesTheImage):
    """Makes the image private."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.visibility = Visibility.PRIVATE


@breaks("TAG-ADD-26")
class NotesTheTagAsAProperty(_ChangesTheImage):
    """Returns the image a property of the tag's name."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.properties["last_tag"] = tag


@breaks("TAG-ADD-26")
class TakesTheImageForNew(_ChangesTheImage):
    """Moves the time of creation."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.created_at += timedelta(seconds=1)


@breaks("TAG-ADD-26")
class ForgetsTheFormat(_ChangesTheImage):
    """Forgets the disk format."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.disk_format = None


@breaks("TAG-ADD-26")
class AsksForMoreRam(_ChangesTheImage):
    """Raises min_ram."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.min_ram += 1


@breaks("TAG-ADD-26")
class ActivatesTheImage(_ChangesTheImage):
    """Makes the image active."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.status = Status.ACTIVE


@breaks("TAG-ADD-26")
class ChangesTheImageOnRepetition(_ChangesTheImage):
    """Moves the time of creation when a tag is added again."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.created_at += timedelta(seconds=again)


@breaks("TAG-ADD-31", profile="standard")
class ProtectsAgainstTags(App):
    """Answers 403 to an addition to a protected image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.get(image_id).protected:
            return self.error(request, HTTPStatus.FORBIDDEN, "The image is protected.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-31", profile="standard", words=("--select", "TAG-ADD-31", "--select", "TAG-ADD-01"))
class ProtectsAfterAnUpload(App):
    """Answers 403 to an addition to an image that is protected and was given its data before."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.get(image_id)
        if image.protected and image.status is not Status.QUEUED:
            return self.error(request, HTTPStatus.FORBIDDEN, "The image is protected.")
        return super().add_tag(request, image_id, tag)


@breaks(profile="standard", words=("--select", "TAG-ADD-31", "--select", "TAG-ADD-01"))
class ProtectsNoData(App):
    """Answers 403 where an image is to be protected that has its data already."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if b"/protected" in request.body and self.images.get(image_id).status is not Status.QUEUED:
            return self.error(request, HTTPStatus.FORBIDDEN, "That stays as it is.")
        return super().update_image(request, image_id)


@breaks("TAG-ADD-32", profile="standard")
class KeepsDeactivatedImagesAsTheyAre(App):
    """Answers 403 to an addition to a deactivated image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.get(image_id).status is Status.DEACTIVATED:
            return self.error(request, HTTPStatus.FORBIDDEN, "The image is deactivated.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-26", profile="standard")
class NamesTheNameless(_ChangesTheImage):
    """Names an image without a name as its form does that is not filled in."""

    def change(self, image: Image, tag: str, *, again: bool) -> None:  # noqa: ARG002
        image.name = image.name or "-"


@breaks("TAG-ADD-26", profile="standard", words=("--select", "TAG-ADD-26"))
class TakesAssignmentsForProperties(App):
    """Takes a tag with an equals sign for a property of the image as well."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            name, equals, value = tag.partition("=")
            if equals and name.isalpha() and name.isascii():
                self.images.get(image_id).properties[f"from_{name}"] = value
            return reply


def _turns_back(name: str, doc: str, method: str, *ids: str, by: timedelta | None = None) -> None:
    """Register a service that turns the time of an image's last update back with a change of its tags."""

    def change(self: App, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply: Reply = getattr(App, method)(self, request, image_id, tag)
            image = self.images.get(image_id)
            image.updated_at = image.updated_at - by if by else image.created_at
            return reply

    breaks(*ids, profile="standard", words=("--select", "TAG-ADD-26", "--select", "TAG-DEL-04"))(
        type(name, (App,), {method: change, "__doc__": doc})
    )


_turns_back("IsNewOnceUntagged", "Says it was updated when it was created.", "delete_tag", "TAG-DEL-04")
_turns_back("LagsByASecond", "Has a clock one second behind.", "delete_tag", by=timedelta(seconds=0.9))


def _remakes_old_images(name: str, doc: str, method: str, *ids: str) -> None:
    """Register a service that notes with a change of tags that an image was created now, by a clock without fractions."""

    def change(self: App, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply: Reply = getattr(App, method)(self, request, image_id, tag)
            image = self.images.get(image_id)
            now = image.updated_at.replace(microsecond=image.created_at.microsecond)
            if now - image.created_at > timedelta(seconds=1):
                image.created_at = now
            return reply

    breaks(*ids, profile="standard", words=("--select", "TAG-ADD-26", "--select", "TAG-DEL-04"))(
        type(name, (App,), {method: change, "__doc__": doc})
    )


_remakes_old_images(
    "MakesAnImageAnewUntagged", "Says of an image of two seconds that it was created now.", "delete_tag", "TAG-DEL-04"
)


@breaks("TAG-ADD-26", profile="standard", words=("--select", "TAG-ADD-26", "--select", "TAG-DEL-04"))
class NamesWhatLastsAfterItsTag(App):
    """Returns an image that has been there for two seconds with its new tag as a property."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            image = self.images.get(image_id)
            if image.updated_at - image.created_at > timedelta(seconds=2):
                image.properties["latest"] = tag
            return reply
