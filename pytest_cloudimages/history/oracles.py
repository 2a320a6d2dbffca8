"""What a step may change, and what it has changed. No I/O."""

from collections import Counter
from collections.abc import Iterable

from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Step


def took_exact_effect(step: Step) -> bool:
    """Whether a step did to the tags what its answer says: just that, or nothing where it was refused."""
    if not (step.answer.ok or step.answer.refused):
        return False
    if not step.answer.ok:
        return sorted(step.after or ()) == sorted(step.before or ())
    added = [step.tag] if step.operation.kind is Kind.ADD else []
    return sorted(step.after or ()) == sorted([*without(step.before, step.tag), *added])


def without(tags: Iterable[str] | None, *left_out: str) -> list[str]:
    """Give tags in a settled order, without some of them."""
    return sorted(one for one in tags or () if one not in left_out)


def others_removed(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Give the other tags that a step took away; ``but`` are those it may take, by default the one it names."""
    allowed = {step.tag} if but is None else {*but}
    missing = Counter(step.before) - Counter(step.after)
    return sorted(tag for tag in missing if tag not in allowed)


def others_added(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Give the other tags that a step brought; ``but`` are those it may bring, by default the one it names.

    Where an added tag is not to be found, what came in its place is that tag, altered: another question.
    """
    allowed = {step.tag} if but is None else {*but}
    if step.operation.kind is Kind.ADD and step.answer.ok and step.tag not in (step.after or ()):
        return []
    return sorted(tag for tag in Counter(step.after) - Counter(step.before) if tag not in allowed)
