"""Secrets in every form that a service, a shell or a report may write them in, and texts that only look like them."""

from __future__ import annotations

import base64
import html
import random
import string
import sys
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_cloudimages.client.redaction import HIDDEN, Secrets

sys.path.insert(0, str(Path(__file__).parent))

from secret_forms import FORMS

FRAGMENT = 6
"""Characters of a secret that nothing may show together."""


PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=3, max_size=40)
LETTERS = st.text(st.characters(exclude_categories=["C", "Z"], max_codepoint=0x2FFF), min_size=3, max_size=40)
TOKENS = st.from_regex(r"[A-Za-z0-9_=-]{20,60}", fullmatch=True)
WORDS = st.one_of(PRINTABLE, LETTERS, TOKENS).map("Zq7{}x9K".format)
"""Secrets that are no word of ours, whatever Hypothesis finds in our sources."""


def keeping(*words: str) -> Secrets:
    """Return secrets that know these words."""
    secrets = Secrets()
    for word in words:
        secrets.keep(word)
    return secrets


@given(word=WORDS)
@example(word="p@ss/w+rd=&'\"<\\>% é漢😀")
@example(word="gAAAAABmQx_3-yK9w7ZJ1v0PzT5sE2rN8bL4cVhF6uDgWkXqIoMnYaRtSpCjBHlGQdUeAiOfKyLmNzPwXvTs==")
@example(word="7c2b9a5ed1f04386a9be0d3c5f718e24")
@example(word="Zq7\\'0x9K")  # what HTML makes of it looks like a backslash before an ampersand
@example(word="Zq7\\&amp;éé&amp;\\x9K")  # it has two kinds of escapes of its own
@settings(max_examples=60, deadline=None)
def test_a_secret_is_hidden_in_every_form(word: str) -> None:
    """Nothing is left of it, and what stands around it stays."""
    secrets = keeping(word)
    for form, write in FORMS.items():
        written = write(word)
        hidden = secrets.hide(f"begin {written} end")

        assert (form, written in hidden, HIDDEN in hidden) == (form, False, True)
        assert (form, hidden[:6], hidden[-4:]) == (form, "begin ", " end")


def drawn(seed: int) -> str:
    """Return a token as a service draws it: Hypothesis would rather have letters in the order of the alphabet."""
    return "".join(random.Random(seed).choices(f"{string.ascii_letters}{string.digits}-_", k=40))  # noqa: S311 - no secret


@given(data=st.data(), word=st.integers(0, 2**32).map(drawn))
@settings(max_examples=60, deadline=None)
def test_nothing_that_says_something_is_left_of_a_secret_that_was_cut(data: st.DataObject, word: str) -> None:
    """Wherever whoever shows it has cut it: at the begin, at the end, or at both."""
    secrets = keeping(word)
    # The last digit of base64 has bits of what follows; it and its padding are none of the word.
    for form, least in {"raw": 6, "base64": 9, "base64 behind one octet": 9, "hex": 12}.items():
        written = FORMS[form](word).rstrip("=")
        begin = data.draw(st.integers(0, len(written)))
        part = written[begin : data.draw(st.integers(begin, len(written)))]
        if form == "base64 behind one octet":
            part = part[2:]  # what stands before the word is none of it
        hidden = secrets.hide(f"({part})")
        left = [part[place : place + least] for place in range(len(part) - least + 1)]

        assert [piece for piece in left if piece in hidden and len({*piece}) > 1] == []


@pytest.mark.parametrize("form", ["url, every octet", "JSON, every letter", "HTML, numbered", "shell in JSON"])
def test_an_escape_that_was_cut_hides_nothing(form: str) -> None:
    """Half an escape at the end is none, and what stands before it is unescaped all the same."""
    word = "Zq7-k2'Wm4Rt\"8x9K"
    written = FORMS[form](word)
    for end in range(len(written)):
        hidden = keeping(word).hide(written[:end])
        for _ in range(3):
            hidden = html.unescape(urllib.parse.unquote(hidden))
        assert not any(word[place : place + 7] in hidden for place in range(len(word) - 6))


@pytest.mark.parametrize(
    "word", ["a", "abc", "admin", "tags", "image", "requirements", "visibility", "TAG-ADD-01", "latest"]
)
def test_a_word_of_ours_is_not_hidden(word: str) -> None:
    """Whoever compares the report with our own texts, which everybody may read, would read the secret off it."""
    text = f"The {word} of {word}s is {word}."

    assert keeping(word).hide(text) == text


@pytest.mark.parametrize(
    ("word", "text", "shown"),
    [
        ("wqzk", "wqzk wqzks awqzk -wqzk- %77qzk", "*** wqzks awqzk -***- ***"),
        ("kiosk7", "kiosk7 kiosk77 (kiosk7)", "*** kiosk77 (***)"),
        ("kiosk7", base64.b64encode(b"user:kiosk7").decode(), "dXNlcjp***c="),
        # Of a passphrase, its plain words say nothing alone.
        ("correct image battery 7x", "is that correct: correct image battery 7x", "is that correct: ***"),
    ],
)
def test_a_short_secret_stands_apart(word: str, text: str, shown: str) -> None:
    """It is not looked for inside other words."""
    assert keeping(word).hide(text) == shown


def test_the_digits_of_an_id_are_not_those_of_a_token() -> None:
    """A few of them are anybody's; where more agree, or where they stand alone, they are hidden."""
    secrets = keeping("7c2b9a5ed1f04386a9be0d3c5f718e24")

    assert secrets.hide("id 11117c2b-9a5e-4444-8888-121212121212") == "id 11117c2b-9a5e-4444-8888-121212121212"
    assert secrets.hide("sum 00007c2b9a5e00000000000000000000") == "sum 00007c2b9a5e00000000000000000000"
    assert secrets.hide("cut 7c2b9a") == "cut ***"
    assert secrets.hide("0000000000007c2b9a5ed1f0438600000000") == "000000000000***00000000"


def test_what_names_somebody_is_veiled_as_a_whole() -> None:
    """A part of it names nobody, a name that may be a word is shown, and a run that may name everybody veils nothing."""
    project, other = "7c2b9a5ed1f04386a9be0d3c5f718e24", "1f0d3c5f718e247c2b9a5ed4386a9be0"
    text = f"owner {project}, member {other}, part {project[:12]}, name demo"
    secrets, end = Secrets(), []
    for veiling in (True, False):
        end.append(secrets.begin(veiling=veiling))
        for name in (project, other, "demo", project):
            secrets.veil(name, "project")
        secrets.keep("Zq7-secret")
        shown = secrets.hide(f"{text} Zq7-secret")
        veiled = f"owner (project 1), member (project 2), part {project[:12]}, name demo ***"

        assert shown == (veiled if veiling else f"{text} ***")


def test_a_secret_of_one_letter_does_not_blot_the_report() -> None:
    """The same letter again and again is anybody's."""
    assert keeping("k" * 40).hide("k" * 20) == "k" * 20
    assert keeping("k" * 40).hide("k" * 40) == HIDDEN


def test_what_is_learned_later_is_hidden_too() -> None:
    """A text that was shown before is not remembered as harmless."""
    secrets = keeping("Zq7-first-1")
    assert secrets.hide("Zq7-first-1 Xw3+later+2") == "*** Xw3+later+2"
    secrets.keep("Xw3+later+2")
    assert secrets.hide("Zq7-first-1 Xw3+later+2") == "*** ***"
