"""Answers that are not what HTTP or the page asks for, whatever was done."""

from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks

KIND = Kind.MESSAGES


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)


class _Spoils(App):
    """Has a look at every answer about tags before it goes out."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        return self.spoil(request, reply) if "/tags" in request.path else reply

    def spoil(self, request: Request, reply: Reply) -> Reply:
        raise NotImplementedError


def _with(reply: Reply, *headers: tuple[str, str], body: bytes | None = None) -> Reply:
    return Reply(reply.status, reply.body if body is None else body, (*reply.headers, *headers))


def _without(reply: Reply, name: str) -> Reply:
    return Reply(reply.status, reply.body, tuple(header for header in reply.headers if header[0] != name))


# Lengths and bodies


@breaks("TAG-RESP-01")
class SendsALengthWith204(_Spoils):
    """Sends Content-Length: 0 with 204."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002 - all alike
        return _with(reply, ("Content-Length", "0")) if reply.status == 204 else reply


@breaks("TAG-RESP-01", "TAG-ADD-02", "TAG-DEL-02")
class SendsAnEmptyChunkWith204(_Spoils):
    """Sends Transfer-Encoding: chunked with 204, and the last chunk behind it."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _with(reply, ("Transfer-Encoding", "chunked\r\n\r\n0")) if reply.status == 204 else reply


@breaks("TAG-RESP-01", "TAG-ADD-02", "TAG-DEL-02")
class SendsABodyWith204(_Spoils):
    """Sends a body and its length with 204."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _with(reply, ("Content-Length", "2"), body=b"{}") if reply.status == 204 else reply


class _LeavesOctets(_Spoils):
    method = "PUT"

    def spoil(self, request: Request, reply: Reply) -> Reply:
        # The server sends no body with 204, so the octets go out behind the last header.
        trailing = ("X-Done", "yes\r\n\r\nnull")
        return _with(reply, trailing) if reply.status == 204 and request.method == self.method else reply


@breaks("TAG-ADD-02")
class LeavesOctetsBehindAnAddition(_LeavesOctets):
    """Sends octets behind the 204 to an addition, without a length."""


@breaks("TAG-DEL-02")
class LeavesOctetsBehindADeletion(_LeavesOctets):
    """Sends octets behind the 204 to a deletion, without a length."""

    method = "DELETE"


@breaks("TAG-RESP-03", profile="standard")
class ExplainsNothing(_Spoils):
    """Sends errors without a body."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _with(reply, body=b"") if reply.status >= 400 else reply


@breaks("TAG-RESP-04", profile="standard")
class NamesNoType(_Spoils):
    """Sends errors without a Content-Type."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _without(reply, "Content-Type")


# Fields


class _Dates(_Spoils):
    date = ""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        bare = _without(reply, "Date")
        return _with(bare, ("Date", self.date)) if self.date else bare


@breaks("TAG-RESP-02")
class SendsNoDate(_Dates):
    """Sends no Date."""


@breaks("TAG-RESP-02")
class SendsAnIsoDate(_Dates):
    """Sends an ISO 8601 Date."""

    date = "2025-01-01T00:00:00Z"


@breaks("TAG-RESP-02")
class SendsALocalDate(_Dates):
    """Sends a Date with an offset instead of GMT."""

    date = "Wed, 01 Jan 2025 00:00:00 +0000"


@breaks("TAG-RESP-02")
class SendsAnAsctimeDate(_Dates):
    """Sends a Date in the form of asctime, which is obsolete."""

    date = "Wed Jan  1 00:00:00 2025"


@breaks("TAG-RESP-02")
class SendsAnImpossibleDate(_Dates):
    """Sends a Date on the 31st of February."""

    date = "Mon, 31 Feb 2025 00:00:00 GMT"


@breaks("TAG-RESP-02")
class SendsNoDateWithErrors(_Dates):
    """Sends no Date with errors."""

    def spoil(self, request: Request, reply: Reply) -> Reply:
        return super().spoil(request, reply) if reply.status >= 400 else reply


@breaks("TAG-RESP-02")
class SendsNoDateWith401(_Dates):
    """Sends no Date with 401."""

    def spoil(self, request: Request, reply: Reply) -> Reply:
        return super().spoil(request, reply) if reply.status == 401 else reply


