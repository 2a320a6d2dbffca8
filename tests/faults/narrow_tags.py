"""Services that are wrong about tags under one condition alone: of a caller, a name, an id, a list, a former life."""

import json
import re
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Visibility
from pytest_cloudimages.reference.identity import Role
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import NotFound

from .by_tags import Filters
from .kinds import Kind
from .listing import listed
from .registry import breaks, selecting

KIND = Kind.SEQUENCE


@breaks("TAG-DEL-15", profile="standard")
class CountsTheTagsOfAPatch(App):
    """Keeps a tag that a PATCH names twice until it was deleted twice."""

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[tuple[str, str], int] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        for change in json.loads(request.body):
            if change.get("path") == "/tags" and reply.status == HTTPStatus.OK:
                named = [*change.get("value", ())]
                self.left |= {(image_id, tag): named.count(tag) - 1 for tag in named}
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        if self.left.get((image_id, tag)):
            self.left[image_id, tag] -= 1
            self.images.get(image_id).tags.append(tag)
        return reply


@breaks("TAG-DEL-15", profile="standard")
class RemembersThatATagWasNotThere(App):
    """Answers 404 to the deletion of a tag that was not there before, until it comes by its address."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.missing.discard((image_id, tag))
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            if (image_id, tag) not in self.missing and tag in self.images.show(request.caller, image_id).tags:
                return super().delete_tag(request, image_id, tag)
            self.missing.add((image_id, tag))
            raise NotFound("There is no such tag.")


@breaks("TAG-VIS-08", profile="standard")
class TakesAPatchForTheLastOne(App):
    """Answers a PATCH that is, letter for letter, the last one of an image as that was answered, and does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, bytes] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            if self.last.get(image_id) == request.body:
                return Reply.of_json(self.represent(self.images.show(request.caller, image_id)))
            reply = super().update_image(request, image_id)
            self.last[image_id] = request.body
            return reply


@breaks("TAG-DEL-04", profile="standard")
class NamesTheUntagged(App):
    """Names an image that has an empty name after the tag that it loses."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        image = self.images.get(image_id)
        if image.name == "":
            image.name = tag
        return reply


@breaks("TAG-ADD-15", profile="standard")
class ListsWhatWasToBeTagged(App):
    """Lists an image, of which nothing else is known, once a tag for it was refused as there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.missed: dict[str, Image] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().add_tag(request, image_id, tag)
        except NotFound:
            if request.caller.writes and len(image_id) == 36:
                self.missed = {image_id: Image(image_id, request.caller.project)}
            raise

    def list_images(self, request: Request) -> Reply:
        with self.images.lock:
            return listed(self, request, [*self.images.all(), *self.missed.values()])


@breaks("TAG-URI-02", profile="standard")
class LosesWhatHasAnIdOfItsOwn(App):
    """Finds no image to delete a tag from where its id was not drawn at random."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if image_id[14:15] != "4":
            raise NotFound(f"There is no image {image_id}.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-04", profile="standard")
class TakesParametersOffATag(App):
    """Takes a semicolon, a name and a value for parameters of the path, and stores what stands before them."""

    def decode_tag(self, raw: str) -> str:
        tag = super().decode_tag(raw)
        return re.sub(r"(?<=\w);[a-z]+=[^;]*$", "", tag)


@breaks("TAG-ADD-11", profile="standard")
class LetsCreatorsWriteAtLength(App):
    """Takes tags of any length from another user of the project, who may create and not delete."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        writer = self.identity.validate(request.headers.get("X-Auth-Token")).user
        if writer.role is Role.CREATOR and len(tag) > 255:
            self.images.open(request.caller, image_id).tags.append(tag)
            return Reply(HTTPStatus.NO_CONTENT)
        return super().add_tag(request, image_id, tag)


@breaks("TAG-RESP-03", profile="standard")
class TurnsReadersAwayInSilence(App):
    """Says nothing to a reader who may not change the tags of an image."""

    def route(self, request: Request) -> Reply:
        if "/tags/" in request.path and request.caller.project and not request.caller.writes:
            return Reply(HTTPStatus.FORBIDDEN)
        return super().route(request)


@breaks("TAG-VIS-05", profile="standard")
class ShowsMembersEachTagTwice(App):
    """Shows each tag of a shared image twice to its members, in its details alone."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        if request.caller.project not in self.images.get(image_id).members:
            return reply
        shown: Any = reply.json()
        return Reply.of_json({**shown, "tags": shown["tags"] * 2})


@breaks("TAG-VIS-04", profile="standard")
class FindsAPropertyAmongTags(Filters):
    """Takes a property that is called as the filter is for a tag of an image, where it is asked for several."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        further = [image.properties.get("tag")] if len({*wanted}) > 1 else []
        return {*wanted} <= {*image.tags, *further}


