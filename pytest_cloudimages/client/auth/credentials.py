"""A token and an endpoint, from whatever the tester has."""

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from pytest_cloudimages.client.auth.accounts import account_of, address, as_it_is, keep_secrets, keep_secrets_of_url
from pytest_cloudimages.client.auth.catalogue import Endpoint
from pytest_cloudimages.client.auth.identity import Door, door_of
from pytest_cloudimages.client.auth.keystone import Account, FurtherToken
from pytest_cloudimages.client.errors import ConfigurationError, UnnamedServiceError
from pytest_cloudimages.client.plain_http import HERE_ONLY, PlainHttp, PlainHttpError
from pytest_cloudimages.client.redaction import SECRETS

OTHERS = ("ALT", "READER", "CREATOR", "ADMIN")
"""Further callers: each has variables of its own, such as OS_ALT_USERNAME and CLOUDIMAGES_ALT_TOKEN."""
ROLES = ("ACCOUNT_ADMIN", "IMAGES_ADMIN", "OBSERVER", "TWO_ROLES")
"""Those with the vendor's roles, for the checks of roles alone."""

#: Where one of a group is given for another identity, the tester's own of that group do not count for it.
ALTERNATIVES = tuple(
    frozenset(f"OS_{name}" for name in group.split())
    for group in (
        "USERNAME USER_ID",
        "PROJECT_ID PROJECT_NAME TENANT_ID TENANT_NAME SYSTEM_SCOPE TRUST_ID",
        "USER_DOMAIN_ID USER_DOMAIN_NAME",
        "PROJECT_DOMAIN_ID PROJECT_DOMAIN_NAME",
        "DOMAIN_ID DOMAIN_NAME",
        "DEFAULT_DOMAIN_ID DEFAULT_DOMAIN_NAME",
        "APPLICATION_CREDENTIAL_ID APPLICATION_CREDENTIAL_NAME",
        "TOKEN AUTH_TOKEN",
        "AUTH_TYPE AUTH_PLUGIN",
        "INSECURE VERIFY CACERT",
    )
)
SCOPE = ALTERNATIVES[1]
DOMAIN = ALTERNATIVES[4]
TOKENS = {"OS_TOKEN", "OS_AUTH_TOKEN"}
APPLICATION = {"OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET"}
#: What proves who one is, the word for it in auth types, and what of the tester's own would compete with it.
PROOFS = (
    # An application credential is bound to its project; its user may be the tester.
    (APPLICATION, "applicationcredential", {"OS_PASSWORD"} | TOKENS | SCOPE | DOMAIN),
    (TOKENS, "token", {"OS_PASSWORD", "OS_USERNAME", "OS_USER_ID"} | APPLICATION),
    ({"OS_API_KEY"}, "apikey", {"OS_PASSWORD"} | TOKENS | APPLICATION),
    ({"OS_PASSWORD", "OS_USERNAME", "OS_USER_ID"}, "password", TOKENS | APPLICATION),
)
OWN = tuple(f"OS_{who}_" for who in (*OTHERS, *ROLES))


@dataclass(frozen=True)
class Service:
    """What is under test."""

    endpoint: str
    """Ends in /v2."""
    region: str | None
    named: str
    """How the tester named it."""
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    name: str = field(default="", compare=False)
    """What the catalogue calls it; empty where none was asked."""
    object_store: str = field(default="", compare=False)
    """The address of the tester's account in an object store, for imports and exports; empty where none is known."""


