"""What a step may change, and what it has changed. No I/O."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect
from pytest_cloudimages.history.steps import Step
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.statuses import DONE_OR_REFUSED


def after_exact_effect(step: Step) -> list[str]:
    """Return the values that a step with this answer leaves: with its effect and no other, or as they were."""
    effect = step.resource.effect(step.operation.kind, step.answer.status)
    if effect not in (Effect.MADE_PRESENT, Effect.MADE_ABSENT):
        return sorted(step.before or ())
    left = [value for value in step.before or () if value != step.value]
    return sorted([*left, step.value] if step.operation.kind is Kind.ADD else left)


def took_exact_effect(step: Step) -> bool:
    """Return whether a step did to the set what its answer says: just that, or nothing where it was refused."""
    return (step.answer.ok or step.answer.refused) and sorted(step.after or ()) == after_exact_effect(step)


def expect_exact_effect(step: Step) -> None:
    """Raise ``Mismatch`` unless a step did to the set what its answer says: just that, or nothing where it was refused.

    An answer that says neither is one, too.
    """
    __tracebackhide__ = True
    if step.known and took_exact_effect(step):
        return
    step.expect(status=DONE_OR_REFUSED, after=after_exact_effect(step))


def expect_others_kept(step: Step, *, but: Iterable[str] | None = None) -> None:
    """Raise ``Mismatch`` where a step took or brought other values; ``but`` are those it may, by default its own."""
    __tracebackhide__ = True
    missing, unexpected = others_removed(step, but=but), others_added(step, but=but)
    if missing or unexpected:
        allowed = [*([step.value] if but is None else but), *step.overdue]
        # What may come or go is left out on both sides, and so is what came altered in the place of an added value.
        came = [value for value in without(step.after, *allowed) if value in unexpected or value in (step.before or ())]
        what = f"other {step.resource.name}s after {step.answered}"
        expect(came, without(step.before, *allowed), what, before=sorted(step.before or ()))


def without(values: Iterable[str] | None, *left_out: str) -> list[str]:
    """Return values in a settled order, without some of them."""
    return sorted(value for value in values or () if value not in left_out)


def others_removed(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Return the other values that a step took away; ``but`` are those it may take, by default the one it names."""
    allowed = {step.value} if but is None else {*but}
    allowed |= step.overdue
    return sorted(value for value in _surplus(step.before or (), step.after or ()) if value not in allowed)


def others_added(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Return the other values that a step brought; ``but`` are those it may bring, by default the one it names.

    Where an added value is not listed, what came in its place is that value, altered, and no value beside it.
    """
    allowed = {step.value} if but is None else {*but}
    if step.operation.kind is Kind.ADD and step.answer.ok and step.value not in (step.after or ()):
        return []
    allowed |= step.overdue
    return sorted(value for value in _surplus(step.after or (), step.before or ()) if value not in allowed)


def _surplus(values: Sequence[str], others: Sequence[str]) -> Collection[str]:
    """Return the values that are there more often than among others; most are there once."""
    distinct = {*values}
    return distinct.difference(others) if len(distinct) == len(values) else Counter(values) - Counter(others)
