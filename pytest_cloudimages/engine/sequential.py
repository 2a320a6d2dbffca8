"""Executes plans against a service, with as few requests as the question allows.

A plan is first executed with one reading for a whole group of operations. Where that reading is just what the answers
call for, every step of the group is inferred from it. Where it is not, the whole plan is executed once more on fresh
images with a reading after every single operation, so that each departure is seen where it happens.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.denied_steps import Denied, Plan, repeat
from pytest_cloudimages.engine.made_steadily import let_others_be_next
from pytest_cloudimages.engine.subject import Subject
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.engine.watching import Life, Open, Show, unwatched
from pytest_cloudimages.history.model import exactly, explained
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.history.steps import (
    Event,
    Performed,
    Reading,
    SequentialHistory,
    Span,
    Step,
    UnreproducedMismatch,
)
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


class Departure(Exception):  # noqa: N818 - a signal between the two passes
    """What was read is not what the answers call for, or the service failed at a request."""

    def __init__(self, mismatch: UnreproducedMismatch | None = None, broken: Exchange | None = None) -> None:
        super().__init__(str(mismatch or broken))
        self.mismatch = mismatch
        self.broken = broken


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
    denied, opened = Denied(), partial(_opened, fresh_image, plan, resource, life=life, empty=empty)
    once_more = partial(_carried_out_again, opened, fresh_image, plan, denied)
    found = Departure()
    try:
        with ExitStack() as stack:
            history = _executed(_by_groups, opened(stack), plan, denied, show)
    except Departure as departure:
        found = departure
    else:
        if denied.again:
            once_more()
        if not denied.again:
            denied.decide_on(history)
            return history
    if denied.places:
        let_others_be_next(fresh_image, denied.passes)
    with ExitStack() as stack:
        history = _executed(_by_steps, opened(stack), plan, denied, show)
    denied.decide(once_more)
    denied.decide_on(history)
    explains = all(explained(step) for step in history.steps) and all(event.kept for event in history.events)
    if found.mismatch and explains:
        history.mismatches.append(found.mismatch)
    if found.broken and not any(step.answer.exchange.broken for step in history.steps):
        history.flaky.append(found.broken)
    return history


def _carried_out_again(
    opened: Callable[[ExitStack], list[Subject]],
    fresh_image: Open,
    plan: Sequence[Operation],
    denied: Denied,
) -> None:
    """Carry a plan out once more, to see which of its deletions are denied again; where images can be had for it."""
    with suppress(Blocked), ExitStack() as stack:
        let_others_be_next(fresh_image, denied.passes)
        denied.passes += 1
        subjects = opened(stack)
        repeat(subjects, _places(plan, subjects), denied)


def execute_once(
    plan: Sequence[Operation], resource: SetResource, fresh_image: Open, *, single: bool = False
) -> SequentialHistory:
    """Execute a plan with one reading for each group; raise ``Departure`` where it is not what the answers call for."""
    plan = [operation for operation in plan if not (single and operation.image)]
    denied, opened = Denied(), partial(_opened, fresh_image, plan, resource, life=None, empty=True)
    with ExitStack() as stack:
        history = _executed(_by_groups, opened(stack), plan, denied)
    for _ in range(denied.bar - 1):
        if denied.again:
            _carried_out_again(opened, fresh_image, plan, denied)
    denied.let_pass()
    if denied.again:
        raise Departure(denied.mismatch)
    return history


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
    *,
    life: Life | None,
    empty: bool,
) -> list[Subject]:
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
    subjects = [Subject(each, place, resource, None if place else life) for place, each in enumerate(images)]
    for subject in subjects if not empty else ():
        subject.model.values = {*(subject.look().values or ())}
    return subjects


def _places(plan: Iterable[Operation], subjects: Sequence[Subject]) -> Plan:
    """Return the operations that can be carried out on so many images, each with its place in the plan."""
    return [(place, operation) for place, operation in enumerate(plan) if operation.image < len(subjects)]


def _executed(
    how: Callable[[list[Subject], Plan, SequentialHistory, Denied, Show], None],
    subjects: list[Subject],
    plan: Sequence[Operation],
    denied: Denied,
    show: Show = unwatched,
) -> SequentialHistory:
    history = SequentialHistory()
    history.images = len(subjects)
    how(subjects, _places(plan, subjects), history, denied, show)
    return history


def _by_groups(subjects: list[Subject], plan: Plan, history: SequentialHistory, denied: Denied, show: Show) -> None:
    main = subjects[0]
    previous: Reading | None = None
    group: list[Performed] = []
    missed = ""
    for place, operation in plan:
        if operation.kind is Kind.EVENT:
            missed = "" if main.happen(operation.value) else operation.value
            if not missed:
                # What was done before the event and not looked at is told by the same reading.
                reading = _read_after(group, main, history, denied)
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
                group.append(_perform_in_a_group(place, operation, subjects[operation.image], denied))
            except LostAnswer:
                previous = None
            continue
        previous, group = _read_between(previous, group, main, history, denied), []
        show([history])
    for other in subjects[1:]:
        _as_expected(other, history, denied)
        history.steps = [step for step in history.steps if id(step.answer) not in denied.left_out]


def _read_between(
    previous: Reading | None, group: list[Performed], main: Subject, history: SequentialHistory, denied: Denied
) -> Reading:
    known = len(history.steps)
    reading = _read_after(group, main, history, denied)
    mine = tuple(step for step in history.steps[known:] if not step.operation.image)
    whole = len(history.steps) == known + len(group)
    if previous and whole and len({step.operation.kind for step in mine}) == 1:
        history.spans.append(Span(previous, reading, mine))
    return reading


def _perform_in_a_group(place: int, operation: Operation, subject: Subject, denied: Denied) -> Performed:
    if operation.value in subject.denied:
        denied.carried_out(subject, operation.value)
    performed = _perform(subject, operation)
    denied.perform(place, operation, subject, performed)
    return performed


def _read_after(group: Iterable[Performed], subject: Subject, history: SequentialHistory, denied: Denied) -> Reading:
    if failure := next((performed.answer for performed in group if performed.answer.exchange.broken), None):
        raise Departure(broken=failure.exchange)
    reading = _as_expected(subject, history, denied)
    history.steps += [
        performed.inferred_from(reading) for performed in group if id(performed.answer) not in denied.left_out
    ]
    return reading


def _as_expected(subject: Subject, history: SequentialHistory, denied: Denied) -> Reading:
    reading = subject.read()
    history.readings.append(reading)
    seen = reading.values
    for value in subject.denied.keys() - {*(seen or ())}:
        denied.carried_out(subject, value, reading)
    subject.denied.clear()
    if not exactly(seen, subject.model.values):
        expected = frozenset(subject.model.values)
        # What cannot be read contradicts nothing; that it cannot be read is judged by the checks of its form.
        raise Departure(
            None
            if seen is None
            else UnreproducedMismatch(subject.number, expected, seen, tuple(subject.trail), subject.resource.name)
        )
    return reading


def _perform(subject: Subject, operation: Operation) -> Performed:
    before = tuple(subject.model.values)
    prior = subject.model.prior(operation.value)
    re_added = operation.value in subject.model.deleted
    answer = subject.do(operation)
    return Performed(operation, answer, prior, re_added, before, tuple(subject.model.values))


def _performed_steadily(subject: Subject, operation: Operation, history: SequentialHistory) -> tuple[Performed, bool]:
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


def _by_steps(subjects: list[Subject], plan: Plan, history: SequentialHistory, denied: Denied, show: Show) -> None:
    last = [subject.read() for subject in subjects]
    history.readings += last
    missed = ""
    for place, operation in plan:
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
        step = history.steps[-1]
        _learn(subjects, now, operation)
        if doubtful:
            history.steps.pop()
        else:
            history.spans.append(Span(last[number], now[number], (step,)))
            if denied.step(place, subject, step) and not denied.often(place):
                denied.withhold(place, history)
                doubtful = True
                subject.takes_for_gone(operation)
        last = now
        show([history], due=not doubtful and not explained(step))


def _afresh(subjects: list[Subject], operation: Operation, history: SequentialHistory) -> list[Reading]:
    """Read the images after what is no step: its answer was lost, or it is an event."""
    now = [subject.read() for subject in subjects]
    history.readings += now
    _learn(subjects, now, operation)
    return now


def _learn(subjects: list[Subject], now: Iterable[Reading], operation: Operation) -> None:
    """Judge the next step from what was seen, whether or not it should have been so."""
    for subject, reading in zip(subjects, now, strict=True):
        if reading.values is not None:
            subject.model.saw(reading.values, operation)
