"""What the races of tags have shown, as findings."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun
from pytest_cloudimages.engine.measurement import Measurement
from pytest_cloudimages.engine.recording import Rate, current_check
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.mismatch import Mismatch, expect

NAMED = 8
"""Lost additions that a finding names at most; each comes with its exchange."""


@dataclass(frozen=True)
class Departure:
    """What a race has shown that is not as it should be, and the exchanges that show it."""

    mismatch: Mismatch
    exchanges: Sequence[Exchange]


def answers_to(kind: Kind) -> Callable[[tuple[ConcurrentRun, Completed]], bool]:
    """Return the condition that an answer of a race is one to an operation of a kind, and speaks of the request."""
    return lambda shown: shown[1].event.kind is kind and shown[1].event.status not in TROUBLE


def show_phase(run: ConcurrentRun, kind: Kind, phase: int) -> None:
    """Let findings show the operations of a kind in a phase, and what was read after it."""
    current_check().show([*(each.exchange for each in run.asked(kind, phase)), *run.looks(phase)])


def lost_additions(run: ConcurrentRun) -> list[Completed]:
    """Return the acknowledged additions of the first phase whose tags are not there when all is quiet."""
    return [
        addition
        for addition in run.acknowledged(Kind.ADD, 0)
        if (tags := run.quiescent[0][addition.event.image]) is not None and addition.event.value not in tags
    ]


def expect_none_lost(shown: Measurement[Completed]) -> None:
    """Raise ``Mismatch`` where acknowledged additions are lost; say how many, by the number of clients.

    It names those of the smallest race, and shows their exchanges with the reading that misses them.
    """
    __tracebackhide__ = True
    added: Counter[int] = Counter()
    for run in shown.runs:
        added[run.plan.clients] += len(run.acknowledged(Kind.ADD, 0))
    lost = Counter(run.plan.clients for run, _ in shown.violations)
    counts = ", ".join(f"{lost[clients]} of {added[clients]} with {clients} clients" for clients in sorted(added))
    rate = current_check().rate = Rate(lost.total(), added.total(), "acknowledged additions lost")
    if shown.sound:
        return
    smallest, first = min(shown.violations, key=lambda violation: len(violation[0].completed))
    current_check().race = smallest.resource, smallest.plan
    named = [
        addition for run, addition in shown.violations if run is smallest and addition.event.image == first.event.image
    ][:NAMED]
    current_check().show([*(addition.exchange for addition in named), *smallest.looks(0, first.event.image)])
    tags = [addition.event.value for addition in named]
    expect(tags, [], f"tags of acknowledged additions not listed after {smallest.plan.name}", rate=f"{rate}: {counts}")


def gone_astray(run: ConcurrentRun) -> Iterator[Departure]:
    """Yield where an image shows, while nobody writes, a tag that was added to another image alone."""
    added: dict[str, set[int]] = {}
    for operation in run.plan.operations():
        if operation.kind is Kind.ADD:
            added.setdefault(operation.value, set()).add(operation.image)
    for phase, shown in enumerate(run.quiescent):
        for image, tags in enumerate(shown):
            astray = sorted(tag for tag in {*(tags or ())} if tag in added and image not in added[tag])
            requests = [each.exchange for each in run.completed if each.event.value in astray]
            exchanges = [*requests[:NAMED], *run.looks(phase, image)]
            yield from _departures(astray, [], f"tags of image {image} that were added to others", exchanges)


def not_once(run: ConcurrentRun) -> Iterator[Departure]:
    """Yield where a tag that many clients added at once is not there once, or cannot be deleted again."""
    at_once = f"added by {run.plan.clients} clients at once"
    if run.plan.several_callers:
        # Here each adds tags of its own besides.
        for tag, count in Counter(run.quiescent[0][0] or ()).items():
            exchanges = [each.exchange for each in run.asked(Kind.ADD, 0) if each.event.value == tag]
            exchanges += run.looks(0)
            yield from _departures([tag] * count, [tag], "how often a tag of several callers is listed", exchanges)
        return
    for phase, (tags, *_) in enumerate(run.quiescent):
        added, deleted = run.acknowledged(Kind.ADD, phase), run.asked(Kind.DELETE, phase)
        looks = run.looks(phase)
        if added and tags is not None and len(tags) != 1:
            exchanges = [*(addition.exchange for addition in added[:NAMED]), *looks]
            yield from _departures([*tags], [added[0].event.value], f"tags after one was {at_once}", exchanges)
        before = run.acknowledged(Kind.ADD, phase - 1)
        for deletion in deleted if before else ():
            exchanges = [*(addition.exchange for addition in before[:NAMED]), *run.looks(phase - 1)]
            exchanges += [deletion.exchange, *looks]
            yield from _departures(deletion.event.status, 204, f"status of {deletion.exchange}, {at_once}", exchanges)
            yield from _departures([*(tags or ())], [], f"tags after the one {at_once} was deleted", exchanges)


NOT_ONCE, ASTRAY = "in which a tag was not there once, or stayed", "in which a tag came to another image"


def expect_sound(shown: Measurement[Departure], what: str) -> None:
    """Raise the mismatch of the smallest race that has shown one; ``what`` says in which races there is one."""
    __tracebackhide__ = True
    departing = {id(run) for run, _ in shown.violations}
    current_check().rate = Rate(len(departing), len(shown.runs), f"races {what}")
    if not shown.sound:
        run, departure = min(shown.violations, key=lambda violation: len(violation[0].completed))
        current_check().race = run.resource, run.plan
        current_check().show(departure.exchanges)
        raise departure.mismatch


def _departures(actual: object, expected: object, what: str, exchanges: Sequence[Exchange]) -> Iterator[Departure]:
    try:
        expect(actual, expected, what)
    except Mismatch as mismatch:
        yield Departure(mismatch, exchanges)
