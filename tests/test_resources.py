"""What an area says of its set: which requests, how values are read, and what each status means."""

from __future__ import annotations

import json

import pytest

from pytest_cloudimages.areas.members.resource import AT_ONCE, MEMBERS
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Request
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.events import Category, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import NAME, Effect, SetResource
from pytest_cloudimages.history.steps import Prior, Step


def answered(status: int, data: object = None) -> Answer:
    """Return an answer with JSON."""
    body = b"" if data is None else json.dumps(data).encode()
    return Answer(status, {}, body, b"", Exchange("GET", "/", (), b"", status, (), body, b"", 0.0, 0.0))


@pytest.mark.parametrize(
    ("resource", "kind", "status", "effect"),
    [
        (TAGS, Kind.ADD, 204, Effect.MADE_PRESENT),
        (TAGS, Kind.ADD, 409, Effect.NOTHING_DONE),
        (TAGS, Kind.ADD, 404, Effect.NOTHING_DONE),
        (TAGS, Kind.DELETE, 204, Effect.MADE_ABSENT),
        (TAGS, Kind.DELETE, 404, Effect.WAS_ABSENT),
        (TAGS, Kind.DELETE, 413, Effect.NOTHING_DONE),
        (MEMBERS, Kind.ADD, 200, Effect.MADE_PRESENT),
        (MEMBERS, Kind.ADD, 409, Effect.WAS_PRESENT),
        (AT_ONCE, Kind.ADD, 409, Effect.NOTHING_DONE),
        (MEMBERS, Kind.ADD, 403, Effect.NOTHING_DONE),
        (MEMBERS, Kind.DELETE, 404, Effect.WAS_ABSENT),
        *(
            (resource, kind, status, Effect.UNKNOWN)
            for resource in (TAGS, MEMBERS)
            for kind in (Kind.ADD, Kind.DELETE)
            for status in (0, 302, 500, 503)
        ),
    ],
)
def test_a_status_says_what_became_of_a_value(resource: SetResource, kind: Kind, status: int, effect: Effect) -> None:
    """The status itself goes before its class; whatever is in neither says nothing."""
    assert resource.effect(kind, status) is effect


def test_a_value_is_percent_encoded_in_a_target() -> None:
    """And as it is in a body."""
    assert TAGS.add("i", "a/ö").target == "/images/i/tags/a%2F%C3%B6"
    assert MEMBERS.delete("i", "a/ö").target == "/images/i/members/a%2F%C3%B6"
    assert MEMBERS.add("i", "a/ö") == Request("POST", "/images/i/members", json={"member": "a/ö"})


@pytest.mark.parametrize(
    ("resource", "status", "data", "values"),
    [
        (TAGS, 200, {"tags": ["b", "a", "b"]}, ("b", "a", "b")),
        (TAGS, 200, {"tags": ["a", 1]}, None),
        (TAGS, 200, {}, None),
        (TAGS, 404, {"tags": []}, None),
        (MEMBERS, 200, {"members": [{"member_id": "b"}, {"member_id": "a"}]}, ("b", "a")),
        (MEMBERS, 200, {"members": []}, ()),
        (MEMBERS, 200, {"members": [{"status": "pending"}]}, None),
        (MEMBERS, 200, {"members": ["a"]}, None),
        (MEMBERS, 200, ["a"], None),
        (MEMBERS, 403, {"members": []}, None),
    ],
)
def test_values_are_read_out_of_an_answer(
    resource: SetResource, status: int, data: object, values: tuple[str, ...] | None
) -> None:
    """In the order shown; what is no list of values shows none."""
    assert resource.values(answered(status, data)) == values


def test_the_name_of_an_image_is_a_register() -> None:
    """One PATCH sets it, and the image shows it."""
    assert NAME.set("i", "new").json == [{"op": "replace", "path": "/name", "value": "new"}]
    assert NAME.value(answered(200, {"name": "old"})) == "old"
    assert NAME.value(answered(200, {"name": None})) is None


@pytest.mark.parametrize(("resource", "found"), [(MEMBERS, [Category.LOST_ADDITION]), (TAGS, [])])
def test_a_conflict_says_that_a_member_is_there(resource: SetResource, found: list[Category]) -> None:
    """A reader that does not find it afterwards has lost it; of a tag, a 409 says no more than a refusal."""
    events = (
        Event(Kind.ADD, 0, 1, 0, 1, 200, "a"),
        Event(Kind.DELETE, 0, 1, 2, 9, 204, "a"),
        Event(Kind.ADD, 0, 2, 3, 4, 200, "a"),
        Event(Kind.ADD, 0, 2, 10, 11, 409, "a"),
        Event(Kind.READ, 0, 2, 12, 13, 200, values=()),
    )

    assert [anomaly.category for anomaly in check(ConcurrentHistory(events, {}), resource)] == found


def test_a_step_speaks_of_what_its_resource_holds() -> None:
    """In the words of a finding."""
    step = Step(Operation(Kind.ADD, "a"), answered(200), (), ("b",), Prior.NEVER, False, (), MEMBERS, inferred=False)

    with pytest.raises(AssertionError, match="members after add 'a' → 200: expected \\['a'\\]"):
        step.expect(after={"a"})
