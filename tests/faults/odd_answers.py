"""Services whose answers about tags are wrong for one caller, one state, one tag or one form of a request alone."""

import json
import re
import unicodedata
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import Role
from pytest_cloudimages.reference.images import Status
from pytest_cloudimages.reference.refusals import Conflict

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.STATUS
CALLERS = selecting("TAG-AUTH", "TAG-RESP")
"""What has callers of every kind try all that can be done with tags."""
ON_A_TAG = re.compile(r"/v2/images/([^/]+)/tags/([^/]+)")


@breaks("TAG-RESP-01", profile="standard", words=CALLERS)
class CountsNothingForCreators(App):
    """Says to who may create and not delete that there are 0 octets in the answer to an addition."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        user = self.identity.validate(request.headers.get("X-Auth-Token")).user
        return reply if user.role is not Role.CREATOR else Reply(reply.status, b"", (("Content-Length", "0"),))


@breaks("TAG-RESP-04", profile="standard", words=CALLERS)
class NamesNoTypeToWhoSees(App):
    """Names no type of its words to another project that sees an image and may not change its tags."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if reply.status != HTTPStatus.FORBIDDEN or not ON_A_TAG.fullmatch(request.path):
            return reply
        image = self.images.get(request.path.split("/")[3])
        if self.identity.validate(request.headers.get("X-Auth-Token")).user.project.id == image.owner:
            return reply
        return replace(reply, headers=tuple(each for each in reply.headers if each[0] != "Content-Type"))


@breaks("TAG-ADD-18", profile="standard")
class FindsAccentsInConflict(App):
    """Answers 409 to a tag that differs from a carried one in its accents alone."""

    @staticmethod
    def bare(tag: str) -> str:
        """Return a tag without its accents."""
        return "".join(each for each in unicodedata.normalize("NFD", tag) if not unicodedata.combining(each))

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            carried = self.images.open(request.caller, image_id).tags
            if tag.isprintable() and any(each != tag and self.bare(each) == self.bare(tag) for each in carried):
                raise Conflict("There is such a tag.")
            return super().add_tag(request, image_id, tag)


@breaks("TAG-METH-03", profile="standard")
class AllowsToDeleteWhatIsThere(App):
    """Says of a tag that the image carries that it can be deleted, and not that it can be added."""

    def route(self, request: Request) -> Reply:
        named = ON_A_TAG.fullmatch(request.path)
        if named and request.method not in ("PUT", "DELETE"):
            image = self.images.show(request.caller, named[1])
            return self.method_not_allowed(request, ["DELETE"] if named[2] in image.tags else ["PUT", "DELETE"])
        return super().route(request)


@breaks("TAG-ADD-02", profile="standard")
class TellsAdministratorsWhatItDid(App):
    """Answers 201 to an administrator's addition of a new tag, and names it."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            new = tag not in self.images.show(request.caller, image_id).tags
            reply = super().add_tag(request, image_id, tag)
            return Reply.of_json({"tag": tag}, HTTPStatus.CREATED) if new and request.caller.admin else reply


@breaks("TAG-METH-01", profile="standard")
class ObeysAMethodInAForm(App):
    """Takes a method that a form names for that of the request."""

    def route(self, request: Request) -> Reply:
        named = re.search(rb"(?:^|&)_method=(\w+)", request.body)
        if request.method == "POST" and named and ON_A_TAG.fullmatch(request.path):
            request = Request(named[1].decode(), request.target, request.headers, b"", request.caller)
        return super().route(request)


@breaks("TAG-DEL-05", profile="standard")
class RemembersWhatAPatchTook(App):
    """Goes on acknowledging the first deletion of a tag that a PATCH has taken off."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, set[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = {*self.images.show(request.caller, image_id).tags}
            reply = super().update_image(request, image_id)
            changes: Any = json.loads(request.body)
            if reply.status == HTTPStatus.OK and any("/tags" in change.values() for change in changes):
                self.taken.setdefault(image_id, set()).update(before - {*self.images.get(image_id).tags})
            return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            taken = self.taken.get(image_id, set())
            if tag in taken and tag not in tags:
                taken.discard(tag)
                return Reply(HTTPStatus.NO_CONTENT)
            taken.discard(tag)
            return super().delete_tag(request, image_id, tag)


@breaks("TAG-RESP-09", profile="standard")
class FailsToMissATagOfData(App):
    """Fails with 500 where the tag to delete is not there, once an image has data."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            if image.status is Status.ACTIVE and tag not in image.tags:
                return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong.")
            return super().delete_tag(request, image_id, tag)
