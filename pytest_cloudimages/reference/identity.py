"""The rules of the identity service: users, projects and tokens. No HTTP.

Source: Keystone's Identity API v3, as far as a password or a token gets a token for a project.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock
from uuid import uuid4

from .refusals import Invalid, Unauthorized

LIFETIME = timedelta(hours=1)  # of a token, Keystone's default
DOMAIN = {"id": "default", "name": "Default"}


class Role(StrEnum):
    """What a user may do in a project."""

    READER = "reader"
    CREATOR = "creator"
    MEMBER = "member"
    ADMIN = "admin"


PEOPLE = (
    ("tester", "cloudimages", Role.MEMBER),
    ("reader", "cloudimages", Role.READER),
    ("creator", "cloudimages", Role.CREATOR),
    ("other", "other", Role.MEMBER),
    ("admin", "cloudimages", Role.ADMIN),
)
"""The users as (user, project, role)."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project, OpenStack's tenant."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """A user with one role in one project."""

    id: str
    name: str
    password: str
    project: Project
    role: Role

    def __repr__(self) -> str:
        return f"<User {self.name}: {self.role} of {self.project.name}>"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: proof that a user has authenticated, valid until it expires."""

    value: str
    user: User
    methods: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    scoped: bool = True
    """Whether it is for the user's project, and not for no project at all."""

    def __repr__(self) -> str:
        return f"<Token of {self.user.name} until {self.expires_at}>"


class Identity:
    """Users, projects and tokens; passwords that are not given are random."""

    def __init__(self, passwords: Mapping[str, str] | None = None, lifetime: timedelta = LIFETIME) -> None:
        given = passwords or {}
        self.lifetime = lifetime
        self.projects = {name: Project(uuid4().hex, name) for name in dict.fromkeys(row[1] for row in PEOPLE)}
        self.users = {
            name: User(uuid4().hex, name, given.get(name) or secrets.token_urlsafe(16), self.projects[project], role)
            for name, project, role in PEOPLE
        }
        self._tokens: dict[str, Token] = {}
        self._lock = Lock()

    def issue(
        self,
        user: str,
        lifetime: timedelta | None = None,
        methods: tuple[str, ...] = ("password",),
        *,
        scoped: bool = True,
    ) -> Token:
        """Return a new token for a user, by name; with a negative lifetime, one that has expired."""
        issued_at = datetime.now(UTC)
        expires_at = issued_at + (self.lifetime if lifetime is None else lifetime)
        token = Token(secrets.token_urlsafe(32), self.users[user], methods, issued_at, expires_at, scoped)
        with self._lock:
            self._tokens[token.value] = token
        return token

    def validate(self, value: str | None) -> Token:
        """Return the token of this value, or raise Unauthorized if it is unknown, revoked or expired."""
        token = self._tokens.get(value or "")
        if token is None or token.expires_at <= datetime.now(UTC):
            raise Unauthorized("The request you have made requires authentication.")
        return token

    def revoke(self, value: str) -> None:
        """Revoke a token."""
        with self._lock:
            self._tokens.pop(value, None)

    def authenticate(self, document: object) -> Token:
        """Return a new token for the parsed body of POST /v3/auth/tokens.

        Raises Invalid when the document does not say who asks, Unauthorized when it does not prove it.
        """
        auth = _object(_object(document, "body").get("auth"), "auth")
        identity = _object(auth.get("identity"), "auth.identity")
        match identity.get("methods"):
            case ["password"]:
                user = self._by_password(_object(identity.get("password"), "auth.identity.password"))
                methods: tuple[str, ...] = ("password",)
                expires_at = None
            case ["token"]:
                value = _object(identity.get("token"), "auth.identity.token").get("id")
                old = self.validate(value if isinstance(value, str) else None)
                user, expires_at = old.user, old.expires_at
                methods = tuple(dict.fromkeys((*old.methods, "token")))
            case methods_asked:
                raise Invalid(f"auth.identity.methods is one of password and token, not {methods_asked!r}.")
        scoped = auth.get("scope") != "unscoped"
        if scoped:
            self._check_scope(user, auth.get("scope"))
        # A token issued for a token expires with the first, or it could be renewed for ever.
        lifetime = None if expires_at is None else expires_at - datetime.now(UTC)
        return self.issue(user.name, lifetime, methods, scoped=scoped)

    def _by_password(self, password: Mapping[str, object]) -> User:
        asked = _object(password.get("user"), "auth.identity.password.user")
        if "id" not in asked:
            _check_domain(asked)
        for user in self.users.values():
            named = asked["id"] == user.id if "id" in asked else asked.get("name") == user.name
            if named and secrets.compare_digest(str(asked.get("password")).encode(), user.password.encode()):
                return user
        raise Unauthorized("The request you have made requires authentication.")

    def _check_scope(self, user: User, scope: object) -> None:
        if scope is None:
            return
        project = _object(_object(scope, "auth.scope").get("project"), "auth.scope.project")
        if "id" in project:
            granted = project["id"] == user.project.id
        else:
            _check_domain(project)
            granted = project.get("name") == user.project.name
        if not granted:
            raise Unauthorized(f"User {user.name} has no role there.")


def _object(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Invalid(f"{place} is to be an object.")
    return value


def _check_domain(named: Mapping[str, object]) -> None:
    domain = _object(named.get("domain"), "domain")
    if not any(domain.get(key) == value for key, value in DOMAIN.items()):
        raise Unauthorized("There is no such domain.")