class Credentials:
    """Holds what gets valid tokens, and shows it to nobody."""

    def __init__(
        self,
        how: str,
        give: Callable[[], str | None],
        project_id: str | None = None,
        further: Callable[[], FurtherToken | None] = lambda: None,
        renew: Callable[[], None] = lambda: None,
        vouches_for: Callable[[str], bool] = lambda _: False,
        unnamed: str = "",
        roles: Callable[[], tuple[str, ...] | None] = lambda: None,
        door: Callable[[], Door | None] = lambda: None,
    ) -> None:
        self.how = SECRETS.hide(how)
        self.unnamed = SECRETS.hide(unnamed or how)
        """How, without the name of anybody."""
        self.project_id = project_id
        SECRETS.veil(project_id, "project")
        self._give = give
        self.further = further
        """Returns a token beside the one in use, which can be ended; ``None`` where none is to be had."""
        self.renew = renew
        """Forgets the token in use, so that the next is a new one where there can be one."""
        self.vouches_for = vouches_for
        """Returns whether Identity says that a token, as it is spelled, is valid."""
        self.roles = roles
        """Returns what the roles are called that the token in use is for; ``None`` where nobody says it."""
        self.door = door
        """Returns how Identity itself is asked; ``None`` where none is."""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Credentials: {self.how}>"

    def token(self) -> str | None:
        """Return a token that is valid for a while yet; ``None`` where the service asks for none.

        Raise ``Blocked`` when the old one has expired and no new one is to be had.
        """
        with self._lock:
            token = self._give()
            SECRETS.keep(token)
        return token


def nobody() -> Credentials:
    """Return the credentials of a caller who has none."""
    return Credentials("none", lambda: None)


def ways(prefix: str = "--") -> str:
    """Return the ways to name a service, a line each, with the options as they are typed."""
    rows = (
        (f"{prefix}endpoint URL, or CLOUDIMAGES_ENDPOINT", "and CLOUDIMAGES_TOKEN, or OS_AUTH_TYPE=none"),
        (f"{prefix}cloud NAME, or OS_CLOUD", "an entry of clouds.yaml (OS_CLIENT_CONFIG_FILE names the file)"),
        ("OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, ...", "as an openrc file sets them"),
        ("OS_AUTH_TYPE=admin_token or none", "with OS_ENDPOINT, and OS_TOKEN"),
        (f"{prefix}reference", "the embedded server"),
    )
    width = max(len(name) for name, _ in rows)
    return "\n".join(["Name the service to judge in one of these ways:", *(f"  {a:<{width}}  {b}" for a, b in rows)])


@dataclass(frozen=True)
class Named:
    """What the tester has named, before anybody is asked anything."""

    account: Account = field(repr=False)
    named: str
    address: str = ""
    """The endpoint of the service, where no catalogue is asked for it."""
    region: str | None = None
    """The region that counts where the settings leave it open."""
    object_store: str = ""
    """The address of the tester's account in an object store, where no catalogue is asked for it."""
    plain_http: PlainHttp = field(default=HERE_ONLY, repr=False)

    def __post_init__(self) -> None:
        """Raise ``ConfigurationError`` where everybody on the way to the address that was named can listen."""
        if known := self.address or self.account.fixed:
            self.plain_http.check(known, "The endpoint")
        if self.object_store:
            self.plain_http.check(self.object_store, "The object store")

    def service(self) -> Service:
        """Return the service; Identity has to be asked first where its catalogue has the address."""
        found = Endpoint(self.address, None) if self.address else self.account.endpoint(self.region)
        self.plain_http.check(found.url, "The endpoint")
        account = self.account
        return Service(
            normalised(found.url),
            found.region,
            self.named,
            account.verify,
            account.cert,
            found.service,
            self.object_store or self._store_of_the_catalogue(found.region),
        )

    def _store_of_the_catalogue(self, region: str | None) -> str:
        """Return the address of the object store; one that must not be spoken to is none, and in nobody's way."""
        with suppress(PlainHttpError):
            store = self.account.object_store(region)
            self.plain_http.check(store, "The object store")
            return store
        return ""


def find(
    environ: Mapping[str, str],
    *,
    url: str | None = None,
    cloud: str | None = None,
    region: str | None = None,
    timeout: float = 30.0,
    embedded: bool = False,
    prefix: str = "--",
    plain_http: PlainHttp = HERE_ONLY,
) -> tuple[Service, Credentials]:
    """Return the service that the tester names, and the credentials for it; see ``named_in``.

    Raise ``ConfigurationError`` for what the tester can mend, ``Blocked`` where Identity does not do its part.
    """
    named = named_in(
        environ,
        url=url,
        cloud=cloud,
        region=region,
        timeout=timeout,
        embedded=embedded,
        prefix=prefix,
        plain_http=plain_http,
    )
    credentials = credentials_of(named.account)
    return named.service(), credentials


