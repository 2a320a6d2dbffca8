"""How long answers took, as a picture: a line for each operation, from the median to the longest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import as_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCALE, ROW, TOP, GAP, RIGHT = 420, 28, 28, 16, 40
LETTER = 7.3
"""The width of a letter of the labels, which are set in a fixed width of 12."""
FASTEST = 1e-4
"""Seconds at the left edge at least, so that a logarithm has something to begin with."""


def latency_plot(latencies: Sequence[Mapping[str, Any]]) -> str:
    """Draw median, 95th percentile and maximum of each operation on one logarithmic scale, as SVG.

    Colours come from the style sheet of the page: ``plot-line``, ``plot-p50``, ``plot-p95``, ``plot-max``.
    """
    low = math.floor(math.log10(max(FASTEST, min(latency["p50"] for latency in latencies))))
    high = max(low + 1, math.ceil(math.log10(max(FASTEST, *(latency["max"] for latency in latencies)))))

    left = GAP + LETTER * max(len(latency["operation"]) for latency in latencies) + GAP

    def x(seconds: float) -> float:
        return left + (math.log10(max(seconds, 10.0**low)) - low) / (high - low) * SCALE

    height = TOP + ROW * len(latencies) + 8
    parts = [_tick(x(10.0**power), 10.0**power, height) for power in range(low, high + 1)]
    for number, latency in enumerate(latencies):
        y = TOP + ROW * number + ROW / 2
        points = [(name, x(latency[name])) for name in ("p50", "p95", "max")]
        parts.append(
            f'<text class="plot-label" x="{left - GAP:.1f}" y="{y + 4}">{as_html(latency["operation"])}</text>'
        )
        parts.append(f'<line class="plot-line" x1="{points[0][1]:.1f}" x2="{points[-1][1]:.1f}" y1="{y}" y2="{y}"/>')
        parts += [
            f'<circle class="plot-{name}" cx="{place:.1f}" cy="{y}" r="4.5"><title>{name}: {words(latency[name])}'
            "</title></circle>"
            for name, place in reversed(points)
        ]
    return (
        f'<svg class="plot" viewBox="0 0 {left + SCALE + RIGHT:g} {height:g}" role="img" aria-label="Latency by'
        f' operation: median, 95th percentile and maximum; the table below has the numbers">{"".join(parts)}</svg>'
    )


def _tick(x: float, seconds: float, height: float) -> str:
    return (
        f'<line class="plot-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 8:g}"/>'
        f'<text class="plot-tick" x="{x:.1f}" y="{TOP - 12}">{words(seconds)}</text>'
    )


def words(seconds: float) -> str:
    """Return a length of time with three digits at most: 0.4 ms, 12 ms, 1.2 s."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1000:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1000:.2g} ms"  # noqa: PLR2004 - a millisecond