@breaks("TAG-RESP-02", profile="standard")
class DatesForbiddenAdditionsOtherwise(_Dates):
    """Sends a Date in the form of RFC 850, which is obsolete, with 403."""

    date = "Wednesday, 01-Jan-25 00:00:00 GMT"

    def spoil(self, request: Request, reply: Reply) -> Reply:
        return super().spoil(request, reply) if reply.status == 403 else reply


class _TellsWhenToReturn(_Spoils):
    when = ""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _with(reply, ("Retry-After", self.when)) if reply.status == 404 else reply


@breaks("TAG-RESP-07")
class ReturnsSoon(_TellsWhenToReturn):
    """Sends Retry-After: soon."""

    when = "soon"


@breaks("TAG-RESP-07")
class ReturnsInThePast(_TellsWhenToReturn):
    """Sends Retry-After: -1."""

    when = "-1"


@breaks("TAG-RESP-07")
class ReturnsInAFraction(_TellsWhenToReturn):
    """Sends Retry-After: 1.5."""

    when = "1.5"


@breaks("TAG-RESP-07")
class ReturnsOnAnIsoDate(_TellsWhenToReturn):
    """Sends Retry-After with an ISO 8601 date."""

    when = "2030-01-01T00:00:00Z"


@breaks("TAG-RESP-07")
class ThrottlesInFractions(App):
    """Answers every ninth change of a tag with 413 and a Retry-After that is no number of seconds, and does not do it."""

    turn = 0

    def route(self, request: Request) -> Reply:
        if request.method in ("PUT", "DELETE") and "/tags/" in request.path:
            self.turn += 1
            if self.turn % 9 == 0:
                fields = (("Retry-After", "0.0s"),)
                return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That was too much.", fields)
        return super().route(request)


@breaks("TAG-RESP-08", profile="standard", words=("--select", "TAG-RESP", "--select", "TAG-DEL"))
class LimitsDeletions(App):
    """Answers every hundredth deletion with 413 once, and does not tell when to return."""

    turn = 0

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.turn += 1
        if self.turn % 100 == 0:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too many deletions.")
        return super().delete_tag(request, image_id, tag)


# Methods


@breaks("TAG-METH-02")
class NamesNoMethods(_Spoils):
    """Sends 405 without Allow."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _without(reply, "Allow")


@breaks("TAG-METH-02", profile="standard")
class NamesNoMethodsOnPatch(_Spoils):
    """Sends 405 without Allow, to PATCH alone."""

    def spoil(self, request: Request, reply: Reply) -> Reply:
        return _without(reply, "Allow") if request.method == "PATCH" else reply


@breaks("TAG-METH-03", profile="standard")
class NamesOtherMethods(_Spoils):
    """Sends 405 with an Allow that names GET alone."""

    def spoil(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002
        return _with(_without(reply, "Allow"), ("Allow", "GET")) if reply.status == 405 else reply


@breaks(profile="standard", words=("--select", "TAG-METH"))
class AllowsNothingWithoutATag(App):
    """Answers 405 to whatever names no tag, with an Allow that is empty, which is lawful."""

    def route(self, request: Request) -> Reply:
        if request.path.endswith("/tags/"):
            return self.error(request, HTTPStatus.METHOD_NOT_ALLOWED, "Name a tag.", (("Allow", ""),))
        return super().route(request)


class _Renames(App):
    """Takes one method for another on the resource of a tag."""

    def becomes(self, method: str) -> str:
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        method = self.becomes(request.method) if "/tags/" in request.path else request.method
        return super().answer(Request(method, request.target, request.headers, request.body))


@breaks("TAG-METH-06")
class KnowsMethodsInAnyCase(_Renames):
    """Takes put for PUT and delete for DELETE."""

    def becomes(self, method: str) -> str:
        return method.upper()


@breaks("TAG-METH-06")
class KnowsCapitalisedMethods(_Renames):
    """Takes Delete for DELETE."""

    def becomes(self, method: str) -> str:
        return "DELETE" if method == "Delete" else method


@breaks("TAG-METH-06")
class RefusesAMethodAndObeys(App):
    """Answers 400 to put, and adds the tag."""

    def answer(self, request: Request) -> Reply:
        if request.method != "put" or "/tags/" not in request.path:
            return super().answer(request)
        super().answer(Request("PUT", request.target, request.headers, request.body))
        return self.error(request, HTTPStatus.BAD_REQUEST, "This is no method.")


@breaks("TAG-METH-01", profile="standard")
class AddsByPost(_Renames):
    """Takes POST for PUT."""

    def becomes(self, method: str) -> str:
        return "PUT" if method == "POST" else method


@breaks("TAG-METH-05", profile="standard")
class AddsByAnyMethod(_Renames):
    """Takes methods that begin with PUT for PUT."""

    def becomes(self, method: str) -> str:
        return "PUT" if method.startswith("PUT") else method


@breaks("TAG-METH-05", profile="standard")
class FailsOnUnknownMethods(App):
    """Answers 500 to methods it does not know."""

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Oops.") if reply.status == 501 else reply


@breaks("TAG-METH-08", profile="standard")
class RefusesPatchAndDeletes(App):
    """Answers 405 to PATCH, and takes the tag off the image."""

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Reply:  # type: ignore[override]
        if request.method == "PATCH" and "/tags/" in request.path:
            super().answer(Request("DELETE", request.target, request.headers, request.body))
        return super().method_not_allowed(request, allowed)


# Addresses


@breaks(
    "TAG-URI-01",
    "TAG-DEL-01",
    "TAG-DEL-05",
    "TAG-DEL-06",
    "TAG-HIST-01",
    "TAG-METH-03",
    perhaps=["TAG-HIST-04"],
    profile="standard",
)
class KnowsNoDeletion(App):
    """Answers 405 to every deletion of a tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        self.images.open(request.caller, image_id)
        return self.method_not_allowed(request, ["PUT"])


