"""Plain http, by which everybody on the way reads tokens: to this computer alone, unless the tester says otherwise."""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.redaction import SECRETS

VARIABLE = "CLOUDIMAGES_PLAIN_HTTP"
YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
LOCAL = re.compile(r"(.+\.)?localhost|localhost\.localdomain|ip6-(localhost|loopback)")
"""Names of this computer: RFC 6761, 6.3, and those of the usual /etc/hosts. Whatever else a name means, others say."""


class PlainHttpError(ConfigurationError):
    """An address is of plain http, and of another computer."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(message)
        self.url = url


@dataclass(frozen=True)
class PlainHttp:
    """Whether a tester allows plain http to other computers, and how an option is typed."""

    allowed: bool = False
    prefix: str = "--"

    def check(self, url: str, what: str) -> None:
        """Raise ``ConfigurationError`` where a URL is of plain http, to another computer, and that is not allowed."""
        parts = urlsplit(url)
        if self.allowed or parts.scheme != "http" or is_loopback(parts.hostname or ""):
            return
        raise PlainHttpError(
            url,
            f"{what} {SECRETS.hide(url)} is plain http to another computer: everybody on the way could read passwords"
            f" and tokens. Write https://, or allow it with {self.prefix}plain-http or {VARIABLE}=true.",
        )


HERE_ONLY = PlainHttp()
"""What holds as long as nobody says otherwise."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer, whatever a name server says; 0.0.0.0 and :: are, where one connects."""
    name = host.lower().removesuffix(".")
    with suppress(ValueError):
        address = ipaddress.ip_address(name)
        meant = getattr(address, "ipv4_mapped", None) or address
        return bool(meant.is_loopback or meant.is_unspecified)
    return bool(LOCAL.fullmatch(name))


def plain_http(environ: Mapping[str, str], *, allowed: bool, prefix: str) -> PlainHttp:
    """Return what options and the environment allow; raise ``ConfigurationError`` for a value that says neither."""
    value = environ.get(VARIABLE, "").strip().lower()
    if value not in YES + NO:
        raise ConfigurationError(f"{VARIABLE}: expected true or false, got {value[:60]!r}.")
    return PlainHttp(allowed or value in YES, prefix)
