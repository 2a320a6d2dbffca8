"""The control of what is asked of special tags: the same with tags that mean nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.sequential_plans import in_groups
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import Blocked

COUNT = 24
"""Plain tags of the control: as many as special ones meet on one image."""


@contextmanager
def controlled(run: Run) -> Iterator[None]:
    """Let a finding about special tags, of which others came or went, stand only where plain tags stay as they are.

    Where those come and go as well, the finding is of what the tags have in common, and other requirements' to tell.
    """
    __tracebackhide__ = True
    try:
        yield
    except Mismatch as mismatch:
        if _of_others(mismatch) and not _plain_tags_stay(run):
            raise Blocked("Plain tags come and go as well, so that nothing is told of special ones.") from mismatch
        raise


def _of_others(mismatch: Mismatch) -> bool:
    """Return whether a mismatch is of tags, and not of the one that the step in hand names."""
    step = current_check().step
    moved = {*mismatch.missing, *mismatch.unexpected}
    return not mismatch.what.startswith("status of") and not (step and step.value in moved)


def _plain_tags_stay(run: Run) -> bool:
    """Return whether plain tags stay while others are added and deleted, and one is to be deleted that is not there."""
    tags = [(f"plain{place}word", "control") for place in range(COUNT)]
    plan = in_groups([(Kind.ADD, tags), (Kind.DELETE, [("another", "control")]), (Kind.DELETE, tags[::3])])
    # What is sent here says nothing of the tags in question: it must not become evidence of the check that asks.
    with run.recorder.apart():
        return Steps([sequential.execute(plan, TAGS, run.fresh_image, single=True)]).sound
