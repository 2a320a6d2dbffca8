"""Every option of a run, in one table.

Made from it are pytest's options and ini settings, the options of `cloudimages run`, the words that the command hands
on to pytest, the command that replays a finding, and the README's table, which
`python -m pytest_cloudimages.app.options` prints.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.engine.settings import PROFILES, SPECIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPED = "--"
"""What an option begins with on the command line of `cloudimages run`."""
PYTEST = "--cloudimages-"
"""What it begins with on pytest's."""
INI = "cloudimages_"
REPORTS = "reports"
"""Where the command puts its reports, unless told otherwise."""
LONGEST_VALUE = 60
"""Characters of a wrong value that a message quotes."""


class Kind(enum.Enum):
    """What an option takes."""

    FLAG = enum.auto()
    TEXT = enum.auto()
    PATH = enum.auto()
    WHOLE = enum.auto()
    NUMBER = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Option:
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
        for text in map(_text, value or () if self.repeated else () if value is None else (value,)):
            # A value that begins with a hyphen would be taken for an option.
            joined = prefix != TYPED or text.startswith("-")
            words += [f"{prefix}{self.name}={text}"] if joined else [prefix + self.name, text]
        return words


OPTIONS = (
    Option(name="reference", kind=Kind.FLAG, default=False, help="judge the embedded server", names_service=True),
    Option(
        name="endpoint",
        kind=Kind.TEXT,
        metavar="URL",
        setting="url",
        aliases=("url",),
        names_service=True,
        help="address of the image service, with or without /v2; the token comes from CLOUDIMAGES_TOKEN",
        readme="the address of the image service, with or without `/v2`; the token comes from `CLOUDIMAGES_TOKEN`",
    ),
    Option(
        name="cloud",
        kind=Kind.TEXT,
        metavar="NAME",
        names_service=True,
        help="entry of clouds.yaml",
        readme="an entry of `clouds.yaml`",
    ),
    Option(
        name="other-cloud",
        kind=Kind.TEXT,
        metavar="NAME",
        help="entry of clouds.yaml for a second project",
    ),
    Option(
        name="reader-cloud",
        kind=Kind.TEXT,
        metavar="NAME",
        help="entry of clouds.yaml for a user of the project who may only read",
        readme="for a user of the project who may only read",
    ),
    Option(
        name="creator-cloud",
        kind=Kind.TEXT,
        metavar="NAME",
        help="entry of clouds.yaml for a user who may create and update, and no more",
    ),
    Option(
        name="admin-cloud",
        kind=Kind.TEXT,
        metavar="NAME",
        help="entry of clouds.yaml for an administrator",
    ),
    Option(
        name="image",
        kind=Kind.TEXT,
        metavar="ID",
        default=(),
        repeated=True,
        help="borrow this image instead of creating one; its tags are put back; may be repeated",
    ),
    Option(name="yes", kind=Kind.FLAG, default=False, help="lend a public, community or protected image all the same"),
    Option(
        name="plain-http",
        kind=Kind.FLAG,
        default=False,
        help="show the token to another computer by plain http too (`CLOUDIMAGES_PLAIN_HTTP`)",
    ),
    Option(
        name="catalogue",
        kind=Kind.PATH,
        metavar="FILE",
        default=(),
        repeated=True,
        help="requirements of your own (TOML); may be repeated",
    ),
    Option(
        name="specification",
        kind=Kind.TEXT,
        metavar="NAME",
        default=SPECIFICATIONS[0],
        choices=SPECIFICATIONS,
        help="whose reading judges where two specifications differ",
        readme="whose reading judges where the vendor's page and Glance's API reference differ",
    ),
    Option(
        name="tag-limit",
        kind=Kind.WHOLE,
        metavar="N",
        least=1,
        most=10_000,
        help="tags that an image may have, as the operator sets it; without, only thorough tries it",
        readme="the limit of tags that the operator sets; without, only profile thorough tries it",
    ),
    Option(
        name="timeout",
        kind=Kind.NUMBER,
        metavar="SECONDS",
        default=30.0,
        most=3600,
        exclusive=True,
        help="how long one request may take, until its answer has come to its end",
    ),
    Option(
        name="max-body",
        kind=Kind.WHOLE,
        metavar="OCTETS",
        default=1024 * 1024,
        least=16 * 1024,
        most=1024 * 1024,
        help="octets of an answer's body that are read at most",
    ),
    Option(
        name="patience",
        kind=Kind.NUMBER,
        metavar="SECONDS",
        default=10.0,
        most=3600,
        help="how long an acknowledged write may take to become visible",
    ),
    Option(
        name="max-rps",
        kind=Kind.NUMBER,
        metavar="N",
        most=100_000,
        exclusive=True,
        help="requests a second sent at most",
    ),
    Option(
        name="ledger",
        kind=Kind.PATH,
        metavar="DIR",
        help="where it is noted what a run creates or changes, until it is gone [CLOUDIMAGES_LEDGER, the user's state]",
        readme="where it is noted what a run creates or changes, until it is gone (`CLOUDIMAGES_LEDGER`, or else the"
        " folder for the user's state)",
    ),
    Option(
        name="tries",
        kind=Kind.WHOLE,
        metavar="N",
        default=1,
        least=1,
        most=1000,
        help="run races until they show something, at most N times",
    ),
    Option(
        name="deviations",
        kind=Kind.PATH,
        metavar="FILE",
        help="departures that are accepted, each for a reason and for a time (TOML)",
        readme="departures that are accepted, each for a reason and for a time ([docs/gating.md](docs/gating.md))",
    ),
    Option(
        name="baseline",
        kind=Kind.PATH,
        metavar="FILE",
        # By then the file may be that of the run itself.
        replayed=False,
        help="conformance.json of an earlier run: fail only on what is new",
        readme="`conformance.json` of an earlier run: fail only on what is new",
    ),
    Option(name="strict", kind=Kind.FLAG, default=False, help="advisory findings fail the run too"),
    Option(
        name="profile",
        kind=Kind.TEXT,
        metavar="NAME",
        default="standard",
        choices=tuple(PROFILES),
        help="how much to try",
    ),
    Option(
        name="minutes",
        kind=Kind.NUMBER,
        metavar="N",
        most=7 * 24 * 60,
        exclusive=True,
        replayed=False,
        help="with profile explore: draw anew until N minutes are over or something is found",
        readme="with `--profile explore`: draw anew until then, or until something is found",
    ),
    Option(
        name="examples",
        kind=Kind.PATH,
        metavar="DIR",
        replayed=False,
        help="where the seeds that found something are kept, to be tried first [REPORTS/examples]",
        readme="with `--minutes`: the seeds that found something, which are tried first (`REPORTS/examples`)",
    ),
    Option(
        name="dry-run",
        kind=Kind.FLAG,
        default=False,
        replayed=False,
        help="say what would be created and how many requests would be sent, and send none to the service",
        readme="say what would be created and how many requests would be sent",
    ),
    Option(name="identify", kind=Kind.FLAG, default=False, replayed=False, help="reports name project and region"),
    Option(
        name="reports",
        kind=Kind.PATH,
        metavar="DIR",
        replayed=False,
        help=f"where the reports go [{REPORTS} with `cloudimages run`]",
        readme=f"where the reports go (`{REPORTS}`)",
    ),
    Option(
        name="export",
        kind=Kind.TEXT,
        metavar="FORMAT[=FILE]",
        default=(),
        repeated=True,
        replayed=False,
        help="write the results in a form of another program too, see cloudimages export --help; may be repeated",
        readme="the results in a form of another program too ([docs/formats.md](docs/formats.md)); may be repeated",
    ),
    Option(
        name="sign",
        kind=Kind.PATH,
        metavar="KEY",
        replayed=False,
        help="private key of OpenSSH to sign conformance.json with; cloudimages verify --key checks it",
        readme="a private key of OpenSSH to sign `conformance.json` with; `cloudimages verify --key` checks it",
    ),
    Option(
        name="seed",
        kind=Kind.WHOLE,
        metavar="N",
        most=2**64 - 1,
        replayed=False,
        help="number that the generated tags follow from [random]",
        readme="the generated tags follow from it; every finding names the command that replays it",
    ),
    Option(
        name="select",
        kind=Kind.TEXT,
        metavar="ID",
        default=(),
        repeated=True,
        replayed=False,
        help="judge only this requirement, or the group whose ids begin so; may be repeated",
        readme="only this requirement, or group such as `TAG-DEL`; may be repeated",
    ),
)
"""The rows; the last of them are said anew by every replay."""


