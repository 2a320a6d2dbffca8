"""The witness of an anomaly as a picture: one lane for each client, a bar from sent to answered."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_cloudimages.history.events import Anomaly, Event

WIDTH = 700
LEFT, RIGHT = 80, 20
TOP, BOTTOM = 36, 28
ROW = 36
LETTER = 6.7
"""The width of a letter of the labels, which are set in a fixed width."""
LONGEST = 84
# The picture brings its own ground, so that it can be read on a light page and on a dark one.
GROUND, LINE, INK, BAR, WRONG = "#ffffff", "#d0d7de", "#24292f", "#0969da", "#cf222e"


@dataclass(frozen=True, slots=True)
class Placed:
    """A bar with its label, in one row of its client's lane."""

    event: Event
    label: str
    left: float
    right: float
    text: float
    row: int


def timeline(anomaly: Anomaly) -> str:
    """Draw the witness; the event whose answer nothing explains is red. The SVG needs nothing besides itself."""
    begun = min(event.sent for event in anomaly.witness)
    ended = max(event.sent if event.answered is None else max(event.answered, event.sent) for event in anomaly.witness)
    # A moment that no clock could measure still has a width to draw; what is unanswered goes on beyond the last answer.
    span = (ended - begun) * (1.1 if any(event.answered is None for event in anomaly.witness) else 1) or 0.001

    def x(moment: float) -> float:
        return LEFT + (moment - begun) / span * (WIDTH - LEFT - RIGHT)

    parts, y = [], TOP
    for client in sorted({event.client for event in anomaly.witness}):
        placed = _placed([event for event in anomaly.witness if event.client == client], anomaly, x)
        parts.append(_text(8, y + 23, f"client {client}", INK))
        parts += [_bar(bar, y + bar.row * ROW, wrong=bar.event is anomaly.impossible) for bar in placed]
        y += ROW * (1 + max(bar.row for bar in placed))
        parts.append(f'<line x1="0" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="{LINE}"/>')
    height = y + BOTTOM
    title = anomaly.heading
    parts += [
        _text(LEFT, y + 18, "0 ms", INK),
        _text(WIDTH - RIGHT, y + 18, f"{span * 1000:.1f} ms", INK, anchor="end"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' style="max-width:100%;height:auto" role="img" aria-label="{html.escape(title)}"'
        f' font-family="ui-monospace,Menlo,Consolas,monospace" font-size="11">'
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{GROUND}" stroke="{LINE}"/>'
        f"{_text(8, 20, _cut(title), INK, weight='bold')}"
        f'<line x1="0" y1="{TOP}" x2="{WIDTH}" y2="{TOP}" stroke="{LINE}"/>{"".join(parts)}</svg>'
    )


def _placed(events: Sequence[Event], anomaly: Anomaly, x: Callable[[float], float]) -> list[Placed]:
    """Return the bars, each in a row in which neither it nor its label meets another one."""
    taken: list[float] = []
    placed = []
    for event in events:
        left = x(event.sent)
        right = WIDTH - RIGHT if event.answered is None else max(x(event.answered), left + 3)
        label = _cut(f"{'✗ ' if event is anomaly.impossible else ''}{event.describe(anomaly.about)}")
        text = max(LEFT, min(left, WIDTH - RIGHT - len(label) * LETTER))
        row = next((place for place, end in enumerate(taken) if end < min(left, text)), len(taken))
        taken[row : row + 1] = [max(right, text + len(label) * LETTER) + LETTER]
        placed.append(Placed(event, label, left, right, text, row))
    return placed


def _bar(placed: Placed, y: float, *, wrong: bool) -> str:
    colour = WRONG if wrong else BAR
    dashes = ' fill-opacity="0.25" stroke-dasharray="4 3"' if placed.event.answered is None else ""
    width = placed.right - placed.left
    return (
        f'<rect x="{placed.left:.1f}" y="{y + 20}" width="{width:.1f}" height="9" rx="2" fill="{colour}"'
        f' stroke="{colour}"{dashes}/>{_text(placed.text, y + 15, placed.label, WRONG if wrong else INK)}'
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
        f' xml:space="preserve">{html.escape(text)}</text>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
