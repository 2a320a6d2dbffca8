# GET, POST, DELETE /v2/images/{image_id}/members

import json
import urllib.parse

from pytest_cloudimages import expect, requirement
from pytest_cloudimages.areas.common.checks import (
    REFUSED,
    Answer,
    ConcurrentRuns,
    ImagesClient,
    Prior,
    Steps,
    expect_among,
    expect_contract,
    expect_explained,
    expect_reproduced,
    without,
)
from pytest_cloudimages.areas.common.followed_links import named_image
from pytest_cloudimages.areas.images.meetings import Meeting, Meetings
from pytest_cloudimages.areas.members.fixtures import *
from pytest_cloudimages.areas.members.member_attempts import Deed, Stage, Who
from pytest_cloudimages.areas.members.member_lives import MemberLives
from pytest_cloudimages.areas.members.memberships import STATUSES, Memberships
from pytest_cloudimages.areas.members.resource import MEMBERS, as_project, listed_again
from pytest_cloudimages.areas.members.sharing import NO_ID, Question, Sharing

NEW = (Prior.NEVER, Prior.DELETED)


def named_in(answer: Answer) -> str:
    """Return the project that an addition named."""
    return str(json.loads(answer.exchange.body)["member"])


def shown_as(answer: Answer, name: str) -> object:
    """Return what an answer shows an attribute as."""
    return answer.data.get(name) if isinstance(answer.data, dict) else None


def asked_for_members(stage: Stage) -> bool:
    """Return whether the consumer was shown the members too."""
    return bool(stage.shown)


# Image sharing page, Create image member: the owner names a project, and gets 200 with the member.
@requirement("MEM-CRE-01")
def test_a_member_is_added(member_steps: Steps, sharing: Sharing, member_lives: MemberLives) -> None:
    for step in member_steps.additions(past=NEW, known=False):
        step.expect(status=200)
        expect_contract(step.answer, "contract-member")
        expect(step.answer.data["member_id"], step.value, "the member_id in the answer")
        image = named_image(step.answer)
        expect(as_project(step.answer.data["image_id"]), as_project(image), f"the image_id in {step.answer}")
    for answer in sharing.aside().answered(Question.ODD):
        named = named_in(answer)
        # Whose id the service writes otherwise is another project, unless both are ways to write one UUID.
        expect(as_project(shown_as(answer, "member_id")), as_project(named), f"member_id in {answer}")
        for listed in sharing.aside().answered(Question.AFTER_ODD):
            members = [as_project(member) for member in MEMBERS.values(listed) or ()]
            expect_among(members, [as_project(named)], f"the members after {answer}")
    for answer in sharing.aside().met(Question.ODD_REWRITTEN):
        expect(answer.status, 200, f"status of {answer}, by the id that the member was added with")
    for attempt in member_lives.aside().attempts(Deed.ADD_OTHER):
        expect(attempt.answer.status, 200, f"status of {attempt}")
        expect(attempt.came_or_went, [named_in(attempt.answer)], f"members that came or went by {attempt}")


# Image sharing page, Create image member: its status is pending, until the consumer decides.
@requirement("MEM-CRE-02")
def test_a_new_member_is_pending(member_steps: Steps, sharing: Sharing, member_lives: MemberLives) -> None:
    for step in member_steps.additions(past=NEW, known=False, acknowledged=True):
        status = step.answer.data.get("status") if isinstance(step.answer.data, dict) else None
        expect(status, "pending", f"the status of the member that {step.operation} made")
    for answer in sharing.aside().answered(Question.AGAIN):
        status = shown_as(answer, "status")
        expect(status, "pending", f"the status in {answer}, of a member that was removed and added once more")
    for answer in sharing.aside().answered(Question.WITH_A_STATUS):
        expect(shown_as(answer, "status"), "pending", f"the status in {answer}, of a member that its owner accepts for")
    for stage in member_lives.aside().stages("pending", where=lambda stage: stage.is_member):
        expect(stage.status, "pending", f"the status that the owner sees of {stage}")


# Image sharing page, Create image member: the body member called member is required.
@requirement("MEM-CRE-04")
def test_an_addition_names_a_member(sharing: Sharing) -> None:
    for answer in sharing.to(Question.NO_MEMBER_NAMED):
        expect(answer.status, REFUSED, f"status of {answer}")


