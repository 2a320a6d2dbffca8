# DELETE /v2/images/{image_id}/tags/{tag}

import uuid
from contextlib import suppress
from functools import partial
from itertools import chain

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.states import first_taken, kept_out_by_policy
from pytest_cloudimages.areas.tags.callers import ABSENT, ORDINARY, OTHERS, PRESENT, Change, State
from pytest_cloudimages.areas.tags.checks import (
    DELETE,
    LONGEST,
    OK,
    REFUSED,
    AccessAttempts,
    Administered,
    BareAnswers,
    Basics,
    ConcurrentRuns,
    FreshImage,
    Image,
    ImagesClient,
    LongLife,
    NegativeRequests,
    Pattern,
    Prior,
    Repetitions,
    Representations,
    Run,
    Step,
    Steps,
    StrayRequests,
    answers_to,
    anything_but,
    controlled,
    deletable,
    documented_codes,
    expect_among,
    expect_attributes_kept,
    expect_interpreted,
    expect_none_of,
    expect_nothing_astray,
    expect_others_kept,
    expect_owner_kept,
    expect_unlike_ones_kept,
    in_ordinary_state,
    its_beginning_is_kept,
    listed_and_plain,
    met_in_passing,
    once,
    or_skip,
    plain,
    protected_otherwise_alike,
    refused_itself,
    require_ok,
    set_tags,
    set_tags_in_old_form,
    show_phase,
)
from pytest_cloudimages.areas.tags.corpus import ANNOUNCED, BODIES_OF_DELETIONS, NOT_MET
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import (
    expect_done_as_answered,
    expect_no_tag_of_none_deleted,
    expect_none_reached,
    of_an_unknown_image,
    overlong_deletion,
)
from pytest_cloudimages.areas.tags.representations import DELETED_FIRST


# "204 Delete Successful: Delete request succeeded."
@requirement("TAG-DEL-01")
def test_deleting_a_carried_tag_succeeds_with_204(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    every_length: Steps,
    image_states: Steps,
    access_attempts: AccessAttempts,
    common_clients: Steps,
    confusable_tags: Steps,
    cloudimages_run: Run,
) -> None:
    by_owner = access_attempts.aside().by(Party.OWNER, states=ORDINARY, changes=[Change.DELETE])
    for attempt in by_owner.where(lambda attempt: attempt.carried):
        if kept_out_by_policy(attempt.answer, cloudimages_run):
            continue
        expect(attempt.answer.status, 204, f"status of {attempt}")
    # Whoever has added the tag.
    for answer in access_attempts.aside().deleted_by_the_owner():
        expect(answer.status, 204, f"status of {answer}, of a tag that another user of the project had added")

    steps = plain_tags + unusual_tags + boundary_tags + every_length + image_states + common_clients
    carried = steps.deletions(past=[Prior.PRESENT], again=False, printable=True)
    for step in carried.where(in_ordinary_state):
        if kept_out_by_policy(step.answer, cloudimages_run):
            continue
        step.expect(status=204)

    # Nor does it matter which other tags the image carries, as long as it shows both.
    for step in confusable_tags.aside().deletions(where=listed_and_plain):
        step.expect(status=204)


