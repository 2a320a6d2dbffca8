"""A pytest plugin that tells whether a cloud keeps the promises of its image-tag API."""

from pytest_cloudimages.spec.marks import requirement
from pytest_cloudimages.spec.mismatch import Mismatch, expect
from pytest_cloudimages.spec.verdicts import Blocked

__all__ = ["Blocked", "Mismatch", "__version__", "expect", "note", "requirement"]

__version__ = "0.1.0"


def note(text: str) -> None:
    """Record an observation of the check that runs now, where nothing is required."""
    # Loaded by those who note something: who imports the package for its mark pays for nothing else.
    from pytest_cloudimages.engine.recording import current_check

    current_check().note(text)
