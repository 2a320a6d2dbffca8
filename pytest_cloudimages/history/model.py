"""The values that acknowledged operations leave. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import Answered, Effect, SetResource
from pytest_cloudimages.history.steps import Prior, Step


@dataclass
class SetModel:
    """The set of values that acknowledged operations leave on one image. It shares nothing with any service."""

    resource: SetResource
    values: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def prior(self, value: str) -> Prior:
        """Return what became of a value so far."""
        if value in self.values:
            return Prior.PRESENT
        return Prior.DELETED if value in self.deleted else Prior.NEVER

    def apply(self, operation: Operation, answer: Answered) -> None:
        """Take an acknowledged operation into account."""
        effect = self.resource.effect(operation.kind, answer.status)
        if effect is Effect.MADE_PRESENT:
            self.values.add(operation.value)
        elif effect is Effect.MADE_ABSENT and operation.value in self.values:
            # A service that altered the value may acknowledge the deletion of what was never listed: no deletion.
            self.values.discard(operation.value)
            self.deleted.add(operation.value)

    def lost(self, operation: Operation) -> None:
        """Take an operation into account that was carried out, and whose answer was lost."""
        if operation.kind is Kind.ADD:
            self.values.add(operation.value)
        else:
            self.values.discard(operation.value)
            self.deleted.add(operation.value)

    def saw(self, values: Iterable[str], operation: Operation) -> None:
        """Begin anew from what was really seen after an operation."""
        self.values = {*values}
        if operation.kind is Kind.DELETE and operation.value in self.values:
            self.deleted.discard(operation.value)


def exactly(values: Sequence[str] | None, expected: Iterable[str]) -> bool:
    """Return whether these are exactly the expected values, each once, in whatever order."""
    return values is not None and sorted(values) == sorted(expected)


def explained(step: Step) -> bool:
    """Return whether a step shows no loss, no surplus, no duplicate, and no change of the other image."""
    if step.before is None:
        return True
    model = SetModel(step.resource, {*step.before})
    model.apply(step.operation, step.answer)
    return exactly(step.after, model.values) and step.other_image[0] == step.other_image[1]
