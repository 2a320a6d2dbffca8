"""JSON as services send it, read so that no document does harm, and none is taken for what it does not clearly say."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from pytest_cloudimages.spec.verdicts import Blocked

DEEPEST = 64
"""How deep arrays and objects of a document may be nested; those of the API are three deep."""
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, also one that does not end."""
_BRACKETS = re.compile(r"[\[\]{}]")
MOST_VALUES = 50_000
"""Values of a document; a page of a hundred images with all they may have holds fewer."""
LONGEST_NUMBER = 300
"""Digits of a whole number that is read as one."""


class NotRead(Blocked):
    """A document that is not read, though it may be JSON: nobody can tell what is meant, or it has no end."""


def parsed(octets: bytes | str) -> Any:
    """Return what a document says; ``None`` where it is no JSON.

    Numbers that no double can hold stay texts. (RFC 8259, 6.) Raise ``NotRead`` where it is nested too deep, holds
    too much, or an object has two values of one name: which of them counts depends on who reads it. (RFC 8259, 4.)
    """
    try:
        text = octets if isinstance(octets, str) else octets.decode(json.detect_encoding(octets), "surrogatepass")
        text = text.removeprefix("\ufeff")
        if _depth(text) > DEEPEST:
            raise NotRead(f"JSON is nested more than {DEEPEST} deep.")
        if text.count(",") > MOST_VALUES:
            raise NotRead(f"JSON has more than {MOST_VALUES} values.")
        return _DECODER.decode(text)
    except ValueError:
        return None


def clearly(octets: bytes | str) -> Any:
    """Return what a document says; ``None`` where it is no JSON, or is not read."""
    try:
        return parsed(octets)
    except NotRead:
        return None


def referred(part: Any, whole: Any) -> Any:
    """Return what a part of a schema says, or the part of the same schema that it refers to by ``$ref``.

    A reference to another document, or to what is not there, says nothing. (JSON Reference, 3; RFC 6901.)
    """
    for _ in range(DEEPEST):
        if (only := only_part(part)) is not None:
            part = only
            continue
        reference = part.get("$ref") if isinstance(part, dict) else None
        if not isinstance(reference, str):
            return part
        part = at_pointer(whole, reference[1:]) if reference.startswith("#") else None
    return None


def only_part(part: Any) -> Any:
    """Return the one schema of which another says that all of it holds, as generators write them; ``None`` for none."""
    parts = part.get("allOf") if isinstance(part, dict) else None
    return parts[0] if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict) else None


def at_pointer(whole: Any, pointer: str) -> Any:
    """Return what is at a pointer in a document of objects (RFC 6901, 4); ``None`` where nothing is.

    What is none is the id of a part of it. (JSON Schema Draft 4, 7.2.3.)
    """
    if pointer[:1] not in ("", "/"):
        return next((part for part in _objects(whole) if part.get("id") == f"#{pointer}"), None)
    for name in pointer.split("/")[1:]:
        key = name.replace("~1", "/").replace("~0", "~")
        whole = whole.get(key) if isinstance(whole, dict) else None
    return whole


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in a document, from the outside inwards."""
    if isinstance(part, dict):
        yield part
    for each in [*part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from _objects(each)


def _depth(text: str) -> int:
    """Return how deep a document is nested, at the deepest."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return 0
    deepest = depth = 0
    for bracket in _BRACKETS.finditer(_STRING.sub("", text)):
        if bracket[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
        else:
            depth -= 1
    return deepest


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= LONGEST_NUMBER else text


def _fraction(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                raise NotRead(f"An object has two values named {name[:60]!r}.")
    return found


_DECODER = json.JSONDecoder(
    parse_int=_whole, parse_float=_fraction, parse_constant=_no_number, object_pairs_hook=_object
)
"""Made once: the module would make one for each document."""
