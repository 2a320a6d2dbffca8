"""Command line, ini file and environment become one value."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.app.cli.arguments import handed_on, typed
from pytest_cloudimages.app.options import OPTIONS
from pytest_cloudimages.app.pytest_settings import Handover, settings
from pytest_cloudimages.engine.choices import PROFILE_NAMES, SPECIFICATIONS
from pytest_cloudimages.engine.settings import PROFILES, Settings


class Config:
    """What the options ask of pytest's configuration."""

    def __init__(
        self, command: dict[str, Any], ini: dict[str, Any], plugins: Sequence[object] = (), words: Sequence[str] = ()
    ) -> None:
        self.command, self.ini = command, ini
        self.pluginmanager = SimpleNamespace(get_plugins=lambda: {*plugins})
        self.invocation_params = SimpleNamespace(args=words)

    def getoption(self, name: str, default: object) -> object:
        """Return a value of the command line."""
        return self.command.get(name.removeprefix("cloudimages_"), default)

    def getini(self, name: str) -> object:
        """Return a value of the ini file, or raise as pytest does for a truth value that is none."""
        value = self.ini.get(name.removeprefix("cloudimages_"))
        if value == "maybe":
            raise ValueError("invalid truth value 'maybe'")
        return value


def read(command: dict[str, Any] | None = None, ini: dict[str, Any] | None = None, **environ: str) -> Settings:
    """Read settings."""
    return settings(Config(command or {}, ini or {}), environ)  # type: ignore[arg-type]  # all that is asked of it


def obeyed(words: Sequence[str]) -> Settings:
    """Read the settings that pytest gets from `cloudimages run` and some words."""
    cut = words.index("--") if "--" in words else len(words)
    chosen = main._parser().parse_args(words[:cut])  # noqa: SLF001 - the command's own reading of it
    handover = Handover(typed(chosen), tuple(words[cut + 1 :]))
    found: dict[str, Any] = {}
    for word in handed_on(chosen):
        name, _, value = word.removeprefix("--cloudimages-").partition("=")
        option = next(option for option in OPTIONS if option.name == name)
        old = found.get(option.key, [])
        found[option.key] = True if option.kind == "flag" else [*old, value] if option.repeated else value
    return settings(Config(found, {}, [handover]), {})  # type: ignore[arg-type]  # all that is asked of it


def test_the_defaults_are_those_of_the_table() -> None:
    """What the help says is what happens."""
    found = read({"seed": "0"})

    assert found == Settings()
    assert {*(option.attribute for option in OPTIONS), "specification"} == {*found.as_data()}


def test_the_choices_are_those_of_the_engine() -> None:
    """The table writes them out, since pytest loads it in every run, and the engine in none that asks for nothing."""
    choices = {option.name: option.choices for option in OPTIONS if option.choices}

    assert choices == {"specification": SPECIFICATIONS, "profile": PROFILE_NAMES}


