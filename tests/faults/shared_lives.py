"""Services that forget, invent or mix up memberships while their image goes through its life, or of whom others ask."""

import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image, MemberStatus, Status, Visibility, owns
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid, NotFound

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.DECISIONS
MEMBERS = selecting("MEM")

faulty = registrar(__name__, words=MEMBERS, profile="standard")
"""Registers a service that has some methods of its own."""
OPEN = (Visibility.PUBLIC, Visibility.COMMUNITY)


def _kept(self: App, name: str) -> dict[Any, Any]:
    """Return what a service remembers by a name; at first, nothing."""
    found: dict[Any, Any] = self.__dict__.setdefault(name, {})
    return found


# What the owner does besides


def _after_a_patch(spoil: Callable[[Image, Image], object]) -> Callable[[App, Request, str], Reply]:
    """Return an update of an image that spoils what it has made of the one before."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = self.images.get(image_id)
            reply = App.update_image(self, request, image_id)
            if reply.status == HTTPStatus.OK:
                spoil(before, self.images.get(image_id))
            return reply

    return update_image


def _ends_all(when: Callable[[Image, Image], bool]) -> Callable[[Image, Image], None]:
    """Return what ends all memberships of an image with some changes of it."""

    def spoil(before: Image, after: Image) -> None:
        if when(before, after):
            after.members.clear()

    return spoil


faulty(
    "ForgetsMembersOfWhatIsProtected",
    "Forgets the members of an image that is protected.",
    "MEM-LIST-01",
    update_image=_after_a_patch(_ends_all(lambda before, after: after.protected and not before.protected)),
)


def _asks_anew(before: Image, after: Image) -> None:
    for member in after.members.values() if len(after.properties) > len(before.properties) else ():
        member.status = MemberStatus.PENDING


faulty(
    "AsksAnewAfterAProperty",
    "Has all members undecided again once an image is given a property.",
    "MEM-UPD-01",
    update_image=_after_a_patch(_asks_anew),
)


def _refuses(method: str, when: Callable[[Image], bool]) -> Callable[..., Reply]:
    """Return an operation that is refused to the owner of some images."""

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if owns(request.caller, image) and when(image):
            raise Conflict(f"Not while image {image_id} is so.")
        reply: Reply = getattr(App, method)(self, request, image_id, *rest)
        return reply

    return operation


faulty(
    "SharesNothingHidden",
    "Adds no member to an image that is hidden from lists.",
    "MEM-CRE-01",
    create_member=_refuses("create_member", lambda image: image.os_hidden),
)
faulty(
    "KeepsMembersOfWhatIsDeactivated",
    "Removes no member of an image that is deactivated.",
    "MEM-DEL-01",
    delete_member=_refuses("delete_member", lambda image: image.status is Status.DEACTIVATED),
)


def _without_crowds(self: App, request: Request) -> Reply:
    document: Any = App.list_images(self, request).json()
    mine = request.caller.project
    if "member_status" not in request.query:
        document["images"] = [
            entry
            for entry in document["images"]
            if entry["owner"] == mine or len(self.images.get(entry["id"]).members) < 3
        ]
    return Reply.of_json(document)


faulty(
    "ListsNothingThatThreeShare",
    "Leaves an image that has three members out of their lists.",
    "MEM-UPD-05",
    list_images=_without_crowds,
)


# Before and after


def _member_from_a_cache(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    cache, key = _kept(self, "own"), (image_id, member_id, request.caller.project)
    if key not in cache:
        try:
            cache[key] = App.show_member(self, request, image_id, member_id).status
        except NotFound:
            cache[key] = HTTPStatus.NOT_FOUND
    if cache[key] == HTTPStatus.NOT_FOUND and member_id == request.caller.project:
        raise NotFound(f"Image {image_id} has no member {member_id}.")
    return App.show_member(self, request, image_id, member_id)


faulty(
    "RemembersThatThereWasNoMember",
    "Shows no membership to a project that asked for it before there was one.",
    "MEM-GET-01",
    show_member=_member_from_a_cache,
)


def _members_from_a_cache(self: App, request: Request, image_id: str) -> Reply:
    cache, key = _kept(self, "listed"), (image_id, request.caller.project)
    try:
        reply = App.list_members(self, request, image_id)
    except NotFound:
        if key in cache:
            return cache[key]  # type: ignore[no-any-return]  # a reply
        raise
    if self.images.get(image_id).owner != request.caller.project:
        cache[key] = reply
    return reply


faulty(
    "ListsMembersToFormerOnes",
    "Lists its membership to a project that has read it before it was removed.",
    "MEM-LIST-03",
    list_members=_members_from_a_cache,
)


def _listed_at_once(self: App, request: Request, image_id: str) -> Reply:
    reply = App.create_member(self, request, image_id)
    document: Any = reply.json()
    times = _kept(self, "times")
    key = image_id, document["member_id"]
    times[key] = times.get(key, 0) + 1
    return reply


def _lists_what_came_back(self: App, request: Request) -> Reply:
    document: Any = App.list_images(self, request).json()
    mine, times = request.caller.project, _kept(self, "times")
    if "member_status=pending" in request.query:
        document["images"] = [entry for entry in document["images"] if times.get((entry["id"], mine), 0) < 2]
    return Reply.of_json(document)


faulty(
    "OffersAnImageOnce",
    "Offers an image to a project the first time alone that it is shared with it.",
    "MEM-UPD-07",
    create_member=_listed_at_once,
    list_images=_lists_what_came_back,
)


# Who else asks


def _as_the_owner(method: str, when: Callable[[App, Request, Image], bool]) -> Callable[..., Reply]:
    """Return an operation that some callers carry out as if they were the owner."""

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if not request.caller.admin and when(self, request, image):
            request = request.sent_by(Caller(image.owner))
        reply: Reply = getattr(App, method)(self, request, image_id, *rest)
        return reply

    return operation


def _is_open(_: App, request: Request, image: Image) -> bool:
    return image.visibility in OPEN and image.owner != request.caller.project


for _name, _sentence, _id, _method in (
    ("ListsMembersOfWhatIsOpen", "Lists the members of a public image to everybody.", "MEM-LIST-03", "list_members"),
    ("ShowsMembersOfWhatIsOpen", "Shows a member of a public image to everybody.", "MEM-GET-02", "show_member"),
    ("LetsAllRemoveFromWhatIsOpen", "Has everybody remove members of a public image.", "MEM-DEL-02", "delete_member"),
):
    faulty(
        _name,
        _sentence,
        _id,
        *(("MEM-LIST-02",) if _id == "MEM-LIST-03" else ()),
        **{_method: _as_the_owner(_method, _is_open)},
    )


def _decides(who: Callable[[App, Request, Image], bool]) -> Callable[..., Reply]:
    """Return an update of a member's status which some users of the owner's project carry out as if they were it."""

    def update_member(self: App, request: Request, image_id: str, member_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        mine = image.owner == request.caller.project and not request.caller.admin
        if mine and member_id in image.members and who(self, request, image):
            request = request.sent_by(Caller(member_id))
        return App.update_member(self, request, image_id, member_id)

    return update_member


def _name_of(self: App, request: Request) -> str:
    return self.identity.validate(request.headers["X-Auth-Token"]).user.name


def _noted(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    _kept(self, "creators")[document["id"]] = _name_of(self, request)
    return reply


faulty(
    "KnowsOwnersByWhoCreates",
    "Has the owner of the account set the status of a member where a creator of its project has created the image.",
    "MEM-UPD-02",
    signs_in=True,
    create_image=_noted,
    update_member=_decides(
        lambda self, request, image: _kept(self, "creators")[image.id] == "creator" != _name_of(self, request)
    ),
)
faulty(
    "LetsReadersOfTheOwnerDecide",
    "Has a reader of the owner's project set the status of a member.",
    "MEM-UPD-02",
    signs_in=True,
    update_member=_decides(lambda _, request, __: not request.caller.writes),
)


def _late_refusal(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    image = self.images.get(image_id)
    if image.owner != request.caller.project and member_id not in image.members:
        raise Forbidden("Only a member decides.")
    return App.update_member(self, request, image_id, member_id)


faulty(
    "ForbidsWhoIsNoMemberToDecide",
    "Answers 403 to a project that sets its status of an image that it does not see.",
    "MEM-UPD-03",
    update_member=_late_refusal,
)


def _as_numbers(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body)
    named = document.get("member") if isinstance(document, dict) else None
    if isinstance(named, str) and named.isdecimal():
        request = replace(request, body=json.dumps({"member": f"{float(named):.0f}"}).encode())
    return App.create_member(self, request, image_id)


faulty(
    "RoundsNumbersOfProjects",
    "Reads the number of a project as a floating-point number.",
    "MEM-CRE-01",
    create_member=_as_numbers,
)


# Lawful


faulty(
    "EndsMembershipsWithTheVisibility",
    "Ends all memberships of an image whose visibility is changed.",
    update_image=_after_a_patch(_ends_all(lambda before, after: after.visibility is not before.visibility)),
)


def _owners_alone(self: App, request: Request, image_id: str) -> Reply:
    if not owns(request.caller, self.images.show(request.caller, image_id)):
        raise Forbidden("Data is downloaded by owners.")
    return App.download(self, request, image_id)


faulty("GivesDataToOwnersAlone", "Gives the data of an image to its owner alone.", download=_owners_alone)


def _forbids_the_open(self: App, request: Request, image_id: str, *rest: str) -> Reply:
    if _is_open(self, request, self.images.show(request.caller, image_id)):
        raise Forbidden("The members of this image are nobody's business.")
    reply: Reply = (App.show_member if rest else App.list_members)(self, request, image_id, *rest)
    return reply


faulty(
    "ForbidsMembersOfWhatIsOpen",
    "Answers 403, where others answer 404, to who asks for the members of a public image.",
    show_member=_forbids_the_open,
    list_members=_forbids_the_open,
)


def _known_projects(self: App, request: Request, image_id: str) -> Reply:
    document: Any = json.loads(request.body)
    named = document.get("member") if isinstance(document, dict) else None
    if named and named not in {project.id for project in self.identity.projects.values()}:
        raise Invalid("There is no such project.")
    return App.create_member(self, request, image_id)


def _ends_memberships(before: Image, after: Image) -> None:
    if after.visibility is not Visibility.SHARED and before.visibility is Visibility.SHARED:
        after.members.clear()


faulty(
    "EndsMembershipsOfWhatIsNotShared",
    "Ends all memberships of an image once it has another visibility than shared.",
    update_image=_after_a_patch(_ends_memberships),
)


def _offers_what_is_shared_anew(before: Image, after: Image) -> None:
    for member in after.members.values() if after.visibility is not before.visibility else ():
        member.status = MemberStatus.PENDING


faulty(
    "OffersWhatIsSharedAnew",
    "Has the members of an image decide again once it was given another visibility.",
    update_image=_after_a_patch(_offers_what_is_shared_anew),
)
faulty(
    "SharesAtLifeWithKnownProjects", "Refuses to share an image with who is no project.", create_member=_known_projects
)
