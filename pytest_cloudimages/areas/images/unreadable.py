"""Images that cannot be read any more, once a patch has given them something."""

from dataclasses import dataclass

from pytest_cloudimages.areas.images.patches import Wanted
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.spec.verdicts import Blocked


class Unreadable(Blocked):
    """The image cannot be read after a patch."""

    def __init__(self, looked: Answer) -> None:
        super().__init__(f"The image cannot be read: {looked.exchange}")
        self.looked = looked


@dataclass(frozen=True)
class Unread:
    """An attribute that was set, and the look at the image after it, which shows none."""

    wanted: Wanted
    looked: Answer

    def __str__(self) -> str:
        return f"{self.looked}, after {self.wanted.aim} was set: {self.wanted.kind}"
