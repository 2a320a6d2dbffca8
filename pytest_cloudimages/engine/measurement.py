"""What several runs have shown of one question."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pytest_cloudimages.engine.concurrent import Heat
from pytest_cloudimages.spec.verdicts import Blocked

Departure = TypeVar("Departure")


ALONE_TOO = "What went wrong among several clients goes wrong for one alone as well: see what was found without them."


@dataclass
class Measured(Generic[Departure]):
    """What some races have shown of one question."""

    heats: list[Heat] = field(default_factory=list)
    departures: list[tuple[Heat, Departure]] = field(default_factory=list)
    """Each with the race that showed it."""
    problem: Blocked | None = None
    """Why some of it could not be asked."""

    @property
    def sound(self) -> bool:
        """Whether nothing departs from what is asked."""
        return not self.departures

    def __repr__(self) -> str:
        return f"{len(self.heats)} races"

    def conclude(self) -> None:
        """Raise ``Blocked`` where some of it could not be asked."""
        if self.problem:
            raise self.problem
