"""Secrets, and texts without them."""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pytest_cloudimages.client.encodings import GRAM, folded, forms, readings
from pytest_cloudimages.client.identifiers import UUID
from pytest_cloudimages.client.secret_fields import HIDDEN, holds_a_secret, without_secret_fields
from pytest_cloudimages.client.showing import visible

__all__ = ["HIDDEN", "SECRETS", "Secrets", "printable"]

SHORTEST = 4
"""Characters of the shortest word that is hidden by its value: less hides nothing, and would blot out the report."""
STRONG = 8
"""Characters from which on a part of a word is hidden wherever it stands; a shorter word has to stand apart."""
LONGEST_PUBLIC = 24
"""Characters up to which a word is looked for in our own texts."""
DIGEST = re.compile(rf"\b(?:{UUID}|[0-9a-f]{{32,}})\b", re.IGNORECASE)
"""A UUID, or a digest."""
LONGEST_DIGEST = 128
REMEMBERED, LONGEST_REMEMBERED = 4_000, 10_000
"""How many texts, up to which length, are known with what came of them: most are met more than once."""
HINT, STEP = 4, 3
"""Characters of a gram that lie at a place that is looked at, and how far these places are apart."""
CANDIDATES = 8
"""In how many places of all forms the same few characters are followed up."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A word as it may stand in a text."""

    text: str
    least: int
    """How much of it is hidden where the rest is not there."""
    apart: bool
    """Whether it has to stand apart from letters and digits."""
    shown: str
    """What is shown in its place."""


