"""What pytest was told becomes the settings of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.option import TYPED, Option
from pytest_cloudimages.app.options import INI, OPTIONS, PYTEST, REPORTS, endpoint_of
from pytest_cloudimages.app.pytest_options import given as given_to_pytest
from pytest_cloudimages.engine.choices import ROUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_cloudimages.engine.settings import Settings


class Handover:
    """What `cloudimages run` tells the plugin beside pytest's words; it is registered as a plugin of that run."""

    def __init__(self, typed: frozenset[str], rest: tuple[str, ...]) -> None:
        self.typed = typed
        """The options that were given to the command itself."""
        self.rest = rest
        """The words behind ``--``."""


def settings(config: pytest.Config, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a run: command line before ini file before environment before default.

    Raise ``pytest.UsageError`` for a wrong value, naming the option as it was typed.
    """
    import secrets
    from dataclasses import replace

    import pytest

    from pytest_cloudimages.engine.settings import Settings

    handover = next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Handover)), None)
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    given: set[str] = set()
    for option in OPTIONS:
        value, spelled[option.name] = _given(config, option, handover)
        given |= {option.name} if value is not None else set()
        try:
            found[option.attribute] = option.default if value is None else _parsed(option, value)
        except ValueError as problem:
            raise pytest.UsageError(f"{spelled[option.name]}: {problem}.") from None
    if found["again"]:
        from pytest_cloudimages.app.earlier import as_recorded

        try:
            found |= as_recorded(Path(found["again"]), {name: spelled[name] for name in given})
        except ValueError as problem:
            raise pytest.UsageError(f"{spelled['again']}: {problem}.") from None
    if not _services(found, spelled):
        found["url"] = endpoint_of(environ)
    if found["minutes"] is not None:
        _see_that_it_explores(found, spelled, TYPED if handover else PYTEST)
    if found["dry_run"]:
        found["reports"] = None  # a rehearsal is no result
    if found["shard"]:
        _see_that_shards_fit(found, spelled, TYPED if handover else PYTEST)
    if found["seed"] is None:
        found["seed"] = secrets.randbelow(2**32)
    made = Settings(**found, prefix=TYPED if handover else PYTEST, rest=_rest(config, handover))
    return replace(made, command=replayed(made))


def _services(found: Mapping[str, Any], spelled: Mapping[str, str]) -> int:
    """Return how many services are named; raise ``UsageError`` where that is more than one."""
    import pytest

    services = [option for option in OPTIONS if option.names_service and found[option.attribute]]
    if len(services) > 1:
        names = ", ".join(spelled[option.name] for option in services)
        raise pytest.UsageError(f"{names}: expected one service to judge, got {len(services)}. Leave out all but one.")
    return len(services)


def _see_that_it_explores(found: Mapping[str, Any], spelled: Mapping[str, str], prefix: str) -> None:
    """Raise ``UsageError`` where a run is to go on for some minutes and does not explore, or has another limit."""
    import pytest

    if found["profile"] != "explore":
        raise pytest.UsageError(
            f"{spelled['minutes']}: expected the profile explore, got {found['profile']}. Add"
            f" {prefix}profile=explore, or leave {spelled['minutes']} out."
        )
    for name in ("max-requests", "max-seconds"):
        if found[name.replace("-", "_")] is not None:
            raise pytest.UsageError(
                f"{spelled[name]}: expected no {spelled['minutes']} beside it, a limit of its own. Leave one out."
            )


def _see_that_shards_fit(found: Mapping[str, Any], spelled: Mapping[str, str], prefix: str) -> None:
    """Raise ``UsageError`` where the shards of a run could not be put together."""
    import pytest

    if found["seed"] is None:
        raise pytest.UsageError(
            f"{spelled['shard']}: expected {prefix}seed beside it, so that all shards draw the same."
        )
    for name, instead in (("deviations", "cloudimages merge --deviations"), ("baseline", "cloudimages diff")):
        if found[name]:
            raise pytest.UsageError(
                f"{spelled['shard']}: expected no {spelled[name]}: what is held against a service shows in the whole;"
                f" {instead} does that."
            )


def _given(config: pytest.Config, option: Option, handover: Handover | None) -> tuple[Any, str]:
    """Return the value given for an option, and the name under which the tester gave it."""
    value, ini = given_to_pytest(config, option)
    if value is None or ini:
        return value, ini or INI + option.key
    typed = handover is not None and option.name in handover.typed
    words = {word.partition("=")[0] for word in config.invocation_params.args}
    names = [PYTEST + name for name in (option.name, *option.aliases)]
    return value, TYPED + option.name if typed else next((name for name in names if name in words), names[0])


def _parsed(option: Option, value: Any) -> Any:
    if option.kind == "flag":
        return bool(value)
    return tuple(map(option.parse, value)) if option.repeated else option.parse(str(value))


def _rest(config: pytest.Config, handover: Handover | None) -> tuple[str, ...]:
    """Return what stood behind ``--``, or under pytest the tests that were named beside the suite."""
    if handover:
        return handover.rest
    from pytest_cloudimages.app import suite

    named = config.getoption("file_or_dir", None) or ()
    own = [str(word) for word in named if not str(word).startswith(suite.NAME)]
    return tuple(word for word in own if suite.folder() not in (Path(word.partition("::")[0]) / "x").resolve().parents)


def replayed(made: Settings) -> tuple[str, ...]:
    """Return the command that runs once more as a run did, up to its seed and the requirements it is to ask for.

    A round of an exploration is replayed in the profile that a round has. Reports go to a folder of their own, so that
    those with the finding stay.
    """
    words = ["cloudimages", "run"]
    for option in OPTIONS:
        value = getattr(made, option.attribute)
        if option.name == "profile":
            words += option.words(value if made.minutes is None else ROUND)
        elif option.replayed and value != option.default:
            words += option.words(value)
        elif option.name == "reports":
            folder = Path(value or REPORTS)
            words += option.words(str(folder if folder.name == "replay" else folder / "replay"))
    return tuple(words)
