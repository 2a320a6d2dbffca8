# sequences of operations against a set

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.tags.checks import (
    ADD,
    ASTRAY,
    OK,
    ON_TWO_IMAGES,
    REFUSED,
    Allowed,
    Basics,
    ConcurrentRuns,
    Exports,
    FreshImage,
    Image,
    LongLife,
    OnOneImage,
    OtherImage,
    Pattern,
    Prior,
    Run,
    Steps,
    controlled,
    expect_exact_effect,
    expect_explained,
    expect_kept,
    expect_nothing_handed_on,
    expect_reproduced,
    expect_sound,
    expect_stored_or_refused,
    expect_tags,
    gone_astray,
    listed_and_plain,
    refused_as_one_more,
    refused_in_the_room,
    unaltered,
    without,
)
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.strategies import tags

READABLE = Allowed("tags that can be read", lambda values: values is not None)


# "This operation adds the specified tag …" "This operation deletes the specified tag …"
@requirement("TAG-HIST-01")
def test_the_tags_are_what_the_acknowledged_operations_leave(
    long_life: LongLife,
    sequences: Steps,
    plain_tags: Steps,
    boundary_tags: Steps,
    every_length: OnOneImage,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    many_tags: Steps,
    confusable_tags: Steps,
    exports: Exports,
) -> None:
    everything = sequences + plain_tags + many_tags + long_life.steps
    for step in everything.steps(where=lambda step: not (refused_as_one_more(step) or refused_in_the_room(step))):
        present, others = step.tag in (step.before or ()), without(step.before, step.tag)
        if step.operation.kind is ADD:
            step.expect(status=204 if present else {204, 201}, after=[*others, step.tag])
        else:
            step.expect(status=204 if present else 404, after=others)

    # Whatever a service takes for the same, what it shows can be deleted.
    for step in confusable_tags.aside().deletions(where=listed_and_plain):
        step.expect(status=204)

    # What else happens to an image is nothing to its tags.
    for event in (image_states + many_tags).aside().events():
        before, after = event.before.values or (), event.after.values or ()
        expect(sorted(after), sorted(before), f"tags after the image was {event.name}", before=sorted(before))

    for exported in exports.aside().tags():
        exported.expect()

    # How many tags have come and gone before makes no difference.
    for step in every_length.refused:
        step.expect(status={204, 201})
    expect_reproduced(every_length.late.aside(), standing_by=False)

    # What was deleted does not come back.
    long_life.expect_kept()
    # Nor is a tag added that another request named.
    long_life.expect_named_tag_added()

    for steps in (
        sequences,
        plain_tags,
        boundary_tags,
        every_length,
        image_states,
        common_clients,
        demanding_clients,
        many_tags,
        long_life.steps,
    ):
        expect_reproduced(steps, standing_by=False)
        steps.steady()


# "only be tagged once", "only be removed once": whoever else is at it
@requirement("TAG-HIST-02")
def test_what_many_were_answered_is_explained_by_some_order(races: ConcurrentRuns) -> None:
    shown = races.measured(Pattern, races.unexplained, kind=lambda anomaly: anomaly.category)
    for run in shown.runs:
        if run.late and not shown.violations:
            note(f"{run.plan.name}: a reader saw changes late, as is seen of this service elsewhere.")

    expect_explained(shown)
    shown.raise_if_blocked()


# "This operation adds the specified tag to the specified image."
@requirement("TAG-HIST-03")
def test_other_images_keep_their_tags(
    sequences: Steps, plain_tags: Steps, other_images: list[OtherImage], races: ConcurrentRuns, cloudimages_run: Run
) -> None:
    if cloudimages_run.single:
        pytest.skip("needs a second image: lend another with a further --image ID")
    if max(sequences.images, plain_tags.images) < 2:
        raise Blocked("No second image could be had, so that none could be touched.")

    for steps in (sequences, plain_tags):
        for step in steps.steps(beside=True):
            before, after = step.other_image
            if before is not None and after is not None:
                # What has come late there is no doing of this step.
                left, seen = (without(tags, *step.overdue_elsewhere) for tags in step.other_image)
                expect(seen, left, f"tags of another image after {step.answered}", before=before)
        expect_reproduced(steps, standing_by=True)
    expect_kept(other_images)
    expect_nothing_handed_on(cloudimages_run)
    if cloudimages_run.rounds:
        expect_sound(races.aside().measured(ON_TWO_IMAGES, gone_astray), ASTRAY)


# "This operation adds the specified tag …": that very string, or a refusal
@requirement("TAG-HIST-04")
@pytest.mark.parametrize("kind", ["unusual", "special", "related", "of every length"])
def test_a_tag_is_stored_exactly_or_refused(
    unusual_tags: Steps,
    special_tags: Steps,
    confusable_tags: Steps,
    every_length: Steps,
    confusable_sequences: Steps,
    boundary_tags: Steps,
    cloudimages_run: Run,
    kind: str,
) -> None:
    asked = {
        "unusual": [unusual_tags],
        "special": [special_tags],
        # Profile quick runs no sequences of them.
        "related": [confusable_tags, confusable_sequences],
        "of every length": [every_length],
    }[kind]
    with controlled(cloudimages_run, returning=True):
        if kind == "of every length":
            # One that is within the limit without its blanks may be refused, and is not stored with fewer of them.
            for step in boundary_tags.aside().additions(where=lambda step: not unaltered(step)):
                expect_stored_or_refused(step)
        for steps in asked:
            for step in steps.additions(known=False):
                if step.answer.ok and step.before is not None:
                    expect(step.after, READABLE, f"tags after {step.answered}")
                expect_stored_or_refused(step)
            for step in steps.deletions():
                if step.prior is Prior.PRESENT:
                    step.expect(status=OK)
                # The deletion of a tag that is not there takes no other one.
                expect_exact_effect(step)
            expect_reproduced(steps, standing_by=False)


# "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'": these may stand in a path as they are.
@requirement("TAG-HIST-04")
def test_what_may_stand_in_a_path_is_stored_exactly_or_refused(
    image: Image, basics: Basics, cloudimages_run: Run
) -> None:
    raw = "a;b,c:d=e&f@g*h'i$j(k)l!m"
    if not basics.adds:
        pytest.skip("needs a service that adds plain tags")
    # What plain tags have in common with it is for others to say; it takes nothing from what they have found.
    with untested_where_blocked(), controlled(cloudimages_run):
        added = image.send("PUT", f"/tags/{raw}")
        expect(added.status, OK | REFUSED, f"status of {added}")
        expect_tags(image, [raw] if added.ok else [], f"after {added}")
        if basics.deletes and added.ok:
            deleted = image.send("DELETE", f"/tags/{raw}")
            expect(deleted.status, OK, f"status of {deleted}")
            expect_tags(image, [], f"after {deleted}")


@contextmanager
def untested_where_blocked() -> Iterator[None]:
    """Leave a question unanswered where it is blocked: of several about one requirement, that one would count."""
    try:
        yield
    except Blocked as problem:
        pytest.skip(str(problem))


# "This operation adds the specified tag …": that very string, or a refusal
@requirement("TAG-HIST-04")
@given(tag=tags())
def test_any_tag_is_stored_exactly_or_refused(fresh_image: FreshImage, tag: str) -> None:
    with fresh_image() as image:
        added = image.add_tag(tag)
        expect(added.status, OK | REFUSED, f"status of {added}")
        expect_tags(image, [tag] if added.ok else [], f"after {added}")

        if added.ok:
            deleted = image.delete_tag(tag)
            expect(deleted.status, OK, f"status of {deleted}")
            expect_tags(image, [], f"after {deleted}")