@pytest.mark.parametrize(
    ("command", "ini", "environ", "url"),
    [
        ({}, {}, {}, None),
        ({}, {}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://e"),
        ({}, {}, {"CLOUDIMAGES_ENDPOINT": ""}, None),
        ({}, {"endpoint": "http://i"}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://i"),
        ({"endpoint": "http://c"}, {"endpoint": "http://i"}, {"CLOUDIMAGES_ENDPOINT": "http://e"}, "http://c"),
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


WRONG = [
    ("profile", "fast", "expected one of quick, standard, thorough, explore, got 'fast'"),
    ("specification", "mine", "expected one of cloud-images, glance, got 'mine'"),
    ("seed", "x", "expected a whole number from 0 to 18446744073709551615, got 'x'"),
    ("seed", "18446744073709551616", "expected a whole number from 0 to 18446744073709551615"),
    ("seed", "1_000", "expected a whole number"),
    ("seed", "9" * 5000, "expected a whole number"),
    ("timeout", "soon", "expected a number above 0 and at most 3600, got 'soon'"),
    ("timeout", "nan", "expected a number"),
    ("timeout", "inf", "expected a number"),
    ("timeout", "0", "expected a number above 0 and at most 3600, got '0'"),
    ("timeout", "1e12", "expected a number above 0 and at most 3600, got '1e12'"),
    ("timeout", "1000000000000", "expected a number above 0 and at most 3600"),
    ("patience", "3601", "expected a number from 0 to 3600, got '3601'"),
    ("minutes", "0", "expected a number above 0 and at most 10080, got '0'"),
    ("tag-limit", "0", "expected a whole number from 1 to 10000, got '0'"),
    ("tag-limit", "99999999999", "expected a whole number from 1 to 10000, got '99999999999'"),
    ("image", "", "expected a value that is not empty and has no control characters, got ''"),
    ("image", "a\nb", "expected a value that is not empty and has no control characters, got 'a\\nb'"),
    ("image", "a\udcff", "expected a value"),
    ("endpoint", " ", "expected a value that is not empty"),
    ("cloud", "", "expected a value that is not empty"),
    ("select", "", "expected a value that is not empty"),
    ("reports", "", "expected a value that is not empty"),
    ("catalogue", "a\0", "expected a value that is not empty and has no control characters"),
]


@pytest.mark.parametrize(("name", "value", "told"), WRONG)
def test_a_wrong_value_is_told(name: str, value: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line: the option as it was typed, what was expected, and what came."""
    option = next(option for option in OPTIONS if option.name == name)
    with pytest.raises(pytest.UsageError, match=re.escape(f"--cloudimages-{name}: {told}")) as caught:
        read({option.key: [value] if option.repeated else value})
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 250
    with pytest.raises(SystemExit) as ended:
        main.main(["run", "--reference", f"--{name}={value}"])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert line.startswith(f"cloudimages run: argument --{name}: {told}")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"endpoint": "http://x", "reference": True}, "--cloudimages-reference, --cloudimages-endpoint: expected one"),
        ({"endpoint": "http://x", "cloud": "c"}, "expected one service to judge, got 2"),
        ({"seed": "-1"}, "--cloudimages-seed: expected a whole number"),
        ({"patience": "-1"}, "--cloudimages-patience: expected a number"),
    ],
)
def test_a_mistake_is_told(given: dict[str, Any], told: str) -> None:
    """With the options, what was given, and what is allowed."""
    with pytest.raises(pytest.UsageError, match=told):
        read(given)


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ({"timeout": "soon"}, "cloudimages_timeout: expected a number above 0"),
        ({"tag_limit": "0"}, "cloudimages_tag_limit: expected a whole number from 1"),
        ({"strict": "maybe"}, "cloudimages_strict: expected true or false; invalid truth value 'maybe'"),
        ({"minutes": "5"}, "cloudimages_minutes: expected the profile explore, got standard"),
        ({"url": "http://x", "cloud": "c"}, "cloudimages_url, cloudimages_cloud: expected one service"),
    ],
)
def test_a_mistake_of_an_ini_file_is_told(ini: dict[str, Any], told: str) -> None:
    """Under the name that stands there."""
    with pytest.raises(pytest.UsageError, match=told):
        read(ini=ini)


def test_a_former_name_is_told_as_it_was_typed() -> None:
    """`--cloudimages-url` is `--cloudimages-endpoint`."""
    config = Config({"endpoint": "", "seed": "1"}, {}, words=["--cloudimages-url=", "--cloudimages-seed=1"])
    with pytest.raises(pytest.UsageError, match=r"^--cloudimages-url: expected a value"):
        settings(config, {})  # type: ignore[arg-type]  # all that is asked of it


def test_the_command_and_its_options_are_named_as_they_are_typed() -> None:
    """Also where it is pytest that finds the mistake."""
    with pytest.raises(pytest.UsageError, match=r"^--minutes: .* Add --profile=explore, or leave --minutes out"):
        obeyed(["run", "--minutes", "1"])

    config = Config({"minutes": "1"}, {}, [Handover(frozenset({"seed"}), ("--cloudimages-minutes=1",))])
    with pytest.raises(pytest.UsageError, match=r"^--cloudimages-minutes: .* Add --profile=explore"):
        settings(config, {})  # type: ignore[arg-type]  # all that is asked of it
    assert obeyed(["run", "--reference"]).prefix == "--"
    assert read().prefix == "--cloudimages-"


def test_a_seed_is_drawn_where_none_is_given() -> None:
    """Two runs try different tags."""
    assert read().seed != read().seed


def test_an_address_of_the_environment_does_not_contradict_an_option() -> None:
    """Whoever names a cloud means it, whatever the shell still holds."""
    found = read({"reference": True}, CLOUDIMAGES_ENDPOINT="http://e")

    assert found.reference


RUNS = [
    ["--reference", "--seed", "7"],
    ["--endpoint", "http://x/v2?a=b c", "--seed=1", "--profile", "quick"],
    ["--cloud=my cloud", "--other-cloud=o'ther", "--reader-cloud=r", "--creator-cloud=-c", "--admin-cloud=a"],
    ["--image=1", "--image=-2", "--catalogue=own file.toml", "--endpoint=https://h", "--specification=glance"],
    ["--cloud=c", "--strict", "--patience", "0.00000001", "--timeout", "2.5", "--tag-limit", "10", "--profile=explore"],
    ["--reference", "--catalogue=own.toml", "--", "tests/test own.py", "-k", "not slow", "--", "-x"],
]


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
def test_a_replay_is_a_command_that_says_the_same(words: list[str]) -> None:
    """Whatever was set and matters; its reports leave those with the finding alone."""
    first = obeyed(["run", *words])
    program, *again = shlex.split(first.replay(("TAG-ADD-05", "TAG-DEL-01")))
    second = obeyed(again)

    assert program == "cloudimages"
    assert second == replace(first, select=("TAG-ADD-05", "TAG-DEL-01"), reports="reports/replay")
    assert second.rest == first.rest == tuple(words[words.index("--") + 1 :] if "--" in words else [])
    assert second.replay(("TAG-ADD-05", "TAG-DEL-01")) == first.replay(("TAG-ADD-05", "TAG-DEL-01"))


def test_every_option_is_replayed_or_said_anew() -> None:
    """An option that a finding may hang on is not forgotten: these alone are left out, or chosen by the replay."""
    left_out = {option.name for option in OPTIONS if not option.replayed}

    left_to_each = {"again", "identify", "reports", "export", "sign", "baseline", "seed", "select", "shard"}
    left_to_each |= {"max-requests", "max-seconds"}
    assert left_out == {"minutes", "examples", "dry-run"} | left_to_each


@pytest.mark.parametrize(("words", "folder"), [([], "reports"), (["--reports", "a b/c"], "a b/c")])
def test_a_replay_has_a_folder_of_its_own(words: list[str], folder: str) -> None:
    """Within the reports of the run."""
    assert shlex.join(["--reports", f"{folder}/replay"]) in obeyed(["run", *words]).replay(("A-01",))


def test_a_run_under_pytest_is_replayed_with_the_tests_that_were_named(tmp_path: Path) -> None:
    """Which the command would not find otherwise; the suite itself it runs anyway."""
    own, suite = str(tmp_path / "test_own.py"), str(Path(__file__).parents[1] / "conformance" / "test_access.py")
    named = {"file_or_dir": [own, suite, "pytest_cloudimages.conformance", f"{own}::test_a"]}
    found = settings(Config(named, {}), {})  # type: ignore[arg-type]  # all that is asked of it

    assert shlex.split(found.replay(("OWN-01",)))[-5:] == ["--select", "OWN-01", "--", own, f"{own}::test_a"]


def test_the_help_has_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """With what it is for, what may be chosen, and what it is by default."""
    with pytest.raises(SystemExit) as ended:
        main.main(["run", "--help"])
    told = " ".join(capsys.readouterr().out.split())

    assert ended.value.code == 0
    for option in OPTIONS:
        assert f"--{option.name} {option.metavar}".strip() in told
        assert option.help in told
    assert (
        "whose reading judges where two specifications differ; cloud-images, unless you name one: cloud-images, glance"
        in told
    )
    assert "until its answer has come to its end [30]" in told


@pytest.mark.parametrize("name", [*PROFILES])
def test_a_profile_tries_something(name: str) -> None:
    """Every profile has at least one of each."""
    effort = Settings(profile=name).effort

    assert min(effort.full_cycles, effort.tags, effort.sequences, effort.steps, effort.cases, effort.races) >= 1
    assert min(effort.clients) >= 2


def test_profiles_grow() -> None:
    """Each tries at least as much as the one before."""
    sizes = [
        (effort.full_cycles, effort.rounds, effort.sequences, effort.cases, effort.races)
        for effort in PROFILES.values()
    ]

    assert all(a <= b for less, more in zip(sizes, sizes[1:], strict=False) for a, b in zip(less, more, strict=True))


def test_minutes_belong_to_exploring() -> None:
    """Another profile ends by itself."""
    with pytest.raises(pytest.UsageError, match="--cloudimages-minutes: expected the profile explore, got quick"):
        read({"minutes": "1", "profile": "quick"})

    assert read({"minutes": "1", "profile": "explore"}).minutes == 1


def test_a_round_of_an_exploration_is_replayed_with_its_own_seed() -> None:
    """In the profile that a round has, and without the time that the run had."""
    found = obeyed(["run", "--profile", "explore", "--minutes", "1", "--seed", "3", "--reference"])
    again = found.replay(("TAG-HIST-02",), 7)

    assert "--profile standard " in again
    assert again.endswith(" --seed 7 --select TAG-HIST-02")
    assert "minutes" not in again
    assert found.effort == PROFILES["standard"]
