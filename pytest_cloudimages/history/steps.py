"""Operations on a set below images, what was answered, and what was seen before and after. No I/O."""

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.moments import same_moment
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import Answered, SetResource, represented
from pytest_cloudimages.spec.mismatch import Allowed, Mismatch, expect, expect_among, expect_none_of
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True, slots=True)
class Reading:
    """What was shown of an image at a moment."""

    answer: Answered
    resource: SetResource
    beside: Mapping[str, object] = field(default_factory=dict)
    """What was seen besides, by its name: the data of the image, who it is shared with."""

    @property
    def values(self) -> tuple[str, ...] | None:
        """The values of the set, in the order shown; ``None`` where they cannot be read."""
        return self.resource.values(self.answer)

    @property
    def rest(self) -> dict[str, Any] | None:
        """What an operation on the set must not change."""
        attributes = represented(self.answer)
        if attributes is None:
            return None
        return {
            **{name: value for name, value in attributes.items() if name not in self.resource.volatile},
            **self.beside,
        }


class Prior(enum.StrEnum):
    """What had become of a value before an operation named it."""

    NEVER = "never there"
    PRESENT = "there"
    DELETED = "deleted before"


@dataclass(frozen=True)
class Step:
    """One operation with its answer, and the values of the set before and after it.

    ``inferred`` steps were not read around one by one: the readings around their group agree with all answers.
    """

    operation: Operation
    answer: Answered
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None
    prior: Prior
    re_added: bool
    """Whether the value had been there, had been deleted, and was added again."""
    readings: tuple[Reading, ...]
    resource: SetResource
    inferred: bool
    other_image: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None)
    """The values of another image, which the operation does not name, before and after."""
    overdue: frozenset[str] = frozenset()
    """Values that were shown before it though their deletion was acknowledged, or not shown though they were added.

    What becomes of these comes late, and is no doing of the step.
    """
    overdue_elsewhere: frozenset[str] = frozenset()
    """The same of the other image."""

    @property
    def value(self) -> str:
        """The value that the operation names."""
        return self.operation.value

    @property
    def tag(self) -> str:
        """The same, for checks of tags."""
        return self.operation.value

    @cached_property
    def exchanges(self) -> Sequence[Exchange]:
        """What the step rests on, in the order sent."""
        sent = [self.answer.exchange, *(reading.answer.exchange for reading in self.readings)]
        return tuple(sorted(sent, key=lambda exchange: exchange.sent))

    @property
    def known(self) -> bool:
        """Whether the values before and after could be read."""
        return self.before is not None and self.after is not None

    @property
    def came(self) -> set[str]:
        """The values that were seen after it, and not before."""
        return {*(self.after or ())} - {*(self.before or ())}

    @property
    def gone(self) -> set[str]:
        """The values that were seen before it, and not after."""
        return {*(self.before or ())} - {*(self.after or ())}

    def expect(
        self,
        *,
        status: int | Collection[int] | Allowed | None = None,
        after: Iterable[str] | None = None,
        present: bool | None = None,
        count: int | None = None,
    ) -> None:
        """Raise ``Mismatch`` unless the answer has the status, or one of them, and just these values are there then.

        The order of values says nothing, and one that is listed twice is one too many. ``present`` says no more than
        whether the value that the step names is there, ``count`` how often it is. Raise ``Blocked`` where the values
        could not be read.
        """
        __tracebackhide__ = True
        if status is not None:
            allowed = {status} if isinstance(status, int) else status if isinstance(status, Allowed) else {*status}
            expect(self.answer.status or None, allowed, "status of", self.operation, before=self._sorted_before)
        if after is None and present is None and count is None:
            return
        if self.after is None:
            raise Blocked(f"The {self.resource.name}s could not be read after this: {self}.")
        found, what, before = sorted(self.after), f"{self.resource.name}s after", self._sorted_before
        if after is not None:
            expect(found, sorted(after), what, self._answered, before=before)
        if present is True:
            expect_among(found, [self.value], what, self._answered, before=before)
        elif present is False:
            expect_none_of(found, [self.value], what, self._answered, before=before)
        if count is not None:
            listed = [value for value in found if value == self.value]
            expect(listed, [self.value] * count, what, self._answered, before=before)

    def _sorted_before(self) -> list[str] | None:
        return None if self.before is None else sorted(self.before)

    def _answered(self) -> str:
        return self.answered

    @cached_property
    def answered(self) -> str:
        """The operation with the status of its answer."""
        return f"{self.operation} → {self.answer.status or 'no answer'}"

    def __repr__(self) -> str:
        return f"{self.answered}: {_shown(self.before)} became {_shown(self.after)}"


