"""Deletions that go wrong."""

import json
from contextlib import suppress
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.DELETION


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)
NARROWED = ("--select", "TAG-ADD-04", "--select", "TAG-DEL-04", "--select", "TAG-HIST-04")
"""What looks at tags that are related, and at what becomes of one when the other is changed."""


@breaks("TAG-DEL-05", "TAG-DEL-06", "TAG-HIST-01")
class ForgivesASecondDelete(App):
    """Answers 204 even when there is no such tag to delete."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.images.open(request.caller, image_id).tags:
            return super().delete_tag(request, image_id, tag)
        return NO_CONTENT


class _AnswersAnAbsentTag(App):
    status = HTTPStatus.NOT_FOUND

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.images.open(request.caller, image_id).tags:
            return super().delete_tag(request, image_id, tag)
        return self.error(request, self.status, "There is no such tag.")


@breaks("TAG-DEL-05", "TAG-DEL-06", "TAG-DEL-10", "TAG-HIST-01", profile="standard")
class AnswersAnAbsentTagWith410(_AnswersAnAbsentTag):
    """Answers 410 where there is no such tag to delete."""

    status = HTTPStatus.GONE


@breaks("TAG-DEL-05", "TAG-DEL-06", "TAG-HIST-01")
class AnswersAnAbsentTagWith400(_AnswersAnAbsentTag):
    """Answers 400 where there is no such tag to delete."""

    status = HTTPStatus.BAD_REQUEST


@breaks("TAG-DEL-05", "TAG-DEL-06", "TAG-DEL-10", "TAG-HIST-01", profile="standard")
class AnswersAnAbsentTagWith409(_AnswersAnAbsentTag):
    """Answers 409 where there is no such tag to delete."""

    status = HTTPStatus.CONFLICT


@breaks("TAG-DEL-05", "TAG-DEL-06", "TAG-HIST-01", "TAG-HIST-04", "TAG-RESP-09", "TAG-URI-19", profile="standard")
class AnswersAnAbsentTagWith500(_AnswersAnAbsentTag):
    """Answers 500 where there is no such tag to delete."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


@breaks("TAG-DEL-05", "TAG-HIST-01")
class RemembersDeletions(App):
    """Answers 204 to the deletion of a tag that was deleted before, and 404 to that of one that never was."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[tuple[str, str]] = set()

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        if tag not in image.tags and (image_id, tag) in self.gone:
            return NO_CONTENT
        reply = super().delete_tag(request, image_id, tag)
        self.gone.add((image_id, tag))
        return reply


@breaks("TAG-DEL-06", "TAG-HIST-01")
class ForgivesWhatNeverWas(App):
    """Answers 204 to the deletion of a tag that never was, and 404 to a second deletion."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.known.add((image_id, tag))
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if (image_id, tag) not in self.known and tag not in self.images.open(request.caller, image_id).tags:
            return NO_CONTENT
        return super().delete_tag(request, image_id, tag)


class _AnswersADeletion(App):
    status = HTTPStatus.OK

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        super().delete_tag(request, image_id, tag)
        return Reply(self.status)


@breaks("TAG-DEL-01", "TAG-DEL-10", "TAG-HIST-01", profile="standard")
class AnswersADeletionWith200(_AnswersADeletion):
    """Answers 200 to a deletion."""


@breaks("TAG-DEL-01", "TAG-DEL-10", "TAG-HIST-01", profile="standard")
class AnswersADeletionWith202(_AnswersADeletion):
    """Answers 202 to a deletion."""

    status = HTTPStatus.ACCEPTED


@breaks("TAG-DEL-01", "TAG-DEL-02", "TAG-DEL-10", "TAG-HIST-01", profile="standard")
class AnswersADeletionWithTheImage(App):
    """Answers a deletion with 200 and the image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        super().delete_tag(request, image_id, tag)
        return self.show_image(request, image_id)


@breaks("TAG-DEL-03", "TAG-DEL-18", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class DeletesNothing(App):
    """Acknowledges deletions and keeps the tags."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            before = list(image.tags)
            reply = super().delete_tag(request, image_id, tag)
            image.tags[:] = before
            return reply


