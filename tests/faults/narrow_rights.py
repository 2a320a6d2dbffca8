"""Services that know roles and tokens, and forget them at a door that few go through."""

import re
import time
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import Role, User
from pytest_cloudimages.reference.images import Caller, Visibility
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound, Unauthorized

from .kinds import Kind
from .registry import registrar, selecting
from .updating import operations

KIND = Kind.ROLES
ROLES = selecting("RBAC")

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


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


def _remembers_refusals(self: App, request: Request) -> Reply:
    refused: dict[tuple[str, str, str], float] = self.__dict__.setdefault("refused", {})
    key = request.caller.project, request.method, request.path
    if refused.get(key, 0.0) > time.monotonic():
        raise Forbidden("You are not allowed to do this.")
    try:
        return App.route(self, request)
    except Forbidden:
        if not request.caller.deletes:
            refused[key] = time.monotonic() + 3
        raise


faulty(
    "RemembersRefusals",
    "Refuses the owner for some seconds what a reader of the project was refused: the cache does not know who asks.",
    "RBAC-07",
    words=selecting("RBAC-03", "RBAC-07"),
    route=_remembers_refusals,
)


def _user(self: App, request: Request) -> User | None:
    """Return who asks: a caller's role is told by its token alone."""
    token = self.identity._tokens.get(request.headers.get("X-Auth-Token", ""))  # noqa: SLF001 - behind the honest door
    return token.user if token else None


def _ended_too(self: App, request: Request) -> Caller:
    try:
        return App.authenticate(self, request)
    except Unauthorized:
        user = _user(self, request)
        if user is None or not request.path.startswith("/v2/schemas/"):
            raise
        return Caller(user.project.id)


faulty(
    "ShowsSchemasToWhoseTokenHasExpired",
    "Shows schemas to who has a token that has expired.",
    "SCHEMA-17",
    words=selecting("SCHEMA", "AUTH-01", "AUTH-02"),
    authenticate=_ended_too,
)


def _ends_data(role: Role) -> Any:
    def delete_image(self: App, request: Request, image_id: str) -> Reply:
        user = _user(self, request)
        with self.images.lock:
            if user and user.role is role and self.images.show(request.caller, image_id).data is not None:
                App.delete_image(self, request.sent_by(replace(request.caller, writes=True, deletes=True)), image_id)
                if role is Role.CREATOR:
                    raise Forbidden("You may not delete images.")
                return Reply(HTTPStatus.NO_CONTENT)
        return App.delete_image(self, request, image_id)

    return delete_image


faulty(
    "LetsObserversDeleteWhatHasData",
    "Lets observers of images delete one that has data.",
    "RBAC-03",
    words=ROLES,
    delete_image=_ends_data(Role.READER),
)
faulty(
    "ForbidsCreatorsAndDeletesWhatHasData",
    "Forbids creators to delete an image that has data, and does it.",
    "RBAC-02",
    words=ROLES,
    delete_image=_ends_data(Role.CREATOR),
)


def _fails_later(self: App, request: Request) -> Reply:
    if request.caller.writes or b'"export"' not in request.body:
        return App.create_task(self, request)
    return App.create_task(self, request.sent_by(replace(request.caller, writes=True)))


faulty(
    "AcceptsExportsOfObservers",
    "Accepts exports of observers.",
    "RBAC-03",
    words=ROLES,
    create_task=_fails_later,
)


# Lawful


def _no_exports(self: App, request: Request) -> Reply:
    if b'"export"' in request.body:
        raise Invalid("There are no tasks of the type 'export' here.")
    return App.create_task(self, request)


faulty(
    "RefusesExportsWhoeverAsks",
    "Says that it has no exports before it asks who may create tasks.",
    words=(*ROLES, *selecting("TASK")),
    create_task=_no_exports,
)


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


def _is_creator(self: App, request: Request) -> bool:
    user = _user(self, request)
    return user is not None and user.role is Role.CREATOR


def _own_tasks_alone(self: App, request: Request) -> Reply:
    project, user = self.identity.users["tester"].project.id, _user(self, request)
    if request.caller.project == project and user and user.name == "images-admin":
        raise Forbidden("Tasks are for those who have a role in all products.")
    return App.create_task(self, request)


faulty(
    "ClosesTasksToItsOwnAdministrators",
    "Answers 403 to who has the role of an administrator of images alone, and asks for a task.",
    "RBAC-01",
    words=ROLES,
    create_task=_own_tasks_alone,
)


def _forgotten(self: App, request: Request, image_id: str) -> Reply:
    name = self.images.get(image_id).name
    reply = App.update_image(self, request, image_id)
    if _is_creator(self, request) and image_id not in self.__dict__.get("created", ()):
        self.images.get(image_id).name = name
    return reply


