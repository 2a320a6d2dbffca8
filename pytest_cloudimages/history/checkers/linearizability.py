"""Whether some order of changes explains what was seen of one thing that is either present or absent. No I/O.

A change takes effect at one moment between being sent and being answered; a read sees the state of one moment. The
search goes through the answers in the order of time and carries along every configuration that can have arisen so far.
It lets a change take effect only when an answer forces it, or when its own answer is the last occasion: whatever need
not be decided yet is left open. That keeps the configurations few, however many changes are pending or never answered:

- A change that finds the state it asks for has no effect, and any such moment while it is pending will do. Whether
  there was one follows from when the state last changed, so nothing is decided for its sake.
- Of two pending changes that do the same, the one whose answer came first is used first: swapping them is never worse.
  An answer that never came is the last of all. Where a removal may excuse another one this does not hold, and each is
  tried.
- A configuration that can do all that another can makes that one superfluous.
"""

import enum
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple


class Removal(enum.Enum):
    """What an acknowledged removal says."""

    STRICT = "it found the thing present"
    LENIENT = "it found the thing present, or overlapped with another removal that had taken it away"
    BLIND = "nothing: it may have found it absent"


class Write(NamedTuple):
    """Something that makes the thing present, or absent."""

    adds: bool
    sent: float
    ended: float
    """When it was answered; infinite where it never was."""
    required: bool = True
    """Whether it must have taken effect; otherwise it may have, at any moment up to its end."""
    idle: bool = False
    """Whether it may have found the thing absent as well that it removes, whatever removals say."""


class Read(NamedTuple):
    """Something that saw the thing present or absent."""

    shown: bool
    sent: float
    ended: float


Claim = Write | Read


