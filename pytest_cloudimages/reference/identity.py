"""The rules of the identity service: users, projects and tokens. No HTTP.

Source: Keystone's Identity API v3, as far as a password or a token gets a token for a project; and Identity v2.0 as
Rackspace has it, where an API key does as well.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock
from uuid import uuid4

from .refusals import Invalid, NotFound, Unauthorized

LIFETIME = timedelta(hours=1)  # of a token, Keystone's default
LIFETIME_OF_V2 = timedelta(hours=24)
DOMAIN = {"id": "default", "name": "Default"}


class Role(StrEnum):
    """What a user may do in a project; an administrator is the operator's, and no account's."""

    READER = "reader"
    CREATOR = "creator"
    MEMBER = "member"
    ADMIN = "admin"


OWNER, OBSERVER, IMAGES_ADMIN, ALL_PRODUCTS = "identity:user-admin", "observer", "cloudImages:admin", "admin"
"""What Rackspace calls the owner of an account, and some of the roles that the owner gives to others."""

PEOPLE: tuple[tuple[str, str, Role, tuple[str, ...]], ...] = (
    ("tester", "cloudimages", Role.MEMBER, (OWNER,)),
    ("reader", "cloudimages", Role.READER, ()),
    ("creator", "cloudimages", Role.CREATOR, ()),
    ("other", "other", Role.MEMBER, ()),
    ("admin", "cloudimages", Role.ADMIN, ()),
    ("account-admin", "cloudimages", Role.MEMBER, (ALL_PRODUCTS,)),
    ("images-admin", "cloudimages", Role.MEMBER, (IMAGES_ADMIN,)),
    ("observer", "cloudimages", Role.READER, (OBSERVER,)),
    ("two-roles", "cloudimages", Role.MEMBER, (OBSERVER, IMAGES_ADMIN)),
)
"""The users as (user, project, what it may do, what its roles are called where that is not the same word)."""


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
    api_key: str
    project: Project
    role: Role
    roles: tuple[str, ...]
    """What its roles are called."""

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
            name: User(
                id=uuid4().hex,
                name=name,
                password=given.get(name) or secrets.token_urlsafe(16),
                api_key=secrets.token_hex(16),
                project=self.projects[project],
                role=role,
                roles=names or (role,),
            )
            for name, project, role, names in PEOPLE
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

    def authenticate_v2(self, document: object) -> Token:
        """Return a token for the parsed body of POST /v2.0/tokens.

        Raises Invalid when the document does not say who asks, or names its tenant twice, Unauthorized when it does not
        prove it, NotFound for a token that has ended.
        """
        auth = _object(_object(document, "body").get("auth"), "auth")
        tenant, name = auth.get("tenantId"), auth.get("tenantName")
        if tenant is not None and name is not None:
            raise Invalid("auth has tenantId or tenantName, not both.")
        lifetime = LIFETIME_OF_V2
        methods: tuple[str, ...] = ("password",)
        if "token" in auth:
            if tenant is None and name is None:
                raise Invalid("With a token goes a tenant.")
            old = self._exchanged(auth)
            user, lifetime, methods = old.user, old.expires_at - datetime.now(UTC), old.methods
        elif "passwordCredentials" in auth:
            given = _object(auth["passwordCredentials"], "auth.passwordCredentials")
            user = self._proven(given, "userId", "username", "password")
        elif "RAX-KSKEY:apiKeyCredentials" in auth:
            given = _object(auth["RAX-KSKEY:apiKeyCredentials"], "auth.RAX-KSKEY:apiKeyCredentials")
            user, methods = self._proven(given, "", "username", "apiKey"), ("apikey",)
        else:
            raise Invalid("auth has passwordCredentials, RAX-KSKEY:apiKeyCredentials or token.")
        if (tenant or name or user.project.id) not in (user.project.id, user.project.name):
            raise Unauthorized(f"User {user.name} has no role there.")
        return self.issue(user.name, lifetime, methods)

    def _exchanged(self, auth: Mapping[str, object]) -> Token:
        value = _object(auth["token"], "auth.token").get("id")
        try:
            return self.validate(value if isinstance(value, str) else None)
        except Unauthorized:
            raise NotFound("There is no such token.") from None

    def _proven(self, given: Mapping[str, object], by_id: str, by_name: str, proof: str) -> User:
        """Return the user that a document names, and whose password or API key it has."""
        if not isinstance(given.get(proof), str) or not isinstance(given.get(by_id, given.get(by_name)), str):
            raise Invalid(f"A user and its {proof} are missing.")
        for user in self.users.values():
            named = given[by_id] == user.id if by_id in given else given.get(by_name) == user.name
            known = user.api_key if proof == "apiKey" else user.password
            if named and secrets.compare_digest(str(given[proof]).encode(), known.encode()):
                return user
        raise Unauthorized("The request you have made requires authentication.")

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
