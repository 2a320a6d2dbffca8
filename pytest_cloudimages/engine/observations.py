"""What sequential histories have shown, step by step: the cases of checks."""

import string
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypedDict, Unpack

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.recording import Case, Cases, Collection, anything, cases, nothing
from pytest_cloudimages.history.model import explained
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.history.steps import (
    Event,
    Prior,
    Reading,
    SequentialHistory,
    Span,
    Step,
    UnreproducedMismatch,
)
from pytest_cloudimages.spec.verdicts import Flaky

MOST_TOLD = 4
"""Kinds of operations that are told where no case came of them."""
PRINTABLE = frozenset(string.printable) - frozenset("\t\n\r\x0b\x0c")


class Selection(TypedDict, total=False):
    """Which steps a check is about. Left out, a condition lets every step pass but where it says otherwise."""

    past: Iterable[Prior]
    """What had become of the tag before; where that was not what had been acknowledged, it is in doubt."""
    acknowledged: bool
    """Whether the answer was 2xx; False: whether it was 4xx."""
    again: bool
    """Whether the tag had been deleted before."""
    known: bool
    """Leaves out steps around which the tags could not be read, unless it is False."""
    printable: bool
    """Leaves out tags of other than printable ASCII characters."""
    input_classes: Container[str]
    """The classes that the tags were drawn from."""
    beside: bool
    """Leaves out steps taken without a second image, or whose second image could not be read."""
    where: Callable[[Step], bool]
    """Whatever else has to be so; it is asked of no step that another condition leaves out."""


@dataclass(frozen=True, repr=False)
class Steps(Collection):
    """What several plans have shown. Every method returns things to look at; each one yielded is a case."""

    histories: list[SequentialHistory]
    left_out: "Condition" = nothing
    """Steps that are a case of no check, such as an addition past a limit that a service may have."""

    def __add__(self, other: "Steps") -> Self:
        """Return the steps of both, in this order; each leaves out what it left out alone."""
        if not isinstance(other, Steps):
            return NotImplemented
        mine = {id(history) for history in self.histories}

        def of_each(history: SequentialHistory, step: Step) -> bool:
            return (self if id(history) in mine else other).left_out(history, step)

        # Most sums are of what leaves out the same; where each part is asked whose a step is, that takes long.
        left_out = self.left_out if self.left_out is other.left_out else of_each
        together = [*self.histories, *other.histories]
        return replace(self, histories=together, left_out=left_out, counted=self.counted and other.counted)

    @cases
    def steps(self, kind: Kind | None = None, **which: Unpack[Selection]) -> Iterator[Case[Step]]:
        """Return the steps of a kind that satisfy every condition of ``Selection``."""
        conditions, left_out = [*_conditions(which)], self.left_out
        for history in self.histories:
            for step in history.steps:
                if (kind is not None and kind is not step.operation.kind) or left_out(history, step):
                    continue
                for condition in conditions:
                    if not condition(history, step):
                        break
                else:
                    yield Case(step, step.exchanges, step.operation.input_class, step=step)

    def additions(self, **which: Unpack[Selection]) -> Cases[Step]:
        """Return the steps that add a tag; see ``steps``."""
        return self.steps(Kind.ADD, **which)

    def deletions(self, **which: Unpack[Selection]) -> Cases[Step]:
        """Return the steps that delete a tag; see ``steps``."""
        return self.steps(Kind.DELETE, **which)

    @cases
    def answers(self, *, where: Callable[[Answered], bool] = anything) -> Iterator[Case[Answered]]:
        """Return the answer to every tag operation; ``where`` is what has to be so for it to be asked about."""
        for history in self.histories:
            for step in history.steps:
                if where(step.answer):
                    exchanges = [step.answer.exchange]
                    yield Case(step.answer, exchanges, step.operation.input_class, step=step, answer_only=True)

    @cases
    def readings(self, *, where: Callable[[Reading], bool] = anything) -> Iterator[Case[Reading]]:
        """Return everything that any image showed; ``where`` is what has to be so for it to be asked about."""
        for history in self.histories:
            for reading in history.readings:
                if where(reading):
                    yield Case(reading, [reading.answer.exchange])

    @cases
    def spans(self, kind: Kind, *, acknowledged: bool) -> Iterator[Case[Span]]:
        """Return the readings around operations of a kind, where both could be read, with the steps between.

        ``acknowledged`` is whether any of them was; else all were refused, so that nothing was to be done.
        """
        for history in self.histories:
            for span in history.spans:
                readable = span.before.rest is not None and span.after.rest is not None
                if readable and span.kind is kind and (span.acknowledged if acknowledged else span.refused):
                    yield Case(span, span.exchanges)

    @cases
    def events(self) -> Iterator[Case[Event]]:
        """Return what else happened to images, where the tags could be read before and after."""
        for history in self.histories:
            for event in history.events:
                if event.before.values is not None and event.after.values is not None:
                    yield Case(event, event.exchanges)

    @cases
    def contradictions(self, *, standing_by: bool) -> Iterator[Case[UnreproducedMismatch]]:
        """Return the readings that the answers do not explain and that did not come again step by step."""
        for history in self.histories:
            for mismatch in history.mismatches:
                if bool(mismatch.image) is standing_by:
                    yield Case(mismatch, mismatch.exchanges)

    def led_up(self) -> tuple[str, Sequence[Exchange]]:
        """Return how the additions and deletions were answered and what was seen then, and one that went wrong."""
        steps = [step for history in self.histories for step in history.steps]
        told = [f"{count} {what}" for what, count in Counter(map(_what_came, steps)).most_common(MOST_TOLD)]
        wrong = next((step for step in steps if not explained(step)), steps[-1] if steps else None)
        return f"What was tried: {'; '.join(told)}." if told else "", wrong.exchanges if wrong else ()

    @property
    def sound(self) -> bool:
        """Whether nothing in them departs from a set."""
        return not any(history.mismatches or not all(map(explained, history.steps)) for history in self.histories)

    @property
    def images(self) -> int:
        """How many images at the most a history was about."""
        return max((history.images for history in self.histories), default=0)

    def steady(self) -> None:
        """Raise ``Flaky`` where the service failed at a request, and answered when all was asked again."""
        for exchange in self.failures_that_passed():
            raise Flaky(f"{exchange}; asked again, the service answered otherwise.")

    @cases
    def failures_that_passed(self) -> Iterator[Case[Exchange]]:
        """Return the requests that the service failed at, and answered when all was asked again."""
        for history in self.histories:
            for exchange in history.flaky:
                yield Case(exchange, [exchange])