# "This operation does not return a response body."
@requirement("TAG-DEL-02")
def test_the_answer_to_a_deletion_has_no_body(
    plain_tags: Steps,
    image_states: Steps,
    special_tags: Steps,
    every_length: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    bare_answers: BareAnswers,
    basics: Basics,
) -> None:
    # A tag that never came is not deleted, whatever is answered.
    basics.require_additions()
    steps = plain_tags + common_clients + demanding_clients
    # What says by its body that there was nothing to delete is an error, whatever its status: TAG-DEL-05 asks.
    for step in steps.deletions(acknowledged=True, past=[Prior.PRESENT], known=False):
        expect(step.answer.body + step.answer.trailing, b"", f"body after {step.answered}")
    # Whichever tag it is, in whichever state of the image.
    for step in (image_states + special_tags + every_length).aside().deletions(acknowledged=True, past=[Prior.PRESENT]):
        if step.tag not in (step.after or ()):
            expect(step.answer.body + step.answer.trailing, b"", f"body after {step.answered}")

    # On a connection of its own, whatever else is sent must be seen.
    for answer in bare_answers.aside().on_its_own("DELETE"):
        expect(answer.body, b"", f"body of {answer}")


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-03")
def test_a_deleted_tag_is_listed_no_more(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    every_length: Steps,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    representations: Representations,
    access_attempts: AccessAttempts,
) -> None:
    # Whoever of those who may do so has deleted it.
    by_others = access_attempts.aside().by(Party.CREATOR, Party.ADMINISTRATOR, changes=[Change.DELETE])
    for attempt in by_others.where(lambda attempt: attempt.carried and attempt.answer.ok):
        expect(attempt.changed, True, f"effect of {attempt}")
    for state in representations.aside():
        expect(
            {*(state.in_image_for_reader or ())} - {*state.in_image},
            set(),
            f"tags shown to a reader alone, where {state}",
        )
    # Nor does a change of something else, or another tag, bring back what the image was created with.
    for state in representations.aside():
        since = {"a PATCH": state.after_renaming, "an addition": state.after_addition}
        for what, shown in since.items():
            expect_none_of(shown, [DELETED_FIRST], f"tags after {DELETED_FIRST} was deleted, and {what}")
    for answer in representations.aside().conditional("DELETE"):
        expect(answer.status, anything_but(304), f"status of {answer}, where tags were deleted")

    steps = plain_tags + unusual_tags + boundary_tags + every_length + image_states
    steps += common_clients + demanding_clients
    # What comes and goes again and again is TAG-HIST-01's.
    for step in steps.deletions(acknowledged=True, past=[Prior.PRESENT], again=False, printable=True, where=once):
        step.expect(present=False)


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-04")
def test_deleting_a_tag_leaves_the_others(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    every_length: Steps,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    stray_requests: StrayRequests,
    administered_image: Administered,
    confusable_tags: Steps,
    long_life: LongLife,
    cloudimages_run: Run,
) -> None:
    expect_nothing_astray(stray_requests, "DELETE")
    # A word that means something, such as `all`, is a tag like any other.
    for meaning in (confusable_tags, every_length):
        expect_unlike_ones_kept(meaning.aside().deletions(acknowledged=True, where=listed_and_plain))

    # At the edges, what is not listed as it was added may be taken for what is; TAG-HIST-04 asks.
    listed = boundary_tags.deletions(acknowledged=True, where=lambda step: step.tag in (step.before or ()))
    ordinary = plain_tags + image_states + common_clients + demanding_clients
    for step in chain(ordinary.deletions(acknowledged=True), listed):
        expect_others_kept(step)

    # "the specified tag", and nothing else of the image.
    steps = plain_tags + unusual_tags + boundary_tags + every_length + image_states
    expect_attributes_kept(steps.aside().spans(DELETE, acknowledged=True), cloudimages_run)
    expect_owner_kept(administered_image.spans, DELETE, cloudimages_run)
    # When it was changed is no earlier than before.
    for change in long_life.late_changes.aside().of(DELETE):
        change.expect_time_to_go_on()
        change.expect_rest_kept(cloudimages_run)


# "An image tag can only be removed once. Subsequent attempts to remove the
# same tag cause an HTTP 404 error."
@requirement("TAG-DEL-05")
def test_a_second_deletion_is_answered_404(
    plain_tags: Steps, unusual_tags: Steps, common_clients: Steps, repetitions: Repetitions
) -> None:
    for repetition in repetitions.aside().deletions(where=lambda each: each.due):
        expect(repetition.answer.status, 404, f"status of {repetition}")

    # Of those, some come right after the first.
    for step in (plain_tags + unusual_tags + common_clients).deletions(past=[Prior.DELETED]):
        step.expect(status=404)


