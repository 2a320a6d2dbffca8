# PATCH /v2/images/{image_id}

from collections.abc import Callable, Iterable

import pytest

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import (
    AN_OBJECT,
    OK,
    REFUSED,
    ConcurrentRuns,
    documented_codes,
    expect_explained,
    expect_interpreted,
    is_before,
    moment,
    not_there,
    or_skip,
)
from pytest_cloudimages.areas.discovery.descriptions import SchemaDocuments
from pytest_cloudimages.areas.discovery.fixtures import *
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.foreign import ForeignAttempts
from pytest_cloudimages.areas.images.life_answers import LifeAnswers, Question
from pytest_cloudimages.areas.images.meetings import SET, Meeting, Meetings
from pytest_cloudimages.areas.images.patch_model import attribute_of, in_the_new_form
from pytest_cloudimages.areas.images.patches import CARRIED_OUT, VALID, Aim
from pytest_cloudimages.areas.images.races import RENAMING, of_attributes, of_the_name
from pytest_cloudimages.areas.images.tried_patches import FULL, Attempt, Updates, attributes_of

CONFLICT = 409
OPEN = (Aim.NOT_THERE_REMOVED, Aim.NOT_THERE_REPLACED, Aim.FAILS_LATE, Aim.OLD_FORM, Aim.ALIKE, Aim.ODD, Aim.ESCAPED)


def carried_out(attempt: Attempt) -> None:
    """Expect an attempt to be acknowledged and to have done what it says."""
    __tracebackhide__ = True
    expect(attempt.answer.status, OK, f"status of {attempt}")
    expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")


def acknowledged(attempt: Attempt) -> bool:
    return attempt.answer.ok


def refused(attempt: Attempt) -> bool:
    return attempt.answer.refused


def within_limits(updates: Updates) -> Callable[[Attempt], bool]:
    return lambda attempt: not updates.is_full(attempt)


def is_nameless(attempt: Attempt) -> bool:
    """Return whether an image has no name any more, whatever is shown for one: it is not the one that it had."""
    shown = attempt.after.get("name")
    return attempt.wanted.body[0]["value"] is None and (shown == "" or shown != attempt.before.get("name"))


def of_many(updates: Updates, *operations: str) -> Callable[[Attempt], bool]:
    """Return whether a patch of many such operations, or of any, was acknowledged, where a few are carried out."""
    return lambda attempt: (
        updates.work_together
        and attempt.answer.ok
        and (not operations or all(each["op"] in operations for each in attempt.wanted.body))
    )


def singly_or_together(updates: Updates) -> Callable[[Attempt], bool]:
    """Return whether a patch has one operation, or several where several of any kind are carried out."""
    return lambda attempt: len(attempt.wanted.body) == 1 or updates.work_together


def together(updates: Updates) -> Iterable[Attempt]:
    """Return the patches of several operations that were acknowledged, where one alone is carried out."""
    return updates.aside().attempts(Aim.TOGETHER).where(acknowledged) if updates.kept_singly else ()


def not_whole(attempt: Attempt) -> list[str]:
    """Return the attributes that are not as a patch says, but for those that several of its operations name."""
    return [name for name in attempt.wrong if name not in attempt.undone]


def in_their_order(updates: Updates, operation: str) -> None:
    """Expect what several operations of a patch name to be as the last of them leaves it (RFC 6902, 3).

    Where patches are not done whole, whatever they name, that is not for their order to say. (IMG-UPD-22.)
    """
    __tracebackhide__ = True
    attempts = [*together(updates)]
    for attempt in attempts if not any(not_whole(each) for each in attempts) else ():
        names = [name for name, missing in attempt.undone.items() if missing == operation]
        expect(names, [], f"attributes that are not as the last operation on them says, after {attempt}")