def _what_came(step: Step) -> str:
    """Return what was done, how it was answered, and what was seen of it, in words without the tag."""
    added = step.operation.kind is Kind.ADD
    text = f"{'additions' if added else 'deletions'} of a tag {step.prior} → {step.answer.status or 'no answer'}"
    if not step.answer.ok or not step.known:
        return text
    listed = step.value in (step.after or ())
    return text if listed is added else f"{text}, and it was {'not ' if added else 'still '}listed then"


Condition = Callable[[SequentialHistory, Step], bool]


def _conditions(which: Selection) -> Iterator[Condition]:
    """Yield what a selection asks of a step, its ``where`` last."""
    if which.get("known", True):
        yield lambda _, step: step.known
    if "acknowledged" in which:
        acknowledged = which["acknowledged"]
        yield lambda _, step: step.answer.ok if acknowledged else step.answer.refused
    if "past" in which:
        past = {*which["past"]}
        yield lambda _, step: step.prior in past and step.value not in step.overdue
    if "again" in which:
        again = which["again"]
        yield lambda _, step: step.re_added is again
    if which.get("printable"):
        yield lambda _, step: PRINTABLE.issuperset(step.value)
    if "input_classes" in which:
        input_classes = which["input_classes"]
        yield lambda _, step: step.operation.input_class in input_classes
    if which.get("beside"):
        yield _seen_beside
    if "where" in which:
        where = which["where"]
        yield lambda _, step: where(step)


def _seen_beside(history: SequentialHistory, step: Step) -> bool:
    """Return whether another image was there, and could be read before and after the step, or its group is inferred."""
    return history.images > 1 and (step.inferred or None not in step.other_image)
