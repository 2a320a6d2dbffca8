"""What several runs have shown of one question."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pytest_cloudimages.engine.concurrent import ConcurrentRun
from pytest_cloudimages.spec.verdicts import Blocked

Violation = TypeVar("Violation")


ALSO_SEQUENTIAL = (
    "What went wrong among several clients goes wrong for one alone as well: see what was found without them."
)


@dataclass
class Measurement(Generic[Violation]):
    """What some races have shown of one question."""

    heats: list[ConcurrentRun] = field(default_factory=list)
    violations: list[tuple[ConcurrentRun, Violation]] = field(default_factory=list)
    """Each with the race that showed it."""
    problem: Blocked | None = None
    """Why some of it could not be asked."""

    @property
    def sound(self) -> bool:
        """Whether nothing departs from what is asked."""
        return not self.violations

    def __repr__(self) -> str:
        return f"{len(self.heats)} races"

    def raise_if_blocked(self) -> None:
        """Raise ``Blocked`` where some of it could not be asked."""
        if self.problem:
            raise self.problem
