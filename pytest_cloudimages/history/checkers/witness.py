"""The smallest part of a history that no order explains, and what to call it. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from pytest_cloudimages.history.checkers.linearizability import Claim, Finding, Read, Removal, Write, search
from pytest_cloudimages.history.events import Anomaly, Category, Event
from pytest_cloudimages.history.operations import Kind

MEANING = {
    Category.LOST_ADDITION: "An acknowledged addition is gone although nobody deleted it.",
    Category.LOST_DELETION: "An acknowledged deletion was undone although nobody added the {name}.",
    Category.PHANTOM: "The {name} was shown, or deleted, although nobody had added it.",
    Category.STALE_READ: "An earlier state was shown once more after a later one was certain.",
    Category.TWICE_DELETED: "The {name} was deleted more often than it was added.",
    Category.TORN_READ: "No single moment explains what one read shows, although each {name} alone can be explained.",
    Category.DUPLICATE: "The {name} is listed more than once.",
    Category.STUCK_VALUE: "The {name} is listed but cannot be deleted.",
    Category.COLLATERAL_LOSS: "A change of the {name} was undone by a change of something else.",
    Category.REFUSAL: "A change was refused with a code that no state of the image calls for.",
}


FEW = 2
"""A witness of two events could hardly be smaller."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What befell one thing: a value of the set of an image, or a value of its attribute."""

    image: int
    value: str | None
    present: bool
    """Whether it was there in the beginning."""
    removal: Removal
    events: Sequence[Event]
    claims: Sequence[Claim]
    """What each of the events says of this thing, in the same order."""
    name: str
    """What a value of the set is called, or the attribute."""

    def finding(self) -> Finding:
        """Search for an order of everything."""
        return search(self.claims, present=self.present, removal=self.removal)

    def finding_with(self, kept: Iterable[int]) -> Finding:
        """Search for an order of these claims, where any other change may have happened or not."""
        chosen = {*kept}
        begun = min((self.claims[place].sent for place in chosen), default=inf)
        claims: list[tuple[int, Claim]] = [(place, self.claims[place]) for place in chosen]
        earlier: dict[bool, Write] = {}
        for place, claim in enumerate(self.claims):
            if place not in chosen and isinstance(claim, Write):
                if claim.ended >= begun:
                    claims.append((place, claim._replace(required=False)))
                else:
                    # Of all that was over before, it matters only that there was an addition, or a removal.
                    earlier[claim.adds] = claim
        claims += [(-1, claim._replace(required=False)) for claim in earlier.values()]
        finding = search([claim for _, claim in claims], present=self.present, removal=self.removal)
        impossible = None if finding.impossible is None else claims[finding.impossible][0]
        return Finding(impossible, finding.possible)

    def until(self, moment: float) -> "Projection":
        """Leave out what was sent later, and what was seen later."""
        chosen = [
            place
            for place, claim in enumerate(self.claims)
            if (claim.sent if isinstance(claim, Write) else claim.ended) <= moment
        ]
        events, claims = [self.events[place] for place in chosen], [self.claims[place] for place in chosen]
        return replace(self, events=events, claims=claims)

    def without(self, place: int) -> "Projection":
        """Leave out one event."""
        events, claims = [*self.events], [*self.claims]
        del events[place], claims[place]
        return replace(self, events=events, claims=claims)

    def certain(self) -> list[int]:
        """Return the places of all claims that a witness may rest on."""
        return [place for place, claim in enumerate(self.claims) if isinstance(claim, Read) or claim.required]


def anomaly_of(projection: Projection, impossible: int) -> Anomaly:
    """Return the anomaly of a projection, given the place of the first claim at whose answer no order was left."""
    moment = projection.claims[impossible].ended
    past = projection.until(moment)
    answered = [place for place in past.certain() if past.claims[place].ended <= moment]
    kept = minimize(
        [
            sorted(answered, key=lambda place: past.claims[place].ended),
            sorted(answered, key=lambda place: isinstance(past.claims[place], Write)),
            sorted(answered, key=lambda place: isinstance(past.claims[place], Read)),
        ],
        lambda chosen: past.finding_with(chosen).impossible is not None,
    )
    last = past.finding_with(kept).impossible
    assert last is not None
    event = past.events[last]
    category = category_of(projection, impossible)
    witness = [past.events[place] for place in kept]
    about = () if projection.value is None else (projection.value,)
    others = sum(isinstance(claim, Write) for claim in past.claims) - sum(
        isinstance(past.claims[place], Write) for place in kept
    )
    return describe(
        category, projection.image, projection.value, witness, event, name=projection.name, about=about, others=others
    )


