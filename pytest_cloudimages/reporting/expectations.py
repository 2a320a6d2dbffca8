"""What was expected of an answer, and what came, in a form by which another answer is judged. No I/O."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STATUS = re.compile(r"[1-5](xx|[0-9]{2})|0")
BUT = "anything but "


class NoPlanError(Exception):
    """A finding that no few requests show, with the reason."""


def given(exchange: Mapping[str, Any]) -> dict[str, str]:
    """Return the class of the answer that a finding is about, where it is about what comes of a request."""
    return {"given": f"{exchange['status'] // 100}xx"}


def statuses(expected: object) -> dict[str, list[str]]:
    """Return the statuses that may come, or those that may not."""
    if isinstance(expected, str) and expected.startswith(BUT):
        words = expected.removeprefix(BUT).split(", ")
        if all(map(STATUS.fullmatch, words)):
            return {"refused": words}
    words = expected.split(" or ") if isinstance(expected, str) else []
    if isinstance(expected, list | int):
        words = list(map(str, expected if isinstance(expected, list) else [expected]))
    if not words or not all(map(STATUS.fullmatch, words)):
        raise NoPlanError(f"what is expected of the status is told in words: {expected}")
    return {"allowed": words}


def values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value that is wrong, and those that are right as far as they can be told without words."""
    expected = entry["expected"]
    found = {"wrong": entry["actual"], "words": str(expected)}
    if isinstance(expected, list) and not isinstance(entry["actual"], list):
        return {**found, "allowed": expected}
    return found


def field(what: str, exchange: Mapping[str, Any], actual: object) -> str:
    """Return which field of an answer was compared: the body, or a header that has what came."""
    name = re.split(r" of | after ", what, maxsplit=1)[0]
    if name == "body" and exchange["answer"] == actual:
        return "body"
    values = [value for header, value in exchange["answer_headers"] if header.lower() == name.lower()]
    return f"header {name}" if values == [actual] or (actual is None and not values and name[:1].isupper()) else ""


def status_fits(expect: Mapping[str, Any], status: int) -> bool:
    """Return whether a status is one that may come."""
    if "refused" in expect:
        return not _among(expect["refused"], status)
    return _among(expect["allowed"], status)


def _among(words: Iterable[str], status: int) -> bool:
    return any(fnmatchcase(str(status), word.replace("x", "?")) for word in words)
