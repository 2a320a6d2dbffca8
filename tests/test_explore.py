"""Exploration: seed after seed, until time is over, something is found, or someone has had enough."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app import suite
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.engine.exploration import STRIDE, Examples, Exploration
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting.results import CheckResult
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))

from faults.racing import RewritesWithinTwentyMilliseconds
from faults.sequences import GoesBackBehindAPatch
from faults.trial import judged

EXPLORE = ("run", "--profile", "explore", "--seed", "1", "--patience", "0.2", "--select", "TAG-ADD-29")
FOUND = CheckResult("TAG-HIST-02", Verdict.ADVISORY, "test", explanation="lost", seed=7)


class LaterOn(RewritesWithinTwentyMilliseconds):
    """Loses additions, but not in the first twenty images."""

    images_made = 0

    def create_image(self, request: Request) -> Reply:
        """Count the images."""
        self.images_made += 1
        return super().create_image(request)

    def rewritten(self, request: Request, image_id: str, tag: str, *, adds: bool) -> Reply:
        """Be honest in the beginning."""
        if self.images_made > 120:
            return super().rewritten(request, image_id, tag, adds=adds)
        return App.add_tag(self, request, image_id, tag) if adds else App.delete_tag(self, request, image_id, tag)


class HonestForAWhile(App):
    """Lists a tag once more each time it is added again, as soon as so many images were made."""

    images_made = 0

    def __init__(self, honest_for: int) -> None:
        super().__init__()
        self.honest_for = honest_for

    def create_image(self, request: Request) -> Reply:
        """Count the images."""
        self.images_made += 1
        return super().create_image(request)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Be honest in the beginning."""
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            repeated = self.images_made > self.honest_for and tag in image.tags
            reply = super().add_tag(request, image_id, tag)
            if repeated:
                image.tags.append(tag)
            return reply


class ComesBackTwice(App):
    """Lists a tag twice that was deleted and is added again."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[tuple[str, str]] = set()

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Remember what was deleted."""
        self.gone.add((image_id, tag))
        return super().delete_tag(request, image_id, tag)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag, and once more if it was there before."""
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            if (image_id, tag) in self.gone:
                self.gone.discard((image_id, tag))
                self.images.get(image_id).tags.append(tag)
            return reply


class GoesBackAndMiscounts(GoesBackBehindAPatch):
    """Goes back behind a PATCH, and lists a tag once more at every third addition of it."""

    def __init__(self) -> None:
        super().__init__()
        self.additions: Counter[tuple[str, str]] = Counter()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Add a tag, now and then twice."""
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.additions[image_id, tag] += 1
            if not self.additions[image_id, tag] % 3:
                self.images.get(image_id).tags.append(tag)
            return reply


# What is asked

SPY = """
import json
from pytest_cloudimages.engine import exploration, registry
from pytest_cloudimages.spec.marks import ids_of

def pytest_collection_finish(session):
    explored, left = exploration.divided(session.items)
    shown = {
        "workloads": {x.name: x.follows_the_seed for x in registry.workloads()},
        "checks": [
            {
                "name": item.nodeid.rpartition("/")[2],
                "ids": list(ids_of(item)),
                "workloads": [x.name for x in registry.asked_by([item])],
                "property": hasattr(item.function, "hypothesis"),
                "explored": item in explored,
                "left": left.get(item.nodeid, ""),
            }
            for item in session.items
        ],
    }
    with open("collected.json", "w", encoding="utf-8") as file:
        json.dump(shown, file)
"""


def collected(workshop: Any, *words: str) -> Any:
    """Return what an exploration would ask again, and what not."""
    workshop.write("spy.py", SPY)
    how = ("--collect-only", "-q", "--cloudimages-reference", "--cloudimages-profile=explore")
    outcome = workshop.end(workshop.start("pytest", "-p", "spy", "-p", "no:cacheprovider", *how, *words))
    assert outcome.status == 0, outcome.out
    return json.loads((workshop.folder / "collected.json").read_text(encoding="utf-8"))


def test_every_requirement_that_looks_at_something_drawn_is_explored(workshop: Any) -> None:
    """No check is left out, whatever else it asks for."""
    found = collected(workshop, str(suite.folder()))
    checks, drawn = found["checks"], {name for name, follows in found["workloads"].items() if follows}
    looking = [check for check in checks if drawn.intersection(check["workloads"]) or check["property"]]

    assert {"plain_tags", "races", "read_path_checks"} <= drawn
    assert {"TAG-ADD-05", "TAG-HIST-03"} <= {identifier for check in looking for identifier in check["ids"]}
    assert [check["name"] for check in looking if not check["explored"]] == []
    assert [check["name"] for check in checks if check["explored"] and check not in looking] == []


