"""Services that serve who shows no valid token, or take a role for another."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import ALL_PRODUCTS, Role, User
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Forbidden, NotFound, Refusal, Unauthorized

from .kinds import Kind
from .registry import breaks, registrar, selecting

KIND = Kind.ROLES
DOORS = selecting("AUTH-01", "AUTH-02", "AUTH-03")
ROLES = selecting("RBAC")
Whom = Callable[[Request], bool]


faulty = registrar(__name__)
"""Registers a service that has some methods of its own."""


def _asks(method: str, *parts: str, bare: bool = False) -> Whom:
    """Return whether a request has a method and a path with some parts; ``bare``: of the image itself."""

    def fits(request: Request) -> bool:
        rest = request.path.removeprefix("/v2/images/")
        return (
            request.method == method and all(part in request.path for part in parts) and (not bare or "/" not in rest)
        )

    return fits


# Without a valid token


def serves(name: str, sentence: str, *ids: str, what: Whom, whom: Whom) -> None:
    """Register a service that serves some requests for the owner of the image, whatever token they show."""

    def authenticate(self: App, request: Request) -> Caller:
        try:
            return App.authenticate(self, request)
        except Unauthorized:
            if not what(request) or not whom(request):
                raise
            return Caller(self.identity.users["tester"].project.id)

    faulty(name, sentence, *ids, words=DOORS, authenticate=authenticate)


def _nobody(request: Request) -> bool:
    return "X-Auth-Token" not in request.headers


def _somebody(request: Request) -> bool:
    return "X-Auth-Token" in request.headers


for _what, _asked, _fits in (
    ("ListImages", "Lists images", lambda request: request.method == "GET" and request.path == "/v2/images"),
    ("ShowImages", "Shows images", _asks("GET", "/v2/images/", bare=True)),
    ("ListMembers", "Lists members", _asks("GET", "/members")),
    ("CreateImages", "Creates images", lambda request: request.method == "POST" and request.path == "/v2/images"),
    ("ChangeImages", "Changes images", _asks("PATCH")),
    ("ShareImages", "Adds members", _asks("POST", "/members")),
    ("EndSharing", "Removes members", _asks("DELETE", "/members/")),
    ("DeleteImages", "Deletes images", _asks("DELETE", "/v2/images/", bare=True)),
    ("CreateTasks", "Creates tasks", _asks("POST", "/v2/tasks")),
):
    serves(f"LetsNobody{_what}", f"{_asked} for who shows no token.", "AUTH-01", what=_fits, whom=_nobody)
    if _what in ("ListImages", "ChangeImages", "DeleteImages"):
        serves(f"LetsAnyToken{_what}", f"{_asked} for any token.", "AUTH-02", what=_fits, whom=_somebody)


def refuses(name: str, sentence: str, *ids: str, refuse: Callable[[App, Request], Reply], what: Whom) -> None:
    """Register a service that turns away in another way who shows no valid token."""

    def unauthorized(self: App, request: Request) -> Reply:
        return refuse(self, request) if what(request) else App.unauthorized(self, request)

    faulty(name, sentence, *ids, words=DOORS, unauthorized=unauthorized)


def _with(status: HTTPStatus, *headers: tuple[str, str]) -> Callable[[App, Request], Reply]:
    return lambda app, request: app.error(request, status, "No.", headers)


def _acting(act: Callable[[Any], object]) -> Callable[[App, Request], Reply]:
    def refuse(app: App, request: Request) -> Reply:
        found = request.path.removeprefix("/v2/images/").partition("/")[0]
        for image in app.images.all():
            if image.id == found:
                act(image)
        return App.unauthorized(app, request)

    return refuse


BOTH = ("AUTH-01", "AUTH-02")
refuses(
    "ForbidsNobodyToList",
    "Answers 403 to a list without a valid token.",
    *BOTH,
    refuse=_with(HTTPStatus.FORBIDDEN),
    what=_asks("GET", "/v2/images"),
)
refuses(
    "HidesImagesFromNobody",
    "Answers 404 to an image without a valid token.",
    *BOTH,
    refuse=_with(HTTPStatus.NOT_FOUND),
    what=_asks("GET", "/v2/images/", bare=True),
)
refuses(
    "BlamesNobodysPatch",
    "Answers 400 to a patch without a valid token.",
    *BOTH,
    refuse=_with(HTTPStatus.BAD_REQUEST),
    what=_asks("PATCH"),
)
refuses(
    "ChallengesNobodyToList",
    "Sends a list's 401 without a challenge.",
    "AUTH-03",
    refuse=_with(HTTPStatus.UNAUTHORIZED),
    what=_asks("GET"),
)
refuses(
    "ChallengesNobodysPatch",
    "Sends a patch's 401 with an empty challenge.",
    "AUTH-03",
    refuse=_with(HTTPStatus.UNAUTHORIZED, ("WWW-Authenticate", "")),
    what=_asks("PATCH"),
)
refuses(
    "RenamesBeforeItRefuses",
    "Gives an image another name, then refuses with 401.",
    *BOTH,
    refuse=_acting(lambda image: setattr(image, "name", f"{image.name}!")),
    what=_asks("PATCH"),
)
refuses(
    "UnsharesBeforeItRefuses",
    "Removes the members, then refuses with 401.",
    *BOTH,
    refuse=_acting(lambda image: image.members.clear()),
    what=_asks("DELETE", "/members/"),
)


def _takes_ended(self: App, request: Request) -> Caller:
    value = request.headers.get("X-Auth-Token", "")
    token = self.identity._tokens.get(value)  # noqa: SLF001 - behind the honest door
    return Caller(token.user.project.id) if token and request.method == "GET" else App.authenticate(self, request)


faulty(
    "TakesExpiredTokensToRead",
    "Takes tokens that have expired, to read.",
    "AUTH-02",
    words=DOORS,
    authenticate=_takes_ended,
)


# Roles


def _user(app: App, request: Request) -> User:
    return app.identity.validate(request.headers.get("X-Auth-Token")).user


def lets(
    name: str,
    sentence: str,
    *ids: str,
    users: tuple[str, ...],
    what: Whom,
    keep: bool = False,
    profile: str = "quick",
) -> None:
    """Register a service that lets some users do what their roles do not allow; ``keep``: and answers 403."""

    def route(self: App, request: Request) -> Reply:
        if not what(request) or _user(self, request).name not in users:
            return App.route(self, request)
        reply = App.route(self, request.sent_by(Caller(request.caller.project)))
        return self.error(request, HTTPStatus.FORBIDDEN, "No.") if keep else reply

    faulty(name, sentence, *ids, words=ROLES, profile=profile, route=route)


def keeps(
    name: str,
    sentence: str,
    *ids: str,
    users: tuple[str, ...],
    what: Whom,
    refusal: Refusal | None = None,
    signs_in: bool = False,
    profile: str = "quick",
) -> None:
    """Register a service that keeps some users from what their roles allow; ``signs_in``: the project is known."""

    def route(self: App, request: Request) -> Reply:
        if what(request) and _user(self, request).name in users:
            raise refusal or Forbidden("Your role does not allow that.")
        return App.route(self, request)

    faulty(name, sentence, *ids, words=ROLES, profile=profile, route=route, signs_in=signs_in)


_UPDATE, _DELETE = _asks("PATCH"), _asks("DELETE", "/v2/images/", bare=True)
_CHANGES = (
    ("Create", "create images", lambda request: request.method == "POST" and request.path == "/v2/images"),
    ("Update", "update images", _UPDATE),
    ("Share", "share images", _asks("POST", "/members")),
    ("Unshare", "end sharing", _asks("DELETE", "/members/")),
    ("AddTags", "add tags", _asks("PUT", "/tags/")),
    ("DeleteTags", "delete tags", _asks("DELETE", "/tags/")),
    ("Delete", "delete images", _DELETE),
    ("CreateTasks", "create tasks", _asks("POST", "/v2/tasks")),
)
for _word, _words, _change in _CHANGES:
    lets(f"LetsObservers{_word}", f"Lets observers {_words}.", "RBAC-03", users=("reader",), what=_change)
    if _word in ("Update", "Delete"):
        lets(
            f"ForbidsObserversAnd{_word}s",
            f"Forbids observers to {_words}, and does it.",
            "RBAC-03",
            users=("reader",),
            what=_change,
            keep=True,
        )
lets(
    "LetsObserversUpdateByTheOldForm",
    "Lets observers update images by the operations of version 2.0.",
    "RBAC-03",
    users=("reader",),
    what=lambda request: request.method == "PATCH" and "v2.0" in request.media_type,
)
lets(
    "LetsObserversDecide",
    "Lets observers accept for their project what was offered to it.",
    "RBAC-03",
    users=("reader",),
    what=_asks("PUT", "/members/"),
    profile="standard",
)
for _word, _words, _change in _CHANGES:
    if _word in ("Update", "Share", "Delete"):
        lets(
            f"LetsObserversOfAll{_word}",
            f"Lets observers of all products {_words}.",
            "RBAC-05",
            users=("observer",),
            what=_change,
        )
lets("LetsCreatorsDelete", "Lets creators delete images.", "RBAC-02", users=("creator",), what=_DELETE)

_READ = _asks("GET", "/v2/images")
keeps("HidesFromObservers", "Shows observers of images nothing.", "RBAC-03", users=("reader",), what=_READ)
keeps(
    "HidesMembersFromObservers",
    "Forbids observers to list members.",
    "RBAC-03",
    "RBAC-05",
    users=("reader", "observer"),
    what=_asks("GET", "/members"),
)
keeps(
    "HidesFromObserversOfAll", "Forbids observers of all products to read.", "RBAC-05", users=("observer",), what=_READ
)
keeps(
    "HidesTheSchemaOfTasksFromObservers",
    "Forbids observers to read what a list of tasks is like.",
    "RBAC-03",
    "RBAC-05",
    users=("reader", "observer"),
    what=_asks("GET", "/schemas/tasks"),
)
keeps(
    "LosesImagesOfObservers",
    "Answers observers of all products that there is no image.",
    "RBAC-05",
    users=("observer",),
    what=_asks("GET", "/v2/images/", bare=True),
    refusal=NotFound("There is none."),
    signs_in=True,
)
for _party, _requirement, _name in (
    ("images-admin", "RBAC-01", "AdministratorsOfImages"),
    ("account-admin", "RBAC-04", "AdministratorsOfAll"),
    ("two-roles", "RBAC-06", "HoldersOfTwoRoles"),
):
    keeps(
        f"Keeps{_name}FromCreating",
        f"Forbids {_party} to create images.",
        _requirement,
        users=(_party,),
        what=_CHANGES[0][2],
    )
    keeps(
        f"Keeps{_name}FromUpdating", f"Forbids {_party} to update images.", _requirement, users=(_party,), what=_UPDATE
    )
    keeps(
        f"Keeps{_name}FromDeleting", f"Forbids {_party} to delete images.", _requirement, users=(_party,), what=_DELETE
    )
    for _word, (_, _words, _change) in zip(("Sharing", "EndingSharing"), _CHANGES[2:4], strict=True):
        keeps(
            f"Keeps{_name}From{_word}",
            f"Forbids {_party} to {_words}.",
            _requirement,
            users=(_party,),
            what=_change,
            profile="standard",
        )
keeps(
    "KeepsCreatorsFromCreating",
    "Forbids creators to create images.",
    "RBAC-02",
    users=("creator",),
    what=_CHANGES[0][2],
)
keeps("KeepsCreatorsFromUpdating", "Forbids creators to update images.", "RBAC-02", users=("creator",), what=_UPDATE)
keeps(
    "KeepsOwnersFromUpdating",
    "Forbids the account's owner to update images.",
    "RBAC-07",
    users=("tester",),
    what=_UPDATE,
)


# An administrator of the operator's


@breaks(
    "IMG-GET-03",
    "IMG-UPD-21",
    words=(*selecting("IMG-GET-03", "IMG-UPD-21"), "--specification", "cloud-images"),
    profile="standard",
)
class TakesAdministratorsOfAccountsForItsOwn(App):
    """Lets who is an administrator of an account read and change the images of others."""

    def authenticate(self, request: Request) -> Caller:
        caller = super().authenticate(request)
        return replace(caller, admin=True) if ALL_PRODUCTS in _user(self, request).roles else caller


@breaks(words=selecting("IMG-GET-03", "IMG-UPD-21"), profile="standard")
class HasOneKindOfAdministrator(TakesAdministratorsOfAccountsForItsOwn):
    """Lets every administrator read and change all images, as OpenStack does, and nobody calls it the vendor's."""


