"""Services that look for names otherwise than they are asked to, and whose lists know less of changes than images do."""

from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .listing import LISTS, pairs_of, sending
from .registry import registrar, selecting

KIND = Kind.LISTS
faulty = registrar(__name__, words=LISTS, profile="standard")
"""Registers a service that has some methods of its own."""


def _beside_the_colon(place: int) -> Any:
    def list_images(self: App, request: Request) -> Reply:
        pairs = [
            (key, value.split(":")[place] if key == "name" and not value.startswith("in:") else value)
            for key, value in pairs_of(request)
        ]
        return App.list_images(self, sending(request, pairs))

    return list_images


faulty(
    "LooksForNamesBehindAColon",
    "Looks for what stands in a name behind a colon alone.",
    "IMG-LIST-03",
    list_images=_beside_the_colon(-1),
)
faulty(
    "LooksForNamesBeforeAColon",
    "Looks for what stands in a name before a colon alone.",
    "IMG-LIST-03",
    list_images=_beside_the_colon(0),
)


def _with_operators(self: App, request: Request) -> Reply:
    name = dict(pairs_of(request)).get("name", "")
    if ":" in name and not name.startswith("in:"):
        return self.error(request, HTTPStatus.BAD_REQUEST, f"There is no operator {name.partition(':')[0]}.")
    return App.list_images(self, request)


faulty("KnowsOneOperator", "Answers 400 to a name with a colon, but for its operator in.", list_images=_with_operators)


# What lists know of changes


def _in_the_order_of_patches(self: App, request: Request) -> Reply:
    keys = listing.SORT_KEYS
    known = self.__dict__.setdefault("patched", {})
    with self.images.lock:
        order = keys["updated_at"]
        keys["updated_at"] = lambda image: known.get(image.id, image.created_at)  # type: ignore[index]
        try:
            return App.list_images(self, request)
        finally:
            keys["updated_at"] = order  # type: ignore[index]


def _noting(method: str) -> Any:
    def answer(self: App, request: Request, image_id: str, *words: str) -> Reply:
        reply: Reply = getattr(App, method)(self, request, image_id, *words)
        self.__dict__.setdefault("patched", {})[image_id] = self.images.get(image_id).updated_at
        return reply

    return answer


faulty(
    "SortsUploadsAsOfBefore",
    "Knows of an upload where it shows when an image was changed, and not where it sorts by that.",
    "IMG-LIST-09",
    list_images=_in_the_order_of_patches,
    **{name: _noting(name) for name in ("update_image", "add_tag", "delete_tag")},
)


def _as_first_in_a_second(self: App, request: Request) -> Reply:
    kept: dict[tuple[str, str], Any] = self.__dict__.setdefault("kept", {})
    reply = App.list_images(self, request)
    document: Any = reply.json()
    if "images" in document:
        found = document["images"]
        document["images"] = [kept.setdefault((each["id"], each["updated_at"]), each) for each in found]
    return Reply.of_json(document, reply.status)


faulty(
    "ListsImagesByTheirSecond",
    "Lists an image as it was first listed with the time of its last change, in seconds.",
    "IMG-ENT-02",
    words=selecting("IMG-LIST", "IMG-ENT-02"),
    list_images=_as_first_in_a_second,
)
