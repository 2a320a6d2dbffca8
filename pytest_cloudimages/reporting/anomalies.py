"""A witness as data, and back: what conformance.json keeps of a history that no order explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.history.events import Anomaly, Category, Event
from pytest_cloudimages.history.operations import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_data(anomaly: Anomaly) -> dict[str, Any]:
    """Give an anomaly as JSON data; its times begin with the first request of the witness."""
    begun = min((one.sent for one in anomaly.witness), default=0.0)
    places = [place for place, one in enumerate(anomaly.witness) if one == anomaly.impossible]
    return {
        "category": str(anomaly.category),
        "image": anomaly.image,
        "tag": anomaly.value,
        "about": [*anomaly.about],
        "text": anomaly.text,
        "impossible": places[0] if places else None,
        "events": [
            {
                "kind": str(one.kind),
                "client": one.client,
                "sent": round(one.sent - begun, 6),
                "answered": None if one.answered is None else round(one.answered - begun, 6),
                "status": one.status,
                "tag": "" if one.kind is Kind.SET else one.value,
                "tags": None if one.values is None else [*one.values],
                "name": one.value if one.kind is Kind.SET else one.shown,
            }
            for one in anomaly.witness
        ],
    }


def from_json(data: Mapping[str, Any]) -> Anomaly:
    """Read an anomaly from its JSON data."""
    events = tuple(
        Event(
            kind=Kind(one["kind"]),
            image=data["image"],
            client=one["client"],
            sent=one["sent"],
            answered=one["answered"],
            status=one["status"],
            value=one["name"] if one["kind"] == Kind.SET else one["tag"],
            values=None if one["tags"] is None else tuple(one["tags"]),
            shown=None if one["kind"] == Kind.SET else one["name"],
        )
        for one in data["events"]
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
