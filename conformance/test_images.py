# GET, DELETE /v2/images/{image_id}, and what an image is

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import (
    A_STRING,
    A_UUID,
    AN_ARRAY,
    GOING,
    OK,
    REFUSED,
    Answer,
    Cases,
    ImagesClient,
    documented_codes,
    expect_among,
    expect_interpreted,
    not_there,
    or_skip,
    still_holds,
)
from pytest_cloudimages.areas.common.followed_links import leads_to, plain_path
from pytest_cloudimages.areas.common.forms import A_SIZE, GUARANTEED, OF_GLANCE, STATUSES, TRUTH
from pytest_cloudimages.areas.common.offers import NO_LOOK, require_look
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.images.asked_lists import Lists
from pytest_cloudimages.areas.images.deactivation import GLANCE, MEANWHILE, Deactivated
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.foreign import ForeignAttempts
from pytest_cloudimages.areas.images.life_answers import (
    DATA,
    GIVEN,
    GIVEN_BESIDES,
    LifeAnswers,
    Question,
    given_otherwise,
    lost_of_its_data,
)
from pytest_cloudimages.areas.images.listed_kinds import ListedKinds
from pytest_cloudimages.areas.images.meetings import Meeting, Meetings
from pytest_cloudimages.areas.images.offered_lists import OfferedImages
from pytest_cloudimages.areas.images.patches import Aim
from pytest_cloudimages.areas.images.states import MANY, OF_DATA, OF_MANY, nesting, state_of
from pytest_cloudimages.areas.images.tried_patches import FULL, Updates, attributes_of, differing

OF_AN_IMAGE = {"name", "owner", "tags", "protected", "visibility", "min_ram", "min_disk", "size", "checksum"}
OF_AN_IMAGE |= {"container_format", "disk_format", "created_at", "cloudimages_own"}
"""Attributes that stay as they are, whatever becomes of the status."""
SYSTEMS = {"arch", "centos", "debian", "fedora", "freebsd", "gentoo", "mandrake", "mandriva", "mes", "msdos", "netbsd"}
SYSTEMS |= {"netware", "openbsd", "opensolaris", "opensuse", "rhel", "sled", "ubuntu", "windows"}


def is_gone(answer: Answer) -> bool:
    """Return whether an image is not shown, or says by its status that it is as good as deleted."""
    return not answer.ok or state_of(answer) in GOING


# "the following attributes are always included"
@requirement("IMG-ENT-01")
def test_an_image_has_what_is_guaranteed(
    image_life: LifeAnswers, updates: Updates, foreign_attempts: ForeignAttempts, deactivated_image: Deactivated
) -> None:
    others = (updates, foreign_attempts, deactivated_image)
    for images in (image_life.images(), *(other.aside().images() for other in others)):
        for image in images:
            expect_among(image.keys(), GUARANTEED, "attributes of an image")
            expect(image["protected"], TRUTH, "protected")
            expect(image["tags"], AN_ARRAY, "tags")


def keeps_what_it_shows(image_life: LifeAnswers) -> None:
    """Expect an image to show what it has shown before, when data has come and when it is moved."""
    __tracebackhide__ = True
    # What it has of one's own, it has whatever data comes.
    for before, answer in image_life.aside().filled():
        own = {name for name in before if "cloudimages" in name}
        lost = differing(attributes_of(answer), before, only=own)
        expect(lost, [], f"attributes that {answer} does not show as they were before the image was given data")
    # What it says of its data, it says wherever it is moved.
    for before, answer in image_life.aside().moved():
        gone = lost_of_its_data(before, answer)
        expect(gone, [], f"attributes that {answer} has not any more, since its visibility was changed")


