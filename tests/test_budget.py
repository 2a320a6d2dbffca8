"""A run takes no more than it may, asks first what matters most, and says what there was no room for."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app import suite
from pytest_cloudimages.app.cli import requirements
from pytest_cloudimages.app.order import in_order
from pytest_cloudimages.client.budget import SHORT, Budget
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import Level
from pytest_cloudimages.spec.verdicts import Blocked, Unaffordable, Verdict, judge

if TYPE_CHECKING:
    from conftest import Workshop


@pytest.mark.parametrize("limit", [1, 60, 250])
def test_no_more_requests_are_sent_than_a_run_may_take(workshop: Workshop, limit: int) -> None:
    """What cleans up goes beyond; every MUST that was not asked says why, and the run is no success."""
    outcome = workshop.judge("--reference", "--max-requests", str(limit))
    data = outcome.results
    left_out = [entry for entry in data["requirements"] if "unaffordable" in entry]

    assert (outcome.status, data["left_behind"]) == (3, [])
    assert sum(data["requests"].values()) - data["requests"]["cleaning"] <= max(limit, 1)
    assert {entry["level"] for entry in left_out} == {"MUST"}
    assert all(entry["verdict"] == "untested" and entry["explanation"].startswith(SHORT) for entry in left_out)
    assert f"({len(left_out)} MUSTs) untested for lack of budget" in outcome.out


def test_a_budget_that_is_enough_changes_nothing(workshop: Workshop) -> None:
    """All is asked, and the run succeeds."""
    outcome = workshop.judge("--reference", "--max-requests", "5000", "--max-seconds", "5000")

    assert outcome.status == 0
    assert not any("unaffordable" in entry for entry in outcome.results["requirements"])


def test_seconds_are_a_limit_too() -> None:
    """When they are over, nothing more is sent."""
    over = Budget(seconds=5.0, begun=time.monotonic() - 6)

    assert over.lacks(0, 1).startswith(SHORT)
    assert Budget(seconds=5000.0).lacks(10**6, 1) == ""


def test_a_budget_and_minutes_exclude_each_other(workshop: Workshop) -> None:
    """Both say when a run ends."""
    outcome = workshop.command("run", "--reference", "--profile", "explore", "--minutes", "1", "--max-requests", "9")

    assert outcome.status == 2
    assert "--max-requests: expected no --minutes" in outcome.out


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Unaffordable("x"), Verdict.UNTESTED),
        (ExceptionGroup("both", [Unaffordable("x"), AssertionError("y")]), Verdict.FAIL),
        (ExceptionGroup("both", [Unaffordable("x"), Blocked("y")]), Verdict.BLOCKED),
    ],
)
def test_lack_of_budget_alone_leaves_a_question_untested(error: Exception, verdict: Verdict) -> None:
    """A finding stands, and so does what blocked the question anyway."""
    assert judge(Verdict.FAIL, "call", error, cases=1) is verdict


@dataclass(frozen=True)
class Asked:
    """As much of a test as its place depends on."""

    ids: tuple[str, ...]
    path: Path = field(default_factory=lambda: suite.folder() / "test_add_tag.py")
    in_passing: bool = False

    def iter_markers(self, _: str) -> list[pytest.Mark]:
        """Return its mark."""
        return [pytest.mark.requirement(*self.ids, in_passing=self.in_passing).mark]


def test_musts_are_asked_first_where_not_all_may_be_asked() -> None:
    """And what finds most per request before the rest, each requirement of the suite having its place."""
    catalogue = load()
    items: list[Any] = [Asked((name,)) for name in sorted(requirements.tested_ids())]
    passing, none, own = Asked(("TAG-ADD-20",), in_passing=True), Asked(()), Asked(("TAG-ADD-05",), Path("test_own.py"))
    items = [none, own, passing, *items]

    def ids_of(item: Any) -> tuple[str, ...]:
        ids: tuple[str, ...] = item.ids
        return ids

    found: list[Any] = in_order(items, ids_of, catalogue, musts_first=True)
    levels = [catalogue[each.ids[0]].level is Level.MUST for each in found[:-3]]

    assert levels == sorted(levels, reverse=True)
    assert found[-3:] == [passing, none, own]
    assert sorted(map(id, found)) == sorted(map(id, items))
    assert found != in_order(items, ids_of, catalogue, musts_first=False)


def test_what_looks_at_what_others_have_met_is_asked_after_them() -> None:
    """Each check that does so says it: asked before the others, it would have nothing to look at."""
    looking = {"expect_nowhere", "met_in_passing", "told_to_wait"}
    for file in suite.folder().glob("test_*.py"):
        for function in (
            node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
        ):
            looks = any(isinstance(node, ast.Name) and node.id in looking for node in ast.walk(function))
            says = any("in_passing=True" in ast.unparse(decorator) for decorator in function.decorator_list)
            assert (function.name, says) == (function.name, looks)
