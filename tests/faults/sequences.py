"""Services that go wrong after many operations, or where operations of several sorts meet one after another."""

from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image

from .kinds import Kind
from .registry import breaks

KIND = Kind.SEQUENCE


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)


# Many


class _HasRoomFor(App):
    most = 20

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.shortened(self.images.get(image_id).tags)
            return reply

    def shortened(self, tags: list[str]) -> None:
        """Forget the newest tag where there are too many."""
        del tags[self.most :]


@breaks("TAG-HIST-01", perhaps=["TAG-HIST-04", "TAG-URI-03"], profile="standard")
class StoresTwentyTags(_HasRoomFor):
    """Acknowledges the twenty-first tag of an image, and stores nothing."""


@breaks("TAG-HIST-01", perhaps=["TAG-HIST-04"], profile="standard")
class StoresSixtyFourTags(_HasRoomFor):
    """Acknowledges the sixty-fifth tag of an image, and stores nothing."""

    most = 64


@breaks("TAG-HIST-01", perhaps=["TAG-HIST-04"], profile="standard")
class KeepsTheNewestFifty(_HasRoomFor):
    """Drops the oldest tag where an image would carry more than fifty."""

    most = 50

    def shortened(self, tags: list[str]) -> None:
        del tags[: -self.most]


@breaks("TAG-ADD-04", profile="standard", words=("--select", "TAG-ADD-04", "--select", "TAG-URI-19"))
class KeepsTheNewestTen(KeepsTheNewestFifty):
    """Drops the oldest tag where an image would carry more than ten, whatever tags they are."""

    most = 10


@breaks("TAG-HIST-01", perhaps=["TAG-HIST-04"], profile="standard")
class DeletesAPageToo(App):
    """Writes the first forty tags back when one of more is deleted: that is a page."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            del self.images.get(image_id).tags[40:]
            return reply


@breaks(
    "TAG-HIST-01", perhaps=["TAG-ADD-32", "TAG-DEL-03", "TAG-DEL-11", "TAG-DEL-19", "TAG-HIST-04"], profile="standard"
)
class DeletesTwentyTimes(App):
    """Acknowledges the twenty-first deletion on an image, and all that follow, and keeps the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            there = tag in self.images.open(request.caller, image_id).tags
            self.count[image_id] = self.count.get(image_id, 0) + there
            return NO_CONTENT if there and self.count[image_id] > 20 else super().delete_tag(request, image_id, tag)


# Again


@breaks("TAG-DEL-03", "TAG-HIST-01", perhaps=["TAG-DEL-05", "TAG-HIST-04"], profile="standard")
class DeletesAsOftenAsAdded(App):
    """Deletes a tag for good only when it was deleted as often as it was added."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[tuple[str, str], int] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.times[image_id, tag] = self.times.get((image_id, tag), 0) + 1
            return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            left = self.times.pop((image_id, tag), 1) - 1
            if left and tag in self.images.open(request.caller, image_id).tags:
                self.times[image_id, tag] = left
                return NO_CONTENT
            return super().delete_tag(request, image_id, tag)


class _Remembers(App):
    """Remembers what was ever deleted from an image."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, list[str]] = {}

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.gone.setdefault(image_id, []).append(tag)
        return reply

    def without(self, image: Image) -> Image:
        """Return the image without the tags that were deleted from it, were they added again or not."""
        gone = self.gone.get(image.id, [])
        kept = [tag for tag in image.tags if tag not in gone]
        return Image(**{name: getattr(image, name) for name in Image.__slots__} | {"tags": kept})


@breaks("TAG-HIST-04", profile="standard")
class RemembersASpelling(_Remembers):
    """Takes a tag that is added for one deleted before that differs in case alone, and stores that one."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        tags = self.images.open(request.caller, image_id).tags
        former = [
            known_tag
            for known_tag in self.gone.get(image_id, [])
            if known_tag.casefold() == tag.casefold() and known_tag not in tags
        ]
        return super().add_tag(request, image_id, tag if tag in former or tag in tags else [*former, tag][0])


# Windows


@breaks("TAG-VIS-02", profile="standard")
class ListsNoSecondLife(_Remembers):
    """Lists images without the tags that were deleted and added again."""

    def list_images(self, request: Request) -> Reply:
        represent = self.represent
        self.represent = lambda image: represent(self.without(image))  # type: ignore[method-assign]
        try:
            return super().list_images(request)
        finally:
            del self.represent


class _KeepsAnIndex(App):
    """Looks for tags in an index of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, set[str]] = {}

    def list_images(self, request: Request) -> Reply:
        with self.images.lock:
            if "tag=" not in request.query:
                return super().list_images(request)
            images = self.images.all()
            before = [list(image.tags) for image in images]
            for image in images:
                image.tags[:] = sorted(self.index.get(image.id, set()))
            try:
                return super().list_images(request)
            finally:
                for image, tags in zip(images, before, strict=True):
                    image.tags[:] = tags

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.index.setdefault(image_id, set()).add(tag)
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.index.setdefault(image_id, set()).discard(tag)
        return reply


@breaks("TAG-VIS-03", profile="standard")
class IndexesNoPatch(_KeepsAnIndex):
    """Selects images by the tags that were added and deleted by their address, whatever PATCH did to them."""


@breaks("TAG-VIS-03", profile="standard")
class IndexesNoSecondLife(_KeepsAnIndex):
    """Selects no image by a tag that was deleted from it and added again."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[tuple[str, str]] = set()

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        self.index[image_id] = {*self.images.get(image_id).tags}
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        if (image_id, tag) in self.gone:
            self.index[image_id].discard(tag)
        return reply

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        self.gone.add((image_id, tag))
        return reply


@breaks("TAG-VIS-08", profile="standard")
class PatchesAroundDeletions(_Remembers):
    """Leaves out, of the tags that a PATCH sets, those that were once deleted by their address."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().update_image(request, image_id)
            image = self.images.get(image_id)
            if b"/tags" in request.body:
                image.tags[:] = self.without(image).tags
            return reply


@breaks("TAG-ADD-34", profile="standard")
class GoesBackBehindAPatch(App):
    """Brings back the tags that a PATCH replaced when one of them is added again."""

    def __init__(self) -> None:
        super().__init__()
        self.replaced: dict[str, list[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = list(self.images.open(request.caller, image_id).tags)
            reply = super().update_image(request, image_id)
            if b"/tags" in request.body and before:
                self.replaced[image_id] = before
            return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            tags, before = self.images.get(image_id).tags, self.replaced.get(image_id, [])
            if tag in before:
                tags += [known_tag for known_tag in before if known_tag not in tags]
            return reply
