"""The smallest part of a history that no order explains, and what to call it. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from pytest_cloudimages.history.checkers.linearizability import Claim, Finding, Read, Removal, Write, walk
from pytest_cloudimages.history.events import Anomaly, Category, Event
from pytest_cloudimages.history.operations import Kind

MEANING = {
    Category.LOST_ADDITION: "An acknowledged addition is gone although nobody deleted it.",
    Category.LOST_DELETION: "An acknowledged deletion was undone although nobody added the tag.",
    Category.PHANTOM: "The tag was shown, or deleted, although nobody had added it.",
    Category.STALE_READ: "An earlier state was shown once more after a later one was certain.",
    Category.TWICE_DELETED: "The tag was deleted more often than it was added.",
    Category.TORN_READ: "No single moment explains what one read shows, although each tag alone can be explained.",
    Category.DUPLICATE: "The tag is listed more than once.",
    Category.STUCK_TAG: "The tag is listed but cannot be deleted.",
    Category.COLLATERAL_LOSS: "A change of the name was undone by a change of something else.",
}


FEW = 2
"""A witness of so many events could hardly be smaller."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What befell one thing: a tag of an image, or a value of its name."""

    image: int
    tag: str | None
    present: bool
    """Whether it was there in the beginning."""
    removal: Removal
    events: Sequence[Event]
    acts: Sequence[Claim]
    """What each of the events says of this thing, in the same order."""

    def finding(self) -> Finding:
        """Read for an order of everything."""
        return walk(self.acts, present=self.present, removal=self.removal)

    def finding_with(self, kept: Iterable[int]) -> Finding:
        """Read for an order of these acts, where any other change may have happened or not."""
        chosen = {*kept}
        begun = min((self.acts[place].sent for place in chosen), default=inf)
        acts: list[tuple[int, Claim]] = [(place, self.acts[place]) for place in chosen]
        earlier: dict[bool, Write] = {}
        for place, act in enumerate(self.acts):
            if place not in chosen and isinstance(act, Write):
                if act.ended >= begun:
                    acts.append((place, act._replace(required=False)))
                else:
                    # Of all that was over before, it matters only that there was an addition, or a removal.
                    earlier[act.up] = act
        acts += [(-1, act._replace(required=False)) for act in earlier.values()]
        finding = walk([act for _, act in acts], present=self.present, removal=self.removal)
        impossible = None if finding.impossible is None else acts[finding.impossible][0]
        return Finding(impossible, finding.course)

    def until(self, moment: float) -> "Projection":
        """Leave out what was sent later, and what was seen later."""
        chosen = [
            place
            for place, act in enumerate(self.acts)
            if (act.sent if isinstance(act, Write) else act.ended) <= moment
        ]
        events, acts = [self.events[place] for place in chosen], [self.acts[place] for place in chosen]
        return Projection(self.image, self.tag, self.present, self.removal, events, acts)

    def without(self, place: int) -> "Projection":
        """Leave out one event."""
        events, acts = [*self.events], [*self.acts]
        del events[place], acts[place]
        return Projection(self.image, self.tag, self.present, self.removal, events, acts)

    def certain(self) -> list[int]:
        """Give the places of all acts that a witness may rest on."""
        return [place for place, act in enumerate(self.acts) if isinstance(act, Read) or act.required]


def anomaly_of(register: Projection, impossible: int) -> Anomaly:
    """Give the witness against a register, given the place of the first act at whose answer no order was left."""
    moment = register.acts[impossible].ended
    past = register.until(moment)
    answered = [place for place in past.certain() if past.acts[place].ended <= moment]
    kept = minimize(
        [
            sorted(answered, key=lambda place: past.acts[place].ended),
            sorted(answered, key=lambda place: isinstance(past.acts[place], Write)),
            sorted(answered, key=lambda place: isinstance(past.acts[place], Read)),
        ],
        lambda chosen: past.finding_with(chosen).impossible is not None,
    )
    last = past.finding_with(kept).impossible
    assert last is not None
    event = past.events[last]
    category = category_of(register, impossible)
    witness = [past.events[place] for place in kept]
    about = () if register.tag is None else (register.tag,)
    others = sum(isinstance(act, Write) for act in past.acts) - sum(
        isinstance(past.acts[place], Write) for place in kept
    )
    return describe(category, register.image, register.tag, witness, event, about=about, others=others)


