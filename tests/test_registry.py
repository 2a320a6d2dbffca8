"""The registry: one declaration of a workload is its fixture, its exploration, its estimate and its row in the docs."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages import areas
from pytest_cloudimages.app import suite
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine import registry
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.recording import CheckRecord, collect
from pytest_cloudimages.engine.registry import Workloads, workload
from pytest_cloudimages.engine.settings import PROFILES, Settings
from pytest_cloudimages.spec.verdicts import Blocked, TokenEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.engine.run import Run

areas.load()
DECLARED = registry.workloads()
SALTS = {
    "plain_tags": "plain",
    "unusual_tags": "unusual",
    "special_tags": "special",
    "every_length": "lengths",
    "sequences": "sequences",
    "confusable_sequences": "related sequences",
    "read_path_checks": "walks",
    "races": "races",
    "member_steps": "members",
    "member_races": "member races",
    "patch_races": "patch races",
}
"""What each seed means rests on these: they never change."""


@pytest.fixture
def open_run() -> Iterator[Callable[[str], Run]]:
    """Yield what opens runs on the embedded server."""
    opened: list[Run] = []

    def open_for(profile: str) -> Run:
        run = prepare(Settings(reference=True, profile=profile, seed=1), (TAGS,))
        run.beyond_must = profile != "quick"
        opened.append(run)
        return run

    yield open_for
    for run in opened:
        run.close()


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test declares."""
    monkeypatch.setattr(registry, "_WORKLOADS", {x.name: x for x in DECLARED})


def sent(run: Run) -> int:
    """Return how many requests a run has sent."""
    return sum(run.recorder.counts.values())


def test_salts_stay_what_they_are() -> None:
    """And whatever has a number of its own follows the seed."""
    assert {x.name: x.salt for x in DECLARED if x.salt is not None} == SALTS
    assert {x.name for x in DECLARED if x.follows_the_seed} == {*SALTS}


def test_every_workload_is_a_fixture_of_the_suite() -> None:
    """Of its name and description, for the length of the session."""
    for declared in DECLARED:
        fixture: Any = vars(import_module(f"{declared.area}.fixtures"))[declared.name]
        function = fixture._fixture_function  # noqa: SLF001 - there is no public way to it
        assert (function.__name__, function.__doc__) == (declared.name, declared.make.__doc__)
        assert fixture._fixture_function_marker.scope == "session"  # noqa: SLF001


def test_every_module_of_the_suite_has_them() -> None:
    """By one line, of those areas whose requirements it asks; what is met in passing needs none of its own."""
    for path in {*suite.folder().glob("test_*.py")} - {suite.folder() / "test_every_answer.py"}:
        assert ".fixtures import *\n" in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("profile", ["quick", "standard"])
@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_an_estimate_is_what_is_sent(open_run: Callable[[str], Run], declared: registry.Workload, profile: str) -> None:
    """Within a fifth, or ten requests."""
    run = open_run(profile)
    with Workloads(run) as workloads:
        for name in declared.needs:
            workloads.get(name)
        before = sent(run)
        made = workloads.get(declared.name)
        if declared.name in ("races", "member_races", "patch_races"):
            assert [*made.asked()] or not declared.requests[profile]
        taken = sent(run) - before

    assert {*declared.requests} == {*PROFILES}
    assert taken == pytest.approx(declared.requests[profile], rel=0.2, abs=10)


def test_a_workload_is_made_once_for_all_who_ask(open_run: Callable[[str], Run]) -> None:
    """However they ask."""
    run = open_run("quick")
    with Workloads(run) as workloads:
        first = workloads.plain_tags
        before = sent(run)

        assert workloads.plain_tags is workloads.get("plain_tags") is first
        assert sent(run) == before


def test_what_a_workload_sends_is_no_evidence_of_who_asks_first(open_run: Callable[[str], Run]) -> None:
    """Whose scope is open."""
    run = open_run("quick")
    with Workloads(run) as workloads, run.recorder.scope() as exchanges:
        assert workloads.plain_tags.histories
        assert exchanges == []


