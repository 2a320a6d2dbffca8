"""Operations on a set below images, what was answered, and what was seen before and after. No I/O."""

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.history.operations import Operation
from pytest_cloudimages.history.resource import Answered, SetResource, represented
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True, slots=True)
class Reading:
    """What was shown of an image at a moment."""

    answer: Answered
    resource: SetResource

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
        return {name: value for name, value in attributes.items() if name not in self.resource.volatile}


class Prior(enum.StrEnum):
    """What had become of a value before an operation named it."""

    NEVER = "never there"
    PRESENT = "there"
    DELETED = "deleted before"


@dataclass(frozen=True, slots=True)
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

    @property
    def value(self) -> str:
        """The value that the operation names."""
        return self.operation.value

    @property
    def tag(self) -> str:
        """The same, for checks of tags."""
        return self.operation.value

    @property
    def exchanges(self) -> list[Exchange]:
        """What the step rests on, in the order sent."""
        sent = [self.answer.exchange, *(reading.answer.exchange for reading in self.readings)]
        return sorted(sent, key=lambda exchange: exchange.sent)

    @property
    def known(self) -> bool:
        """Whether the values before and after could be read."""
        return self.before is not None and self.after is not None

    def expect(self, *, status: int | Collection[int] | None = None, after: Iterable[str] | None = None) -> None:
        """Raise ``Mismatch`` unless the answer has the status, or one of them, and just these values are there after.

        The order of values says nothing, and one that is listed twice is one too many. Raise ``Blocked`` where the
        values could not be read.
        """
        __tracebackhide__ = True
        before = None if self.before is None else sorted(self.before)
        if status is not None:
            allowed = {status} if isinstance(status, int) else {*status}
            expect(self.answer.status or None, allowed, f"status of {self.operation}", before=before)
        if after is not None:
            if self.after is None:
                raise Blocked(f"The {self.resource.name}s could not be read after this: {self}.")
            answer = f"{self.operation} → {self.answer.status or 'no answer'}"
            expect(sorted(self.after), sorted(after), f"{self.resource.name}s after {answer}", before=before)

    def __repr__(self) -> str:
        return (
            f"{self.operation} → {self.answer.status or 'no answer'}: {_shown(self.before)} became {_shown(self.after)}"
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

    def __str__(self) -> str:
        missing = sorted(self.expected - {*self.found})
        extra = sorted({*self.found} - self.expected)
        twice = sorted({value for value in self.found if self.found.count(value) > 1})
        named = (("lost", missing), ("extra", extra), ("twice", twice))
        parts = [f"{word} {values!a}" for word, values in named if values]
        return f"after {len(self.exchanges)} exchanges the {self.name}s are not those acknowledged: {', '.join(parts)}"


@dataclass
class SequentialHistory:
    """What one plan, carried out, has shown."""

    images: int = 1
    """How many images it was about."""

    steps: list[Step] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    mismatches: list[UnreproducedMismatch] = field(default_factory=list)
    additions: list[tuple[Reading, Reading, list[Step]]] = field(default_factory=list)
    """Readings around additions alone."""
    flaky: list[Exchange] = field(default_factory=list)
    """Requests that the service failed at, and answered when all was asked again."""

    def __repr__(self) -> str:
        return f"<SequentialHistory: {len(self.steps)} steps, {len(self.readings)} readings>"
