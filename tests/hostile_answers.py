"""What a service may send in place of an answer: each kind makes octets of the answer that was due."""

from __future__ import annotations

import gzip
import itertools
import json
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MIB = 1024 * 1024
LARGE = 50 * MIB
DRIP = 0.02
"""Seconds between two octets of an answer that never ends."""
FOREIGN = "http://127.0.0.2:1/v2/images"

NO_CONTENT = 204

KINDS: dict[str, Callable[[Reply], Iterable[bytes]]] = {}
OVER = Event()
"""Set where nothing is waited for any more."""


def framed(reply: Reply, body: bytes, *fields: str, status: str = "", length: str | None = None) -> bytes:
    """Return an answer with another body, more header fields, and whatever is said of its length."""
    lines = [f"HTTP/1.1 {status or f'{int(reply.status)} x'}", *(f"{name}: {value}" for name, value in reply.headers)]
    lines += [*fields, "Connection: close"]
    lines += [f"Content-Length: {len(body) if length is None else length}"] if length != "" else []
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def _body(name: str, body: bytes, *fields: str) -> None:
    KINDS[name] = lambda reply: [framed(reply, body, *fields)]


for _name, _text in {
    "nothing": b"",
    "null": b"null",
    "true": b"true",
    "a number": b"-0",
    "a text": b'"tags"',
    "a list": b"[1, null]",
    "an empty object": b"{}",
    "a page": b"<html><script>alert(1)</script>\x1b[31m</html>",
    "half a document": b'{"id": "a", "tags": [',
    "a document and more": b'{"id": "a", "tags": []} {}',
    "NaN": b'{"id": NaN, "size": Infinity, "tags": [NaN], "images": [NaN]}',
    "numbers beyond doubles": b'{"id": 1e999, "tags": [-1e999], "images": [1e999], "size": 1e400}',
    "a number of 100,000 digits": b'{"id": %s, "tags": [%s]}' % (b"9" * 100_000, b"9" * 100_000),
    "names twice": b'{"id": "a", "id": "b", "tags": ["a"], "tags": [], "images": [], "images": [{}]}',
    "lists nested deep": b"[" * 200_000,
    "objects nested deep": b'{"images":' * 100_000 + b"1" + b"}" * 100_000,
    "tags nested deep": b'{"id": "a", "tags": ' + b"[" * 900 + b"]" * 900 + b"}",
    "UTF-16": '{"id": "a", "tags": ["b"], "images": []}'.encode("utf-16"),
    "UTF-32": '{"id": "a", "tags": ["b"], "images": []}'.encode("utf-32-be"),
    "a byte order mark": b'\xef\xbb\xbf{"id": "a", "tags": ["b"], "images": []}',
    "no UTF-8": b'{"id": "\xff\xfe", "tags": ["\xc0\x80"], "images": ["\xed\xa0\x80"]}',
    "lone surrogates": b'{"id": "\\ud800", "tags": ["\\udfff"], "images": [{"id": "\\ud800"}], "next": "\\ud800"}',
    "NULs": b"\0" * 1000,
    "values of other kinds": b'{"id": 7, "tags": {"a": 1}, "images": {"id": 3}, "next": 5, "token": 9, "versions": 1}',
    "entries of other kinds": b'{"images": [null, [], "x", {"id": [], "tags": 1}], "tags": [null, {}, []]}',
    "control characters": b'{"id": "\\u001b[2J", "tags": ["\\u0000"], "images": [], "message": "\\u202e##[error]"}',
    "50 MB of white space": b" " * LARGE,
    "50 MB of tags": b'{"id": "a", "tags": [' + b'"abcdefg",' * (LARGE // 10) + b'"z"]}',
    "50 MB without a sense": b"\xff" * LARGE,
}.items():
    _body(_name, _text)

BOMB = gzip.compress(gzip.compress(b" " * LARGE, 9), 9)
_body("a gzip bomb", gzip.compress(b"[" + b" " * LARGE + b"]", 9), "Content-Encoding: gzip")
_body("a bomb in a bomb", BOMB, "Content-Encoding: gzip, gzip")
_body("broken gzip", b"\x1f\x8b\x08 this is none", "Content-Encoding: gzip")
_body("a coding that nobody knows", b"{}", "Content-Encoding: zstd-of-mine")
_body("a character set that nobody knows", b"{}", "Content-Type: application/json; charset=no-such")


def kind(name: str) -> Callable[[Callable[[Reply], Iterable[bytes]]], Callable[[Reply], Iterable[bytes]]]:
    """Keep a kind under a name."""

    def kept(made: Callable[[Reply], Iterable[bytes]]) -> Callable[[Reply], Iterable[bytes]]:
        KINDS[name] = made
        return made

    return kept


# What ends where

for _length in ("-1", "-50000000", "many", "1e3", "+5", "0x10", "٣", "9" * 40, "5, 6", ""):
    KINDS[f"length {_length[:12]!r}"] = lambda reply, length=_length or " ": [framed(reply, b"{}", length=length)]  # type: ignore[misc]
for _chunk in (b"-1", b"-5", b"zz", b"", b"f" * 16, b"7fffffffffffffff", b"5;" + b"x" * 200_000):
    KINDS[f"chunk {_chunk[:12].decode()!r}"] = lambda reply, chunk=_chunk: [  # type: ignore[misc]
        framed(reply, chunk + b"\r\n[1, 2, 3, 4]\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length="")
    ]
KINDS["a length that is too long"] = lambda reply: [framed(reply, reply.body, length=str(len(reply.body) + 7))]
KINDS["a length that is too short"] = lambda reply: [framed(reply, reply.body + b"HTTP/1.1 200 OK\r\n\r\n", length="1")]
KINDS["two lengths"] = lambda reply: [framed(reply, b"[]", "Content-Length: 1")]
KINDS["a length and chunks"] = lambda reply: [framed(reply, b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked")]
KINDS["a coding of transfer"] = lambda reply: [framed(reply, b"{}", "Transfer-Encoding: gzip, chunked", length="")]


@kind("a body without an end")
def _endless(reply: Reply) -> Iterator[bytes]:
    yield framed(reply, b"", length="")
    yield from itertools.repeat(b"[" * 65_536)


@kind("chunks without an end")
def _chunks(reply: Reply) -> Iterator[bytes]:
    yield framed(reply, b"", "Transfer-Encoding: chunked", length="")
    yield from itertools.repeat(b"1\r\n \r\n" * 10_000)


@kind("the size of a chunk without an end")
def _size(reply: Reply) -> Iterator[bytes]:
    yield framed(reply, b"", "Transfer-Encoding: chunked", length="")
    yield from itertools.repeat(b"0" * 65_536)


@kind("trailers without an end")
def _trailers(reply: Reply) -> Iterator[bytes]:
    yield framed(reply, b"2\r\n{}\r\n0\r\n", "Transfer-Encoding: chunked", length="")
    yield from itertools.repeat(b"X-Again: and again\r\n" * 1000)


# Heads

KINDS["200 header fields"] = lambda reply: [framed(reply, reply.body, *(f"X-{n}: {n}" for n in range(200)))]
KINDS["a header field of a megabyte"] = lambda reply: [framed(reply, reply.body, f"X-Long: {'x' * MIB}")]
KINDS["90 header fields of 60 KiB"] = lambda reply: [framed(reply, reply.body, *[f"X: {'x' * 60_000}"] * 90)]
KINDS["lines that are no header fields"] = lambda reply: [framed(reply, reply.body, "no field", ": x", "\x00: \x01")]
KINDS["fields beyond ASCII"] = lambda reply: [framed(reply, reply.body, "X-é: 漢", "Location: http://漢/\udcff")]
KINDS["odd cookies"] = lambda reply: [framed(reply, reply.body, "Set-Cookie: =;;a;=\x01; Domain=..; Max-Age=1e9")]
KINDS["odd dates"] = lambda reply: [framed(reply, reply.body, "Date: 99 Foo 99999", "Retry-After: -1e9")]
KINDS["a redirect elsewhere"] = lambda reply: [framed(reply, b"", f"Location: {FOREIGN}", status="307 x")]
KINDS["a redirect in a circle"] = lambda reply: [framed(reply, b"", "Location: ?", status="301 x")]
KINDS["HTTP/0.9"] = lambda reply: [reply.body or b"x"]
for _line in (
    "HTTP/9.9 200 OK",
    "HTTP/1.1 abc",
    "HTTP/1.1 99 x",
    "HTTP/1.1 2000 x",
    "HTTP/1.1",
    "ICY 200 OK",
    "\x16\x03\x01",
):
    KINDS[f"the line {_line!r}"] = lambda reply, line=_line: [f"{line}\r\n\r\n".encode() + reply.body]  # type: ignore[misc]
for _status in (100, 101, 103, 199, 299, 304, 399, 418, 499, 600, 999):
    KINDS[f"status {_status}"] = lambda reply, status=_status: [framed(reply, reply.body, status=f"{status} x")]  # type: ignore[misc]


@kind("header fields without an end")
def _fields(reply: Reply) -> Iterator[bytes]:
    del reply
    yield b"HTTP/1.1 200 OK\r\n"
    yield from itertools.repeat(b"X-Again: and again\r\n" * 1000)


@kind("a line without an end")
def _line_of(reply: Reply) -> Iterator[bytes]:
    del reply
    yield b"HTTP/1.1 200 "
    yield from itertools.repeat(b"O" * 65_536)


@kind("nothing but 100 Continue")
def _continues(reply: Reply) -> Iterator[bytes]:
    del reply
    yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


# Slow ones


def _dripping(octets: bytes) -> Iterator[bytes]:
    for number in range(len(octets)):
        if OVER.wait(DRIP):
            return
        yield octets[number : number + 1]


KINDS["a head that drips"] = lambda reply: _dripping(framed(reply, reply.body))
KINDS["a body that drips"] = lambda reply: itertools.chain(
    [framed(reply, b"", length="100000")], _dripping(b" " * 100_000)
)
KINDS["silence"] = lambda _: _dripping(b"")
KINDS["an end at once"] = lambda _: []


@kind("no end of the connection")
def _open(reply: Reply) -> Iterator[bytes]:
    yield framed(reply, reply.body or b"{}", length="")
    OVER.wait(5)


# Ids, and links

IDS: dict[str, Any] = {
    "beyond ASCII": "é漢😀",
    "..": "..",
    ".": ".",
    "a way out": "../../identity/v3",
    "another's tag": "6e0b6ee4-0b43-4d6c-9f3a-0123456789ab/tags/golden",
    "10,000 characters": "a" * 10_000,
    "nothing": "",
    "a blank": " ",
    "a line": "a\r\nX-Evil: 1",
    "a query": "a?b#c",
    "percents": "%2e%2e%2f",
    "a surrogate": "\ud800",
    "a number": 7,
    "null": None,
    "a list": ["a"],
    "an object": {"id": "a"},
}
LINKS: dict[str, Any] = {
    "another host": FOREIGN,
    "another scheme": "file:///etc/passwd",
    "no URL": "http://[::1",
    "a user": "//a:b@127.0.0.1/v2/images?marker=a",
    "a way out": "/v2/../identity/v3/users",
    "a hidden way out": "/v2/images/%2e%2e/%2e%2e/x",
    "a line": "/v2/images?a\r\nX-Evil: 1",
    "beyond ASCII": "/v2/images?marker=é\ud800",
    "itself": "?",
    "a megabyte": "/v2/images?" + "x" * 500_000,
    "a number": 5,
}


def _with(reply: Reply, change: Callable[[dict[str, Any]], Any]) -> list[bytes]:
    try:
        data = json.loads(reply.body)
    except ValueError:
        return [framed(reply, reply.body)]
    for entry in [data, *(data.get("images", ()) if isinstance(data, dict) else ())]:
        if isinstance(entry, dict):
            change(entry)
    return [framed(reply, json.dumps(data).encode())]


for _name, _id in IDS.items():
    KINDS[f"the id {_name}"] = lambda reply, value=_id: _with(  # type: ignore[misc]
        reply, lambda entry: entry.update(id=value) if "id" in entry else None
    )
for _name, _link in LINKS.items():
    KINDS[f"a link to {_name}"] = lambda reply, value=_link: _with(  # type: ignore[misc]
        reply, lambda entry: entry.update(next=value) if "images" in entry else None
    )

SLOW = frozenset({"a head that drips", "a body that drips", "silence", "no end of the connection"})
"""Those that take as long as they are given."""


# Where they are met

PLACES: dict[str, Callable[[str, str], bool]] = {
    "create": lambda method, path: method == "POST" and path == "/v2/images",
    "show": lambda method, path: method == "GET" and path.count("/") == 3 and path.startswith("/v2/images/"),
    "list": lambda method, path: method == "GET" and path == "/v2/images",
    "put": lambda method, path: method == "PUT" and "/tags/" in path,
    "delete": lambda method, path: method == "DELETE" and "/tags/" in path,
    "destroy": lambda method, path: method == "DELETE" and "/tags/" not in path,
    "patch": lambda method, path: method == "PATCH" and path.startswith("/v2/"),
    "versions": lambda method, path: method == "GET" and path in ("/", "/v2", "/v2/", "/identity", "/identity/v3"),
    "token": lambda method, path: method == "POST" and path.startswith("/identity"),
}


class Octets(Reply):
    """A reply that is written as these octets, one part after the other; then the connection ends."""

    __slots__ = ("parts",)
    parts: Iterable[bytes]


class RawConnection(Connection):
    """Writes such replies."""

    def _write(self, reply: Reply, *, keep: bool, head: bool = False) -> None:
        if not isinstance(reply, Octets):
            super()._write(reply, keep=keep, head=head)
            return
        for part in reply.parts:
            self.wfile.write(part)
        raise ConnectionResetError


class Hostile(App):
    """Answers requests of one place with what is hostile: of the kinds in turn, after so many good answers."""

    def __init__(self, kinds: Iterable[str], places: Iterable[str], *, after: int = 0, every: int = 1) -> None:
        super().__init__()
        self.kinds = itertools.cycle([*kinds])
        self.places = [PLACES[place] for place in places]
        self.after, self.every, self.turn = after, every, 0
        self.gate = Lock()
        self.met: list[str] = []
        self.signs_in = "token" in places

    def handle(self, request: Request) -> Reply:
        """Carry the request out, and answer something else."""
        reply = super().handle(request)
        if not any(matches(request.method, request.path) for matches in self.places):
            return reply
        with self.gate:
            self.turn += 1
            if self.turn <= self.after or self.turn % self.every:
                return reply
            name = next(self.kinds)
            self.met.append(name)
        return octets_of(KINDS[name], reply)


def octets_of(made: Callable[[Reply], Iterable[bytes]], reply: Reply) -> Octets:
    """Return a reply that a kind makes of another."""
    # Where there is no body, nobody reads one.
    octets = Octets(200 if reply.status == NO_CONTENT else reply.status, reply.body, reply.headers)
    object.__setattr__(octets, "parts", made(octets))
    return octets