def plainly_told_apart(step: Step) -> bool:
    """Return whether nothing in a tag can be read in two ways, and no tag of the image differs from it in case only."""
    return plain(step.tag) and all(step.tag.casefold() != tag.casefold() for tag in step.before or ())


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-06")
def test_deleting_a_tag_that_was_never_there_is_answered_404(absent_tags: Steps, confusable_tags: Steps) -> None:
    for step in absent_tags.deletions(input_classes=["absent"]):
        step.expect(status=404)

    # What the service would refuse to add, it may refuse to delete as well.
    for step in absent_tags.aside().deletions(input_classes=["absent and special"]):
        if its_beginning_is_kept(step):
            step.expect(status=REFUSED)

    # Nor does one stand for another that the image can carry beside it; what differs in case only is TAG-URI-19's.
    pairs = confusable_tags.aside()
    kept = {step.tag for step in pairs.additions(acknowledged=True, where=plainly_told_apart) if step.tag in step.came}
    for step in pairs.deletions(past=[Prior.NEVER], where=plainly_told_apart):
        if step.tag in kept:
            step.expect(status=404)


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-07")
def test_deleting_a_tag_of_an_unknown_image_is_answered_404(
    cloudimages_client: ImagesClient,
    gone_image: str,
    access_attempts: AccessAttempts,
    negative_requests: NegativeRequests,
    cloudimages_run: Run,
) -> None:
    by_others = access_attempts.aside().by(*OTHERS, states=ABSENT, changes=[Change.DELETE, Change.DELETE_ABSENT])
    for attempt in by_others:
        # What was there, and is gone, may be said to be (RFC 9110, 15.5.11).
        gone = {410} if attempt.cell.state is State.DELETED else set()
        expect(attempt.answer.status, {403, 404, *gone}, f"status of {attempt}")

    # Such an id, or tag, may be refused for its form as well.
    expect_no_tag_of_none_deleted(negative_requests, cloudimages_run)
    expect_none_reached(negative_requests, "DELETE")
    expect_done_as_answered(negative_requests, "DELETE", acknowledged=True)

    tried = of_an_unknown_image(negative_requests, "DELETE")
    for unknown in (next(iter(tried), str(uuid.uuid4())), gone_image):
        answer = tried.get(unknown) or cloudimages_client.delete_tag(unknown, "absent")

        expect(answer.status, {404, 410} if unknown == gone_image else 404, f"status of {answer}")


# "The request body is ignored."
@requirement("TAG-DEL-08")
def test_a_body_is_ignored(image: Image, basics: Basics, specification: str, cloudimages_run: Run) -> None:
    basics.require_deletions()
    forms = [f"{form}-{place}" for place in range(len(BODIES_OF_DELETIONS)) for form in ("whole", "chunked")]
    image.given_tags(*forms, "announced")
    with controlled(cloudimages_run):
        for place, (media, body) in enumerate(BODIES_OF_DELETIONS):
            for form, chunked in (("whole", False), ("chunked", True)):
                headers = {"Content-Type": media}
                answer = image.delete_tag(f"{form}-{place}", body=body, headers=headers, chunked=chunked)

                expect_interpreted(specification, answer.status, f"status of {answer}", cloud_images=OK, glance=400)
        media, body = BODIES_OF_DELETIONS[0]
        answer = image.delete_tag("announced", body=body, headers={"Content-Type": media, **ANNOUNCED})
        if answer.status == NOT_MET:
            answer = image.delete_tag("announced", body=body, headers={"Content-Type": media})
        expect_interpreted(specification, answer.status, f"status of {answer}", cloud_images=OK, glance=400)


# "The request body is ignored."
@requirement("TAG-DEL-09")
def test_a_body_deletes_no_tag(image: Image, basics: Basics) -> None:
    basics.require_deletions()
    asked = [f"asked-{place}" for place in range(len(BODIES_OF_DELETIONS))]
    image.given_tags_at_once("other", "stays", *asked)
    for tag, (media, body) in zip(asked, BODIES_OF_DELETIONS, strict=True):
        image.delete_tag(tag, body=body, headers={"Content-Type": media})
    tags = image.read(lambda found: {"other", "stays"} <= {*found})

    expect({*tags} - {*asked}, {"other", "stays"}, "tags beside those that a path named")


