"""How much trouble there was on the way in a run: of how many answers, of which kinds, and what was sent again."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.trouble import NO_ANSWER, TROUBLE

WORDS = {
    "not answered within": "no answer in time",
    "reset": "connection reset",
    "refused": "connection refused",
    "closed": "connection closed",
    "TLS": "no TLS",
}
"""What the note of an exchange without an answer may hold, and what such trouble is called; the first counts."""


def kind_of(status: int, note: str) -> str:
    """Return what trouble is called, by the status of an answer, or the note of an exchange that had none."""
    if status != NO_ANSWER:
        return str(status)
    return next((kind for word, kind in WORDS.items() if word in note), "connection broken")


@dataclass
class Disturbances:
    """What a run has met of trouble, counted; one of these serves all threads."""

    answers: int = 0
    """How often an answer was waited for, repetitions included."""
    kinds: Counter[str] = field(default_factory=Counter)
    """How often it was trouble in its place, by kind."""
    repeated: int = 0
    """How many requests were sent once more because of it."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def met(self, status: int, note: str) -> None:
        """Count what came of one request that was sent."""
        with self._lock:
            self.answers += 1
            if status in TROUBLE:
                self.kinds[kind_of(status, note)] += 1

    def sent_again(self) -> None:
        """Count a request that is sent once more."""
        with self._lock:
            self.repeated += 1

    def summary(self) -> dict[str, Any]:
        """Return the counts as data, the commonest kind first."""
        with self._lock:
            kinds = sorted(self.kinds.items(), key=lambda row: (-row[1], row[0]))
            return {"answers": self.answers, "kinds": dict(kinds), "repeated": self.repeated}