def test_a_name_that_is_none_is_told_with_those_that_are(open_run: Callable[[str], Run]) -> None:
    """As a mistake of whoever wrote it."""
    with Workloads(open_run("quick")) as workloads, pytest.raises(AttributeError, match=r"'plain'.*plain_tags"):
        _ = workloads.plain


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("problem", [Blocked("no way"), pytest.skip.Exception("not here")], ids=["blocked", "skipped"])
def test_what_failed_once_fails_again_unasked(open_run: Callable[[str], Run], problem: BaseException) -> None:
    """For every check that needs it."""
    calls = []

    @workload(requests=(1, 1, 1, 1))
    def fails(run: Run) -> None:
        calls.append(run)
        raise problem

    with Workloads(open_run("quick")) as workloads:
        for _ in range(2):
            with pytest.raises(type(problem)) as raised:
                workloads.get("fails")
            assert raised.value is problem
    assert len(calls) == 1


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("problem", [Blocked("no way"), pytest.skip.Exception("not here")], ids=["blocked", "skipped"])
def test_what_failed_is_missed_by_none_but_who_rests_on_it(
    open_run: Callable[[str], Run], problem: BaseException
) -> None:
    """A side question has nothing to look at, a sum its other parts, and the check a note of it."""

    @workload(requests=(1, 1, 1, 1))
    def fails(_: Run) -> None:
        raise problem

    record = CheckRecord()
    collect(record)
    with Workloads(open_run("quick")) as workloads:
        lacking, plain = workloads.handed("fails"), workloads.plain_tags
        assert [*lacking.aside().by(1, where=bool).where(bool), *lacking.aside().deletions()] == []
        assert plain + lacking is plain
        assert lacking + plain is plain
        assert record.notes == [f"fails could not be looked at: {problem}"]
        for part in (lacking, lacking + lacking):
            with pytest.raises(type(problem)) as raised:
                iter(part)
            assert raised.value is problem
            with pytest.raises(type(problem)):
                part.additions()
        assert not hasattr(lacking, "__wrapped__")
        with pytest.raises(type(problem)):
            f"/images/{lacking}/tags"
    collect(None)


def test_the_first_part_of_a_workload_is_needed_by_it() -> None:
    """Whoever looks at the whole has all that was shown before."""
    needs = {declared.name: declared.needs for declared in DECLARED}

    assert all(declared.name in needs[declared.first_of] for declared in DECLARED if declared.first_of)


@pytest.mark.usefixtures("own")
def test_the_first_part_of_a_workload_is_looked_at_as_the_whole(open_run: Callable[[str], Run]) -> None:
    """Checks that look at the whole are shown it, long before the whole is made."""
    seen: list[tuple[str, Any]] = []

    @workload(first_of="all_of_it", requests=(1, 1, 1, 1))
    def part_of_it(run: Run) -> list[int]:
        run.show(lambda: [1])
        return [1, 2]

    @workload(needs=["part_of_it"], requests=(1, 1, 1, 1))
    def all_of_it(_: Run, part_of_it: list[int]) -> list[int]:
        return [*part_of_it, 3]

    with Workloads(open_run("quick")) as workloads:
        workloads.watch = lambda name, so_far, **_: seen.append((name, so_far()))
        assert workloads.part_of_it == [1, 2]
        assert workloads.all_of_it == [1, 2, 3]
    assert seen == [("all_of_it", [1]), ("all_of_it", [1, 2]), ("all_of_it", [1, 2, 3])]


@pytest.mark.usefixtures("own")
def test_without_a_token_no_check_has_anything_to_look_at(open_run: Callable[[str], Run]) -> None:
    """That is no matter of one workload."""

    @workload(requests=(1, 1, 1, 1))
    def fails(_: Run) -> None:
        raise TokenEnded("it is over")

    with Workloads(open_run("quick")) as workloads, pytest.raises(TokenEnded):
        workloads.handed("fails")


