"""Finds the class of input that goes wrong: asks the questions that tell the possible classes apart. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Probe = TypeVar("Probe", bound=str | tuple[str, str])
"""What is tried: a tag, or two."""

INSIDE = 2
"""Neighbours inside a class that must have gone wrong, beside the first example, before the class is claimed."""
OUTSIDE = 2
"""Neighbours outside it that must have gone well."""
SAMPLES = 5
"""Neighbours of either side that a class names, and that are tried in the end."""


class Spent(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """No more requests may be spent."""


@dataclass(frozen=True)
class Hypothesis(Generic[Probe]):
    """A class of input: what it is called, what belongs to it, and its nearest neighbours on either side."""

    claim: str
    holds: Callable[[Probe], bool]
    inside: tuple[Probe, ...] = ()
    outside: tuple[Probe, ...] = ()
    everything: bool = False
    """Whether there is no input outside."""


@dataclass
class Trials(Generic[Probe]):
    """What has been tried so far, each input once, and whether it went wrong."""

    goes_wrong: Callable[[Probe], bool]
    seen: dict[Probe, bool] = field(default_factory=dict)
    at_once: Callable[[Sequence[Probe]], Mapping[Probe, bool]] | None = None
    """Asks for many together, where that is cheaper than one after the other."""

    def __call__(self, probe: Probe) -> bool:
        """Tell whether this goes wrong. Raises ``Spent`` where that may not be asked any more."""
        if probe not in self.seen:
            self.seen[probe] = self.goes_wrong(probe)
        return self.seen[probe]

    def all(self, probes: Sequence[Probe]) -> None:
        """Try all of these. Raises ``Spent`` as a single trial does."""
        new = [probe for probe in probes if probe not in self.seen]
        if self.at_once and new:
            self.seen |= self.at_once(new)
        for probe in new:
            self(probe)

    @property
    def wrong(self) -> list[Probe]:
        """What went wrong, in the order tried."""
        return [probe for probe, wrong in self.seen.items() if wrong]

    @property
    def well(self) -> list[Probe]:
        """What went well, in the order tried."""
        return [probe for probe, wrong in self.seen.items() if not wrong]


def discriminate(
    hypotheses: Iterable[Hypothesis[Probe]], pool: Sequence[Probe], trials: Trials[Probe]
) -> Hypothesis[Probe] | None:
    """Give the one class that fits all that was seen, and that its nearest neighbours on either side confirm.

    ``pool`` is what may be tried, the nearest first. Of classes that no input of the pool tells apart, the earliest is
    given. ``None`` where no class fits, or too few neighbours could confirm it.
    """
    fits = list(hypotheses)
    for probe, wrong in trials.seen.items():
        fits = [one for one in fits if one.holds(probe) is wrong]
    masks = [_mask(one, pool) for one in fits]
    try:
        while len({*masks}) > 1:
            number = _most_telling(masks, len(pool))
            wrong = trials(pool[number])
            kept = [place for place, mask in enumerate(masks) if bool(mask >> number & 1) is wrong]
            fits, masks = [fits[place] for place in kept], [masks[place] for place in kept]
        return _confirmed(fits[0], pool, trials) if fits else None
    except Spent:
        return None


def _mask(hypothesis: Hypothesis[Probe], pool: Sequence[Probe]) -> int:
    return sum(1 << number for number, probe in enumerate(pool) if hypothesis.holds(probe))


def _most_telling(masks: Sequence[int], size: int) -> int:
    """Give the place of what divides the classes best; of equals, the nearest."""
    different = {*masks}

    def balance(number: int) -> int:
        inside = sum(mask >> number & 1 for mask in different)
        return min(inside, len(different) - inside)

    return max(range(size), key=balance)


def _confirmed(hypothesis: Hypothesis[Probe], pool: Sequence[Probe], trials: Trials[Probe]) -> Hypothesis[Probe] | None:
    samples = [*hypothesis.inside[:SAMPLES], *hypothesis.outside[:SAMPLES]]
    if any(trials(probe) is not hypothesis.holds(probe) for probe in samples):
        return None
    for wanted, least in ((True, INSIDE + 1), (False, OUTSIDE)):
        for probe in pool:
            if sum(wrong is wanted for wrong in trials.seen.values()) >= least:
                break
            if hypothesis.holds(probe) is wanted and trials(probe) is not wanted:
                return None
    enough = len(trials.wrong) > INSIDE and (hypothesis.everything or len(trials.well) >= OUTSIDE)
    return hypothesis if enough else None
