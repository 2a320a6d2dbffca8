"""The table of options on the command line of `cloudimages run`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.option import TYPED, Option
from pytest_cloudimages.app.options import OF_MANY, OPTIONS, PYTEST, REPORTS, endpoint_of, help_of
from pytest_cloudimages.engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


def named(*names: str) -> tuple[Option, ...]:
    """Return the options of these names, in the order of the table."""
    return tuple(option for option in OPTIONS if option.name in names)


class Several(argparse._StoreAction):  # noqa: SLF001 - the usual way to store a value, and to keep each
    """Takes an option that names several runs of one: the last is its value, ``clouds`` has all of them."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, option_string: object = None
    ) -> None:
        """Keep the value."""
        del parser, option_string
        setattr(namespace, self.dest, values)
        namespace.clouds = (*namespace.clouds, values)


def add_arguments_of_many(parser: argparse.ArgumentParser) -> None:
    """Add what makes several runs of one to the parser of `cloudimages run`."""
    add_arguments(parser, OF_MANY)
    parser.set_defaults(clouds=())


def add_arguments(
    parser: argparse.ArgumentParser, options: Iterable[Option] = OPTIONS, *, several: Collection[str] = ()
) -> None:
    """Add options to the parser of a command: every one to that of `cloudimages run`.

    ``several`` are the names of those that may be given more than once there, for as many runs.
    """
    service = parser.add_mutually_exclusive_group()
    for option in options:
        target = service if option.names_service else parser
        if option.kind == "flag":
            target.add_argument(TYPED + option.name, action="store_true", help=help_of(option))
            continue
        target.add_argument(
            TYPED + option.name,
            action=Several if option.name in several else "append" if option.repeated else "store",
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


def handed_on(chosen: argparse.Namespace) -> list[str]:
    """Return the words of pytest's command line that say what was given to `cloudimages run`."""
    values = {option.name: getattr(chosen, option.key) for option in OPTIONS}
    values["reports"] = values["reports"] or REPORTS
    return [word for option in OPTIONS for word in option.words(values[option.name], PYTEST)]


def settings_of(chosen: argparse.Namespace, options: Iterable[Option], environ: Mapping[str, str]) -> Settings:
    """Return the settings of a command that takes some of the options and runs without pytest."""
    given = {option.attribute: getattr(chosen, option.key) for option in options}
    found: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    found |= {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    if not any(found.get(option.attribute) for option in options if option.names_service):
        found["url"] = endpoint_of(environ)
    return Settings(**found)


def typed(chosen: argparse.Namespace) -> frozenset[str]:
    """Return the names of the options that were given to `cloudimages run`."""
    return frozenset(option.name for option in OPTIONS if getattr(chosen, option.key) not in (None, False))


def asks_for_several(chosen: argparse.Namespace) -> bool:
    """Return whether `cloudimages run` stands for more than one run."""
    return len(chosen.clouds) > 1 or bool(chosen.all_regions or chosen.shards or chosen.workers or chosen.dask)
