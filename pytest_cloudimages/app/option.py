"""What an option is: its name, what it takes, and how a value is read and written."""

from __future__ import annotations

import enum
import re
from typing import Any, NamedTuple

TYPED = "--"
"""What an option begins with on the command line of `cloudimages run`."""
LONGEST_VALUE = 60
"""Characters of a wrong value that a message quotes."""


class Kind(enum.Enum):
    """What an option takes."""

    FLAG = enum.auto()
    TEXT = enum.auto()
    PATH = enum.auto()
    WHOLE = enum.auto()
    NUMBER = enum.auto()


class Option(NamedTuple):
    """A row of the table: one option of a run."""

    name: str
    """As the command has it, without its hyphens; pytest's option and ini setting follow from it."""
    kind: Kind
    help: str
    metavar: str = ""
    default: Any = None
    repeated: bool = False
    """It may be given several times; all values count."""
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = float("inf")
    exclusive: bool = False
    """The value has to be more than ``least``."""
    aliases: tuple[str, ...] = ()
    """Further names under pytest, for whoever has used them before."""
    setting: str = ""
    """The attribute of ``Settings``, where it is called otherwise."""
    names_service: bool = False
    """It says what to judge; a run takes one of these."""
    replayed: bool = True
    """The command that replays a finding needs it, unless it has its default."""
    readme: str = ""
    """What the README says in place of ``help``."""

    @property
    def wakes(self) -> bool:
        """Whether it says that a run judges a service, where it is given."""
        return self.names_service or self.name == "reports"

    @property
    def key(self) -> str:
        """The name as an identifier."""
        return self.name.replace("-", "_")

    @property
    def attribute(self) -> str:
        """The attribute of ``Settings`` that holds the value."""
        return self.setting or self.key

    @property
    def expected(self) -> str:
        """What a value has to be, as a message says it."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind in (Kind.TEXT, Kind.PATH):
            return "a value that is not empty and has no control characters"
        what = "a whole number" if self.kind is Kind.WHOLE else "a number"
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
        if self.kind is Kind.TEXT:
            # Such as a surrogate, which no URL can hold.
            return text if text.strip() and text.isprintable() else None
        if self.kind is Kind.PATH:
            return text if text.strip() and not re.search(r"[\x00-\x1f\x7f]", text) else None
        # Python would also take underscores, and digits of every script.
        shape = r"[0-9]{1,20}" if self.kind is Kind.WHOLE else r"[0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20}"
        if not re.fullmatch(shape, text.strip()):
            return None
        number = int(text) if self.kind is Kind.WHOLE else float(text)
        enough = number > self.least if self.exclusive else number >= self.least
        return number if enough and number <= self.most else None

    def words(self, value: Any, prefix: str = TYPED) -> list[str]:
        """Return the words of a command line that say this value."""
        if self.kind is Kind.FLAG:
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
