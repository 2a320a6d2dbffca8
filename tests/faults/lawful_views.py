"""Correct services that show, count or describe in ways of their own what they keep as others do."""

import itertools
import json
import time
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Member
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