@dataclass(frozen=True)
class Performed:
    """An operation whose answer came, before it is known what the image shows afterwards."""

    operation: Operation
    answer: Answered
    prior: Prior
    re_added: bool
    before: tuple[str, ...]
    after: tuple[str, ...]

    def inferred_from(self, reading: Reading) -> Step:
        """Return it as a step of which a later reading, that of its whole group, tells what it did."""
        return Step(
            self.operation,
            self.answer,
            self.before,
            self.after,
            self.prior,
            self.re_added,
            (reading,),
            reading.resource,
            inferred=True,
        )


def _shown(values: Sequence[str] | None) -> str:
    return "unreadable" if values is None else ascii(sorted(values))


@dataclass(frozen=True, slots=True)
class UnreproducedMismatch:
    """A reading that no order of the acknowledged operations explains, and that did not come again step by step."""

    image: int
    expected: frozenset[str]
    found: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    name: str
    """What a value of the set is called."""

    def as_mismatch(self) -> Mismatch:
        """Return it as what a check raises."""
        return Mismatch(
            str(self),
            what=f"{self.name}s after {len(self.exchanges)} exchanges",
            expected=self.expected,
            actual=sorted(self.found),
            missing=sorted(self.expected - {*self.found}),
            unexpected=sorted((Counter(self.found) - Counter(self.expected)).elements()),
        )

    def __str__(self) -> str:
        missing = sorted(self.expected - {*self.found})
        extra = sorted({*self.found} - self.expected)
        twice = sorted({value for value in self.found if self.found.count(value) > 1})
        named = (("lost", missing), ("extra", extra), ("twice", twice))
        parts = [f"{word} {values!a}" for word, values in named if values]
        return f"after {len(self.exchanges)} exchanges the {self.name}s are not those acknowledged: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Span:
    """What was done to an image between two readings of it: operations of one kind on the set."""

    before: Reading
    after: Reading
    steps: tuple[Step, ...]

    @property
    def kind(self) -> Kind:
        """What all the operations do."""
        return self.steps[0].operation.kind

    @property
    def acknowledged(self) -> bool:
        """Whether any operation was."""
        return any(step.answer.ok for step in self.steps)

    @property
    def refused(self) -> bool:
        """Whether every operation was, so that nothing was to be done."""
        return all(step.answer.refused for step in self.steps)

    @property
    def changed(self) -> set[str]:
        """The names of the attributes beside the set that differ afterwards; none where they cannot be read."""
        return differing(self.before.rest, self.after.rest)

    @property
    def exchanges(self) -> list[Exchange]:
        """What it rests on, in the order sent."""
        answers = [self.before.answer, *(step.answer for step in self.steps), self.after.answer]
        return [answer.exchange for answer in answers]

    def __repr__(self) -> str:
        return " and ".join(dict.fromkeys(step.answered for step in (self.steps[0], self.steps[-1])))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an image between two readings of it, and that is nothing to the set."""

    name: str
    before: Reading
    after: Reading

    @property
    def kept(self) -> bool:
        """Whether the set is the same afterwards, as far as it can be read."""
        before, after = self.before.values, self.after.values
        return before is None or after is None or sorted(before) == sorted(after)

    @property
    def exchanges(self) -> list[Exchange]:
        """What it rests on, in the order sent."""
        return [self.before.answer.exchange, self.after.answer.exchange]


def differing(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> set[str]:
    """Return the names under which two sets of attributes differ; none where either cannot be read."""
    if before is None or after is None:
        return set()
    absent = object()
    changed = {name for name in {*before, *after} if before.get(name, absent) != after.get(name, absent)}
    return {name for name in changed if not _shown_otherwise(name, before.get(name), after.get(name))}


def _shown_otherwise(name: str, value: object, other: object) -> bool:
    """Return whether two values of an attribute say the same: a moment, or an address that is signed for a while."""
    if name in ("created_at", "updated_at"):
        return same_moment(value, other)
    if name == "direct_url" and isinstance(value, str) and isinstance(other, str):
        return value.partition("?")[0] == other.partition("?")[0]
    return False


@dataclass
class SequentialHistory:
    """What one plan, carried out, has shown."""

    images: int = 1
    """How many images it was about."""

    steps: list[Step] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    mismatches: list[UnreproducedMismatch] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """Readings around operations of one kind."""
    events: list[Event] = field(default_factory=list)
    """What else happened to the image."""
    flaky: list[Exchange] = field(default_factory=list)
    """Requests that the service failed at, and answered when all was asked again."""

    def __repr__(self) -> str:
        return f"<SequentialHistory: {len(self.steps)} steps, {len(self.readings)} readings>"