def taken_along(updates: Updates, attempt: Attempt) -> list[str]:
    """Return the attributes that are gone with what a patch removes, and that it does not name.

    Where other patches take such too, that is for none of the operations to say. (IMG-UPD-01.)
    """
    gone = lost(attempt) if removes_alone(attempt) else []
    done = [each for each in updates.tried if gone and acknowledged(each) and each.wanted.aim in CARRIED_OUT]
    if any(lost(each) and not removes_alone(each) for each in done):
        return []
    # What was to be removed before may go late.
    late = {name for each in done[: done.index(attempt)] for name in each.wrong} if gone else set[str]()
    return [name for name in gone if name not in late]


def lost(attempt: Attempt) -> list[str]:
    return [name for name in attempt.strayed if name not in attempt.after]


def removes_alone(attempt: Attempt) -> bool:
    operations = [each["op"] for each in in_the_new_form(attempt.wanted.body)]
    return operations != [] and {*operations} == {"remove"}


def of_the_system(updates: Updates, attempt: Attempt, *operations: str) -> list[str]:
    """Return the system attributes on which a patch has such an operation, and that have changed."""
    protected = (each for each in updates.tried if each.wanted.aim in (Aim.PROTECTED, Aim.SYSTEM_ADDED))
    known = set[str]().union(*(each.named for each in protected if len(each.wanted.body) == 1))
    body = in_the_new_form(attempt.wanted.body)
    named = {attribute_of(each["path"]) for each in body if each["op"] in operations}
    return [name for name in attempt.changed if name in named & known]


def unguarded(updates: Updates, *operations: str) -> None:
    """Expect no system attribute to change by an operation that others come before."""
    __tracebackhide__ = True
    for attempt in updates.aside().attempts(Aim.FAILS_LATE).where(acknowledged):
        expect(of_the_system(updates, attempt, *operations), [], f"system attributes that {attempt} changed")


def repeated(updates: Updates, operation: str) -> None:
    """Expect what was done before, letter for letter, and was undone since, to be done once more."""
    __tracebackhide__ = True
    for attempt in updates.aside().attempts(Aim.REPEATED).where(acknowledged):
        if attempt.wanted.body[0]["op"] == operation:
            expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")


def of_odd_names(updates: Updates, operation: str) -> None:
    """Expect what has an odd name, and was added, to be replaced and removed as what has a plain one is."""
    __tracebackhide__ = True
    # So many operations, or so many odd names at once, may be too much for it or for what stands in front.
    takes_many = any(each.answer.ok for each in updates.aside().attempts(Aim.MANY))
    for attempt in updates.aside().attempts(Aim.ODD) if updates.carries_out else ():
        judged = attempt.answer.ok or (takes_many and attempt.answer.status not in {403, 413})
        if judged and attempt.wanted.body[0]["op"] == operation:
            carried_out(attempt)


def of_the_old_form(operation: str) -> Callable[[Attempt], bool]:
    """Return whether a patch in the old form has such an operation, and was acknowledged."""
    return lambda attempt: attempt.answer.ok and operation in attempt.wanted.body[0]


# "returns the updated image entity"
@requirement("IMG-UPD-01")
def test_a_patch_is_answered_with_the_updated_image(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NAME):
        expect(attempt.answer.status, 200, f"status of {attempt}")
        expect(attempt.answer.data, AN_OBJECT, f"what the answer to {attempt} shows")
        carried_out(attempt)
    # Operations are carried out in their order, each on what the one before it leaves. (RFC 6902, 3.)
    together = updates.aside().attempts(Aim.TOGETHER).where(within_limits(updates)).where(updates.escapes_work)
    for attempt in together.where(updates.takes_its_values) if updates.work_singly else ():
        expect(attempt.answer.status, OK, f"status of {attempt}, each operation of which is carried out alone")
    missed = set[str]()
    for attempt in updates.aside().attempts(*VALID, Aim.EMPTY).where(acknowledged):
        # What is not stored as it was set, or under another name, is the concern of those who ask for it; so is what
        # of it turns up later.
        told = attempt.told_otherwise if attempt.wanted.body else ()
        otherwise = [name for name in told if name not in attempt.wrong]
        expect(otherwise, [], f"attributes of the answer to {attempt} that the image has not so")
        # What was removed before, and is back, IMG-UPD-12 asks about, and what is removed with something else.
        others = missed | {*taken_along(updates, attempt)}
        strayed = [] if attempt.wrong else [name for name in updates.strayed(attempt) if name not in others]
        missed |= {*attempt.wrong}
        expect(strayed, [], f"attributes that changed and that {attempt} does not name")


