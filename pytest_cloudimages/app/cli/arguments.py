"""The table of options on the command line of `cloudimages run`."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.options import OPTIONS, PYTEST, REPORTS, TYPED, Kind, Option, help_of
from pytest_cloudimages.engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


NAMING = ("endpoint", "cloud", "other-cloud", "reader-cloud", "creator-cloud", "admin-cloud", "timeout", "max-rps")
"""The options that say which cloud is meant, who asks it, and how fast: other commands than `run` have them too."""


def add_arguments(parser: argparse.ArgumentParser, only: Collection[str] | None = None) -> None:
    """Add the options of `cloudimages run` to a parser: every one, or those of these names."""
    service = parser.add_mutually_exclusive_group()
    for option in OPTIONS if only is None else [each for each in OPTIONS if each.name in only]:
        target = service if option.names_service else parser
        if option.kind is Kind.FLAG:
            target.add_argument(TYPED + option.name, action="store_true", help=help_of(option))
            continue
        target.add_argument(
            TYPED + option.name,
            action="append" if option.repeated else "store",
            type=argument_type(option),
            metavar=option.metavar,
            help=help_of(option),
        )


def argument_type(option: Option) -> Callable[[str], Any]:
    """Return what argparse takes an option's value by."""
    return typed_by(option.parse)


def typed_by(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what argparse takes a value by that a function reads, which raises ``ValueError`` for a wrong one."""

    def parse(text: str) -> Any:
        try:
            return read(text)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None

    return parse


def settings_of(chosen: argparse.Namespace, names: Collection[str]) -> Settings:
    """Return the settings that a command other than `run` was given by the options of these names."""
    options = [option for option in OPTIONS if option.name in names]
    given = {option.attribute: getattr(chosen, option.key) for option in options}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    # Whoever names a service means it, whatever the shell still holds.
    named = settings.url or settings.cloud
    return settings if named else replace(settings, url=os.environ.get("CLOUDIMAGES_ENDPOINT") or None)


def handed_on(chosen: argparse.Namespace) -> list[str]:
    """Return the words of pytest's command line that say what was given to `cloudimages run`."""
    values = {option.name: getattr(chosen, option.key) for option in OPTIONS}
    values["reports"] = values["reports"] or REPORTS
    return [word for option in OPTIONS for word in option.words(values[option.name], PYTEST)]


def typed(chosen: argparse.Namespace) -> frozenset[str]:
    """Return the names of the options that were given to `cloudimages run`."""
    return frozenset(option.name for option in OPTIONS if getattr(chosen, option.key) not in (None, False))
