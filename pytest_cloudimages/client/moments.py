"""Dates and times, as services write them."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

REMEMBERED = 1_000
"""Texts that are known with what they stand for: a service says the same of many things, to many checks."""


def moment(text: object) -> datetime | None:
    """Return the moment that a text of ISO 8601 stands for; what names no offset is of UTC. ``None`` for anything else.

    Texts themselves are not compared: ``10:00:00.5Z`` is after ``10:00:00Z``, and sorts before it.
    """
    return _moment(text) if isinstance(text, str) else None


@lru_cache(maxsize=REMEMBERED)
def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _of_utc(found)


def same_moment(text: object, other: object) -> bool:
    """Return whether two texts of ISO 8601 stand for the same moment.

    One may leave the fraction of a second out, or be rounded to the next.
    """
    first, second = moment(text), moment(other)
    return first is not None and second is not None and not (is_before(first, second) or is_before(second, first))


def is_before(first: datetime, second: datetime) -> bool:
    """Return whether a moment is before another, where one may be written without its fraction, or rounded."""
    told = first < second
    return told and (0 not in (first.microsecond, second.microsecond) or second - first >= timedelta(seconds=1))


def went_back(first: datetime, second: datetime) -> bool:
    """Return whether time went back from one moment to the next: of whole seconds by more than one.

    Clocks of nodes that differ by a little show two in a row at the turn of a second.
    """
    return is_before(second, first) and first - second != timedelta(seconds=1)


@lru_cache(maxsize=REMEMBERED)
def moment_of_header(text: str | None) -> datetime | None:
    """Return the moment that the text of a header such as ``Date`` stands for; ``None`` where it is none."""
    try:
        return _of_utc(parsedate_to_datetime(text)) if text else None
    except (TypeError, ValueError):
        return None


def _of_utc(found: datetime) -> datetime:
    return found if found.tzinfo else found.replace(tzinfo=UTC)
