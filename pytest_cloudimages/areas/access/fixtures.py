"""The fixtures of the modules on sign-in and roles: ``from pytest_cloudimages.areas.access.fixtures import *``."""

from pytest_cloudimages.areas.access import identity, named_projects, rights  # noqa: F401 - each declares workloads
from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.engine import registry

globals().update(registry.fixtures(__package__))