# A project in the header


class _Trusts(App):
    def authenticate(self, request: Request) -> Caller:
        caller = super().authenticate(request)
        named = request.headers.get("X-Auth-Project-Id")
        return Caller(named, caller.writes, caller.deletes) if named and self.trusted(request) else caller

    def trusted(self, request: Request) -> bool:
        raise NotImplementedError


@breaks("AUTH-22", words=selecting("AUTH-22"))
class TrustsTheProjectInTheHeader(_Trusts):
    """Takes a caller for one of the project that its header names."""

    def trusted(self, request: Request) -> bool:  # noqa: ARG002 - whatever is asked
        return True


@breaks("AUTH-22", words=selecting("AUTH-22"))
class TrustsTheProjectInTheHeaderOfLists(_Trusts):
    """Lists the images of the project that the header of a request names."""

    def trusted(self, request: Request) -> bool:
        return request.path == "/v2/images"


# Lawful


def _hides(self: App, request: Request) -> Reply:
    try:
        return App.route(self, request)
    except Forbidden as problem:
        raise NotFound(str(problem)) from None


faulty("HidesWhatIsForbidden", "Answers 404 to whatever a role does not allow.", words=ROLES, route=_hides)


@breaks(words=ROLES)
class KnowsOneRole(App):
    """Has members alone, who may do everything, and none of the vendor's roles."""

    signs_in = True

    def authenticate(self, request: Request) -> Caller:
        return Caller(super().authenticate(request).project)

    def issue_token(self, request: Request) -> Reply:
        honest = super().issue_token(request)
        told: Any = honest.json()
        told["token"]["roles"] = [{"id": "1", "name": "member"}]
        return Reply.of_json(told, HTTPStatus.CREATED, tuple(f for f in honest.headers if f[0] == "X-Subject-Token"))


