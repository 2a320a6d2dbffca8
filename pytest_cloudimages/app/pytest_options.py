"""The table of options under pytest: its options and its ini settings, and what is set of them.

It is loaded in every run of pytest, whoever asks for a service. What a run makes of it is in ``pytest_settings``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.options import INI, OPTIONS, PYTEST, help_of

if TYPE_CHECKING:
    import pytest

    from pytest_cloudimages.app.option import Option


def declare(parser: pytest.Parser) -> None:
    """Declare every option and its ini setting."""
    group = parser.getgroup("cloudimages", "conformance of image-tag services (pytest-cloudimages)")
    for option in OPTIONS:
        how: dict[str, Any] = {"dest": INI + option.key, "default": None, "help": help_of(option)}
        if option.kind == "flag":
            how["action"] = "store_true"
        else:
            how |= {"action": "append" if option.repeated else "store", "metavar": option.metavar}
        group.addoption(*(PYTEST + name for name in (option.name, *option.aliases)), **how)
        shape = "bool" if option.kind == "flag" else "linelist" if option.repeated else "string"
        for name in _ini_names(option):
            parser.addini(name, option.help, type=shape, default=None)  # type: ignore[arg-type]  # one of pytest's words


def judges(config: pytest.Config) -> bool:
    """Return whether an option or an ini setting says that this run judges a service."""
    return any(given(config, option)[0] for option in OPTIONS if option.wakes)


def given(config: pytest.Config, option: Option) -> tuple[Any, str]:
    """Return the value that is given for an option, and the ini setting that gives it, where the command line does not.

    Raise ``UsageError`` for a setting that is not of its shape.
    """
    import pytest

    value = config.getoption(INI + option.key, None)
    if value is not None:
        return value, ""
    for ini in _ini_names(option):
        try:
            value = config.getini(ini)
        except (TypeError, ValueError, pytest.UsageError) as problem:
            shape = "true or false" if option.kind == "flag" else "a list" if option.repeated else "a string"
            raise pytest.UsageError(f"{ini}: expected {shape}; {problem}.") from None
        if value not in (None, "", []):
            return value, ini
    return None, ""


def _ini_names(option: Option) -> list[str]:
    return [INI + name.replace("-", "_") for name in (option.name, *option.aliases)]
