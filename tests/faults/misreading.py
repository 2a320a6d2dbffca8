"""Services that read an address otherwise than it is written, or store what it names otherwise; and a lawful one."""

import re
from dataclasses import replace
from http import HTTPStatus
from posixpath import normpath
from urllib.parse import unquote
from uuid import UUID

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks

KIND = Kind.ENCODING
LIMIT = 255


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
