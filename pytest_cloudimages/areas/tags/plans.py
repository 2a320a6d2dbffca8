"""Sequential plans that ask about tags: their lengths, their number, their likeness. No I/O."""

from collections.abc import Sequence

from pytest_cloudimages.areas.tags.tag_limit import (
    AGAIN_AMONG_MANY,
    IN_THE_ROOM_AMONG_MANY,
    ONE_MORE_THAN_MANY,
    ONE_TOO_MANY,
    AtALimit,
)
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.sequential_plans import Classified, each, in_groups


def plan_of_boundaries(
    within: Sequence[Classified],
    again: Sequence[Classified],
    beyond: Sequence[Classified],
    deleted: Sequence[Classified],
) -> list[Operation]:
    """Return a plan that adds tags within the limit, some of them again, and tags past it, and deletes some."""
    return in_groups(
        [
            (Kind.ADD, within),
            (Kind.ADD, again),
            (Kind.ADD, beyond),
            (Kind.DELETE, deleted),
            (Kind.ADD, again[-1:]),
        ]
    )


GIVEN_WITH_LIFE = ("given-with-life", "taken-first")
"""The tags with which an image's life begins, where a service takes any with a creation."""
UNSEEN = "unseen"
"""The tag of an image's life that nobody looks at, and its input class."""


def plan_of_a_life(events: Sequence[str]) -> list[Operation]:
    """Return a plan in which an image carries tags through one event after another, and gains and loses one in each.

    In each a tag is added twice, and while it is protected, or active, one is deleted that is gone. After every second
    event it loses all that it has, one after another, before it gains any: no state keeps the last tag, or refuses the
    first. One tag comes just before every other event, and goes before the next, and nobody looks at it in between: no
    event puts back what was shown, or written, before that. Of the tags that the image was created with one goes in the
    beginning, and one with the first that it loses all of: nor does any event put back what was there at first.
    """
    plan = in_groups([(Kind.ADD, [("born", "new"), ("kept", "new")]), (Kind.DELETE, [(GIVEN_WITH_LIFE[-1], "new")])])
    carried, left = ["born", "kept"], [*GIVEN_WITH_LIFE[:1]]
    for place, event in enumerate(events):
        # The one that nobody looks at is gone by then, so that nothing is left with all others.
        emptied = place % 2
        plan += each(Kind.DELETE if emptied else Kind.ADD, [(UNSEEN, UNSEEN)])
        # No service has a reason to refuse it.
        tag = event.replace(" ", "-")
        plan.append(Operation(Kind.EVENT, event, input_class=event))
        if emptied:
            lost, carried, left = [*left, *carried[::-1]], [tag, f"beside-{tag}"], []
            groups = [(Kind.DELETE, lost), (Kind.ADD, [*carried, tag])]
        else:
            lost, carried = carried[:1], [tag, *carried[1:]]
            groups = [(Kind.ADD, [tag, tag]), (Kind.DELETE, lost)]
        if event in DELETED_TWICE_IN:
            groups.append((Kind.DELETE, lost[-1:]))
        plan += in_groups((kind, [(value, event) for value in values]) for kind, values in groups)
    return plan


DELETED_TWICE_IN = ("protected", "active")
"""The states of an image's life in which a tag is deleted that is gone."""
CYCLES, TIMES, FEWER = 12, 6, 7


