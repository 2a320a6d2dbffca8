"""The settings of a run, as plain values."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pytest_cloudimages.engine.choices import OTHER_CLOUDS, PROFILE_NAMES, ROUND, SPECIFICATIONS


@dataclass(frozen=True)
class Profile:
    """How much a run tries; the numbers are per workload, request budgets follow from them."""

    full_cycles: int
    """Images whose plain tags are added, repeated, deleted, deleted again and added again."""
    tags: int
    """Tags on each of them."""
    rounds: int
    """How often every class of unusual tags is drawn."""
    sequences: int
    """Random sequences against a set."""
    steps: int
    """Operations in each of them."""
    read_every: int
    """The image is read after every so many of these operations; 0: now and then."""
    many: int
    """Tags that a single image comes to have, where it could not be given many at once; 0: not tried."""
    read_paths: int
    """Sequences that change tags through every write path and compare every read path."""
    cases: int
    """Cases of each property that Hypothesis drives directly."""
    clients: tuple[int, ...]
    """How many clients meet in the races: each race is run with each number that suits it."""
    races: int
    """How often every race is drawn."""
    orders: int = 1
    """In how many orders the two of a pair of related tags are added and deleted."""
    delete_every: int = 48
    """Of the plain tags of every length, one in so many is deleted too."""
    limit_sought: int = 0
    """Where no limit of tags is stated, so many are added to one image to find it; 0: it is not sought."""
    levels: tuple[str, ...] = ("MUST", "SHOULD", "MAY")
    """The levels that are tested, where no requirement is selected by name."""


EFFORTS = (
    Profile(
        full_cycles=1,
        tags=8,
        rounds=0,
        sequences=1,
        steps=9,
        read_every=0,
        many=0,
        read_paths=0,
        cases=1,
        clients=(4,),
        races=1,
        levels=("MUST",),
    ),
    Profile(
        full_cycles=1,
        tags=20,
        rounds=1,
        sequences=2,
        steps=30,
        read_every=0,
        many=70,
        read_paths=1,
        cases=3,
        clients=(2, 4, 8, 16),
        races=1,
    ),
    Profile(
        full_cycles=6,
        tags=20,
        rounds=6,
        sequences=20,
        steps=50,
        read_every=1,
        many=100,
        read_paths=8,
        cases=40,
        clients=(2, 4, 8, 16),
        races=4,
        orders=2,
        delete_every=1,
        limit_sought=300,
    ),
    Profile(
        full_cycles=10,
        tags=20,
        rounds=20,
        sequences=60,
        steps=60,
        read_every=1,
        many=100,
        read_paths=20,
        cases=150,
        clients=(2, 4, 8, 16),
        races=10,
        orders=2,
        delete_every=1,
    ),
)
"""What each of them tries, in the order of their names."""
PROFILES = dict(zip(PROFILE_NAMES, EFFORTS, strict=True))

TRIES = 10
"""How often the races of a finding are run again, at most, until they show it."""


@dataclass(frozen=True)
class Settings:
    """The settings in force; times in seconds."""

    url: str | None = None
    cloud: str | None = None
    region: str | None = None
    """The region of the catalogue that is meant, whatever else names one."""
    other_cloud: str | None = None
    reader_cloud: str | None = None
    creator_cloud: str | None = None
    admin_cloud: str | None = None
    reference: bool = False
    image: tuple[str, ...] = ()
    yes: bool = False
    """Whether an image may be lent that others see, or that is protected."""
    plain_http: bool = False
    """Whether tokens may go to another computer by plain http."""
    profile: str = "standard"
    seed: int = 0
    select: tuple[str, ...] = ()
    reading: str | None = None
    """Whose reading the tester names; ``None`` where the choice is left to us."""
    tag_limit: int | None = None
    deviations: str | None = None
    baseline: str | None = None
    strict: bool = False
    dry_run: bool = False
    identify: bool = False
    """Whether the reports name the project, the user and the region."""
    reports: str | None = None
    export: tuple[str, ...] = ()
    sign: str | None = None
    catalogue: tuple[str, ...] = ()
    minutes: float | None = None
    examples: str | None = None
    timeout: float = 30.0
    patience: float = 10.0
    max_body: int = 1024 * 1024
    """Octets of a body that are read."""
    max_rps: float | None = None
    """Requests a second that are sent at most."""
    max_requests: int | None = None
    """Requests that are sent at most, but for those that clean up."""
    max_seconds: float | None = None
    """Seconds after which nothing more is asked."""
    concurrency: int = 1
    """How many workloads are made at once that do not touch each other's images."""
    shard: str | None = None
    """Which part of the checks is asked, such as ``2/4``; ``None`` where all are."""
    ledger: str | None = None
    """The folder of the ledger, where it is not the user's own."""
    tries: int = 1
    """How often races are run until they show something."""

    again: str | None = None
    """The results whose requirements are asked again that are not fine in them."""
    earlier: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """Those results."""

    prefix: str = field(default="--", compare=False)
    """What the tester's options begin with, so that messages name them as they are typed."""
    command: tuple[str, ...] = field(default=("cloudimages", "run"), compare=False)
    """The words of a command that runs once more with these settings, up to the seed and what is selected."""
    rest: tuple[str, ...] = field(default=(), compare=False)
    """What stands behind ``--`` there."""

    def __repr__(self) -> str:
        """Return what is not as it is by itself: a failing test of one's own shows it among its variables."""
        shown = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        by_itself = {each.name: each.default for each in fields(self)}
        return f"<Settings {' '.join(f'{name}={v!r}' for name, v in shown.items() if v != by_itself[name])}>"

    @property
    def effort(self) -> Profile:
        """The numbers behind the profile's name; where time is the limit, those of one of many rounds."""
        return PROFILES[self.profile if self.minutes is None else ROUND]

    @property
    def specification(self) -> str:
        """Whose reading judges where two specifications differ."""
        return self.reading or SPECIFICATIONS[0]

    @property
    def limited(self) -> bool:
        """Whether the run may take no more than so many requests or seconds."""
        return self.max_requests is not None or self.max_seconds is not None

    def cloud_of(self, who: str) -> str | None:
        """Return the entry of clouds.yaml for a further caller, if an option names one."""
        name: str | None = getattr(self, OTHER_CLOUDS[who]) if who in OTHER_CLOUDS else None
        return name

    def as_data(self) -> dict[str, Any]:
        """Return what was set as JSON data."""
        said = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.compare}
        return said | {"specification": self.specification}

    def replay(self, ids: tuple[str, ...], seed: int | None = None, *, raced: bool = False) -> str:
        """Return the command that asks for some requirements again, as this run did or a round of it with its seed.

        Whether clients meet is chance: what was found in a race is raced for until it is found again, or ten times.
        """
        words = [*self.command, "--seed", str(self.seed if seed is None else seed)]
        words += ["--tries", str(TRIES)] if raced and self.tries == 1 else []
        words += [word for identifier in ids for word in ("--select", identifier)]
        return shlex.join([*words, "--", *self.rest] if self.rest else words)