def named_in(
    environ: Mapping[str, str],
    *,
    url: str | None = None,
    cloud: str | None = None,
    region: str | None = None,
    timeout: float = 30.0,
    embedded: bool = False,
    prefix: str = "--",
    plain_http: PlainHttp = HERE_ONLY,
) -> Named:
    """Return what the tester names; nobody is asked anything.

    ``url``, ``cloud`` and ``region`` are what options say; ``environ`` has the rest. ``embedded``: it is the embedded
    server that the variables lead to. Messages name options with ``prefix``. Raise ``ConfigurationError`` for what
    cannot be.
    """
    given = _given(environ) | ({"OS_REGION_NAME": region} if region else {})
    store = given.get("CLOUDIMAGES_OBJECT_STORE", "").rstrip("/")
    if store:
        address(store, "account in an object store", "https://store.example/v1/AUTH_project")
    mine = {name: value for name, value in given.items() if not name.startswith(OWN)}
    if url:
        endpoint = normalised(url)
        named = "CLOUDIMAGES_ENDPOINT" if url == given.get("CLOUDIMAGES_ENDPOINT") else f"{prefix}endpoint"
        if token := given.get("CLOUDIMAGES_TOKEN"):
            account = as_it_is(token, "token from CLOUDIMAGES_TOKEN", mine)
        elif not mine.keys() & {"OS_CLOUD", "OS_AUTH_URL", "OS_AUTH_TYPE", *TOKENS}:
            raise ConfigurationError(
                f"{named} says where the service is, {endpoint}, and nothing says who asks. Set CLOUDIMAGES_TOKEN, for"
                " instance to what `openstack token issue -f value -c id` prints; or the OS_* variables of an openrc"
                " file; or OS_AUTH_TYPE=none, if the service asks for no token."
            )
        else:
            account = account_of(mine, mine.get("OS_CLOUD"), timeout, plain_http=plain_http)
        return Named(account, named, endpoint, object_store=store, plain_http=plain_http)
    cloud = cloud or mine.get("OS_CLOUD")
    where = mine.keys() & {"OS_AUTH_URL", "OS_ENDPOINT", "OS_IMAGE_ENDPOINT_OVERRIDE"}
    if not cloud and not where:
        idle = sorted(name for name in mine if name in {"CLOUDIMAGES_TOKEN", "OS_USERNAME", "OS_AUTH_TYPE", *TOKENS})
        say = f"{' and '.join(idle)} {'says' if len(idle) == 1 else 'say'}"
        hint = f"{say} who asks, but nothing says where the service is." if idle else ""
        raise UnnamedServiceError(f"{hint or 'Nothing says which service to judge.'}\n{ways(prefix)}")
    account = account_of(mine, cloud, timeout, plain_http=plain_http)
    account.region = region
    named = "the embedded server" if embedded else account.named or account.source
    return Named(account, named, region=mine.get("OS_REGION_NAME"), object_store=store, plain_http=plain_http)


def find_other(
    environ: Mapping[str, str],
    who: str,
    service: Service,
    *,
    cloud: str | None = None,
    timeout: float = 30.0,
    plain_http: PlainHttp = HERE_ONLY,
) -> Credentials | None:
    """Return the credentials of a further caller, of ``OTHERS`` or ``ROLES``; ``None`` where none were given."""
    given = _given(environ)
    if not cloud and (token := given.get(f"CLOUDIMAGES_{who}_TOKEN")):
        return credentials_of(as_it_is(token, f"token from CLOUDIMAGES_{who}_TOKEN", {}))
    if not cloud:
        given = _overlaid(given, who)
        cloud = given.get("OS_CLOUD")
        if not given:
            return None
        if not cloud and not given.keys() & {"OS_AUTH_URL", "OS_AUTH_TYPE", *TOKENS}:
            raise ConfigurationError(
                f"The OS_{who}_* variables say who asks, but not at which Identity service, and {service.named} is no"
                f" answer for them. Set OS_{who}_AUTH_URL or OS_AUTH_URL; or name an entry of clouds.yaml in"
                f" OS_{who}_CLOUD."
            )
    return credentials_of(account_of(given, cloud, timeout, f"OS_{who}_* variables", plain_http))


