"""What a step may change, and what it has changed. No I/O."""

from collections import Counter
from collections.abc import Iterable

from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect
from pytest_cloudimages.history.steps import Step


def took_exact_effect(step: Step) -> bool:
    """Return whether a step did to the set what its answer says: just that, or nothing where it was refused."""
    if not (step.answer.ok or step.answer.refused):
        return False
    effect = step.resource.effect(step.operation.kind, step.answer.status)
    if effect not in (Effect.MADE_PRESENT, Effect.MADE_ABSENT):
        return sorted(step.after or ()) == sorted(step.before or ())
    added = [step.value] if step.operation.kind is Kind.ADD else []
    return sorted(step.after or ()) == sorted([*without(step.before, step.value), *added])


def without(values: Iterable[str] | None, *left_out: str) -> list[str]:
    """Return values in a settled order, without some of them."""
    return sorted(value for value in values or () if value not in left_out)


def others_removed(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Return the other values that a step took away; ``but`` are those it may take, by default the one it names."""
    allowed = {step.value} if but is None else {*but}
    missing = Counter(step.before) - Counter(step.after)
    return sorted(value for value in missing if value not in allowed)


def others_added(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Return the other values that a step brought; ``but`` are those it may bring, by default the one it names.

    Where an added value is not listed, what came in its place is that value, altered, and no value beside it.
    """
    allowed = {step.value} if but is None else {*but}
    if step.operation.kind is Kind.ADD and step.answer.ok and step.value not in (step.after or ()):
        return []
    return sorted(value for value in Counter(step.after) - Counter(step.before) if value not in allowed)
