"""The images that lists are asked for: five that filters and orders tell apart, and one that was deleted before."""

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.common.paging import read_pages
from pytest_cloudimages.areas.images.moving_lists import TAGGED
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.states import A_WHILE, OCTETS, give_data
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked, NoRoom

OWN = "a b+c&d=e#f,g"
"""The value of an attribute of our own: who writes it into a link has to encode it, and a comma makes no list of it."""
OF_SIGNS = ",'\"\\_%;|*("
"""Signs that mean something to who writes a name into a query; a colon does where lists have operators, as Glance's."""
EARLIER = 2
"""So many are created earlier than the others by a clock of seconds: to be sorted by that is no accident then."""
IMAGES = 5
"""Images of our own that lists are asked for; three of them have one name, so that keys are equal."""


def deleted_before(run: Run, mark: str) -> str:
    """Create an image that filters find as they find ours, delete it, and return its id; nothing where it stays.

    A list may be late: one by its name is waited for, so that those asked for afterwards may be taken at their word.
    """
    with suppress(Blocked, pytest.skip.Exception):
        with run.fresh_image(own=True, name=mark) as image:
            image.client.patch(image.id, add("/os_distro", "debian"), add("/cloudimages_own", OWN))
            # What has data may stay in an index, or a store, that what has none has never come to.
            with suppress(pytest.skip.Exception):
                give_data(image, waits=True)
        if not run.recorder.traces.stays(image.id):
            listed = image.eventually(
                partial(read_pages, run.client, "/images", (("name", mark),)),
                lambda seen: not seen.ids([image.id]),
                going_on=lambda seen: seen.shows_as_going(image.id),
            )
            return "" if listed.shows_as_going(image.id) else image.id
    return ""


def created(run: Run, stack: ExitStack, mark: str) -> list[Image]:
    """Create the images. Skip the workload where there is no room for so many, or no name is taken twice."""
    images: list[Image] = []
    for place, name in enumerate(names_of(mark)):
        if place == EARLIER and run.rounds:
            time.sleep(A_WHILE)
        try:
            images.append(stack.enter_context(run.fresh_image(own=True, name=name)))
        except NoRoom as problem:
            if not images:
                raise
            pytest.skip(f"needs {IMAGES} images at a time, three of them of one name: {problem}")
    return images


def names_of(mark: str) -> list[str]:
    """Return names: three times one, and two that a service could take for it."""
    return [mark, f"{mark}-b", mark, mark.upper(), mark]


def set_apart(images: Sequence[Image], *, whole: bool) -> None:
    """Set images apart by their attributes, as far as the service takes them; the ``whole`` of it, or a part."""
    changes: list[list[Mapping[str, Any]]] = [
        [replaced("/visibility", "private"), replaced("/min_ram", 64)],
        [replaced("/disk_format", "qcow2"), add("/os_distro", "debian")],
        [replaced("/container_format", "ovf"), add("/cloudimages_own", OWN)],
        [replaced("/protected", True)] if whole else [],
        [replaced("/min_ram", 64), add("/os_distro", "fedora"), add("/cloudimages_own", OWN)],
    ]
    for image, patch in zip(images, changes, strict=True):
        for change in patch:
            image.client.patch(image.id, change)
    # No list knows what an image was called before; what it is called now has more octets than letters, and begins
    # as a list of the names of others does.
    for more in (OF_SIGNS, ""):
        name = f"{images[0].name},{images[3].name}{more}-\u00fc\u6771\U0001f5bc 100%25+"
        if images[1].client.patch(images[1].id, replaced("/name", name)).ok:
            break
    # Who is shared with several is listed once to its owner.
    for _ in range(2):
        images[2].send("POST", "/members", json={"member": uuid.uuid4().hex})
    # An image that carries several tags is one image all the same, to whoever counts and whoever joins.
    for place in (0, 2, 4):
        images[place].client.patch(images[place].id, replaced("/tags", [*TAGGED, f"lists-{place}"]))
    # Three sizes, which are sorted otherwise where they are taken for text.
    for place, times in ((4, 4), (2, 2), (1, 1)):
        images[place].upload(OCTETS * times)
    # What was created first was changed last: to be sorted by the one is not to be sorted by the other.
    images[0].client.patch(images[0].id, replaced("/min_disk", 1))
