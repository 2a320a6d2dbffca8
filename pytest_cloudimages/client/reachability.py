"""The way to a server, step by step: its name, its port, and TLS with its certificate."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography import x509

PROXIES = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"
"""The variables that name a proxy, in capitals or not."""
TRUSTS_NONE = "OS_INSECURE=true (`verify: false` in clouds.yaml) checks no certificate, which is for tests only."
"""The way out where a certificate cannot be had right."""

HINTS = {
    frozenset({2, 18, 19, 20, 21}): "Set OS_CACERT (`cacert` in clouds.yaml) to a PEM file with the certificate of the"
    " authority that signed it. ",
    frozenset({62, 64}): "Write the address with a name that the certificate is for. ",
    frozenset({9, 10}): "Have it renewed; or is the clock of this computer wrong? ",
}
"""What to do, by OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_…): not trusted, of another name,
and not valid at this time."""


@dataclass(frozen=True)
class Origin:
    """Where a URL leads to."""

    secure: bool
    host: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def addresses(self) -> list[str]:
        """Return the addresses of the host. Raise ``OSError`` where it has none."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def dial(self, address: str, timeout: float) -> float:
        """Open a connection to an address and close it; return the seconds it took. Raise ``OSError``."""
        begun = time.monotonic()
        with socket.create_connection((address, self.port), timeout):
            return time.monotonic() - begun

    def shake_hands(self, timeout: float, context: ssl.SSLContext) -> tuple[str, "Certificate"]:
        """Return the version of TLS and the server's certificate. Raise ``OSError``."""
        line = socket.create_connection((self.host, self.port), timeout)
        with line, context.wrap_socket(line, server_hostname=self.host) as secured:
            return secured.version() or "TLS", Certificate.read(secured.getpeercert(binary_form=True) or b"")

    def certificate(self, timeout: float) -> "Certificate | None":
        """Return the certificate, whoever may have signed it; ``None`` where there is none to be had."""
        with contextlib.suppress(OSError, ValueError):
            return self.shake_hands(timeout, trusting_all())[1]
        return None

    def answers(self, timeout: float) -> bool:
        """Return whether a connection can be opened."""
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout):
            return True
        return False


def origin_of(url: str) -> Origin:
    """Return where a URL leads to."""
    # A proxy may be named without its scheme, and is one of http then.
    parts = urlsplit(url if "://" in url else f"http://{url}")
    secure = parts.scheme == "https"
    return Origin(secure, parts.hostname or "", parts.port or (443 if secure else 80))


def proxy_of(url: str) -> str | None:
    """Return the proxy through which the environment leads to an address, if there is one."""
    from requests.utils import get_environ_proxies, select_proxy

    found: str | None = select_proxy(url, get_environ_proxies(url))
    return found


def advice_to_reach(url: str, proxy: str | None, otherwise: str) -> str:
    """Return what to look at where nobody is reached: at the proxy where there is one, as nobody else was asked."""
    if not proxy:
        return otherwise
    without = f"NO_PROXY={origin_of(url).host}"
    return f"Check the proxy {origin_of(proxy)}, which {PROXIES} names, or go without it: {without}."


@dataclass(frozen=True)
class Certificate:
    """What a server's certificate says."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    @classmethod
    def read(cls, octets: bytes) -> "Certificate":
        """Read a certificate from its DER form. Raise ``ValueError`` where it is none."""
        from cryptography import x509

        made = x509.load_der_x509_certificate(octets)
        return cls(
            _name(made.subject),
            _name(made.issuer),
            tuple(_names(made)),
            made.not_valid_before_utc,
            made.not_valid_after_utc,
        )

    def __str__(self) -> str:
        signed = "signed by itself" if self.issuer == self.subject else f"signed by {self.issuer}"
        return f"certificate of {self.subject}, {signed}, valid until {self.ends:%Y-%m-%d}"

    @property
    def days(self) -> int:
        """The days that it is valid yet."""
        return (self.ends - datetime.now(UTC)).days


def _name(of: "x509.Name") -> str:
    from cryptography.x509.oid import NameOID

    found = [*of.get_attributes_for_oid(NameOID.COMMON_NAME), *of.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return str(found[0].value) if found else of.rfc4514_string() or "nobody"


def _names(made: "x509.Certificate") -> Iterator[str]:
    from cryptography import x509

    with contextlib.suppress(x509.ExtensionNotFound):
        for name in made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value:
            yield str(name.value)


def context_of(verify: bool | str, cert: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Return a context that trusts whom requests would trust with these settings. Raise ``OSError``."""
    if verify is False:
        return trusting_all()
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    bundle = Path(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
    folder = bundle.is_dir()
    context = ssl.create_default_context(cafile=None if folder else str(bundle), capath=str(bundle) if folder else None)
    if cert:
        context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
    return context


def trusting_all() -> ssl.SSLContext:
    """Return a context that checks no certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def why_no_tls(problem: BaseException) -> tuple[str, str] | None:
    """Return what is wrong with TLS and what to do, where that is what an error comes from."""
    found = _cause(problem)
    if found is None:
        return None
    if not isinstance(found, ssl.SSLCertVerificationError):
        if _no_tls_at_all(found):
            return "it does not speak TLS there", "If it is http that is spoken there, write http:// and not https://."
        if "CERTIFICATE_REQUIRED" in str(found.reason):
            return "it asks for a certificate of yours", "Name PEM files in OS_CERT and OS_KEY (`cert` and `key`)."
        return f"TLS fails: {found.reason or found}", "See whether a proxy or an old server stands there."
    hint = next((text for codes, text in HINTS.items() if found.verify_code in codes), "")
    return f"its certificate is not accepted: {found.verify_message}", f"{hint}{TRUSTS_NONE}"


def _no_tls_at_all(problem: ssl.SSLError) -> bool:
    # What OpenSSL says to octets that are no record of TLS differs from version to version.
    return problem.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}


def _cause(problem: BaseException) -> ssl.SSLError | None:
    """Return the TLS error that is behind an error, however many libraries have wrapped it."""
    seen: list[BaseException] = []
    todo = [problem]
    while todo:
        error = todo.pop()
        if isinstance(error, ssl.SSLError):
            return error
        if any(error is known for known in seen):
            continue
        seen.append(error)
        links = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
        todo += [link for link in links if isinstance(link, BaseException)]
    return None