# "Other attributes … are included when they have been set"
@requirement("IMG-ENT-02")
def test_an_attribute_that_was_set_is_shown(updates: Updates, image_lists: Lists, image_life: LifeAnswers) -> None:
    for attempt in updates.attempts(Aim.STANDARD, Aim.ADDED).where(lambda attempt: attempt.answer.ok):
        expect_among(attempt.after.keys(), attempt.named, f"attributes after {attempt}")
    # What the answer to a patch shows is IMG-UPD-01's to say, and that a patch is carried out whole IMG-UPD-22's.
    for answer in (
        image_life.aside()
        .answered(Question.LARGE)
        .where(lambda answer: answer.ok and answer.exchange.method == "GET" and updates.work_together)
    ):
        if "id" in answer.document:
            number = sum(name.startswith(OF_MANY) for name in answer.document)
            expect(number, {count for count, _ in MANY}, f"number of attributes in {answer} of the many that were set")
    # What a creation takes, among attributes that it keeps, it keeps as it came; what neither its answer nor the image
    # shows at all, it has not taken.
    told = [{*attributes_of(created)} for created in image_life.aside().answered(Question.CREATION)]
    for answer in image_life.aside().answered(Question.CREATED_IN_FULL).where(lambda answer: answer.ok):
        taken = {*attributes_of(answer)}.union(*told)
        besides = {name: value for name, value in GIVEN_BESIDES.items() if name in taken}
        if not given_otherwise(GIVEN, answer):
            expect(given_otherwise(besides, answer), [], f"attributes in {answer} that are not as it was created")
    keeps_what_it_shows(image_life)
    # A list may show less of an image, and nothing else; what it is filtered by, others say.
    for entry, shown, names in image_lists.aside().shown_otherwise():
        here, there = ({name: each[name] for name in names} for each in (entry, shown))
        expect(here, there, f"attributes of the image {entry.get('id')} in a list, as it shows them itself")
    # What the answer to a creation says was set.
    for created in image_life.aside().answered(Question.CREATION):
        given = {name: value for name, value in GIVEN.items() if attributes_of(created).get(name) == value}
        for answer in image_life.aside().answered(Question.AS_CREATED).where(lambda answer: answer.ok):
            expect(given_otherwise(given, answer), [], f"attributes that {answer} shows otherwise than {created}")


# "The image ID … is unique within the endpoint"
@requirement("IMG-ENT-03")
def test_an_id_is_a_uuid(image_life: LifeAnswers) -> None:
    for image in image_life.images():
        expect(image.get("id"), A_UUID, "id")
    for looked in image_life.aside().answered(Question.TAKEN).where(lambda answer: answer.ok):
        for created in image_life.aside().answered(Question.AS_CREATED):
            before = {name: value for name, value in attributes_of(created).items() if name in GIVEN}
            kept = given_otherwise(before, looked)
            expect(kept, [], f"attributes that {looked} has not any more, since another was to be created with its id")
    for answer in image_life.aside().to(Question.LISTED):
        ids = [str(entry.get("id")) for entry in entries_of(answer, "/images")]
        expect(sorted(ids), sorted({*ids}), "ids of the list, each once")


def leads_wherever_it_is_shown(
    client: ImagesClient, name: str, end: str, images: Iterable[Cases[Mapping[str, Any]]], lists: Lists
) -> None:
    """Expect a link of images to lead to the image, and on to an end, wherever it is shown."""
    __tracebackhide__ = True
    for shown in images:
        for image in shown.where(lambda image: name in image):
            target = f"/images/{image.get('id')}"
            due = plain_path(f"{target}{end}")
            # A relative one goes on from where it is shown: the image itself, or a collection. (Rulings, 14.)
            by_itself, among_others = (plain_path(leads_to(client, image[name], each)) for each in (target, "/images"))
            led = among_others if among_others == due else by_itself
            expect(led, due, f"where {name} leads")
    for image in lists.aside().entries().where(lambda entry: name in entry):
        led = plain_path(leads_to(client, image.get(name)))
        expect(led, plain_path(f"/images/{image.get('id')}{end}"), f"where {name} leads that a page shows")


# "self": "/v2/images/…"; where it leads is what counts
@requirement("IMG-ENT-04")
def test_self_leads_to_the_image(
    image_life: LifeAnswers,
    image_lists: Lists,
    foreign_attempts: ForeignAttempts,
    deactivated_image: Deactivated,
    cloudimages_client: ImagesClient,
) -> None:
    images = (image_life.images(), foreign_attempts.aside().images(), deactivated_image.aside().images())
    leads_wherever_it_is_shown(cloudimages_client, "self", "", images, image_lists)
    for answer in image_life.aside().answered(Question.LED_TO):
        expect(answer.status, OK, f"status of {answer}, {Question.LED_TO}")


