"""A server in front of Glance that mends what Glance does not meet, each departure by itself."""

from __future__ import annotations

import http.client
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HALF_AN_OCTET = re.compile(r"%(?![0-9A-Fa-f]{2})")
OF_A_TAG = re.compile(r"(/v2/images/[^/?]+)/tags/([^/?]+)(?:\?.*)?")
EMPTY_TOKEN = re.compile(rb'"/(?:/[^"]*)?"')
OF_AN_IMAGE = re.compile(r"/v2/images/[^/?]+")
OF_MEMBERS = re.compile(r"/v2/images/[^/?]+/members")
LONGEST = 255
PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""

    @property
    def type(self) -> str:
        """The media type of the body, in lower case; empty where none is named."""
        named = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return named.partition(";")[0].strip().lower()

    def with_json(self, method: str, target: str, data: object, kind: str) -> Request:
        """Return a request of the same client with another body."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in {"content-type", *HOP_BY_HOP}]
        return Request(method, target, [*kept, ("Content-Type", kind)], json.dumps(data).encode())

    def without_a_body(self) -> Request:
        """Return the same request without its body."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in {"content-type", *HOP_BY_HOP}]
        return replace(self, headers=kept, body=b"")


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def data(self) -> Any:
        """The document in it; empty where it is not a success."""
        return json.loads(self.body) if self.status == HTTPStatus.OK else {}


def refused(status: HTTPStatus, why: str) -> Reply:
    """Return a refusal."""
    return Reply(status, [("Content-Type", "text/plain")], f"{why}\n".encode())


Upstream: TypeAlias = "Callable[[Request], Reply]"
Mend: TypeAlias = "Callable[[Request, Upstream], Request | Reply]"
"""Returns the request as it goes on, or what is answered instead."""


def whole_octets(request: Request, upstream: Upstream) -> Request | Reply:
    """Refuse targets with a malformed percent-encoding."""
    del upstream
    if HALF_AN_OCTET.search(request.target):
        return refused(HTTPStatus.BAD_REQUEST, "Malformed percent-encoding.")
    return request


def utf_8(request: Request, upstream: Upstream) -> Request | Reply:
    """Refuse targets whose octets are no UTF-8."""
    del upstream
    try:
        unquote_to_bytes(request.target).decode()
    except UnicodeDecodeError:
        return refused(HTTPStatus.BAD_REQUEST, "The octets of the target are no UTF-8.")
    return request


def bodies_ignored(request: Request, upstream: Upstream) -> Request | Reply:
    """Take the body off a request for a tag."""
    del upstream
    return request.without_a_body() if OF_A_TAG.fullmatch(request.target) else request


def exact_tags(request: Request, upstream: Upstream) -> Request | Reply:
    """Add and delete tags that Glance would alter by PATCH, which takes characters as they are."""
    found = OF_A_TAG.fullmatch(request.target)
    if not found or request.method not in ("PUT", "DELETE"):
        return request
    try:
        tag = unquote_to_bytes(found[2]).decode()
    except UnicodeDecodeError:
        return request
    if tag.isascii() and tag.isprintable() and "/" not in tag:
        return request
    return _by_patch(request, found[1], tag, upstream)


def _by_patch(request: Request, image: str, tag: str, upstream: Upstream) -> Reply:
    if len(tag) > LONGEST:
        return refused(HTTPStatus.BAD_REQUEST, "The tag is too long.")
    shown = upstream(replace(request.without_a_body(), method="GET", target=image))
    if shown.status != HTTPStatus.OK:
        return shown
    tags = shown.data["tags"]
    if request.method == "DELETE" and tag not in tags:
        return refused(HTTPStatus.NOT_FOUND, "The image has no such tag.")
    wanted = [*{*tags, tag}] if request.method == "PUT" else [each for each in tags if each != tag]
    change = [{"op": "replace", "path": "/tags", "value": wanted}]
    done = upstream(request.with_json("PATCH", image, change, PATCH_TYPE))
    return Reply(HTTPStatus.NO_CONTENT) if done.status == HTTPStatus.OK else done


