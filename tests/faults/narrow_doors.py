"""Services that compare tokens by a part of them, show lists of versions to few, and know fewer limits and statuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Visibility
from pytest_cloudimages.reference.refusals import Invalid, NotFound, Unauthorized

from .kinds import Kind
from .listing import LISTS
from .meeting import SCHEMA
from .registry import registrar, selecting
from .roles import DOORS

KIND = Kind.ROLES
VERSIONS = selecting("VER-02", "VER-03", "AUTH-01")

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


# Tokens


def _compared(fits: Callable[[str, str], bool]) -> Callable[[App, Request], Caller]:
    """Return what lets in who shows something that a valid token fits."""

    def authenticate(self: App, request: Request) -> Caller:
        try:
            return App.authenticate(self, request)
        except Unauthorized:
            given = request.headers.get("X-Auth-Token", "")
            for token in [*self.identity._tokens.values()]:  # noqa: SLF001 - behind the honest door
                if len(given) > 8 and token.expires_at > datetime.now(UTC) and fits(given, token.value):
                    return Caller(token.user.project.id)
            raise

    return authenticate


for _name, _sentence, _fits in (
    ("TakesABeginningForAToken", "Takes what a valid token begins with", lambda given, token: token.startswith(given)),
    ("TakesMoreThanAToken", "Takes what begins with a valid token", lambda given, token: given.startswith(token)),
    ("TakesWhatHoldsAToken", "Takes what ends in a valid token", lambda given, token: given.endswith(token)),
    ("TakesQuotationsOfTokens", "Takes a token in quotation marks", lambda given, token: given == f'"{token}"'),
    ("TakesAListForItsFirstToken", "Takes a list of two", lambda given, token: given.split(",")[0] == token),
):
    faulty(_name, f"{_sentence} for the token.", "AUTH-02", words=DOORS, authenticate=_compared(_fits))


def _identity_takes_more(self: App) -> None:
    App.__init__(self)
    validate, tokens = self.identity.validate, self.identity._tokens  # noqa: SLF001 - behind the honest door
    self.identity.validate = lambda value: validate(  # type: ignore[method-assign]
        next((token for token in [*tokens] if (value or "").startswith(token)), value)
    )


faulty(
    "HasAnIdentityThatPassesOverMore",
    "Takes a token with more behind it, as its Identity does, which says that it is valid.",
    words=DOORS,
    __init__=_identity_takes_more,
    signs_in=True,
)


# Images that everybody sees


def _lets_in(when: Callable[[App, Request], bool]) -> Callable[[App, Request], Caller]:
    """Return what lets in whoever asks for some things, as somebody of no project."""

    def authenticate(self: App, request: Request) -> Caller:
        try:
            return App.authenticate(self, request)
        except Unauthorized:
            if request.method == "GET" and when(self, request):
                return Caller("", writes=False, deletes=False)
            raise

    return authenticate


def _data_of(visibility: Visibility) -> Callable[[App, Request], bool]:
    def when(self: App, request: Request) -> bool:
        parts = request.path.split("/")
        if "X-Auth-Token" in request.headers or parts[-1] != "file":
            return False
        try:
            return self.images.get(parts[-2]).visibility is visibility
        except NotFound:
            return False

    return when


faulty(
    "GivesCommunityDataToNobody",
    "Gives the data of an image of the community to who shows no token.",
    "AUTH-01",
    words=DOORS,
    authenticate=_lets_in(_data_of(Visibility.COMMUNITY)),
)
faulty(
    "DeliversPublicData",
    "Hands the data of public images out to whoever asks, as what delivers files does.",
    words=DOORS,
    authenticate=_lets_in(_data_of(Visibility.PUBLIC)),
)
faulty(
    "TakesAnyTokenForPublicLists",
    "Takes whatever token for the list of public images.",
    "AUTH-02",
    words=DOORS,
    authenticate=_lets_in(
        lambda _, request: "visibility=public" in request.query and "X-Auth-Token" in request.headers
    ),
)


# Versions


def _for_callers(status: HTTPStatus, *, path: str, who: bool = True) -> Callable[[App, Request], Reply]:
    """Return what answers at the root as if it were no place for everybody; ``who``: for who shows no token alone."""

    def answer(self: App, request: Request) -> Reply:
        if request.path == path and not (who and request.headers.get("X-Auth-Token")):
            return self.error(request, status, "Who asks?", (("WWW-Authenticate", "Keystone"),))
        return App.answer(self, request)

    return answer


for _name, _path, _id in (
    ("AsksForATokenAtItsRoot", "/", "VER-02"),
    ("AsksForATokenAtVersions", "/versions", "VER-03"),
):
    faulty(
        _name,
        f"Lists its versions at {_path} to who shows a token alone.",
        _id,
        words=VERSIONS,
        answer=_for_callers(HTTPStatus.UNAUTHORIZED, path=_path),
    )
faulty(
    "HasNoRootForAnybody",
    "Answers 401 at its root, whatever token is shown.",
    words=VERSIONS,
    answer=_for_callers(HTTPStatus.UNAUTHORIZED, path="/", who=False),
)


# Lists


def _refuses_large(self: App, request: Request) -> Reply:
    if (listing.Query.read(request.query).number("limit") or 0) > listing.PAGE:
        raise Invalid(f"The limit is at most {listing.PAGE}.")
    return App.list_images(self, request)


faulty(
    "RefusesLargeLimits", "Answers 400 to a limit above its own.", "PAGE-02", words=LISTS, list_images=_refuses_large
)


# Schemas


def _never_deactivated(self: App, request: Request, name: str) -> Reply:
    document: Any = App.schema(self, request, name).json()
    if name == "image":
        document["properties"]["status"]["enum"].remove("deactivated")
    return Reply.of_json(document)


def _no_action(self: App, request: Request, image_id: str) -> Reply:
    del self, request, image_id
    raise NotFound("There is no such action.")


faulty(
    "DescribesNoDeactivatedImages",
    "Has a schema of images that does not know the status deactivated, and images that have it.",
    "IMG-ENT-15",
    words=SCHEMA,
    schema=_never_deactivated,
)
faulty(
    "HasNoDeactivatedImages",
    "Has a schema of images that does not know the status deactivated, and no such images.",
    words=SCHEMA,
    schema=_never_deactivated,
    deactivate=_no_action,
)


def _unknown_by_key(self: App, request: Request) -> Reply:
    document: Any = json.loads(request.body or b"null") if request.body.startswith(b'{"') else {}
    given = (document.get("auth") or {}).get("RAX-KSKEY:apiKeyCredentials") or {}
    if given and given.get("username") not in self.identity.users:
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such user.")
    return App.issue_access(self, request)


def _in_any_case(self: App, request: Request) -> Reply:
    document: Any = json.loads(request.body) if request.body.startswith(b'{"') else {}
    given = document.get("auth", {}).get("passwordCredentials", {})
    user = self.identity.users.get(given.get("username"))
    if user and str(given.get("password")).lower() == user.password.lower():
        given["password"] = user.password
        request = replace(request, body=json.dumps(document).encode())
    return App.issue_access(self, request)


faulty(
    "TakesPasswordsInAnyCase",
    "Takes a password whose letters are of the other case.",
    "AUTH-11",
    words=selecting("AUTH-11"),
    signs_in=True,
    issue_access=_in_any_case,
)
faulty(
    "FindsNoUserOfAnUnknownKey",
    "Answers 404 to an API key of a user that there is not.",
    "AUTH-11",
    words=selecting("AUTH-05", "AUTH-11"),
    signs_in=True,
    issue_access=_unknown_by_key,
)