ALIKE = selecting("AUTH-01", "AUTH-02", "AUTH-03", "RBAC-03", "RBAC-04", "IMG-STAT-07", "GEN-04")

for _name, _sentence, _fits, _status in (
    ("OffersNoUpdates", "Answers 405 to PATCH", _asks("PATCH"), HTTPStatus.METHOD_NOT_ALLOWED),
    ("ForbidsSharing", "Answers 403 to the addition of a member", _asks("POST", "/members"), HTTPStatus.FORBIDDEN),
    (
        "ChangesNoTagNow",
        "Answers 503 to the addition and the deletion of a tag",
        lambda request: request.method != "GET" and "/tags/" in request.path,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
):

    def _alike(self: App, request: Request, _fits: Whom = _fits, _status: HTTPStatus = _status) -> Reply:
        if not _fits(request):
            return App.answer(self, request)
        refused = _status is HTTPStatus.METHOD_NOT_ALLOWED
        return self.method_not_allowed(request, ["GET"]) if refused else self.error(request, _status, "Not here.")

    faulty(_name, f"{_sentence}, whoever asks.", words=ALIKE, answer=_alike)


# Images that a colleague has created


def _own_alone(self: App, request: Request, image_id: str) -> Reply:
    user = self.identity.validate(request.headers.get("X-Auth-Token")).user
    if user.role is Role.CREATOR and image_id not in self.__dict__.get("created", ()):
        raise NotFound("There is no image of yours.")
    return App.update_image(self, request, image_id)


def _of_creators(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    if self.identity.validate(request.headers.get("X-Auth-Token")).user.role is Role.CREATOR:
        self.__dict__.setdefault("created", set()).add(document["id"])
    return reply


faulty(
    "LetsCreatorsChangeTheirOwn",
    "Answers 404 to a creator's patch of what another of the project has created.",
    "RBAC-02",
    words=selecting("RBAC-02"),
    profile="standard",
    signs_in=True,
    update_image=_own_alone,
    create_image=_of_creators,
)