# the table of response codes
@requirement("TAG-DEL-10")
def test_a_deletion_is_answered_with_a_documented_code(
    plain_tags: Steps,
    unusual_tags: Steps,
    absent_tags: Steps,
    special_tags: Steps,
    confusable_tags: Steps,
    every_length: Steps,
    own_words: Steps,
    image_states: Steps,
    long_life: LongLife,
    common_clients: Steps,
    demanding_clients: Steps,
    races: ConcurrentRuns,
    specification: str,
) -> None:
    # Of the refusals that a client may ask for, that of a media type is documented of additions alone.
    for step in demanding_clients.aside().deletions(known=False):
        expect(step.answer.status, anything_but(415), f"status of {step}")

    codes = documented_codes("TAG-DEL-10")
    # What a tag that is too long is answered is not defined (TAG-DEL-13).
    steps = plain_tags + unusual_tags + absent_tags + special_tags + confusable_tags + every_length + own_words
    deletions = (steps + image_states + long_life.steps + common_clients).deletions(known=False)
    for step in deletions.where(lambda step: len(step.tag) <= LONGEST):
        expect_interpreted(specification, step.answer.status, "status of", step, **codes)
    for run, each in races.answers(Pattern.DISTINCT, Pattern.DELETING).where(answers_to(DELETE)):
        expect_interpreted(
            specification, each.event.status, f"status of {each.exchange}, one of {run.plan.name}", **codes
        )


# "This operation adds the specified tag …" "This operation deletes the specified tag …"
@requirement("TAG-DEL-11")
def test_a_deleted_tag_can_be_added_and_deleted_again(plain_tags: Steps, cloudimages_run: Run) -> None:
    # What goes wrong the first time as well has other reasons.
    with controlled(cloudimages_run):
        for step in plain_tags.additions(past=[Prior.DELETED]):
            step.expect(status=OK, present=True)

        for step in plain_tags.deletions(past=[Prior.PRESENT], again=True):
            step.expect(status=OK, present=False)


# "Subsequent attempts to remove the same tag cause an HTTP 404 error."
@requirement("TAG-DEL-12")
def test_a_failed_deletion_changes_nothing(
    plain_tags: Steps,
    absent_tags: Steps,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    stray_requests: StrayRequests,
    negative_requests: NegativeRequests,
    cloudimages_run: Run,
) -> None:
    for tried in stray_requests.aside().requests("DELETE", where=refused_itself):
        expect(tried.changed, (), "tags that came or went with", tried.answer)
    expect_done_as_answered(negative_requests, "DELETE", acknowledged=False)

    steps = plain_tags + absent_tags + image_states + common_clients + demanding_clients
    deletions = steps.deletions(acknowledged=False)
    # Where there is no tag, none can be seen to stay; yet none may come.
    empty = deletions.where(lambda step: not step.before).aside()
    for step in chain(deletions.where(lambda step: bool(step.before)), empty):
        expect_others_kept(step, but=())

    expect_attributes_kept(steps.aside().spans(DELETE, acknowledged=False), cloudimages_run)


