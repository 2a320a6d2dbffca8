"""Services that go wrong where clients meet who write one tag in two ways, act for two users, or name two images."""

import threading
import time
from collections import defaultdict
from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.attributes import TAG_QUOTA

from .kinds import Kind
from .racing import A_WHILE, RACES_AND_CODES
from .registry import breaks, selecting

KIND = Kind.CONCURRENCY
ACROSS_IMAGES = (*RACES_AND_CODES, *selecting("TAG-HIST-03"))


class _OneAtATime(App):
    """Takes one addition at a time of those that are alike by its own measure; others meet."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: defaultdict[object, threading.Lock] = defaultdict(threading.Lock)

    def alike(self, request: Request) -> object:
        """Return what additions have in common that wait for each other."""
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            lock = self.locks[self.alike(request)]
        with lock:
            missing = tag not in self.images.open(request.caller, image_id).tags
            if missing and len(tag) < len("a plain tag of the races"):
                time.sleep(A_WHILE)
                with self.images.lock:
                    tags = self.images.open(request.caller, image_id).tags
                    if tag in tags and len(tags) < TAG_QUOTA:
                        tags.append(tag)
                        return NO_CONTENT
            return super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class JoinsRequestsOfOneLine(_OneAtATime):
    """Answers requests of the same request line together, and looks for a tag once for all of them."""

    def alike(self, request: Request) -> object:
        return request.method, request.target


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class KeepsASessionForEachToken(_OneAtATime):
    """Sees in the session of a token what others have added only when both have ended."""

    def alike(self, request: Request) -> object:
        return request.headers.get("X-Auth-Token")


@breaks("TAG-HIST-03", "TAG-HIST-02", profile="standard", words=ACROSS_IMAGES)
class WritesTwoAdditionsAsOne(App):
    """Writes the additions to two images within 20 ms as one, every tag of them to each image."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[str, str]] = []

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            mine = (image_id, tag)
            self.waiting.append(mine)
        time.sleep(A_WHILE)
        with self.images.lock:
            owner = self.images.get(image_id).owner
            for other, _ in self.waiting:
                image = self.images._images.get(other)  # noqa: SLF001 - one that is gone by now is no error
                if image and image.owner == owner and len(image.tags) < TAG_QUOTA and tag not in image.tags:
                    image.tags.append(tag)
            self.waiting.remove(mine)
        return reply


@breaks(profile="standard", words=ACROSS_IMAGES)
class TakesTheSameLineOnce(_OneAtATime):
    """Lawful: has additions of one tag to one image wait for each other, however they are written."""

    def alike(self, request: Request) -> object:
        return request.path.partition("/tags/")[0]


@breaks("IMG-DEL-04", profile="standard", words=selecting("IMG-DEL-04"))
class WritesBackTheTagged(App):
    """Writes an image back as it was read for the addition of a tag, though it was deleted since."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        read = self.images.open(request.caller, image_id)
        time.sleep(A_WHILE)
        with self.images.lock:
            if image_id not in {image.id for image in self.images.all()}:
                self.images._images[image_id] = read  # noqa: SLF001 - what nothing else does
        return super().add_tag(request, image_id, tag)


@breaks("IMG-UPD-22", profile="standard", words=selecting("IMG-UPD-22"))
class SetsNewTagsBeforeItTakesTheOld(App):
    """Shows the new tags of a patch beside the old ones for a while."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = [tag for image in self.images.all() if image.id == image_id for tag in image.tags]
            reply = super().update_image(request, image_id)
            if reply.status != HTTPStatus.OK or b"/tags" not in request.body:
                return reply
            tags = self.images.get(image_id).tags
            new = [*tags]
            tags += [tag for tag in before if tag not in tags]
        time.sleep(A_WHILE)
        with self.images.lock:
            self.images.get(image_id).tags[:] = new
        return reply
