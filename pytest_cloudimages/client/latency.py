"""How long answers took, by operation."""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

COLLECTIONS = {"images": "image_id", "tags": "tag", "members": "member_id", "schemas": "name", "tasks": "task_id"}
"""What stands behind the name of a collection in a path, as the documents write it."""
OTHER = "other requests"


def operation_of(method: str, target: str) -> str:
    """Return the operation that a request asks for, as documents write it; nothing of what was drawn is in it.

    >>> operation_of("PUT", "/v2/images/6e0b/tags/miracle?x=1")
    'PUT /images/{image_id}/tags/{tag}'
    """
    words = [unquote(word) for word in target.partition("?")[0].split("/") if word]
    begins = next((place for place, word in enumerate(words) if word in COLLECTIONS), None)
    if begins is None or not method.isascii() or not method.isupper():
        return OTHER
    shape: list[str] = []
    for place, word in enumerate(words[begins:]):
        if place % 2 == 0 and word not in COLLECTIONS:
            return OTHER
        shape.append(f"{{{COLLECTIONS[shape[-1]]}}}" if place % 2 else word)
    return f"{method} /{'/'.join(shape)}" if len(shape) <= 4 else OTHER  # noqa: PLR2004 - no document goes deeper


class Latencies:
    """The times that answers took, kept as long as a run lasts."""

    def __init__(self) -> None:
        self._seconds: dict[str, array[float]] = {}

    def add(self, method: str, target: str, seconds: float) -> None:
        """Keep how long an answer took."""
        self._seconds.setdefault(operation_of(method, target), array("d")).append(seconds)

    def summary(self) -> Mapping[str, Mapping[str, Any]]:
        """Return count, median, 95th percentile and maximum by operation, the most frequent first."""
        by_count = sorted(self._seconds.items(), key=lambda item: (-len(item[1]), item[0]))
        return {operation: _summarized(sorted(seconds)) for operation, seconds in by_count}


def _summarized(ordered: Sequence[float]) -> dict[str, Any]:
    def rank(share: float) -> float:
        """Return the smallest value that this share of all does not exceed."""
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 6)

    return {"count": len(ordered), "p50": rank(0.5), "p95": rank(0.95), "max": rank(1)}
