"""What the races of tags have shown, as findings."""

from collections import Counter
from collections.abc import Iterator

from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun
from pytest_cloudimages.engine.measurement import Measurement
from pytest_cloudimages.engine.recording import Rate, current_check
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
    rate = current_check().rate = Rate(lost.total(), added.total(), "acknowledged additions lost")
    expect(tags, [], "tags of acknowledged additions that are not listed", rate=f"{rate}: {counts}")


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
    departing = {id(run) for run, _ in shown.violations}
    current_check().rate = Rate(len(departing), len(shown.runs), "races in which a tag was not there once, or stayed")
    for _, mismatch in shown.violations:
        raise mismatch


def _mismatches(actual: object, expected: object, what: str) -> Iterator[Mismatch]:
    try:
        expect(actual, expected, what)
    except Mismatch as mismatch:
        yield mismatch
