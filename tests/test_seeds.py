"""What a seed means: it draws the same plans, whatever anything in the source is called."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import unicodedata
from dataclasses import make_dataclass
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from pytest_cloudimages.areas.tags import races, read_paths, reuse, workloads
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.read_paths import ReadPath
from pytest_cloudimages.areas.tags.tag_limit import steps_of
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.drawing import Sample, shuffled
from pytest_cloudimages.engine.settings import Profile
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.history.operations import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SEEDS = range(10)
DRAWN_WITH = ("6.170.17", "14.0.0")
"""The version of Hypothesis, and of Python's tables of Unicode, that the digests of drawn plans are of."""

WORDS: dict[Any, str] = {
    Kind.ADD: "add",
    Kind.DELETE: "delete",
    Kind.READ: "read",
    Kind.SET: "rename",
    Kind.EVENT: "event",
    ReadPath.ADD: "add",
    ReadPath.DELETE: "delete",
    ReadPath.REPLACE: "replace",
    ReadPath.READ: "read",
    ReadPath.LIST: "list",
    ReadPath.FILTER: "filter",
}
"""What the digests call what is done, whatever the package calls it."""

#: A profile of this test's own, so that the digests stay when a profile of the package tries more or less.
EFFORT = Profile(
    full_cycles=2,
    tags=12,
    rounds=2,
    sequences=3,
    steps=20,
    read_every=0,
    many=9,
    read_paths=2,
    cases=1,
    clients=(2, 4, 8),
    races=2,
)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any], int], list[str]]:
    """Return a function to the lines of all plans that a workload draws; nothing is executed."""
    plans: list[Sequence[Any]] = []

    def take(drawn: Sequence[Sequence[Any]], *_: object, **how: object) -> list[Any]:
        del how
        plans.extend(drawn)
        return []

    def take_checks(_: object, drawn: Sequence[Sequence[Any]], **how: object) -> list[Any]:
        del how
        return take(drawn)

    monkeypatch.setattr(sequential, "execute_all", take)
    monkeypatch.setattr(reuse, "executed_on_one", take_checks)
    monkeypatch.setattr(read_paths, "check_read_paths", take_checks)
    settings = SimpleNamespace(effort=EFFORT, image=(), tag_limit=None)
    run: Any = SimpleNamespace(settings=settings, rounds=EFFORT.rounds, single=False, fresh_image=None, pool=None)
    run.watched, run.show = None, None

    def lines(experiment: Callable[..., Any], number: int) -> list[str]:
        plans.clear()
        experiment(run, number)
        return [line for plan in plans for line in ("plan", *map(_operation, plan))]

    return lines


def _operation(step: Any) -> str:
    """Write a step of a plan down: what is done, to which tags of which image."""
    if isinstance(step, read_paths.ReadPathStep):
        return json.dumps([WORDS[step.path], *step.tags, step.image])
    return json.dumps([WORDS[step.kind], step.value, step.image])


def _race(race: ConcurrentPlan) -> Iterator[str]:
    yield f"race of {race.clients}"
    for phase in race.phases:
        yield "beat"
        for process in phase:
            yield json.dumps([[WORDS[x.kind], x.value, x.image, x.cut, x.pause] for x in process])


def digest(lines: Sequence[str]) -> str:
    """Return the first 16 digits of the SHA-256 of some lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_seeds_order_what_is_written_out_as_ever(planned: Callable[[Callable[..., Any], int], list[str]]) -> None:
    """Whatever version of anything is installed: nothing of this is drawn."""
    lines = [line for seed in SEEDS for line in planned(workloads.every_length, seed)]

    assert digest(lines) == "300c531c8772d2ee"


drawn = pytest.mark.skipif(
    (hypothesis.__version__, unicodedata.unidata_version) != DRAWN_WITH,
    reason=f"needs Hypothesis {DRAWN_WITH[0]} and a Python of Unicode {DRAWN_WITH[1]}: others draw otherwise",
)


@drawn
@pytest.mark.parametrize(
    ("experiment", "expected"),
    [
        (workloads.plain_tags, "350a0be0ae23a3a3"),
        (workloads.special_tags, "f979186e3ed8d350"),
        (workloads.unusual_tags, "c563d35bb5447651"),
        (partial(workloads.sequences, many_tags=steps_of([])), "3b326423c62ba31a"),
        (workloads.confusable_sequences, "509b3b464c7699ef"),
        (workloads.read_path_checks, "22b4d5e05c6ade69"),
    ],
    ids=["plain", "special", "unusual", "sequences", "related", "walks"],
)
def test_seeds_draw_the_plans_they_ever_drew(
    planned: Callable[[Callable[..., Any], int], list[str]], experiment: Callable[..., Any], expected: str
) -> None:
    """Every published seed, replay command and example goes on to mean what it meant."""
    assert digest([line for seed in SEEDS for line in planned(experiment, seed)]) == expected


RACES = {
    Pattern.SAME: "3cfd0eaeef660357",
    Pattern.DISTINCT: "1af57b0448acc32f",
    Pattern.DELETING: "2a8017cda8a4d23a",
    Pattern.MIXED: "81c0ed447a198177",
    Pattern.RENAMING: "79bd14c9f43e6273",
    Pattern.UPLOADING: "a6ecf3ec74f73834",
    Pattern.CUT: "b6a8e5f0e5601f5d",
    Pattern.ACROSS: "e565c19ce65886f7",
    Pattern.CALLERS: "b47b3e58c041b3b5",
}


@drawn
@pytest.mark.parametrize(("pattern", "expected"), [*RACES.items()], ids=[pattern.name for pattern in RACES])
def test_seeds_draw_the_races_they_ever_drew(pattern: Pattern, expected: str) -> None:
    """Of every pattern."""
    assert {*RACES} == {*Pattern}
    drawn_races = [race for seed in SEEDS for race in races.plans_of(pattern, seed, EFFORT.clients, EFFORT.races)]

    assert digest([line for race in drawn_races for line in _race(race)]) == expected


def test_an_order_does_not_follow_from_names() -> None:
    """A class and its fields may be renamed without another order."""
    tags = [(f"tag {number}", "class") for number in range(40)]
    renamed = make_dataclass("Renamed", [("label", str), ("group", str)])

    orders = [
        [(x.tag, x.input_class) for x in shuffled([Sample(*pair) for pair in tags], 7)],
        [(x.label, x.group) for x in shuffled([renamed(*pair) for pair in tags], 7)],
        shuffled(tags, 7),
    ]
    assert orders[0] == orders[1] == orders[2] != tags


def test_a_drawing_does_not_follow_from_the_sources_at_hand(tmp_path: Path) -> None:
    """Hypothesis draws constants of loaded modules too; the tester's own are nothing to a seed."""
    (tmp_path / "own.py").write_text(f"WORDS = {[f'word{number}' for number in range(200)]}\n")
    program = "from pytest_cloudimages.engine.drawing import *; from pytest_cloudimages.areas.tags.strategies import *; print(ascii([draw(samples(PLAIN), n, 5) for n in range(9)]))"

    runs = [
        subprocess.run(
            [sys.executable, "-c", first + program], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for first in ("", "import own; ")
    ]

    assert runs[0] == runs[1]
