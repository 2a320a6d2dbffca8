"""Finds the limit of a tag's length, and the unit that it counts. No I/O."""

import functools
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator

from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials, discriminate
from pytest_cloudimages.spec.limits import LONGEST

Measure = Callable[[str], int]

FAR = 1024
"""Characters at which every limit is taken to be passed."""
REACH = 16
"""How far beyond a boundary it is looked for what tells two units apart."""
UNITS: dict[str, Measure] = {
    "characters": len,
    "octets": lambda tag: len(tag.encode()),
    "UTF-16 units": lambda tag: len(tag.encode("utf-16-le")) // 2,
    "characters once decomposed": functools.lru_cache(4096)(lambda tag: len(unicodedata.normalize("NFD", tag))),
    "octets as written in the URI": functools.lru_cache(4096)(lambda tag: len(urllib.parse.quote(tag, safe=""))),
}
OTHERS = ("a", "é", "漢", "😀")
"""A character of each length in UTF-8."""


def halve(well: int, wrong: int, goes_wrong: Callable[[int], bool]) -> tuple[int, int]:
    """Narrow a boundary between what goes well and what goes wrong down to two neighbours."""
    while abs(wrong - well) > 1:
        middle = (well + wrong) // 2
        well, wrong = (well, middle) if goes_wrong(middle) else (middle, wrong)
    return well, wrong


def limit(unit: str, accepted: Callable[[str], bool]) -> str:
    """Find how many such characters a tag may have, and say of which unit 255 are allowed, if of any."""
    well, wrong = halve(0, FAR, lambda count: not accepted(unit * count))
    counted = [name for name, size in UNITS.items() if size(unit * well) <= LONGEST < size(unit * wrong)]
    return f"limits {counted[0] if counted else 'something else'}: {unit}×{well} accepted, {unit}×{wrong} refused"


def length_class(unit: str, count: int, trials: Trials[str]) -> Hypothesis[str] | None:
    """Give the class of lengths to which so many of a character belong, knowing that they go wrong."""
    try:
        most = max(LONGEST, count)
        shorter, longer = trials(unit * (count - 1)), trials(unit * (count + 1 if count < most else count))
        if not shorter and not longer:
            return _exactly(unit, count, trials)
        if not trials(unit * most):
            return None
        well, wrong = halve(0, count, lambda number: trials(unit * number)) if shorter else (count - 1, count)
        # A limit is one only if what is shorter still goes well too.
        return None if well > 1 and trials(unit * (well - 1)) else _more_than(unit, well, wrong, trials)
    except Spent:
        return None


def _exactly(unit: str, count: int, trials: Trials[str]) -> Hypothesis[str] | None:
    hypotheses = [_equal(name, size, size(unit * count)) for name, size in UNITS.items()]
    return discriminate(hypotheses, [*_around(unit, hypotheses, [count])], trials)


def _more_than(unit: str, well: int, wrong: int, trials: Trials[str]) -> Hypothesis[str] | None:
    hypotheses = [
        _above(name, size, most)
        for name, size in UNITS.items()
        for most in range(size(unit * well), size(unit * wrong))
    ]
    return discriminate(hypotheses, [*_around(unit, hypotheses, [well, wrong])], trials)


def _equal(name: str, size: Measure, number: int) -> Hypothesis[str]:
    return _bounded(f"exactly {number} {name}", lambda tag: size(tag) == number)


def _above(name: str, size: Measure, most: int) -> Hypothesis[str]:
    return _bounded(f"more than {most} {name}", lambda tag: size(tag) > most)


def _bounded(claim: str, holds: Callable[[str], bool]) -> Hypothesis[str]:
    """Make a class of lengths; its nearest neighbours are those of every kind of character."""
    bare: Hypothesis[str] = Hypothesis(claim, holds)
    edges = [one * count for one in OTHERS for count in _edges(one, bare) if 0 < count <= LONGEST]
    inside = tuple(tag for tag in edges if holds(tag))
    return Hypothesis(claim, holds, inside, tuple(tag for tag in edges if tag not in inside))


def _around(unit: str, hypotheses: list[Hypothesis[str]], counts: list[int]) -> Iterator[str]:
    """Give tags at the boundaries of every hypothesis, of one character and of two."""
    found: list[str] = []
    for one in dict.fromkeys([unit, *OTHERS]):
        places = {place for each in hypotheses for place in _edges(one, each)} | ({*counts} if one == unit else set())
        found += [one * place for place in sorted(places) if 0 < place <= max(LONGEST, *counts)]
    for count in counts:
        found += [unit * (count - less) + "a" * more for less in (0, 1, 2) for more in range(1, REACH)]
    return iter([tag for tag in dict.fromkeys(found) if 0 < len(tag) <= max(LONGEST, *counts)])


def _edges(one: str, hypothesis: Hypothesis[str]) -> list[int]:
    """Give the counts of a character at which it enters or leaves a class."""
    inside = [hypothesis.holds(one * count) for count in range(LONGEST + 2)]
    changes = [count for count in range(1, LONGEST + 2) if inside[count] is not inside[count - 1]]
    return [place for count in changes for place in (count - 1, count)]
