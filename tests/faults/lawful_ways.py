"""Correct services with ways of their own: of paging, of letting images go, of counting what they take."""

import copy
import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from pytest_cloudimages.reference import bodies, listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Conflict, Invalid, OverLimit
from pytest_cloudimages.spec import limits

from .kinds import Kind
from .racing import Meets
from .registry import breaks, selecting

KIND = Kind.STATUS
LATE = 0.05
"""Seconds by which what is late is late."""


@breaks(words=selecting("PAGE"))
class ShowsTwoImagesAtATime(App):
    """Shows two images on a page at most, whatever limit is asked for, as its operator has it."""

    most = 2

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        asked = query.number("limit")
        size = self.most if asked is None else min(asked, self.most)
        with self.images.lock:
            shorter = listing.Query((*query.pairs, ("limit", str(size))))
            page = listing.page(self.images.all(), request.caller, shorter, self.represent)
            return Reply.of_json(listing.document("images", query, page, self.represent))


@breaks(words=selecting("TAG-ADD-15", "TAG-DEL-07", "TAG-HIST-03", "IMG-DEL"), profile="standard")
class DeletesByAndBy(App):
    """Shows a deleted image twice more to its owner, as pending_delete."""

    def __init__(self) -> None:
        super().__init__()
        self.going: dict[str, list[Image]] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            reply = super().delete_image(request, image_id)
            self.going[image_id] = [image, image]
            return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            going = self.going.get(image_id)
            if going and going[0].owner == request.caller.project:
                return Reply.of_json(self.represent(going.pop()) | {"status": "pending_delete"})
            return super().show_image(request, image_id)


class _TakesAWhile(App):
    """Does by and by what it has acknowledged, and says so by the status of the image."""

    seconds = 0.45

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[str, float] = {}

    def begins(self, image_id: str) -> None:
        self.ends[image_id] = time.monotonic() + self.seconds

    def goes_on(self, image_id: str) -> bool:
        return self.ends.get(image_id, 0.0) > time.monotonic()


@breaks(words=selecting("IMG-STAT", "IMG-ENT-11", "IMG-LIST-07", "IMG-LIST-08", "IMG-UPD-16", "TASK-EXP-01"))
class FillsByAndBy(_TakesAWhile):
    """Shows an image as one that is saving, of no size, for half a second after its data was acknowledged."""

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        self.begins(image_id)
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        if not self.goes_on(image.id):
            return super().represent(image)
        return super().represent(image) | {"status": "saving", "size": None, "checksum": None, "os_hash_value": None}


@breaks(words=selecting("IMG-DEL", "IMG-UPD-23"), profile="standard")
class LetsGoByAndBy(_TakesAWhile):
    """Shows a deleted image to its owner for half a second more, as pending_delete, by itself and in lists."""

    def __init__(self) -> None:
        super().__init__()
        self.going: dict[str, Image] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            reply = super().delete_image(request, image_id)
            self.going[image_id] = image
            self.begins(image_id)
            return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            going = self.going.get(image_id)
            if going and self.goes_on(image_id) and going.owner == request.caller.project:
                return Reply.of_json(self.represent(going))
            return super().show_image(request, image_id)

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        with self.images.lock:
            going = [image for image in self.going.values() if self.goes_on(image.id)]
            page = listing.page([*self.images.all(), *going], request.caller, query, self.represent)
            return Reply.of_json(listing.document("images", query, page, self.represent))

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        return shown | {"status": "pending_delete"} if image.id in self.going else shown


