"""What is done to the members of images, executed once, and looked at by many checks."""

import enum
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st

from pytest_cloudimages.areas.common.offers import NOT_OFFERED, made_visible, require_once, skip_where_lacking
from pytest_cloudimages.areas.members.resource import AT_ONCE, MEMBERS
from pytest_cloudimages.client.capabilities import SHARE
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import drawing, sequential
from pytest_cloudimages.engine.concurrent import worker_pool
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.watching import showing
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan, add, delete
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.sequential_plans import in_groups, read_often
from pytest_cloudimages.history.steps import SequentialHistory, Step
from pytest_cloudimages.spec.statuses import OVER_LIMIT
from pytest_cloudimages.spec.verdicts import Blocked

REAL, DRAWN = "a project that there is", "a project id that was drawn"
"""The classes of members: a service may refuse to share an image with a project that there is not."""
STEPS, EVERY, PROJECTS = 30, 3, 4
"""Operations of a drawn sequence, operations between two readings, and the projects that it names."""
MANY = 26
"""Members of one image: one more than the page of images has in Glance, where nobody asks for another."""


def project_ids(seed: int, count: int) -> list[str]:
    """Return ids in the form of Keystone's that belong to no project, by all odds."""
    return [hashlib.sha256(f"{seed} {place}".encode()).hexdigest()[:32] for place in range(count)]


@contextmanager
def shared_image(run: Run, **attributes: Any) -> Iterator[Image]:
    """Open an image without members that can be shared; the test is *untested* where none was lent.

    Rulings, 6: an image with the visibility *shared* has members, or any image where there is no such visibility.
    """
    if any(_visibility(run.client, lent) not in (None, "shared") for lent in run.settings.image):
        pytest.skip("needs images with the visibility shared, and others were lent")
    skip_where_lacking(run.recorder, MEMBERS_OF_IMAGES)
    if run.settings.image:
        # Its members are to be put back, and so are read before anything else is asked.
        require_once(run.recorder, "members of lent images", partial(_hides_members, run))
    try:
        with run.fresh_image(resources=[MEMBERS], **attributes) as image:
            if not run.settings.image and _visibility(run.client, image.id) not in (None, "shared"):
                made_visible(image, "shared")  # where it is refused, the service has no such visibility
            yield image
    finally:
        # Where a member was added, there are members: only where none was it takes requests to find out.
        if SHARE not in run.recorder.capabilities.done:
            require_once(run.recorder, MEMBERS_OF_IMAGES, partial(_lacks_members, run))


MEMBERS_OF_IMAGES = "members of images"
REFUSALS = NOT_OFFERED | {403}
"""How a service that has no members, or leaves them to others by its policy, answers the owner of an image."""


def _lacks_members(run: Run) -> str:
    """Return the answers by which a service says that the owner of an image has no members to see, or none to add."""
    with run.fresh_image(resources=[MEMBERS]) as image:
        added = image.client.ask(MEMBERS.add(image.id, *project_ids(0, 1)))
        if added.status not in REFUSALS | {OVER_LIMIT} or not image.show().ok:
            return ""
        listed = image.client.ask(MEMBERS.read(image.id))
        if listed.status in REFUSALS:
            return f"{added.exchange}; {listed.exchange}"
        if MEMBERS.values(listed):
            return ""  # it was refused, and carried out
        # The addition may be refused for its project, that there is not.
        with suppress(Blocked, pytest.skip.Exception):
            consumer = run.of_another_project()
            if consumer is not None:
                added = image.client.ask(MEMBERS.add(image.id, run.owner_of(consumer)))
                return str(added.exchange) if added.status in REFUSALS - {404} | {OVER_LIMIT} else ""
    return ""


def _hides_members(run: Run) -> str:
    """Return the answer by which a service says that the owner of an image that was lent has no members to see."""
    lent = run.settings.image[0]
    listed = run.client.ask(MEMBERS.read(lent))
    return str(listed.exchange) if listed.status in REFUSALS and run.client.show(lent).ok else ""


def _visibility(client: ImagesClient, image_id: str) -> str | None:
    with client.recorder.of(Purpose.PREPARING):
        data = client.show(image_id).data
    return data.get("visibility") if isinstance(data, dict) else None


# One client


