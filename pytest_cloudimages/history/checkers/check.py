"""Whether some order of concurrent operations explains what was answered and seen. No I/O.

An image's tags are a set, and what happens to one tag says nothing about another: a history can be explained if that of
each tag of each image can. So each (image, tag) is checked alone, as something present or absent. Only one thing is
checked across the tags of an image: that a read shows the state of a single moment.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from pytest_cloudimages.history.checkers.linearizability import Claim, Read, Removal, Write
from pytest_cloudimages.history.checkers.snapshots import torn_read
from pytest_cloudimages.history.checkers.witness import Projection, anomaly_of, category_of, describe
from pytest_cloudimages.history.events import Anomaly, Category, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind

__all__ = ["Anomaly", "Category", "ConcurrentHistory", "Event", "Kind", "check"]

NOT_FOUND = 404
STALE_READS = 20
"""So many stale reads of one tag are put aside to see what else is wrong with it."""


def check(history: ConcurrentHistory, *, lenient_deletes: bool = True) -> list[Anomaly]:
    """Find what no order of the operations explains: at most one anomaly of a category for each tag, image or name.

    With ``lenient_deletes`` a deletion acknowledged although the tag was gone is explained if another deletion of the
    tag, which took effect before it, overlapped with it in time: how many of several concurrent deletions report 204
    is not defined.

    Raises :class:`ValueError` for an event that was answered before it was sent: its clock is no good.
    """
    wrong = next((one for one in history.events if one.answered is not None and one.answered < one.sent), None)
    if wrong is not None:
        raise ValueError(
            f"answered at {wrong.answered} but sent at {wrong.sent}: one monotonic clock, in seconds: {wrong}"
        )
    removal = Removal.LENIENT if lenient_deletes else Removal.STRICT
    events: defaultdict[int, list[Event]] = defaultdict(list)
    for one in history.events:
        events[one.image].append(one)
    found: list[Anomaly] = []
    for image, own in sorted(events.items()):
        explained = []
        for register in registers_of_tags(image, own, history.initial.get(image, frozenset()), removal):
            finding = register.finding()
            if finding.impossible is None:
                explained.append((register, finding.course))
            else:
                found += _anomalies(register, finding.impossible)
        found += torn_read(image, explained)
        found += _duplicates(image, own)
        if image in history.names:
            found += _names(image, own, history.names[image])
    return found


def _anomalies(register: Projection, impossible: int | None) -> Iterator[Anomaly]:
    """Tell what is wrong with a tag; behind the first stale read there may be something worse."""
    known: set[Category] = set()
    for _ in range(STALE_READS):
        if impossible is None:
            return
        category = category_of(register, impossible)
        if category not in known:
            known.add(category)
            yield anomaly_of(register, impossible)
        if category is not Category.STALE_READ:
            return
        register = register.without(impossible)
        impossible = register.finding().impossible


def registers_of_tags(
    image: int, events: Sequence[Event], initial: frozenset[str], removal: Removal
) -> Iterator[Projection]:
    """Give what befell each tag of an image."""
    reads = [
        (one, {*one.tags}, (Read(False, one.sent, one.answered), Read(True, one.sent, one.answered)))
        for one in events
        if one.kind is Kind.READ and one.tags is not None and one.answered is not None
    ]
    changes: defaultdict[str, list[Event]] = defaultdict(list)
    for one in events:
        if one.kind in {Kind.ADD, Kind.DELETE}:
            changes[one.tag].append(one)
    seen = [one for one, *_ in reads]
    for tag in sorted({*initial, *changes}.union(*(shown for _, shown, _ in reads))):
        acts = [(one, act) for one in changes.get(tag, ()) if (act := _act(one)) is not None]
        looks = [either[tag in shown] for _, shown, either in reads]
        yield Projection(
            image,
            tag,
            tag in initial,
            removal,
            [*(one for one, _ in acts), *seen],
            [*(act for _, act in acts), *looks],
        )


def _act(event: Event) -> Claim | None:
    """Tell what an addition or a deletion says of its tag; ``None`` where it says nothing."""
    up = event.kind is Kind.ADD
    if not event.refused or event.answered is None:
        return _change(event, up=up)
    # Whatever another refusal was about, nothing was done; 404 says that the tag was not there.
    return Read(False, event.sent, event.answered) if not up and event.status == NOT_FOUND else None


def _change(event: Event, *, up: bool) -> Write:
    """Give what an operation that was not refused did, or may have done or do at any later moment."""
    if event.acknowledged and event.answered is not None:
        return Write(up, event.sent, event.answered)
    return Write(up, event.sent, inf, required=False)


def _duplicates(image: int, events: Sequence[Event]) -> Iterator[Anomaly]:
    """Tell of each tag that a read shows more than once, the first time."""
    told_of: set[str] = set()
    for one in events:
        tags = one.tags or ()
        if one.kind is Kind.READ and len(tags) != len({*tags}):
            for tag in sorted({tag for tag in tags if tags.count(tag) > 1} - told_of):
                told_of.add(tag)
                yield describe(Category.DUPLICATE, image, tag, [one], one, about=(tag,))


def _names(image: int, events: Sequence[Event], initial: str) -> list[Anomaly]:
    """Check the name of an image value by value: each is present while it is the name, and every rename ends others."""
    changes = [one for one in events if one.kind is Kind.RENAME and not one.refused]
    reads = [
        (one, Read(False, one.sent, one.answered))
        for one in events
        if one.kind is Kind.READ and one.name is not None and one.answered is not None
    ]
    seen = [one for one, _ in reads]
    found = []
    for value in sorted({initial, *(one.name or "" for one in changes), *(one.name or "" for one in seen)}):
        acts: list[Claim] = [_change(one, up=one.name == value) for one in changes]
        acts += [Read(one.name == value, look.sent, look.ended) for one, look in reads]
        register = Projection(image, None, value == initial, Removal.BLIND, [*changes, *seen], acts)
        impossible = register.finding().impossible
        if impossible is not None:
            found.append(anomaly_of(register, impossible))
    return sorted(found, key=lambda one: len(one.witness))[:1]