# "application/openstack-images-v2.1-json-patch"
@requirement("IMG-UPD-02")
def test_the_media_type_of_a_patch_is_supported(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NAME):
        expect(attempt.answer.status, OK, f"status of {attempt}")


# "application/openstack-images-v2.0-json-patch is deprecated"
@requirement("IMG-UPD-03")
def test_the_old_form_is_noted(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.OLD_FORM):
        note(f"The old form of a patch is answered {attempt.answer.status}.")


# "415 Bad Media Type"
@requirement("IMG-UPD-04")
def test_another_media_type_is_answered_415(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.MEDIA_TYPE):
        expect(attempt.answer.status, 415, f"status of {attempt}")


# "the 415 response SHOULD include Accept-Patch"
@requirement("IMG-UPD-05")
def test_a_415_names_what_is_supported(updates: Updates) -> None:
    answered = updates.attempts(Aim.MEDIA_TYPE).where(lambda attempt: attempt.answer.status == 415)
    for attempt in or_skip(answered, "no patch was answered 415"):
        named = attempt.answer.headers.get("Accept-Patch", "")
        expect("application/openstack-images-v2.1-json-patch" in named, True, f"the media type in {named!a}")


# "an array of operation objects"
@requirement("IMG-UPD-06")
def test_a_body_that_is_no_patch_is_refused(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NO_ARRAY):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "add, remove, and replace"
@requirement("IMG-UPD-07")
def test_other_operations_are_refused(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.OTHER_OPERATION):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "it is an error condition": no operation, or more than one
@requirement("IMG-UPD-08")
def test_an_operation_object_without_an_operation_is_refused(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NO_OPERATION):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "restricted-json-pointer = "/" reference-token"
@requirement("IMG-UPD-09")
def test_another_path_is_refused(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.POINTER):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "~0" and "~1"
@requirement("IMG-UPD-10")
def test_escapes_of_a_path_are_undone(updates: Updates) -> None:
    for attempt in or_skip(updates.attempts(Aim.ESCAPED).where(within_limits(updates)), FULL):
        carried_out(attempt)


# "The add operation adds a new value"
@requirement("IMG-UPD-11")
def test_an_attribute_is_added(updates: Updates, patch_races: ConcurrentRuns) -> None:
    for attempt in or_skip(updates.attempts(Aim.ADDED, Aim.BACK).where(within_limits(updates)), FULL):
        carried_out(attempt)
    # What a service takes, it keeps as it came.
    special = updates.aside().attempts(Aim.VALUE).where(acknowledged).where(singly_or_together(updates))
    for attempt in special.where(lambda attempt: "name" not in attempt.named):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    for attempt in updates.aside().attempts(Aim.ALIKE).where(acknowledged).where(singly_or_together(updates)):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
        expect(updates.strayed(attempt), [], f"attributes that changed and that {attempt} does not name")
    for attempt in updates.aside().attempts(Aim.MANY).where(of_many(updates, "add")):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    for attempt in updates.aside().attempts(Aim.OLD_FORM).where(of_the_old_form("add")):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    repeated(updates, "add")
    in_their_order(updates, "add")
    for image in updates.aside().beside():
        expect(image.touched, [], f"attributes of another image that patches of the first have set: {image.looked}")
    # Nor does one that another client adds at the same time take it away.
    lost = patch_races.measured(patch_races.patterns, of_attributes(patch_races), kind=lambda found: found.category)
    expect_explained(lost)