@breaks("TAG-DEL-01", "TAG-DEL-12", "TAG-HIST-01", profile="standard")
class DeletesAndDenies(App):
    """Deletes a tag and answers 404."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        super().delete_tag(request, image_id, tag)
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")


@breaks("TAG-DEL-01", "TAG-HIST-01", profile="standard")
class FindsNoTagToDelete(App):
    """Answers 404 to every deletion, and deletes nothing."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002 - it looks at nothing
        self.images.open(request.caller, image_id)
        return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")


class _DeletesMore(App):
    def more(self, tag: str, other: str) -> bool:
        raise NotImplementedError

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            tags[:] = [known_tag for known_tag in tags if not self.more(tag, known_tag)]
            return reply


@breaks("TAG-DEL-04", "TAG-HIST-01", profile="standard")
class DeletesAll(_DeletesMore):
    """Takes all tags off the image when one is deleted."""

    def more(self, tag: str, other: str) -> bool:  # noqa: ARG002 - all
        return True


@breaks("TAG-DEL-04", "TAG-HIST-04", perhaps=["TAG-URI-09", "TAG-URI-21", "TAG-HIST-01"], profile="standard")
class DeletesByPrefix(_DeletesMore):
    """Takes all tags off the image that begin with the deleted one."""

    def more(self, tag: str, other: str) -> bool:
        return other.startswith(tag)


def _deletes_parts(name: str, separator: str) -> None:
    """Register a service to which such a character in a tag means a level."""

    def more(self: _DeletesMore, tag: str, other: str) -> bool:  # noqa: ARG001 - it replaces a method
        return other.startswith(tag + separator)

    doc = f"Takes off the image what goes on after the deleted tag with {separator}, as parts of it."
    made = type(name, (_DeletesMore,), {"more": more, "__doc__": doc})
    breaks("TAG-DEL-04", "TAG-HIST-04", profile="standard", words=NARROWED)(made)


for _name, _separator in (
    ("DeletesWhatADotFollows", "."),
    ("DeletesWhatADashFollows", "-"),
    ("DeletesWhatALineFollows", "_"),
):
    _deletes_parts(_name, _separator)


@breaks("TAG-ADD-04", "TAG-HIST-04", profile="standard", words=NARROWED)
class HasOneValueAKey(App):
    """Replaces a tag by another that is equal up to the first equals sign, as if it were a key with a value."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            key, equals, _ = tag.partition("=")
            tags = self.images.get(image_id).tags
            tags[:] = [known for known in tags if known == tag or not known.startswith(key + (equals or "\0\0"))]
            return reply


@breaks("TAG-URI-19", "TAG-URI-20", "TAG-HIST-04", perhaps=["TAG-DEL-04", "TAG-HIST-01"], profile="standard")
class DeletesInAnyCase(_DeletesMore):
    """Takes all tags off the image that equal the deleted one but for case."""

    def more(self, tag: str, other: str) -> bool:
        return other.casefold() == tag.casefold()


@breaks("TAG-DEL-12", "TAG-HIST-01")
class DeletesAnotherOnFailure(App):
    """Takes the oldest tag off the image when the one to delete is absent."""

    which = slice(1)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            if tag not in tags:
                del tags[self.which]
            return super().delete_tag(request, image_id, tag)


WITH_SPECIAL_TAGS = ("--select", "TAG-DEL-12", "--select", "TAG-URI-09", "--select", "TAG-URI-19")


@breaks("TAG-DEL-12", profile="standard", words=WITH_SPECIAL_TAGS)
class DeletesTheNewestOnFailure(DeletesAnotherOnFailure):
    """Takes the newest tag off the image when the one to delete is absent, whatever tags they are."""

    which = slice(-1, None)


@breaks("TAG-DEL-07")
class ForgivesAnUnknownImage(App):
    """Answers 204 to a deletion on an unknown image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not any(image.id == image_id for image in self.images.all()):
            return NO_CONTENT
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-07")
class ForbidsAnUnknownImage(App):
    """Answers 403 to a deletion on an unknown image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not any(image.id == image_id for image in self.images.all()):
            return self.error(request, HTTPStatus.FORBIDDEN, "This is not yours.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-18", "TAG-VIS-01", profile="standard")
class ShowsNoEmptyList(App):
    """Leaves the tags out of an image that has none."""

    def represent(self, image: Image) -> dict[str, object]:
        data = super().represent(image)
        if not data["tags"]:
            del data["tags"]
        return data


@breaks("TAG-DEL-08", profile="standard")
class RefusesABodyOnDelete(App):
    """Answers 400 to a deletion with a body."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "A body is not expected with this request.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-URI-04", "TAG-DEL-09")
