"""A pass that rests on chance says what it would have seen."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.app.result_files import results_at
from pytest_cloudimages.reporting.power import DRAWN, HISTORIES, power_of, problems, strongest, told
from pytest_cloudimages.reporting.verification import problems as of_results
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.chance import percent_shown


@pytest.mark.parametrize(("trials", "percent"), [(1, 95.0), (3, 63.2), (60, 4.9), (240, 1.3), (3000, 0.1)])
def test_the_bound_is_that_of_one_run_in_twenty(trials: int, percent: float) -> None:
    """What happens so often, or a little less, shows in 95 % of runs; a tenth of a percent less does not."""
    assert percent_shown(trials) == percent
    assert (1 - percent / 100) ** trials <= 0.05 + 1e-9 < (1 - percent / 100 + 0.001) ** trials


RACES = {"violations": 0, "of": 20, "what": "races have no order that explains them"}


def test_what_a_check_would_have_seen() -> None:
    """Of races, of histories, and of tags drawn: of these for each class too."""
    races, histories, drawn = power_of(RACES, 51, {"plus": 2, "tab": 4})

    assert races == {"of": 20, "what": RACES["what"], "percent": 14.0}
    assert histories == {"of": 51, "what": HISTORIES, "percent": 5.8}
    assert (drawn["of"], drawn["what"], drawn["percent"]) == (6, DRAWN, 39.4)
    assert drawn["classes"] == {"plus": {"of": 2, "percent": 77.7}, "tab": {"of": 4, "percent": 52.8}}
    assert told(histories).startswith("0 of 51 operations of random histories went wrong: what happens in 5.8 % of")
    assert not [problem for bound in (races, histories, drawn) for problem in problems(bound)]


def test_what_rests_on_no_chance_says_nothing() -> None:
    """Nor does a race that was lost."""
    assert power_of(None, 0, {}) == ()
    assert power_of({**RACES, "violations": 3}, 0, {}) == ()
    assert power_of({**RACES, "of": 0}, 0, {}) == ()


def test_of_several_checks_the_one_with_most_counts() -> None:
    """They look at the same tags, and are not added up."""
    assert strongest([power_of(None, 5, {"plus": 2}), power_of(None, 9, {}), ()]) == [
        *power_of(None, 9, {}),
        *power_of(None, 0, {"plus": 2}),
    ]


@pytest.fixture(scope="module")
def judged(shared_workshop: Any) -> Any:
    """Return a run of the embedded server that asks for what rests on chance, and for what does not."""
    workshop = shared_workshop("power")
    words = ("--reference", "--select", "TAG-HIST-01", "--select", "TAG-DEL-15", "--select", "TAG-AUTH-01")
    return workshop.folder, workshop.judge(*words)


def test_a_run_says_so(judged: tuple[Path, Any]) -> None:
    """In the results, and on the page; what was asked of written tags alone says nothing of it."""
    folder, outcome = judged
    bounds = outcome.entry("TAG-HIST-01")["power"]
    page = (folder / "reports" / "index.html").read_text("utf-8")

    assert [bound["what"] for bound in bounds] == [HISTORIES, DRAWN]
    assert all(bound["of"] > 5 for bound in bounds)
    # A tag goes through many operations, and is one draw.
    assert bounds[1]["of"] < sum(outcome.entry("TAG-HIST-01")["classes"].values()) / 2
    assert all(told(bound) in page for bound in bounds)
    assert "power" not in outcome.entry("TAG-AUTH-01")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda bound: bound.update(of=bound["of"] + 1000), " % follow, not "),
        (lambda bound: bound.update(percent=0.1), " % follow, not 0.1"),
        (lambda bound: next(iter(bound["classes"].values())).update(of=900, percent=0.4), "the classes are not "),
    ],
)
def test_what_does_not_follow_is_named(judged: tuple[Path, Any], change: Any, problem: str) -> None:
    """By `cloudimages verify`, whatever the digest says."""
    data = copy.deepcopy(results_at(judged[0] / "reports"))
    change(next(entry for entry in data["requirements"] if entry["id"] == "TAG-HIST-01")["power"][-1])

    assert [line for line in of_results(data, load()) if line.startswith("TAG-HIST-01") and problem in line]
