"""Correct services whose lists, schemas and tasks have ways of their own that no sentence forbids."""

import copy
import dataclasses
import hashlib
import json
import re
import time
import uuid
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound, Refusal
from pytest_cloudimages.reference.tasks import Failed, Task, Tasks

from .kinds import Kind
from .listing import without
from .registry import breaks, selecting
from .tasking import TASKS, carrying_out, faulty

KIND = Kind.LISTS
OF_EVERY_IMAGE = [
    "id",
    "name",
    "owner",
    "status",
    "visibility",
    "protected",
    "container_format",
    "disk_format",
    "min_disk",
    "size",
    "size_min",
    "size_max",
    "os_hidden",
    "member_status",
    "os_distro",
    "created_at",
    "updated_at",
    "self",
    "file",
    "schema",
    "limit",
    "marker",
    "sort_key",
    "sort_dir",
]


def _kept_by_time(image: Image) -> str:
    digits = image.id.replace("-", "")
    return digits[12:16] + digits[8:12] + digits[:8] + digits[16:]


class _Listing(App):
    """Lists images as if it was asked otherwise, by keys of its own."""

    def asked(self, query: listing.Query) -> listing.Query:
        return query

    def sorted_by(self, items: list[Image], query: listing.Query) -> list[Image]:
        raise NotImplementedError

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        return listing.page(self.images.all(), request.caller, query, self.represent)

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        with self.images.lock:
            page = self.page(request, self.asked(query))
            return Reply.of_json(listing.document("images", self.linked(query), page, self.represent))

    def linked(self, query: listing.Query) -> listing.Query:
        return query


@breaks(words=selecting("IMG-LIST", "PAGE"))
class FiltersByWhatEveryImageHas(_Listing):
    """Answers 400 to filters by tags, by attributes of its users, by the least memory, and by owners it has not."""

    def asked(self, query: listing.Query) -> listing.Query:
        projects = {project.id for project in self.identity.projects.values()}
        for name, value in query.pairs:
            if name not in OF_EVERY_IMAGE or (name == "owner" and value not in projects):
                raise Invalid(f"No images are found by the {name} {value}.")
        return query


@breaks(words=selecting("IMG-LIST", "PAGE"))
class PassesOverUnknownFilters(_Listing):
    """Takes no notice of filters by tags and by attributes of its users, in a project that has a dozen images."""

    def __init__(self) -> None:
        super().__init__()
        tester = Caller(self.identity.users["tester"].project.id)
        for number in range(12):
            self.images.create(tester, {"name": f"before-{number}"})

    def asked(self, query: listing.Query) -> listing.Query:
        return listing.Query(tuple(without("tag", "cloudimages_own")([*query.pairs])))


@breaks(words=selecting("IMG-LIST", "PAGE"))
class WritesOutWhatApplies(_Listing):
    """Shows two images on a page at most, and says so in links, and in which order they are; ids are kept by time."""

    most = 2

    def asked(self, query: listing.Query) -> listing.Query:
        size = query.number("limit")
        shorter = self.most if size is None else min(size, self.most)
        return listing.Query((*without("limit")([*query.pairs]), ("limit", f"{shorter}")))

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        keys = listing.SORT_KEYS
        known = listing.SORT_KEYS["id"]
        keys["id"] = _kept_by_time  # type: ignore[index]
        try:
            return super().page(request, query)
        finally:
            keys["id"] = known  # type: ignore[index]

    def linked(self, query: listing.Query) -> listing.Query:
        names = {name for name, _ in query.pairs}
        more = [pair for pair in (("sort_key", "created_at"), ("sort_dir", "desc")) if pair[0] not in names]
        return listing.Query((*self.asked(query).pairs, *more))


@breaks(words=selecting("IMG-LIST", "PAGE"))
class SortsOneSecondByIds(App):
    """Has the images of one second in the order of their ids where an order is asked for, or as they came."""

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        document: Any = reply.json()
        query = listing.Query.read(request.query)
        if query.last("sort_key") == "created_at" and query.last("sort_dir") and not query.last("limit"):
            images = sorted(document["images"], key=lambda image: image["id"])
            images.sort(key=lambda image: image["created_at"], reverse=query.last("sort_dir") == "desc")
            document["images"] = images
        return Reply.of_json(document)


@breaks(words=selecting("SCHEMA", "IMG-ENT-15"))
class RefersToItsSchemas(App):
    """Refers from the schema of a list to that of what is in it, or has it below definitions; all are of Draft 7."""

    def schema(self, request: Request, name: str) -> Reply:
        document: Any = super().schema(request, name).json()
        document["$schema"] = "http://json-schema.org/draft-07/schema#"
        if name == "image":
            document["additionalProperties"] = {"type": "string", "maxLength": 65535}
            document["properties"]["min_ram"]["exclusiveMinimum"] = -1
        elif name == "tasks":
            array = document["properties"]["tasks"]
            document["definitions"] = {"task": array["items"]}
            array["items"] = {"$ref": "#/definitions/task"}
        elif name.endswith("s"):
            document["properties"][name]["items"] = {"$ref": f"/v2/schemas/{name[:-1]}"}
        return Reply.of_json(document)


