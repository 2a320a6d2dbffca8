"""Correct services at the edge of what is said: of clocks, quotas and policies, and of what a creation takes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from pytest_cloudimages.reference import documents, listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Member, Status
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid, OverLimit

from .images import LIFE
from .kinds import Kind
from .lawful_lacks import _document
from .lawful_policies import LetsNobodyChangeImagesOfTheCommunity
from .registry import breaks, registrar, selecting
from .tasking import TASKS

KIND = Kind.STATUS
faulty = registrar(__name__)
TIMES = selecting("GEN-07", "GEN-08")
UPDATES = selecting("IMG-UPD", "IMG-ENT-02", "IMG-ENT-03")


def _fast(self: App, member: Member) -> dict[str, object]:
    moment = documents.time_of_day(member.created_at + timedelta(minutes=40))
    return App.represent_member(self, member) | {"created_at": moment, "updated_at": moment}


def _ahead(self: App, image: Image) -> dict[str, object]:
    moments = {name: getattr(image, name) + timedelta(minutes=40) for name in ("created_at", "updated_at")}
    return App.represent(self, image) | {name: documents.time_of_day(moment) for name, moment in moments.items()}


faulty(
    "HasAClockThatIsFast",
    "Shows moments by a clock that is forty minutes ahead of the one that Date is by.",
    words=TIMES,
    represent=_ahead,
    represent_member=_fast,
)


def _untimed(self: App, image: Image) -> dict[str, object]:
    return {name: value for name, value in App.represent(self, image).items() if name != "updated_at"}


faulty(
    "SaysNotWhenImagesChanged",
    "Shows images without updated_at, which is not among what is guaranteed.",
    words=selecting("IMG-ENT-01", "IMG-ENT-02", "PAGE-03", "PAGE-08"),
    profile="standard",
    represent=_untimed,
)


# What a creation takes


@breaks(words=UPDATES, profile="standard")
class TakesPlainNamesAtFirst(App):
    """Passes over attributes with a dot or capitals in their names when an image is created."""

    def create_image(self, request: Request) -> Reply:
        given = {name: value for name, value in _document(request).items() if "." not in name and name.islower()}
        return super().create_image(replace(request, body=json.dumps(given).encode()))


@breaks(words=UPDATES, profile="standard")
class TagsWhatItHasSeen(App):
    """Serves a project where somebody tags every image once it was shown twice."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, int] = {}

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        with self.images.lock:
            self.shown[image_id] = times = self.shown.get(image_id, 0) + 1
            if times == 2:
                self.images.get(image_id).tags.append("seen to")
        return reply


# Data


@breaks(words=LIFE, profile="standard")
class ServesDataOnce(App):
    """Answers 413 to a second download of the data of an image, as its operator has it."""

    def __init__(self) -> None:
        super().__init__()
        self.served: set[str] = set()

    def download(self, request: Request, image_id: str) -> Reply:
        reply = super().download(request, image_id)
        if reply.body and image_id in self.served:
            raise OverLimit("The data of this image was downloaded already.")
        self.served.add(image_id)
        return reply


@breaks(words=LIFE, profile="standard")
class FindsNoDiskInData(App):
    """Has an image killed that was uploaded, once its data is looked at: it is no disk."""

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        if request.body:
            self.images.get(image_id).status = Status.KILLED
        else:
            self.images.get(image_id).status = Status.QUEUED
        return reply


# Policies


@breaks(words=selecting("TAG-ADD-01", "TAG-DEL-01", "TAG-AUTH-09"), profile="standard")
class LetsNobodyChangeImagesWithMembers(LetsNobodyChangeImagesOfTheCommunity):
    """Forbids owners all changes of their images while these have members."""

    def see(self, request: Request, image_id: str) -> None:
        if self.images.get(image_id).members and not request.caller.admin:
            raise Forbidden("Others rely on this image. Remove its members first.")


@breaks(words=selecting("IMG-UPD", "IMG-DEL"), profile="standard")
class LetsNobodyUpdateImages(App):
    """Forbids all updates of images by PATCH."""

    leaves_nothing = True

    def update_image(self, request: Request, image_id: str) -> Reply:
        self.images.show(request.caller, image_id)
        raise Forbidden("Images are not changed here.")


@breaks(words=selecting("TAG-AUTH-05", "TAG-AUTH-07", "MEM-CRE"))
class IsAskedByACreatorOfTheSameProject(App):
    """Serves a tester whose second user creates images in the same project, and deletes none."""

    leaves_nothing = True
    mistaken: ClassVar = {"ALT": "creator"}


@breaks(words=selecting("AUTH-22"))
class CallsForgedFieldsUnfit(App):
    """Answers 422 to fields by which a filter in front says what it knows of a token."""

    def route(self, request: Request) -> Reply:
        if "X-Identity-Status" in request.headers:
            return self.error(request, HTTPStatus.UNPROCESSABLE_ENTITY, "These fields are no client's to send.")
        return super().route(request)


# Values


@breaks(words=selecting("IMG-UPD"), profile="standard")
class HasMemoryInSteps(App):
    """Takes memory in steps of 256 MB and disks of 8 GB at least, as its schema has it, and no text without a letter."""

    bounds: ClassVar[Mapping[str, Any]] = {"min_ram": {"multipleOf": 256}, "min_disk": {"minimum": 8}}

    def update_image(self, request: Request, image_id: str) -> Reply:
        self.images.show(request.caller, image_id)
        try:
            changes = json.loads(request.body)
        except ValueError:
            changes = []
        for change in (each for each in changes if isinstance(each, dict)) if isinstance(changes, list) else ():
            path, value = change.get("path"), change.get("value")
            if type(value) is int and ((path == "/min_ram" and value % 256) or (path == "/min_disk" and value < 8)):
                raise Invalid(f"{path} is not as the schema has it.")
            if value == "":
                raise Invalid("A value has a letter at least.")
        return super().update_image(request, image_id)

    def schema(self, request: Request, name: str) -> Reply:
        reply = super().schema(request, name)
        document: Any = reply.json()
        if name == "image":
            for each, bounds in self.bounds.items():
                document["properties"][each] |= bounds
            document["additionalProperties"] = {"type": "string", "minLength": 1}
        return Reply.of_json(document)


