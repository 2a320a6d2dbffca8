"""What owner and consumer are answered while an image is shared and no longer, and what members may be called."""

import enum
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest

from pytest_cloudimages.areas.members.resource import MEMBERS, as_project
from pytest_cloudimages.areas.members.workloads import project_ids, shared_image
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient, segment
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

NO_ID = "cloudimages-none"
"""What does not look like the id of a project; which ids there are, is for Identity to say."""
A_NUMBER_IN_HEX = re.compile("[0-9a-fA-F-]+")
"""An id that is the same in capitals to who takes it for what it may be."""


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


@workload(empty=lambda: Sharing({}), requests=(17, 63, 63, 63))
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
        new = created.document.get("id")
        if not is_fit(new):
            return
        made.append(new)
        if new == gone:  # of which a node may know a little late that the other one is gone
            image, read = Image(run.client, new, name, run.patience), MEMBERS.read(new)
            found = image.eventually(partial(run.client.ask, read), lambda seen: MEMBERS.values(seen) == ())
            answers.setdefault(Question.OF_A_NEW_IMAGE, []).append(found)
            if consumer is not None and Question.BEFORE in answers:
                answers[Question.BEFORE].append(image.eventually(partial(consumer.ask, read), lambda seen: not seen.ok))


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
            if not A_NUMBER_IN_HEX.fullmatch(
                project
            ):  # a word is not its beginning; in which case, a database may not mind
                beginning = segment(project[:-1])
                answers[Question.NOT_A_MEMBER].append(image.send("GET", f"/members/{beginning}"))
                answers[Question.NOT_REMOVED] = [image.send("DELETE", f"/members/{beginning}")]
                if answers[Question.NOT_REMOVED][0].ok:
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
    member = f"/images/{image.id}/members/{project}"
    for client in (image.client, consumer):
        look = partial(client.send, "GET", member)
        answers.setdefault(Question.MEMBER, []).append(image.eventually(look, lambda answer: answer.ok))
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
