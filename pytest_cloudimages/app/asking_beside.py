"""Asking checks beside each other, before their turn, where each sends what it needs itself, on images of its own.

One that is plainly met so is judged by that when its turn comes. Any other is asked then as ever, alone: what it met
beside others says nothing.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.asking_again import parameters_of
from pytest_cloudimages.app.records import count_sent
from pytest_cloudimages.engine import exploration, recording, registry
from pytest_cloudimages.spec.marks import ids_of, is_in_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_cloudimages.engine.recording import CheckRecord
    from pytest_cloudimages.engine.registry import Workloads
    from pytest_cloudimages.engine.run import Run


class AskingBeside:
    """Asks checks beside each other, and keeps the evidence of those that are met."""

    def __init__(self, run: Run, workloads: Workloads) -> None:
        self.run = run
        self.met: dict[str, CheckRecord] = {}
        """The evidence of the checks that are met, by the tests."""
        self._stack = ExitStack()
        run.at_the_end(self._stack.close)
        self._fixtures = exploration.Fixtures({exploration.RUN: run, registry.FIXTURE: workloads}, self._stack)

    def tasks(self, items: Iterable[pytest.Item]) -> list[Callable[[], None]]:
        """Return what asks each of those tests that may be asked beside others."""
        return [partial(self._ask, item) for item in items if _sends_all_itself(item)]

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


def _sends_all_itself(item: pytest.Item) -> bool:
    """Return whether a check looks at nothing that is made for others as well, and can be asked out of its turn."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None or not ids_of(item) or is_in_passing(item) or hasattr(item.function, "hypothesis"):  # type: ignore[attr-defined]  # as above
        return False
    return registry.FIXTURE not in info.names_closure and not exploration.obstacle(item)
