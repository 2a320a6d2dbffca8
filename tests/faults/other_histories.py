"""Services that go wrong with tags that came another way, with whoever else has written them, and page by page."""

from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image, MemberStatus, owns, sees
from pytest_cloudimages.reference.refusals import Forbidden, NotFound, OverLimit

from .kinds import Kind
from .registry import breaks

KIND = Kind.SEQUENCE
PAGES = ("--select", "PAGE")
OLD_FORM = "v2.0-json-patch"


# How tags came


@breaks("TAG-VIS-08", profile="standard")
class MergesAddedTags(App):
    """Adds to the tags, where a patch adds /tags, those that there are not yet, and keeps all others."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = [*self.images.show(request.caller, image_id).tags]
            reply = super().update_image(request, image_id)
            if reply.status == HTTPStatus.OK and b'"add"' in request.body and b'"/tags"' in request.body:
                image = self.images.get(image_id)
                image.tags[:] = dict.fromkeys([*before, *image.tags])
                return Reply.of_json(self.represent(image))
            return reply


@breaks("TAG-DEL-15", profile="standard")
class KeepsTagsOfOldPatches(App):
    """Acknowledges the deletion of a tag that a patch in the old form has set, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, list[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if reply.status == HTTPStatus.OK and b"/tags" in request.body:
            self.kept.pop(image_id, None)
            if request.media_type.endswith(OLD_FORM):
                self.kept[image_id] = [*self.images.get(image_id).tags]
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        if tag in self.kept.get(image_id, ()):
            self.images.get(image_id).tags.append(tag)
        return reply


@breaks("TAG-HIST-01", profile="standard")
class RestoresTheFirstTags(App):
    """Puts back the tags that an image was created with when it is deactivated."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, list[str]] = {}

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        for image in self.images.all():
            self.first.setdefault(image.id, [*image.tags])
        return reply

    def deactivate(self, request: Request, image_id: str) -> Reply:
        reply = super().deactivate(request, image_id)
        with self.images.lock:
            image = self.images.get(image_id)
            image.tags += [tag for tag in self.first[image_id] if tag not in image.tags]
        return reply


@breaks("TAG-DEL-03", profile="standard")
class AddsTheFirstTagsOnceMore(RestoresTheFirstTags):
    """Puts back the tags that an image was created with when another is added, until a patch has set any."""

    def deactivate(self, request: Request, image_id: str) -> Reply:
        return App.deactivate(self, request, image_id)

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if b"/tags" in request.body:
            self.first[image_id] = []
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            image = self.images.get(image_id)
            image.tags += [tag for tag in self.first.get(image_id, ()) if tag not in image.tags]
        return reply


@breaks("TAG-ADD-22", perhaps=["TAG-HIST-01"], profile="standard")
class DropsTheOldestForOneTooMany(App):
    """Answers 413 to a tag that is one too many, and drops the oldest that is there."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().add_tag(request, image_id, tag)
        except OverLimit:
            with self.images.lock:
                del self.images.get(image_id).tags[0]
            raise


# Whose they are


@breaks("TAG-HIST-03", profile="standard")
class TagsEqualData(App):
    """Adds a tag also to the images of the project that have the same data and had the same tags."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            before = sorted(image.tags)
            reply = super().add_tag(request, image_id, tag)
            for other in self.images.all():
                alike = other.checksum and (other.owner, other.checksum) == (image.owner, image.checksum)
                if alike and other is not image and sorted(other.tags) == before and tag not in other.tags:
                    other.tags.append(tag)
            return reply


@breaks("TAG-AUTH-07", profile="standard")
class TrustsWhoTaggedBefore(App):
    """Lets a project delete tags of an image that it has tagged once, whoever owns that by now."""

    def __init__(self) -> None:
        super().__init__()
        self.trusted: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.trusted.add((request.caller.project, image_id))
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if (request.caller.project, image_id) in self.trusted:
            with suppress(NotFound):
                owner = self.images.get(image_id).owner
                request = request.sent_by(replace(request.caller, project=owner))
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-01", perhaps=["TAG-HIST-02"], profile="standard")
class KeepsTagsOfColleagues(App):
    """Finds no tag that another user of the project has added, when it is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.added: dict[tuple[str, str], str] = {}

    def user(self, request: Request) -> str:
        """Return who asks."""
        return self.identity.validate(request.headers.get("X-Auth-Token")).user.id

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.added.setdefault((image_id, tag), self.user(request))
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        if self.added.get((image_id, tag), me := self.user(request)) != me:
            raise NotFound(f"Image {image_id} has no such tag.")
        reply = super().delete_tag(request, image_id, tag)
        self.added.pop((image_id, tag), None)
        return reply


@breaks("RBAC-06", words=("--select", "RBAC"), profile="standard")
class KeepsTagsFromWhoHasTwoRoles(App):
    """Forbids the deletion of a tag to whoever has a role that only reads, whatever other role there is."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(self.identity.validate(request.headers.get("X-Auth-Token")).user.roles) > 1:
            raise Forbidden("An observer deletes no tags.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-ADD-26", profile="standard")
class FlagsPropertiesOfTheName(App):
    """Sets a property of an image to true when a tag is added that has its name."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            image = self.images.get(image_id)
            if tag in image.properties:
                image.properties[tag] = "true"
            return reply


@breaks("TAG-ADD-02", perhaps=["TAG-RESP-03"], profile="standard")
class LeadsToTheTag(App):
    """Says in a header of the 204 where the tag is now, as it is and not as it is written."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        shown = tag.encode("ascii", "replace").decode()
        return Reply(reply.status, reply.body, (*reply.headers, ("Content-Location", f"tags/{shown}")))


# Page by page


def _paged(app: App, request: Request, query: listing.Query, asked: listing.Query) -> dict[str, object]:
    with app.images.lock:
        page = listing.page(app.images.all(), request.caller, asked, app.represent)
        return listing.document("images", query, page, app.represent)


@breaks("PAGE-05", words=PAGES, profile="standard")
class CutsPagesBeforeItFilters(App):
    """Leaves out of each page of all images those that do not carry the tag that is asked for."""

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        document = _paged(self, request, query, listing.Query(tuple(pair for pair in query.pairs if pair[0] != "tag")))
        shown = document["images"]
        wanted = {*query.all("tag")}
        assert isinstance(shown, list)
        return Reply.of_json(document | {"images": [image for image in shown if wanted <= {*image["tags"]}]})


@breaks("PAGE-05", words=PAGES, profile="standard")
class CountsTagsForImages(App):
    """Ends a page where its images have as many tags together as it may hold images."""

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        size = query.number("limit")
        with self.images.lock:
            page = listing.page(self.images.all(), request.caller, query, self.represent)
            fitting: list[Image] = []
            for image in page.items:
                if size and sum(max(1, len(each.tags)) for each in fitting) >= size:
                    break
                fitting.append(image)
            page = listing.Page(fitting, page.more or len(fitting) < len(page.items))
            return Reply.of_json(listing.document("images", query, page, self.represent))


@breaks("PAGE-08", perhaps=["PAGE-03"], words=PAGES, profile="standard")
class FindsNoMarkerWithoutTheTag(App):
    """Finds nothing to begin after where the last image of a page does not carry the tag any more."""

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        marker = next((image for image in self.images.all() if image.id == query.last("marker")), None)
        if marker and not {*query.all("tag")} <= {*marker.tags}:
            raise NotFound(f"There is no image {marker.id} in this list.")
        return super().list_images(request)


@breaks("IMG-LIST-05", words=("--select", "IMG-LIST"), profile="standard")
class ListsByTagWhatIsRejected(App):
    """Lists to a consumer what it has rejected, where it asks for a tag."""

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        if not query.all("tag") or query.last("member_status"):
            return super().list_images(request)
        document = _paged(self, request, query, query)
        shown = document["images"]
        assert isinstance(shown, list)
        shown += [self.represent(image) for image in self.images.all() if _rejected(request.caller, image, query)]
        return Reply.of_json(document)


def _rejected(caller: Caller, image: Image, query: listing.Query) -> bool:
    member = image.members.get(caller.project)
    offered = member is not None and member.status is MemberStatus.REJECTED
    named = query.last("name") in (None, image.name)
    return (
        offered and named and sees(caller, image) and not owns(caller, image) and {*query.all("tag")} <= {*image.tags}
    )
