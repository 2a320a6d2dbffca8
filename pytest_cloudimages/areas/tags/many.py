"""Workloads of images that carry very many tags: as many as a limit allows, where a service has one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from pytest_cloudimages.areas.images.life import Life
from pytest_cloudimages.areas.tags.plans import plan_among_many
from pytest_cloudimages.areas.tags.resource import TAGS, set_tags
from pytest_cloudimages.areas.tags.tag_limit import ManySteps, many_steps_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.steps import SequentialHistory
from pytest_cloudimages.spec.verdicts import Blocked

MANY, FEW = (296, 124, 96), 3
"""Tags that are set at once, the most that the service takes: four more are then added one by one."""
LONG_AMONG = 100
"""Characters of each of them: no row of a table holds them all."""


@workload(empty=lambda: many_steps_of([]), requests=(0, 30, 30, 30))
def many_tags(run: Run) -> ManySteps:
    """Set as many tags of an image at once as it takes, add some, delete these and others, add some again, change it.

    Then another image gets its first tag.
    """
    if not run.rounds:
        return many_steps_of([])
    for count in MANY:
        elsewhere: list[Answer] = []
        with suppress(Blocked, pytest.skip.Exception):
            history = _among_many(run, count, elsewhere)
            # What is so among a few tags as well has nothing to do with their number.
            sound = Steps([history]).sound or Steps([_among_many(run, FEW)]).sound
            return many_steps_of([history] if sound else [], elsewhere)
    return many_steps_of([])


def _among_many(run: Run, count: int, elsewhere: list[Answer] | None = None) -> SequentialHistory:
    tags = [f"among-{place}-".ljust(LONG_AMONG, "x") for place in range(count)]

    @contextmanager
    def filled(**attributes: Any) -> Iterator[Image]:
        with run.fresh_image(**attributes) as image:
            with run.recorder.of(Purpose.PREPARING):
                require_ok(set_tags(image, tags))
            yield image
            if elsewhere is not None and not run.settings.image:
                with suppress(Blocked):
                    elsewhere[:] = _limited_by(run, image)

    # What is lent is not ours to change.
    plan, life = (plan_among_many(), None) if run.settings.image else (plan_among_many("changed"), Life(run))
    return sequential.execute(plan, TAGS, filled, single=True, life=life, empty=False)


def _limited_by(run: Run, full: Image) -> list[Answer]:
    """Add the first tag of another image, and return the answers where it is refused for as long as one is full."""
    with run.fresh_image() as other:
        refused = [other.add_tag("first") for _ in range(2)] if _over(other.add_tag("first")) else []
        if not refused or not all(map(_over, refused)):
            return []
        with run.recorder.of(Purpose.PREPARING):
            require_ok(set_tags(full, []))
        taken = other.add_tag("first")
        return [*refused, taken] if taken.ok else []


def _over(answer: Answer) -> bool:
    return answer.status == 413  # noqa: PLR2004 - as HTTP has it