@breaks("TAG-VIS-04", profile="standard")
class AsksForAnyWhereOneIsUnknown(Filters):
    """Lists the images with any of several tags where no image carries one of them."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        used = {tag for each in self.images.all() for tag in each.tags}
        return (
            bool({*wanted} & {*image.tags})
            if {*wanted} - used and len({*wanted}) > 1
            else super().carries(image, wanted)
        )


@breaks("TAG-ADD-03", profile="standard")
class RemembersWhatStrangersSaw(App):
    """Goes on showing a project the tags of another's image that it has seen first, once the image is for all."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[tuple[str, str], list[str]] = {}

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        image, project = self.images.get(image_id), request.caller.project
        if (
            project == image.owner
            or request.caller.admin
            or image.visibility in (Visibility.SHARED, Visibility.PRIVATE)
        ):
            return reply
        shown: Any = reply.json()
        tags = self.seen.setdefault((project, image_id), [])
        tags += [] if tags else image.tags
        return Reply.of_json({**shown, "tags": [*tags]})


@breaks("TAG-HIST-03", profile="standard")
class OwnsTagsOnce(App):
    """Takes a tag that came by its own address off all images of a project that were given it otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.added: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.added.add((image_id, tag))
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        if (image_id, tag) in self.added:
            owner = self.images.get(image_id).owner
            for image in self.images.all():
                if image.owner == owner and tag in image.tags and (image.id, tag) not in self.added:
                    image.tags.remove(tag)
        return reply


@breaks("TAG-DEL-03", profile="standard")
class RenamesTheFirstVersion(App):
    """Brings back with a new name the tags that an image was created with, as long as no PATCH has set any."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, list[str]] = {}

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        shown: Any = reply.json()
        self.first[shown["id"]] = shown["tags"]
        return reply

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if reply.status == HTTPStatus.OK and b"tags" in request.body:
            self.first.pop(image_id, None)
        image = self.images._images.get(image_id)  # noqa: SLF001 - it may be gone
        if image is None or reply.status != HTTPStatus.OK or b"/name" not in request.body:
            return reply
        image.tags += [tag for tag in self.first.get(image_id, ()) if tag not in image.tags]
        return Reply.of_json(self.represent(image))


@breaks("TAG-VIS-03", profile="standard")
class ListsTheUntaggedForNull(Filters):
    """Takes the word null in a filter by tag for none, and lists the images that have no tags."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        return super().carries(image, wanted) if wanted != ["null"] else not image.tags


@breaks("TAG-VIS-03", profile="standard")
class CountsWhatIsLookedFor(Filters):
    """Finds an image by the number that its tag is, whatever noughts stand in front of either."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        looked_for, carried = (
            {tag.lstrip("0") if tag.isdecimal() else tag for tag in tags} for tags in (wanted, image.tags)
        )
        return looked_for <= carried


class _DeletesTheNearest(App):
    """Deletes another tag where the one that is named is not carried."""

    def near(self, tag: str, carried: str) -> bool:
        """Return whether a carried tag is taken for the one that is named."""
        raise NotImplementedError

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            found = [each for each in tags if self.near(tag, each)]
            return super().delete_tag(request, image_id, tag if tag in tags or not found else found[0])


@breaks("TAG-DEL-06", "TAG-HIST-04", profile="standard")
class DeletesByTheValue(_DeletesTheNearest):
    """Deletes a number that is written otherwise where the one that is named is not carried."""

    def near(self, tag: str, carried: str) -> bool:
        return tag.isdecimal() and carried.isdecimal() and int(tag) == int(carried)


@breaks("TAG-URI-21", "TAG-HIST-04", profile="standard")
class DeletesUpToTheLineEnd(_DeletesTheNearest):
    """Deletes the tag without the end of the line where the one that is named is not carried."""

    def near(self, tag: str, carried: str) -> bool:
        return tag.rstrip("\r\n") == carried


@breaks("TAG-URI-08", profile="standard")
class RefusesTemplates(App):
    """Takes a tag with braces around a word for a template that somebody wants filled in, and answers 400."""

    status = HTTPStatus.BAD_REQUEST

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if re.search(r"[{$]\{.*\}", tag):
            return self.error(request, self.status, "No template is filled in.")
        return super().add_tag(request, image_id, tag)


@breaks(words=selecting("TAG-URI-08", "TAG-ADD-01"), profile="standard")
class ForbidsTemplates(RefusesTemplates):
    """Stands behind a firewall that forbids what looks like a template."""

    status = HTTPStatus.FORBIDDEN
