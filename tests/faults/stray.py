"""Services that do what an address, a method or a body beside the tag seems to say, or say too much."""

import html
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks

KIND = Kind.CARRIED
NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)
KIB = 1024


def asked(*ids: str) -> tuple[str, ...]:
    """Return the words that ask for some requirements, and for what looks at the same requests and at few others."""
    return tuple(word for each in sorted({"TAG-URI-15", "TAG-METH-01", *ids}) for word in ("--select", each))


Effect = Callable[[Image, list[str]], None]


def _clears(image: Image, _: list[str]) -> None:
    image.tags.clear()


def _adds_the_first(image: Image, segments: list[str]) -> None:
    image.tags += [segments[0]] * (segments[0] not in image.tags)


def _deletes_any(image: Image, segments: list[str]) -> None:
    image.tags[:] = [tag for tag in image.tags if tag not in segments]


def _adds_a_posted_one(image: Image, _: list[str]) -> None:
    image.tags.append("posted")


class _ActsOnRefused(App):
    """Acts on a request that it refuses."""

    method = ""
    where: Callable[[str], bool]
    effect: Effect

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        found = re.fullmatch(r"/v2/images/([^/]+)/tags(.*)", request.path)
        if found and reply.status >= HTTPStatus.BAD_REQUEST and request.method == self.method and self.where(found[2]):
            with self.images.lock:
                type(self).effect(self.images.get(found[1]), found[2].strip("/").split("/"))
        return reply


TABLE: tuple[tuple[str, str, str, Callable[[str], bool], Effect, str], ...] = (
    ("ClearsByTheCollection", "Answers 404 to DELETE …/tags, and takes all tags away.",
     "DELETE", lambda rest: rest == "", _clears, "TAG-DEL-12"),
    ("DeletesBeforeASlash", "Answers 404 to a deletion with a slash behind the tag, and deletes it.",
     "DELETE", lambda rest: rest.endswith("/") and len(rest) > 1, _deletes_any, "TAG-DEL-12"),
    ("DeletesBehindTwoSlashes", "Answers 404 to a deletion with two slashes before the tag, and deletes it.",
     "DELETE", lambda rest: rest.startswith("//") and len(rest) > 2, _deletes_any, "TAG-DEL-12 TAG-URI-10"),
    ("DeletesAnySegment", "Answers 404 to a deletion whose address goes on behind the tag, and deletes every segment.",
     "DELETE", lambda rest: rest.count("/") > 2, _deletes_any, "TAG-DEL-12 TAG-URI-10"),
    ("AddsTheFirstSegment", "Answers 404 to an addition whose address goes on, and adds its first segment.",
     "PUT", lambda rest: rest.endswith("/file"), _adds_the_first, "TAG-ADD-22 TAG-URI-10"),
    ("AddsWhatIsPostedToAll", "Answers an error to POST …/tags, and adds a tag.",
     "POST", lambda rest: rest == "", _adds_a_posted_one, "TAG-ADD-22"),
)  # fmt: skip
"""Faults that act on what they refuse: a name, what each does, to which method and address, and what is found."""

for _name, _words, _method, _where, _effect, _found in TABLE:
    _members = {"__doc__": _words, "__module__": __name__, "method": _method, "effect": _effect}
    breaks(*_found.split(), words=asked(*_found.split()))(
        type(_name, (_ActsOnRefused,), {**_members, "where": staticmethod(_where)})
    )


@breaks("TAG-URI-15", words=asked())
class SetsTheCollection(App):
    """Answers 204 to PUT …/tags with a list, and sets the tags to it."""

    def answer(self, request: Request) -> Reply:
        found = re.fullmatch(r"/v2/images/([^/]+)/tags", request.path)
        if found and request.method == "PUT" and request.body:
            self.images.get(found[1]).tags[:] = ["posted"]
            return NO_CONTENT
        return super().answer(request)


