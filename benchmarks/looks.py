"""What each workload shows of a service: a plugin of pytest that takes the place of the first look of a run.

It makes every workload that the checks of what is broken look at, shows each, alone and step by step, to those that
send nothing themselves, and writes to a file, as JSON, for each workload how many requests it took, after how many of
them it showed what it had, and after how many each requirement that is not met could be told. Then it ends the run.
benchmarks/order.py makes the order of that.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app import first_look
from pytest_cloudimages.app.judge import Judge
from pytest_cloudimages.engine import recording, registry
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run

LOOKS = "looks.json"
BROKEN = "FAULT_BREAKS"
"""The variable that names what a fault breaks, as JSON: others need not be asked."""


class Looks:
    """What was told of each workload alone, and when."""

    def __init__(self, items: Iterable[pytest.Item], run: Run) -> None:
        broken = {*json.loads(os.environ[BROKEN])}
        asked = [item for item in items if broken.intersection(ids_of(item))]
        self.lookers = [(item, declared) for item in asked if (declared := first_look.looked_at(item))]
        self.run = run
        self.found: dict[str, Any] = {}
        self.begun, self.in_hand = 0, ""
        self._seen: set[tuple[str, str]] = set()

    def look(self, name: str, so_far: Callable[[], Any], *, whole: bool, due: bool = False) -> None:
        """Note what checks find in a workload now and have not found before."""
        part = self.in_hand if registry.looked_at_as(self.in_hand) == name else name
        mine = self.found.setdefault(part, {"told": {}, "shown": []})
        sent = sum(self.run.recorder.counts.values()) - self.begun
        if not (whole or due) and sent in mine["shown"]:
            return
        mine["shown"].append(sent)
        shown = so_far()
        for item, declared in self.lookers:
            if name in declared and (part, item.nodeid) not in self._seen and self._finds(item, declared, name, shown):
                self._seen.add((part, item.nodeid))
                for identifier in ids_of(item):
                    mine["told"].setdefault(identifier, sent)

    def _finds(self, item: pytest.Item, declared: Mapping[str, Workload], name: str, shown: Any) -> bool:
        return first_look.finds(item, declared, {name: shown}, self.run, recording.CheckRecord())


def look(judge: Judge, items: Iterable[pytest.Item], workloads: Workloads) -> None:
    """Make and show all workloads, write what came of it, and end the run."""
    counts = judge.run.recorder.counts
    looks = Looks(items, judge.run)
    workloads.watch = looks.look
    begun = sum(counts.values())
    for declared in registry.asked_by(item for item, _ in looks.lookers):
        looks.begun, looks.in_hand = sum(counts.values()), declared.name
        with suppress(Exception, pytest.skip.Exception):
            workloads.get(declared.name)
        mine = looks.found.setdefault(declared.name, {"told": {}, "shown": []})
        mine["requests"] = sum(counts.values()) - looks.begun
    Path(LOOKS).write_text(
        json.dumps({"": {"requests": begun, "told": {}, "shown": []}} | looks.found), encoding="utf-8"
    )
    pytest.exit("All was looked at.")


Judge.look_first = look  # type: ignore[method-assign,assignment]
