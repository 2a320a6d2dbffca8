"""What clients do at once, drawn before any of them starts. No I/O."""

import enum
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from pytest_cloudimages.plans import Kind
from pytest_cloudimages.strategies import PLAIN, Sample, batches, draw, unrelated


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


@st.composite
def _tags(draw: st.DrawFn, count: int) -> list[str]:
    """So many tags of the plainest kind, which no service mixes up: what a tag looks like is not the question."""
    drawn = draw(st.lists(PLAIN["letters and digits"], min_size=count, max_size=2 * count))
    found = [one.tag for one in unrelated(Sample(tag, "race") for tag in drawn)][:count]
    # Where the drawn ones were too much alike, others come on top.
    return [*found, *(f"raced-{number}" for number in range(count - len(found)))]


@st.composite
def _same(draw: st.DrawFn, clients: int) -> Race:
    """Many add one tag, one takes it off again; where they are few, all of that once more."""
    tag, *_ = draw(_tags(1))
    once: tuple[Beat, ...] = (((add(tag),),) * clients, ((delete(tag),),))
    return Race(Family.SAME, clients, once * (2 if clients <= FEW else 1))


@st.composite
def _distinct(draw: st.DrawFn, clients: int) -> Race:
    """Everyone adds tags of their own, then takes off those of the next; where they are few, one looks on."""
    each = max(1, TOGETHER // clients)
    tags = draw(_tags(each * clients))
    images = 2 if clients == 2 * FEW else 1
    placed = [(tag, place % images) for place, tag in enumerate(tags)]
    lanes = [placed[begin : begin + each] for begin in range(0, len(placed), each)]
    adding = [tuple(add(*one) for one in lane) for lane in lanes]
    deleting = [tuple(delete(*one) for one in lane) for lane in [*lanes[1:], lanes[0]]]
    reader = [(READ,) * each] if clients == FEW else []
    return Race(Family.DISTINCT, clients, ((*adding, *reader), (*deleting, *reader)))


@st.composite
def _deleting(draw: st.DrawFn, clients: int) -> Race:
    """Many take off one tag, beside which there is another."""
    tag, other = draw(_tags(2))
    return Race(Family.DELETING, clients, (((add(other), add(tag)),), ((delete(tag),),) * clients))


@st.composite
def _mixed(draw: st.DrawFn, clients: int, *, cut: bool = False) -> Race:
    """Everyone adds and deletes the same two tags, and one reads."""
    tags = draw(_tags(2))
    images = draw(st.sampled_from([0, 0, 1]))
    steps = max(2, MEETINGS // clients)
    one = st.builds(
        Action,
        st.sampled_from([Kind.ADD, Kind.ADD, Kind.DELETE]),
        st.sampled_from(tags),
        st.integers(0, images),
        st.sampled_from([True, False, False]) if cut else st.just(value=False),
    )
    lanes = [tuple(draw(st.lists(one, min_size=steps, max_size=steps))) for _ in range(clients)]
    return Race(Family.CUT if cut else Family.MIXED, clients, (((add(tags[0]),),), (*lanes, (READ,) * steps)))


@st.composite
def _renaming(draw: st.DrawFn, clients: int) -> Race:
    """One adds tags, two at a time, then takes them off again, while another renames the image, and one looks on."""
    tags = draw(_tags(RENAMED))
    adding, deleting = ([tuple(act(tag) for tag in pair) for pair in batches(tags, 2)] for act in (add, delete))
    beats = [(lane, (RENAME,) * 2, (READ,) * 2) for lane in adding] + [(lane, (RENAME,) * 2) for lane in deleting]
    return Race(Family.RENAMING, clients, tuple(beats))


@st.composite
def _cut(draw: st.DrawFn, clients: int) -> Race:
    """Additions and deletions whose answers nobody waits for, and then, for certain, what undoes them."""
    there, coming, other = draw(_tags(3))
    unheard: list[Action] = draw(st.permutations([delete(there, cut=True), add(coming, cut=True)]))
    undone: list[Action] = draw(st.permutations([add(there), delete(coming)]))
    return Race(
        Family.CUT,
        clients,
        (((add(there), add(other)),), tuple((one,) for one in unheard), (tuple(undone),)),
    )


FEW = 4
"""Clients at most in what is done twice, or looked on at by a reader."""
TOGETHER = 8
"""Tags of a race of different tags, at least."""
MEETINGS = 9
"""Actions of a race of additions and deletions, about."""
RENAMED = 4
"""Additions, and deletions, beside a renaming."""

SHAPES: dict[Family, Callable[[int], st.SearchStrategy[Race]]] = {
    Family.SAME: _same,
    Family.DISTINCT: _distinct,
    Family.DELETING: _deleting,
    Family.MIXED: _mixed,
    Family.RENAMING: _renaming,
    Family.CUT: _cut,
}

RETURNS = frozenset({Family.MIXED, Family.CUT})
"""Races in which tags come back."""
DELETES = RETURNS | {Family.DELETING, Family.RENAMING}
"""Races that teach nothing of a service that does not even delete plain tags."""


def suited(family: Family, clients: Iterable[int]) -> list[int]:
    """Give the numbers of clients, of those that a profile offers, that a race of this family is run with."""
    offered = sorted(clients)
    match family:
        case Family.SAME | Family.DISTINCT:
            return offered
        case Family.DELETING:
            return offered[::2]
        case Family.MIXED:
            return [one for one in offered if one <= MEETINGS]
        case Family.RENAMING | Family.CUT:
            return [2] * len(offered[::2])


def contests(family: Family, number: int, clients: Iterable[int], times: int) -> list[Race]:
    """Draw the races of a family; they depend on nothing but the number."""
    counts = [one for one in suited(family, clients) for _ in range(times)]
    drawn = [
        draw(SHAPES[family](count), zlib.crc32(f"{number} {place}".encode()))[0] for place, count in enumerate(counts)
    ]
    if family is Family.CUT:
        drawn += [draw(_mixed(2, cut=True), number + place)[0] for place in range(times)]
    return drawn
