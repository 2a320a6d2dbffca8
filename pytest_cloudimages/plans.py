"""Operations on the tags of images, what was answered, and what was seen before and after. No I/O."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_cloudimages.exchanges import Exchange

MUTABLE = {"tags", "updated_at"}
"""Attributes of an image that a tag operation may change."""


class Kind(enum.StrEnum):
    """What an operation does."""

    ADD = "add"
    DELETE = "delete"
    READ = "read"
    RENAME = "rename"
    """A PATCH of the image's name: what a concurrent tag operation must not undo."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do to one of the images of a plan."""

    kind: Kind
    tag: str = ""
    image: int = 0
    sort: str = ""
    """The class that the tag was drawn from."""

    def __str__(self) -> str:
        return f"{self.kind} {self.tag!r}" if self.kind is not Kind.READ else "read"


READ = Operation(Kind.READ)


class Answered(Protocol):
    """What a history needs to know of an answer."""

    @property
    def status(self) -> int: ...
    @property
    def ok(self) -> bool: ...
    @property
    def refused(self) -> bool: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def stray(self) -> bytes: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def data(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What an image showed at a moment."""

    answer: Answered

    @property
    def attributes(self) -> dict[str, Any] | None:
        """The representation; ``None`` where none was shown."""
        data = self.answer.data if self.answer.status == 200 else None  # noqa: PLR2004 - as HTTP has it
        return data if isinstance(data, dict) else None

    @property
    def tags(self) -> tuple[str, ...] | None:
        """The tags, in the order shown; ``None`` where there is no list of strings."""
        tags = (self.attributes or {}).get("tags")
        return tuple(tags) if isinstance(tags, list) and all(isinstance(one, str) for one in tags) else None

    @property
    def rest(self) -> dict[str, Any] | None:
        """What a tag operation must not change."""
        if self.attributes is None:
            return None
        return {name: value for name, value in self.attributes.items() if name not in MUTABLE}


class Past(enum.StrEnum):
    """What had become of a tag before an operation named it."""

    NEVER = "never there"
    CARRIED = "there"
    DELETED = "deleted before"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with its answer, and the tags of its image before and after it.

    ``vouched`` steps were not read around one by one: the readings around their group agree with all answers.
    """

    operation: Operation
    answer: Answered
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None
    past: Past
    again: bool
    """Whether the tag had been there, had been deleted, and this is about its second life."""
    readings: tuple[Reading, ...]
    vouched: bool
    neighbour: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None)
    """The tags of the image standing by, before and after."""

    @property
    def tag(self) -> str:
        """The tag that the operation names."""
        return self.operation.tag

    @property
    def exchanges(self) -> list[Exchange]:
        """What the step rests on, in the order sent."""
        return sorted([self.answer.exchange, *(one.answer.exchange for one in self.readings)], key=lambda one: one.sent)

    @property
    def known(self) -> bool:
        """Whether the tags before and after could be read."""
        return self.before is not None and self.after is not None

    def __repr__(self) -> str:
        return (
            f"{self.operation} → {self.answer.status or 'no answer'}: {_shown(self.before)} became {_shown(self.after)}"
        )


def _shown(tags: Sequence[str] | None) -> str:
    return "unreadable" if tags is None else ascii(sorted(tags))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A reading that no order of the acknowledged operations gives, and that did not come again step by step."""

    image: int
    expected: frozenset[str]
    found: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def __str__(self) -> str:
        missing = sorted(self.expected - {*self.found})
        extra = sorted({*self.found} - self.expected)
        twice = sorted({one for one in self.found if self.found.count(one) > 1})
        parts = [f"{word} {tags!a}" for word, tags in (("lost", missing), ("extra", extra), ("twice", twice)) if tags]
        return f"after {len(self.exchanges)} exchanges the tags are not those acknowledged: {', '.join(parts)}"


@dataclass
class History:
    """What one plan, carried out, has shown."""

    images: int = 1
    """How many images it was about."""

    steps: list[Step] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    additions: list[tuple[Reading, Reading, list[Step]]] = field(default_factory=list)
    """Readings around additions alone."""
    unsteady: list[Exchange] = field(default_factory=list)
    """Requests that the service failed at, and answered when all was asked again."""

    def over_a_limit(self, step: Step) -> bool:
        """Whether an addition was refused with 413 for the number of tags that the image had, and for nothing else.

        So it is where every addition of a further tag went well below that number, and none at it or above.
        """
        if step.answer.status != 413 or step.operation.kind is not Kind.ADD or not step.before:  # noqa: PLR2004
            return False
        further = [one for one in self.steps if one.operation.kind is Kind.ADD and one.tag not in (one.before or ())]
        refused = [len(one.before or ()) for one in further if one.answer.status == 413]  # noqa: PLR2004 - over a limit
        added = [len(one.before or ()) for one in further if one.answer.ok]
        return step.tag not in step.before and max(added, default=-1) < min(refused)


@dataclass
class Model:
    """The set of tags that acknowledged operations leave, image by image. It shares nothing with any service."""

    tags: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def past(self, tag: str) -> Past:
        """Tell what became of a tag so far."""
        if tag in self.tags:
            return Past.CARRIED
        return Past.DELETED if tag in self.deleted else Past.NEVER

    def apply(self, operation: Operation, answer: Answered) -> None:
        """Take an acknowledged operation into account."""
        if not answer.ok:
            return
        if operation.kind is Kind.ADD:
            self.tags.add(operation.tag)
        elif operation.kind is Kind.DELETE and operation.tag in self.tags:
            # A service that altered the tag may acknowledge the deletion of what was never listed: that is no deletion.
            self.tags.discard(operation.tag)
            self.deleted.add(operation.tag)

    def saw(self, tags: Iterable[str], operation: Operation) -> None:
        """Begin anew from what was really seen after an operation."""
        self.tags = {*tags}
        if operation.kind is Kind.DELETE and operation.tag in self.tags:
            self.deleted.discard(operation.tag)


def settled(tags: Sequence[str] | None, expected: Iterable[str]) -> bool:
    """Whether these are exactly the expected tags, each once, in whatever order."""
    return tags is not None and sorted(tags) == sorted(expected)


def explained(step: Step) -> bool:
    """Whether a step shows no loss, no surplus, no duplicate, and no touch on the image standing by."""
    if step.before is None:
        return True
    model = Model({*step.before})
    model.apply(step.operation, step.answer)
    return settled(step.after, model.tags) and step.neighbour[0] == step.neighbour[1]


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


class AtALimit(enum.StrEnum):
    """What an operation asks of an image that may carry so many tags."""

    UP_TO_IT = "up to the limit"
    PAST_IT = "past the limit"
    AGAIN = "again at the limit"
    ROOM = "room is made"
    IN_THE_ROOM = "in the room made"


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
