"""The plugin: an index of its options, fixtures and hooks.

Asleep, it imports nothing but pytest, so that an unrelated run pays nothing for it. It wakes up where a service is
named, or where a collected test asks for one of its fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app import options
from pytest_cloudimages.app.fixtures import (
    absent_tags,
    administrator,
    anonymous,
    basics,
    boundary_tags,
    cloudimages_client,
    cloudimages_credentials,
    cloudimages_run,
    cloudimages_service,
    confusable_sequences,
    confusable_tags,
    creator,
    every_length,
    fresh_image,
    gone_image,
    image,
    image_at_tag_limit,
    image_states,
    negative_requests,
    other_images,
    other_project,
    owner_of,
    plain_tags,
    races,
    read_path_checks,
    reader,
    representations,
    sequences,
    special_tags,
    specification,
    unauthorized_attempts,
    unusual_tags,
    working_image,
)
from pytest_cloudimages.app.stash import JUDGE, SETTINGS

if TYPE_CHECKING:
    from pytest_cloudimages.app.judge import Judge

__all__ = [
    "absent_tags",
    "administrator",
    "anonymous",
    "basics",
    "boundary_tags",
    "cloudimages_client",
    "cloudimages_credentials",
    "cloudimages_run",
    "cloudimages_service",
    "confusable_sequences",
    "confusable_tags",
    "creator",
    "every_length",
    "fresh_image",
    "gone_image",
    "image",
    "image_at_tag_limit",
    "image_states",
    "negative_requests",
    "other_images",
    "other_project",
    "owner_of",
    "plain_tags",
    "races",
    "read_path_checks",
    "reader",
    "representations",
    "sequences",
    "special_tags",
    "specification",
    "unauthorized_attempts",
    "unusual_tags",
    "working_image",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, and wake up where a service is named."""
    config.addinivalue_line("markers", "requirement(id, …): the requirements of the catalogue that this test asks for")
    config.stash[SETTINGS] = options.settings(config)
    if config.stash[SETTINGS].names_a_service or config.stash[SETTINGS].reports:
        wake(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Wake up where a test asks for a service."""
    if JUDGE in config.stash or any("cloudimages_run" in getattr(one, "fixturenames", ()) for one in items):
        wake(config).prepare(items)


def wake(config: pytest.Config) -> Judge:
    """Give the conductor of this run, which turns outcomes into verdicts."""
    if JUDGE not in config.stash:
        from pytest_cloudimages.app.judge import Judge

        config.stash[JUDGE] = conductor = Judge(config)
        config.pluginmanager.register(conductor, "cloudimages-judge")
    return config.stash[JUDGE]
