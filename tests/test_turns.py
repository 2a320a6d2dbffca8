"""Tasks that take turns: one at a time goes on, each comes to its end, and none is left waiting."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import judged

from pytest_cloudimages.client.outage import Stopped
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.engine.turns import Turns


@pytest.fixture
def turns() -> Turns:
    """Return turns of nobody yet, to a service that nobody asks."""
    return Turns(Transport("http://127.0.0.1:1", timeout=1.0))


class Task:
    """Does three things, and waits before each of them but the first."""

    def __init__(self, name: str, turns: Turns, done: list[str]) -> None:
        self.name, self.turns, self.done = name, turns, done

    def __call__(self) -> None:
        for step in range(3):
            self.done.append(f"{self.name}{step}")
            if step < 2:
                self.turns.wait(self.name)


def test_a_task_goes_on_where_it_waited(turns: Turns) -> None:
    """Each has its turns in the order in which they are given."""
    done: list[str] = []
    tasks = {name: Task(name, turns, done) for name in "ab"}
    for name in "abbaab":
        turns.give(name, tasks[name])

    assert done == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert not turns.finish_all()


def test_who_needs_the_whole_of_another_has_it_first(turns: Turns) -> None:
    """A task may rest on one that waits: that one comes to its end in its turn."""
    done: list[str] = []
    turns.give("a", Task("a", turns, done))
    turns.give("b", lambda: (turns.finish("a"), done.append("b")))

    assert done == ["a0", "a1", "a2", "b"]


def test_a_task_waits_for_nobody_outside_its_turn(turns: Turns) -> None:
    """What is made without turns goes on by itself."""
    done: list[str] = []
    Task("a", turns, done)()

    assert done == ["a0", "a1", "a2"]


def test_all_that_wait_end_with_the_run(turns: Turns) -> None:
    """Whoever waits then cleans up, and does nothing else."""
    done: list[str] = []

    def task() -> None:
        try:
            Task("a", turns, done)()
        except Stopped:
            done.append("cleaned up")
            raise

    turns.give("a", task)
    turns.end()

    assert done == ["a0", "cleaned up"]


def test_where_there_is_room_for_few_images_all_is_judged(tmp_path: Path) -> None:
    """What waits comes to its end where it holds images that others have no room for."""
    outcome = judged(FAULTS["HasRoomForThreeImages"], tmp_path, profile="standard", select=["TAG-ADD", "IMG-UPD", "MEM"])

    assert not outcome.quarrel(())
    assert not outcome.which("blocked")