# "The remove operation removes the specified image attribute"
@requirement("IMG-UPD-12")
def test_an_attribute_is_removed(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.REMOVED):
        carried_out(attempt)
    for attempt in updates.aside().attempts(Aim.MANY).where(of_many(updates, "remove")):
        expect(attempt.wrong, [], f"attributes that are not removed by {attempt}")
    of_odd_names(updates, "remove")
    for attempt in updates.aside().attempts(*CARRIED_OUT).where(acknowledged):
        expect(updates.revived(attempt), set(), f"attributes that were removed, and are there again after {attempt}")
    for attempt in updates.aside().attempts(Aim.OLD_FORM).where(of_the_old_form("remove")):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    repeated(updates, "remove")
    in_their_order(updates, "remove")
    for attempt in updates.aside().attempts(*VALID).where(acknowledged):
        expect(taken_along(updates, attempt), [], f"attributes that are removed, and not named, by {attempt}")


# "It is an error condition to attempt to remove an attribute that does not exist"
@requirement("IMG-UPD-13")
def test_what_is_not_there_is_not_removed(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NOT_THERE_REMOVED).where(
        lambda attempt: len(attempt.wanted.body) > 1 or updates.never_there(attempt)
    ):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "The replace operation replaces the value"
@requirement("IMG-UPD-14")
def test_an_attribute_is_replaced(updates: Updates, patch_races: ConcurrentRuns) -> None:
    for attempt in updates.attempts(Aim.REPLACED):
        carried_out(attempt)
    special = updates.aside().attempts(Aim.VALUE).where(acknowledged)
    # Who has no name may be shown with an empty one, or another that stands for it.
    for attempt in special.where(lambda attempt: "name" in attempt.named and not is_nameless(attempt)):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    of_odd_names(updates, "replace")
    for attempt in updates.aside().attempts(Aim.NEARLY).where(acknowledged):
        expect(attempt.not_replaced, [], f"attributes that are not as they were set by {attempt}")
    for attempt in updates.aside().attempts(Aim.MANY, Aim.TWICE).where(of_many(updates, "replace")):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    for attempt in updates.aside().attempts(Aim.OLD_FORM).where(of_the_old_form("replace")):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    repeated(updates, "replace")
    in_their_order(updates, "replace")
    overwritten = patch_races.measured([RENAMING], of_the_name(patch_races), kind=lambda found: found.category)
    expect_explained(overwritten)


# "It is an error condition to attempt to replace an attribute that does not exist"
@requirement("IMG-UPD-15")
def test_what_is_not_there_is_not_replaced(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.NOT_THERE_REPLACED).where(updates.never_there):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "You can update the following attributes"; formats while the image is queued
@requirement("IMG-UPD-16")
def test_the_owner_updates_standard_attributes(updates: Updates) -> None:
    # Tags that are no array at all are IMG-ENT-01's to say.
    readable = updates.attempts(Aim.STANDARD, Aim.FORMAT).where(
        lambda attempt: (
            (attempt.named != {"tags"} or attempt.after.get("tags", []) is not None)
            and not updates.is_no_minimum(attempt)
            and not updates.is_no_format(attempt)
        )
    )
    for attempt in readable.where(within_limits(updates)):
        if attempt.named == {"tags"} and attempt.answer.refused:
            note(f"PATCH knows no tags of an image: {attempt.answer.status}.")
        else:
            carried_out(attempt)
    # The schema that the service shows says how long a name may be.
    for attempt in updates.aside().attempts(Aim.VALUE).where(lambda each: 0 < each.long_name <= updates.longest_name):
        carried_out(attempt)
    for attempt in updates.aside().attempts(Aim.KEPT).where(of_many(updates)):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")
    # What may be changed of an image at all may be changed when it has data, but for its formats.
    done = [*updates.aside().attempts(Aim.NAME, Aim.STANDARD).where(acknowledged)]
    changeable = set[str]().union(*(attempt.named for attempt in done))
    for attempt in updates.aside().attempts(Aim.WITH_DATA).where(lambda attempt: attempt.named <= changeable):
        if not updates.is_no_minimum(attempt):
            carried_out(attempt)


