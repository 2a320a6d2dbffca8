"""Correct services where an image of some kind is not in every list, or does not become or stay what it was to be."""

from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.images import Image, Visibility
from pytest_cloudimages.reference.refusals import Forbidden, Invalid

from .kinds import Kind
from .listing import listed
from .registry import breaks, selecting
from .updating import operations

KIND = Kind.LISTS
OF_LISTS = selecting("IMG-LIST-02", "IMG-LIST-04", "IMG-GET-01", "MEM-UPD", "IMG-ENT-15")
FEW = frozenset({"id", "name", "status", "visibility", "tags", "owner", "created_at", "updated_at", "size"})
FEW |= {"min_disk", "min_ram", "protected", "self", "file", "schema"}


def _set_by(request: Request) -> dict[str, Any]:
    """Return what a patch sets, by the names of attributes."""
    changes = [each for each in operations(request) if isinstance(each, dict)]
    return {str(each.get("path", ""))[1:]: each.get("value") for each in changes}


class _LeavesOut(App):
    """Has some images in no list that does not ask for them."""

    asked_by = "visibility"

    def left_out(self, image: Image) -> bool:
        raise NotImplementedError

    def list_images(self, request: Request) -> Reply:
        if listing.Query.read(request.query).all(self.asked_by):
            return super().list_images(request)
        with self.images.lock:
            return listed(self, request, [image for image in self.images.all() if not self.left_out(image)])


@breaks(profile="standard", words=OF_LISTS)
class ShowsAgainByItsOperator(App):
    """Lets whoever owns an image hide it, and an administrator alone show it again."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        shows = _set_by(request).get("os_hidden") is False and not request.caller.admin
        if shows and self.images.show(request.caller, image_id).os_hidden:
            raise Forbidden("An operator shows it again.")
        return super().update_image(request, image_id)


@breaks(profile="standard", words=(*OF_LISTS, *selecting("TAG-VIS-03")))
class StaysOfTheCommunity(_LeavesOut):
    """Makes nothing public, nor shared what is for others already; the community's images have to be asked for."""

    def left_out(self, image: Image) -> bool:
        return image.visibility is Visibility.COMMUNITY

    def update_image(self, request: Request, image_id: str) -> Reply:
        wanted = _set_by(request).get("visibility")
        shared = self.images.show(request.caller, image_id).visibility is Visibility.SHARED
        if wanted == "public" or (wanted == "shared" and not shared):
            raise Forbidden(f"Nothing becomes {wanted} here.")
        return super().update_image(request, image_id)


@breaks(profile="standard", words=OF_LISTS)
class KeepsReadersFromListsOfAKind(_LeavesOut):
    """Answers 403 to readers that ask for what is hidden, or of the community, which has to be asked for."""

    def left_out(self, image: Image) -> bool:
        return image.visibility is Visibility.COMMUNITY

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        asked = (query.last("os_hidden") or "").lower() == "true" or query.last("visibility") == "community"
        if asked and not request.caller.writes:
            raise Forbidden("Readers are not shown such.")
        return super().list_images(request)


@breaks(profile="standard", words=OF_LISTS)
class KillsWhatIsEmpty(_LeavesOut):
    """Ends an image that is given no octet of data, and lists what has ended to who asks for that status."""

    asked_by = "status"

    def left_out(self, image: Image) -> bool:
        return image.status is Status.KILLED

    def upload(self, request: Request, image_id: str) -> Reply:
        if request.body:
            return super().upload(request, image_id)
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            if image.status is Status.QUEUED:
                image.status = Status.KILLED
        raise Invalid("There is no data.")


@breaks(profile="standard", words=OF_LISTS)
class ListsLessThanItsSchemaRequires(App):
    """Shows few attributes in lists, of which its schema requires more of an image."""

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        document: Any = reply.json()
        document["images"] = [{name: each[name] for name in each if name in FEW} for each in document["images"]]
        return Reply.of_json(document)

    def schema(self, request: Request, name: str) -> Reply:
        reply = super().schema(request, name)
        if name != "image" or reply.status != HTTPStatus.OK:
            return reply
        document: Any = reply.json()
        return Reply.of_json(document | {"required": ["id", "name", "disk_format", "checksum"]})
