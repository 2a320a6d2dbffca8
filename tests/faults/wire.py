"""Services that answer one kind of client otherwise than another."""

import gzip
import threading
from collections.abc import Callable
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks

KIND = Kind.MESSAGES
NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)


BESIDE = ("TAG-ADD-01", "TAG-ADD-02", "TAG-ADD-03", "TAG-DEL-02", "TAG-DEL-05")
"""What looks at the requests of other clients, and at few others."""


def asked(*ids: str) -> tuple[str, ...]:
    """Return the words that ask for some requirements, and for what looks at the same requests."""
    return tuple(word for each in sorted({*BESIDE, *ids}) for word in ("--select", each))


class _Prefers(App):
    """Does to the tags for one kind of client what it does for no other."""

    def is_one(self, request: Request) -> bool:
        """Return whether a request comes from that kind of client."""
        raise NotImplementedError

    def instead(self, request: Request) -> Reply:
        """Return what such a client is answered; that is what anybody is, unless a fault knows better."""
        return super().answer(request)

    def answer(self, request: Request) -> Reply:
        if "/tags/" in request.path and request.method in ("PUT", "DELETE") and self.is_one(request):
            return self.instead(request)
        return super().answer(request)


class _ByEncoding(_Prefers):
    coding = "gzip"

    def is_one(self, request: Request) -> bool:
        return self.coding in request.headers.get("Accept-Encoding", "")


@breaks("TAG-ADD-02", "TAG-DEL-02")
class CompressesNothing(_ByEncoding):
    """Sends twenty octets of gzip behind a 204 to whoever accepts gzip."""

    def instead(self, request: Request) -> Reply:
        reply = super().instead(request)
        if reply.status != HTTPStatus.NO_CONTENT:
            return reply
        packed = gzip.compress(b"", mtime=0).decode("latin-1")
        return Reply(reply.status, b"", (*reply.headers, ("Content-Encoding", f"gzip\r\n\r\n{packed}")))


@breaks("TAG-ADD-01", profile="standard", words=asked())
class WantsToAnswerInJson(_Prefers):
    """Answers 406 to a change of tags by whoever does not accept JSON."""

    def is_one(self, request: Request) -> bool:
        accepted = request.headers.get("Accept", "*/*")
        return bool(accepted) and "*/*" not in accepted and "json" not in accepted

    def instead(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.NOT_ACCEPTABLE, "This service speaks JSON.")


def _has(name: str, text: str = "") -> Callable[[Request], bool]:
    """Return whether a request has a header field with a text in it."""
    return lambda request: text in request.headers.get(name, "") and name in request.headers


def _lacks(name: str) -> Callable[[Request], bool]:
    return lambda request: name not in request.headers


def _has_a_long_field(request: Request) -> bool:
    return any(len(value) > LONG for _, value in request.headers.lines)


def _has_empty_chunks(request: Request) -> bool:
    return "Transfer-Encoding" in request.headers and not request.body


def _is_lower(request: Request) -> bool:
    return "x-auth-token" in {name for name, _ in request.headers.lines}


def _with(status: HTTPStatus) -> Callable[[_Prefers, Request], Reply]:
    """Answer with an error, and do nothing."""
    return lambda app, request: app.error(request, status, "Not from such a client.")


def _only_says_so(_: _Prefers, __: Request) -> Reply:
    """Acknowledge a change, and do nothing."""
    return NO_CONTENT


def _does_it_to_all(app: _Prefers, request: Request) -> Reply:
    """Take all tags away where one is to be deleted."""
    reply = App.answer(app, request)
    if request.method == "DELETE" and reply.status == HTTPStatus.NO_CONTENT:
        app.images.get(request.path.split("/")[3]).tags.clear()
    return reply


def _adds_it_twice(app: _Prefers, request: Request) -> Reply:
    """Carry a tag twice that is added again."""
    tags = app.images.get(request.path.split("/")[3]).tags
    again = request.path.rpartition("/")[2] in tags and request.method == "PUT"
    reply = App.answer(app, request)
    tags += [request.path.rpartition("/")[2]] * again
    return reply


