"""Finds the input class that goes wrong, by trying the inputs that tell the possible classes apart. No I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Probe = TypeVar("Probe", bound=str | tuple[str, str])
"""What is tried: a tag, or a pair of tags."""

INSIDE = 2
"""Members that must have gone wrong, beside the first example, before a class is claimed."""
OUTSIDE = 2
"""Non-members that must have gone well before a class is claimed."""
SAMPLES = 5
"""Members, and non-members, that a class names and that are tried before it is claimed."""


class Spent(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """The budget of requests is used up."""


@dataclass(frozen=True)
class Hypothesis(Generic[Probe]):
    """An input class that may be what goes wrong: its claim, its test, and sample members and non-members."""

    claim: str
    holds: Callable[[Probe], bool]
    inside: tuple[Probe, ...] = ()
    outside: tuple[Probe, ...] = ()
    everything: bool = False
    """Whether every input is a member."""


@dataclass
class Trials(Generic[Probe]):
    """The inputs tried so far, each once, and whether they went wrong."""

    goes_wrong: Callable[[Probe], bool]
    seen: dict[Probe, bool] = field(default_factory=dict)
    at_once: Callable[[Sequence[Probe]], Mapping[Probe, bool]] | None = None
    """Tries many together, if that takes fewer requests than one after the other."""
    spent: bool = False
    """Whether there were no requests left for what was still to be tried."""

    def __call__(self, probe: Probe) -> bool:
        """Return whether an input goes wrong. Raise ``Spent`` if it was not tried before and the budget is used up."""
        if probe not in self.seen:
            try:
                self.seen[probe] = self.goes_wrong(probe)
            except Spent:
                self.spent = True
                raise
        return self.seen[probe]

    def all(self, probes: Sequence[Probe]) -> None:
        """Try all of these. Raise ``Spent`` if the budget is used up."""
        new = [probe for probe in probes if probe not in self.seen]
        if self.at_once and new:
            self.seen |= self.at_once(new)
        for probe in new:
            self(probe)

    @property
    def wrong(self) -> list[Probe]:
        """The inputs that went wrong, in the order tried."""
        return [probe for probe, wrong in self.seen.items() if wrong]

    @property
    def well(self) -> list[Probe]:
        """The inputs that went well, in the order tried."""
        return [probe for probe, wrong in self.seen.items() if not wrong]


def discriminate(
    hypotheses: Iterable[Hypothesis[Probe]], pool: Sequence[Probe], trials: Trials[Probe]
) -> Hypothesis[Probe] | None:
    """Return the class that fits all trials and that its sample members and non-members confirm.

    ``pool`` is what may be tried, the nearest first. Of classes that no input of the pool tells apart, the earliest is
    returned; ``None`` if no class fits, or if too few trials could confirm it.
    """
    fits = list(hypotheses)
    for probe, wrong in trials.seen.items():
        fits = [hypothesis for hypothesis in fits if hypothesis.holds(probe) is wrong]
    masks = [_mask(hypothesis, pool) for hypothesis in fits]
    try:
        while len({*masks}) > 1:
            place = _most_telling(masks, len(pool))
            wrong = trials(pool[place])
            kept = [index for index, mask in enumerate(masks) if bool(mask >> place & 1) is wrong]
            fits, masks = [fits[index] for index in kept], [masks[index] for index in kept]
        return _confirmed(fits[0], pool, trials) if fits else None
    except Spent:
        return None


def _mask(hypothesis: Hypothesis[Probe], pool: Sequence[Probe]) -> int:
    return sum(1 << place for place, probe in enumerate(pool) if hypothesis.holds(probe))


def _most_telling(masks: Sequence[int], size: int) -> int:
    """Return the place in the pool of the input that divides the classes best; of equals, the nearest."""
    different = {*masks}

    def balance(place: int) -> int:
        inside = sum(mask >> place & 1 for mask in different)
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
