"""Services that share images otherwise than they say."""

import json
import time
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Member, MemberStatus
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid, NotFound

from .kinds import Kind
from .registry import breaks

KIND = Kind.SHARING


def project_in(request: Request) -> str:
    """Return the project that an addition names; nothing where it names none."""
    return str(json.loads(request.body).get("member", ""))


@breaks("MEM-CRE-01")
class AnswersANewMemberWith201(App):
    """Answers 201 to the addition of a member."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        reply = super().create_member(request, image_id)
        return Reply(HTTPStatus.CREATED, reply.body, reply.headers)


@breaks("MEM-CRE-01")
class ForbidsMembersAndAddsThem(App):
    """Answers 403 to the addition of a member, which is added."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        reply = super().create_member(request, image_id)
        return self.error(request, HTTPStatus.FORBIDDEN, "No.") if reply.status == HTTPStatus.OK else reply


@breaks("MEM-CRE-01")
class ShowsAnotherMember(App):
    """Answers the addition of a member with the id of the owner in place of the member's."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        super().create_member(request, image_id)
        owner = self.images.get(image_id).owner
        shown = self.represent_member(self.images.get(image_id).members[project_in(request)])
        return Reply.of_json({**shown, "member_id": owner})


@breaks("MEM-CRE-02", "MEM-UPD-06", "MEM-UPD-07")
class AcceptsForTheConsumer(App):
    """Makes every new member an accepted one."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().create_member(request, image_id)
            member = [*self.images.get(image_id).members.values()][-1]
            member.status = MemberStatus.ACCEPTED
            return Reply.of_json(self.represent_member(member)) if reply.status == HTTPStatus.OK else reply


@breaks("MEM-CRE-04")
class SharesWithNobody(App):
    """Acknowledges an addition whose member is an empty text."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        try:
            return super().create_member(request, image_id)
        except Invalid:
            return Reply.of_json(self.represent_member(Member(image_id, "")))


@breaks("MEM-LIST-01")
class ListsMembersTwice(App):
    """Lists every member twice to the owner."""

    def list_members(self, request: Request, image_id: str) -> Reply:
        members = [self.represent_member(each) for each in self.images.list_members(request.caller, image_id)]
        often = 2 if self.images.get(image_id).owner == request.caller.project else 1
        return Reply.of_json({"members": members * often, "schema": "/v2/schemas/members"})


@breaks("MEM-LIST-01")
class ListsMembersWithoutTheSchema(App):
    """Leaves the link to the schema out of the list of members."""

    def list_members(self, request: Request, image_id: str) -> Reply:
        members = [self.represent_member(each) for each in self.images.list_members(request.caller, image_id)]
        return Reply.of_json({"members": members})


@breaks("MEM-LIST-01", profile="standard")
class ForgetsMembersThatMeet(App):
    """Reads the members, thinks for 50 ms, and writes them: an addition that meets another one is lost."""

    window = 0.05

    def create_member(self, request: Request, image_id: str) -> Reply:
        before = dict(self.images.open(request.caller, image_id).members)
        time.sleep(self.window)
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            image.members.clear()
            image.members.update(before)
            return super().create_member(request, image_id)


@breaks("MEM-LIST-01", profile="standard")
class BringsRemovedMembersBack(App):
    """Reads the members, thinks for 50 ms, and writes all but one: a removal that meets another one is undone."""

    window = 0.05

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        before = dict(self.images.open(request.caller, image_id).members)
        time.sleep(self.window)
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            image.members.clear()
            image.members.update(before)
            return super().delete_member(request, image_id, member_id)


@breaks("MEM-LIST-02")
class ShowsConsumersEachOther(App):
    """Lists all members to each of them."""

    def list_members(self, request: Request, image_id: str) -> Reply:
        self.images.list_members(request.caller, image_id)
        members = [self.represent_member(each) for each in self.images.get(image_id).members.values()]
        return Reply.of_json({"members": members, "schema": "/v2/schemas/members"})


@breaks("MEM-LIST-03")
class ListsNothingToStrangers(App):
    """Answers whom an image is not shared with by a list without members."""

    def list_members(self, request: Request, image_id: str) -> Reply:
        try:
            return super().list_members(request, image_id)
        except NotFound:
            return Reply.of_json({"members": [], "schema": "/v2/schemas/members"})


@breaks("MEM-GET-01", "MEM-ENT-01")
class HidesTheMembershipFromTheMember(App):
    """Answers 404 to a member that reads its own membership."""

    def show_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        if self.images.get(image_id).owner != request.caller.project:
            raise NotFound("No such member.")
        return super().show_member(request, image_id, member_id)


@breaks("MEM-GET-02", "MEM-GET-03")
class InventsMembers(App):
    """Shows a pending member to an owner that asks for a project that is none."""

    def show_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        try:
            return super().show_member(request, image_id, member_id)
        except NotFound:
            return Reply.of_json(self.represent_member(Member(image_id, member_id)))


@breaks("MEM-DEL-01")
class AnswersARemovalWith200(App):
    """Answers 200 to the removal of a member."""

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        super().delete_member(request, image_id, member_id)
        return Reply(HTTPStatus.OK)


@breaks("MEM-DEL-01", "MEM-DEL-02", "MEM-DEL-04")
class KeepsRemovedMembers(App):
    """Acknowledges the removal of a member, and keeps it."""

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        self.images.show_member(request.caller, image_id, member_id)
        return Reply(HTTPStatus.NO_CONTENT)


@breaks("MEM-DEL-03")
class ForgivesASecondRemoval(App):
    """Answers 204 to the removal of a project that is no member."""

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        try:
            return super().delete_member(request, image_id, member_id)
        except NotFound:
            self.images.open(request.caller, image_id)
            return Reply(HTTPStatus.NO_CONTENT)


@breaks("MEM-DEL-04")
class RemembersConsumers(App):
    """Shows an image to projects that it was shared with once."""

    def __init__(self) -> None:
        super().__init__()
        self.once: dict[str, set[str]] = {}

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        reply = super().delete_member(request, image_id, member_id)
        self.once.setdefault(image_id, set()).add(member_id)
        return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        if request.caller.project in self.once.get(image_id, ()):
            return Reply.of_json(self.represent(self.images.get(image_id)))
        return super().show_image(request, image_id)


# Lawful: the specification is silent, or leaves it to the service


@breaks()
class AcceptsAMemberTwice(App):
    """Answers 200 to the addition of a member that is one already, and changes nothing."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        try:
            return super().create_member(request, image_id)
        except Conflict:
            member = self.images.get(image_id).members[project_in(request)]
            return Reply.of_json(self.represent_member(member))


@breaks()
class SharesWithKnownProjectsOnly(App):
    """Refuses with 400 to share an image with a project that there is not."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        known = {user.project.id for user in self.identity.users.values()}
        if project_in(request) not in {"", *known}:
            raise Invalid("There is no such project.")
        return super().create_member(request, image_id)


@breaks()
class ForbidsFormerConsumers(App):
    """Answers 403, where others answer 404, to an image that the caller does not see."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        try:
            return super().show_image(request, image_id)
        except NotFound:
            if any(image.id == image_id for image in self.images.all()):
                raise Forbidden("It is not yours to see.") from None
            raise
