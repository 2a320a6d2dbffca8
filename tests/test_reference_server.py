"""The embedded service on the wire, octet by octet."""

import shlex
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.server import Server, exports, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Serve an app for all tests of this module."""
    with serving(App()) as running:
        yield running


class Wire:
    """A connection that sends what it is told and reads one answer at a time."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        self._file = self.socket.makefile("rb")
        self.token = server.app.identity.issue("tester").value
        project = server.app.identity.users["tester"].project.id
        self.image = server.app.images.create(Caller(project), {})

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self.socket.close()

    def send(self, line: str, *fields: str, body: bytes = b"") -> None:
        """Send a request with a token."""
        head = "\r\n".join([line, "Host: x", f"X-Auth-Token: {self.token}", *fields, "\r\n"])
        self.socket.sendall(head.encode("latin-1") + body)

    def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Read one answer: status, fields and body."""
        status = int(self._file.readline().split()[1])
        fields: dict[str, str] = {}
        while (line := self._file.readline().decode()) != "\r\n":
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return status, fields, b"" if head else self._file.read(int(fields.get("content-length", 0)))

    def ended(self) -> bool:
        """Return whether the server has closed the connection."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True


@pytest.fixture
def transport(server: Server) -> Iterator[Wire]:
    """Open a connection, with an image of the tester's."""
    connection = Wire(server)
    yield connection
    connection.close()


def test_a_204_says_nothing_of_content(transport: Wire) -> None:
    """It has neither Content-Length nor Transfer-Encoding nor Content-Type, and the next answer follows at once."""
    for _ in range(2):
        transport.send(f"PUT /v2/images/{transport.image.id}/tags/a HTTP/1.1")
        status, fields, _ = transport.answer()

        assert status == 204
        assert set(fields) == {"date", "x-openstack-request-id"}


@pytest.mark.parametrize("target", ["tags/a%2Fb", "tags/a%2fb", "tags/..", "tags/a+b", 'tags/"<>[]^`{|}\\'])
def test_targets_arrive_as_they_were_sent(target: str) -> None:
    """The app sees the octets of the wire, not a tidied path."""
    seen: list[str] = []

    class Listening(App):
        def handle(self, request: Request) -> Reply:
            seen.append(request.target)
            return super().handle(request)

    with serving(Listening()) as server:
        transport = Wire(server)
        transport.send(f"GET /{target} HTTP/1.1")
        transport.answer()
        transport.close()

    assert seen == [f"/{target}"]


def test_the_absolute_form(transport: Wire) -> None:
    """A target with scheme and host means the same."""
    transport.send(f"PUT http://x/v2/images/{transport.image.id}/tags/a HTTP/1.1")

    assert (transport.answer()[0], transport.image.tags) == (204, ["a"])


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("Content-Length: 0", b""),
        ("Content-Length: 5", b"hello"),
        ("Transfer-Encoding: chunked", b"0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n"),
    ],
)
def test_bodies_are_read_and_ignored(transport: Wire, method: str, field: str, body: bytes) -> None:
    """After a request with a body the connection is ready for the next."""
    transport.image.tags[:] = ["a"]
    transport.send(f"{method} /v2/images/{transport.image.id}/tags/a HTTP/1.1", field, body=body)
    assert transport.answer()[0] == 204

    transport.send("GET /v2/nowhere HTTP/1.1")
    assert transport.answer()[0] == 404


def test_expect_100_continue(transport: Wire) -> None:
    """A client that waits for leave to send its body is given it."""
    transport.send(
        "POST /v2/images HTTP/1.1", "Content-Length: 2", "Content-Type: application/json", "Expect: 100-continue"
    )
    assert transport.answer()[0] == 100

    transport.socket.sendall(b"{}")
    assert transport.answer()[0] == 201


def test_head_has_no_body(transport: Wire) -> None:
    """HEAD tells the length and sends nothing."""
    transport.send("HEAD /versions HTTP/1.1")
    status, fields, _ = transport.answer(head=True)
    assert (status, int(fields["content-length"]) > 0) == (200, True)

    transport.send("GET /versions HTTP/1.1")
    assert transport.answer()[0] == 200


