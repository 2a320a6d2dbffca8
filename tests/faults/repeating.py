"""Repetitions that go wrong only for others, or in another form; and ids that are almost an image's."""

from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import UUID
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Conflict, Invalid, NotFound

from .kinds import Kind
from .registry import breaks

KIND = Kind.IDEMPOTENCY

REPEATED: dict[str, Any] = {
    "profile": "standard",
    "words": ("--select", "TAG-ADD-05", "--select", "TAG-ADD-06", "--select", "TAG-DEL-05"),
}
WITH_BODIES = tuple(
    word
    for identifier in ("TAG-URI-04", "TAG-ADD-04", "TAG-ADD-05", "TAG-ADD-08", "TAG-ADD-09")
    for word in ("--select", identifier)
)
UNKNOWN: dict[str, Any] = {
    "profile": "standard",
    "words": ("--select", "TAG-ADD-15", "--select", "TAG-ADD-16", "--select", "TAG-DEL-07"),
}


class _KnowsWho(App):
    """Remembers who has written a tag last."""

    def __init__(self) -> None:
        super().__init__()
        self.who: dict[tuple[str, str], Caller] = {}

    def another(self, request: Request, image_id: str, tag: str) -> bool:
        """Return whether somebody else has written the tag last; whoever writes it now is remembered."""
        before, self.who[image_id, tag] = self.who.get((image_id, tag)), request.caller
        return before not in (None, request.caller)


@breaks("TAG-ADD-06", **REPEATED)
class RefusesARepetitionByAnother(_KnowsWho):
    """Answers 409 where a user adds a tag that another user has added."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        there = tag in self.images.open(request.caller, image_id).tags
        if self.another(request, image_id, tag) and there:
            raise Conflict("Somebody else has added it.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-05", **REPEATED)
class ListsATagOfTwoUsersTwice(_KnowsWho):
    """Keeps the tags of each user, and lists one twice that two have added."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            if self.another(request, image_id, tag) and tag in tags:
                tags.append(tag)
            return super().add_tag(request, image_id, tag)


@breaks("TAG-DEL-05", **REPEATED)
class AcknowledgesADeletionByAnother(_KnowsWho):
    """Answers 204 where a user deletes a tag that another user has deleted."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        gone = tag not in self.images.open(request.caller, image_id).tags
        if self.another(request, image_id, tag) and gone:
            return Reply(HTTPStatus.NO_CONTENT)
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-ADD-05", **REPEATED)
class ListsAPostedTagTwice(App):
    """Keeps the tags of a creation apart, and lists one twice that is added to them."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            if tag in image.tags and image.properties.get("posted") == "yes":
                image.tags.append(tag)
            return super().add_tag(request, image_id, tag)

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            reply = super().create_image(request)
            youngest = self.images.all()[-1]
            if youngest.tags:
                youngest.properties["posted"] = "yes"
            return reply


@breaks("TAG-ADD-05", **REPEATED)
class ListsATagTwiceForABody(App):
    """Lists a tag once more where it is added again with a body."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            if request.body and tag in tags:
                tags.append(tag)
            return super().add_tag(request, image_id, tag)


class _TakesTagsOffForABody(App):
    """Keeps less of an image's tags where one of them is added with a body."""

    def kept(self, tags: list[str], tag: str, *, repeated: bool) -> list[str]:
        """Return the tags that stay."""
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            there = tag in self.images.open(request.caller, image_id).tags
            reply = super().add_tag(request, image_id, tag)
            if request.body:
                tags = self.images.get(image_id).tags
                tags[:] = self.kept(tags, tag, repeated=there)
            return reply


@breaks("TAG-ADD-04", "TAG-ADD-09", "TAG-URI-04", profile="standard", words=WITH_BODIES)
class KeepsOneTagForABody(_TakesTagsOffForABody):
    """Takes off all other tags where one is added with a body, whether it was there or not."""

    def kept(self, tags: list[str], tag: str, *, repeated: bool) -> list[str]:  # noqa: ARG002
        return [tag]


@breaks("TAG-ADD-05", **REPEATED)
class LosesATagRepeatedWithABody(_TakesTagsOffForABody):
    """Takes off a tag that is there already where it is added again with a body."""

    def kept(self, tags: list[str], tag: str, *, repeated: bool) -> list[str]:
        return [known for known in tags if known != tag or not repeated]


@breaks("TAG-DEL-05", **REPEATED)
class AcknowledgesWhateverIsCompressed(App):
    """Answers 204 to every deletion by a client that accepts gzip."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().delete_tag(request, image_id, tag)
        except NotFound:
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                return Reply(HTTPStatus.NO_CONTENT)
            raise


class _ReadsIds(App):
    def named(self, image_id: str) -> str:
        """Return the id that is looked for."""
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(request, self.named(image_id), tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(request, self.named(image_id), tag)


@breaks(**UNKNOWN)
class TrimsIds(_ReadsIds):
    """Compares ids as a padded column does: blanks at the end are none."""

    def named(self, image_id: str) -> str:
        return image_id.rstrip(" ")


@breaks("TAG-ADD-15", "TAG-DEL-07", **UNKNOWN)
class EndsIdsAtNul(_ReadsIds):
    """Reads an id up to its first NUL."""

    def named(self, image_id: str) -> str:
        return image_id.partition("\0")[0]


@breaks("TAG-DEL-07", "TAG-RESP-09", profile="standard", words=("--select", "TAG-DEL-07", "--select", "TAG-RESP-09"))
class StumblesOverNulInIds(App):
    """Answers 500 where the id of an image holds NUL, as a database does that takes none."""

    def route(self, request: Request) -> Reply:
        if "/images/" in request.path and "%00" in request.path.partition("/tags/")[0]:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "A literal cannot contain NUL.")
        return super().route(request)


@breaks(**UNKNOWN)
class TakesUuidsAlone(_ReadsIds):
    """Answers 400 to an id that is no UUID, and finds one whatever its case."""

    def named(self, image_id: str) -> str:
        if not UUID.fullmatch(image_id):
            raise Invalid("The id of an image is a UUID.")
        return image_id.lower()
