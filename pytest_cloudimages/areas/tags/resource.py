"""The tags of an image: what adds, deletes and reads them, and how an answer is read."""

from pytest_cloudimages.client.exchange import PATCH_TYPE, Request
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.history.resource import Effect, SetResource, strings_at

TAGS = SetResource(
    "tag",
    add=lambda image, tag: Request("PUT", f"/images/{image}/tags/{segment(tag)}"),
    delete=lambda image, tag: Request("DELETE", f"/images/{image}/tags/{segment(tag)}"),
    read=lambda image: Request("GET", f"/images/{image}"),
    values=strings_at("tags"),
    added={"2xx": Effect.MADE_PRESENT, "4xx": Effect.NOTHING_DONE},
    volatile=frozenset({"tags", "updated_at"}),
    replace=lambda image, tags: Request(
        "PATCH",
        f"/images/{image}",
        json=[{"op": "replace", "path": "/tags", "value": [*tags]}],
        headers={"Content-Type": PATCH_TYPE},
    ),
)
