"""Ways to sign in, as plugins of keystoneauth1: which are installed, and what each takes."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.errors import ConfigurationError

if TYPE_CHECKING:
    from keystoneauth1.loading import BaseLoader

USUAL = "password, v3applicationcredential, token, admin_token, http_basic, rackspace_apikey and none"
EXTRAS = {
    "v3kerberos": "kerberos",
    "v3fedkerb": "kerberos",
    "v3oauth1": "oauth1",
    "v3samlpassword": "saml2",
    "v3adfspassword": "saml2",
}
"""What has to be installed besides, for ways to sign in that keystoneauth1 knows and does not bring along."""
#: The second is openstacksdk's word for the first.
TOKEN_AS_IT_IS = ("admin_token", "token_endpoint")


def kind_of(entry: Mapping[str, Any]) -> str:
    """Return how an entry signs in."""
    return str(entry.get("auth_type") or entry.get("auth_plugin") or "password")


def loader_of(kind: str, place: str) -> "BaseLoader[Any]":
    """Return what reads the settings of a way to sign in.

    Raise ``ConfigurationError`` where there is no such way, or it is not installed.
    """
    from keystoneauth1 import exceptions, loading

    try:
        found: BaseLoader[Any] = loading.get_plugin_loader("admin_token" if kind in TOKEN_AS_IT_IS else kind)
        found.get_options()
        installed = found.available
    except exceptions.NoMatchingPlugin:
        raise ConfigurationError(f"{place}: there is no auth_type {kind!r}; the usual ones are {USUAL}.") from None
    except Exception as error:  # noqa: BLE001 - a plugin may fail in its own way where a library is missing
        if kind not in EXTRAS:
            raise ConfigurationError(f"{place}: the plugin of auth_type {kind!r} does not work: {error}") from None
        installed = False
    if not installed:
        extra = EXTRAS.get(kind)
        how = f"Install keystoneauth1[{extra}]" if extra else "Install what its plugin needs"
        raise ConfigurationError(
            f"{place}: auth_type {kind!r} needs packages that are not installed. {how}, or sign in with an application"
            " credential (auth_type v3applicationcredential)."
        )
    return found


def fields_of(loader: "BaseLoader[Any]") -> set[str]:
    """Return the names of the settings that a way to sign in takes."""
    options = loader.get_options()
    return {option.dest for option in options} | {old.dest for option in options for old in option.deprecated}


def why_not(error: Exception, kind: str, place: str) -> str:
    """Return why a plugin cannot be made of its settings, naming those that are missing or too many."""
    text = str(error)
    if missing := re.search(r"missing \d+ required positional arguments?: (.+)", text):
        names = re.findall(r"'(\w+)'", missing[1])
        return f"{place}: this is missing: {', '.join(f'OS_{name.upper()} ({name})' for name in names)}."
    taken = fields_of(loader_of(kind, place))
    if unknown := re.search(r"unexpected keyword argument '(\w+)'", text):
        return (
            f"{place}: there is {unknown[1]!r}, which auth_type {kind!r} does not take. Leave it out, or correct"
            f" auth_type. It takes: {', '.join(sorted(taken))}."
        )
    told = re.sub(
        r"\w+", lambda word: f"OS_{word[0].upper()} ({word[0]})" if word[0] in taken else word[0], text.strip()
    )
    return f"{place}: auth_type {kind!r} cannot sign in like that: {told}"
