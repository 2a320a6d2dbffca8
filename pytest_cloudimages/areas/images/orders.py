"""In which order lists show images: by the key that was asked for, as each service may compare what it keeps."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import factorial, prod
from typing import Any

from pytest_cloudimages.areas.images.asked_lists import Asked
from pytest_cloudimages.client.moments import is_before, moment

A_LONG_TIME_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SEVERAL = 4
"""So many are not in some order by chance."""
TOO_FEW_ORDERS = 24
"""Lists that can be in fewer orders are in the same one by chance, now and then."""
MANY = 7
"""So many are in none of several orders by chance."""


def in_order(asked: Asked, *, backward: bool) -> bool:
    """Return whether images are sorted by the key asked for: null and case are the service's.

    A value of another type than the attribute has is not compared: it is wrong by itself, which others say. What was
    changed since by the service itself is in its place by the time that the list shows.
    """
    key = asked.value("sort_key")
    if key == "id":
        return any(asked.order == sorted(asked.order, key=way, reverse=backward) for way in WAYS_OF_IDS)
    known = [asked.known[each].get(key) for each in asked.held]
    if _are_in_order(key, known, backward=backward):
        return True
    shown = [entry.get(key) for entry in asked.listed.entries if entry.get("id") in asked.held]
    return key == "updated_at" and None not in shown and _are_in_order(key, shown, backward=backward)


def _are_in_order(key: str, values: list[Any], *, backward: bool) -> bool:
    if key.endswith("_at"):
        moments = [found for found in map(moment, values) if found]
        return _go_on(moments, backward=backward)
    if texts := [value for value in values if isinstance(value, str)]:
        return any(texts == sorted(texts, key=way, reverse=backward) for way in (str, str.casefold))
    numbers = [value for value in values if isinstance(value, int | float)]
    return numbers == sorted(numbers, reverse=backward)


def _by_time_first(text: str) -> str:
    """Return an id as MySQL keeps it that is told to swap its parts."""
    digits = text.replace("-", "")
    return digits[12:16] + digits[8:12] + digits[:8] + digits[16:]


def _by_node_first(text: str) -> str:
    """Return an id as SQL Server compares it."""
    digits = text.replace("-", "")
    return digits[20:] + digits[16:20] + _in_octets(digits[12:16]) + _in_octets(digits[8:12]) + _in_octets(digits[:8])


def _in_octets(digits: str) -> str:
    return "".join(digits[place : place + 2] for place in range(len(digits) - 2, -1, -2))


def _as_signed(text: str) -> str:
    """Return an id as Java compares it, which takes its halves for signed numbers."""
    digits = text.replace("-", "").lower().ljust(32, "0")
    return "".join(f"{'89abcdef01234567'.find(half[0]):x}{half[1:]}" for half in (digits[:16], digits[16:]))


def _as_a_number(text: str) -> str:
    return text.rjust(64, "0")


WAYS_OF_IDS: tuple[Callable[[str], str], ...] = (
    *(str, str.casefold, _by_time_first, _by_node_first, _as_signed),
    _as_a_number,
)
"""How ids are compared, by their text or as databases keep them: which of these it is, no sentence says."""


def is_turned(asked: Asked, other: Asked) -> bool:
    """Return whether a list by ids has what another one has the other way round.

    Such an order is one of ids, whatever way they are compared, unless it is the order of creation.
    """
    both = {*asked.order} & {*other.order}
    first, second = ([each for each in order if each in both] for order in (asked.order, other.order))
    times = [moment(entry.get("created_at")) for entry in asked.listed.entries]
    shown = [each for each in times if each]
    by_time = len({*shown}) >= MANY and shown in (sorted(shown), sorted(shown, reverse=True))
    return first == second[::-1] and not by_time


def are_times_in_order(asked: Asked, direction: str) -> bool:
    """Return whether the times at which images were created are in order, as far as they are shown."""
    times = [_created(asked, each) for each in asked.held]
    return _go_on(times, backward=direction == "desc")


def _go_on(times: Sequence[datetime], *, backward: bool) -> bool:
    """Return whether each moment is no earlier than the one before it, or no later."""
    return not any(is_before(*((first, second) if backward else (second, first))) for first, second in pairwise(times))


def _created(asked: Asked, identifier: str) -> datetime:
    return moment(asked.known[identifier].get("created_at")) or A_LONG_TIME_AGO


def orders_of_one_time(asked: Asked) -> int:
    """Return in how many orders our images in a list can be, where those of one second may be in any."""
    seconds = Counter(_created(asked, each).replace(microsecond=0) for each in {*asked.held})
    return prod(map(factorial, seconds.values()))


def is_created_in_order(asked: Asked, direction: str) -> bool:
    """Return whether images are sorted by when they were created, and those of one time by their ids or as they came.

    Of two or three of one time, any order is one of these.
    """
    if not are_times_in_order(asked, direction):
        return False
    backward = direction == "desc"
    times = {each: _created(asked, each) for each in asked.held}
    if any(not each.microsecond for each in times.values()):  # where nodes write fractions or not, none counts
        times = {each: time.replace(microsecond=0) for each, time in times.items()}
    came = sorted(asked.held, key=[*asked.known].index, reverse=backward)
    orders = (came, sorted(asked.held), sorted(asked.held, reverse=True))
    found = any(asked.held == sorted(order, key=lambda each: times[each], reverse=backward) for order in orders)
    return found or len(times) < SEVERAL
