"""Correct services whose operators forbid, limit or do not offer something: what they lack is held against nobody."""

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Visibility
from pytest_cloudimages.reference.refusals import Forbidden

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.STATUS
When = Callable[[Request], bool]


def forbids(
    name: str,
    sentence: str,
    *broken: str,
    when: When,
    status: HTTPStatus = HTTPStatus.FORBIDDEN,
    beside: tuple[str, ...],
    profile: str = "quick",
) -> None:
    """Register a service that refuses some requests; ``beside`` is what could be blamed for it."""

    def route(self: App, request: Request) -> Reply:
        if when(request):
            return self.error(request, status, "The policy of this service does not allow it.")
        return App.route(self, request)

    words = selecting(*beside, *broken)
    members = {"__doc__": sentence, "__module__": __name__, "route": route}
    breaks(*broken, profile=profile, words=words)(type(name, (App,), members))


def below_an_image(path: str, *methods: str) -> When:
    """Return whether a request is for what is at a path below an image."""
    wanted = re.compile(f"/v2/images/[^/]+{path}")
    return lambda request: bool(wanted.fullmatch(request.path)) and (not methods or request.method in methods)


def sets(name: str) -> When:
    """Return whether a request sets an attribute of an image, be it at its creation or later."""

    def given(request: Request) -> bool:
        if request.method not in ("PATCH", "POST") or not request.path.startswith("/v2/images"):
            return False
        try:
            document: Any = json.loads(request.body)
        except ValueError:
            return False
        changes = document if isinstance(document, list) else [document]
        found = [each for each in changes if isinstance(each, dict)]
        return any(each.get("path") == f"/{name}" or name in each for each in found)

    return given


forbids(
    "ForbidsVisibilities",
    "Forbids whatever sets the visibility of an image, whether there is such a one or not.",
    when=sets("visibility"),
    beside=("IMG-UPD-16", "IMG-UPD-25"),
    profile="standard",
)
forbids(
    "ForbidsMembers",
    "Forbids its users all that has to do with members.",
    when=below_an_image("/members(/[^/]+)?"),
    beside=("IMG-STAT", "GEN-04", "MEM-LIST-01", "SCHEMA-03"),
)
forbids(
    "LacksMembers",
    "Has no members: it answers 404 to all that has to do with them.",
    when=below_an_image("/members(/[^/]+)?"),
    status=HTTPStatus.NOT_FOUND,
    beside=("IMG-STAT", "GEN-04", "MEM-LIST-01", "SCHEMA-03"),
)
forbids(
    "LacksSchemas",
    "Shows no schemas.",
    when=lambda request: request.path.startswith("/v2/schemas/"),
    status=HTTPStatus.NOT_FOUND,
    beside=("SCHEMA", "TAG-VIS-06", "IMG-ENT-15"),
)
forbids(
    "KeepsEveryImage",
    "Forbids the deletion of images, so that none is ever gone.",
    "IMG-DEL-01",
    when=below_an_image("", "DELETE"),
    beside=("TAG-ADD-15", "TAG-DEL-07", "IMG-DEL", "RBAC"),
)


@breaks(words=selecting("TAG-ADD-01", "TAG-DEL-01", "TAG-AUTH-09"), profile="standard")
class LetsNobodyChangeImagesOfTheCommunity(App):
    """Forbids owners all changes of their images while these are of the community, but for their visibility."""

    def see(self, request: Request, image_id: str) -> None:
        if self.images.get(image_id).visibility is Visibility.COMMUNITY and not request.caller.admin:
            raise Forbidden("Others rely on this image. Make it private first.")

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.see(request, image_id)
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.see(request, image_id)
        return super().delete_tag(request, image_id, tag)

    def update_image(self, request: Request, image_id: str) -> Reply:
        if b"/visibility" not in request.body:
            self.see(request, image_id)
        return super().update_image(request, image_id)
