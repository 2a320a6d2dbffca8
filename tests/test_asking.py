"""A finding is explained with few requests, and leaves everything as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.areas.tags import explainer as diagnosing
from pytest_cloudimages.areas.tags.explainer import Explainer
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.suspects import Suspect
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.diagnosis.symptoms import Symptom
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.server import Server, serving

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS

SLACK = 3
"""Requests by which a budget may be passed: an image is put away, whatever it costs."""


def added(tag: str, symptom: Symptom = Symptom.UNFAITHFUL, **more: Any) -> Suspect:
    """Make the suspect of an addition."""
    return Suspect(symptom, Kind.ADD, tag, **({"carried": False} | more))


Opened = Callable[..., tuple[Run, Server]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, direct: None) -> Iterator[Opened]:  # noqa: ARG001 - asked for what it does
    """Open grounds on served apps, that end with the test."""
    with ExitStack() as stack:

        def open_one(app: App, *, lent: list[str] | None = None) -> tuple[Run, Server]:
            server = stack.enter_context(serving(app))
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            images = []
            if lent is not None:
                caller = Caller(app.identity.users["tester"].project.id)
                images = [app.images.create(caller, {"name": "lent", "tags": lent}).id]
            run = prepare(Settings(url=f"{server.url}/v2", image=tuple(images), patience=0.2), (TAGS,))
            stack.callback(run.close)
            run.recorder.counts.clear()
            return run, server

        yield open_one


@pytest.mark.parametrize(
    ("name", "suspect"),
    [
        ("ReadsPlusAsSpace", added("abc+ ")),
        ("RefusesReserved", added('a"b', Symptom.REFUSED)),
        ("DropsControls", added("ab\x01c")),
        ("KeepsWhatCameBack", Suspect(Symptom.NOT_DELETED, Kind.DELETE, "x7", True, ("x7",))),
        ("KeepsSevenTags", added("tag", Symptom.REMOVES_OTHERS, before=tuple("abcdefg"), lost=("a",))),
        (
            "DeletesByPrefix",
            Suspect(Symptom.REMOVES_OTHERS, Kind.DELETE, "plum", True, ("plum", "plumtree"), ("plumtree",)),
        ),
        ("BringsDeletedTagsBack", added("tag", Symptom.ADDS_OTHERS, before=("a", "b"), of_history=True)),
    ],
)
def test_an_explanation_costs_no_more_than_it_may(opened: Opened, name: str, suspect: Suspect) -> None:
    """And everything that it sends is counted as sent to explain; its images are gone in the end."""
    run, server = opened(FAULTS[name]())

    sentence = Explainer(run).explain(suspect)

    assert sentence
    assert set(run.recorder.counts) == {Purpose.EXPLAINING}
    assert run.recorder.counts[Purpose.EXPLAINING] <= diagnosing.PER_FINDING + SLACK
    assert [*server.app.images.all()] == []


def test_a_run_spends_no_more_than_it_may(opened: Opened) -> None:
    """However many findings of different causes there are; what is left over says nothing."""
    run, _ = opened(FAULTS["DropsControls"]())
    explainer = Explainer(run)

    sentences = [explainer.explain(added(f"no {number}", of_history=True, before=("no",))) for number in range(40)]

    assert run.recorder.counts[Purpose.EXPLAINING] <= diagnosing.PER_RUN + SLACK
    assert sentences[0] == "not this tag alone, 'no 0': it depends on what came before, or comes and goes"
    assert sentences[-1].startswith("not looked for: no requests were left of the ")


def test_one_cause_is_explained_once(opened: Opened) -> None:
    """Another tag of the class that goes wrong in the same way costs nothing more."""
    run, _ = opened(FAULTS["ReadsPlusAsSpace"]())
    explainer = Explainer(run)
    first = explainer.explain(added("a+b"))
    spent = run.recorder.counts[Purpose.EXPLAINING]

    assert explainer.explain(added("c++")) == first
    assert run.recorder.counts[Purpose.EXPLAINING] == spent


def both_of(*names: str) -> Callable[[], App]:
    """Return an app that has several faults."""
    bases: tuple[Any, ...] = tuple(FAULTS[name] for name in names)
    return type("Both", bases, {})


def test_two_causes_have_two_explanations(opened: Opened) -> None:
    """A tag outside the class, another symptom, or a tag that was not there before, is asked about anew."""
    both = both_of("ReadsPlusAsSpace", "RefusesATilde")
    run, _ = opened(both())
    explainer = Explainer(run)

    assert explainer.explain(added("a+b")).startswith("any tag with a plus sign (")
    assert explainer.explain(added("a~b", Symptom.REFUSED)).startswith("any tag with a tilde (")


def test_a_tag_that_goes_wrong_by_itself_is_not_explained_by_what_came_before(opened: Opened) -> None:
    """A known class of tags that come back does not stand for a tag that is altered at once."""
    both = both_of("LosesWhatComesBack", "ReadsPlusAsSpace")
    run, _ = opened(both())
    explainer = Explainer(run)

    assert explainer.explain(added("x7")).startswith("any tag, when it comes back after its deletion (")
    assert explainer.explain(added("y8")).startswith("any tag, when it comes back after its deletion (")
    assert explainer.explain(added("a+b")).startswith("any tag with a plus sign (")


@pytest.mark.parametrize(
    ("suspect", "sentence"),
    [
        (added("a+b"), ""),
        (added("a+b", of_history=True), "not this tag alone, 'a+b': it depends on what came before, or comes and goes"),
        (added(".."), ""),
    ],
)
def test_what_goes_well_is_given_no_class(opened: Opened, suspect: Suspect, sentence: str) -> None:
    """A correct service is not accused of anything; a dot segment is not even asked for."""
    run, _ = opened(App())

    assert Explainer(run).explain(suspect) == sentence


def test_a_service_that_stops_answering_ends_it_quietly(opened: Opened) -> None:
    """No error comes of it, and nothing more is asked."""
    app = FAULTS["ReadsPlusAsSpace"]()
    run, server = opened(app)
    asked = 0

    def fall_silent(request: Request) -> Reply:
        nonlocal asked
        asked += 1
        if asked > 5:
            raise ConnectionAbortedError
        return App.answer(app, request)

    server.app.answer = fall_silent  # type: ignore[method-assign]
    explainer = Explainer(run)

    assert explainer.explain(added("a+b")) == ""
    assert explainer.over
    before = asked
    assert explainer.explain(added("c++")) == ""
    assert asked == before


def test_a_lent_image_is_used_and_put_back(opened: Opened) -> None:
    """It has the tags it had, and no other image was created."""
    run, server = opened(FAULTS["ReadsNumbers"](), lent=["mine", "ö"])

    sentence = Explainer(run).explain(added("007"))

    assert sentence.startswith("any tag that is a whole number with leading noughts (")
    assert [sorted(image.tags) for image in server.app.images.all()] == [["mine", "ö"]]


OWN = """
    from pytest_cloudimages import requirement
    from pytest_cloudimages.areas.tags import explainer as diagnosing

    {patch}

    @requirement("TAG-ADD-13")
    def test_a_digit(cloudimages_image):
        assert cloudimages_image.add_tag("7").ok

    @requirement("TAG-ADD-01")
    def test_another():
        {second}
"""
INTERRUPTED = "diagnosing.Explainer.explained = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)"


@pytest.mark.parametrize(
    ("patch", "second", "interrupted", "explained"),
    [
        ("", "pass", False, True),
        (INTERRUPTED, "pass", False, False),
        ("", "raise KeyboardInterrupt", True, False),
    ],
    ids=["whole", "interrupted while explaining", "interrupted before"],
)
def test_an_interruption_spoils_nothing(
    workshop: Any, patch: str, second: str, interrupted: bool, explained: bool
) -> None:
    """Verdicts stand, reports are written, and an interrupted run asks for nothing more."""
    with serving(FAULTS["RefusesDigits"]()) as server:
        workshop.named(server)
        outcome = workshop.pytest(
            OWN.format(patch=patch, second=second), "--cloudimages-reports", str(workshop.reports), "-q"
        )
        left = [*server.app.images.all()]

    assert outcome.verdict("TAG-ADD-13") == "fail", outcome.out
    assert outcome.results["interrupted"] is interrupted
    assert ("class" in outcome.entry("TAG-ADD-13")) is explained
    assert bool(outcome.results["requests"]["explaining"]) is explained
    assert left == []
    assert "INTERNALERROR" not in outcome.out
