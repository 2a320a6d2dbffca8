"""Tags that are read, or kept, as something else than what was written."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import quote, unquote, unquote_to_bytes

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.refusals import Invalid, NotFound, Unauthorized

from .kinds import Kind
from .registry import breaks, registrar, selecting

KIND = Kind.ENCODING
faulty = registrar(__name__, profile="standard")


def _reads(
    name: str, doc: str, change: Callable[[str], str], *ids: str, perhaps: Iterable[str] = (), profile: str = "standard"
) -> None:
    """Register a service that changes every tag it reads off a path."""

    def decode_tag(self: App, raw: str) -> str:
        return change(App.decode_tag(self, raw))

    breaks(*ids, perhaps=perhaps, profile=profile)(type(name, (App,), {"decode_tag": decode_tag, "__doc__": doc}))


def _refuses(
    name: str,
    doc: str,
    disliked: Callable[[str], bool],
    *ids: str,
    perhaps: Iterable[str] = (),
    status: int = 400,
) -> None:
    """Register a service that refuses some tags."""

    def add_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        if disliked(tag):
            return self.error(request, HTTPStatus(status), "Not such a tag.")
        return App.add_tag(self, request, image_id, tag)

    breaks(*ids, perhaps=perhaps, profile="standard")(type(name, (App,), {"add_tag": add_tag, "__doc__": doc}))


def _squeezed(tag: str) -> str:
    return " ".join(tag.split(" ")) if "  " not in tag else tag.replace("  ", " ")


EXACT = "TAG-HIST-04"

_reads("DecodesTwice", "Decodes percent-encodings twice.", unquote, EXACT)
_reads(
    "ReadsPlusAsSpace",
    "Reads a plus sign as a space.",
    lambda tag: tag.replace("+", " "),
    "TAG-URI-07",
    "TAG-URI-08",
    EXACT,
)
_reads(
    "ReadsUtf8AsLatin1",
    "Reads octets as Latin-1.",
    lambda tag: tag.encode().decode("latin-1"),
    "TAG-URI-11",
    "TAG-ADD-14",
    EXACT,
)
_reads(
    "FoldsCase",
    "Keeps tags in lower case.",
    str.lower,
    "TAG-URI-03",
    "TAG-URI-11",
    "TAG-URI-19",
    "TAG-URI-20",
    "TAG-ADD-03",
    "TAG-ADD-10",
    "TAG-ADD-13",
    "TAG-DEL-04",
    "TAG-HIST-01",
    EXACT,
)
_reads(
    "Composes",
    "Keeps tags in normalisation form C.",
    lambda tag: unicodedata.normalize("NFC", tag),
    "TAG-URI-20",
    EXACT,
)
_reads(
    "Decomposes",
    "Keeps tags in normalisation form D.",
    lambda tag: unicodedata.normalize("NFD", tag),
    "TAG-URI-11",
    "TAG-URI-20",
    "TAG-ADD-14",
    EXACT,
)
_reads(
    "FoldsCompatibility",
    "Keeps tags in form KC.",
    lambda tag: unicodedata.normalize("NFKC", tag),
    "TAG-URI-11",
    "TAG-URI-20",
    EXACT,
)
_reads("Trims", "Takes white space off the ends of tags.", lambda tag: tag.strip() or tag, "TAG-URI-21", EXACT)
_reads("TrimsTheEnd", "Takes white space off the end of tags.", lambda tag: tag.rstrip() or tag, "TAG-URI-21", EXACT)
_reads(
    "TakesANewlineOff",
    "Takes one newline off the end of tags.",
    lambda tag: tag.removesuffix("\n") or tag,
    "TAG-URI-21",
    EXACT,
)
_reads("SqueezesBlanks", "Makes one blank of two.", _squeezed, "TAG-URI-21", "TAG-ADD-11", "TAG-ADD-12", EXACT)
_reads("EndsAtNul", "Ends a tag at its first NUL.", lambda tag: tag.partition("\0")[0] or tag, "TAG-URI-21", EXACT)
_reads(
    "DropsControls",
    "Drops control characters.",
    lambda tag: "".join(x for x in tag if x.isprintable()) or tag,
    "TAG-URI-21",
    EXACT,
)
_reads(
    "DropsInvisible",
    "Drops invisible characters.",
    lambda tag: "".join(x for x in tag if unicodedata.category(x) != "Cf") or tag,
    EXACT,
)
_reads(
    "KeepsThreeOctets",
    "Keeps a question mark for what needs four octets.",
    lambda tag: "".join(x if x < "\U00010000" else "?" for x in tag),
    "TAG-URI-11",
    EXACT,
)
_reads(
    "KeepsAscii",
    "Keeps a question mark for what is not ASCII.",
    lambda tag: tag.encode("ascii", "replace").decode(),
    "TAG-URI-11",
    "TAG-URI-20",
    EXACT,
)
_reads(
    "TakesAccentsOff",
    "Takes accents off letters.",
    lambda tag: "".join(x for x in unicodedata.normalize("NFD", tag) if not unicodedata.combining(x)) or tag,
    "TAG-URI-11",
    "TAG-URI-20",
    EXACT,
)
_reads("EscapesHtml", "Keeps tags escaped for HTML.", html.escape, "TAG-URI-08", EXACT)
_reads("TakesQuotesOff", "Takes quotes off tags.", lambda tag: tag.strip("'\"") or tag, EXACT)
_reads("DropsBackslashes", "Drops backslashes.", lambda tag: tag.replace("\\", "") or tag, "TAG-URI-08", EXACT)
_reads("EndsAtAComma", "Ends a tag at its first comma.", lambda tag: tag.partition(",")[0] or tag, "TAG-URI-08", EXACT)
_reads(
    "EndsAtASemicolon",
    "Ends a tag at its first semicolon.",
    lambda tag: tag.partition(";")[0] or tag,
    "TAG-URI-08",
    EXACT,
)
_reads(
    "EndsAtAHash",
    "Ends a tag at its first number sign.",
    lambda tag: tag.partition("#")[0] or tag,
    "TAG-URI-08",
    perhaps=[EXACT],
)
_reads(
    "EndsAtAQuestionMark",
    "Ends a tag at its first question mark.",
    lambda tag: tag.partition("?")[0] or tag,
    "TAG-URI-08",
    EXACT,
)
_reads(
    "KeepsTheBeginningOfAPath",
    "Keeps what precedes a slash.",
    lambda tag: tag.partition("/")[0] or tag,
    "TAG-URI-09",
    EXACT,
)
_reads(
    "KeepsTheEndOfAPath",
    "Keeps what follows the last slash.",
    lambda tag: tag.rpartition("/")[2] or tag,
    "TAG-URI-09",
    EXACT,
)
_reads(
    "ReadsNumbers",
    "Keeps numbers without leading noughts.",
    lambda tag: str(int(tag)) if tag.isascii() and tag.isdigit() else tag,
    "TAG-URI-03",
    EXACT,
    perhaps=["TAG-ADD-03", "TAG-DEL-04", "TAG-HIST-01"],
)
_reads(
    "ReplacesTheOddOnes",
    "Keeps a question mark for non-characters.",
    lambda tag: "".join("?" if ord(x) & 0xFFFE == 0xFFFE else x for x in tag),
    EXACT,
)

_refuses(
    "RefusesReserved",
    "Refuses tags of reserved characters.",
    lambda tag: any(x in '?#&=+,;"\\%' for x in tag),
    "TAG-URI-08",
)
_refuses("RefusesBlanks", "Refuses tags with a blank inside.", lambda tag: " " in tag, "TAG-URI-08")
_refuses(
    "FailsOnEmoji",
    "Answers 500 to what needs four octets.",
    lambda tag: max(tag, default="") > "\uffff",
    "TAG-URI-11",
    "TAG-ADD-14",
    EXACT,
    "TAG-RESP-09",
    status=500,
)
_refuses("FailsOnNul", "Answers 500 to a NUL.", lambda tag: "\0" in tag, "TAG-URI-21", EXACT, "TAG-RESP-09", status=500)
_refuses(
    "FailsOnAQuote", "Answers 500 to a quote.", lambda tag: "'" in tag, "TAG-URI-08", EXACT, "TAG-RESP-09", status=500
)
_refuses(
    "FailsOnAPercent",
    "Answers 500 to a percent sign.",
    lambda tag: "%" in tag,
    "TAG-URI-08",
    EXACT,
    "TAG-RESP-09",
    status=500,
)
_refuses(
    "RefusesUuids",
    "Refuses tags that look like an id.",
    lambda tag: len(tag) == 36 and tag.count("-") == 4,
    "TAG-URI-03",
    "TAG-ADD-01",
    "TAG-HIST-01",
)
_refuses(
    "RefusesATilde",
    "Refuses tags with a tilde.",
    lambda tag: "~" in tag and len(tag) < 60,
    "TAG-ADD-13",
    "TAG-URI-03",
    perhaps=["TAG-ADD-01", "TAG-DEL-11", "TAG-HIST-01"],
)
_refuses("LimitsOctets", "Refuses tags of more than 255 octets.", lambda tag: len(tag.encode()) > 255, "TAG-ADD-14")
_refuses(
    "LimitsUtf16",
    "Refuses tags of more than 255 UTF-16 units.",
    lambda tag: len(tag.encode("utf-16-le")) > 510,
    "TAG-ADD-14",
)
_refuses(
    "AnswersLongTagsWith413",
    "Answers 409 to a tag that is too long.",
    lambda tag: len(tag) > 255,
    "TAG-ADD-12",
    status=409,
)
_refuses(
    "FindsTargetsTooLong",
    "Answers 414 to targets of more than 2,000 octets.",
    lambda tag: len(tag.encode()) * 3 > 2000,
    "TAG-URI-18",
    "TAG-ADD-14",
    perhaps=["TAG-ADD-18"],
    status=414,
)


@breaks("TAG-URI-05", "TAG-URI-06")
class KeepsUnreservedEncoded(App):
    """Keeps the encoding of characters that need none."""

    def decode_tag(self, raw: str) -> str:
        for code in ("%6D", "%6E", "%6F", "%2D", "%7E", "%30", "%37", "%5F", "%2E"):
            raw = raw.replace(code, code.replace("%", "%25"))
        return super().decode_tag(raw)


@breaks("TAG-URI-06", "TAG-URI-09", profile="standard")
class KnowsUpperHexOnly(App):
    """Decodes upper-case hex digits only."""

    def decode_tag(self, raw: str) -> str:
        for digit in "abcdef":
            for first in "23456789ABCDEFabcdef":
                raw = raw.replace(f"%{first}{digit}", f"%25{first}{digit}")
        return super().decode_tag(raw)


@breaks("TAG-URI-12", profile="standard")
class ReplacesBadOctets(App):
    """Keeps a replacement character for octets that are not UTF-8."""

    def decode_tag(self, raw: str) -> str:
        return unquote(raw, errors="replace")


def _reads_octets(name: str, doc: str, form: bytes, read: Callable[[bytes], str]) -> None:
    """Register a service that reads some octets which are no UTF-8, and refuses all others."""

    def decode_tag(self: App, raw: str) -> str:
        octets = unquote_to_bytes(raw)
        taken = re.sub(form, lambda found: read(found[0]).encode(), octets)
        return App.decode_tag(self, quote(taken, safe="") if taken != octets else raw)

    faulty(name, doc, "TAG-URI-12", decode_tag=decode_tag)


def _bits(octets: bytes, first: int) -> int:
    """Return the number that some octets stand for, the first of which has as many bits of it as all ``first`` ones."""
    number = octets[0] & first
    for octet in octets[1:]:
        number = number << 6 | octet & 0x3F
    return number


_reads_octets(
    "TakesThreeForTwo",
    "Takes a character in three octets where two are enough.",
    rb"\xe0[\x80-\x9f][\x80-\xbf]",
    lambda octets: chr(_bits(octets, 0x0F)),
)
_reads_octets(
    "GoesOnBeyondUnicode",
    "Takes four octets for one character beyond U+10FFFF as well, which it cannot show.",
    rb"\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}",
    lambda _: "\ufffd",
)
_reads_octets(
    "TakesTwoSurrogatesForOne",
    "Takes two surrogates of three octets each for the character that they stand for in UTF-16.",
    rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]",
    lambda octets: octets.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16"),
)


@breaks(profile="standard", words=selecting("TAG-URI-12"))
class FindsNothingInBadOctets(App):
    """Answers 404 to octets that are not UTF-8: there is no such address."""

    def decode_tag(self, raw: str) -> str:
        try:
            return super().decode_tag(raw)
        except Invalid:
            raise NotFound("There is no such tag.") from None


@breaks("TAG-URI-12", profile="standard")
class FailsOnBadOctets(App):
    """Answers 500 to octets that are not UTF-8."""

    def route(self, request: Request) -> Reply:
        try:
            return super().route(request)
        except Invalid as problem:
            if "UTF-8" in str(problem):
                return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Oops.")
            raise


@breaks("TAG-URI-13", profile="standard")
class TakesMalformedTargets(App):
    """Takes a malformed percent-encoding for the characters it is made of."""

    def answer(self, request: Request) -> Reply:
        path, slash, tag = request.target.rpartition("/")
        if "/tags" in path and (any(code in tag for code in ("%z", "%g", "%%")) or tag.endswith(("%", "%4"))):
            tag = tag.replace("%", "%25")
        return super().answer(Request(request.method, path + slash + tag, request.headers, request.body))


@breaks("TAG-URI-10", "TAG-URI-14", "TAG-URI-15", profile="standard")
class TakesWhateverFollows(App):
    """Takes all that follows /tags/ for the tag, slashes and nothing included."""

    def answer(self, request: Request) -> Reply:
        path, mark, tag = request.target.partition("/tags/")
        if mark and request.method in ("PUT", "DELETE"):
            tag = tag.partition("?")[0]
            if not tag:
                return self.empty(request, path)
            return super().answer(
                Request(request.method, path + mark + tag.replace("/", "%2F"), request.headers, request.body)
            )
        return super().answer(request)

    def empty(self, request: Request, path: str) -> Reply:
        try:
            caller = self.authenticate(request)
        except Unauthorized:
            return self.unauthorized(request)
        if request.method == "PUT":
            self.images.open(caller, path.rpartition("/")[2]).tags.append("")
        return Reply(HTTPStatus.NO_CONTENT)


@breaks("TAG-URI-14", "TAG-URI-15", profile="standard")
class AcknowledgesAnEmptyTag(App):
    """Answers 204 to an addition without a tag."""

    def answer(self, request: Request) -> Reply:
        if request.target.endswith("/tags/") and request.method == "PUT" and "X-Auth-Token" in request.headers:
            return Reply(HTTPStatus.NO_CONTENT)
        return super().answer(request)


def _ends_at(name: str, doc: str, end: str) -> None:
    """Register a service for which a tag ends at a character that stands in the path as it is."""

    def decode_tag(self: App, raw: str) -> str:
        return App.decode_tag(self, raw.partition(end)[0] or raw)

    breaks(EXACT, profile="standard", words=selecting(EXACT, "TAG-URI-08", "TAG-URI-07"))(
        type(name, (App,), {"decode_tag": decode_tag, "__doc__": doc})
    )


_ends_at("TakesAnAtForARevision", "Takes a plain @ and what follows it for a revision of the tag.", "@")
_ends_at("TakesAnExclamationMarkForAView", "Takes a plain ! and what follows it for the name of a view.", "!")