class DeletesWhatTheBodyNames(App):
    """Deletes the tag that a JSON or text body names as well."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            tags[:] = [known_tag for known_tag in tags if known_tag.encode() not in request.body or not request.body]
            return reply


OF_BODIES = selecting(
    *("TAG-ADD-05", "TAG-ADD-06", "TAG-ADD-08", "TAG-ADD-09"),
    *("TAG-DEL-05", "TAG-DEL-08", "TAG-DEL-09", "TAG-URI-04"),
)


@breaks("TAG-URI-04", "TAG-ADD-09", "TAG-DEL-08", "TAG-DEL-09", profile="standard", words=OF_BODIES)
class TakesTheNameInTheBody(App):
    """Takes the member "name" of a JSON body for the tag, in place of that of the path."""

    def named(self, request: Request, tag: str) -> str:
        """Return the tag that is meant."""
        with suppress(ValueError):
            document = json.loads(request.body)
            return document.get("name", tag) if isinstance(document, dict) else tag
        return tag

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(request, image_id, self.named(request, tag))

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(request, image_id, self.named(request, tag))


@breaks("TAG-DEL-15", profile="standard")
class DeletesOnlyItsOwnTags(App):
    """Answers 404 to the deletion of a tag that was set at creation or by PATCH."""

    def __init__(self) -> None:
        super().__init__()
        self.added: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.added.add((image_id, tag))
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        if (image_id, tag) not in self.added:
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-19", profile="standard")
class ProtectsTags(App):
    """Answers 403 to the deletion of a tag of a protected image."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).protected:
            return self.error(request, HTTPStatus.FORBIDDEN, "The image is protected.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-01", "TAG-HIST-01", "TAG-URI-19", "TAG-RESP-09", perhaps=["TAG-HIST-04"], profile="standard")
class FailsWhereTwoDifferInCase(App):
    """Fails on the deletion of a tag that differs from another of the image in letter case only."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        rows = [known for known in self.images.get(image_id).tags if known.lower() == tag.lower()]
        if tag in rows and len(rows) > 1:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Multiple rows were found.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-04", profile="standard", words=("--select", "TAG-DEL-04", "--select", "TAG-URI-06"))
class BringsTheFirstOneBack(App):
    """Lists the tag again that an image lost first, whenever another is deleted and two or more are left."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, str] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            first = self.first.setdefault(image_id, tag)
            if first not in (tag, *tags) and len(tags) > 1:
                tags.append(first)
            return reply


@breaks("TAG-DEL-15", profile="standard", words=("--select", "TAG-DEL-15", "--select", "TAG-DEL-18"))
class FallsBackOnTheTagsOfItsCreation(App):
    """Falls back on the tags that an image was created with when it loses its last one."""

    def __init__(self) -> None:
        super().__init__()
        self.created: dict[str, list[str]] = {}

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        data = json.loads(reply.body)
        self.created[data["id"]] = data["tags"]
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            tags[:] = tags or self.created.get(image_id, [])
            return reply


@breaks("TAG-DEL-04", profile="standard", words=("--select", "TAG-DEL-04", "--select", "TAG-DEL-03"))
class EndsSharingWithTheLastTag(App):
    """Ends all memberships of an image that loses its last tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            image = self.images.get(image_id)
            if not image.tags:
                image.members.clear()
            return reply


@breaks("TAG-HIST-01", profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-ADD-04"))
class BringsTagsOfThePatchBackWithAMember(App):
    """Puts the tags back, with each new member, that an image had when it was patched last."""

    def __init__(self) -> None:
        super().__init__()
        self.patched: dict[str, list[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        self.patched[image_id] = [*self.images.get(image_id).tags]
        return reply

    def create_member(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().create_member(request, image_id)
            tags = self.images.get(image_id).tags
            tags[:] = self.patched.get(image_id, tags)
            return reply
