"""What is asked in a whole run of a test that is not about areas: as much as it takes, and not all there is.

A run asks for every area where nothing is selected. Most tests that carry one out are about something else, such as how a
run ends; they would take three times as long and show the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NEAR = ("TAG", "MEM")
"""Tags, and who may do what with their images."""


def near(words: Sequence[str]) -> list[str]:
    """Return the words that narrow a run to that; none for a run whose words select something themselves."""
    return [] if "--select" in words else [word for group in NEAR for word in ("--select", group)]
