"""A pytest plugin that tells whether a cloud keeps the promises of its image-tag API."""

from pytest_cloudimages.spec.marks import requirement

__all__ = ["__version__", "requirement"]

__version__ = "0.1.0"
