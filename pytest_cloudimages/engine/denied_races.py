"""Races in which a deletion was denied that somebody on the way may have sent twice: what of them stands.

Of several clients none knows whether a value was still there when it deleted it, so that one race alone says nothing.
A service that denies where clients meet does so again when they meet again, and to nobody who is alone.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pytest_cloudimages.client.denials import GONE, OFTEN, Denials
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun
from pytest_cloudimages.engine.run import FreshImage
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.checkers.unfounded import refusals
from pytest_cloudimages.history.events import Anomaly, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked

Violation = TypeVar("Violation")
Measure = Callable[[ConcurrentRun], Iterable[Violation]]

MEETINGS = 4
"""How often a race is run again at the most until it shows the same."""
ALONE, AT_LEAST = 400, 50
"""How many deletions a run has to have seen outside of races to say that none is sent twice; how many it tries then."""


def is_denied(event: Event) -> bool:
    """Return whether an event is a deletion that was answered as if there had been nothing to delete."""
    return event.kind is Kind.DELETE and event.status in GONE


def as_if_repeated(run: ConcurrentRun, resource: SetResource) -> ConcurrentRun | None:
    """Return a race as it is to be seen where all its deletions that were denied may have been sent twice.

    ``None`` where none was.
    """
    if not any(is_denied(each.event) for each in run.completed):
        return None
    completed = tuple(_repeated(each) for each in run.completed)
    events = tuple(replace(event, repeated=True) if is_denied(event) else event for event in run.history.events)
    history = replace(run.history, events=events)
    anomalies = check(history, resource)
    known = {(each.image, each.value, each.category) for each in anomalies}
    at_once = tuple(sorted((each.event for each in completed), key=lambda event: event.sent))
    strict = check(replace(history, events=at_once), resource)
    late = tuple(each for each in strict if (each.image, each.value, each.category) not in known)
    anomalies += refusals((each.event for each in completed if not each.passing), resource)
    return replace(run, completed=completed, history=history, anomalies=tuple(anomalies), late=late)


def _repeated(each: Completed) -> Completed:
    if not is_denied(each.event):
        return each
    return replace(each, event=replace(each.event, repeated=True), passing=True)


def rest(run: ConcurrentRun, measure: Measure[Violation], resource: SetResource) -> list[Violation] | None:
    """Return which violations are left where all that was denied may have been sent twice; ``None`` where all are."""
    every, forgiven = [*measure(run)], as_if_repeated(run, resource)
    left = [*measure(forgiven)] if every and forgiven else every
    return left if len(left) < len(every) else None


def denied_in(run: ConcurrentRun, violations: Sequence[object]) -> list[Exchange]:
    """Return the deletions that violations rest on, as far as they name them; else the first that was denied."""
    named = {event for each in violations if isinstance(each, Anomaly) for event in each.witness if is_denied(event)}
    found = [each.exchange for each in run.completed if is_denied(each.event)]
    return [each.exchange for each in run.completed if each.event in named] or found[:1]


def denied_alone(resource: SetResource, fresh_image: FreshImage, denials: Denials) -> bool:
    """Return whether a client that is alone is denied a deletion as well, and others not."""
    denied: list[Exchange] = []
    acknowledged = 0
    with fresh_image() as image:
        for _ in range(max(ALONE - denials.acknowledged, AT_LEAST)):
            value = uuid.uuid4().hex
            try:
                added = image.client.ask(resource.add(image.id, value))
                deleted = image.client.ask(resource.delete(image.id, value))
            except Blocked:
                continue
            if deleted.status in GONE:
                denied.append(deleted.exchange)
            acknowledged += deleted.ok
            if not added.ok or (denied and acknowledged) or len(denied) >= OFTEN:
                break
    if not denied or not acknowledged:
        return False
    denials.let_pass(denied)
    return True