def minimize(orders: Iterable[Sequence[int]], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return the smallest rest of these orders, leaving out as much as possible from the first on."""
    rests: list[list[int]] = []
    for order in orders:
        rests.append(_shrunk(order, fails))
        if len(rests[-1]) <= FEW:
            break
    rest = min(rests, key=len)
    return sorted(rest)


def _shrunk(places: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return what is left when nothing more can be left out, trying pieces that become smaller."""
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
    value: str | None,
    witness: Iterable[Event],
    impossible: Event,
    *,
    name: str,
    about: tuple[str, ...],
    others: int = 0,
    remarks: Iterable[str] = (),
) -> Anomaly:
    """Return an anomaly with its description; ``name`` is what the thing is called."""
    events = tuple(sorted(witness, key=lambda event: (event.sent, event.answered or inf, event.client)))
    anomaly = Anomaly(category, image, value, events, "", impossible, about)
    lines = [f"{anomaly.heading}. {MEANING[category].format(name=name)}", *_lines(events, impossible, about), *remarks]
    if others:
        lines.append(f"  ({others} other change{'s' * (others > 1)} of it may have happened or not)")
    return replace(anomaly, text="\n".join(lines))


def _lines(events: Sequence[Event], impossible: Event, about: tuple[str, ...]) -> Iterator[str]:
    begun = events[0].sent
    for event in events:
        mark = ">" if event is impossible else " "
        ended = "…" if event.answered is None else f"{(event.answered - begun) * 1000:.1f}"
        yield f"{mark} {(event.sent - begun) * 1000:.1f} to {ended} ms, client {event.client}: {event.describe(about)}"


def category_of(projection: Projection, impossible: int) -> Category:
    """Return what a client would call it, from what came before and after the impossible claim."""
    if projection.value is None:
        return Category.COLLATERAL_LOSS
    around = _Around(projection, projection.events[impossible])
    claim = projection.claims[impossible]
    if isinstance(claim, Write):
        return around.deleted_although_absent()
    if claim.shown:
        return around.shown_although_absent()
    if around.event.kind is Kind.DELETE:
        return around.gone_although_present()
    return around.missing_although_present()


class _Around:
    """What happened to a value before and after an event."""

    def __init__(self, projection: Projection, event: Event) -> None:
        self.event = event
        self.sent, self.ended = event.sent, event.sent if event.answered is None else event.answered
        self._pairs = list(zip(projection.events, projection.claims, strict=True))
        self._changes = [claim for claim in projection.claims if isinstance(claim, Write)]
        self._never_there = not projection.present and not any(
            write.adds and write.sent <= self.ended for write in self._changes
        )

    def shown_although_absent(self) -> Category:
        if self._never_there:
            return Category.PHANTOM
        again = [
            claim.ended
            for event, claim in self._pairs
            if event.kind is Kind.DELETE and claim.sent > self.ended and claim.ended < inf
        ]
        if again and self._seen_later(min(again), shown=True):
            return Category.STUCK_VALUE
        return Category.STALE_READ if self._seen_later(self.ended, shown=False) else Category.LOST_DELETION

    def missing_although_present(self) -> Category:
        return Category.STALE_READ if self._seen_later(self.ended, shown=True) else Category.LOST_ADDITION

    def gone_although_present(self) -> Category:
        """Return what a deletion answered 404 is: whether the value is listed after it, or was before it, decides."""
        reads = [claim for event, claim in self._pairs if event.kind is Kind.READ and isinstance(claim, Read)]
        after = [read for read in reads if read.sent > self.ended]
        before = [read for read in reads if read.ended < self.sent]
        last = (
            min(after, key=lambda read: read.ended) if after else max(before, key=lambda read: read.sent, default=None)
        )
        return Category.STUCK_VALUE if last is not None and last.shown else Category.LOST_ADDITION

    def deleted_although_absent(self) -> Category:
        return Category.PHANTOM if self._never_there else Category.TWICE_DELETED

    def _seen_later(self, since: float, *, shown: bool) -> bool:
        """Return whether the value was seen so after a moment although nothing since the event can have made it so."""
        return any(
            isinstance(claim, Read)
            and claim.shown == shown
            and claim.sent > since
            and not any(
                write.adds == shown and write.ended >= self.sent and write.sent <= claim.ended
                for write in self._changes
            )
            for _, claim in self._pairs
        )
