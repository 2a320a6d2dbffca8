"""What counts as a case: what a requirement is about, and nothing that is looked at on the side."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app import records
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.tags.access import AccessAttempt, AccessAttempts
from pytest_cloudimages.areas.tags.callers import Cell, Change, State
from pytest_cloudimages.areas.tags.negative import NegativeRequests
from pytest_cloudimages.areas.tags.read_paths import Comparison, Comparisons, ReadPath
from pytest_cloudimages.areas.tags.representations import Representation, Representations
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tasks.requests import Deed
from pytest_cloudimages.areas.tasks.tried import Started, Tasks
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import Case, CheckRecord, Collection, UnreadRecord, cases
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.steps import Prior, Reading, SequentialHistory, Span, Step
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_cloudimages.reference.images import Image

sys.path.insert(0, str(Path(__file__).parent))

from faults.adding import StoresNothing
from faults.trial import judged

CLOCK = itertools.count()


def answer(status: int = 204, tags: list[str] | None = None) -> Answer:
    """Make an answer of an exchange of its own."""
    body = b"" if tags is None else json.dumps({"tags": tags}).encode()
    now = float(next(CLOCK))
    return Answer(status, {}, body, b"", Exchange("PUT", "/", (), b"", status, (), body, b"", now, now))


def attempt(party: Party, status: int) -> AccessAttempt:
    """Make an attempt to add a tag that came to nothing."""
    return AccessAttempt(Cell(party, State.PRIVATE, Change.ADD), answer(status), changed=False)


def history(tag: str, *, status: int = 204, images: int = 1, inferred: bool = False) -> SequentialHistory:
    """Make a history of one addition."""
    before, after = Reading(answer(200, []), TAGS), Reading(answer(200, [tag]), TAGS)
    operation, seen = Operation(Kind.ADD, tag), (before, after)
    added = Step(
        operation,
        answer(status),
        (),
        (tag,),
        Prior.NEVER,
        re_added=False,
        readings=seen,
        resource=TAGS,
        inferred=inferred,
    )
    return SequentialHistory(images, [added], [before, after], spans=[Span(before, after, (added,))])


@pytest.fixture
def mine() -> Iterator[CheckRecord]:
    """Collect the evidence of a check."""
    collected = CheckRecord()
    recording.collect(collected)
    yield collected
    recording.collect(None)


COLLECTIONS: dict[str, tuple[Callable[[], Collection], Callable[[Any], Iterable[object]]]] = {
    "steps": (lambda: Steps([history("a"), history("b")]), lambda histories: histories.steps()),
    "answers": (lambda: Steps([history("a"), history("b")]), lambda histories: histories.answers()),
    "readings": (lambda: Steps([history("a")]), lambda histories: histories.readings()),
    "spans": (
        lambda: Steps([history("a"), history("b")]),
        lambda histories: histories.spans(Kind.ADD, acknowledged=True),
    ),
    "representations": (
        lambda: Representations([Representation(Reading(answer(), TAGS), [], (answer().exchange,))] * 2),
        iter,
    ),
    "details": (
        lambda: Representations([Representation(Reading(answer(), TAGS), [], ())] * 2),
        lambda representations: representations.details(),
    ),
    "looks": (
        lambda: Comparisons([Comparison(ReadPath.READ, (), (), (answer().exchange,))] * 2),
        lambda looks: looks.at(ReadPath.READ),
    ),
    "attempts": (
        lambda: AccessAttempts([attempt(Party.ANONYMOUS, 204)] * 2),
        lambda tried: tried.by(Party.ANONYMOUS),
    ),
    "refusals": (lambda: NegativeRequests([answer(), answer()]), iter),
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_what_a_collection_yields_is_a_case_and_nothing_of_it_aside(name: str, mine: CheckRecord) -> None:
    """Aside, the same is yielded, and the evidence holds its exchanges for a finding without a case or a class."""
    make, look = COLLECTIONS[name]
    collection = make()

    beside = [*look(collection.aside())]

    assert (mine.cases, mine.kinds, mine.main) == (0, Counter(), None)
    assert mine.exchanges
    assert len(beside) == 2
    assert [*look(collection)] == beside
    assert mine.cases == 2
    assert mine.main is not None
    assert mine.main.name.startswith(type(collection).__name__)


@dataclass(frozen=True)
class Letters(Collection):
    """A collection as a tester would write one."""

    letters: str

    @cases
    def all(self) -> Iterator[Case[str]]:
        """Return the letters; a blank is looked at aside."""
        for letter in self.letters:
            yield Case(letter, [answer().exchange], "a letter", aside=letter == " ")


def test_cases_are_declared_once_and_can_be_narrowed(mine: CheckRecord) -> None:
    """They can be iterated over again, count each time, and count nothing that a condition leaves out."""
    every = Letters("ab c").all()
    later = every.where(lambda letter: letter > "a")

    assert ([*later], [*later]) == (["b", "c"], ["b", "c"])
    assert [*every.aside()] == [*"ab c"]
    assert mine.cases == 4
    assert [*every] == [*"ab c"]
    assert (mine.cases, mine.kinds) == (7, Counter({"a letter": 7}))
    assert [*Letters("ab").aside().all().where(lambda letter: letter == "a")] == ["a"]
    assert mine.cases == 7


def test_the_record_says_which_collection_is_main(mine: CheckRecord) -> None:
    """It is the first that is taken up to be counted, even if it yields nothing."""
    aside, empty, more = Letters("a").aside().all(), Letters("").all(), Letters("b").all()

    for letters in (aside, empty, more):
        list(letters)

    assert mine.main is empty
    assert (mine.cases, mine.main.name) == (1, "Letters.all")


def test_steps_of_two_collections_are_looked_at_as_one(mine: CheckRecord) -> None:
    """In their order, and aside if one of them is."""
    first, second = Steps([history("a")]), Steps([history("b")])

    assert [step.value for step in (first + second).additions()] == ["a", "b"]
    assert [step.value for step in (first + second.aside()).additions()] == ["a", "b"]
    assert mine.cases == 2


def test_a_record_that_nobody_reads_counts_and_keeps_nothing(mine: CheckRecord) -> None:
    """A look at what there is so far asks whether a check is met, and no more."""
    unread = UnreadRecord()
    steps = Steps([history("a")])
    for record in (mine, unread):
        recording.collect(record)
        assert [*steps.additions()]

    assert (unread.cases, unread.step) == (mine.cases, mine.step)
    assert unread.main
    assert mine.exchanges
    assert not unread.exchanges


def test_a_side_question_begins_anew(mine: CheckRecord) -> None:
    """A finding shows the exchanges of the thing that it is about, and not those of the case before it."""
    before, beside = answer().exchange, answer().exchange
    mine.case([before], "a class")

    mine.aside([beside])

    assert mine.exchanges == [beside]
    assert (mine.cases, mine.requests, mine.kinds) == (1, 2, Counter({"a class": 1}))


def test_what_a_check_passes_over_is_no_case(mine: CheckRecord) -> None:
    """Where ``where`` does not hold, nothing is yielded and nothing counts."""
    histories = Steps([history("a"), history("long")])
    tried = AccessAttempts([attempt(Party.ANONYMOUS, 401), attempt(Party.OTHER_PROJECT, 500)])

    assert [step.tag for step in histories.additions(where=lambda step: len(step.tag) > 1)] == ["long"]
    assert [*histories.answers(where=lambda answer: answer.status == 500)] == []
    assert len([*histories.readings(where=lambda reading: bool(reading.values))]) == 2
    assert len([*tried.by(*Party, where=lambda tried: tried.answer.status == 401)]) == 1
    assert [*NegativeRequests([answer()]).answers(where=lambda answer: answer.status >= 400)] == []
    assert mine.cases == 4


def task(status: str) -> Answer:
    """Make the answer that shows a task."""
    body = json.dumps({"id": "1", "status": status}).encode()
    return replace(answer(200), held=body)


@pytest.mark.parametrize("looks", [["success"], ["processing", "success"], ["pending"] * 3 + ["success"] * 2])
def test_how_often_a_task_was_looked_at_changes_no_number_of_cases(looks: list[str], mine: CheckRecord) -> None:
    """All that was seen of it is asked about; what is counted is that it began and that it ended."""
    started = Started(Deed.EXPORT, {}, task("pending"), looks=[*map(task, looks)])

    assert len([*Tasks([started]).shown()]) == 1 + len(looks)
    assert mine.cases == 2


def test_without_a_second_image_no_step_is_beside_one(mine: CheckRecord) -> None:
    """A step is a case of what happens to other images only if another one was looked at."""
    histories = Steps([history("a", inferred=True), history("b", images=2), history("c", images=2, inferred=True)])

    assert [step.tag for step in histories.steps(beside=True)] == ["c"]
    assert mine.cases == 1


def test_additions_that_were_all_refused_have_added_nothing(mine: CheckRecord) -> None:
    """What is seen around them is a case of refused additions alone."""
    both = Steps([history("a", status=400), history("b")])

    assert [span.steps[0].tag for span in both.spans(Kind.ADD, acknowledged=True)] == ["b"]
    assert [span.steps[0].tag for span in both.spans(Kind.ADD, acknowledged=False)] == ["a"]
    assert [*both.spans(Kind.DELETE, acknowledged=True)] == []
    assert mine.cases == 2


def finish(mine: CheckRecord) -> None:
    """Count one exchange that a check has sent itself."""
    records.count_sent(mine, [answer().exchange])


def test_what_a_check_sends_is_its_case_unless_it_takes_up_a_collection(mine: CheckRecord) -> None:
    """A check whose collection yielded nothing is not saved by a request that it sends besides."""
    finish(mine)
    assert mine.cases == 1

    asked_of_nothing = CheckRecord()
    recording.collect(asked_of_nothing)
    assert [*Steps([]).additions()] == []
    finish(asked_of_nothing)
    assert (asked_of_nothing.cases, asked_of_nothing.requests) == (0, 1)

    beside = CheckRecord()
    recording.collect(beside)
    assert [*Steps([]).aside().additions()] == []
    finish(beside)
    assert beside.cases == 1


def test_what_a_check_sends_for_a_case_is_attached_once(mine: CheckRecord) -> None:
    """What it has counted itself is not attached to its last case again; what it has not is."""
    first, last, besides = answer().exchange, answer().exchange, answer().exchange
    mine.case([first])
    mine.case([last])

    records.count_sent(mine, [first, last, besides])

    assert mine.exchanges == [last, besides]
    assert (mine.cases, mine.requests) == (2, 3)


def test_what_a_check_sends_besides_displaces_nothing_that_a_finding_speaks_of(mine: CheckRecord) -> None:
    """A finding shows the exchanges that were chosen for it; the next case begins anew."""
    asked, accused, besides = answer().exchange, answer().exchange, answer().exchange
    mine.case([asked])
    mine.show([accused])

    records.count_sent(mine, [besides])

    assert mine.exchanges == [accused]
    assert mine.requests == 2
    mine.case([asked])
    mine.attach([besides])
    assert mine.exchanges == [asked, besides]


class RefusesEveryAddition(App):
    """Answers 403 to every addition."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002 - whatever is added
        return self.error(request, HTTPStatus.FORBIDDEN, "No tags.")