# "com.rackspace … not allowed": of the vendor's own service
@requirement("IMG-UPD-18")
def test_the_vendors_prefix_is_refused(updates: Updates, vendors_own: bool) -> None:
    if not vendors_own:
        pytest.skip("asked of the vendor's own service alone; --specification cloud-images says that this is it")
    for attempt in updates.attempts(Aim.OF_THE_VENDOR):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")


# "protected system attributes … will fail"
@requirement("IMG-UPD-20")
def test_a_system_attribute_cannot_be_changed(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.PROTECTED):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")
    unguarded(updates, "remove", "replace")


# "You must be the owner of the image"
@requirement("IMG-UPD-21")
@pytest.mark.usefixtures("other_project")
def test_another_project_cannot_update_an_image(foreign_attempts: ForeignAttempts, updates: Updates) -> None:
    updates.require_working()
    for attempt in foreign_attempts.attempts("PATCH"):
        due = REFUSED if attempt.may_be_unknown else {403, 404}
        expect(attempt.answer.status, due, f"status of {attempt.answer}, an image {attempt.what}")
        expect(attempt.changed, [], f"attributes that changed by {attempt.answer}")


def half_way(image_meetings: Meetings) -> None:
    """Expect nobody to see a patch half done, nor what one has set that is refused in the end."""
    __tracebackhide__ = True
    # "never … a partially modified document" (RFC 5789, 2), nor one of a patch that is refused in the end
    for met in image_meetings.aside().of(Meeting.HALF):
        if met.answer.ok:
            expect(len({*met.halves}), 1, f"number of values of what a patch sets together, in {met}: {met.halves}")
    for met in image_meetings.aside().of(Meeting.TAGS):
        tags = met.tags_among(SET)
        expect(len(tags), 1, f"number of tags in {met}, while a patch replaces one by another: {met.tags!a}")
    for met in image_meetings.aside().of(Meeting.HALF_REFUSED):
        undone = [value for value in met.halves if str(value).startswith("not")]
        expect(undone, [], f"values in {met} of a patch that was refused")


# "The server MUST apply the entire set of changes atomically"
@requirement("IMG-UPD-22")
def test_a_patch_is_done_whole_or_not_at_all(updates: Updates, image_meetings: Meetings) -> None:
    for attempt in updates.attempts(Aim.FAILS_LATE):
        # What fails by itself too, or is taken, is the concern of those who ask for it alone; so is what is done whole
        # that must not be done.
        done = attempt.answer.ok and of_the_system(updates, attempt, "add", "remove", "replace")
        if updates.taken_alone(attempt) or done:
            continue
        if attempt.answer.status < 500:
            expect(attempt.answer.status, REFUSED, f"status of {attempt}")
        expect(attempt.changed, [], f"attributes that {attempt} changed, although it was refused")
    for attempt in updates.aside().attempts().where(refused):
        expect(attempt.changed, [], f"attributes that {attempt} changed, although it was refused")
    # What is not done by itself either is the concern of those who ask for it alone.
    for attempt in together(updates):
        expect(not_whole(attempt), [], f"attributes that are not as they were set by {attempt}")
    of_ones_own = updates.aside().attempts(Aim.MANY).where(of_many(updates))
    for attempt in of_ones_own if updates.kept_singly else ():
        if all("cloudimages" in each["path"] for each in attempt.wanted.body):
            expect(attempt.half_done, [], f"attributes that are as they were, beside others that were set by {attempt}")
    half_way(image_meetings)


# 404, though the vendor's table lacks it
@requirement("IMG-UPD-23")
def test_an_image_that_there_is_not_cannot_be_updated(image_life: LifeAnswers, updates: Updates) -> None:
    updates.require_working()
    for answer in image_life.to(Question.UNKNOWN_PATCHED):
        expect(answer.status, not_there(answer), f"status of {answer}")
    for answer in image_life.aside().answered(Question.GONE_PATCHED):
        expect(answer.status, not_there(answer), f"status of {answer}, a patch of an image that was deleted")