LONG = 500
REFUSED_ALIKE = ("TAG-ADD-01",)
ACKNOWLEDGED_ALIKE = ("TAG-ADD-03",)
TABLE: tuple[tuple[str, str, Callable[[Request], bool], Callable[[_Prefers, Request], Reply], tuple[str, ...]], ...] = (
    ("RefusesClientsWithoutAName", "Answers 400 to whoever sends no User-Agent.",
     _lacks("User-Agent"), _with(HTTPStatus.BAD_REQUEST), REFUSED_ALIKE),
    ("RefusesLongFields", "Answers 400 to a header field of more than 500 octets.",
     _has_a_long_field, _with(HTTPStatus.BAD_REQUEST), REFUSED_ALIKE),
    ("ReadsCapitalisedNamesOnly", "Answers 401 where the name of the token's header field is written in small letters.",
     _is_lower, _with(HTTPStatus.UNAUTHORIZED), REFUSED_ALIKE),
    ("FailsForBrotli", "Answers 500 to whoever accepts brotli before all else.",
     _has("Accept-Encoding", "gzip, deflate, br"), _with(HTTPStatus.INTERNAL_SERVER_ERROR), REFUSED_ALIKE),
    ("IgnoresClientsThatAcceptNothing", "Acknowledges what a client asks that sends no Accept, and does nothing.",
     _lacks("Accept"), _only_says_so, ACKNOWLEDGED_ALIKE),
    ("IgnoresOctets", "Acknowledges a change that is said to be octets, and does nothing.",
     _has("Content-Type", "octet-stream"), _only_says_so, ACKNOWLEDGED_ALIKE),
    ("IgnoresChunksOfNothing", "Acknowledges a change whose body is chunked and empty, and does nothing.",
     _has_empty_chunks, _only_says_so, ACKNOWLEDGED_ALIKE),
    ("IgnoresExpectations", "Acknowledges a change with Expect: 100-continue, and does nothing.",
     _has("Expect"), _only_says_so, ACKNOWLEDGED_ALIKE),
    ("ClearsForCookies", "Takes all tags away where a client with a cookie deletes one.",
     _has("Cookie"), _does_it_to_all, ("TAG-DEL-04",)),
    ("ClearsForALength", "Takes all tags away where a deletion says that its body has no octets.",
     _has("Content-Length", "0"), _does_it_to_all, ("TAG-DEL-04",)),
    ("DoublesForCurl", "Lists a tag twice that curl adds again.",
     _has("User-Agent", "curl"), _adds_it_twice, ("TAG-ADD-05",)),
)  # fmt: skip
"""Faults: a name, what each does, to which client, and how, and what the suite is to find."""

for _name, _words, _one, _instead, _ids in TABLE:
    _members = {"__doc__": _words, "__module__": __name__, "is_one": staticmethod(_one), "instead": _instead}
    breaks(*_ids, profile="standard", words=asked(*_ids))(type(_name, (_Prefers,), _members))


@breaks("TAG-DEL-05", profile="standard", words=asked())
class ForgivesWhoAsksAtOnce(App):
    """Answers 204 to a second deletion that comes right after the first on the same connection."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[int, str] = {}

    def answer(self, request: Request) -> Reply:
        here, asked = threading.get_ident(), f"{request.method} {request.path}"
        again = self.last.get(here) == asked and request.method == "DELETE" and "/tags/" in request.path
        self.last[here] = asked
        reply = super().answer(request)
        return NO_CONTENT if again and reply.status == HTTPStatus.NOT_FOUND else reply


# What is lawful

LAWFUL = asked("TAG-ADD-04", "TAG-ADD-05", "TAG-ADD-06", "TAG-ADD-18", "TAG-ADD-22", "TAG-DEL-12", "TAG-RESP-01")


@breaks(profile="standard", words=LAWFUL)
class RefusesThePicky(App):
    """Refuses what a client need not send: a type of no body, chunks of nothing, an expectation, an odd wish."""

    def answer(self, request: Request) -> Reply:
        headers = request.headers
        refusals = (
            (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type" in headers and not request.body),
            (HTTPStatus.LENGTH_REQUIRED, "Transfer-Encoding" in headers and not request.body),
            (HTTPStatus.EXPECTATION_FAILED, "Expect" in headers),
            (HTTPStatus.NOT_ACCEPTABLE, headers.get("Accept", "") == "image/png"),
        )
        if "/tags/" in request.path:
            for status, refused in refusals:
                if refused:
                    return self.error(request, status, "Nobody has to take that.")
        return super().answer(request)


@breaks(profile="standard", words=LAWFUL)
class CompressesWhatItShows(App):
    """Sends what it shows, and its errors, in gzip to whoever accepts that, and closes the connection on demand."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if not reply.body or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return reply
        packed = gzip.compress(reply.body, mtime=0)
        return Reply(reply.status, packed, (*reply.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")))


# A body that is announced

WITH_BODIES = ("--select", "TAG-ADD-08", "--select", "TAG-DEL-08", "--select", "TAG-ADD-09", "--select", "TAG-DEL-09")


class _Expected(App):
    """Answers 417 to some expectations that come with a change of tags."""

    def met(self, expected: str) -> bool:
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        if "/tags/" in request.path and not self.met(request.headers.get("Expect", "").lower()):
            return self.error(request, HTTPStatus.EXPECTATION_FAILED, "This is not to be expected.")
        return super().answer(request)


@breaks(profile="standard", words=WITH_BODIES)
class MeetsNoExpectation(_Expected):
    """Answers 417 to whoever announces a body with Expect: 100-continue, as who speaks HTTP/1.0 behind it has it."""

    def met(self, expected: str) -> bool:
        return not expected


@breaks("TAG-ADD-08", "TAG-DEL-08", profile="standard", words=WITH_BODIES)
class RefusesWhatIsAnnounced(App):
    """Answers 400 to whoever announces a body with Expect: 100-continue, as curl does."""

    def answer(self, request: Request) -> Reply:
        if "/tags/" in request.path and "Expect" in request.headers and request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "This is not to be expected.")
        return super().answer(request)


@breaks(profile="standard", words=WITH_BODIES)
class MeetsOneExpectation(_Expected):
    """Answers 417 to any expectation but 100-continue."""

    def met(self, expected: str) -> bool:
        return expected in ("", "100-continue")