# undocumented
@requirement("TAG-DEL-13")
def test_deleting_an_overlong_tag(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests.answers(where=overlong_deletion):
        note(f"DELETE of {len(answer.exchange.target.rpartition('/')[2])} characters: {answer.status}.")

        expect(answer.status, {400, 404}, f"status of {answer}")


# "413 Over Limit"
@requirement("TAG-DEL-14", in_passing=True)
def test_a_deletion_over_a_limit(cloudimages_run: Run) -> None:
    never = "no deletion was answered 413, and none can be made to be"
    seen = met_in_passing(cloudimages_run, 413, "DELETE", skip=never)
    note(f"{len(seen)} deletions were answered 413 and repeated.")


# tags are one list, whoever wrote them
@requirement("TAG-DEL-15")
def test_tags_set_otherwise_can_be_deleted(fresh_image: FreshImage, basics: Basics) -> None:
    basics.require_deletions()
    # One that is named twice, where a service lets that pass, leaves nothing behind that has to be deleted twice.
    given_tags = (["created", "also-created", "created"], ["created", "also-created"])
    with first_taken(*(partial(fresh_image, tags=tags) for tags in given_tags)) as image:
        # A service that takes no tags with a creation says so; one that takes them has to keep them.
        given = image.eventual_tags(["also-created", "created"])
        expect({*given}, {"also-created", "created"}, "tags that the image was created with")
        created = image.delete_tag("created")
        expect(created.status, OK, f"status of {created}")
        shown = image.eventual_tags(["also-created"])
        # What is shown twice may be there twice, which TAG-VIS-05 asks.
        if given.count("created") == 1:
            expect_none_of(shown, ["created"], f"tags after {created}")

        last = "also-created"
        # That one was not there is not remembered of it when it comes.
        image.delete_tag("patched")
        patch = set_tags(image, ["patched", "kept", "patched"])
        if patch.refused:
            patch = set_tags(image, ["patched", "kept"])
        if patch.refused:
            # A service may know no more than the tags' addresses.
            note(f"PATCH knows no tags of an image: {patch.status}.")
        else:
            last = "kept"
            require_ok(patch)
            patched = image.delete_tag("patched")
            expect(patched.status, OK, f"status of {patched}")
            shown = image.eventual_tags(["kept"])
            expect_none_of(shown, ["patched"], f"tags after {patched}")

            # Nor in which form the PATCH was written, of those that the service knows.
            if set_tags_in_old_form(image, ["of-old", "kept"]).ok:
                of_old = image.delete_tag("of-old")
                expect(of_old.status, OK, f"status of {of_old}")
                shown = image.eventual_tags(["kept"])
                expect_none_of(shown, ["of-old"], f"tags after {of_old}")

        # Nothing that the image was created with comes back once it is empty; how that is shown, TAG-DEL-18 asks.
        emptied = image.delete_tag(last)
        with suppress(Blocked):
            require_ok(emptied)
            gone = {last, *({"also-created", "created", "kept", "patched"} - {*shown})}
            expect_none_of(image.eventual_tags([]), sorted(gone), f"tags after {emptied}, which deleted the last one")


# undocumented
@requirement("TAG-DEL-16")
@pytest.mark.usefixtures("reader")
def test_a_stranger_deleting_an_absent_tag(access_attempts: AccessAttempts) -> None:
    for attempt in access_attempts.by(Party.READER, states=PRESENT, changes=[Change.DELETE_ABSENT]):
        note(f"DELETE of an absent tag by a reader: {attempt.answer.status}.")

        expect(attempt.answer.status, {403, 404}, f"status of {attempt}")


# undocumented
@requirement("TAG-DEL-17")
def test_a_tag_deleted_by_many_at_once(races: ConcurrentRuns) -> None:
    for run in races.of(Pattern.DELETING):
        deletions = run.asked(DELETE, 1)
        statuses = sorted(deletion.event.status for deletion in deletions)
        note(f"{run.plan.clients} deletions at once: {statuses.count(204)} answered 204.")

        show_phase(run, DELETE, 1)
        expect_among(statuses, [204], "statuses of deletions at once")
        expect({*statuses} - {204, 404}, set(), "other statuses of deletions at once")
        expect_none_of(run.quiescent[1][0] or (), [deletions[0].event.value], "tags after deletions at once")


# "tags: Image tags." is always there
@requirement("TAG-DEL-18")
def test_deleting_the_last_tag_leaves_an_empty_list(image: Image) -> None:
    def tags() -> object:
        data = image.show().data
        return data.get("tags") if isinstance(data, dict) else None

    image.given_tags("last")
    answer = require_ok(image.delete_tag("last"))

    # A change may be seen a little late; what is seen then has to be a list.
    expect(image.eventually(tags, lambda shown: shown != ["last"]), [], f"tags after {answer}")


# protection is against the deletion of the image
@requirement("TAG-DEL-19")
def test_a_tag_of_a_protected_image_can_be_deleted(image_states: Steps, basics: Basics) -> None:
    basics.require_deletions()
    protected = image_states.deletions(
        input_classes=protected_otherwise_alike(image_states),
        past=[Prior.PRESENT],
        where=deletable(image_states),
    )
    for step in or_skip(protected, "needs an image that can be protected"):
        step.expect(status=OK, present=False)
