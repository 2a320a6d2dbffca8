"""Services that let others decide on memberships, or make something else of what was decided."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image, Member, MemberStatus
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound, Refusal

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.DECISIONS
GROUPS = ("ENT", "UPD", "GET-02", "GET-04", "LIST-04", "CRE-03", "CRE-07", "CRE-09", "DEL-02", "DEL-05")
DECISIONS = selecting(*map("MEM-{}".format, GROUPS))
"""What looks at the table of callers and operations alone."""
Document = dict[str, Any]


def shows(name: str, sentence: str, *ids: str, change: Callable[[Document], Document]) -> None:
    """Register a service that shows memberships otherwise than they are."""

    def represent_member(self: App, member: Member) -> dict[str, object]:
        return change(App.represent_member(self, member))

    made = type(name, (App,), {"__doc__": sentence, "__module__": __name__, "represent_member": represent_member})
    breaks(*ids, words=DECISIONS)(made)


def answers(
    name: str,
    sentence: str,
    *ids: str,
    method: str,
    answer: Callable[..., Reply],
    words: tuple[str, ...] = DECISIONS,
) -> None:
    """Register a service that carries an operation on members out otherwise; ``answer`` is handed the honest one."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        return answer(self, request, image_id, *rest, honest=lambda asked: honest(self, asked, image_id, *rest))

    breaks(*ids, words=words)(type(name, (App,), {"__doc__": sentence, "__module__": __name__, method: operation}))


def refuses(
    name: str,
    sentence: str,
    *ids: str,
    method: str,
    kind: type[Refusal],
    status: HTTPStatus,
    member: bool | None = None,
    words: tuple[str, ...] = DECISIONS,
) -> None:
    """Register a service that refuses an operation otherwise, to members, to others or to all."""

    def answer(self: App, request: Request, image_id: str, *rest: str, honest: Callable[[Request], Reply]) -> Reply:
        del rest
        try:
            return honest(request)
        except kind:
            if member is not None and member is not is_member(self, request, image_id):
                raise
            return Reply(status) if status == HTTPStatus.NO_CONTENT else self.error(request, status, "It is not so.")

    answers(name, sentence, *ids, method=method, answer=answer, words=words)


def is_member(app: App, request: Request, image_id: str) -> bool:
    """Return whether the caller is a member of an image."""
    return request.caller.project in app.images.get(image_id).members


def owned(app: App, request: Request, image_id: str) -> bool:
    """Return whether the caller owns an image."""
    return request.caller.project == app.images.get(image_id).owner


def as_owner(app: App, request: Request, image_id: str) -> Request:
    """Return the same request as if the owner had sent it."""
    return request.sent_by(replace(request.caller, project=app.images.get(image_id).owner))


# What a membership shows

shows(
    "ShowsNoTimeOfAMember",
    "Leaves out when a membership was changed.",
    "MEM-ENT-01",
    change=lambda shown: {key: value for key, value in shown.items() if key != "updated_at"},
)
shows(
    "ShowsNoImageOfAMember",
    "Leaves the image out of a membership.",
    "MEM-ENT-01",
    change=lambda shown: {key: value for key, value in shown.items() if key != "image_id"},
)
shows(
    "CallsDecisionsOtherwise",
    "Calls accepted memberships active.",
    "MEM-ENT-02",
    "MEM-UPD-01",
    change=lambda shown: shown | ({"status": "active"} if shown["status"] == "accepted" else {}),
)
shows(
    "ShowsAnotherProject",
    "Shows the projects of memberships in capitals.",
    "MEM-ENT-03",
    "MEM-UPD-01",
    change=lambda shown: shown | {"member_id": str(shown["member_id"]).upper()},
)
shows(
    "LeadsToTheSchemaOfMembers",
    "Leads by schema from a membership to the schema of lists.",
    "MEM-ENT-04",
    change=lambda shown: shown | {"schema": "/v2/schemas/members"},
)


# What others may do


