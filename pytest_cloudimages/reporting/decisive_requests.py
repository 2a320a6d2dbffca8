"""The few requests that show a finding, each in a line, for whoever compares services."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.client.identifiers import UUID
from pytest_cloudimages.client.json_documents import clearly
from pytest_cloudimages.client.showing import in_one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

MOST = 3
"""Requests that are shown of a finding."""
LONGEST = 160
"""Characters of a target, a body or an answer that are shown."""
USUAL_TYPES = ("application/json", "application/openstack-images-v2.1-json-patch")
"""Of which type bodies are sent where it is not about that."""
READS = ("GET", "HEAD", "OPTIONS")
TAG = r'"(?:[^"\\]|\\.)*"'
TAGS = re.compile(rf'"tags":\s*\[((?:{TAG}(?:,\s*)?)*)\]')
"""The tags of an image in an answer, which reports show with escapes that are none of JSON's."""
PROJECT = re.compile(r'(?:/members/|"member(?:_id)?": ")([0-9a-f]{32})')
"""Where an exchange names a member by what Keystone calls a project."""
REPEATED = re.compile(r"((?:%[0-9A-F]{2}){1,4}?|[^0-9/])\1{9,}")
"""What is repeated so often that its number says more."""


def decisive(entry: Mapping[str, Any]) -> list[str]:
    """Return the request that the finding is about, and what led to it, in at most three lines; then what is amiss.

    Ids of images and members are written as {A}, {B} and so on.
    """
    steps = list(entry.get("exchanges", ()))
    if not steps:
        return []
    about = _about(steps, str(entry.get("what", "")))
    shown = [steps[place] for place in sorted([*_leading(steps[:about], entry), about])]
    named = {_folded(tag) for tag in [*_at_odds(entry), *filter(None, map(_tag, shown))]}
    lines = [*(_line(step, named) for step in shown), *_amiss(entry)]
    projects = {
        found for step in shown for text in ("target", "body", "answer") for found in PROJECT.findall(step[text])
    }
    known = re.compile("|".join([UUID, *sorted(projects)]))
    names: dict[str, str] = {}
    return [known.sub(lambda match: _named(match[0], names), line) for line in lines]


def _amiss(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong: what is missing or too much, what no order explains, or what was expected instead."""
    lists = {name: entry.get(name) for name in ("missing", "unexpected")}
    found = [(name, values) for name, values in lists.items() if isinstance(values, list) and values]
    for name, values in found:
        yield in_one_line(f"{name}: {_short(', '.join(map(ascii, values)))}")
    if found:
        return
    if witnesses := entry.get("witnesses"):
        yield in_one_line(str(witnesses[0]["text"]).partition("\n")[0])
    elif "expected" in entry and "actual" in entry:
        yield in_one_line(f"expected: {_short(ascii(entry['expected']))}; came: {_short(ascii(entry['actual']))}")


def _about(steps: Sequence[Mapping[str, Any]], what: str) -> int:
    """Return the place of the request that a finding names; of the last one where it names none."""
    named = [place for place, step in enumerate(steps) if f"{step['method']} {step['target']}" in what]
    # An address may begin another that is named.
    return max(named, key=lambda place: (len(steps[place]["target"]), place), default=len(steps) - 1)


def _leading(steps: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[int]:
    """Return the places of what led to a finding: writes on its tags, else the last ones, else what was read before."""
    writes = [place for place, step in enumerate(steps) if step["method"] not in READS]
    on_these = [place for place in writes if any(_names(steps[place], tag) for tag in _at_odds(entry))]
    rest = [place for place in writes if place not in on_these]
    reads = [place for place, step in enumerate(steps) if step["method"] in READS]
    # What comes last in this row comes first into the report.
    return [*reads, *rest, *on_these][-(MOST - 1) :]


def _at_odds(entry: Mapping[str, Any]) -> list[str]:
    """Return the texts that are missing or too much."""
    return [text for name in ("missing", "unexpected") for text in entry.get(name) or () if isinstance(text, str)]


def _tag(step: Mapping[str, Any]) -> str:
    """Return the tag that a request names by its address; empty where it names none."""
    return unquote(step["target"].partition("/tags/")[2])


def _names(step: Mapping[str, Any], tag: str) -> bool:
    """Return whether a request is on a tag, by its address or in its body."""
    return _tag(step) == tag or json.dumps(tag) in step["body"]


def _line(step: Mapping[str, Any], named: Collection[str]) -> str:
    asked = f"{step['method']} {_short(step['target'])}"
    asked += f" with {_short(step['body'])}{_oddly_typed(step)}" if step["body"] else ""
    asked += f" as {step['caller']}" if step["caller"] != TESTER else ""
    came = str(step["status"] or "no answer")
    shown = _shown(step, named)
    return in_one_line(f"{asked} → {came}{f', {shown}' if shown else ''}")


def _oddly_typed(step: Mapping[str, Any]) -> str:
    """Return of which type a body was said to be, where it is none of the API's."""
    if "headers" not in step:
        return ""
    kind = next((value for name, value in step["headers"] if name.lower() == "content-type"), "")
    return "" if kind in USUAL_TYPES else f" of type {_short(kind)}" if kind else " of no type"


def _shown(step: Mapping[str, Any], named: Collection[str]) -> str:
    """Return what an answer says of tags, which members it lists, or how many images."""
    if found := TAGS.search(step["answer"]):
        return f"tags: [{_few([*re.findall(TAG, found[1])], named)}]"
    data = clearly(step["answer"])
    lists = data if isinstance(data, dict) else {}
    if isinstance(members := lists.get("members"), list):
        ids = [str(member.get("member_id") if isinstance(member, dict) else member) for member in members]
        return f"{len(ids)} members: {_few(ids, named)}" if ids else "0 members"
    return f"{len(lists['images'])} images" if isinstance(lists.get("images"), list) else ""


def _few(items: Sequence[str], named: Collection[str]) -> str:
    """Return items in their order; of many, those that are like what a finding names, and some others."""
    whole = ", ".join(map(_short, items))
    if len(whole) <= LONGEST:
        return whole
    alike = [place for place, item in enumerate(items) if _folded(item.strip('"')) in named]
    kept: list[int] = []
    room = LONGEST
    for place in [*alike, *(place for place in range(len(items)) if place not in alike)]:
        room -= len(_short(items[place])) + 2
        if room < 0:
            break
        kept.append(place)
    return ", ".join([*(_short(items[place]) for place in sorted(kept)), f"… {len(items) - len(kept)} more"])


def _folded(text: str) -> str:
    """Return a text as it is compared by what looks neither at letter case nor at blanks around it."""
    return text.strip().casefold()


def _short(text: str) -> str:
    text = REPEATED.sub(lambda match: f"{match[1]}×{len(match[0]) // len(match[1])}", text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _named(identifier: str, names: dict[str, str]) -> str:
    return names.setdefault(identifier, f"{{{chr(ord('A') + len(names))}}}" if len(names) < 26 else identifier)  # noqa: PLR2004
