"""Deletions of a plan that were answered 404 although they were carried out, over all passes of the plan.

Somebody on the way may have sent them twice (see ``client/denials.py``). So what is denied once is no step, and the
plan is executed again: only what is denied at the same place as often as it is done is the service's own doing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_cloudimages.client.denials import GONE, MORE, OFTEN, Denials
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.subject import Subject
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.history.steps import (
    Performed,
    Prior,
    Reading,
    SequentialHistory,
    Span,
    Step,
    UnreproducedMismatch,
)
from pytest_cloudimages.spec.verdicts import LostAnswer

Plan = Sequence[tuple[int, Operation]]
"""The operations of a plan, each with its place in it."""


@dataclass
class Denied:
    """What was denied at each place of a plan, and where it was not."""

    in_groups: Counter[int] = field(default_factory=Counter)
    """How often it was, in passes that do not look after every operation."""
    well: set[int] = field(default_factory=set)
    """Where such a pass was answered as it should be."""
    by_steps: dict[int, tuple[int, Step, Span]] = field(default_factory=dict)
    """What was denied in the pass that looks after every operation: where in its history it belongs, and what it is."""
    calm: set[int] = field(default_factory=set)
    """Where that pass was answered as it should be."""
    mismatch: UnreproducedMismatch | None = None
    """The first of them as a reading that the answers do not explain."""
    left_out: set[int] = field(default_factory=set)
    """The answers that are no steps of a history, by their identity."""
    exchanges: list[tuple[int, Exchange]] = field(default_factory=list)
    """Each denial with its place."""
    passes: int = 1
    """How many passes in groups there were."""
    _known: Denials | None = None

    def perform(self, place: int, operation: Operation, subject: Subject, performed: Performed) -> None:
        """Take an operation into account whose effect is seen by a later reading only."""
        if operation.kind is Kind.DELETE and performed.prior is Prior.PRESENT:
            if performed.answer.ok:
                self.well.add(place)
            elif performed.answer.status in GONE:
                subject.denied[operation.value] = place, performed

    def carried_out(self, subject: Subject, value: str, reading: Reading | None = None) -> None:
        """Take a deletion for carried out that was denied, as a reading shows, or as nobody can tell any more."""
        place, performed = subject.denied.pop(value)
        if reading is not None and reading.values is not None and self.mismatch is None:
            expected, trail = frozenset(subject.model.values), tuple(subject.trail)
            name = subject.resource.name
            self.mismatch = UnreproducedMismatch(subject.number, expected, reading.values, trail, name)
        self.in_groups[place] += 1
        self._keep(place, performed.answer, subject)
        self.left_out.add(id(performed.answer))
        subject.takes_for_gone(performed.operation)

    def step(self, place: int, subject: Subject, step: Step) -> bool:
        """Take a step into account; return whether it was denied though it was carried out."""
        if step.operation.kind is not Kind.DELETE or step.prior is not Prior.PRESENT:
            return False
        gone = step.known and step.value in (step.before or ()) and step.value not in (step.after or ())
        if step.answer.status in GONE and gone:
            self._keep(place, step.answer, subject)
            return True
        if step.answer.ok:
            self.calm.add(place)
        return False

    def _keep(self, place: int, answer: Answered, subject: Subject) -> None:
        self.exchanges.append((place, answer.exchange))
        self._known = subject.image.client.recorder.denials

    @property
    def bar(self) -> int:
        """How often a deletion has to be denied at the same place to be the service's own doing."""
        return self._known.often if self._known is not None else OFTEN

    def _rarely(self, place: int) -> bool:
        """Return whether passes in groups have denied it less often than makes it the service's own doing."""
        return self.in_groups[place] < max(self.bar, OFTEN)

    def withhold(self, place: int, history: SequentialHistory) -> None:
        """Take the last step out of a history until it is known whether it is denied each time."""
        self.by_steps[place] = len(history.steps) - 1, history.steps.pop(), history.spans.pop()

    def passed(self, place: int) -> bool:
        """Return whether what was denied at a place was not each time."""
        return place in self.well or (place in self.calm and self._rarely(place))

    def often(self, place: int) -> bool:
        """Return whether it was denied as often as makes it the service's own doing, with the step in hand."""
        return place not in self.well and self.in_groups[place] + 1 >= self.bar

    @property
    def places(self) -> set[int]:
        """Where anything was denied."""
        return {*self.in_groups, *self.by_steps}

    @property
    def again(self) -> bool:
        """Whether something was denied in passes in groups alone, each time so far."""
        return any(place not in self.well for place in self.in_groups)

    @property
    def undecided(self) -> bool:
        """Whether another pass tells more."""
        stepped = any(place not in self.well and not self.often(place) for place in self.by_steps)
        return stepped or any(
            self.in_groups[place] > 1 and self._rarely(place) and place not in self.well
            for place in self.calm & {*self.in_groups}
        )

    def decide(self, once_more: Callable[[], None]) -> None:
        """Have the plan executed again until it is known what is denied each time."""
        for _ in range(OFTEN + MORE - 1):
            if not self.undecided:
                return
            once_more()

    def decide_on(self, history: SequentialHistory) -> None:
        """Put back into a history what was denied each time, and remember what was not."""
        for place, (position, step, span) in reversed(self.by_steps.items()):
            if not self.passed(place):
                history.steps.insert(position, step)
                history.spans.append(span)
                if self._known is not None:
                    self._known.stands()
        comes_in_groups = [place for place in self.calm & {*self.in_groups} if not self.passed(place)]
        if comes_in_groups and self.mismatch is not None:
            history.mismatches.append(self.mismatch)
        self.let_pass()

    def let_pass(self) -> None:
        """Remember what was denied at a place, and not each time."""
        if self._known is not None:
            self._known.let_pass(exchange for place, exchange in self.exchanges if self.passed(place))


def repeat(subjects: Sequence[Subject], plan: Plan, denied: Denied) -> None:
    """Carry a plan out once more, with its readings, only to see which of its deletions are denied."""
    missed = ""
    for place, operation in plan:
        subject = subjects[operation.image]
        if operation.kind is Kind.EVENT:
            missed = "" if subject.happen(operation.value) else operation.value
        elif missed and (operation.kind is Kind.READ or operation.input_class == missed):
            continue
        elif operation.kind is Kind.READ:
            subject.model.values = {*(subject.look().values or ())}
        else:
            _repeat_one(place, operation, subject, denied)


def _repeat_one(place: int, operation: Operation, subject: Subject, denied: Denied) -> None:
    there = operation.kind is Kind.DELETE and operation.value in subject.model.values
    try:
        answer = subject.do(operation)
    except LostAnswer:
        return
    if there and answer.ok:
        denied.well.add(place)
    elif there and answer.status in GONE:
        denied.in_groups[place] += 1
        denied.exchanges.append((place, answer.exchange))
        subject.takes_for_gone(operation)
