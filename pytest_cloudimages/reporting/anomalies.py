"""A witness as data, and back: what conformance.json keeps of a history that no order explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.history.events import Anomaly, Category, Event
from pytest_cloudimages.history.operations import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_data(anomaly: Anomaly) -> dict[str, Any]:
    """Return an anomaly as JSON data; its times begin with the first request of the witness."""
    begun = min((event.sent for event in anomaly.witness), default=0.0)
    places = [place for place, event in enumerate(anomaly.witness) if event == anomaly.impossible]
    return {
        "category": str(anomaly.category),
        "image": anomaly.image,
        "tag": anomaly.value,
        "about": [*anomaly.about],
        "text": anomaly.text,
        "impossible": places[0] if places else None,
        "events": [
            {
                "kind": str(event.kind),
                "client": event.client,
                "sent": round(event.sent - begun, 6),
                "answered": None if event.answered is None else round(event.answered - begun, 6),
                "status": event.status,
                "tag": "" if event.kind is Kind.SET else event.value,
                "tags": None if event.values is None else [*event.values],
                "name": event.value if event.kind is Kind.SET else event.shown,
            }
            for event in anomaly.witness
        ],
    }


def from_json(data: Mapping[str, Any]) -> Anomaly:
    """Return an anomaly from its JSON data."""
    events = tuple(
        Event(
            kind=Kind(event["kind"]),
            image=data["image"],
            client=event["client"],
            sent=event["sent"],
            answered=event["answered"],
            status=event["status"],
            value=event["name"] if event["kind"] == Kind.SET else event["tag"],
            values=None if event["tags"] is None else tuple(event["tags"]),
            shown=None if event["kind"] == Kind.SET else event["name"],
        )
        for event in data["events"]
    )
    place = data["impossible"]
    return Anomaly(
        category=Category(data["category"]),
        image=data["image"],
        value=data["tag"],
        witness=events,
        text=data["text"],
        impossible=None if place is None else events[place],
        about=tuple(data["about"]),
    )
