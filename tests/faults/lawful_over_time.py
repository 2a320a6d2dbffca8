"""Correct services that show an image otherwise than before, though nobody has changed that of it."""

import time
from datetime import timedelta, timezone

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Status, Visibility

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.LAWFUL
WORDS = selecting("IMG", "MEM")


@breaks(words=WORDS, profile="standard")
class HasANodeWhoseClockIsLate(App):
    """Has one of two nodes show seconds of the time of creation alone, and stamp changes a second late, in another zone."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0

    def represent(self, image: Image) -> dict[str, object]:
        self.turn += 1
        if self.turn % 2:
            return super().represent(image)
        late = max(image.created_at, image.updated_at - timedelta(seconds=1))
        return super().represent(image) | {
            "created_at": image.created_at.isoformat(timespec="seconds"),
            "updated_at": late.astimezone(timezone(timedelta(hours=1))).isoformat(),
        }


@breaks(words=WORDS, profile="standard")
class FindsOutWhatDisksNeed(App):
    """Finds out half a second after data has come how large a disk it needs, saving it until then."""

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, float] = {}

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        if reply.status < 300:
            self.came.setdefault(image_id, time.monotonic())
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        if image.id not in self.came:
            return shown
        if time.monotonic() - self.came[image.id] < 0.2 and image.status is Status.ACTIVE:
            return shown | {"status": "saving", "size": None, "checksum": None}
        return shown | {"min_disk": max(image.min_disk, 1), "virtual_size": 1 << 30}


@breaks(words=WORDS, profile="standard")
class CallsImagesWithMembersShared(App):
    """Shows a private image that has members as shared, as it is visible to them."""

    def represent(self, image: Image) -> dict[str, object]:
        private = image.visibility is Visibility.PRIVATE and image.members
        return super().represent(image) | ({"visibility": "shared"} if private else {})
