"""What is done to the members of images, executed once, and looked at by many checks."""

import enum
import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st

from pytest_cloudimages.areas.common.offers import NOT_OFFERED, made_visible, require_once, skip_where_lacking
from pytest_cloudimages.areas.members.resource import AT_ONCE, MEMBERS, as_project
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.capabilities import SHARE
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient, segment
from pytest_cloudimages.engine import drawing, sequential
from pytest_cloudimages.engine.concurrent import worker_pool
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
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
NO_ID = "cloudimages-none"
"""What does not look like the id of a project; which ids there are, is for Identity to say."""
A_NUMBER_IN_HEX = re.compile("[0-9a-fA-F-]+")
"""An id that is the same in capitals to who takes it for what it may be."""
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


# Owner and consumer


class Question(enum.StrEnum):
    """What was asked about the sharing of one image."""

    NO_MEMBER_NAMED = "an addition that names no member"
    NOT_A_MEMBER = "a member that is none, read by the owner"
    BEFORE = "the list, read by the consumer before the image is shared"
    SHARED = "the list, read by the consumer while the image is shared with it and another"
    MEMBER = "the member, read by the owner and by itself"
    IMAGE_AFTER = "the image, read by the former consumer"
    ODD = "a member whose id is no UUID in small letters"
    ODD_MEMBER = "such a member, read by the owner"
    ODD_REMOVED = "the removal of such a member"
    NOT_REMOVED = "the removal of a member by nearly its id"
    ODD_REWRITTEN = "such a member, by the id that it was added with, where the list shows the UUID otherwise"
    AFTER_ODD = "the list, with members whose ids are no UUIDs in small letters"
    AGAIN = "a former member that is added once more"
    WITH_A_STATUS = "a new member, whose addition says that it has accepted"
    OF_A_NEW_IMAGE = "the list of a new image, after another one was shared"
    ACCEPTED = "the list, read by the consumer that has accepted"


@dataclass(frozen=True)
class Sharing(Collection):
    """The answers about one image that was shared with a consumer and another project, and is no longer."""

    answers: Mapping[Question, list[Answer]]
    consumer: str = ""
    listed_after: bool | None = None
    """Whether the former consumer's list of images has the image; ``None`` where it had not been accepted."""
    problem: Blocked | None = None
    """Why some of it could not be asked."""

    @cases
    def answered(self, question: Question) -> Iterator[Case[Answer]]:
        """Return the answers to a question, if it was put and was answered by a success."""
        for answer in self.answers.get(question, ()):
            if answer.ok:
                yield Case(answer, [answer.exchange])

    @cases
    def met(self, question: Question) -> Iterator[Case[Answer]]:
        """Return the answers to a question, if it was put."""
        return (Case(answer, [answer.exchange]) for answer in self.answers.get(question, ()))

    @cases
    def to(self, question: Question) -> Iterator[Case[Answer]]:
        """Return the answers to a question. Raise ``Blocked`` where it could not be put."""
        if question not in self.answers and self.problem:
            raise self.problem
        return (Case(answer, [answer.exchange]) for answer in self.answers.get(question, ()))


@workload(empty=lambda: Sharing({}), requests=(17, 65, 65, 65))
def sharing(run: Run) -> Sharing:
    """Share an image with a second project and another, and end it; without a second, ask the owner's questions."""
    stranger, other = project_ids(0, 2)
    consumer = None
    with suppress(Blocked):  # whoever needs it asks for ``other_project``, and is told why there is none
        consumer = run.of_another_project()
    answers: dict[Question, list[Answer]] = {}
    project, listed, problem = "", None, None
    with shared_image(run) as image:
        try:
            nobody: list[dict[str, str | None]] = [{}, {"member": ""}]
            nobody += [{"member": None}, {"member_id": other}] if run.rounds else []
            answers[Question.NO_MEMBER_NAMED] = [image.send("POST", "/members", json=body) for body in nobody]
            answers[Question.NOT_A_MEMBER] = [image.send("GET", f"/members/{stranger}")]
            if run.rounds:
                _of_owners(run, image, answers)
            if consumer is not None:
                project = run.owner_of(consumer)
                listed = _shared(image, consumer, project, other, answers, whole=bool(run.rounds))
            if run.rounds:
                with run.fresh_image(own=True) as new:  # as it comes: nothing of it is taken off
                    answers[Question.OF_A_NEW_IMAGE] = [new.send("GET", "/members")]
        except Blocked as found:
            problem = found
    if run.rounds and not run.settings.image and not run.recorder.traces.stays(image.id):
        with suppress(Blocked):
            _of_its_id(run, image.id, consumer, answers)
    return Sharing(answers, project, listed, problem)


def _of_its_id(run: Run, gone: str, consumer: ImagesClient | None, answers: dict[Question, list[Answer]]) -> None:
    """Create an image with the id of one that was shared and deleted, where a service lets that be: it has no members.

    The consumer, which was one when the other was deleted, is a stranger to it.
    """
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        with run.recorder.of(Purpose.PREPARING):
            created = run.client.create(name=name, id=gone)
        new = created.data.get("id") if created.ok and isinstance(created.data, dict) else None
        if not is_fit(new):
            return
        made.append(new)
        if new == gone:
            answers.setdefault(Question.OF_A_NEW_IMAGE, []).append(run.client.ask(MEMBERS.read(new)))
            if consumer is not None and Question.BEFORE in answers:
                answers[Question.BEFORE].append(consumer.ask(MEMBERS.read(new)))


