"""What callers try with the members of an image, and what consumers see of it, as many checks look at it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_cloudimages.areas.images.patch_model import alike
from pytest_cloudimages.areas.members.resource import listed_again
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange


class Who(enum.StrEnum):
    """Who a caller is to an image."""

    OWNER = "the owner"
    MEMBER = "a member"
    STRANGER = "a project that the image is not shared with"
    COLLEAGUE = "another user of the owner's project"


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
    ADD_REJECTED = "added a member again that has rejected"
    REMOVE_BESIDE = "removed a member of another image"
    ADD_OTHER = "added another member"
    REMOVE_OTHER = "removed that member"


WRONG_BODIES: tuple[Mapping[str, object], ...] = (
    {"status": "bogus"},
    {"status": ""},
    {"status": None},
    {},
    {"status": "ACCEPTED"},
    {"status": "rejected "},
    {"status": ["rejected"]},
    {"status": False},
)
"""Bodies that set no status, for who may set its own."""

TIMES = ("created_at", "updated_at")
Members = Mapping[str, Mapping[str, object]]
"""The members of an image by their projects, as the owner sees them."""


def _changed(before: Members, after: Members) -> list[str]:
    kept = {name: entry.get("status") for name, entry in after.items()}
    return sorted(name for name, entry in before.items() if name in kept and kept[name] != entry.get("status"))


def _but_times(members: Members) -> Members:
    return {
        name: {each: value for each, value in entry.items() if each != "updated_at"} for name, entry in members.items()
    }


def _alike(entry: Mapping[str, object] | None, other: Mapping[str, object] | None) -> bool:
    """Return whether two entries say the same: of a moment, one may have the fraction of its second, and one none."""
    if entry is None or other is None:
        return entry is other
    return all(alike(name, entry.get(name), other.get(name)) for name in {*entry, *other})


def changed(before: Members, after: Members) -> list[str]:
    """Return the projects whose membership came, went or changed between two readings."""
    return sorted(name for name in {*before, *after} if not _alike(before.get(name), after.get(name)))


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
    where: str = ""
    """What the image is meanwhile, where it is not as it was created."""
    seen: bool = False
    """Whether the caller sees the image, as everybody does."""

    def __str__(self) -> str:
        return f"{self.answer}, where {self.who} {self.deed}{self.where and f' of an image that is {self.where}'}"

    @property
    def changed(self) -> list[str]:
        """The projects whose membership came, went or changed; those of one image may show when any of them did."""
        before, after = (_but_times(each) if self.answer.ok else each for each in (self.before, self.after))
        return changed(before, after)

    @property
    def listed_again(self) -> list[str]:
        """The projects that the owner is shown more than once as members."""
        return listed_again(Answer.of(self.looked))

    @property
    def statuses_changed(self) -> list[str]:
        """The projects that are members still, and have another status than before; of two entries none is the one."""
        return [name for name in _changed(self.before, self.after) if name not in self.listed_again]

    @property
    def came_or_went(self) -> list[str]:
        """The projects that are members now and were none before, or the other way round."""
        return sorted({*self.before} ^ {*self.after})


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
    meanwhile: str = ""
    """What the consumer has decided on another image of the owner, where it is that which matters."""

    def __str__(self) -> str:
        return f"a consumer whose membership is {self.status}{self.meanwhile and f', while {self.meanwhile}'}"


@dataclass(frozen=True)
class Stage:
    """What owner and consumer see of an image and its members, after something has happened to it."""

    event: str
    """What has happened."""
    sight: Sight
    due: frozenset[str]
    """The projects that are to be members."""
    members: Members
    """Those that the owner is shown."""
    looked: Exchange
    project: str
    """The consumer's."""
    shown: Sequence[Answer] = ()
    """The members, and the membership, as the consumer is shown them."""
    data: Answer | None = None
    """The answer to the consumer who asks for the data of the image, where it has some that can be read."""
    was_member: bool = False
    """Whether the consumer has been one."""

    def __str__(self) -> str:
        return f"{self.sight} after {self.event}" if self.sight.status else f"a consumer {self.event}"

    @property
    def listed_again(self) -> list[str]:
        """The projects that the owner is shown more than once as members."""
        return listed_again(Answer.of(self.looked))

    @property
    def is_member(self) -> bool:
        """Whether the owner is shown that the consumer is one."""
        return self.project in self.members

    @property
    def status(self) -> object:
        """The status of the membership, as the owner is shown it; ``None`` where there is none."""
        return self.members.get(self.project, {}).get("status")
