"""The fixtures of the suite's modules about tags: ``from pytest_cloudimages.areas.tags.fixtures import *``.

The workloads' come from the registry: whoever declares one has its fixture. To be imported here is all it takes.
"""

import pytest

from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.areas.tags import (  # noqa: F401 - each declares workloads
    access,
    administering,
    bare_answers,
    clients,
    exports,
    filtered,
    isolation,
    many,
    negative,
    own_words,
    probes,
    race_workloads,
    repetitions,
    representations,
    stray_requests,
    workloads,
)
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine import registry


@pytest.fixture
def working_image(image: Image, basics: Basics) -> Image:
    """Return an image of a service that adds plain tags; where it does not, special ones cannot be asked about."""
    basics.require_additions()
    return image


globals().update(registry.fixtures(__package__))
