# who may do what with the members of an image, and what their statuses mean

from datetime import timedelta

import pytest

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import (
    REFUSED,
    ImagesClient,
    documented_codes,
    expect_among,
    expect_interpreted,
    moment,
    or_skip,
    went_back,
)
from pytest_cloudimages.areas.common.followed_links import leads_to, named_image, target_of
from pytest_cloudimages.areas.common.forms import OF_A_MEMBER
from pytest_cloudimages.areas.images.patch_model import alike
from pytest_cloudimages.areas.images.states import ACCEPTED, PENDING, REJECTED
from pytest_cloudimages.areas.members.fixtures import *
from pytest_cloudimages.areas.members.member_attempts import Attempt, Deed, Stage, Who
from pytest_cloudimages.areas.members.member_lives import MemberLives
from pytest_cloudimages.areas.members.memberships import STATUSES, Memberships
from pytest_cloudimages.areas.members.resource import as_project

pytestmark = pytest.mark.usefixtures("other_project")

A_SECOND = timedelta(seconds=1)
TOO_LONG = "the list of images is too long to be read to its end"


def refused(attempt: Attempt, *statuses: int) -> None:
    """Expect an attempt to be refused by one of some statuses, and to have changed nothing."""
    __tracebackhide__ = True
    expect(attempt.answer.status, {*statuses} if statuses else REFUSED, f"status of {attempt}")
    expect(attempt.changed, [], f"memberships that changed by {attempt}")


def hidden_or_forbidden(attempt: Attempt) -> set[int]:
    """Return how somebody is refused: whoever sees the image may be told that there are members (rulings, 5, 22)."""
    return {403, 404} if attempt.seen else {404}


def listed_by_status(stage: Stage) -> bool:
    """Return whether the status of a membership, which is what was set, says in which lists the image has to be."""
    held = stage.status == stage.sight.status
    return held and stage.sight.listed is not None and stage.sight.offered is not None


# the table of Get image member details
@requirement("MEM-ENT-01")
def test_a_member_has_what_is_guaranteed(memberships: Memberships) -> None:
    for attempt in memberships.attempts(Deed.SHOW_OWN, who=Who.MEMBER):
        expect_among(attempt.answer.document.keys(), OF_A_MEMBER, f"members of the document in {attempt}")
        for entry in attempt.after.values():
            expect_among(entry.keys(), OF_A_MEMBER, "members of an entry in the list of members")
            # A UUID is the same in capitals. (RFC 9562, 4.)
            image = as_project(named_image(attempt.answer))
            expect(as_project(entry["image_id"]), image, f"image_id in the list of members, after {attempt}")
    shown = (
        memberships.aside()
        .attempts(Deed.SHOW_OWN, Deed.SET_OWN, who=Who.MEMBER)
        .where(lambda attempt: bool(attempt.answer.document))
    )
    for attempt in shown:
        expect_among(attempt.answer.document.keys(), OF_A_MEMBER, f"members of the document in {attempt}")
        shown_id = as_project(attempt.answer.document["image_id"])
        expect(shown_id, as_project(named_image(attempt.answer)), f"image_id in {attempt}")


# "pending, accepted, or rejected"
@requirement("MEM-ENT-02")
def test_a_status_is_one_of_three(memberships: Memberships) -> None:
    for attempt in memberships.attempts(Deed.SHOW_OWN, Deed.SET_OWN, who=Who.MEMBER):
        for entry in (attempt.answer.document, *attempt.after.values()):
            if "status" in entry:
                expect(entry["status"], {*STATUSES}, f"status shown after {attempt}")


# "the tenant ID of the image consumer"
@requirement("MEM-ENT-03")
def test_a_member_is_named_by_its_project(memberships: Memberships) -> None:
    for attempt in memberships.attempts(Deed.SHOW_OWN, who=Who.MEMBER).where(lambda attempt: attempt.answer.ok):
        expect(attempt.answer.document.get("member_id"), memberships.project, f"member_id in {attempt}")
        expect_among(attempt.after.keys(), [memberships.project], "projects in the list of members")


