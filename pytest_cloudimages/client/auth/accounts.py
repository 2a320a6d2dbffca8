"""Who asks, from an entry of clouds.yaml or from variables, as openstacksdk reads them."""

import base64
import json
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from pytest_cloudimages.client.auth.keystone import Account
from pytest_cloudimages.client.auth.plugins import TOKEN_AS_IT_IS, fields_of, kind_of, loader_of, why_not
from pytest_cloudimages.client.auth.refused_credentials import without_domains
from pytest_cloudimages.client.auth.sdk import without_services
from pytest_cloudimages.client.auth.settings_forms import given_settings
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.exchange import BASIC
from pytest_cloudimages.client.plain_http import HERE_ONLY, PlainHttp
from pytest_cloudimages.client.reachability import context_of
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.secret_fields import holds_a_secret, secrets_of_url

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

VARIABLES = "OS_* variables"
#: They choose or belong to others; the rest of OS_* is a setting, as openstacksdk has it.
NO_SETTINGS = re.compile(r"OS_(CLOUD|CLOUD_NAME|CLIENT_CONFIG_FILE|CLIENT_SECURE_FILE|REGION_NAME|(TEST|STD|LOG).*)")
#: They say who asks and for what; not every way to sign in takes all of them.
PERSONAL = re.compile(
    r"(user|project|default)_domain_(id|name)|domain_(id|name)|(project|tenant)_(id|name)|token|passcode|api_key"
)


def as_it_is(token: str, how: str, given: Mapping[str, str], *, source: str = VARIABLES) -> Account:
    """Return the account of a caller who brings a token; no Identity service is asked about it."""
    SECRETS.keep(token)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"The {how} has characters that no header can carry. Is there a line break or a quote in it?"
        )
    verify: bool | str = given.get("OS_CACERT") or True
    cert, key = given.get("OS_CERT"), given.get("OS_KEY")
    return _on_disk(
        Account(
            source,
            how,
            given.get("OS_IMAGE_ENDPOINT_OVERRIDE") or given.get("OS_ENDPOINT"),
            verify=False if given.get("OS_INSECURE", "").lower() == "true" else verify,
            cert=(cert, key) if cert and key else cert,
            static=token,
        )
    )


def account_of(
    given: Mapping[str, str],
    cloud: str | None,
    timeout: float,
    source: str = VARIABLES,
    plain_http: PlainHttp = HERE_ONLY,
) -> Account:
    """Read who asks, from an entry of clouds.yaml or from the OS_* variables that are given."""
    token = given.get("OS_TOKEN") or given.get("OS_AUTH_TOKEN")
    if not cloud and token and not given.keys() & {"OS_AUTH_URL", "OS_AUTH_TYPE", "OS_AUTH_PLUGIN"}:
        return as_it_is(token, "token from OS_TOKEN", given, source=source)
    if cloud:
        entry, path = _entry(given, cloud)
        source = f"cloud {cloud!r} of {path.name}"
        place = f"cloud {cloud!r} of {path}"
    else:
        entry, place = _settings(given), source
    keep_secrets(entry)
    entry = given_settings(entry, place)
    if entry.get("auth_type") in TOKEN_AS_IT_IS and not (entry.get("token") or (entry.get("auth") or {}).get("token")):
        raise ConfigurationError(f"{place}: {entry['auth_type']} needs a token. Set OS_TOKEN, or `token` below `auth`.")
    regions = _loaded(cloud or "envvars", entry, place)
    # Regions of an entry may have settings of their own.
    chosen = given.get("OS_REGION_NAME")
    regions = [region for region in regions if region.config.get("region_name") == chosen] or regions
    account = _on_disk(_described(regions, source, place, timeout, plain_http))
    known = (regions[0].config["auth"].get("api_key"), given.get("CLOUDIMAGES_API_KEY"), given.get("OS_API_KEY"))
    account.api_key = str(next(filter(None, known), ""))
    account.no_lockout = bool(given.get("CLOUDIMAGES_NO_LOCKOUT"))
    return account


