"""Images in a state of their own, each for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, prepared
from pytest_cloudimages.engine.run import Ground
from pytest_cloudimages.spec.verdicts import Blocked


@contextmanager
def active(ground: Ground) -> Iterator[Image]:
    """Open an image with data. Raises ``Blocked`` where it takes none."""
    with ground.fresh_image(own=True) as image:
        with ground.transcript.of(Purpose.PREPARING):
            prepared(image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"}))
        yield image


@contextmanager
def hidden(ground: Ground) -> Iterator[Image]:
    """Open an image that lists leave out. Raises ``Blocked`` where none can be made so."""
    with ground.fresh_image(own=True) as image:
        with ground.transcript.of(Purpose.PREPARING):
            prepared(image.client.patch(image.id, {"op": "replace", "path": "/os_hidden", "value": True}))
        yield image


@contextmanager
def public(ground: Ground) -> Iterator[Image]:
    """Open an image that everybody may see. Raises ``Blocked`` where none can be made so."""
    administrator = ground.caller("ADMIN")
    with ground.fresh_image(own=True) as image:
        change = {"op": "replace", "path": "/visibility", "value": "public"}
        with ground.transcript.of(Purpose.PREPARING):
            callers = [one for one in (ground.client, administrator) if one]
            if not any(one.patch(image.id, change).ok for one in callers):
                raise Blocked("No image can be made public.")
        yield image


def shared(image: Image, project: str) -> None:
    """Share an image with another project; where a service offers no such thing, the check is *untested*."""
    answer = image.send("POST", "/members", json={"member": project})
    if answer.status in (403, 404, 405, 409, 501):
        pytest.skip(f"needs an image that is shared with another project, which was answered {answer.status}")
    prepared(answer)
