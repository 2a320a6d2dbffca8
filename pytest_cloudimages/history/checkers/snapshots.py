"""Whether a read shows the state of a single moment. No I/O.

What is known of a value at a moment follows from the answers up to then: sometimes it can only be present, or only
absent. A read takes effect at one moment between being sent and being answered. If at every moment of that time some
value cannot have been as the read shows it, the read was torn. Answers after the moment could narrow down more and are
left aside, and each read is looked at alone: a torn read may go unnoticed, but none is alleged that was not.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import inf

from pytest_cloudimages.history.checkers.linearizability import Possible
from pytest_cloudimages.history.checkers.witness import Projection, describe, minimize
from pytest_cloudimages.history.events import Anomaly, Category, Event, quoted
from pytest_cloudimages.history.operations import Kind


class PossibleStates:
    """The states in which one value may have been as time went by."""

    def __init__(self, projection: Projection, possible: Sequence[Possible]) -> None:
        self.projection = projection
        self.value = projection.value or ""
        self.possible = possible
        self._keys = [(each.time, each.after) for each in possible]

    def allows(self, moment: float, *, shown: bool) -> bool:
        """Return whether the value can have been so while everything sent up to this moment was under way."""
        return shown in self.possible[bisect_right(self._keys, (moment, False)) - 1].states

    def denials(self, begin: float, end: float, *, shown: bool) -> Iterator[tuple[float, float]]:
        """Yield the times within these bounds at which the value cannot have been so."""
        for each, following in zip(self.possible, [*self._keys[1:], (inf, True)], strict=True):
            if shown not in each.states and each.time <= end and following[0] > begin:
                yield max(each.time, begin), min(following[0], end)


def torn_read(image: int, explained: Sequence[tuple[Projection, Sequence[Possible]]]) -> Iterator[Anomaly]:
    """Yield the first read of an image that no single moment explains, given values that can be explained alone."""
    courses = [PossibleStates(projection, possible) for projection, possible in explained]
    marks = sorted(
        (each.time, each.after, place) for place, states in enumerate(courses) for each in states.possible[1:]
    )
    keys = [(time, after) for time, after, _ in marks]
    reads = [event for event in explained[0][0].events if event.kind is Kind.READ] if explained else []
    for read in sorted(reads, key=lambda event: (_ended(event), event.sent)):
        during = marks[bisect_right(keys, (read.sent, False)) : bisect_right(keys, (_ended(read), True))]
        changing = [courses[place] for place in sorted({place for _, _, place in during})]
        # A value that did not change meanwhile is as shown at every moment, or it could not be explained alone.
        moments = [read.sent, *(time for time, after, _ in during if not after)]
        if len(changing) > 1 and not _some_moment(moments, {*(read.values or ())}, changing):
            yield _anomaly(image, read, [states.projection for states in changing])
            return


def _ended(read: Event) -> float:
    assert read.answered is not None
    return read.answered


def _some_moment(moments: Iterable[float], shown: Collection[str], courses: Sequence[PossibleStates]) -> bool:
    """Return whether all values can have been as shown at one of these moments."""
    return any(all(states.allows(moment, shown=states.value in shown) for states in courses) for moment in moments)


def _moments(read: Event, courses: Iterable[PossibleStates]) -> set[float]:
    """Return the moments of a read that count: only what is sent makes more possible."""
    times = (each.time for states in courses for each in states.possible if not each.after)
    return {read.sent, *(time for time in times if read.sent < time <= _ended(read))}


def _anomaly(image: int, read: Event, projections: Sequence[Projection]) -> Anomaly:
    """Return the anomaly with its witness: the read, and of each value what leaves it no moment."""
    shown = {*(read.values or ())}
    past = [projection.until(_ended(read)) for projection in projections]
    items = [
        (projection.claims[place].ended, number, place)
        for number, projection in enumerate(past)
        for place in projection.certain()
        if projection.events[place] is not read
    ]
    items.sort()

    def courses(chosen: Collection[int]) -> list[PossibleStates]:
        kept: dict[int, list[int]] = {}
        for item in chosen:
            kept.setdefault(items[item][1], []).append(items[item][2])
        return [
            PossibleStates(past[number], past[number].finding_with(places).possible) for number, places in kept.items()
        ]

    def torn(chosen: Collection[int]) -> bool:
        left = courses(chosen)
        return not _some_moment(_moments(read, left), shown, left)

    chosen = minimize([range(len(items))], torn)
    left = courses(chosen)
    events = {id(event): event for event in (past[items[item][1]].events[items[item][2]] for item in chosen)}
    begun = min(event.sent for event in [read, *events.values()])
    remarks = [
        f"  {quoted(states.value)} cannot have been {'present' if states.value in shown else 'absent'}"
        f" from {(since - begun) * 1000:.1f} to {(until - begun) * 1000:.1f} ms"
        for states in left
        for since, until in states.denials(read.sent, _ended(read), shown=states.value in shown)
    ]
    about = tuple(sorted(states.value for states in left))
    witness = [read, *events.values()]
    return describe(
        Category.TORN_READ, image, None, witness, read, name=projections[0].name, about=about, remarks=remarks
    )
