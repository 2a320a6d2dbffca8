"""How a list of strings is read out of what the API represents."""

from typing import Any

NONE: tuple[object, ...] = (None, {}, "")
"""What is shown in place of an empty list, where that is not shown as one."""


def shown_strings(data: Any, name: str) -> tuple[str, ...] | None:
    """Return the list of strings of this name that an object of the API shows; ``None`` where it shows none.

    That an object which says what it is shows null for none, is a question of its own: nothing is in the list all the
    same, and whatever else is asked of it can be answered. What is left out may be whatever it is: that is not known.
    """
    if not isinstance(data, dict) or name not in data:
        return None
    found = data[name]
    if found in NONE:
        return () if isinstance(data.get("id"), str) else None
    return tuple(found) if isinstance(found, list) and all(isinstance(value, str) for value in found) else None
