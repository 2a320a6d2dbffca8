"""Services whose Identity lets in whom it should not, or says something else to who signs in."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound, Refusal, Unauthorized

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.SIGN_IN
IDENTITY = selecting(*(f"AUTH-{number:02}" for number in (*range(4, 16), 17, 18, 19, 24)))
"""What is asked of Identity itself."""
Access = dict[str, Any]


faulty = registrar(__name__, words=IDENTITY, signs_in=True)
"""Registers a service that has some operations of its own."""


def says(
    name: str,
    sentence: str,
    *ids: str,
    change: Callable[[Access], object],
    status: int = HTTPStatus.OK,
) -> None:
    """Register a service whose Identity v2.0 says something else to who has signed in."""

    def issue_access(self: App, request: Request) -> Reply:
        document: Any = App.issue_access(self, request).json()
        change(document["access"])
        return Reply.of_json(document, status)

    faulty(name, sentence, *ids, issue_access=issue_access)


def _of_the_images(access: Access) -> Access:
    (entry,) = (entry for entry in access["serviceCatalog"] if entry["type"] == "image")
    return entry  # type: ignore[no-any-return]  # it is JSON


def _endpoint(access: Access) -> Access:
    return _of_the_images(access)["endpoints"][0]  # type: ignore[no-any-return]  # it is JSON


says(
    "SignsInBy201",
    "Answers 201 to who signs in.",
    "AUTH-04",
    "AUTH-05",
    "AUTH-06",
    change=lambda _: None,
    status=HTTPStatus.CREATED,
)
says(
    "ListsNoServices",
    "Gives a token without a catalogue.",
    "AUTH-07",
    "AUTH-17",
    change=lambda access: access.pop("serviceCatalog"),
)
says("NamesNoUser", "Gives a token without saying whose it is.", "AUTH-07", change=lambda access: access.pop("user"))
says(
    "GivesNoRoles",
    "Says nothing of the roles of a user.",
    "AUTH-07",
    change=lambda access: access["user"].pop("roles"),
)
says(
    "NamesNoTenant",
    "Leaves the tenant's name out of a token.",
    "AUTH-08",
    "AUTH-09",
    change=lambda access: access["token"]["tenant"].pop("name"),
)
says(
    "ForgetsTheTenant",
    "Leaves the tenant out of a token.",
    "AUTH-08",
    change=lambda access: access["token"].pop("tenant"),
)
says(
    "NamesTenantsInWords",
    "Names the tenant in words, not by the number of the account.",
    "AUTH-09",
    change=lambda access: access["token"]["tenant"].update(name="The Account"),
)
says(
    "NeverSaysWhenTokensEnd",
    "Does not say when a token ends.",
    "AUTH-07",
    "AUTH-08",
    "AUTH-12",
    change=lambda access: access["token"].pop("expires"),
)
says(
    "SaysWhenTokensEndInWords",
    "Says in words when a token ends.",
    "AUTH-07",
    "AUTH-12",
    change=lambda access: access["token"].update(expires="tomorrow"),
)
says(
    "GivesTokensThatHaveEnded",
    "Says that a new token has ended.",
    "AUTH-12",
    change=lambda access: access["token"].update(expires=_in(-1)),
)
says(
    "GivesTokensForAWeek",
    "Says that a token lives a week.",
    "AUTH-12",
    change=lambda access: access["token"].update(expires=_in(7 * 24)),
)
says(
    "GivesTokensForASecond",
    "Says that a new token lives for a second.",
    "AUTH-12",
    change=lambda access: access["token"].update(expires=_in(1 / 3600)),
)
says(
    "SignsInToAnotherTenant",
    "Gives a token for another tenant than it was asked for.",
    "AUTH-08",
    change=lambda access: access["token"].update(tenant={"id": "918273", "name": "918273"}),
)
says(
    "CallsTheTypeByTheName",
    "Calls the type of the image service cloudImages.",
    "AUTH-17",
    "AUTH-18",
    change=lambda access: _of_the_images(access).update(type="cloudImages"),
)
says(
    "ListsTwoOfOtherNames",
    "Lists two image services, neither of which is named cloudImages.",
    "AUTH-17",
    change=lambda access: (
        access["serviceCatalog"].append({**_of_the_images(access), "name": "second"}),
        access["serviceCatalog"][0].update(name="first"),
    ),
)
for _member in ("publicURL", "region", "tenantId"):
    says(
        f"ListsNo{_member[0].upper()}{_member[1:]}",
        f"Leaves {_member} out of the endpoints of the catalogue.",
        "AUTH-18",
        change=lambda access, member=_member: _endpoint(access).pop(member),  # type: ignore[misc]  # bound now
    )
says(
    "PutsTheTenantIntoTheAddress",
    "Ends the addresses of the catalogue in the tenant's id.",
    "AUTH-18",
    change=lambda access: _endpoint(access).update(
        publicURL=f"{_endpoint(access)['publicURL']}/{_endpoint(access)['tenantId']}"
    ),
)
says(
    "LeavesTheVersionOut",
    "Lists addresses that do not end in /v2.",
    "AUTH-18",
    change=lambda access: _endpoint(access).update(publicURL=_endpoint(access)["publicURL"].removesuffix("/v2")),
)


def _published(region: str, host: str) -> Callable[[Access], object]:
    def change(access: Access) -> None:
        further = {"publicURL": f"https://{host}.images.api.rackspacecloud.com/v2", "region": region}
        _of_the_images(access)["endpoints"].append(_endpoint(access) | further)

    return change


says("LeadsToAnotherRegion", "Lists the host of IAD for DFW.", "AUTH-19", change=_published("DFW", "iad"))
says("LeadsToEveryRegion", "Lists the published hosts beside its own.", change=_published("DFW", "dfw"))


def _in(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# Whom it lets in


def _signs(request: Request) -> Access:
    try:
        return dict(json.loads(request.body)["auth"])
    except (ValueError, KeyError, TypeError):
        return {}


def _kind(request: Request) -> str:
    return next((name for name in _signs(request) if "redentials" in name), "")


def refuses(name: str, sentence: str, *ids: str, kind: str, refusal: type[Refusal] = Unauthorized) -> None:
    """Register a service whose Identity v2.0 does not take one kind of credentials."""

    def issue_access(self: App, request: Request) -> Reply:
        if _kind(request) == kind:
            raise refusal("Not like that.")
        return App.issue_access(self, request)

    faulty(name, sentence, *ids, issue_access=issue_access)


refuses("TakesNoApiKeys", "Refuses API keys.", "AUTH-05", kind="RAX-KSKEY:apiKeyCredentials", refusal=Invalid)
refuses("TakesNoPasswords", "Refuses passwords.", "AUTH-06", kind="passwordCredentials")


def forgives(name: str, sentence: str, *ids: str, where: Callable[[Access], bool], profile: str = "quick") -> None:
    """Register a service whose Identity v2.0 lets in whom it should refuse."""

    def issue_access(self: App, request: Request) -> Reply:
        try:
            return App.issue_access(self, request)
        except Refusal:
            if not where(_signs(request)):
                raise
            honest = self.identity.users["tester"]
            body = {"auth": {"passwordCredentials": {"username": honest.name, "password": honest.password}}}
            return App.issue_access(self, Request(request.method, request.target, body=json.dumps(body).encode()))

    faulty(name, sentence, *ids, profile=profile, issue_access=issue_access)


def _of_the_tester(credentials: str) -> Callable[[Access], bool]:
    return lambda auth: dict(auth.get(credentials, {})).get("username") == "tester" and "tenantName" not in auth


forgives(
    "LetsUnknownUsersIn",
    "Lets in users that there are not.",
    "AUTH-11",
    where=lambda auth: str(dict(auth.get("passwordCredentials", {})).get("username")).startswith("cloudimages-"),
)
forgives("TakesAnyPassword", "Takes any password.", "AUTH-11", where=_of_the_tester("passwordCredentials"))
forgives("TakesAnyApiKey", "Takes any API key.", "AUTH-11", where=_of_the_tester("RAX-KSKEY:apiKeyCredentials"))
forgives(
    "TakesATenantTwice", "Takes a tenant's id and name together.", "AUTH-15", where=lambda auth: "tenantName" in auth
)
forgives(
    "TakesATenantTwiceForAnApiKey",
    "Takes a tenant's id and name together from who has an API key.",
    "AUTH-15",
    where=lambda auth: "tenantName" in auth and "RAX-KSKEY:apiKeyCredentials" in auth,
    profile="standard",
)
forgives("TakesWhatIsNoJson", "Gives a token for a body that is no JSON.", "AUTH-10", where=lambda auth: not auth)


def _key_for_a_password(self: App, request: Request) -> Reply:
    auth = _signs(request)
    given, tester = dict(auth.get("passwordCredentials", {})), self.identity.users["tester"]
    if (given.get("username"), given.get("password")) == (tester.name, tester.api_key):
        auth["passwordCredentials"]["password"] = tester.password
        return App.issue_access(self, replace(request, body=json.dumps({"auth": auth}).encode()))
    return App.issue_access(self, request)


faulty(
    "TakesAKeyForAPassword",
    "Takes the API key of a user for its password.",
    "AUTH-11",
    profile="standard",
    issue_access=_key_for_a_password,
)


def alone(name: str, sentence: str, *ids: str, change: Callable[[Access], object]) -> None:
    """Register a service that says something else to who names no tenant beside an API key."""

    def issue_access(self: App, request: Request) -> Reply:
        reply = App.issue_access(self, request)
        if _kind(request) != "RAX-KSKEY:apiKeyCredentials" or "tenantId" in _signs(request):
            return reply
        document: Any = reply.json()
        change(document["access"])
        return Reply.of_json(document)

    faulty(name, sentence, *ids, profile="standard", issue_access=issue_access)


def _refuse(_: Access) -> None:
    raise Invalid("A tenant is missing.")


alone("TakesNoKeysAlone", "Refuses an API key without a tenant.", "AUTH-05", change=_refuse)
alone(
    "ListsNoRegionsUnasked",
    "Leaves the regions out of the catalogue where no tenant is named.",
    "AUTH-18",
    change=lambda access: _endpoint(access).pop("region"),
)
alone(
    "NamesNoTenantUnasked",
    "Leaves the tenant's name out of a token where no tenant is named.",
    "AUTH-08",
    change=lambda access: access["token"]["tenant"].pop("name"),
)
alone(
    "ListsNoServicesUnasked",
    "Gives a token for no tenant where none is named.",
    change=lambda access: (access["token"].pop("tenant"), access["serviceCatalog"].clear()),
)


def answers(name: str, sentence: str, *ids: str, refusal: type[Refusal], status: HTTPStatus) -> None:
    """Register a service whose Identity v2.0 refuses in another way."""

    def issue_access(self: App, request: Request) -> Reply:
        try:
            return App.issue_access(self, request)
        except refusal:
            return self.error(request, status, "No.")

    faulty(name, sentence, *ids, issue_access=issue_access)


answers(
    "ForbidsWrongCredentials",
    "Answers 403 to wrong credentials.",
    "AUTH-11",
    refusal=Unauthorized,
    status=HTTPStatus.FORBIDDEN,
)
answers(
    "KnowsNoWrongCredentials",
    "Answers 404 to wrong credentials.",
    "AUTH-11",
    refusal=Unauthorized,
    status=HTTPStatus.NOT_FOUND,
)
answers(
    "TakesBadBodiesForStrangers",
    "Answers 401 to what it cannot read.",
    "AUTH-10",
    "AUTH-15",
    refusal=Invalid,
    status=HTTPStatus.UNAUTHORIZED,
)
answers(
    "FailsOnBadBodies",
    "Fails at what it cannot read.",
    "AUTH-10",
    "AUTH-15",
    refusal=Invalid,
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
)


def _dead_at_second(self: App, request: Request) -> Reply:
    document: Any = App.issue_access(self, request).json()
    issued = vars(self).setdefault("issued", [])
    issued.append(document["access"]["token"]["id"])
    if len(issued) > 1 and _kind(request) == "passwordCredentials":
        self.identity.revoke(issued[-1])
    return Reply.of_json(document)


faulty(
    "GivesADeadTokenAgain",
    "Gives tokens that open nothing, but for the first.",
    "AUTH-13",
    issue_access=_dead_at_second,
)


def v3(name: str, sentence: str, change: Callable[[Access], object], status: int = HTTPStatus.CREATED) -> None:
    """Register a service whose Identity v3 says something else to who has signed in."""

    def issue_token(self: App, request: Request) -> Reply:
        reply = App.issue_token(self, request)
        document: Any = reply.json()
        change(document["token"])
        subject = tuple(field for field in reply.headers if field[0] == "X-Subject-Token")
        return Reply.of_json(document, status, subject)

    faulty(name, sentence, "AUTH-24", issue_token=issue_token)


v3("IssuesTokensBy200", "Answers 200 to who signs in to version 3.", lambda _: None, HTTPStatus.OK)
v3("SaysNotHowAUserSignedIn", "Does not say how a user of version 3 has signed in.", lambda token: token.pop("methods"))


def _issued_again(self: App, request: Request) -> Reply:
    reply = App.issue_token(self, request)
    document: Any = reply.json()
    if b'"methods": ["token"]' in request.body:
        kept = [entry for entry in document["token"]["catalog"] if entry["type"] != "image"]
        document["token"]["catalog"] = kept
    return Reply(reply.status, Reply.of_json(document).body, reply.headers)


faulty(
    "NamesNoImagesToWhoComesWithAToken",
    "Leaves the image service out of the catalogue of a token of version 3 that is issued for another.",
    "AUTH-24",
    profile="standard",
    issue_token=_issued_again,
)


# Lawful


def _as_keystone_had_it(access: Access) -> None:
    access["token"]["tenant"]["name"] = "demo"
    for entry in access["serviceCatalog"]:
        entry["name"] = {"image": "glance"}.get(entry["type"], "keystone")
        for endpoint in entry["endpoints"]:
            del endpoint["tenantId"]
            endpoint["publicURL"] = endpoint["publicURL"].removesuffix("/v2")


says("SignsInAsKeystoneDid", "Has a catalogue as Keystone's version 2.0 had it.", change=_as_keystone_had_it)
says(
    "GivesTokensForAnHour",
    "Says that a token lives an hour.",
    change=lambda access: access["token"].update(expires=_in(1)),
)


def _known(self: App, request: Request) -> Reply:
    kept: dict[bytes, Reply] = vars(self).setdefault("kept", {})
    held: Any = kept[request.body].json() if request.body in kept else None
    tokens = self.identity._tokens  # noqa: SLF001 - one that was revoked is in use no more
    if held is None or held["access"]["token"]["id"] not in tokens:
        kept[request.body] = App.issue_access(self, request)
    return kept[request.body]


faulty(
    "HandsOutTheSameToken",
    "Hands out the token in use again, as long as it is valid.",
    profile="standard",
    issue_access=_known,
)


def _no_version_2(self: App, request: Request) -> Reply:
    if "/v2.0" in request.path:
        raise NotFound("There is version 3 alone.")
    return App.route(self, request)


faulty("KnowsVersion3Alone", "Has no Identity v2.0.", route=_no_version_2)


def _forbids(self: App, request: Request) -> Reply:
    if "/v2.0" in request.path:
        raise Forbidden("Version 2.0 is closed.")
    return App.route(self, request)


faulty("ClosesVersion2", "Answers 403 to all of Identity v2.0.", route=_forbids)
refuses(
    "WasToldTheKeyOfAnother", "Answers 401 to an API key that is another user's.", kind="RAX-KSKEY:apiKeyCredentials"
)


def _ends_a_session(self: App, request: Request) -> Reply:
    reply = App.revoke_access(self, request)
    self.__dict__["ended"] = True
    return reply


def _born_ended(self: App, request: Request) -> Reply:
    reply = App.issue_access(self, request)
    if self.__dict__.get("ended"):
        document: Any = reply.json()
        self.identity.revoke(document["access"]["token"]["id"])
    return reply


faulty(
    "IssuesEndedTokensAfterOneWasRevoked",
    "Issues tokens that are not valid to a user who has revoked one.",
    "AUTH-13",
    profile="standard",
    revoke_access=_ends_a_session,
    issue_access=_born_ended,
)


# What another token, or another tenant, leaves behind


def _ends_what_a_key_gave(self: App, request: Request) -> Reply:
    token = self.identity.validate(request.headers.get("X-Auth-Token"))
    reply = App.revoke_access(self, request)
    self.__dict__["key_ended"] = "apikey" in token.methods
    return reply


def _of_an_ended_key(self: App, request: Request) -> Reply:
    reply = App.issue_access(self, request)
    document: Any = reply.json()
    given = document["access"]["token"]
    if self.__dict__.get("key_ended") and "APIKEY" in given["RAX-AUTH:authenticatedBy"]:
        self.identity.revoke(given["id"])
    return reply


faulty(
    "EndsAKeyWithItsToken",
    "Issues tokens that are not valid for an API key, once one of them was revoked.",
    "AUTH-13",
    profile="standard",
    revoke_access=_ends_what_a_key_gave,
    issue_access=_of_an_ended_key,
)


def _endpoints_of(self: App, request: Request, tenant: Callable[[str], str]) -> Reply:
    """Answer who signs in with endpoints of the image service that are said to be of another tenant."""
    document: Any = App.issue_access(self, request).json()
    access = document["access"]
    _endpoint(access)["tenantId"] = tenant(access["token"]["tenant"]["id"])
    return Reply.of_json(document)


def _tenant_before(self: App, request: Request) -> Reply:
    def before(own: str) -> str:
        earlier = self.__dict__.get("tenant", own)
        self.__dict__["tenant"] = own
        return str(earlier)

    return _endpoints_of(self, request, before)


faulty(
    "KeepsTheTenantOfTheLastCatalogue",
    "Shows who signs in an endpoint of the tenant that has signed in before.",
    "AUTH-18",
    profile="standard",
    issue_access=_tenant_before,
)
faulty(
    "NamesItsOwnTenantInEndpoints",
    "Has one endpoint for all, with a tenant of its own.",
    profile="standard",
    issue_access=lambda self, request: _endpoints_of(self, request, lambda _: "all-accounts"),
)


def _current_of_a_key(self: App, request: Request) -> Reply:
    reply = App.issue_access(self, request)
    document: Any = reply.json()
    given = document["access"]["token"]
    if "APIKEY" in given["RAX-AUTH:authenticatedBy"]:
        known = self.__dict__.get("current")
        with suppress(Refusal):
            self.identity.validate(known)
            self.identity.revoke(given["id"])
            given["id"] = known
        self.__dict__["current"] = given["id"]
    return Reply.of_json(document)


faulty(
    "HandsOutTheTokenOfAKey",
    "Hands out the token of an API key again as long as it is valid.",
    profile="standard",
    issue_access=_current_of_a_key,
)
