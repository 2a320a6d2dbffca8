"""Patches that meet: several clients add and remove attributes of one image at once, while another renames it."""

from collections.abc import Callable, Iterator
from functools import partial

from pytest_cloudimages.areas.images.patch_model import add as added
from pytest_cloudimages.areas.images.patch_model import remove
from pytest_cloudimages.areas.images.patches import Aim
from pytest_cloudimages.areas.images.tried_patches import Updates
from pytest_cloudimages.client.exchange import PATCH_TYPE, Request
from pytest_cloudimages.engine.concurrent import ConcurrentRun, worker_pool
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.concurrent_plans import SET, SET_LATER, ConcurrentPlan, add, delete
from pytest_cloudimages.history.events import Anomaly
from pytest_cloudimages.history.resource import Answered, Effect, SetResource, represented

PREFIX = "cloudimages_race_"
"""What the names of the attributes begin with; nobody else has such."""
MEETING, RENAMING = "attributes added and removed by many", "attributes added while another renames the image"
RENAMED = 4


def _patch(image: str, operation: object) -> Request:
    return Request("PATCH", f"/images/{image}", json=[operation], headers={"Content-Type": PATCH_TYPE})


def _names(answer: Answered) -> tuple[str, ...] | None:
    shown = represented(answer)
    return None if shown is None else tuple(sorted(name for name in shown if name.startswith(PREFIX)))


ATTRIBUTES = SetResource(
    "attribute",
    add=lambda image, name: _patch(image, added(f"/{name}", "set")),
    delete=lambda image, name: _patch(image, remove(f"/{name}")),
    read=lambda image: Request("GET", f"/images/{image}"),
    values=_names,
    added={"2xx": Effect.MADE_PRESENT, "4xx": Effect.NOTHING_DONE},
    # A patch that meets another one may be refused as well as one of an attribute that is not there.
    deleted={"2xx": Effect.MADE_ABSENT, "4xx": Effect.NOTHING_DONE},
)


@workload(salt="patch races", follows_the_seed=True, needs=["updates"], requests=(0, 57, 57, 57))
def patch_races(run: Run, seed: int, updates: Updates) -> Iterator[ConcurrentRuns]:
    """Yield what patches do to one image at once; nothing where MUSTs alone are asked for, or none adds anything."""
    adds = any(attempt.answer.ok for attempt in updates.tried if attempt.wanted.aim is Aim.ADDED)
    drawn = partial(_drawn, run, seed, adds=adds)
    with worker_pool() as workers:
        yield ConcurrentRuns(
            run, ATTRIBUTES, workers, (MEETING, RENAMING), drawn, partial(run.fresh_image, own=True), clean=False
        )


def _drawn(run: Run, seed: int, pattern: str, *, adds: bool) -> list[ConcurrentPlan]:
    counts = run.settings.effort.clients[2::2] if run.rounds and adds else ()
    return [_plan(pattern, count, f"{PREFIX}{seed + place:08x}") for place, count in enumerate(counts)]


def _plan(pattern: str, clients: int, stem: str) -> ConcurrentPlan:
    if pattern == RENAMING:
        names = [f"{stem}_{place}" for place in range(RENAMED)]
        changes = zip(names, (SET, SET_LATER) * RENAMED, strict=False)
        phases = [((add(name),), (change,)) for name, change in changes]
        return ConcurrentPlan(pattern, clients, (*phases, (tuple(delete(name) for name in names), (SET, SET_LATER))))
    shares = [[f"{stem}_{client}_{place}" for place in range(2)] for client in range(clients)]
    adding = tuple(tuple(add(name) for name in share) for share in shares)
    deleting = tuple(tuple(delete(name) for name in share) for share in [*shares[1:], shares[0]])
    return ConcurrentPlan(pattern, clients, (adding, deleting))


def of_attributes(races: ConcurrentRuns) -> Callable[[ConcurrentRun], list[Anomaly]]:
    """Return what finds, in a race, what no order explains of the attributes that come and go."""
    return lambda run: [anomaly for anomaly in races.unexplained(run) if anomaly.about]


def of_the_name(races: ConcurrentRuns) -> Callable[[ConcurrentRun], list[Anomaly]]:
    """Return what finds, in a race, what no order explains of the image's name."""
    return lambda run: [anomaly for anomaly in races.unexplained(run) if not anomaly.about]
