"""The short names that the suite's modules use, and nobody else: ``from … import *`` makes them a module's own.

A tester's own fixtures of these names know nothing of them, and the other way round.
"""

from collections.abc import Callable

import pytest

from pytest_cloudimages.areas.images import (  # noqa: F401 - each declares workloads
    deactivation,
    foreign,
    listed_kinds,
    lists,
    lives,
    meetings,
    offered_lists,
    races,
    states,
    updates,
)
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import registry
from pytest_cloudimages.engine.run import FreshImage, Run


@pytest.fixture
def image(cloudimages_image: Image) -> Image:
    """Return an image without tags, for one test."""
    return cloudimages_image


@pytest.fixture(scope="session")
def fresh_image(cloudimages_fresh_image: FreshImage) -> FreshImage:
    """Return what opens an image without tags for one block."""
    return cloudimages_fresh_image


@pytest.fixture(scope="session")
def anonymous(cloudimages_anonymous: ImagesClient) -> ImagesClient:
    """Return a client that shows no token."""
    return cloudimages_anonymous


@pytest.fixture(scope="session")
def other_project(cloudimages_other_project: ImagesClient) -> ImagesClient:
    """Return a client of a second project."""
    return cloudimages_other_project


@pytest.fixture(scope="session")
def reader(cloudimages_reader: ImagesClient) -> ImagesClient:
    """Return a client of the same project that may only read."""
    return cloudimages_reader


@pytest.fixture(scope="session")
def creator(cloudimages_creator: ImagesClient) -> ImagesClient:
    """Return a client that may create and update images, and no more."""
    return cloudimages_creator


@pytest.fixture(scope="session")
def administrator(cloudimages_administrator: ImagesClient) -> ImagesClient:
    """Return a client with the administrator's role."""
    return cloudimages_administrator


@pytest.fixture(scope="session")
def owner_of(cloudimages_owner_of: Callable[[ImagesClient], str]) -> Callable[[ImagesClient], str]:
    """Return what tells the id of the project that a client acts for."""
    return cloudimages_owner_of


@pytest.fixture(scope="session")
def specification(cloudimages_run: Run) -> str:
    """Return whose reading judges where two differ: ``cloud-images`` or ``glance``."""
    return cloudimages_run.settings.specification


@pytest.fixture(scope="session")
def vendors_own(cloudimages_run: Run) -> bool:
    """Return whether the service is the vendor's own, which promises more than others."""
    return cloudimages_run.of_the_vendor


globals().update(registry.fixtures(__package__))
