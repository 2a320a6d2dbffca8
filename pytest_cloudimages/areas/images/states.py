"""Image states: context managers that yield an image in each of them."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from pytest_cloudimages.areas.common.offers import NOT_OFFERED, lacks, made_visible
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.deletion import IN_USE
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.history.steps import differing
from pytest_cloudimages.spec.verdicts import Blocked

OCTETS = b"x" * 64
"""The data of an image."""
ACCEPTED, PENDING, REJECTED = "accepted", "pending", "rejected"
"""What a consumer may have decided about an image that is shared with it."""
ATTRIBUTES: dict[str, Any] = {
    "min_disk": 1,
    "min_ram": 64,
    "cloudimages_note": "as created",
    "cloudimages_origin": "made for a test",
}
"""Attributes with values that are no defaults, so that it shows when a tag operation loses them."""
EMPTY: dict[str, Any] = {"cloudimages_empty": ""}
"""An attribute whose value is empty, which is not the same as none. Not every service takes one."""
CHANGED_LATER: tuple[dict[str, Any], ...] = (
    {"op": "replace", "path": "/min_ram", "value": 128},
    {"op": "replace", "path": "/cloudimages_note", "value": "changed later"},
    {"op": "add", "path": "/cloudimages_later", "value": "added later"},
)
"""Changes of them, so that it shows when one puts them back to what they were at first."""


OF_MANY = "cloudimages_many_"
OF_OTHER_TYPES = ("42", "1.5", "true")
"""What some of these are: text that a service may read as something else, where it has them of another column."""
MANY = ((110, "\u6771"), (110, "x"), (30, "x"))
"""How many attributes make an image long, and of which letters: more than 64 KiB, or as many as the service takes.

