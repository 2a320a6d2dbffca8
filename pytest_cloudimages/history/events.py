"""What concurrent histories are made of, and how an anomaly in one is told. No I/O.

A plan in the sense of ``plans`` is carried out one operation at a time; here several clients act at once, and only the
times at which each request was sent and answered bound the moment at which it took effect.
"""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pytest_cloudimages.history.operations import Kind

WIDTH = 48


def quoted(text: str) -> str:
    """Give a text in printable ASCII, in quotes, without the middle of a long one."""
    whole = ascii(text)
    return whole if len(whole) <= WIDTH else f"{whole[: WIDTH // 2]}…{whole[-WIDTH // 2 :]}"


@dataclass(frozen=True, slots=True)
class Event:
    """One operation of one client, with what was answered and when.

    An operation takes effect at one moment between ``sent`` and ``answered``. Where the outcome is unknown (no answer,
    or a status that is neither 2xx nor 4xx) it may take effect at any moment after ``sent``, or never.
    """

    kind: Kind
    image: int
    """The number of the image in the plan."""
    client: int
    sent: float
    """Seconds on a monotonic clock, the same for all clients."""
    answered: float | None
    """``None``: the answer never came."""
    status: int = 0
    """The HTTP status; 0 where unknown."""
    tag: str = ""
    """Of an addition or a deletion."""
    tags: tuple[str, ...] | None = None
    """Of a read: the tags shown, each as often as shown; ``None`` where they could not be read, which says nothing."""
    name: str | None = None
    """Of a rename, a PATCH of the name: the name given. Of a read: the name shown; ``None`` where it says nothing."""

    @property
    def acknowledged(self) -> bool:
        """Whether it took effect before it was answered."""
        return self.answered is not None and 200 <= self.status < 300  # noqa: PLR2004 - as HTTP has it

    @property
    def refused(self) -> bool:
        """Whether it was answered that nothing was done."""
        return self.answered is not None and 400 <= self.status < 500  # noqa: PLR2004 - as HTTP has it

    def told(self, about: Collection[str] = ()) -> str:
        """Tell the operation and its answer; of a read, only what it showed of these tags, or the name."""
        answer = str(self.status) if self.answered is not None and self.status else "no answer"
        if self.kind is Kind.RENAME:
            return f"rename to {quoted(self.name or '')} → {answer}"
        if self.kind is not Kind.READ:
            return f"{self.kind} {quoted(self.tag)} → {answer}"
        if self.tags is None or not about:
            return f"read → {answer}" if self.name is None else f"read → the name {quoted(self.name)}"
        counts = [(tag, self.tags.count(tag)) for tag in sorted(about)]
        shown = [f"{quoted(tag)}{f' {count} times' if count > 1 else ''}" for tag, count in counts if count]
        missing = [quoted(tag) for tag, count in counts if not count]
        parts = [f"{word} {', '.join(tags)}" for word, tags in (("with", shown), ("without", missing)) if tags]
        return f"read → {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class ConcurrentHistory:
    """What several clients did to some images, and what the images were like before."""

    events: tuple[Event, ...]
    initial: Mapping[int, frozenset[str]]
    """The tags that each image had before; none where an image is not named."""
    names: Mapping[int, str] = field(default_factory=dict)
    """The name that each image had before; the name of an image not named here is not checked."""


class Category(enum.StrEnum):
    """What a client suffers from, in plain words."""

    LOST_ADDITION = "lost addition"
    LOST_DELETION = "lost deletion"
    PHANTOM = "phantom"
    STALE_READ = "stale read"
    TWICE_DELETED = "twice deleted"
    TORN_READ = "torn read"
    DUPLICATE = "duplicate"
    STUCK_TAG = "stuck tag"
    COLLATERAL_LOSS = "collateral loss"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What no order of the operations explains, with the smallest part of the history that shows it."""

    category: Category
    image: int
    tag: str | None
    """``None`` where the anomaly is not about one tag: a torn read, a name."""
    witness: tuple[Event, ...]
    """In the order sent. Whatever else happened, and whether it did, makes no difference to it."""
    text: str
    """The witness in a few lines: relative milliseconds, client, operation, answer."""
    impossible: Event | None = None
    """The event of the witness whose answer nothing explains."""
    about: tuple[str, ...] = ()
    """The tags that the witness speaks of; none where it is about a name."""

    @property
    def heading(self) -> str:
        """What it is, and of what."""
        return f"{self.category}: {', '.join(map(quoted, self.about)) or 'the name'} of image {self.image}"

    def __str__(self) -> str:
        return self.text
