"""Command line, ini file and environment become one value."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from pytest_cloudimages.app.cli import main, run
from pytest_cloudimages.app.options import TABLE, settings
from pytest_cloudimages.engine.settings import PROFILES, Settings


class Config:
    """What the options ask of pytest's configuration."""

    def __init__(self, command: dict[str, Any], ini: dict[str, Any]) -> None:
        self.command, self.ini = command, ini

    def getoption(self, name: str, default: object) -> object:
        """Give a value of the command line."""
        return self.command.get(name.removeprefix("cloudimages_"), default)

    def getini(self, name: str) -> object:
        """Give a value of the ini file."""
        return self.ini.get(name.removeprefix("cloudimages_"))


def read(command: dict[str, Any] | None = None, ini: dict[str, Any] | None = None, **environ: str) -> Settings:
    """Read settings."""
    return settings(Config(command or {}, ini or {}), environ)  # type: ignore[arg-type]  # all that is asked of it


def test_the_defaults_are_those_of_the_table() -> None:
    """What the help says is what happens."""
    found = read({"seed": "0"})

    assert found == Settings()
    assert {name.replace("-", "_") for name, *_ in TABLE} == {*found.as_data()}


@pytest.mark.parametrize(
    ("command", "ini", "environ", "url"),
    [
        ({}, {}, {}, None),
        ({}, {}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://e"),
        ({}, {}, {"CLOUDIMAGES_ENDPOINT": ""}, None),
        ({}, {"url": "http://i"}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://i"),
        ({"url": "http://c"}, {"url": "http://i"}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://c"),
    ],
)
def test_what_is_nearer_wins(
    command: dict[str, Any], ini: dict[str, Any], environ: dict[str, str], url: str | None
) -> None:
    """Command line before ini file before environment."""
    assert read(command, ini, **environ).url == url


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"seed": "18446744073709551615"}, "seed", 2**64 - 1),
        ({"timeout": "2.5"}, "timeout", 2.5),
        ({"patience": "0"}, "patience", 0.0),
        ({"image": ["a", "b"]}, "image", ("a", "b")),
        ({"select": ["TAG-ADD"]}, "select", ("TAG-ADD",)),
        ({"strict": True}, "strict", True),
        ({"profile": "quick"}, "profile", "quick"),
    ],
)
def test_values_are_read(given: dict[str, Any], field: str, value: object) -> None:
    """Alike from the command line and from an ini file."""
    assert getattr(read(given), field) == getattr(read(ini=given), field) == value


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"profile": "fast"}, "quick, standard, thorough, explore"),
        ({"seed": "x"}, "--cloudimages-seed takes a number"),
        ({"seed": "-1"}, "at least 0"),
        ({"seed": "18446744073709551616"}, "at least 0"),
        ({"timeout": "soon"}, "--cloudimages-timeout takes a number"),
        ({"timeout": "nan"}, "--cloudimages-timeout"),
        ({"timeout": "inf"}, "--cloudimages-timeout"),
        ({"timeout": "0"}, "--cloudimages-timeout"),
        ({"patience": "-1"}, "--cloudimages-patience"),
        ({"url": "http://x", "reference": True}, "--cloudimages-url, --cloudimages-reference"),
        ({"url": "http://x", "cloud": "c"}, "One run judges one service"),
    ],
)
def test_a_mistake_is_told(given: dict[str, Any], told: str) -> None:
    """With the option, what was given, and what is allowed."""
    with pytest.raises(pytest.UsageError, match=told):
        read(given)


def test_a_seed_is_drawn_where_none_is_given() -> None:
    """Two runs try different tags."""
    assert read().seed != read().seed


def test_an_address_of_the_environment_does_not_contradict_an_option() -> None:
    """Whoever names a cloud means it, whatever the shell still holds."""
    found = read({"reference": True}, CLOUDIMAGES_ENDPOINT="http://e")

    assert found.reference


@pytest.mark.parametrize(
    ("options", "awake"),
    [
        ({}, False),
        ({"url": "http://x"}, True),
        ({"cloud": "c"}, True),
        ({"reference": True}, True),
        ({"image": ("a",)}, False),
    ],
)
def test_an_option_names_a_service(options: dict[str, Any], awake: bool) -> None:
    """A URL, a cloud, or the embedded one."""
    assert Settings(**options).names_a_service == awake


@pytest.mark.parametrize(
    "options",
    [
        Settings(reference=True, seed=7),
        Settings(url="http://x/v2?a=b c", seed=1, profile="quick"),
        Settings(cloud="my cloud", other_cloud="o'ther", reader_cloud="r", admin_cloud="a", image=("1", "2")),
        Settings(catalogue=("own file.toml",), url="https://h"),
    ],
)
def test_a_replay_is_a_command_that_says_the_same(options: Settings) -> None:
    """The command line reads from it what was in force."""
    program, *words = shlex.split(options.replay(("TAG-ADD-05", "TAG-DEL-01")))
    chosen = main._parser().parse_args(words)  # noqa: SLF001 - the command's own reading of it

    assert program == "cloudimages"
    given = run._words(chosen)  # noqa: SLF001 - what it hands to pytest
    pairs = [one.removeprefix("--cloudimages-").partition("=")[::2] for one in given if one.startswith("--cloudimages")]
    command: dict[str, Any] = {}
    for name, value in pairs:
        key = name.replace("-", "_")
        kind = next(kind for entry, kind, *_ in TABLE if entry == name)
        command[key] = [*command.get(key, ()), value] if kind is list else value if kind is not bool else True
    assert read(command) == replace(options, select=("TAG-ADD-05", "TAG-DEL-01"), reports="reports")


@pytest.mark.parametrize("name", [*PROFILES])
def test_a_profile_tries_something(name: str) -> None:
    """Every profile has at least one of each."""
    effort = Settings(profile=name).effort

    assert min(effort.lives, effort.tags, effort.sequences, effort.steps, effort.cases, effort.races) >= 1
    assert min(effort.clients) >= 2


def test_profiles_grow() -> None:
    """Each tries at least as much as the one before."""
    sizes = [(one.lives, one.rounds, one.sequences, one.cases, one.races) for one in PROFILES.values()]

    assert all(a <= b for less, more in zip(sizes, sizes[1:], strict=False) for a, b in zip(less, more, strict=True))


def test_minutes_belong_to_exploring() -> None:
    """Another profile ends by itself."""
    with pytest.raises(pytest.UsageError, match="belongs to --cloudimages-profile=explore, and this is profile quick"):
        read({"minutes": "1", "profile": "quick"})

    assert read({"minutes": "1", "profile": "explore"}).minutes == 1


def test_a_round_of_an_exploration_is_replayed_with_its_own_seed() -> None:
    """In the profile that a round has."""
    options = Settings(profile="explore", minutes=1.0, seed=3)

    assert "--profile standard --seed 7 --select TAG-HIST-02" in options.replay(("TAG-HIST-02",), 7)
    assert options.effort == PROFILES["standard"]
