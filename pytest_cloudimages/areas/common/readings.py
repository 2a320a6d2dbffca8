"""Values of attributes as answers have shown them, and two of them that cannot both be true. No I/O."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.moments import moment

APART = timedelta(seconds=2)
"""What is nearer may be one moment, of which one node has lost the fraction, or has a clock that is a second late."""
OWN = "cloudimages"
"""What every attribute of one's own has in its name here."""
NO_MINIMUM = ("min_disk", "min_ram")
Key = tuple[str, str, str]
"""The id of an image, who has looked at it, and the attribute."""


class Reading(NamedTuple):
    """A value of an attribute, as it was shown by some answers in a row."""

    value: object
    """The value in one notation; ``None`` where it has none."""
    shown: object
    first: Exchange
    last: Exchange
    status: str
    """The status of what it belongs to, when it was shown last."""
    sake: str
    listed: bool
    """Whether lists alone have shown it so."""


class TwoAnswers(NamedTuple):
    """Two answers that cannot both be true."""

    requirement: str
    actual: object
    expected: object
    what: str
    earlier: Exchange
    later: Reading
    sure: bool = True
    """Whether it is plain what the one departs from that it blames."""


class ValuesShown(dict[Key, list[Reading]]):
    """All that was shown of each attribute."""

    def note(self, key: Key, shown: object, exchange: Exchange, status: str, sake: str) -> None:
        """Remember what an answer shows of an attribute."""
        value, known = plain(key[2], shown), self.setdefault(key, [])
        listed = exchange.target.partition("?")[0].endswith(("/images", "/tasks"))
        if known and known[-1].value == value:
            known[-1] = known[-1]._replace(last=exchange, status=status, listed=known[-1].listed and listed)
        else:
            known.append(Reading(value, shown, exchange, exchange, status, sake, listed))

    def each(self) -> Iterator[tuple[Key, Sequence[Reading]]]:
        """Yield each attribute with its values, in the order in which they were asked for."""
        for key, readings in self.items():
            yield key, sorted(readings, key=lambda reading: reading.first.sent)


def unseen(readings: Sequence[Reading]) -> Iterator[tuple[int, Reading, Reading]]:
    """Yield each value that was not seen before, by its place, with the one before it and the last that is one."""
    for place, reading in enumerate(readings[1:], 1):
        known = [each for each in readings[:place] if each.value is not None]
        if known and not any(alike(reading.value, each.value) for each in readings[:place]):
            yield place, readings[place - 1], known[-1]


def plain(name: str, value: object) -> object:
    """Return a value of an attribute in one notation; ``None`` for what is none, which may be written in many ways."""
    if name in NO_MINIMUM and value is None:
        return "0"
    if value is None or value == "":
        return None
    if name in ("created_at", "updated_at"):
        return moment(value) if "T" in str(value) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # How it is written, others say.
    text = value if isinstance(value, str) else json.dumps(value)
    if name == "owner":
        return text.replace("-", "").lower()
    return text if name == "name" or OWN in name else text.lower()


def alike(value: object, other: object) -> bool:
    """Return whether two values are the same, or moments that nobody can tell apart."""
    if isinstance(value, datetime) and isinstance(other, datetime):
        return abs(value - other) < APART
    return value == other
