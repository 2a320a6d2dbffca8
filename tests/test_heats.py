"""ConcurrentRuns of a run: run when they are first asked for, looked at by many, and told from what goes wrong without them."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.race_findings import lost_additions
from pytest_cloudimages.areas.tags.race_workloads import races as races_in
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.concurrent import ConcurrentRun
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.history.events import Anomaly, Category
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sys.path.insert(0, str(Path(__file__).parent))

from faults import adding, racing

SOUND = Basics(adds=True, repeats=True, deletes=True)
RACED = ("--select", "TAG-HIST-02", "--select", "TAG-ADD-29", "--patience", "0.3")


@pytest.fixture
def races_of(monkeypatch: pytest.MonkeyPatch, direct: None) -> Iterator[Callable[..., ConcurrentRuns]]:  # noqa: ARG001 - asked for what it does
    """Open the races of a run against an app."""
    with ExitStack() as stack:

        def open_races(app: App, basics: Basics = SOUND) -> ConcurrentRuns:
            running = stack.enter_context(serving(app))
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            run = prepare(Settings(url=f"{running.url}/v2", profile="quick", patience=0.2, timeout=5.0), (TAGS,))
            return stack.enter_context(contextmanager(races_in)(run, 1, basics))

        yield open_races


def anomalies(one_run: ConcurrentRun) -> list[str]:
    """Measure what has no order."""
    return [str(anomaly.category) for anomaly in one_run.anomalies]


def test_a_pattern_is_run_once(races_of: Callable[..., ConcurrentRuns]) -> None:
    """Whoever asks for it, and not before anyone does."""
    races = races_of(App())
    before = sum(races.run.recorder.counts.values())
    first = [*races.of(Pattern.SAME)]
    asked = sum(races.run.recorder.counts.values())

    assert [*races.of(Pattern.SAME)] == first
    assert before < asked == sum(races.run.recorder.counts.values())


def test_every_race_is_a_case_of_its_kind(races_of: Callable[..., ConcurrentRuns]) -> None:
    """With the requests that it took."""
    races, mine = races_of(App()), recording.CheckRecord()
    recording.collect(mine)
    try:
        runs = [*races.of(Pattern.DISTINCT)]
    finally:
        recording.collect(None)

    assert mine.cases == len(runs)
    assert dict(mine.kinds) == {f"race: {Pattern.DISTINCT}": len(runs)}
    assert mine.requests == sum(len(one_run.exchanges) for one_run in runs)


def test_where_plain_tags_cannot_be_added_nothing_is_raced(races_of: Callable[..., ConcurrentRuns]) -> None:
    """And it is said why."""
    races = races_of(App(), Basics(adds=False, repeats=False, deletes=False))
    shown = races.measured(Pattern, anomalies)

    assert shown.runs == []
    with pytest.raises(Blocked, match="plain tags cannot be added"):
        shown.raise_if_blocked()


def test_where_plain_tags_cannot_be_deleted_additions_are_raced_alone(races_of: Callable[..., ConcurrentRuns]) -> None:
    """What there is to ask is asked."""
    shown = races_of(App(), Basics(adds=True, repeats=True, deletes=False)).measured(Pattern, anomalies)

    assert {one_run.plan.pattern for one_run in shown.runs} == {Pattern.SAME, Pattern.DISTINCT}
    with pytest.raises(Blocked, match="plain tags cannot be deleted"):
        shown.raise_if_blocked()


def test_where_tags_do_not_come_back_they_are_not_asked_to(races_of: Callable[..., ConcurrentRuns]) -> None:
    """Nothing is added, among many, that was deleted before."""
    shown = races_of(App(), Basics(adds=True, repeats=True, deletes=True, returns=False)).measured(Pattern, anomalies)

    assert {one_run.plan.pattern for one_run in shown.runs}.isdisjoint({Pattern.MIXED, Pattern.CUT})
    for one_run in shown.runs:
        gone: set[str] = set()
        for completed in one_run.completed:
            assert completed.event.kind is not Kind.ADD or completed.event.value not in gone
            gone |= {completed.event.value} if completed.event.kind is Kind.DELETE else set()


def test_a_race_is_told_from_what_goes_wrong_for_one_alone(races_of: Callable[..., ConcurrentRuns]) -> None:
    """A service that lists a tag as often as it was added does so without any race."""
    shown = races_of(adding.ListsATagTwice()).measured([Pattern.SAME], anomalies, kind=str)

    assert shown.sound
    with pytest.raises(Blocked, match="with a single client"):
        shown.raise_if_blocked()


def test_what_only_a_race_shows_is_a_departure(races_of: Callable[..., ConcurrentRuns]) -> None:
    """With the race that showed it."""
    app = racing.RewritesWithinTwentyMilliseconds()
    shown = races_of(app).measured([Pattern.DISTINCT], anomalies, kind=str)

    assert {kind for _, kind in shown.violations} & {"lost addition", "lost deletion"}
    assert all(one_run.plan.pattern is Pattern.DISTINCT for one_run, _ in shown.violations)


def test_a_reader_that_sees_the_past_is_excused_where_the_service_is_late(
    races_of: Callable[..., ConcurrentRuns],
) -> None:
    """Late here is late there; a service that never was has no such excuse."""
    races = races_of(App())
    stale = Anomaly(Category.STALE_READ, 0, "a", (), "late")
    one_run = ConcurrentRun(ConcurrentPlan(Pattern.MIXED, 2, ()), (), (), (), (stale,))

    assert races.unexplained(one_run) == [stale]
    races.run.recorder.lag = 0.1
    assert races.unexplained(one_run) == []


# Reports


def test_a_finding_keeps_its_witness(workshop: Any) -> None:
    """As text and as data in conformance.json, as a picture on the page."""
    with serving(racing.RewritesWithinTwentyMilliseconds()) as server:
        workshop.named(server)
        outcome = workshop.judge(*RACED)
    entry = outcome.entry("TAG-HIST-02")
    (witness,) = entry["witnesses"]

    schema = json.loads(
        (resources.files("pytest_cloudimages.reporting.schemas") / "conformance.json").read_text("utf-8")
    )
    jsonschema.validate(outcome.results, schema)
    assert entry["verdict"] == "advisory"
    assert witness["text"].splitlines()[0] in entry["explanation"]
    assert all(f"{line}\n" in outcome.out for line in witness["text"].splitlines())
    assert witness["events"][witness["impossible"]]["kind"] in ("read", "delete")
    assert min(event["sent"] for event in witness["events"]) == 0
    assert "&lt;svg" in (outcome.reports / "conformance.html").read_text(encoding="utf-8")


def test_lost_additions_are_told_with_their_rate(workshop: Any) -> None:
    """So many of so many, by the number of clients; never unstable."""
    with serving(racing.RewritesWithinTwentyMilliseconds()) as server:
        workshop.named(server)
        outcome = workshop.judge(*RACED)

    assert outcome.verdict("TAG-ADD-29") == "advisory"
    explanation = outcome.entry("TAG-ADD-29")["explanation"]
    assert "of 8 acknowledged additions lost" in explanation
    assert "with 4 clients" in explanation


class LosesTheFifthRace(racing.RewritesWithinTwentyMilliseconds):
    """Loses additions to the fifth image, and to those after it."""

    def rewritten(self, request: Request, image_id: str, tag: str, *, adds: bool) -> Reply:
        """Carry out the rule, until there were four images."""
        self.seen = [*dict.fromkeys([*getattr(self, "seen", ()), image_id])]
        if image_id in self.seen[:4]:
            return App.add_tag(self, request, image_id, tag) if adds else App.delete_tag(self, request, image_id, tag)
        return super().rewritten(request, image_id, tag, adds=adds)


def test_races_are_run_until_they_show_something(races_of: Callable[..., ConcurrentRuns]) -> None:
    """As often as is wanted, and no more often."""
    app = LosesTheFifthRace()
    races = races_of(app)

    assert races.measured([Pattern.DISTINCT], lost_additions).sound
    races.run.settings = replace(races.run.settings, tries=10)
    assert not races.measured([Pattern.DISTINCT], lost_additions).sound
    assert len(app.seen) < 10


@pytest.mark.parametrize("app", [racing.RewritesWithinTwentyMilliseconds, racing.DeletesOneRowOfTwo])
def test_what_a_race_is_accused_of_is_shown(workshop: Any, app: type[App]) -> None:
    """Each tag that a finding names was sent in one of its exchanges, to one image, which is read in the end."""
    with serving(app()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-ADD-29", "--select", "TAG-ADD-30", "--patience", "0.3")

    found = [entry for entry in outcome.results["requirements"] if entry["verdict"] in ("advisory", "fail")]
    assert found
    for entry in found:
        assert " --tries 10 " in entry["replay"]
        sent = [(each["method"], each["target"]) for each in entry["exchanges"]]
        named = entry["actual"] or entry["missing"]
        assert all(any(target.endswith(f"/tags/{tag}") for _, target in sent) for tag in named)
        assert len({target.partition("/tags/")[0] for _, target in sent}) == 1
        assert sent[-1][0] == "GET"


def test_a_race_that_ends_in_500_is_asked_once(workshop: Any) -> None:
    """The finding stands, although not every addition is answered so."""
    with serving(racing.FailsWhereTwoMeet()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-RESP-09")

    assert outcome.verdict("TAG-RESP-09") == "advisory"