# Image sharing page, List image members: the owner sees all of them, and the link to the schema.
@requirement("MEM-LIST-01")
def test_the_owner_sees_all_members(
    member_steps: Steps,
    member_races: ConcurrentRuns,
    sharing: Sharing,
    memberships: Memberships,
    member_lives: MemberLives,
) -> None:
    for step in member_steps.additions(acknowledged=True):
        step.expect(after={*(step.before or ()), step.value})
    for reading in member_steps.readings():
        expect_contract(reading.answer, "contract-members")
    expect_reproduced(member_steps, standing_by=False)
    member_steps.steady()
    for answer in sharing.aside().answered(Question.OF_A_NEW_IMAGE):
        expect(MEMBERS.values(answer), (), "the members of an image that was shared with nobody")
    for attempt in memberships.aside().attempts(Deed.SET_OWN):
        expect(attempt.unlisted, False, f"whether the list of members lacks the one that {attempt} is about")
    for attempt in memberships.aside().attempts(Deed.RENAME, Deed.ADD_ACCEPTED, Deed.ADD_REJECTED):
        expect(attempt.came_or_went, [], f"members that came or went by {attempt}")
    for stage in member_lives.aside().stages():
        expect(sorted(stage.members), sorted(stage.due), f"members that the owner sees of {stage}")
        expect(stage.listed_again, [], f"members that the owner sees twice of {stage}")
    for attempt in memberships.aside().attempts():
        expect(attempt.listed_again, [], f"members that the owner sees twice after {attempt}")

    shown = member_races.measured(member_races.patterns, member_races.unexplained, kind=lambda found: found.category)
    expect_explained(shown)
    shown.raise_if_blocked()


# Image sharing page, List image members: a consumer sees the own membership alone.
@requirement("MEM-LIST-02")
def test_a_consumer_sees_the_own_membership_alone(
    other_project: ImagesClient, sharing: Sharing, memberships: Memberships, member_lives: MemberLives
) -> None:
    for answer in sharing.to(Question.SHARED):
        expect(answer.status, 200, f"the status for {other_project.caller}")
        expect(MEMBERS.values(answer), (sharing.consumer,), "the members that it sees")
    for answer in sharing.aside().answered(Question.ACCEPTED):
        expect(MEMBERS.values(answer), (sharing.consumer,), "the members that it sees once it has accepted")
    for sight, answer in memberships.aside().entries(many=True):
        expect(answer.status, 200, f"the status of {answer} for {sight}")
        expect(MEMBERS.values(answer), (memberships.project,), f"the members in {answer} for {sight}")
    for attempt in memberships.aside().attempts(Deed.LIST, who=Who.MEMBER):
        expect(listed_again(attempt.answer), [], f"the members that are there twice in {attempt}")
    for stage in member_lives.aside().stages(*STATUSES, where=asked_for_members):
        expect(stage.shown[0].status, 200, f"the status of {stage.shown[0]} for {stage}")
        expect(MEMBERS.values(stage.shown[0]), (stage.project,), f"the members in {stage.shown[0]} for {stage}")
    for attempt in member_lives.aside().attempts(Deed.LIST).where(lambda attempt: attempt.who is Who.MEMBER):
        others = {*(MEMBERS.values(attempt.answer) or ())} - {member_lives.project}
        expect(others, set(), f"the other members in {attempt}")


# Image sharing page, List image members: whom the image is not shared with gets 404.
@requirement("MEM-LIST-03")
def test_the_members_are_hidden_from_strangers(
    other_project: ImagesClient, sharing: Sharing, member_lives: MemberLives
) -> None:
    for answer in sharing.to(Question.BEFORE):
        expect(answer.status, 404, f"the status for {other_project.caller}")
    for stage in member_lives.aside().stages("", where=asked_for_members):
        expect(stage.shown[0].status, {403, 404}, f"the status of {stage.shown[0]} for {stage}")
    for attempt in member_lives.aside().attempts(Deed.LIST).where(lambda attempt: attempt.who is Who.STRANGER):
        # "403 or 404, or an empty list; never the members" (rulings, 22).
        expect(attempt.answer.status, {200, 403, 404}, f"the status of {attempt}")
        expect(MEMBERS.values(attempt.answer) or (), (), f"the members that are shown in {attempt}")


