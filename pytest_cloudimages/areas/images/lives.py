"""Images that are created, read, protected, filled and deleted, and how another project sees them."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.common.paging import entries_of, holds
from pytest_cloudimages.areas.images.creations import created_again, created_with_more
from pytest_cloudimages.areas.images.life_answers import DATA, LifeAnswers, Question, lost_of_its_data
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import (
    MANY,
    give_data,
    let_go,
    many_attributes,
    once_active,
    once_gone,
    once_settled,
    protection,
    state_of,
)
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.deletion import IN_USE
from pytest_cloudimages.engine.provisioning import REFUSED_FOR_GOOD, claimed_name
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

NOT_YET = frozenset({204, 404})
"""What is answered while there is no data."""


@workload(empty=lambda: LifeAnswers({}), requests=(23, 100, 100, 100))
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
    if run.rounds:  # it is not there because it was asked for
        answers[Question.UNKNOWN].append(run.client.show(nobody))
        answers[Question.UNKNOWN_DELETED].append(run.client.delete(nobody))
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
            # Where it is stored may be late, which patience is for.
            look = partial(image.send, "GET", "/file")
            data = image.eventually(look, lambda answer: answer.status not in NOT_YET)
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
                if kept.body != data.body:
                    _refused_beside(run, answers)
    finally:
        with image.client.recorder.of(Purpose.PREPARING):
            answers[Question.FREED] = [image.client.patch(image.id, replaced("/protected", False))]


def _refused_beside(run: Run, answers: dict[Question, list[Answer]]) -> None:
    """Have nothing but the deletion of another protected image refused, where one has lost its data meanwhile."""
    with suppress(Blocked, pytest.skip.Exception), run.fresh_image(own=True) as other:
        give_data(other, DATA, waits=True)
        look = partial(other.send, "GET", "/file")
        with protection(other) as protected:
            if (
                protected
                and other.eventually(look, lambda data: data.body == DATA).body == DATA
                and other.client.delete(other.id).refused
            ):
                answers[Question.DATA_BESIDE] = [other.eventually(look, lambda data: data.body == DATA)]


def _moved(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Change the visibility of an image that has data, and look at what it says of its data then."""
    before = attributes_of(answers[Question.ACTIVE][0]) if Question.ACTIVE in answers else {}
    if not run.rounds or before.get("status") != "active":
        pytest.skip("needs an image that is active")
    visibility = "shared" if before.get("visibility") == "private" else "private"
    with run.recorder.of(Purpose.PREPARING):
        answer = image.client.patch(image.id, replaced("/visibility", visibility))
    if not answer.ok:
        pytest.skip(f"needs an image whose visibility can be changed: {answer.exchange}")
    # What a node finds out of its data by and by, it may not know yet.
    answers[Question.MOVED] = [image.eventually(image.show, lambda shown: not lost_of_its_data(before, shown))]


def _protected_at_once(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Delete an image that says from its creation on that it is protected, where protection can be taken back."""
    # What cannot be freed would stay for ever.
    if not run.rounds or not any(answer.ok for answer in answers.get(Question.FREED, [])):
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


def _with_tags(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    del image
    with run.fresh_image(tags=["first of two", "second of two"]) as tagged:
        answers[Question.WITH_TAGS] = [tagged.show()]
        if run.rounds:
            patched = (tagged.send("PATCH", "", **many_attributes(*each)) for each in MANY)
            if large := next((answer for answer in patched if answer.ok), None):
                look = partial(run.client.list, name=tagged.name)
                listed = tagged.eventually(look, lambda answer: not answer.ok or holds(answer, tagged.id))
                answers[Question.LARGE] = [large, tagged.show(), listed]


def _data_later(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Ask for data once more that an active image did not give; whether it gives any at all, nothing else tells."""
    del run
    for data in answers.get(Question.DATA, ()):
        if data.status in NOT_YET and (later := image.send("GET", "/file")).body == DATA:
            answers[Question.DATA_LATER] = [data, later]


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
            if Question.DATA in answers and not answers[Question.GONE_AFTER][0].ok:
                created_again(run, image, answers)
        if twin is not None and answers[Question.DELETED][0].ok:
            answers[Question.TWIN] = [looked := once_settled(twin)]
            if looked.ok and any(data.body == DATA for data in answers.get(Question.DATA, ())):
                look = partial(twin.send, "GET", "/file")
                answers[Question.TWIN_DATA] = [twin.eventually(look, lambda data: data.body == DATA)]
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
    member = uuid.uuid4().hex
    with image.client.recorder.of(Purpose.PREPARING):
        if not image.send("POST", "/members", json={"member": member}).ok:
            return
    with protection(image) as protected:
        if protected:
            answers[Question.PROTECTED_SHARED] = [refused := image.client.delete(image.id)]
            answers[Question.PROTECTED_MEMBERS] = _members_left(image, member) if refused.refused else []
    if protected and answers[Question.PROTECTED_SHARED][0].ok:
        return
    first = answer = let_go(image)
    if answer.status == IN_USE:
        # Whatever else may use it, it is its member that keeps it where it goes as soon as there is none.
        with image.client.recorder.of(Purpose.PREPARING):
            alone = image.send("DELETE", f"/members/{member}").ok
        answer = image.client.delete(image.id) if alone else answer
    if (first.status != IN_USE or answer.ok) and not _still_protected(image, answer):
        answers[Question.SHARED_DELETED] = [first]
    if answer.ok:
        image.client.recorder.traces.forget(image.id)


def _members_left(image: Image, member: str) -> list[Answer]:
    """Return the members of an image whose deletion was refused; nothing where its only one is listed at no time."""

    def is_listed(answer: Answer) -> bool:
        return member in [each.get("member_id") for each in entries_of(answer, "/members")]

    look = partial(image.send, "GET", "/members")
    left = image.eventually(look, lambda answer: not answer.ok or is_listed(answer))
    if left.ok and not is_listed(left):
        with image.client.recorder.of(Purpose.PREPARING):
            image.send("POST", "/members", json={"member": member})
        if not is_listed(image.eventually(look, is_listed)):
            return []
    return [left]


def _deleted_beside(image: Image, answers: dict[Question, list[Answer]]) -> None:
    answer = let_go(image)
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
    return shown if shown and shown.document.get("protected") is True else None


_PARTS: Mapping[Callable[[Run, Image, dict[Question, list[Answer]]], None], Sequence[Question]] = {
    _created: (Question.CREATED,),
    _given_data: (Question.ACTIVE,),
    _given_none: (Question.EMPTY,),
    _protected: (Question.PROTECTED_DELETED, Question.PROTECTED_AFTER),
    _moved: (Question.MOVED,),
    _protected_at_once: (Question.PROTECTED_AT_ONCE,),
    created_with_more: (Question.CREATION, Question.AS_CREATED, Question.NOT_FILLED),
    _with_tags: (Question.WITH_TAGS,),
    _data_later: (Question.DATA_LATER,),
    _deleted: (Question.DELETED, Question.GONE, Question.DELETED_AGAIN),
}
"""What is done with an image of one's own, in this order, and what is asked by it."""
