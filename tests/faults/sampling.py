"""Which faults are a fair sample of all, and how one is judged by who does not know what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .registry import FAULTS

if TYPE_CHECKING:
    from pytest_cloudimages.reference.app import App

    from .registry import Fault


def sample(every: int, first: int = 0) -> list[str]:
    """Return the name of every so manieth fault that breaks anything, in the order of their names."""
    return sorted(name for name, fault in FAULTS.items() if fault.broken)[first::every]


@dataclass(frozen=True)
class Widely:
    """A fault without the words that narrow a run to what is near: who looks for it does not know where it is."""

    fault: Fault

    def __call__(self) -> App:
        return self.fault()

    @property
    def words(self) -> tuple[str, ...]:
        """What the command has to be told besides, but for what is selected."""
        words = self.fault.words
        selecting = {place + step for place, word in enumerate(words) if word == "--select" for step in (0, 1)}
        return tuple(word for place, word in enumerate(words) if place not in selecting)

    @property
    def hurry(self) -> float:
        """How many times faster its waits go by."""
        return self.fault.hurry
