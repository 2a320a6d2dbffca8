"""Races: drawn first, run by threads that only write down, and judged when all is quiet."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.tags.races import contests
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.concurrent import MAIN, MOST_TRIES, WorkerPool, execute, worker_pool
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.history.concurrent_plans import RENAME, ClientOperation, ConcurrentPlan, Pattern, add, delete
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
    with worker_pool() as one:
        yield one


def test_a_crew_knows_what_it_works_for(members: WorkerPool) -> None:
    """Each time it is asked: threads outlive the check that they were begun for."""
    recorder = Recorder()
    for purpose in (Purpose.PREPARING, Purpose.EXPLAINING):
        mine = recording.CheckRecord()
        recording.collect(mine)
        try:
            with recorder.of(purpose):
                asked = [
                    members.ask(client, lambda: (recording.current_check().case(), recorder.purpose))
                    for client in (0, 1)
                ]
                assert [one.result()[1] for one in asked] == [purpose, purpose]
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
            return execute(opened, race, members, patience=patience, late=PATIENCE, clean=clean)

        yield ran


def race(*beats: tuple[tuple[ClientOperation, ...], ...], family: Pattern = Pattern.MIXED) -> ConcurrentPlan:
    """Make a race of beats."""
    return ConcurrentPlan(family, max(map(len, beats)), beats)


# What is drawn


@pytest.mark.parametrize("family", [*Pattern])
def test_a_race_follows_from_its_number(family: Pattern) -> None:
    """Equal numbers draw equal races, others draw others."""
    assert contests(family, 1, CLIENTS, 1) == contests(family, 1, CLIENTS, 1)
    assert contests(family, 1, CLIENTS, 1) != contests(family, 2, CLIENTS, 1)


@pytest.mark.parametrize("family", [*Pattern])
def test_a_race_has_at_most_as_many_clients_as_there_are_and_a_reader(family: Pattern) -> None:
    """Nobody is asked to start more."""
    for one in contests(family, 3, CLIENTS, 1):
        assert max(map(len, one.beats)) <= one.clients + 1 <= max(CLIENTS) + 1


@pytest.mark.parametrize("clients", CLIENTS)
def test_different_tags_are_different(clients: int) -> None:
    """Every one is added once, and deleted once by another client than the one that added it."""
    one = next(one for one in contests(Pattern.DISTINCT, 4, CLIENTS, 1) if one.clients == clients)
    adding, deleting = ([action.tag for lane in beat for action in lane if action.tag] for beat in one.beats)

    assert len({*adding}) == len(adding)
    assert sorted(adding) == sorted(deleting)
    for mine, others in zip(*one.beats, strict=False):
        assert not {action.tag for action in mine if action.tag} & {action.tag for action in others}


def test_one_of_the_races_of_different_tags_is_on_two_images() -> None:
    """Where a service mixes images up, it shows."""
    assert {one.images for one in contests(Pattern.DISTINCT, 5, CLIENTS, 1)} == {1, 2}


def test_a_race_for_one_client_alone_has_the_same_changes() -> None:
    """In turn, uncut, without readings and renamings, which one client cannot race."""
    one = race(((add("a"), delete("b", cut=True)), (READ, READ), (RENAME, add("c"))))

    assert one.one_by_one().beats == (((add("a"), delete("b"), add("c")),),)


def test_on_one_image_everything_is_done_to_it() -> None:
    """A tester who lent one image has no second."""
    assert race(((add("a", 1), add("b")),)).on_one_image().images == 1


def test_a_standard_run_of_all_races_costs_less_than_450_requests() -> None:
    """Counted as they are sent by a service that answers well: images, changes, readings, and the clean-up."""
    total = 0
    for family in Pattern:
        for one in contests(family, 6, CLIENTS, 1):
            carried = {(action.image, action.tag) for action in one.actions() if action.tag}
            total += 2 * one.images + len([*one.actions()]) + one.images * (len(one.beats) + 1)
            total += len(one.readers) + len(carried)

    assert total < 450


# What is written down


def test_an_honest_race_is_explained(running: Callable[..., ConcurrentRun]) -> None:
    """All is written down, read in quiet, and cleaned up."""
    heat = running(App(), race(((add("a"), add("b")), (add("c"), READ))))

    assert heat.anomalies == ()
    assert [sorted(tags or ()) for (tags,) in heat.quiet] == [["a", "b", "c"], []]
    assert sorted(one.event.tag for one in heat.acknowledged(Kind.ADD, 0)) == ["a", "b", "c"]
    assert sorted(one.event.tag for one in heat.acknowledged(Kind.DELETE, 1)) == ["a", "b", "c"]
    assert {one.event.client for one in heat.done} == {MAIN, 1, 2}
    assert all(one.exchange.sent == one.event.sent for one in heat.done)


def test_clients_start_every_step_together(running: Callable[..., ConcurrentRun]) -> None:
    """A service that waits for all of them gets all of them."""
    together = threading.Barrier(4)

    class Waits(App):
        """Waits for four additions before it answers any."""

        def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
            """Add a tag with three others."""
            together.wait(5)
            return super().add_tag(request, image_id, tag)

    heat = running(Waits(), race(tuple((add(f"a{one}"), add(f"b{one}")) for one in range(4))))

    assert len(heat.acknowledged(Kind.ADD, 0)) == 8


def test_without_a_clean_up_the_tags_stay(running: Callable[..., ConcurrentRun]) -> None:
    """A service that does not delete is not asked to."""
    heat = running(App(), race(((add("a"),), (add("b"),))), clean=False)

    assert len(heat.quiet) == 1
    assert not [one for one in heat.done if one.event.kind is Kind.DELETE]


def test_a_cut_request_is_open(running: Callable[..., ConcurrentRun]) -> None:
    """It has no answer, and what it did is explained."""
    heat = running(App(), race(((add("a", cut=True),), (add("b"),))))
    (cut,) = [one for one in heat.done if one.event.tag == "a" and one.beat == 0]

    assert (cut.event.answered, cut.event.status, cut.exchange.note) == (None, 0, "hung up before the answer")
    assert heat.anomalies == ()
    assert "a" in (heat.quiet[0][0] or ())


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

    heat = running(app, race(((add("slow"),), (add("other"),))), timeout=0.5)
    app.over.set()

    (slow,) = [one for one in heat.done if one.event.tag == "slow" and one.beat == 0]
    assert slow.event.answered is None
    assert "not answered within" in slow.exchange.note
    assert heat.anomalies == ()


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
    heat = running(app, race(((add("broken"),), (add("other"),))))

    broken = [done for done in heat.done if done.event.tag == "broken"]
    assert app.tries == len(broken) == MOST_TRIES
    assert [done.event.answered for done in broken] == [None] * MOST_TRIES
    assert [done.passing for done in broken] == [True] * (MOST_TRIES - 1) + [False]


class Asks(App):
    """Asks the first addition of every tag to come back at once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag the second time."""
        if tag not in self.asked:
            self.asked.add(tag)
            return Reply(429, b"", (("Retry-After", "0"),))  # type: ignore[arg-type]  # a number will do
        return super().add_tag(request, image_id, tag)


def test_who_is_asked_to_wait_does_so_and_both_are_written_down(running: Callable[..., ConcurrentRun]) -> None:
    """The first was refused, the second took effect."""
    heat = running(Asks(), race(((add("a"),), (add("b"),))))

    assert sorted(one.event.status for one in heat.done if one.beat == 0 and one.event.tag) == [204, 204, 429, 429]
    assert len(heat.asked(Kind.ADD, 0)) == 2
    assert heat.anomalies == ()


# What is found


def categories(heat: ConcurrentRun) -> set[str]:
    """Give the sorts of what has no order."""
    return {one.category for one in heat.anomalies}


def test_a_lost_addition_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """With the tag that was lost, and the exchanges behind it."""
    heat = running(racing.RewritesWithinTwentyMilliseconds(), race(tuple((add(f"tag-{one}"),) for one in range(4))))

    assert Category.LOST_ADDITION in categories(heat)
    lost = next(one for one in heat.anomalies if one.category is Category.LOST_ADDITION)
    assert lost.tag in {f"tag-{one}" for one in range(4)}
    assert [one.method for one in heat.behind(lost.witness)] == ["PUT", "GET"]


def test_a_duplicate_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """As such."""
    app = racing.InsertsTwoRows()
    app.think = LONG
    heat = running(app, race(tuple((add("same"),) for _ in range(8))))

    assert Category.DUPLICATE in categories(heat)


class RenamesWhileATagComes(racing.RenamesWithTheTagsOfBefore):
    """Lets the first addition come between the reading and the writing of the first renaming."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.added = threading.Event(), threading.Event()

    @property
    def window(self) -> float:
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
    adding = tuple(add(f"tag-{one}") for one in range(5))
    heat = running(RenamesWhileATagComes(), race((adding, (RENAME,) * 5)))

    assert {one.tag for one in heat.anomalies} >= {"tag-0"}


