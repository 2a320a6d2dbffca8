"""Images that are created, read, protected, filled and deleted, and how another project sees them."""

import enum
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import (
    MANY,
    give_data,
    many_attributes,
    once_active,
    once_gone,
    once_settled,
    protection,
    state_of,
)
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of, differing
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.deletion import IN_USE
from pytest_cloudimages.engine.provisioning import REFUSED_FOR_GOOD, claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

DATA = b"".join(place.to_bytes(2, "big") for place in range(2600))
"""The data of an image: no two parts of it are alike, and it is longer than a block of 512, 1,024 or 4,096 octets."""


class Question(enum.StrEnum):
    """What was asked for in the life of an image."""

    SHOWN = "an image"
    CREATED = "an image of one's own, just created"
    CREATION = "the creation of an image with attributes"
    AS_CREATED = "an image that was created with attributes"
    NOT_FILLED = "an image after data for it was refused"
    LISTED = "the list of the images of a name, which is one's own"
    WITH_TAGS = "an image created with tags"
    UNKNOWN = "an image that there is not"
    UNKNOWN_PATCHED = "a patch of an image that there is not"
    UNKNOWN_DELETED = "the deletion of an image that there is not"
    ACTIVE = "an image that was given data"
    EMPTY = "an image that was given no octet for its data"
    LARGE = "an image that is longer than 64 KiB, or as long as it can be made, and the list that holds it"
    REFUSED_DATA = "an image that was refused data because it has some"
    TWIN = "another image of the same data, once the first was deleted"
    PROTECTED_DELETED = "the deletion of a protected image"
    PROTECTED_AFTER = "the protected image after it"
    PROTECTED_ADMINISTERED = "the deletion of a protected image by administrators"
    PROTECTED_SHARED = "the deletion of a protected image that is shared"
    PROTECTED_AT_ONCE = "the deletion of an image that was created as a protected one"
    DELETED = "the deletion of an image"
    GONE = "an image that was deleted"
    SHARED_DELETED = "the deletion of an image that is shared"
    DELETED_AGAIN = "the deletion of an image that was deleted"
    GONE_PATCHED = "a patch of an image that was deleted"
    GONE_AFTER = "an image that was deleted, and then patched"
    GONE_DATA = "the data of an image that was deleted"
    DATA = "the data of an image"
    DATA_AFTER = "the data of the protected image after its deletion was refused"


OF_IMAGES = (
    *(Question.SHOWN, Question.LISTED, Question.WITH_TAGS, Question.ACTIVE, Question.CREATION, Question.AS_CREATED),
    *(Question.NOT_FILLED, Question.EMPTY, Question.REFUSED_DATA, Question.PROTECTED_AFTER, Question.TWIN),
)
"""What is answered with an image of one's own, or with a list of such."""


@dataclass(frozen=True, repr=False)
class LifeAnswers(Collection):
    """The answers that the life of an image called forth."""

    answers: Mapping[Question, list[Answer]]
    why: Mapping[Question, BaseException] = field(default_factory=dict)
    """Why something could not be asked for."""

    @cases
    def to(self, *wanted: Question) -> Iterator[Case[Answer]]:
        """Return the answers to some questions, or all. Raise what kept one that is named from being put."""
        for question in wanted or Question:
            if question in wanted and question in self.why:
                raise self.why[question]
            for answer in self.answers.get(question, ()):
                yield Case(answer, [answer.exchange])

    @cases
    def answered(self, *questions: Question) -> Iterator[Case[Answer]]:
        """Return the answers to some questions, as far as these were put."""
        for question in questions:
            for answer in self.answers.get(question, ()):
                yield Case(answer, [answer.exchange])

    @cases
    def images_shown(self) -> Iterator[Case[Answer]]:
        """Return the answers that show one image, after it was changed."""
        for question in (Question.ACTIVE, Question.PROTECTED_AFTER):
            for answer in self.answers.get(question, ()):
                if answer.ok:
                    yield Case(answer, [answer.exchange])

    @cases
    def listed_when_new(self) -> Iterator[Case[tuple[Attributes, Answer]]]:
        """Return the image as the list shows it, before anything was done with it, with the answer."""
        known = [attributes_of(answer).get("id") for answer in self.answers.get(Question.CREATED, ()) if answer.ok]
        for answer in self.answers.get(Question.LISTED, ()):
            for entry in entries_of(answer, "/images"):
                if entry.get("id") in known:
                    yield Case((entry, answer), [answer.exchange])

    @cases
    def images(self) -> Iterator[Case[Attributes]]:
        """Return every image of one's own that was shown, by itself or in a list."""
        own: list[object] = []
        for question in OF_IMAGES:
            for answer in self.answers.get(question, ()):
                if question is Question.LISTED:
                    shown = [entry for entry in entries_of(answer, "/images") if entry.get("id") in own]
                else:
                    shown = [answer.data] if answer.ok and isinstance(answer.data, dict) else []
                    own += [image.get("id") for image in shown]
                for image in shown:
                    yield Case(image, [answer.exchange])


