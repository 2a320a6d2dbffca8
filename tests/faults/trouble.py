"""Services that fail at one kind of request for ever: no passing load, and no lack of a ground."""

import json
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks

KIND = Kind.ODD


@breaks("TAG-VIS-02", "TAG-VIS-03", "TAG-VIS-04", profile="standard")
class ListsNoTaggedImage(App):
    """Answers a list with 500 as soon as an image in it has a tag."""

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        document = reply.json()
        if isinstance(document, dict) and any(image["tags"] for image in document["images"]):
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The server has a bug.")
        return reply


@breaks("TAG-DEL-01", "TAG-DEL-06", "TAG-DEL-07", "TAG-HIST-01", profile="quick")
class FindsEveryDeletionTooLarge(App):
    """Answers 413 to every deletion of a tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large.")


@breaks("TAG-DEL-08", "TAG-RESP-08", profile="standard")
class FindsADeletionWithABodyTooLarge(App):
    """Answers 413 to a deletion with a body."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.body:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-ADD-34", "TAG-DEL-15", profile="standard")
class LosesTagsOfACreation(App):
    """Creates images without the tags that were asked for."""

    def create_image(self, request: Request) -> Reply:
        document = json.loads(request.body)
        document.pop("tags", None)
        return super().create_image(
            Request(request.method, request.target, request.headers, json.dumps(document).encode(), request.caller)
        )


@breaks("TAG-ADD-01", "TAG-HIST-01")
class IsNeverAvailableToDigits(App):
    """Answers 503 to every addition of a tag with a digit, while all else is well."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if any(letter.isdigit() for letter in tag):
            return self.error(request, HTTPStatus.SERVICE_UNAVAILABLE, "Try later.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-DEL-01", "TAG-DEL-06", "TAG-DEL-07", "TAG-HIST-01", profile="quick")
class IsABadGatewayToDeletions(App):
    """Answers 502 to every deletion of a tag, while all else is well."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.BAD_GATEWAY, "Upstream is gone.")


@breaks("TAG-VIS-02", "TAG-VIS-03", "TAG-VIS-04", profile="standard")
class ListsInACircle(App):
    """Leads from the last page of a list back to the first, and shows no tagged image on any."""

    def list_images(self, request: Request) -> Reply:
        document = super().list_images(request).json()
        if isinstance(document, dict):
            document["images"] = [image for image in document["images"] if not image["tags"]]
            document["next"] = "/v2/images?limit=100"
        return Reply.of_json(document)
