"""Defects that only some tag, some image, some caller or some spelling meets."""

import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import parse_qs, parse_qsl, urlencode

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image, Status, Visibility
from pytest_cloudimages.reference.refusals import Forbidden, Unauthorized

from .adding import DeletesEveryCopy
from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.RARE


# Tags of one length, one script, one word


def _trips(
    name: str, doc: str, over: Callable[[str], object], *ids: str, status: int = 500, perhaps: tuple[str, ...] = ()
) -> None:
    """Register a service that fails at additions of some tags."""

    def add_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        if over(tag):
            return self.error(request, HTTPStatus(status), "Not such a tag.")
        return App.add_tag(self, request, image_id, tag)

    app = type(name, (App,), {"add_tag": add_tag, "__doc__": doc})
    breaks(*ids, perhaps=perhaps, profile="standard")(app)


def _loses(name: str, doc: str, which: Callable[[str], object], *ids: str, perhaps: tuple[str, ...] = ()) -> None:
    """Register a service that acknowledges some tags and stores nothing."""

    def add_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        return NO_CONTENT if which(tag) else App.add_tag(self, request, image_id, tag)

    app = type(name, (App,), {"add_tag": add_tag, "__doc__": doc})
    breaks(*ids, perhaps=perhaps, profile="standard")(app)


def _between(first: int, last: int) -> Callable[[str], bool]:
    return lambda tag: any(first <= ord(character) <= last for character in tag)


ODD = ("TAG-HIST-04", "TAG-RESP-09")
_trips(
    "RefusesTags200Long",
    "Refuses tags of exactly 200 characters.",
    lambda tag: len(tag) == 200,
    "TAG-URI-03",
    status=400,
)
_trips(
    "TripsOverTags77Long", "Fails with 500 at tags of 77 characters.", lambda tag: len(tag) == 77, "TAG-URI-03", *ODD
)
_loses(
    "LosesTags133Long",
    "Acknowledges tags of 133 characters, and stores nothing.",
    lambda tag: len(tag) == 133,
    "TAG-URI-03",
    "TAG-HIST-04",
)
_trips(
    "TripsOverKana", "Fails with 500 at hiragana and katakana.", _between(0x3040, 0x30FF), *ODD, perhaps=("TAG-URI-11",)
)
_trips("TripsOverThai", "Fails with 500 at Thai letters.", _between(0x0E00, 0x0E7F), *ODD)
_trips("TripsOverBraille", "Fails with 500 at Braille patterns.", _between(0x2800, 0x28FF), *ODD)
_trips("TripsOverBoxes", "Fails with 500 at characters that draw boxes.", _between(0x2500, 0x257F), *ODD)
_trips("TripsOverCurlyQuotes", "Fails with 500 at curly quotes and dashes.", _between(0x2010, 0x201F), *ODD)
_trips("TripsOverOldScripts", "Fails with 500 at letters from Linear B to Gothic.", _between(0x10000, 0x1034A), *ODD)
_trips("TripsOverTheLastOfThePlane", "Fails with 500 at U+FFFF.", _between(0xFFFF, 0xFFFF), *ODD)
_loses(
    "LosesGeorgian",
    "Acknowledges tags with Georgian letters, and stores nothing.",
    _between(0x10A0, 0x10FF),
    "TAG-HIST-04",
)
_loses("LosesArrows", "Acknowledges tags with arrows, and stores nothing.", _between(0x2190, 0x21FF), "TAG-HIST-04")
_trips("TripsOverAddresses", "Fails with 500 at tags that look like an address.", lambda tag: "://" in tag, *ODD)
_loses(
    "LosesMail",
    "Acknowledges tags that look like an e-mail address, and stores nothing.",
    re.compile(r"\w+@\w+\.\w+").search,
    "TAG-HIST-04",
)
_trips("TripsOverTimes", "Fails with 500 at tags that look like a moment.", re.compile(r"\d\d:\d\d").search, *ODD)
_trips("TripsOverTemplates", "Fails with 500 at tags that look like a template.", re.compile(r"\{\{|\$\{").search, *ODD)
_loses(
    "TakesPrototypes",
    "Acknowledges the tag __proto__, and stores nothing.",
    "__proto__".__eq__,
    "TAG-URI-03",
    "TAG-HIST-04",
)
_trips("RefusesAdmin", "Refuses the tag admin.", "admin".__eq__, "TAG-ADD-01", "TAG-URI-03", status=403)
_trips(
    "RefusesLargeNumbers",
    "Refuses tags of more than 18 digits.",
    re.compile(r"\d{19,}").fullmatch,
    "TAG-ADD-01",
    "TAG-URI-03",
    status=400,
)