def _to_all(self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]) -> Reply:
    del member_id
    return honest(as_owner(self, request, image_id) if is_member(self, request, image_id) else request)


def _added(self: App, request: Request, image_id: str, *, honest: Callable[[Request], Reply]) -> Reply:
    return honest(as_owner(self, request, image_id) if is_member(self, request, image_id) else request)


def _added_by_all(self: App, request: Request, image_id: str, *, honest: Callable[[Request], Reply]) -> Reply:
    return honest(as_owner(self, request, image_id))


answers(
    "ShowsMembersEachOther",
    "Shows a member the memberships of others.",
    "MEM-GET-02",
    method="show_member",
    answer=_to_all,
)
refuses(
    "ForbidsOtherMembers",
    "Answers 403 to a member that reads another membership.",
    "MEM-GET-02",
    method="show_member",
    kind=NotFound,
    status=HTTPStatus.FORBIDDEN,
)
refuses(
    "KnowsNoOtherMembers",
    "Answers 410 to whoever reads the membership of another.",
    "MEM-GET-02",
    "MEM-GET-04",
    method="show_member",
    kind=NotFound,
    status=HTTPStatus.GONE,
)
answers(
    "LetsMembersAddMembers",
    "Lets members share an image with others.",
    "MEM-CRE-03",
    method="create_member",
    answer=_added,
)
answers(
    "LetsAllAddMembers", "Lets everybody share an image.", "MEM-CRE-03", method="create_member", answer=_added_by_all
)
refuses(
    "BlamesWhoAddsMembers",
    "Answers 400 to others that add a member.",
    "MEM-CRE-03",
    method="create_member",
    kind=NotFound,
    status=HTTPStatus.BAD_REQUEST,
)
refuses(
    "DeniesWhoAddsMembers",
    "Answers 410 to others that add a member.",
    "MEM-CRE-03",
    "MEM-CRE-09",
    method="create_member",
    kind=NotFound,
    status=HTTPStatus.GONE,
)
refuses(
    "BlamesPrivateImages",
    "Answers 400 to the owner that shares a private image.",
    "MEM-CRE-07",
    method="create_member",
    kind=Forbidden,
    status=HTTPStatus.BAD_REQUEST,
    words=(*selecting("MEM-CRE-07"), "--specification", "glance"),
)
answers(
    "LetsMembersRemoveThemselves",
    "Lets members remove themselves.",
    "MEM-DEL-02",
    method="delete_member",
    answer=_to_all,
)
refuses(
    "FeignsRemovalsByMembers",
    "Answers 204 to members that remove themselves, and keeps them.",
    "MEM-DEL-02",
    method="delete_member",
    kind=Forbidden,
    status=HTTPStatus.NO_CONTENT,
)
refuses(
    "FeignsRemovalsByStrangers",
    "Answers 204 to strangers that remove a member, and keeps it.",
    "MEM-DEL-02",
    method="delete_member",
    kind=NotFound,
    status=HTTPStatus.NO_CONTENT,
    member=False,
)
refuses(
    "DeniesRemovalsByMembers",
    "Answers 410 to members that remove themselves.",
    "MEM-DEL-05",
    method="delete_member",
    kind=Forbidden,
    status=HTTPStatus.GONE,
)
refuses(
    "DeniesListsToStrangers",
    "Answers 410 to strangers that list the members.",
    "MEM-LIST-04",
    method="list_members",
    kind=NotFound,
    status=HTTPStatus.GONE,
)


# Statuses


def _set(app: App, image_id: str, member_id: str, status: MemberStatus) -> Reply:
    member = app.images.get(image_id).members[member_id]
    member.status = status
    return Reply.of_json(app.represent_member(member))


def _by_202(self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]) -> Reply:
    del self, image_id, member_id
    return replace(honest(request), status=HTTPStatus.ACCEPTED)


