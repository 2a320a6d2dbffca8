"""Operations on one image that reach another."""

from collections.abc import Iterator

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks

KIND = Kind.ISOLATION


class _ReachesOthers(App):
    def others(self, image: Image) -> Iterator[Image]:
        """Give the images that are taken for the one named."""
        return (one for one in self.images.all() if one.id != image.id and one.name == image.name)


@breaks("TAG-HIST-03")
class AddsToNamesakes(_ReachesOthers):
    """Adds a tag to every image of the same name."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            for one in self.others(self.images.get(image_id)):
                one.tags += [tag] * (tag not in one.tags)
            return reply


@breaks("TAG-HIST-03")
class AddsToAllOfTheProject(AddsToNamesakes):
    """Adds a tag to every image of the project."""

    def others(self, image: Image) -> Iterator[Image]:
        return (one for one in self.images.all() if one.id != image.id and one.owner == image.owner)


@breaks("TAG-HIST-03")
class DeletesFromNamesakes(_ReachesOthers):
    """Deletes a tag from every image of the same name."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            for one in self.others(self.images.get(image_id)):
                one.tags[:] = [each for each in one.tags if each != tag]
            return reply


@breaks("TAG-HIST-03")
class DeletesFromAllOfTheProject(DeletesFromNamesakes):
    """Deletes a tag from every image of the project."""

    def others(self, image: Image) -> Iterator[Image]:
        return (one for one in self.images.all() if one.id != image.id and one.owner == image.owner)


@breaks("TAG-HIST-03")
class DeletesAllFromNamesakes(_ReachesOthers):
    """Takes all tags off the images of the same name when the last tag is deleted."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            image = self.images.get(image_id)
            for one in self.others(image):
                one.tags[:] = one.tags if image.tags else []
            return reply


@breaks("TAG-HIST-03")
class MovesTagsBetweenNamesakes(_ReachesOthers):
    """Takes a tag off the image of the same name that carries it already, as a unique index would."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            for one in self.others(self.images.get(image_id)):
                one.tags[:] = [each for each in one.tags if each != tag]
            return reply


@breaks("TAG-HIST-03")
class SharesTheListOfNamesakes(_ReachesOthers):
    """Keeps one list of tags for all images of a name."""

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            reply = super().create_image(request)
            youngest = self.images.all()[-1]
            for one in self.others(youngest):
                youngest.tags = one.tags
            return reply


@breaks("TAG-ADD-03", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class ForgetsTagsOfNamesakes(_ReachesOthers):
    """Acknowledges additions to an image that has the name of an older one, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            before = list(image.tags)
            reply = super().add_tag(request, image_id, tag)
            if any(one.created_at < image.created_at for one in self.others(image)):
                image.tags[:] = before
            return reply