# "file": "/v2/images/…/file"
@requirement("IMG-ENT-05")
def test_file_leads_to_the_data(
    image_life: LifeAnswers,
    image_lists: Lists,
    foreign_attempts: ForeignAttempts,
    deactivated_image: Deactivated,
    cloudimages_client: ImagesClient,
) -> None:
    images = (image_life.images(), foreign_attempts.aside().images(), deactivated_image.aside().images())
    leads_wherever_it_is_shown(cloudimages_client, "file", "/file", images, image_lists)


# "schema": "/v2/schemas/image"
@requirement("IMG-ENT-06")
def test_schema_leads_to_the_schema(image_life: LifeAnswers, cloudimages_client: ImagesClient) -> None:
    for image in image_life.images(listed=False):
        led = leads_to(cloudimages_client, image.get("schema"), f"/images/{image.get('id')}")
        expect(led, "/schemas/image", "where schema leads")


# the table of image statuses, with what Glance adds
@requirement("IMG-ENT-07")
def test_a_status_is_one_of_them(image_life: LifeAnswers) -> None:
    for image in image_life.images():
        if image.get("status") in ("uploading", "importing"):
            note(f"Status of Glance alone: {image['status']}.")
        expect(image.get("status"), STATUSES | OF_GLANCE, "status")


# "public, private, or shared", with what Glance adds
@requirement("IMG-ENT-08")
def test_a_visibility_is_one_of_them(image_life: LifeAnswers) -> None:
    for image in image_life.images():
        expect(image.get("visibility"), {"public", "private", "shared", "community"}, "visibility")


# "minimum ram required to boot the image in MB": an integer in the schema
@requirement("IMG-ENT-09")
def test_minima_are_integers(image_life: LifeAnswers) -> None:
    for image in image_life.images():
        for name in ("min_ram", "min_disk"):
            if name in image:
                expect(image[name], A_SIZE, name)


# "The size of the image file in bytes"
@requirement("IMG-ENT-10")
def test_a_size_is_an_integer(image_life: LifeAnswers) -> None:
    for image in image_life.images():
        expect(image.get("size"), A_SIZE, "size")
    # Data that came in chunks has its length as well, once it is there.
    for answer in image_life.aside().answered(Question.TWIN).where(lambda answer: state_of(answer) == "active"):
        expect(attributes_of(answer).get("size"), {len(DATA), None}, f"size in {answer}, whose data came in chunks")
    for answer in image_life.aside().answered(Question.EMPTY).where(lambda answer: state_of(answer) == "active"):
        expect(attributes_of(answer).get("size"), {0, None}, f"size in {answer}, whose data has no octets")


# "additionalProperties": {"type": "string"}
@requirement("IMG-ENT-12")
def test_an_attribute_of_ones_own_is_a_string(updates: Updates, image_life: LifeAnswers) -> None:
    for attempt in updates.attempts(Aim.ADDED, Aim.VALUE).where(lambda attempt: attempt.answer.ok):
        for name in {*attempt.named} & {*attempt.after} - {"name"}:
            expect(attempt.after.get(name), A_STRING, f"{name} after {attempt}")
    # In whatever document: a list may read them from elsewhere than the details do.
    for entry in image_life.aside().of_many():
        for name in sorted(name for name in entry if name.startswith(OF_MANY)):
            expect(entry[name], A_STRING, f"{name} of the image {entry.get('id')}")


# "custom attributes … at the top level"
@requirement("IMG-ENT-13")
def test_an_attribute_of_ones_own_stands_beside_the_others(updates: Updates, image_life: LifeAnswers) -> None:
    added = updates.attempts(Aim.ADDED).where(lambda attempt: attempt.answer.ok)
    for attempt in or_skip(added, FULL) if updates.take_none else added:
        expect_among(attempt.after.keys(), attempt.named, f"attributes after {attempt}")
    # A list may show less of an image than its details do, but what it shows stands where it stands in these.
    for image in image_life.aside().images():
        expect(nesting(image), [], f"what attributes of one's own are below, in the image {image.get('id')}")


# "os_distro … in lower case"; what services know besides is reported
@requirement("IMG-ENT-14")
def test_a_system_is_kept_in_lower_case(updates: Updates) -> None:
    set_here = updates.attempts(Aim.STANDARD).where(
        lambda attempt: attempt.answer.ok and attempt.named == {"os_distro"} <= {*attempt.after}
    )
    for attempt in or_skip(set_here, "needs an image whose os_distro can be set"):
        expect(attempt.after.get("os_distro"), SYSTEMS, f"os_distro after {attempt}")


