"""A pytest plugin that tells whether a cloud keeps the promises of its image-tag API."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_cloudimages.spec.marks import requirement
    from pytest_cloudimages.spec.mismatch import Mismatch, expect
    from pytest_cloudimages.spec.verdicts import Blocked

__all__ = ["Blocked", "Mismatch", "__version__", "expect", "note", "requirement"]

__version__ = "0.1.0"

PLACES = {"Blocked": "verdicts", "Mismatch": "mismatch", "expect": "mismatch", "requirement": "marks"}
"""The module of the specification that has a name."""


def __getattr__(name: str) -> object:
    """Load what is asked for when it is: pytest loads the package in every run, whoever wants anything of it."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.spec.{PLACES[name]}"), name)
    globals()[name] = found
    return found


def note(text: str) -> None:
    """Record an observation of the check that runs now, where nothing is required."""
    from pytest_cloudimages.engine.recording import current_check

    current_check().note(text)
