"""Races: drawn first, run by threads that only write down, and judged when all is quiet."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.tags.races import Pattern, plans_of
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.concurrent import MAIN, MOST_TRIES, WorkerPool, execute, worker_pool
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.history.concurrent_plans import SET, ClientOperation, ConcurrentPlan, add, delete
from pytest_cloudimages.history.events import Category
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.client.transport import Transport
    from pytest_cloudimages.engine.concurrent import ConcurrentRun

sys.path.insert(0, str(Path(__file__).parent))

from faults import lawful, racing

CLIENTS = (2, 4, 8, 16)
READ = ClientOperation(Kind.READ)
PATIENCE = 0.3
LONG = 0.05
"""Seconds that a service thinks, for tests of what is certain to meet."""


@pytest.fixture
def members() -> Iterator[WorkerPool]:
    """Keep a crew."""
    with worker_pool() as pool:
        yield pool


def test_what_two_pools_send_at_once_stays_apart(members: WorkerPool) -> None:
    """Each scope gets what its own clients send, while those of the other one send too."""
    recorder, turns = Recorder(), threading.Barrier(4)

    def send(target: str) -> None:
        for _ in range(10):
            turns.wait(10)
            recorder.add(Exchange("GET", target, (), b"", 200, (), b"", b"", 0.0, 1.0))

    with worker_pool() as others:
        with recorder.scope() as first:
            asked = [members.ask(client, partial(send, "/first")) for client in (1, 2)]
        with recorder.scope() as second:
            asked += [others.ask(client, partial(send, "/second")) for client in (1, 2)]
        for answer in asked:
            answer.result()

    assert [exchange.target for exchange in first] == ["/first"] * 20
    assert [exchange.target for exchange in second] == ["/second"] * 20


def test_a_crew_knows_what_it_works_for(members: WorkerPool) -> None:
    """Each time it is asked: threads outlive the check that they were begun for."""
    recorder = Recorder()

    def counted() -> Purpose:
        recording.current_check().case()
        return recorder.purpose

    for purpose in (Purpose.PREPARING, Purpose.EXPLAINING):
        mine = recording.CheckRecord()
        recording.collect(mine)
        try:
            with recorder.of(purpose):
                asked = [members.ask(client, counted) for client in (0, 1)]
                assert [each.result() for each in asked] == [purpose, purpose]
        finally:
            recording.collect(None)
        assert mine.cases == 2
    assert members.ask(0, lambda: recorder.purpose).result() is Purpose.JUDGING


@pytest.fixture
def running(members: WorkerPool, open_wire: Callable[..., Transport]) -> Iterator[Callable[..., ConcurrentRun]]:
    """Run a race against an app."""
    with ExitStack() as stack:
        clients: dict[App, Any] = {}

        def ran(app: App, race: ConcurrentPlan, *, clean: bool = True, timeout: float = 5.0) -> ConcurrentRun:
            if app not in clients:
                server = stack.enter_context(serving(app))
                token, recorder = app.identity.issue("tester").value, Recorder()
                client = ImagesClient(
                    f"{server.url}/v2", open_wire(server.url, timeout=timeout), recorder, lambda: token
                )
                clients[app] = partial(temporary_image, client, "test"), Eventually(PATIENCE, recorder)
            opened, patience = clients[app]
            return execute(race, TAGS, opened, members, patience=patience, late=PATIENCE, clean=clean)

        yield ran


def race(*phases: tuple[tuple[ClientOperation, ...], ...], pattern: Pattern = Pattern.MIXED) -> ConcurrentPlan:
    """Make a race of beats."""
    return ConcurrentPlan(pattern, max(map(len, phases)), phases)


# What is drawn


@pytest.mark.parametrize("pattern", [*Pattern])
def test_a_race_follows_from_its_number(pattern: Pattern) -> None:
    """Equal numbers draw equal races, others draw others."""
    assert plans_of(pattern, 1, CLIENTS, 1) == plans_of(pattern, 1, CLIENTS, 1)
    assert plans_of(pattern, 1, CLIENTS, 1) != plans_of(pattern, 2, CLIENTS, 1)


@pytest.mark.parametrize("pattern", [*Pattern])
def test_a_race_has_at_most_as_many_clients_as_there_are_and_a_reader(pattern: Pattern) -> None:
    """Nobody is asked to start more."""
    for plan in plans_of(pattern, 3, CLIENTS, 1):
        assert max(map(len, plan.phases)) <= plan.clients + 1 <= max(CLIENTS) + 1


@pytest.mark.parametrize("clients", CLIENTS)
def test_different_tags_are_different(clients: int) -> None:
    """Every one is added once, and deleted once by another client than the one that added it."""
    found = next(plan for plan in plans_of(Pattern.DISTINCT, 4, CLIENTS, 1) if plan.clients == clients)
    adding, deleting = (
        [action.value for process in phase for action in process if action.value] for phase in found.phases
    )

    assert len({*adding}) == len(adding)
    assert sorted(adding) == sorted(deleting)
    for mine, others in zip(*found.phases, strict=False):
        assert not {action.value for action in mine if action.value} & {action.value for action in others}


def test_one_of_the_races_of_different_tags_is_on_two_images() -> None:
    """Where a service mixes images up, it shows."""
    assert {plan.images for plan in plans_of(Pattern.DISTINCT, 5, CLIENTS, 1)} == {1, 2}


def test_a_race_for_one_client_alone_has_the_same_changes() -> None:
    """In turn, uncut, without readings and renamings, which plan client cannot race."""
    plan = race(((add("a"), delete("b", cut=True)), (READ, READ), (SET, add("c"))))

    assert plan.one_by_one().phases == (((add("a"), delete("b"), add("c")),),)


def test_on_one_image_everything_is_done_to_it() -> None:
    """A tester who lent one image has no second."""
    assert race(((add("a", 1), add("b")),)).on_one_image().images == 1


def test_a_standard_run_of_all_races_costs_less_than_520_requests() -> None:
    """Counted as they are sent by a service that answers well: images, changes, readings, and the clean-up."""
    total = 0
    for pattern in Pattern:
        for plan in plans_of(pattern, 6, CLIENTS, 1):
            carried = {(action.image, action.value) for action in plan.operations() if action.value}
            total += 2 * plan.images + len([*plan.operations()]) + plan.images * (len(plan.phases) + 1)
            total += len(plan.readers) + len(carried)

    assert total < 520


# What is written down


def test_an_honest_race_is_explained(running: Callable[..., ConcurrentRun]) -> None:
    """All is written down, read in quiet, and cleaned up."""
    run = running(App(), race(((add("a"), add("b")), (add("c"), READ))))

    assert run.anomalies == ()
    assert [sorted(tags or ()) for (tags,) in run.quiescent] == [["a", "b", "c"], []]
    assert sorted(each.event.value for each in run.acknowledged(Kind.ADD, 0)) == ["a", "b", "c"]
    assert sorted(each.event.value for each in run.acknowledged(Kind.DELETE, 1)) == ["a", "b", "c"]
    assert {completed.event.client for completed in run.completed} == {MAIN, 1, 2}
    assert all(each_completed.exchange.sent == each_completed.event.sent for each_completed in run.completed)


def test_clients_start_every_step_together(running: Callable[..., ConcurrentRun]) -> None:
    """A service that waits for all of them gets all of them."""
    together = threading.Barrier(4)

    class Waits(App):
        """Waits for four additions before it answers any."""

        def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
            """Add a tag with three others."""
            together.wait(5)
            return super().add_tag(request, image_id, tag)

    run = running(Waits(), race(tuple((add(f"a{number}"), add(f"b{number}")) for number in range(4))))

    assert len(run.acknowledged(Kind.ADD, 0)) == 8


def test_without_a_clean_up_the_tags_stay(running: Callable[..., ConcurrentRun]) -> None:
    """A service that does not delete is not asked to."""
    run = running(App(), race(((add("a"),), (add("b"),))), clean=False)

    assert len(run.quiescent) == 1
    assert not [completed for completed in run.completed if completed.event.kind is Kind.DELETE]


def test_a_cut_request_is_open(running: Callable[..., ConcurrentRun]) -> None:
    """It has no answer, and what it did is explained."""
    run = running(App(), race(((add("a", cut=True),), (add("b"),))))
    (cut,) = [completed for completed in run.completed if completed.event.value == "a" and completed.phase == 0]

    assert (cut.event.answered, cut.event.status, cut.exchange.note) == (None, 0, "hung up before the answer")
    assert run.anomalies == ()
    assert "a" in (run.quiescent[0][0] or ())


class Hangs(App):
    """Never answers the addition of the tag slow, and does it."""

    over = threading.Event()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag, and keep the answer back."""
        reply = super().add_tag(request, image_id, tag)
        if tag == "slow":
            self.over.wait(10)
        return reply


