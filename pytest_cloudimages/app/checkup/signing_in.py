"""Identity: whether it is one, its clock, a token, and the image service in its catalogue."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from pytest_cloudimages.app.checkup.lines import Line, Lines, Topic, in_two
from pytest_cloudimages.client.answers import brief
from pytest_cloudimages.client.auth.credentials import Named, Service
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.moments import moment_of_header
from pytest_cloudimages.client.reachability import origin_of, why_no_tls
from pytest_cloudimages.client.versions import is_identity, version_ids
from pytest_cloudimages.spec.verdicts import Blocked

AUTH_URL = "auth_url (OS_AUTH_URL)"
CLOCK_NOTED, CLOCK_WRONG = 5, 120
"""Seconds between two clocks that are worth a note, and that make tokens and certificates seem ended or to come."""
READING_ONLY = frozenset({"reader", "audit", "auditor", "observer", "viewer"})


@dataclass
class SigningIn:
    """What Identity gives for the tester's credentials."""

    named: Named
    service: Service | None = None
    """The service, once it is known where it is."""

    def root(self) -> Lines:
        """Yield what the address of Identity answers, and what time it is there."""
        account = self.named.account
        topic = Topic("Identity", f"GET {account.identity}")
        try:
            answer = account.look()
        except ConfigurationError as problem:
            yield topic.mistaken(*in_two(str(problem)))
            return
        except (requests.RequestException, ValueError) as problem:
            if found := why_no_tls(problem):
                yield topic.broken(*found)
            else:
                yield no_http(topic, account.identity, AUTH_URL, brief(problem), account.timeout)
            return
        if answer.status_code == 400 and speaks_tls(account.identity, account.timeout):  # noqa: PLR2004 - as HTTP has it
            yield no_http(topic, account.identity, AUTH_URL, "400", account.timeout)
            return
        data = None
        with suppress(ValueError, RecursionError):
            data = answer.json()
        if is_identity(data):
            yield topic.fine(f"{answer.status_code}, an Identity service, versions {', '.join(version_ids(data))}")
        else:
            kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
            hint = f"Is {AUTH_URL} the root of Identity or its /v3? Signing in will tell."
            yield topic.noted(f"{answer.status_code}, {kind}, which lists no versions of Identity", hint)
        yield from clock("Identity clock", answer.headers)

    def token(self) -> Lines:
        """Yield how signing in goes."""
        account = self.named.account
        if not account.identity:
            yield Topic("token", "sign in").untried(f"no Identity service is asked: {account.how}")
            return
        topic = Topic("token", account.how)
        try:
            account.sign_in()
            access = account.access()
        except ConfigurationError as problem:
            yield topic.mistaken(*in_two(str(problem)))
        except Blocked as problem:
            yield topic.broken(*in_two(str(problem)))
        else:
            yield _described(topic, access)

    def catalogue(self) -> Lines:
        """Yield where the image service is, as the tester says or the catalogue does."""
        account = self.named.account
        try:
            self.service = self.named.service()
            if self.named.address or account.fixed or not account.identity:
                yield Topic("catalogue", "where the service is").untried(f"{self.service.endpoint}: it was said where")
                return
            topic = Topic("catalogue", "the image service in the catalogue")
            matching, offered = account.candidates(self.named.region), account.offered()
        except ConfigurationError as problem:
            yield Topic("catalogue", "where the service is").mistaken(*in_two(str(problem)))
            return
        except Blocked as problem:
            yield Topic("catalogue", "where the service is").broken(*in_two(str(problem)))
            return
        region = f", region {self.service.region}" if self.service.region else ""
        came = f"{self.service.endpoint}{region} (endpoints it has: {len(offered)})"
        first = matching[0]
        if origin_of(first.url) != origin_of(self.service.endpoint):
            advice = "The second is used. Have the first taken out of the catalogue, or its server mended."
            yield topic.noted(f"{came}; its first endpoint, {first.url}, takes no connection", advice)
        else:
            yield topic.fine(came)

    def other_endpoints(self) -> Lines:
        """Yield the endpoints of the catalogue that take connections, where the service's own does not."""
        account = self.named.account
        if self.service is None or self.named.address or account.fixed or not account.identity:
            return
        dead = origin_of(self.service.endpoint)
        topic = Topic("other endpoints", "connect to what else the catalogue has")
        others = [endpoint for endpoint in account.offered() if origin_of(endpoint.url) != dead]
        alive = [endpoint for endpoint in others if endpoint.answers(account.timeout)]
        if alive:
            ways = " or ".join(
                f"OS_REGION_NAME={endpoint.region} OS_INTERFACE={endpoint.interface}" for endpoint in alive
            )
            came = f"connected to {', '.join(map(str, alive))}"
            yield topic.noted(came, f"To judge that instead: {ways}.")
        elif others:
            yield topic.noted(f"none of {len(others)} takes a connection", "The whole cloud may be down.")


def _described(topic: Topic, access: Any) -> Line:
    """Return the line that says what a token is good for."""
    roles = sorted(map(str, access.role_names or ()))
    left = (access.expires - datetime.now(UTC)).total_seconds() if access.expires else None
    until = f", valid until {access.expires:%Y-%m-%d %H:%M} UTC" if access.expires else ""
    if not access.project_id:
        advice = "Name one in OS_PROJECT_NAME, with OS_PROJECT_DOMAIN_NAME."
        return topic.noted(f"a token for no project{until}", advice)
    project = f"{access.project_name} ({access.project_id})" if access.project_name else access.project_id
    came = f"a token for project {project}, roles {', '.join(roles) or 'not told'}{until}"
    if left is not None and left <= 0:
        advice = "Set the clock of this computer: every request would ask for a new token."
        return topic.noted(f"{came}, which is over by the clock of this computer", advice)
    if roles and {role.lower() for role in roles} <= READING_ONLY:
        advice = "It may read only: ask for the role member, or lend an image whose tags this user may change."
        return topic.noted(came, advice)
    return topic.fine(came)


def clock(name: str, headers: Mapping[str, str]) -> Lines:
    """Yield how the clock of a server differs from this computer's, where its answers tell the time."""
    topic = Topic(name, "the Date of its answer")
    told = moment_of_header(headers.get("Date"))
    if not told:
        yield topic.noted("none, or none that can be read", "A service should send it (RFC 9110, 6.6.1).")
        return
    ahead = round((datetime.now(UTC) - told).total_seconds())
    behind = f"{_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} it"
    if abs(ahead) > CLOCK_WRONG:
        advice = "Set the clock that is wrong (NTP): tokens and certificates seem ended, or not yet valid."
        yield topic.partly(f"the clock of this computer is {behind}", advice)
    elif abs(ahead) > CLOCK_NOTED:
        yield topic.noted(f"the clock of this computer is {behind}")
    else:
        yield topic.fine("both clocks agree")


def _span(seconds: int) -> str:
    if seconds >= 3600:  # noqa: PLR2004 - an hour
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds} s"


def no_http(topic: Topic, url: str, setting: str, why: str, timeout: float) -> Line:
    """Return the line of a server that takes connections and answers no HTTP."""
    if speaks_tls(url, timeout):
        return topic.broken(f"{why}: it is TLS that is spoken there", f"Write https:// in {setting}.")
    return topic.broken(f"no answer: {why}", f"Is it HTTP that is spoken there? See {setting}, and the server's log.")


def speaks_tls(url: str, timeout: float) -> bool:
    """Return whether an address that was written with http:// is one of TLS."""
    origin = origin_of(url)
    return not origin.secure and origin.certificate(timeout) is not None
