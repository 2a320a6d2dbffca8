"""What a tester may have meant who typed a word that no command knows."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

OTHERWISE_CALLED = {
    "accept": "deviations",
    "check": "doctor",
    "clean": "sweep",
    "cleanup": "sweep",
    "compare": "diff",
    "convert": "export",
    "explain": "requirements",
    "explore": "run --profile explore",
    "gate": "run",
    "help": "--help",
    "judge": "run",
    "list": "requirements",
    "report": "export",
    "reproduce": "replay",
    "server": "serve",
    "test": "run",
}
"""What commands are called elsewhere."""
CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)
ADDRESS = re.compile(r"https?://|[\w.-]+:\d+(/|$)")
ALIKE = 0.6
"""How much alike two words are of which one may stand for the other."""


def of_a_choice(message: str) -> str:
    """Return what may have been meant where argparse has refused a word among several; empty where nobody knows."""
    found = CHOICE.search(message)
    if not found:
        return ""
    choices = [word.strip(" '\"") for word in found[2].split(",")]
    other = OTHERWISE_CALLED.get(found[1].lower(), "")
    known = other.startswith("--") or other.partition(" ")[0] in choices
    return _asked([other] if known else get_close_matches(found[1].lower(), choices, n=1, cutoff=ALIKE))


def of_words(words: Sequence[str], options: Collection[str]) -> str:
    """Return what may have been meant by words that a command does not take, which has these options."""
    word = words[0].partition("=")[0]
    if word.startswith("-"):
        near = _asked(get_close_matches(word, options, n=1, cutoff=ALIKE))
        return near or ("; options of pytest go behind --" if "--shard" in options else "")
    if ADDRESS.match(words[0]) and "--endpoint" in options:
        return "; an address is named with --endpoint"
    if word.isdigit() and "--port" in options:
        return "; a port is named with --port"
    return "; a service is named with --endpoint or --cloud" if "--endpoint" in options else ""


def _asked(meant: Sequence[str]) -> str:
    return f"; did you mean {meant[0]}?" if meant else ""
