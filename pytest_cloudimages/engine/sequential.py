"""Carries plans out against a service, with as few requests as the question allows.

A plan is first carried out with one reading for a whole group of operations. Where that reading is just what the
answers call for, it vouches for every operation of the group. Where it is not, the whole plan is carried out once more
on fresh images with a reading after every single operation, so that each departure is seen where it happens.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.history.model import Model, explained, settled
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.steps import Answered, Prior, Reading, SequentialHistory, Step, UnreproducedMismatch
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer

Open = Callable[..., AbstractContextManager[Image]]


class _Mismatch(Exception):  # noqa: N818 - a signal between the two passes
    def __init__(self, contradiction: UnreproducedMismatch | None = None, broken: Exchange | None = None) -> None:
        super().__init__(str(contradiction or broken))
        self.contradiction = contradiction
        self.broken = broken


@dataclass
class _Subject:
    """One image of a plan, while the plan is carried out."""

    image: Image
    number: int
    model: Model = field(default_factory=Model)
    trail: list[Exchange] = field(default_factory=list)

    def do(self, operation: Operation) -> Answered:
        """Send one operation, and take its answer into the model.

        Raises ``LostAnswer`` where it was a deletion that has taken effect, and nobody knows what it was answered.
        """
        if operation.kind is Kind.ADD:
            answer = self.image.add_tag(operation.tag)
        else:
            try:
                answer = self.image.delete_tag(operation.tag, idle=operation.tag not in self.model.tags)
            except LostAnswer:
                self.model.lost(operation)
                raise
        self.trail.append(answer.exchange)
        self.model.apply(operation, answer)
        return answer

    def read(self) -> Reading:
        """Read the image; where it does not show what the model expects, wait for it."""
        reading = Reading(self.image.show())
        if self.image.patience is not None and reading.tags is not None:
            reading = self.image.patience.until(
                reading, lambda: Reading(self.image.show()), lambda seen: settled(seen.tags, self.model.tags)
            )
        self.trail.append(reading.answer.exchange)
        return reading


@dataclass(frozen=True)
class _Done:
    """An operation carried out, before it is known what the image shows afterwards."""

    operation: Operation
    answer: Answered
    past: Prior
    again: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


def execute(fresh_image: Open, plan: Sequence[Operation], *, single: bool = False) -> SequentialHistory:
    """Carry out a plan on images of its own, and give what it has shown.

    ``single`` opens one image only, where the tester lent no more; operations on the one standing by are left out.
    Raises ``Blocked`` where images cannot be had.
    """
    plan = [one for one in plan if not (single and one.image)]
    try:
        with ExitStack() as stack:
            return _carried_out(_by_groups, _opened(fresh_image, plan, stack), plan)
    except _Mismatch as mismatch:
        with ExitStack() as stack:
            history = _carried_out(_by_steps, _opened(fresh_image, plan, stack), plan)
        if mismatch.contradiction and all(explained(step) for step in history.steps):
            history.contradictions.append(mismatch.contradiction)
        if mismatch.broken and not any(step.answer.exchange.broken for step in history.steps):
            history.unsteady.append(mismatch.broken)
        return history


def execute_all(
    fresh_image: Open, plans: Sequence[Sequence[Operation]], *, single: bool = False, parallel: int = 1
) -> list[SequentialHistory]:
    """Carry out plans that do not touch each other's images, so many at a time."""
    if single or min(parallel, len(plans)) < 2:  # noqa: PLR2004 - one at a time
        return [execute(fresh_image, plan, single=single) for plan in plans]
    with ThreadPoolExecutor(parallel) as pool:
        # All are waited for before any problem is raised: no request may leak into the next check.
        # Each has a context of its own, as one context cannot be entered twice; what they share is what they hold.
        futures = [pool.submit(copy_context().run, execute, fresh_image, plan) for plan in plans]
    return [future.result() for future in futures]


def _opened(fresh_image: Open, plan: Iterable[Operation], stack: ExitStack) -> list[_Subject]:
    count = 1 + max((one.image for one in plan), default=0)
    images = [stack.enter_context(fresh_image())]
    for _ in range(1, count):
        # Those standing by have the same name: nothing but the id tells them apart. Some services want other names, and
        # some have no room for a second image, which is no reason not to ask about the first.
        for attributes in ({"name": images[0].name}, {}):
            try:
                images.append(stack.enter_context(fresh_image(**attributes)))
                break
            except Blocked:
                continue
    return [_Subject(image, number) for number, image in enumerate(images)]


