"""Lists sorted by when images were changed last, each image in another way."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pytest_cloudimages.areas.common.paging import PagedList, Query, read_pages
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect
from pytest_cloudimages.areas.images.list_reader import ListReader
from pytest_cloudimages.areas.images.moving_lists import TAGGED
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import A_WHILE
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image

NEW_TAG = "lists-changed"
SORTED_BY_CHANGE: Query = (("sort_key", "updated_at"), ("sort_dir", "desc"))


def sort_by_the_last_change(lists: ListReader, mark: str, images: Sequence[Image], changed: float) -> None:
    """Change the images that are at neither end of a list by the times of changes, each in another way, and sort anew.

    Whatever kind of change moves no image, that image stays between others that were not changed. A clock of seconds
    tells all changes from those that were ``changed`` before; most of the time until then went by with other lists.
    """
    before = lists.ask(Aspect.SORTED, *SORTED_BY_CHANGE, *lists.wide, most=1)
    found = {image.id: image for image in images}
    between = [found[each] for each in [*dict.fromkeys(before.held)][1:-1] if each in found]
    time.sleep(max(0.0, A_WHILE - (time.monotonic() - changed)))
    with lists.run.recorder.of(Purpose.PREPARING):
        done = [image for image, change in _changes(between, lists.known) if change().ok]
    if not done:
        return
    known, shown = lists.known, {image.id: attributes_of(image.show()) for image in done}
    # Whether the time has moved or not, whatever lists show from now on is compared with the images as they are now.
    lists.known = known | shown
    moved = [each for each, data in shown.items() if data.get("updated_at") != known[each].get("updated_at")]
    if not moved:
        return
    upwards: Query = (("sort_key", "updated_at"), ("sort_dir", "asc"), ("name", mark))
    for query, most in (((*SORTED_BY_CHANGE, *lists.wide), 1), (upwards, 12)):
        look = partial(read_pages, lists.run.client, "/images", query, most=most)

        def is_late(seen: PagedList) -> bool:
            """Return whether a list shows a time of before: it is sorted by that."""
            shown = [(entry.get("id"), entry.get("updated_at")) for entry in seen.entries]
            return any((each, known[each].get("updated_at")) in shown for each in moved)

        listed = done[0].eventually(look, lambda seen: not is_late(seen))
        if not is_late(listed):
            lists.asked.append(Asked(Aspect.SORTED, query, listed, None, lists.known))


def _changes(images: Sequence[Image], known: Mapping[str, Attributes]) -> list[tuple[Image, Callable[[], Answer]]]:
    """Return a change for each of three images: a tag taken off, an attribute, and a tag put on."""
    own = {image.id: _own_tags(known[image.id]) for image in images}
    changes: list[tuple[Image, Callable[[], Answer]]] = []
    carrier = next((image for image in images if own[image.id]), None)
    if carrier:
        changes.append((carrier, partial(carrier.delete_tag, own[carrier.id][0])))
    rest = [image for image in images if image is not carrier]
    for image, change in zip(rest, (_patched, _tagged), strict=False):
        changes.append((image, partial(change, image)))
    return changes


def _own_tags(data: Attributes) -> list[str]:
    """Return the tags of an image that no list is asked for by."""
    tags = data.get("tags")
    return [tag for tag in tags if tag not in TAGGED] if isinstance(tags, list) else []


def _patched(image: Image) -> Answer:
    return image.client.patch(image.id, replaced("/min_disk", 2))


def _tagged(image: Image) -> Answer:
    return image.add_tag(NEW_TAG)