@workload(empty=lambda: LifeAnswers({}), requests=(23, 78, 78, 78))
def image_life(run: Run) -> LifeAnswers:
    """Create an image, read it, list it, give it data, protect it and delete it; ask the same of none at all."""
    answers: dict[Question, list[Answer]] = {}
    why: dict[Question, BaseException] = {}
    nobody = str(uuid.uuid4())
    unknown = (nobody, "cloudimages-no-id")
    answers[Question.UNKNOWN] = [run.client.show(each) for each in unknown]
    changed = unknown if run.rounds else unknown[:1]
    answers[Question.UNKNOWN_PATCHED] = [run.client.patch(each, replaced("/name", "of nothing")) for each in changed]
    answers[Question.UNKNOWN_DELETED] = [run.client.delete(each) for each in changed]
    with run.fresh_image() as image:
        answers[Question.SHOWN] = [image.show()]
        answers[Question.LISTED] = [run.client.list(name=image.name)]
        run.show(partial(LifeAnswers, answers, why))
        for part, questions in _PARTS.items():
            try:
                run.require_own()
                part(run, image, answers)
            except (Blocked, pytest.skip.Exception) as problem:
                why |= dict.fromkeys(questions, problem)
            run.show(partial(LifeAnswers, answers, why))
    return LifeAnswers(answers, why)


