"""Waking up: the judge of a run is there, and the service is looked for, only where somebody asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_cloudimages.app import fixtures
from pytest_cloudimages.app.stash import JUDGE, RUN, UNFOUND

if TYPE_CHECKING:
    from pytest_cloudimages.app.stash import Judging
    from pytest_cloudimages.engine.run import Run

UNNAMED = (
    "No service is named. Give --cloudimages-endpoint=URL, --cloudimages-cloud=NAME or --cloudimages-reference; or set"
    " CLOUDIMAGES_ENDPOINT and CLOUDIMAGES_TOKEN, OS_CLOUD (an entry of clouds.yaml), or the OS_* variables of an"
    " openrc file."
)
DISTRIBUTED = "A service is judged in one process; leave out the -n of pytest-xdist."


class Unfound:
    """Why there is no service to ask."""

    def __init__(self, reason: str, *, named: bool) -> None:
        self.reason = reason
        self.named = named
        """Whether one is named, and wrong; a test that asks is skipped where none is."""

    def end(self) -> NoReturn:
        """End the test that asks for a service, in one line."""
        if self.named:
            pytest.fail(self.reason, pytrace=False)
        pytest.skip(self.reason)


def wake(config: pytest.Config) -> Judging:
    """Return the judge of this run, which turns outcomes into verdicts."""
    if JUDGE not in config.stash:
        from pytest_cloudimages.app.judge import Judge

        config.stash[JUDGE] = judge = Judge(config)
        config.pluginmanager.register(judge, fixtures.JUDGES_NAME)
    return config.stash[JUDGE]


def prepare(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the judge of this run prepare its tests, waking up where that was not done before."""
    if JUDGE not in config.stash and distributed(config):
        config.stash[UNFOUND] = Unfound(DISTRIBUTED, named=False)
    else:
        wake(config).prepare(items)


def distributed(config: pytest.Config) -> bool:
    """Return whether pytest-xdist runs the tests in several processes, of which this may be one."""
    return bool(getattr(config.option, "numprocesses", None)) or hasattr(config, "workerinput")


def see_that_no_suite_is_distributed(config: pytest.Config) -> None:
    """Raise ``UsageError`` where several processes are to run the suite: all its tests left out look like success."""
    from pytest_cloudimages.app import suite

    paths = [Path(argument.partition("::")[0]) for argument in config.args]
    if any(suite.is_suite(path) for path in paths) or any(
        suite.is_named(argument) for argument in config.args if config.option.pyargs
    ):
        raise pytest.UsageError(DISTRIBUTED)


def service_of(config: pytest.Config) -> Run:
    """Return the run that a test's fixtures stand on; end the test where there is no service, or none that answers."""
    if UNFOUND not in config.stash and RUN not in config.stash:
        # Asked for by name, while the test runs: nothing has announced it.
        if distributed(config):
            config.stash[UNFOUND] = Unfound(DISTRIBUTED, named=False)
        else:
            wake(config).find_service()
    if UNFOUND in config.stash:
        config.stash[UNFOUND].end()
    run = config.stash[RUN]
    if run.problem:
        raise run.problem
    return run
