"""What the suite's checks expect, beyond what is equal: classes of answers, parts of lists, two specifications."""

from collections.abc import Callable
from typing import Any

import pytest

import pytest_cloudimages
from pytest_cloudimages.areas.common.checks import (
    A_CHALLENGE,
    A_DATE,
    A_DATE_OR_SECONDS,
    is_of_another_zone,
    moment,
    or_skip,
    repeated,
)
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.moments import is_before, went_back
from pytest_cloudimages.engine.recording import CheckRecord, collect
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.oracles import expect_exact_effect, expect_others_kept
from pytest_cloudimages.history.steps import Prior, Step
from pytest_cloudimages.spec.interpretations import expect_interpreted
from pytest_cloudimages.spec.mismatch import (
    SOMETHING,
    Allowed,
    Mismatch,
    anything_but,
    expect,
    expect_among,
    expect_none_of,
)
from pytest_cloudimages.spec.statuses import NOT_OK, NOT_REDIRECTED, OK, REFUSED


def step_of(status: int, before: tuple[str, ...], after: tuple[str, ...]) -> Step:
    """Return the addition of 'a'."""
    exchange = Exchange("PUT", "/a", (), b"", status, (), b"", b"", 0.0, 0.0)
    answer = Answer(status, {}, b"", b"", exchange)
    return Step(Operation(Kind.ADD, "a"), answer, before, after, Prior.NEVER, False, (), TAGS, inferred=False)


def mismatch_of(check: Callable[[], None]) -> Mismatch | None:
    """Return what a check raises; ``None`` where it finds nothing."""
    try:
        check()
    except Mismatch as mismatch:
        return mismatch
    return None


@pytest.mark.parametrize(
    ("allowed", "fitting", "others", "words"),
    [
        (OK, (200, 204, 299), (0, 199, 300, 404, None), "2xx"),
        (REFUSED, (400, 499), (0, 204, 500), "4xx"),
        (OK | REFUSED, (204, 404), (0, 301, 500), "2xx or 4xx"),
        (NOT_OK, (0, 301, 404, 500), (200, 299), "anything but 2xx"),
        (NOT_REDIRECTED, (0, 204, 404), (301, 308), "anything but 3xx"),
        (anything_but(0, 414), (204, 400), (0, 414), "anything but 0, 414"),
        (SOMETHING, ("a", b"a"), ("", b"", None), "something"),
        (
            A_DATE,
            ("Sun, 06 Nov 1994 08:49:37 GMT",),
            ("", None, "Sun, 06 Nov 1994 08:49:37", "Sun, 66 Nov 1994 08:49:37 GMT"),
            "a date as HTTP writes it",
        ),
        (A_DATE_OR_SECONDS, ("5", "Sun, 06 Nov 1994 08:49:37 GMT"), ("", "-5", "soon", None), "a number of seconds"),
        (A_CHALLENGE, ('Keystone uri="x"', "Bearer"), ("", None, "=x"), "a challenge"),
    ],
    ids=str,
)
def test_what_is_allowed_may_come(
    allowed: Allowed, fitting: tuple[object, ...], others: tuple[object, ...], words: str
) -> None:
    """And nothing else; the message and the data say in words what that is."""
    for value in fitting:
        expect(value, allowed, "thing")
    for value in others:
        mismatch = mismatch_of(lambda value=value: expect(value, allowed, "thing"))  # type: ignore[misc]
        assert mismatch is not None, value
        assert str(mismatch).startswith(f"thing: expected {words}")
        assert mismatch.as_data()["expected"] == str(allowed)


def test_a_value_may_be_anything_of_json() -> None:
    """Also what has no hash is one of the values that may come, or it is not."""
    mismatch = mismatch_of(lambda: expect({"a": 1}, {"pending", "success"}, "status"))

    assert str(mismatch) == "status: expected 'pending' or 'success', came {'a': 1}"


@pytest.mark.parametrize(
    ("minutes", "another"),
    [
        (0, False),
        (7, False),
        (-25, False),
        (40, False),
        (60, True),
        (-300, True),
        (345, True),
        (367, False),
        (1e6, True),
    ],
)
def test_a_clock_is_told_from_a_zone(minutes: float, *, another: bool) -> None:
    """Zones are quarters of an hour from UTC, an hour at least; clocks differ by whatever it is."""
    assert is_of_another_zone(minutes * 60 + 3) is another


