"""Lists that are filtered by tags in a wrong way, and lawful ones that look like it."""

import json
import threading
import time
import unicodedata
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image, Visibility

from .by_tags import Filters
from .kinds import Kind
from .registry import breaks

KIND = Kind.FILTER
NARROWED = ("--select", "TAG-VIS-02", "--select", "TAG-VIS-03", "--select", "TAG-VIS-04")
"""What looks at lists: all that a fault in them can show in."""
Pairs = list[tuple[str, str]]


def again(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    """Return the honest list for another query."""
    target = f"{request.path}?{urlencode(pairs, quote_via=quote)}"
    asked = Request("GET", target, request.headers, b"", request.caller)
    document = App.list_images(app, asked).json()
    assert isinstance(document, dict)
    return document


def _fault(
    name: str,
    doc: str,
    list_images: Callable[[App, Request, Pairs], dict[str, Any]],
    *ids: str,
    perhaps: tuple[str, ...] = (),
) -> None:
    """Register an app whose lists are answered so where they are filtered by a tag."""

    def answer(self: App, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        if not any(key == "tag" for key, _ in pairs):
            return App.list_images(self, request)
        return Reply.of_json(list_images(self, request, pairs))

    breaks(*ids, perhaps=perhaps, profile="standard", words=NARROWED)(
        type(name, (App,), {"list_images": answer, "__doc__": doc})
    )


# What is asked for is read wrongly


def _read_as(change: Callable[[str], list[str]], app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    tags = [("tag", changed) for key, value in pairs if key == "tag" for changed in change(value)]
    return again(app, request, [pair for pair in pairs if pair[0] != "tag"] + tags)


_READ: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "StripsFilters": ("Takes blanks off both ends of a filter by tag.", lambda tag: [tag.strip()]),
    "CutsFiltersAtNul": ("Reads a filter by tag up to a NUL.", lambda tag: [tag.partition("\0")[0]]),
    "SplitsFiltersAtCommas": ("Reads a filter by tag as several tags, with commas.", lambda tag: tag.split(",")),
    "ReadsOperatorsInFilters": (
        "Takes what comes before a colon in a filter by tag for an operator.",
        lambda tag: [tag.partition(":")[2] if tag.partition(":")[0] in ("in", "eq", "neq") else tag],
    ),
    "DecodesFiltersTwice": ("Decodes percent signs in a filter by tag once more.", lambda tag: [unquote(tag)]),
    "FiltersInLowerCase": ("Writes a filter by tag in lower case.", lambda tag: [tag.lower()]),
    "ComposesFilters": ("Writes a filter by tag in NFC.", lambda tag: [unicodedata.normalize("NFC", tag)]),
    "DecomposesFilters": ("Writes a filter by tag in NFD.", lambda tag: [unicodedata.normalize("NFD", tag)]),
    "FiltersInTheFormOfCompatibility": (
        "Writes a filter by tag in NFKC where that is not what NFC makes of it.",
        lambda tag: [
            unicodedata.normalize("NFKC", tag)
            if unicodedata.normalize("NFKC", tag) != unicodedata.normalize("NFC", tag)
            else tag
        ],
    ),
}
for _name, (_doc, _change) in _READ.items():
    _fault(_name, _doc, partial(_read_as, _change), "TAG-VIS-03")


# The filter is lost, or another one is


def _without_tags_where(*keys: str) -> Callable[[App, Request, Pairs], dict[str, Any]]:
    def answer(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
        lost = any(key in keys for key, _ in pairs)
        return again(app, request, [pair for pair in pairs if not (lost and pair[0] == "tag")])

    return answer


def _without(*keys: str) -> Callable[[App, Request, Pairs], dict[str, Any]]:
    return lambda app, request, pairs: again(app, request, [pair for pair in pairs if pair[0] not in keys])


_fault(
    "ForgetsTheFilterOnFurtherPages",
    "Filters the first page only.",
    _without_tags_where("marker"),
    "TAG-VIS-03",
)
_fault("ForgetsTheFilterWhenSorted", "Sorts, or filters by tag.", _without_tags_where("sort_key"), "TAG-VIS-03")
for _key in ("name", "status", "visibility"):
    _fault(
        f"FiltersByTagOr{_key.capitalize()}",
        f"Takes no notice of a {_key} beside a tag.",
        _without(_key),
        "TAG-VIS-03",
    )
_fault("KnowsNoLimitWithATag", "Takes no notice of a limit beside a tag.", _without("limit"), "TAG-VIS-03")
_fault(
    "KnowsNoMarkerWithATag",
    "Begins anew at every page that is filtered.",
    _without("marker"),
    "TAG-VIS-03",
)


def _first_alone(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    tags = [pair for pair in pairs if pair[0] == "tag"]
    return again(app, request, [pair for pair in pairs if pair[0] != "tag"] + tags[:1])


_fault("FiltersByTheFirst", "Looks at the first of several tags alone.", _first_alone, "TAG-VIS-04")


def _marker_again(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    document = again(app, request, pairs)
    marker = dict(pairs).get("marker")
    if marker:
        document["images"].insert(0, app.represent(app.images.get(marker)))
    return document


_fault(
    "RepeatsTheMarker",
    "Begins a filtered page with the image of its marker.",
    _marker_again,
    "TAG-VIS-03",
)


def _once_for_each_tag(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    document = again(app, request, pairs)
    times = len({value for key, value in pairs if key == "tag"})
    document["images"] = [entry for entry in document["images"] for _ in range(times)]
    return document


_fault(
    "ListsOnceForEachTag", "Lists an image once for each of the tags it was found by.", _once_for_each_tag, "TAG-VIS-04"
)


def _once_for_each_carried(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    document, keys = again(app, request, pairs), {key for key, _ in pairs}
    if "limit" not in keys and "sort_key" in keys:
        document["images"] = [entry for entry in document["images"] for _ in entry["tags"]]
    return document


_fault(
    "ListsOnceForEachTagWhenSorted",
    "Lists an image once for each tag that it carries, where a list by a tag is sorted and goes on one page.",
    _once_for_each_carried,
    "TAG-VIS-03",
)


def _short_page_is_the_last(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    """Return a page of all images with those left out that do not carry the tags."""
    document = again(app, request, [pair for pair in pairs if pair[0] != "tag"])
    wanted = {value for key, value in pairs if key == "tag"}
    kept = [entry for entry in document["images"] if wanted.issubset(entry["tags"])]
    if len(kept) < len(document["images"]):
        document.pop("next", None)
    return document | {"images": kept} | _with_tags(document, pairs)


def _last_tag_alone(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    document = again(app, request, pairs)
    tags = [pair for pair in pairs if pair[0] == "tag"]
    for forgotten in tags[:-1] if "next" in document else ():
        document["next"] = document["next"].replace(f"{urlencode([forgotten], quote_via=quote)}&", "")
    return document


_fault("GoesOnWithTheLastTag", "Links to a further page by the last of its tags.", _last_tag_alone, "TAG-VIS-04")


def _with_tags(document: dict[str, Any], pairs: Pairs) -> dict[str, Any]:
    tags = urlencode([pair for pair in pairs if pair[0] == "tag"], quote_via=quote)
    return {"next": f"{document['next']}&{tags}"} if "next" in document else {}


_fault(
    "FiltersWhatAPageHolds",
    "Pages first and filters then, and ends with a page that is not full.",
    _short_page_is_the_last,
    "TAG-VIS-03",
)


# What a filtered list shows


def _showing(change: Callable[[dict[str, Any], Pairs], object]) -> Callable[[App, Request, Pairs], dict[str, Any]]:
    def answer(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
        document = again(app, request, pairs)
        for entry in document["images"]:
            entry["tags"] = change(entry, pairs)
        return document

    return answer


_fault(
    "ShowsTheTagsAskedFor",
    "Shows in a filtered list no other tags than those it was filtered by.",
    _showing(lambda entry, pairs: [tag for tag in entry["tags"] if ("tag", tag) in pairs]),
    "TAG-VIS-02",
)
_fault(
    "ShowsNoTagsOnFurtherPages",
    "Shows tags on the first page of a filtered list only.",
    _showing(lambda entry, pairs: [] if "marker" in dict(pairs) else entry["tags"]),
    "TAG-VIS-02",
)
_SHOWN_BY: dict[str, tuple[str, tuple[str, ...]]] = {
    "ShowsNoTagsInTheOrderOfTimes": ("a time", ("created_at",)),
    "ShowsNoTagsInTheOrderOfWhatMayLack": ("what not every image has", ("size", "container_format", "disk_format")),
    "ShowsNoTagsInTheOrderOfStates": ("the status", ("status",)),
}
for _name, (_what, _keys) in _SHOWN_BY.items():
    _fault(
        _name,
        f"Shows no tags in a list that is sorted by {_what}.",
        _showing(lambda entry, pairs, keys=_keys: [] if dict(pairs).get("sort_key") in keys else entry["tags"]),  # type: ignore[misc]
        "TAG-VIS-02",
    )


# Whose images


def _of_anybody(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    everybody = Caller(request.caller.project, writes=True, deletes=True, admin=True)
    return again(app, request.sent_by(everybody), pairs)


_fault(
    "FiltersAnybodysImages",
    "Finds the private images of other projects by their tags.",
    _of_anybody,
    "TAG-VIS-03",
)


def _only_own(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    document = again(app, request, pairs)
    document["images"] = [entry for entry in document["images"] if entry["owner"] == request.caller.project]
    return document


_fault("FiltersOwnImagesOnly", "Finds by a tag no image that another project shares.", _only_own, "TAG-VIS-03")


def _offered_too(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    return again(app, request, [*pairs, ("member_status", "all")])


_fault("FindsWhatIsOffered", "Finds by a tag what is offered and not yet accepted.", _offered_too, "TAG-VIS-03")


def _without_controls(app: App, request: Request, pairs: Pairs) -> dict[str, Any]:
    """Compare as a collation does to which control characters are nothing."""

    def seen(tag: str) -> str:
        return "".join(letter for letter in tag if letter >= " ")

    document = again(app, request, [pair for pair in pairs if pair[0] not in ("tag", "limit", "marker")])
    wanted = {seen(value) for key, value in pairs if key == "tag"}
    document["images"] = [entry for entry in document["images"] if wanted.issubset(map(seen, entry["tags"]))]
    ids = [entry["id"] for entry in document["images"]]
    begin = ids.index(dict(pairs)["marker"]) + 1 if "marker" in dict(pairs) else 0
    end = begin + int(dict(pairs).get("limit", "25"))
    document |= {"images": document["images"][begin:end]} | ({"next": _after(ids[end - 1], pairs)} if ids[end:] else {})
    return document


def _after(marker: str, pairs: Pairs) -> str:
    kept = [pair for pair in pairs if pair[0] != "marker"]
    return f"/v2/images?{urlencode([*kept, ('marker', marker)], quote_via=quote)}"


_fault(
    "FiltersWithoutControls", "Filters by tags as if controls in them were nothing.", _without_controls, "TAG-VIS-03"
)


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class FailsOnAColonInAFilter(App):
    """Fails on a filter by a tag with a colon."""

    def list_images(self, request: Request) -> Reply:
        if any(key == "tag" and ":" in value for key, value in parse_qsl(request.query)):
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Unknown operator.")
        return super().list_images(request)


# Lawful


@breaks(profile="standard", words=NARROWED)
class ShowsTagsToTheOwner(App):
    """Shows the tags of an image to the project that owns it, and none to those it is shared with."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        shown = super().show_image(request, image_id).json()
        assert isinstance(shown, dict)
        return Reply.of_json(self._seen_by(request.caller, shown))

    def list_images(self, request: Request) -> Reply:
        document = super().list_images(request).json()
        assert isinstance(document, dict)
        return Reply.of_json(
            document | {"images": [self._seen_by(request.caller, each) for each in document["images"]]}
        )

    def _seen_by(self, caller: Caller, shown: dict[str, Any]) -> dict[str, Any]:
        return shown if caller.admin or shown["owner"] == caller.project else shown | {"tags": []}


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class FiltersNothingThatIsShared(Filters):
    """Takes no notice of a filter by tag where an image of another project is shared with who asks."""

    def found_by(self, caller: Caller, wanted: list[str]) -> list[Image]:
        project = caller.project
        shared = [image for image in self.images.all() if image.owner != project and project in image.members]
        return [*super().found_by(caller, wanted), *(image for image in shared if not self.carries(image, wanted))]


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class IndexesNoEmptyLists(Filters):
    """Leaves its index of tags as it is where a patch leaves an image without any."""

    def __init__(self) -> None:
        super().__init__()
        self.indexed: dict[str, list[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = [*self.images.show(request.caller, image_id).tags]
            reply = super().update_image(request, image_id)
            if self.images.get(image_id).tags:
                self.indexed.pop(image_id, None)
            elif before:
                self.indexed[image_id] = before
            return reply

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return {*wanted} <= {*image.tags, *self.indexed.get(image.id, ())}


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class ForgetsWhatItForbids(Filters):
    """Takes a tag out of its index before it forbids its deletion."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.forgotten.discard((image_id, tag))
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.forgotten.add((image_id, tag))
        return super().delete_tag(request, image_id, tag)

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return super().carries(image, wanted) and not any((image.id, tag) in self.forgotten for tag in wanted)


class _PagesOf(App):
    most = 25

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        asked = next((int(value) for key, value in pairs if key == "limit" and value.isdigit()), self.most)
        limit = ("limit", str(min(asked, self.most)))
        return Reply.of_json(again(self, request, [*(pair for pair in pairs if pair[0] != "limit"), limit]))


@breaks(profile="standard", words=NARROWED)
class ListsOneImageAPage(_PagesOf):
    """Lists a single image on each page, whatever the limit."""

    most = 1


@breaks(profile="standard", words=NARROWED)
class PagesBeforeItFilters(App):
    """Filters what a page holds, and goes on to the next until there is none."""

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        document = again(self, request, [pair for pair in pairs if pair[0] != "tag"])
        wanted = {value for key, value in pairs if key == "tag"}
        kept = [entry for entry in document["images"] if wanted.issubset(entry["tags"])]
        return Reply.of_json(document | {"images": kept} | (_with_tags(document, pairs) if wanted else {}))


@breaks(profile="standard", words=NARROWED)
class SortsByNameAmongOthers(App):
    """Lists images by their names where nothing is said, among sixty public ones of others."""

    def __init__(self) -> None:
        super().__init__()
        owner = Caller("somebody-else", writes=True, deletes=True, admin=True)
        for number in range(60):
            name = f"{'az'[number % 2]}-{number}"
            self.images.create(owner, {"name": name, "visibility": Visibility.PUBLIC, "tags": ["one", "first"]})

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        if not any(key.startswith("sort") for key, _ in pairs):
            pairs += [("sort_key", "name"), ("sort_dir", "asc")]
        return Reply.of_json(again(self, request, pairs))


@breaks(profile="standard", words=NARROWED)
class FiltersByAnOldIndex(App):
    """Filters by an index of the tags that is a twentieth of a second old."""

    age = 0.05

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, list[tuple[float, tuple[str, ...]]]] = {}
        self._index = threading.Lock()

    def tags_then(self, image: Image) -> tuple[str, ...]:
        """Return the tags of an image as they were a moment ago."""
        now = time.monotonic()
        seen = self.index.setdefault(image.id, [(now, ())])
        if seen[-1][1] != tuple(image.tags):
            seen.append((now, tuple(image.tags)))
        return next((tags for moment, tags in reversed(seen) if moment <= now - self.age), seen[0][1])

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if request.method != "GET":
            with self._index, self.images.lock:
                for image in self.images.all():
                    self.tags_then(image)
        return reply

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        wanted = set(query.all("tag"))
        if not wanted:
            return super().list_images(request)
        with self._index, self.images.lock:
            known = [image for image in self.images.all() if wanted.issubset(self.tags_then(image))]
            rest = listing.Query(tuple(pair for pair in query.pairs if pair[0] != "tag"))
            page = listing.page(known, request.caller, rest, self.represent)
            document: dict[str, object] = {"images": [self.represent(image) for image in page.items]}
        if page.more:
            document["next"] = query.link("/v2/images", marker=page.items[-1].id)
        return Reply.of_json(document | {"first": query.link("/v2/images"), "schema": "/v2/schemas/images"})


@breaks(profile="standard", words=NARROWED)
class RefusesControlsInQueries(App):
    """Refuses a filter by a tag with a control character with 400, and sorting with 400."""

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        if any(key.startswith("sort") or not value.isprintable() for key, value in pairs):
            return self.error(request, HTTPStatus.BAD_REQUEST, "No such query.")
        return super().list_images(request)


class _ListsTheTagged(App):
    def list_images(self, request: Request) -> Reply:
        document = super().list_images(request).json()
        assert isinstance(document, dict)
        return Reply.of_json(document | {"images": [*filter(self.listed, document["images"])]})

    def listed(self, entry: dict[str, Any]) -> bool:
        return bool(entry["tags"])


@breaks("TAG-VIS-02", profile="standard", words=("--select", "TAG-VIS-02", "--select", "TAG-VIS-01"))
class ListsTheTaggedAlone(_ListsTheTagged):
    """Leaves images without tags out of lists."""


@breaks(profile="standard", words=("--select", "TAG-VIS-02", "--select", "TAG-VIS-01"))
class ListsTheUntaggedLate(_ListsTheTagged):
    """Leaves an image out of lists for 60 ms after it has lost its last tag."""

    def __init__(self) -> None:
        super().__init__()
        self.emptied: dict[str, float] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.emptied[image_id] = time.monotonic()
        return reply

    def listed(self, entry: dict[str, Any]) -> bool:
        return bool(entry["tags"]) or time.monotonic() > self.emptied.get(entry["id"], 0) + 0.06


@breaks(profile="standard", words=(*NARROWED, "--select", "TAG-URI-20"))
class TakesTagsInNfcAlone(App):
    """Answers 400 to tags that are not in NFC, where they are to be stored and where they are looked for."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(request, image_id, tag) if _is_composed(tag) else self._refused(request)

    def update_image(self, request: Request, image_id: str) -> Reply:
        for change in json.loads(request.body):
            if change.get("path") == "/tags" and not all(map(_is_composed, change.get("value", ()))):
                return self._refused(request)
        return super().update_image(request, image_id)

    def list_images(self, request: Request) -> Reply:
        tags = (value for key, value in parse_qsl(request.query) if key == "tag")
        return super().list_images(request) if all(map(_is_composed, tags)) else self._refused(request)

    def _refused(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.BAD_REQUEST, "Tags are written in NFC.")


def _is_composed(tag: str) -> bool:
    return unicodedata.is_normalized("NFC", tag)


@breaks(profile="standard", words=NARROWED)
class SortsByIdAndNameAlone(App):
    """Answers 400 to a list that is to be sorted by a time, the status or the size."""

    def list_images(self, request: Request) -> Reply:
        if {value for key, value in parse_qsl(request.query) if key == "sort_key"} - {"id", "name"}:
            return self.error(request, HTTPStatus.BAD_REQUEST, "There is no index of that.")
        return super().list_images(request)


# What was asked before is answered for what is asked now


class _KeepsLists(App):
    """Answers a list from what it answered a moment before, where a cache takes one address for the other."""

    seconds = 3.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], tuple[float, str, Reply]] = {}

    def key(self, query: str) -> str:
        return query

    def list_images(self, request: Request) -> Reply:
        if "tag=" not in request.query:
            return super().list_images(request)
        mine = request.caller.project, self.key(request.query)
        until, query, reply = self.kept.get(mine, (0.0, "", NO_CONTENT))
        # Whoever asks for just the same again is answered anew, so that nobody is shown what has changed since.
        if query != request.query and time.monotonic() < until:
            return reply
        reply = super().list_images(request)
        self.kept[mine] = time.monotonic() + self.seconds, request.query, reply
        return reply


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class KeepsListsByAShortAddress(_KeepsLists):
    """Keeps lists that are filtered by a tag for three seconds, by the first 220 octets of their query."""

    def key(self, query: str) -> str:
        return query[:220]


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class KeepsListsByTextsThatEnd(_KeepsLists):
    """Keeps lists that are filtered by a tag for three seconds, by their query, decoded up to a NUL."""

    def key(self, query: str) -> str:
        return unquote(unquote(query)).partition("\0")[0]