class _Known:
    """The words of one run, ready to be looked for."""

    def __init__(self, *, veiling: bool = False) -> None:
        self.words: set[str] = set()
        self.veiling = veiling
        """Whether what names somebody is not shown either."""
        self.veiled: Counter[str] = Counter()
        """How many names of each kind are veiled."""
        self.grams: dict[str, list[tuple[_Form, int]]] = {}
        self.hints: set[str] = set()
        """What a gram has at each third place of a text, wherever it begins."""
        self.short: dict[str, _Form] = {}
        self.remembered: dict[str, str] = {}

    def add(self, word: str, shown: str, *, whole: bool) -> None:
        """Look for a word from now on, in every form; ``whole``: no part of it says anything."""
        self.words.add(word)
        weak = len(word) < STRONG
        whole = whole or len({*word}) == 1
        for place, (text, least) in enumerate(forms(word)):
            raw = place == 0
            form = _Form(text, len(text) if whole or len(text) < least else least, raw and (weak or whole), shown)
            if len(text) >= GRAM:
                self._add(form)
            elif raw:
                self.short[text] = form
        self.remembered = {}

    def _add(self, form: _Form) -> None:
        text, grams, whole = form.text, self.grams, form.least == len(form.text)
        begins = range(len(text) - form.least + 1)
        self.hints.update([text[begin : begin + HINT] for begin in range(len(begins) + STEP - 1)])
        for place in begins:
            gram = text[place : place + GRAM]
            found = grams.setdefault(gram, [])
            # Of the same letter, again and again, a text may have its own.
            if len(found) < CANDIDATES and (whole or gram != gram[0] * GRAM):
                found.append((form, place))

    def hide(self, text: str) -> str:
        """Return a text without the words, and without what stands in it where secrets do."""
        if len(text) < SHORTEST:
            return text
        if (known := self.remembered.get(text)) is not None:
            return known
        hidden = without_secret_fields(text)
        hidden = _without(hidden, self._spans(hidden)) if self.words else hidden
        if len(text) <= LONGEST_REMEMBERED:
            if len(self.remembered) >= REMEMBERED:
                self.remembered = {}
            self.remembered[text] = hidden
        return hidden

    def _spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where a text has one of the words or a part of it, and what is shown in its place."""
        for reading, places in readings(text):
            for begin, end, shown in self._found(folded(reading), reading):
                yield (begin, end, shown) if places is None else (places[begin], places[end], shown)

    def _hinted(self, text: str) -> Iterator[int]:
        """Yield the places of a text where a gram may begin: only every third one has to be looked at for that."""
        hints = self.hints
        for place in [place for place in range(0, len(text) - HINT + 1, STEP) if text[place : place + HINT] in hints]:
            yield from range(max(0, place - STEP + 1), place + 1)

    def _found(self, text: str, reading: str) -> Iterator[tuple[int, int, str]]:
        """Yield where a text that was folded has a word; ``reading`` is the same text before."""
        grams = self.grams
        done = 0
        for begin in self._hinted(text):
            for form, place in grams.get(text[begin : begin + GRAM], ()) if begin + GRAM > done else ():
                end = begin + _agreeing(text, begin, form.text, place)
                if end > done and end - begin >= form.least and not _innocent(reading, begin, end, form):
                    yield begin, end, form.shown
                    done = end
        for word, form in self.short.items():
            begin = text.find(word)
            while begin >= 0:
                if not _innocent(reading, begin, begin + len(word), form):
                    yield begin, begin + len(word), form.shown
                begin = text.find(word, begin + 1)


class Secrets:
    """The words that no report of the run in hand may show.

    A secret known anywhere in a run is hidden everywhere in it, and nothing is known of another run's.
    """

    def __init__(self) -> None:
        self._outside = _Known()
        self._of_the_run: ContextVar[_Known | None] = ContextVar("secrets", default=None)

    def begin(self, *, veiling: bool = False) -> Callable[[], None]:
        """Begin a run, which has no secrets yet, and return what ends it.

        ``veiling``: what names somebody is not shown either.
        """
        before = self._of_the_run.get()
        self._of_the_run.set(_Known(veiling=veiling))

        def end() -> None:
            self._of_the_run.set(before)

        return end

    @property
    def _known(self) -> _Known:
        known = self._of_the_run.get()
        return self._outside if known is None else known

    def keep(self, word: str | None, *, whole: bool = False) -> None:
        """Hide a word from now on, and every part of it that is long enough to say something.

        ``whole``: a part of it says nothing.
        """
        self._keep(word, HIDDEN, whole=whole)

    def veil(self, name: str | None, kind: str) -> None:
        """Show what kind of thing it is in place of a name from now on, with a number, in a run that is to name nobody.

        A name that may be a word as well is shown, since nothing tells one from the other.
        """
        known = self._known
        if known.veiling and name and len(name) >= STRONG and name not in known.words:
            known.veiled[kind] += 1
            self._keep(name, f"({kind} {known.veiled[kind]})", whole=True)

    def _keep(self, word: str | None, shown: str, *, whole: bool) -> None:
        known = self._known
        if word and (word := word.strip()) not in known.words and len(word) >= SHORTEST:
            known.add(word, shown, whole=whole)

    @property
    def hide(self) -> Callable[[str], str]:
        """What returns a text without the secrets of the run in hand; it goes on doing so when that has ended."""
        return self._known.hide

    def hidden(self, value: Any) -> Any:
        """Return the JSON value without the secrets in any of its strings."""
        hide = self.hide

        def of(inner: Any) -> Any:
            if isinstance(inner, str):
                return hide(inner)
            if isinstance(inner, dict):
                return {
                    hide(str(key)): HIDDEN if isinstance(member, str) and holds_a_secret(str(key)) else of(member)
                    for key, member in inner.items()
                }
            if isinstance(inner, list | tuple):
                return [of(member) for member in inner]
            return inner

        return of(value)


SECRETS = Secrets()


def printable(octets: bytes) -> str:
    """Return octets as text that every report can hold; what is not UTF-8 or is a control character is escaped."""
    return visible(octets.decode("utf-8", "backslashreplace"))


def _agreeing(text: str, begin: int, form: str, place: int) -> int:
    """Return how many characters a text has in common with a form, from a place of each on."""
    most = min(len(text) - begin, len(form) - place)
    if text.startswith(form[place:], begin):
        return most
    return next(count for count in range(most + 1) if count == most or text[begin + count] != form[place + count])


def _innocent(text: str, begin: int, end: int, form: _Form) -> bool:
    """Return whether what looks like a secret, or a part of one, says nothing of it."""
    if form.apart and (text[begin - 1 : begin].isalnum() or text[end : end + 1].isalnum()):
        return True
    found, whole = text[begin:end], end - begin == len(form.text)
    if not whole and len(found) < 2 * GRAM:
        # Of the digits of an id or a digest, a few are anybody's; what lies far off is not looked at.
        first = max(0, begin - LONGEST_DIGEST)
        around = DIGEST.finditer(text[first : end + LONGEST_DIGEST])
        if any(match.start() <= begin - first and end - first <= match.end() for match in around):
            return True
    return len(found) <= LONGEST_PUBLIC and _is_public(found.lower(), whole=whole)


@cache
def _is_public(found: str, *, whole: bool) -> bool:
    """Return whether our own texts have a word: to hide it there would tell it to whoever compares them."""
    texts = _own_texts()
    if not whole:
        return found.strip(string.punctuation + " ") in texts
    place = texts.find(found)
    while place >= 0:
        if not (texts[place - 1 : place].isalnum() or texts[place + len(found) : place + len(found) + 1].isalnum()):
            return True
        place = texts.find(found, place + 1)
    return False


@cache
def _own_texts() -> str:
    """Return all that the package says, which everybody may read."""
    return "\n".join(_texts_below(resources.files("pytest_cloudimages").iterdir())).lower()


def _texts_below(found: Iterable[Any]) -> Iterator[str]:
    for entry in found:
        if entry.is_dir():
            yield from _texts_below(entry.iterdir())
        elif entry.name.endswith((".py", ".toml", ".json", ".html", ".js")):
            yield entry.read_text("utf-8")


def _without(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with something else in place of some of its parts; those that meet are one."""
    merged: list[tuple[int, int, str]] = []
    for begin, end, shown in sorted(spans):
        if merged and begin <= merged[-1][1]:
            first, last, before = merged[-1]
            merged[-1] = first, max(last, end), before if before == HIDDEN else shown
        else:
            merged.append((begin, end, shown))
    if not merged:
        return text
    parts, done = [], 0
    for begin, end, shown in merged:
        parts += [text[done:begin], shown]
        done = end
    return "".join([*parts, text[done:]])
