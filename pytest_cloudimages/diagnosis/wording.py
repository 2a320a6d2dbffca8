"""Words findings: input classes as sentences. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from pytest_cloudimages.diagnosis import length_limits, string_classes
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Probe, Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import Symptom
from pytest_cloudimages.spec.limits import LONGEST

EXAMPLES = 3
"""Members, and non-members, that a sentence names at most."""


def claimed(
    found: Hypothesis[Probe], trials: Trials[Probe], symptom: Symptom, when: str, shown: Callable[[Probe], str]
) -> str:
    """Return a class as a sentence, with what went wrong and what went well.

    "any tag with a plus sign ('a+b', '+' altered or lost; 'a-b', 'a b' fine)"
    """
    wrong = _shortest(trials.wrong)
    well = [sample for sample in found.outside if sample in trials.well] + _shortest(trials.well)
    seen = _by_length({tag: bad for tag, bad in trials.seen.items() if isinstance(tag, str)}, symptom)
    if not seen:
        seen = f"{_listed(wrong, shown)} {symptom}"
        seen += f"; {_listed(well, shown)} {_fine(symptom)}" if well else ""
    return f"{claim(found, when)} ({seen})"


def claim(found: Hypothesis[Probe], when: str) -> str:
    """Return a class without what was tried of it."""
    return f"{found.claim}, {when}" if when else found.claim


def unclaimed(probe: Probe, trials: Trials[Probe], symptom: Symptom, when: str, shown: Callable[[Probe], str]) -> str:
    """Return a sentence on what was seen, for want of a class."""
    name = "this tag" if isinstance(probe, str) else "these two tags"
    others = [other for other in _shortest(trials.wrong) if other != probe]
    near = sorted(trials.well, key=lambda tried: -SequenceMatcher(a="".join(tried), b="".join(probe)).ratio())
    sentence = f"{name}, {shown(probe)}, {f'{when}, ' if when else ''}{symptom}"
    sentence += f"; so {'is' if len(others) == 1 else 'are'} {_listed(others, shown)}" if others else ""
    sentence += f"; neighbours that are {_fine(symptom)}: {_listed(near, shown)}" if trials.well else ""
    return f"{sentence}; {'no requests were left to find a class' if trials.spent else 'no class was found'}"


def beyond(trials: Trials[str], counts: Sequence[int]) -> str:
    """Return a sentence on the length up to which a service accepts tags that are too long."""
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
    """Return which lengths were the last to go well; ``""`` if one more character made no difference."""
    at_boundaries = [
        tag
        for tag, wrong in seen.items()
        if wrong and len(tag) >= length_limits.REACH and tag == tag[0] * len(tag) and seen.get(tag[1:]) is False
    ]
    at_boundaries = sorted(at_boundaries, key=lambda edge: edge[0] != "a")[:2]
    parts = [
        part
        for edge in at_boundaries
        for part in (
            f"{string_classes.shown(edge[1:])} {_fine(symptom)}",
            f"{string_classes.shown(edge)} {symptom}",
        )
    ]
    others = [
        tag for tag, wrong in seen.items() if not wrong and tag == tag[0] * len(tag) and len(tag) >= length_limits.REACH
    ]
    others = [tag for tag in others if tag[0] not in {edge[0] for edge in at_boundaries}]
    parts += [f"{string_classes.shown(max(others, key=len))} {_fine(symptom)}"] if parts and others else []
    return ", ".join(parts)


def _shortest(probes: Iterable[Probe]) -> list[Probe]:
    return sorted(probes, key=lambda probe: len("".join(probe)))


def _listed(probes: Iterable[Probe], shown: Callable[[Probe], str]) -> str:
    return ", ".join(shown(probe) for probe in list(dict.fromkeys(probes))[:EXAMPLES])


def _fine(symptom: Symptom) -> str:
    return "accepted" if symptom is Symptom.REFUSED else "fine"


def both(pair: Pair) -> str:
    """Return two tags as a sentence names them."""
    return " and ".join(string_classes.shown(tag) for tag in pair)
