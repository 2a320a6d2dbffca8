"""Concurrent histories of images, and whether some order of the operations explains what was answered. No I/O.

A plan in the sense of ``plans`` is carried out one operation at a time; here several clients act at once, and only the
times at which each request was sent and answered bound the moment at which it took effect.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_cloudimages.plans import Kind


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


@dataclass(frozen=True, slots=True)
class History:
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


def check(history: History, *, lenient_deletes: bool = True) -> list[Anomaly]:
    """Find what no order of the operations explains: at most one anomaly of a sort for each tag, image or name.

    With ``lenient_deletes`` a deletion acknowledged although the tag was gone is explained if another deletion of the
    tag, which took effect before it, overlapped with it in time: how many of several concurrent deletions report 204
    is not defined.
    """
    raise NotImplementedError
