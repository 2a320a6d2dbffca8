"""Requests that go out exactly as they were written.

Everything between a program and the socket likes to tidy targets up: requests drops dot segments, urllib3 re-encodes,
both give DELETE of the tag ``..`` to the image itself. The adapter here hands the connection the target as it stands.
"""

import contextlib
import functools
import http.client
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from pytest_cloudimages.client.line import Line
from pytest_cloudimages.client.plain_http import PlainHttp
from pytest_cloudimages.client.reachability import context_of
from pytest_cloudimages.client.reading import MOST_OCTETS, Octets, read_body, read_to_the_end
from pytest_cloudimages.client.trouble import Way

SENT_BY_ITSELF = ("Accept-Encoding", "User-Agent")
"""Header fields that urllib3 sends unless it is told to skip them."""

_ASKED = threading.local()
"""What this thread is about to send: ``target`` replaces the one urllib3 derives, ``length`` False omits the length."""


class _Exact(http.client.HTTPConnection):
    """Writes the target and the headers as asked."""

    timeout: Any

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        # All of an exchange has the time that a library would give each part of it.
        end = time.monotonic() + self.timeout if isinstance(self.timeout, int | float) else None
        self.response_class = functools.partial(Octets, end=end)  # type: ignore[assignment]  # it is called, no more
        target: str | None = getattr(_ASKED, "target", None)
        if target is not None:
            # A proxy is asked with the whole address; what precedes the path is urllib3's to know.
            origin = "/".join(url.split("/", 3)[:3]) if url.startswith(("http://", "https://")) else ""
            url = origin + target
        super().putrequest(method, url, skip_host, skip_accept_encoding)

    def putheader(self, header: str | bytes, *values: Any) -> None:
        if header in ("Content-Length", b"Content-Length") and not getattr(_ASKED, "length", True):
            return
        super().putheader(header, *values)


class _Connection(_Exact, urllib3.connection.HTTPConnection):
    pass


class _SecureConnection(_Exact, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}


class ExactAdapter(HTTPAdapter):
    """Sends prepared requests with the target they were given, byte for byte, and reads bounded answers."""

    def __init__(self, *, most: int = MOST_OCTETS, **how: Any) -> None:
        self.most = most
        super().__init__(**how)

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send a request, and return its answer with a body that has been read as far as it is ever read."""
        response = super().send(request, *args, **how | {"stream": True})
        read_body(response, functools.partial(response.raw.read, decode_content=False), self.most)
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


class StayingAdapter(ExactAdapter):
    """Stays with the host that was asked: whoever is led elsewhere would show passwords and tokens there."""

    def __init__(self, plain_http: PlainHttp) -> None:
        self.plain_http = plain_http
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send a request; raise ``ConnectionError`` where its answer leads to another host.

        Raise ``ConfigurationError``, and send nothing, where an earlier answer has led to plain http.
        """
        self.plain_http.check(str(request.url), "Identity's address")
        response = super().send(request, *args, **how)
        asked, link = str(request.url), response.headers.get("Location", "")
        if not 300 <= response.status_code < 400 or not link:  # noqa: PLR2004 - the class of codes
            return response
        try:
            led = urllib.parse.urlsplit(urllib.parse.urljoin(asked, link)).hostname
        except ValueError:
            led = None
        if led != urllib.parse.urlsplit(asked).hostname:
            raise requests.ConnectionError(f"{asked} redirects to another host, {link[:200]!a}, which is not followed")
        return response


def staying_and_bounded(session: requests.Session, plain_http: PlainHttp) -> None:
    """Have a session stay with the host that it asks, and read bounded answers."""
    for scheme in POOLS:
        session.mount(f"{scheme}://", StayingAdapter(plain_http))


