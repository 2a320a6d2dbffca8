"""Correct services that keep images in ways of their own: which formats and data they take, what they say of an image."""

import copy
import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import attributes, bodies
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid

from .kinds import Kind
from .lawful_lacks import _document, _NeverBlocked
from .registry import breaks, selecting

KIND = Kind.STATUS


class _HasFormats(_NeverBlocked):
    """Has the formats that its operator has configured, and says so in its schemas."""

    formats: Mapping[str, tuple[str | None, ...]]

    def _check(self, given: Mapping[str, Any]) -> None:
        for name, known in self.formats.items():
            if name in given and given[name] not in known:
                raise Invalid(f"The {name} of an image is one of {known}.")

    def create_image(self, request: Request) -> Reply:
        self._check(_document(request))
        return super().create_image(request)

    def update_image(self, request: Request, image_id: str) -> Reply:
        try:
            patch = bodies.parsed(request.body)
        except Invalid:
            patch = None
        for each in patch if isinstance(patch, list) else ():
            if isinstance(each, dict) and isinstance(each.get("path"), str) and "value" in each:
                self._check({each["path"][1:]: each["value"]})
        return super().update_image(request, image_id)

    def schema(self, request: Request, name: str) -> Reply:
        document = json.loads(super().schema(request, name).body)
        for described in self._of_images(document):
            for format_name, known in self.formats.items():
                described[format_name]["enum"] = [*known]
        return Reply.of_json(document)

    @staticmethod
    def _of_images(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if document["name"] == "image":
            yield document["properties"]
        if document["name"] == "images":
            yield document["properties"]["images"]["items"]["properties"]


@breaks(words=selecting("IMG-UPD", "IMG-ENT-15", "SCHEMA-07"), profile="standard")
class HasRawDisksAlone(_HasFormats):
    """Takes images of disks that are raw and in no container, as its operator has configured it."""

    formats = {"disk_format": (None, "raw"), "container_format": (None, "bare")}  # noqa: RUF012


@breaks(words=selecting("IMG-UPD", "IMG-STAT", "IMG-ENT"), profile="standard")
class HasVirtualHardDisksAlone(_HasFormats):
    """Takes images in the vendor's formats alone, VHD and OVF."""

    formats = {"disk_format": (None, "vhd"), "container_format": (None, "ovf")}  # noqa: RUF012


@breaks(words=selecting("IMG-UPD", "TAG-ADD-26", "TAG-DEL-12"), profile="standard")
class NumbersTheChangesOfAnImage(App):
    """Shows how often an image was changed, by whatever change, in an attribute that nobody else knows."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, int] = {}

    def route(self, request: Request) -> Reply:
        reply = super().route(request)
        parts = request.path.split("/")
        if request.method in ("PUT", "PATCH", "DELETE") and len(parts) > 3 and reply.status < HTTPStatus.BAD_REQUEST:
            self.changes[parts[3]] = self.changes.get(parts[3], 0) + 1
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        return {"revision": str(self.changes.get(image.id, 0))} | super().represent(image)


@breaks(words=selecting("IMG-UPD"), profile="standard")
class DerivesWhatItRunsOn(App):
    """Derives the vendor's attributes os_type and flavor_classes from the system and the memory that an image needs."""

    def represent(self, image: Image) -> dict[str, object]:
        derived: dict[str, object] = {"flavor_classes": "*" if image.min_ram < 150 else "*,!onmetal"}
        if system := image.properties.get("os_distro"):
            derived["os_type"] = "windows" if system == "windows" else "linux"
        return derived | super().represent(image)


@breaks(words=selecting("IMG-DEL"), profile="standard")
class KeepsDeletedImagesForADay(App):
    """Shows a deleted image to its owner as deleted: it "will be removed later"."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Image] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = copy.copy(self.images.show(request.caller, image_id))
            reply = super().delete_image(request, image_id)
            self.kept[image_id] = image
            return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        image = self.kept.get(image_id)
        if image and image.owner == request.caller.project:
            return Reply.of_json(self.represent(image) | {"status": "deleted"})
        return super().show_image(request, image_id)


@breaks(words=selecting("IMG-STAT", "IMG-ENT-11", "IMG-UPD-22", "TASK-EXP", "TASK-IMP"))
class TakesDisksAlone(_NeverBlocked):
    """Answers 415 to data that is no disk."""

    def upload(self, request: Request, image_id: str) -> Reply:
        self.images.open(request.caller, image_id)
        if not request.body.endswith(b"conectix"):
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The data is no disk of this format.")
        return super().upload(request, image_id)


@breaks(words=selecting("IMG-UPD", "IMG-ENT-13"), profile="standard")
class ProtectsProperties(_NeverBlocked):
    """Answers 403 to whatever gives an image an attribute that is not in its schema, as a policy protects them."""

    known = frozenset({*attributes.WRITABLE, "architecture", "os_distro", "os_version", "os_type", "id", "owner"})

    def create_image(self, request: Request) -> Reply:
        if _document(request).keys() - self.known:
            raise Forbidden("The policy of this service does not allow it.")
        return super().create_image(request)

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = self.images.show(request.caller, image_id)
            reply = super().update_image(request, image_id)
            after = self.images.get(image_id)
            if {*after.properties} - {*before.properties} - self.known:
                for name in Image.__slots__:
                    setattr(after, name, getattr(before, name))
                raise Forbidden("The policy of this service does not allow it.")
            return reply


@breaks(words=selecting("IMG-GET", "IMG-DEL", "IMG-UPD-23"))
class KnowsIdsByTheirForm(App):
    """Answers 400 to an id that is no UUID, whatever is asked of it."""

    def route(self, request: Request) -> Reply:
        parts = request.path.split("/")
        if request.path.startswith("/v2/images/") and not attributes.UUID.fullmatch(parts[3]):
            raise Invalid("The id of an image is a UUID.")
        return super().route(request)


@breaks(words=selecting("IMG-UPD", "IMG-STAT"), profile="standard")
class HashesDataByAndBy(App):
    """Finds out what is to be said of the data of an image while its first look is answered, and says it after that."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: dict[str, int] = {}

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        if image.data is None:
            return shown
        self.looks[image.id] = self.looks.get(image.id, 0) + 1
        late = self.looks[image.id] <= 5
        return shown | ({"checksum": None, "os_hash_value": None, "os_hash_algo": None} if late else {})


@breaks(words=selecting("IMG-ENT", "IMG-STAT-01", "IMG-DEL"), profile="standard")
class CreatesOnceByAnId(App):
    """Answers 200 with the image that has an id to another creation with this id of its project's, and changes none."""

    def create_image(self, request: Request) -> Reply:
        try:
            return super().create_image(request)
        except Conflict:
            image = self.images.open(request.caller, str(_document(request)["id"]))
            return Reply.of_json(self.represent(image))


@breaks(words=selecting("IMG-UPD", "IMG-ENT"), profile="standard")
class ShowsNoNameAsAnEmptyOne(App):
    """Shows an image without a name with an empty one, and takes no empty attributes with a creation."""

    def create_image(self, request: Request) -> Reply:
        if "" in _document(request).values():
            raise Invalid("An attribute has a value.")
        return super().create_image(request)

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"name": image.name or ""}
