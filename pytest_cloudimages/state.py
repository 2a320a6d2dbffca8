"""Where a run's own things are kept on pytest's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_cloudimages.conductor import Conductor
    from pytest_cloudimages.ground import Ground
    from pytest_cloudimages.options import Options

OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
GROUND: pytest.StashKey[Ground] = pytest.StashKey()
CONDUCTOR: pytest.StashKey[Conductor] = pytest.StashKey()