def exact_filters(request: Request, upstream: Upstream) -> Request | Reply:
    """Ask Glance for all images in place of those of a tag, and hand on those that have it; of one page, all of them."""
    path, _, query = request.target.partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    wanted = [value for name, value in asked if name == "tag"]
    if request.method != "GET" or path != "/v2/images" or not any(tag != tag.strip() for tag in wanted):
        return request
    rest = [(name, value) for name, value in asked if name not in ("tag", "limit", "marker")]
    target, images, first = f"{path}?{urlencode(rest)}", [], None
    while target:
        reply = upstream(replace(request, target=target))
        if reply.status != HTTPStatus.OK:
            return reply
        page = reply.data
        first = first or page
        images += [image for image in page["images"] if {*wanted} <= {*image["tags"]}]
        target = page.get("next", "")
    kept = {name: value for name, value in (first or {}).items() if name != "next"}
    return Reply(HTTPStatus.OK, [("Content-Type", "application/json")], json.dumps({**kept, "images": images}).encode())


def whole_links(request: Request, upstream: Upstream) -> Request | Reply:
    """Put each value of a parameter that comes several times into the links of a list, of which Glance keeps the last."""
    path, _, query = request.target.partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in asked]
    several = [(name, value) for name, value in asked if names.count(name) > 1]
    if request.method != "GET" or path != "/v2/images" or not several:
        return request
    reply = upstream(request)
    if reply.status != HTTPStatus.OK:
        return reply
    page = reply.data
    for link in {"first", "next"} & {*page}:
        led, _, rest = page[link].partition("?")
        others = [each for each in parse_qsl(rest, keep_blank_values=True) if names.count(each[0]) <= 1]
        page[link] = f"{led}?{urlencode([*several, *others])}"
    return Reply(HTTPStatus.OK, [("Content-Type", "application/json")], json.dumps(page).encode())


def named_attributes(request: Request, upstream: Upstream) -> Request | Reply:
    """Refuse patches whose path has an empty token, or nothing else."""
    del upstream
    if request.method == "PATCH" and OF_AN_IMAGE.fullmatch(request.target) and EMPTY_TOKEN.search(request.body):
        return refused(HTTPStatus.BAD_REQUEST, "An attribute has a name.")
    return request


def known_types(request: Request, upstream: Upstream) -> Request | Reply:
    """Refuse members that are not JSON."""
    del upstream
    if request.method == "POST" and OF_MEMBERS.fullmatch(request.target) and request.type != "application/json":
        return refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Members are added as application/json.")
    return request


MENDS: dict[str, Mend] = {
    "TAG-URI-12": utf_8,
    "TAG-URI-13": whole_octets,
    "TAG-ADD-08": bodies_ignored,
    "TAG-DEL-08": bodies_ignored,
    **dict.fromkeys(("TAG-URI-09", "TAG-URI-11", "TAG-URI-21", "TAG-HIST-04"), exact_tags),
    "TAG-VIS-03": exact_filters,
    **dict.fromkeys(("TAG-VIS-04", "PAGE-06"), whole_links),
    "IMG-UPD-09": named_attributes,
    "GEN-04": known_types,
}
"""What mends each departure of Glance on SQLite (docs/glance.md), by the requirement that it misses."""
UNMENDED = ("TAG-ADD-14", "PAGE-05", "PAGE-08")
"""Departures that nothing in front mends: characters of four octets come into a tag by the route that counts octets
alone, and in which order the database has images without a size, it alone knows."""


class _Mending(BaseHTTPRequestHandler):
    """Hands requests on to Glance, but for what is mended."""

    protocol_version = "HTTP/1.1"
    glance = ""
    mend: Mend

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return what answers a request, whatever its method."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._answer

    def _answer(self) -> None:
        request = Request(self.command, self.path, self.headers.items(), self._body())
        mended = type(self).mend(request, self._upstream)
        reply = self._upstream(mended) if isinstance(mended, Request) else mended
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if not any(name.lower() == "date" for name, _ in reply.headers):
            self.send_header("Date", self.date_time_string())
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and reply.status != HTTPStatus.NO_CONTENT:
            self.wfile.write(reply.body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        octets = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            octets += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return octets

    def _upstream(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.glance).netloc)
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in HOP_BY_HOP:
                connection.putheader(name, value)
        if request.body or any(name.lower() in ("content-length", "transfer-encoding") for name, _ in request.headers):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.getheaders(), answer.read())
        connection.close()
        return reply

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def mending(glance: str, requirement: str) -> Iterator[str]:
    """Serve a front of Glance that mends one departure for a block; yield its address."""
    handler = type("Mending", (_Mending,), {"glance": glance, "mend": staticmethod(MENDS[requirement])})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
