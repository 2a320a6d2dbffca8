"""The rule that turns what happened into a word."""

from __future__ import annotations

import itertools

import hypothesis
import pytest
from hypothesis import strategies as st

from pytest_cloudimages.spec.requirements import Level, Provenance, Requirement
from pytest_cloudimages.spec.verdicts import Blocked, Flaky, Verdict, judge, leaves, worst

ORDER = ["pass", "untested", "noted", "advisory", "fail", "unstable", "blocked", "error"]
MISSED = {
    ("MUST", "documented"): "fail",
    ("MUST", "http"): "advisory",
    ("MUST", "de-facto"): "noted",
    ("MUST", "undefined"): "noted",
    ("SHOULD", "documented"): "advisory",
    ("SHOULD", "http"): "advisory",
    ("SHOULD", "de-facto"): "advisory",
    ("SHOULD", "undefined"): "noted",
    ("MAY", "documented"): "noted",
    ("MAY", "http"): "noted",
    ("MAY", "de-facto"): "noted",
    ("MAY", "undefined"): "noted",
}
THEIRS, GROUND, UNSTEADY, OURS = AssertionError("no"), Blocked("no ground"), Flaky("otherwise"), KeyError("bug")


def requirement(level: str, provenance: str) -> Requirement:
    """Make a requirement."""
    return Requirement("X-01", Level(level), Provenance(provenance), "x", "", "", "", "", "", "")


def test_the_verdicts_are_ordered() -> None:
    """From the best to the worst."""
    assert [str(verdict) for verdict in sorted(Verdict)] == ORDER


@pytest.mark.parametrize(("name", "other"), [*itertools.combinations(ORDER, 2)])
def test_the_worst_counts(name: str, other: str) -> None:
    """Of two verdicts, whatever their order."""
    better, worse = Verdict[name.upper()], Verdict[other.upper()]

    assert worst([better, worse]) is worst([worse, better]) is worse


def test_of_nothing_comes_untested() -> None:
    """A requirement without any verdict is untested."""
    assert worst([]) is Verdict.UNTESTED


@pytest.mark.parametrize("verdict", [*Verdict])
def test_a_finding_is_against_the_service(verdict: Verdict) -> None:
    """Advisory and fail are."""
    assert verdict.finding == (str(verdict) in ("advisory", "fail"))


@pytest.mark.parametrize(
    ("pair", "verdict"), [*MISSED.items()], ids=lambda value: "-".join(value) if len(value) == 2 else value
)
def test_a_departure_amounts_to(pair: tuple[str, str], verdict: str) -> None:
    """What the table of the specification says, for every level and provenance."""
    assert str(requirement(*pair).missed) == verdict


@pytest.mark.parametrize("pair", [*MISSED])
@pytest.mark.parametrize(
    ("phase", "error", "cases", "verdict"),
    [
        ("call", None, 1, "pass"),
        ("call", None, 0, "blocked"),
        ("setup", None, 0, "pass"),
        ("teardown", None, 0, "pass"),
        ("call", THEIRS, 1, "missed"),
        ("call", THEIRS, 0, "missed"),
        ("setup", THEIRS, 0, "blocked"),
        ("teardown", THEIRS, 1, "blocked"),
        ("setup", GROUND, 0, "blocked"),
        ("call", GROUND, 1, "blocked"),
        ("teardown", GROUND, 1, "blocked"),
        ("call", UNSTEADY, 1, "unstable"),
        ("setup", OURS, 0, "error"),
        ("call", OURS, 1, "error"),
        ("teardown", OURS, 1, "error"),
        ("call", ExceptionGroup("", [THEIRS, AssertionError("other")]), 1, "missed"),
        ("call", ExceptionGroup("", [THEIRS, GROUND]), 1, "missed"),
        ("setup", ExceptionGroup("", [THEIRS, GROUND]), 0, "blocked"),
        ("call", ExceptionGroup("", [THEIRS, UNSTEADY]), 1, "unstable"),
        ("call", ExceptionGroup("", [GROUND, UNSTEADY]), 1, "unstable"),
        ("call", ExceptionGroup("", [THEIRS, OURS]), 1, "error"),
        ("call", ExceptionGroup("", [GROUND, OURS]), 1, "error"),
        ("call", ExceptionGroup("", [ExceptionGroup("", [THEIRS]), ExceptionGroup("", [GROUND])]), 1, "missed"),
        ("call", ExceptionGroup("", [ExceptionGroup("", [OURS]), THEIRS]), 1, "error"),
    ],
)
def test_judgement(pair: tuple[str, str], phase: str, error: BaseException | None, cases: int, verdict: str) -> None:
    """An assertion of the call is theirs, a missing ground is blocked, anything else is ours."""
    missed = requirement(*pair).missed

    assert str(judge(missed, phase, error, cases=cases)) == (str(missed) if verdict == "missed" else verdict)


@pytest.mark.parametrize(
    ("missed", "cases", "error", "verdict"),
    [
        (Verdict.NOTED, 1, None, "noted"),
        (Verdict.NOTED, 0, None, "blocked"),
        (Verdict.NOTED, 1, OURS, "error"),
        (Verdict.ADVISORY, 1, None, "pass"),
        (Verdict.FAIL, 1, THEIRS, "fail"),
    ],
)
def test_an_observation_is_noted(missed: Verdict, cases: int, error: BaseException | None, verdict: str) -> None:
    """Where nothing more than a note can come of it, what was observed is worth one; elsewhere it changes nothing."""
    assert str(judge(missed, "call", error, cases=cases, noted=True)) == verdict


def test_the_leaves_of_groups_are_found() -> None:
    """However deep they are."""
    assert [*leaves(ExceptionGroup("", [THEIRS, ExceptionGroup("", [GROUND, ExceptionGroup("", [OURS])])]))] == [
        THEIRS,
        GROUND,
        OURS,
    ]


def of_hypothesis(test: object) -> BaseException:
    """Return what Hypothesis raises for a property."""
    quiet = hypothesis.settings(database=None, deadline=None, derandomize=True, max_examples=20)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, that is the question
        quiet(test)()  # type: ignore[operator]
    return caught.value


def test_a_property_that_fails_but_once_is_unstable() -> None:
    """The same input was judged differently twice; that is nobody's departure."""
    calls = itertools.count()

    @hypothesis.given(st.just(1))
    def fails_once(number: int) -> None:
        assert next(calls) or number != 1

    assert judge(Verdict.FAIL, "call", of_hypothesis(fails_once), cases=1) is Verdict.UNSTABLE


def test_a_property_that_fails_in_two_ways_is_a_departure() -> None:
    """Hypothesis groups distinct failures; all of them are the service's."""

    @hypothesis.given(st.integers(0, 10))
    def fails_twice(number: int) -> None:
        assert number != 3
        assert number < 5

    assert judge(Verdict.FAIL, "call", of_hypothesis(fails_twice), cases=1) is Verdict.FAIL


def test_a_property_with_a_bug_that_comes_and_goes_is_ours() -> None:
    """A crash is an error, flaky or not."""
    calls = itertools.count()

    @hypothesis.given(st.just(1))
    def crashes_once(number: int) -> None:
        if not next(calls):
            raise KeyError(number)

    assert judge(Verdict.FAIL, "call", of_hypothesis(crashes_once), cases=1) is Verdict.ERROR
