"""The races of tags: drawn, executed once, and looked at by many checks."""

from collections.abc import Iterator
from functools import partial

from pytest_cloudimages.areas.tags import races as drawing
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.concurrent import worker_pool
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan


@workload(salt="races", follows_the_seed=True, needs=["basics"], requests=(130, 364, 1490, 3715))
def races(run: Run, seed: int, basics: Basics) -> Iterator[ConcurrentRuns]:
    """Yield what many clients do at once, and whether any order of it explains what they were answered.

    A pattern is drawn and executed when a check first asks for it.
    """
    drawn = partial(_drawn, run, seed, basics)
    with worker_pool() as workers:
        yield ConcurrentRuns(run, TAGS, workers, tuple(Pattern), drawn, run.fresh_image, clean=basics.deletes)


def _drawn(run: Run, seed: int, basics: Basics, pattern: str) -> list[ConcurrentPlan]:
    """Return the plans of a pattern, as far as they teach something of a service that does these basics.

    Raise ``Blocked`` where they would teach nothing.
    """
    basics.require_additions()
    if pattern in drawing.RETURNS:
        basics.require_second_lives()
    elif pattern in drawing.DELETES:
        basics.require_deletions()
    if pattern == Pattern.RENAMING and run.settings.image:
        # The name of a lent image is not ours to change.
        return []
    effort = run.settings.effort
    plans = drawing.plans_of(Pattern(pattern), seed, effort.clients, effort.races)
    if not basics.deletes:
        return [plan.without_deletions() for plan in plans]
    return plans if basics.returns else [plan.without_returns() for plan in plans]
