"""An image that was there before and after is missed where an answer has not shown it in between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_cloudimages.areas.common.presence import Presence
from pytest_cloudimages.client.exchange import Exchange

OURS = "0a2c8e4e-1f60-4b52-9e0a-27c1a3d4f501"
PATIENCE = 1.0


def exchange(method: str, target: str, status: int, at: float, body: bytes = b"", **how: Any) -> Exchange:
    """Make an exchange that was sent at some time, and answered at once."""
    return Exchange(method, f"/v2{target}", (), body, status, (), b"", b"", at, at, **how)


def missed(*exchanges: Exchange, made: bytes = b"{}") -> list[str]:
    """Return what is missed in the answers to some requests, after an image was created at the time 0."""
    presence = Presence()
    presence.made(OURS, exchange("POST", "/images", 201, 0.0, made))
    for each in exchanges:
        below = each.target.removeprefix("/v2")
        presence.asked(each, below, "updates")
        if below.startswith("/images") and not below.startswith("/images/"):
            presence.listed(each, below.partition("?")[0], json.loads(each.body), "updates")
    return [found.requirement for found in presence.violations(PATIENCE)]


def shown(status: int, at: float, **how: Any) -> Exchange:
    """Make a look at the image."""
    return exchange("GET", f"/images/{OURS}", status, at, **how)


def listing(*ids: str, query: str = "", at: float = 5.0, more: bool = False) -> Exchange:
    """Make a list of images; its document stands where no body is sent."""
    document = {"images": [{"id": each} for each in ids]} | ({"next": "/v2/images?marker=x"} if more else {})
    return exchange("GET", f"/images{query}", 200, at, json.dumps(document).encode())


DELETED = exchange("DELETE", f"/images/{OURS}", 204, 9.0)
KEPT = exchange("DELETE", f"/images/{OURS}", 403, 9.0)
HIDDEN = exchange("PATCH", f"/images/{OURS}", 200, 3.0, b'[{"path": "/os_hidden", "value": true}]')


@pytest.mark.parametrize("after", [shown(200, 6.0), DELETED])
def test_an_image_is_missed_that_is_not_shown_and_is_there_later(after: Exchange) -> None:
    """It is seen then, or deleted."""
    assert missed(shown(404, 5.0), after) == ["IMG-GET-01"]
    assert missed(listing(), after) == ["IMG-LIST-02"]


@pytest.mark.parametrize(
    "exchanges",
    [
        (shown(404, 5.0),),
        (shown(404, 5.0), KEPT),
        (shown(404, 0.5), DELETED),
        (DELETED, shown(404, 9.5)),
        (KEPT, shown(404, 9.5), shown(200, 9.9)),
        (shown(404, 5.0, caller="another project"), DELETED),
        (shown(403, 5.0), DELETED),
        (listing(OURS), DELETED),
        (listing(OURS.upper()), DELETED),
        (listing(more=True), DELETED),
        (listing(query="?name=x"), DELETED),
        (listing(query="?limit=0"), DELETED),
        (listing("another", query="?limit=1"), DELETED),
        (HIDDEN, listing(), DELETED),
    ],
)
def test_nothing_is_missed_that_may_not_be_there(exchanges: tuple[Exchange, ...]) -> None:
    """It may be gone by then, or not known yet, or no matter of who asks or of what is asked for."""
    assert missed(*exchanges) == []


def test_images_of_the_community_are_not_missed_in_lists() -> None:
    """They need be in no list that does not ask for them, as they were created or as they were patched."""
    assert missed(listing(), DELETED, made=b'{"visibility": "community"}') == []
