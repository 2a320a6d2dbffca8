"""Images, lists and schemas that show the tags as they are not."""

import json

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.schemas import SCHEMAS

from .by_tags import Filters
from .kinds import Kind
from .registry import breaks

KIND = Kind.VISIBILITY


# One image


@breaks("TAG-VIS-01", "TAG-DEL-18", profile="standard")
class ShowsNullForNone(App):
    """Shows null for the tags of an image that has none."""

    def represent(self, image: Image) -> dict[str, object]:
        data = super().represent(image)
        return data | {"tags": data["tags"] or None}


@breaks("TAG-VIS-01")
class ShowsTagsAsText(App):
    """Shows the tags as one string, with commas."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": ",".join(image.tags)}


@breaks("TAG-VIS-01")
class ShowsTagsAsAnObject(App):
    """Shows the tags as the members of an object."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": dict.fromkeys(image.tags, True)}


@breaks("TAG-VIS-01")
class ShowsTagsAsObjects(App):
    """Shows each tag as an object with a name."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": [{"name": tag} for tag in image.tags]}


@breaks("TAG-VIS-01", "TAG-DEL-18", profile="standard")
class ShowsAnObjectForNone(App):
    """Shows an empty object for the tags of an image that has none, as PHP does."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": list(image.tags) or {}}


@breaks("TAG-VIS-01")
class ShowsJsonNumbers(App):
    """Shows tags that look like numbers as numbers."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": [int(tag) if tag.isdecimal() else tag for tag in image.tags]}


@breaks("TAG-VIS-01")
class ShowsJsonValues(App):
    """Shows null, true and false as what they are in JSON."""

    def represent(self, image: Image) -> dict[str, object]:
        values = {"null": None, "true": True, "false": False}
        return super().represent(image) | {"tags": [values.get(tag, tag) for tag in image.tags]}


@breaks("TAG-URI-03", "TAG-ADD-10", "TAG-VIS-07", "TAG-VIS-08", "TAG-HIST-04", profile="standard")
class ShowsAnEllipsis(App):
    """Shows long tags with an ellipsis at their end."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": [f"{tag}…" if len(tag) > 200 else tag for tag in image.tags]}


# The list of images


class _Lists(App):
    def list_images(self, request: Request) -> Reply:
        document = json.loads(super().list_images(request).body)
        for entry in document["images"]:
            self.alter(entry)
        return Reply.of_json(document)

    def alter(self, entry: dict[str, object]) -> None:
        raise NotImplementedError


@breaks("TAG-VIS-02")
class ListsNoTags(_Lists):
    """Lists images without their tags."""

    def alter(self, entry: dict[str, object]) -> None:
        del entry["tags"]


@breaks("TAG-VIS-02")
class ListsThreeTags(_Lists):
    """Lists images with three of their tags at most."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = list(entry["tags"])[:3]  # type: ignore[call-overload]


@breaks("TAG-VIS-02")
class ListsAllButTheNewest(_Lists):
    """Lists images without the newest of their tags."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = list(entry["tags"])[:-1]  # type: ignore[call-overload]


@breaks("TAG-VIS-02")
class ListsTagsInLowerCase(_Lists):
    """Lists images with their tags in lower case."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = [tag.lower() for tag in entry["tags"]]  # type: ignore[attr-defined]


@breaks("TAG-VIS-02")
class ListsTagsAsText(_Lists):
    """Lists images with their tags as one string."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = ", ".join(entry["tags"])  # type: ignore[arg-type]


@breaks("TAG-VIS-05")
class ListsTagsTwice(_Lists):
    """Lists images with every tag twice."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = [*entry["tags"], *entry["tags"]]  # type: ignore[misc]


@breaks("TAG-VIS-02", "TAG-VIS-07")
class ListsLongerTags(_Lists):
    """Lists images with an ellipsis at the end of long tags, and of Three."""

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = [f"{tag}…" if len(tag) > 200 or tag == "Three" else tag for tag in entry["tags"]]  # type: ignore[attr-defined]


@breaks("TAG-VIS-02")
class ListsWhatItListedFirst(_Lists):
    """Lists images for ever with the tags they were first listed with."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: dict[object, object] = {}

    def alter(self, entry: dict[str, object]) -> None:
        entry["tags"] = self.listed.setdefault(entry["id"], entry["tags"])


# Filters


@breaks("TAG-VIS-04", profile="standard")
class FiltersByAny(Filters):
    """Selects images that carry any of several tags."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return not {*wanted}.isdisjoint(image.tags)


@breaks("TAG-VIS-04", profile="standard")
class FiltersByTheLast(Filters):
    """Looks at the last of several tags alone."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return wanted[-1] in image.tags


@breaks("TAG-VIS-03", profile="standard")
class FiltersByPrefix(Filters):
    """Selects images whose tags begin with those asked for."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return all(any(tag.startswith(known_tag) for tag in image.tags) for known_tag in wanted)


@breaks("TAG-VIS-03", profile="standard")
class FiltersInAnyCase(Filters):
    """Selects images by their tags whatever the case."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return {known_tag.lower() for known_tag in wanted} <= {tag.lower() for tag in image.tags}


@breaks("TAG-VIS-03", "TAG-VIS-04", profile="standard")
class FiltersNothing(Filters):
    """Takes no notice of a filter by tags."""

    def carries(self, image: Image, wanted: list[str]) -> bool:  # noqa: ARG002 - neither
        return True


# Schemas and patches


@breaks("TAG-VIS-06", profile="standard")
class DeclaresNoLimit(App):
    """Shows an image schema in which tags are as long as they like."""

    def schema(self, request: Request, name: str) -> Reply:
        reply = super().schema(request, name)
        return (
            Reply.of_json(json.loads(reply.body.replace(b'"maxLength": 255', b'"maxLength": 4096')))
            if name == "image"
            else reply
        )


@breaks("TAG-VIS-06", profile="standard")
class DeclaresNoTags(App):
    """Shows an image schema without tags."""

    def schema(self, request: Request, name: str) -> Reply:
        if name != "image":
            return super().schema(request, name)
        declared = SCHEMAS["image"]["properties"]
        kept = {key: value for key, value in declared.items() if key != "tags"}  # type: ignore[attr-defined]
        return Reply.of_json({**SCHEMAS["image"], "properties": kept})


@breaks("TAG-VIS-08", profile="standard")
class PatchesByAdding(App):
    """Adds the tags of a patch to those that are there."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = list(self.images.get(image_id).tags)
            super().update_image(request, image_id)
            image = self.images.get(image_id)
            image.tags = list(dict.fromkeys([*before, *image.tags]))
            return self.show_image(request, image_id)


@breaks("TAG-ADD-04", "TAG-ADD-34", perhaps=["TAG-ADD-22", "TAG-HIST-02"], profile="standard")
class KeepsTwoLists(App):
    """Forgets the tags of a patch as soon as a tag is added by its address."""

    def __init__(self) -> None:
        super().__init__()
        self.patched: set[str] = set()

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        self.patched.add(image_id)
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if image_id in self.patched:
            self.images.get(image_id).tags.clear()
            self.patched.discard(image_id)
        return super().add_tag(request, image_id, tag)