@pytest.mark.parametrize(
    ("first", "second", "before"),
    [
        ("2026-11-27T10:00:00Z", "2026-11-27T10:00:01Z", True),
        ("2026-11-27T10:00:00.4Z", "2026-11-27T10:00:00.5Z", True),
        ("2026-11-27T10:00:00Z", "2026-11-27T10:00:00.5Z", False),
        ("2026-11-27T10:00:00.7Z", "2026-11-27T10:00:01Z", False),
        ("2026-11-27T10:00:01Z", "2026-11-27T10:00:00Z", False),
    ],
)
def test_a_moment_may_be_written_without_its_fraction(first: str, second: str, *, before: bool) -> None:
    """What it is written without, or rounded to, makes no other moment of it."""
    moments = moment(first), moment(second)
    assert moments[0]
    assert moments[1]

    assert is_before(moments[0], moments[1]) is before


@pytest.mark.parametrize(
    ("then", "back"),
    [("2026-11-27T10:00:06Z", False), ("2026-11-27T10:00:05Z", True), ("2026-11-27T10:00:06.9Z", False)],
)
def test_time_goes_back_by_more_than_clocks_differ(then: str, back: bool) -> None:
    """Two whole seconds in a row are what two nodes may call one moment."""
    moments = [moment(each) for each in ("2026-11-27T10:00:07Z", then)]
    assert moments[0]
    assert moments[1]

    assert went_back(moments[0], moments[1]) is back


def test_what_is_wanted_has_to_be_among_what_came() -> None:
    """What is missing of it is told, whatever else came."""
    expect_among(["a", "b"], ["b"], "tags")
    mismatch = mismatch_of(lambda: expect_among(["a", "x"], ["a", "b"], "tags"))

    assert str(mismatch) == "tags: expected ['a', 'b'] among them, came ['a', 'x']; missing ['b']"


def test_what_is_unwanted_may_not_be_among_what_came() -> None:
    """What there is of it is told."""
    expect_none_of(["a"], ["b"], "tags")
    mismatch = mismatch_of(lambda: expect_none_of(["a", "b"], ["b", "c"], "tags"))

    assert str(mismatch) == "tags: expected none of ['b', 'c'], came ['a', 'b']; unexpected ['b']"


class Untold:
    """What nobody may put into words."""

    def __str__(self) -> str:
        raise AssertionError("It is told although all is well.")


def test_what_is_as_expected_is_not_put_into_words() -> None:
    """Messages are as they were written out: the words, and what they are about."""
    for compare, wanted in ((expect, [1]), (expect_among, [1]), (expect_none_of, [2])):
        compare([1], wanted, "numbers of", Untold())
    told = mismatch_of(lambda: expect(1, 2, "status of", lambda: "a request", before=lambda: ["b"]))

    assert told is not None
    assert (str(told), told.before) == ("status of a request: expected 2, came 1", ["b"])


@pytest.mark.parametrize(
    ("came", "expected", "fine"),
    [
        (["a", "b"], {"b", "a"}, True),
        (["a", "a"], {"a"}, False),
        (("a",), ["a"], True),
        (["a"], frozenset({"a", "b"}), False),
        ([{"a": 1}], {"a"}, False),
        ([], set(), True),
        ({"a"}, {"a"}, True),
        (404, {403, 404}, True),
        (None, {404}, False),
        ([], {404}, False),
        ({"a": 1}, {"a": 1}, True),
        ("a", ["a"], False),
        (True, 1, True),
    ],
)
def test_what_fits(came: object, expected: object, *, fine: bool) -> None:
    """A set is held by a collection whole, and once; a value is one of it."""
    assert (mismatch_of(lambda: expect(came, expected, "thing")) is None) is fine


def test_evidence_that_takes_requests_is_asked_for_where_it_is_shown() -> None:
    """A callable is called for a finding, and never otherwise."""
    asked: list[str] = []

    def limit() -> str:
        asked.append("limit")
        return "octets"

    expect(1, 1, "thing", limit=limit)
    assert asked == []
    assert str(mismatch_of(lambda: expect(1, 2, "thing", limit=limit))).endswith("; limit: octets")


