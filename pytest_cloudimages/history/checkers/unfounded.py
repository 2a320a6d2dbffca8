"""Answers to changes that no state of an image calls for, whoever else is at it. No I/O."""

from collections.abc import Iterable, Iterator

from pytest_cloudimages.history.checkers.witness import describe
from pytest_cloudimages.history.events import Anomaly, Category, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import Effect, SetResource

FORBIDDEN = 403
OCCUPIED = frozenset({401, 408, 409, 413, 421, 423, 425, 429})
"""Statuses that speak of something else than the image and the value: of the token, of load, of others who are at it.

Whether they are documented is another question, which the requirements about codes ask.
"""


def refusals(events: Iterable[Event], resource: SetResource) -> Iterator[Anomaly]:
    """Yield each value of each image, once, of which a change was refused that another client was granted.

    The image exists and the value is one that can be changed: so much says an acknowledged change of its kind.
    A refusal on principle is nothing that only a race brings to light.
    """
    asked = (event for event in events if event.kind not in (Kind.READ, Kind.EVENT))
    changes = [event for event in asked if event.answered is not None]
    granted = {event.kind for event in changes if event.acknowledged}
    # A 403 speaks of who asks: it is unfounded only where the same client was granted such a change.
    entitled = {(event.kind, event.client) for event in changes if event.acknowledged}
    known: set[tuple[Kind, int, str]] = set()
    for event in changes:
        key = (event.kind, event.image, event.value)
        may = event.status != FORBIDDEN or (event.kind, event.client) in entitled
        if event.kind in granted and may and key not in known and _unfounded(event, resource):
            known.add(key)
            about = () if event.kind is Kind.SET else (event.value,)
            yield describe(Category.REFUSAL, event.image, None, [event], event, name=resource.name, about=about)


def _unfounded(event: Event, resource: SetResource) -> bool:
    if event.status in OCCUPIED or not 300 <= event.status < 500:  # noqa: PLR2004 - the classes of codes
        return False
    if event.kind is Kind.SET:
        return True
    return resource.effect(event.kind, event.status) in (Effect.NOTHING_DONE, Effect.UNKNOWN)
