"""The set that acknowledged operations leave, and what is read off an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_cloudimages.areas.tags.plans import plan_of_pairs
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.history.model import SetModel, exactly
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.sequential_plans import full_cycle
from pytest_cloudimages.history.steps import Prior, Reading, Step, UnreproducedMismatch
from pytest_cloudimages.spec.mismatch import Mismatch, expect
from pytest_cloudimages.spec.verdicts import Blocked

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
    model = SetModel(TAGS, {*before})
    model.apply(operation, answered(status))

    assert model.values == after


def test_a_tag_has_a_past() -> None:
    """Never there, there, deleted, there again, deleted again."""
    model = SetModel(TAGS)
    told = [model.prior("a")]
    for kind in (Kind.ADD, Kind.DELETE, Kind.ADD, Kind.DELETE):
        model.apply(Operation(kind, "a"), answered(204))
        told.append(model.prior("a"))

    assert told == [Prior.NEVER, Prior.PRESENT, Prior.DELETED, Prior.PRESENT, Prior.DELETED]


@pytest.mark.parametrize(
    ("seen", "operation", "past"),
    [
        (["b", "b"], READ, Prior.DELETED),
        (["a"], Operation(Kind.DELETE, "a"), Prior.PRESENT),
        ([], Operation(Kind.ADD, "a"), Prior.DELETED),
    ],
)
def test_what_was_seen_is_believed(seen: list[str], operation: Operation, past: Prior) -> None:
    """The model goes on from it; a tag that a deletion left in its place has not been deleted."""
    model = SetModel(TAGS, {"a"}, {"a"})
    model.saw(seen, operation)

    assert (model.values, model.prior("a")) == ({*seen}, past)


def test_a_tag_that_outlives_its_deletion_has_one_life() -> None:
    """It was never gone, so that its next deletion is not that of a second life."""
    model = SetModel(TAGS)
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
def test_tags_are_exactly_those(tags: tuple[str, ...] | None, expected: list[str], fine: bool) -> None:
    """When each expected one is there once, in whatever order, and no other."""
    assert exactly(tags, expected) == fine


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
    reading = Reading(answered(status, body), TAGS)

    assert (reading.values, reading.rest) == (tags, rest)


# What is told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [(("b", "a"), (), "['a', 'b'] became []"), (None, ("é",), "unreadable became ['\\xe9']")],
)
def test_a_step_is_told_in_a_line(before: tuple[str, ...] | None, after: tuple[str, ...], told: str) -> None:
    """What was asked, what was answered, what became of the tags."""
    step = Step(
        Operation(Kind.DELETE, "a"), answered(204), before, after, Prior.PRESENT, False, (), TAGS, inferred=False
    )

    assert repr(step) == f"delete 'a' → 204: {told}"
    assert step.known == (before is not None)


# What is expected of a step


def step_of(status: int, before: tuple[str, ...], after: tuple[str, ...] | None) -> Step:
    """Make the addition of 'a'."""
    return Step(Operation(Kind.ADD, "a"), answered(status), before, after, Prior.NEVER, False, (), TAGS, inferred=False)


def test_a_step_that_did_as_expected_raises_nothing() -> None:
    """Whatever the order of the tags, and whichever of several codes the answer has."""
    step = step_of(204, ("c", "b"), ("b", "a", "c"))

    step.expect(after={"a", "b", "c"}, status={204, 201})
    step.expect(after=["c", "a", "b"], status=204)


@pytest.mark.parametrize(
    ("before", "after", "missing", "unexpected", "words"),
    [
        (("b",), ("a",), ["b"], [], "expected ['a', 'b'], came ['a']; missing ['b']"),
        (("b",), ("a", "b", "x"), [], ["x"], "expected ['a', 'b'], came ['a', 'b', 'x']; unexpected ['x']"),
        (("b",), ("b", "a", "a"), [], ["a"], "expected ['a', 'b'], came ['a', 'a', 'b']; unexpected ['a']"),
        (
            ("é",),
            ("a", "e\u0301"),
            ["é"],
            ["e\u0301"],
            "expected ['a', '\\xe9'], came ['a', 'e\\u0301']; missing ['\\xe9']; unexpected ['e\\u0301']",
        ),
    ],
)
def test_tags_that_are_not_as_expected_are_told_as_data(
    before: tuple[str, ...], after: tuple[str, ...], missing: list[str], unexpected: list[str], words: str
) -> None:
    """One tag too few, one too many, one twice, and one that only looks the same."""
    step = step_of(204, before, after)

    with pytest.raises(Mismatch) as caught:
        step.expect(after={*before, step.tag})

    assert str(caught.value) == f"tags after add 'a' → 204: {words}"
    expected = {
        "what": "tags after add 'a' → 204",
        "before": [*before],
        "expected": sorted({*before, "a"}),
        "actual": sorted(after),
    }
    lists = {"missing": missing, "unexpected": unexpected}
    assert caught.value.as_data() == expected | {name: tags for name, tags in lists.items() if tags}


@pytest.mark.parametrize(
    ("status", "allowed", "words"),
    [(404, {204, 201}, "expected 201 or 204, came 404"), (0, 204, "expected 204, came nothing")],
)
def test_a_status_that_is_not_as_expected_is_told_as_data(status: int, allowed: int | set[int], words: str) -> None:
    """All that are allowed, and the one that came."""
    with pytest.raises(Mismatch) as caught:
        step_of(status, (), ()).expect(status=allowed)

    assert str(caught.value) == f"status of add 'a': {words}"
    assert caught.value.as_data()["actual"] == (status or None)


def test_tags_that_could_not_be_read_are_no_departure() -> None:
    """What nobody saw cannot be held against the service."""
    with pytest.raises(Blocked, match="could not be read"):
        step_of(204, (), None).expect(after={"a"})


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (["b", "a"], {"a", "b"}, ""),
        (("a", "b"), ["a", "b"], ""),
        (["b", "a"], ["a", "b"], "expected ['a', 'b'], came ['b', 'a']"),
        (["a", "a"], {"a"}, "expected ['a'], came ['a', 'a']; unexpected ['a']"),
        (404, {404, 403}, ""),
        ("ab", {"a", "b"}, "expected 'a' or 'b', came 'ab'"),
        (None, "close", "expected 'close', came nothing"),
        ([{"a": 1}], [{"a": 2}], "expected [{'a': 2}], came [{'a': 1}]; missing [{'a': 2}]; unexpected [{'a': 1}]"),
        ({"a": 1}, {"a": 1}, ""),
        (1, 2, "expected 2, came 1"),
    ],
)
def test_a_thing_is_compared_as_what_it_is(actual: object, expected: object, words: str) -> None:
    """A set says what may be there, a list in what order, anything else is equal or is not."""
    try:
        expect(actual, expected, "thing", answer="PUT /")
    except Mismatch as mismatch:
        assert str(mismatch) == f"thing: {words}; answer: PUT /"
    else:
        assert not words


def test_the_exchanges_of_a_step_are_in_the_order_sent() -> None:
    """Whichever of them was the operation."""
    first, second, third = (answered(204 + number) for number in range(3))
    for number, answer in enumerate((first, second, third)):
        object.__setattr__(answer.exchange, "sent", float(number))
    step = Step(
        READ, second, (), (), Prior.NEVER, False, (Reading(first, TAGS), Reading(third, TAGS)), TAGS, inferred=False
    )

    assert [exchange.status for exchange in step.exchanges] == [204, 205, 206]


def test_a_contradiction_names_what_differs() -> None:
    """Lost, extra, and twice."""
    told = str(UnreproducedMismatch(0, frozenset({"a", "b"}), ("b", "b", "ç"), (EXCHANGE,), "tag"))

    assert told == "after 1 exchanges the tags are not those acknowledged: lost ['a'], extra ['\\xe7'], twice ['b']"


# Plans


def carried(plan: list[Operation]) -> list[tuple[set[str], set[str]]]:
    """Return the tags of both images at each reading, as an honest service has them."""
    images: list[set[str]] = [set(), set()]
    seen = []
    for operation in plan:
        if operation.kind is Kind.ADD:
            images[operation.image].add(operation.value)
        elif operation.kind is Kind.DELETE:
            images[operation.image].discard(operation.value)
        else:
            seen.append(({*images[0]}, {*images[1]}))
    return seen


def test_a_life_is_whole() -> None:
    """Tags are added, repeated, some thrice; half are deleted and missed, some of these live twice; then the rest go."""
    plan = full_cycle([("a", "x"), ("b", "y"), ("c", "x")], on_another=2)
    everything, half = {"a", "b", "c"}, {"b"}

    standing = {"a", "b"}
    assert carried(plan) == [
        (tags, standing) for tags in ({*()}, everything, everything, half, half, {"a", "b"}, {*()})
    ]
    assert {(operation.value, operation.input_class) for operation in plan if operation.kind is not Kind.READ} == {
        ("a", "x"),
        ("b", "y"),
        ("c", "x"),
    }


def test_pairs_are_added_and_deleted_one_after_the_other() -> None:
    """Both are there at once, and each is there without the other."""
    plan = plan_of_pairs([("case", ("A", "a")), ("form", ("é", "e\u0301"))], whole=True)

    assert [tags for tags, _ in carried(plan)] == [
        {"A", "é"},
        {"A", "é"},
        {"A", "a", "é", "e\u0301"},
        {"a", "e\u0301"},
        {*()},
    ]
