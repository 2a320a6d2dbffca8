"""What the races of tags have shown, as findings."""

from collections import Counter
from collections.abc import Iterator

from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun
from pytest_cloudimages.engine.measurement import Measurement
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.history.events import Anomaly
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.mismatch import Mismatch, expect


def lost_additions(run: ConcurrentRun) -> list[Completed]:
    """Return the acknowledged additions of the first phase whose tags are not there when all is quiet."""
    return [
        addition
        for addition in run.acknowledged(Kind.ADD, 0)
        if (tags := run.quiescent[0][addition.event.image]) is not None and addition.event.value not in tags
    ]


def expect_none_lost(shown: Measurement[Completed]) -> None:
    """Raise ``Mismatch`` where acknowledged additions are lost; say how many, by the number of clients."""
    __tracebackhide__ = True
    added: Counter[int] = Counter()
    for run in shown.runs:
        added[run.plan.clients] += len(run.acknowledged(Kind.ADD, 0))
    lost = Counter(run.plan.clients for run, _ in shown.violations)
    counts = ", ".join(f"{lost[clients]} of {added[clients]} with {clients} clients" for clients in sorted(added))
    tags = [addition.event.value for _, addition in shown.violations]
    rate = f"{lost.total()} of {added.total()} acknowledged additions lost: {counts}"
    expect(tags, [], "tags of acknowledged additions that are not listed", rate=rate)


def not_once(run: ConcurrentRun) -> Iterator[Mismatch]:
    """Yield where a tag that many clients added at once is not there once, or cannot be deleted again."""
    at_once = f"added by {run.plan.clients} clients at once"
    for phase, (tags, *_) in enumerate(run.quiescent):
        added, deleted = run.acknowledged(Kind.ADD, phase), run.asked(Kind.DELETE, phase)
        if added and tags is not None and len(tags) != 1:
            yield from _mismatches([*tags], [added[0].event.value], f"tags after one was {at_once}")
        for deletion in deleted:
            if run.acknowledged(Kind.ADD, phase - 1):
                yield from _mismatches(deletion.event.status, 204, f"status of {deletion.exchange}, {at_once}")
                yield from _mismatches([*(tags or ())], [], f"tags after the one {at_once} was deleted")


def expect_once(shown: Measurement[Mismatch]) -> None:
    """Raise the first mismatch that races have shown."""
    __tracebackhide__ = True
    for _, mismatch in shown.violations:
        raise mismatch


def _mismatches(actual: object, expected: object, what: str) -> Iterator[Mismatch]:
    try:
        expect(actual, expected, what)
    except Mismatch as mismatch:
        yield mismatch


def expect_explained(shown: Measurement[Anomaly]) -> None:
    """Raise ``Mismatch`` where no order explains what many were answered.

    Say how often and in which ways, and keep the smallest history that shows it as a witness.
    """
    __tracebackhide__ = True
    if shown.sound:
        return
    counts = Counter(str(anomaly.category) for _, anomaly in shown.violations)
    told = ", ".join(f"{category} ({count})" for category, count in counts.most_common())
    where: dict[str, set[int]] = {}
    for run, _ in shown.violations:
        where.setdefault(run.plan.pattern, set()).add(run.plan.clients)
    patterns = "; ".join(
        f"{pattern}, {', '.join(map(str, sorted(clients)))} clients" for pattern, clients in where.items()
    )
    unexplained = len({id(run) for run, _ in shown.violations})
    run, smallest = min(shown.violations, key=lambda violation: len(violation[1].witness))
    current_check().witness(smallest, run.exchanges_of(smallest.witness))
    raise Mismatch(
        f"{unexplained} of {len(shown.runs)} races have no order that explains them: {told} ({patterns}).\n"
        f"In {run.plan.name}: {smallest.text}",
        what=f"answers of {len(shown.runs)} races",
        expected="an order of the operations that explains them",
        actual=f"none for {unexplained} races: {told}",
    )
