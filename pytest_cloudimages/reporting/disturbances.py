"""The trouble that a run has met on the way, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


def added_up(shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the trouble that several runs have met together."""
    kinds: Counter[str] = Counter()
    for disturbances in shards:
        kinds.update(disturbances["kinds"])
    sums = {name: sum(disturbances[name] for disturbances in shards) for name in ("answers", "repeated")}
    return {"answers": sums["answers"], "kinds": dict(kinds.most_common()), "repeated": sums["repeated"]}
