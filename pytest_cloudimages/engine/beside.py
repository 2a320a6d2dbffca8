"""Executes concurrent plans beside each other: each on images of its own, and by clients of its own."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import pytest

from pytest_cloudimages.engine.concurrent import ConcurrentRun, WorkerPool, worker_pool
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.history.resource import SetResource

CLIENTS = 4
"""How many clients a race counts for where it is said how many may be at work at once."""
Execute = Callable[[ConcurrentPlan, WorkerPool], ConcurrentRun]


def execute_beside(
    plans: Sequence[ConcurrentPlan], resource: SetResource, execute: Execute, clients: int
) -> list[ConcurrentRun | None]:
    """Return what each plan has shown; ``None`` where it could not be executed, or has to be executed alone.

    ``clients`` is about how many may be at work at once. What is not plainly in order says nothing here: it may be what
    only a crowd shows.
    """
    threads = min(clients // CLIENTS, len(plans))
    found: list[ConcurrentRun | None] = [None] * len(plans)
    # Those of many clients take longest: they begin first, so that nobody waits for them in the end.
    left = sorted(range(len(plans)), key=lambda place: plans[place].clients)
    if threads > 1:
        pool = TaskPool(threads)
        try:
            pool.execute([partial(_in_turn, plans, resource, execute, left, found)] * threads)
        finally:
            # Where one thread has failed, the others begin nothing more.
            left.clear()
            pool.close()
    return found


def _in_turn(
    plans: Sequence[ConcurrentPlan],
    resource: SetResource,
    execute: Execute,
    left: list[int],
    found: list[ConcurrentRun | None],
) -> None:
    """Execute one plan after another, until none is left."""
    with worker_pool() as workers, suppress(IndexError):
        while True:
            place = left.pop()
            with suppress(Exception, pytest.skip.Exception):  # what goes wrong here is tried again alone
                run = execute(plans[place], workers)
                found[place] = run if _plainly_in_order(run, resource) else None


def _plainly_in_order(run: ConcurrentRun, resource: SetResource) -> bool:
    """Return whether some order explains all, and nobody has anything to say of any status."""
    if run.anomalies or run.late:
        return False
    return all(resource.is_usual(each.event.kind, each.event.status) for each in run.completed if not each.cut)