@breaks("TAG-URI-10", words=asked("TAG-URI-10"))
class PassesOverNothing(App):
    """Takes no notice of a segment of a path that is empty."""

    def answer(self, request: Request) -> Reply:
        segments = [segment for segment in request.path.split("/") if segment]
        query = f"?{request.query}" if request.query else ""
        return super().answer(Request(request.method, f"/{'/'.join(segments)}{query}", request.headers, request.body))


@breaks("TAG-METH-01", "TAG-RESP-03", words=asked("TAG-RESP-03"))
class EchoesATrace(App):
    """Answers TRACE with all that was sent, the token included."""

    def answer(self, request: Request) -> Reply:
        if request.method != "TRACE":
            return super().answer(request)
        lines = [f"TRACE {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.lines)]
        return Reply(HTTPStatus.OK, "\r\n".join(lines).encode("latin-1"), (("Content-Type", "message/http"),))


@breaks("TAG-RESP-09", words=("--select", "TAG-RESP-09"))
class FailsAtLargeBodies(App):
    """Answers 500 to a body of more than sixteen KiB."""

    def answer(self, request: Request) -> Reply:
        if len(request.body) > 16 * KIB:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Too much.")
        return super().answer(request)


class _Writes(App):
    """Writes errors about tags in a way of its own."""

    def write(self, request: Request, reply: Reply, tag: str) -> Reply:
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        found = re.fullmatch(r"/v2/images/[^/]+/tags/(.+)", request.path)
        if found and reply.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
            return self.write(request, reply, unquote(found[1]))
        return reply


def _page(reply: Reply, body: str, kind: str = "text/html; charset=utf-8", *further: tuple[str, str]) -> Reply:
    return Reply(reply.status, body.encode(), (("Content-Type", kind), *further))


WRITTEN: tuple[tuple[str, str, Callable[[Request, Reply, str], Reply], str], ...] = (
    ("RepeatsMarkup", "Writes the tag into a page of its errors as it is.",
     lambda _, reply, tag: _page(reply, f"<html><p>There is no tag {tag}.</p></html>"), "TAG-RESP-03"),
    ("RepeatsLineBreaks", "Writes the tag into a header field of its errors as it is.",
     lambda _, reply, tag: Reply(reply.status, reply.body, (*reply.headers, ("X-Missing", _latin(tag)))),
     "TAG-RESP-03"),
    ("ShowsAStackTrace", "Explains its errors by a stack trace.",
     lambda _, reply, __: _page(reply, 'Traceback (most recent call last):\n  File "api.py", line 3', "text/plain"),
     "TAG-RESP-03"),
    ("ShowsTheQuery", "Explains its errors by the query that found nothing.",
     lambda _, reply, __: _page(reply, "SELECT value FROM image_tags WHERE deleted=0 gave nothing", "text/plain"),
     "TAG-RESP-03"),
    ("SaysJsonOfPages", "Says application/json of the pages that it writes for browsers.",
     lambda request, reply, __: _page(reply, "<html>No.</html>", "application/json")
     if "html" in request.headers.get("Accept", "") else reply, "TAG-RESP-04"),
    ("SaysHtmlOfJson", "Says text/html of errors in JSON.",
     lambda _, reply, __: _page(reply, '{"message": "no"}'), "TAG-RESP-04"),
)  # fmt: skip
"""Faults in what an error says: a name, what each does, how it writes, and what is found."""


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")


for _name, _words, _written, _found in WRITTEN:
    _members = {"__doc__": _words, "__module__": __name__, "write": lambda _, *how, written=_written: written(*how)}
    breaks(_found, words=asked("TAG-RESP-03", "TAG-RESP-04"))(type(_name, (_Writes,), _members))


# What is lawful

LAWFUL = asked(
    "TAG-ADD-04",
    "TAG-ADD-22",
    "TAG-DEL-12",
    "TAG-RESP-03",
    "TAG-RESP-04",
    "TAG-DEL-04",
    "TAG-METH-08",
    "TAG-URI-10",
    "TAG-RESP-08",
)


@breaks(words=LAWFUL)
class ExplainsInPages(_Writes):
    """Repeats the tag in its errors: escaped in a page, as it is in JSON and in plain text."""

    def write(self, request: Request, reply: Reply, tag: str) -> Reply:
        if "html" in request.headers.get("Accept", ""):
            return _page(reply, f"<html><p>There is no tag {html.escape(tag)}.</p></html>")
        return _page(reply, f"There is no tag {tag}.", "text/plain; charset=utf-8")


@breaks(words=LAWFUL)
class StandsBehindAFrontServer(App):
    """Merges slashes before a tag's place, drops one at the end, refuses long addresses and large bodies."""

    def answer(self, request: Request) -> Reply:
        image, place, tag = request.path.partition("/tags/")
        path = re.sub("//+", "/", image) + place + (tag.removesuffix("/") or tag)
        if len(request.target) > 8 * KIB:
            return self.error(request, HTTPStatus.REQUEST_URI_TOO_LONG, "Too long.")
        if len(request.body) > 16 * KIB:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large.")
        query = f"?{request.query}" if request.query else ""
        return super().answer(Request(request.method, path + query, request.headers, request.body))


@breaks(words=LAWFUL)
class OffersACollection(App):
    """Adds what is posted to …/tags, which nobody has described."""

    def answer(self, request: Request) -> Reply:
        found = re.fullmatch(r"/v2/images/([^/]+)/tags", request.path)
        if found and request.method == "POST":
            image = self.images.get(found[1])
            image.tags[:] = [*dict.fromkeys([*image.tags, "posted", "other"])]
            return Reply.of_json({"tags": image.tags}, HTTPStatus.CREATED)
        return super().answer(request)


@breaks("TAG-METH-01", profile="standard", words=asked())
class WantsTheLengthOfAPost(App):
    """Answers 411 to a POST without a body, whatever it is sent to."""

    def route(self, request: Request) -> Reply:
        if request.method == "POST" and not request.body and "/tags/" in request.path:
            return self.error(request, HTTPStatus.LENGTH_REQUIRED, "How long is it?")
        return super().route(request)


@breaks("TAG-METH-01", profile="standard", words=asked())
class WantsTheTypeOfAPatch(App):
    """Answers 415 to a PATCH without a body, whatever it is sent to."""

    def route(self, request: Request) -> Reply:
        if request.method == "PATCH" and not request.media_type and "/tags/" in request.path:
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "What kind of patch is that?")
        return super().route(request)