# "Get image details: returns the details"
@requirement("IMG-GET-01")
def test_an_image_is_shown(
    image_life: LifeAnswers, updates: Updates, foreign_attempts: ForeignAttempts, listed_kinds: ListedKinds
) -> None:
    for answer in image_life.to(Question.SHOWN):
        expect(answer.status, 200, f"status of {answer}")
        expect(answer.document.get("id"), answer.exchange.target.rpartition("/")[2], f"id in {answer}")
    for question in (Question.ACTIVE, Question.AS_CREATED, Question.HIDDEN, Question.IN_CAPITALS):
        for answer in image_life.aside().answered(question).where(lambda answer: answer.status not in NO_LOOK):
            expect(answer.status, 200, f"status of {answer}: {question}")
    for answer in image_life.aside().answered(Question.LARGE):
        if "?" not in answer.exchange.target:
            expect(answer.status, 200, f"status of {answer}, an image with many attributes")
    # Whoever sees it, sees it as it is: not as it was when he looked before.
    for seen in foreign_attempts.aside().seen_again():
        expect(seen.late, [], f"attributes in {seen} that are not as the owner has set them, and sees them")
    # Whatever kind it is of, it is shown to a reader of its project, and to everybody if it is open to all.
    for shown in listed_kinds.aside().of_who_see_it().where(lambda shown: shown.answer.status not in NO_LOOK):
        expect(shown.answer.status, OK, f"status of {shown}")
    # Whatever value the service takes for an attribute; what is no JSON is GEN-01's to say.
    for unread in updates.aside().unreadable().where(lambda unread: unread.looked.status not in NO_LOOK):
        expect(unread.looked.status, OK, f"status of {unread}")


# "404 Not Found"
@requirement("IMG-GET-02")
def test_an_image_that_there_is_not_is_not_found(image_life: LifeAnswers) -> None:
    for answer in image_life.to(Question.UNKNOWN):
        expect(answer.status, not_there(answer), f"status of {answer}")


# the table of response codes
@requirement("IMG-GET-04")
def test_a_look_is_answered_with_a_documented_code(image_life: LifeAnswers, specification: str) -> None:
    for answer in image_life.to(Question.SHOWN, Question.UNKNOWN):
        expect_interpreted(specification, answer.status, f"status of {answer}", **documented_codes("IMG-GET-04"))


# "204 Delete Successful"
@requirement("IMG-DEL-01")
def test_a_deletion_is_answered_204(image_life: LifeAnswers, deactivated_image: Deactivated) -> None:
    for answer in image_life.to(Question.DELETED):
        expect(answer.status, 204, f"status of {answer}")
        expect(answer.body, b"", f"body of {answer}")
    for answer in image_life.aside().answered(Question.TWIN):
        expect(answer.status, OK, f"status of {answer}: another image, which has the same data")
    for answer in image_life.aside().answered(Question.SHARED_DELETED):
        expect(answer.status, 204, f"status of {answer}, an image that has a member")
    # Concepts page, Image statuses: what is deactivated may become active, or deleted.
    for _, answer in deactivated_image.aside().while_deactivated("its end"):
        expect(answer.status, 204, f"status of {answer}, an image that is deactivated")


# "you cannot delete an image whose protected attribute is true"
@requirement("IMG-DEL-02")
def test_a_protected_image_is_not_deleted(
    image_life: LifeAnswers, image_meetings: Meetings, deactivated_image: Deactivated
) -> None:
    for answer in image_life.to(Question.PROTECTED_DELETED):
        expect(answer.status, 403, f"status of {answer}")
    # Who patches what was deleted long before is not stopped by a deletion at all. (IMG-UPD-23.)
    revived = any(answer.ok for answer in image_life.aside().answered(Question.GONE_PATCHED))
    for met in () if revived else image_meetings.aside().of(Meeting.PROTECTED):
        expect(met.answer.ok, False, f"whether {met} is a success, as is the protection of the image meanwhile")
    for answer in image_life.aside().answered(Question.PROTECTED_AT_ONCE):
        expect(answer.status, 403, f"status of {answer}, an image that was protected when it was created")
    for answer in image_life.aside().answered(Question.PROTECTED_SHARED):
        expect(answer.status, 403, f"status of {answer}, an image that is protected, by an addition, and has a member")
    # Nor is any of it deleted before that is found out.
    for answer in image_life.aside().answered(Question.PROTECTED_MEMBERS).where(lambda answer: answer.ok):
        expect(bool(answer.document.get("members")), True, f"whether there are members in {answer}, as before")
    for _, answer in deactivated_image.aside().while_deactivated("deletion"):
        expect(answer.ok, False, f"whether {answer} is a success, of an image that is protected and deactivated")
    for answer in image_life.aside().answered(Question.PROTECTED_ADMINISTERED):
        expect(answer.ok, False, f"whether {answer} is a success: protection is from whoever deletes")
    # Whose data has gone, of that a part was deleted.
    for answer in image_life.aside().answered(Question.DATA_BESIDE):
        expect(still_holds(answer, DATA), True, f"whether {answer} is what was uploaded: {Question.DATA_BESIDE}")
    for answer in image_life.aside().to(Question.PROTECTED_AFTER):
        require_look(answer)
        expect(answer.status, OK, f"status of {answer}")
        expect(
            (answer.data or {}).get("protected", True),
            {True, "True", "true"},
            "protected, after a deletion was refused",
        )