class FailsAtEveryTag(App):
    """Answers 500 to every addition and deletion."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "No tags.")

    delete_tag = add_tag


class HidesTags(App):
    """Shows no image's tags."""

    def represent(self, image: Image) -> dict[str, object]:
        return {name: value for name, value in super().represent(image).items() if name != "tags"}


#: What a requirement cannot be asked without.
ACKNOWLEDGED, LISTED, ANSWERED, SHOWN = "an acknowledged addition", "a tag that was added", "an answer", "shown tags"
NEEDS = {
    ACKNOWLEDGED: "URI-02 URI-05 URI-06 URI-07 ADD-02 ADD-04 ADD-05 ADD-09 ADD-26 AUTH-09",
    LISTED: "URI-04 URI-05 URI-06 URI-07 ADD-04 ADD-05 ADD-06 ADD-09 ADD-30"
    " DEL-01 DEL-02 DEL-03 DEL-04 DEL-05 DEL-09 DEL-11 VIS-05 VIS-07",
    # 204, 404 and whatever else tells of a tag operation that it was carried out or refused.
    ANSWERED: "ADD-11 ADD-22 DEL-06 DEL-12 RESP-01",
    SHOWN: "VIS-02 VIS-05 VIS-07 ADD-03 ADD-04 ADD-05 ADD-11 ADD-22 ADD-30 DEL-01 DEL-03 DEL-04 DEL-05 DEL-09 DEL-11"
    " DEL-12 HIST-01 HIST-03",
}
DESTRUCTIVE: dict[type[App], tuple[str, ...]] = {
    StoresNothing: (LISTED,),
    RefusesEveryAddition: (ACKNOWLEDGED, LISTED),
    FailsAtEveryTag: (ACKNOWLEDGED, LISTED, ANSWERED),
    HidesTags: (SHOWN, LISTED),
}