def _of_owners(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Have the owner ask for itself as a member, and share the image with projects of odd ids."""
    asked = [answer.exchange.target.rpartition("/")[2] for answer in answers[Question.NOT_A_MEMBER]]
    with suppress(pytest.skip.Exception):
        asked.append(run.owner_of(image.client))
    answers[Question.NOT_A_MEMBER] += [image.send("GET", f"/members/{each}") for each in asked]
    answers[Question.NOT_A_MEMBER] += [image.send("GET", f"/members/{NO_ID}")]
    # Who names a status decides nothing for the member, whether that is refused or not heard.
    new = uuid.uuid4().hex
    added = image.send("POST", "/members", json={"member": new, "status": "accepted"})
    if added.ok:
        answers[Question.WITH_A_STATUS] = [added, image.send("GET", f"/members/{new}")]
        with run.recorder.of(Purpose.PREPARING):
            image.client.ask(MEMBERS.delete(image.id, new))
    tail = uuid.uuid4().hex[1:]
    projects = [
        f"A{tail.upper()}",  # in capitals
        f"a{tail}" * 2,  # longer than a UUID
        f"00{uuid.uuid4().int % 10**9}",  # a number that begins with noughts
        f"Acme.Ltd:{tail[:8]}~1",  # a word with what may stand in an id
        str(uuid.uuid4()),  # a UUID as it is written, with dashes
        f"{uuid.uuid4().int % 10**6}e7",  # digits that another language reads as a number, and writes otherwise
        str(2**53 + 1 + 2 * (uuid.uuid4().int % 2**50)),  # a number that no JavaScript can hold
    ]
    for project in projects:
        added = image.client.ask(MEMBERS.add(image.id, project))
        answers.setdefault(Question.ODD, []).append(added)
    if any(added.ok for added in answers[Question.ODD]):
        taken = [project for project, added in zip(projects, answers[Question.ODD], strict=True) if added.ok]
        answers[Question.AFTER_ODD] = [
            image.eventually(
                lambda: image.client.ask(MEMBERS.read(image.id)),
                lambda seen: {*map(as_project, taken)} <= {*map(as_project, MEMBERS.values(seen) or ())},
            )
        ]
        listed = MEMBERS.values(answers[Question.AFTER_ODD][0]) or ()
        named = {*map(as_project, listed)}
        for project in [each for each in taken if as_project(each) in named]:
            look = partial(image.send, "GET", f"/members/{segment(project)}")
            found = image.eventually(look, lambda answer: answer.ok)
            # Which is written otherwise in the list is there by the id that it was added with, too.
            answers.setdefault(Question.ODD_MEMBER if project in listed else Question.ODD_REWRITTEN, []).append(found)
            if project not in listed:
                continue
            if not A_NUMBER_IN_HEX.fullmatch(project):  # a word is itself alone, and no beginning of it
                others = [segment(each) for each in (project.swapcase(), project[:-1])]
                answers[Question.NOT_A_MEMBER] += [image.send("GET", f"/members/{other}") for other in others]
                answers[Question.NOT_REMOVED] = [image.send("DELETE", f"/members/{other}") for other in others]
                if any(answer.ok for answer in answers[Question.NOT_REMOVED]):
                    continue
            removed = image.client.ask(MEMBERS.delete(image.id, project))
            answers.setdefault(Question.ODD_REMOVED, []).append(removed)
        with run.recorder.of(Purpose.PREPARING):
            for name in {*taken} ^ {*listed}:
                image.client.ask(MEMBERS.delete(image.id, name))


def _shared(
    image: Image,
    consumer: ImagesClient,
    project: str,
    other: str,
    answers: dict[Question, list[Answer]],
    *,
    whole: bool,
) -> bool | None:
    def members() -> Answer:
        return consumer.ask(MEMBERS.read(image.id))

    answers[Question.BEFORE] = [members()]
    with image.client.recorder.of(Purpose.PREPARING):
        require_ok(image.client.ask(MEMBERS.add(image.id, project)))
        # Where a service shares images with projects alone that there are, the consumer is the only member.
        image.client.ask(MEMBERS.add(image.id, other))
    answers[Question.SHARED] = [image.eventually(members, lambda answer: answer.status == 200)]  # noqa: PLR2004
    answers[Question.MEMBER] = [image.send("GET", f"/members/{project}")]
    answers[Question.MEMBER] += [consumer.send("GET", f"/images/{image.id}/members/{project}")]
    with image.client.recorder.of(Purpose.PREPARING):
        accepted = consumer.send("PUT", f"/images/{image.id}/members/{project}", json={"status": "accepted"}).ok
        if accepted and whole:
            consumer.show(image.id)  # what a service remembers of that must not outlast the membership
            with image.client.recorder.of(Purpose.JUDGING):
                answers[Question.ACCEPTED] = [members()]
        require_ok(image.client.ask(MEMBERS.delete(image.id, project)))
    seen = image.seen_by(consumer)
    answers[Question.IMAGE_AFTER] = [image.eventually(seen.show, lambda answer: not answer.ok)]
    if whole:
        ask = partial(image.send, "GET", f"/members/{project}")
        answers[Question.NOT_A_MEMBER].append(image.eventually(ask, lambda answer: not answer.ok))
    listed = bool(seen.eventually(seen.entry, lambda entry: not entry)) if accepted else None
    if whole and not answers[Question.IMAGE_AFTER][0].ok:  # who sees it may be a member still, and is none anew
        answers[Question.AGAIN] = [image.client.ask(MEMBERS.add(image.id, project))]
        answers[Question.AGAIN] += [image.send("GET", f"/members/{project}")]
    return listed
