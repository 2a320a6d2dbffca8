"""What an option is: its name, what it takes, and how a value is read and written."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

TYPED = "--"
"""What an option begins with on the command line of `cloudimages run`."""
LONGEST_VALUE = 60
"""Characters of a wrong value that a message quotes."""


Kind: TypeAlias = 'Literal["flag", "text", "path", "whole", "number"]'
"""What an option takes; the last two are numbers, whole ones or any."""


class Option:
    """A row of the table: one option of a run."""

    def __init__(
        self,
        *,
        name: str,
        kind: Kind,
        help: str,  # noqa: A002 - as pytest and argparse call it
        metavar: str = "",
        default: Any = None,
        repeated: bool = False,
        choices: tuple[str, ...] = (),
        least: float = 0,
        most: float = float("inf"),
        exclusive: bool = False,
        aliases: tuple[str, ...] = (),
        setting: str = "",
        names_service: bool = False,
        replayed: bool = True,
        readme: str = "",
    ) -> None:
        # Written out, since pytest loads this in every run: a named tuple takes a millisecond to make.
        self.name = name
        """As the command has it, without its hyphens; pytest's option and ini setting follow from it."""
        self.kind, self.help, self.metavar, self.default = kind, help, metavar, default
        self.repeated = repeated
        """It may be given several times; all values count."""
        self.choices, self.least, self.most = choices, least, most
        self.exclusive = exclusive
        """The value has to be more than ``least``."""
        self.aliases = aliases
        """Further names under pytest, for whoever has used them before."""
        self.key = name.replace("-", "_")
        """The name as an identifier."""
        self.attribute = setting or self.key
        """The attribute of ``Settings`` that holds the value."""
        self.names_service = names_service
        """It says what to judge; a run takes one of these."""
        self.wakes = names_service or name == "reports"
        """Whether it says that a run judges a service, where it is given."""
        self.replayed = replayed
        """The command that replays a finding needs it, unless it has its default."""
        self.readme = readme or help
        """What the README says of it."""

    @property
    def expected(self) -> str:
        """What a value has to be, as a message says it."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind in ("text", "path"):
            return "a value that is not empty and has no control characters"
        what = "a whole number" if self.kind == "whole" else "a number"
        return f"{what} " + (
            f"above {self.least} and at most {self.most}" if self.exclusive else f"from {self.least} to {self.most}"
        )

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raise ``ValueError`` with what was expected and what came."""
        if (value := self._value(text)) is None:
            shown = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
            raise ValueError(f"expected {self.expected}, got {shown!r}")
        return value

    def _value(self, text: str) -> Any:
        if self.choices:
            return text if text in self.choices else None
        if self.kind == "text":
            # Such as a surrogate, which no URL can hold.
            return text if text.strip() and text.isprintable() else None
        if self.kind == "path":
            return text if text.strip() and not re.search(r"[\x00-\x1f\x7f]", text) else None
        # Python would also take underscores, and digits of every script.
        shape = r"[0-9]{1,20}" if self.kind == "whole" else r"[0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20}"
        if not re.fullmatch(shape, text.strip()):
            return None
        number = int(text) if self.kind == "whole" else float(text)
        enough = number > self.least if self.exclusive else number >= self.least
        return number if enough and number <= self.most else None

    def words(self, value: Any, prefix: str = TYPED) -> list[str]:
        """Return the words of a command line that say this value."""
        if self.kind == "flag":
            return [prefix + self.name] if value else []
        words: list[str] = []
        for text in map(text_of, value or () if self.repeated else () if value is None else (value,)):
            # A value that begins with a hyphen would be taken for an option.
            joined = prefix != TYPED or text.startswith("-")
            words += [f"{prefix}{self.name}={text}"] if joined else [prefix + self.name, text]
        return words


def text_of(value: Any) -> str:
    """Return a value as an option takes it."""
    if not isinstance(value, float):
        return str(value)
    from decimal import Decimal

    # Without an exponent, which no option takes.
    return format(Decimal(repr(value)).normalize(), "f")
