"""Plans carried out against small services, right and wrong."""

from __future__ import annotations

import itertools
import json
import urllib.parse
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose, Request
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.sequential import execute, execute_all
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.history.model import explained
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.oracles import others_added, others_removed, without
from pytest_cloudimages.history.sequential_plans import full_cycle
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.spec.verdicts import Blocked, Flaky, LostAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

CLOCK = itertools.count()


@dataclass
class Small:
    """A service of a few lines that keeps the promises; those below break one each."""

    opened: list[list[str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def add(self, image: int, tag: str) -> int:
        """Add a tag."""
        if tag not in self.opened[image]:
            self.opened[image].append(tag)
        return 204

    def delete(self, image: int, tag: str) -> int:
        """Delete a tag."""
        if tag not in self.opened[image]:
            return 404
        self.opened[image].remove(tag)
        return 204

    def show(self, image: int) -> list[str]:
        """Show the tags."""
        return list(self.opened[image])

    @contextmanager
    def fresh(self, **attributes: Any) -> Iterator[Any]:
        """Open an image: a ``SmallImage``, which is one as far as a plan asks for it."""
        self.opened.append([])
        yield SmallImage(self, len(self.opened) - 1, attributes.get("name", "first"))


@dataclass
class SmallImage:
    """An image of a small service, as far as a trial asks for it."""

    service: Small
    number: int
    name: str
    patience: None = None
    recorder: Recorder = field(default_factory=Recorder)

    def answer(self, method: str, status: int, body: bytes = b"") -> Answer:
        """Answer a request."""
        self.service.requests.append(method)
        now = float(next(CLOCK))
        return Answer(status, {}, body, b"", Exchange(method, "/", (), b"", status, (), body, b"", now, now))

    @property
    def client(self) -> SmallImage:
        """Who sends requests: this image knows all that there are."""
        return self

    @property
    def id(self) -> str:
        """The number."""
        return str(self.number)

    def ask(self, request: Request, *, idle: bool = False) -> Answer:
        """PUT or DELETE a tag, or GET the image."""
        del idle
        tag = urllib.parse.unquote(request.target.rpartition("/")[2])
        if request.method == "PUT":
            return self.answer("PUT", self.service.add(self.number, tag))
        if request.method == "DELETE":
            return self.answer("DELETE", self.service.delete(self.number, tag))
        return self.show()

    def show(self) -> Answer:
        """GET."""
        return self.answer("GET", 200, json.dumps({"tags": self.service.show(self.number)}).encode())


LIFE = full_cycle([(tag, "plain") for tag in ("a", "b", "c", "d")], on_another=2)


def test_a_right_service_is_asked_as_little_as_possible() -> None:
    """One reading vouches for a whole group of operations, and one at the end for the image standing by."""
    service = Small()
    history = execute(LIFE, TAGS, service.fresh)
    operations = [operation for operation in LIFE if operation.kind is not Kind.READ]

    assert service.requests.count("GET") == LIFE.count(READ) + 1
    assert len(service.requests) == len(operations) + LIFE.count(READ) + 1
    assert [step.operation for step in history.steps] == operations
    assert all(later.inferred and later.known and explained(later) for later in history.steps)
    assert (history.mismatches, history.flaky) == ([], [])


def test_a_vouched_step_shows_its_before_and_after() -> None:
    """As an honest service has them, with the tag's past."""
    history = execute([Operation(Kind.ADD, "a"), Operation(Kind.DELETE, "a"), READ], TAGS, Small().fresh)

    added, deleted = history.steps
    assert (added.before, added.after, added.prior, added.re_added) == ((), ("a",), Prior.NEVER, False)
    assert (deleted.before, deleted.after, deleted.prior, deleted.re_added) == (("a",), (), Prior.PRESENT, False)


def test_readings_around_operations_of_one_kind_are_told() -> None:
    """Other attributes are compared across them."""
    history = execute(LIFE, TAGS, Small().fresh)

    assert all({step.operation.kind for step in span.steps} == {span.kind} for span in history.spans)
    assert Counter((span.kind, span.acknowledged) for span in history.spans) == {
        (Kind.ADD, True): 3,
        (Kind.DELETE, True): 2,
        (Kind.DELETE, False): 1,
    }


class Forgetful(Small):
    """A service whose images forget their first tag when a third is added."""

    def add(self, image: int, tag: str) -> int:
        """Add a tag."""
        status = super().add(image, tag)
        if len(self.opened[image]) == 3:
            self.opened[image].pop(0)
        return status


def test_a_loss_is_found_where_it_happens() -> None:
    """The plan is carried out again on fresh images, with a reading after every step."""
    service = Forgetful()
    history = execute(LIFE, TAGS, service.fresh)
    losses = [step for step in history.steps if not explained(step)]

    assert len(service.opened) == 4
    assert not any(step.inferred for step in history.steps)
    assert (losses[0].operation, losses[0].before, losses[0].after) == (
        Operation(Kind.ADD, "c", 0, "plain"), ("a", "b"), ("b", "c"),
    )  # fmt: skip
    assert others_removed(losses[0]) == ["a"]
    assert history.mismatches == []


def test_what_was_seen_is_the_ground_of_the_next_step() -> None:
    """A loss is told once, and not again in every later step."""
    history = execute([*(Operation(Kind.ADD, tag) for tag in "abcc"), READ], TAGS, Forgetful().fresh)

    assert [explained(step) for step in history.steps] == [True, True, False, True]


class Doubling(Small):
    """A service that lists a tag as often as it was added."""

    def add(self, image: int, tag: str) -> int:
        """Add a tag."""
        self.opened[image].append(tag)
        return 204


def test_a_duplicate_is_found() -> None:
    """A list is compared with its repetitions."""
    history = execute([Operation(Kind.ADD, "a"), Operation(Kind.ADD, "a"), READ], TAGS, Doubling().fresh)

    assert [explained(step) for step in history.steps] == [True, False]
    assert history.steps[1].after == ("a", "a")


class Sharing(Small):
    """A service that deletes a tag from every image."""

    def delete(self, image: int, tag: str) -> int:
        """Delete a tag."""
        for tags in self.opened:
            if tag in tags and tags is not self.opened[image]:
                tags.remove(tag)
        return super().delete(image, tag)


def test_an_image_standing_by_that_was_touched_is_found() -> None:
    """With the step that touched it."""
    history = execute(LIFE, TAGS, Sharing().fresh)
    touched = [step for step in history.steps if step.other_image[0] != step.other_image[1]]

    assert touched[0].operation == Operation(Kind.DELETE, "a", 0, "plain")
    assert touched[0].other_image == (("a", "b"), ("b",))
    assert not explained(touched[0])


class Once(Small):
    """A service that loses a tag on its very first image, and never again."""

    def show(self, image: int) -> list[str]:
        """Show the tags."""
        if image == 0:
            self.opened[0][:1] = []
        return super().show(image)


def test_a_contradiction_that_does_not_come_again_is_kept() -> None:
    """It is a finding of its own, with what was expected, found and sent."""
    history = execute(LIFE, TAGS, Once().fresh)

    assert all(explained(step) for step in history.steps)
    (mismatch,) = history.mismatches
    assert (mismatch.image, mismatch.expected, mismatch.found) == (0, frozenset("abcd"), ("b", "c", "d"))
    assert [x.method for x in mismatch.exchanges] == ["GET", "PUT", "PUT", "PUT", "PUT", "GET"]


class Late(Small):
    """A service whose image standing by loses its tags once."""

    def show(self, image: int) -> list[str]:
        """Show the tags."""
        return [] if image == 1 else super().show(image)


@pytest.mark.parametrize(("service", "standing_by"), [(Once(), False), (Late(), True)])
def test_a_contradiction_is_told_of_its_image(service: Small, standing_by: bool) -> None:
    """The one that was changed, or the one standing by."""
    histories = Steps([execute(LIFE, TAGS, service.fresh)])

    assert len([*histories.contradictions(standing_by=standing_by)]) == 1
    assert [*histories.contradictions(standing_by=not standing_by)] == []


class LosesTheAnswerToADeletion(Small):
    """A service behind a gateway that loses the answer to a deletion which was carried out."""

    def delete(self, image: int, tag: str) -> int:
        """Delete a tag."""
        super().delete(image, tag)
        raise LostAnswer("DELETE lost its answer")


class Uneventful:
    """A life in which each event comes about, and changes nothing."""

    def happen(self, image: Any, event: str) -> dict[str, object]:
        """Let an event come about."""
        del image, event
        return {}

    def beside(self, image: Any) -> dict[str, object]:
        """Show nothing else."""
        del image
        return {}


@pytest.mark.parametrize(("service", "events"), [(Small(), 1), (LosesTheAnswerToADeletion(), 0)])
def test_an_event_is_not_blamed_for_what_has_lost_its_answer_just_before(service: Small, events: int) -> None:
    """Whoever reads no more between the two knows what was done, and that it was no doing of the event."""
    lost = [Operation(Kind.DELETE, "a")] if not events else []
    plan = [Operation(Kind.ADD, "a"), READ, *lost, Operation(Kind.EVENT, "shared"), READ]

    history = execute(plan, TAGS, service.fresh, single=True, life=Uneventful())

    assert len(history.events) == events
    assert not history.mismatches


class Shaky(Small):
    """A service that fails at its third addition, and never again."""

    count = 0
    failing: Collection[int] = (3,)

    def add(self, image: int, tag: str) -> int:
        """Add a tag."""
        self.count += 1
        return 500 if self.count in self.failing else super().add(image, tag)


def test_a_failure_that_does_not_come_again_is_unsteady() -> None:
    """The service answered the same plan otherwise, and that is what a check is told."""
    history = execute(LIFE, TAGS, Shaky().fresh)

    assert [(exchange.method, exchange.status) for exchange in history.flaky] == [("PUT", 500)]
    assert all(step.answer.ok or step.answer.refused for step in history.steps)
    with pytest.raises(Flaky, match="500"):
        Steps([history]).steady()


class Failing(Shaky):
    """A service that fails at every addition."""

    failing = range(1, 1000)


def test_a_failure_that_comes_again_is_in_the_steps() -> None:
    """It is the service's, and nothing is called unsteady."""
    history = execute(LIFE, TAGS, Failing().fresh)

    assert history.flaky == []
    assert {step.answer.status for step in history.steps if step.operation.kind is Kind.ADD} == {500}


class Unreadable(Small):
    """A service that shows tags that are none."""

    def show(self, image: int) -> list[str]:
        """Show the tags."""
        return [None, image]  # type: ignore[list-item]


class ShowsDeletionsWithTheNextAddition(Small):
    """A service that goes on showing what was deleted until another tag is added, to whichever image."""

    deleted: tuple[tuple[int, str], ...] = ()

    def add(self, image: int, tag: str) -> int:
        """Add a tag, and show by then what was deleted."""
        self.deleted = ()
        return super().add(image, tag)

    def delete(self, image: int, tag: str) -> int:
        """Delete a tag."""
        self.deleted += ((image, tag),)
        return super().delete(image, tag)

    def show(self, image: int) -> list[str]:
        """Show the tags, and those that were."""
        return [*dict.fromkeys([*super().show(image), *(tag for where, tag in self.deleted if where == image)])]


def test_what_comes_late_is_no_doing_of_the_next_step() -> None:
    """Neither the addition that it comes with is blamed, nor a second deletion that is answered as it has to be."""
    history = execute(LIFE, TAGS, ShowsDeletionsWithTheNextAddition().fresh)
    steps = Steps([history])

    assert any(step.overdue & step.gone for step in history.steps)
    assert not any(others_removed(step) or others_added(step) for step in history.steps)
    assert any(step.value in (step.after or ()) for step in steps.deletions(acknowledged=True, past=[Prior.PRESENT]))
    assert {step.answer.status for step in steps.deletions(past=[Prior.PRESENT])} == {204}
    for step in history.steps:
        if None not in step.other_image:
            before, after = (without(tags, *step.overdue_elsewhere) for tags in step.other_image)
            assert before == after


def test_what_cannot_be_read_is_not_known() -> None:
    """Steps around it are no ground for a judgement about tags."""
    history = execute(LIFE, TAGS, Unreadable().fresh)

    assert not any(step.known for step in history.steps)
    assert [*Steps([history]).additions()] == []
    assert len([*Steps([history]).additions(known=False)]) > 0


def test_a_single_image_is_enough() -> None:
    """Operations on the image standing by are left out."""
    service = Small()
    history = execute(LIFE, TAGS, service.fresh, single=True)

    assert len(service.opened) == 1
    assert {step.operation.image for step in history.steps} == {0}


def test_the_image_standing_by_has_the_same_name() -> None:
    """Nothing but the id tells the two apart."""
    names: list[str] = []

    class Naming(Small):
        @contextmanager
        def fresh(self, **attributes: Any) -> Iterator[Any]:
            with super().fresh(**attributes) as image:
                names.append(image.name)
                yield image

    execute(LIFE, TAGS, Naming().fresh)

    assert names == ["first", "first"]


@pytest.fixture
def pool_of() -> Iterator[Callable[[int], TaskPool | None]]:
    """Yield what returns a pool of so many threads; without any, nothing is done at once."""
    opened: list[TaskPool] = []

    def pool(threads: int) -> TaskPool | None:
        opened.extend([TaskPool(threads)] if threads else [])
        return opened[-1] if threads else None

    yield pool
    for each in opened:
        each.close()


@pytest.mark.parametrize("threads", [0, 3])
def test_plans_are_carried_out_each_on_images_of_its_own(threads: int, pool_of: Any) -> None:
    """In the order given, however many at a time."""
    plans = [[Operation(Kind.ADD, tag), READ] for tag in "abcde"]
    histories = execute_all(plans, TAGS, Small().fresh, pool=pool_of(threads))

    assert [history.steps[0].tag for history in histories] == [*"abcde"]
    assert all(explained(each_history.steps[0]) for each_history in histories)


@pytest.mark.parametrize("threads", [0, 3])
def test_threads_know_what_they_work_for(threads: int, pool_of: Any) -> None:
    """Cases arrive at the check in hand, and requests at the scope and with the purpose of the block, in every thread."""
    mine, recorder, purposes, service = recording.CheckRecord(), Recorder(), list[Purpose](), Small()

    def fresh(**how: Any) -> Any:
        recording.current_check().case()
        purposes.append(recorder.purpose)
        recorder.add(Exchange("POST", "/", (), b"", 201, (), b"", b"", 0.0, 1.0))
        return service.fresh(**how)

    recording.collect(mine)
    try:
        with recorder.of(Purpose.PREPARING), recorder.scope() as sent:
            execute_all([[Operation(Kind.ADD, tag), READ] for tag in "abcd"], TAGS, fresh, pool=pool_of(threads))
    finally:
        recording.collect(None)

    assert (mine.cases, len(sent)) == (4, 4)
    assert purposes == [Purpose.PREPARING] * 4
    assert recorder.purpose is Purpose.JUDGING


def test_a_plan_without_an_image_blocks(pool_of: Any) -> None:
    """Where no image can be had, nothing can be asked; all other plans come to their end first."""
    service = Small()

    def refuse(**_: Any) -> Any:
        if len(service.opened) == 1:
            raise Blocked("no image")
        return service.fresh()

    with pytest.raises(Blocked, match="no image"):
        execute_all([[Operation(Kind.ADD, "a"), READ]] * 3, TAGS, refuse, pool=pool_of(2))


# What is looked at


def test_steps_are_chosen() -> None:
    """By kind, past, answer, and whether the tag had lived before."""
    histories = Steps([execute(LIFE, TAGS, Small().fresh)])

    def tags(**which: Any) -> list[str]:
        return [step.tag for step in histories.deletions(**which)]

    assert tags(acknowledged=False) == ["a", "c"]
    assert tags(past=[Prior.DELETED]) == ["a", "c"]
    assert tags(again=True, acknowledged=True) == ["a"]
    assert tags(again=False) == ["a", "c", "b", "d"]
    assert len([*histories.additions(past=[Prior.PRESENT])]) == 6


@pytest.mark.parametrize(("tag", "printable"), [("a b~", True), ("é", False), ("a\tb", False), ("\x00", False)])
def test_printable_steps_are_chosen(tag: str, printable: bool) -> None:
    """Tags of other than printable ASCII characters are left out on demand."""
    histories = Steps([execute([Operation(Kind.ADD, tag), READ], TAGS, Small().fresh)])

    assert bool([*histories.additions(printable=True)]) == printable


def test_losses_and_surplus_of_a_step_are_told() -> None:
    """Other tags than the one it names; one that was altered on its way is no surplus."""

    class Altering(Small):
        def add(self, image: int, tag: str) -> int:
            self.opened[image] = ["x", tag.upper()]
            return 204

    history = execute([Operation(Kind.ADD, "a"), Operation(Kind.ADD, "B"), READ], TAGS, Altering().fresh)
    first, second = history.steps

    assert (others_removed(first), others_added(first)) == ([], [])
    assert (others_removed(second), others_added(second)) == (["A"], [])
    assert (without(["b", "a", "c"], "b"), without(None)) == (["a", "c"], [])
    assert others_removed(second, but=["A"]) == []


def test_a_late_change_is_waited_for() -> None:
    """Where the image has patience, a reading that is not as expected is taken again."""
    from pytest_cloudimages.client.polling import Eventually

    class Slow(Small):
        asked = 0

        def show(self, image: int) -> list[str]:
            self.asked += 1
            return [] if self.asked == 1 else super().show(image)

    recorder = Recorder()
    service = Slow()

    @contextmanager
    def fresh(**attributes: Any) -> Iterator[Any]:
        with service.fresh(**attributes) as image:
            image.patience = Eventually(5, recorder)
            yield image

    history = execute([Operation(Kind.ADD, "a"), READ], TAGS, fresh)

    assert all(step.inferred for step in history.steps)
    assert recorder.lag > 0
