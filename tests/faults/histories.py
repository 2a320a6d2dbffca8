"""Services that go wrong only after what has gone before, or for tags that are rare."""

import re
import time
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request

from .adding import DeletesEveryCopy
from .kinds import Kind
from .registry import breaks

KIND = Kind.SEQUENCE


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)


class _Remembers(App):
    """Remembers what has been deleted, image by image, and counts what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, list[str]] = {}
        self.count: dict[tuple[str, str], int] = {}

    def counted(self, kind: str, image_id: str) -> int:
        """Return how often this was done to the image, this time included."""
        self.count[kind, image_id] = times = self.count.get((kind, image_id), 0) + 1
        return times

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.gone.setdefault(image_id, []).append(tag)
        return reply


# Few tags

OF_MANY = ("TAG-URI-11", "TAG-URI-19", "TAG-URI-20", "TAG-URI-21")
"""They put more than six tags on one image, and the order that is drawn says which of them meets the defect."""


class _KeepsFewTags(App):
    most = 2

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            tags = self.images.get(image_id).tags
            del tags[: -self.most]
            return reply


@breaks("TAG-ADD-04", "TAG-HIST-01", profile="standard")
class KeepsTwoTags(_KeepsFewTags):
    """Drops the oldest tag when a third is added."""


@breaks("TAG-ADD-04", perhaps=["TAG-HIST-01"], profile="standard")
class KeepsSevenTags(_KeepsFewTags):
    """Drops the oldest tag when an eighth is added."""

    most = 7


# Second lives


@breaks("TAG-DEL-11", "TAG-HIST-01", profile="standard")
class LosesWhatComesBack(_Remembers):
    """Acknowledges the addition of a tag that was deleted before, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.gone.get(image_id, ()):
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


@breaks("TAG-DEL-11", "TAG-ADD-18", "TAG-HIST-01", profile="standard")
class RefusesWhatComesBack(_Remembers):
    """Answers 409 to the addition of a tag that was deleted before."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.gone.get(image_id, ()):
            return self.error(request, HTTPStatus.CONFLICT, "This tag was deleted.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-DEL-11", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class DeletesNoTagTwice(_Remembers):
    """Answers 404 to the second deletion of a tag that was added again."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.gone.get(image_id, ()):
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-11", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class KeepsWhatCameBack(_Remembers):
    """Acknowledges the second deletion of a tag that was added again, and keeps it."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.gone.get(image_id, ()) and tag in self.images.get(image_id).tags:
            return NO_CONTENT
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-VIS-05", "TAG-HIST-01", profile="standard")
class ListsTwiceWhatComesBack(DeletesEveryCopy, _Remembers):
    """Lists a tag twice that was deleted and added again; a deletion takes both."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            again = tag in self.images.get(image_id).tags
            reply = super().add_tag(request, image_id, tag)
            if tag in self.gone.get(image_id, ()) and not again:
                self.images.get(image_id).tags.append(tag)
            return reply


@breaks("TAG-ADD-04", "TAG-HIST-01", "TAG-HIST-04", profile="standard")
class BringsDeletedTagsBack(_Remembers):
    """Brings the last deleted tag back when another is added."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            tags, gone = self.images.get(image_id).tags, self.gone.get(image_id, [])
            if gone and gone[-1] != tag and gone[-1] not in tags:
                tags.append(gone[-1])
            gone.clear()
            return reply


@breaks("TAG-DEL-04", "TAG-HIST-01", profile="standard")
class DeletesAnotherEverySecondTime(_Remembers):
    """Takes the newest tag off the image as well, with every second deletion."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            if self.counted("delete", image_id) % 2 == 0:
                del self.images.get(image_id).tags[-1:]
            return reply