# "If the target location specifies an object member that does exist, that
# member's value is replaced."
@requirement("IMG-UPD-24")
def test_what_is_there_is_replaced_by_an_addition(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.ADDED_AGAIN):
        carried_out(attempt)
    for attempt in updates.aside().attempts(Aim.TWICE).where(of_many(updates, "add")):
        expect(attempt.wrong, [], f"attributes that are not as they were set last by {attempt}")
    for attempt in updates.aside().attempts(Aim.STANDARD_AGAIN).where(of_many(updates)):
        expect(attempt.wrong, [], f"attributes that are not as they were set by {attempt}")


def is_of_the_schema(schema_documents: SchemaDocuments, attempt: Attempt) -> bool:
    """Return whether the schema of images, where the service shows it, allows the values that a patch sets."""
    schema = schema_documents.shown.get("image")
    if schema is None or not schema.ok:
        return False
    data = {attribute_of(each["path"]): each["value"] for each in attempt.wanted.body}
    if any(isinstance(value, int | float) and value < 0 for value in data.values()):
        return False  # less than none of something is nothing, whether a schema says so or not
    known = ("the schema cannot be read", *(f"$.{name}" for name in data))
    return not any(problem.startswith(known) for problem in schema_documents.problems("image", data))


# what the schema of images does not allow
@requirement("IMG-UPD-25")
def test_a_value_against_the_schema_is_answered_400(updates: Updates, schema_documents: SchemaDocuments) -> None:
    # Who may not set an attribute, whatever its value, is told so by 403 before anybody looks at the value.
    done = [attempt for attempt in updates.tried if attempt.answer.ok and attempt.wanted.aim in VALID]
    allowed = set[str]().union(*(attempt.named for attempt in done))
    for attempt in updates.attempts(Aim.VIOLATION).where(
        lambda attempt: (
            (attempt.answer.status != 403 or attempt.named <= allowed)
            and not is_of_the_schema(schema_documents, attempt)
        )
    ):
        expect(attempt.answer.status, 400, f"status of {attempt}")


# the table of response codes
@requirement("IMG-UPD-26")
def test_an_update_is_answered_with_a_documented_code(
    updates: Updates, patch_races: ConcurrentRuns, specification: str
) -> None:
    codes = documented_codes("IMG-UPD-26")
    # How what is not there, or is there already, is refused is left open, and 409 is one of the ways.
    for attempt in updates.attempts().where(
        lambda attempt: (
            attempt.answer.status != 409
            or not (attempt.wanted.aim in OPEN or (attempt.escaped and not updates.escapes_work(attempt)))
        )
    ):
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)
    # Nor is one that meets another; that they meet is a conflict, if anything. (RFC 9110, 15.5.10.)
    meeting = {reading: {*known, CONFLICT} for reading, known in codes.items()}
    for race, each in patch_races.aside().answers():
        if each.exchange.method == "PATCH" and each.event.status:
            expect_interpreted(
                specification, each.event.status, f"status of {each.exchange}, {race.plan.name}", **meeting
            )


# "updated_at": date and time of the last image modification
@requirement("IMG-UPD-27")
def test_the_time_of_the_last_update_does_not_go_back(updates: Updates, image_life: LifeAnswers) -> None:
    missing = True
    for attempt in updates.attempts(*VALID).where(acknowledged):
        before, after = (moment(shown.get("updated_at")) for shown in (attempt.before, attempt.after))
        if before and after:
            missing = False
            expect(
                is_before(after, before), False, f"whether updated_at went back from {before} to {after} by {attempt}"
            )
    for looked, answer in image_life.aside().one_after_another():
        before, after = (moment(attributes_of(each).get("updated_at")) for each in (looked, answer))
        if before and after:
            expect(
                is_before(after, before), False, f"whether updated_at went back from {before} to {after} in {answer}"
            )
    if missing:
        pytest.skip("needs images that show when they were updated")


# "only a subset of standard attributes can be added"
@requirement("IMG-UPD-28")
def test_a_system_attribute_cannot_be_added(updates: Updates) -> None:
    for attempt in updates.attempts(Aim.SYSTEM_ADDED):
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")
    unguarded(updates, "add")