@pytest.mark.parametrize("app", DESTRUCTIVE)
def test_nothing_passes_whose_question_could_not_be_asked(app: type[App], tmp_path: Path) -> None:
    """On a service without what a requirement is about, the requirement is anything but *pass*."""
    missing = {f"TAG-{name}": what for what in DESTRUCTIVE[app] for name in NEEDS[what].split()}

    outcome = judged(app, tmp_path)

    passed = {name for name, verdict in outcome.verdicts.items() if verdict == "pass"}
    assert passed, outcome.output
    assert {name: missing[name] for name in passed & missing.keys()} == {}
    assert {*missing} <= {*outcome.asked}, "a requirement that the profile does not ask for"


def test_a_deletion_that_nobody_could_ask_for_is_blocked(tmp_path: Path) -> None:
    """What a reader is shown is a side question of TAG-DEL-03, and no ground to say that deleted tags are gone."""
    outcome = judged(StoresNothing, tmp_path, profile="quick", seed=1)

    assert outcome.verdicts["TAG-DEL-03"] == "blocked"
    assert "No case reached the question" in outcome.explanations["TAG-DEL-03"]


def test_a_question_whose_image_is_not_to_be_had_says_why(workshop: Any) -> None:
    """Also where a check is about a sum, of which the other part has no case in a quick run."""
    with serving(App()) as server:
        workshop.named(server, "reader")
        outcome = workshop.judge("--select", "TAG-ADD-01")

    assert outcome.status == 3
    told = outcome.entry("TAG-ADD-01")["explanation"]
    assert told.startswith("No image could be created (POST /v2/images")
    assert "the role of this user does not allow it" in told
