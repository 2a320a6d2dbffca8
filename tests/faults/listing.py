"""Services that list images otherwise than they are asked to."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.refusals import Invalid, NotFound

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.LISTS
LISTS = selecting("IMG-LIST", "PAGE")
Pairs = list[tuple[str, str]]
BY_SIZE = (("sort_key", "size"), ("sort_dir", "asc"))
Document = dict[str, Any]


def pairs_of(request: Request) -> Pairs:
    """Return the parameters of a request for a list."""
    return parse_qsl(request.query, keep_blank_values=True)


def sending(request: Request, pairs: Pairs) -> Request:
    """Return the same request with other parameters."""
    query = urlencode(pairs, quote_via=quote)
    return replace(request, target=request.path + (f"?{query}" if query else ""))


def listed(self: App, request: Request, images: Sequence[Image]) -> Reply:
    """Answer the request for a list as it is to be answered where these images are all that there are."""
    query = listing.Query.read(request.query)
    with self.images.lock:
        page = listing.page(images, request.caller, query, self.represent)
        return Reply.of_json(listing.document("images", query, page, self.represent))


def link(pairs: Pairs, marker: str | None = None) -> str:
    """Return the link of a list with these parameters."""
    kept = [pair for pair in pairs if pair[0] != "marker"] + ([("marker", marker)] if marker else [])
    return "/v2/images" + (f"?{urlencode(kept, quote_via=quote)}" if kept else "")


def lists(
    name: str, sentence: str, *ids: str, answer: Callable[[App, Request, Pairs], Reply], words: tuple[str, ...] = LISTS
) -> None:
    """Register a service that answers requests for lists in a way of its own."""

    def list_images(self: App, request: Request) -> Reply:
        return answer(self, request, pairs_of(request))

    breaks(*ids, words=words)(
        type(name, (App,), {"__doc__": sentence, "__module__": __name__, "list_images": list_images})
    )


def reads(name: str, sentence: str, *ids: str, change: Callable[[Pairs], Pairs]) -> None:
    """Register a service that reads other parameters than it is sent, and leads on by those that it was sent."""

    def answer(self: App, request: Request, pairs: Pairs) -> Reply:
        reply = App.list_images(self, sending(request, change(pairs)))
        if reply.status != HTTPStatus.OK:
            return reply
        document: Any = reply.json()
        document["first"] = link(pairs)
        if "next" in document:
            document["next"] = link(pairs, document["images"][-1]["id"])
        return Reply.of_json(document)

    lists(name, sentence, *ids, answer=answer)


def shows(name: str, sentence: str, *ids: str, change: Callable[[Document, Pairs], Document]) -> None:
    """Register a service whose lists hold other things than they should."""

    def answer(self: App, request: Request, pairs: Pairs) -> Reply:
        reply = App.list_images(self, request)
        document: Any = reply.json()
        return Reply.of_json(change(document, pairs)) if reply.status == HTTPStatus.OK else reply

    lists(name, sentence, *ids, answer=answer)


def without(*names: str) -> Callable[[Pairs], Pairs]:
    """Return what leaves out some parameters."""
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def instead(name: str, change: Callable[[str], str]) -> Callable[[Pairs], Pairs]:
    """Return what reads another value of a parameter."""
    return lambda pairs: [(key, change(value) if key == name else value) for key, value in pairs]


def has(pairs: Pairs, name: str) -> str:
    """Return the value of a parameter; nothing where it is not there."""
    return dict(pairs).get(name, "")


# What a list holds

shows(
    "ListsWithoutASchema",
    "Leaves schema out of the list of images.",
    "IMG-LIST-01",
    change=lambda document, _: {key: value for key, value in document.items() if key != "schema"},
)
shows(
    "ListsWithTheSchemaOfAnImage",
    "Leads by schema from the list to the schema of an image.",
    "IMG-LIST-01",
    change=lambda document, _: document | {"schema": "/v2/schemas/image"},
)
reads(
    "FindsEveryName",
    "Takes no notice of the filter by name where nothing else is asked for.",
    "IMG-LIST-03",
    change=lambda pairs: pairs if len(pairs) != 1 else without("name")(pairs),
)
reads(
    "FindsEveryVisibility",
    "Takes no notice of the filter by visibility.",
    "IMG-LIST-04",
    "IMG-LIST-13",
    change=without("visibility"),
)
reads(
    "FindsNoPrivateImages",
    "Finds shared images where private ones are asked for.",
    "IMG-LIST-04",
    change=instead("visibility", lambda value: "shared" if value == "private" else value),
)
reads(
    "FindsEveryMember",
    "Lists what is shared with a project, whatever it has decided.",
    "IMG-LIST-05",
    "IMG-LIST-13",
    change=lambda pairs: [*without("member_status")(pairs), ("member_status", "all")],
)
reads(
    "FindsAcceptedImagesAlone",
    "Takes no notice of the filter by the status of a member.",
    "IMG-LIST-05",
    "IMG-LIST-13",
    change=without("member_status"),
)
reads(
    "TakesPendingForAll",
    "Takes pending for all where images are filtered by the status of a member.",
    "IMG-LIST-05",
    change=instead("member_status", lambda value: "all" if value == "pending" else value),
)
reads("FindsEveryOwner", "Takes no notice of the filter by owner.", "IMG-LIST-06", change=without("owner"))
reads("FindsEveryStatus", "Takes no notice of the filter by status.", "IMG-LIST-07", change=without("status"))
reads(
    "FindsActiveImagesAlone",
    "Finds active images where queued ones are asked for.",
    "IMG-LIST-07",
    change=instead("status", lambda value: "active" if value == "queued" else value),
)
reads(
    "TakesNoNoticeOfLeastSizes",
    "Takes no notice of size_min.",
    "IMG-LIST-08",
    "IMG-LIST-13",
    change=without("size_min"),
)
reads(
    "TakesNoNoticeOfMostSizes", "Takes no notice of size_max.", "IMG-LIST-08", "IMG-LIST-13", change=without("size_max")
)
reads(
    "TakesSizesBelowNothing",
    "Takes a negative bound of the size for a number like any other, which bounds nothing.",
    change=lambda pairs: [(key, "0" if key == "size_min" and value.startswith("-") else value) for key, value in pairs],
)
reads(
    "LeavesTheLeastSizeOut",
    "Finds images that are larger than size_min alone.",
    "IMG-LIST-08",
    change=instead("size_min", lambda value: str(int(value) + 1) if value.isdecimal() else value),
)
reads(
    "BoundsSizesBelowAlone",
    "Takes no notice of the most octets where the least are asked for as well.",
    "IMG-LIST-08",
    change=lambda pairs: without("size_max")(pairs) if has(pairs, "size_min") else pairs,
)
reads(
    "TakesNoNoticeOfFormats",
    "Takes no notice of filters by formats and by memory, which are most of those that are asked for.",
    "IMG-LIST-11",
    change=without("disk_format", "container_format", "min_ram"),
)
reads(
    "TakesNoNoticeOfOwnAttributes",
    "Takes no notice of filters by attributes of the owner's.",
    change=without("cloudimages_own"),
)
reads(
    "SortsBySizeUnasked",
    "Sorts by the size, the smallest first, where nothing is asked for.",
    "IMG-LIST-09",
    change=lambda pairs: pairs if has(pairs, "sort_key") or has(pairs, "sort_dir") else [*pairs, *BY_SIZE],
)
reads(
    "SortsForwardUnasked",
    "Sorts forward where no direction is asked for.",
    "IMG-LIST-10",
    change=lambda pairs: pairs if has(pairs, "sort_dir") else [*pairs, ("sort_dir", "asc")],
)

reads(
    "SortsBackwardAlone",
    "Takes no notice of the direction.",
    "IMG-LIST-10",
    "IMG-LIST-13",
    change=without("sort_dir"),
)
shows(
    "SortsSizesAsText",
    "Sorts sizes as if they were text.",
    "IMG-LIST-09",
    change=lambda document, pairs: _sorted(document, pairs, "size", str),
)
shows(
    "SortsIdsByTheirEnds",
    "Sorts ids with the second of them first.",
    "IMG-LIST-09",
    "IMG-LIST-10",
    change=lambda *asked: _second_first(*asked),  # noqa: PLW0108 - defined below,
)


def _sorted(document: Document, pairs: Pairs, key: str, way: Callable[[Any], Any]) -> Document:
    if has(pairs, "sort_key") != key:
        return document
    backward = has(pairs, "sort_dir") == "desc"
    return document | {"images": sorted(document["images"], key=lambda image: way(image[key] or 0), reverse=backward)}


def _second_first(document: Document, pairs: Pairs) -> Document:
    images = document["images"]
    if has(pairs, "sort_key") != "id" or len(images) < 3:
        return document
    return document | {"images": [images[1], images[0], *images[2:]]}


def _names_like(self: App, request: Request, pairs: Pairs, like: Callable[[str, str], bool]) -> Reply:
    name = has(pairs, "name")
    if not name or len(pairs) > 1:
        return App.list_images(self, request)
    document: Any = App.list_images(self, sending(request, [("limit", "25")])).json()
    images = [image for image in document["images"] if like(str(image["name"]), name)]
    return Reply.of_json({"images": images, "first": link(pairs), "schema": "/v2/schemas/images"})


lists(
    "FindsBeginningsOfNames",
    "Finds images by what their names begin with.",
    "IMG-LIST-03",
    answer=lambda self, request, pairs: _names_like(self, request, pairs, str.startswith),
)
lists(
    "FindsNamesInAnyCase",
    "Finds names in any case.",
    "IMG-LIST-03",
    answer=lambda self, request, pairs: _names_like(
        self, request, pairs, lambda name, asked: name.lower() == asked.lower()
    ),
)


def _by_links(self: App, request: Request, pairs: Pairs) -> Reply:
    found: Any = App.list_images(self, sending(request, without("self", "file")(pairs))).json()
    images = [
        image
        for image in found["images"]
        if all(image.get(key, value) == value for key, value in pairs if key in ("self", "file"))
    ]
    return (
        Reply.of_json(found | {"images": images, "first": link(pairs)})
        if has(pairs, "self") or has(pairs, "file")
        else App.list_images(self, request)
    )


lists("FiltersByLinks", "Finds images by their links.", "IMG-LIST-12", answer=_by_links)


def _no_shared_images(self: App, request: Request, pairs: Pairs) -> Reply:
    del pairs
    document: Any = App.list_images(self, request).json()
    own = [image for image in document["images"] if image["owner"] == request.caller.project]
    return Reply.of_json(document | {"images": own})


def _front_page(self: App, request: Request, pairs: Pairs) -> Reply:
    document: Any = App.list_images(self, request).json()
    front = document["images"] if pairs else document["images"][:3]
    return Reply.of_json(document | {"images": front})


lists(
    "ShowsTheFirstOnTheFrontPage",
    "Lists three images, and says that there are no more, where nothing is asked for.",
    "IMG-LIST-02",
    "PAGE-05",
    answer=_front_page,
    words=selecting("IMG-LIST", "PAGE"),
)


@breaks("PAGE-05", words=selecting("IMG-LIST", "PAGE"))
class ShowsNoPublicImageOnTheFrontPage(App):
    """Has a public image, which is on no list for which nothing is asked, and says that there are no more."""

    def __init__(self) -> None:
        super().__init__()
        operator = Caller("operator", admin=True)
        self.images.create(operator, {"name": "debian", "visibility": "public"})

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        document: Any = reply.json()
        images = [each for each in document["images"] if request.query or each["visibility"] != "public"]
        return Reply.of_json(document | {"images": images})


lists(
    "ListsOwnImagesAlone",
    "Leaves what is shared with a project out of its lists.",
    "IMG-LIST-02",
    "IMG-LIST-05",
    answer=_no_shared_images,
    words=("--select", "IMG-LIST-02", "--select", "IMG-LIST-05"),
)


def _not_found_where_empty(self: App, request: Request, pairs: Pairs) -> Reply:
    reply = App.list_images(self, request)
    found: Any = reply.json()
    empty = has(pairs, "member_status") and not found["images"]
    return self.error(request, HTTPStatus.NOT_FOUND, "Nothing is found.") if empty else reply


lists(
    "FindsNoListOfMemberships",
    "Answers 404 where no image is found by the status of a member.",
    "IMG-LIST-05",
    answer=_not_found_where_empty,
)
lists(
    "FailsToList",
    "Answers 500 to whoever lists images, which is a matter neither of members nor of roles.",
    "IMG-LIST-01",
    answer=lambda self, request, pairs: self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, f"{len(pairs)} failed."),
    words=selecting("IMG-LIST-01", "MEM-UPD", "RBAC"),
)


def _wrongly(status: HTTPStatus, *, when: Callable[[Pairs], bool]) -> Callable[[App, Request, Pairs], Reply]:
    def answer(self: App, request: Request, pairs: Pairs) -> Reply:
        try:
            return App.list_images(self, request)
        except Invalid:
            if not when(pairs):
                raise
            if status == HTTPStatus.OK:
                return Reply.of_json({"images": [], "first": link(pairs), "schema": "/v2/schemas/images"})
            return self.error(request, status, "It is not so.")

    return answer


def _a_value(pairs: Pairs) -> bool:
    return not has(pairs, "marker") and not has(pairs, "limit")


lists(
    "ListsNothingForWrongValues",
    "Answers an empty list to a value that there is not.",
    "IMG-LIST-13",
    answer=_wrongly(HTTPStatus.OK, when=_a_value),
)
lists(
    "CallsWrongValues422",
    "Answers 422 to a value that there is not.",
    "IMG-LIST-13",
    "IMG-LIST-14",
    answer=_wrongly(HTTPStatus.UNPROCESSABLE_ENTITY, when=_a_value),
)
lists(
    "ListsNothingAfterUnknownImages",
    "Answers an empty list after an image that there is not.",
    "PAGE-11",
    answer=_wrongly(HTTPStatus.OK, when=lambda pairs: bool(has(pairs, "marker"))),
)
lists(
    "FindsNoUnknownMarkers",
    "Answers 404 to an image to start after that there is not.",
    "PAGE-11",
    answer=_wrongly(HTTPStatus.NOT_FOUND, when=lambda pairs: bool(has(pairs, "marker"))),
)
lists(
    "ListsNothingForWrongLimits",
    "Answers an empty list to a limit that is none.",
    "PAGE-12",
    answer=_wrongly(HTTPStatus.OK, when=lambda pairs: bool(has(pairs, "limit"))),
)
reads(
    "PassesOverWrongLimits",
    "Takes no notice of a limit that is no number.",
    "PAGE-12",
    change=lambda pairs: pairs if has(pairs, "limit").isdecimal() else without("limit")(pairs),
)


# Pages

shows(
    "LeadsOnForEver",
    "Leads on from the end of a list to the end again.",
    "PAGE-05",
    change=lambda *asked: _for_ever(*asked),  # noqa: PLW0108 - defined below,
)


def _for_ever(document: Document, pairs: Pairs) -> Document:
    last = document["images"][-1]["id"] if document["images"] else has(pairs, "marker")
    return (
        document
        if "next" in document or not last or not has(pairs, "limit")
        else document | {"next": link(pairs, last)}
    )


reads(
    "HoldsOneMoreThanTheLimit",
    "Holds an image more on a page than its limit.",
    "PAGE-03",
    change=instead("limit", lambda value: str(int(value) + 1) if value.isdecimal() and value != "0" else value),
)
reads("HoldsAllThereIs", "Takes no notice of limits.", "PAGE-03", "PAGE-12", change=without("limit"))
shows(
    "SaysNothingOfNext",
    "Leaves next out of every page.",
    "PAGE-05",
    "PAGE-08",
    change=lambda document, _: {key: value for key, value in document.items() if key != "next"},
)
shows(
    "LeadsOnFromAShortPage",
    "Leads on from a page that is not full to an empty one.",
    "PAGE-05",
    change=lambda document, pairs: (
        document | {"next": link(pairs, document["images"][-1]["id"])}
        if document["images"] and has(pairs, "limit").isdecimal() and len(document["images"]) < int(has(pairs, "limit"))
        else document
    ),
)
shows(
    "ForgetsTheFilterOnTheNextPage",
    "Leads on without the filter by name.",
    "PAGE-06",
    change=lambda document, pairs: (
        document | ({"next": link(without("name")(pairs), document["images"][-1]["id"])} if "next" in document else {})
    ),
)
shows(
    "ForgetsTheOrderOnTheNextPage",
    "Leads on without the order.",
    "PAGE-06",
    "PAGE-08",
    change=lambda document, pairs: (
        document
        | (
            {"next": link(without("sort_key", "sort_dir")(pairs), document["images"][-1]["id"])}
            if "next" in document
            else {}
        )
    ),
)
shows(
    "ForgetsTheLimitOnTheNextPage",
    "Leads on without the limit.",
    "PAGE-06",
    "PAGE-03",
    change=lambda document, pairs: (
        document | ({"next": link(without("limit")(pairs), document["images"][-1]["id"])} if "next" in document else {})
    ),
)
shows(
    "LeadsBackToTheSamePage",
    "Leads by first to the page that shows it.",
    "PAGE-07",
    change=lambda document, pairs: document | {"first": link(pairs, has(pairs, "marker") or None)},
)
shows(
    "LeadsBackToEverything",
    "Leads by first to the list without its filter.",
    "PAGE-07",
    change=lambda document, pairs: document | {"first": link(without("name", "limit")(pairs))},
)
shows(
    "LeadsBackWithoutTheKeys",
    "Leads by first to the list in the order that nobody asked for, where two keys were asked for.",
    "PAGE-07",
    change=lambda document, pairs: (
        document
        | (
            {"first": link(without("sort_key", "sort_dir")(pairs))}
            if len(document["images"]) and len(pairs) > 5
            else {}
        )
    ),
)


def _with_the_marker(self: App, request: Request, pairs: Pairs) -> Reply:
    """Begin a page with its marker."""
    reply = App.list_images(self, request)
    marker = has(pairs, "marker")
    if reply.status != HTTPStatus.OK or not marker or has(pairs, "limit"):
        return reply
    document: Any = reply.json()
    document["images"].insert(0, self.represent(self.images.get(marker)))
    return Reply.of_json(document)


def _by_number(self: App, request: Request, pairs: Pairs) -> Reply:
    """Count the images that were seen, in place of remembering the last of them."""
    seen = has(pairs, "marker")
    if not has(pairs, "limit").isdecimal() or (seen and not seen.startswith("number-")):
        return App.list_images(self, request)
    whole: Any = App.list_images(self, sending(request, without("limit", "marker")(pairs))).json()["images"]  # type: ignore[index]
    begin, size = int(seen.removeprefix("number-") or 0), int(has(pairs, "limit"))
    document: Document = {"images": whole[begin : begin + size], "first": link(pairs), "schema": "/v2/schemas/images"}
    if begin + size < len(whole):
        document["next"] = link(pairs, f"number-{begin + size}")
    return Reply.of_json(document)


def _equal_keys_once(self: App, request: Request, pairs: Pairs) -> Reply:
    """Go on after the key of the marker, and so pass over those that have the same."""
    marker = has(pairs, "marker")
    reply = App.list_images(self, request)
    if reply.status != HTTPStatus.OK or has(pairs, "sort_key") != "status" or not marker:
        return reply
    document: Any = reply.json()
    last = str(self.images.get(marker).status)
    document["images"] = [image for image in document["images"] if image["status"] != last]
    return Reply.of_json(document)


lists(
    "BeginsWithTheMarker",
    "Begins a page with the image that it is to start after.",
    "PAGE-04",
    "PAGE-10",
    answer=_with_the_marker,
)
lists(
    "CountsWhatWasSeen",
    "Counts the images that were seen, so that one that goes hides another.",
    "PAGE-08",
    answer=_by_number,
)
lists(
    "PassesOverEqualKeys",
    "Passes over images that have the key of the last one seen.",
    "PAGE-05",
    "PAGE-08",
    answer=_equal_keys_once,
)


def _all_again(self: App, request: Request, pairs: Pairs) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    if reply.status == HTTPStatus.OK and not document["images"] and has(pairs, "marker"):
        return App.list_images(self, sending(request, without("marker")(pairs)))
    return reply


def _nothing_there(self: App, request: Request, pairs: Pairs) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    if reply.status == HTTPStatus.OK and not document["images"] and has(pairs, "marker"):
        raise NotFound("There is nothing.")
    return reply


lists("BeginsAgainAfterTheLast", "Begins again after the last image.", "PAGE-04", "PAGE-10", answer=_all_again)
lists("FindsNothingAfterTheLast", "Answers 404 after the last image.", "PAGE-10", answer=_nothing_there)


# Lawful


def _full_pages_lead_on(self: App, request: Request, pairs: Pairs) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    full = has(pairs, "limit").isdecimal() and 0 < len(document["images"]) == int(has(pairs, "limit"))
    return Reply.of_json(document | {"next": link(pairs, document["images"][-1]["id"])}) if full else reply


lists("LeadsOnFromEveryFullPage", "Leads on from every full page, perhaps to an empty one.", answer=_full_pages_lead_on)
shows(
    "SaysNothingOfFirst",
    "Leaves first out of lists.",
    change=lambda document, _: {key: value for key, value in document.items() if key != "first"},
)
reads(
    "HoldsFewImagesOnAPage",
    "Holds three images on a page at most.",
    change=lambda pairs: (
        [*without("limit")(pairs), ("limit", str(min(3, int(has(pairs, "limit") or 3))))]
        if (has(pairs, "limit") or "3").isdecimal()
        else pairs
    ),
)
shows(
    "ListsWithAbsoluteLinks",
    "Leads on by links with the host.",
    change=lambda document, _: (
        document | {key: f"http://127.0.0.1{document[key]}" for key in ("first", "next") if key in document}
    ),
)
