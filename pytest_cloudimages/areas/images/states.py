"""Image states: context managers that yield an image in each of them."""

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
    """Yield an active image, which has 64 octets of data. Raise ``Blocked`` if the service refuses the data."""
    with run.fresh_image(own=True) as image:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"}))
        yield image


@contextmanager
def hidden(run: Run) -> Iterator[Image]:
    """Yield a hidden image, which lists leave out. Raise ``Blocked`` if the service refuses to hide it."""
    with run.fresh_image(own=True) as image:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.client.patch(image.id, {"op": "replace", "path": "/os_hidden", "value": True}))
        yield image


@contextmanager
def public(run: Run) -> Iterator[Image]:
    """Yield a public image. Raise ``Blocked`` if neither the tester nor the administrator may publish one."""
    administrator = run.caller("ADMIN")
    with run.fresh_image(own=True) as image:
        change = {"op": "replace", "path": "/visibility", "value": "public"}
        with run.recorder.of(Purpose.PREPARING):
            callers = [caller for caller in (run.client, administrator) if caller]
            if not any(caller.patch(image.id, change).ok for caller in callers):
                raise Blocked(
                    "No image can be made public: expected 2xx to a PATCH of its visibility, by any caller given."
                )
        yield image


@workload(requests=(2, 2, 2, 2))
def gone_image(run: Run) -> str:
    """Return the id of an image that was deleted; any id that no image has, where none can be created."""
    if run.settings.image:
        return str(uuid.uuid4())
    with run.fresh_image() as image:
        return image.id


def shared(image: Image, project: str) -> None:
    """Add another project as a member of an image. Skip the check if the service does not offer members."""
    answer = image.send("POST", "/members", json={"member": project})
    if answer.status in (403, 404, 405, 409, 501):
        pytest.skip(f"needs an image that is shared with another project, which was answered {answer.status}")
    require_ok(answer)
