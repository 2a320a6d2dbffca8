"""What a check that rests on chance would have seen: how often something has to happen to show for certain."""

import math

CONFIDENCE = 0.95
"""How certain it has to be that what happens so often would have shown."""


def percent_shown(trials: int) -> float:
    """Return the percentage of cases in which something has to happen so that it shows, in trials of which none did.

    Of independent trials none shows what happens with probability p in (1 - p) ** trials of all runs. For 5 % of them
    that is the bound, near to 3 / trials: the rule of three. It is rounded up, so that no more is said than is so.
    """
    missed: float = (1 - CONFIDENCE) ** (1 / trials)
    return math.ceil(1000 * (1 - missed)) / 10


def in_words(percent: float) -> str:
    """Return that bound in words."""
    return f"what happens in {percent:.1f} % of cases or more would have shown, with a confidence of {CONFIDENCE:.0%}"
