"""One thread's connection: requests go out and answers come in with nothing between that this suite has no use for.

What requests does for its users, cookies, redirects, hooks, a pool to choose from, costs more than sending. Here a
request is written to the connection that requests' adapter and urllib3 have opened, with their trust and their
time-outs, and what comes of it is a response of requests, or one of its exceptions.
"""

import errno
import http.client
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import requests
import urllib3
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

from pytest_cloudimages.client.reading import Octets, read_body

LATE = frozenset({errno.EPIPE, errno.EPROTOTYPE, errno.ECONNRESET})
"""Why the end of a request cannot be sent where its answer may be there already."""
FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
"""Where the value of a field goes on in the next line (RFC 9112, 5.2)."""
EXPECTS_NO_BODY = frozenset({"GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"})
"""Methods by which no length is told where there is no body."""


class Heard(requests.Response):
    """An answer as requests has it, of what is asked of one here; it has no cookies, for nobody here keeps any."""

    def __init__(self, raw: Octets, url: str, connection: Any) -> None:
        # What requests sets up for every answer costs as much as to read its head.
        self.status_code, self.reason, self.url, self.raw = raw.status, raw.reason, url, raw
        self.headers = CaseInsensitiveDict(_joined(raw.headers))
        self.encoding, self.history, self.connection = None, [], connection
        self._content = False  # type: ignore[assignment]  # as requests itself has it
        self._content_consumed = False

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        """None."""
        return RequestsCookieJar()

    def close(self) -> None:
        """Let go of an answer, and of the connection that the rest of it would come on."""
        self.raw.close()
        self.connection.close()


def _joined(fields: http.client.HTTPMessage) -> dict[str, str]:
    """Return header fields with those that come several times as one, as requests has them."""
    joined: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in fields.items():
        if "\r\n" in value:
            value = FOLD.sub(" ", value)  # noqa: PLW2901 - the same, on one line
        first = names.setdefault(name.lower(), name)
        joined[first] = f"{joined[first]}, {value}" if first in joined else value
    return joined


class Line:
    """A connection out of a pool of urllib3, which opens it anew where it was closed."""

    def __init__(self, find_pool: Callable[[], Any], url: str, *, timeout: float, most: int) -> None:
        self._find_pool, self._url, self._timeout, self._most = find_pool, url, timeout, most
        self._pool = find_pool()

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, *, length: bool
    ) -> requests.Response:
        """Send one request, and return its answer, of whose body so much was read as is ever read.

        Raise what requests raises: ``ConnectTimeout``, ``ReadTimeout``, ``SSLError`` or ``ConnectionError``.
        """
        connection = self._connection()
        whole = False
        try:
            self._open(connection)
            _send(connection, method, target, _framed(headers, method, body, length=length), body)
            response = self._heard(connection)
            whole = True
            return response
        finally:
            if not whole:
                connection.close()
            self._pool._put_conn(connection)  # noqa: SLF001

    def _connection(self) -> Any:
        try:
            return self._pool._get_conn()  # noqa: SLF001 - urllib3 has no other way to a connection
        except urllib3.exceptions.ClosedPoolError:
            self._pool = self._find_pool()
            return self._pool._get_conn()  # noqa: SLF001

    def _open(self, connection: Any) -> None:
        connection.timeout = self._timeout
        try:
            self._pool._validate_conn(connection)  # noqa: SLF001 - opens a secure one, and warns of one that is not
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._timeout)
        except urllib3.exceptions.NewConnectionError as problem:
            raise requests.ConnectionError(problem) from problem
        except urllib3.exceptions.ConnectTimeoutError as problem:
            raise requests.ConnectTimeout(problem) from problem
        except (ssl.SSLError, urllib3.exceptions.SSLError, ssl.CertificateError) as problem:
            raise _of_tls(problem) from problem
        except TimeoutError as problem:
            raise requests.ReadTimeout(problem) from problem
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise requests.ConnectionError(problem) from problem

    def _heard(self, connection: Any) -> requests.Response:
        try:
            raw: Octets = http.client.HTTPConnection.getresponse(connection)  # type: ignore[assignment]
        except ssl.SSLError as problem:
            raise _of_tls(problem) from problem
        except TimeoutError as problem:
            raise requests.ReadTimeout(problem) from problem
        except (http.client.HTTPException, OSError) as problem:
            raise requests.ConnectionError(problem) from problem
        response = Heard(raw, self._url, connection)
        read_body(response, raw.part, self._most)
        return response


def _framed(headers: Mapping[str, str], method: str, body: bytes | None, *, length: bool) -> Iterator[tuple[str, str]]:
    """Yield the fields of a request, and how long its body is, unless that is not to be told."""
    told = any(name.lower() == "content-length" for name in headers)
    if length and not told and (body is not None or method.upper() not in EXPECTS_NO_BODY):
        yield "Content-Length", str(len(body or b""))
    for name, value in headers.items():
        if length or name != "Content-Length":
            yield name, value


def _send(connection: Any, method: str, target: str, fields: Iterator[tuple[str, str]], body: bytes | None) -> None:
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in fields:
            http.client.HTTPConnection.putheader(connection, name, value)
        connection.endheaders()
        if body:
            connection.send(body)
    except OSError as problem:
        if problem.errno not in LATE:
            raise requests.ConnectionError(problem) from problem


def _of_tls(problem: Exception) -> requests.RequestException:
    timed_out = "timed out" in str(problem)
    return (requests.ReadTimeout if timed_out else requests.exceptions.SSLError)(problem)
