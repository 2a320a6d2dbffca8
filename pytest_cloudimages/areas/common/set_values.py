"""What a patch sets of an image, as far as nobody has a reason to store it otherwise. No I/O."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_cloudimages.areas.common.readings import alike, plain
from pytest_cloudimages.client.exchange import KEPT_OCTETS, Exchange

PLAIN = frozenset({"name", "visibility", "protected", "os_hidden", "min_disk", "min_ram"})
"""The attributes that every owner may set; those of one's own are for others to ask about (IMG-UPD-11, IMG-UPD-14)."""
PLAIN_TEXT = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._ ]{0,62}[A-Za-z0-9])?")
MOST = 1024
"""Up to it, no quota and no size of a column has anything to say to a number of megabytes or gigabytes."""


def set_by(exchange: Exchange) -> Mapping[str, object]:
    """Return what the operations of a patch leave of plain attributes; nothing where any of them is unusual."""
    try:
        operations = json.loads(exchange.body) if len(exchange.body) < KEPT_OCTETS else None
    except ValueError:
        return {}
    values: dict[str, object] = {}
    for each in operations if isinstance(operations, list) else ():
        path = each.get("path") if isinstance(each, dict) else None
        if not isinstance(path, str) or not path.startswith("/") or "~" in path or "/" in path[1:]:
            return {}
        name, operation = path[1:], each.get("op")
        values.pop(name, None)
        if operation in ("add", "replace") and name in PLAIN and _is_plain(each.get("value")):
            values[name] = each["value"]
        elif operation not in ("add", "replace", "remove"):
            return {}
    return values


def kept_otherwise(values: Mapping[str, object], shown: Mapping[str, Any]) -> Mapping[str, object]:
    """Return which of the values that were set are shown otherwise, or not at all."""
    return {name: value for name, value in values.items() if not _is_shown(name, value, shown)}


def _is_shown(name: str, value: object, shown: Mapping[str, Any]) -> bool:
    if name not in shown and "status" not in shown:
        return True  # no whole image, which is for others to say
    return name in shown and alike(plain(name, value), plain(name, shown[name]))


def _is_plain(value: object) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return 0 <= value <= MOST
    return isinstance(value, str) and bool(PLAIN_TEXT.fullmatch(value))
