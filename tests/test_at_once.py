"""Workloads that are made at once: what they show is what they show alone, or they are made again, alone."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages import areas
from pytest_cloudimages.areas.images.patch_model import in_the_new_form
from pytest_cloudimages.areas.images.patches import LEFT, OPTIONAL, VALID, Wanted, patches
from pytest_cloudimages.areas.tags import reuse
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.outage import Stopped
from pytest_cloudimages.engine import registry
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.registry import Workloads, workload
from pytest_cloudimages.engine.scheduler import make_at_once
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.beside import beside
from faults.trial import judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.engine.run import Run

areas.load()
COSTS = (1, 1, 1, 1)
LONGEST = 30.0
"""Seconds after which what is waited for does not come any more."""


@pytest.fixture
def pool() -> Iterator[TaskPool]:
    """Yield a pool of one thread."""
    pool = TaskPool(1)
    yield pool
    pool.close()


def test_tasks_of_tasks_come_to_their_end_however_few_threads_there_are(pool: TaskPool) -> None:
    """Whoever waits for a task that nobody has begun does it."""

    def branch(depth: int) -> int:
        return sum(pool.execute([partial(branch, depth - 1)] * 3)) if depth else 1

    assert pool.begin(branch, 3).result(LONGEST) == 27


def test_parts_of_a_task_go_before_tasks_that_nobody_has_begun() -> None:
    """Whoever has parts was there first; else the longest chain of requests gets longer by all that waits."""
    order: list[str] = []
    asked, free, begun = (threading.Event() for _ in range(3))
    pool = TaskPool(2)

    def first() -> None:
        free.set()
        assert begun.wait(LONGEST)

    def second() -> None:
        order.append("a part")
        begun.set()

    def whole() -> None:
        assert asked.wait(LONGEST)
        pool.execute([first, second])

    tasks: list[Future[Any]] = [
        pool.begin(free.wait, LONGEST),
        pool.begin(whole),
        pool.begin(order.append, "another task"),
    ]
    asked.set()
    for task in tasks:
        task.result(2 * LONGEST)
    pool.close()

    assert order == ["a part", "another task"]


def test_what_goes_wrong_is_raised_when_all_have_ended(pool: TaskPool) -> None:
    """No request of a task may be sent for somebody else."""
    ended = []

    def task(number: int) -> None:
        ended.append(number)
        if number < 2:
            raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        pool.execute([partial(task, number) for number in range(4)])
    assert sorted(ended) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ([20] * 21, [140, 80, 80, 60, 60]),
        ([40] * 8 + [12], [132, 80, 40, 40, 40]),
        ([200, 1, 1], [200, 1, 1]),
        ([100], [100]),
        ([], [0]),
    ],
)
def test_what_wears_an_image_out_stays_on_one_image(sizes: list[int], wanted: list[int]) -> None:
    """The first part of what is executed on one image adds more tags than an image may carry; the rest is shared."""
    plans = [[Operation(Kind.ADD, f"{place}-{number}") for number in range(size)] for place, size in enumerate(sizes)]

    found = reuse.parts(plans)

    assert sorted(plans.index([*plan]) for part in found for plan in part) == [*range(len(plans))]
    assert [sum(map(len, part)) for part in found] == wanted


def test_patches_that_need_each_other_are_tried_on_one_image() -> None:
    """Each part is about attributes that it adds itself, or that the first patches leave on any image."""
    first, *further = patches(whole=True)
    added = [{each["path"][1:] for wanted in part for each in of(wanted, "add")} for part in (first, *further)]

    assert {*LEFT} <= added[0]
    for part, names in zip(further, added[1:], strict=True):
        assert {wanted.needs for wanted in part} - {""} <= names | {*LEFT}
        removed = {each["path"][1:] for wanted in part for each in of(wanted, "remove")}
        assert removed & set().union(*added) <= names | {*LEFT}


def of(wanted: Wanted, operation: str) -> list[dict[str, Any]]:
    """Return the operations of a patch that are of one kind, in either form."""
    body = in_the_new_form(wanted.body) if isinstance(wanted.body, list) and wanted.aim in VALID + OPTIONAL else []
    return [each for each in body if each["op"] == operation]


@pytest.fixture
def run() -> Iterator[Run]:
    """Yield a run on the embedded server that makes four workloads at once."""
    run = prepare(Settings(reference=True, profile="quick", seed=1, concurrency=4), (TAGS,))
    yield run
    run.close()


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Run], Any]], registry.Workload]:
    """Return what declares a workload for one test."""
    monkeypatch.setattr(registry, "_WORKLOADS", {})

    def declared(make: Callable[[Run], Any]) -> registry.Workload:
        workload(requests=COSTS)(make)
        return registry.workloads()[-1]

    return declared


def test_workloads_are_made_at_once(run: Run, declare: Callable[..., registry.Workload]) -> None:
    """Each begins before the other ends; what sends nothing yet is not made beside anybody."""
    both = threading.Barrier(2, timeout=LONGEST)

    def first(run: Run) -> bool:
        both.wait()
        with run.fresh_image() as image:
            return image.add_tag("a").ok

    def second(_: Run) -> int:
        return both.wait() + 1

    declared = [declare(first), declare(second)]
    with Workloads(run) as workloads:
        make_at_once(workloads, run, declared)
        assert workloads.beside_others == {"first"}
        assert (run.pool, workloads.first, workloads.second > 0) == (None, True, True)
        workloads.forget(["first", "second"])
        both.reset()
        threading.Thread(target=both.wait, daemon=True).start()
        assert workloads.first
        assert (workloads.beside_others, workloads.forgotten) == (set(), {"first"})


@pytest.mark.parametrize("how", ["refused", "refused where that is judged", "wrong"])
def test_what_cannot_be_made_beside_others_is_made_alone(
    run: Run, declare: Callable[..., registry.Workload], how: str
) -> None:
    """Where there is no room for one more image, or anything else goes wrong: that is no problem yet.

    Who may create no image at all is refused alone as well, and is asked once.
    """
    judged = how.endswith("judged")
    made_alone = []

    def crowded(run: Run) -> str:
        made_alone.append(run.pool is None)
        refused = how.startswith("refused") and not made_alone[-1]
        with run.recorder.of(Purpose.JUDGING if judged else Purpose.PREPARING):
            run.client.send("POST", "/images", json={}, headers={"Content-Type": "text/plain"} if refused else {})
        if how == "wrong" and not made_alone[-1]:
            raise ValueError
        return "made"

    with Workloads(run) as workloads:
        make_at_once(workloads, run, [declare(crowded), declare(lambda run: run.client.list())])
        assert made_alone == [False]
        assert workloads.crowded == "made"
        assert made_alone == ([False] if judged else [False, True])


def test_whoever_ends_a_run_ends_what_is_made_at_once(run: Run, declare: Callable[..., registry.Workload]) -> None:
    """Nothing more is sent but what cleans up."""
    stopped = []

    def endless(run: Run) -> None:
        with run.fresh_image() as image:
            run.recorder.tell_of_waiting(1.0, "nothing")
            try:
                while True:
                    image.show()
            except Stopped:
                stopped.append(image.id)
                raise

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    run.recorder.tell_of_waiting = interrupt
    with Workloads(run) as workloads, pytest.raises(KeyboardInterrupt):
        make_at_once(workloads, run, [declare(endless), declare(lambda run: run.client.list())])
    assert stopped
    assert run.client.show(stopped[0]).status == 404
    assert run.recorder.traces.left_behind == []


class AddsToAllOfMany(App):
    """Is confused by more images than a workload here asks for by itself: what is added to one is added to all."""

    most = 2

    def __init__(self) -> None:
        super().__init__()
        self.confused = threading.Event()
        self.created = threading.Condition()

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        with self.created:
            self.created.notify_all()
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.created:
            # The first additions wait for the crowd, so that no luck is needed.
            self.created.wait_for(lambda: self.confused.is_set() or len(self.images.all()) > self.most, 5)
        reply = super().add_tag(request, image_id, tag)
        if len(images := self.images.all()) > self.most:
            self.confused.set()
            for image in images:
                image.tags += [] if tag in image.tags else [tag]
        return reply


def test_what_only_a_crowd_shows_is_no_finding(workshop: Any) -> None:
    """What is amiss beside others is asked again alone, and judged by that."""
    app = AddsToAllOfMany()
    with serving(app) as server:
        workshop.named(server)
        outcome = workshop.judge(
            "--select", "TAG-ADD-04", "--select", "TAG-ADD-05", "--concurrency", "8", "--patience", "0.3"
        )

    assert app.confused.is_set()
    assert (outcome.verdict("TAG-ADD-04"), outcome.verdict("TAG-ADD-05")) == ("pass", "pass"), outcome.out


SAMPLE = ("DeletesTheBeginning", "SplitsFiltersAtCommas", "ShowsChangesLate")
"""Faults, and a service that is lawful; `tox run -e concurrency` judges all."""


@pytest.mark.parametrize("name", SAMPLE)
def test_verdicts_are_those_of_one_after_another(name: str, tmp_path: Path) -> None:
    """What a fault breaks is found, and nothing else."""
    fault = FAULTS[name]
    outcome = judged(fault, tmp_path, profile=fault.profile, select=beside(fault), further=("--concurrency", "16"))

    assert not (quarrel := outcome.quarrel(fault.broken, fault.perhaps)), quarrel
