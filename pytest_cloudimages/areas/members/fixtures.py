"""The fixtures of the suite's module on image sharing: ``from pytest_cloudimages.areas.members.fixtures import *``."""

from pytest_cloudimages.areas.images.fixtures import *  # noqa: F403 - the short names of callers and images
from pytest_cloudimages.areas.members import member_lives, memberships, sharing, workloads  # noqa: F401 - each declares some
from pytest_cloudimages.engine import registry

globals().update(registry.fixtures(__package__))
