"""Images that are created with all that may be given, with an id that is taken, and with one that was."""

import uuid
from functools import partial

import pytest

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.paging import entries_of, holds
from pytest_cloudimages.areas.images.life_answers import DATA, GIVEN, GIVEN_BESIDES, Question, given_otherwise
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import state_of
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.run import Run


def created_with_more(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Create an image with attributes, and look at it; then try to give it data in ways that are refused.

    Then it is asked for by ids that are nearly its own, and another one is created with its id.
    """
    del image
    if not run.rounds:
        pytest.skip("profile quick creates no image with attributes")
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        formats = run.recorder.traces.formats
        with run.recorder.of(Purpose.PREPARING):
            full = answer = run.client.create(name=name, **formats, **GIVEN, **GIVEN_BESIDES)
            if answer.refused:
                answer = run.client.create(name=name, **formats, **GIVEN)
        created = _made(run, answer, name, made)
        if created is None:
            pytest.skip(f"needs images that are created with attributes: {answer.exchange}")
        given = {name: value for name, value in GIVEN.items() if attributes_of(answer).get(name) == value}
        in_full = full.ok and {*GIVEN} == {*given}
        # What it says nothing of, it may not have taken.
        told = {name: value for name, value in GIVEN_BESIDES.items() if name in attributes_of(answer)}
        whole = given | (told if in_full else {})
        answers[Question.CREATION] = [answer]
        shown = created.eventually(created.show, lambda shown: not (shown.ok and given_otherwise(whole, shown)))
        answers[Question.AS_CREATED] = [shown]
        if in_full:
            answers[Question.CREATED_IN_FULL] = [shown]
        with run.recorder.of(Purpose.PREPARING):
            refused = [created.send("PUT", "/file", body=DATA, headers={"Content-Type": "application/json"})]
            if other := run.of_another_project():
                refused.append(created.seen_by(other).upload(DATA))
            # Whoever does not know the formats of an image may take no data for it.
            identifier = str(uuid.uuid4()).upper()
            answer = run.client.create(name=name, id=identifier)
            bare = run.client.create(name=name) if answer.refused else answer
            formless = _made(run, bare, name, made)
            refused_too = formless.upload(DATA).refused if formless else False
            if formless:
                answers |= {Question.BARE: [bare], Question.LISTED_BESIDE: _listed_beside(formless, created)}
        looked = [created] if all(answer.refused for answer in refused) else []
        looked += [formless] if formless and refused_too else []
        answers[Question.NOT_FILLED] = [
            each.eventually(each.show, lambda shown: state_of(shown) == "queued") for each in looked
        ]
        if formless and formless.id == identifier:
            answers |= _in_capitals(formless)
        if shown.ok:
            _by_other_ids(created, answers)
            _with_its_id(run, created, answers, made)


def _listed_beside(plain: Image, full: Image) -> list[Answer]:
    """List an image that has nothing of one's own after one that has; what lists show, ``every_answer`` looks at.

    Of which of them is listed first where both were created in one second, the service decides.
    """
    answers: list[Answer] = []
    for direction in ("asc", "desc"):
        look = partial(plain.client.list, name=plain.name, sort_dir=direction)
        answers.append(plain.eventually(look, lambda listed: holds(listed, plain.id) or not holds(listed, full.id)))
        ids = [entry.get("id") for entry in entries_of(answers[-1], "/images")]
        if plain.id not in ids or full.id not in ids or ids.index(full.id) < ids.index(plain.id):
            break
    # What holds neither of them, lacks one that is like others.
    return [listed for listed in answers if holds(listed, full.id)]


def _in_capitals(image: Image) -> dict[Question, list[Answer]]:
    """Return an image whose id has capitals, as it was given it, and what its link to itself leads to.

    The id is a UUID, in which case need not count: a link that has it otherwise is followed.
    """
    shown = image.show()
    link = attributes_of(shown).get("self") if shown.ok else None
    led = leads_to(image.client, link, f"/images/{image.id}")
    # Where it leads elsewhere, or nowhere, whoever looks at links says so.
    others = led.startswith("/") and led != f"/images/{image.id}"
    return {Question.IN_CAPITALS: [shown], Question.LED_TO: [image.client.send("GET", led)] if others else []}


def _by_other_ids(image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Ask for an image by its id with a letter more, and one less, and hide it from lists."""
    longer, shorter = f"{image.id}0", image.id[:-1]
    answers[Question.UNKNOWN] += [image.client.show(longer), image.client.show(shorter)]
    answers[Question.UNKNOWN_PATCHED].append(image.client.patch(longer, replaced("/name", "by another id")))
    with image.client.recorder.of(Purpose.PREPARING):
        hidden = image.client.patch(image.id, replaced("/os_hidden", True)).ok
    if hidden:
        answers[Question.HIDDEN] = [image.show()]


def _with_its_id(run: Run, image: Image, answers: dict[Question, list[Answer]], made: list[str]) -> None:
    """Create another image with the id of one, and look at this; then delete it by an id with a letter more."""
    with run.recorder.of(Purpose.PREPARING):
        answer = run.client.create(name=image.name, id=image.id, **run.recorder.traces.formats)
    other = attributes_of(answer).get("id") if answer.ok else None
    made += [other] if is_fit(other) and other not in made else []
    # Who answers 200, and not 201, may write an image anew that there is, and says so: its id is unique all the same.
    if other != image.id or answer.status == 201:  # noqa: PLR2004 - as HTTP has it
        answers[Question.TAKEN] = [image.show()]
    answers[Question.UNKNOWN_DELETED].append(image.client.delete(f"{image.id}0"))


def created_again(run: Run, image: Image, answers: dict[Question, list[Answer]]) -> None:
    """Create an image with the id of one that was deleted, where a service lets that be, and ask for its data."""
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        with run.recorder.of(Purpose.PREPARING):
            again = _made(run, run.client.create(name=name, id=image.id), name, made)
        if again is None:
            made.append(image.id)  # whoever hands a creation on twice, is refused the second
        if again and again.id == image.id and state_of(again.show()) == "queued":
            look = partial(again.send, "GET", "/file")
            answers[Question.CREATED_AGAIN_DATA] = [again.eventually(look, lambda data: not (data.ok and data.body))]


def _made(run: Run, answer: Answer, name: str, made: list[str]) -> Image | None:
    """Return the image that was created, and remember its id; nothing where none was."""
    identifier = attributes_of(answer).get("id") if answer.ok else None
    if not is_fit(identifier):
        return None
    made.append(identifier)
    return Image(run.client, identifier, name, run.patience)
