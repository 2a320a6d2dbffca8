"""The control of what is asked of special tags: the same with tags that mean nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import how_to_state_it
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.sequential_plans import in_groups
from pytest_cloudimages.history.steps import Prior, SequentialHistory
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import Blocked

COUNT = 24
"""Plain tags of the control: as many as special ones meet on one image."""
ABSENT = "another"
REFUSED_FOR_ROOM = (400, 403, 409, 413, 422)
"""How a service may refuse one tag more; that it is to be 413, is TAG-ADD-20's to say."""
STATUS = "status of"
"""What the subject of a mismatch of an answer's status begins with."""


@contextmanager
def controlled(run: Run, *, returning: bool = False) -> Iterator[None]:
    """Let a finding about special tags stand only where plain ones fare better.

    Where those come and go as well, or are answered so, the finding is of what the tags have in common, and other
    requirements' to tell. ``returning`` asks so of those as well that are added again once they were deleted.
    """
    __tracebackhide__ = True
    try:
        yield
    except Mismatch as mismatch:
        if run.client.transport.way.budget.requests == 0:
            raise  # nothing may be asked: it is a first look, and no finding yet
        if _of_others(mismatch) and not Steps([_plain_tags(run)]).sound:
            raise Blocked("Plain tags come and go as well, so that nothing is told of special ones.") from mismatch
        if returning and _of_a_return() and not Steps([_plain_tags(run, returning=True)]).sound:
            raise Blocked(
                "Plain tags that come back fare no better, so that nothing is told of special ones."
            ) from mismatch
        if mismatch.actual in REFUSED_FOR_ROOM and _taken_alone(run):
            pytest.skip(
                "needs images that carry more at once: an image without tags takes the tag that was refused with"
                f" {mismatch.actual}, which a service may do over a limit of its own (TAG-ADD-19)."
                f"{how_to_state_it(run.settings)}"
            )
        if mismatch.what.startswith(STATUS) and mismatch.actual in _answers_to_plain_tags(run):
            limited = how_to_state_it(run.settings) if mismatch.actual == 413 else ""  # noqa: PLR2004 - over a limit
            raise Blocked(
                f"Plain tags are answered {mismatch.actual} as well, so that nothing is told of special ones;"
                f" see TAG-ADD-01 and TAG-DEL-01.{limited}"
            ) from mismatch
        raise


def _of_others(mismatch: Mismatch) -> bool:
    """Return whether a mismatch is of tags, and not of the one that the step in hand names."""
    step = current_check().step
    moved = {*mismatch.missing, *mismatch.unexpected}
    return not mismatch.what.startswith(STATUS) and not (step and step.value in moved)


def _taken_alone(run: Run) -> bool:
    """Return whether the tag that the step in hand was to add to others is added where there are none."""
    step = current_check().step
    if step is None or step.operation.kind is not Kind.ADD or not step.before or len(step.value) > LONGEST:
        return False
    with run.recorder.apart(), run.fresh_image() as image:
        return image.add_tag(step.value).ok


def _of_a_return() -> bool:
    """Return whether the step in hand adds a tag that was deleted before."""
    step = current_check().step
    return step is not None and step.operation.kind is Kind.ADD and step.prior is Prior.DELETED


def _answers_to_plain_tags(run: Run) -> set[int]:
    """Return how additions of plain tags, and deletions of those that were added, are answered where they fail."""
    steps = _plain_tags(run).steps
    return {step.answer.status for step in steps if step.value != ABSENT and not step.answer.ok}


def _plain_tags(run: Run, *, returning: bool = False) -> SequentialHistory:
    """Add plain tags, delete one that is not there, and then all of them; have the last of them back at once."""
    tags = [(f"plain{place}word", "control") for place in range(COUNT)]
    plan = in_groups([(Kind.ADD, tags), (Kind.DELETE, [(ABSENT, "control")]), (Kind.DELETE, tags)])
    if returning:
        plan = [*in_groups([(Kind.ADD, tags), (Kind.DELETE, tags)]), *in_groups([(Kind.ADD, tags[-6:])])]
    # What is sent here says nothing of the tags in question: it must not become evidence of the check that asks.
    with run.recorder.apart():
        return sequential.execute(plan, TAGS, run.fresh_image, single=True)