def is_given(environ: Mapping[str, str], who: str) -> bool:
    """Return whether anything says who a further caller is."""
    return any(value and name.startswith((f"OS_{who}_", f"CLOUDIMAGES_{who}_")) for name, value in environ.items())


def ended(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the tokens that the tester kept and that were valid once, by what ended them."""
    given = _given(environ)
    tokens = {kind: given.get(f"CLOUDIMAGES_{kind.upper()}_TOKEN") for kind in ("expired", "revoked")}
    return {kind: token for kind, token in tokens.items() if token}


def credentials_of(account: Account) -> Credentials:
    """Return the credentials of an account after a first token, so that wrong ones are told at once."""
    project_id = account.sign_in()
    return Credentials(
        account.how,
        account.token,
        project_id,
        account.further,
        account.renew,
        account.vouches_for,
        account.unnamed,
        account.roles,
        partial(door_of, account),
    )


def normalised(endpoint: str) -> str:
    """Return the endpoint as it is used here: it ends in exactly one /v2.

    Raise ``ConfigurationError`` for what is no address of an image service.
    """
    parts = address(endpoint, "endpoint of an image service", "https://image.example or https://image.example/v2")
    path = re.sub(r"(/v2(\.\d+)?)+$", "", parts.path.rstrip("/"))
    if (odd := re.search(r"/v2(\.\d+)?/images(/.*)?$|/v\d+(\.\d+)?$", path)) or parts.query or parts.fragment:
        what = odd[0] if odd else SECRETS.hide(endpoint[endpoint.find(parts.path or "?") :])
        raise ConfigurationError(
            f"The endpoint {SECRETS.hide(endpoint)!r} ends in {what!r}. Give the address up to its /v2, without what"
            " follows; other versions than 2 are not judged."
        )
    return f"{parts.scheme}://{parts.netloc}{path}/v2"


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that concern us and are not empty; from here on, no output shows their secrets."""
    given = {name: value for name, value in environ.items() if name.startswith(("OS_", "CLOUDIMAGES_")) and value}
    if given.get("OS_INSECURE", "").lower() in {"1", "yes", "on"}:
        given["OS_INSECURE"] = "true"  # the one word that openstacksdk knows
    keep_secrets(given)
    for name, value in environ.items():
        if name.lower().endswith("_proxy"):
            keep_secrets_of_url(value if "://" in value else f"http://{value}")
    return given


def _overlaid(given: Mapping[str, str], who: str) -> dict[str, str]:
    """Return the variables of another identity: its own, and of the tester's those that do not compete with them.

    ``OpenStackConfig(envvar_prefix="OS_ALT_")`` is no way to them: it reads OS_ALT_USERNAME as the setting
    ``alt_username``, and the tester's own variables as well, from the process alone.
    """
    start = f"OS_{who}_"
    own = {f"OS_{name.removeprefix(start)}": value for name, value in given.items() if name.startswith(start)}
    files = {name: value for name, value in given.items() if name in {"OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"}}
    if not own or "OS_CLOUD" in own:
        return own and files | own
    if own.keys() & TOKENS and not own.keys() & ({"OS_AUTH_TYPE", "OS_AUTH_URL"} | SCOPE):
        return own  # nothing asks for another token in its place: it is used as it is
    dropped = {"OS_CLOUD"}.union(*(group for group in ALTERNATIVES if group & own.keys()))
    if proof := next((proof for proof in PROOFS if proof[0] & own.keys()), None):
        _, kind, competing = proof
        dropped |= competing
        if kind not in given.get("OS_AUTH_TYPE", ""):
            dropped |= {"OS_AUTH_TYPE", "OS_AUTH_PLUGIN"}
    base = {name: value for name, value in given.items() if name not in dropped and not name.startswith(OWN)}
    return base | own
