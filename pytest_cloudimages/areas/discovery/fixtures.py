"""The fixtures of the suite's modules on how a service describes itself."""

from pytest_cloudimages.areas.discovery import descriptions, what_is_common  # noqa: F401 - each declares workloads
from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.engine import registry

globals().update(registry.fixtures(__package__))
