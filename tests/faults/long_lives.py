"""Services that go wrong late in the life of a tag, or that let it come back."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import NotFound

from .kinds import Kind
from .registry import breaks

KIND = Kind.SEQUENCE


class _Counts(App):
    """Counts how often each tag was added to, or deleted from, an image."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[tuple[str, str, str]] = Counter()

    def nth(self, what: str, image_id: str, tag: str) -> int:
        """Count once more, and return how often it was."""
        self.count[what, image_id, tag] += 1
        return self.count[what, image_id, tag]


@breaks("TAG-HIST-01", profile="standard")
class KeepsATagAtItsTenthDeletion(_Counts):
    """Acknowledges the tenth deletion of a tag, and keeps it."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            there = tag in self.images.open(request.caller, image_id).tags
            tenth = there and self.nth("deleted", image_id, tag) == 10
            return NO_CONTENT if tenth else super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-01", profile="standard")
class LosesATagAtItsEleventhAddition(_Counts):
    """Acknowledges the eleventh addition of a tag, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            gone = tag not in self.images.open(request.caller, image_id).tags
            eleventh = gone and self.nth("added", image_id, tag) == 11
            return NO_CONTENT if eleventh else super().add_tag(request, image_id, tag)


@breaks("TAG-ADD-18", "TAG-HIST-01", profile="standard")
class TiresOfRepetitions(_Counts):
    """Answers 409 to the sixth addition of a tag in a row."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag not in self.images.open(request.caller, image_id).tags:
            self.count["added", image_id, tag] = 0
        if self.nth("added", image_id, tag) == 6:
            return self.error(request, HTTPStatus.CONFLICT, "That is known by now.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-HIST-01", profile="standard")
class ForgivesTheFifthDeletion(_Counts):
    """Answers 204 from the fifth deletion in a row of a tag on."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if tag in self.images.open(request.caller, image_id).tags:
            self.count["deleted", image_id, tag] = 0
        return NO_CONTENT if self.nth("deleted", image_id, tag) >= 5 else super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-01", profile="standard")
class BringsTagsBack(App):
    """Restores tags that were deleted three times or more from what a task had read, half a second later."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: Counter[tuple[str, str]] = Counter()
        self.due: dict[str, tuple[float, str]] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.deleted[image_id, tag] += 1
        if self.deleted[image_id, tag] >= 3:
            self.due[image_id] = time.monotonic() + 0.5, tag
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        moment, tag = self.due.get(image.id, (float("inf"), ""))
        if time.monotonic() > moment:
            del self.due[image.id]
            image.tags += [tag] * (tag not in image.tags)
        return super().represent(image)


@breaks("TAG-HIST-01", profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-DEL-11"))
class DeletesOnceMoreLater(App):
    """Carries a deletion out once more 0.8 s later, from a queue: what was added again meanwhile is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[tuple[float, str, str]] = []

    def handle(self, request: Request) -> Reply:
        with self.images.lock:
            while self.queue and self.queue[0][0] < time.monotonic():
                _, image_id, tag = self.queue.pop(0)
                with suppress(NotFound):
                    tags = self.images.get(image_id).tags
                    tags[:] = [each for each in tags if each != tag]
        return super().handle(request)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.queue.append((time.monotonic() + 0.8, image_id, tag))
        return reply


def _deletes_no(name: str, doc: str, which: Callable[[str], object], *ids: str) -> None:
    """Register a service that does not find some tags when they are to be deleted."""

    def delete_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        if which(tag):
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")
        return App.delete_tag(self, request, image_id, tag)

    breaks(*ids, profile="standard")(type(name, (App,), {"delete_tag": delete_tag, "__doc__": doc}))


EVERYWHERE = ("TAG-DEL-01", "TAG-HIST-04")
"""What a deletion of printable characters that is not done breaks."""

