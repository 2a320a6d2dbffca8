"""The set that acknowledged operations leave, and what is read off an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_cloudimages.areas.tags.plans import plan_of_a_life, plan_of_pairs
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.session import Answer
from pytest_cloudimages.history.model import Model, settled
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.steps import Prior, Reading, Step, UnreproducedMismatch

EXCHANGE = Exchange("GET", "/", (), b"", 200, (), b"", b"", 0.0, 0.0)


def answered(status: int, body: bytes = b"") -> Answer:
    """Make an answer."""
    return Answer(status, {}, body, b"", replace(EXCHANGE, status=status, answer=body))


# The model


@pytest.mark.parametrize(
    ("before", "operation", "status", "after"),
    [
        ({"b"}, Operation(Kind.ADD, "a"), 204, {"a", "b"}),
        ({"a"}, Operation(Kind.ADD, "a"), 204, {"a"}),
        ({"a", "b"}, Operation(Kind.DELETE, "a"), 204, {"b"}),
        ({"b"}, Operation(Kind.DELETE, "a"), 204, {"b"}),
        ({"b"}, Operation(Kind.ADD, "a"), 400, {"b"}),
        ({"a"}, Operation(Kind.DELETE, "a"), 404, {"a"}),
        ({"a"}, Operation(Kind.DELETE, "a"), 500, {"a"}),
        ({"a"}, Operation(Kind.DELETE, "a"), 0, {"a"}),
        ({"a"}, READ, 200, {"a"}),
        ({"é"}, Operation(Kind.ADD, "e\u0301"), 201, {"é", "e\u0301"}),
    ],
)
def test_an_acknowledged_operation_changes_the_set(
    before: set[str], operation: Operation, status: int, after: set[str]
) -> None:
    """And nothing else does."""
    model = Model({*before})
    model.apply(operation, answered(status))

    assert model.tags == after


def test_a_tag_has_a_past() -> None:
    """Never there, there, deleted, there again, deleted again."""
    model = Model()
    told = [model.past("a")]
    for kind in (Kind.ADD, Kind.DELETE, Kind.ADD, Kind.DELETE):
        model.apply(Operation(kind, "a"), answered(204))
        told.append(model.past("a"))

    assert told == [Prior.NEVER, Prior.CARRIED, Prior.DELETED, Prior.CARRIED, Prior.DELETED]


@pytest.mark.parametrize(
    ("seen", "operation", "past"),
    [
        (["b", "b"], READ, Prior.DELETED),
        (["a"], Operation(Kind.DELETE, "a"), Prior.CARRIED),
        ([], Operation(Kind.ADD, "a"), Prior.DELETED),
    ],
)
def test_what_was_seen_is_believed(seen: list[str], operation: Operation, past: Prior) -> None:
    """The model goes on from it; a tag that a deletion left in its place has not been deleted."""
    model = Model({"a"}, {"a"})
    model.saw(seen, operation)

    assert (model.tags, model.past("a")) == ({*seen}, past)


def test_a_tag_that_outlives_its_deletion_has_one_life() -> None:
    """It was never gone, so that its next deletion is not that of a second life."""
    model = Model()
    for kind in (Kind.ADD, Kind.DELETE):
        model.apply(Operation(kind, "a"), answered(204))
    model.saw(["a"], Operation(Kind.DELETE, "a"))

    assert "a" not in model.deleted


@pytest.mark.parametrize(
    ("tags", "expected", "fine"),
    [
        ((), [], True),
        (("b", "a"), ["a", "b"], True),
        (("a", "a"), ["a"], False),
        (("a",), ["a", "b"], False),
        (("a", "b"), ["a"], False),
        (("A",), ["a"], False),
        (None, [], False),
    ],
)
def test_tags_are_settled(tags: tuple[str, ...] | None, expected: list[str], fine: bool) -> None:
    """When each expected one is there once, in whatever order, and no other."""
    assert settled(tags, expected) == fine


# Readings


@pytest.mark.parametrize(
    ("status", "body", "tags", "rest"),
    [
        (200, b'{"tags": ["b", "a"], "name": "n", "updated_at": "now"}', ("b", "a"), {"name": "n"}),
        (200, b'{"tags": []}', (), {}),
        (200, b'{"tags": "ab"}', None, {}),
        (200, b'{"tags": [1]}', None, {}),
        (200, b'{"tags": null}', None, {}),
        (200, b"{}", None, {}),
        (200, b"[]", None, None),
        (200, b"<html>", None, None),
        (200, b"\xff", None, None),
        (404, b'{"tags": []}', None, None),
        (0, b"", None, None),
    ],
)
def test_a_reading_shows_what_the_service_showed(
    status: int, body: bytes, tags: tuple[str, ...] | None, rest: dict[str, Any] | None
) -> None:
    """What is no list of strings is no list of tags; what a tag operation may change is left out of the rest."""
    reading = Reading(answered(status, body))

    assert (reading.tags, reading.rest) == (tags, rest)


# What is told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [(("b", "a"), (), "['a', 'b'] became []"), (None, ("é",), "unreadable became ['\\xe9']")],
)
def test_a_step_is_told_in_a_line(before: tuple[str, ...] | None, after: tuple[str, ...], told: str) -> None:
    """What was asked, what was answered, what became of the tags."""
    step = Step(Operation(Kind.DELETE, "a"), answered(204), before, after, Prior.CARRIED, False, (), inferred=False)

    assert repr(step) == f"delete 'a' → 204: {told}"
    assert step.known == (before is not None)


def test_the_exchanges_of_a_step_are_in_the_order_sent() -> None:
    """Whichever of them was the operation."""
    first, second, third = (answered(204 + number) for number in range(3))
    for number, one in enumerate((first, second, third)):
        object.__setattr__(one.exchange, "sent", float(number))
    step = Step(READ, second, (), (), Prior.NEVER, False, (Reading(first), Reading(third)), inferred=False)

    assert [one.status for one in step.exchanges] == [204, 205, 206]


def test_a_contradiction_names_what_differs() -> None:
    """Lost, extra, and twice."""
    told = str(UnreproducedMismatch(0, frozenset({"a", "b"}), ("b", "b", "ç"), (EXCHANGE,)))

    assert told == "after 1 exchanges the tags are not those acknowledged: lost ['a'], extra ['\\xe7'], twice ['b']"


# Plans


def carried(plan: list[Operation]) -> list[tuple[set[str], set[str]]]:
    """Give the tags of both images at each reading, as an honest service has them."""
    images: list[set[str]] = [set(), set()]
    seen = []
    for one in plan:
        if one.kind is Kind.ADD:
            images[one.image].add(one.tag)
        elif one.kind is Kind.DELETE:
            images[one.image].discard(one.tag)
        else:
            seen.append(({*images[0]}, {*images[1]}))
    return seen


def test_a_life_is_whole() -> None:
    """Tags are added, repeated, some thrice; half are deleted and missed, some of these live twice; then the rest go."""
    plan = plan_of_a_life([("a", "x"), ("b", "y"), ("c", "x")], neighbours=2)
    everything, half = {"a", "b", "c"}, {"b"}

    standing = {"a", "b"}
    assert carried(plan) == [
        (tags, standing) for tags in ({*()}, everything, everything, everything, half, half, {"a", "b"}, half, {*()})
    ]
    assert {(one.tag, one.sort) for one in plan if one.kind is not Kind.READ} == {("a", "x"), ("b", "y"), ("c", "x")}


def test_pairs_are_added_and_deleted_one_after_the_other() -> None:
    """Both are there at once, and each is there without the other."""
    plan = plan_of_pairs([("case", ("A", "a")), ("form", ("é", "e\u0301"))])

    assert [tags for tags, _ in carried(plan)] == [
        {"A", "é"},
        {"A", "é"},
        {"A", "a", "é", "e\u0301"},
        {"a", "e\u0301"},
        {*()},
    ]
