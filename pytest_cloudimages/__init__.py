"""A pytest plugin that tells whether a cloud keeps the promises of its image-tag API."""

from pytest_cloudimages.spec.marks import requirement
from pytest_cloudimages.spec.mismatch import Mismatch, expect

__all__ = ["Mismatch", "__version__", "expect", "requirement"]

__version__ = "0.1.0"
