"""What concurrent histories are made of, and how an anomaly in one is described. No I/O.

A sequential plan is carried out one operation at a time; here several clients act at once, and only the times at which
each request was sent and answered bound the moment at which it took effect.
"""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import NAME

WIDTH = 48


def quoted(text: str) -> str:
    """Return a text in printable ASCII, in quotes, without the middle of a long one."""
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
    value: str = ""
    """Of an addition or a deletion: the value of the set. Of a SET: the value that the attribute was given."""
    values: tuple[str, ...] | None = None
    """Of a read: the values, each as often as shown; ``None`` where they could not be read, which says nothing."""
    shown: str | None = None
    """Of a read: the value of the attribute; ``None`` where it says nothing."""
    attribute: str = NAME.name
    """The attribute of the image that a SET changes, and a read may show."""
    repeated: bool = False
    """Of a deletion: whether somebody may have sent it twice, so that it was carried out whatever it was answered."""

    @property
    def acknowledged(self) -> bool:
        """Whether it took effect before it was answered."""
        return self.answered is not None and 200 <= self.status < 300  # noqa: PLR2004 - as HTTP has it

    @property
    def refused(self) -> bool:
        """Whether it was answered that nothing was done."""
        return self.answered is not None and 400 <= self.status < 500  # noqa: PLR2004 - as HTTP has it

    def describe(self, about: Collection[str] = ()) -> str:
        """Return the operation and its answer; of a read, only what it showed of these values, or the attribute."""
        answer = str(self.status) if self.answered is not None and self.status else "no answer"
        if self.kind is Kind.SET:
            return f"set the {self.attribute} to {quoted(self.value)} → {answer}"
        if self.kind is not Kind.READ:
            return f"{self.kind} {quoted(self.value)} → {answer}"
        if self.values is None or not about:
            return f"read → {answer}" if self.shown is None else f"read → the {self.attribute} {quoted(self.shown)}"
        counts = [(value, self.values.count(value)) for value in sorted(about)]
        shown = [f"{quoted(value)}{f' {count} times' if count > 1 else ''}" for value, count in counts if count]
        missing = [quoted(value) for value, count in counts if not count]
        parts = [f"{word} {', '.join(values)}" for word, values in (("with", shown), ("without", missing)) if values]
        return f"read → {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class ConcurrentHistory:
    """What several clients did to some images, and what the images were like before."""

    events: tuple[Event, ...]
    initial: Mapping[int, frozenset[str]]
    """The values that each image had before; none where an image is not named."""
    attributes: Mapping[int, str] = field(default_factory=dict)
    """The value of the attribute that each image had before; that of an image not named here is not checked."""


class Category(enum.StrEnum):
    """What a client suffers from, in plain words."""

    LOST_ADDITION = "lost addition"
    LOST_DELETION = "lost deletion"
    PHANTOM = "phantom"
    STALE_READ = "stale read"
    TWICE_DELETED = "twice deleted"
    TORN_READ = "torn read"
    DUPLICATE = "duplicate"
    STUCK_VALUE = "stuck value"
    COLLATERAL_LOSS = "collateral loss"
    REFUSAL = "unfounded refusal"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What no order of the operations explains, with the smallest part of the history that shows it."""

    category: Category
    image: int
    value: str | None
    """``None`` where the anomaly is not about one value of the set: a torn read, an attribute."""
    witness: tuple[Event, ...]
    """In the order sent. Whatever else happened, and whether it did, makes no difference to it."""
    text: str
    """The witness in a few lines: relative milliseconds, client, operation, answer."""
    impossible: Event | None = None
    """The event of the witness whose answer nothing explains."""
    about: tuple[str, ...] = ()
    """The values that the witness speaks of; none where it is about an attribute."""

    @property
    def heading(self) -> str:
        """What it is, and of what."""
        what = ", ".join(map(quoted, self.about)) or f"the {self.witness[0].attribute}"
        return f"{self.category}: {what} of image {self.image}"

    def __str__(self) -> str:
        return self.text