@breaks(
    "TAG-URI-03",
    "TAG-ADD-03",
    "TAG-HIST-01",
    "TAG-HIST-04",
    perhaps=["TAG-ADD-31", "TAG-ADD-32", "TAG-DEL-11", *OF_MANY],
    profile="standard",
)
class LosesEverySeventhAddition(_Remembers):
    """Acknowledges every seventh addition to an image, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            image = self.images.get(image_id)
            before = list(image.tags)
            reply = super().add_tag(request, image_id, tag)
            if self.counted("add", image_id) % 7 == 0:
                image.tags[:] = before
            return reply


@breaks("TAG-DEL-01", perhaps=["TAG-DEL-11", "TAG-HIST-01"], profile="standard")
class KeepsTheLastTag(App):
    """Answers 400 to the deletion of the only tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).tags == [tag]:
            return self.error(request, HTTPStatus.BAD_REQUEST, "One tag has to stay.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-DEL-03", "TAG-DEL-18", "TAG-HIST-04", perhaps=["TAG-DEL-11", "TAG-HIST-01"], profile="standard")
class KeepsTheLastTagQuietly(App):
    """Acknowledges the deletion of the only tag, and keeps it."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).tags == [tag]:
            return NO_CONTENT
        return super().delete_tag(request, image_id, tag)


@breaks(
    "TAG-ADD-05", "TAG-HIST-01", "TAG-VIS-05", perhaps=["TAG-HIST-04", "TAG-ADD-30", "TAG-URI-06"], profile="standard"
)
class ForgetsTheOldestOnRepetition(DeletesEveryCopy):
    """Looks only at the newest four tags when it looks whether a tag is there."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.get(image_id).tags
            there = tag in tags[:-4]
            reply = super().add_tag(request, image_id, tag)
            tags += [tag] * there
            return reply


# Rare tags


class _Dislikes(App):
    pattern = ""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if re.fullmatch(self.pattern, tag):
            return self.error(request, HTTPStatus.BAD_REQUEST, "Not this tag.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-13", "TAG-URI-03", perhaps=["TAG-ADD-01", "TAG-HIST-01", "TAG-DEL-11"])
class RefusesDigits(_Dislikes):
    """Refuses tags of digits alone."""

    pattern = "[0-9]+"


@breaks("TAG-ADD-01", perhaps=["TAG-HIST-01", "TAG-DEL-11"])
class RefusesDates(_Dislikes):
    """Refuses tags that look like a date."""

    pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


@breaks("TAG-URI-03", perhaps=["TAG-ADD-01", "TAG-HIST-01", "TAG-DEL-11"])
class RefusesNull(_Dislikes):
    """Refuses the tag null."""

    pattern = "null"


@breaks("TAG-URI-03", perhaps=["TAG-ADD-01", "TAG-HIST-01", "TAG-DEL-11"])
class RefusesWordsOfPaths(_Dislikes):
    """Refuses tags that are words of the API's paths."""

    pattern = "tags|images|members|file|v2|self|schema"


class _Retypes(App):
    def retyped(self, tag: str) -> str:
        raise NotImplementedError

    def decode_tag(self, raw: str) -> str:
        return self.retyped(super().decode_tag(raw))


@breaks("TAG-URI-03", "TAG-ADD-03", "TAG-DEL-04", perhaps=["TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class ReadsDates(_Retypes):
    """Keeps a date with the time of day that it begins at."""

    def retyped(self, tag: str) -> str:
        return re.sub("^([0-9]{4}-[0-9]{2}-[0-9]{2})$", r"\1T00:00:00", tag)


@breaks("TAG-URI-03", "TAG-ADD-03", "TAG-DEL-04", perhaps=["TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class KeepsIdsInHex(_Retypes):
    """Keeps what looks like a UUID without its hyphens."""

    def retyped(self, tag: str) -> str:
        return tag.replace("-", "") if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tag) else tag


@breaks("TAG-URI-03", perhaps=["TAG-ADD-03", "TAG-HIST-01", "TAG-HIST-04"], profile="standard")
class ReadsNullAsNothing(App):
    """Acknowledges the tag null, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return NO_CONTENT if tag == "null" else super().add_tag(request, image_id, tag)


# Many at once


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class LosesConcurrentAdditions(App):
    """Reads the tags, thinks, and writes them: what others wrote meanwhile is lost."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        before = list(image.tags)
        time.sleep(0.002)
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            others = [known_tag for known_tag in before if known_tag != tag]
            image.tags[:] = [*others, tag] if tag not in before else before
            return reply
