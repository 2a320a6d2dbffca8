"""Concurrent plans executed once and looked at by many checks, and what they show of one question."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Generic, TypeVar

from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import concurrent, recording
from pytest_cloudimages.engine.beside import execute_beside
from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun, WorkerPool
from pytest_cloudimages.engine.denied_races import MEETINGS, as_if_repeated, denied_alone, denied_in, rest
from pytest_cloudimages.engine.recording import Case, Collection, Rate, cases
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.engine.scheduler import several_at_once
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.history.events import Anomaly, Category
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import Blocked

Violation = TypeVar("Violation")


NEVER_THERE = "never-there"
"""A value that no image has."""
ALSO_SEQUENTIAL = (
    "The same happens with a single client, so it is not a concurrency finding; see the sequential requirements."
)


@dataclass
class Measurement(Generic[Violation]):
    """What some concurrent runs have shown of one question."""

    runs: list[ConcurrentRun] = field(default_factory=list)
    violations: list[tuple[ConcurrentRun, Violation]] = field(default_factory=list)
    """Each with the run that showed it."""
    problem: Blocked | None = None
    """Why some of it could not be asked."""

    @property
    def sound(self) -> bool:
        """Whether nothing departs from what is asked."""
        return not self.violations

    def __repr__(self) -> str:
        return f"{len(self.runs)} races"

    def raise_if_blocked(self) -> None:
        """Raise ``Blocked`` where some of it could not be asked."""
        if self.problem:
            raise self.problem


@dataclass(frozen=True, repr=False)
class ConcurrentRuns(Collection):
    """The concurrent plans of an area. Those of a pattern are executed when a check first asks for it."""

    run: Run
    resource: SetResource
    worker_pool: WorkerPool
    patterns: tuple[str, ...]
    drawn: Callable[[str], list[ConcurrentPlan]]
    """Draws the plans of a pattern. Raises ``Blocked`` where they would teach nothing of the service."""
    fresh_image: FreshImage
    clean: bool = True
    """Whether values can be deleted, so that images are cleaned in the end."""
    callers: Callable[[], Sequence[ImagesClient]] = tuple
    """Finds whom the clients of a race of several callers act for."""
    _executed: dict[str, list[ConcurrentRun] | Blocked] = field(default_factory=dict)
    _alone: dict[str, ConcurrentRun] = field(default_factory=dict)
    _beside: set[str] = field(default_factory=set)
    """The patterns whose plans were executed beside others; nothing that is amiss there stands."""

    @cached_property
    def patience(self) -> Eventually:
        """How long a quiescent read is waited for; what one run has lost must not make others impatient."""
        return Eventually(self.run.settings.patience, self.run.recorder)

    @cases
    def of(self, pattern: str) -> Iterator[Case[ConcurrentRun]]:
        """Return what the plans of a pattern have shown; each one yielded is a case."""
        for run in self._runs(pattern):
            yield Case(run, run.exchanges, f"race: {pattern}")

    def measured(
        self,
        patterns: Iterable[str],
        measure: Callable[[ConcurrentRun], Iterable[Violation]],
        kind: Callable[[Violation], Hashable] = lambda _: None,
    ) -> "Measurement[Violation]":
        """Return what the plans of some patterns have shown.

        Where a measure finds violations, the same operations are executed once more by one client, one after another: a
        violation of a kind that occurs then as well says nothing of concurrency, and is left out. What shows nothing is
        executed again, as often as the tester wants it tried.
        """
        wanted = [*patterns]
        self._execute_beside(wanted)
        for pattern in self._beside.intersection(wanted):
            if any([*measure(run)] for run in self._runs(pattern)):
                self._beside.discard(pattern)
                del self._executed[pattern]
        shown = self._measured(wanted, measure, kind)
        for _ in range(1, self.run.settings.tries):
            if not shown.sound:
                break
            for pattern in wanted:
                self._executed.pop(pattern, None)
            shown = self._measured(wanted, measure, kind)
        return shown

    def _measured(
        self,
        patterns: Iterable[str],
        measure: Callable[[ConcurrentRun], Iterable[Violation]],
        kind: Callable[[Violation], Hashable],
    ) -> "Measurement[Violation]":
        shown = Measurement[Violation]()
        for pattern in patterns:
            try:
                for run in self.of(pattern):
                    every = self._standing(run, measure)
                    known = {kind(violation) for violation in measure(self._alone_as_seen(run))} if every else set()
                    real = [violation for violation in every if kind(violation) not in known]
                    shown.runs.append(run)
                    shown.violations += [(run, violation) for violation in real]
                    if len(real) < len(every):
                        shown.problem = Blocked(ALSO_SEQUENTIAL)
            except Blocked as problem:
                shown.problem = problem
        return shown

    def _standing(self, run: ConcurrentRun, measure: Callable[[ConcurrentRun], Iterable[Violation]]) -> list[Violation]:
        """Return the violations of a race, without those that rest on deletions which may have been sent twice."""
        every, left = [*measure(run)], rest(run, measure, self.resource)
        if left is None:
            return every
        denials = self.run.recorder.denials
        with self.run.recorder.apart():
            if not denials.passed and self._meets_it_again(run.plan, measure) and not self._denied_alone:
                return every
        denials.let_pass(denied_in(run, every))
        return left

    def _meets_it_again(self, plan: ConcurrentPlan, measure: Callable[[ConcurrentRun], Iterable[Violation]]) -> bool:
        """Return whether a race shows once more what rests on deletions that may have been sent twice."""
        again = (self._execute(plan) for _ in range(MEETINGS))
        return any(rest(run, measure, self.resource) is not None for run in again)

    @cached_property
    def _denied_alone(self) -> bool:
        with suppress(Blocked):
            return denied_alone(self.resource, self.fresh_image, self.run.recorder.denials)
        return False

    def _alone_as_seen(self, run: ConcurrentRun) -> ConcurrentRun:
        """Return what one client has shown; as if deletions were sent twice where they are."""
        alone = self.alone(run)
        return (self.run.recorder.denials.passed and as_if_repeated(alone, self.resource)) or alone

    def unexplained(self, run: ConcurrentRun) -> list[Anomaly]:
        """Return what no order explains, and what none would explain but that a reader saw changes late.

        A service that was seen to show changes late, here or elsewhere, may do so among many clients too; one that
        acknowledges to a single client the deletion of what was never there acknowledges it to many.
        """
        found = [*run.anomalies, *([] if self.run.recorder.lag else run.late)]
        if not found or not self._forgives_deletions:
            return found
        known = {_what(anomaly) for anomaly in check(run.history, self.resource, blind_deletes=True)}
        return [anomaly for anomaly in found if anomaly.category is Category.REFUSAL or _what(anomaly) in known]

    @cached_property
    def _forgives_deletions(self) -> bool:
        """Whether the deletion of a value that was never there is acknowledged; asked where anything is amiss."""
        with self.run.recorder.apart(), suppress(Blocked), self.fresh_image() as image:
            return image.client.ask(self.resource.delete(image.id, NEVER_THERE)).ok
        return False

    def asked(self, *patterns: str) -> Iterator[ConcurrentRun]:
        """Yield whatever of some patterns, or of all, can be executed with this service."""
        wanted = patterns or self.patterns
        self._execute_beside(wanted)
        for pattern in wanted:
            with suppress(Blocked):
                yield from self._runs(pattern)

    @cases
    def answers(self, *patterns: str) -> Iterator[Case[tuple[ConcurrentRun, Completed]]]:
        """Return what was answered in the plans of some patterns, or of all, as far as they can be executed.

        Each is looked at aside. Trouble that passed is no answer, nor is one that the client did not wait for.
        """
        for run in self.asked(*patterns):
            for each in run.completed:
                if not each.passing and not each.cut:
                    yield Case((run, each), [each.exchange], aside=True)

    def alone(self, run: ConcurrentRun) -> ConcurrentRun:
        """Return what the operations of a run of this pattern have shown without concurrency."""
        pattern = run.plan.pattern
        if pattern not in self._alone:
            with self.run.recorder.apart():
                self._alone[pattern] = self._execute(run.plan.one_by_one())
        return self._alone[pattern]

    def _runs(self, pattern: str) -> list[ConcurrentRun]:
        if pattern not in self._executed:
            try:
                # They are no evidence of the check that happens to need them first: what it looks at, it counts.
                with self.run.recorder.apart():
                    self._executed[pattern] = [self._execute(plan) for plan in self._plans(pattern)]
            except Blocked as problem:
                self._executed[pattern] = problem
        found = self._executed[pattern]
        if isinstance(found, Blocked):
            raise found
        return found

    def _plans(self, pattern: str) -> list[ConcurrentPlan]:
        return [plan.on_one_image() if self.run.single else plan for plan in self.drawn(pattern)]

    def _execute_beside(self, patterns: Sequence[str]) -> None:
        """Execute the plans of patterns beside each other, where several clients may; what they leave is done alone."""
        settings = self.run.settings
        if not several_at_once(settings):
            return
        drawn: dict[str, list[ConcurrentPlan]] = {}
        with self.run.recorder.apart():
            for pattern in patterns:
                with suppress(Blocked):
                    if pattern not in self._executed:
                        drawn[pattern] = self._plans(pattern)
            plans = [plan for found in drawn.values() for plan in found]
            runs = iter(execute_beside(plans, self.resource, self._execute, settings.concurrency))
        for pattern, found in drawn.items():
            done = [run for run in islice(runs, len(found)) if run is not None]
            if found and len(done) == len(found):
                self._executed[pattern] = done
                self._beside.add(pattern)

    def _execute(self, plan: ConcurrentPlan, workers: WorkerPool | None = None) -> ConcurrentRun:
        return concurrent.execute(
            plan,
            self.resource,
            self.fresh_image,
            workers or self.worker_pool,
            patience=self.patience,
            late=self.run.settings.patience,
            clean=self.clean,
            callers=self.callers() if plan.several_callers else (),
        )


def _what(anomaly: Anomaly) -> tuple[int, str | None, Category]:
    return anomaly.image, anomaly.value, anomaly.category


def expect_explained(shown: Measurement[Anomaly]) -> None:
    """Raise ``Mismatch`` where no order explains what many clients were answered.

    Say how often, and in which ways; the smallest history that shows it becomes the witness of the check in hand.
    """
    __tracebackhide__ = True
    count = len({id(run) for run, _ in shown.violations})
    recording.current_check().rate = rate = Rate(count, len(shown.runs), "races have no order that explains them")
    if shown.sound:
        return
    counts = Counter(str(anomaly.category) for _, anomaly in shown.violations)
    described = ", ".join(f"{category} ({count})" for category, count in counts.most_common())
    clients: dict[str, set[int]] = {}
    for run, _ in shown.violations:
        clients.setdefault(run.plan.pattern, set()).add(run.plan.clients)
    where = "; ".join(f"{pattern}, {', '.join(map(str, sorted(found)))} clients" for pattern, found in clients.items())
    run, smallest = min(shown.violations, key=lambda violation: len(violation[1].witness))
    recording.current_check().race = run.resource, run.plan
    recording.current_check().witness(smallest, run.exchanges_of(smallest.witness))
    raise Mismatch(
        f"{rate}: {described} ({where}).\nIn {run.plan.name}: {smallest.text}",
        what=f"answers of {len(shown.runs)} races",
        expected="an order of the operations that explains them",
        actual=f"none for {count} races: {described} ({where})",
    )
