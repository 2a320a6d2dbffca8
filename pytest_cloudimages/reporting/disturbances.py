"""The trouble that a run has met on the way, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_words(disturbances: Mapping[str, Any] | None) -> str:
    """Return how much trouble there was, in one line; empty where there was none, or nobody has counted it."""
    if not disturbances:
        return ""
    kinds, answers = disturbances["kinds"], disturbances["answers"]
    if not (troubled := sum(kinds.values())):
        return ""
    named = ", ".join(f"{number} × {kind}" for kind, number in kinds.items())
    again = disturbances["repeated"]
    return f"{troubled} of {answers} answers ({troubled / answers:.1%}): {named}; {again} requests were sent again"
