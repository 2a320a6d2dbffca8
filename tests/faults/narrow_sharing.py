"""Services that go wrong where a member is asked for again, decides on one of several images, or is decided for."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import bodies, listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Member, MemberStatus

from .kinds import Kind
from .listing import listed
from .registry import registrar, selecting

KIND = Kind.DECISIONS
DECIDING = selecting("MEM-CRE-03", "MEM-CRE-06", "MEM-LIST-01", "MEM-UPD")
"""What rests on what owner, member and stranger try with one image."""

faulty = registrar(__name__, words=DECIDING, profile="standard")
"""Registers a service that has some methods of its own."""


def _named(request: Request, name: str) -> object:
    document: Any = json.loads(request.body or b"null")
    return document.get(name) if isinstance(document, dict) else None


def _status_of(self: App, image_id: str, project: object) -> str:
    member = self.images.get(image_id).members.get(str(project))
    return member.status if member else ""


# Added again


def _notes_a_second(self: App, request: Request, image_id: str) -> Reply:
    project = _named(request, "member")
    if _status_of(self, image_id, project) == MemberStatus.REJECTED:
        self.__dict__.setdefault("asked_anew", set()).add((image_id, project))
    return App.create_member(self, request, image_id)


def _with_the_second(self: App, request: Request, image_id: str) -> Reply:
    document: Any = App.list_members(self, request, image_id).json()
    anew = self.__dict__.get("asked_anew", set())
    second = [each | {"status": "pending"} for each in document["members"] if (image_id, each["member_id"]) in anew]
    return Reply.of_json(document | {"members": [*document["members"], *second]})


faulty(
    "ListsTwiceWhoIsAskedAnew",
    "Lists a member twice that had rejected the image and is added again.",
    "MEM-LIST-01",
    create_member=_notes_a_second,
    list_members=_with_the_second,
)


def _offered_anew(self: App, request: Request, image_id: str) -> Reply:
    project = _named(request, "member")
    if isinstance(project, str) and _status_of(self, image_id, project) == MemberStatus.REJECTED:
        member = self.images.get(image_id).members[project] = Member(image_id, project)
        return Reply.of_json(self.represent_member(member))
    return App.create_member(self, request, image_id)


faulty(
    "OffersAnewWhatWasRejected",
    "Offers an image anew to a member that has rejected it and is added again.",
    create_member=_offered_anew,
)


def _known_members_alone(self: App, request: Request, image_id: str) -> Reply:
    image, project = self.images.get(image_id), _named(request, "member")
    if image.members.get(request.caller.project) and project in image.members:
        return self.error(request, HTTPStatus.CONFLICT, "It is a member already.")
    return App.create_member(self, request, image_id)


faulty(
    "TellsMembersWhoIsAMember",
    "Answers 409 to a member that adds itself.",
    "MEM-CRE-03",
    create_member=_known_members_alone,
)

# Decided for


def _asks_anew(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    image = self.images.get(image_id)
    wanted = _named(request, "status")
    if (
        image.owner == request.caller.project
        and request.caller.writes
        and _status_of(self, image_id, member_id) == MemberStatus.REJECTED
        and wanted == MemberStatus.PENDING
    ):
        request = replace(request, caller=replace(request.caller, project=member_id))
    return App.update_member(self, request, image_id, member_id)


faulty(
    "LetsOwnersAskAnew",
    "Lets the owner of an image set a member that has rejected it to pending.",
    "MEM-UPD-02",
    update_member=_asks_anew,
)


def _invites(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    image = self.images.get(image_id)
    member = image.members.get(request.caller.project)
    if member and member.status is MemberStatus.ACCEPTED and _named(request, "status") in [*MemberStatus]:
        new = image.members.setdefault(member_id, Member(image_id, member_id))
        if member_id != request.caller.project:
            return Reply.of_json(self.represent_member(new))
    return App.update_member(self, request, image_id, member_id)


faulty(
    "MakesMembersOfWhomMembersName",
    "Makes a project a member whose status one sets that has accepted the image.",
    "MEM-UPD-03",
    update_member=_invites,
)


def _as_it_says(self: App, request: Request, image_id: str) -> Reply:
    document: Any = App.create_member(self, request, image_id).json()
    member = self.images.get(image_id).members[document["member_id"]]
    named = _named(request, "status")
    if named in [*MemberStatus]:
        member.status = MemberStatus(str(named))
    return Reply.of_json(self.represent_member(member))


faulty(
    "TakesTheStatusThatOwnersName",
    "Gives a new member the status that its owner names.",
    "MEM-CRE-02",
    words=selecting("MEM-CRE-02", "MEM-CRE-04"),
    create_member=_as_it_says,
)


def _strict(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    if isinstance(document, dict) and {*document} - {"member"}:
        return self.error(request, HTTPStatus.BAD_REQUEST, "A member is named, and nothing else.")
    return App.create_member(self, request, image_id)


faulty(
    "RefusesWhateverElseIsNamed",
    "Refuses additions that say more than whom to add.",
    words=selecting("MEM-CRE-02", "MEM-CRE-04"),
    create_member=_strict,
)

# One image and another


def _not_of_whom_it_rejected(self: App, request: Request) -> Reply:
    own = request.caller.project
    if listing.Query.read(request.query).last("member_status") != "pending":
        return App.list_images(self, request)
    with self.images.lock:
        shared = [(each, each.members[own]) for each in self.images.all() if own in each.members]
        rejected = {image.owner for image, member in shared if member.status is MemberStatus.REJECTED}
        return listed(self, request, [each for each in self.images.all() if each.owner not in rejected])


faulty(
    "OffersNothingOfWhomOneRejected",
    "Offers a consumer nothing of an owner of whom it has rejected another image.",
    "MEM-UPD-07",
    list_images=_not_of_whom_it_rejected,
)


def _of_the_first(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    status = bodies.member_of(request, "status")
    with self.images.lock:
        member = self.images.update_member(request.caller, image_id, member_id, status)
        shown = self.represent_member(member)
        first = next(each.id for each in self.images.all() if member_id in each.members)
    return Reply.of_json(shown | {"image_id": first})


faulty(
    "ShowsTheFirstImageOfAMember",
    "Answers a decision with the id of the first image that is shared with the member.",
    "MEM-ENT-01",
    words=selecting("MEM-ENT"),
    update_member=_of_the_first,
)


# After a removal


def _from_all(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    reply = App.delete_member(self, request, image_id, member_id)
    with self.images.lock:
        owner = self.images.get(image_id).owner
        for image in self.images.all():
            if image.owner == owner:
                image.members.pop(member_id, None)
    return reply


faulty(
    "RemovesAMemberFromAllImages",
    "Removes a member from all images of the owner.",
    "MEM-DEL-01",
    words=selecting("MEM-DEL-01"),
    delete_member=_from_all,
)


def _remembered(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    member = self.images.get(image_id).members.get(member_id)
    reply = App.delete_member(self, request, image_id, member_id)
    if member:
        self.__dict__.setdefault("removed", {})[image_id, member_id] = member
    return reply


def _former_too(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    former = self.__dict__.get("removed", {}).get((image_id, member_id))
    if former and former.status is MemberStatus.ACCEPTED and self.images.get(image_id).owner == request.caller.project:
        return Reply.of_json(self.represent_member(former))
    return App.show_member(self, request, image_id, member_id)


faulty(
    "ShowsFormerMembersToTheOwner",
    "Shows the owner of an image members that it has removed.",
    "MEM-GET-03",
    words=selecting("MEM-GET-03"),
    delete_member=_remembered,
    show_member=_former_too,
)


def _rejected_still(self: App, request: Request, image_id: str) -> Reply:
    document: Any = App.create_member(self, request, image_id).json()
    former = self.__dict__.get("removed", {}).get((image_id, document["member_id"]))
    member = self.images.get(image_id).members[document["member_id"]]
    if former and former.status is MemberStatus.REJECTED:
        member.status = former.status
    return Reply.of_json(self.represent_member(member))


faulty(
    "RemembersWhoHadRejected",
    "Gives a member that had rejected the image and is added once more that status.",
    "MEM-CRE-02",
    words=selecting("MEM-CRE-02"),
    delete_member=_remembered,
    create_member=_rejected_still,
)


def _begun_now(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    document: Any = App.update_member(self, request, image_id, member_id).json()
    return Reply.of_json(document | {"created_at": document["updated_at"]})


faulty(
    "DatesMembershipsByTheirDecisions",
    "Answers a decision as if the membership had begun with it.",
    "MEM-UPD-09",
    words=selecting("MEM-UPD-09"),
    update_member=_begun_now,
)


def _accepted_for_long(self: App, request: Request) -> Reply:
    once: set[str] = self.__dict__.setdefault("once", set())
    project = request.caller.project
    with self.images.lock:
        for image in self.images.all():
            member = image.members.get(project)
            if member and member.status == MemberStatus.REJECTED:
                once.discard(image.id)
            if member and member.status == MemberStatus.ACCEPTED:
                once.add(image.id)
        as_before = [
            replace(image, members={project: replace(image.members[project], status=MemberStatus.ACCEPTED)})
            if image.id in once and project in image.members
            else image
            for image in self.images.all()
        ]
        return listed(self, request, as_before)


faulty(
    "ListsWhatIsUndecidedAgain",
    "Goes on listing an image that a consumer had accepted, and set back to undecided.",
    "MEM-UPD-06",
    "MEM-UPD-07",
    list_images=_accepted_for_long,
)
