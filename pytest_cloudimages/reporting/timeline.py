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
PAUSE, SHORT = 1.5, 0.25
"""A pause as many times as long as all that happens is drawn short, and as long as this share of it."""
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


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a moment is drawn. A pause that is longer than all that happens is drawn short, and says how long it is."""

    begun: float
    span: float
    pauses: tuple[tuple[float, float], ...]
    """The pauses that are drawn short."""
    short: float
    """The seconds that each of them is drawn as."""

    @classmethod
    def of(cls, events: Sequence[Event]) -> _Scale:
        """Return the scale on which events have room."""
        bars = sorted((event.sent, max(event.sent, event.answered or event.sent)) for event in events)
        begun, ended = bars[0][0], max(bar[1] for bar in bars)
        gaps, reached = [], begun
        for sent, answered in bars:
            if sent > reached:
                gaps.append((reached, sent))
            reached = max(reached, answered)
        busy = ended - begun - sum(end - start for start, end in gaps)
        pauses = tuple(gap for gap in gaps if busy and gap[1] - gap[0] > PAUSE * busy)
        # What is unanswered goes on beyond the last answer; and a moment that no clock could measure has a width, too.
        span = (ended - begun) * (1.1 if any(event.answered is None for event in events) else 1) or 0.001
        return cls(begun, span, pauses, busy * SHORT)

    def x(self, moment: float) -> float:
        """Return the place of a moment from the left."""
        return LEFT + self._drawn(moment) / self._drawn(self.begun + self.span) * (WIDTH - LEFT - RIGHT)

    def _drawn(self, moment: float) -> float:
        """Return the seconds before a moment, with each pause as long as it is drawn."""
        passed = moment - self.begun
        for start, end in self.pauses:
            if moment > start:
                share = (min(moment, end) - start) / (end - start)
                passed -= share * (end - start - self.short)
        return passed


def timeline(anomaly: Anomaly) -> str:
    """Draw the witness; the event whose answer nothing explains is red. The SVG needs nothing besides itself."""
    scale = _Scale.of(anomaly.witness)
    x = scale.x
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
        _text(WIDTH - RIGHT, y + 18, f"{scale.span * 1000:.1f} ms", INK, anchor="end"),
    ]
    parts += [_pause(x(begun), x(ended), ended - begun, y) for begun, ended in scale.pauses]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' class="timeline" role="img" aria-label="{html.escape(title)}"'
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


def _pause(left: float, right: float, seconds: float, height: float) -> str:
    """Return the mark of a pause that is drawn short: two lines across the lanes, and its length below them."""
    lines = "".join(
        f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height}" stroke="{LINE}" stroke-dasharray="2 4"/>'
        for x in (left + 2, right - 2)
    )
    words = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
    return f"{lines}{_text((left + right) / 2, height + 18, words, INK, anchor='middle')}"


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