# "/v2/schemas/member"
@requirement("MEM-ENT-04")
def test_a_member_leads_to_its_schema(memberships: Memberships, cloudimages_client: ImagesClient) -> None:
    shown = memberships.attempts(Deed.SHOW_OWN, Deed.SET_OWN, who=Who.MEMBER)
    for attempt in shown.where(lambda attempt: attempt.answer.ok):
        led = leads_to(cloudimages_client, attempt.answer.document.get("schema"), target_of(attempt.answer))
        expect(led, "/schemas/member", f"where schema leads in {attempt}")
    # That the list has the link, the owner is promised alone.
    listed = memberships.aside().attempts(Deed.LIST, who=Who.MEMBER)
    for attempt in listed.where(lambda attempt: "schema" in attempt.answer.document):
        led = leads_to(cloudimages_client, attempt.answer.document["schema"], target_of(attempt.answer))
        expect(led, "/schemas/members", f"where schema leads in {attempt}")


# every other caller gets 404
@requirement("MEM-GET-02")
def test_a_member_is_hidden_from_others(memberships: Memberships, member_lives: MemberLives) -> None:
    for who in (Who.STRANGER, Who.MEMBER):
        for attempt in memberships.attempts(Deed.SHOW, who=who):
            expect(attempt.answer.status, 404, f"status of {attempt}")
    for attempt in member_lives.aside().attempts(Deed.SHOW):
        expect(attempt.answer.status, hidden_or_forbidden(attempt), f"status of {attempt}")
    for stage in member_lives.aside().stages("", where=lambda stage: len(stage.shown) > 1):
        expect(stage.shown[1].status, {403, 404}, f"status of the membership that is shown to {stage}")


# "a user who is not the owner … 404"; whoever sees the image may get 403
@requirement("MEM-CRE-03")
def test_the_owner_alone_adds_members(memberships: Memberships, member_lives: MemberLives) -> None:
    for attempt in memberships.attempts(Deed.ADD, Deed.ADD_AGAIN, who=Who.STRANGER):
        refused(attempt, 404)
    for attempt in memberships.attempts(Deed.ADD, Deed.ADD_AGAIN, who=Who.MEMBER):
        refused(attempt, 403, 404)
    for attempt in member_lives.aside().attempts(Deed.ADD, Deed.ADD_AGAIN):
        refused(attempt, *hidden_or_forbidden(attempt))


# undocumented
@requirement("MEM-CRE-06")
def test_a_member_added_again_is_noted(memberships: Memberships) -> None:
    for attempt in memberships.attempts(Deed.ADD_AGAIN, who=Who.OWNER):
        note(f"A member that is added again: {attempt.answer.status}.")


# "shared" alone takes members
@requirement("MEM-CRE-07")
def test_an_image_that_is_not_shared_takes_no_members(memberships: Memberships, specification: str) -> None:
    added = memberships.attempts(Deed.ADD_TO_PRIVATE, Deed.ADD_TO_COMMUNITY)
    for attempt in or_skip(added, "needs an image whose visibility can be set"):
        # Glance alone says so. (Ruling 6.)
        if specification == "glance":
            expect(attempt.answer.status, 403, f"status of {attempt}")
        note(f"{attempt}: {attempt.answer.status}.")


# "the image consumer … sets the status"
@requirement("MEM-UPD-01")
def test_a_consumer_sets_its_status(memberships: Memberships, member_lives: MemberLives) -> None:
    for attempt in memberships.attempts(Deed.SET_OWN):
        expect(attempt.answer.status, 200, f"status of {attempt}")
        expect(attempt.answer.document.get("status"), attempt.status, f"status shown in {attempt}")
        if not attempt.unlisted:  # it is the list that lacks it
            entry = attempt.after.get(memberships.project, {})
            expect(entry.get("status"), attempt.status, f"status that the owner sees after {attempt}")
        others = [project for project in attempt.changed if project != memberships.project]
        expect(others, [], f"other memberships that changed by {attempt}")
    for attempt in member_lives.aside().attempts(Deed.SET_OWN):
        expect(attempt.answer.status, 200, f"status of {attempt}")
        if member_lives.project in attempt.after:
            told = attempt.after[member_lives.project].get("status")
            expect(told, attempt.status, f"status that the owner sees after {attempt}")
    for attempt in memberships.aside().attempts(Deed.RENAME):
        expect(attempt.statuses_changed, [], f"projects whose status changed by {attempt}")
    for attempt in memberships.aside().attempts(Deed.ADD_ACCEPTED, Deed.ADD_REJECTED):
        # What a second addition does is not documented: one that is taken may offer the image to its member anew.
        anew = [memberships.project] if attempt.answer.ok else []
        changed = [project for project in attempt.statuses_changed if project not in anew]
        expect(changed, [], f"projects whose status changed by {attempt}")
        if attempt.statuses_changed:
            note(f"After {attempt}: {attempt.after[memberships.project]}.")
    for stage in member_lives.aside().stages(ACCEPTED, REJECTED, where=lambda stage: stage.is_member):
        expect(stage.status, stage.sight.status, f"status that the owner sees of {stage}")
    for before, offered in memberships.aside().beside():
        kept = {name: entry.get("status") for name, entry in before.items()}
        now = {name: entry.get("status") for name, entry in offered.items()}
        expect(now, kept, "statuses of the members of another image, which the consumer has not decided on")