# "404 Not Found"
@requirement("IMG-DEL-03")
def test_an_image_that_there_is_not_is_not_deleted(image_life: LifeAnswers, image_meetings: Meetings) -> None:
    deleted = [answer.status for answer in image_life.aside().answered(Question.DELETED)]
    for answer in image_life.to(Question.UNKNOWN_DELETED):
        if answer.status == 403 and 403 in deleted:
            pytest.skip(f"needs deletions that are not forbidden whatever there is: {answer.exchange}")
        expect(answer.status, not_there(answer), f"status of {answer}")
    # Of two deletions at once one finds no image, or one that is in use: neither is a fault of the service.
    for met in image_meetings.aside().of(Meeting.DELETED):
        expect(met.failed, False, f"whether the service fails at {met}, the deletion of what another deletes at once")


# a deleted image is gone, if not at once
@requirement("IMG-DEL-04")
def test_a_deleted_image_is_gone(
    image_life: LifeAnswers,
    image_meetings: Meetings,
    image_lists: Lists,
    offered_images: OfferedImages,
    deactivated_image: Deactivated,
) -> None:
    deleted = image_life.aside().to(Question.DELETED)
    if not all(answer.ok for answer in deleted):
        pytest.skip("needs a deletion that was acknowledged")
    for answer in image_life.aside().to(Question.SHOWN):
        require_look(answer)
    # What is answered to the deletion of what never was there is not about images that were.
    alike = {answer.status for answer in image_life.aside().to(Question.UNKNOWN_DELETED) if answer.ok}
    for answer in image_life.to(Question.GONE):
        # "as deleted, data not yet removed", or "information is kept but the image … will be removed later": a deletion
        # that goes on when patience ends says nothing of its end.
        if state_of(answer) in GOING:
            pytest.skip(f"needs a deletion that ends while it is waited for (--patience): {answer}")
        expect(answer.status, 404, f"status of {answer}")
    for answer in image_life.to(Question.DELETED_AGAIN).where(lambda again: again.status not in alike):
        expect(answer.status, 404, f"status of {answer}")
    for asked, held in image_lists.aside().whether_gone():
        expect(held, False, f"whether {asked} holds an image that was deleted before")
    for offered in offered_images.aside().after_deletion():
        expect(
            offered.holds, False, f"whether {offered.listed} of a consumer holds an image that its owner has deleted"
        )
    for answer in offered_images.aside().shown_after_deletion():
        # How one is refused is for those to say who ask for it.
        expect(is_gone(answer), True, f"whether {answer} of a consumer shows that its owner has deleted the image")
    patched = [met.answer for met in image_meetings.aside().of(Meeting.PATCHED)]
    of_the_gone = image_life.aside().answered(Question.GONE_AFTER, Question.GONE_DATA)
    ended = dict(deactivated_image.aside().while_deactivated("its end", "gone"))
    of_the_deactivated = [ended["gone"]] if "gone" in ended else []
    for answer in (*patched, *of_the_gone, *of_the_deactivated):
        expect(is_gone(answer), True, f"whether {answer} shows that the image was deleted, whatever was tried since")


# the table of response codes
@requirement("IMG-DEL-05")
def test_a_deletion_is_answered_with_a_documented_code(image_life: LifeAnswers, specification: str) -> None:
    for answer in image_life.to(Question.DELETED, Question.UNKNOWN_DELETED):
        expect_interpreted(specification, answer.status, f"status of {answer}", **documented_codes("IMG-DEL-05"))


