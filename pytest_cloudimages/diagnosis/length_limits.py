"""Finds a limit of the length of tags, and the unit in which it counts. No I/O."""

import functools
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator

from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials, discriminate
from pytest_cloudimages.spec.limits import LONGEST

Measure = Callable[[str], int]

FAR = 1024
"""Length in characters above which no limit is looked for."""
REACH = 16
"""How many characters beyond a boundary are tried to tell two units apart."""
UNITS: dict[str, Measure] = {
    "characters": len,
    "octets": lambda tag: len(tag.encode()),
    "UTF-16 units": lambda tag: len(tag.encode("utf-16-le")) // 2,
    "characters once decomposed": functools.lru_cache(4096)(lambda tag: len(unicodedata.normalize("NFD", tag))),
    "octets as written in the URI": functools.lru_cache(4096)(
        lambda tag: len(urllib.parse.quote(tag, safe="", errors="surrogatepass"))
    ),
}
UNIT_CHARACTERS = ("a", "é", "漢", "😀")
"""A character of each length in UTF-8."""


def halve(well: int, wrong: int, goes_wrong: Callable[[int], bool]) -> tuple[int, int]:
    """Return the two adjacent lengths between which it turns from well to wrong, as (well, wrong), by bisection."""
    while abs(wrong - well) > 1:
        middle = (well + wrong) // 2
        well, wrong = (well, middle) if goes_wrong(middle) else (middle, wrong)
    return well, wrong


def limit(unit: str, accepted: Callable[[str], bool]) -> str:
    """Return a sentence on how many such characters a tag may have, and of which unit 255 are allowed, if of any."""
    well, wrong = halve(0, FAR, lambda count: not accepted(unit * count))
    counted = [name for name, size in UNITS.items() if size(unit * well) <= LONGEST < size(unit * wrong)]
    return f"limits {counted[0] if counted else 'something else'}: {unit}×{well} accepted, {unit}×{wrong} refused"


def length_class(unit: str, count: int, trials: Trials[str]) -> Hypothesis[str] | None:
    """Return the class of lengths of ``count`` of a character, which goes wrong; ``None`` if none can be claimed."""
    try:
        most = max(LONGEST, count)
        shorter, longer = trials(unit * (count - 1)), trials(unit * (count + 1 if count < most else count))
        if not shorter and not longer:
            return _exactly(unit, count, trials)
        if not trials(unit * most):
            return None
        well, wrong = halve(0, count, lambda length: trials(unit * length)) if shorter else (count - 1, count)
        # It is a limit only if the next shorter length goes well too.
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


def _equal(name: str, size: Measure, count: int) -> Hypothesis[str]:
    return _bounded(f"exactly {count} {name}", lambda tag: size(tag) == count)


def _above(name: str, size: Measure, most: int) -> Hypothesis[str]:
    return _bounded(f"more than {most} {name}", lambda tag: size(tag) > most)


def _bounded(claim: str, holds: Callable[[str], bool]) -> Hypothesis[str]:
    """Return a class of lengths; its samples are at its boundaries, in characters of each length in UTF-8."""
    bare: Hypothesis[str] = Hypothesis(claim, holds)
    at_boundaries = [
        character * count
        for character in UNIT_CHARACTERS
        for count in _boundary_counts(character, bare)
        if 0 < count <= LONGEST
    ]
    inside = tuple(tag for tag in at_boundaries if holds(tag))
    return Hypothesis(claim, holds, inside, tuple(tag for tag in at_boundaries if tag not in inside))


def _around(unit: str, hypotheses: list[Hypothesis[str]], counts: list[int]) -> Iterator[str]:
    """Yield tags at the boundaries of every hypothesis, made of one character and of two."""
    found: list[str] = []
    for character in dict.fromkeys([unit, *UNIT_CHARACTERS]):
        places = {place for hypothesis in hypotheses for place in _boundary_counts(character, hypothesis)} | (
            {*counts} if character == unit else set()
        )
        found += [character * place for place in sorted(places) if 0 < place <= max(LONGEST, *counts)]
    for count in counts:
        found += [unit * (count - less) + "a" * more for less in (0, 1, 2) for more in range(1, REACH)]
    return iter([tag for tag in dict.fromkeys(found) if 0 < len(tag) <= max(LONGEST, *counts)])


def _boundary_counts(character: str, hypothesis: Hypothesis[str]) -> list[int]:
    """Return the counts of a character on both sides of every boundary of a class."""
    inside = [hypothesis.holds(character * count) for count in range(LONGEST + 2)]
    changes = [count for count in range(1, LONGEST + 2) if inside[count] is not inside[count - 1]]
    return [place for count in changes for place in (count - 1, count)]
