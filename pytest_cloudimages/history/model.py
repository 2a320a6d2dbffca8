"""The tags that acknowledged operations leave. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.steps import Answered, Prior, Step


@dataclass
class Model:
    """The set of tags that acknowledged operations leave, image by image. It shares nothing with any service."""

    tags: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def past(self, tag: str) -> Prior:
        """Tell what became of a tag so far."""
        if tag in self.tags:
            return Prior.CARRIED
        return Prior.DELETED if tag in self.deleted else Prior.NEVER

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

    def lost(self, operation: Operation) -> None:
        """Take a deletion into account that was carried out, and whose answer was lost."""
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
