"""Command line, ini file and environment, as one frozen value."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest

PREFIX = "cloudimages"


class ConfigurationError(Exception):
    """A mistake of whoever started the run: says what was given, what is allowed and what to do next."""


@dataclass(frozen=True)
class Profile:
    """How much a run tries; the numbers are per experiment, request budgets follow from them."""

    lives: int
    """Images whose plain tags are added, repeated, deleted, deleted again and added again."""
    tags: int
    """Tags on each of them."""
    rounds: int
    """How often every class of unusual tags is drawn."""
    sequences: int
    """Random sequences against a set."""
    steps: int
    """Operations in each of them."""
    looks: int
    """A reading after so many of these operations; 0 is now and then."""
    many: int
    """Tags that one image comes to carry; 0 is not asked."""
    walks: int
    """Sequences in which tags are changed and looked at in every way."""
    cases: int
    """Cases of each property that Hypothesis drives directly."""
    clients: tuple[int, ...]
    """How many clients meet in the races: each race is run with each number that suits it."""
    races: int
    """How often every race is drawn."""
    orders: int = 1
    """In how many orders the two of a pair of related tags are added and deleted."""
    leaving: int = 8
    """Of the plain tags of every length, one of so many is deleted too."""
    levels: tuple[str, ...] = ("MUST", "SHOULD", "MAY")
    """The levels that are asked for, where no requirement is selected by name."""


PROFILES = {
    "quick": Profile(
        lives=1,
        tags=8,
        rounds=0,
        sequences=1,
        steps=10,
        looks=0,
        many=0,
        walks=0,
        cases=2,
        clients=(4,),
        races=1,
        levels=("MUST",),
    ),
    "standard": Profile(
        lives=1,
        tags=20,
        rounds=1,
        sequences=2,
        steps=30,
        looks=0,
        many=70,
        walks=1,
        cases=6,
        clients=(2, 4, 8, 16),
        races=1,
    ),
    "thorough": Profile(
        lives=6,
        tags=20,
        rounds=6,
        sequences=20,
        steps=50,
        looks=1,
        many=100,
        walks=8,
        cases=40,
        clients=(2, 4, 8, 16),
        races=4,
        orders=2,
        leaving=1,
    ),
    "explore": Profile(
        lives=10,
        tags=20,
        rounds=20,
        sequences=60,
        steps=60,
        looks=1,
        many=100,
        walks=20,
        cases=150,
        clients=(2, 4, 8, 16),
        races=10,
        orders=2,
        leaving=1,
    ),
}

SPECIFICATIONS = ("cloud-images", "glance")
"""The vendor's page, and the API reference of OpenStack Glance."""
ROUND = "standard"
"""How much one round of an exploration tries."""

#: name, kind, default, help: each is a pytest option --cloudimages-NAME and an ini setting cloudimages_NAME.
TABLE: tuple[tuple[str, type, Any, str], ...] = (
    (
        "url",
        str,
        None,
        "endpoint of the image service, with or without its /v2; the token comes from CLOUDIMAGES_TOKEN",
    ),
    ("cloud", str, None, "name of an entry of clouds.yaml"),
    ("other-cloud", str, None, "entry of clouds.yaml for a second project"),
    ("reader-cloud", str, None, "entry of clouds.yaml for a user of the project who may only read"),
    ("creator-cloud", str, None, "entry of clouds.yaml for a user who may create and update, and no more"),
    ("admin-cloud", str, None, "entry of clouds.yaml for an administrator"),
    ("reference", bool, False, "judge the embedded server"),
    ("image", list, (), "id of an image to borrow, its tags are put back; without it, images are created and deleted"),
    ("profile", str, "standard", f"how much to try: {', '.join(PROFILES)}"),
    ("seed", int, None, "number that the generated tags follow from; drawn when absent"),
    ("select", list, (), "judge only this requirement, or the group whose ids begin so; may be repeated"),
    ("specification", str, SPECIFICATIONS[0], f"whose reading judges where two differ: {', '.join(SPECIFICATIONS)}"),
    ("tag-limit", int, None, "tags that an image may carry, as the operator states it; tried only where it is given"),
    ("strict", bool, False, "advisory findings fail the run too"),
    ("dry-run", bool, False, "rehearse on the embedded server, and say what would be created and sent"),
    ("reports", str, None, "folder for conformance.json, conformance.html and junit.xml"),
    ("catalogue", list, (), "TOML file with requirements of one's own; may be repeated"),
    ("minutes", float, None, "with profile explore: draw anew until so many minutes are over, or something is found"),
    ("examples", str, None, "folder for the seeds that found something, which are tried first; REPORTS/examples else"),
    ("timeout", float, 30.0, "seconds to wait for one answer"),
    ("patience", float, 10.0, "seconds within which an acknowledged change must be seen"),
)


