"""The tags of an image: what adds, deletes and reads them, and how an answer is read."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from pytest_cloudimages.areas.images.patches import OLD_TYPE
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Request
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect, SetResource, represented, strings_at
from pytest_cloudimages.history.steps import Reading


def _replacement(image_id: str, tags: Iterable[str]) -> Request:
    return Request(
        "PATCH",
        f"/images/{image_id}",
        json=[{"op": "replace", "path": "/tags", "value": [*tags]}],
        headers={"Content-Type": PATCH_TYPE},
    )


def _respelled(request: Request) -> Request:
    """Write the tag with every character percent-encoded, which is the same tag (RFC 3986, 2.3)."""
    resource, _, tag = request.target.rpartition("/")
    return replace(request, target=f"{resource}/{''.join(f'%{octet:02X}' for octet in unquote_to_bytes(tag))}")


TAGS = SetResource(
    "tag",
    add=lambda image, tag: Request("PUT", f"/images/{image}/tags/{segment(tag)}"),
    delete=lambda image, tag: Request("DELETE", f"/images/{image}/tags/{segment(tag)}"),
    read=lambda image: Request("GET", f"/images/{image}"),
    values=strings_at("tags"),
    added={"2xx": Effect.MADE_PRESENT, "4xx": Effect.NOTHING_DONE},
    volatile=frozenset({"tags", "updated_at"}),
    usual={Kind.ADD: (204,), Kind.DELETE: (204, 404), Kind.READ: (200,), Kind.SET: (200,)},
    replace=_replacement,
    respelled=_respelled,
)


def set_tags(image: Image, tags: Iterable[str]) -> Answer:
    """Set all tags of an image at once, by PATCH."""
    return image.client.ask(_replacement(image.id, tags))


def set_tags_in_old_form(image: Image, tags: Iterable[str]) -> Answer:
    """Set all tags of an image by PATCH in its deprecated form, which a service need not know (IMG-UPD-03)."""
    old = Request(
        "PATCH",
        f"/images/{image.id}",
        json=[{"replace": "/tags", "value": [*tags]}],
        headers={"Content-Type": OLD_TYPE},
    )
    return image.client.ask(old)


def is_list(reading: Reading) -> bool:
    """Return whether an image showed its tags as a list of strings, and no list of none in another form."""
    return sorted_strings((represented(reading.answer) or {}).get("tags")) is not None


def sorted_strings(tags: object) -> list[str] | None:
    """Return tags in a fixed order; ``None`` if they are no list of strings."""
    good = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    return sorted(tags) if good and isinstance(tags, list) else None