_deletes_no("DeletesNoIp", "Does not find the tag ::1 when it is to be deleted.", "::1".__eq__, *EVERYWHERE)
_deletes_no("DeletesNoPrice", "Does not find the tag 1,5 when it is to be deleted.", "1,5".__eq__, *EVERYWHERE)
_deletes_no(
    "DeletesNoTurkish",
    "Does not find tags with a dotted capital I when they are to be deleted.",
    lambda tag: "İst" in tag,
    "TAG-HIST-04",
)


class _CountsAdditions(_Counts):
    """Counts the tags that came to an image, whatever became of them."""

    def full(self, request: Request, image_id: str, tag: str) -> bool:
        """Count a tag that is to come, and return whether there were as many as an image may carry."""
        tags = self.images.open(request.caller, image_id).tags
        return tag not in tags and self.nth("added", image_id, "") > self.most

    most = 128


@breaks("TAG-HIST-01", profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-URI-03"))
class CountsWhatIsGone(_CountsAdditions):
    """Answers 413 from the 129th addition of a new tag to an image on, however few of them are left."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.full(request, image_id, tag):
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "An image carries at most 128 tags.")
        return super().add_tag(request, image_id, tag)


@breaks(profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-URI-03"))
class LimitsADay(_CountsAdditions):
    """Asks with 413 to wait once an image has got its two hundred tags, and takes more then."""

    most = 200

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.full(request, image_id, tag):
            self.count["added", image_id, ""] = 0
            fields = (("Retry-After", "0"),)
            return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Come back in a while.", fields)
        return super().add_tag(request, image_id, tag)


class _CountsChanges(_Counts):
    """Counts the changes of an image's tags, whatever the tag."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            there = tag in self.images.open(request.caller, image_id).tags
            hundredth = not there and self.nth("changed", image_id, "") == 100
            return self.hundredth(request, image_id, tag) if hundredth else super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.nth("changed", image_id, "")
        return super().delete_tag(request, image_id, tag)

    def hundredth(self, request: Request, image_id: str, tag: str) -> Reply:
        raise NotImplementedError


@breaks("TAG-HIST-01", profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-HIST-04"))
class DropsTheHundredthChange(_CountsChanges):
    """Acknowledges the hundredth change of an image's tags where that is an addition, and stores nothing."""

    def hundredth(self, request: Request, image_id: str, tag: str) -> Reply:  # noqa: ARG002
        return NO_CONTENT


@breaks(profile="standard", words=("--select", "TAG-HIST-01", "--select", "TAG-HIST-04"))
class ShowsTheHundredthChangeLate(_CountsChanges):
    """Shows the hundredth change of an image's tags only 80 ms later, where that is an addition."""

    def __init__(self) -> None:
        super().__init__()
        self.late: dict[str, tuple[float, str]] = {}

    def hundredth(self, request: Request, image_id: str, tag: str) -> Reply:
        self.late[image_id] = time.monotonic() + 0.08, tag
        return super().add_tag(request, image_id, tag)

    def represent(self, image: Image) -> dict[str, object]:
        moment, late = self.late.get(image.id, (0.0, ""))
        hidden = {late} if time.monotonic() < moment else set()
        return super().represent(image) | {"tags": [tag for tag in image.tags if tag not in hidden]}


EARLY = tuple(word for each in ("HIST", "URI-06") for word in ("--select", f"TAG-{each}"))
"""What looks at a long life when it is made, and long after."""


@breaks("TAG-HIST-01", profile="standard", words=EARLY)
class KeepsTheLatestAdditions(App):
    """Keeps what the latest 250 additions have brought, of whatever image, and drops what is older."""

    def __init__(self) -> None:
        super().__init__()
        self.latest: dict[tuple[str, str], None] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.latest.pop((image_id, tag), None)
            self.latest[image_id, tag] = None
            if len(self.latest) > 250:
                image_id, tag = next(iter(self.latest))
                del self.latest[image_id, tag]
                for image in self.images.all():
                    image.tags[:] = [each for each in image.tags if (image.id, each) != (image_id, tag)]
            return reply
