"""Races of a run: run when they are first asked for, looked at by many, and told from what goes wrong without them."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.race_workloads import Races
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.concurrent import ConcurrentRun, worker_pool
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan, Pattern
from pytest_cloudimages.history.events import Anomaly, Category
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sys.path.insert(0, str(Path(__file__).parent))

from faults import adding, racing

SOUND = Basics(adds=True, repeats=True, deletes=True)
RACED = ("--select", "TAG-HIST-02", "--select", "TAG-ADD-29", "--patience", "0.3")


@pytest.fixture
def races_of(monkeypatch: pytest.MonkeyPatch, direct: None) -> Iterator[Callable[..., Races]]:  # noqa: ARG001 - asked for what it does
    """Open the races of a run against an app."""
    opened: list[Any] = []

    def open_races(app: App, control: Basics = SOUND) -> Races:
        server, members = serving(app), worker_pool()
        opened.extend([server, members])
        running = server.__enter__()
        monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
        run = prepare(Settings(url=f"{running.url}/v2", profile="quick", patience=0.2, timeout=5.0))
        return Races(run, 1, control, members.__enter__())

    yield open_races
    for one in reversed(opened):
        one.__exit__(None, None, None)


def anomalies(heat: ConcurrentRun) -> list[str]:
    """Measure what has no order."""
    return [str(one.category) for one in heat.anomalies]


def test_a_family_is_run_once(races_of: Callable[..., Races]) -> None:
    """Whoever asks for it, and not before anyone does."""
    races = races_of(App())
    before = sum(races.run.recorder.counts.values())
    first = [*races.heats(Pattern.SAME)]
    asked = sum(races.run.recorder.counts.values())

    assert [*races.heats(Pattern.SAME)] == first
    assert before < asked == sum(races.run.recorder.counts.values())


def test_every_race_is_a_case_of_its_kind(races_of: Callable[..., Races]) -> None:
    """With the requests that it took."""
    races, mine = races_of(App()), recording.CheckRecord()
    races.run.recorder.take()
    recording.collect(mine)
    try:
        heats = [*races.heats(Pattern.DISTINCT)]
    finally:
        recording.collect(None)

    assert mine.cases == len(heats)
    assert dict(mine.kinds) == {f"race: {Pattern.DISTINCT}": len(heats)}
    assert mine.requests == sum(len(heat.exchanges) for heat in heats)


def test_where_plain_tags_cannot_be_added_nothing_is_raced(races_of: Callable[..., Races]) -> None:
    """And it is said why."""
    races = races_of(App(), Basics(adds=False, repeats=False, deletes=False))
    shown = races.measured(Pattern, anomalies)

    assert shown.heats == []
    with pytest.raises(Blocked, match="does not even add"):
        shown.raise_if_blocked()


def test_where_plain_tags_cannot_be_deleted_additions_are_raced_alone(races_of: Callable[..., Races]) -> None:
    """What there is to ask is asked."""
    shown = races_of(App(), Basics(adds=True, repeats=True, deletes=False)).measured(Pattern, anomalies)

    assert {heat.race.family for heat in shown.heats} == {Pattern.SAME, Pattern.DISTINCT}
    with pytest.raises(Blocked, match="does not even delete"):
        shown.raise_if_blocked()


def test_where_tags_do_not_come_back_they_are_not_asked_to(races_of: Callable[..., Races]) -> None:
    """Nothing is added, among many, that was deleted before."""
    shown = races_of(App(), Basics(adds=True, repeats=True, deletes=True, returns=False)).measured(Pattern, anomalies)

    assert {heat.race.family for heat in shown.heats}.isdisjoint({Pattern.MIXED, Pattern.CUT})
    for heat in shown.heats:
        gone: set[str] = set()
        for one in heat.done:
            assert one.event.kind is not Kind.ADD or one.event.tag not in gone
            gone |= {one.event.tag} if one.event.kind is Kind.DELETE else set()


def test_a_race_is_told_from_what_goes_wrong_for_one_alone(races_of: Callable[..., Races]) -> None:
    """A service that lists a tag as often as it was added does so without any race."""
    shown = races_of(adding.ListsATagTwice()).measured([Pattern.SAME], anomalies, kind=str)

    assert shown.sound
    with pytest.raises(Blocked, match="for one alone"):
        shown.raise_if_blocked()


def test_what_only_a_race_shows_is_a_departure(races_of: Callable[..., Races]) -> None:
    """With the race that showed it."""
    app = racing.RewritesWithinTwentyMilliseconds()
    shown = races_of(app).measured([Pattern.DISTINCT], anomalies, kind=str)

    assert {kind for _, kind in shown.violations} & {"lost addition", "lost deletion"}
    assert all(heat.race.family is Pattern.DISTINCT for heat, _ in shown.violations)


def test_a_reader_that_sees_the_past_is_excused_where_the_service_is_late(races_of: Callable[..., Races]) -> None:
    """Late here is late there; a service that never was has no such excuse."""
    races = races_of(App())
    stale = Anomaly(Category.STALE_READ, 0, "a", (), "late")
    heat = ConcurrentRun(ConcurrentPlan(Pattern.MIXED, 2, ()), (), (), (), (stale,))

    assert races.unexplained(heat) == [stale]
    races.run.recorder.lag = 0.1
    assert races.unexplained(heat) == []


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


def test_a_race_that_ends_in_500_is_asked_once(workshop: Any) -> None:
    """The finding stands, although not every addition is answered so."""
    with serving(racing.FailsWhereTwoMeet()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-RESP-09")

    assert outcome.verdict("TAG-RESP-09") == "advisory"