def test_a_time_out_is_an_open_operation(running: Callable[..., ConcurrentRun]) -> None:
    """It blocks nothing, and accuses nobody."""
    app = Hangs()

    run = running(app, race(((add("slow"),), (add("other"),))), timeout=2.0)
    app.over.set()

    (slow,) = [completed for completed in run.completed if completed.event.value == "slow" and completed.phase == 0]
    assert slow.event.answered is None
    assert "not answered within" in slow.exchange.note
    assert run.anomalies == ()


class Breaks(App):
    """Ends the connection without an answer when the tag broken is added."""

    tries = 0

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag, or leave."""
        if tag == "broken":
            self.tries += 1
            raise ConnectionError
        return super().add_tag(request, image_id, tag)


def test_a_broken_connection_is_repeated_as_an_operation_of_its_own(running: Callable[..., ConcurrentRun]) -> None:
    """What is sent again unseen would be two operations written down as one."""
    app = Breaks()
    run = running(app, race(((add("broken"),), (add("other"),))))

    broken = [completed for completed in run.completed if completed.event.value == "broken"]
    assert app.tries == len(broken) == MOST_TRIES
    assert [completed.event.answered for completed in broken] == [None] * MOST_TRIES
    assert [completed.passing for completed in broken] == [True] * (MOST_TRIES - 1) + [False]


class Asks(App):
    """Asks the first addition of every tag to come back at once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag the second time."""
        if tag not in self.asked:
            self.asked.add(tag)
            return Reply(429, b"", (("Retry-After", "0"),))
        return super().add_tag(request, image_id, tag)


def test_who_is_asked_to_wait_does_so_and_both_are_written_down(running: Callable[..., ConcurrentRun]) -> None:
    """The first was refused, the second took effect."""
    run = running(Asks(), race(((add("a"),), (add("b"),))))

    assert sorted(
        completed.event.status for completed in run.completed if completed.phase == 0 and completed.event.value
    ) == [
        204,
        204,
        429,
        429,
    ]
    assert len(run.asked(Kind.ADD, 0)) == 2
    assert run.anomalies == ()


# What is found


def categories(run: ConcurrentRun) -> set[str]:
    """Return the sorts of what has no order."""
    return {anomaly.category for anomaly in run.anomalies}


def test_a_lost_addition_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """With the tag that was lost, and the exchanges behind it."""
    run = running(
        racing.RewritesWithinTwentyMilliseconds(), race(tuple((add(f"tag-{each_number}"),) for each_number in range(4)))
    )

    assert Category.LOST_ADDITION in categories(run)
    lost = next(anomaly for anomaly in run.anomalies if anomaly.category is Category.LOST_ADDITION)
    assert lost.value in {f"tag-{number}" for number in range(4)}
    assert [exchange.method for exchange in run.exchanges_of(lost.witness)] == ["PUT", "GET"]


def test_a_duplicate_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """As such."""
    app = racing.InsertsTwoRows()
    app.think = LONG
    run = running(app, race(tuple((add("same"),) for _ in range(8))))

    assert Category.DUPLICATE in categories(run)


class RenamesWhileATagComes(racing.RenamesWithTheTagsOfBefore):
    """Lets the first addition come between the reading and the writing of the first renaming."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.added = threading.Event(), threading.Event()

    @property
    def window(self) -> float:  # type: ignore[override]  # read, and never written
        """Wait for the addition."""
        self.read.set()
        self.added.wait(30)
        return 0.0

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Wait for the renaming."""
        self.read.wait(30)
        reply = super().add_tag(request, image_id, tag)
        self.added.set()
        return reply


def test_a_change_that_a_renaming_undoes_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """The image is renamed while a tag comes."""
    adding = tuple(add(f"tag-{number}") for number in range(5))
    run = running(RenamesWhileATagComes(), race((adding, (SET,) * 5)))

    assert {anomaly.value for anomaly in run.anomalies} >= {"tag-0"}


def test_a_renaming_that_a_tag_undoes_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """The name is looked at too; whether the one or the other comes first is anybody's guess, time after time."""
    app = racing.TagsWithTheNameOfBefore()
    app.window = LONG
    run = running(app, race(*(((add(f"tag-{number}"),), (SET,)) for number in range(12))))

    assert Category.COLLATERAL_LOSS in categories(run)


