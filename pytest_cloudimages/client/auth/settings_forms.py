"""The form of an entry of clouds.yaml: what openstacksdk would stumble over is told before it is asked."""

from collections.abc import Mapping
from typing import Any

from pytest_cloudimages.client.errors import ConfigurationError

LISTS: dict[str, type] = {"networks": Mapping, "auth_methods": str}
"""Settings that are lists, and what they hold."""
NUMBERS = ("api_timeout",)
FLAGS = ("verify", "insecure")
FLAG_WORDS = ("true", "false", "yes", "no", "on", "off", "1", "0")
TEXTS = (
    *("auth_type", "auth_plugin", "region_name", "profile", "cloud", "cacert", "cert", "key", "interface"),
    *("endpoint_type", "image_endpoint_override", "vendor_hook"),
)
LONGEST = 40
"""Characters of a wrong value that a message repeats."""


def given_settings(entry: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the settings that an entry has; what has no value is not given.

    Raise ``ConfigurationError`` with one line where a setting has another form than openstacksdk takes.
    """
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if not isinstance(name, str):
            raise ConfigurationError(f"{place}: {name!r} is no name of a setting. Is there a quote too few?")
        if value is not None:
            found[name] = _regions(value, place) if name == "regions" else _setting(name, value, place)
    return found


def _setting(name: str, value: Any, place: str) -> Any:
    if name == "auth":
        return _auth(value, place)
    if name in LISTS:
        if not isinstance(value, list) or not all(isinstance(inner, LISTS[name]) for inner in value):
            raise _wrong(place, name, "a list", value)
        return value
    if isinstance(value, list | Mapping):
        raise _wrong(place, name, "a text or a number", value)
    if name in TEXTS and not (isinstance(value, str) and value.strip()):
        raise _wrong(place, name, "a text that is not empty, in quotes if it looks like a number", value)
    if name in FLAGS and str(value).lower() not in FLAG_WORDS:
        raise _wrong(place, name, "true or false", value)
    if name in NUMBERS and not _is_number(value):
        raise _wrong(place, name, "seconds as a number above 0", value)
    return value


def _auth(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{place}: auth: expected settings below it, such as auth_url, username and password, got"
            f" {_kind(value)}. Set them in below `auth:`."
        )
    for name, inner in value.items():
        # What a YAML takes for a number may be a password.
        if inner is not None and name not in LISTS and not isinstance(inner, str):
            raise ConfigurationError(f"{place}: auth: {name}: expected a text, got {_kind(inner)}. Put it in quotes.")
    return {str(name): inner for name, inner in value.items() if inner is not None}


def _regions(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _wrong(place, "regions", "a list of names", value)
    for region in value:
        named = isinstance(region, Mapping) and isinstance(region.get("name"), str) and {*region} <= {"name", "values"}
        if not named and not isinstance(region, str):
            raise _wrong(place, "regions", "names, or tables with `name` and `values`", region)
    return [
        {"name": region["name"], "values": given_settings(_table(region.get("values") or {}, place), place)}
        if isinstance(region, Mapping)
        else region
        for region in value
    ]


def _table(value: Any, place: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, "regions: values", "settings below it", value)
    return value


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and 0 < float(value) < float("inf")
    except ValueError:
        return False


def _kind(value: Any) -> str:
    """Return what a value is, without the value: it may be a password."""
    kinds = (
        (bool, "true or false"),
        (int | float, "a number"),
        (str, "a text"),
        (list, "a list"),
        (Mapping, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), f"a {type(value).__name__}")


def _wrong(place: str, name: str, expected: str, value: Any) -> ConfigurationError:
    shown = repr(value)
    shown = _kind(value) if isinstance(value, list | Mapping) and value else shown
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return ConfigurationError(f"{place}: {name}: expected {expected}, got {shown}. Correct it, or leave it out.")
