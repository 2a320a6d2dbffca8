"""Images in a state of their own, each for the length of a block."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@contextmanager
def active(run: Run) -> Iterator[Image]:
    """Open an image with data. Raises ``Blocked`` where it takes none."""
    with run.fresh_image(own=True) as image:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"}))
        yield image


@contextmanager
def hidden(run: Run) -> Iterator[Image]:
    """Open an image that lists leave out. Raises ``Blocked`` where none can be made so."""
    with run.fresh_image(own=True) as image:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.client.patch(image.id, {"op": "replace", "path": "/os_hidden", "value": True}))
        yield image


@contextmanager
def public(run: Run) -> Iterator[Image]:
    """Open an image that everybody may see. Raises ``Blocked`` where none can be made so."""
    administrator = run.caller("ADMIN")
    with run.fresh_image(own=True) as image:
        change = {"op": "replace", "path": "/visibility", "value": "public"}
        with run.recorder.of(Purpose.PREPARING):
            callers = [one for one in (run.client, administrator) if one]
            if not any(one.patch(image.id, change).ok for one in callers):
                raise Blocked("No image can be made public.")
        yield image


@workload(requests=(2, 2, 2, 2))
def gone_image(run: Run) -> str:
    """Return the id of an image that was deleted; any id that no image has, where none can be created."""
    if run.settings.image:
        return str(uuid.uuid4())
    with run.fresh_image() as image:
        return image.id


def shared(image: Image, project: str) -> None:
    """Share an image with another project; where a service offers no such thing, the check is *untested*."""
    answer = image.send("POST", "/members", json={"member": project})
    if answer.status in (403, 404, 405, 409, 501):
        pytest.skip(f"needs an image that is shared with another project, which was answered {answer.status}")
    require_ok(answer)
