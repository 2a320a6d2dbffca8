"""Secrets, and texts without them."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pytest_cloudimages.client.showing import visible

HIDDEN = "***"


class Secrets:
    """The words that no report of the run in hand may show.

    A secret known anywhere in a run is hidden everywhere in it, and nothing is known of another run's.
    """

    def __init__(self) -> None:
        self._outside: set[str] = set()
        self._of_the_run: ContextVar[set[str] | None] = ContextVar("secrets", default=None)

    def begin(self) -> Callable[[], None]:
        """Begin a run, which has no secrets yet, and return what ends it."""
        before = self._of_the_run.get()
        self._of_the_run.set(set())

        def end() -> None:
            self._of_the_run.set(before)

        return end

    @property
    def _words(self) -> set[str]:
        words = self._of_the_run.get()
        return self._outside if words is None else words

    def keep(self, word: str | None) -> None:
        """Hide a word, and every part of it that could be used in its place, from now on."""
        if word and len(word.strip()) > 3:  # noqa: PLR2004 - a shorter one hides nothing and would blot out the report
            self._words.add(word.strip())

    def hide(self, text: str) -> str:
        """Return the text without the secrets."""
        for word in sorted(self._words, key=len, reverse=True):
            if word in text:
                text = text.replace(word, HIDDEN)
        return text

    def hidden(self, value: Any) -> Any:
        """Return the JSON value without the secrets in any of its strings."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(str(key)): self.hidden(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(inner) for inner in value]
        return value


SECRETS = Secrets()


def printable(octets: bytes) -> str:
    """Return octets as text that every report can hold; what is not UTF-8 or is a control character is escaped."""
    return visible(octets.decode("utf-8", "backslashreplace"))