def test_what_a_queue_repeats_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """A deletion that nobody heard takes effect twice."""
    phases = ((add("a"), add("b")),), ((delete("a", cut=True),), (add("c", cut=True),)), ((add("a"), delete("c")),)
    app = racing.RepeatsWhatNobodyHeard()
    app.think = 0.01
    run = running(app, race(*phases))

    assert run.anomalies


def test_a_late_reader_is_told_from_a_lost_change(running: Callable[..., ConcurrentRun]) -> None:
    """What a delay explains is kept apart."""
    adding = tuple(add(f"tag-{number}") for number in range(8))
    run = running(lawful.ShowsOthersChangesLate(), race((adding, (READ,) * 8)))

    assert run.anomalies == ()
    assert run.late


# What is not found


@pytest.mark.parametrize("app", lawful.HONEST)
def test_no_honest_service_is_accused(running: Callable[..., ConcurrentRun], app: type[App]) -> None:
    """Whatever is raced, delayed or cut; `benchmarks/detection_rates.py --alarms` runs a thousand."""
    served = app()
    for pattern in Pattern:
        for plan in plans_of(pattern, 7, (2, 4, 8), 1):
            run = running(served, plan)
            assert [anomaly.text for anomaly in run.anomalies] == []
            assert not any(run.quiescent[-1])
