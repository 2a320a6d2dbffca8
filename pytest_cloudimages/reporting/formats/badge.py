"""A badge: how many of the requirements that were judged are met."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.formats.entries import OPEN, counts, shown
from pytest_cloudimages.reporting.plans import TAGS as TAGS_AREA
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE, TAGS = "Image API", "image tags"
"""What a badge is about: the whole of the API, or its tags where nothing else was asked."""
WIDTH = 7
"""Pixels that a character takes, about."""
COLOURS = {"brightgreen": "#2ea043", "yellow": "#bf8700", "red": "#cf222e", "lightgrey": "#6e7781"}
"""What shields.io calls the colours, and what they are."""


def label(data: Mapping[str, Any]) -> str:
    """Return what was judged."""
    asked = [entry["area"] for entry in data["requirements"] if entry["verdict"] != str(Verdict.UNTESTED)]
    return TAGS if asked and {*asked} == {TAGS_AREA} else WHOLE


def told(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the badge says, and in which colour."""
    number = counts(verdict for verdict, _ in shown(data))
    met = number.get(str(Verdict.PASS), 0) + number.get(str(Verdict.NOTED), 0)
    accepted = number.get(DEVIATES, 0)
    missed = number.get(str(Verdict.FAIL), 0) + number.get(str(Verdict.ADVISORY), 0)
    unjudged = sum(number.get(word, 0) for word in OPEN)
    judged = met + accepted + missed
    if not judged or data["ended"] != "whole":
        return "not judged", "lightgrey"
    text = f"{met} of {judged} met"
    text += f", {accepted} accepted" if accepted else ""
    text += f", {unjudged} not judged" if unjudged else ""
    if number.get(str(Verdict.FAIL)):
        return text, "red"
    return text, "yellow" if missed or unjudged else "brightgreen"


def as_endpoint(data: Mapping[str, Any]) -> str:
    """Return what the endpoint badge of shields.io reads."""
    message, colour = told(data)
    return json.dumps({"schemaVersion": 1, "label": label(data), "message": message, "color": colour}) + "\n"


def render(data: Mapping[str, Any]) -> str:
    """Return the badge as SVG."""
    message, colour = told(data)
    about = label(data)
    left, right = (len(text) * WIDTH + 10 for text in (about, message))
    title = f"{about}: {message}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" rx="3" fill="{COLOURS[colour]}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2}" y="14">{about}</text><text x="{left + right / 2}" y="14">{message}</text>'
        "</g></svg>\n"
    )
