"""What clients do to tags at once, drawn before any of them starts. No I/O."""

import enum
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import strategies as st

from pytest_cloudimages.areas.tags.strategies import PLAIN, without_confusables
from pytest_cloudimages.engine.drawing import Sample, draw
from pytest_cloudimages.history.concurrent_plans import (
    READ,
    SET,
    SET_LATER,
    UPLOAD,
    ClientOperation,
    ConcurrentPlan,
    Phase,
    add,
    delete,
)
from pytest_cloudimages.history.operations import Kind


class Pattern(enum.StrEnum):
    """What a race is about."""

    SAME = "one tag added by many"
    DISTINCT = "different tags added and deleted by many"
    DELETING = "one tag deleted by many"
    MIXED = "additions against deletions"
    RENAMING = "tags changed while the image is renamed"
    UPLOADING = "tags changed while data is uploaded"
    CUT = "answers that never came"
    ACROSS = "additions to one image against deletions from another"
    CALLERS = "tags changed by several callers"


@st.composite
def _tags(draw: st.DrawFn, count: int) -> list[str]:
    """Draw tags of the plainest kind, which no service mixes up: what a tag looks like is not the question."""
    drawn = draw(st.lists(PLAIN["letters and digits"], min_size=count, max_size=2 * count))
    found = [sample.tag for sample in without_confusables(Sample(tag, "race") for tag in drawn)][:count]
    # Where the drawn ones were too much alike, others come on top.
    return [*found, *(f"raced-{number}" for number in range(count - len(found)))]


