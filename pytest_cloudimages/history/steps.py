"""Operations on the tags of images, what was answered, and what was seen before and after. No I/O."""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

MUTABLE = {"tags", "updated_at"}
"""Attributes of an image that a tag operation may change."""


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


class Prior(enum.StrEnum):
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
    past: Prior
    again: bool
    """Whether the tag had been there, had been deleted, and this is about its second life."""
    readings: tuple[Reading, ...]
    inferred: bool
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

    def expect(self, *, status: int | Collection[int] | None = None, after: Iterable[str] | None = None) -> None:
        """Raise ``Mismatch`` unless the answer has the status, or one of them, and the tags afterwards are just these.

        The order of tags says nothing, and a tag that is listed twice is one too many. Raise ``Blocked`` where the tags
        could not be read.
        """
        __tracebackhide__ = True
        before = None if self.before is None else sorted(self.before)
        if status is not None:
            allowed = {status} if isinstance(status, int) else {*status}
            expect(self.answer.status or None, allowed, f"status of {self.operation}", before=before)
        if after is not None:
            if self.after is None:
                raise Blocked(f"The tags could not be read after this: {self}.")
            answer = f"{self.operation} → {self.answer.status or 'no answer'}"
            expect(sorted(self.after), sorted(after), f"tags after {answer}", before=before)

    def __repr__(self) -> str:
        return (
            f"{self.operation} → {self.answer.status or 'no answer'}: {_shown(self.before)} became {_shown(self.after)}"
        )


def _shown(tags: Sequence[str] | None) -> str:
    return "unreadable" if tags is None else ascii(sorted(tags))


@dataclass(frozen=True, slots=True)
class UnreproducedMismatch:
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
class SequentialHistory:
    """What one plan, carried out, has shown."""

    images: int = 1
    """How many images it was about."""

    steps: list[Step] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    contradictions: list[UnreproducedMismatch] = field(default_factory=list)
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