def endpoint_of(environ: Mapping[str, str]) -> str | None:
    """Return the endpoint that the environment names; whoever names a service means it, whatever the shell holds."""
    return environ.get("CLOUDIMAGES_ENDPOINT") or None


def markdown() -> str:
    """Return the README's table of options."""
    lines = ["| option | what for |", "| --- | --- |"]
    for option in OPTIONS:
        words = [f"--{option.name} {option.choices[0]}", *option.choices[1:]] if option.choices else []
        words = words or [f"--{option.name} {option.metavar}".strip()]
        default = f" ({_text(option.default)})" if option.default not in (None, False, ()) else ""
        lines.append(f"| {', '.join(f'`{word}`' for word in words)} | {option.readme or option.help}{default} |")
    return "\n".join([*lines, "| `-- …` | the rest goes to pytest |"])


def help_of(option: Option) -> str:
    """Return the text of an option in the help of pytest and of the command."""
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    default = f" [{_text(option.default)}]" if option.default not in (None, False, ()) else ""
    # Both parsers would take a percent sign for the beginning of a conversion.
    return f"{option.help}{choices}{default}".replace("%", "%%")


def _text(value: Any) -> str:
    # Without an exponent, which no option takes.
    return format(Decimal(repr(value)).normalize(), "f") if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(markdown())