OWN_CHECKS = """
import pytest
from hypothesis import given, strategies as st
from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.fixtures import plain_tags

@pytest.fixture
def prepared(cloudimages_image):
    cloudimages_image.given_tags("there")
    return cloudimages_image

@pytest.fixture(params=[1, 2])
def twice(request):
    return request.param

@requirement("TAG-ADD-03")
def test_drawn(cloudimages_workloads):
    assert cloudimages_workloads.plain_tags.sound

@requirement("TAG-ADD-03")
def test_drawn_and_prepared(plain_tags, prepared):
    assert prepared.tags() == ["there"]
    assert [step for step in plain_tags.additions(acknowledged=True) if step.tag not in step.after] == []

@requirement("TAG-ADD-03")
@given(number=st.integers())
def test_property(cloudimages_fresh_image, number):
    with cloudimages_fresh_image() as image:
        assert image.add_tag(str(number)).ok

@requirement("TAG-ADD-03")
@pytest.mark.parametrize("name", ["a", "b"])
def test_rows(plain_tags, name):
    assert plain_tags.sound

@requirement("TAG-ADD-03")
def test_nothing_drawn(prepared):
    assert prepared.tags()

@requirement("TAG-ADD-03")
def test_request(plain_tags, request):
    assert plain_tags.sound

@requirement("TAG-ADD-03")
def test_parameters(plain_tags, twice):
    assert plain_tags.sound

@requirement("TAG-ADD-03")
def test_files(plain_tags, tmp_path):
    assert plain_tags.sound

def test_of_no_requirement(plain_tags):
    assert plain_tags.sound
"""


def test_a_check_of_ones_own_is_explored_or_it_is_said_why_not(workshop: Any) -> None:
    """Whatever its fixtures rest on is made for it anew."""
    path = workshop.write("test_own.py", OWN_CHECKS)
    checks = {check["name"].partition("::")[2]: check for check in collected(workshop, str(path))["checks"]}

    assert {name for name, check in checks.items() if check["explored"]} == {
        "test_drawn", "test_drawn_and_prepared", "test_property", "test_rows[a]", "test_rows[b]",
    }  # fmt: skip
    assert {name: check["left"] for name, check in checks.items() if check["left"]} == {
        "test_nothing_drawn": "it looks at nothing that follows from the seed",
        "test_request": "it asks for pytest's `request`",
        "test_parameters[1]": "the fixture `twice` has parameters",
        "test_parameters[2]": "the fixture `twice` has parameters",
        "test_files": "the fixture `tmp_path` asks for pytest's `request`",
    }


def test_checks_of_ones_own_are_explored(workshop: Any) -> None:
    """Each for the time that there is, and what cannot be explored is named."""
    path = workshop.write("test_own.py", OWN_CHECKS)
    with serving(HonestForAWhile(120)) as server:
        workshop.named(server)
        words = ("--cloudimages-profile=explore", "--cloudimages-minutes=0.5", "--cloudimages-patience=0.2")
        outcome = workshop.end(workshop.start("pytest", "-p", "no:cacheprovider", *words, str(path)))

    assert "not explored: test_own.py::test_files: the fixture `tmp_path` asks for pytest's `request`" in outcome.out
    assert "explored: seed " in outcome.out, outcome.out
    assert "found TAG-ADD-03" in outcome.out
    assert server.app.images.all() == []


# Examples


def test_examples_are_given_the_newest_first(tmp_path: Path) -> None:
    """By the time of their files, whatever else lies there."""
    examples = Examples(tmp_path / "examples")
    assert examples.seeds() == []
    for place, seed in enumerate((3, 1, 2)):
        path = examples.keep(seed, [FOUND], "http://one/v2")
        os.utime(path, (place, place))
    (tmp_path / "examples" / "seed-9-x.json").write_text("no JSON", encoding="utf-8")

    assert examples.seeds() == [2, 1, 3]


def test_an_example_says_what_it_found(tmp_path: Path) -> None:
    """And where."""
    path = Examples(tmp_path).keep(7, [FOUND], "http://one/v2")

    assert json.loads(path.read_text(encoding="utf-8")) == {
        "seed": 7,
        "endpoint": "http://one/v2",
        "found": {"TAG-HIST-02": "lost"},
        "witnesses": [],
    }


# Seeds and time


class FakeGround:
    """What an exploration asks a ground for, as far as seeds and time go."""

    settings = Settings(seed=5)
    recorder = Recorder()


def explored(tmp_path: Path, clock: Iterator[float], items: Any = ()) -> tuple[Exploration, list[str]]:
    """Make an exploration of a minute."""
    said: list[str] = []
    run: Any = FakeGround()
    return Exploration(run, items, lambda *_: [], said.append, 1.0, Examples(tmp_path), 0.0, lambda: next(clock)), said


def test_seeds_that_found_something_come_first(tmp_path: Path) -> None:
    """Then ever new ones, which follow from the run's."""
    Examples(tmp_path).keep(7, [FOUND], "http://one/v2")
    seeds = explored(tmp_path, iter(()))[0].seeds()

    assert [next(seeds) for _ in range(3)] == [7, 5 + STRIDE, (5 + 2 * STRIDE) % 2**32]