A service may have a limit of 128 attributes, and of 255 letters of each.
"""


def many_attributes(count: int, letter: str) -> dict[str, Any]:
    """Return what gives an image so many long attributes; their letters as they are, as a body has its limit too."""
    short = dict(enumerate(OF_OTHER_TYPES))
    patch = [add(f"/{OF_MANY}{place}", short.get(place, letter * 250)) for place in range(count)]
    return {"body": json.dumps(patch, ensure_ascii=False).encode(), "headers": {"Content-Type": PATCH_TYPE}}


@contextmanager
def with_attributes(run: Run, **attributes: Any) -> Iterator[Image]:
    """Yield an image whose attributes have values that are no defaults, if the service accepts them."""
    with ExitStack() as stack:
        refuses = bool(run.settings.image) or not run.takes_attributes
        wanted = [ATTRIBUTES | EMPTY] if run.takes_empty else []
        image = None
        for given in [] if refuses else [*wanted, ATTRIBUTES]:
            with suppress(Blocked):
                image = stack.enter_context(run.fresh_image(**given, **attributes))
                break
            run.takes_empty = False
        if image is None:
            image = stack.enter_context(run.fresh_image(**attributes))
            run.takes_attributes = run.takes_attributes and refuses
        yield image


@contextmanager
def with_changed_attributes(run: Run, **attributes: Any) -> Iterator[Image]:
    """Yield such an image some of whose attributes, its name among them, were changed since it was created."""
    with with_attributes(run, **attributes) as image:
        # The second image of a plan is to keep the name of the first.
        if not run.settings.image and run.takes_attributes and "name" not in attributes:
            name = f"{image.name}-renamed"
            with run.recorder.of(Purpose.PREPARING):
                changed = image.client.patch(
                    image.id, {"op": "replace", "path": "/name", "value": name}, *CHANGED_LATER
                ).ok
            # A service that changes no attributes is asked with those it was given.
            image = replace(image, name=name) if changed else image  # noqa: PLW2901 - the same image
        yield image


@contextmanager
def active(run: Run) -> Iterator[Image]:
    """Yield an active image, which has 64 octets of data."""
    with run.fresh_image(own=True) as image:
        give_data(image)
        yield image


def give_data(image: Image, octets: bytes = OCTETS, *, waits: bool = False) -> None:
    """Have an image filled with its data; the test is *untested* where the service takes none from this caller.

    It ``waits`` until the data is there, for what needs it and does not look at the image itself.
    """
    with image.client.recorder.of(Purpose.PREPARING):
        answer = image.upload(octets)
    # Which data is one of an image, and how much of it there may be, is the service's to say.
    if answer.status in NOT_OFFERED or answer.refused:
        pytest.skip(f"needs data of images, which the service does not take: {answer.exchange}")
    require_ok(answer)
    if waits:
        once_settled(image)


UNDER_WAY = ("saving", "uploading", "importing")
"""The statuses that say that data is on its way."""


def is_under_way(answer: Answer) -> bool:
    """Return whether an image says that its data is on its way."""
    return state_of(answer) in UNDER_WAY


def once_active(image: Image, look: Callable[[], Answer] | None = None) -> Answer:
    """Return the image once it is active, or as it is when patience ends; an upload may go on after its answer."""
    return image.eventually(look or image.show, lambda shown: state_of(shown) == "active", going_on=is_under_way)


def once_settled(image: Image) -> Answer:
    """Return the image once no data is on its way to it."""
    return image.eventually(image.show, lambda shown: not is_under_way(shown), going_on=is_under_way)


@contextmanager
def first_taken(*openings: Callable[[], AbstractContextManager[Image]]) -> Iterator[Image]:
    """Open an image in the first of some ways that the service takes; what the last is refused for is raised."""
    *others, last = openings
    with ExitStack() as stack:
        image: Image | None = None
        for opening in others:
            with suppress(Blocked, pytest.skip.Exception):
                image = image or stack.enter_context(opening())
        yield image or stack.enter_context(last())


@contextmanager
def protection(image: Image) -> Iterator[bool]:
    """Have an image protected from deletion for a block, as far as that can be; yield whether it is.

    An addition sets what is there too (IMG-UPD-24); where it does not, or is not told to have, a replacement does.
    """
    with image.client.recorder.of(Purpose.PREPARING):
        protected = image.client.patch(image.id, add("/protected", True)).document.get("protected") is True
        if not protected:
            replacement = image.client.patch(image.id, replaced("/protected", True))
            # Who says that it is not, has it ignored.
            protected = replacement.ok and replacement.document.get("protected") is not False
    try:
        yield protected
    finally:
        if protected:
            with image.client.recorder.of(Purpose.PREPARING):
                image.client.patch(image.id, replaced("/protected", False))


def is_going(answer: Answer) -> bool:
    """Return whether an image says that it is as good as deleted."""
    return state_of(answer) == "pending_delete"


def once_gone(image: Image, look: Callable[[], Answer] | None = None) -> Answer:
    """Return the answer that shows an image no more, or what is shown when patience ends."""
    return image.eventually(look or image.show, lambda looked: not looked.ok, going_on=is_going)


def let_go(image: Image) -> Answer:
    """Delete an image: that of one in use is refused with 409, until whatever uses it lets it go (conflict C-43)."""
    answers: list[Answer] = []

    def asked() -> Answer:
        if not answers or answers[-1].status == IN_USE:
            answers.append(image.client.delete(image.id))
        return answers[-1]

    return image.eventually(asked, lambda answer: answer.status != IN_USE)


def once_deleted(image: Image) -> Answer:
    """Look for an image whose deletion was acknowledged, until it is gone or patience ends."""
    traces = image.client.recorder.traces
    traces.forget(image.id)
    looked = once_gone(image)
    if looked.status == 404:  # noqa: PLR2004 - as HTTP has it
        traces.gone.add(image.id)
    return looked


def nesting(image: Mapping[str, Any]) -> list[str]:
    """Return the attributes of an image below which it shows what every image is created with here."""
    return sorted(name for name, value in image.items() if isinstance(value, dict) and OF_RUN in value)


OF_IMAGES = frozenset(
    {
        *("id", "name", "owner", "status", "visibility", "protected", "os_hidden", "tags", "min_ram", "min_disk"),
        *("container_format", "disk_format", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"),
        *("os_distro", "os_version", "created_at", "self", "file", "schema"),
    }
)
"""The attributes of an image whose meaning is known: none of them follows from another."""

OF_DATA = frozenset({"size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"})
"""Those that say something of its data."""


def of_the_service(*shown: Mapping[str, Any], given: Iterable[str] = ()) -> frozenset[str]:
    """Return the attributes of images of ours that are the service's own: what they are to be, it alone knows.

    "Unknown extra members are tolerated" (GEN-13): a service may count changes, or derive one attribute from another.
    What we have ``given`` an image is not among them, nor what has a name that comes of ours.
    """
    names = frozenset[str]().union(*shown) - OF_IMAGES - {*given}
    return frozenset(name for name in names if "cloudimages" not in name.lower())


A_WHILE = 1.1
"""Seconds in which an attribute that moves by itself does so: more than a clock of seconds needs."""


LOOKS = 12
"""Looks meanwhile: one of several nodes may show an attribute that others do not know yet."""


def restless_attributes(run: Run) -> set[str]:
    """Return the attributes that change while nothing is done to an image: a counter of reads, an expiring address."""
    looks = []
    with run.fresh_image() as image:
        for place in range(LOOKS):
            if place:
                time.sleep(A_WHILE / (LOOKS - 1))
            looks.append(image.show().data)
    shown = [look for look in looks if isinstance(look, dict)]
    return {name for before, after in pairwise(shown) for name in differing(before, after)}


def _is_relied_on(run: Run, image: Image, way: str) -> bool:
    """Have others rely on an image, and return whether they may: it has members, or some visibility."""
    if way != "members":
        return not made_visible(image, way, run.client, *filter(None, [run.caller("ADMIN")]))
    with suppress(Blocked, pytest.skip.Exception):
        other = run.of_another_project()
        return image.send("POST", "/members", json={"member": run.owner_of(other) if other else uuid.uuid4().hex}).ok
    return False


def kept_out_by_policy(answer: Answered, run: Run) -> bool:
    """Return whether 403 to the owner of an image is what a policy has, which forbids all changes of some images.

    It may do so for those that others rely on: they have members, are public, or of the community. That is looked at
    once.
    """

    def look() -> str:
        with run.fresh_image(own=True) as image:
            for way in ("members", "community", "public"):
                if _is_relied_on(run, image, way):
                    answer = image.client.patch(image.id, replaced("/min_ram", 1024))
                    if answer.status == 403:  # noqa: PLR2004 - as HTTP has it
                        return str(answer.exchange)
        return ""

    return (
        answer.status == 403  # noqa: PLR2004 - as HTTP has it
        and not run.settings.image
        and bool(lacks(run.recorder, "changes by their owner of images that others rely on", look))
    )


def state_of(answer: Answer) -> str:
    """Return the status of the image that an answer shows; empty where it shows none."""
    status = answer.document.get("status")
    return status if isinstance(status, str) else ""


@workload(requests=(0, 2, 2, 2))
def gone_image(run: Run) -> str:
    """Return the id of an image that was deleted; one that no image has, where none is created, or deleted."""
    if run.settings.image:
        return str(uuid.uuid4())
    traces = run.recorder.traces
    gone = "" if run.rounds else min(traces.created - traces.in_use, default="")
    if not gone:
        with run.fresh_image() as image:
            gone = image.id
    return str(uuid.uuid4()) if traces.stays(gone) else gone


def shared(image: Image, project: str) -> None:
    """Add another project as a member of an image. Skip the check if the service does not offer members."""
    answer = image.send("POST", "/members", json={"member": project})
    if answer.status in (403, 404, 405, 409, 501):
        pytest.skip(f"needs an image that is shared with another project, which was answered {answer.status}")
    require_ok(answer)
