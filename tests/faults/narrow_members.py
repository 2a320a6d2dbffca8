"""Services that treat members rightly until they accept, leave and come back, or have an unusual id."""

import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Member, MemberStatus, Visibility

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.DECISIONS
ACCEPTED = MemberStatus.ACCEPTED
MEMBERS = selecting("MEM")


faulty = registrar(__name__, words=MEMBERS, profile="standard")
"""Registers a service that has some methods of its own."""


def as_owner(method: str, *, when: Callable[[MemberStatus], bool]) -> Callable[..., Reply]:
    """Return an operation that a member whose status is such carries out with the rights of the owner."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        image = self.images.get(image_id)
        member = image.members.get(request.caller.project)
        if member and when(member.status):
            request = replace(request, caller=replace(request.caller, project=image.owner))
        return honest(self, request, image_id, *rest)  # type: ignore[no-any-return]  # an operation of App

    return operation


for each_name, each_sentence, each_id, each_method, each_when in (
    (
        "ShowsAllToWhoHasAccepted",
        "Lists all members to one that has accepted.",
        "MEM-LIST-02",
        "list_members",
        ACCEPTED,
    ),
    (
        "LetsWhoHasAcceptedAdd",
        "Lets a member add others once it has accepted.",
        "MEM-CRE-03",
        "create_member",
        ACCEPTED,
    ),
    (
        "LetsTheUndecidedLeave",
        "Lets a member remove itself while it is pending.",
        "MEM-DEL-02",
        "delete_member",
        "pending",
    ),
):
    faulty(
        each_name,
        each_sentence,
        each_id,
        **{each_method: as_owner(each_method, when=lambda status, wanted=each_when: status == wanted)},  # type: ignore[misc]
    )


def _remembers(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    former: dict[tuple[str, str], MemberStatus] = self.__dict__.setdefault("former", {})
    member = self.images.get(image_id).members.get(member_id)
    reply = App.delete_member(self, request, image_id, member_id)
    if member:
        former[image_id, member_id] = member.status
    return reply


def _as_before(self: App, request: Request, image_id: str) -> Reply:
    reply = App.create_member(self, request, image_id)
    document: Any = reply.json()
    project = str(document["member_id"])
    member = self.images.get(image_id).members[project]
    member.status = self.__dict__.get("former", {}).get((image_id, project), member.status)
    return Reply.of_json(self.represent_member(member))


faulty(
    "RemembersFormerDecisions",
    "Gives a member that is added once more the status that it had.",
    "MEM-CRE-02",
    delete_member=_remembers,
    create_member=_as_before,
)


def _turned_round(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body)
    if isinstance(document, dict) and isinstance(document.get("member"), str):
        request = replace(request, body=json.dumps({"member": document["member"].casefold()}).encode())
    return App.create_member(self, request, image_id)


faulty(
    "WritesProjectsInSmallLetters",
    "Writes ids of projects in small letters.",
    "MEM-CRE-01",
    create_member=_turned_round,
)


def _plain(project: str) -> str:
    """Return a project id as Keystone writes it, if it is a UUID."""
    with suppress(ValueError):
        return uuid.UUID(project).hex
    return project


def _adds_plain(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    if isinstance(document, dict) and isinstance(document.get("member"), str):
        request = replace(request, body=json.dumps({**document, "member": _plain(document["member"])}).encode())
    return App.create_member(self, request, image_id)


def _by_plain_id(method: str) -> Callable[[App, Request, str, str], Reply]:
    def operation(self: App, request: Request, image_id: str, member_id: str) -> Reply:
        reply: Reply = getattr(App, method)(self, request, image_id, _plain(member_id))
        return reply

    return operation


faulty(
    "LosesProjectsWithDashes",
    "Stores a project id that is a UUID without its dashes, and finds no member by the id that was given.",
    "MEM-CRE-01",
    create_member=_adds_plain,
)
faulty(
    "WritesProjectsAsUuids",
    "Writes a project id that is a UUID without dashes and in small letters, and finds it however it is written.",
    create_member=_adds_plain,
    **{name: _by_plain_id(name) for name in ("show_member", "update_member", "delete_member")},
)


def _decides_on_all(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    reply = App.update_member(self, request, image_id, member_id)
    status = self.images.get(image_id).members[member_id].status
    for image in self.images.all():
        if member_id in image.members:
            image.members[member_id].status = status
    return reply


faulty("DecidesOnAllImages", "Sets a status for all images of a member.", "MEM-UPD-01", update_member=_decides_on_all)


def _owner_too(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if member_id == image.owner:
        return Reply.of_json(self.represent_member(Member(image_id, member_id, ACCEPTED)))
    return App.show_member(self, request, image_id, member_id)


faulty("TakesOwnersForMembers", "Shows the owner of an image as a member.", "MEM-GET-03", show_member=_owner_too)


def _read_once(self: App, request: Request, image_id: str) -> Reply:
    known: dict[tuple[str, str], bytes] = self.__dict__.setdefault("known", {})
    key = request.caller.project, image_id
    if key in known and request.caller.project != self.images.get(image_id).owner:
        return Reply(200, known[key], (("Content-Type", "application/json"),))
    reply = App.show_image(self, request, image_id)
    known[key] = reply.body
    return reply


faulty("RemembersWhoHasRead", "Shows an image to who has seen it before.", "MEM-DEL-04", show_image=_read_once)


def _capitals_refused(self: App, request: Request, image_id: str) -> Reply:
    return (
        self.error(request, HTTPStatus.BAD_REQUEST, "The id of a project has no capitals.")
        if any(letter.isupper() for letter in str(json.loads(request.body or b"null")))
        else App.create_member(self, request, image_id)
    )


faulty("RefusesProjectsWithCapitals", "Refuses ids of projects that have capitals.", create_member=_capitals_refused)


def _unstamped(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    member = self.images.get(image_id).members.get(member_id)
    before = member.updated_at if member else None
    App.update_member(self, request, image_id, member_id)
    member = self.images.get(image_id).members[member_id]
    if member.status == ACCEPTED and before:
        member.updated_at = before
    return Reply.of_json(self.represent_member(member))


faulty(
    "StampsNoAcceptance", "Leaves updated_at as it is when a member accepts.", "MEM-UPD-09", update_member=_unstamped
)


def _withdraws(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    for member in self.images.get(image_id).members.values():
        member.status = MemberStatus.PENDING
    return reply


faulty(
    "OffersChangedImagesAnew",
    "Has members decide once more on an image that its owner has changed.",
    "MEM-UPD-01",
    update_image=_withdraws,
)


def _cut_to_forty(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    if isinstance(document, dict) and isinstance(document.get("member"), str):
        request = replace(request, body=json.dumps({"member": document["member"][:40]}).encode())
    return App.create_member(self, request, image_id)


faulty("CutsProjectsToForty", "Cuts ids of projects to 40 characters.", "MEM-CRE-01", create_member=_cut_to_forty)


def _resets(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    named = document.get("member") if isinstance(document, dict) else None
    member = self.images.get(image_id).members.get(str(named))
    if member and self.images.get(image_id).owner == request.caller.project:
        member.status = MemberStatus.REJECTED if member.status == ACCEPTED else member.status
    return App.create_member(self, request, image_id)


def _offers_anew(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    named = document.get("member") if isinstance(document, dict) else None
    image = self.images.show(request.caller, image_id)
    member = image.members.get(str(named)) if image.owner == request.caller.project else None
    if member is None or not request.caller.writes:
        return App.create_member(self, request, image_id)
    member.status = MemberStatus.PENDING
    return Reply.of_json(self.represent_member(member))


faulty(
    "OffersAnewToWhoIsAddedAgain",
    "Answers 200 to the addition of a member that is one, which has to decide anew.",
    create_member=_offers_anew,
)
faulty(
    "RejectsForWhoIsSharedWithAgain",
    "Refuses a member that is added again, and takes its acceptance back.",
    "MEM-UPD-01",
    create_member=_resets,
)


def _at_most_36(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    named = document.get("member") if isinstance(document, dict) else None
    if isinstance(named, str) and len(named) > 36:
        return self.error(request, HTTPStatus.BAD_REQUEST, "The id of a project has 36 characters at most.")
    return App.create_member(self, request, image_id)


faulty("RefusesLongProjects", "Refuses ids of projects of more than 36 characters.", create_member=_at_most_36)


def _undecided_alone(self: App, request: Request, image_id: str) -> Reply:
    reply = App.list_members(self, request, image_id)
    document: Any = reply.json()
    document["members"] = [each for each in document["members"] if each["status"] != "accepted"]
    return Reply.of_json(document)


faulty(
    "ListsNoneThatHaveAccepted",
    "Leaves members that have accepted out of the list of members.",
    "MEM-LIST-01",
    words=selecting("MEM-LIST-01", "MEM-UPD"),
    list_members=_undecided_alone,
)


def _to_the_community(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.get(image_id)
    before = image.visibility
    if before is Visibility.COMMUNITY and image.owner == request.caller.project:
        image.visibility = Visibility.SHARED
    try:
        return App.create_member(self, request, image_id)
    finally:
        image.visibility = before


faulty(
    "SharesImagesOfTheCommunity",
    "Adds members to images of the community.",
    "MEM-CRE-07",
    words=(*selecting("MEM-CRE-07"), "--specification", "glance"),
    create_member=_to_the_community,
)


def _twenty(self: App, request: Request, image_id: str) -> Reply:
    document: Any = App.list_members(self, request, image_id).json()
    return Reply.of_json(document | {"members": document["members"][:20]})


faulty("ListsTwentyMembers", "Lists 20 members of an image at most.", "MEM-LIST-01", list_members=_twenty)


def _status_of(self: App, image_id: str, member_id: str) -> str:
    member = self.images.get(image_id).members.get(member_id)
    return member.status if member else ""


def _not_to_the_owner(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    by_the_owner = request.caller.project == self.images.get(image_id).owner
    if by_the_owner and _status_of(self, image_id, member_id) == "rejected":
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such member.")
    return App.show_member(self, request, image_id, member_id)


def _as_it_began(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    document: Any = App.show_member(self, request, image_id, member_id).json()
    return Reply.of_json(document | {"status": "pending"})


def _not_to_who_rejected(self: App, request: Request, image_id: str) -> Reply:
    if _status_of(self, image_id, request.caller.project) == "rejected":
        return Reply.of_json({"members": [], "schema": "/v2/schemas/members"})
    return App.list_members(self, request, image_id)


def _never_back(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    document: Any = json.loads(request.body or b"null")
    wanted = document.get("status") if isinstance(document, dict) else None
    if _status_of(self, image_id, member_id) == "accepted" and wanted == "pending":
        return self.error(request, HTTPStatus.FORBIDDEN, "It has been accepted.")
    return App.update_member(self, request, image_id, member_id)


def _untouched(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    member, before = self.images.get(image_id).members.get(member_id), _status_of(self, image_id, member_id)
    stamp = member.updated_at if member else None
    App.update_member(self, request, image_id, member_id)
    member = self.images.get(image_id).members[member_id]
    if member.status == before and stamp:
        member.updated_at = stamp
    return Reply.of_json(self.represent_member(member))


faulty(
    "HidesWhoHasRejectedFromTheOwner",
    "Answers the owner that a project which has rejected the image is no member.",
    "MEM-GET-01",
    show_member=_not_to_the_owner,
)
faulty(
    "ShowsMembersAsTheyBegan",
    "Shows a membership by itself with the status that it began with.",
    "MEM-GET-01",
    show_member=_as_it_began,
)
faulty(
    "ListsNobodyToWhoHasRejected",
    "Lists no members to one that has rejected the image.",
    "MEM-LIST-02",
    list_members=_not_to_who_rejected,
)
faulty(
    "TakesNoAcceptanceBack",
    "Forbids a member that has accepted to be undecided again.",
    "MEM-UPD-01",
    update_member=_never_back,
)
faulty(
    "StampsNoRepetition",
    "Leaves updated_at as it is when a member sets the status that it has.",
    update_member=_untouched,
)