# "403 … if you are the image owner"
@requirement("MEM-UPD-02")
def test_the_owner_sets_no_status(memberships: Memberships, member_lives: MemberLives) -> None:
    for attempt in memberships.attempts(Deed.SET, who=Who.OWNER):
        refused(attempt, 403)
    for attempt in memberships.attempts(Deed.SET_OF_NONE, who=Who.OWNER):
        refused(attempt, 403, 404)
    for attempt in member_lives.aside().attempts(Deed.SET).where(lambda attempt: attempt.who is not Who.STRANGER):
        # What a reader or a creator of the owner's project does not see, 404 hides.
        refused(attempt, *((403,) if attempt.who is Who.OWNER else (403, 404)))


# "404 … neither the owner nor the member"
@requirement("MEM-UPD-03")
def test_others_set_no_status(memberships: Memberships, member_lives: MemberLives) -> None:
    for who in (Who.STRANGER, Who.MEMBER):
        for attempt in memberships.attempts(Deed.SET, who=who):
            refused(attempt, 404)
    for attempt in memberships.aside().attempts(Deed.SET_OF_NONE, who=Who.MEMBER):
        refused(attempt, 404)
    for attempt in member_lives.aside().attempts(Deed.SET).where(lambda attempt: attempt.who is Who.STRANGER):
        refused(attempt, *hidden_or_forbidden(attempt))


# "pending, accepted, and rejected"
@requirement("MEM-UPD-04")
def test_there_are_no_other_statuses(memberships: Memberships) -> None:
    for attempt in memberships.attempts(Deed.SET_WRONG):
        refused(attempt)


# "the image is visible in the image list"
@requirement("MEM-UPD-05")
def test_an_accepted_image_is_listed(memberships: Memberships, member_lives: MemberLives) -> None:
    seen = memberships.seen(ACCEPTED).where(lambda sight: sight.listed is not None)
    for sight in or_skip(seen, TOO_LONG):
        expect(sight.listed, True, f"whether the image is in the list of {sight}")
    for stage in member_lives.aside().stages(ACCEPTED, where=listed_by_status):
        expect(stage.sight.listed, True, f"whether the image is in the list of {stage}")


# "not in the image list"
@requirement("MEM-UPD-06")
def test_an_image_that_is_not_accepted_is_not_listed(memberships: Memberships, member_lives: MemberLives) -> None:
    seen = memberships.seen(PENDING, REJECTED).where(lambda sight: sight.listed is not None)
    for sight in or_skip(seen, TOO_LONG):
        expect(sight.listed, False, f"whether the image is in the list of {sight}")
    for stage in member_lives.aside().stages(PENDING, REJECTED, where=listed_by_status):
        expect(stage.sight.listed, False, f"whether the image is in the list of {stage}")


# "visibility=shared&member_status=pending"
@requirement("MEM-UPD-07")
def test_what_is_not_decided_can_be_listed(memberships: Memberships, member_lives: MemberLives) -> None:
    seen = memberships.seen().where(lambda sight: sight.offered is not None)
    for sight in or_skip(seen, TOO_LONG):
        expect(sight.offered, sight.status == PENDING, f"whether the image is offered to {sight}")
    for stage in member_lives.aside().stages(*STATUSES, where=listed_by_status):
        expect(stage.sight.offered, stage.sight.status == PENDING, f"whether the image is offered to {stage}")