@breaks("TAG-METH-01", profile="standard", words=asked())
class KnowsNoPatchesOfATag(App):
    """Answers 415 to a PATCH of a tag, though it is of the type that patches of images have."""

    def route(self, request: Request) -> Reply:
        if request.method == "PATCH" and request.body and "/tags/" in request.path:
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "That is no patch of a tag.")
        return super().route(request)


@breaks(profile="standard", words=LAWFUL)
class LooksAtBodiesBeforeMethods(App):
    """Answers 400 to a POST or PATCH of a tag that has a body, before it looks whether there may be one."""

    def route(self, request: Request) -> Reply:
        if request.method in ("POST", "PATCH") and request.body and "/tags/" in request.path:
            return self.error(request, HTTPStatus.BAD_REQUEST, "No body is expected.")
        return super().route(request)


@breaks(profile="standard", words=LAWFUL)
class KnowsNoFormsOfAPost(App):
    """Answers 415 to a POST of a form, before it looks whether there may be one."""

    def route(self, request: Request) -> Reply:
        if request.method == "POST" and "form" in request.media_type and "/tags/" in request.path:
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "That is no JSON.")
        return super().route(request)


@breaks("TAG-AUTH-12", profile="standard", words=("--select", "TAG-AUTH-12"))
class LooksAtThePatchBeforeTheToken(App):
    """Answers 415 to a PATCH of a tag in plain JSON by whoever has no token."""

    def answer(self, request: Request) -> Reply:
        plain = request.method == "PATCH" and request.media_type == "application/json"
        if plain and "/tags/" in request.path and not request.headers.get("X-Auth-Token"):
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "That is no patch.")
        return super().answer(request)
