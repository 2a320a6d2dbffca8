"""What callers try with the members of an image, and what consumers see of it, as many checks look at it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange


class Who(enum.StrEnum):
    """Who a caller is to an image."""

    OWNER = "the owner"
    MEMBER = "a member"
    STRANGER = "a project that the image is not shared with"


class Deed(enum.StrEnum):
    """What a caller tried with the members of an image."""

    LIST = "listed the members"
    SHOW = "read a member"
    SHOW_OWN = "read its own membership"
    ADD = "added a member"
    ADD_AGAIN = "added a member again"
    ADD_TO_PRIVATE = "added a member to a private image"
    ADD_TO_COMMUNITY = "added a member to an image of the community"
    SET = "set the status of another project"
    SET_OWN = "set its own status"
    SET_WRONG = "set its own status to what is none"
    SET_OF_NONE = "set the status of what is no member"
    REMOVE = "removed another member"
    REMOVE_OWN = "removed itself"
    RENAME = "renamed the image"
    ADD_ACCEPTED = "added a member again that has accepted"


Members = Mapping[str, Mapping[str, object]]
"""The members of an image by their projects, as the owner sees them."""


@dataclass(frozen=True)
class Attempt:
    """What a caller tried, and the members as the owner saw them before and after it."""

    who: Who
    deed: Deed
    answer: Answer
    before: Members
    after: Members
    looked: Exchange
    status: str = ""
    """The status that was set, where one was."""
    apart: bool = False
    """Whether the change before it was so long ago that a clock of seconds tells them apart."""
    unlisted: bool = False
    """Whether the owner is shown the member that it is about, and the list of members lacks it."""

    def __str__(self) -> str:
        return f"{self.answer}, where {self.who} {self.deed}"

    @property
    def changed(self) -> list[str]:
        """The projects whose membership came, went or changed."""
        names = {*self.before, *self.after}
        return sorted(name for name in names if self.before.get(name) != self.after.get(name))

    @property
    def statuses_changed(self) -> list[str]:
        """The projects that have another status than before, if any is left."""
        kept = {name: entry.get("status") for name, entry in self.after.items()}
        return sorted(name for name, entry in self.before.items() if kept.get(name) != entry.get("status"))


@dataclass(frozen=True)
class Sight:
    """What a consumer sees of an image while its membership has some status."""

    status: str
    shown: Answer
    listed: bool | None
    """Whether the list of images has it; ``None`` where it was not found in one too long to be read to its end."""
    offered: bool | None
    """The same of the list of what was offered, and is not yet decided on."""
    exchanges: Sequence[Exchange]
    entries: Sequence[Answer] = ()
    """The membership, as the consumer and the owner are shown it, and the members, as the consumer is."""

    def __str__(self) -> str:
        return f"a consumer whose membership is {self.status}"