@breaks(words=selecting("IMG-DEL"), profile="standard")
class RefusesToDeleteWhatIsInUse(App):
    """Answers 409 to the first deletion of an image, which something else still uses, to who may delete it then."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go: set[str] = set()

    def delete_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            caller = request.caller
            may = caller.admin or (caller.deletes and caller.writes and image.owner == caller.project)
            if may and not image.protected and image_id not in self.let_go:
                self.let_go.add(image_id)
                raise Conflict("The image is in use.")
            return super().delete_image(request, image_id)


@breaks(words=selecting("IMG-UPD"), profile="standard")
class TakesFourProperties(App):
    """Answers 413 to a fifth property of an image, as its operator has it."""

    most = 4

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = self.images.show(request.caller, image_id)
            reply = super().update_image(request, image_id)
            after = self.images.get(image_id)
            if len(after.properties) > max(self.most, len(before.properties)):
                for name in Image.__slots__:
                    setattr(after, name, getattr(before, name))
                raise OverLimit(f"An image has at most {self.most} properties.")
            return reply


@breaks(words=selecting("MEM-CRE", "MEM-DEL", "MEM-LIST"), profile="standard")
class SharesWithTwo(App):
    """Answers 413 to a third member of an image, as its operator has it."""

    most = 2

    def create_member(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            if image.owner == request.caller.project and len(image.members) >= self.most:
                raise OverLimit(f"An image is shared with {self.most} projects at most.")
            return super().create_member(request, image_id)


@breaks(words=selecting("MEM-CRE", "GEN-04"), profile="standard")
class SharesWithProjectsAlone(App):
    """Answers 400 to a member that is no project of its Identity, before it looks at anything else."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        projects = [project.id for project in self.identity.projects.values()]
        named = [each for each in projects if each.encode() in request.body]
        if image.owner == request.caller.project and not named:
            raise Invalid("There is no such project.")
        return super().create_member(request, image_id)


@breaks(words=selecting("MEM-LIST-01"), profile="standard")
class RefusesMembersThatMeet(Meets):
    """Answers 409 to a change of members that meets another of the same image, and does nothing."""

    def create_member(self, request: Request, image_id: str) -> Reply:
        with self.meeting(image_id) as met:
            if met:
                raise Conflict("Someone else is at it.")
            return super().create_member(request, image_id)

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        with self.meeting(image_id) as met:
            if met:
                raise Conflict("Someone else is at it.")
            return super().delete_member(request, image_id, member_id)


@breaks(words=selecting("MEM-UPD", "MEM-CRE-03", "MEM-DEL-02"), profile="standard")
class KeepsListsOfMembers(App):
    """Shows the owner the members as they were before the last change once more: a cache is in between."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Reply] = {}
        self.stale: set[str] = set()

    def create_member(self, request: Request, image_id: str) -> Reply:
        self.stale.add(image_id)
        return super().create_member(request, image_id)

    def update_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        self.stale.add(image_id)
        return super().update_member(request, image_id, member_id)

    def list_members(self, request: Request, image_id: str) -> Reply:
        reply = super().list_members(request, image_id)
        if self.images.get(image_id).owner != request.caller.project:
            return reply
        kept = self.kept.get(image_id, reply)
        self.kept[image_id] = reply
        if image_id in self.stale:
            self.stale.discard(image_id)
            return kept
        return reply


class _GivesNewImages(App):
    """Adds to new images what nobody asked for, unless something else was."""

    attributes: Mapping[str, object]

    def create_image(self, request: Request) -> Reply:
        wanted = bodies.document(request)
        if isinstance(wanted, dict):
            request = replace(request, body=json.dumps({**self.attributes, **wanted}).encode())
        return super().create_image(request)


@breaks(words=selecting("IMG-LIST-11", "IMG-CRE"), profile="standard")
class MakesPrivateImages(_GivesNewImages):
    """Makes new images private where nothing else was asked for."""

    attributes: Mapping[str, object] = {"visibility": "private"}


@breaks(words=selecting("IMG-DEL"), profile="standard")
class ProtectsNewImages(_GivesNewImages):
    """Protects new images unless they were asked not to be."""

    attributes: Mapping[str, object] = {"protected": True}


@breaks(words=selecting("TAG-ADD"), profile="standard")
class FindsLongTagsTooLarge(App):
    """Answers 413 to a tag of more than 255 characters, as ruling Q-03 lets it."""

    never_blocked = True

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        if len(tag) > limits.LONGEST:
            raise OverLimit("A tag has at most 255 characters.")
        return super().add_tag(request, image_id, tag)


@breaks(words=selecting("GEN", "RBAC-01", "RBAC-03"), profile="standard")
class WritesFieldNamesInLowerCase(App):
    """Writes the names of header fields in lower case, as a proxy does that speaks HTTP/2 to the service."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        return replace(reply, headers=tuple((name.lower(), value) for name, value in reply.headers))


