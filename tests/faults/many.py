"""Images that carry more tags than some page, column or loop holds."""

import json
from http import HTTPStatus
from itertools import islice

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.refusals import NotFound

from .corners import ListsTwentyTags
from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.SEQUENCE

PAGE = 100


@breaks(profile="standard")
class CarriesAnyNumber(App):
    """Lets an image carry as many tags as anybody likes."""

    def kept(self, tags: list[str]) -> list[str]:
        """Return what an image keeps of the tags that a PATCH sets."""
        return tags

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            before = list(image.tags)
            image.tags[:] = [known_tag for known_tag in before if known_tag == tag]
            try:
                return super().add_tag(request, image_id, tag)
            finally:
                image.tags[:] = dict.fromkeys([*before, *image.tags])

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            wanted = self._many(request)
            if wanted is None:
                return super().update_image(request, image_id)
            image.tags[:] = self.kept(list(dict.fromkeys(wanted)))
            image.touch()
            return Reply.of_json(self.represent(image))

    def _many(self, request: Request) -> list[str] | None:
        """Return the tags of a PATCH that sets more than a quota would let pass, and nothing else."""
        try:
            (change,) = json.loads(request.body)
        except ValueError:
            return None
        value = change.get("value") if isinstance(change, dict) else None
        return (
            value if value and change.get("path") == "/tags" and isinstance(value, list) and len(value) > PAGE else None
        )


@breaks("TAG-HIST-01", profile="standard")
class LosesTagsPast255(CarriesAnyNumber):
    """Acknowledges the 256th tag of an image, and all that follow, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.open(request.caller, image_id).tags
        return NO_CONTENT if len(tags) >= 255 and tag not in tags else super().add_tag(request, image_id, tag)


@breaks("TAG-VIS-08", profile="standard")
class PatchesTwoHundred(CarriesAnyNumber):
    """Keeps the first two hundred of the tags that a PATCH sets."""

    def kept(self, tags: list[str]) -> list[str]:
        return tags[:200]


@breaks("IMG-DEL-04", profile="standard", words=selecting("IMG-DEL-04", "TAG-HIST-01"))
class KeepsImagesOfManyTags(App):
    """Acknowledges the deletion of an image of a hundred tags or more, and keeps it."""

    def delete_image(self, request: Request, image_id: str) -> Reply:
        if len(self.images.open(request.caller, image_id).tags) >= PAGE:
            return NO_CONTENT
        return super().delete_image(request, image_id)


@breaks("TAG-HIST-01", profile="standard")
class KeepsAHundredWhenRenamed(App):
    """Keeps the first hundred tags of an image when it gets another name: it is read in pages, and written back."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().update_image(request, image_id)
            if reply.status == HTTPStatus.OK and b'"/name"' in request.body:
                del self.images.get(image_id).tags[PAGE:]
            return reply


@breaks("TAG-HIST-01", "TAG-VIS-02", "TAG-VIS-08", profile="standard")
class ShowsAPage(App):
    """Shows the first hundred tags of an image, and lists them all."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        return Reply.of_json(self.represent(image) | {"tags": image.tags[:PAGE]})


@breaks("TAG-VIS-02", profile="standard")
class ListsAPage(ListsTwentyTags):
    """Lists images with a hundred of their tags at the most."""

    most = PAGE


@breaks("TAG-HIST-01", profile="standard")
class DeletesFromAPage(App):
    """Looks for a tag to be deleted among the first hundred of an image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag not in islice(self.images.open(request.caller, image_id).tags, PAGE):
            raise NotFound("There is no such tag.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-01", "TAG-RESP-09", profile="standard")
class TouchesTheHundredth(App):
    """Fails with 500 at the addition of a tag to an image that carries a hundred or more."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(self.images.open(request.caller, image_id).tags) >= PAGE:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "There were too many parameters.")
        return super().add_tag(request, image_id, tag)


def _octets(tags: list[str]) -> int:
    return sum(len(tag.encode()) for tag in tags)


@breaks("TAG-HIST-01", "TAG-RESP-09", profile="standard", words=selecting("TAG-HIST-01", "TAG-RESP-09", "TAG-VIS-08"))
class FillsARow(App):
    """Fails with 500 at an addition where all tags of an image would hold more than ten thousand octets."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.get(image_id).tags
        if tag not in tags and _octets([*tags, tag]) > 10_000:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The row is full.")
        return super().add_tag(request, image_id, tag)


@breaks(profile="standard")
class TakesTenThousandOctets(App):
    """Answers 413 to more than ten thousand octets of tags of one image, whichever way they come."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.get(image_id).tags
        if tag not in tags and _octets([*tags, tag]) > 10_000:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "There is no room.")
        return super().add_tag(request, image_id, tag)

    def update_image(self, request: Request, image_id: str) -> Reply:
        try:
            changes = json.loads(request.body)
            wanted = [tag for change in changes if change.get("path") == "/tags" for tag in change.get("value", ())]
        except (ValueError, TypeError, AttributeError):
            wanted = []
        if _octets([tag for tag in wanted if isinstance(tag, str)]) > 10_000:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "There is no room.")
        return super().update_image(request, image_id)
