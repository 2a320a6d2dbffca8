"""Operations on one image that reach another."""

import json
from collections.abc import Iterator
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.ISOLATION
HANDED_ON = selecting(
    *("TAG-HIST-03", "TAG-URI-04", "TAG-URI-14", "TAG-METH-06", "TAG-ADD-09", "TAG-ADD-14", "TAG-DEL-18"),
)
"""What expects a new image to carry nothing."""


class _ReachesOthers(App):
    def others(self, image: Image) -> Iterator[Image]:
        """Return the images that are taken for the one named."""
        return (
            other_image
            for other_image in self.images.all()
            if other_image.id != image.id and other_image.name == image.name
        )


@breaks("TAG-HIST-03")
class AddsToNamesakes(_ReachesOthers):
    """Adds a tag to every image of the same name."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            for other in self.others(self.images.get(image_id)):
                other.tags += [tag] * (tag not in other.tags)
            return reply


@breaks("TAG-HIST-03")
class AddsToAllOfTheProject(AddsToNamesakes):
    """Adds a tag to every image of the project."""

    def others(self, image: Image) -> Iterator[Image]:
        return (
            other_image
            for other_image in self.images.all()
            if other_image.id != image.id and other_image.owner == image.owner
        )


@breaks("TAG-HIST-03")
class DeletesFromNamesakes(_ReachesOthers):
    """Deletes a tag from every image of the same name."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            for other in self.others(self.images.get(image_id)):
                other.tags[:] = [each for each in other.tags if each != tag]
            return reply


@breaks("TAG-HIST-03")
class DeletesFromAllOfTheProject(DeletesFromNamesakes):
    """Deletes a tag from every image of the project."""

    def others(self, image: Image) -> Iterator[Image]:
        return (
            other_image
            for other_image in self.images.all()
            if other_image.id != image.id and other_image.owner == image.owner
        )


@breaks("TAG-HIST-03", profile="standard", words=("--select", "TAG-HIST-03", "--select", "TAG-VIS-03"))
class DeletesFromAllThatAreListed(DeletesFromAllOfTheProject):
    """Deletes a tag from every image of the project, and lists images by the tags that they have then."""


@breaks("TAG-HIST-03")
class DeletesAllFromNamesakes(_ReachesOthers):
    """Takes all tags off the images of the same name when the last tag is deleted."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            image = self.images.get(image_id)
            for other in self.others(image):
                other.tags[:] = other.tags if image.tags else []
            return reply


@breaks("TAG-HIST-03")
class MovesTagsBetweenNamesakes(_ReachesOthers):
    """Takes a tag off the image of the same name that carries it already, as a unique index would."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            for other in self.others(self.images.get(image_id)):
                other.tags[:] = [each for each in other.tags if each != tag]
            return reply


@breaks("TAG-HIST-03")
class SharesTheListOfNamesakes(_ReachesOthers):
    """Keeps one list of tags for all images of a name."""

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            reply = super().create_image(request)
            youngest = self.images.all()[-1]
            for other in self.others(youngest):
                youngest.tags = other.tags
            return reply