def plan_of_a_long_life() -> list[Operation]:
    """Return a plan in which a tag comes and goes a dozen times, and another is added, and deleted, six times running.

    A third is added twice, and stays; a last one goes for a moment, which is nothing that anybody may do once more.

    Its first cycles are counted and not read: two are tried with every plain tag. Some more come and go in the end, so
    that there are more deletions than any page or buffer of twenty holds. Half of these come once more: what is carried
    out a second time, a while later, takes some that are to stay, or brings some back that are not.
    """
    again, often = ("again-and-again", "long life"), ("six-times", "long life")
    cycle = [*each(Kind.ADD, [again]), *each(Kind.DELETE, [again])]
    plan = [*each(Kind.ADD, [("stays", "long life")] * 2), *cycle, *cycle]
    for number in range(2, CYCLES):
        # That a tag is there for the next cycle is told by its deletion, that one is gone by a reading.
        plan += [*cycle, READ] if number >= CYCLES - FEWER else cycle
    more = [(f"more-{place}", "long life") for place in range(9)]
    groups = [(Kind.ADD, [often] * TIMES), (Kind.DELETE, [often] * TIMES), (Kind.ADD, more), (Kind.DELETE, more)]
    groups += [(Kind.ADD, more[: len(more) // 2])]
    last = [("gone-for-a-moment", "long life")]
    moment = [operation for kind in (Kind.ADD, Kind.DELETE, Kind.ADD) for operation in each(kind, last)]
    return [*plan, *in_groups(groups), *moment, READ]


def plan_of_absence(present: Sequence[Classified], absent: Sequence[Classified]) -> list[Operation]:
    """Return a plan that gives an image tags, and deletes others."""
    return in_groups([(Kind.ADD, present), (Kind.DELETE, absent)])


def plan_of_a_limit(limit: int) -> list[Operation]:
    """Return a plan that fills an image, tries to exceed the limit, adds a tag again, makes room and fills it up."""
    filling = [f"tag-{number}" for number in range(limit)]
    stages = [
        (Kind.ADD, filling, AtALimit.UP_TO_IT),
        (Kind.ADD, ["one-too-many", "another-too-many"], AtALimit.PAST_IT),
        (Kind.ADD, filling[:1] + filling[-1:], AtALimit.AGAIN),
        (Kind.DELETE, filling[:1], AtALimit.ROOM),
        (Kind.ADD, ["fits"], AtALimit.IN_THE_ROOM),
        (Kind.ADD, ["does-not-fit"], AtALimit.PAST_IT),
    ]
    return in_groups((kind, [(tag, input_class) for tag in tags]) for kind, tags, input_class in stages)


def plan_of_many(tags: Sequence[str]) -> list[Operation]:
    """Return a plan that adds many tags to one image, deletes every second, and re-adds some of these."""
    every = [(tag, "many") for tag in tags]
    deleted = every[::2]
    return in_groups([(Kind.ADD, every), (Kind.DELETE, deleted), (Kind.ADD, deleted[::4])])


def plan_among_many(event: str = "") -> list[Operation]:
    """Return a plan for an image that carries many tags already: four come, three go and come back, one comes again.

    A last one may be one too many; a shorter one then comes in place of one that goes. With an ``event`` it ends.

    It deletes only what it has added, so that nothing depends on who set a tag.
    """
    added = [(f"one-more-{place}", "among many") for place in range(4)]
    again, last = [(tag, AGAIN_AMONG_MANY) for tag, _ in added[:1]], [(ONE_TOO_MANY, ONE_MORE_THAN_MANY)]
    plan = in_groups(
        [(Kind.ADD, added), (Kind.DELETE, added[::-1][:3]), (Kind.ADD, added[1:]), (Kind.ADD, [*again, *last])]
    )
    in_its_place = [*each(Kind.DELETE, added[-1:]), *each(Kind.ADD, [("fits", IN_THE_ROOM_AMONG_MANY)])]
    happens = [Operation(Kind.EVENT, event, input_class=event)] if event else []
    return [*plan, *in_its_place, READ, *happens]


def plan_of_pairs(pairs: Sequence[tuple[str, tuple[str, str]]], *, whole: bool) -> list[Operation]:
    """Return a plan for pairs, each with the name of what relates the two.

    The first is added, and the second, which is not there, is to be deleted; then it is added too, and the first is
    deleted. With the ``whole`` plan the second is deleted as well, which is alone by then.
    """
    firsts = [(first, name) for name, (first, _) in pairs]
    seconds = [(second, name) for name, (_, second) in pairs]
    return in_groups(
        [
            (Kind.ADD, firsts),
            (Kind.DELETE, seconds),
            (Kind.ADD, seconds),
            (Kind.DELETE, firsts),
            *([(Kind.DELETE, seconds)] if whole else []),
        ]
    )
