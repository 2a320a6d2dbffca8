"""Lists filtered by tags that leave out an image for its state, or its tags for their number; and lawful ones."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Status

from .filtering import Pairs, again
from .kinds import Kind
from .registry import breaks

KIND = Kind.FILTER
NARROWED = tuple(word for number in (2, 3, 4, 5) for word in ("--select", f"TAG-VIS-0{number}"))


class _Selects(App):
    """Changes what a list of images holds, or shows."""

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        document = again(self, request, pairs)
        images = {image.id: image for image in self.images.all()}
        kept = [entry for entry in document["images"] if self.holds(pairs, images[str(entry["id"])])]
        document["images"] = [self.entry(request, pairs, entry, images[str(entry["id"])]) for entry in kept]
        return Reply.of_json(self.whole(document, pairs))

    def holds(self, pairs: Pairs, image: Image) -> bool:
        del pairs, image
        return True

    def entry(self, request: Request, pairs: Pairs, entry: dict[str, Any], image: Image) -> dict[str, Any]:
        del request, pairs, image
        return entry

    def whole(self, document: dict[str, Any], pairs: Pairs) -> dict[str, Any]:
        del pairs
        return document


def _selects(name: str, doc: str, *ids: str, **methods: Callable[..., object]) -> None:
    breaks(*ids, profile="standard", words=NARROWED)(
        type(name, (_Selects,), {"__doc__": doc, "__module__": __name__, **methods})
    )


def _wanted(pairs: Pairs) -> list[str]:
    return [value for key, value in pairs if key == "tag"]


_selects(
    "FindsNoImageWithDataSwitchedOff",
    "Finds no image by its tags while it is deactivated.",
    "TAG-VIS-03",
    holds=lambda _, pairs, image: not (_wanted(pairs) and image.status is Status.DEACTIVATED),
)
_selects(
    "FindsNoHiddenImageByItsTags",
    "Finds no hidden image by its tags, although the list of hidden images has it.",
    "TAG-VIS-03",
    holds=lambda _, pairs, image: not (_wanted(pairs) and image.os_hidden),
)
_selects(
    "ShowsATagLessOfWhatIsHidden",
    "Shows of a hidden image all tags but the first, in lists.",
    "TAG-VIS-02",
    entry=lambda _, _request, _pairs, entry, image: entry | ({"tags": entry["tags"][1:]} if image.os_hidden else {}),
)
_selects(
    "FindsTheFirstForty",
    "Finds an image by its first forty tags alone.",
    "TAG-VIS-03",
    holds=lambda _, pairs, image: {*_wanted(pairs)} <= {*image.tags[:40]},
)
_selects(
    "ListsAnImageForEachOfItsMembers",
    "Shows a tag to a member once more for each further member of the image.",
    "TAG-VIS-05",
    entry=lambda _, request, _pairs, entry, image: (
        entry | ({"tags": entry["tags"] * max(len(image.members), 1)} if image.owner != request.caller.project else {})
    ),
)


def _decoded(_: App, document: dict[str, Any], __: Pairs) -> dict[str, Any]:
    return document | {name: unquote(document[name]) for name in {"first", "next"}.intersection(document)}


_selects("WritesLinksAsTheyAreRead", "Writes the tag of a filter into links as it is.", "TAG-VIS-03", whole=_decoded)


def _for_each_tag(_: App, document: dict[str, Any], pairs: Pairs) -> dict[str, Any]:
    times = len({*_wanted(pairs)}) if any(key.startswith("sort") for key, _ in pairs) else 1
    return document | {"images": [entry for entry in document["images"] for _ in range(max(times, 1))]}


_selects(
    "ListsAnImageForEachTagWhenSorted",
    "Lists an image once for each of several tags, where the list is sorted.",
    "TAG-VIS-04",
    whole=_for_each_tag,
)


@breaks("TAG-VIS-03", profile="standard", words=NARROWED)
class ListsByTagWhatIsOffered(App):
    """Lists to a project by a tag what it was offered as well, though it has not decided on it."""

    def list_images(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        alone = [key for key, _ in pairs] == ["tag"]
        return Reply.of_json(again(self, request, [*pairs, ("member_status", "all")] if alone else pairs))


# Lawful


_selects(
    "ListsNoImageWithDataSwitchedOff",
    "Leaves deactivated images out of all lists.",
    holds=lambda _, _pairs, image: image.status is not Status.DEACTIVATED,
)


@breaks(profile="standard", words=NARROWED)
class KnowsNoHiddenImages(App):
    """Takes no notice of what a query says of hidden images, and lists them as others."""

    def list_images(self, request: Request) -> Reply:
        pairs = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] != "os_hidden"]
        hidden = [image for image in self.images.all() if image.os_hidden]
        with self.images.lock:
            for image in hidden:
                image.os_hidden = False
            document = again(self, request, pairs)
            for image in hidden:
                image.os_hidden = True
        return Reply.of_json(document)


@breaks(profile="standard", words=NARROWED)
class TakesFortyTagsAtOnce(App):
    """Refuses a PATCH of more than forty tags, which is its limit of those that are set at once."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if request.body.count(b'", "') > 40 and b"/tags" in request.body:
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Forty tags at once.")
        return super().update_image(request, image_id)