def test_a_renaming_that_a_tag_undoes_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """The name is looked at too; whether the one or the other comes first is anybody's guess, time after time."""
    app = racing.TagsWithTheNameOfBefore()
    app.window = LONG
    heat = running(app, race(*(((add(f"tag-{one}"),), (RENAME,)) for one in range(12))))

    assert Category.COLLATERAL_LOSS in categories(heat)


def test_what_a_queue_repeats_is_found(running: Callable[..., ConcurrentRun]) -> None:
    """A deletion that nobody heard takes effect twice."""
    beats = ((add("a"), add("b")),), ((delete("a", cut=True),), (add("c", cut=True),)), ((add("a"), delete("c")),)
    app = racing.RepeatsWhatNobodyHeard()
    app.think = 0.01
    heat = running(app, race(*beats))

    assert heat.anomalies


def test_a_late_reader_is_told_from_a_lost_change(running: Callable[..., ConcurrentRun]) -> None:
    """What a delay explains is kept apart."""
    adding = tuple(add(f"tag-{one}") for one in range(8))
    heat = running(lawful.ShowsOthersChangesLate(), race((adding, (READ,) * 8)))

    assert heat.anomalies == ()
    assert heat.late


# What is not found


@pytest.mark.parametrize("app", lawful.HONEST)
def test_no_honest_service_is_accused(running: Callable[..., ConcurrentRun], app: type[App]) -> None:
    """Whatever is raced, delayed or cut; `benchmarks/detection_rates.py --alarms` runs a thousand."""
    served = app()
    for family in Pattern:
        for one in contests(family, 7, (2, 4, 8), 1):
            heat = running(served, one)
            assert [anomaly.text for anomaly in heat.anomalies] == []
            assert not any(heat.quiet[-1])