class Transport:
    """One origin, with a session of its own for every thread.

    ``verify`` and ``cert`` are as in requests; proxies and CA bundles of the environment are read once. ``timeout`` is
    for a whole exchange; of a body one octet more is read than ``most``.
    """

    def __init__(
        self,
        origin: str,
        *,
        timeout: float,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        most: int = MOST_OCTETS,
    ) -> None:
        self.origin = origin
        self.timeout = timeout
        self.most = most
        self.way = Way()
        with requests.Session() as session:
            settings = session.merge_environment_settings(origin, {}, False, verify, cert)
        self._settings: dict[str, Any] = {key: settings[key] for key in ("proxies", "verify", "cert")}
        self._local = threading.local()
        self._adapters: list[ExactAdapter] = []

    def __repr__(self) -> str:
        return f"<Transport to {self.origin}>"

    @property
    def _adapter(self) -> ExactAdapter:
        adapter: ExactAdapter | None = getattr(self._local, "adapter", None)
        if adapter is None:
            adapter = self._local.adapter = ExactAdapter(most=self.most, pool_connections=1, pool_maxsize=1)
            self._adapters.append(adapter)
        return adapter

    @property
    def _line(self) -> Line:
        line: Line | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = Line(self._find_pool, self.origin + "/", timeout=self.timeout, most=self.most)
        return line

    def _find_pool(self) -> Any:
        """Return the pool of urllib3 that has this thread's connection."""
        request = requests.PreparedRequest()
        request.url = self.origin + "/"
        verify, cert, proxies = (self._settings[key] for key in ("verify", "cert", "proxies"))
        adapter: Any = self._adapter
        pool = adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        adapter.cert_verify(pool, request.url, verify, cert)
        return pool

    def connect(self) -> None:
        """Open this thread's connection, so that its next request goes out without delay.

        Whatever is in the way is left to that request; a proxy is asked when there is something to ask.
        """
        if not self.proxied:
            with contextlib.suppress(OSError, urllib3.exceptions.HTTPError), self._borrowed() as connection:
                if not connection.is_connected:
                    connection.connect()

    def leave(self, method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> None:
        """Send one request completely, and hang up without reading an answer.

        Goes where the wire goes directly, not through a proxy. Raises ``OSError`` or ``urllib3.exceptions.HTTPError``
        where the request could not be sent.
        """
        _ASKED.target, _ASKED.length = target, True
        try:
            with self._borrowed() as connection:
                connection.request(method, "/", body=body, headers=headers)
                connection.close()
        finally:
            _ASKED.target = None

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[_Connection | _SecureConnection]:
        """Take this thread's connection out of its pool for the length of a block."""
        pool = self._find_pool()
        connection = pool._get_conn()  # noqa: SLF001 - urllib3 has no other way to a connection
        connection.timeout = self.timeout
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        finally:
            # One that is closed opens again by itself.
            pool._put_conn(connection)  # noqa: SLF001

    def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | Iterable[bytes] | None = None,
        *,
        length: bool = True,
    ) -> requests.Response:
        """Send one request; redirects are not followed, nothing is sent twice.

        ``body`` as an iterable goes out chunked; ``length=False`` omits Content-Length. Raises what requests raises.
        """
        plain = (body is None or isinstance(body, bytes)) and "Transfer-Encoding" not in headers
        if plain and not self.proxied:
            return self._line.ask(method, target, headers, body, length=length)  # type: ignore[arg-type]
        request = requests.PreparedRequest()
        request.method, request.url = method, self.origin + "/"
        request.headers = requests.structures.CaseInsensitiveDict(headers)
        for name in SENT_BY_ITSELF:
            request.headers.setdefault(name, urllib3.util.SKIP_HEADER)
        if isinstance(body, bytes):
            request.headers.setdefault("Content-Length", str(len(body)))
        request.body = body  # type: ignore[assignment]  # an iterable is what makes requests send chunks
        request._cookies = requests.cookies.RequestsCookieJar()  # type: ignore[attr-defined]  # noqa: SLF001 - by hand
        _ASKED.target, _ASKED.length = target, length
        try:
            return self._adapter.send(request, timeout=self.timeout, **self._settings)
        finally:
            _ASKED.target, _ASKED.length = None, True

    def talk(self, octets: bytes, host: str, port: int, *, secure: bool) -> bytes:
        """Send octets on a connection of their own and return what comes back until it closes.

        Raises ``OSError`` where there is no connection, or no end within the time-out.
        """
        end = time.monotonic() + self.timeout
        with contextlib.ExitStack() as stack:
            line: socket.socket = stack.enter_context(socket.create_connection((host, port), self.timeout))
            if secure:
                line = stack.enter_context(context_of(self.verify, self.cert).wrap_socket(line, server_hostname=host))
            line.sendall(octets)
            return read_to_the_end(line, self.most, end)

    @cached_property
    def proxied(self) -> bool:
        """Whether requests pass a proxy, so that a connection of one's own would not arrive."""
        return bool(self.proxy)

    @cached_property
    def proxy(self) -> str | None:
        """The proxy that requests pass, if there is one."""
        found: str | None = requests.utils.select_proxy(self.origin, self._settings["proxies"])
        return found

    @property
    def verify(self) -> bool | str:
        """Whom requests trust: as the settings have it, or else the environment."""
        found: bool | str = self._settings["verify"]
        return found

    @property
    def cert(self) -> str | tuple[str, str] | None:
        """The certificate of our own that requests show."""
        found: str | tuple[str, str] | None = self._settings["cert"]
        return found

    def close(self) -> None:
        """Close every thread's connections."""
        for adapter in self._adapters:
            adapter.close()


def trailing(response: requests.Response) -> bytes:
    """Return the octets that arrived behind the end of an answer."""
    original = getattr(response.raw, "_original_response", response.raw)
    return getattr(original, "trailing", b"")
