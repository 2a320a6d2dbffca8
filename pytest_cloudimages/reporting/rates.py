"""Whether two rates differ by more than chance: Fisher's exact test, in whole numbers."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANCE = 0.05
"""What is at least so probable by chance alone is not called a difference."""


def probability(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return how probable two rates this far apart are where nothing has changed: Fisher's exact test, two-sided.

    Each is how often something was seen, and of how many times.
    """
    (seen, tried), (others, tried_too) = first, second
    total, marked = tried + tried_too, seen + others
    least = max(0, marked - tried_too)
    # How many ways lead to each table with these margins; the next follows from the last.
    ways = [comb(tried, least) * comb(tried_too, marked - least)]
    for count in range(least, min(tried, marked)):
        ways.append(ways[-1] * (tried - count) * (marked - count) // ((count + 1) * (tried_too - marked + count + 1)))
    met = ways[seen - least]
    return sum(way for way in ways if way <= met) / comb(total, marked)


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[float, str]:
    """Return how probable it is that two rates differ by chance, and both in words."""
    chance = probability((old["violations"], old["of"]), (new["violations"], new["of"]))
    return chance, f"{told(old)} before, {told(new)} now, {_by_chance(chance)}"


def told(rate: Mapping[str, Any]) -> str:
    """Return a rate in words."""
    return f"{rate['violations']} of {rate['of']} {rate['what']}"


def _by_chance(chance: float) -> str:
    return f"p = {chance:.3g}" if chance < CHANCE else f"p = {chance:.2g}, which may be chance"
