"""The plugin: an index of its options, fixtures and hooks.

Asleep, it imports nothing but pytest, so that an unrelated run pays nothing for it. It wakes up where an option or an
ini setting names a service or a folder for reports, or where a collected test asks for one of its fixtures. What the
environment names wakes nobody: a shell is set up for a cloud for many reasons.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _by_python_itself() -> Iterator[None]:
    """Load modules past pytest, which looks for assertions and reads slowly: there are none to explain."""
    before = [*sys.meta_path]
    sys.meta_path[:] = [finder for finder in before if type(finder).__module__ != "_pytest.assertion.rewrite"]
    try:
        yield
    finally:
        sys.meta_path[:] = before


with _by_python_itself():
    from pytest_cloudimages.app import pytest_options
    from pytest_cloudimages.app.fixtures import (
        JUDGES_NAME,
        asks,
        cloudimages_administrator,
        cloudimages_anonymous,
        cloudimages_client,
        cloudimages_creator,
        cloudimages_credentials,
        cloudimages_fresh_image,
        cloudimages_image,
        cloudimages_other_project,
        cloudimages_owner_of,
        cloudimages_reader,
        cloudimages_replay,
        cloudimages_run,
        cloudimages_service,
        cloudimages_workloads,
    )

__all__ = [
    "cloudimages_administrator",
    "cloudimages_anonymous",
    "cloudimages_client",
    "cloudimages_creator",
    "cloudimages_credentials",
    "cloudimages_fresh_image",
    "cloudimages_image",
    "cloudimages_other_project",
    "cloudimages_owner_of",
    "cloudimages_reader",
    "cloudimages_replay",
    "cloudimages_run",
    "cloudimages_service",
    "cloudimages_workloads",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    pytest_options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, and wake up where an option says that a service is judged."""
    config.addinivalue_line("markers", "requirement(id, …): the requirements of the catalogue that this test asks for")
    if config.option.pyargs:
        from pytest_cloudimages.app import suite

        config.args = [suite.located(argument) for argument in config.args]
    if getattr(config.option, "numprocesses", None):
        from pytest_cloudimages.app import waking

        waking.see_that_no_suite_is_distributed(config)
    if pytest_options.judges(config):
        from pytest_cloudimages.app import waking

        waking.wake(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Wake up where a test asks for a service."""
    if config.pluginmanager.has_plugin(JUDGES_NAME) or any(map(asks, items)):
        from pytest_cloudimages.app import waking

        waking.prepare(config, items)
