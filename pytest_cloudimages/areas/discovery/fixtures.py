"""The fixtures of the suite's modules on how a service describes itself."""

from pytest_cloudimages.areas.discovery import (  # noqa: F401 - each declares workloads
    descriptions,
    listed_versions,
    what_is_common,
)
from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.engine import registry

globals().update(registry.fixtures(__package__))
