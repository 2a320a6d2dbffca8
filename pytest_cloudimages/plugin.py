"""The plugin: an index of its options, fixtures and hooks.

Asleep, it imports nothing but pytest, so that an unrelated run pays nothing for it. It wakes up where a service is
named, or where a collected test asks for one of its fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app import options
from pytest_cloudimages.app.fixtures import (
    absences,
    administrator,
    anonymous,
    attempts,
    bystanders,
    cloudimages_client,
    cloudimages_credentials,
    cloudimages_ground,
    cloudimages_service,
    control,
    creator,
    edges,
    fresh_image,
    full_image,
    gone_image,
    image,
    lengths,
    other_project,
    owner_of,
    plain_lives,
    races,
    reader,
    refusals,
    related_lives,
    related_sequences,
    sequences,
    showings,
    sound_image,
    special_lives,
    specification,
    states,
    unusual_lives,
    walks,
)
from pytest_cloudimages.app.stash import CONDUCTOR, OPTIONS

if TYPE_CHECKING:
    from pytest_cloudimages.app.judge import Conductor

__all__ = [
    "absences",
    "administrator",
    "anonymous",
    "attempts",
    "bystanders",
    "cloudimages_client",
    "cloudimages_credentials",
    "cloudimages_ground",
    "cloudimages_service",
    "control",
    "creator",
    "edges",
    "fresh_image",
    "full_image",
    "gone_image",
    "image",
    "lengths",
    "other_project",
    "owner_of",
    "plain_lives",
    "races",
    "reader",
    "refusals",
    "related_lives",
    "related_sequences",
    "sequences",
    "showings",
    "sound_image",
    "special_lives",
    "specification",
    "states",
    "unusual_lives",
    "walks",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, and wake up where a service is named."""
    config.addinivalue_line("markers", "requirement(id, …): the requirements of the catalogue that this test asks for")
    config.stash[OPTIONS] = options.settings(config)
    if config.stash[OPTIONS].names_a_service or config.stash[OPTIONS].reports:
        wake(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Wake up where a test asks for a service."""
    if CONDUCTOR in config.stash or any("cloudimages_ground" in getattr(one, "fixturenames", ()) for one in items):
        wake(config).prepare(items)


def wake(config: pytest.Config) -> Conductor:
    """Give the conductor of this run, which turns outcomes into verdicts."""
    if CONDUCTOR not in config.stash:
        from pytest_cloudimages.app.judge import Conductor

        config.stash[CONDUCTOR] = conductor = Conductor(config)
        config.pluginmanager.register(conductor, "cloudimages-conductor")
    return config.stash[CONDUCTOR]
