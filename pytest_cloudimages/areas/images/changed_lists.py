"""Lists sorted by when images were changed last, each image in another way."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pytest_cloudimages.areas.common.paging import Query, read_pages
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect
from pytest_cloudimages.areas.images.list_reader import ListReader
from pytest_cloudimages.areas.images.moving_lists import TAGGED
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import A_WHILE, OCTETS, once_settled
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image

NEW_TAG = "lists-changed"
SEVERAL = (3, 4, 5)
"""What an attribute is changed to, one after another, until a clock of seconds has not moved in between."""
Change = tuple[Image, Callable[[], Answer]]
"""An image, and what changes it."""
SORTED_BY_CHANGE: Query = (("sort_key", "updated_at"), ("sort_dir", "desc"))


def sort_by_the_last_change(lists: ListReader, mark: str, images: Sequence[Image], changed: float) -> None:
    """Change the images that are at neither end of a list by the times of changes, each in another way, and sort anew.

    Whatever kind of change moves no image, that image stays between others that were not changed. A clock of seconds
    tells all changes from those that were ``changed`` before; most of the time until then went by with other lists.
    """
    newest_first: Query = (*SORTED_BY_CHANGE, *lists.wide)
    before = lists.ask(Aspect.SORTED, *newest_first, most=1)
    found = {image.id: image for image in images}
    held = [found[each] for each in dict.fromkeys(before.held) if each in found]
    time.sleep(max(0.0, A_WHILE - (time.monotonic() - changed)))
    known = lists.known
    done = _carried_out(lists, _changes(held[1:-1], known))
    # Whether the time has moved or not, whatever lists show from now on is compared with the images as they are now.
    if not any(known[each.id].get("updated_at") != lists.known[each.id].get("updated_at") for each in done):
        return
    _sort_anew(lists, done[0], known, newest_first, most=1)
    _sort_anew(lists, done[0], known, (("sort_key", "updated_at"), ("sort_dir", "asc"), ("name", mark)), most=12)
    # What was the last of all is it no more once it has data.
    uploads = [(each, partial(each.upload, OCTETS)) for each in held[-1:] if known[each.id].get("status") == "queued"]
    for least in SEVERAL:
        known = lists.known
        changed_again = _carried_out(lists, [(done[0], partial(_patched, done[0], least=least)), *uploads])
        if not changed_again:
            return
        _sort_anew(lists, done[0], known, newest_first, most=1)
        # A cache that knows images by their times of whole seconds is told only while the clock shows the same.
        then, now = (each[done[0].id].get("updated_at") for each in (known, lists.known))
        if done[0] not in changed_again or then == now or "." in str(now):
            return
        uploads = []


def _carried_out(lists: ListReader, changes: Sequence[Change]) -> list[Image]:
    """Carry changes out, and return the images that were changed, as which they are known from now on."""
    with lists.run.recorder.of(Purpose.PREPARING):
        done = [image for image, change in changes if change().ok]
    lists.known = lists.known | {image.id: attributes_of(once_settled(image)) for image in done}
    return done


def _sort_anew(lists: ListReader, image: Image, known: Mapping[str, Attributes], query: Query, most: int) -> None:
    """Ask for a list, and again while it shows images as they were ``known`` before: it is sorted by that."""
    now = lists.known
    moved = [each for each in now if now[each].get("updated_at") != known[each].get("updated_at")]

    def look() -> Asked:
        return Asked(Aspect.SORTED, query, read_pages(lists.run.client, "/images", query, most=most), None, now)

    def is_late(asked: Asked) -> bool:
        shown = [(entry.get("id"), entry.get("updated_at")) for entry in asked.listed.entries]
        return any((each, known[each].get("updated_at")) in shown for each in moved)

    found = image.eventually(
        look, lambda asked: not is_late(asked) and (lists.differs or not any(asked.shown_otherwise()))
    )
    if not is_late(found):
        lists.asked.append(found)
        lists.differs = lists.differs or any(found.shown_otherwise())


def _changes(images: Sequence[Image], known: Mapping[str, Attributes]) -> list[Change]:
    """Return a change for each of three images: a tag taken off, an attribute, and a tag put on."""
    own = {image.id: _own_tags(known[image.id]) for image in images}
    changes: list[Change] = []
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


def _patched(image: Image, least: int = 2) -> Answer:
    return image.client.patch(image.id, replaced("/min_disk", least))


def _tagged(image: Image) -> Answer:
    return image.add_tag(NEW_TAG)