@breaks("TAG-DEL-01", perhaps=["TAG-DEL-11", "TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class TakesAnEndingForAFormat(App):
    """Takes .json and .xml at the end of a tag to be deleted for the format of the answer."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(request, image_id, re.sub(r"\.(json|xml)$", "", tag))


@breaks("TAG-ADD-05", "TAG-VIS-05", perhaps=["TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class ComparesTheFirst200(DeletesEveryCopy):
    """Looks for a tag of more than 200 characters among shorter ones only, and lists it twice; deletions take both."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            again = len(tag) > 200 and tag in self.images.get(image_id).tags
            reply = super().add_tag(request, image_id, tag)
            self.images.get(image_id).tags.extend([tag] * again)
            return reply


class _DeletesByPattern(App):
    pattern = "."

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            pattern = re.escape(tag).replace(re.escape(self.pattern), ".")
            tags = self.images.get(image_id).tags
            tags[:] = [known_tag for known_tag in tags if not re.fullmatch(pattern, known_tag)]
            return reply


@breaks("TAG-DEL-04", "TAG-HIST-04", perhaps=["TAG-HIST-01"], profile="standard")
class DeletesByDots(_DeletesByPattern):
    """Takes a dot in a tag to be deleted for any character."""


@breaks("TAG-DEL-04", perhaps=["TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class DeletesByUnderscores(_DeletesByPattern):
    """Takes an underscore in a tag to be deleted for any character, as LIKE does."""

    pattern = "_"


@breaks("TAG-DEL-06")
class DeletesTheBeginning(App):
    """Cuts the tag to be deleted to 255 characters."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(request, image_id, tag[:255])


@breaks("TAG-DEL-05", "TAG-DEL-06", perhaps=["TAG-HIST-04"], profile="standard")
class ForgivesBeyondAscii(App):
    """Answers 204 to the deletion of an absent tag that is not ASCII."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        there = tag in self.images.open(request.caller, image_id).tags
        return super().delete_tag(request, image_id, tag) if there or tag.isascii() else NO_CONTENT


@breaks("TAG-ADD-11", "TAG-ADD-12", "TAG-VIS-07", profile="standard")
class CountsNoBlanks(App):
    """Leaves out blanks at the end when it counts the characters of a tag, and stores them."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) > 255 and len(tag.rstrip()) <= 255:
            self.images.open(request.caller, image_id).tags.append(tag)
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-14", "TAG-VIS-07", perhaps=["TAG-HIST-04"], profile="standard")
class CountsLettersWithAccents(App):
    """Takes a letter with its accents for one character when it counts."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) > 255 and len(re.sub("[\u0300-\u036f\u1160-\u11ff]", "", tag)) <= 255:
            self.images.open(request.caller, image_id).tags.append(tag)
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


# Spellings


@breaks("TAG-URI-05", profile="standard")
class DecodesLettersToY(App):
    """Decodes the letters from A to Y, and leaves Z encoded."""

    def decode_tag(self, raw: str) -> str:
        return super().decode_tag(re.sub("%([57][Aa])", r"%25\1", raw))


@breaks("TAG-HIST-04", profile="standard")
class CutsMatrixParameters(App):
    """Takes what follows a semicolon for a parameter of the path segment."""

    def decode_tag(self, raw: str) -> str:
        return super().decode_tag(raw.partition(";")[0])


@breaks("TAG-URI-06", profile="standard")
class KnowsNoSmallHexBeyondAscii(App):
    """Reads octets beyond ASCII as Latin-1 where their hex digits are small letters."""

    def decode_tag(self, raw: str) -> str:
        if re.search("%[89a-f][a-f]|%[c-f][0-9]", raw):
            return bytes(super().decode_tag(raw), "utf-8").decode("latin-1")
        return super().decode_tag(raw)


# Callers


class _Trusts(App):
    def trusts(self, token: str) -> bool:
        raise NotImplementedError

    def authenticate(self, request: Request) -> Caller:
        try:
            return super().authenticate(request)
        except Unauthorized:
            token = request.headers.get("X-Auth-Token")
            if token and "/tags" in request.target and self.trusts(token):
                return Caller(self.identity.users["tester"].project.id)
            raise


@breaks("TAG-AUTH-02")
class TrustsTheRightLength(_Trusts):
    """Takes any token of the right length."""

    def trusts(self, token: str) -> bool:
        return len(token) == len(self.identity.issue("tester").value)


@breaks("TAG-AUTH-02", profile="standard")
class TrustsABeginning(_Trusts):
    """Takes a token with something behind it."""

    def trusts(self, token: str) -> bool:
        return any(token.startswith(each_token) for each_token in [*self.identity._tokens])  # noqa: SLF001 - behind the honest door


@breaks("TAG-AUTH-02")
class TrustsExpiredTokens(_Trusts):
    """Takes tokens that have expired."""

    def trusts(self, token: str) -> bool:
        return token in self.identity._tokens  # noqa: SLF001 - behind the honest door


@breaks("TAG-AUTH-02")
class TrustsRevokedTokens(_Trusts):
    """Takes tokens that were revoked."""

    def __init__(self) -> None:
        super().__init__()
        self.revoked: set[str] = set()
        revoke = self.identity.revoke

        def remember(value: str) -> None:
            self.revoked.add(value)
            revoke(value)

        self.identity.revoke = remember  # type: ignore[method-assign]

    def trusts(self, token: str) -> bool:
        return token in self.revoked


@breaks("TAG-AUTH-01")
class LetsEncodedTagsIn(App):
    """Asks for no token where the path holds a percent sign."""

    def authenticate(self, request: Request) -> Caller:
        try:
            return super().authenticate(request)
        except Unauthorized:
            if "X-Auth-Token" not in request.headers and "%" in request.target and request.method == "PUT":
                return Caller(self.identity.users["tester"].project.id)
            raise


@breaks("TAG-AUTH-09")
class KeepsCreatorsOut(App):
    """Forbids creators to add tags."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not request.caller.deletes:
            raise Forbidden("A creator creates.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-AUTH-08")
class LetsReadersRepeat(App):
    """Acknowledges the addition of a carried tag by a reader."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not request.caller.writes and tag in self.images.show(request.caller, image_id).tags:
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


@breaks("TAG-AUTH-05", "TAG-AUTH-07", "TAG-AUTH-08", profile="standard")
class LetsAllTagPublicImages(App):
    """Lets everybody change the tags of public images."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if image.visibility is Visibility.PUBLIC:
            image.tags += [tag] * (tag not in image.tags)
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


@breaks("TAG-AUTH-07", profile="standard")
class ForbidsOnPublicImagesAndActs(App):
    """Deletes tags of public images for everybody, and answers 403."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if image.visibility is Visibility.PUBLIC and image.owner != request.caller.project:
            image.tags[:] = [known_tag for known_tag in image.tags if known_tag != tag]
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-AUTH-07")
class HidesAndActs(App):
    """Adds tags to other projects' private images, and answers 404."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.get(image_id)
        if image.visibility is Visibility.PRIVATE and image.owner != request.caller.project:
            image.tags.append(tag)
        return super().add_tag(request, image_id, tag)


# States of images


class _RefusesIn(App):
    def refuses(self, image: Image) -> bool:
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.refuses(self.images.open(request.caller, image_id)):
            return self.error(request, HTTPStatus.CONFLICT, "Not now.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-01", profile="standard")
class TagsNoActiveImages(_RefusesIn):
    """Answers 409 to additions to an image that has data."""

    def refuses(self, image: Image) -> bool:
        return image.status is Status.ACTIVE


@breaks("TAG-ADD-01", profile="standard")
class TagsNoHiddenImages(_RefusesIn):
    """Answers 409 to additions to a hidden image."""

    def refuses(self, image: Image) -> bool:
        return image.os_hidden


@breaks("TAG-DEL-03", profile="standard")
class KeepsTagsOfPublicImages(App):
    """Acknowledges deletions of tags of public images, and keeps them."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        return NO_CONTENT if image.visibility is Visibility.PUBLIC else super().delete_tag(request, image_id, tag)


class _Remembers(App):
    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, Image] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        image = self.images.get(image_id)
        reply = super().delete_image(request, image_id)
        self.gone[image_id] = image
        return reply


@breaks("TAG-ADD-15")
class TagsDeletedImages(_Remembers):
    """Acknowledges additions to an image that was deleted."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return NO_CONTENT if image_id in self.gone else super().add_tag(request, image_id, tag)


@breaks("TAG-DEL-07")
class ForgivesDeletedImages(_Remembers):
    """Answers 204 to the deletion of a tag of an image that was deleted."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return NO_CONTENT if image_id in self.gone else super().delete_tag(request, image_id, tag)


# Other images, other views


@breaks("TAG-HIST-03")
class AddsToOtherProjects(App):
    """Adds a tag to the tagged images of other projects, too."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            image = self.images.get(image_id)
            for other in self.images.all():
                if other.owner != image.owner and other.tags:
                    other.tags += [tag] * (tag not in other.tags)
            return reply


@breaks("TAG-HIST-03")
class DeletesFromTheOldest(App):
    """Deletes a tag from the oldest image that carries it, too."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            carrying = [image for image in self.images.all() if tag in image.tags and image.id != image_id]
            if carrying:
                min(carrying, key=lambda image: image.created_at).tags.remove(tag)
            return reply


class _ShowsTheReader(App):
    def show_image(self, request: Request, image_id: str) -> Reply:
        if request.caller.writes:
            return super().show_image(request, image_id)
        image = self.images.show(request.caller, image_id)
        return Reply.of_json(self.represent(image) | {"tags": self.shown(image)})

    def shown(self, image: Image) -> list[str]:
        raise NotImplementedError


@breaks("TAG-DEL-03")
class ShowsTheReaderWhatItSawFirst(_ShowsTheReader):
    """Shows a reader for ever the tags that the image had when it looked first."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, list[str]] = {}

    def shown(self, image: Image) -> list[str]:
        return self.first.setdefault(image.id, list(image.tags))


@breaks("TAG-ADD-03")
class ShowsTheReaderLess(_ShowsTheReader):
    """Shows a reader four tags at the most."""

    def shown(self, image: Image) -> list[str]:
        return image.tags[:4]


@breaks("TAG-VIS-02", profile="standard")
class ListsTwentyTags(App):
    """Lists images with twenty of their tags at the most."""

    most = 20

    def list_images(self, request: Request) -> Reply:
        represent = self.represent

        def shortened(image: Image) -> dict[str, object]:
            return represent(image) | {"tags": image.tags[: self.most]}

        with self.images.lock:
            self.represent = shortened  # type: ignore[method-assign]
            try:
                return super().list_images(request)
            finally:
                del self.represent


@breaks("TAG-VIS-03", profile="standard")
class FiltersAsciiOnly(App):
    """Finds nothing for a filter with a tag beyond ASCII."""

    def list_images(self, request: Request) -> Reply:
        tags = parse_qs(request.query).get("tag", [])
        if any(not tag.isascii() for tag in tags):
            return Reply.of_json({"images": [], "first": "/v2/images", "schema": "/v2/schemas/images"})
        return super().list_images(request)


@breaks("TAG-VIS-04", profile="standard")
class FiltersByTwo(App):
    """Looks at the first two tags of a filter only."""

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query)
        tags = [pair for pair in pairs if pair[0] == "tag"][:1]
        rest = [pair for pair in pairs if pair[0] != "tag"]
        if len([pair for pair in pairs if pair[0] == "tag"]) < 3:
            return super().list_images(request)
        path, _, _ = request.target.partition("?")
        return super().list_images(replace(request, target=f"{path}?{urlencode(rest + tags)}"))


@breaks("TAG-VIS-08", profile="standard")
class PatchesInAscii(App):
    """Keeps a question mark for what is not ASCII in the tags of a patch."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        image = self.images.get(image_id)
        image.tags[:] = dict.fromkeys(tag.encode("ascii", "replace").decode() for tag in image.tags)
        return Reply.of_json(self.represent(image)) if reply.status == HTTPStatus.OK else reply


@breaks("TAG-VIS-08", profile="standard")
class WritesTheDifferenceInAnyCase(App):
    """Writes no more of a patch than what differs from the tags before, and compares them in any case."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = {tag.casefold(): tag for tag in self.images.show(request.caller, image_id).tags}
            reply = super().update_image(request, image_id)
            image = self.images.get(image_id)
            image.tags[:] = dict.fromkeys(before.get(tag.casefold(), tag) for tag in image.tags)
            return Reply.of_json(self.represent(image)) if reply.status == HTTPStatus.OK else reply


@breaks(profile="standard", words=selecting("TAG-ADD-11", "TAG-ADD-12", "TAG-URI-21"))
class ForbidsOuterBlanks(App):
    """Stands behind a firewall that forbids blanks and controls at the ends of a tag, however long it is."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag != tag.strip():
            return self.error(request, HTTPStatus.FORBIDDEN, "A rule has blocked this request.")
        return super().add_tag(request, image_id, tag)


class _RefusesBeyondThePlane(App):
    """Refuses a patch with tags of characters beyond the Basic Multilingual Plane."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if b"\\ud8" in request.body.lower() or b"\xf0" in request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "No characters of four octets.")
        return super().update_image(request, image_id)


@breaks("TAG-VIS-08", profile="standard")
class FailsAtNulInAPatch(_RefusesBeyondThePlane):
    """Fails at NUL in the tags of a patch, and refuses, before it looks for that, whatever has 4 octets in UTF-8."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if reply.status == HTTPStatus.OK and any("\0" in tag for tag in self.images.get(image_id).tags):
            self.images.get(image_id).tags.clear()
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "A string literal cannot contain NUL.")
        return reply


@breaks(profile="standard")
class SetsNoTagsBeyondThePlane(_RefusesBeyondThePlane):
    """Lawful: what it cannot store is refused, and nothing is changed."""


@breaks("TAG-ADD-34", profile="standard")
class ListsTwiceWhatWasCreated(App):
    """Lists a tag twice that the image was created with and that is added again; a deletion takes both."""

    def __init__(self) -> None:
        super().__init__()
        self.created: dict[str, list[str]] = {}

    def create_image(self, request: Request) -> Reply:
        before = {other_image.id for other_image in self.images.all()}
        reply = super().create_image(request)
        for image in self.images.all():
            if image.id not in before:
                self.created[image.id] = list(image.tags)
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            again = tag in image.tags and tag in self.created.get(image_id, ())
            reply = super().add_tag(request, image_id, tag)
            image.tags += [tag] * again
            return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            image = self.images.get(image_id)
            image.tags[:] = [known_tag for known_tag in image.tags if known_tag != tag]
            return reply


@breaks("TAG-ADD-09")
class TakesAnXmlBody(App):
    """Adds what an XML body names."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        if found := re.search(rb"<tag>(\w+)</tag>", request.body):
            super().add_tag(request, image_id, found[1].decode())
        return reply


@breaks("TAG-METH-08", profile="standard")
class AddsWhatIsPosted(App):
    """Adds the tag of the path to the image when a body is posted to it."""

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Reply:  # type: ignore[override]
        found = re.fullmatch(r"/v2/images/([^/]+)/tags/([^/]+)", request.path)
        reply = super().method_not_allowed(request, allowed)
        if found and request.method == "POST" and request.body:
            self.images.get(found[1]).tags.append(self.decode_tag(found[2]))
        return reply


@breaks("TAG-HIST-04", profile="standard")
class KeepsALoneTagBeyondAscii(App):
    """Acknowledges the deletion of a tag beyond ASCII that was shown as the only one its image ever had, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.had: dict[str, set[str]] = {}
        self.shown: set[str] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.had.setdefault(image_id, set()).add(tag)
        return super().add_tag(request, image_id, tag)

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        if reply.status == HTTPStatus.OK and len(self.images.get(image_id).tags) == 1:
            self.shown.add(image_id)
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            alone = self.had.get(image_id) == {tag} and image_id in self.shown
            if reply.status == HTTPStatus.NO_CONTENT and alone and not tag.isascii():
                self.images.get(image_id).tags.append(tag)
            return reply