# Image sharing page, Get image member details: the owner and the member itself get 200 with the member.
@requirement("MEM-GET-01")
def test_owner_and_member_see_the_membership(
    other_project: ImagesClient, sharing: Sharing, memberships: Memberships, member_lives: MemberLives
) -> None:
    for answer in sharing.to(Question.MEMBER):
        expect(
            answer.status, 200, f"the status for {answer.exchange.caller}, where {other_project.caller} is the member"
        )
        expect_contract(answer, "contract-member")
    for sight, answer in memberships.aside().entries(many=False):
        expect(answer.status, 200, f"the status of {answer} of the membership of {sight}")
        expect_contract(answer, "contract-member")
        expect(answer.data["status"], sight.status, f"the status of the membership in {answer}")
    for answer in sharing.aside().met(Question.ODD_MEMBER):
        expect(answer.status, 200, f"the status of {answer}, for the owner who has just added it")
        last = urllib.parse.unquote(answer.exchange.target.rpartition("/")[2])
        expect(as_project(shown_as(answer, "member_id")), as_project(last), f"member_id in {answer}")
    for stage in member_lives.aside().stages(*STATUSES, where=asked_for_members):
        own = stage.shown[1]
        expect(own.status, 200, f"the status of {own}, the membership of {stage}")
        expect_contract(own, "contract-member")
        status = stage.status if stage.is_member else stage.sight.status
        expect(own.data["status"], status, f"the status of the membership in {own}, of {stage}")


# Image sharing page, Get image member details: 404 is among the response codes.
@requirement("MEM-GET-03")
def test_who_is_no_member_is_not_found(sharing: Sharing) -> None:
    for answer in sharing.to(Question.NOT_A_MEMBER):
        allowed = {404, 400} if answer.exchange.target.endswith(NO_ID) else {404}
        expect(answer.status, allowed, f"status of {answer}, for a project that is no member")


# Image sharing page, Delete image member: the owner removes a member, and gets 204 without a body.
@requirement("MEM-DEL-01")
def test_a_member_is_removed(
    member_steps: Steps, sharing: Sharing, memberships: Memberships, member_lives: MemberLives
) -> None:
    for step in member_steps.deletions(past=[Prior.PRESENT]):
        step.expect(status=204, after=without(step.before, step.value))
        expect(step.answer.body, b"", f"body after {step.answered}")
    for answer in sharing.aside().met(Question.ODD_REMOVED):
        expect(answer.status, 204, f"status of {answer}")
    for attempt in member_lives.aside().attempts(Deed.REMOVE_OTHER):
        expect(attempt.answer.status, 204, f"status of {attempt}")
        expect(attempt.answer.body, b"", f"body of {attempt}")
        expect(len(attempt.came_or_went), 1, f"how many members went by {attempt}")
    for attempt in memberships.aside().attempts(Deed.REMOVE_BESIDE):
        expect(attempt.changed, [], f"memberships of this image that changed by {attempt}")


# Image sharing page, Delete image member: who is no member cannot be removed, and 404 says so.
@requirement("MEM-DEL-03")
def test_who_is_no_member_cannot_be_removed(member_steps: Steps, sharing: Sharing) -> None:
    for step in member_steps.deletions(past=NEW):
        step.expect(status=404, after=step.before or ())
    for answer in sharing.aside().met(Question.NOT_REMOVED):
        expect(answer.status, 404, f"status of {answer}, which names no member")


# Concepts page, Image member statuses: without the membership the image can be neither used nor listed.
@requirement("MEM-DEL-04")
def test_a_former_consumer_has_no_access(
    other_project: ImagesClient, sharing: Sharing, image_meetings: Meetings, member_lives: MemberLives
) -> None:
    for met in image_meetings.aside().of(Meeting.REVOKED):
        expect(met.answer.ok, False, f"whether {met} shows the member, which was removed while it decided")
    for answer in sharing.to(Question.IMAGE_AFTER):
        # 403 tells that there is such an image, which is IMG-GET-03's to say. (Rulings, 26.)
        expect(answer.status, {403, 404}, f"the status for {other_project.caller}, which is no member any more")
        expect(bool(sharing.listed_after), False, f"whether the list of {other_project.caller} has the image")
    for stage in member_lives.aside().stages("", where=lambda stage: stage.was_member and not stage.is_member):
        sight = stage.sight
        expect(sight.shown.status, {403, 404}, f"the status of {sight.shown} for {stage}")
        expect(bool(stage.data and stage.data.ok), False, f"whether {stage} is given the data of the image")
        expect(bool(sight.listed), False, f"whether the image is in the list of {stage}")
        expect(bool(sight.offered), False, f"whether the image is offered to {stage}")
