"""Whether some order of concurrent operations explains what was answered and seen. No I/O.

What happens to one value of a set says nothing about another: a history can be explained if that of each value of each
image can. So each (image, value) is checked alone, as something present or absent. Only one thing is checked across the
values of an image: that a read shows the state of a single moment.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from pytest_cloudimages.history.checkers.linearizability import Claim, Read, Removal, Write
from pytest_cloudimages.history.checkers.snapshots import torn_read
from pytest_cloudimages.history.checkers.witness import Projection, anomaly_of, category_of, describe
from pytest_cloudimages.history.events import Anomaly, Category, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect, SetResource

STALE_READS = 20
"""How many stale reads of one value are put aside to see what else is wrong with it."""


def check(
    history: ConcurrentHistory, resource: SetResource, *, lenient_deletes: bool = True, blind_deletes: bool = False
) -> list[Anomaly]:
    """Return what no order of the operations explains: at most one anomaly of a category for each value and image.

    With ``lenient_deletes`` a deletion acknowledged although the value was gone is explained if another deletion of the
    value, which took effect before it, overlapped with it in time: how many of several concurrent deletions report 204
    is not defined. With ``blind_deletes`` a deletion may be acknowledged wherever the value was gone, as by a service
    that answers no client otherwise.

    Raise :class:`ValueError` for an event that was answered before it was sent: its clock is no good.
    """
    wrong = next(
        (event for event in history.events if event.answered is not None and event.answered < event.sent), None
    )
    if wrong is not None:
        raise ValueError(
            f"answered at {wrong.answered} but sent at {wrong.sent}: one monotonic clock, in seconds: {wrong}"
        )
    removal = Removal.BLIND if blind_deletes else Removal.LENIENT if lenient_deletes else Removal.STRICT
    events: defaultdict[int, list[Event]] = defaultdict(list)
    for event in history.events:
        events[event.image].append(event)
    found: list[Anomaly] = []
    for image, own in sorted(events.items()):
        explained = []
        for projection in projections(image, own, history.initial.get(image, frozenset()), resource, removal):
            finding = projection.finding()
            if finding.impossible is None:
                explained.append((projection, finding.possible))
            else:
                found += _anomalies(projection, finding.impossible)
        found += torn_read(image, explained)
        found += _duplicates(image, own, resource)
        if image in history.attributes:
            found += _attributes(image, own, history.attributes[image])
    return found


def _anomalies(projection: Projection, impossible: int | None) -> Iterator[Anomaly]:
    """Yield what is wrong with a value; behind the first stale read there may be something worse."""
    known: set[Category] = set()
    for _ in range(STALE_READS):
        if impossible is None:
            return
        category = category_of(projection, impossible)
        if category not in known:
            known.add(category)
            yield anomaly_of(projection, impossible)
        if category is not Category.STALE_READ:
            return
        projection = projection.without(impossible)
        impossible = projection.finding().impossible


def projections(
    image: int, events: Sequence[Event], initial: frozenset[str], resource: SetResource, removal: Removal
) -> Iterator[Projection]:
    """Yield what befell each value of an image."""
    reads = [
        (event, {*event.values}, (Read(False, event.sent, event.answered), Read(True, event.sent, event.answered)))
        for event in events
        if event.kind is Kind.READ and event.values is not None and event.answered is not None
    ]
    changes: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind in {Kind.ADD, Kind.DELETE}:
            changes[event.value].append(event)
    seen = [event for event, *_ in reads]
    for value in sorted({*initial, *changes}.union(*(shown for _, shown, _ in reads))):
        pairs = [(event, _claim(event, resource)) for event in changes.get(value, ())]
        claims = [(event, claim) for event, claim in pairs if claim is not None]
        yield Projection(
            image,
            value,
            value in initial,
            removal,
            [*(event for event, _ in claims), *seen],
            [*(claim for _, claim in claims), *(either[value in shown] for _, shown, either in reads)],
            resource.name,
        )


def _claim(event: Event, resource: SetResource) -> Claim | None:
    """Return what an addition or a deletion says of its value; ``None`` where it says nothing."""
    adds = event.kind is Kind.ADD
    if event.repeated and event.answered is not None:
        return Write(adds=False, sent=event.sent, ended=event.answered, idle=True)
    effect = Effect.UNKNOWN if event.answered is None else resource.effect(event.kind, event.status)
    if event.answered is None or effect is Effect.UNKNOWN:
        return _open_end(event, adds=adds)
    match effect:
        case Effect.MADE_PRESENT | Effect.MADE_ABSENT:
            return Write(effect is Effect.MADE_PRESENT, event.sent, event.answered)
        case Effect.WAS_PRESENT | Effect.WAS_ABSENT:
            return Read(effect is Effect.WAS_PRESENT, event.sent, event.answered)
        case _:
            return None


def _open_end(event: Event, *, adds: bool) -> Write:
    """Return the claim of a change that may have taken effect, or may do so at any later moment."""
    return Write(adds, event.sent, inf, required=False)


def _duplicates(image: int, events: Sequence[Event], resource: SetResource) -> Iterator[Anomaly]:
    """Yield each value that a read shows more than once, the first time."""
    known: set[str] = set()
    for event in events:
        values = event.values or ()
        if event.kind is Kind.READ and len(values) != len({*values}):
            for value in sorted({value for value in values if values.count(value) > 1} - known):
                known.add(value)
                yield describe(Category.DUPLICATE, image, value, [event], event, name=resource.name, about=(value,))


def _attributes(image: int, events: Sequence[Event], initial: str) -> list[Anomaly]:
    """Return what is wrong with the attribute of an image, checked value by value.

    Each is present while the attribute has it, and every SET of another value ends it.
    """
    changes = [event for event in events if event.kind is Kind.SET and not event.refused]
    reads = [
        (event, event.shown, Read(False, event.sent, event.answered))
        for event in events
        if event.kind is Kind.READ and event.shown is not None and event.answered is not None
    ]
    seen = [event for event, *_ in reads]
    found = []
    for value in sorted({initial, *(event.value for event in changes), *(shown for _, shown, _ in reads)}):
        claims: list[Claim] = [_set(event, adds=event.value == value) for event in changes]
        claims += [Read(shown == value, read.sent, read.ended) for _, shown, read in reads]
        name = seen[0].attribute if seen else ""
        projection = Projection(image, None, value == initial, Removal.BLIND, [*changes, *seen], claims, name)
        impossible = projection.finding().impossible
        if impossible is not None:
            found.append(anomaly_of(projection, impossible))
    return sorted(found, key=lambda anomaly: len(anomaly.witness))[:1]


def _set(event: Event, *, adds: bool) -> Write:
    if event.acknowledged and event.answered is not None:
        return Write(adds, event.sent, event.answered)
    return _open_end(event, adds=adds)
