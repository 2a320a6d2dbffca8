"""Lists that are read page by page while the images change that they hold."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

import pytest

from pytest_cloudimages.areas.common.paging import PagedList, Query, read_pages
from pytest_cloudimages.areas.images.tried_patches import Attributes
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

TAGGED = (f"lists-{uuid.uuid4().hex[:12]}", "lists-several")
"""Tags of the three images that have one name, where the service takes any with a PATCH; the first is theirs alone."""


class Moved(NamedTuple):
    """A list that was read while it changed."""

    query: Query
    listed: PagedList
    staying: Sequence[str]
    """The ids of the images that it has to hold, whatever came and went."""
    known: Mapping[str, Attributes]
    """These images, as they show themselves."""


def tagged(known: Mapping[str, Attributes]) -> list[str]:
    """Return the images that show the tag which no others carry."""
    return [each for each, data in known.items() if TAGGED[0] in (data.get("tags") or ())]


def read_while_moving(
    run: Run,
    mark: str,
    images: Sequence[Image],
    known: Mapping[str, Attributes],
    stack: ExitStack,
    *,
    dated: bool,
) -> Iterator[Moved]:
    """Read page by page while an image loses what is asked for, and then while one comes and another goes.

    All that stay come once. ``dated``: whether lists are sorted by when images were created.
    """
    yield from _while_one_leaves(run, images, known, by_age("asc") if dated else ())
    staying = [image.id for image in images if image.name == mark]
    with suppress(Blocked, pytest.skip.Exception), ExitStack() as short:
        short.enter_context(run.fresh_image(own=True, name=mark))

        def between(number: int) -> None:
            if number == 2:  # noqa: PLR2004 - what was on the first page goes, and that on the second is the marker
                short.close()
            if number == 3:  # noqa: PLR2004
                with run.recorder.of(Purpose.PREPARING):
                    stack.enter_context(run.fresh_image(own=True, name=mark))

        query = (("limit", "1"), *(by_age("desc") if dated else ()), ("name", mark))
        listed = read_pages(run.client, "/images", query, between=between)
        yield Moved(query, listed, staying, {each: data for each, data in known.items() if each in staying})


def by_age(direction: str) -> Query:
    """Return what sorts a list by when images were created."""
    return (("sort_key", "created_at"), ("sort_dir", direction))


def _while_one_leaves(
    run: Run, images: Sequence[Image], known: Mapping[str, Attributes], order: Query
) -> Iterator[Moved]:
    """Read by a tag that the image of the first page loses, after which the second begins."""
    carry = [image for image in images if image.id in tagged(known)]
    if len(carry) > 1:

        def between(number: int) -> None:
            if number == 1:
                carry[0].delete_tag(TAGGED[0])

        query = (("limit", "1"), *order, ("tag", TAGGED[0]))
        listed = read_pages(run.client, "/images", query, between=between)
        left = {image.id: known[image.id] for image in carry[1:]}
        yield Moved(query, listed, [*left], left)
