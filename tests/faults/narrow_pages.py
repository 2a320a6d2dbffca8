"""Services whose lists are wrong for few names, bounds and directions, or show images otherwise from page to page."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .listing import Pairs, pairs_of, sending
from .narrow_lists import _has, _shown
from .registry import registrar, selecting

KIND = Kind.LISTS

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


def _own(self: App, request: Request) -> list[Image]:
    return [each for each in self.images.all() if each.owner == request.caller.project]


# Names


def _by_pattern(self: App, request: Request) -> Reply:
    name = _has(pairs_of(request), "name")
    if {key for key, _ in pairs_of(request)} != {"name"} or not set("_%") & {*name}:
        return App.list_images(self, request)
    pattern = "".join({"_": ".", "%": ".*"}.get(letter, re.escape(letter)) for letter in name)
    fits = re.compile(pattern, re.DOTALL).fullmatch
    return _shown(self, request, [each for each in _own(self, request) if fits(each.name or "")])


def _once_more(self: App, request: Request) -> Reply:
    pairs = [(key, unquote(value) if key == "name" else value) for key, value in pairs_of(request)]
    return App.list_images(self, sending(request, pairs))


for _name, _sentence, _list in (
    ("FindsNamesByPatterns", "Takes _ and % in the name that is looked for to stand for others.", _by_pattern),
    ("DecodesNamesTwice", "Decodes the name that is looked for once more.", _once_more),
):
    faulty(_name, _sentence, "IMG-LIST-03", words=selecting("IMG-LIST-03"), list_images=_list)


# What is asked for besides


def rewriting(change: Callable[[App, Request, Pairs], Sequence[tuple[str, str]]]) -> Callable[[App, Request], Reply]:
    """Return what lists images for another query than was asked."""
    return lambda self, request: App.list_images(self, sending(request, [*change(self, request, pairs_of(request))]))


def _without_zero(self: App, request: Request, pairs: Pairs) -> Sequence[tuple[str, str]]:
    del self, request
    return [pair for pair in pairs if pair != ("size_max", "0")]


def _by_update(self: App, request: Request, pairs: Pairs) -> Sequence[tuple[str, str]]:
    del self, request
    return pairs if _has(pairs, "sort_key") or not _has(pairs, "name") else [*pairs, ("sort_key", "updated_at")]


def _hides_own(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    if _has(pairs_of(request), "member_status") not in ("pending", "rejected"):
        return reply
    document: Any = reply.json()
    kept = [each for each in document.get("images", ()) if each["owner"] != request.caller.project]
    return Reply.of_json(document | {"images": kept}, reply.status)


faulty(
    "TakesTheBoundZeroForNone",
    "Takes no notice of size_max=0.",
    "IMG-LIST-08",
    words=selecting("IMG-LIST-08"),
    list_images=rewriting(_without_zero),
)
faulty(
    "SortsByTheLastUpdate",
    "Sorts images by their last update if no key is asked for.",
    "IMG-LIST-09",
    words=selecting("IMG-LIST-09"),
    list_images=rewriting(_by_update),
)
faulty(
    "HidesOwnImagesFromDeciders",
    "Lists no image of the caller's own where a status of members is asked for.",
    "IMG-LIST-05",
    words=selecting("IMG-LIST-05"),
    list_images=_hides_own,
)


# Links from page to page


def _from_the_second_on(spelled: Callable[[Request, str], str]) -> Callable[[App, Request], Reply]:
    """Return what spells the links of images otherwise on all pages but the first."""

    def list_images(self: App, request: Request) -> Reply:
        reply = App.list_images(self, request)
        document: Any = reply.json()
        if _has(pairs_of(request), "marker"):
            for image in document.get("images", ()):
                image["self"] = spelled(request, image["self"])
                image["file"] = f"{image['self']}/file"
        return Reply.of_json(document, reply.status)

    return list_images


LINKS = selecting("IMG-ENT-04", "IMG-ENT-05")
faulty(
    "LeadsOnWithTheQuery",
    "Has the query of the list in the links of images, from the second page on.",
    "IMG-ENT-04",
    "IMG-ENT-05",
    words=LINKS,
    list_images=_from_the_second_on(lambda request, link: f"{link}?{request.query}"),
)
faulty(
    "ShowsAbsoluteLinksLater",
    "Has its own address in the links of images, from the second page on.",
    words=LINKS,
    list_images=_from_the_second_on(lambda request, link: f"http://{request.headers.get('Host')}{link}"),
)


# Links to the next page


def _next_with(old: str, new: str) -> Callable[[App, Request], Reply]:
    """Return what lists images, with something else in the link to the next page."""

    def list_images(self: App, request: Request) -> Reply:
        reply = App.list_images(self, request)
        document: Any = reply.json()
        if "next" in document:
            document["next"] = document["next"].replace(old, new)
        return Reply.of_json(document, reply.status)

    return list_images


NEXT = selecting("PAGE-05", "PAGE-06")
faulty(
    "QuotesNextTwice", "Quotes the query in next once more.", "PAGE-06", words=NEXT, list_images=_next_with("%", "%25")
)
faulty("SpellsBlanksAsPluses", "Has pluses for blanks in next.", words=NEXT, list_images=_next_with("%20", "+"))
