"""Limits of tags that the operator states, kept in the wrong way; asked with --tag-limit 128."""

from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.refusals import OverLimit

from .kinds import Kind
from .lawful import CarriesFiftyTags
from .registry import breaks, selecting

KIND = Kind.QUOTA


LIMIT = 128
STATED = ("--tag-limit", str(LIMIT))


@breaks("TAG-ADD-20", words=STATED, profile="standard")
class EnforcesNoLimit(App):
    """Adds as many tags as anybody likes."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            hidden, image.tags[:] = image.tags[:64], image.tags[64:]
            try:
                return NO_CONTENT if tag in hidden else super().add_tag(request, image_id, tag)
            finally:
                image.tags[:0] = hidden


@breaks("TAG-ADD-20", words=STATED, profile="standard")
class AllowsOneTooMany(App):
    """Adds one tag more than the limit says."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            hidden, image.tags[:] = image.tags[:1], image.tags[1:]
            try:
                return NO_CONTENT if tag in hidden else super().add_tag(request, image_id, tag)
            finally:
                image.tags[:0] = hidden


@breaks("TAG-ADD-20", words=STATED, profile="standard")
class AllowsOneTooFew(App):
    """Refuses the last tag that the limit allows."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.open(request.caller, image_id).tags
        if tag not in tags and len(tags) >= LIMIT - 1:
            raise OverLimit("An image carries fewer tags.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-21", words=STATED, profile="standard")
class CountsARepetition(App):
    """Refuses to add a tag again that a full image carries."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if len(self.images.open(request.caller, image_id).tags) >= LIMIT:
            raise OverLimit("The image is full.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-21", profile="standard", words=("--select", "TAG-ADD-21", "--select", "TAG-ADD-06"))
class CountsARepetitionUnasked(CountsARepetition):
    """Refuses to add a tag again that an image carries among 128, and nobody was told of a limit."""


class _AnswersTheFull(App):
    status = HTTPStatus.FORBIDDEN

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().add_tag(request, image_id, tag)
        except OverLimit:
            return self.error(request, self.status, "The image is full.")


@breaks("TAG-ADD-20", words=STATED, profile="standard")
class ForbidsTheFull(_AnswersTheFull):
    """Answers 403 where the limit is passed."""


@breaks("TAG-ADD-20", "TAG-HIST-01", words=STATED, profile="standard")
class AcknowledgesTheFull(_AnswersTheFull):
    """Acknowledges a tag past the limit, and does not store it."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        return NO_CONTENT if reply.status is self.status else reply


@breaks("TAG-ADD-20", "TAG-ADD-22", words=STATED, profile="standard")
class RefusesTheFullAndAdds(App):
    """Answers 413 past the limit, and adds the tag all the same."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().add_tag(request, image_id, tag)
        except OverLimit:
            self.images.get(image_id).tags.append(tag)
            raise


@breaks("TAG-ADD-22", words=STATED, profile="standard")
class DropsTheOldestWhenFull(App):
    """Answers 413 past the limit, and drops the oldest tag."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().add_tag(request, image_id, tag)
        except OverLimit:
            del self.images.get(image_id).tags[:1]
            raise


@breaks("TAG-ADD-20", "TAG-HIST-01", words=STATED, profile="standard")
class MakesNoRoom(App):
    """Counts every tag that an image ever had."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: dict[str, set[str]] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        ever = self.ever.setdefault(image_id, set())
        if tag not in ever and len(ever) >= LIMIT:
            raise OverLimit("The image is full.")
        reply = super().add_tag(request, image_id, tag)
        ever.add(tag)
        return reply


@breaks("TAG-ADD-20", words=STATED, profile="standard")
class CountsRefusals(App):
    """Counts the tags it refused for the limit, so that a deletion makes no room."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, int] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.open(request.caller, image_id).tags
        if tag not in tags and len(tags) + self.refused.get(image_id, 0) >= LIMIT:
            self.refused[image_id] = self.refused.get(image_id, 0) + 1
            raise OverLimit("The image is full.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-20", profile="standard", words=selecting("TAG-ADD-20", "TAG-HIST-01"))
class CountsRefusalsUnasked(CountsRefusals):
    """Counts the tags it refused as the 129th of an image, so that a deletion makes no room, and nobody was told."""


# Asked in the same way where nobody has stated the limit, and a service is filled to find it


def _unstated(app: type[App], *broken: str) -> None:
    """Register a service once more, to be judged without a word about its limit."""
    words = ("--select", "TAG-ADD-20", "--select", "TAG-ADD-21")
    twin = type(f"{app.__name__}Unstated", (app,), {"__doc__": f"{(app.__doc__ or '').rstrip('.')}, unstated."})
    breaks(*broken, profile="thorough", words=words)(twin)


_unstated(CountsARepetition, "TAG-ADD-21")
_unstated(ForbidsTheFull, "TAG-ADD-20")
_unstated(MakesNoRoom, "TAG-ADD-20")
_unstated(CarriesFiftyTags)


class _CountsTogether(App):
    """Counts the tags of all images when one is added."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            carried = {image.id: len(image.tags) for image in self.images.all()}
            if tag not in self.images.open(request.caller, image_id).tags and sum(carried.values()) >= LIMIT - 1:
                return self.full(request, image_id, tag, carried)
            return super().add_tag(request, image_id, tag)

    def full(self, request: Request, image_id: str, tag: str, carried: dict[str, int]) -> Reply:
        raise NotImplementedError


@breaks("TAG-ADD-20", profile="standard", words=("--select", "TAG-ADD-20", "--select", "TAG-ADD-21"))
class LimitsAllImagesTogether(_CountsTogether):
    """Refuses a tag with 413 where all images together have 127 already."""

    def full(self, request: Request, image_id: str, tag: str, carried: dict[str, int]) -> Reply:  # noqa: ARG002
        raise OverLimit("There are enough tags.")


@breaks(profile="standard", words=("--select", "TAG-ADD-20", "--select", "TAG-ADD-21"))
class RestsBesideAFullImage(_CountsTogether):
    """Asks once with 413 to wait before an image without tags gets one while all have 127, and takes it then."""

    def __init__(self) -> None:
        super().__init__()
        self.rested: set[str] = set()

    def full(self, request: Request, image_id: str, tag: str, carried: dict[str, int]) -> Reply:
        if carried[image_id] or image_id in self.rested:
            return App.add_tag(self, request, image_id, tag)
        self.rested.add(image_id)
        return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "In a moment.")
