"""How long answers took, by operation."""

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

OPERATIONS = (
    "GET /images",
    "POST /images",
    "GET /images/{image_id}",
    "PATCH /images/{image_id}",
    "DELETE /images/{image_id}",
    "PUT /images/{image_id}/tags/{tag}",
    "DELETE /images/{image_id}/tags/{tag}",
    "PUT /images/{image_id}/file",
    "GET /images/{image_id}/file",
    "POST /images/{image_id}/actions/{action}",
    "GET /images/{image_id}/members",
    "POST /images/{image_id}/members",
    "GET /images/{image_id}/members/{member_id}",
    "PUT /images/{image_id}/members/{member_id}",
    "DELETE /images/{image_id}/members/{member_id}",
    "GET /schemas/{name}",
    "GET /tasks",
    "POST /tasks",
    "GET /tasks/{task_id}",
)
"""The operations that documents know, as they write them."""
OTHER = "other requests"


def _pattern(operation: str) -> re.Pattern[str]:
    """Return what the method and target of an operation look like, whatever path the endpoint has."""
    method, _, path = operation.partition(" ")
    return re.compile(rf"{method} (?:/[^?]*)?/v2{re.sub('{[^}]*}', '[^/?]+', path)}(?:[?].*)?", re.DOTALL)


PATTERNS: dict[str, dict[str, re.Pattern[str]]] = {}
"""The operations of each method, with what their requests look like."""
for _operation in OPERATIONS:
    PATTERNS.setdefault(_operation.partition(" ")[0], {})[_operation] = _pattern(_operation)


def operation_of(method: str, target: str) -> str:
    """Return the operation that a request asks for, as documents write it; nothing of what was drawn is in it.

    >>> operation_of("PUT", "/v2/images/6e0b/tags/miracle?x=1")
    'PUT /images/{image_id}/tags/{tag}'
    """
    request = f"{method} {target}"
    known = PATTERNS.get(method, {}).items()
    return next((operation for operation, pattern in known if pattern.fullmatch(request)), OTHER)


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
