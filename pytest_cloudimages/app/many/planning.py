"""Which runs a command stands for: the services that it names, and the shards of each."""

from __future__ import annotations

import os
import secrets
import urllib.parse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.cli.arguments import named
from pytest_cloudimages.app.cli.exit_status import NOT_JUDGED, USAGE
from pytest_cloudimages.app.many.units import Unit
from pytest_cloudimages.app.options import OPTIONS, REPORTS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pytest_cloudimages.app.option import Option

FURTHER = named("other-cloud", "reader-cloud", "creator-cloud", "admin-cloud")
CLOUD = "{cloud}"
"""Stands for the name of each cloud in an option that names another entry for it."""
MOST_WORKERS = 8
"""Units at once, unless told otherwise."""
EXAMPLES = "examples"
"""The folder in which an exploration keeps the seeds that found something."""
ROUNDS = 2**20
"""Rounds of an exploration for which a range of seeds has room."""
OF_THE_WHOLE = ("deviations", "export", "sign")
"""Options that a shard is not given: they are for the results of all."""


@dataclass(frozen=True)
class Task:
    """A service that is to be judged, in one unit or in several."""

    label: str
    """What it is called here; empty where it is the only one, and nothing names it."""
    folder: Path
    units: Sequence[Unit] = ()
    status: int = 0
    """The exit status where it is known beforehand that nothing can be asked."""
    problem: str = ""
    """Why."""


@dataclass(frozen=True)
class Several:
    """What a command asks for: the options that all units have, and what makes them differ."""

    chosen: argparse.Namespace
    rest: tuple[str, ...]
    clouds: Sequence[str | None] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what is named."""
        object.__setattr__(self, "clouds", self.chosen.clouds or (None,))

    @property
    def shards(self) -> int:
        """In how many parts each service is judged."""
        return self.chosen.shards or 1

    @property
    def at_once(self) -> int:
        """How many shards of a service are under way at once, at most."""
        if self.chosen.dask:
            return self.shards  # a cluster may have a place for each
        return min(self.shards, self.chosen.workers or MOST_WORKERS)


def problems(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield what does not go together, each in one line: what was expected, what came, and what to do."""
    several = len(chosen.clouds) > 1
    if twice := next((name for name in chosen.clouds if chosen.clouds.count(name) > 1), None):
        yield f"--cloud {twice}: expected each cloud once. Leave one out."
    if chosen.all_regions:
        for option in ("reference", "endpoint", "region"):
            if getattr(chosen, option):
                yield f"--all-regions: expected no --{option} beside it, which is one service. Leave one out."
    if chosen.shards and chosen.shard:
        yield "--shards: expected no --shard beside it, which is one of them. Leave one out."
    parts = "--shards" if chosen.shards and chosen.shards > 1 else ""
    services = "several --cloud" if several else "--all-regions" if chosen.all_regions else ""
    for option, kinds, why in (
        ("image", (services, parts), "an image is lent to one run at a time"),
        ("baseline", (services, parts), "cloudimages diff compares each service with its own"),
        ("max-requests", (parts,), "a part does not know what the others send"),
    ):
        beside = next(filter(None, kinds), "")
        if beside and getattr(chosen, option.replace("-", "_")) not in (None, ()):
            yield f"--{option}: expected no {beside} beside it: {why}. Leave one out."
    yield from _of_further_callers(chosen)
    yield from _of_files(chosen)
    if chosen.dask:
        from pytest_cloudimages.app.many.cluster import unfit

        yield from unfit(chosen)


