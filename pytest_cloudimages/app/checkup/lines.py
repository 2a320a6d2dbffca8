"""What a check-up says: what was tried, what came, and what to do."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_cloudimages.client.redaction import SECRETS


class Outcome(enum.StrEnum):
    """How a step went."""

    FINE = "fine"
    NOTED = "noted"
    """A run can be made with it; something is worth knowing."""
    TROUBLE = "trouble"
    """No run can be made, or not all of it."""
    UNTRIED = "not tried"


class Fault(enum.StrEnum):
    """Where trouble is to be mended."""

    SETTINGS = "settings"
    """The tester can mend it in what was typed or configured; `cloudimages run` would end with 2."""
    ELSEWHERE = "elsewhere"
    """At the service, or on the way to it; `cloudimages run` would end with 3."""
    SUITE = "suite"
    """In the doctor itself."""


@dataclass(frozen=True)
class Line:
    """One step of a check-up."""

    topic: str
    outcome: Outcome
    tried: str
    came: str
    advice: str = ""
    fault: Fault | None = None
    """Where the trouble lies that leaves no run possible; ``None`` where a run can begin all the same."""

    def as_data(self) -> dict[str, Any]:
        """Return the line as JSON data."""
        data = {
            "topic": self.topic,
            "outcome": str(self.outcome),
            "tried": self.tried,
            "came": self.came,
            "advice": self.advice or None,
            "fault": str(self.fault) if self.fault else None,
        }
        return {name: SECRETS.hidden(value) for name, value in data.items()}


Lines = Iterator[Line]


@dataclass(frozen=True)
class Topic:
    """What a line speaks of, and what was tried; makes the line that says what came."""

    name: str
    tried: str

    def fine(self, came: str) -> Line:
        """Return the line of a step that went well."""
        return Line(self.name, Outcome.FINE, self.tried, came)

    def noted(self, came: str, advice: str = "") -> Line:
        """Return the line of a step whose result is worth knowing."""
        return Line(self.name, Outcome.NOTED, self.tried, came, advice)

    def untried(self, came: str, advice: str = "") -> Line:
        """Return the line of a step that was left out, with the reason."""
        return Line(self.name, Outcome.UNTRIED, self.tried, came, advice)

    def partly(self, came: str, advice: str) -> Line:
        """Return the line of a step that leaves a part of a run impossible."""
        return Line(self.name, Outcome.TROUBLE, self.tried, came, advice)

    def mistaken(self, came: str, advice: str) -> Line:
        """Return the line of a step after which settings are to be mended."""
        return Line(self.name, Outcome.TROUBLE, self.tried, came, advice, Fault.SETTINGS)

    def broken(self, came: str, advice: str) -> Line:
        """Return the line of a step after which something is to be mended that is no setting."""
        return Line(self.name, Outcome.TROUBLE, self.tried, came, advice, Fault.ELSEWHERE)

    def failed(self, came: str, advice: str) -> Line:
        """Return the line of a step that the doctor itself could not take."""
        return Line(self.name, Outcome.TROUBLE, self.tried, came, advice, Fault.SUITE)


def in_two(message: str) -> tuple[str, str]:
    """Return the first sentence of a message, which says what came, and the rest, which says what to do."""
    first, stop, rest = message.partition(". ")
    return first + stop.strip(), rest