@breaks(words=selecting("TAG-VIS-03", "TAG-VIS-04"), profile="standard")
class ListsByNameFromAnIndex(App):
    """Looks up images by name in an index that is read anew 0.15 seconds after a question, by tags where they are."""

    lag = 0.15

    def __init__(self) -> None:
        super().__init__()
        self.index: list[tuple[float, dict[str, Image]]] = []

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        if query.all("tag") or not query.all("name"):
            return super().list_images(request)
        with self.images.lock:
            now = time.monotonic()
            self.index.append((now, {image.id: copy.copy(image) for image in self.images.all()}))
            while len(self.index) > 1 and self.index[1][0] < now - self.lag:
                self.index.pop(0)
            known = self.index[0][1]
            page = listing.page([*known.values()], request.caller, query, self.represent)
            return Reply.of_json(listing.document("images", query, page, self.represent))


@breaks(words=selecting("IMG-LIST", "TAG-VIS", "TAG-URI-05"), profile="standard")
class StandsBehindAFirewall(App):
    """Answers 403 to a query with a quote, a backslash or a percent sign in it, and to a path needlessly encoded."""

    def route(self, request: Request) -> Reply:
        odd = any(sign in request.query for sign in ("'", "%27", "%22", "%5C", "%25"))
        if odd or re.search(r"(%(4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])){3}", request.path):
            return self.error(request, HTTPStatus.FORBIDDEN, "The firewall forbids it.")
        return super().route(request)


@breaks(
    words=selecting("TAG-URI-02", "TAG-ADD-15", "TAG-ADD-26", "TAG-ADD-34", "TAG-DEL-03", "TAG-DEL-15", "TAG-VIS-05"),
    profile="standard",
)
class TakesNothingOdd(App):
    """Creates no image with an id, a property that is called as a filter is, or a tag twice, and wants a name or none."""

    def create_image(self, request: Request) -> Reply:
        wanted = bodies.document(request)
        if isinstance(wanted, dict):
            tags = wanted.get("tags")
            twice = isinstance(tags, list) and len(tags) != len({*map(str, tags)})
            if twice or wanted.get("name") == "" or {"id", "tag"} & {*wanted}:
                raise Invalid("This is not how an image is created here.")
        return super().create_image(request)

    def update_image(self, request: Request, image_id: str) -> Reply:
        changes = json.loads(request.body)
        if any(change.get("path") == "/name" and change.get("value") == "" for change in changes):
            raise Invalid("A name is not empty.")
        return super().update_image(request, image_id)


@breaks(words=selecting("IMG", "MEM", "GEN"), profile="standard")
class LinksAbsolutelyOnceShared(App):
    """Writes the links of an image that has members with the host, and says with which letters JSON is written."""

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        links = {name: f"{self.url}{shown[name]}" for name in ("self", "file", "schema")}
        return shown | (links if image.members else {})

    def list_members(self, request: Request, image_id: str) -> Reply:
        reply = super().list_members(request, image_id)
        others = tuple(field for field in reply.headers if field[0].lower() != "content-type")
        return Reply(reply.status, reply.body, (("content-type", "Application/JSON;charset=UTF-8"), *others))


@breaks(words=selecting("IMG", "GEN", "SCHEMA"), profile="standard")
class LeavesOutWhatIsUnsetOnceHidden(App):
    """Leaves out of a hidden image what is not set, and writes its dates with a fraction and an offset."""

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        if not image.os_hidden:
            return shown
        dates = {name: str(shown[name]).replace("Z", ".000000+00:00") for name in ("created_at", "updated_at")}
        return {name: value for name, value in shown.items() if value is not None} | dates


@breaks(words=selecting("IMG-UPD-22", "TAG-ADD-03", "TAG-DEL-03"), profile="standard")
class ShowsTagsBehindTheRest(App):
    """Shows the tags of an image as they were a moment ago, beside attributes that are as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, list[tuple[float, list[str]]]] = {}

    def route(self, request: Request) -> Reply:
        reply = super().route(request)
        with self.images.lock:
            for image in self.images.all() if request.method != "GET" else ():
                known = self.seen.setdefault(image.id, [(0.0, [])])
                if known[-1][1] != image.tags:
                    known.append((time.monotonic(), [*image.tags]))
        return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            shown = self.represent(self.images.show(request.caller, image_id))
            late = [tags for since, tags in self.seen.get(image_id, ()) if time.monotonic() - since > LATE]
            return Reply.of_json({**shown, "tags": late[-1] if late else shown["tags"]})
