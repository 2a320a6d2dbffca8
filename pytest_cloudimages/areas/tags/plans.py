"""Sequential plans: what is done to tags, one operation after another. No I/O."""

from collections.abc import Iterable, Iterator, Sequence

from pytest_cloudimages.history.operations import READ, AtALimit, Kind, Operation


def _each(kind: Kind, tags: Iterable[tuple[str, str]], image: int = 0) -> Iterator[Operation]:
    return (Operation(kind, tag, image, sort) for tag, sort in tags)


def plan_of_a_life(tags: Sequence[tuple[str, str]], *, neighbours: int = 0) -> list[Operation]:
    """Plan the whole life of tags, given as (tag, class): added, repeated, deleted, missed, added again, deleted again.

    So many of the tags are first given to a second image that stands by.
    """
    half = tags[::2]
    return [
        *_each(Kind.ADD, tags[:neighbours], 1),
        READ,
        *_each(Kind.ADD, tags),
        READ,
        *_each(Kind.ADD, tags),
        READ,
        *_each(Kind.ADD, tags[1::2]),
        READ,
        *_each(Kind.DELETE, half),
        READ,
        *_each(Kind.DELETE, half),
        READ,
        *_each(Kind.ADD, half[:-1:2]),
        READ,
        *_each(Kind.DELETE, half[:-1:2]),
        READ,
        *_each(Kind.DELETE, tags[1::2]),
        READ,
    ]


def plan_of_a_stay(tags: Sequence[tuple[str, str]], *, leaving: slice = slice(None)) -> list[Operation]:
    """Plan for tags, given as (tag, class), that are added once and deleted once, or some of them deleted."""
    return [*_each(Kind.ADD, tags), READ, *_each(Kind.DELETE, tags[leaving]), READ]


def plan_of_edges(
    within: Sequence[tuple[str, str]],
    again: Sequence[tuple[str, str]],
    beyond: Sequence[tuple[str, str]],
    leaving: Sequence[tuple[str, str]],
) -> list[Operation]:
    """Plan for tags within the limit, which are added, some again, and some deleted, and for tags past it."""
    stages = ((Kind.ADD, within), (Kind.ADD, again), (Kind.ADD, beyond), (Kind.DELETE, leaving), (Kind.ADD, again[-1:]))
    return [one for kind, tags in stages for one in (*_each(kind, tags), READ)]


def plan_of_absence(carried: Sequence[tuple[str, str]], absent: Sequence[tuple[str, str]]) -> list[Operation]:
    """Plan for an image that carries tags, and is asked to delete others."""
    return [*_each(Kind.ADD, carried), READ, *_each(Kind.DELETE, absent), READ]


def plan_of_a_limit(limit: int) -> list[Operation]:
    """Plan to fill an image, add one and another too many, add one again, make room, fill it and knock again."""
    filling = [f"tag-{number}" for number in range(limit)]
    stages = [
        (Kind.ADD, filling, AtALimit.UP_TO_IT),
        (Kind.ADD, ["one-too-many", "another-too-many"], AtALimit.PAST_IT),
        (Kind.ADD, filling[:1] + filling[-1:], AtALimit.AGAIN),
        (Kind.DELETE, filling[:1], AtALimit.ROOM),
        (Kind.ADD, ["fits"], AtALimit.IN_THE_ROOM),
        (Kind.ADD, ["does-not-fit"], AtALimit.PAST_IT),
    ]
    return [one for kind, tags, sort in stages for one in (*_each(kind, [(tag, sort) for tag in tags]), READ)]


def plan_of_many(tags: Sequence[str]) -> list[Operation]:
    """Plan for an image that comes to carry many tags: all added, every third deleted, some of these added again."""
    every = [(tag, "many") for tag in tags]
    gone = every[::3]
    return [*_each(Kind.ADD, every), READ, *_each(Kind.DELETE, gone), READ, *_each(Kind.ADD, gone[::4]), READ]


def read_often(plan: Iterable[Operation], every: int) -> list[Operation]:
    """Give a plan with a reading after every so many operations; 0 leaves it as it is."""
    if not every:
        return [*plan]
    changes = [one for one in plan if one.kind is not Kind.READ]
    groups = (changes[begin : begin + every] for begin in range(0, len(changes), every))
    return [one for group in groups for one in (*group, READ)]


def plan_of_pairs(pairs: Sequence[tuple[str, tuple[str, str]]]) -> list[Operation]:
    """Plan for pairs, each with the name of what relates the two.

    One is added, and the other, which is not there, is to be deleted; then it is added too, and each is deleted.
    """
    firsts = [(first, name) for name, (first, _) in pairs]
    seconds = [(second, name) for name, (_, second) in pairs]
    order = [(Kind.ADD, firsts), (Kind.DELETE, seconds), (Kind.ADD, seconds)]
    order += [(Kind.DELETE, firsts), (Kind.DELETE, seconds)]
    return [one for kind, tags in order for one in (*_each(kind, tags), READ)]