@pytest.mark.usefixtures("own")
def test_exploration_hands_over_what_follows_the_seed_anew_and_the_rest_empty(open_run: Callable[[str], Run]) -> None:
    """What has nothing empty is made again; a generator ends with its workloads."""
    ended = []

    @workload(
        salt="whole",
        follows_the_seed=True,
        needs=["again"],
        anew=lambda *_, again: ("part", again),
        requests=(1, 1, 1, 1),
    )
    def whole(run: Run, number: int, again: str) -> tuple[str, str]:
        return f"whole {run.number('whole') == number}", again

    @workload(empty=list, requests=(1, 1, 1, 1))
    def fixed(run: Run) -> list[str]:
        return [run.name]

    @workload(requests=(1, 1, 1, 1))
    def again(run: Run) -> Iterator[str]:
        yield run.name
        ended.append(run)

    run = open_run("quick")
    with Workloads(run) as workloads:
        assert workloads.whole == ("whole True", run.name)
        assert workloads.fixed == [run.name]
        assert ended == []
    with Workloads(run, exploring=True) as workloads:
        assert workloads.whole == ("part", run.name)
        assert workloads.fixed == []
    assert ended == [run, run]


@pytest.mark.parametrize("declared", [x for x in DECLARED if x.empty], ids=lambda declared: declared.name)
def test_what_is_empty_is_of_the_same_kind(open_run: Callable[[str], Run], declared: registry.Workload) -> None:
    """So that a check looks at it as at the other, and finds nothing."""
    run = open_run("quick")
    with Workloads(run) as whole, Workloads(run, exploring=True) as explored:
        before = sent(run)
        empty = explored.get(declared.name)

        assert sent(run) == before
        assert type(empty) is type(whole.get(declared.name))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    "how",
    [{"follows_the_seed": True}, {"follows_the_seed": True, "salt": "x", "empty": list}],
    ids=["no salt", "empty"],
)
def test_a_declaration_that_contradicts_itself_is_refused(how: dict[str, Any]) -> None:
    """What follows the seed is drawn by a salt, and never empty."""

    def wrong(run: Run) -> None:
        raise AssertionError(run)

    with pytest.raises(ValueError, match="wrong follows the seed"):
        workload(requests=(1, 1, 1, 1), **how)(wrong)


@pytest.mark.usefixtures("own")
def test_a_name_stands_for_one_workload() -> None:
    """Two areas may not share it."""

    def plain_tags(run: Run) -> None:
        raise AssertionError(run)

    with pytest.raises(ValueError, match="two workloads called plain_tags"):
        workload(requests=(1, 1, 1, 1))(plain_tags)


def test_a_dry_run_says_what_the_workloads_cost(workshop: Any) -> None:
    """Those that are asked for, and no others."""
    outcome = workshop.judge("--reference", "--dry-run", "--select", "TAG-ADD-30")
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("workloads:")]

    assert line == "workloads: about 144 requests: races 130, basics 14"


def test_a_dry_run_says_what_each_area_costs(workshop: Any) -> None:
    """Named as it would be selected; what two areas look at is counted with both, and in all only once."""
    outcome = workshop.judge(
        "--reference", "--dry-run", "--select", "VER", "--select", "SCHEMA", "--select", "TAG-ADD-30"
    )
    told = {line.partition(": ")[0]: line for line in outcome.out.splitlines() if ": " in line}
    costs = {area: int(number) for area, number in re.findall(r"([A-Z]+) (\d+)", told["areas"])}
    (in_all,) = re.findall(r"about (\d+) requests", told["workloads"])

    assert costs.keys() == {"TAG", "SCHEMA", "VER"}
    assert [*costs.values()] == sorted(costs.values(), reverse=True)
    assert costs["TAG"] == 144
    assert max(costs.values()) < int(in_all) <= sum(costs.values())
