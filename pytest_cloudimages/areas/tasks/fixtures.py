"""The fixtures of the suite's module on tasks: ``from pytest_cloudimages.areas.tasks.fixtures import *``."""

from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.areas.tasks import workloads  # noqa: F401 - declares workloads
from pytest_cloudimages.engine import registry

globals().update(registry.fixtures(__package__))
