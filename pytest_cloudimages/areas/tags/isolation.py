"""Isolation: other images, which no request names, while the tags of an image are changed."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.images.states import OCTETS, is_going
from pytest_cloudimages.areas.tags.resource import TAGS, set_tags
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

PATCHED = "patched"
WORDS_OF_ONE = ("latest", "default")
"""Words by which registries call one image of many: here, they are tags like any other."""
CARRIED = ("shared", "kept", "gone", "left")
"""The tags of images that are alike: of one of them, one is deleted, two go by a PATCH, and the last by another."""
OF_THE_FORMER = "shared"
"""The tag of an image that is deleted, and was the first to carry it; others carry it too."""
NEW = "of-one-of-two"
"""A tag of one of two images that have the same data."""


@dataclass(frozen=True)
class OtherImage:
    """An image that no request named, before and after tags of another one were changed."""

    what: str
    before: list[str]
    after: list[str]
    exchanges: tuple[Exchange, ...]

    def __repr__(self) -> str:
        return f"{self.what}: {sorted(self.before)!a} became {sorted(self.after)!a}"


@contextmanager
def _opened(create: Callable[..., AbstractContextManager[Image]], *attempts: Mapping[str, Any]) -> Iterator[Image]:
    """Open an image with the first of some sets of attributes that it can be created with; raise what the last does."""
    with ExitStack() as stack:
        for attributes in attempts[:-1]:
            with suppress(Blocked, pytest.skip.Exception):
                image = stack.enter_context(create(**attributes))
                break
        else:
            image = stack.enter_context(create(**attempts[-1]))
        yield image


def _tagged(run: Run, tags: list[str], **named: Any) -> AbstractContextManager[Image]:
    """Open an image with these tags, of the same name as another, or of a name of its own where a service wants that.

    It is created with the tags, so that two of them are as much alike as can be.
    """
    return _opened(run.fresh_image, named | {"tags": tags}, named, {})


def _strangers(run: Run, other: ImagesClient, tags: list[str], name: str) -> AbstractContextManager[Image]:
    """Open an image of another project with this name and these tags, or without them where it is created so alone."""
    create = partial(temporary_image, other, run.name, run.patience, name=name)
    return _opened(create, {"tags": tags}, {})


def _given(image: Image, tags: list[str]) -> None:
    """See that an image has these tags, and give it those that it was not created with."""
    with image.client.recorder.of(Purpose.PREPARING):
        shown = image.eventual_tags(tags)
    if sorted(shown) != sorted(tags):
        image.given_tags_at_once(*tags)


@workload(empty=list, requests=(15, 49, 49, 49))
def other_images(run: Run) -> list[OtherImage]:
    """Change the tags of one image, and return what others of the same name, tags or another project showed of it.

    If there is but one image to use, there are none.
    """
    if run.single:
        return []
    carried = [*CARRIED]
    watched: list[tuple[str, Image]] = []
    found: list[OtherImage] = []
    with ExitStack() as stack:
        going = stack.enter_context(ExitStack())
        former = _first_to_carry(run, going)
        oldest = stack.enter_context(_tagged(run, carried))
        watched.append(("an older image with the same tags", oldest))
        if not run.settings.image:
            other = run.caller("ALT")
            if other:
                with suppress(Blocked):
                    stranger = stack.enter_context(_strangers(run, other, carried, oldest.name))
                    watched.append(("an image of another project with the same name and tags", stranger))
        if former:
            # The deletion of an image with a tag that others have is nothing to them.
            _all_given(watched, carried)
            found += _beside(watched, going.close, [carried for _ in watched])
            with suppress(Blocked):
                found += _succeeding(run, former)
        main = stack.enter_context(_tagged(run, carried, name=oldest.name))
        # Each is looked at when all are there: what is seen so is how they are before anything is changed.
        _given(main, carried)
        if not former:
            _all_given(watched, carried)
        before = [image.after for image in found[: len(watched)]] or [carried for _ in watched]
        if run.rounds and not run.settings.image:
            with suppress(Blocked):
                untagged = stack.enter_context(run.fresh_image())
                before.append(untagged.tags())
                watched.append(("a newer image without tags", untagged))
        add, delete = main.add_tag, main.delete_tag
        found += _beside(
            watched,
            lambda: [
                add("new"),
                add("kept"),
                delete("gone"),
                delete("absent"),
                *(_patched(main) if run.rounds else ()),
            ],
            before,
        )
        if run.rounds and not run.settings.image:
            shown = [image.after for image in found[-len(watched) :]]
            found += _emptied_alike(oldest, main)
            # What two images were created with alike is no more the same once both were changed as a whole.
            _made_alike(run, oldest, main, carried)
            # Nor is a tag another's that came to one by its address, and to the other by a PATCH.
            before = [oldest.tags(), *shown[1:]]
            found += _beside(watched, lambda: [*map(add, (*WORDS_OF_ONE, NEW)), delete(PATCHED), delete("new")], before)
        return found


def _first_to_carry(run: Run, going: ExitStack) -> Image | None:
    """Open an image that is deleted soon, and is the first of all to carry a tag; ``None`` where there is none."""
    if not run.rounds or run.settings.image:
        return None
    with suppress(Blocked):
        spare = going.enter_context(run.fresh_image())
        # It has one by a PATCH, and the other by its address.
        spare.given_tags_at_once(CARRIED[1])
        require_ok(spare.add_tag(OF_THE_FORMER))
        return spare
    going.close()
    return None


def _all_given(watched: list[tuple[str, Image]], carried: list[str]) -> None:
    """See that all images have some tags; whichever but the first cannot be given them is not watched."""
    _given(watched[0][1], carried)
    for what, image in watched[1:]:
        try:
            _given(image, carried)
        except Blocked:
            watched.remove((what, image))


def _patched(image: Image) -> list[Answer]:
    """Take tags off an image by PATCH in each way that there is: fewer are set, all are removed, and none is set."""
    fewer = set_tags(image, ["left", "new"])
    # No service need remove what every image has.
    return [fewer, image.client.patch(image.id, {"op": "remove", "path": "/tags"}), set_tags(image, [])]


def _succeeding(run: Run, former: Image) -> Iterator[OtherImage]:
    """Yield an image that is created with the id of one that had a tag and was deleted, where a service makes one."""
    with run.recorder.scope() as sent, run.fresh_image(id=former.id) as successor:
        if successor.id == former.id:
            shown = successor.eventually(
                successor.show, lambda seen: OF_THE_FORMER not in (TAGS.values(seen) or ()), going_on=is_going
            )
            # An image that says that it is as good as deleted is the former one still.
            left = [tag for tag in TAGS.values(shown) or () if tag == OF_THE_FORMER and not is_going(shown)]
            yield OtherImage("a new image with the id of one that was deleted", [], left, tuple(sent))


def _beside(
    watched: Sequence[tuple[str, Image]], change: Callable[[], object], before: Sequence[list[str]]
) -> list[OtherImage]:
    """Change the tags of one image, and return what others showed ``before``, and show after it."""
    with watched[0][1].client.recorder.scope() as sent:
        change()
    exchanges = tuple(sent)
    return [
        OtherImage(what, tags, image.eventual_tags(tags), exchanges)
        for (what, image), tags in zip(watched, before, strict=True)
    ]


def _emptied_alike(other: Image, emptied: Image) -> list[OtherImage]:
    """Take all tags off another image by PATCH, as they were taken off one, and add a tag to this one."""
    with other.client.recorder.of(Purpose.PREPARING):
        if set_tags(other, []).document.get("tags") != []:
            return []
    return _beside([("an older image that was emptied alike", other)], partial(emptied.add_tag, NEW), [[]])


def _made_alike(run: Run, oldest: Image, main: Image, carried: list[str]) -> None:
    """Set the same tags of two images by PATCH, upload the same data, and add the words of one image to the older."""
    with run.recorder.of(Purpose.PREPARING):
        for image in (oldest, main):
            set_tags(image, [*carried, PATCHED, "new"])
            image.upload(OCTETS)
        for word in WORDS_OF_ONE:
            oldest.add_tag(word)


def expect_nothing_handed_on(run: Run) -> None:
    """Raise ``Mismatch`` where a new image shows a tag that was added to another one.

    Asked where a new image has shown what nobody gave it: that is taken off all others first.
    """
    __tracebackhide__ = True
    if not run.recorder.traces.handed_on:
        return
    tag = f"only-of-{uuid.uuid4().hex[:8]}"
    with suppress(Blocked), ExitStack() as stack:
        first = stack.enter_context(temporary_image(run.client, run.name, run.patience))
        added = require_ok(first.add_tag(tag))
        second = stack.enter_context(temporary_image(run.client, run.name, run.patience))
        shown = require_ok(second.show())
        current_check().aside([added.exchange, shown.exchange])
        handed_on = [each for each in TAGS.values(shown) or () if each == tag]
        expect(handed_on, [], f"tags of a new image that came by {added}, an addition to another one")


def expect_kept(images: Iterable[OtherImage]) -> None:
    """Raise ``Mismatch`` where an image that no request named has other tags than before; a side question."""
    __tracebackhide__ = True
    for image in images:
        current_check().aside(image.exchanges)
        expect(sorted(image.after), sorted(image.before), f"tags of {image.what}", before=sorted(image.before))
