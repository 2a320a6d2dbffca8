"""What a run takes from the results of an earlier one that it asks again: what was asked then, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.option import Option, text_of
from pytest_cloudimages.app.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DECIDING = ("profile", "specification", "tag-limit", "seed", "select")
"""The options that decide what is asked and by whose word it is judged: the parts of one result have them in common."""
TAKEN = (*DECIDING, "timeout", "max-body", "patience", "max-rps", "concurrency", "tries", "strict")
"""Those that are taken from the results. Services and files are named anew: anybody may have written the results."""
AGAINST = ("minutes", "shard")
"""Those that no run has which asks again."""


def as_recorded(path: Path, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the results at a path, and the settings that they were made with, but for those that the tester gives.

    ``given`` has the options that are given, with their spelling. Raise ``ValueError`` with one line for what cannot be
    asked again.
    """
    from pytest_cloudimages.app.result_files import results_at
    from pytest_cloudimages.reporting.joining import problems

    if clash := [given[name] for name in (*DECIDING, *AGAINST) if name in given]:
        raise ValueError(f"expected no {', '.join(clash)} beside it: that is as in the results")
    data = results_at(path)
    if problem := next(problems(data), ""):
        raise ValueError(f"{path}: expected results of a whole run, got {problem}")
    found: dict[str, Any] = {"earlier": data}
    for option in OPTIONS:
        if option.name in TAKEN and option.name not in given:
            try:
                found[option.attribute] = _recorded(option, data["settings"].get(option.attribute))
            except ValueError as problem:
                raise ValueError(f"{path}: settings: {option.attribute}: {problem}") from None
    return found


def _recorded(option: Option, value: Any) -> Any:
    if value is None:
        return option.default
    if option.kind == "flag":
        return value is True
    if option.repeated:
        return tuple(option.parse(text_of(text)) for text in (value if isinstance(value, list) else [value]))
    return option.parse(text_of(value))
