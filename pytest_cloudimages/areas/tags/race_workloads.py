"""Races drawn, run once, and looked at by many checks."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property

from pytest_cloudimages.areas.tags import races as contests
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.engine import concurrent, recording
from pytest_cloudimages.engine.concurrent import ConcurrentRun, WorkerPool
from pytest_cloudimages.engine.measurement import ALSO_SEQUENTIAL, Measurement, Violation
from pytest_cloudimages.engine.recording import Cases
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history import concurrent_plans
from pytest_cloudimages.history.concurrent_plans import Pattern
from pytest_cloudimages.history.events import Anomaly
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Races(Cases):
    """The races of a run. A family is run when a check first asks for it, and only then."""

    run: Run
    number: int
    control: Basics
    worker_pool: WorkerPool
    _run: dict[Pattern, list[ConcurrentRun] | Blocked] = field(default_factory=dict)
    _alone: dict[Pattern, ConcurrentRun] = field(default_factory=dict)

    @cached_property
    def patience(self) -> Eventually:
        """How long a quiet reading is waited for; what a race has lost must not make others impatient."""
        return Eventually(self.run.settings.patience, self.run.recorder)

    def heats(self, family: Pattern) -> Iterator[ConcurrentRun]:
        """Yield what the races of a family have shown; each one yielded is a case."""
        case = self.taken_up()
        for heat in self._heats(family):
            case(heat.exchanges, f"race: {family}")
            yield heat

    def measured(
        self,
        families: Iterable[Pattern],
        measure: Callable[[ConcurrentRun], Iterable[Violation]],
        kind: Callable[[Violation], Hashable] = lambda _: None,
    ) -> "Measurement[Violation]":
        """Measure what the races of some families have shown.

        Where a measure finds departures, the same actions are carried out once more by one client, one after another: a
        departure of a kind that occurs then as well says nothing of concurrency, and is left out.
        """
        shown = Measurement[Violation]()
        for family in families:
            try:
                for heat in self.heats(family):
                    every = [*measure(heat)]
                    known = {kind(one) for one in measure(self.alone(heat))} if every else set()
                    real = [one for one in every if kind(one) not in known]
                    shown.heats.append(heat)
                    shown.violations += [(heat, one) for one in real]
                    if len(real) < len(every):
                        shown.problem = Blocked(ALSO_SEQUENTIAL)
            except Blocked as problem:
                shown.problem = problem
        return shown

    def unexplained(self, heat: ConcurrentRun) -> list[Anomaly]:
        """Give what no order explains, whatever else explains it.

        A service that was seen to show changes late, here or elsewhere in the run, may do so among many clients too.
        """
        return [*heat.anomalies, *([] if self.run.recorder.lag else heat.late)]

    def asked(self) -> Iterator[ConcurrentRun]:
        """Give whatever races can be run with this service."""
        for family in Pattern:
            with suppress(Blocked):
                yield from self._heats(family)

    def alone(self, heat: ConcurrentRun) -> ConcurrentRun:
        """Give what the actions of a race of this family have shown without concurrency."""
        family = heat.race.family
        if family not in self._alone:
            with self._aside():
                self._alone[family] = self._once(heat.race.one_by_one())
        return self._alone[family]

    def _heats(self, family: Pattern) -> list[ConcurrentRun]:
        if family not in self._run:
            try:
                self._run[family] = self._carry_out(family)
            except Blocked as problem:
                self._run[family] = problem
        found = self._run[family]
        if isinstance(found, Blocked):
            raise found
        return found

    def _carry_out(self, family: Pattern) -> list[ConcurrentRun]:
        self.control.require_additions()
        if family in contests.RETURNS:
            self.control.require_second_lives()
        elif family in contests.DELETES:
            self.control.require_deletions()
        if family is Pattern.RENAMING and self.run.settings.image:
            # The name of a lent image is not ours to change.
            return []
        effort = self.run.settings.effort
        drawn = contests.contests(family, self.number, effort.clients, effort.races)
        if not self.control.deletes:
            drawn = [race.without_deletions() for race in drawn]
        elif not self.control.returns:
            drawn = [race.without_returns() for race in drawn]
        with self._aside():
            return [self._once(race.on_one_image() if self.run.single else race) for race in drawn]

    def _once(self, race: concurrent_plans.ConcurrentPlan) -> ConcurrentRun:
        return concurrent.execute(
            self.run.fresh_image,
            race,
            self.worker_pool,
            patience=self.patience,
            late=self.run.settings.patience,
            clean=self.control.deletes,
        )

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Keep what a family's races send out of the evidence of the check that happens to need them first."""
        recording.current_check().listen(self.run.recorder.take())
        try:
            yield
        finally:
            self.run.recorder.take()
