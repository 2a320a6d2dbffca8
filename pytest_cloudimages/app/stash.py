"""Where a run's own things are kept on pytest's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_cloudimages.app.judge import Judge
    from pytest_cloudimages.engine import recording
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.results import Results


CHECK: pytest.StashKey[recording.CheckRecord | None] = pytest.StashKey()
RESULTS: pytest.StashKey[Results] = pytest.StashKey()

SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
RUN: pytest.StashKey[Run] = pytest.StashKey()
JUDGE: pytest.StashKey[Judge] = pytest.StashKey()