@dataclass(frozen=True)
class Options:
    """The settings in force; times in seconds."""

    url: str | None = None
    cloud: str | None = None
    other_cloud: str | None = None
    reader_cloud: str | None = None
    creator_cloud: str | None = None
    admin_cloud: str | None = None
    reference: bool = False
    image: tuple[str, ...] = ()
    profile: str = "standard"
    seed: int = 0
    select: tuple[str, ...] = ()
    specification: str = SPECIFICATIONS[0]
    tag_limit: int | None = None
    strict: bool = False
    dry_run: bool = False
    reports: str | None = None
    catalogue: tuple[str, ...] = ()
    minutes: float | None = None
    examples: str | None = None
    timeout: float = 30.0
    patience: float = 10.0

    @property
    def effort(self) -> Profile:
        """The numbers behind the profile's name; where time is the limit, those of one of many rounds."""
        return PROFILES[self.profile if self.minutes is None else ROUND]

    @property
    def names_a_service(self) -> bool:
        """Whether an option says what to judge; the environment may still do so."""
        return bool(self.url or self.cloud or self.reference)

    def as_data(self) -> dict[str, Any]:
        """Give the settings as JSON data."""
        return asdict(self)

    def replay(self, ids: tuple[str, ...], seed: int | None = None) -> str:
        """Give the command that asks for some requirements again, as this run did, or one round of it with its seed."""
        words = ["cloudimages", "run"]
        words += ["--reference"] if self.reference else []
        words += ["--endpoint", self.url] if self.url else []
        for name in ("cloud", "other_cloud", "reader_cloud", "creator_cloud", "admin_cloud"):
            value = getattr(self, name)
            words += [f"--{name.replace('_', '-')}", value] if value else []
        for name in ("image", "catalogue"):
            words += [word for value in getattr(self, name) for word in (f"--{name}", value)]
        if self.specification != SPECIFICATIONS[0]:
            words += ["--specification", self.specification]
        words += ["--tag-limit", str(self.tag_limit)] if self.tag_limit else []
        profile = self.profile if self.minutes is None else ROUND
        words += ["--profile", profile, "--seed", str(self.seed if seed is None else seed)]
        words += [word for one in ids for word in ("--select", one)]
        return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


def declare(parser: pytest.Parser) -> None:
    """Declare every option and its ini setting."""
    group = parser.getgroup(PREFIX, "conformance of image-tag services (pytest-cloudimages)")
    for name, kind, default, text in TABLE:
        ini = f"{PREFIX}_{name.replace('-', '_')}"
        extra = f" [{default}]" if default not in (None, False, ()) else ""
        how: dict[str, Any] = {"dest": ini, "default": None, "help": text + extra}
        if kind is bool:
            how |= {"action": "store_true"}
        elif kind is list:
            how |= {"action": "append", "metavar": name.upper()}
        else:
            how |= {"metavar": name.upper()}
        group.addoption(f"--{PREFIX}-{name}", **how)
        shape = {bool: "bool", list: "linelist"}.get(kind, "string")
        parser.addini(ini, text, type=shape, default=None)  # type: ignore[arg-type]  # one of pytest's words


def settings(config: pytest.Config, environ: Mapping[str, str] = os.environ) -> Options:
    """Read the settings of a run: command line before ini file before default.

    Raises ``pytest.UsageError`` for a value that is none.
    """
    found: dict[str, Any] = {}
    for name, kind, default, _ in TABLE:
        key = name.replace("-", "_")
        value = config.getoption(f"{PREFIX}_{key}", None)
        if value is None:
            value = config.getini(f"{PREFIX}_{key}")
        found[key] = _read(name, kind, default if value is None or value in ("", []) else value)
    if not (found["url"] or found["cloud"] or found["reference"]):
        # Whoever names a service means it, whatever the shell still holds.
        found["url"] = environ.get("CLOUDIMAGES_ENDPOINT") or None
    if found["dry_run"]:
        found["reports"] = None  # a rehearsal is no result
    if found["seed"] is None:
        found["seed"] = secrets.randbelow(2**32)
    for name, known in (("profile", tuple(PROFILES)), ("specification", SPECIFICATIONS)):
        if found[name] not in known:
            raise pytest.UsageError(f"There is no {name} {found[name]!r}; choose one of {', '.join(known)}.")
    if found["minutes"] is not None and found["profile"] != "explore":
        raise pytest.UsageError(
            f"--{PREFIX}-minutes belongs to --{PREFIX}-profile=explore, and this is profile {found['profile']}."
        )
    named = [f"--{PREFIX}-{name}" for name in ("url", "cloud", "reference") if found[name]]
    if len(named) > 1:
        raise pytest.UsageError(f"One run judges one service, and these name several: {', '.join(named)}.")
    return Options(**found)


def _read(name: str, kind: type, value: Any) -> Any:
    if value is None or kind is bool:
        return value
    if kind is list:
        return tuple(value)
    try:
        number = kind(value)
    except ValueError:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number, not {value!r}.") from None
    if kind in (int, float) and not 0 <= number < 2**64:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of at least 0, not {value!r}.")
    if name == "tag-limit" and not number:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of at least 1: the tags that an image may carry.")
    if name == "timeout" and not number:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of more than 0: no answer comes at once.")
    return number
