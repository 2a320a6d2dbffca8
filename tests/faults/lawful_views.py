"""Correct services that show, count or describe in ways of their own what they keep as others do."""

import itertools
import json
import time
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Member
from pytest_cloudimages.reference.refusals import OverLimit
from pytest_cloudimages.spec import limits

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.STATUS


@breaks(words=selecting("MEM-CRE", "MEM-UPD", "MEM-DEL"), profile="standard")
class CountsLooksAtMembers(App):
    """Shows of each member how often the members were looked at, which is nobody's change."""

    looks = 0

    def represent_member(self, member: Member) -> dict[str, object]:
        self.looks += 1
        return super().represent_member(member) | {"looks": self.looks}


@breaks(words=selecting("TAG-ADD-26", "TAG-DEL-04"), profile="standard")
class HasOneNewerNode(App):
    """Has one of five nodes show an attribute that the others do not know, and fractions of seconds."""

    nodes = 5

    def __init__(self) -> None:
        super().__init__()
        self.turns = itertools.count()

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        if next(self.turns) % self.nodes:
            return reply
        shown = json.loads(reply.body)
        shown |= {"os_glance_failed_import": "", "created_at": shown["created_at"].replace("Z", ".000Z")}
        return Reply.of_json(shown)


@breaks(words=selecting("TAG-URI-03", "TAG-ADD-10", "TAG-ADD-13"), profile="standard")
class LimitsTagsByTheirOctets(App):
    """Answers 413 where the tags of an image would take more than 3,000 octets together."""

    most = 3_000

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = {*self.images.open(request.caller, image_id).tags, tag}
        if len(tag) <= limits.LONGEST and sum(len(each.encode()) for each in tags) > self.most:
            raise OverLimit("The tags of an image take 3,000 octets at most.")
        return super().add_tag(request, image_id, tag)


@breaks(words=selecting("TAG-VIS-06"), profile="standard")
class DescribesTagsElsewhere(App):
    """Describes a tag among the definitions of the schema, to which its properties refer."""

    def schema(self, request: Request, name: str) -> Reply:
        reply = super().schema(request, name)
        shown = json.loads(reply.body)
        if name != "image" or "properties" not in shown:
            return reply
        shown["definitions"] = {"tags": shown["properties"]["tags"]}
        shown["properties"]["tags"] = {"$ref": "#/definitions/tags"}
        return Reply.of_json(shown)


@breaks(words=selecting("TAG-DEL-07", "TAG-ADD-15"), profile="standard")
class SaysWhatIsGone(App):
    """Answers 410 for whatever is below an image that was deleted (RFC 9110, 15.5.11)."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()

    def delete_image(self, request: Request, image_id: str) -> Reply:
        reply = super().delete_image(request, image_id)
        self.gone.add(image_id)
        return reply

    def route(self, request: Request) -> Reply:
        named = request.path.partition("/images/")[2].partition("/")[0]
        if named in self.gone:
            return self.error(request, HTTPStatus.GONE, "The image was deleted.")
        return super().route(request)


@breaks(words=selecting("TAG"), profile="standard")
class HasAScannerBesideIt(App):
    """Has somebody else in the project tag every image once it is a quarter of a second old."""

    age = 0.25

    def __init__(self) -> None:
        super().__init__()
        self.tagged: set[str] = set()
        self.first_seen: dict[str, float] = {}

    def handle(self, request: Request) -> Reply:
        with self.images.lock:
            now = time.monotonic()
            for image in self.images.all():
                if now - self.first_seen.setdefault(image.id, now) > self.age and image.id not in self.tagged:
                    self.tagged.add(image.id)
                    image.tags.append("virus-free")
        return super().handle(request)


@breaks(words=selecting("IMG-ENT", "MEM-ENT", "MEM-LIST-01", "TASK-ENT-07", "VER-01"), profile="standard")
class LeadsOnFromWhereItIs(App):
    """Writes links relative to what was asked for: up to the version, and on from there."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if not request.path.startswith(("/v2/images", "/v2/tasks")) or not reply.body.startswith(b"{"):
            return reply
        up = "../" * (request.path.count("/") - 2) or "./"
        return Reply(reply.status, reply.body.replace(b'"/v2/', b'"' + up.encode()), reply.headers)


@breaks(words=selecting("IMG-ENT", "IMG-LIST-08"), profile="standard")
class SaysLittleOfWhatIsNew(App):
    """Answers a creation with id, name and status alone, and writes sizes as numbers that have a point."""

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        shown = json.loads(reply.body)
        few = Reply.of_json({name: shown[name] for name in ("id", "name", "status")})
        return Reply(reply.status, few.body, reply.headers)

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"size": None if image.size is None else float(image.size)}


@breaks(words=selecting("MEM-ENT", "MEM-CRE-01", "MEM-LIST"), profile="standard")
class KeepsImageIdsOfMembersInCapitals(App):
    """Writes the id of the image in capitals in a membership, and shows none but the owner the link of a list."""

    def represent_member(self, member: Member) -> dict[str, object]:
        shown = super().represent_member(member)
        return shown | {"image_id": str(shown["image_id"]).upper()}

    def list_members(self, request: Request, image_id: str) -> Reply:
        reply = super().list_members(request, image_id)
        if self.images.get(image_id).owner == request.caller.project:
            return reply
        return Reply.of_json({"members": json.loads(reply.body)["members"]})