def _noted(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    if _is_creator(self, request):
        document: Any = reply.json()
        self.__dict__.setdefault("created", set()).add(document["id"])
    return reply


faulty(
    "ForgetsWhatCreatorsChangeOfOthers",
    "Acknowledges a creator's patch of a colleague's image and keeps the name.",
    "RBAC-02",
    words=selecting("RBAC-02"),
    update_image=_forgotten,
    create_image=_noted,
)


def _of_all_accounts(self: App, request: Request) -> Caller:
    caller = App.authenticate(self, request)
    roles = self.identity.validate(request.headers.get("X-Auth-Token")).user.roles
    return replace(caller, admin=True) if "cloudImages:admin" in roles else caller


faulty(
    "TakesAdministratorsOfImagesForTheOperator",
    "Shows all images of all projects to administrators of images.",
    "IMG-GET-03",
    words=selecting("IMG-GET-03"),
    authenticate=_of_all_accounts,
)


# Single changes


def _protected(self: App, request: Request, image_id: str) -> Reply:
    if b'"/protected"' in request.body and not request.caller.writes:
        request = replace(request, caller=replace(request.caller, writes=True))
    return App.update_image(self, request, image_id)


faulty(
    "LetsReadersProtectImages",
    "Lets who may only read protect the images of its project.",
    "RBAC-03",
    words=selecting("RBAC-03"),
    update_image=_protected,
)


def _takes_off(self: App, request: Request, image_id: str) -> Reply:
    if b'"value"' not in request.body and b'"remove"' in request.body and request.caller.project:
        request = replace(request, caller=replace(request.caller, writes=True))
    return App.update_image(self, request, image_id)


faulty(
    "AsksWhoMayWriteWhereThereIsAValue",
    "Lets who may only read remove properties of the images of its project.",
    "RBAC-03",
    words=selecting("RBAC-03"),
    update_image=_takes_off,
)


def _has_none(self: App, request: Request, image_id: str) -> Reply:
    if b'"remove"' in request.body and not request.caller.writes:
        return self.error(request, HTTPStatus.CONFLICT, "There is no such property.")
    return App.update_image(self, request, image_id)


def _without_properties(self: App, request: Request, image_id: str) -> Reply:
    reply = App.show_image(self, request, image_id)
    document: Any = reply.json()
    own = self.images.get(image_id).properties if not request.caller.writes else {}
    return Reply.of_json({name: value for name, value in document.items() if name not in own})


faulty(
    "KeepsPropertiesFromReaders",
    "Shows no properties to who may only read, and knows of none that it could remove.",
    words=ROLES,
    update_image=_has_none,
    show_image=_without_properties,
)


def _filled(self: App, request: Request, image_id: str) -> Reply:
    return App.upload(self, replace(request, caller=replace(request.caller, writes=True)), image_id)


faulty(
    "LetsReadersUpload",
    "Lets who may only read fill an image with data.",
    "RBAC-03",
    words=selecting("RBAC-03"),
    upload=_filled,
)


def _of_anybodys(self: App, request: Request, image_id: str) -> Reply:
    if _is_creator(self, request) and image_id not in self.__dict__.get("created", ()):
        request = replace(request, caller=replace(request.caller, deletes=True))
    return App.delete_image(self, request, image_id)


faulty(
    "LetsCreatorsDeleteWhatOthersCreated",
    "Deletes for a creator what others of its project have created.",
    "RBAC-02",
    words=selecting("RBAC-02"),
    delete_image=_of_anybodys,
    create_image=_noted,
)


def _tagged_by_name(self: App, request: Request) -> Caller:
    caller = App.authenticate(self, request)
    named = request.headers.get("X-Tenant-Id")
    return replace(caller, project=named) if named and "/tags/" in request.path else caller


faulty(
    "TagsImagesOfTheTenantThatIsNamed",
    "Takes who adds a tag for one of the tenant that its header names.",
    "AUTH-22",
    words=selecting("AUTH-22"),
    authenticate=_tagged_by_name,
)


def _fills_for_nobody(self: App, request: Request) -> Caller:
    try:
        return App.authenticate(self, request)
    except Unauthorized:
        if request.method != "PUT" or not request.path.endswith("/file"):
            raise
        return Caller(self.identity.users["tester"].project.id)


faulty(
    "TakesDataOfNobody",
    "Takes the data of an image without a token.",
    "AUTH-01",
    "AUTH-02",
    words=selecting("AUTH-01", "AUTH-02"),
    authenticate=_fills_for_nobody,
)


# What a role may do with some images


def _not_private(self: App, request: Request, image_id: str) -> Reply:
    reply = App.show_image(self, request, image_id)
    if not request.caller.writes and self.images.get(image_id).visibility is Visibility.PRIVATE:
        raise NotFound(f"There is no image {image_id}.")
    return reply


faulty(
    "HidesPrivateImagesFromReaders",
    "Hides the private images of their project from those who may only read.",
    "RBAC-03",
    words=ROLES,
    show_image=_not_private,
)


def _no_private(self: App, request: Request, image_id: str) -> Reply:
    if b'"private"' in request.body:
        raise Forbidden("Images are shared here.")
    return App.update_image(self, request, image_id)


faulty("MakesNoImagePrivate", "Makes no image private.", words=ROLES, update_image=_no_private)


# What a patch does that a role may send


def _removes(request: Request) -> bool:
    return any(each.get("op") == "remove" for each in operations(request) if isinstance(each, dict))


def _nothing_removed_by_creators(self: App, request: Request, image_id: str) -> Reply:
    if request.caller.writes and not request.caller.deletes and _removes(request):
        return self.error(request, HTTPStatus.NOT_FOUND, "There is nothing that you could delete.")
    return App.update_image(self, request, image_id)


faulty(
    "TakesRemovalsForDeletions",
    "Answers 404 to a creator whose patch removes something.",
    "RBAC-02",
    words=ROLES,
    update_image=_nothing_removed_by_creators,
)


def _nothing_removed(self: App, request: Request, image_id: str) -> Reply:
    if _removes(request):
        raise Forbidden("What an image has, it keeps.")
    return App.update_image(self, request, image_id)


faulty(
    "RemovesNothingForAnybody", "Forbids everybody to remove properties.", words=ROLES, update_image=_nothing_removed
)