def test_what_is_left_is_counted_from_the_beginning_of_the_run(tmp_path: Path) -> None:
    """Checks that came before are part of it."""
    assert explored(tmp_path, iter([45.0]))[0].left == 15


def test_where_nothing_follows_from_the_seed_nothing_is_explored(tmp_path: Path) -> None:
    """And it is said so."""
    exploration, said = explored(tmp_path, iter(()))
    exploration.explore()

    assert said == ["explored: nothing, since no check that passed follows from the seed"]


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    """Every ten seconds at most, and in the end."""
    exploration, said = explored(tmp_path, iter([11.0, 11.0, 12.0, 23.0, 23.0, 24.0, 24.0]))
    for last in (False, False, False, True):
        exploration.progress(last=last)

    assert [line.rpartition(", ")[2] for line in said] == ["49 s left", "37 s left", "36 s left"]


# Whole runs


def test_an_exploration_ends_with_what_it_found(workshop: Any) -> None:
    """The finding has the seed of its round, in the reports and among the examples."""
    with serving(LaterOn()) as server:
        workshop.named(server)
        outcome = workshop.command(*EXPLORE, "--minutes", "1")
    entry = outcome.entry("TAG-ADD-29")
    (example,) = (outcome.reports / "examples").iterdir()
    seed = json.loads(example.read_text(encoding="utf-8"))["seed"]

    assert entry["verdict"] == "advisory"
    assert "--profile standard " in entry["replay"]
    assert f"--seed {seed} " in entry["replay"]
    assert seed != 1
    assert f"explored: seed {seed} found TAG-ADD-29" in outcome.out
    assert outcome.status == 0


def test_what_goes_wrong_later_is_found_by_the_requirement_it_breaks(workshop: Any) -> None:
    """A documented MUST of plain lives, which had passed."""
    # What is asked once takes some seconds, so that a busy machine comes to the rounds as well.
    words = ("--select", "TAG-ADD-05", "--patience", "0.3", "--minutes", "0.5")
    with serving(HonestForAWhile(12)) as server:
        workshop.named(server)
        outcome = workshop.command("run", "--profile", "explore", "--seed", "3", *words)
    (found,) = [line for line in outcome.out.splitlines() if line.startswith("explored: seed ")]

    assert outcome.status == 1
    assert outcome.verdict("TAG-ADD-05") == "fail"
    assert "TAG-ADD-05" in found
    assert f"--seed {found.split()[2]} " in outcome.entry("TAG-ADD-05")["replay"]


def test_a_patch_is_asked_about_where_sequences_depart_from_a_set(tmp_path: Path) -> None:
    """What goes wrong with a PATCH alone is found, whatever else goes wrong."""
    outcome = judged(GoesBackAndMiscounts, tmp_path, profile="standard", select=["TAG-ADD-34", "TAG-HIST-01"])

    assert outcome.found == {"TAG-ADD-34", "TAG-HIST-01"}


def test_a_patch_is_not_blamed_for_what_goes_wrong_without_one(tmp_path: Path) -> None:
    """It is said that nothing can be told of it."""
    outcome = judged(ComesBackTwice, tmp_path, profile="standard", select=["TAG-ADD-34", "TAG-HIST-01"])

    assert outcome.found == {"TAG-HIST-01"}
    assert outcome.verdicts["TAG-ADD-34"] == "blocked"
    assert "without a PATCH" in outcome.explanations["TAG-ADD-34"]


def test_an_exploration_ends_when_time_is_over(workshop: Any) -> None:
    """With everything that it tried in the results."""
    with serving(App()) as server:
        workshop.named(server)
        outcome = workshop.command(*EXPLORE, "--minutes", "0.1")

    assert outcome.status == 0
    assert "0 s left" in outcome.out
    assert outcome.verdict("TAG-ADD-29") == "pass"


def test_an_exploration_may_be_interrupted(workshop: Any) -> None:
    """The reports are written, and no image stays."""
    app = App()
    with serving(app) as server:
        workshop.named(server)
        process = workshop.start("pytest_cloudimages.app.cli.main", *EXPLORE, "--minutes", "9")
        for line in process.stdout:
            if line.startswith("explored:"):
                break
        process.send_signal(signal.SIGINT)
        outcome = workshop.end(process)

    assert outcome.results["interrupted"], outcome.out
    assert outcome.verdict("TAG-ADD-29") == "pass"
    assert app.images.all() == []


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_minutes_want_the_profile_that_explores(workshop: Any, profile: str) -> None:
    """It is a mistake of usage."""
    outcome = workshop.command("run", "--reference", "--profile", profile, "--minutes", "1")

    assert outcome.status == 2
    assert "expected the profile explore" in outcome.out
