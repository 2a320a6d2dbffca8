"""Asking a check once more, on fresh images: where all it met may be a late reading, a lost answer, or a repetition."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.explanations import first_line
from pytest_cloudimages.app.records import count_sent
from pytest_cloudimages.client.denials import TOLD
from pytest_cloudimages.engine import recording
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.verdicts import Blocked, Flaky, LostAnswer, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_cloudimages.client.denials import Denial
    from pytest_cloudimages.engine.exploration import Fixtures
    from pytest_cloudimages.engine.recording import CheckRecord
    from pytest_cloudimages.engine.registry import Workloads
    from pytest_cloudimages.engine.run import Run

MOST_LOST = 5
"""How often a check is asked again whose own request has lost its answer."""
MOST_LOOKS = 3
"""How often it is found out, where something is wrong, whether the service is late: it may be so now and then only."""


def lost(error: BaseException) -> bool:
    """Return whether a check came to nothing for a lost answer alone."""
    return all(isinstance(leaf, LostAnswer) for leaf in leaves(error))


def parameters_of(item: pytest.Item) -> dict[str, Any]:
    """Return the parameters of a test that is asked once for each of several."""
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return parameters


class AskingAgain:
    """Asks checks again; what they look at is carried out anew, with patience, once for all that are asked again."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._stack = ExitStack()
        run.at_the_end(self._stack.close)
        self._patient: Fixtures | None = None
        self._alone: Fixtures | None = None
        self._looks = 0

    def wanted(self, item: pytest.Function, mine: CheckRecord, error: BaseException) -> bool:
        """Return whether a reading that was late, or an answer that was lost, may be all that a check has met."""
        from pytest_cloudimages.engine.exploration import obstacle

        if obstacle(item):
            return False
        if lost(error) or self._denied(item, error):
            return True
        accused = any(isinstance(leaf, AssertionError) for leaf in leaves(error))
        # Races look themselves into what late readings explain, plan by plan.
        return accused and not mine.witnesses and self._late()

    def _denied(self, item: pytest.Function, error: BaseException) -> list[Denial]:
        """Return the deletions that were denied, and may have been sent twice, of what a check looks at or sends."""
        from pytest_cloudimages.engine import registry

        if not all(isinstance(leaf, AssertionError | Blocked) for leaf in leaves(error)):
            return []
        return self.run.recorder.denials.since(0, {*ids_of(item), *(each.name for each in registry.asked_by([item]))})

    def _late(self) -> bool:
        from pytest_cloudimages.engine.lateness import look_for_lateness

        recorder = self.run.recorder
        if not recorder.lag and self._looks < MOST_LOOKS:
            self._looks += 1
            with recorder.apart():
                look_for_lateness(self.run)
        return recorder.lag > 0

    def arguments_of(self, item: pytest.Function, workloads: Workloads, stack: ExitStack) -> dict[str, Any]:
        """Return what a check is called with where it looks at workloads of these; the stack ends what is its alone."""
        from pytest_cloudimages.engine import exploration, registry

        if self._alone is None:
            given = {exploration.RUN: self.run, registry.FIXTURE: workloads}
            self._alone = exploration.Fixtures(given, self._stack)
        return parameters_of(item) | self._alone.arguments(item, stack)

    def asked(self, item: pytest.Function, arguments: Mapping[str, Any], error: BaseException) -> CheckRecord:
        """Ask a check again and return its evidence; what it raises is raised, with that evidence in hand.

        ``arguments`` is what it was asked with before.
        """
        if denied := self._denied(item, error):
            return self._asked_until_it_is_known(item, arguments, denied, error)
        if not lost(error):
            return self._asked(item, self._with_patience(), patient=True)
        for _ in range(MOST_LOST - 1):
            try:
                return self._asked(item, self._as_before(item, arguments))
            except LostAnswer:
                # Where every so many answers are lost, another one is to be lost next time.
                self.run.client.others_are_answered()
        return self._asked(item, self._as_before(item, arguments))

    def _asked_until_it_is_known(
        self, item: pytest.Function, arguments: Mapping[str, Any], denied: list[Denial], error: BaseException
    ) -> CheckRecord:
        """Ask a check again whose error may rest on deletions that were sent twice: what comes again stands."""
        from pytest_cloudimages.engine.made_steadily import Repetitions

        sakes, own = {each.sake for each in denied}, {*ids_of(item)}
        unknown = Flaky(f"{first_line(error)}; asked again, another deletion was denied each time: {TOLD}.")
        if sakes <= self.run.recorder.denials.undecided:
            raise unknown from error
        repetitions = Repetitions(self.run, sakes)
        repetitions.begin(0)
        fixtures = self._as_before(item, arguments)
        with ExitStack() as stack:
            while repetitions.tells():
                if not own.issuperset(each.sake for each in repetitions.denied):
                    # It lies in what is looked at.
                    fixtures = self._all_anew(stack)
                repetitions.begin()
                try:
                    mine = self._asked(item, fixtures)
                except Exception as again:  # noqa: BLE001 - it is raised in the end, unless asking again shows otherwise
                    error = again
                    continue
                repetitions.tells()
                repetitions.settle()
                return mine
        repetitions.settle()
        if repetitions.stands or not repetitions.denied:
            raise error
        raise unknown from error

    def _asked(self, item: pytest.Function, fixtures: Fixtures, *, patient: bool = False) -> CheckRecord:
        mine, recorder = recording.CheckRecord(), self.run.recorder
        recording.collect(mine)
        recorder.patient = patient
        try:
            with recorder.scope() as sent, ExitStack() as stack:
                item.obj(**parameters_of(item), **fixtures.arguments(item, stack))
        finally:
            recorder.patient = False
            count_sent(mine, sent)
        return mine

    def _as_before(self, item: pytest.Function, arguments: Mapping[str, Any]) -> Fixtures:
        """Return fixtures of which those are made anew that are made for a single check."""
        from pytest_cloudimages.engine.exploration import Fixtures, lasting

        return Fixtures({name: arguments[name] for name in lasting(item) if name in arguments}, self._stack)

    def _with_patience(self) -> Fixtures:
        """Return fixtures that are all made anew."""
        if self._patient is None:
            self._patient = self._all_anew(self._stack)
        return self._patient

    def _all_anew(self, stack: ExitStack) -> Fixtures:
        """Return fixtures over workloads of their own; the stack ends them."""
        from pytest_cloudimages.engine import exploration, registry

        given = {exploration.RUN: self.run, registry.FIXTURE: stack.enter_context(registry.Workloads(self.run))}
        return exploration.Fixtures(given, stack)