def _settings(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that variables stand for, as openstacksdk reads them."""
    entry = {name[3:].lower(): value for name, value in given.items() if name.startswith("OS_")}
    entry = {name: value for name, value in entry.items() if not NO_SETTINGS.fullmatch(f"OS_{name.upper()}")}
    if not entry.keys() & {"auth_type", "auth_plugin", "password"}:
        if "application_credential_secret" in entry:
            entry["auth_type"] = "v3applicationcredential"
        elif entry.keys() & {"token", "auth_token"}:
            entry["auth_type"] = "token"
        elif "api_key" in entry:
            entry["auth_type"] = "rackspace_apikey"
    return _accepted(entry)


def _accepted(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out what an openrc file sets for other ways to sign in.

    openstacksdk would hand it to plugins that do not take it.
    """
    known = fields_of(loader_of(kind_of(entry), VARIABLES))
    # openstacksdk takes the old word for the new one, and for v2.0 the new one for the old.
    known |= {name.replace("project_", "tenant_") for name in known} | {
        name.replace("tenant_", "project_") for name in known
    }
    return {name: value for name, value in entry.items() if name in known or not PERSONAL.fullmatch(name)}


def _described(
    regions: "Sequence[CloudRegion]", source: str, place: str, timeout: float, plain_http: PlainHttp
) -> Account:
    """Return the account that the settings describe."""
    from pytest_cloudimages.client.transport import staying_and_bounded

    settings = regions[0]
    auth, kind = settings.config["auth"], str(settings.config["auth_type"])
    verify, cert = settings.get_requests_verify_args()
    fixed = settings.get_endpoint("image")
    account = Account(place, "", fixed, True if verify is None else verify, cert, named=source, regions=regions)
    account.plain_http = plain_http
    if kind == "none":
        account.how = "no authentication"
        return account
    if kind == "http_basic":
        return _basic(account, auth)
    if kind == "admin_token":
        account.static, account.how = auth["token"], f"token of {source}"
        account.fixed = account.fixed or auth.get("endpoint")
        return account
    session = settings.get_session()
    staying_and_bounded(session.session, plain_http)
    session.timeout = session.timeout or timeout
    who = auth.get("username") or auth.get("user_id")
    if "applicationcredential" in kind:
        name = auth.get("application_credential_name") or auth.get("application_credential_id")
        account.unnamed, account.how = "application credential", f"application credential {name}"
    elif kind.endswith("token"):
        account.unnamed = account.how = "token to be exchanged"
    else:
        account.unnamed = "API key" if "apikey" in kind else "password" if "password" in kind else kind
        account.how = f"{account.unnamed} of user {who}"
        missing = [] if who else [("user", "OS_USERNAME or OS_USER_ID", "`username`")]
        missing += [] if auth.get("password") else [("password", "OS_PASSWORD", "`password`")]
        if kind in ("password", "v3password", "v2password") and missing:
            what, variables, fields = zip(*missing, strict=True)
            # Of an entry of clouds.yaml variables say nothing.
            elsewhere = f"{' and '.join(fields)} below `auth`, there or in secure.yaml"
            advice = " and ".join(variables) if place == source else elsewhere
            raise ConfigurationError(f"{place}: there is no {' and no '.join(what)}. Set {advice}.")
    account.identity = str(auth.get("auth_url") or "")
    address(account.identity, "URL of an Identity service", "https://identity.example/v3", name=f"{place}: auth_url ")
    plain_http.check(account.identity, f"{place}: auth_url")
    account.how += f" at {account.identity}"
    account.unnamed += f" at {account.identity}"
    return account


def _basic(account: Account, auth: Mapping[str, Any]) -> Account:
    """Return the account of a caller who shows name and password to the service itself (RFC 7617)."""
    name, password = (str(auth.get(field) or "") for field in ("username", "password"))
    if not name or not password or ":" in name:
        raise ConfigurationError(
            f"{account.source}: http_basic needs a user without a colon and a password. Set OS_USERNAME and"
            " OS_PASSWORD, or `username` and `password` below `auth`."
        )
    proof = base64.b64encode(f"{name}:{password}".encode()).decode()
    SECRETS.keep(proof)
    account.static, account.how = f"{BASIC}{proof}", f"HTTP Basic of user {name}"
    account.unnamed = "HTTP Basic"
    account.fixed = account.fixed or auth.get("endpoint")
    return account


def _on_disk(account: Account) -> Account:
    """Return the account, or raise ``ConfigurationError`` where a file of its certificates cannot be read."""
    for path in (account.verify, *(account.cert if isinstance(account.cert, tuple) else [account.cert])):
        if isinstance(path, str) and not os.access(path, os.R_OK):
            raise ConfigurationError(
                f"{account.source}: there is no readable file {path!r}. OS_CACERT, OS_CERT and OS_KEY (cacert, cert"
                " and key in clouds.yaml) name PEM files; OS_INSECURE=true checks no certificate."
            )
    if isinstance(account.verify, str):
        try:
            context_of(account.verify, None)
        except (OSError, ValueError):
            raise ConfigurationError(
                f"{account.source}: there is no certificate in {account.verify!r}. OS_CACERT (cacert in clouds.yaml)"
                " names a PEM file with the certificate of the authority that has signed those of the services."
            ) from None
    if account.verify is False:
        account.unnamed = f"{account.unnamed or account.how}, and no certificate is checked"
    return account


def _entry(given: Mapping[str, str], cloud: str) -> tuple[dict[str, Any], Path]:
    """Read an entry of clouds.yaml, with what secure.yaml adds.

    openstacksdk would pass over a file that it cannot read.
    """
    with without_services():
        from openstack.config.loader import CONFIG_FILES, SECURE_FILES

    path = _first(given.get("OS_CLIENT_CONFIG_FILE"), CONFIG_FILES)
    if not path:
        folders = ", ".join(dict.fromkeys(str(Path(file).parent) for file in CONFIG_FILES))
        raise ConfigurationError(
            f"Cloud {cloud!r} is to be found in clouds.yaml, and there is none in: {folders}. Write one, or name it in"
            " OS_CLIENT_CONFIG_FILE."
        )
    clouds = _clouds(path)
    if cloud not in clouds:
        known = ", ".join(map(str, clouds)) or "none"
        raise ConfigurationError(f"There is no cloud {cloud!r} in {path}. The clouds it has: {known}.")
    if not isinstance(clouds[cloud], dict):
        raise ConfigurationError(
            f"cloud {cloud!r} of {path} has no settings. They stand below its name, set in: `auth:` with who asks,"
            " `region_name:` and so on."
        )
    secure = _first(given.get("OS_CLIENT_SECURE_FILE"), SECURE_FILES)
    secrets = _clouds(secure).get(cloud) if secure else None
    if secrets is not None and not isinstance(secrets, dict):
        raise ConfigurationError(f"cloud {cloud!r} of {secure} has no settings. They stand below its name, set in.")
    return _merged(clouds[cloud], secrets or {}), path


def _first(named: str | None, usual: list[str]) -> Path | None:
    if named:
        return Path(named)
    return next((Path(file) for file in usual if Path(file).exists()), None)


def _clouds(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text("utf-8")
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}. Correct the path (OS_CLIENT_CONFIG_FILE,"
            " OS_CLIENT_SECURE_FILE) or the rights of the file."
        ) from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        # The parser's own words may quote a line with a password.
        line = getattr(getattr(error, "problem_mark", None), "line", getattr(error, "lineno", 0) - 1) + 1
        raise ConfigurationError(
            f"{path} is no valid {'JSON' if path.suffix == '.json' else 'YAML'}{f', see line {line}' if line else ''}."
        ) from None
    clouds = data.get("clouds") if isinstance(data, dict) else None
    if not isinstance(clouds, dict):
        raise ConfigurationError(f"{path} has no clouds. Entries stand below `clouds:`, each below its name.")
    return clouds


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _loaded(name: str, entry: dict[str, Any], place: str) -> "Sequence[CloudRegion]":
    """Have openstacksdk read an entry: one reading for each region that the entry or its profile has."""
    from keystoneauth1 import exceptions

    with without_services():
        from openstack.config import OpenStackConfig
        from openstack.warnings import ConfigurationWarning

    if "auth_type" in entry:
        loader_of(kind_of(entry), place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ConfigurationWarning)  # such as a vendor profile that there is not
        try:
            config = OpenStackConfig(
                config_files=[], secure_files=[], load_envvars=False, app_name="pytest-cloudimages"
            )
            config.cloud_config = {"clouds": {name: entry}}
            first = config.get_one(name)
            return config.get_all() or [first]
        except exceptions.MissingRequiredOptions as error:
            names = ", ".join(f"OS_{option.dest.upper()} ({option.dest})" for option in error.options)
            raise ConfigurationError(f"{place}: this is missing: {names}.") from None
        except exceptions.NoMatchingPlugin as error:
            loader_of(str(error.name), place)
            raise
        except Exception as error:  # noqa: BLE001 - what a strange entry raises in openstacksdk is not foreseeable
            if isinstance(error, TypeError | exceptions.OptionError) and isinstance(entry.get("auth", {}), Mapping):
                domains = without_domains(entry | entry.get("auth", {})) if "v3" in kind_of(entry) else ""
                told = f"{place}: {domains}" if domains else why_not(error, kind_of(entry), place)
                raise ConfigurationError(SECRETS.hide(told)) from None
            what = SECRETS.hide(" ".join(f"{type(error).__name__}: {error}".split()))
            raise ConfigurationError(f"{place} makes no sense to openstacksdk. It says: {what}") from None


def keep_secrets(settings: Mapping[str, Any]) -> None:
    """Hide every secret among the settings from all output."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            keep_secrets(value)
        elif holds_a_secret(str(name)):
            SECRETS.keep(str(value))
        else:
            keep_secrets_of_url(str(value))


def keep_secrets_of_url(text: str) -> None:
    """Hide what a URL tells of secrets from all output."""
    for secret in secrets_of_url(text):
        SECRETS.keep(secret)


def address(text: str, what: str, example: str, *, name: str = "") -> SplitResult:
    """Return a URL's parts, or raise ``ConfigurationError`` where no request can be sent to it."""
    try:
        keep_secrets_of_url(text)
        parts = urlsplit(text)
        good = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        good = False
    if not good or re.search(r"[\s\x00-\x1f]", text):
        raise ConfigurationError(
            f"{name}{SECRETS.hide(text)!r} is no {what}. Give an http or https URL without user and password, such as"
            f" {example}."
        )
    return parts
