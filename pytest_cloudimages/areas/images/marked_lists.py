"""Lists that start after a marker: by the name alone, sorted by a key, and filtered."""

from collections.abc import Sequence

from pytest_cloudimages.areas.common.forms import is_whole
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect
from pytest_cloudimages.areas.images.list_reader import ListReader
from pytest_cloudimages.areas.images.orders import in_order
from pytest_cloudimages.areas.images.tried_patches import Attributes


def fits(data: Attributes, name: str, value: str) -> bool:
    """Return whether an image has what is filtered by."""
    if name == "size_min":
        return is_whole(size := data.get("size")) and size >= int(value)
    return str(data.get(name)) == value


def start_after_markers(lists: ListReader, mark: str) -> None:
    """Start lists after each image of a whole one, and after some of those that are sorted and filtered."""
    named = [each for each, data in lists.known.items() if data.get("name") == mark]
    whole = lists.ask(Aspect.UNSORTED, ("name", mark), expected=named)
    # One that is listed twice is not listed twice by another page.
    for begin in (held := [*dict.fromkeys(whole.held)]):
        _start_after(lists, begin, held, ("name", mark))
    upwards = (("sort_dir", "asc"), ("name", mark))
    for asked in [each for each in lists.asked if each.aspect is Aspect.UNSORTED and each.query == upwards]:
        if lists.run.rounds and asked.listed.readable and asked.held:
            held = [*dict.fromkeys(asked.held)]
            _start_after(lists, held[0], held, *upwards)
    if lists.run.rounds and whole.listed.readable:
        _filter_after_a_marker(lists, mark, whole)
        _pass_a_marker(lists, mark)
        _sort_after_a_marker(lists, mark)


def _start_after(lists: ListReader, begin: str, held: Sequence[str], *query: tuple[str, str]) -> None:
    """Start a list after one of the images that it holds; that nothing comes after its last is another question."""
    rest = [*held[held.index(begin) + 1 :]]
    lists.ask(Aspect.AFTER if rest else Aspect.BEYOND, ("marker", begin), *query, expected=rest)


def _filter_after_a_marker(lists: ListReader, mark: str, whole: Asked) -> None:
    """Filter what comes after an image that fits, where one follows that does not.

    Only where lists by the name alone start after their marker: what is lost is the filter then.
    """
    after = [asked for asked in lists.asked if asked.aspect in (Aspect.AFTER, Aspect.BEYOND)]
    if any(not each.listed.readable or each.held != each.wanted for each in after):
        return
    filters: tuple[tuple[Aspect, str, str], ...] = (
        (Aspect.VISIBILITY, "visibility", "shared"),
        (Aspect.SIZE, "size_min", "1"),
        (Aspect.ATTRIBUTE, "min_ram", "64"),
    )
    for aspect, name, value in filters:
        fitting = [each for each in whole.held if fits(lists.known[each], name, value)]
        if fitting and [*fitting] != whole.held[-len(fitting) :]:
            query = ((name, value), ("marker", fitting[0]), ("name", mark))
            lists.ask(aspect, *query, expected=fitting[1:])


def _pass_a_marker(lists: ListReader, mark: str) -> None:
    """Filter what comes after an image that does not fit, as it may not any more, where one that fits comes before."""
    sized = [each for each in lists.asked if each.aspect is Aspect.SORTED and each.value("sort_key") == "size"]
    for whole in [each for each in sized if each.value("name") == mark and sorted(each.held) == sorted(each.wanted)]:
        seen = [str(lists.known[each].get("visibility")) for each in whole.held]
        place = next((at for at, shown in enumerate(seen) if shown != seen[0]), 0)
        if place:
            after = [each for each, shown in zip(whole.held, seen, strict=True) if shown == seen[0]][place:]
            query = (("visibility", seen[0]), ("marker", whole.held[place]), *whole.query)
            lists.ask(Aspect.PASSED, *query, expected=after)
            return


def _sort_after_a_marker(lists: ListReader, mark: str) -> None:
    """Start sorted lists after an image whose place another way of comparing would have elsewhere.

    One by names after a name in capitals, and one by ids: a list and its marker are compared in one way.
    """
    capitals = next((each for each, data in lists.known.items() if data.get("name") == mark.upper()), "")
    for key, direction in (("name", "asc"), ("name", "desc"), ("id", "asc")):
        query = (("sort_key", key), ("sort_dir", direction), *lists.wide)
        for whole in [each for each in lists.asked if each.aspect is Aspect.SORTED and each.query == query]:
            held = whole.held
            begin = capitals if key == "name" else next(iter(held), "")
            # Nothing of it is lost where it is whole, and sorted as it was asked for, which is another question.
            whole_and_ended = whole.listed.readable and whole.listed.ended and sorted(held) == sorted(lists.known)
            if whole_and_ended and begin in held and in_order(whole, backward=direction == "desc"):
                _start_after(lists, begin, held, *query)