class Possible(NamedTuple):
    """Which states were possible from a moment on, as far as answers up to that moment tell."""

    time: float
    after: bool
    """Whether this holds after the answers of that moment, or with them still to come."""
    states: frozenset[bool]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search found."""

    impossible: int | None
    """The place of the first claim at whose answer no order was left."""
    possible: tuple[Possible, ...]


class Configuration(NamedTuple):
    """What may be the case after some answers."""

    present: bool
    last_change: float
    """When the state last changed: both states were seen by everything pending then."""
    excuse: float
    """The latest end of a removal that took effect: one sent up to then may be lenient."""
    met: int
    """The pending removals that must have had a moment of their own, or a lenient one, and did, as bits."""
    used: int
    """The pending changes that took effect, as bits."""


class _Pending(NamedTuple):
    """A change that was sent and not answered yet, in the order of the answers to come."""

    ended: float
    place: int
    bit: int
    write: Write


class Search:
    """The search for an order, one answer after the other."""

    def __init__(self, claims: Sequence[Claim], *, present: bool, removal: Removal) -> None:
        self.removal = removal
        self._writes = [(place, claim) for place, claim in enumerate(claims) if isinstance(claim, Write)]
        reads = [(claim.ended, place, claim) for place, claim in enumerate(claims) if isinstance(claim, Read)]
        self._reads = sorted(reads, reverse=True)
        self.configurations = [Configuration(present, -inf, -inf, 0, 0)]
        self._additions: list[_Pending] = []
        self._removals: list[_Pending] = []
        self._demands = 0
        self._bits: dict[int, int] = {}
        self._taken = 0
        self._possible = [Possible(-inf, False, self.states())]

    def through(self) -> Finding:
        """Go through everything in the order of time, as far as there is an order."""
        # What is sent at a moment is sent before what is answered at it.
        steps = [(write.sent, False, place, write) for place, write in self._writes]
        steps += [(write.ended, True, place, write) for place, write in self._writes if write.ended < inf]
        for time, after, place, write in sorted(steps):
            impossible = self.read_until(time)
            if impossible is not None:
                return Finding(impossible, tuple(self._possible))
            if not after:
                self.send(place, write)
            elif not self.answer(place, write):
                return Finding(place, tuple(self._possible))
            self._note(time, after=after)
        return Finding(self.read_until(inf), tuple(self._possible))

    def read_until(self, time: float) -> int | None:
        """Go through what was seen before this time; return the place of what is impossible."""
        while self._reads and self._reads[-1][0] < time:
            ended, place, read = self._reads.pop()
            known = self.configurations
            if len(known) == 1 and known[0].present == read.shown:
                continue
            if not self.see(read):
                return place
            if self.configurations is not known:
                self._note(ended, after=True)
        return None

    def _note(self, time: float, *, after: bool) -> None:
        states = self.states()
        if states != self._possible[-1].states:
            self._possible.append(Possible(time, after, states))

    def states(self) -> frozenset[bool]:
        """Return the states that are possible right now."""
        found: set[bool] = set()
        for configuration in self.configurations:
            found.add(configuration.present)
            if any(
                not configuration.used & other.bit
                for other in (self._removals if configuration.present else self._additions)
            ):
                found.add(not configuration.present)
        return frozenset(found)

    def send(self, place: int, write: Write) -> None:
        """Let a change be pending from now on."""
        bit = ~self._taken & (self._taken + 1)
        self._taken |= bit
        self._bits[place] = bit
        insort(self._additions if write.adds else self._removals, _Pending(write.ended, place, bit, write))
        if not write.adds and write.required:
            self._demands |= bit
            if self.removal is Removal.LENIENT:
                self.configurations = [
                    configuration._replace(met=configuration.met | bit)
                    if not configuration.present and configuration.excuse >= write.sent
                    else configuration
                    for configuration in self.configurations
                ]

    def answer(self, place: int, write: Write) -> bool:
        """Take the answer to a change into account; return whether an order is left."""
        bit = self._bits.pop(place)
        own = _Pending(write.ended, place, bit, write)
        found = [after for configuration in self.configurations for after in self._with_write(configuration, own)]
        (self._additions if write.adds else self._removals).remove(own)
        self._taken &= ~bit
        self._demands &= ~bit
        self.configurations = _worth_keeping(
            Configuration(
                configuration.present,
                configuration.last_change,
                configuration.excuse if configuration.excuse >= write.ended else -inf,
                configuration.met & ~bit,
                configuration.used & ~bit,
            )
            for configuration in found
        )
        return bool(self.configurations)

    def see(self, read: Read) -> bool:
        """Take into account what was seen; return whether an order is left."""
        if any(
            configuration.present != read.shown and configuration.last_change < read.sent
            for configuration in self.configurations
        ):
            self.configurations = _worth_keeping(
                after for configuration in self.configurations for after in self._with_read(configuration, read)
            )
        return bool(self.configurations)

    def _with_read(self, configuration: Configuration, read: Read) -> Iterator[Configuration]:
        if configuration.present == read.shown or configuration.last_change >= read.sent:
            yield configuration
        elif read.shown:
            yield from (self._added(configuration, other, read.ended) for other in self._next_additions(configuration))
        else:
            yield from (self._removed(configuration, other, read.ended) for other in self._next_removals(configuration))

    def _with_write(self, configuration: Configuration, own: _Pending) -> Iterator[Configuration]:
        """Yield what may be the case once this change has had its moment: without effect, or as the last to act."""
        if configuration.used & own.bit:
            yield configuration
            return
        idle = self._may_be_idle(configuration, own)
        if idle:
            yield configuration
        now = own.ended
        if own.write.adds:
            removals = (
                [self._removed(configuration, other, now) for other in self._next_removals(configuration)]
                if configuration.present
                else [configuration]
            )
            yield from (self._added(each, own, now) for each in removals)
            return
        for each in (
            [configuration]
            if configuration.present
            else [self._added(configuration, other, now) for other in self._next_additions(configuration)]
        ):
            yield self._removed(each, own, now)
            if self.removal is Removal.LENIENT and not idle:
                yield from (
                    self._removed(each, other, now) for other in self._next_removals(each) if other.bit != own.bit
                )

    def _may_be_idle(self, configuration: Configuration, own: _Pending) -> bool:
        """Return whether there was a moment at which the change had no effect, or need not have had one."""
        write = own.write
        if not write.required:
            return True
        if write.adds or write.idle or self.removal is Removal.BLIND:
            return configuration.present == write.adds or configuration.last_change >= write.sent
        return bool(configuration.met & own.bit)

    def _next_additions(self, configuration: Configuration) -> list[_Pending]:
        return [other for other in self._additions if not configuration.used & other.bit][:1]

    def _next_removals(self, configuration: Configuration) -> list[_Pending]:
        unused = [other for other in self._removals if not configuration.used & other.bit]
        if self.removal is Removal.LENIENT:
            return list({other.ended: other for other in reversed(unused)}.values())
        if self.removal is Removal.BLIND or not unused or unused[0].write.required:
            return unused[:1]
        # A removal that must have found the thing present needs an effect of its own; one that may have, does not.
        return unused[:1] + [other for other in unused if other.write.required][:1]

    def _added(self, configuration: Configuration, other: _Pending, now: float) -> Configuration:
        return Configuration(True, now, configuration.excuse, configuration.met, configuration.used | other.bit)

    def _removed(self, configuration: Configuration, other: _Pending, now: float) -> Configuration:
        if self.removal is not Removal.LENIENT:
            return Configuration(
                False,
                now,
                configuration.excuse,
                configuration.met | (other.bit & self._demands),
                configuration.used | other.bit,
            )
        excuse = max(configuration.excuse, other.ended)
        return Configuration(False, now, excuse, configuration.met | self._demands, configuration.used | other.bit)


def _worth_keeping(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Leave out each configuration that another makes superfluous."""
    found = list(dict.fromkeys(configurations))
    if len(found) < 2:  # noqa: PLR2004 - one alone
        return found
    kept: list[Configuration] = []
    for configuration in sorted(found, key=lambda each: (each.used.bit_count(), -each.last_change, -each.excuse)):
        if not any(_can_do_all_of(other, configuration) for other in kept):
            kept.append(configuration)
    return kept


def _can_do_all_of(configuration: Configuration, other: Configuration) -> bool:
    return (
        configuration.present == other.present
        and configuration.last_change >= other.last_change
        and configuration.excuse >= other.excuse
        and configuration.met | other.met == configuration.met
        and configuration.used | other.used == other.used
    )


def search(claims: Sequence[Claim], *, present: bool, removal: Removal) -> Finding:
    """Look for an order that explains all claims.

    A claim comes before another only if its answer came strictly before the other was sent.
    """
    return Search(claims, present=present, removal=removal).through()
