"""Ids that services give: which of them stay where they are put in a path."""

import re
from typing import TypeGuard

FIT_FOR_A_PATH = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}(\.[0-9A-Za-z_-]{1,127}){0,3}")
"""An id that stays where it is put in a path: a UUID, or what is as harmless."""
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""What matches the id of an image as services write it."""
LONGEST_SHOWN = 80
"""Characters of any other id that a message quotes."""


def is_fit(identifier: object) -> TypeGuard[str]:
    """Return whether an id can stand in a path: with any other, a request may reach what belongs to somebody else."""
    return isinstance(identifier, str) and FIT_FOR_A_PATH.fullmatch(identifier) is not None


def shown_id(identifier: object) -> str:
    """Return an id as a message quotes it."""
    text = ascii(identifier)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(text)} characters)"