@st.composite
def _same(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """Many clients add one tag, one deletes it; where they are few, all of that once more.

    Of more than a few, every other one writes it in another spelling: whoever locks an address locks no tag.
    """
    tag, *_ = draw(_tags(1))
    adding = tuple((replace(add(tag), spelled=clients == SPELLING and place % 2 == 1),) for place in range(clients))
    once: tuple[Phase, ...] = (adding, ((delete(tag),),))
    return ConcurrentPlan(Pattern.SAME, clients, once * (2 if clients <= FEW else 1))


@st.composite
def _distinct(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """Each client adds tags of its own, then deletes those of the next; where they are few, another one reads."""
    each = max(1, TOGETHER // clients)
    tags = draw(_tags(each * clients))
    images = 2 if clients == 2 * FEW else 1
    placed = [(tag, place % images) for place, tag in enumerate(tags)]
    shares = [placed[begin : begin + each] for begin in range(0, len(placed), each)]
    adding = [tuple(add(*tag) for tag in share) for share in shares]
    deleting = [tuple(delete(*tag) for tag in share) for share in [*shares[1:], shares[0]]]
    reader = [(READ,) * each] if clients <= FEW else []
    return ConcurrentPlan(Pattern.DISTINCT, clients, ((*adding, *reader), (*deleting, *reader)))


@st.composite
def _deleting(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """Many clients delete one tag, beside which there is another; some of many write it in another spelling."""
    tag, other = draw(_tags(2))
    deleting = tuple(
        (replace(delete(tag), spelled=clients == SPELLING and place % 2 == 1),) for place in range(clients)
    )
    return ConcurrentPlan(Pattern.DELETING, clients, (((add(other), add(tag)),), deleting))


@st.composite
def _mixed(draw: st.DrawFn, clients: int, *, cut: bool = False) -> ConcurrentPlan:
    """Every client adds and deletes the same two tags, and another one reads."""
    tags = draw(_tags(2))
    images = draw(st.sampled_from([0, 0, 1]))
    steps = max(2, MEETINGS // clients)
    operation = st.builds(
        ClientOperation,
        st.sampled_from([Kind.ADD, Kind.ADD, Kind.DELETE]),
        st.sampled_from(tags),
        st.integers(0, images),
        st.sampled_from([True, False, False]) if cut else st.just(value=False),
    )
    writers = [tuple(draw(st.lists(operation, min_size=steps, max_size=steps))) for _ in range(clients)]
    return ConcurrentPlan(
        Pattern.CUT if cut else Pattern.MIXED, clients, (((add(tags[0]),),), (*writers, (READ,) * steps))
    )


@st.composite
def _renaming(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """One client adds tags, one at a time, then deletes them, while another renames the image.

    The last change before a quiescent read is what it shows for certain, so every addition is the last of a phase.
    """
    tags = draw(_tags(RENAMED))
    adding = [((add(tag),), (renaming,)) for tag, renaming in zip(tags, (SET, SET_LATER) * RENAMED, strict=False)]
    deleting = (tuple(delete(tag) for tag in tags), (SET, SET_LATER) * (RENAMED // 2))
    return ConcurrentPlan(Pattern.RENAMING, clients, (*adding, deleting))


@st.composite
def _uploading(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """One client uploads the data of an image while another adds a tag and deletes one.

    Who saves the whole image when its data is there, as it was when the upload began, undoes both.
    """
    there, coming = draw(_tags(2))
    changes: Phase = ((UPLOAD,), (replace(add(coming), pause=MOMENT), delete(there)))
    return ConcurrentPlan(Pattern.UPLOADING, clients, (((add(there),),), changes))


@st.composite
def _cut(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """Draw additions and deletions whose answers nobody waits for, and then what undoes them, for certain."""
    there, coming, other = draw(_tags(3))
    unheard: list[ClientOperation] = draw(st.permutations([delete(there, cut=True), add(coming, cut=True)]))
    undone: list[ClientOperation] = draw(st.permutations([add(there), delete(coming)]))
    before = ((add(there), add(other)),)
    return ConcurrentPlan(
        Pattern.CUT, clients, (before, tuple((each,) for each in unheard), *(((each,),) for each in undone))
    )


@st.composite
def _across(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """One client deletes tags of an image while the other adds them to a second one, then the other way round.

    In the end both change different tags of one image, the second when the first has just begun: what one of them has
    read of the image, and writes back, is older than what the other does to it.
    """
    tags = draw(_tags(CARRIED))
    before: Phase = (tuple(add(tag) for tag in tags),)
    there: Phase = (tuple(delete(tag) for tag in tags), tuple(add(tag, 1) for tag in tags))
    goes, comes, *_ = tags
    back: Phase = (tuple(add(tag) for tag in tags), tuple(delete(tag, 1) for tag in tags if tag != goes))
    goes_later: Phase = ((add(comes, 1),), (replace(delete(goes, 1), pause=MOMENT),))
    comes_later: Phase = ((delete(comes, 1),), (replace(add(goes, 1), pause=MOMENT),))
    return ConcurrentPlan(Pattern.ACROSS, clients, (before, there, back, goes_later, comes_later))


@st.composite
def _callers(draw: st.DrawFn, clients: int) -> ConcurrentPlan:
    """Every caller adds two tags of its own and one that all of them add, then deletes the two of the next."""
    *tags, common = draw(_tags(2 * clients + 1))
    shares = [tags[begin : begin + 2] for begin in range(0, len(tags), 2)]
    adding = tuple(tuple(add(tag) for tag in (*share, common)) for share in shares)
    deleting = tuple(tuple(delete(tag) for tag in share) for share in [*shares[1:], shares[0]])
    return ConcurrentPlan(Pattern.CALLERS, clients, (adding, deleting), several_callers=True)


MOMENT = 0.001
"""Seconds by which a change comes later than another that it meets."""
CARRIED = 3
"""Tags that come and go in a race across images."""
FEW = 4
"""Clients at most in what is done twice, or has a reader beside it."""
SPELLING = 2 * FEW
"""Clients of whom every other one writes a tag in another spelling."""
TOGETHER = 8
"""Tags of a race of different tags, at least."""
MEETINGS = 9
"""Operations of a race of additions against deletions, about."""
RENAMED = 4
"""Additions, and deletions, beside a renaming."""

SHAPES: dict[Pattern, Callable[[int], st.SearchStrategy[ConcurrentPlan]]] = {
    Pattern.SAME: _same,
    Pattern.DISTINCT: _distinct,
    Pattern.DELETING: _deleting,
    Pattern.MIXED: _mixed,
    Pattern.RENAMING: _renaming,
    Pattern.UPLOADING: _uploading,
    Pattern.CUT: _cut,
    Pattern.ACROSS: _across,
    Pattern.CALLERS: _callers,
}

RETURNS = frozenset({Pattern.MIXED, Pattern.CUT, Pattern.ACROSS})
"""Races in which tags come back."""
ON_TWO_IMAGES = (Pattern.DISTINCT, Pattern.MIXED, Pattern.ACROSS)
"""Races of which some change two images at once."""
DELETES = RETURNS | {Pattern.DELETING, Pattern.RENAMING, Pattern.UPLOADING}
"""Races whose precondition is that plain tags can be deleted."""


def suited(pattern: Pattern, clients: Iterable[int]) -> list[int]:
    """Return the numbers of clients, of those that a profile offers, that a race of this pattern is run with."""
    offered = sorted(clients)
    match pattern:
        case Pattern.SAME | Pattern.DISTINCT:
            return offered
        case Pattern.DELETING:
            return offered[::2]
        case Pattern.MIXED:
            return [count for count in offered if count <= MEETINGS]
        case Pattern.RENAMING | Pattern.CUT:
            return [2] * len(offered[::2])
        case Pattern.ACROSS | Pattern.UPLOADING:
            return [2] * bool(offered[1:])
        case Pattern.CALLERS:
            # So many callers are offered; where there is but one, nobody meets another.
            return [count for count in offered[:1] if count > 1]


def plans_of(pattern: Pattern, seed: int, clients: Iterable[int], times: int) -> list[ConcurrentPlan]:
    """Return the races of a pattern; they depend on nothing but the seed."""
    counts = [count for count in suited(pattern, clients) for _ in range(times)]
    drawn = [
        draw(SHAPES[pattern](count), zlib.crc32(f"{seed} {place}".encode()))[0] for place, count in enumerate(counts)
    ]
    if pattern is Pattern.CUT:
        drawn += [draw(_mixed(2, cut=True), seed + place)[0] for place in range(times)]
    return drawn