@breaks("TAG-ADD-03", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class ForgetsTagsOfNamesakes(_ReachesOthers):
    """Acknowledges additions to an image that has the name of an older one, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            before = list(image.tags)
            reply = super().add_tag(request, image_id, tag)
            if any(other.created_at < image.created_at for other in self.others(image)):
                image.tags[:] = before
            return reply


@breaks("TAG-HIST-03", profile="standard")
class KeepsOneRecordOfData(AddsToNamesakes):
    """Adds a tag to every image of the project whose data is the same."""

    def others(self, image: Image) -> Iterator[Image]:
        return (
            other_image
            for other_image in self.images.all()
            if image.checksum and other_image.id != image.id and other_image.checksum == image.checksum
        )


@breaks("TAG-HIST-03", profile="standard")
class ForgetsPatchedTagsOnceDeleted(App):
    """Deletes a tag that no PUT has ever added from all images at once."""

    def __init__(self) -> None:
        super().__init__()
        self.put: set[str] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.put.add(tag)
        return super().add_tag(request, image_id, tag)

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        made = reply.json()
        self.put.update(made.get("tags", ()) if isinstance(made, dict) else ())
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            for image in self.images.all() if tag not in self.put else ():
                image.tags[:] = [each for each in image.tags if each != tag]
            return reply


class _TakesOff(App):
    """Takes tags that go from one image off other images as well."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = self.images.show(request.caller, image_id).tags
            reply = super().update_image(request, image_id)
            after = self.images.get(image_id).tags
            self.patched(self.images.get(image_id), [tag for tag in before if tag not in after])
            return reply

    def patched(self, image: Image, gone: list[str]) -> None:
        """Do what there is to do when some tags of an image have gone by a PATCH."""

    def take_off(self, owner: str, tags: list[str]) -> None:
        """Take tags off all images of a project."""
        for other in self.images.all():
            if other.owner == owner:
                other.tags[:] = [tag for tag in other.tags if tag not in tags]


@breaks("TAG-HIST-03", profile="standard")
class TakesOffAllWhatFewerLeaveOut(_TakesOff):
    """Takes tags that a PATCH leaves out, where it sets others, off all images of the project."""

    def patched(self, image: Image, gone: list[str]) -> None:
        if image.tags:
            self.take_off(image.owner, gone)


@breaks("TAG-HIST-03", profile="standard")
class EmptiesNamesakes(_TakesOff, _ReachesOthers):
    """Takes all tags off the images of the same name when a PATCH sets none."""

    def patched(self, image: Image, gone: list[str]) -> None:
        for other in self.others(image) if gone and not image.tags else ():
            other.tags.clear()


@breaks("TAG-HIST-03", profile="standard")
class HasOneListOfNoTags(_TakesOff):
    """Has all images that a PATCH leaves without tags share a list, to which the next addition to any is made."""

    def __init__(self) -> None:
        super().__init__()
        self.none: list[str] = []

    def patched(self, image: Image, gone: list[str]) -> None:
        if gone and not image.tags:
            self.none = [] if self.none else self.none
            image.tags = self.none


class _RemovesTags(_TakesOff):
    """Knows how to remove the tags of an image by a PATCH."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if json.loads(request.body) != [{"op": "remove", "path": "/tags"}]:
            return App.update_image(self, request, image_id)
        none = json.dumps([{"op": "replace", "path": "/tags", "value": []}]).encode()
        return super().update_image(Request("PATCH", request.target, request.headers, none, request.caller), image_id)


@breaks("TAG-HIST-03", profile="standard")
class RemovesTheTagsOfAll(_RemovesTags):
    """Takes the tags of an image that are removed by a PATCH off all images of the project."""

    def patched(self, image: Image, gone: list[str]) -> None:
        self.take_off(image.owner, gone)


@breaks(profile="standard", words=selecting("TAG-HIST-03", "TAG-VIS-08"))
class RemovesTheTagsOfOne(_RemovesTags):
    """Lets the tags of an image be removed by a PATCH, and shows none then."""


@breaks("TAG-HIST-03", profile="standard")
class KeepsTagsWithTheFirstImage(_TakesOff):
    """Keeps each tag of a project with the image that carried it first, and for all only for as long as that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[tuple[str, str], str] = {}

    def represent(self, image: Image) -> dict[str, object]:
        for tag in image.tags:
            self.first.setdefault((image.owner, tag), image.id)
        return super().represent(image)

    def delete_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().delete_image(request, image_id)
            for owner, tag in [key for key, first in self.first.items() if first == image_id]:
                del self.first[owner, tag]
                self.take_off(owner, [tag])
            return reply


@breaks("TAG-HIST-03", profile="standard")
class KeepsTagsWithWhoPutThemFirst(KeepsTagsWithTheFirstImage):
    """Keeps each tag with the image on which it was put first by its address, for as long as that is there."""

    def represent(self, image: Image) -> dict[str, object]:
        return App.represent(self, image)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.first.setdefault((self.images.get(image_id).owner, tag), image_id)
        return reply


@breaks("TAG-HIST-03", profile="standard")
class HasOneDefault(_ReachesOthers):
    """Takes the tag "default" off an image of the project when another one gets it."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            for image in self.images.all() if tag == "default" else ():
                image.tags[:] = [each for each in image.tags if each != tag or image.id == image_id]
            return reply


class _KnowsTheDeleted(App):
    """Keeps in mind the tags of images that were deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[str]] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        tags = self.images.show(request.caller, image_id).tags
        reply = super().delete_image(request, image_id)
        self.rows[image_id] = tags
        return reply


@breaks("TAG-HIST-03", profile="standard", words=("--select", "TAG-HIST-03", "--select", "TAG-ADD-04"))
class LeavesRowsBehind(_KnowsTheDeleted):
    """Leaves the rows of an image's tags when it is deleted, and shows them with the next image of that id."""

    def represent(self, image: Image) -> dict[str, object]:
        image.tags += [tag for tag in self.rows.pop(image.id, []) if tag not in image.tags]
        return super().represent(image)


@breaks("TAG-HIST-03", profile="standard", words=HANDED_ON)
class BeginsWithTheTagsOfTheLast(App):
    """Has a new image of a project begin with the tags of its youngest one, where it is given none."""

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            before = [image for image in self.images.all() if image.owner == request.caller.project]
            reply = super().create_image(request)
            made = reply.json()
            assert isinstance(made, dict)
            if not before or made.get("tags") or reply.status != HTTPStatus.CREATED:
                return reply
            image = self.images.get(made["id"])
            image.tags[:] = before[-1].tags
            return Reply.of_json(self.represent(image), HTTPStatus.CREATED)


@breaks(profile="standard", words=("--select", "TAG-HIST-03", "--select", "TAG-ADD-04"))
class GivesAnIdOnce(_KnowsTheDeleted):
    """Answers 409 where an image is to have the id of one that was deleted."""

    def create_image(self, request: Request) -> Reply:
        if json.loads(request.body).get("id") in self.rows:
            return self.error(request, HTTPStatus.CONFLICT, "There was an image of that id.")
        return super().create_image(request)
