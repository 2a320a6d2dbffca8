"""Changes that services make to tags: normalisation forms and the removal of accents. No I/O."""

import unicodedata
from collections.abc import Callable
from typing import Literal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def normalized(form: Form) -> Callable[[str], str]:
    """Return the function that brings a tag into a normalisation form of Unicode (Standard Annex 15)."""
    return lambda tag: unicodedata.normalize(form, tag)


def without_accents(tag: str) -> str:
    """Return a tag in form D without its combining characters; accents alone leave nothing."""
    return "".join(character for character in unicodedata.normalize("NFD", tag) if not unicodedata.combining(character))