@workload(salt="members", follows_the_seed=True, requests=(13, 89, 89, 89))
def member_steps(run: Run, seed: int) -> Steps:
    """Add members, one of them twice, delete them and one that is none, re-add one; then in an order that is drawn."""
    projects = [*((project, REAL) for project in _real(run)), *((each, DRAWN) for each in project_ids(seed, PROJECTS))]
    first, second, absent, *_ = projects
    plans = [
        in_groups(
            [
                (Kind.ADD, [first, second, first]),
                (Kind.DELETE, [first, absent]),
                (Kind.ADD, [first]),
                (Kind.DELETE, [second]),
            ]
        )
    ]
    if run.rounds:
        kinds = st.sampled_from([Kind.ADD, Kind.ADD, Kind.DELETE])
        operation = st.builds(_operation, kinds, st.sampled_from(projects[:PROJECTS]))
        drawn = st.lists(operation, min_size=STEPS, max_size=STEPS)
        plans += [read_often(plan, EVERY) for plan in drawing.draw(drawn, seed)]
        # A list of members has no pages: whoever is one is on it, and of many more than a page of images often has.
        many = [(each, DRAWN) for each in project_ids(seed + 1, MANY)]
        plans += [in_groups([(Kind.ADD, many)])] if not run.settings.image else []

    opened, show = partial(shared_image, run), showing(run, _steps_of)
    return _steps_of(sequential.execute_all(plans, MEMBERS, opened, single=run.single, pool=run.pool, show=show))


def _steps_of(histories: list[SequentialHistory]) -> Steps:
    added = [step for history in histories for step in history.steps if step.operation.kind is Kind.ADD]
    any_taken = any(step.answer.ok for step in added)
    drawn_taken = any(step.answer.ok and _drawn_addition(step) for step in added)

    def is_full(step: Step) -> bool:
        """Return whether a member was refused by 413, where there were some, or none ever: a quota (MEM-CRE-08)."""
        full = step.operation.kind is Kind.ADD and step.answer.status == OVER_LIMIT
        return full and (bool(step.before) or not any_taken)

    return Steps(histories, lambda _, step: is_full(step) or (not drawn_taken and _drawn_addition(step)))


def _drawn_addition(step: Step) -> bool:
    """Return whether a project that there is not was to be added, which a service may refuse."""
    return step.operation.kind is Kind.ADD and step.operation.input_class == DRAWN


def _operation(kind: Kind, project: tuple[str, str]) -> Operation:
    value, input_class = project
    return Operation(kind, value, 0, input_class)


def _real(run: Run) -> list[str]:
    """Return the id of the second project, where there is one."""
    with suppress(Blocked, pytest.skip.Exception):
        other = run.of_another_project(able=True)
        return [run.owner_of(other)] if other else []
    return []


# Several clients


class Pattern(enum.StrEnum):
    """What several clients do at once."""

    DISTINCT = "different members added and deleted by many"
    SAME = "one member added by many"


@workload(salt="member races", follows_the_seed=True, requests=(0, 50, 50, 50))
def member_races(run: Run, seed: int) -> Iterator[ConcurrentRuns]:
    """Yield what several clients do to the members of one image at once; nothing where MUSTs alone are asked for."""
    drawn, opened = partial(_drawn, run, seed), partial(shared_image, run)
    with worker_pool() as workers:
        yield ConcurrentRuns(run, AT_ONCE, workers, tuple(Pattern), drawn, opened)


def _drawn(run: Run, seed: int, pattern: str) -> list[ConcurrentPlan]:
    counts = run.settings.effort.clients[2::2] if run.rounds else ()
    return [_plan(pattern, count, project_ids(seed + place, 2 * count)) for place, count in enumerate(counts)]


def _plan(pattern: str, clients: int, projects: list[str]) -> ConcurrentPlan:
    if pattern == Pattern.SAME:
        return ConcurrentPlan(pattern, clients, (((add(projects[0]),),) * clients, ((delete(projects[0]),),)))
    shares = [projects[begin : begin + 2] for begin in range(0, len(projects), 2)]
    adding = tuple(tuple(add(project) for project in share) for share in shares)
    deleting = tuple(tuple(delete(project) for project in share) for share in [*shares[1:], shares[0]])
    return ConcurrentPlan(pattern, clients, (adding, deleting))
