"""Where a run's own things are kept on pytest's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_cloudimages.app.waking import Unfound
    from pytest_cloudimages.engine import recording
    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.reporting.results import Results


@dataclass(frozen=True)
class OwnFailure:
    """A test of the tester's own that has failed, and no requirement with it."""

    nodeid: str
    asked: str
    """What it asked last, and what came."""
    told: str
    """Why it failed, in a line."""
    where: str
    """The line of which file it failed at, where that is known."""
    blocked: bool
    """Whether what it needs could not be had, so that it says nothing of the service."""


class Judging(Protocol):
    """The judge of a run, as far as those know it who wake it up."""

    def prepare(self, items: list[pytest.Item]) -> None:
        """Choose among the tests, and find the service."""

    def find_service(self) -> None:
        """Find the service, and keep why there is none."""

    def look_first(self, items: Iterable[pytest.Item], workloads: Workloads) -> None:
        """Have checks look at what workloads show while they are made."""

    def asked_beside(
        self, items: Iterable[pytest.Item], workloads: Workloads, at_once: Iterable[Workload]
    ) -> list[Callable[[], None]]:
        """Return what asks checks that send something themselves, beside others and workloads that are made then."""


OWN_FAILED: pytest.StashKey[list[OwnFailure]] = pytest.StashKey()
"""What has failed of tests that ask for no requirement: those of the tester's own."""
CHECK: pytest.StashKey[recording.CheckRecord | None] = pytest.StashKey()
RESULTS: pytest.StashKey[Results] = pytest.StashKey()
UNWRITTEN: pytest.StashKey[str] = pytest.StashKey()
"""Why the results could not be written, if that is so."""
RUN: pytest.StashKey[Run] = pytest.StashKey()
UNFOUND: pytest.StashKey[Unfound] = pytest.StashKey()
"""Why there is no run: nobody named a service, or the one that is named is wrong."""
WORKLOADS: pytest.StashKey[Workloads] = pytest.StashKey()
JUDGE: pytest.StashKey[Judging] = pytest.StashKey()
COMMAND: pytest.StashKey[bool] = pytest.StashKey()
"""Whether this is `cloudimages run`, which ends where nothing can be judged: no test of anybody else is waiting."""
