"""What several clients do at once, as plain data. No I/O."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pytest_cloudimages.history.operations import Kind


class Family(enum.StrEnum):
    """What a race is about."""

    SAME = "one tag added by many"
    DISTINCT = "different tags added and deleted by many"
    DELETING = "one tag deleted by many"
    MIXED = "additions against deletions"
    RENAMING = "tags changed while the image is renamed"
    CUT = "answers that never came"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a client does; ``cut``: it hangs up when the request is sent."""

    kind: Kind
    tag: str = ""
    image: int = 0
    cut: bool = False
    pause: float = 0.0
    """Seconds to let the others go first."""

    def __str__(self) -> str:
        return " ".join([str(self.kind), *([ascii(self.tag)] if self.tag else []), *(["cut"] if self.cut else [])])


Lane = tuple[Action, ...]
"""What one client does, one after another."""
Beat = tuple[Lane, ...]
"""Clients that start together; when all have finished, every image is read in quiet."""


@dataclass(frozen=True, slots=True)
class Race:
    """Beats one after another, on images that carry no tags in the beginning."""

    family: Family
    clients: int
    """Clients that are after the same thing; a reader among them is not counted."""
    beats: tuple[Beat, ...]

    def actions(self) -> Iterator[Action]:
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

    def on_one_image(self) -> "Race":
        """Give the race for a tester who lent one image: what was to be done to others is done to it."""
        return self.map(lambda action: replace(action, image=0))

    def until(self, stop: Callable[[set[Kind], set[Kind]], bool]) -> "Race":
        """Give the beats before the one whose kinds of action, given those of all before it, say stop."""
        kept, before = list[Beat](), set[Kind]()
        for beat in self.beats:
            now = {action.kind for lane in beat for action in lane}
            if stop(now, before):
                break
            kept.append(beat)
            before |= now
        return replace(self, beats=tuple(kept))

    def without_deletions(self) -> "Race":
        """Give the race as far as nothing is deleted."""
        return self.until(lambda now, _: Kind.DELETE in now)

    def without_returns(self) -> "Race":
        """Give the race as far as nothing comes back: no addition follows a deletion."""
        return self.until(lambda now, before: Kind.DELETE in before and Kind.ADD in now)

    def one_by_one(self) -> "Race":
        """Give the same changes for one client, one after another, each with its answer.

        Renamings are left out: what they do to tags, even alone, is nobody else's question.
        """
        beats = [(tuple(replace(action, cut=False) for action in in_turn(beat) if action.tag),) for beat in self.beats]
        return replace(self, beats=tuple(beats))

    def map(self, change: Callable[[Action], Action]) -> "Race":
        """Give the race with every action changed."""
        return replace(
            self, beats=tuple(tuple(tuple(change(one) for one in lane) for lane in beat) for beat in self.beats)
        )


def in_turn(beat: Beat) -> Iterator[Action]:
    """Give the actions of a beat as if its clients took turns."""
    longest = max(map(len, beat), default=0)
    return (lane[turn] for turn in range(longest) for lane in beat if turn < len(lane))


def add(tag: str, image: int = 0, *, cut: bool = False) -> Action:
    """Add a tag."""
    return Action(Kind.ADD, tag, image, cut)


def delete(tag: str, image: int = 0, *, cut: bool = False) -> Action:
    """Delete a tag."""
    return Action(Kind.DELETE, tag, image, cut)


READ = Action(Kind.READ)
RENAME = Action(Kind.RENAME)
LATER = replace(RENAME, pause=0.001)
"""A renaming that meets the other change in the middle, where one at the same moment may come before it."""