def test_an_error_keeps_the_connection(transport: Wire) -> None:
    """A well-framed request that is refused does not end the connection."""
    for line, status in (("FOO /v2/x HTTP/1.1", 501), ("PUT /v2/%zz HTTP/1.1", 400), ("GET /v2/x HTTP/1.1", 404)):
        transport.send(line)

        assert transport.answer()[0] == status


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nName : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: x\r\n folded\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_what_is_no_request(transport: Wire, octets: bytes, status: int) -> None:
    """Octets that cannot be framed are refused, and the connection ends."""
    transport.socket.sendall(octets)
    answered, fields, body = transport.answer()

    assert (answered, fields["connection"]) == (status, "close")
    assert fields["date"]
    assert body
    assert transport.ended()


def test_a_target_of_8000_octets(transport: Wire) -> None:
    """255 characters of four octets each fit into a target."""
    transport.send(f"PUT /v2/images/{transport.image.id}/tags/{'%F0%9F%98%80' * 255}?{'x' * 5000} HTTP/1.1")

    assert transport.answer()[0] == 204


def test_connection_close_is_honoured(transport: Wire) -> None:
    """Who asks for the end of the connection gets it."""
    transport.send("GET /versions HTTP/1.1", "Connection: close")

    assert transport.answer()[1]["connection"] == "close"
    assert transport.ended()


def test_a_crash_is_a_500_with_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """A bug in the app is answered, and shown on stderr."""

    class Broken(App):
        def handle(self, request: Request) -> Reply:
            raise ZeroDivisionError(request.method)

    with serving(Broken()) as server:
        transport = Wire(server)
        transport.send("GET / HTTP/1.1")
        assert transport.answer()[0] == 500
        transport.close()

    assert "ZeroDivisionError: GET" in capfd.readouterr().err


def test_an_app_may_drop_the_connection() -> None:
    """ConnectionError from the app ends the connection without an answer."""

    class Rude(App):
        def handle(self, request: Request) -> Reply:
            raise ConnectionAbortedError(request.method)

    with serving(Rude()) as server:
        transport = Wire(server)
        transport.send("GET / HTTP/1.1")
        assert transport.ended()
        transport.close()


def test_the_end_of_the_block_ends_everything() -> None:
    """Idle connections are closed, and the port is free for the next server."""
    with serving(App()) as server:
        transport = Wire(server)
        transport.send("GET /versions HTTP/1.1")
        transport.answer()

    assert transport.ended()
    transport.close()
    with serving(App(), port=server.port) as again:
        assert again.port == server.port


def test_parallel_clients_lose_nothing(server: Server) -> None:
    """Tags that several connections add at once are all there, each of them once."""
    app = server.app
    image = app.images.create(Caller(app.identity.users["tester"].project.id), {})
    token = app.identity.issue("tester").value

    def add(client: int) -> list[int]:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        statuses = []
        for number in range(10):
            for tag in (f"{client}-{number}", f"all-{number}"):
                connection.request("PUT", f"/v2/images/{image.id}/tags/{tag}", headers={"X-Auth-Token": token})
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for each in pool.map(add, range(8)) for status in each]

    own = [f"{client}-{number}" for client in range(8) for number in range(10)]
    assert set(statuses) == {204}
    assert sorted(image.tags) == sorted(own + [f"all-{number}" for number in range(10)])


def test_exports_are_shell_lines(server: Server) -> None:
    """Every user can be reached with what `cloudimages serve` prints."""
    lines = exports(server).splitlines()
    environment = dict(shlex.split(line)[1].split("=", 1) for line in lines)

    assert environment["OS_AUTH_URL"] == f"http://127.0.0.1:{server.port}/identity"
    users = {"OS": "tester", "OS_ALT": "other", "OS_READER": "reader", "OS_CREATOR": "creator", "OS_ADMIN": "admin"}
    for prefix, user in users.items():
        assert environment[f"{prefix}_USERNAME"] == user
        assert environment[f"{prefix}_PASSWORD"] == server.app.identity.users[user].password
