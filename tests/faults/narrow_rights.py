"""Services that know roles and tokens, and forget them at a door that few go through."""

import json
import re
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import Role
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Forbidden, NotFound

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.ROLES
ROLES = selecting("RBAC")

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


def _role(self: App, request: Request) -> Role:
    role: Role = self.identity.validate(request.headers.get("X-Auth-Token")).user.role
    return role


def _old_form_for_all(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type.endswith("v2.0-json-patch"):
        request = request.sent_by(replace(request.caller, writes=True))
    return App.update_image(self, request, image_id)


faulty(
    "AsksNoRoleOfTheOldForm",
    "Carries out patches in the old form whatever the role of who sends them.",
    "RBAC-03",
    words=ROLES,
    update_image=_old_form_for_all,
)


def _decided_by_all(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    status = json.loads(request.body or b"{}").get("status")
    if status == "rejected":
        request = request.sent_by(replace(request.caller, writes=True))
    return App.update_member(self, request, image_id, member_id)


faulty(
    "LetsReadersReject",
    "Lets who may only read reject what is shared with the project.",
    "RBAC-03",
    words=ROLES,
    update_member=_decided_by_all,
)


def _shared_by_owners(self: App, request: Request, image_id: str) -> Reply:
    names = [str(each).lower() for each in self.identity.validate(request.headers.get("X-Auth-Token")).user.roles]
    if "cloudimages:admin" in names and "identity:user-admin" not in names:
        raise Forbidden("Sharing is the account owner's.")
    return App.create_member(self, request, image_id)


faulty(
    "LetsOwnersOfAccountsShare",
    "Lets administrators of images share none.",
    "RBAC-01",
    "RBAC-06",
    words=ROLES,
    create_member=_shared_by_owners,
)


def _closed_schema(self: App, request: Request, name: str) -> Reply:
    if name == "image" and _role(self, request) is Role.READER:
        raise Forbidden("Schemas are for those who write.")
    return App.schema(self, request, name)


faulty(
    "ShowsReadersNoSchema",
    "Shows the schema of images to nobody that may only read.",
    "RBAC-03",
    "RBAC-05",
    words=ROLES,
    schema=_closed_schema,
)


def _looks_first(self: App, request: Request) -> Reply:
    found = re.fullmatch(r"/v2/images/([^/]+)/members", request.path)
    if found and request.method == "GET" and found[1] not in {image.id for image in self.images.all()}:
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such image.")
    return App.answer(self, request)


faulty(
    "LooksForMembersFirst",
    "Says that there is no such image before it asks who wants the members of it.",
    "AUTH-01",
    "AUTH-02",
    words=selecting("AUTH-01", "AUTH-02"),
    answer=_looks_first,
)


def _trusted(self: App, request: Request) -> Caller:
    caller = App.authenticate(self, request)
    return replace(caller, admin=True) if request.headers.get("X-Is-Admin-Project") == "True" else caller


faulty(
    "TakesClientsForItsFilter",
    "Takes who says in a header that the project is the operator's for an administrator.",
    "AUTH-22",
    words=selecting("AUTH-22"),
    authenticate=_trusted,
)


def _of_any_account(self: App, request: Request, image_id: str) -> Reply:
    names = {str(each).lower() for each in self.identity.validate(request.headers.get("X-Auth-Token")).user.roles}
    if names == {"admin"}:
        return Reply.of_json(self.represent(self.images.get(image_id)))
    return App.show_image(self, request, image_id)


faulty(
    "ShowsAllAccountsToAdministrators",
    "Shows an account's administrator the images of other accounts.",
    "IMG-GET-03",
    words=selecting("IMG-GET-03", "IMG-UPD-21"),
    show_image=_of_any_account,
)


# Lawful


def _no_old_form(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type.endswith("v2.0-json-patch"):
        accepted = ("Accept-Patch", "application/openstack-images-v2.1-json-patch")
        return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The old form is not taken.", (accepted,))
    return App.update_image(self, request, image_id)


faulty("TakesNoOldForm", "Takes no patch in the old form, whoever sends it.", words=ROLES, update_image=_no_old_form)


def _hidden(self: App, request: Request, image_id: str, *rest: str) -> Reply:
    honest: Any = App.update_member
    if not request.caller.writes:
        raise NotFound("There is nothing for you to decide on.")
    reply: Reply = honest(self, request, image_id, *rest)
    return reply


faulty(
    "HidesDecisionsFromReaders",
    "Answers 404 to who may only read and decides on an image.",
    words=ROLES,
    update_member=_hidden,
)