def _of_further_callers(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield which entries of clouds.yaml could not be those of all clouds."""
    for option in FURTHER if len(chosen.clouds) > 1 else ():
        value = getattr(chosen, option.key)
        if value and CLOUD not in value:
            yield (
                f"--{option.name} {value}: expected {CLOUD} in it, since each cloud has an entry of its own, such as"
                f" {CLOUD}-{option.name.removesuffix('-cloud')}."
            )


def _of_files(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield what is wrong with files that are for the results of all shards, and read when these are there."""
    from pytest_cloudimages.app.result_files import deviations_at
    from pytest_cloudimages.reporting.formats import STANDARD_OUTPUT, split

    try:
        if any(split(wish)[1] == STANDARD_OUTPUT for wish in chosen.export or ()):
            yield "--export: expected a file, since several runs share the standard output. Name one."
    except ValueError as problem:
        yield f"--export: {problem}"
    if chosen.sign and not Path(chosen.sign).is_file():
        yield f"--sign: expected a private key of OpenSSH, and there is no file {chosen.sign}."
    try:
        _ = deviations_at(Path(chosen.deviations)) if chosen.deviations else None
    except ValueError as problem:
        yield f"--deviations: {problem}"


def planned(chosen: argparse.Namespace, rest: Sequence[str]) -> list[Task]:
    """Return what is to be judged; Identity is asked for the regions, where all of them are meant."""
    if chosen.seed is None:
        chosen.seed = secrets.randbelow(2**32)
    several = Several(chosen, tuple(rest))
    return [task for cloud in several.clouds for task in _of_a_cloud(several, cloud)]


def _of_a_cloud(several: Several, cloud: str | None) -> Iterator[Task]:
    names = [cloud] if cloud and len(several.clouds) > 1 else []
    if not several.chosen.all_regions:
        yield _task(several, cloud, None, names)
        return
    from pytest_cloudimages.client.errors import ConfigurationError
    from pytest_cloudimages.client.redaction import SECRETS
    from pytest_cloudimages.spec.verdicts import Blocked

    try:
        regions = _regions(several.chosen, cloud)
    except (ConfigurationError, Blocked) as problem:
        task = _task(several, cloud, None, names)
        status = USAGE if isinstance(problem, ConfigurationError) else NOT_JUDGED
        yield replace(task, units=(), status=status, problem=SECRETS.hide(str(problem)))
        return
    for region in regions:
        yield _task(several, cloud, region, [*names, region])


def _regions(chosen: argparse.Namespace, cloud: str | None) -> list[str]:
    """Return the regions of a cloud's catalogue that have the image service."""
    from pytest_cloudimages.app.cli.arguments import settings_of
    from pytest_cloudimages.client.errors import ConfigurationError
    from pytest_cloudimages.engine.preflight import named_by

    settings = replace(settings_of(chosen, named("plain-http", "timeout", "cloud"), os.environ), cloud=cloud, url=None)
    account = named_by(settings, os.environ).account
    account.sign_in()
    if found := account.offered_regions():
        return found
    raise ConfigurationError(f"{account.source}: expected regions in the catalogue, and its endpoints name none.")


def _task(several: Several, cloud: str | None, region: str | None, names: Sequence[str]) -> Task:
    """Return what is to be done for a service; ``names`` are those of its folders."""
    base = Path(several.chosen.reports or REPORTS).joinpath(*map(folder_name, names))
    label = " ".join(names) or cloud or ""
    units = []
    exploring = several.chosen.minutes is not None
    for number in range(1, several.shards + 1):
        shard = f"{number}/{several.shards}" if several.shards > 1 else ""
        changed: dict[str, Any] = {"cloud": cloud, "region": region or several.chosen.region, "reports": None}
        if cloud:
            changed |= {option.key: _filled(several.chosen, option, cloud) for option in FURTHER}
        if shard:
            changed |= _own_part(several, base, number, shard)
        folder = base / ("explored" if exploring else "shards") / str(number) if shard else base
        places = tuple(filter(None, (region or several.chosen.region, cloud)))
        units.append(Unit(label, _words(several.chosen, changed), several.rest, str(folder), shard, places))
    return Task(label, base, tuple(units))


def _own_part(several: Several, base: Path, number: int, shard: str) -> dict[str, Any]:
    """Return the options that make a unit one of several for a service: a shard, or a range of seeds to explore."""
    chosen = several.chosen
    changed: dict[str, Any] = {"max_rps": chosen.max_rps / several.at_once} if chosen.max_rps else {}
    if chosen.minutes is None:
        return changed | {"shard": shard} | dict.fromkeys(OF_THE_WHOLE)
    if not chosen.dask:
        changed["examples"] = chosen.examples or str(base / EXAMPLES)
    return changed | {"seed": _beginning(chosen.seed, number - 1)}


def _beginning(seed: int, number: int) -> int:
    """Return the seed with which a range of seeds begins: so many further on that no other range comes to it."""
    from pytest_cloudimages.engine.exploration import STRIDE

    return (seed + number * ROUNDS * STRIDE) % 2**32 if number else seed


def _filled(chosen: argparse.Namespace, option: Option, cloud: str) -> str | None:
    value: str | None = getattr(chosen, option.key)
    return value.replace(CLOUD, cloud) if value else value


def _words(chosen: argparse.Namespace, changed: dict[str, Any]) -> tuple[str, ...]:
    """Return the words of `cloudimages run` that say what was chosen, but for what a unit has of its own."""
    values = {option.key: getattr(chosen, option.key) for option in OPTIONS} | changed
    return tuple(word for option in OPTIONS for word in option.words(values[option.key]))


def folder_name(name: str) -> str:
    """Return the name of a folder for a service, whatever it is called: another for each."""
    quoted = urllib.parse.quote(name, safe="@+ ")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")