@breaks(
    "TAG-URI-01",
    "TAG-ADD-01",
    "TAG-ADD-11",
    "TAG-ADD-12",
    "TAG-ADD-15",
    "TAG-ADD-16",
    "TAG-ADD-18",
    "TAG-HIST-01",
    profile="standard",
)
class RedirectsAdditions(App):
    """Redirects additions to the address with a slash at its end."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        return Reply(HTTPStatus.PERMANENT_REDIRECT, b"", (("Location", f"{request.path}/"),))


# What else a request brings along


@breaks("TAG-URI-04", "TAG-ADD-09")
class AddsWhatTheBodyNames(App):
    """Adds a tag that a body names."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        if b"other" in request.body:
            super().add_tag(request, image_id, "other")
        return reply


@breaks("TAG-URI-04")
class AddsWhatAHeaderNames(App):
    """Adds the tag that the header X-Tag names."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(request, image_id, request.headers.get("X-Tag", tag))


@breaks("TAG-URI-04")
class AddsWhatTheQueryNames(App):
    """Adds the tag that the query parameter tag names."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        named = request.query.removeprefix("tag=").partition("&")[0] if request.query.startswith("tag=") else tag
        return super().add_tag(request, image_id, named)


@breaks("TAG-URI-04")
class DeletesWhatTheQueryNames(App):
    """Deletes the tag that the query parameter tag names."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        named = request.query.removeprefix("tag=").partition("&")[0] if request.query.startswith("tag=") else tag
        return super().delete_tag(request, image_id, named)


class _RefusesABody(App):
    status = HTTPStatus.BAD_REQUEST

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.body:
            return self.error(request, self.status, "A body is not expected with this request.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-08", profile="standard")
class RefusesABodyWith400(_RefusesABody):
    """Answers 400 to an addition with a body."""


@breaks("TAG-ADD-08", profile="standard")
class RefusesABodyWith415(_RefusesABody):
    """Answers 415 to an addition with a body."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@breaks(profile="standard", words=("--select", "TAG-ADD-08", "--select", "TAG-ADD-23"))
class TakesBodiesOfJsonAlone(App):
    """Answers 415 to an addition with a body that is not JSON, which is lawful, and ignores one that is."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.body and request.media_type != "application/json":
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON, which is ignored.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-08", profile="standard", words=("--select", "TAG-ADD-08", "--select", "TAG-ADD-23"))
class TakesNoForms(App):
    """Answers 400 to an addition with a body that is a form, and ignores all others."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.body and request.media_type == "application/x-www-form-urlencoded":
            return self.error(request, HTTPStatus.BAD_REQUEST, "A form is not expected.")
        return super().add_tag(request, image_id, tag)
