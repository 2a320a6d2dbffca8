# sequences of operations against a set

from itertools import chain

import pytest
from hypothesis import given

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.isolation import OtherImage
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.strategies import tags
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.measurement import ConcurrentRuns, witnessed
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.oracles import took_exact_effect, without
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.spec.verdicts import Blocked


# "This operation adds the specified tag …" "This operation deletes the specified tag …"
@requirement("TAG-HIST-01")
def test_the_tags_are_what_the_acknowledged_operations_leave(
    sequences: Steps, plain_tags: Steps, boundary_tags: Steps, every_length: Steps
) -> None:
    for step in chain(sequences.steps(), plain_tags.steps()):
        present = step.tag in step.before
        if step.operation.kind is Kind.ADD:
            assert step.answer.status in ((204,) if present else (204, 201)), step
            assert sorted(step.after) == sorted([*without(step.before, step.tag), step.tag]), step
        else:
            assert step.answer.status == (204 if present else 404), step
            assert sorted(step.after) == without(step.before, step.tag), step

    for histories in (sequences, plain_tags, boundary_tags, every_length):
        assert [*histories.contradictions(standing_by=False)] == []
        histories.steady()


# "only be tagged once", "only be removed once": whoever else is at it
@requirement("TAG-HIST-02")
def test_what_many_were_answered_is_explained_by_some_order(races: ConcurrentRuns) -> None:
    shown = races.measured(Pattern, races.unexplained, kind=lambda one: one.category)
    for run in shown.runs:
        if run.late and not shown.violations:
            recording.current_check().note(
                f"{run.plan.name}: a reader saw changes late, as is seen of this service elsewhere."
            )

    assert shown.sound, witnessed(shown)
    shown.raise_if_blocked()


# "This operation adds the specified tag to the specified image."
@requirement("TAG-HIST-03")
def test_other_images_keep_their_tags(
    sequences: Steps, plain_tags: Steps, other_images: list[OtherImage], cloudimages_run: Run
) -> None:
    if cloudimages_run.single:
        pytest.skip("needs a second image: lend another with a further --image ID")
    if max(sequences.images, plain_tags.images) < 2:
        raise Blocked("No second image could be had, so that none could be touched.")
    for histories in (sequences, plain_tags):
        for step in histories.steps(beside=True):
            before, after = step.other_image
            assert before is None or after is None or sorted(before) == sorted(after), step
        assert [*histories.contradictions(standing_by=True)] == []
    for one in other_images:
        recording.current_check().aside(one.exchanges)
        assert sorted(one.before) == sorted(one.after), one


# "This operation adds the specified tag …": that very string, or a refusal
@requirement("TAG-HIST-04")
@pytest.mark.parametrize("kind", ["unusual", "special", "related", "of every length", "related in sequences"])
def test_a_tag_is_stored_exactly_or_refused(
    unusual_tags: Steps,
    special_tags: Steps,
    confusable_tags: Steps,
    every_length: Steps,
    confusable_sequences: Steps,
    kind: str,
) -> None:
    every = {
        "unusual": unusual_tags,
        "special": special_tags,
        "related": confusable_tags,
        "of every length": every_length,
    }
    lives = every.get(kind, confusable_sequences)
    for step in lives.additions(known=False):
        assert step.answer.ok or step.answer.refused, step
        if step.answer.ok and step.before is not None:
            assert step.after is not None, step
        assert not step.known or took_exact_effect(step), step
    for step in lives.deletions():
        if step.prior is Prior.PRESENT and step.tag in step.before:
            assert step.answer.ok, step
        # The deletion of a tag that is not there takes no other one.
        assert took_exact_effect(step), step
    assert [*lives.contradictions(standing_by=False)] == []


# "This operation adds the specified tag …": that very string, or a refusal
@requirement("TAG-HIST-04")
@given(tag=tags())
def test_any_tag_is_stored_exactly_or_refused(fresh_image: FreshImage, tag: str) -> None:
    with fresh_image() as image:
        added = image.add_tag(tag)
        expected = [tag] if added.ok else []

        assert added.ok or added.refused, added
        assert image.eventual_tags(expected) == expected
        if added.ok:
            assert image.delete_tag(tag).ok
            assert image.eventual_tags([]) == []
