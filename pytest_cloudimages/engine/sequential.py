"""Executes plans against a service, with as few requests as the question allows.

A plan is first executed with one reading for a whole group of operations. Where that reading is just what the answers
call for, every step of the group is inferred from it. Where it is not, the whole plan is executed once more on fresh
images with a reading after every single operation, so that each departure is seen where it happens.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.engine.watching import Life, Open, Show, unwatched
from pytest_cloudimages.history.model import SetModel, exactly, explained
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import Answered, SetResource
from pytest_cloudimages.history.steps import (
    Event,
    Performed,
    Reading,
    SequentialHistory,
    Span,
    Step,
    UnreproducedMismatch,
    differing,
)
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


class Departure(Exception):  # noqa: N818 - a signal between the two passes
    """What was read is not what the answers call for, or the service failed at a request."""

    def __init__(self, mismatch: UnreproducedMismatch | None = None, broken: Exchange | None = None) -> None:
        super().__init__(str(mismatch or broken))
        self.mismatch = mismatch
        self.broken = broken


@dataclass
class _Subject:
    """One image of a plan, while the plan is executed."""

    image: Image
    number: int
    resource: SetResource
    life: Life | None = None
    model: SetModel = field(init=False)
    last: Reading | None = None
    """The last reading, since which nothing but the set was to change."""
    given: Mapping[str, object] = field(default_factory=dict)
    """Attributes that an event has given the image since."""
    trail: list[Exchange] = field(default_factory=list)
    acknowledged: dict[str, bool] = field(default_factory=dict)
    """Whether each value is there by the last answer that said so."""

    def __post_init__(self) -> None:
        self.model = SetModel(self.resource)

    def do(self, operation: Operation) -> Answered:
        """Send one operation, and take its answer into the model.

        Raises ``LostAnswer`` where it has taken effect, and nobody knows what it was answered.
        """
        adds = operation.kind is Kind.ADD
        request = self.resource.add if adds else self.resource.delete
        idle = (operation.value in self.model.values) is adds
        try:
            answer = self.image.client.ask(request(self.image.id, operation.value), idle=idle)
        except LostAnswer:
            self.model.lost(operation)
            raise
        self.trail.append(answer.exchange)
        self.model.apply(operation, answer)
        if answer.ok:
            self.acknowledged[operation.value] = adds
        return answer

    def overdue(self) -> frozenset[str]:
        """Return the values of which the last reading does not show what was acknowledged."""
        shown = self.last.values if self.last else None
        known = self.acknowledged.items() if shown is not None else ()
        return frozenset(value for value, there in known if (value in (shown or ())) is not there)

    def look(self) -> Reading:
        """Read the set once."""
        answer = self.image.client.ask(self.resource.read(self.image.id))
        return Reading(answer, self.resource, self.life.beside(self.image) if self.life else {})

    def happen(self, event: str) -> bool:
        """Bring an event about, and return whether the service offers it."""
        given = None
        with suppress(Blocked):
            given = self.life.happen(self.image, event) if self.life else None
        if given is None:
            return False
        self.last, self.given = None, given
        return True

    def read(self) -> Reading:
        """Read the set; where it, or any attribute, is not what is expected, wait for it."""
        reading = self.look()
        patience = self.image.patience
        if patience is not None and reading.values is not None:
            reading = patience.until(reading, self.look, self._agrees)
            # A reading may come from a node that is behind, and agree with the set all the same.
            if self._agrees(reading):
                reading = patience.until(reading, self.look, self._is_as_it_was, about="attributes")
        self.trail.append(reading.answer.exchange)
        self.last = reading
        return reading

    def _agrees(self, seen: Reading) -> bool:
        return exactly(seen.values, self.model.values)

    def _is_as_it_was(self, seen: Reading) -> bool:
        if self.last is not None:
            return self._agrees(seen) and not differing(self.last.rest, seen.rest)
        shown = seen.rest or {}
        return self._agrees(seen) and all(shown.get(name) == value for name, value in self.given.items())


def execute(
    plan: Sequence[Operation],
    resource: SetResource,
    fresh_image: Open,
    *,
    single: bool = False,
    life: Life | None = None,
    empty: bool = True,
    show: Show = unwatched,
) -> SequentialHistory:
    """Execute a plan on images of its own, and return what it has shown.

    ``single`` opens one image only, where the tester lent no more; operations on another one are left out. ``life``
    brings about the events of a plan; where a service does not offer one, what the plan does in its class is left out.
    ``empty`` is whether the images are opened empty; else the plan begins with what they show then.
    Raise ``Blocked`` where images cannot be had.
    """
    plan = [operation for operation in plan if not (single and operation.image)]
    try:
        with ExitStack() as stack:
            return _executed(_by_groups, _opened(fresh_image, plan, resource, stack, life, empty=empty), plan, show)
    except Departure as found:
        with ExitStack() as stack:
            history = _executed(_by_steps, _opened(fresh_image, plan, resource, stack, life, empty=empty), plan, show)
        explains = all(explained(step) for step in history.steps) and all(event.kept for event in history.events)
        if found.mismatch and explains:
            history.mismatches.append(found.mismatch)
        if found.broken and not any(step.answer.exchange.broken for step in history.steps):
            history.flaky.append(found.broken)
        return history


def execute_once(
    plan: Sequence[Operation], resource: SetResource, fresh_image: Open, *, single: bool = False
) -> SequentialHistory:
    """Execute a plan with one reading for each group; raise ``Departure`` where it is not what the answers call for."""
    plan = [operation for operation in plan if not (single and operation.image)]
    with ExitStack() as stack:
        return _executed(_by_groups, _opened(fresh_image, plan, resource, stack, None, empty=True), plan)


def execute_calmly(
    plan: Sequence[Operation], resource: SetResource, fresh_image: Open, *, single: bool = False
) -> SequentialHistory | None:
    """Execute a plan with one reading for each group; ``None`` where what was read is not what the answers call for."""
    try:
        return execute_once(plan, resource, fresh_image, single=single)
    except Departure:
        return None


def execute_all(
    plans: Sequence[Sequence[Operation]],
    resource: SetResource,
    fresh_image: Open,
    *,
    single: bool = False,
    pool: TaskPool | None = None,
    show: Show = unwatched,
) -> list[SequentialHistory]:
    """Execute plans that do not touch each other's images; the pool executes some of them at once.

    One after another, all histories that there are so far are shown; those of a pool are not.
    """
    if single or pool is None:
        done: list[SequentialHistory] = []

        def show_all(histories: list[SequentialHistory], *, due: bool = False) -> None:
            show(done + histories, due=due)

        watching = unwatched if show is unwatched else show_all
        for plan in plans:
            history = execute(plan, resource, fresh_image, single=single, show=watching)
            done.append(history)
        return done
    return pool.execute([partial(execute, plan, resource, fresh_image) for plan in plans])


def _opened(
    fresh_image: Open,
    plan: Iterable[Operation],
    resource: SetResource,
    stack: ExitStack,
    life: Life | None,
    *,
    empty: bool,
) -> list[_Subject]:
    count = 1 + max((operation.image for operation in plan), default=0)
    images = [stack.enter_context(fresh_image())]
    for _ in range(1, count):
        # The other images have the same name: nothing but the id tells them apart. Some services want other names, and
        # some have no room for a second image, which is no reason not to ask about the first.
        for attributes in ({"name": images[0].name}, {}):
            try:
                images.append(stack.enter_context(fresh_image(**attributes)))
                break
            except Blocked:
                continue
    subjects = [_Subject(each, place, resource, None if place else life) for place, each in enumerate(images)]
    for subject in subjects if not empty else ():
        subject.model.values = {*(subject.look().values or ())}
    return subjects


def _executed(
    how: Callable[[list[_Subject], Sequence[Operation], SequentialHistory, Show], None],
    subjects: list[_Subject],
    plan: Sequence[Operation],
    show: Show = unwatched,
) -> SequentialHistory:
    history = SequentialHistory()
    history.images = len(subjects)
    how(subjects, [operation for operation in plan if operation.image < len(subjects)], history, show)
    return history


def _by_groups(subjects: list[_Subject], plan: Sequence[Operation], history: SequentialHistory, show: Show) -> None:
    main = subjects[0]
    previous: Reading | None = None
    group: list[Performed] = []
    missed = ""
    for operation in plan:
        if operation.kind is Kind.EVENT:
            missed = "" if main.happen(operation.value) else operation.value
            if not missed:
                # What was done before the event and not looked at is told by the same reading.
                reading = _read_after(group, main, history)
                if previous and not group:
                    history.events.append(Event(operation.value, previous, reading))
                previous, group = reading, []
            continue
        if missed and (operation.kind is Kind.READ or operation.input_class == missed):
            continue
        if operation.kind is not Kind.READ:
            # Of an operation that has lost its answer, nothing can be told but that it was carried out: what it did
            # lies between two readings, and is no doing of an event or of the others that do.
            try:
                group.append(_perform(subjects[operation.image], operation))
            except LostAnswer:
                previous = None
            continue
        reading = _read_after(group, main, history)
        mine = tuple(step for step in history.steps[len(history.steps) - len(group) :] if not step.operation.image)
        if previous and len({step.operation.kind for step in mine}) == 1:
            history.spans.append(Span(previous, reading, mine))
        previous, group = reading, []
        show([history])
    for other in subjects[1:]:
        _as_expected(other, history)


def _read_after(group: Iterable[Performed], subject: _Subject, history: SequentialHistory) -> Reading:
    if failure := next((performed.answer for performed in group if performed.answer.exchange.broken), None):
        raise Departure(broken=failure.exchange)
    reading = _as_expected(subject, history)
    history.steps += [performed.inferred_from(reading) for performed in group]
    return reading


def _as_expected(subject: _Subject, history: SequentialHistory) -> Reading:
    reading = subject.read()
    history.readings.append(reading)
    if not exactly(reading.values, subject.model.values):
        expected = frozenset(subject.model.values)
        seen = reading.values
        # What cannot be read contradicts nothing; that it cannot be read is judged by the checks of its form.
        raise Departure(
            None
            if seen is None
            else UnreproducedMismatch(subject.number, expected, seen, tuple(subject.trail), subject.resource.name)
        )
    return reading


def _perform(subject: _Subject, operation: Operation) -> Performed:
    before = tuple(subject.model.values)
    prior = subject.model.prior(operation.value)
    re_added = operation.value in subject.model.deleted
    answer = subject.do(operation)
    return Performed(operation, answer, prior, re_added, before, tuple(subject.model.values))


def _performed_steadily(subject: _Subject, operation: Operation, history: SequentialHistory) -> tuple[Performed, bool]:
    """Perform an operation, and once more where the service fails at it; return whether the outcome is doubtful too.

    A failure that does not come again says that the service is flaky. The deletion that failed may have taken effect,
    so that the second one, answered 404, says nothing.
    """
    performed = _perform(subject, operation)
    if not performed.answer.exchange.broken:
        return performed, False
    second = subject.do(operation)
    if second.exchange.broken:
        return performed, False
    history.flaky.append(performed.answer.exchange)
    return replace(performed, answer=second), operation.kind is Kind.DELETE and second.refused


def _by_steps(subjects: list[_Subject], plan: Sequence[Operation], history: SequentialHistory, show: Show) -> None:
    last = [subject.read() for subject in subjects]
    history.readings += last
    missed = ""
    for operation in plan:
        if operation.kind is Kind.EVENT:
            missed = "" if subjects[0].happen(operation.value) else operation.value
            if not missed:
                before, last = last[0], _afresh(subjects, operation, history)
                history.events.append(Event(operation.value, before, last[0]))
            continue
        if operation.kind is Kind.READ or (missed and operation.input_class == missed):
            continue
        number = operation.image
        subject = subjects[number]
        other = 1 - number if len(subjects) > 1 else number
        overdue, overdue_elsewhere = subject.overdue(), subjects[other].overdue()
        try:
            performed, doubtful = _performed_steadily(subject, operation, history)
        except LostAnswer:
            last = _afresh(subjects, operation, history)
            continue
        now = [each.read() for each in subjects]
        history.readings += now
        history.steps.append(
            Step(
                operation,
                performed.answer,
                last[number].values,
                now[number].values,
                performed.prior,
                performed.re_added,
                (last[number], now[number]),
                subject.resource,
                inferred=False,
                other_image=(last[other].values, now[other].values) if other != number else (None, None),
                overdue=overdue,
                overdue_elsewhere=overdue_elsewhere,
            )
        )
        if doubtful:
            history.steps.pop()
        else:
            history.spans.append(Span(last[number], now[number], (history.steps[-1],)))
        _learn(subjects, now, operation)
        last = now
        show([history], due=not doubtful and not explained(history.steps[-1]))


def _afresh(subjects: list[_Subject], operation: Operation, history: SequentialHistory) -> list[Reading]:
    """Read the images after what is no step: its answer was lost, or it is an event."""
    now = [subject.read() for subject in subjects]
    history.readings += now
    _learn(subjects, now, operation)
    return now


def _learn(subjects: list[_Subject], now: Iterable[Reading], operation: Operation) -> None:
    """Judge the next step from what was seen, whether or not it should have been so."""
    for subject, reading in zip(subjects, now, strict=True):
        if reading.values is not None:
            subject.model.saw(reading.values, operation)