def _ignored(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    before = self.images.get(image_id).members.get(member_id)
    held = before.status if before else MemberStatus.PENDING
    shown: Any = honest(request).json()
    if shown["status"] == "rejected":
        _set(self, image_id, member_id, held)
    return Reply.of_json(shown)


def _once(self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]) -> Reply:
    del member_id
    if b"pending" in request.body and is_member(self, request, image_id):
        raise Forbidden("It is decided.")
    return honest(request)


def _all_members(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    reply = honest(request)
    for other in self.images.get(image_id).members:
        _set(self, image_id, other, self.images.get(image_id).members[member_id].status)
    return reply


def _by_the_owner(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    if owned(self, request, image_id) and member_id in self.images.get(image_id).members:
        return _set(self, image_id, member_id, MemberStatus(json.loads(request.body)["status"]))
    return honest(request)


def _by_members(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    if (
        is_member(self, request, image_id)
        and member_id in self.images.get(image_id).members
        and member_id != request.caller.project
    ):
        return _set(self, image_id, member_id, MemberStatus(json.loads(request.body)["status"]))
    return honest(request)


def _any_case(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    del self, image_id, member_id
    return honest(replace(request, body=request.body.replace(b"ACCEPTED", b"accepted")))


def _for_rejected(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    try:
        return honest(request)
    except Invalid:
        return _set(self, image_id, member_id, MemberStatus.REJECTED)


def _refused_and_set(
    self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
) -> Reply:
    try:
        return honest(request)
    except Invalid:
        _set(self, image_id, member_id, MemberStatus.REJECTED)
        raise


def _dated(hours: int, *, created: int = 0) -> Callable[..., Reply]:
    def answer(
        self: App, request: Request, image_id: str, member_id: str, *, honest: Callable[[Request], Reply]
    ) -> Reply:
        honest(request)
        member = self.images.get(image_id).members[member_id]
        member.updated_at += timedelta(hours=hours)
        member.created_at += timedelta(hours=created)
        return Reply.of_json(self.represent_member(member))

    return answer


answers(
    "DecidesBy202",
    "Answers 202 to the decision of a consumer.",
    "MEM-UPD-01",
    "MEM-UPD-10",
    method="update_member",
    answer=_by_202,
)
answers(
    "ForgetsRejections",
    "Answers 200 to a rejection, and keeps the status.",
    "MEM-UPD-01",
    "MEM-UPD-06",
    method="update_member",
    answer=_ignored,
)
answers(
    "DecidesOnce",
    "Answers 403 to a consumer that takes its decision back.",
    "MEM-UPD-01",
    method="update_member",
    answer=_once,
)
answers(
    "DecidesForAll",
    "Sets the status of all members by the decision of one of them.",
    "MEM-UPD-01",
    method="update_member",
    answer=_all_members,
)
answers(
    "LetsOwnersDecide",
    "Lets the owner accept for a consumer.",
    "MEM-UPD-02",
    method="update_member",
    answer=_by_the_owner,
)
answers(
    "LetsMembersDecideForOthers",
    "Lets a member accept for another.",
    "MEM-UPD-03",
    method="update_member",
    answer=_by_members,
)
refuses(
    "ForbidsDecisionsOfOthers",
    "Answers 403 to whoever decides for a member.",
    "MEM-UPD-03",
    method="update_member",
    kind=NotFound,
    status=HTTPStatus.FORBIDDEN,
)
refuses(
    "FindsNoOwnerWhoDecides",
    "Answers 404 to an owner that decides.",
    "MEM-UPD-02",
    method="update_member",
    kind=Forbidden,
    status=HTTPStatus.NOT_FOUND,
)
answers(
    "KnowsStatusesInAnyCase",
    "Reads the status of a decision in any case.",
    "MEM-UPD-04",
    method="update_member",
    answer=_any_case,
)
answers(
    "TakesOtherStatusesForRejections",
    "Takes a status that there is not for a rejection.",
    "MEM-UPD-04",
    method="update_member",
    answer=_for_rejected,
)
answers(
    "RefusesAndRejects",
    "Refuses a status that there is not, and rejects the image.",
    "MEM-UPD-04",
    method="update_member",
    answer=_refused_and_set,
)
refuses(
    "CallsOtherStatuses422",
    "Answers 422 to a status that there is not.",
    "MEM-UPD-10",
    method="update_member",
    kind=Invalid,
    status=HTTPStatus.UNPROCESSABLE_ENTITY,
)
answers(
    "DatesDecisionsBack", "Sets the time of a decision back.", "MEM-UPD-09", method="update_member", answer=_dated(-2)
)
answers(
    "DatesMembershipsAnew",
    "Sets the creation of a membership to its decision.",
    "MEM-UPD-09",
    method="update_member",
    answer=_dated(1, created=1),
)


# What a consumer sees


class _Seen(App):
    """What lists show to the members of images."""

    def membership(self, caller: Caller, image: Image) -> str:
        """Return the status of the caller's membership; nothing where there is none."""
        member = image.members.get(caller.project)
        return str(member.status) if member else ""

    def listed(self, request: Request, document: Document, status: str, *, hidden: bool) -> Document:
        """Return a list without what has some status, or with it."""
        images = [image for image in self.images.all() if self.membership(request.caller, image) == status]
        ids = {image.id for image in images}
        kept = [entry for entry in document["images"] if entry["id"] not in ids]
        return document | {"images": kept if hidden else [*kept, *(self.represent(image) for image in images)]}


@breaks("MEM-UPD-05", words=DECISIONS)
class ListsNothingAccepted(_Seen):
    """Leaves accepted images out of the consumer's list."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        return Reply.of_json(self.listed(request, document, "accepted", hidden=True))


@breaks("MEM-UPD-06", words=DECISIONS)
class ListsWhatIsPending(_Seen):
    """Lists images to a consumer that has not decided on them."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        plain = "member_status" not in request.query
        return Reply.of_json(self.listed(request, document, "pending", hidden=False) if plain else document)


@breaks("MEM-UPD-06", words=DECISIONS)
class ListsWhatIsRejected(_Seen):
    """Lists images to a consumer that has rejected them."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        plain = "member_status" not in request.query
        return Reply.of_json(self.listed(request, document, "rejected", hidden=False) if plain else document)


@breaks("MEM-UPD-07", words=DECISIONS)
class OffersNothing(_Seen):
    """Lists nothing to a consumer that asks for what it has not decided on."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        return Reply.of_json(self.listed(request, document, "pending", hidden=True))


@breaks("MEM-UPD-07", words=DECISIONS)
class OffersWhatWasRejected(_Seen):
    """Lists what a consumer has rejected where it asks for what it has not decided on."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        asked = "member_status=pending" in request.query
        return Reply.of_json(self.listed(request, document, "rejected", hidden=False) if asked else document)


@breaks("MEM-UPD-08", words=DECISIONS)
class HidesWhatWasRejected(_Seen):
    """Shows an image to nobody that has rejected it."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        if self.membership(request.caller, self.images.show(request.caller, image_id)) == "rejected":
            raise NotFound("There is no such image.")
        return super().show_image(request, image_id)


# Lawful


@breaks(words=DECISIONS)
class TellsSplitSeconds(App):
    """Dates one decision half a second after the other, and tells fractions of a second where there are any."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def update_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        super().update_member(request, image_id, member_id)
        self.count += 1
        member = self.images.get(image_id).members[member_id]
        member.updated_at = member.created_at.replace(microsecond=0) + timedelta(seconds=1 + self.count / 2)
        return Reply.of_json(self.represent_member(member))

    def represent_member(self, member: Member) -> dict[str, object]:
        # As Python writes it: ".500000" after every other decision.
        return super().represent_member(member) | {
            "updated_at": member.updated_at.replace(tzinfo=None).isoformat() + "Z",
            "created_at": member.created_at.replace(tzinfo=None, microsecond=0).isoformat() + "Z",
        }


refuses(
    "ForbidsMembersToAdd",
    "Answers 403 to members that add a member.",
    method="create_member",
    kind=NotFound,
    status=HTTPStatus.FORBIDDEN,
    member=True,
)
