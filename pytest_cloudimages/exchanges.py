"""One request with its answer, written down without secrets."""

import enum
import shlex
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

TOKEN = "X-Auth-Token"  # noqa: S105 - the name of a header
HIDDEN = "***"
KEPT_OCTETS = 2_000
"""Octets of a body that a report shows."""
HELD_OCTETS = 40_000
"""Octets of an answer that are held as long as the run lasts, so that a finding can be explained."""
REMARKABLE = (413, 429, 431, 503)
KEPT_REMARKABLE = 50


class Purpose(enum.StrEnum):
    """What a request was sent for."""

    JUDGING = "judging"
    PREPARING = "preparing"
    CLEANING = "cleaning"
    EXPLAINING = "explaining"


_PURPOSE: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.JUDGING)


class Secrets:
    """The words that no report may show."""

    def __init__(self) -> None:
        self._words: set[str] = set()

    def keep(self, word: str | None) -> None:
        """Hide a word, and every part of it that could be used in its place, from now on."""
        if word and len(word.strip()) > 3:  # noqa: PLR2004 - a shorter one hides nothing and would blot out the report
            self._words.add(word.strip())

    def hide(self, text: str) -> str:
        """Give the text without the secrets."""
        for word in sorted(self._words, key=len, reverse=True):
            if word in text:
                text = text.replace(word, HIDDEN)
        return text

    def hidden(self, value: Any) -> Any:
        """Give the JSON value with every string in it rid of the secrets."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(str(key)): self.hidden(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(inner) for inner in value]
        return value


#: One for the process: a secret known anywhere is hidden everywhere.
SECRETS = Secrets()


def printable(octets: bytes) -> str:
    """Give octets as text that every report can hold; what is not UTF-8 or is a control character is escaped."""
    text = octets.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() or one in "\n\t" else repr(one)[1:-1] for one in text)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; times in seconds of the monotonic clock."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    """The status code; 0 where the connection ended without an answer."""
    answer_headers: tuple[tuple[str, str], ...]
    answer: bytes
    stray: bytes
    """Octets that followed an answer that should have ended."""
    sent: float
    answered: float
    caller: str = "tester"
    purpose: Purpose = Purpose.JUDGING
    note: str = ""

    @property
    def broken(self) -> bool:
        """Whether the service failed at the request, or left it unanswered."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 - the class of codes

    def __str__(self) -> str:
        asked = f"{self.method} {self.target}"
        if self.body:
            asked += f" with {len(self.body)} octets of body"
        if self.caller != "tester":
            asked += f" as {self.caller}"
        return SECRETS.hide(f"{asked} → {self.status or 'no answer'}{f' ({self.note})' if self.note else ''}")

    def curl(self, origin: str) -> str:
        """Give a command that sends this request again; the token comes from the shell's ``$TOKEN``."""
        # curl is told to make no list of an address with brackets, and no file's name of a body that begins with @.
        words = ["curl", "-isS", "--path-as-is", "--globoff", "-X", self.method]
        for name, value in self.headers:
            words += ["-H", f"{name}: $TOKEN" if name == TOKEN else f"{name}: {value}"]
        if self.body:
            words += ["--data-raw", printable(self.body)]
        line = " ".join(shlex.quote(word) for word in [*words, origin + self.target])
        # The shell is to fill the token in, so that word alone stands in double quotes.
        return SECRETS.hide(line.replace(f"'{TOKEN}: $TOKEN'", f'"{TOKEN}: $TOKEN"'))

    def as_data(self, origin: str) -> dict[str, Any]:
        """Give the exchange as JSON data, without secrets."""
        data = {
            "method": self.method,
            "target": self.target,
            "headers": [list(pair) for pair in self.headers],
            "body": printable(self.body[:KEPT_OCTETS]),
            "status": self.status,
            "answer_headers": [list(pair) for pair in self.answer_headers],
            "answer": printable(self.answer[:KEPT_OCTETS]),
            "stray": printable(self.stray[:KEPT_OCTETS]),
            "caller": self.caller,
            "purpose": str(self.purpose),
            "seconds": round(self.answered - self.sent, 6),
            "note": self.note,
            "curl": self.curl(origin),
        }
        return {key: SECRETS.hidden(value) for key, value in data.items()}


def without_token(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give the headers with the token's value left out."""
    return tuple((name, HIDDEN if name == TOKEN else value) for name, value in headers.items())


@dataclass
class Transcript:
    """Counts every exchange, and keeps those of the case in hand."""

    counts: Counter[str] = field(default_factory=Counter)
    created: int = 0
    """Images that were created."""
    late_creation: bool = False
    """Whether an image was seen to be shown some time after its creation only."""
    lag: float = 0.0
    """Longest time in seconds until an acknowledged change was visible."""
    remarkable: list[Exchange] = field(default_factory=list)
    """Answers that no check can provoke, but any may meet: over a limit, or unavailable."""
    _case: list[Exchange] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange down."""
        with self._lock:
            self.counts[exchange.purpose] += 1
            self._case.append(exchange)
            if exchange.status in REMARKABLE and len(self.remarkable) < KEPT_REMARKABLE:
                self.remarkable.append(exchange)

    def take(self) -> list[Exchange]:
        """Give the exchanges since the last call, and begin anew."""
        with self._lock:
            case, self._case = self._case, []
        return case

    @property
    def purpose(self) -> Purpose:
        """What requests are sent for here, and in every thread that was given a copy of this context."""
        return _PURPOSE.get()

    @contextmanager
    def of(self, purpose: Purpose) -> Iterator[None]:
        """Mark the requests of this context with a purpose for the length of a block.

        Whatever it takes to explain a finding is sent to explain it.
        """
        before = self.purpose
        _PURPOSE.set(before if before is Purpose.EXPLAINING else purpose)
        try:
            yield
        finally:
            _PURPOSE.set(before)