def _created(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    del run, image
    answers[Question.CREATED] = answers[Question.SHOWN]


def _given_data(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    give_data(image, DATA)
    answers[Question.ACTIVE] = [once_active(image)]
    if run.rounds and _is_active(answers[Question.ACTIVE][0]):
        with run.recorder.of(Purpose.PREPARING):
            data = image.send("GET", "/file")
            again = image.upload(DATA[: len(DATA) // 2])
        if again.refused:
            answers |= {Question.DATA: [data], Question.REFUSED_DATA: [image.show()]}


def _given_none(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    del image
    if not run.rounds:
        pytest.skip("profile quick gives no image data of no octets")
    with run.fresh_image(own=True) as empty:
        with run.recorder.of(Purpose.PREPARING):
            answer = empty.upload(b"")
        if not answer.ok:
            pytest.skip(f"needs data of no octets to be taken: {answer.exchange}")
        answers[Question.EMPTY] = [once_active(empty)]


def _is_active(answer: Answer) -> bool:
    return state_of(answer) == "active"


def _protected(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    with image.client.recorder.of(Purpose.PREPARING):
        answer = image.client.patch(image.id, replaced("/protected", True))
        require_offered(answer, "updates of images by PATCH")
        if answer.status in REFUSED_FOR_GOOD:
            pytest.skip(f"needs an image that is protected: {answer.exchange}")
        require_ok(answer)
    try:
        # The second time is no confirmation.
        answers[Question.PROTECTED_DELETED] = [image.client.delete(image.id) for _ in range(2)]
        for who in ("ADMIN", "IMAGES_ADMIN") if run.rounds else ():
            with suppress(Blocked):
                if administrator := run.caller(who):
                    answers.setdefault(Question.PROTECTED_ADMINISTERED, []).append(administrator.delete(image.id))
        answers[Question.PROTECTED_AFTER] = [image.show()]
        for data in answers.get(Question.DATA, ()):
            if data.ok and all(answer.refused for answer in answers[Question.PROTECTED_DELETED]):
                look = partial(image.send, "GET", "/file")
                kept = image.eventually(look, lambda looked, data=data: looked.body == data.body)  # type: ignore[misc]
                answers[Question.DATA_AFTER] = [kept]
    finally:
        with image.client.recorder.of(Purpose.PREPARING):
            image.client.patch(image.id, replaced("/protected", False))


def _protected_at_once(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Delete an image that says from its creation on that it is protected, where protection can be taken back."""
    if not run.rounds or not all(answer.ok for answer in answers.get(Question.PROTECTED_AFTER, [])):
        pytest.skip("needs an image that can be protected, and freed again")
    del image
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        with run.recorder.of(Purpose.PREPARING):
            answer = run.client.create(name=name, protected=True)
        identifier = attributes_of(answer).get("id") if answer.ok else None
        if not is_fit(identifier):
            pytest.skip(f"needs images that are protected when they are created: {answer.exchange}")
        made.append(identifier)
        try:
            if attributes_of(answer).get("protected") is True:
                answers[Question.PROTECTED_AT_ONCE] = [run.client.delete(identifier)]
        finally:
            with run.recorder.of(Purpose.PREPARING):
                run.client.patch(identifier, replaced("/protected", False))


GIVEN = {"min_ram": 64, "min_disk": 2, "tags": ["given"], "os_distro": "debian", "cloudimages_given": "at creation"}
"""What an image is created with."""


def _created_with_more(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Create an image with attributes, and look at it; then try to give it data in ways that are refused."""
    del image
    if not run.rounds:
        pytest.skip("profile quick creates no image with attributes")
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        with run.recorder.of(Purpose.PREPARING):
            answer = run.client.create(name=name, **run.recorder.traces.formats, **GIVEN)
        created = _made(run, answer, name, made)
        if created is None:
            pytest.skip(f"needs images that are created with attributes: {answer.exchange}")
        given = {name: value for name, value in GIVEN.items() if attributes_of(answer).get(name) == value}
        answers[Question.CREATION] = [answer]
        answers[Question.AS_CREATED] = [
            created.eventually(created.show, lambda shown: not (shown.ok and given_otherwise(given, shown)))
        ]
        with run.recorder.of(Purpose.PREPARING):
            refused = [created.send("PUT", "/file", body=DATA, headers={"Content-Type": "application/json"})]
            if other := run.of_another_project():
                refused.append(created.seen_by(other).upload(DATA))
            # Whoever does not know the formats of an image may take no data for it.
            formless = _made(run, run.client.create(name=name), name, made)
            refused_too = formless.upload(DATA).refused if formless else False
        looked = [created] if all(answer.refused for answer in refused) else []
        looked += [formless] if formless and refused_too else []
        answers[Question.NOT_FILLED] = [
            each.eventually(each.show, lambda shown: state_of(shown) == "queued") for each in looked
        ]


def _made(run: Run, answer: Answer, name: str, made: list[str]) -> Image | None:
    """Return the image that was created, and remember its id; nothing where none was."""
    identifier = attributes_of(answer).get("id") if answer.ok else None
    if not is_fit(identifier):
        return None
    made.append(identifier)
    return Image(run.client, identifier, name, run.patience)


def given_otherwise(given: Attributes, shown: Answer) -> list[str]:
    """Return the attributes of those that an image was created with which it does not show so."""
    return differing(attributes_of(shown), given, only={*given})


def _with_tags(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    del image
    with run.fresh_image(tags=["first of two", "second of two"]) as tagged:
        answers[Question.WITH_TAGS] = [tagged.show()]
        if run.rounds:
            patched = (tagged.send("PATCH", "", **many_attributes(*each)) for each in MANY)
            if large := next((answer for answer in patched if answer.ok), None):
                answers[Question.LARGE] = [large, tagged.show(), run.client.list(name=tagged.name)]


def _deleted(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    for looked in answers.get(Question.PROTECTED_AFTER, []):
        if looked.status in (404, 410):
            pytest.skip(f"needs an image, and it was deleted while it was protected: {looked.exchange}")
    with ExitStack() as stack:
        twin = None
        if Question.ACTIVE in answers and run.rounds:
            with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
                other = stack.enter_context(run.fresh_image(own=True))
                # How much comes is not said beforehand, where the service takes it so.
                filled = other.upload(DATA, chunked=True).ok or other.upload(DATA).ok
                twin = other if filled and other.show().ok else None
        _deleted_beside(image, answers)
        if run.rounds and answers[Question.DELETED][0].ok and answers[Question.GONE][0].status == 404:  # noqa: PLR2004
            _patched_when_gone(image, answers)
        if twin is not None and answers[Question.DELETED][0].ok:
            answers[Question.TWIN] = [looked := once_settled(twin)]
            if looked.ok:
                _deleted_while_shared(twin, answers)


def _patched_when_gone(image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Patch an image that was deleted, and look for it."""
    answers[Question.GONE_PATCHED] = [image.client.patch(image.id, replaced("/name", f"{image.name}-gone"))]
    answers[Question.GONE_AFTER] = [looked := image.show()]
    if Question.DATA in answers:
        data = image.eventually(partial(image.send, "GET", "/file"), lambda answer: not answer.ok)
        answers[Question.GONE_DATA] = [data, image.upload(DATA)]
    if looked.ok:
        with image.client.recorder.of(Purpose.CLEANING):
            image.client.delete(image.id)


def _deleted_while_shared(image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Delete an image that has a member, where it can be shared."""
    with image.client.recorder.of(Purpose.PREPARING):
        if not image.send("POST", "/members", json={"member": uuid.uuid4().hex}).ok:
            return
    with protection(image) as protected:
        if protected:
            answers[Question.PROTECTED_SHARED] = [image.client.delete(image.id)]
    if protected and answers[Question.PROTECTED_SHARED][0].ok:
        return
    answer = _let_go(image)
    if answer.status != IN_USE and not _still_protected(image, answer):
        answers[Question.SHARED_DELETED] = [answer]
    if answer.ok:
        image.client.recorder.traces.forget(image.id)


def _deleted_beside(image: Image, answers: dict[Question, list[Answer]]) -> None:
    answer = _let_go(image)
    if answer.status in {405, 501}:
        require_offered(answer, "the deletion of images")
    if shown := _still_protected(image, answer):
        raise Blocked(f"The image is still protected, and was not to be: {shown.exchange}")
    answers[Question.DELETED] = [answer]
    traces = image.client.recorder.traces
    traces.forget(image.id)
    answers[Question.GONE] = [gone := once_gone(image)]
    if answer.ok and gone.status == 404:  # noqa: PLR2004 - as HTTP has it
        traces.gone.add(image.id)
    answers[Question.DELETED_AGAIN] = [image.client.delete(image.id)]


def _still_protected(image: Image, answer: Answer) -> Answer | None:
    """Return what shows that an image was not deleted because it is protected, as new ones may be."""
    shown = None if answer.ok else image.show()
    return shown if shown and attributes_of(shown).get("protected") is True else None


_PARTS: Mapping[Callable[[Run, Image, dict[Question, list[Answer]]], None], Sequence[Question]] = {
    _created: (Question.CREATED,),
    _given_data: (Question.ACTIVE,),
    _given_none: (Question.EMPTY,),
    _protected: (Question.PROTECTED_DELETED, Question.PROTECTED_AFTER),
    _protected_at_once: (Question.PROTECTED_AT_ONCE,),
    _created_with_more: (Question.CREATION, Question.AS_CREATED, Question.NOT_FILLED),
    _with_tags: (Question.WITH_TAGS,),
    _deleted: (Question.DELETED, Question.GONE, Question.DELETED_AGAIN),
}
"""What is done with an image of one's own, in this order, and what is asked by it."""


def _let_go(image: Image) -> Answer:
    """Delete an image: that of one in use is refused with 409, until whatever uses it lets it go (conflict C-43)."""
    answers: list[Answer] = []

    def asked() -> Answer:
        if not answers or answers[-1].status == IN_USE:
            answers.append(image.client.delete(image.id))
        return answers[-1]

    return image.eventually(asked, lambda answer: answer.status != IN_USE)


def digest(data: bytes = DATA) -> str:
    """Return the MD5 of the data that an image is given."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
