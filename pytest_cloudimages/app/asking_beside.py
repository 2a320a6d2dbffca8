"""Asks checks beside each other, before their turn, where each sends something itself, on images of its own.

One that is plainly met so is judged by that when its turn comes. Any other is asked then as ever, alone: what it met
beside others says nothing.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.asking_again import parameters_of
from pytest_cloudimages.app.first_look import looked_at
from pytest_cloudimages.app.order import asked_but_not_begun_by
from pytest_cloudimages.app.records import count_sent
from pytest_cloudimages.engine import exploration, recording, registry
from pytest_cloudimages.engine.registry import goes_on
from pytest_cloudimages.spec.marks import ids_of, is_in_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_cloudimages.engine.recording import CheckRecord
    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run


class AskingBeside:
    """Asks checks beside each other, and keeps the evidence of those that are met."""

    def __init__(self, run: Run, workloads: Workloads) -> None:
        self.run, self.workloads = run, workloads
        self.met: dict[str, CheckRecord] = {}
        """The evidence of the checks that are met, by the tests."""
        self._stack = ExitStack()
        run.at_the_end(self._stack.close)
        self._fixtures = exploration.Fixtures({exploration.RUN: run, registry.FIXTURE: workloads}, self._stack)

    def tasks(self, items: Iterable[pytest.Item], at_once: Iterable[Workload]) -> list[Callable[[], None]]:
        """Return what asks each of those tests that may be asked beside others.

        What they look at and is not made ``at_once`` is made before, alone.
        """
        names = {declared.name for declared in at_once}
        chosen = [item for item in items if _sends_itself(item)]
        for declared in registry.asked_by(chosen):
            if declared.name not in names | self.workloads.asked_for:
                with suppress(Exception, pytest.skip.Exception):  # whoever rests on it fails by it, later
                    self.workloads.get(declared.name)
        return [partial(self._ask, item) for item in chosen]

    def _ask(self, item: pytest.Item) -> None:
        """Ask a check, and keep its evidence where it is met, unless the service is asked too much as it is."""
        if self.run.client.transport.way.pace.interval:
            return
        mine, recorder = recording.CheckRecord(), self.run.recorder
        recording.collect(mine)
        with suppress(Exception, pytest.skip.Exception), recorder.scope() as sent_for_it:
            with ExitStack() as stack:
                arguments = parameters_of(item) | self._fixtures.arguments(item, stack)
                with recorder.scope() as sent:
                    item.obj(**arguments)  # type: ignore[attr-defined]  # a function, since it has fixtures
            count_sent(mine, sent)
            if mine.cases and not any(map(registry.image_refused, sent_for_it)):
                self.met[item.nodeid] = mine


def _sends_itself(item: pytest.Item) -> bool:
    """Return whether a check sends something itself, and can do that out of its turn and beside others."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None or not ids_of(item) or is_in_passing(item) or looked_at(item):
        return False
    drawing = hasattr(item.function, "hypothesis")  # type: ignore[attr-defined]  # as above
    if drawing or registry.FIXTURE in info.argnames or exploration.obstacle(item):
        return False
    # What goes on until the run is over is a race: its turn comes when all this is over.
    return not any(map(goes_on, asked_but_not_begun_by(item)))
