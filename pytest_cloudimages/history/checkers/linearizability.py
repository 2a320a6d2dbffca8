"""Whether some order of changes explains what was seen of one thing that is either present or absent. No I/O.

A change takes effect at one moment between being sent and being answered; a look sees the state of one moment. The
search walks through the answers in the order of time and carries along every situation that can have arisen so far. It
lets a change take effect only when an answer forces it, or when its own answer is the last occasion: whatever need not
be decided yet is left open. That keeps the situations few, however many changes are pending or never answered:

- A change that finds the state it asks for has no effect, and any such moment while it is pending will do. Whether
  there was one follows from when the state last flipped, so nothing is decided for its sake.
- Of two pending changes that do the same, the one whose answer came first is used first: swapping them is never worse.
  An answer that never came is the last of all. Where a removal may excuse another one this does not hold, and each is
  tried.
- A situation that can do all that another can makes that one superfluous.
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

    up: bool
    sent: float
    ended: float
    """When it was answered; infinite where it never was."""
    required: bool = True
    """Whether it must have taken effect; otherwise it may have, at any moment up to its end."""


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
    """What a walk found."""

    impossible: int | None
    """The place of the first act at whose answer no order was left."""
    course: tuple[Possible, ...]


class Configuration(NamedTuple):
    """What may be the case after some answers."""

    present: bool
    flipped: float
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
    change: Write


class Search:
    """The search for an order, one answer after the other."""

    def __init__(self, acts: Sequence[Claim], *, present: bool, removal: Removal) -> None:
        self.removal = removal
        self._changes = [(place, one) for place, one in enumerate(acts) if isinstance(one, Write)]
        looks = [(one.ended, place, one) for place, one in enumerate(acts) if isinstance(one, Read)]
        self._looks = sorted(looks, reverse=True)
        self.situations = [Configuration(present, -inf, -inf, 0, 0)]
        self._ups: list[_Pending] = []
        self._downs: list[_Pending] = []
        self._demands = 0
        self._bits: dict[int, int] = {}
        self._taken = 0
        self._course = [Possible(-inf, False, self.states())]

    def through(self) -> Finding:
        """Go through everything in the order of time, as far as there is an order."""
        # What is sent at a moment is sent before what is answered at it.
        steps = [(one.sent, False, place, one) for place, one in self._changes]
        steps += [(one.ended, True, place, one) for place, one in self._changes if one.ended < inf]
        for time, after, place, change in sorted(steps):
            impossible = self.look_until(time)
            if impossible is not None:
                return Finding(impossible, tuple(self._course))
            if not after:
                self.send(place, change)
            elif not self.answer(place, change):
                return Finding(place, tuple(self._course))
            self._note(time, after=after)
        return Finding(self.look_until(inf), tuple(self._course))

    def look_until(self, time: float) -> int | None:
        """Go through what was seen before this time; give the place of what is impossible."""
        while self._looks and self._looks[-1][0] < time:
            ended, place, look = self._looks.pop()
            known = self.situations
            if len(known) == 1 and known[0].present == look.shown:
                continue
            if not self.see(look):
                return place
            if self.situations is not known:
                self._note(ended, after=True)
        return None

    def _note(self, time: float, *, after: bool) -> None:
        states = self.states()
        if states != self._course[-1].states:
            self._course.append(Possible(time, after, states))

    def states(self) -> frozenset[bool]:
        """The states that are possible right now."""
        found: set[bool] = set()
        for one in self.situations:
            found.add(one.present)
            if any(not one.used & other.bit for other in (self._downs if one.present else self._ups)):
                found.add(not one.present)
        return frozenset(found)

    def send(self, place: int, change: Write) -> None:
        """Let a change be pending from now on."""
        bit = ~self._taken & (self._taken + 1)
        self._taken |= bit
        self._bits[place] = bit
        insort(self._ups if change.up else self._downs, _Pending(change.ended, place, bit, change))
        if not change.up and change.required:
            self._demands |= bit
            if self.removal is Removal.LENIENT:
                self.situations = [
                    one._replace(met=one.met | bit) if not one.present and one.excuse >= change.sent else one
                    for one in self.situations
                ]

    def answer(self, place: int, change: Write) -> bool:
        """Take the answer to a change into account; tell whether an order is left."""
        bit = self._bits.pop(place)
        own = _Pending(change.ended, place, bit, change)
        found = [after for one in self.situations for after in self._with_change(one, own)]
        (self._ups if change.up else self._downs).remove(own)
        self._taken &= ~bit
        self._demands &= ~bit
        self.situations = _worth_keeping(
            Configuration(
                one.present,
                one.flipped,
                one.excuse if one.excuse >= change.ended else -inf,
                one.met & ~bit,
                one.used & ~bit,
            )
            for one in found
        )
        return bool(self.situations)

    def see(self, look: Read) -> bool:
        """Take into account what was seen; tell whether an order is left."""
        if any(one.present != look.shown and one.flipped < look.sent for one in self.situations):
            self.situations = _worth_keeping(after for one in self.situations for after in self._with_look(one, look))
        return bool(self.situations)

    def _with_look(self, one: Configuration, look: Read) -> Iterator[Configuration]:
        if one.present == look.shown or one.flipped >= look.sent:
            yield one
        elif look.shown:
            yield from (self._up(one, other, look.ended) for other in self._next_ups(one))
        else:
            yield from (self._down(one, other, look.ended) for other in self._next_downs(one))

    def _with_change(self, one: Configuration, own: _Pending) -> Iterator[Configuration]:
        """Give what may be the case once this change has had its moment: without effect, or as the last to act."""
        if one.used & own.bit:
            yield one
            return
        idle = self._may_be_idle(one, own)
        if idle:
            yield one
        now = own.ended
        if own.change.up:
            downs = [self._down(one, other, now) for other in self._next_downs(one)] if one.present else [one]
            yield from (self._up(each, own, now) for each in downs)
            return
        for each in [one] if one.present else [self._up(one, other, now) for other in self._next_ups(one)]:
            yield self._down(each, own, now)
            if self.removal is Removal.LENIENT and not idle:
                yield from (self._down(each, other, now) for other in self._next_downs(each) if other.bit != own.bit)

    def _may_be_idle(self, one: Configuration, own: _Pending) -> bool:
        """Whether there was a moment at which the change had no effect, or need not have had one."""
        change = own.change
        if not change.required:
            return True
        if change.up or self.removal is Removal.BLIND:
            return one.present == change.up or one.flipped >= change.sent
        return bool(one.met & own.bit)

    def _next_ups(self, one: Configuration) -> list[_Pending]:
        return [other for other in self._ups if not one.used & other.bit][:1]

    def _next_downs(self, one: Configuration) -> list[_Pending]:
        unused = [other for other in self._downs if not one.used & other.bit]
        if self.removal is Removal.LENIENT:
            return list({other.ended: other for other in reversed(unused)}.values())
        if self.removal is Removal.BLIND or not unused or unused[0].change.required:
            return unused[:1]
        # A removal that must have found the thing present needs an effect of its own; one that may have, does not.
        return unused[:1] + [other for other in unused if other.change.required][:1]

    def _up(self, one: Configuration, other: _Pending, now: float) -> Configuration:
        return Configuration(True, now, one.excuse, one.met, one.used | other.bit)

    def _down(self, one: Configuration, other: _Pending, now: float) -> Configuration:
        if self.removal is not Removal.LENIENT:
            return Configuration(False, now, one.excuse, one.met | (other.bit & self._demands), one.used | other.bit)
        excuse = max(one.excuse, other.ended)
        return Configuration(False, now, excuse, one.met | self._demands, one.used | other.bit)


def _worth_keeping(situations: Iterable[Configuration]) -> list[Configuration]:
    """Leave out each situation that another one makes superfluous."""
    found = list(dict.fromkeys(situations))
    if len(found) < 2:  # noqa: PLR2004 - one alone
        return found
    kept: list[Configuration] = []
    for one in sorted(found, key=lambda each: (each.used.bit_count(), -each.flipped, -each.excuse)):
        if not any(_can_do_all_of(other, one) for other in kept):
            kept.append(one)
    return kept


def _can_do_all_of(one: Configuration, other: Configuration) -> bool:
    return (
        one.present == other.present
        and one.flipped >= other.flipped
        and one.excuse >= other.excuse
        and one.met | other.met == one.met
        and one.used | other.used == other.used
    )


def walk(acts: Sequence[Claim], *, present: bool, removal: Removal) -> Finding:
    """Look for an order that explains all acts.

    An act comes before another only if its answer came strictly before the other was sent.
    """
    return Search(acts, present=present, removal=removal).through()
