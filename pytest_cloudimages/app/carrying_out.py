"""What fixtures give that is more than a part of the run: its workloads, its further callers, replays of findings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages import areas
from pytest_cloudimages.app.stash import JUDGE, WORKLOADS
from pytest_cloudimages.engine.choices import OTHER_CLOUDS
from pytest_cloudimages.engine.exploration import obstacle
from pytest_cloudimages.engine.registry import Workloads, made_at_once
from pytest_cloudimages.engine.scheduler import make_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_cloudimages.client.session import ImagesClient
    from pytest_cloudimages.engine.run import Run


@contextmanager
def workloads_of(run: Run, request: pytest.FixtureRequest) -> Iterator[Workloads]:
    """Yield the workloads of the suite, of which those are made at once that may be."""
    areas.load()
    with Workloads(run) as workloads:
        request.config.stash[WORKLOADS] = workloads
        items = [item for item in request.session.items if request.fixturename in getattr(item, "fixturenames", ())]
        judge = request.config.stash[JUDGE]
        judge.look_first(items, workloads)
        at_once = made_at_once(items, lambda item: not obstacle(item))
        further = judge.asked_beside(request.session.items, workloads, at_once)
        make_at_once(workloads, run, at_once, further)
        yield workloads


def caller_of(run: Run, who: str, what: str) -> ImagesClient:
    """Return the client of a further caller; skip the test where there are no credentials for it."""
    client = run.caller(who)
    if client is None:
        option = f"{run.settings.prefix}{OTHER_CLOUDS[who].replace('_', '-')} NAME"
        pytest.skip(f"needs {what}: set OS_{who}_USERNAME and OS_{who}_PASSWORD (and what else differs), or {option}")
    return client


def replayer(run: Run) -> Callable[[Mapping[str, Any]], None]:
    """Return what asks once more what a finding, or its plan alone, is about, and fails while the finding is there."""
    from pytest_cloudimages.app.replaying import asked_once_more, replay

    def ask(finding: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        whole = "plan" in finding
        replayed = asked_once_more(run, finding) if whole else replay(run, finding)
        assert not replayed.reproduced, replayed.told

    return ask