@pytest.mark.parametrize(
    ("status", "specification", "told"),
    [
        (204, "cloud-images", None),
        (400, "glance", None),
        (
            400,
            "cloud-images",
            "status: expected 2xx, came 400; reading: meets Glance's reference, not the vendor's page",
        ),
        (204, "glance", "status: expected 400, came 204; reading: meets the vendor's page, not Glance's reference"),
        (500, "glance", "status: expected 400, came 500"),
    ],
)
def test_the_specification_that_was_chosen_judges(status: int, specification: str, told: str | None) -> None:
    """And a finding says whether the other one is met."""
    mismatch = mismatch_of(lambda: expect_interpreted(specification, status, "status", cloud_images=OK, glance=400))

    assert (None if mismatch is None else str(mismatch)) == told


@pytest.mark.parametrize(
    ("expected", "before", "after", "fine"),
    [
        ({"present": True}, ("b",), ("b", "a"), True),
        ({"present": True}, ("b",), ("b",), False),
        ({"present": False}, ("b",), ("b",), True),
        ({"present": False}, ("b",), ("b", "a"), False),
        ({"count": 1}, ("a",), ("a", "b"), True),
        ({"count": 1}, ("a",), ("a", "a"), False),
        ({"count": 1}, ("a",), ("b",), False),
        ({"status": OK}, (), (), True),
        ({"status": REFUSED}, (), (), False),
    ],
)
def test_a_step_says_what_became_of_its_value(
    expected: dict[str, Any], before: tuple[str, ...], after: tuple[str, ...], *, fine: bool
) -> None:
    """Whether it is there, how often, and by which class of answer."""
    assert (mismatch_of(lambda: step_of(204, before, after).expect(**expected)) is None) is fine


@pytest.mark.parametrize(
    ("status", "before", "after", "missing", "unexpected"),
    [
        (204, ("b",), ("a", "b"), [], []),
        (204, ("b",), ("a",), ["b"], []),
        (204, ("b",), ("a", "b", "x"), [], ["x"]),
        (204, ("b",), ("a", "b", "b"), [], ["b"]),
        (204, ("b",), ("b", "A"), [], []),  # altered, and so in the place of the added one
        (400, ("b",), ("b", "x"), [], ["x"]),
    ],
)
def test_other_values_are_kept(
    status: int, before: tuple[str, ...], after: tuple[str, ...], missing: list[str], unexpected: list[str]
) -> None:
    """Those that are missing and those that came are told as data."""
    mismatch = mismatch_of(lambda: expect_others_kept(step_of(status, before, after)))

    assert (mismatch is None) is (not missing and not unexpected)
    if mismatch:
        assert (mismatch.missing, mismatch.unexpected) == (missing, unexpected)


@pytest.mark.parametrize(
    ("status", "before", "after", "fine"),
    [
        (204, ("b",), ("a", "b"), True),
        (204, ("b",), ("b",), False),
        (204, ("b",), ("a",), False),
        (400, ("b",), ("b",), True),
        (400, ("b",), ("a", "b"), False),
        (500, ("b",), ("b",), False),
        (0, ("b",), ("a", "b"), False),
    ],
)
def test_an_answer_and_its_effect_agree(
    status: int, before: tuple[str, ...], after: tuple[str, ...], *, fine: bool
) -> None:
    """Acknowledged and done, or refused and nothing done; an answer that says neither is a finding."""
    assert (mismatch_of(lambda: expect_exact_effect(step_of(status, before, after))) is None) is fine


def test_a_check_without_a_thing_to_look_at_is_skipped() -> None:
    """For the reason that is given, and not where there is one."""
    assert [*or_skip([1, 2], "nothing came")] == [1, 2]
    with pytest.raises(pytest.skip.Exception, match="nothing came"):
        [*or_skip([], "nothing came")]


def test_what_is_there_twice_is_told_once() -> None:
    """However often it is there."""
    assert repeated(["b", "a", "b", "a", "b", "c"]) == ["a", "b"]


def test_the_front_door_notes_for_the_check_that_runs() -> None:
    """What is observed where nothing is required."""
    record = CheckRecord()
    collect(record)
    try:
        pytest_cloudimages.note("seen")
    finally:
        collect(None)

    assert record.notes == ["seen"]
