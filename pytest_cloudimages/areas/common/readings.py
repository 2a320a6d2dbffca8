"""Values of attributes as answers have shown them, and two of them that cannot both be true. No I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.moments import moment
from pytest_cloudimages.spec.mismatch import Allowed

APART = timedelta(seconds=2)
"""What is nearer may be one moment, of which one node has lost the fraction, or has a clock that is a second late."""
OWN = "cloudimages"
"""What every attribute of one's own has in its name here."""
NO_MINIMUM = ("min_disk", "min_ram")
OF_ITS_OWNER = ("private", "shared")
"""Visibilities of which older versions know but one: a node that runs one of them shows that for both."""
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

    def is_after(self, before: Self, patience: float) -> bool:
        """Return whether it was asked for when patience with the nodes that do not know another yet was over."""
        return before.first.answered + patience < self.first.sent

    def has_gone_back(self, before: Self) -> bool:
        """Return whether it shows a moment that is plainly earlier than that of another."""
        # A day is no moment: that it lacks its time is for others to say. (GEN-07.)
        now, then = (moment(each) if ":" in str(each) else None for each in (self.shown, before.shown))
        return now is not None and then is not None and then - now >= APART


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


class ValuesShown:
    """All that was shown of each attribute."""

    def __init__(self) -> None:
        self._readings: dict[Key, list[Reading]] = {}
        """In the order in which they were shown first."""
        self._shown: dict[str, dict[str, dict[str, list[Reading]]]] = {}
        """The same by image, caller and attribute: there are thousands of all, and every answer asks for its own."""

    def __contains__(self, identifier: str) -> bool:
        """Return whether any answer has shown this image."""
        return identifier in self._shown

    def attributes(self, identifier: str, caller: str) -> Iterable[str]:
        """Return what somebody was shown of an image so far."""
        return self._shown.get(identifier, {}).get(caller, ())

    def note(self, identifier: str, values: Mapping[str, object], exchange: Exchange, status: str, sake: str) -> None:
        """Remember what an answer shows of attributes."""
        listed = exchange.target.partition("?")[0].endswith(("/images", "/tasks"))
        seen = self._shown.setdefault(identifier, {}).setdefault(exchange.caller, {})
        for name, shown in values.items():
            known = seen.get(name)
            if known is None:
                known = seen[name] = self._readings[identifier, exchange.caller, name] = []
            before = known[-1] if known else None
            # Most are shown again and again, just as they were.
            same = before is not None and type(shown) is str and shown == before.shown
            value = before.value if before is not None and same else plain(name, shown)
            if before is not None and before.value == value:
                still = before.listed and listed
                known[-1] = Reading(value, before.shown, before.first, exchange, status, before.sake, still)
            else:
                known.append(Reading(value, shown, exchange, exchange, status, sake, listed))

    def each(self) -> Iterator[tuple[Key, Sequence[Reading]]]:
        """Yield each attribute with its values, in the order in which they were asked for."""
        for key, readings in self._readings.items():
            yield key, sorted(readings, key=lambda reading: reading.first.sent)


def unseen(readings: Sequence[Reading]) -> Iterator[tuple[int, Reading, Reading, Reading]]:
    """Yield each value that was not seen before, after its place; then the one before it, and the last that is one."""
    for place, reading in enumerate(readings[1:], 1):
        known = [each for each in readings[:place] if each.value is not None]
        if known and not any(alike(reading.value, each.value) for each in readings[:place]):
            yield place, reading, readings[place - 1], known[-1]


def changed(requirement: str, what: str, earlier: Reading, later: Reading, *, sure: bool = True) -> TwoAnswers:
    """Return that a value is shown where an earlier one was to stay."""
    return TwoAnswers(requirement, later.shown, earlier.shown, what, earlier.last, later, sure)


def no_earlier(before: Reading) -> Allowed:
    """Return what a moment may be that has gone back: nothing that it is."""
    return Allowed(f"no earlier than {before.shown}", lambda _: False)


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
    if name == "visibility" and text.lower() in OF_ITS_OWNER:
        return OF_ITS_OWNER[0]
    return text if name == "name" or OWN in name else text.lower()


def alike(value: object, other: object) -> bool:
    """Return whether two values are the same, or moments that nobody can tell apart."""
    if isinstance(value, datetime) and isinstance(other, datetime):
        return abs(value - other) < APART
    return value == other
