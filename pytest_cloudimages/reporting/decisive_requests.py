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
TAGS = re.compile(r'"tags":\s*(\[(?:"(?:[^"\\]|\\.)*"(?:,\s*)?)*\])')
"""The tags of an image in an answer, which reports show with escapes that are none of JSON's."""
REPEATED = re.compile(r"((?:%[0-9A-F]{2}){1,4}?|[^0-9/])\1{9,}")
"""What is repeated so often that its number says more."""
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def decisive(entry: Mapping[str, Any]) -> list[str]:
    """Return the request that the finding is about, and what led to it, in at most three lines; then what is amiss.

    Ids of images and members are written as {A}, {B} and so on.
    """
    steps = list(entry.get("exchanges", ()))
    if not steps:
        return []
    about = _about(steps, str(entry.get("what", "")))
    places = sorted([*_leading(steps[:about], entry), about])
    lines = [_line(steps[place]) for place in places]
    amiss = {name: entry.get(name) for name in ("missing", "unexpected")}
    lines += [
        in_one_line(f"{name}: {_short(', '.join(map(ascii, values)))}")
        for name, values in amiss.items()
        if isinstance(values, list) and values
    ]
    names: dict[str, str] = {}
    return [ID.sub(lambda match: _named(match[0], names), line) for line in lines]


def _about(steps: Sequence[Mapping[str, Any]], what: str) -> int:
    """Return the place of the request that a finding names; of the last one where it names none."""
    named = [place for place, step in enumerate(steps) if f"{step['method']} {step['target']}" in what]
    # An address may begin another that is named.
    return max(named, key=lambda place: (len(steps[place]["target"]), place), default=len(steps) - 1)


def _leading(steps: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[int]:
    """Return the places of what led to a finding: writes on its tags, else the last ones, else what was read before."""
    writes = [place for place, step in enumerate(steps) if step["method"] not in READS]
    tags = [tag for name in ("missing", "unexpected") for tag in entry.get(name) or () if isinstance(tag, str)]
    on_these = [place for place in writes if any(_names(steps[place], tag) for tag in tags)]
    rest = [place for place in writes if place not in on_these]
    reads = [place for place, step in enumerate(steps) if step["method"] in READS]
    # What comes last in this row comes first into the report.
    return [*reads, *rest, *on_these][-(MOST - 1) :]


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
    """Return what an answer says of tags, or how many images or members it lists."""
    if found := TAGS.search(step["answer"]):
        return f"tags: {_short(found[1])}"
    data = clearly(step["answer"])
    lists = [name for name in ("images", "members") if isinstance(data, dict) and isinstance(data.get(name), list)]
    return f"{len(data[lists[0]])} {lists[0]}" if lists else ""


def _short(text: str) -> str:
    text = REPEATED.sub(lambda match: f"{match[1]}×{len(match[0]) // len(match[1])}", text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _named(identifier: str, names: dict[str, str]) -> str:
    return names.setdefault(identifier, f"{{{chr(ord('A') + len(names))}}}" if len(names) < 26 else identifier)  # noqa: PLR2004
