"""Additions that go wrong: once, again, and at the edges of the limit."""

from http import HTTPStatus
from threading import Barrier, BrokenBarrierError

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import UUID
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.ADDITION


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)

# The same tag again


class DeletesEveryCopy(App):
    """Ground of those that list a tag twice: a deletion takes every copy, so that nothing else is broken."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            tags[:] = [known_tag for known_tag in tags if known_tag != tag]
            return reply


@breaks("TAG-ADD-05", "TAG-VIS-05", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class ListsATagTwice(DeletesEveryCopy):
    """Lists a tag once more each time it is added again; a deletion takes all of them."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            again = tag in image.tags
            reply = super().add_tag(request, image_id, tag)
            image.tags += [tag] * again
            return reply


@breaks("TAG-ADD-05", "TAG-DEL-03", "TAG-VIS-05", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class DeletesOneOfTwo(App):
    """Lists a tag once more each time it is added again; a deletion takes the first of them."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            again = tag in image.tags
            reply = super().add_tag(request, image_id, tag)
            image.tags += [tag] * again
            return reply


@breaks("TAG-ADD-05", "TAG-VIS-05", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class ListsTheThirdAdditionToo(DeletesEveryCopy):
    """Lists a tag twice once it has been added three times; a deletion takes both."""

    def __init__(self) -> None:
        super().__init__()
        self.additions: dict[tuple[str, str], int] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            times = self.additions.get((image_id, tag), 0) + 1
            reply = super().add_tag(request, image_id, tag)
            self.additions[image_id, tag] = times
            image.tags += [tag] * (times == 3)
            return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            self.additions.pop((image_id, tag), None)
            return reply


class _AnswersARepetition(App):
    status = HTTPStatus.NO_CONTENT

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        again = tag in self.images.get(image_id).tags
        reply = super().add_tag(request, image_id, tag)
        if not again:
            return reply
        return self.error(request, self.status, "The tag is there.") if self.status >= 400 else Reply(self.status)


@breaks("TAG-ADD-06", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersARepetitionWith200(_AnswersARepetition):
    """Answers 200 when a tag is added again."""

    status = HTTPStatus.OK


@breaks("TAG-ADD-06", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersARepetitionWith201(_AnswersARepetition):
    """Answers 201 when a tag is added again."""

    status = HTTPStatus.CREATED


@breaks("TAG-ADD-06", "TAG-HIST-01")
class AnswersARepetitionWith400(_AnswersARepetition):
    """Answers 400 when a tag is added again."""

    status = HTTPStatus.BAD_REQUEST


@breaks("TAG-ADD-06", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersARepetitionWith409(_AnswersARepetition):
    """Answers 409 when a tag is added again."""

    status = HTTPStatus.CONFLICT


@breaks("TAG-ADD-06", "TAG-RESP-09", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class AnswersARepetitionWith500(_AnswersARepetition):
    """Answers 500 when a tag is added again, as a database does that knows of unique keys."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


@breaks("TAG-ADD-05", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class TakesARepeatedTagAway(App):
    """Takes a tag off the image when it is added again."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            if tag in self.images.get(image_id).tags:
                return self.delete_tag(request, image_id, tag)
            return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-04", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class KeepsOnlyARepeatedTag(App):
    """Takes all other tags off the image when a tag is added again."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            again = tag in image.tags
            reply = super().add_tag(request, image_id, tag)
            if again:
                image.tags[:] = [tag]
            return reply


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard")
class LooksBeforeItAdds(App):
    """Looks whether a tag is there and adds it in two steps, between which others may do the same."""

    together = Barrier(2)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        absent = tag not in self.images.get(image_id).tags
        try:
            if absent:
                self.together.wait(0.01)
        except BrokenBarrierError:
            self.together.reset()
        with self.images.lock:
            there = tag in self.images.get(image_id).tags
            reply = super().add_tag(request, image_id, tag)
            self.images.get(image_id).tags += [tag] * (absent and there)
            return reply


# The first time


class _AnswersAnAddition(App):
    status = HTTPStatus.NO_CONTENT

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        again = tag in self.images.get(image_id).tags
        reply = super().add_tag(request, image_id, tag)
        return reply if again else Reply(self.status)


@breaks("TAG-ADD-01", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersAnAdditionWith200(_AnswersAnAddition):
    """Answers 200 when a tag is new."""

    status = HTTPStatus.OK


@breaks("TAG-ADD-01", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersAnAdditionWith202(_AnswersAnAddition):
    """Answers 202 when a tag is new."""

    status = HTTPStatus.ACCEPTED


@breaks("TAG-ADD-01", "TAG-ADD-02", "TAG-ADD-06", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class AnswersAnAdditionWithTheImage(App):
    """Answers an addition with 200 and the image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        super().add_tag(request, image_id, tag)
        return self.show_image(request, image_id)


@breaks("TAG-URI-02", "TAG-URI-03", "TAG-ADD-03", "TAG-ADD-10", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class StoresNothing(App):
    """Acknowledges additions and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            before = list(image.tags)
            reply = super().add_tag(request, image_id, tag)
            image.tags[:] = before
            return reply


@breaks(
    "TAG-ADD-01",
    "TAG-ADD-22",
    "TAG-HIST-01",
    "TAG-HIST-04",
    profile="standard",
)
class RefusesAndStores(App):
    """Answers 400 when a tag is new, and stores it."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        again = tag in self.images.get(image_id).tags
        reply = super().add_tag(request, image_id, tag)
        return reply if again else self.error(request, HTTPStatus.BAD_REQUEST, "This is not to be.")


@breaks(
    "TAG-ADD-07",
    "TAG-ADD-08",
    "TAG-ADD-18",
    profile="standard",
    words=selecting(*(f"TAG-ADD-{number}" for number in ("01", "02", "07", "08", "18"))),
)
class AsksForALength(App):
    """Answers 411 to an addition that does not say how long its body is."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if "Content-Length" not in request.headers:
            return self.error(request, HTTPStatus.LENGTH_REQUIRED, "Say how long the body is.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-15", "TAG-ADD-16", profile="standard")
class MakesUpAnImage(App):
    """Creates the image that a tag is added to, where there is none."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            if UUID.fullmatch(image_id) and not any(image.id == image_id for image in self.images.all()):
                self.images.create(request.caller, {"id": image_id, "name": "new"})
            return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-15", "TAG-ADD-16", profile="standard")
class AcknowledgesATagOnNoImage(App):
    """Answers 204 where there is no image to add the tag to."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if not any(image.id == image_id for image in self.images.all()):
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-15")
class CreatesAnImageWhileRefusing(App):
    """Answers 404 to a tag for an unknown image, and creates that image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if UUID.fullmatch(image_id) and not any(image.id == image_id for image in self.images.all()):
            self.images.create(request.caller, {"id": image_id, "name": "new"})
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such image.")
        return super().add_tag(request, image_id, tag)


# How long a tag may be


class _HasALimit(App):
    limit = 255

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) > self.limit:
            return self.error(request, HTTPStatus.BAD_REQUEST, f"A tag has at most {self.limit} characters.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-URI-03", "TAG-ADD-10", "TAG-ADD-14", profile="standard")
class AllowsTags254Long(_HasALimit):
    """Refuses tags of 255 characters."""

    limit = 254


@breaks("TAG-URI-03", "TAG-ADD-10", "TAG-ADD-14", profile="standard")
class AllowsTags128Long(_HasALimit):
    """Refuses tags of more than 128 characters."""

    limit = 128


@breaks("TAG-URI-03", "TAG-ADD-10", "TAG-ADD-14", profile="standard")
class AllowsTags64Long(_HasALimit):
    """Refuses tags of more than 64 characters."""

    limit = 64


@breaks("TAG-URI-03")
class RefusesTags128Long(App):
    """Refuses tags of exactly 128 characters."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) == 128:
            return self.error(request, HTTPStatus.BAD_REQUEST, "This tag has an unlucky length.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-URI-03", "TAG-HIST-04", profile="standard")
class LosesTags254Long(App):
    """Acknowledges a tag of exactly 254 characters and stores 253 of them."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(request, image_id, tag[:253] if len(tag) == 254 else tag)


@breaks("TAG-URI-03", "TAG-URI-18", "TAG-ADD-10", "TAG-ADD-14", perhaps=["TAG-ADD-18"], profile="standard")
class LimitsTheTarget(App):
    """Answers 414 where a tag is written with more than 240 characters."""

    def decode_tag(self, raw: str) -> str:
        return super().decode_tag(raw) if len(raw) <= 240 else "x" * 1000

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) == 1000:
            return self.error(request, HTTPStatus.REQUEST_URI_TOO_LONG, "This is too long.")
        return super().add_tag(request, image_id, tag)


class _StoresLongTags(App):
    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) <= 255:
            return super().add_tag(request, image_id, tag)
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            return self.too_long(request, image, tag)

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:  # noqa: ARG002 - for those that need it
        if tag not in image.tags:
            image.tags.append(tag)
        return NO_CONTENT


@breaks("TAG-URI-03", "TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", "TAG-VIS-07", profile="standard")
class HasNoLimit(_StoresLongTags):
    """Stores tags of any length."""


@breaks("TAG-URI-03", "TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", "TAG-VIS-07", profile="standard")
class AllowsTags256Long(_StoresLongTags):
    """Stores tags of 256 characters, and refuses longer ones."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:
        if len(tag) == 256:
            return super().too_long(request, image, tag)
        return self.error(request, HTTPStatus.BAD_REQUEST, "A tag has at most 256 characters.")


@breaks("TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", profile="standard")
class CutsLongTagsTo255(_StoresLongTags):
    """Cuts tags that are too long to 255 characters, and stores these."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:
        return super().too_long(request, image, tag[:255])


@breaks("TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", profile="standard")
class CutsLongTagsTo64(_StoresLongTags):
    """Cuts tags that are too long to 64 characters, and stores these."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:
        return super().too_long(request, image, tag[:64])


@breaks("TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", profile="standard")
class AcknowledgesLongTags(_StoresLongTags):
    """Acknowledges tags that are too long, and stores nothing."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:  # noqa: ARG002
        return NO_CONTENT


@breaks("TAG-URI-03", "TAG-ADD-10", "TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", "TAG-HIST-04", profile="standard")
class CutsTagsTo64(App):
    """Cuts every tag to 64 characters."""

    def decode_tag(self, raw: str) -> str:
        return super().decode_tag(raw)[:64]


@breaks("TAG-ADD-11", "TAG-ADD-22", "TAG-URI-03", "TAG-VIS-07")
class RefusesLongTagsAndStoresThem(_StoresLongTags):
    """Refuses tags that are too long, and stores them."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:
        super().too_long(request, image, tag)
        return self.error(request, HTTPStatus.BAD_REQUEST, "A tag has at most 255 characters.")


@breaks("TAG-ADD-11", "TAG-ADD-22")
class RefusesLongTagsAndStoresAPart(_StoresLongTags):
    """Refuses tags that are too long, and stores their first 255 characters."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:
        super().too_long(request, image, tag[:255])
        return self.error(request, HTTPStatus.BAD_REQUEST, "A tag has at most 255 characters.")


@breaks("TAG-ADD-11", "TAG-ADD-12", "TAG-ADD-14", "TAG-RESP-09", profile="standard")
class AnswersLongTagsWith500(_StoresLongTags):
    """Answers 500 to a tag that is too long."""

    def too_long(self, request: Request, image: Image, tag: str) -> Reply:  # noqa: ARG002
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Data too long for column 'value'.")


@breaks("TAG-URI-03", "TAG-ADD-01", "TAG-ADD-13", "TAG-HIST-01", perhaps=["TAG-DEL-11"])
class RefusesOneCharacter(App):
    """Refuses tags of a single character."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(tag) == 1:
            return self.error(request, HTTPStatus.BAD_REQUEST, "This is too short.")
        return super().add_tag(request, image_id, tag)
