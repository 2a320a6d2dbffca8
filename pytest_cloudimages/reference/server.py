"""An app on a local port for as long as a block lasts."""

import re
import shlex
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast

from .app import App, Headers, Reply, Request
from .documents import REGION
from .identity import DOMAIN

LONGEST_TARGET = 65536  # octets
LONGEST_HEADERS = 65536  # octets, all lines together
LARGEST_BODY = 2**26  # octets

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2
REQUEST_LINE = re.compile(rf"({TOKEN}) (\S+) HTTP/(1)\.([0-9])\r?\n".encode(), re.ASCII)
FIELD = re.compile(rf"({TOKEN}):[ \t]*((?:[^\0\r\n]*[^\0\r\n\t ])?)[ \t]*\r?\n")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
ABSOLUTE_FORM = re.compile(r"https?://[^/?#]*/?", re.IGNORECASE)

OTHERS = {
    "OS": "tester",
    "OS_ALT": "other",
    "OS_READER": "reader",
    "OS_CREATOR": "creator",
    "OS_ADMIN": "admin",
    "OS_ACCOUNT_ADMIN": "account-admin",
    "OS_IMAGES_ADMIN": "images-admin",
    "OS_OBSERVER": "observer",
    "OS_TWO_ROLES": "two-roles",
}
"""The prefix of the environment variables of each user."""
BODILESS = frozenset({204, 304})
PHRASES = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):  # noqa: N818 - theirs, not ours
    """The octets are not a request that the server reads; the connection is closed after the answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server(ThreadingTCPServer):
    """An app on a local port. Opening binds the port, `close` ends every connection and frees it."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: App, port: int = 0, host: str = "127.0.0.1") -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), Connection)
        self.port: int = self.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self.auth_url = f"{self.url}/identity"
        app.url = self.url

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, to end it with the server."""
        with self._lock:
            self._connections.add(cast("socket.socket", request))
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """Forget the connection, and close it."""
        with self._lock:
            self._connections.discard(cast("socket.socket", request))
        super().shutdown_request(request)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop answering, end every connection and free the port."""
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended by itself

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong on a connection, unless the client closed it."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(app: App, port: int = 0, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve an app in the background for one block; port 0 takes a free one."""
    server = Server(app, port, host)
    # poll_interval bounds only how long the loop takes to notice that the block has ended.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.close()