@breaks("IMG-LIST-09", words=selecting("IMG-LIST-09", "PAGE"), profile="standard")
class SortsByNamesAlone(App):
    """Answers 400 to a list that is to be sorted by anything but a name or an id."""

    def list_images(self, request: Request) -> Reply:
        if {*listing.Query.read(request.query).all("sort_key")} - {"name", "id"}:
            raise Invalid("Lists are sorted by name and by id.")
        return super().list_images(request)


# Extensions


def _reminded(self: App, request: Request) -> Reply:
    collection, _, project = request.path.removeprefix("/v2/images/").partition("/members/")
    if request.method == "POST" and project:
        self.images.open(request.caller, collection)
        return Reply.of_json({"status": "reminded", "schema": "/v2/schemas/reminder"})
    return App.route(self, request)


faulty(
    "RemindsMembers",
    "Has an operation that reminds a member of an image, and answers with what it has done.",
    words=selecting("MEM-ENT", "MEM-CRE", "GEN-10"),
    profile="standard",
    route=_reminded,
)


def _of_all(self: App, request: Request) -> Reply:
    kept = [part for part in request.query.split("&") if part and not part.startswith(("status=", "type="))]
    target = "/v2/tasks" + ("?" + "&".join(kept) if kept else "")
    return App.list_tasks(self, replace(request, target=target))


faulty(
    "PassesOverFiltersOfTasks",
    "Lists tasks page by page, and passes over the rest of a query.",
    words=TASKS,
    profile="standard",
    list_tasks=_of_all,
)


# Whoever stands before the service, and beside it


@breaks(words=selecting("TAG-AUTH-12", "TAG-URI-15", "VER-02", "VER-03"))
class SharesItsHost(App):
    """Stands behind a server that has a page of its own at the root, and leads from a slash at an end to the rest."""

    def handle(self, request: Request) -> Reply:
        path = request.path
        if path == "/":
            reply = super().handle(request)
            kept = tuple((name, value) for name, value in reply.headers if name != "Content-Type")
            return Reply(HTTPStatus.OK, b"<html><h1>Welcome</h1></html>", (*kept, ("Content-Type", "text/html")))
        reply = super().handle(request)
        if path.startswith("/v2/") and path.endswith("/"):
            fields = tuple((name, value) for name, value in reply.headers if name in ("Date", "x-openstack-request-id"))
            return Reply(HTTPStatus.MOVED_PERMANENTLY, b"", (*fields, ("Location", path.rstrip("/"))))
        return reply


@breaks(words=selecting("IMG-ENT-02", "IMG-LIST-01"), profile="standard")
class GivesImagesLargerDisks(App):
    """Serves a project where somebody raises the least disk of every image that was listed a few times."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = 0

    def list_images(self, request: Request) -> Reply:
        with self.images.lock:
            self.listed += 1
            if self.listed == 20:
                for image in self.images.all():
                    image.min_disk += 10
            return super().list_images(request)


@breaks(words=selecting("TAG-URI-03"))
class HasRoomForFewLetters(App):
    """Answers 409 to one tag more where those of an image would have more than 1,500 characters."""

    most = 1500

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            if tag not in image.tags and sum(map(len, image.tags)) + len(tag) > self.most:
                raise Conflict("There is no room for this tag.")
            return super().add_tag(request, image_id, tag)


@breaks(words=selecting("MEM-UPD", "MEM-DEL", "IMG-UPD-27", "IMG-LIST-09"), profile="standard")
class RoundsMomentsAtTimes(App):
    """Writes moments with their fractions, or without them, those of members rounded, by turns."""

    turns = 0

    def written(self, moment: datetime, up: int = 0) -> str:
        self.turns += 1
        told = moment if self.turns % 3 else (moment + timedelta(microseconds=up)).replace(microsecond=0)
        return f"{told:%Y-%m-%dT%H:%M:%S.%f}".removesuffix(".000000") + "Z"

    def represent_member(self, member: Member) -> dict[str, object]:
        moments = {name: self.written(getattr(member, name), 500_000) for name in ("created_at", "updated_at")}
        return super().represent_member(member) | moments

    def represent(self, image: Image) -> dict[str, object]:
        moments = {name: self.written(getattr(image, name)) for name in ("created_at", "updated_at")}
        return super().represent(image) | moments


def _by_reference(self: App, request: Request, name: str) -> Reply:
    document: Any = App.schema(self, request, name).json()
    if name == "members":
        member = document["properties"]["members"]["items"]
        document["definitions"] = {"member": member}
        document["properties"]["members"]["items"] = {"allOf": [{"$ref": "#/definitions/member"}]}
    if name == "image":
        document["definitions"] = {"tag": document["properties"]["tags"]["items"] | {"id": "#tag"}}
        document["properties"]["tags"]["items"] = {"$ref": "#tag"}
    return Reply.of_json(document)


faulty(
    "DescribesByGeneratedSchemas",
    "Describes members by all of one schema, and tags by one that has an id.",
    words=selecting("SCHEMA", "TAG-VIS-06"),
    profile="standard",
    schema=_by_reference,
)
