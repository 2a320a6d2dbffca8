"""How things are shown: what a service has sent without the power to do anything where it is read."""

import html
import re
from typing import Any

_COMMANDS = re.compile(r"##(?=\w*\[)|(?:(?<=\s)|^)::(?=[A-Za-z])")
"""What a CI takes out of a log as a command: ``##[…]`` and ``##vso[…]`` anywhere, ``::…::`` where a line begins.

A long line may be broken at any blank, so that a line may begin behind each.
"""


class Short:
    """Shown in one short line also by Hypothesis, which else writes down every field of a dataclass."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - as Hypothesis and IPython call it
        printer.text(repr(self))


def visible(text: str) -> str:
    """Return a text in which nothing is invisible, colours a terminal, or turns a line around.

    Control characters, directions, lone surrogates and odd blanks are written as escapes; line ends and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)


def harmless(text: str) -> str:
    """Return a text for a terminal or a log: nothing in it is invisible, and no CI takes anything in it for a command.

    A command is left readable, and stands behind a backslash.
    """
    return _COMMANDS.sub(lambda match: "#\\#" if match.group() == "##" else "\\::", visible(text))


def in_one_line(text: str) -> str:
    """Return a text for one line of a terminal, as ``harmless`` does; ends of lines and tabs are escapes, too."""
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def as_html(text: object) -> str:
    """Return a text as HTML, for elements and attributes: no markup, nothing invisible, and no command of a CI.

    A browser shows commands as they are.
    """
    escaped = html.escape(visible(str(text)))
    return _COMMANDS.sub(lambda match: "#&#35;" if match.group() == "##" else "&#58;:", escaped)


def as_json_text(text: str) -> str:
    """Return the text of a JSON document whose data is the same, and in which no CI finds a command."""
    # A sharp stands in strings alone. No other command can be met: lines begin with blanks, quotes and brackets.
    return re.sub("#(?=#)", r"\\u0023", text)