def minimize(orders: Iterable[Sequence[int]], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Leave out as much as possible, trying to begin with the first in each of these orders; the smallest rest wins."""
    rests: list[list[int]] = []
    for order in orders:
        rests.append(_shrunk(order, fails))
        if len(rests[-1]) <= FEW:
            break
    rest = min(rests, key=len)
    return sorted(rest)


def _shrunk(places: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Leave out as much as possible, in pieces that become smaller, until nothing more can be left out."""
    kept, size = [*places], max(1, len(places) // 2)
    while True:
        before, start = len(kept), 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept = rest
            else:
                start += size
        if size == 1 and len(kept) == before:
            return kept
        size = max(1, size // 2)


def describe(
    category: Category,
    image: int,
    tag: str | None,
    witness: Iterable[Event],
    impossible: Event,
    *,
    about: tuple[str, ...],
    others: int = 0,
    remarks: Iterable[str] = (),
) -> Anomaly:
    """Put an anomaly into words."""
    events = tuple(sorted(witness, key=lambda one: (one.sent, one.answered or inf, one.client)))
    anomaly = Anomaly(category, image, tag, events, "", impossible, about)
    lines = [f"{anomaly.heading}. {MEANING[category]}", *_lines(events, impossible, about), *remarks]
    if others:
        lines.append(f"  ({others} other change{'s' * (others > 1)} of it may have happened or not)")
    return replace(anomaly, text="\n".join(lines))


def _lines(events: Sequence[Event], impossible: Event, about: tuple[str, ...]) -> Iterator[str]:
    begun = events[0].sent
    for one in events:
        mark = ">" if one is impossible else " "
        ended = "…" if one.answered is None else f"{(one.answered - begun) * 1000:.1f}"
        yield f"{mark} {(one.sent - begun) * 1000:.1f} to {ended} ms, client {one.client}: {one.told(about)}"


def category_of(register: Projection, impossible: int) -> Category:
    """Tell what a client would call it, from what came before and after the impossible act."""
    if register.tag is None:
        return Category.COLLATERAL_LOSS
    around = _Around(register, register.events[impossible])
    act = register.acts[impossible]
    if isinstance(act, Write):
        return around.deleted_although_absent()
    if act.shown:
        return around.shown_although_absent()
    if around.event.kind is Kind.DELETE:
        return around.gone_although_present()
    return around.missing_although_present()


class _Around:
    """What happened to a tag before and after an event."""

    def __init__(self, register: Projection, event: Event) -> None:
        self.event = event
        self.sent, self.ended = event.sent, event.sent if event.answered is None else event.answered
        self._pairs = list(zip(register.events, register.acts, strict=True))
        self._changes = [act for act in register.acts if isinstance(act, Write)]
        self._never_there = not register.present and not any(one.up and one.sent <= self.ended for one in self._changes)

    def shown_although_absent(self) -> Category:
        if self._never_there:
            return Category.PHANTOM
        again = [
            act.ended
            for event, act in self._pairs
            if event.kind is Kind.DELETE and act.sent > self.ended and act.ended < inf
        ]
        if again and self._seen_later(min(again), shown=True):
            return Category.STUCK_TAG
        return Category.STALE_READ if self._seen_later(self.ended, shown=False) else Category.LOST_DELETION

    def missing_although_present(self) -> Category:
        return Category.STALE_READ if self._seen_later(self.ended, shown=True) else Category.LOST_ADDITION

    def gone_although_present(self) -> Category:
        """Name a deletion answered 404: whether the tag is listed after it, or was last before it, decides."""
        reads = [act for event, act in self._pairs if event.kind is Kind.READ and isinstance(act, Read)]
        after = [look for look in reads if look.sent > self.ended]
        before = [look for look in reads if look.ended < self.sent]
        last = (
            min(after, key=lambda look: look.ended) if after else max(before, key=lambda look: look.sent, default=None)
        )
        return Category.STUCK_TAG if last is not None and last.shown else Category.LOST_ADDITION

    def deleted_although_absent(self) -> Category:
        return Category.PHANTOM if self._never_there else Category.TWICE_DELETED

    def _seen_later(self, since: float, *, shown: bool) -> bool:
        """Whether the tag was seen so after a moment although nothing since the event can have made it so."""
        return any(
            isinstance(act, Read)
            and act.shown == shown
            and act.sent > since
            and not any(one.up == shown and one.ended >= self.sent and one.sent <= act.ended for one in self._changes)
            for _, act in self._pairs
        )