# "regardless of the status"
@requirement("MEM-UPD-08")
def test_a_consumer_uses_the_image_whatever_its_status(memberships: Memberships, member_lives: MemberLives) -> None:
    for sight in memberships.seen():
        expect(sight.shown.status, 200, f"status of {sight.shown} for {sight}")
    stages = [*member_lives.aside().stages(*STATUSES, where=lambda stage: stage.is_member)]
    # Who may download what is shared with it, is the operator's to say: whoever may, may whatever its status.
    downloads = any(stage.data is not None and stage.data.ok for stage in stages)
    for stage in member_lives.aside().stages(*STATUSES, where=lambda stage: stage.is_member):
        expect(stage.sight.shown.status, 200, f"status of {stage.sight.shown} for {stage}")
        if stage.data is not None and downloads:
            expect(stage.data.status, 200, f"status of {stage.data} for {stage}")


# "updated_at" in the example
@requirement("MEM-UPD-09")
def test_the_times_of_a_member(memberships: Memberships) -> None:
    project = memberships.project

    def timed(attempt: Attempt) -> bool:
        entries = (attempt.before.get(project, {}), attempt.after.get(project, {}))
        return attempt.answer.ok and all({"created_at", "updated_at"} <= {*entry} for entry in entries)

    for attempt in memberships.attempts(Deed.SET_OWN).where(timed):
        before, after = attempt.before[project], attempt.after[project]
        kept = alike("created_at", after["created_at"], before["created_at"])
        expect(kept, True, f"whether created_at after {attempt} is {before['created_at']}: {after['created_at']}")
        told, begun = moment(attempt.answer.document.get("created_at")), moment(before["created_at"])
        if told and begun:  # of which one may have a fraction of a second, and the other none
            expect(abs(told - begun) < A_SECOND, True, f"whether created_at in {attempt} is {begun}: {told}")
        was, now = moment(before["updated_at"]), moment(after["updated_at"])
        if was and now:
            expect(went_back(was, now), False, f"whether updated_at went back by {attempt}: {was}, {now}")
            # "resolution is one second": of what is further apart, it tells which came later.
            if attempt.apart and attempt.before[project].get("status") != after.get("status") == attempt.status:
                expect(now > was, True, f"whether updated_at changed by {attempt}, more than a second later: {was}")


# "Only the owner"
@requirement("MEM-DEL-02")
def test_the_owner_alone_removes_members(memberships: Memberships, member_lives: MemberLives) -> None:
    for attempt in memberships.attempts(Deed.REMOVE_OWN, who=Who.MEMBER):
        refused(attempt)
    for who in (Who.STRANGER, Who.MEMBER):
        for attempt in memberships.attempts(Deed.REMOVE, who=who):
            refused(attempt)
    for attempt in member_lives.aside().attempts(Deed.REMOVE):
        refused(attempt)


# the tables of response codes
@requirement("MEM-LIST-04")
def test_members_are_listed_with_a_documented_code(memberships: Memberships, specification: str) -> None:
    for attempt in memberships.attempts(Deed.LIST):
        codes = documented_codes("MEM-LIST-04")
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)


@requirement("MEM-GET-04")
def test_a_member_is_read_with_a_documented_code(memberships: Memberships, specification: str) -> None:
    for attempt in memberships.attempts(Deed.SHOW, Deed.SHOW_OWN):
        codes = documented_codes("MEM-GET-04")
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)


@requirement("MEM-CRE-09")
def test_a_member_is_added_with_a_documented_code(memberships: Memberships, specification: str) -> None:
    for attempt in memberships.attempts(Deed.ADD, Deed.ADD_TO_PRIVATE, Deed.ADD_TO_COMMUNITY):
        codes = documented_codes("MEM-CRE-09")
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)


@requirement("MEM-UPD-10")
def test_a_status_is_set_with_a_documented_code(memberships: Memberships, specification: str) -> None:
    for attempt in memberships.attempts(Deed.SET, Deed.SET_OWN, Deed.SET_WRONG, Deed.SET_OF_NONE):
        codes = documented_codes("MEM-UPD-10")
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)


@requirement("MEM-DEL-05")
def test_a_member_is_removed_with_a_documented_code(memberships: Memberships, specification: str) -> None:
    for attempt in memberships.attempts(Deed.REMOVE, Deed.REMOVE_OWN):
        codes = documented_codes("MEM-DEL-05")
        expect_interpreted(specification, attempt.answer.status, f"status of {attempt}", **codes)
