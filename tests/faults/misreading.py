"""Services that read an address otherwise than it is written, or store what it names otherwise; and a lawful one."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from posixpath import normpath
from urllib.parse import quote, unquote
from uuid import UUID

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks, registrar, selecting

KIND = Kind.ENCODING
faulty = registrar(__name__, profile="standard")
LIMIT = 255
SUB_DELIMITERS = "!$&'()*+,;=:@"
"""What a segment of a path may hold as it is, besides what is never encoded. (RFC 3986, 3.3.)"""


@breaks("TAG-URI-03", "TAG-HIST-04", profile="standard")
class WritesIdsInLowerCase(App):
    """Writes a tag that is an id of thirty-six characters in small letters, as a column of ids does."""

    def decode_tag(self, raw: str) -> str:
        tag = super().decode_tag(raw)
        try:
            return str(UUID(tag)) if len(tag) == len(str(UUID(tag))) else tag
        except ValueError:
            return tag


@breaks("TAG-ADD-11", profile="standard", words=("--select", "TAG-HIST-04", "--select", "TAG-ADD-11"))
class TakesOneBlankOffToFit(App):
    """Stores a tag that is a character too long without its last one, where that is a blank."""

    def decode_tag(self, raw: str) -> str:
        tag = super().decode_tag(raw)
        return tag[:-1] if len(tag) == LIMIT + 1 and tag.endswith(" ") else tag


@breaks("TAG-URI-07", profile="standard")
class ReadsAPlusBesideAPercentSign(App):
    """Reads a plus sign in an address as a blank, where anything of it is to be decoded."""

    def decode_tag(self, raw: str) -> str:
        return super().decode_tag(raw.replace("+", "%20") if "%" in raw else raw)


@breaks("TAG-URI-08", profile="standard")
class CountsWhatIsEncoded(App):
    """Answers 400 to tags that have more than 255 characters where those of ASCII are written as in an address."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len("".join(quote(each, safe=SUB_DELIMITERS) if each.isascii() else each for each in tag)) > LIMIT:
            return self.error(request, HTTPStatus.BAD_REQUEST, "The tag is too long.")
        return super().add_tag(request, image_id, tag)


@breaks(profile="standard", words=selecting("TAG-URI-08", "TAG-ADD-10"))
class BoundsTheAddressesOfTags(App):
    """Answers 414 to an address of a tag that is longer than one of 255 plain characters may be."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(request.path.rpartition("/")[2]) > LIMIT:
            return self.error(request, HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-15", "TAG-DEL-07", profile="standard")
class ResolvesEncodedPaths(App):
    """Reads encoded slashes as slashes where two dots come before them, and follows the path to another image."""

    def route(self, request: Request) -> Reply:
        path, mark, query = request.target.partition("?")
        if "..%2f" in path.lower():
            resolved = normpath(unquote(path))
            if re.fullmatch(r"/v2/images/[^/]+/tags/[^/]+", resolved):
                request = replace(request, target=f"{resolved}{mark}{query}")
        return super().route(request)


def _knows(name: str, doc: str, fits: Callable[[str, str], bool], *methods: str, broken: tuple[str, ...]) -> None:
    """Register a service that takes an id that no image has for that of one, where the two fit."""

    def route(self: App, request: Request) -> Reply:
        found = re.fullmatch(r"/v2/images/([^/]+)(/tags/[^/]+)", request.path)
        if found and request.method in methods:
            known = [image.id for image in self.images.all()]
            like = [each for each in known if fits(found[1], each)]
            if like and found[1] not in known:
                request = replace(request, target=f"/v2/images/{like[-1]}{found[2]}")
        return App.route(self, request)

    faulty(name, doc, *broken, route=route)


_knows(
    "KnowsImagesByTheEndOfTheirIds",
    "Looks for the image whose tags are to be changed by the last twelve digits of its id.",
    lambda asked, known: asked[-12:] == known[-12:],
    *("PUT", "DELETE"),
    broken=("TAG-ADD-15", "TAG-DEL-07"),
)
_knows(
    "CutsIdsShort",
    "Deletes a tag of the image whose id is what a longer id begins with.",
    lambda asked, known: asked.startswith(known) and asked[len(known) :].isalnum(),
    "DELETE",
    broken=("TAG-DEL-07",),
)


@breaks(profile="standard", words=selecting("TAG-ADD-15", "TAG-DEL-07"))
class ReadsIdsInAnyForm(App):
    """Takes an id in upper case, in braces or without hyphens for the same id, as many libraries do."""

    def route(self, request: Request) -> Reply:
        found = re.fullmatch(r"/v2/images/([^/]+)(/tags/[^/]+)", request.path)
        with suppress(ValueError):
            if found:
                request = replace(request, target=f"/v2/images/{UUID(unquote(found[1]))}{found[2]}")
        return super().route(request)


@breaks("TAG-URI-04")
class BelievesTheRewrittenPath(App):
    """Goes by the path that a header field says was rewritten."""

    def route(self, request: Request) -> Reply:
        path = request.headers.get("X-Rewrite-URL")
        return super().route(replace(request, target=path) if path else request)


@breaks()
class RefusesARewrittenPath(App):
    """Refuses requests with a header field that says of the path that it was rewritten."""

    def route(self, request: Request) -> Reply:
        if request.headers.get("X-Rewrite-URL"):
            return self.error(request, HTTPStatus.BAD_REQUEST, "Nobody is believed in this.")
        return super().route(request)