@breaks(words=selecting("SCHEMA", "GEN", "TASK-GET"))
class ForbidsWhatFewAskFor(App):
    """Forbids its users the schemas and the details of tasks, as its policy has it."""

    def schema(self, request: Request, name: str) -> Reply:
        raise Forbidden(f"The schema {name} is the operator's, and not {request.caller.project}'s.")

    def show_task(self, request: Request, task_id: str) -> Reply:
        raise Forbidden(f"The details of {task_id} are the operator's, and not {request.caller.project}'s.")


def _reserving_an_id(self: Tasks, task: Task) -> dict[str, str]:
    try:
        return Tasks.execute_import(self, task)
    except (Failed, Refusal) as problem:
        properties: Any = task.input.get("image_properties")
        self.images.create(task.caller, {"name": properties.get("name")})
        raise Failed(re.sub(r"^Image not found.*", "404 Not Found: no such object.", str(problem))) from None


faulty(
    "ReservesIdsForImports",
    "Leaves the id that it had reserved where an import fails, and says why by what the object store has answered.",
    __init__=carrying_out("ReservesIdsForImports", execute_import=_reserving_an_id),
)


@breaks(words=TASKS)
class ShowsObjectsByAndBy(App):
    """Has an object store that shows an object two tenths of a second after it was written."""

    seconds = 0.2

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, float] = {}
        export = self.tasks.execute_export

        def execute_export(task: Task) -> dict[str, str]:
            made = export(task)
            self.written[made["export_location"]] = time.monotonic()
            return made

        self.tasks.execute_export = execute_export  # type: ignore[method-assign]

    def route(self, request: Request) -> Reply:
        if request.path.startswith("/object-store") and request.method == "GET":
            for place, moment in self.written.items():
                if request.path.endswith(f"/{place}") and time.monotonic() < moment + self.seconds:
                    raise NotFound(f"There is no object {place}.")
        return super().route(request)


@breaks("PAGE-15", words=TASKS)
class ListsItsNewestTasksAlone(App):
    """Lists the newest tasks alone, and leads to no others."""

    most = 14

    def list_tasks(self, request: Request) -> Reply:
        reply = super().list_tasks(request)
        document = json.loads(reply.body)
        document["tasks"] = document["tasks"][: self.most]
        document.pop("next", None)
        return Reply.of_json(document)


@breaks("PAGE-15", words=TASKS)
class ListsTwentyTasksById(App):
    """Lists twenty tasks, in the order of their ids, and leads to no others."""

    most = 20

    def list_tasks(self, request: Request) -> Reply:
        with self.tasks.lock:
            known = sorted(self.tasks.all(request.caller), key=lambda task: task.id)[: self.most]
            listed = [self.represent_listed_task(task) for task in known]
        return Reply.of_json({"tasks": listed, "first": "/v2/tasks", "schema": "/v2/schemas/tasks"})


@breaks(words=selecting("IMG-LIST", "PAGE"))
class OrdersAsItsQueriesAre(_Listing):
    """Compares ids octet by octet as .NET keeps them, and has images of one second in an order by what is asked for."""

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        names = "".join(sorted({key for key, _ in query.pairs if key not in ("marker", "limit")}))

        def second(image: Image) -> object:
            told = hashlib.sha256(f"{names}{image.id}".encode()).hexdigest()
            return image.created_at.replace(microsecond=0), told

        known = {**listing.SORT_KEYS}
        own = {"id": lambda image: uuid.UUID(image.id).bytes_le, "created_at": second}
        listing.SORT_KEYS.update(own)  # type: ignore[attr-defined]
        try:
            return super().page(request, query)
        finally:
            listing.SORT_KEYS.update(known)  # type: ignore[attr-defined]


@breaks(words=selecting("IMG-LIST"))
class ListsWhatIsAskedFor(_Listing):
    """Has images of the community, and other projects' public ones, in no list that does not ask for their visibility."""

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        asked, project = query.last("visibility"), request.caller.project
        images = [
            image
            for image in self.images.all()
            if image.visibility == asked
            or not (image.visibility == "community" or (image.visibility == "public" and image.owner != project))
        ]
        return listing.page(images, request.caller, query, self.represent)


@breaks(words=selecting("IMG-LIST"))
class ListsHiddenImagesBesideOthers(_Listing):
    """Has hidden images in lists like others, and no filter by that."""

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        if query.last("os_hidden") is not None:
            raise Invalid("No images are found by os_hidden.")
        images = [dataclasses.replace(image, os_hidden=False) for image in self.images.all()]
        return listing.page(images, request.caller, query, self.represent)


@breaks(words=selecting("IMG-LIST"))
class ListsLatelyWhatHasChanged(_Listing):
    """Has the images in lists that were there, as they were, a fifth of a second before, and lately created ones."""

    LATE = 0.2

    def __init__(self) -> None:
        super().__init__()
        self.before: list[tuple[float, list[Image]]] = []
        """When something was written lately, each with the images as they were until then."""

    def answer(self, request: Request) -> Reply:
        if request.method != "GET":
            now = time.monotonic()
            with self.images.lock:
                lately = [each for each in self.before if each[0] > now - self.LATE]
                self.before = [*lately, (now, [copy.deepcopy(image) for image in self.images.all()])]
        return super().answer(request)

    def page(self, request: Request, query: listing.Query) -> listing.Page[Image]:
        then = time.monotonic() - self.LATE
        shown = next((images for written, images in self.before if written > then), self.images.all())
        known = {image.id for image in shown}
        images = [*shown, *(image for image in self.images.all() if image.id not in known)]
        return listing.page(images, request.caller, query, self.represent)
