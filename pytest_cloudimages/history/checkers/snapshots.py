"""Whether a read shows the state of a single moment. No I/O.

What is known of a tag at a moment follows from the answers up to then: sometimes it can only be present, or only
absent. A read takes effect at one moment between being sent and being answered. If at every moment of that time some
tag cannot have been as the read shows it, the read was torn. Answers after the moment could narrow down more and are
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
    """What was possible of one tag as time went by."""

    def __init__(self, register: Projection, possible: Sequence[Possible]) -> None:
        self.register = register
        self.tag = register.tag or ""
        self.possible = possible
        self._keys = [(one.time, one.after) for one in possible]

    def allows(self, moment: float, *, shown: bool) -> bool:
        """Whether the tag can have been so while everything sent up to this moment was under way."""
        return shown in self.possible[bisect_right(self._keys, (moment, False)) - 1].states

    def denials(self, begin: float, end: float, *, shown: bool) -> Iterator[tuple[float, float]]:
        """Give the times within these bounds at which the tag cannot have been so."""
        for one, following in zip(self.possible, [*self._keys[1:], (inf, True)], strict=True):
            if shown not in one.states and one.time <= end and following[0] > begin:
                yield max(one.time, begin), min(following[0], end)


def torn_read(image: int, explained: Sequence[tuple[Projection, Sequence[Possible]]]) -> Iterator[Anomaly]:
    """Tell of the first read of an image that no single moment explains, given tags that can be explained alone."""
    courses = [PossibleStates(register, possible) for register, possible in explained]
    marks = sorted((one.time, one.after, place) for place, each in enumerate(courses) for one in each.possible[1:])
    keys = [(time, after) for time, after, _ in marks]
    reads = [one for one in explained[0][0].events if one.kind is Kind.READ] if explained else []
    for read in sorted(reads, key=lambda one: (_ended(one), one.sent)):
        during = marks[bisect_right(keys, (read.sent, False)) : bisect_right(keys, (_ended(read), True))]
        changing = [courses[place] for place in sorted({place for _, _, place in during})]
        # A tag that did not change meanwhile is as shown at every moment, or it could not be explained alone.
        moments = [read.sent, *(time for time, after, _ in during if not after)]
        if len(changing) > 1 and not _some_moment(moments, {*(read.tags or ())}, changing):
            yield _anomaly(image, read, [each.register for each in changing])
            return


def _ended(read: Event) -> float:
    assert read.answered is not None
    return read.answered


def _some_moment(moments: Iterable[float], shown: Collection[str], courses: Sequence[PossibleStates]) -> bool:
    """Whether all tags can have been as shown at one of these moments."""
    return any(all(each.allows(moment, shown=each.tag in shown) for each in courses) for moment in moments)


def _moments(read: Event, courses: Iterable[PossibleStates]) -> set[float]:
    """Give the moments of a read that count: only what is sent makes more possible."""
    times = (one.time for each in courses for one in each.possible if not one.after)
    return {read.sent, *(time for time in times if read.sent < time <= _ended(read))}


def _anomaly(image: int, read: Event, registers: Sequence[Projection]) -> Anomaly:
    """Give the witness: the read, and of each tag what leaves it no moment."""
    shown = {*(read.tags or ())}
    past = [each.until(_ended(read)) for each in registers]
    items = [
        (_end_of(each, place), number, place)
        for number, each in enumerate(past)
        for place in each.certain()
        if each.events[place] is not read
    ]
    items.sort()

    def courses(chosen: Collection[int]) -> list[PossibleStates]:
        kept: dict[int, list[int]] = {}
        for one in chosen:
            kept.setdefault(items[one][1], []).append(items[one][2])
        return [
            PossibleStates(past[number], past[number].finding_with(places).course) for number, places in kept.items()
        ]

    def torn(chosen: Collection[int]) -> bool:
        left = courses(chosen)
        return not _some_moment(_moments(read, left), shown, left)

    chosen = minimize([range(len(items))], torn)
    left = courses(chosen)
    events = {id(one): one for one in [past[items[each][1]].events[items[each][2]] for each in chosen]}
    begun = min(one.sent for one in [read, *events.values()])
    remarks = [
        f"  {quoted(each.tag)} cannot have been {'present' if each.tag in shown else 'absent'}"
        f" from {(since - begun) * 1000:.1f} to {(until - begun) * 1000:.1f} ms"
        for each in left
        for since, until in each.denials(read.sent, _ended(read), shown=each.tag in shown)
    ]
    about = tuple(sorted(each.tag for each in left))
    return describe(Category.TORN_READ, image, None, [read, *events.values()], read, about=about, remarks=remarks)


def _end_of(register: Projection, place: int) -> float:
    return register.acts[place].ended