def _carried_out(
    how: Callable[[list[_Subject], Sequence[Operation]], SequentialHistory],
    subjects: list[_Subject],
    plan: Sequence[Operation],
) -> SequentialHistory:
    history = how(subjects, [one for one in plan if one.image < len(subjects)])
    history.images = len(subjects)
    return history


def _by_groups(subjects: list[_Subject], plan: Sequence[Operation]) -> SequentialHistory:
    history = SequentialHistory()
    main = subjects[0]
    previous: Reading | None = None
    group: list[_Done] = []
    for operation in plan:
        if operation.kind is not Kind.READ:
            # Of a deletion that has lost its answer, nothing can be told but that it was carried out.
            with suppress(LostAnswer):
                group.append(_perform(subjects[operation.image], operation))
            continue
        if failure := next((done.answer for done in group if done.answer.exchange.broken), None):
            raise _Mismatch(broken=failure.exchange)
        reading = _vouching(main, history)
        history.steps += [_vouched(done, reading) for done in group]
        kinds = {done.operation.kind for done in group if not done.operation.image}
        if kinds == {Kind.ADD} and previous:
            history.additions.append((previous, reading, history.steps[-len(group) :]))
        previous, group = reading, []
    for other in subjects[1:]:
        _vouching(other, history)
    return history


def _vouching(subject: _Subject, history: SequentialHistory) -> Reading:
    reading = subject.read()
    history.readings.append(reading)
    if not settled(reading.tags, subject.model.tags):
        expected = frozenset(subject.model.tags)
        seen = reading.tags
        # What cannot be read contradicts nothing; that it cannot be read is another question.
        raise _Mismatch(
            None if seen is None else UnreproducedMismatch(subject.number, expected, seen, tuple(subject.trail))
        )
    return reading


def _vouched(done: _Done, reading: Reading) -> Step:
    return Step(done.operation, done.answer, done.before, done.after, done.past, done.again, (reading,), inferred=True)


def _perform(subject: _Subject, operation: Operation) -> _Done:
    before = tuple(subject.model.tags)
    past = subject.model.past(operation.tag)
    again = operation.tag in subject.model.deleted
    answer = subject.do(operation)
    return _Done(operation, answer, past, again, before, tuple(subject.model.tags))


def _performed_steadily(subject: _Subject, operation: Operation, history: SequentialHistory) -> tuple[_Done, bool]:
    """Perform an operation, and once more where the service fails at it; tell whether the outcome can be judged.

    A failure that does not come again says that the service is unsteady. The deletion that failed may have taken
    effect, so that the second one, answered 404, tells nothing.
    """
    done = _perform(subject, operation)
    if not done.answer.exchange.broken:
        return done, False
    again = subject.do(operation)
    if again.exchange.broken:
        return done, False
    history.unsteady.append(done.answer.exchange)
    return replace(done, answer=again), operation.kind is Kind.DELETE and again.refused


def _by_steps(subjects: list[_Subject], plan: Sequence[Operation]) -> SequentialHistory:
    history = SequentialHistory()
    last = [subject.read() for subject in subjects]
    history.readings += last
    for operation in plan:
        if operation.kind is Kind.READ:
            continue
        number = operation.image
        subject = subjects[number]
        try:
            done, doubtful = _performed_steadily(subject, operation, history)
        except LostAnswer:
            last = _afresh(subjects, operation, history)
            continue
        now = [one.read() for one in subjects]
        history.readings += now
        neighbour = 1 - number if len(subjects) > 1 else number
        history.steps.append(
            Step(
                operation,
                done.answer,
                last[number].tags,
                now[number].tags,
                done.past,
                done.again,
                (last[number], now[number]),
                inferred=False,
                neighbour=(last[neighbour].tags, now[neighbour].tags) if neighbour != number else (None, None),
            )
        )
        if operation.kind is Kind.ADD:
            history.additions.append((last[number], now[number], history.steps[-1:]))
        if doubtful:
            history.steps.pop()
        _learn(subjects, now, operation)
        last = now
    return history


def _afresh(subjects: list[_Subject], operation: Operation, history: SequentialHistory) -> list[Reading]:
    """Read the images after an operation that is no step, because its answer was lost."""
    now = [subject.read() for subject in subjects]
    history.readings += now
    _learn(subjects, now, operation)
    return now


def _learn(subjects: list[_Subject], now: Iterable[Reading], operation: Operation) -> None:
    """Take what was seen for the ground of the next step, whether or not it should have been so."""
    for subject, reading in zip(subjects, now, strict=True):
        if reading.tags is not None:
            subject.model.saw(reading.tags, operation)
