"""Find the order in which the suite finds most per request, and write it down for the runs to come.

Usage: python -m benchmarks.order [--every N] [--looks FILE] [--write]. What a check costs itself is measured in a run
of profile standard on the embedded server; what it finds is in docs/detection.json: the faults whose requirements it
asks for. After how many of its requests a workload shows a fault is measured over a sample of the faults
(benchmarks/looks.py), and kept in FILE, which is read where it is there. Of other faults it is guessed: in one of the
workloads that the checks look at by which they are found, as early or late as one of the sample; but for those that
benchmarks/blames.py measures by. The next workload, or check with the workloads that it looks at, is always that which
finds most new faults per request. Prints after how many requests half of all
faults are known by that. `--write` writes pytest_cloudimages/app/order.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.first_look import looked_at
from pytest_cloudimages.app.order import FILE
from pytest_cloudimages.app.stash import RUN
from pytest_cloudimages.engine import registry
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    Shown = Mapping[str, Mapping[str, Any]]
    """By the names of workloads how many requests each took, and after how many of them a requirement could be told."""

SEEN, LEAST = 3.0, 2
"""How much a fault of the sample counts beside one that is guessed, and what whatever is asked costs at least."""
BROKEN = "FAULT_BREAKS"
"""The variable that tells benchmarks/looks.py what a fault breaks, as JSON."""
FIRST, EVERY = 4, 16
"""Which fault is the first of the sample, in the order of their names, and how many are passed over."""
LEFT_OUT = 8
"""Every so manieth fault is left to benchmarks/blames.py."""
DETECTION = Path(__file__).parents[1] / "docs" / "detection.json"
SUITE = ["--pyargs", "pytest_cloudimages.conformance", "-q", "-p", "no:cacheprovider", "-W", "ignore"]


@dataclass
class Check:
    """The checks of a requirement."""

    ids: tuple[str, ...]
    workloads: frozenset[str]
    own: int
    """Requests that they send themselves."""
    looks: bool
    """Whether they are shown workloads while these are made."""


@dataclass
class Known:
    """By what a fault is known."""

    counts: float
    shown: dict[str, float] = field(default_factory=dict)
    """After how many requests of a workload, by its name."""
    judged: set[int] = field(default_factory=set)
    """The places of the checks that find it."""


class Meter:
    """Counts what each check of a run sends itself."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self._before = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Note what was sent until now: fixtures make the workloads."""
        self._before = _sent(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Note what was sent since."""
        ids = tuple(ids_of(item))
        workloads = frozenset(declared.name for declared in registry.asked_by([item]))
        check = Check(ids, workloads, _sent(item) - self._before, bool(looked_at(item)))
        # Checks of the same requirement have the same place.
        for other in [each for each in self.checks if {*each.ids}.intersection(ids)]:
            self.checks.remove(other)
            both = tuple(dict.fromkeys(other.ids + check.ids))
            looks = other.looks and check.looks
            check = Check(both, other.workloads | check.workloads, other.own + check.own, looks)
        self.checks.append(check)
        return (yield)


def _sent(item: pytest.Item) -> int:
    return item.config.stash[RUN].recorder.counts.total()


def looks(names: Iterable[str]) -> dict[str, Shown]:
    """Return what the workloads show of these faults."""
    from faults import FAULTS
    from faults.sampling import Widely
    from faults.trial import judged

    found: dict[str, Shown] = {}
    for name in names:
        fault = FAULTS[name]
        os.environ[BROKEN] = json.dumps(sorted(fault.broken))
        with tempfile.TemporaryDirectory() as folder:
            with suppress(RuntimeError):  # it ends before there are any results
                judged(Widely(fault), Path(folder), profile="standard", select=(), pytest=("-p", "benchmarks.looks"))
            shown = json.loads(Path(folder, "looks.json").read_text(encoding="utf-8"))
        found[name] = {workload: each | {"told": _of(each["told"], fault.broken)} for workload, each in shown.items()}
    return found


def _of(told: Mapping[str, int], broken: Iterable[str]) -> dict[str, int]:
    return {identifier: told[identifier] for identifier in broken if identifier in told}


class Order:
    """The order in the making."""

    def __init__(self, checks: Sequence[Check], costs: Mapping[str, int], faults: Iterable[Known]) -> None:
        self.checks, self.costs = checks, costs
        self.needs = {declared.name: declared.needs for declared in registry.workloads()}
        self.unknown = [fault for fault in faults if fault.shown or fault.judged]
        self.made: set[str] = set()
        self.left = {*range(len(checks))}
        self.sent = 0.0
        self.known: list[float] = []
        """After how many requests each fault was known, as often as it counts."""
        self.names: list[str] = []

    def find(self) -> list[str]:
        """Return names of workloads and ids of requirements."""
        while self.unknown and (best := max(self._next(), default=None)):
            _, _, name, place = best
            if name:
                self._make(name)
            else:
                self._ask(place)
        for name in sorted(self.costs, key=lambda name: self.costs[name]):
            self._make(name)
        for place in sorted(self.left):
            self._ask(place)
        return [*dict.fromkeys(self.names)]

    def _next(self) -> Iterable[tuple[float, float, str, int]]:
        """Yield what could come next, with how much it finds per request."""
        gains: dict[tuple[str, int], float] = {}
        for fault in self.unknown:
            for key in (*((name, 0) for name in fault.shown), *(("", place) for place in fault.judged & self.left)):
                gains[key] = gains.get(key, 0.0) + fault.counts
        for (name, place), gain in gains.items():
            cost = LEAST + (self._cost_of(name) if name else self._cost(self.checks[place]))
            yield gain / cost, -cost, name, place

    def _cost(self, check: Check) -> int:
        return check.own + sum(self.costs[name] for name in check.workloads - self.made)

    def _cost_of(self, name: str) -> int:
        return self.costs[name] + sum(map(self._cost_of, {*self.needs[name]} - self.made))

    def _make(self, name: str) -> None:
        if name in self.made:
            return
        for needed in self.needs[name]:
            self._make(needed)
        for fault in [fault for fault in self.unknown if name in fault.shown]:
            self._know(fault, self.sent + fault.shown[name])
        self.made.add(name)
        self.sent += self.costs[name]
        self.names.append(name)
        # Who looks at no more than what is made sends nothing.
        for place in sorted(self.left):
            check = self.checks[place]
            if check.looks and not check.own and check.workloads <= self.made:
                self._ask(place)

    def _ask(self, place: int) -> None:
        self.left.discard(place)
        for name in sorted(self.checks[place].workloads):
            self._make(name)
        self.sent += self.checks[place].own
        self.names += self.checks[place].ids
        for fault in [fault for fault in self.unknown if place in fault.judged]:
            self._know(fault, self.sent)

    def _know(self, fault: Known, sent: float) -> None:
        self.known += [sent] * round(fault.counts)
        self.unknown.remove(fault)


def known_by(
    rows: Mapping[str, Mapping[str, Any]],
    shown: Mapping[str, Shown],
    checks: Sequence[Check],
    costs: Mapping[str, int],
    left_out: Iterable[str],
) -> list[Known]:
    """Return by what each fault is known: as it was seen, or else as it is guessed."""
    paused = {declared.name for declared in registry.workloads() if not registry.goes_on(declared)}
    guess, found = random.Random(1), list[Known]()  # noqa: S311 - to be the same each time
    parts = [
        min(1.0, place / max(1, each["requests"]))
        for workloads in shown.values()
        for each in workloads.values()
        for place in [*each["told"].values()][:1]
    ]
    for name in sorted(rows.keys() - {*left_out}):
        ids = {*rows[name]["found"]}.intersection(rows[name]["breaks"])
        asked = [place for place, check in enumerate(checks) if ids.intersection(check.ids)]
        known = Known(SEEN if name in shown else 1.0, judged={*asked})
        if name in shown:
            told = {workload: each["told"].values() for workload, each in shown[name].items() if workload in costs}
            known.shown = {
                workload: float(min(places)) for workload, places in told.items() if places and workload in paused
            }
        else:
            for place in asked:
                if checks[place].looks:
                    workload = guess.choice(sorted(checks[place].workloads & costs.keys()))
                    if workload not in paused:
                        continue
                    place_of_it = guess.choice(parts) * costs[workload]
                    known.shown[workload] = min(place_of_it, known.shown.get(workload, math.inf))
        found.append(known)
    return found


def main() -> None:
    """Measure, and print or write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=EVERY, metavar="N", help="the sample (every 16th)")
    parser.add_argument("--looks", type=Path, metavar="FILE", help="keeps what the workloads have shown")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    sys.path.insert(0, str(DETECTION.parents[1] / "tests"))
    from faults import sampling

    if chosen.looks and chosen.looks.exists():
        shown = json.loads(chosen.looks.read_text(encoding="utf-8"))
    else:
        # Others than benchmarks/blames.py measures by.
        shown = looks(sampling.sample(chosen.every, FIRST))
        if chosen.looks:
            chosen.looks.write_text(json.dumps(shown), encoding="utf-8")
    measured = json.loads(DETECTION.read_text(encoding="utf-8"))["faults"]
    rows = {name: row for name, row in measured.items() if row["breaks"]}
    meter = Meter()
    pytest.main([*SUITE, "--cloudimages-reference", "--cloudimages-seed=1"], plugins=[meter])
    costs = {declared.name: declared.requests["standard"] for declared in registry.workloads()}
    order = Order(meter.checks, costs, known_by(rows, shown, meter.checks, costs, sampling.sample(LEFT_OUT)))
    names = order.find()
    print(f"half of the faults are known after {statistics.median(order.known):,.0f} requests")
    if chosen.write:
        FILE.write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
