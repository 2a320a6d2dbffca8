"""The races of tags: drawn, executed once, and looked at by many checks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial

from pytest_cloudimages.areas.tags import races as drawing
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.concurrent import worker_pool
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.spec.verdicts import Blocked


@workload(salt="races", follows_the_seed=True, needs=["basics"], requests=(130, 382, 1541, 3832))
def races(run: Run, seed: int, basics: Basics) -> Iterator[ConcurrentRuns]:
    """Yield what many clients do at once, and whether any order of it explains what they were answered.

    A pattern is drawn and executed when a check first asks for it.
    """
    callers = cache(partial(writers, run))
    drawn = partial(_drawn, run, seed, basics, callers)
    with worker_pool() as workers:
        yield ConcurrentRuns(run, TAGS, workers, tuple(Pattern), drawn, run.fresh_image, basics.deletes, callers)


def writers(run: Run) -> list[ImagesClient]:
    """Return the tester, and further callers of whom an addition of a tag to the tester's image is accepted."""
    found = [run.client]
    with run.recorder.of(Purpose.PREPARING), run.fresh_image() as image:
        for who in ("CREATOR", "ADMIN", *(["ALT"] if run.same_project("ALT") else [])):
            with suppress(Blocked):
                other = run.caller(who)
                if other and image.seen_by(other).add_tag(f"of-{who.lower()}").ok:
                    found.append(other)
    return found


def _drawn(
    run: Run, seed: int, basics: Basics, callers: Callable[[], Sequence[ImagesClient]], pattern: str
) -> list[ConcurrentPlan]:
    """Return the plans of a pattern, as far as they teach something of a service that does these basics.

    Raise ``Blocked`` where they would teach nothing.
    """
    basics.require_additions()
    if pattern in drawing.RETURNS:
        basics.require_second_lives()
    elif pattern in drawing.DELETES:
        basics.require_deletions()
    if pattern in (Pattern.RENAMING, Pattern.UPLOADING) and run.settings.image:
        # The name of a lent image is not ours to change, nor its data to give.
        return []
    effort, clients = run.settings.effort, run.settings.effort.clients
    if pattern == Pattern.CALLERS:
        several = run.rounds and any(run.others.values())
        clients = (len(callers()) if several else 1,)
    plans = drawing.plans_of(Pattern(pattern), seed, clients, effort.races)
    # A tag that goes otherwise where it was added again tells nothing of those who meet.
    alone = pattern == Pattern.SAME and not basics.repeats
    if alone or not basics.deletes:
        return [plan.without_deletions() for plan in plans]
    return plans if basics.returns else [plan.without_returns() for plan in plans]
