"""What a run may take at most, in requests and in seconds; what cleans up after it is always sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NoReturn

from pytest_cloudimages.spec.verdicts import Unaffordable

SHORT = "For lack of budget"
"""How the reason begins why something was not asked that the budget had no room for."""


@dataclass
class Budget:
    """The limits of a run, and whether they have stopped anything; ``None`` where there is none."""

    requests: int | None = None
    seconds: float | None = None
    begun: float = field(default_factory=time.monotonic)
    refused: int = 0
    """How many requests were not sent for it."""

    def refuse(self, why: str) -> NoReturn:
        """Raise ``Unaffordable`` instead of sending a request."""
        self.refused += 1
        raise Unaffordable(why)

    def see_that_nothing_was_left_out(self, before: int) -> None:
        """Raise ``Unaffordable`` where more requests were refused than ``before``: what was asked is not the whole."""
        if self.refused > before:
            raise Unaffordable(f"{SHORT}: some of what it takes could not be sent any more.")

    def lacks(self, sent: int, wanted: int) -> str:
        """Return why there is no room for so many requests more, after so many that were sent."""
        if self.requests is not None and sent + wanted > self.requests:
            return f"{SHORT}: --max-requests {self.requests} had no room left for what it takes."
        if self.seconds is not None and time.monotonic() - self.begun >= self.seconds:
            return f"{SHORT}: the {self.seconds:g} s of --max-seconds were over."
        return ""
