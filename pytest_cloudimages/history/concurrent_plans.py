"""What several clients do at once, as plain data. No I/O."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pytest_cloudimages.history.operations import Kind


class Pattern(enum.StrEnum):
    """What a race is about."""

    SAME = "one tag added by many"
    DISTINCT = "different tags added and deleted by many"
    DELETING = "one tag deleted by many"
    MIXED = "additions against deletions"
    RENAMING = "tags changed while the image is renamed"
    CUT = "answers that never came"


@dataclass(frozen=True, slots=True)
class ClientOperation:
    """One thing that a client does; ``cut``: it hangs up when the request is sent."""

    kind: Kind
    tag: str = ""
    image: int = 0
    cut: bool = False
    pause: float = 0.0
    """Seconds to let the others go first."""

    def __str__(self) -> str:
        return " ".join([str(self.kind), *([ascii(self.tag)] if self.tag else []), *(["cut"] if self.cut else [])])


Process = tuple[ClientOperation, ...]
"""What one client does, one after another."""
Phase = tuple[Process, ...]
"""Clients that start together; when all have finished, every image is read in quiet."""


@dataclass(frozen=True, slots=True)
class ConcurrentPlan:
    """Beats one after another, on images that carry no tags in the beginning."""

    family: Pattern
    clients: int
    """Clients that are after the same thing; a reader among them is not counted."""
    beats: tuple[Phase, ...]

    def actions(self) -> Iterator[ClientOperation]:
        """Give everything that any client does."""
        return (action for beat in self.beats for lane in beat for action in lane)

    @property
    def images(self) -> int:
        """How many images it takes."""
        return 1 + max(action.image for action in self.actions())

    @property
    def readers(self) -> list[tuple[int, int]]:
        """Those who read, as (client, image); clients are numbered from 1."""
        lanes = [(number, one) for beat in self.beats for number, lane in enumerate(beat, 1) for one in lane]
        return list(dict.fromkeys((number, one.image) for number, one in lanes if one.kind is Kind.READ))

    @property
    def name(self) -> str:
        """The family and the number of clients."""
        return f"{self.family}, {self.clients} clients"

    def on_one_image(self) -> "ConcurrentPlan":
        """Give the race for a tester who lent one image: what was to be done to others is done to it."""
        return self.map(lambda action: replace(action, image=0))

    def until(self, stop: Callable[[set[Kind], set[Kind]], bool]) -> "ConcurrentPlan":
        """Give the beats before the one whose kinds of action, given those of all before it, say stop."""
        kept, before = list[Phase](), set[Kind]()
        for beat in self.beats:
            now = {action.kind for lane in beat for action in lane}
            if stop(now, before):
                break
            kept.append(beat)
            before |= now
        return replace(self, beats=tuple(kept))

    def without_deletions(self) -> "ConcurrentPlan":
        """Give the race as far as nothing is deleted."""
        return self.until(lambda now, _: Kind.DELETE in now)

    def without_returns(self) -> "ConcurrentPlan":
        """Give the race as far as nothing comes back: no addition follows a deletion."""
        return self.until(lambda now, before: Kind.DELETE in before and Kind.ADD in now)

    def one_by_one(self) -> "ConcurrentPlan":
        """Give the same changes for one client, one after another, each with its answer.

        Renamings are left out: what they do to tags, even alone, is nobody else's question.
        """
        beats = [(tuple(replace(action, cut=False) for action in in_turn(beat) if action.tag),) for beat in self.beats]
        return replace(self, beats=tuple(beats))

    def map(self, change: Callable[[ClientOperation], ClientOperation]) -> "ConcurrentPlan":
        """Give the race with every action changed."""
        return replace(
            self, beats=tuple(tuple(tuple(change(one) for one in lane) for lane in beat) for beat in self.beats)
        )


def in_turn(beat: Phase) -> Iterator[ClientOperation]:
    """Give the actions of a beat as if its clients took turns."""
    longest = max(map(len, beat), default=0)
    return (lane[turn] for turn in range(longest) for lane in beat if turn < len(lane))


def add(tag: str, image: int = 0, *, cut: bool = False) -> ClientOperation:
    """Add a tag."""
    return ClientOperation(Kind.ADD, tag, image, cut)


def delete(tag: str, image: int = 0, *, cut: bool = False) -> ClientOperation:
    """Delete a tag."""
    return ClientOperation(Kind.DELETE, tag, image, cut)


READ = ClientOperation(Kind.READ)
RENAME = ClientOperation(Kind.RENAME)
LATER = replace(RENAME, pause=0.001)
"""A renaming that meets the other change in the middle, where one at the same moment may come before it."""