# Glance's reference: "Creates a catalog record for an operating system disk image"
@requirement("IMG-CRE-01")
def test_creation_is_noted(image_life: LifeAnswers) -> None:
    for answer in image_life.to(Question.CREATED):
        note(f"Images can be created; a new one is {(answer.data or {}).get('status')}.")


# Glance's reference: tags, protected, visibility
@requirement("IMG-CRE-02")
def test_first_attributes_are_noted(image_life: LifeAnswers) -> None:
    for answer in image_life.to(Question.WITH_TAGS):
        note(f"An image created with two tags has {len((answer.data or {}).get('tags') or ())}.")


# "queued: the image identifier has been reserved … no image data"
@requirement("IMG-STAT-01")
def test_an_image_without_data_is_queued(image_life: LifeAnswers) -> None:
    for answer in image_life.to(Question.CREATED):
        require_look(answer)
        expect((answer.data or {}).get("status"), "queued", f"status in {answer}")
    for question in (Question.WITH_TAGS, Question.AS_CREATED):
        for answer in image_life.aside().answered(question).where(lambda answer: answer.ok):
            expect(state_of(answer), "queued", f"status in {answer}, {question}")
    for answer in image_life.aside().answered(Question.CREATED_AGAIN_DATA):
        expect(answer.ok and bool(answer.body), False, f"whether {answer} is data: {Question.CREATED_AGAIN_DATA}")
    # "killed: an error occurred while an image's data was being uploaded"
    for answer in image_life.aside().answered(Question.NOT_FILLED).where(lambda answer: answer.ok):
        expect(state_of(answer), {"queued", "killed"}, f"status in {answer}, to which data was refused")
        expect(attributes_of(answer).get("size"), {None, 0}, f"size in {answer}, to which data was refused")


def kept_while_deactivated(deactivated_image: Deactivated) -> None:
    """Expect an image to have the attributes of before while it is deactivated, and once it is reactivated."""
    __tracebackhide__ = True
    for what, changed in (("show", set[str]()), ("shown again", {name for name, _ in MEANWHILE.values()})):
        for before, answer in deactivated_image.aside().since(what):
            # What is to be said of the data may be found out after it has come.
            unknown = {name for name in OF_DATA if before.get(name) is None}
            names = (OF_AN_IMAGE & before.keys()) - changed - unknown
            kept = differing(attributes_of(answer), before, only=names)
            expect(kept, [], f"attributes in {answer} that are not as they were before it was deactivated")


# "deactivated: … image data is not available for use"
@requirement("IMG-STAT-07")
def test_a_deactivated_image_keeps_all_but_its_data(deactivated_image: Deactivated) -> None:
    for _, answer in deactivated_image.while_deactivated("show"):
        expect(answer.status, OK, f"status of {answer}, which shows a deactivated image")
        # How statuses are written is the concern of those who ask what they are.
        expect(str((answer.data or {}).get("status")).lower(), "deactivated", f"status in {answer}")
    kept_while_deactivated(deactivated_image)
    for _, answer in deactivated_image.while_deactivated("data"):
        expect(answer.status, REFUSED, f"status of {answer}, the data of a deactivated image")
    for what, answer in deactivated_image.aside().while_deactivated("foreign", "consumer's data"):
        expect(answer.status, REFUSED, f"status of {answer}: {what}, of a deactivated image")
    for what, answer in deactivated_image.aside().while_deactivated("list", *MEANWHILE, "share"):
        expect(answer.status, OK, f"status of {answer}: {what} while the image is deactivated")
    for _, answer in deactivated_image.aside().while_deactivated("list"):
        expect(bool([*entries_of(answer, "/images")]), True, f"whether {answer} has an image of this name")
    for answer, name, value in deactivated_image.aside().changed():
        expect(str((answer.data or {}).get(name)), str(value), f"{name} in {answer}, as it was set meanwhile")


# undocumented
@requirement("IMG-STAT-08")
def test_transitions_between_statuses_are_noted(deactivated_image: Deactivated) -> None:
    for before, after in deactivated_image.transitions():
        known = "as in Glance" if (before, after) in GLANCE else "which Glance does not have"
        note(f"An image goes from {before} to {after}, {known}.")
