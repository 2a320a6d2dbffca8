"""The few requests that show a finding, each in a line, for whoever compares services."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.client.json_documents import clearly
from pytest_cloudimages.client.showing import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 3
"""Requests that are shown of a finding."""
LONGEST = 160
"""Characters of a target, a body or an answer that are shown."""
READS = ("GET", "HEAD", "OPTIONS")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def decisive(entry: Mapping[str, Any]) -> list[str]:
    """Return at most three lines: the request that the finding is about, and what led to it.

    Ids of images and members are written as {A}, {B} and so on.
    """
    steps = list(entry.get("exchanges", ()))
    if not steps:
        return []
    about = _about(steps, str(entry.get("what", "")))
    places = sorted([*_leading(steps[:about], entry), about])
    lines = [_line(steps[place]) for place in places]
    names: dict[str, str] = {}
    return [ID.sub(lambda match: _named(match[0], names), line) for line in lines]


def _about(steps: Sequence[Mapping[str, Any]], what: str) -> int:
    """Return the place of the request that a finding names; of the last one where it names none."""
    named = [place for place, step in enumerate(steps) if f"{step['method']} {step['target']}" in what]
    return named[-1] if named else len(steps) - 1


def _leading(steps: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[int]:
    """Return the places of the writes that led to a finding: of those on its tags, or else the last ones."""
    writes = [place for place, step in enumerate(steps) if step["method"] not in READS]
    tags = [tag for name in ("missing", "unexpected") for tag in entry.get(name) or () if isinstance(tag, str)]
    on_these = [place for place in writes if any(_names(steps[place], tag) for tag in tags)]
    rest = [place for place in writes if place not in on_these]
    room = MOST - 1
    first = on_these[-room:]
    return [*rest[len(rest) - (room - len(first)) :], *first] if len(first) < room else first


def _names(step: Mapping[str, Any], tag: str) -> bool:
    """Return whether a request is on a tag, by its address or in its body."""
    from urllib.parse import unquote

    return unquote(step["target"]).endswith(f"/tags/{tag}") or json.dumps(tag) in step["body"]


def _line(step: Mapping[str, Any]) -> str:
    asked = f"{step['method']} {_short(step['target'])}"
    asked += f" with {_short(step['body'])}" if step["body"] else ""
    asked += f" as {step['caller']}" if step["caller"] != TESTER else ""
    came = str(step["status"] or "no answer")
    shown = _shown(step)
    return in_one_line(f"{asked} → {came}{f', {shown}' if shown else ''}")


def _shown(step: Mapping[str, Any]) -> str:
    """Return what an answer says of tags, of images by their tags, or of what went wrong."""
    data = clearly(step["answer"])
    if not isinstance(data, dict):
        return ""
    if "tags" in data:
        return f"tags: {_short(json.dumps(data['tags'], ensure_ascii=False))}"
    if isinstance(data.get("images"), list):
        return f"{len(data['images'])} images"
    if isinstance(data.get("members"), list):
        return f"{len(data['members'])} members"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _named(identifier: str, names: dict[str, str]) -> str:
    return names.setdefault(identifier, f"{{{chr(ord('A') + len(names))}}}" if len(names) < 26 else identifier)  # noqa: PLR2004