def exports(server: Server) -> str:
    """Write the shell lines by which an OpenStack client finds the server, and its other users."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(server).items())


def environment(server: Server) -> dict[str, str]:
    """Return the environment variables by which an OpenStack client finds the server, and those of its other users."""
    users = server.app.identity.users
    lines = {
        "OS_AUTH_URL": server.auth_url,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_REGION_NAME": REGION,
        "CLOUDIMAGES_API_KEY": users["tester"].api_key,
        "CLOUDIMAGES_NO_LOCKOUT": "1",
    }
    for prefix, name in OTHERS.items():
        user = users[name]
        lines |= {
            f"{prefix}_USERNAME": user.name,
            f"{prefix}_PASSWORD": user.password,
            f"{prefix}_PROJECT_NAME": user.project.name,
            f"{prefix}_USER_DOMAIN_NAME": DOMAIN["name"],
            f"{prefix}_PROJECT_DOMAIN_NAME": DOMAIN["name"],
        }
    # An expired token, as an administrator would keep one for checks of expired tokens.
    expired = server.app.identity.issue("tester", timedelta(seconds=-1))
    return lines | {"CLOUDIMAGES_EXPIRED_TOKEN": expired.value}


class Connection(StreamRequestHandler):
    """One connection: reads a request, writes the answer at once, and waits for the next.

    http.server would do, but spends most of its time on parsing headers as if they were e-mail.
    """

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Answer requests until either side closes the connection."""
        while self._one():
            pass

    def _one(self) -> bool:
        try:
            line = self._request_line()
            if not line:
                return False
            request, keep = self._request(line)
        except BadRequest as error:
            # What follows on the connection may not be the beginning of a request.
            self._write(_refusal(error.status, str(error)), keep=False)
            return False
        try:
            reply = self.server.app.handle(request)
        except ConnectionError:
            return False
        except Exception:  # noqa: BLE001 - whatever the app raises, the client is owed an answer
            traceback.print_exc()
            reply = _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "The server has a bug.")
        self._write(reply, keep=keep, head=request.method == "HEAD")
        return keep

    def _request_line(self) -> bytes:
        line = self.rfile.readline(LONGEST_TARGET + 64)
        # "a server ... SHOULD ignore at least one empty line (CRLF) received prior to the request-line" (RFC 9112, 2.2)
        if line == b"\r\n":
            line = self.rfile.readline(LONGEST_TARGET + 64)
        return line

    def _request(self, line: bytes) -> tuple[Request, bool]:
        match = REQUEST_LINE.fullmatch(line)
        if match is None:
            if len(line) > LONGEST_TARGET:
                raise BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG, f"A target has at most {LONGEST_TARGET} octets.")
            raise BadRequest(HTTPStatus.BAD_REQUEST, "This is not a request line of HTTP/1.1.")
        method, target, _, minor = match.groups()
        if len(target) > LONGEST_TARGET:
            raise BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG, f"A target has at most {LONGEST_TARGET} octets.")
        headers = self._headers()
        connection = headers.get("connection", "").lower()
        keep = "close" not in connection and (minor != b"0" or "keep-alive" in connection)
        body = self._body(headers)
        text = target.decode("latin-1")
        if not text.startswith("/"):
            # "a server MUST accept the absolute-form in requests" (RFC 9112, 3.2.2)
            text = ABSOLUTE_FORM.sub("/", text, count=1)
        return Request(method.decode(), text, headers, body), keep

    def _headers(self) -> Headers:
        lines: list[tuple[str, str]] = []
        left = LONGEST_HEADERS
        while True:
            line = self.rfile.readline(left + 1)
            left -= len(line)
            if left < 0:
                raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header section is too large.")
            if line in (b"\r\n", b"\n"):
                return Headers(lines)
            # A name with a blank, and a folded line, let two readers see two different messages (RFC 9112, 5).
            field = FIELD.fullmatch(line.decode("latin-1"))
            if field is None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "This is not a header line.")
            lines.append((field[1], field[2]))

    def _body(self, headers: Headers) -> bytes:
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length")
        if coding is None and length is None:
            return b""
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if coding is not None:
            if length is not None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "Content-Length does not go with Transfer-Encoding.")
            if coding.lower() != "chunked":
                raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "The only transfer coding known here is chunked.")
            return self._chunks()
        if length is None or not re.fullmatch(r"[0-9]{1,18}", length):
            raise BadRequest(HTTPStatus.BAD_REQUEST, "Content-Length is a number of octets.")
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            match = CHUNK_SIZE.fullmatch(self.rfile.readline(LONGEST_HEADERS))
            if match is None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "This is not a chunk.")
            size = int(match[1], 16)
            if size == 0:
                self._headers()  # the trailer section
                return bytes(body)
            body += self._exactly(size, had=len(body))
            if self.rfile.readline(3) not in (b"\r\n", b"\n"):
                raise BadRequest(HTTPStatus.BAD_REQUEST, "The chunk is longer than it says.")

    def _exactly(self, size: int, had: int = 0) -> bytes:
        if had + size > LARGEST_BODY:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {LARGEST_BODY} octets.")
        octets = self.rfile.read(size)
        if len(octets) < size:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "The body ends too soon.")
        return octets

    def _write(self, reply: Reply, *, keep: bool, head: bool = False) -> None:
        status = int(reply.status)
        lines = [f"HTTP/1.1 {status} {PHRASES.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        # A body that comes in chunks has no length of its own (RFC 9112, 6.2).
        measured = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in reply.headers)
        # "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx or 204"
        # (RFC 9110, 8.6)
        bodiless = status in BODILESS and not measured
        if not bodiless and not measured:
            lines.append(f"Content-Length: {len(reply.body)}")
        if not keep:
            lines.append("Connection: close")
        octets = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        # One write: a second packet would wait 40 ms for the acknowledgement of the first.
        self.wfile.write(octets if head or bodiless else octets + reply.body)


def _refusal(status: HTTPStatus, message: str) -> Reply:
    headers = (("Date", formatdate(usegmt=True)), ("Content-Type", "text/plain; charset=utf-8"))
    return Reply(status, f"{status.value} {status.phrase}\n\n{message}\n".encode(), headers)
