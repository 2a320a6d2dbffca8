"""Makes workloads at once that do not touch each other's images, before any check looks at them.

What is made so is to be believed as if it were made alone: it is looked at by checks that find nothing amiss. For one
that does, it is forgotten and made again, alone, and that is what the check is judged by. What could not be made beside
others is made alone in the first place. Races are run by checks, one after another, when all this is over.
"""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.engine.task_pool import TaskPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.engine.settings import Settings

MOST_OF_A_CHECK = 20
"""How many requests a check sends itself at most, but for a few of them."""
SECONDS_BETWEEN_LOOKS = 0.5
"""How often it is looked whether there is anything to tell of those that wait."""


def several_at_once(settings: Settings) -> bool:
    """Return whether workloads are made at once: not on images that were lent, nor where each request counts."""
    return settings.concurrency > 1 and not (settings.image or settings.dry_run or settings.limited)


def make_at_once(
    workloads: Workloads, run: Run, declared: Iterable[Workload], further: Sequence[Callable[[], None]] = ()
) -> None:
    """Make workloads, as many at once as the settings allow, and do further tasks that touch nobody's images.

    Workloads that could not be made are left.

    Whatever ends the run early ends them too: nothing more is sent but what cleans up.
    """
    settings = run.settings
    # Those that take longest begin first, so that nobody waits for them in the end.
    wanted = sorted(declared, key=lambda each: -each.requests[settings.profile])
    if not several_at_once(settings) or len(wanted) + len(further) < 2:  # noqa: PLR2004 - one alone
        return
    making = [partial(_make, workloads, run, each.name) for each in wanted]
    long = sum(each.requests[settings.profile] > MOST_OF_A_CHECK for each in wanted)
    tasks: list[Callable[[], None]] = [*making[:long], *further, *making[long:]]
    way, tell, waits = run.client.transport.way, run.recorder.tell_of_waiting, list[tuple[float, str]]()
    _ = run.patience  # made once, for all threads
    run.pool, run.recorder.tell_of_waiting = TaskPool(settings.concurrency), lambda *wait: waits.append(wait)
    try:
        begun = [run.pool.begin(task) for task in tasks]
        while wait(begun, SECONDS_BETWEEN_LOOKS).not_done:
            if waits:
                tell(*waits.pop())
                waits.clear()
    except BaseException:
        way.stopping.set()
        raise
    finally:
        run.pool.close()
        run.pool, run.recorder.tell_of_waiting = None, tell
        way.stopping.clear()


def _make(workloads: Workloads, run: Run, name: str) -> None:
    """Make a workload beside others, unless the service is asked too much as it is.

    What goes wrong here is no problem yet: it is tried again alone, where a check asks for it.
    """
    if not run.client.transport.way.pace.interval:
        with suppress(Exception, pytest.skip.Exception):
            workloads.get(name)
