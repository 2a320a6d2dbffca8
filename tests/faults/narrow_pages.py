"""Services whose lists are wrong for few names, bounds and directions, or show images otherwise from page to page."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, sees
from pytest_cloudimages.reference.refusals import Forbidden

from .kinds import Kind
from .listing import Pairs, link, pairs_of, sending
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
    narrow = _has(pairs, "name") or _has(pairs, "limit") == "100"
    return [*pairs, ("sort_key", "updated_at")] if narrow and not _has(pairs, "sort_key") else pairs


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


def _leads_on_without(*names: str) -> Callable[[App, Request], Reply]:
    """Return what leads to a next page that is asked for without some of the parameters."""

    def list_images(self: App, request: Request) -> Reply:
        document: Any = App.list_images(self, request).json()
        if "next" in document:
            pairs = parse_qsl(urlsplit(document["next"]).query)
            document["next"] = link(
                [pair for pair in pairs if pair[0] not in (*names, "marker")], dict(pairs)["marker"]
            )
        return Reply.of_json(document)

    return list_images


faulty(
    "LeadsOnWithoutBounds",
    "Has no bounds of the size in the link to the next page.",
    "PAGE-06",
    words=selecting("PAGE"),
    list_images=_leads_on_without("size_min", "size_max"),
)
faulty(
    "LeadsOnWithoutTheOwner",
    "Has no owner in the link to the next page.",
    "PAGE-06",
    words=selecting("PAGE"),
    list_images=_leads_on_without("owner"),
)


def _leads_on_without_nothing(self: App, request: Request) -> Reply:
    document: Any = App.list_images(self, request).json()
    if "next" in document:
        pairs = parse_qsl(urlsplit(document["next"]).query)
        kept = [(key, value) for key, value in pairs if value.lower() not in ("0", "false", "")]
        document["next"] = link(kept, dict(pairs)["marker"])
    return Reply.of_json(document)


faulty(
    "LeadsOnWithoutWhatIsNothing",
    "Has no parameter in the link to the next page whose value is nothing in its language: 0, false.",
    "PAGE-06",
    words=selecting("PAGE"),
    list_images=_leads_on_without_nothing,
)
faulty(
    "LeadsOnWithoutProtection",
    "Has nothing of protection in the link to the next page.",
    "PAGE-06",
    words=selecting("PAGE"),
    list_images=_leads_on_without("protected"),
)


def _writes_capitals(self: App, request: Request) -> Reply:
    document: Any = App.list_images(self, request).json()
    if "next" in document:
        document["next"] = document["next"].replace("=false", "=False").replace("=true", "=True")
    return Reply.of_json(document)


faulty(
    "LeadsOnInCapitals",
    "Writes what is true and what is not with a capital in the link to the next page, as its language does.",
    words=selecting("PAGE"),
    list_images=_writes_capitals,
)


# Pages that are cut before their filters


def _takes_off_the_page(*names: str) -> Callable[[App, Request], Reply]:
    """Return what cuts a page, and takes off it then what some parameters of the query do not let through."""

    def list_images(self: App, request: Request) -> Reply:
        pairs = pairs_of(request)
        without = [pair for pair in pairs if pair[0] not in names]
        if len(without) == len(pairs):
            return App.list_images(self, request)
        document: Any = App.list_images(self, sending(request, without)).json()
        if "next" in document:
            marker = dict(parse_qsl(urlsplit(document["next"]).query))["marker"]
            document["next"] = link(pairs, marker)
        document["first"] = link(pairs)
        kept = [pair for pair in pairs if pair[0] not in ("limit", "marker")]
        fitting: Any = App.list_images(self, sending(request, [*kept, ("limit", "1000")])).json()
        known = {each["id"] for each in fitting.get("images", ())}
        document["images"] = [each for each in document.get("images", ()) if each["id"] in known]
        return Reply.of_json(document)

    return list_images


faulty(
    "TakesSizesOffThePage",
    "Takes the images off a page that the bounds of the size leave out, once it is cut.",
    "PAGE-05",
    words=selecting("PAGE"),
    list_images=_takes_off_the_page("size_min", "size_max"),
)


# Owners


def _no_other_owner(self: App, request: Request) -> Reply:
    owner = _has(pairs_of(request), "owner")
    if not owner or owner == request.caller.project:
        return App.list_images(self, request)
    document: Any = App.list_images(self, request).json()
    return Reply.of_json(document | {"images": []})


faulty(
    "FindsItsOwnByTheOwnerAlone",
    "Lists nothing of another owner, although the caller has accepted an image of it.",
    "IMG-LIST-06",
    words=selecting("IMG-LIST"),
    list_images=_no_other_owner,
)


def _forbids_other_owners(self: App, request: Request) -> Reply:
    owner = _has(pairs_of(request), "owner")
    if owner and owner != request.caller.project:
        raise Forbidden("Images are looked for by one's own project alone.")
    return App.list_images(self, request)


faulty(
    "ForbidsToAskForOtherOwners",
    "Answers 403 to lists by an owner that is another project.",
    words=selecting("IMG-LIST"),
    list_images=_forbids_other_owners,
)


def _after_hidden_ones(self: App, request: Request) -> Reply:
    marker = _has(pairs_of(request), "marker")
    found = next((image for image in self.images.all() if image.id == marker), None)
    if found is None or sees(request.caller, found):
        return App.list_images(self, request)
    older = [each for each in self.images.all() if sees(request.caller, each) and each.created_at < found.created_at]
    return _shown(self, sending(request, [pair for pair in pairs_of(request) if pair[0] != "marker"]), older)


faulty(
    "GoesOnAfterHiddenImages",
    "Begins a page after an image that is there and that the caller does not see.",
    "PAGE-11",
    words=selecting("PAGE"),
    list_images=_after_hidden_ones,
)


def _forbids_hidden_markers(self: App, request: Request) -> Reply:
    marker = _has(pairs_of(request), "marker")
    if any(image.id == marker and not sees(request.caller, image) for image in self.images.all()):
        raise Forbidden("You are not permitted to see that image.")
    return App.list_images(self, request)


faulty(
    "ForbidsHiddenMarkers",
    "Answers 403 to a marker that is an image which the caller does not see, as Glance does.",
    words=selecting("PAGE"),
    list_images=_forbids_hidden_markers,
)

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


# Keys, filters and limits


def _without_nulls(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    pairs = pairs_of(request)
    if _has(pairs, "marker") and (key := _has(pairs, "sort_key")):
        document["images"] = [each for each in document.get("images", ()) if each.get(key) is not None]
        if not document["images"]:
            document.pop("next", None)
    return Reply.of_json(document, reply.status)


faulty(
    "LosesWhatHasNoKey",
    "Shows what lacks the key of order on the first page alone.",
    "PAGE-08",
    words=selecting("PAGE-08", "PAGE-04"),
    list_images=_without_nulls,
)


def _nulls_last(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    key = _has(pairs_of(request), "sort_key")
    if key == "size" and not _has(pairs_of(request), "limit") and "images" in document:
        document["images"].sort(key=lambda each: each.get(key) is None)
    return Reply.of_json(document, reply.status)


faulty(
    "PutsNothingLastBothWays",
    "Has images without a size at the end of whole lists, whatever the direction.",
    "IMG-LIST-09",
    "IMG-LIST-10",
    words=selecting("IMG-LIST-09", "IMG-LIST-10"),
    list_images=_nulls_last,
)


def _without(name: str, beside: str) -> Callable[[App, Request, Pairs], Sequence[tuple[str, str]]]:
    def change(self: App, request: Request, pairs: Pairs) -> Sequence[tuple[str, str]]:
        del self, request
        return [pair for pair in pairs if pair[0] != name] if _has(pairs, beside) else pairs

    return change


faulty(
    "FiltersBySizeOrByStatus",
    "Takes no notice of status where a size is asked for.",
    "IMG-LIST-11",
    words=selecting("IMG-LIST-11", "IMG-LIST-07"),
    list_images=rewriting(_without("status", "size_min")),
)


def _page_for_none(self: App, request: Request, pairs: Pairs) -> Sequence[tuple[str, str]]:
    del self, request
    return [pair for pair in pairs if pair != ("limit", "0")]


faulty(
    "TakesTheLimitZeroForNone",
    "Shows a whole page for limit=0.",
    "PAGE-03",
    words=selecting("PAGE-03"),
    list_images=rewriting(_page_for_none),
)


def _keys_once(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    keys = [value for key, value in pairs_of(request) if key == "sort_key"]
    if "next" in document and len(keys) > 1:
        document["next"] = document["next"].replace(f"sort_key={keys[0]}&", "", 1)
    return Reply.of_json(document, reply.status)


faulty("KeepsOneKeyOfSeveral", "Keeps one sort_key of several in next.", "PAGE-06", words=NEXT, list_images=_keys_once)


faulty(
    "WritesAmpersandsAsTheyAre", "Does not encode & in next.", "PAGE-06", words=NEXT, list_images=_next_with("%26", "&")
)


def _one_key(self: App, request: Request) -> Reply:
    if len([key for key, _ in pairs_of(request) if key == "sort_key"]) > 1:
        return self.error(request, HTTPStatus.BAD_REQUEST, "Images are sorted by one key.")
    return App.list_images(self, request)


faulty("SortsByOneKey", "Refuses to sort by several keys.", words=selecting("PAGE", "IMG-LIST"), list_images=_one_key)


# Limits and markers


def _of_32_bits(self: App, request: Request) -> Reply:
    pairs = [
        (key, str(int(value) % 2**32) if key == "limit" and value.isdecimal() else value)
        for key, value in pairs_of(request)
    ]
    return App.list_images(self, sending(request, pairs))


faulty(
    "CutsLimitsTo32Bits",
    "Keeps the last 32 bits of a limit.",
    "PAGE-02",
    words=selecting("PAGE-02"),
    list_images=_of_32_bits,
)


def _with_its_marker(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    pairs = pairs_of(request)
    if reply.status != HTTPStatus.OK or _has(pairs, "limit") or _has(pairs, "sort_dir") != "asc":
        return reply
    document: Any = reply.json()
    if marker := _has(pairs, "marker"):
        document["images"].insert(0, self.represent(self.images.get(marker)))
    return Reply.of_json(document)


faulty(
    "RepeatsMarkersUpwards",
    "Begins the rest of a list that is sorted upwards with its marker.",
    "PAGE-04",
    words=selecting("PAGE-04"),
    list_images=_with_its_marker,
)


def _of_31_bits(self: App, request: Request) -> Reply:
    for key, value in pairs_of(request):
        if key in ("size_min", "size_max") and value.isdecimal() and int(value) >= 2**31:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The number is out of range.")
    return App.list_images(self, request)


faulty(
    "FailsOnLargeBounds",
    "Answers 500 to bounds of sizes beyond 31 bits.",
    "IMG-LIST-08",
    words=selecting("IMG-LIST-08"),
    list_images=_of_31_bits,
)


def _forgets_later(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    pairs = pairs_of(request)
    document: Any = reply.json()
    if reply.status == HTTPStatus.OK and "next" in document and _has(pairs, "marker"):
        kept = [pair for pair in pairs if pair[0] in ("limit", "sort_key", "sort_dir")]
        document["next"] = link(kept, document["images"][-1]["id"])
    return Reply.of_json(document, reply.status)


faulty(
    "LosesFiltersOnTheSecondPage",
    "Leaves the filters out of the next of every page but the first.",
    "PAGE-06",
    words=NEXT,
    list_images=_forgets_later,
)


def _elsewhere(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    for name in {"first", "next"} & document.keys():
        document[name] = f"https://images.cloud.example:9292{document[name]}"
    return Reply.of_json(document, reply.status)


faulty(
    "LeadsToAnotherHost",
    "Has the pages of lists lead to another host.",
    "PAGE-05",
    words=NEXT,
    list_images=_elsewhere,
)


# After a marker


def _after_what_is_gone(self: App, request: Request) -> Reply:
    marker = _has(pairs_of(request), "marker")
    if marker in self.__dict__.get("gone", ()):
        return Reply.of_json({"images": [], "first": "/v2/images", "schema": "/v2/schemas/images"})
    return App.list_images(self, request)


def _remembers_what_is_gone(self: App, request: Request, image_id: str) -> Reply:
    reply = App.delete_image(self, request, image_id)
    self.__dict__.setdefault("gone", set()).add(image_id)
    return reply


faulty(
    "EndsListsAtWhatWasDeleted",
    "Shows an empty page after an image that was deleted.",
    "PAGE-11",
    words=selecting("PAGE"),
    list_images=_after_what_is_gone,
    delete_image=_remembers_what_is_gone,
)


def _sought_among_what_fits(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    marker, wanted = _has(pairs, "marker"), _has(pairs, "visibility")
    if wanted and any(each.id == marker and each.visibility != wanted for each in _own(self, request)):
        return self.error(request, HTTPStatus.BAD_REQUEST, "The marker is not found.")
    return App.list_images(self, request)


faulty(
    "SeeksMarkersAmongWhatFits",
    "Finds no image to start after that is not of the visibility which is asked for.",
    "PAGE-04",
    words=selecting("PAGE"),
    list_images=_sought_among_what_fits,
)


def _after_its_second(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    marker = next((each for each in _own(self, request) if each.id == _has(pairs, "marker")), None)
    if marker is None or _has(pairs, "sort_key") != "updated_at":
        return App.list_images(self, request)
    second = marker.updated_at.replace(microsecond=0)
    named = [each for each in _own(self, request) if each.name == _has(pairs, "name")]
    others = [each for each in named if each.updated_at.replace(microsecond=0) != second]
    return _shown(self, request, [*others, marker])


faulty(
    "GoesOnAfterTheSecond",
    "Goes on after the second in which the last image of a page was changed, in a list sorted by that.",
    "PAGE-08",
    words=selecting("PAGE"),
    list_images=_after_its_second,
)


def _lost_after_a_marker(*names: str) -> Callable[[App, Request], Reply]:
    """Return what does not filter by some parameters what comes after a marker, and leads on by them."""

    def list_images(self: App, request: Request) -> Reply:
        pairs = pairs_of(request)
        if not _has(pairs, "marker"):
            return App.list_images(self, request)
        document: Any = App.list_images(self, sending(request, [pair for pair in pairs if pair[0] not in names])).json()
        document["first"] = link(pairs)
        if "next" in document:
            document["next"] = link(pairs, dict(parse_qsl(urlsplit(document["next"]).query))["marker"])
        return Reply.of_json(document)

    return list_images


for _name, _what, _id, _lost in (
    ("ForgetsTheVisibilityAfterAMarker", "the visibility", "IMG-LIST-04", "visibility"),
    ("ForgetsTheStatusAfterAMarker", "the status", "IMG-LIST-07", "status"),
    ("ForgetsTheLeastSizeAfterAMarker", "the least size", "IMG-LIST-08", "size_min"),
    ("ForgetsTheMemoryAfterAMarker", "the least memory", "IMG-LIST-11", "min_ram"),
):
    faulty(
        _name,
        f"Takes no notice of {_what} that is asked for after a marker.",
        _id,
        words=selecting("IMG-LIST", "PAGE"),
        list_images=_lost_after_a_marker(_lost),
    )
