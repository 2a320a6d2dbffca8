"""Puts classes of input into sentences. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from pytest_cloudimages.diagnosis import length_limits, string_classes
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Probe, Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import Symptom
from pytest_cloudimages.spec.limits import LONGEST

EXAMPLES = 3
"""Neighbours of either side that a sentence names."""


def claimed(
    found: Hypothesis[Probe], trials: Trials[Probe], symptom: Symptom, when: str, shown: Callable[[Probe], str]
) -> str:
    """Name a class, with what was seen on either side of it.

    "any tag with a plus sign ('a+b', '+' altered or lost; 'a-b', 'a b' fine)"
    """
    wrong = _shortest(trials.wrong)
    well = [one for one in found.outside if one in trials.well] + _shortest(trials.well)
    seen = _by_length({one: bad for one, bad in trials.seen.items() if isinstance(one, str)}, symptom)
    if not seen:
        seen = f"{_listed(wrong, shown)} {symptom}"
        seen += f"; {_listed(well, shown)} {_fine(symptom)}" if well else ""
    return f"{found.claim}{f', {when}' if when else ''} ({seen})"


def unclaimed(probe: Probe, trials: Trials[Probe], symptom: Symptom, when: str, shown: Callable[[Probe], str]) -> str:
    """Say what was seen, and nothing more."""
    name = "this tag" if isinstance(probe, str) else "these two tags"
    others = [one for one in _shortest(trials.wrong) if one != probe]
    near = sorted(trials.well, key=lambda one: -SequenceMatcher(a="".join(one), b="".join(probe)).ratio())
    said = f"{name}, {shown(probe)}, {f'{when}, ' if when else ''}{symptom}"
    said += f"; so {'is' if len(others) == 1 else 'are'} {_listed(others, shown)}" if others else ""
    said += f"; neighbours that are {_fine(symptom)}: {_listed(near, shown)}" if trials.well else ""
    return f"{said}; no class was found"


def beyond(trials: Trials[str], counts: Sequence[int]) -> str:
    """Say up to which length a service takes tags that are too long."""
    try:
        refused = next((count for count in counts if not trials("a" * count)), None)
        taken = max(count for count in counts if count != refused and trials("a" * count))
        if refused is None:
            return f"any tag of more than {LONGEST} characters (a×{counts[0]}, a×{taken} acknowledged)"
        last, first = length_limits.halve(refused, counts[0], lambda count: trials("a" * count))[::-1]
    except Spent:
        return f"tags of more than {LONGEST} characters (a×{counts[0]} acknowledged)"
    name = f"tags of exactly {last}" if last == counts[0] else f"tags of {counts[0]} to {last}"
    return f"{name} characters (a×{last} acknowledged, a×{first} refused)"


def _by_length(seen: Mapping[str, bool], symptom: Symptom) -> str:
    """Tell which lengths were the last to go well; nothing where one more character was not what mattered."""
    edges = [
        one
        for one, wrong in seen.items()
        if wrong and len(one) >= length_limits.REACH and one == one[0] * len(one) and seen.get(one[1:]) is False
    ]
    edges = sorted(edges, key=lambda one: one[0] != "a")[:2]
    told = [
        part
        for one in edges
        for part in (f"{string_classes.shown(one[1:])} {_fine(symptom)}", f"{string_classes.shown(one)} {symptom}")
    ]
    others = [
        one for one, wrong in seen.items() if not wrong and one == one[0] * len(one) and len(one) >= length_limits.REACH
    ]
    others = [one for one in others if one[0] not in {edge[0] for edge in edges}]
    told += [f"{string_classes.shown(max(others, key=len))} {_fine(symptom)}"] if told and others else []
    return ", ".join(told)


def _shortest(probes: Iterable[Probe]) -> list[Probe]:
    return sorted(probes, key=lambda one: len("".join(one)))


def _listed(probes: Iterable[Probe], shown: Callable[[Probe], str]) -> str:
    return ", ".join(shown(one) for one in list(dict.fromkeys(probes))[:EXAMPLES])


def _fine(symptom: Symptom) -> str:
    return "accepted" if symptom is Symptom.REFUSED else "fine"


def both(pair: Pair) -> str:
    """Write two tags."""
    return " and ".join(string_classes.shown(tag) for tag in pair)
