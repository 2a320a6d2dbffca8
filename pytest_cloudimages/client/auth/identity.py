"""Identity itself, asked request by request: what is sent to sign in, and where it goes."""

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth.keystone import Account
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.transport import Transport

VERSION = re.compile(r"/v[23](\.\d+)?$")
WHO = "who signs in"


@dataclass(frozen=True)
class Door:
    """How an Identity service is asked, and what the tester signs in with. Nothing shows what that is."""

    root: str
    """The address of Identity without a version."""
    named_v2: bool
    """Whether the tester named its version 2.0."""
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    auth: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_key: str = field(default="", repr=False)
    no_lockout: bool = False
    """Whether a wrong password of the tester's own user does no harm."""

    def client(self, other: ImagesClient) -> ImagesClient:
        """Return a client of Identity, which keeps to the pace and the limits of another one."""
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.root))
        transport = Transport(
            origin, timeout=other.transport.timeout, verify=self.verify, cert=self.cert, most=other.transport.most
        )
        transport.way = other.transport.way
        return ImagesClient(self.root, transport, other.recorder, lambda: None, WHO)

    @property
    def in_default_domain(self) -> bool:
        """Whether the user is of the domain that Identity v2.0 knows, as far as the settings say."""
        named = {str(self.auth.get(f"user_domain_{key}") or "default").lower() for key in ("id", "name")}
        return named == {"default"}

    def by_password(self, password: str = "") -> dict[str, str] | None:
        """Return what version 2.0 takes of a user and its password, or another; ``None`` where none is known."""
        user, known = self.auth.get("username"), self.auth.get("password")
        return {"username": str(user), "password": password or str(known)} if user and known else None

    def by_api_key(self) -> dict[str, str] | None:
        """Return what version 2.0 takes of a user and its API key; ``None`` where none is known."""
        user = self.auth.get("username")
        return {"username": str(user), "apiKey": self.api_key} if user and self.api_key else None

    def of_v3(self, project: str | None) -> dict[str, Any] | None:
        """Return the body by which version 3 is asked for a token; ``None`` where nothing is known that it takes."""
        identity = self._password_of_v3() or self._application_credential()
        if identity is None:
            return None
        bound = "application_credential" in identity or not project
        return {
            "auth": {"identity": identity} if bound else {"identity": identity, "scope": {"project": {"id": project}}}
        }

    def _password_of_v3(self) -> dict[str, Any] | None:
        auth = self.auth
        if not auth.get("password") or not (auth.get("user_id") or auth.get("username")):
            return None
        domain = {key: auth[f"user_domain_{key}"] for key in ("id", "name") if auth.get(f"user_domain_{key}")}
        user = {"id": auth["user_id"]} if auth.get("user_id") else {"name": auth["username"], "domain": domain}
        return {"methods": ["password"], "password": {"user": user | {"password": auth["password"]}}}

    def _application_credential(self) -> dict[str, Any] | None:
        identifier = self.auth.get("application_credential_id")
        secret = self.auth.get("application_credential_secret")
        if not identifier or not secret:
            return None
        return {"methods": ["application_credential"], "application_credential": {"id": identifier, "secret": secret}}


def door_of(account: Account) -> Door | None:
    """Return how the Identity of an account is asked; ``None`` where it asks none."""
    if not account.identity:
        return None
    address = account.identity.rstrip("/")
    auth = dict(account.regions[0].config["auth"])
    SECRETS.keep(account.api_key)
    return Door(
        VERSION.sub("", address),
        address.endswith("/v2.0"),
        account.verify,
        account.cert,
        auth,
        account.api_key,
        account.no_lockout,
    )


def told(answer: Answer, origin: str) -> Answer:
    """Return an answer whose exchange shows nothing of who signed in, and where it was asked, if that is elsewhere."""
    exchange = answer.exchange
    body = f"({len(exchange.body)} octets that sign in)".encode() if exchange.body else b""
    return replace(answer, exchange=replace(exchange, body=body, target=f"{origin}{exchange.target}"))
