"""Find the order in which the suite finds most per request, and write it down for the runs to come.

Usage: python -m benchmarks.order [--every N] [--looks FILE] [--write]. What a check costs itself is measured in a run
of profile standard on the embedded server; what it finds is in docs/detection.json: the faults whose requirements it
asks for. What a workload shows by itself is measured over a sample of the faults (benchmarks/looks.py), and kept in
FILE, which is read where it is there. The next workload, or check with the workloads that it looks at, is always that
which finds most new faults per request. Prints after how many requests half of the faults are known, in the order there
is and in the new one, as if every run asked all of it; `python benchmarks/performance.py` measures it. `--write` writes
pytest_cloudimages/app/order.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.order import FILE, places
from pytest_cloudimages.app.stash import RUN
from pytest_cloudimages.engine import registry
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    Shown = Mapping[str, Mapping[str, Any]]
    """By the names of workloads how many requests each took, and after how many of them a requirement could be told."""

FIRST = 4
"""Which fault is the first of the sample, in the order of their names."""
DETECTION = Path(__file__).parents[1] / "docs" / "detection.json"
SUITE = ["--pyargs", "pytest_cloudimages.conformance", "-q", "-p", "no:cacheprovider", "-W", "ignore"]


@dataclass(frozen=True)
class Unit:
    """A workload, or a check, with what it costs and finds."""

    names: tuple[str, ...]
    """The name of the workload, or the ids of the check."""
    workloads: frozenset[str]
    own: int
    """Requests that a check sends itself."""
    faults: frozenset[str]
    """What is found when it is over."""

    def with_(self, other: Unit) -> Unit:
        """Return both as one."""
        names = tuple(dict.fromkeys(self.names + other.names))
        return Unit(names, self.workloads | other.workloads, self.own + other.own, self.faults | other.faults)


class Meter:
    """Counts what each check of a run sends itself."""

    def __init__(self, found: Mapping[str, frozenset[str]]) -> None:
        self.checks: list[Unit] = []
        self._found, self._before = found, 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Note what was sent until now: fixtures make the workloads."""
        self._before = _sent(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Note what was sent since."""
        ids = tuple(ids_of(item))
        workloads = frozenset(declared.name for declared in registry.asked_by([item]))
        faults = frozenset(fault for fault, found in self._found.items() if found.intersection(ids))
        unit = Unit(ids, workloads, _sent(item) - self._before, faults)
        # Checks of the same requirement have the same place.
        for other in [check for check in self.checks if {*check.names}.intersection(ids)]:
            self.checks.remove(other)
            unit = unit.with_(other)
        self.checks.append(unit)
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
        with tempfile.TemporaryDirectory() as folder:
            with suppress(RuntimeError):  # it ends before there are any results
                judged(Widely(fault), Path(folder), profile="standard", select=(), pytest=("-p", "benchmarks.looks"))
            shown = json.loads(Path(folder, "looks.json").read_text(encoding="utf-8"))
        found[name] = {workload: each | {"told": _of(each["told"], fault.broken)} for workload, each in shown.items()}
    return found


def _of(told: Mapping[str, int], broken: Iterable[str]) -> dict[str, int]:
    return {identifier: told[identifier] for identifier in broken if identifier in told}


def by_yield(units: Sequence[Unit], costs: Mapping[str, int]) -> list[Unit]:
    """Return units in the order in which they find most new faults per request."""
    left, order, made, found = [*units], list[Unit](), set[str](), set[str]()

    def worth(unit: Unit) -> tuple[float, int]:
        cost = sum(costs[name] for name in unit.workloads - made) + unit.own
        return len(unit.faults - found) / (cost + 0.01), -cost

    while left:
        best = max(left, key=worth)
        order.append(best)
        left.remove(best)
        made |= best.workloads
        found |= best.faults
    return order


def known_after(
    order: Iterable[Unit], costs: Mapping[str, int], shown: Mapping[str, Shown], faults: Iterable[str]
) -> float:
    """Return after how many requests half of the faults are known: those of the sample while a workload is made."""
    made, sent, first = set[str](), 0, dict[str, int]()
    for unit in order:
        for name in sorted(unit.workloads - made):
            for fault, workloads in shown.items():
                if told := workloads.get(name, {}).get("told"):
                    first.setdefault(fault, sent + min(told.values()))
            sent += costs[name]
        made |= unit.workloads
        sent += unit.own
        for fault in unit.faults:
            first.setdefault(fault, sent)
    return statistics.median(first.get(fault, sent) for fault in faults)


def _shown_by(name: str, shown: Mapping[str, Shown]) -> frozenset[str]:
    return frozenset(fault for fault, workloads in shown.items() if workloads.get(name, {}).get("told"))


def main() -> None:
    """Measure, and print or write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=8, metavar="N", help="which faults are the sample (every 8th)")
    parser.add_argument("--looks", type=Path, metavar="FILE", help="keeps what the workloads have shown")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    if chosen.looks and chosen.looks.exists():
        shown = json.loads(chosen.looks.read_text(encoding="utf-8"))
    else:
        sys.path.insert(0, str(DETECTION.parents[1] / "tests"))
        from faults import sampling

        # Others than benchmarks/blames.py measures by.
        shown = looks(sampling.sample(chosen.every, FIRST))
        if chosen.looks:
            chosen.looks.write_text(json.dumps(shown), encoding="utf-8")
    rows = json.loads(DETECTION.read_text(encoding="utf-8"))["faults"]
    sample = {name: frozenset(row["found"]).intersection(row["breaks"]) for name, row in rows.items() if name in shown}
    meter = Meter(sample)
    pytest.main([*SUITE, "--cloudimages-reference", "--cloudimages-seed=1"], plugins=[meter])
    costs = {declared.name: declared.requests["standard"] for declared in registry.workloads()}
    units = [Unit((name,), frozenset({name}), 0, _shown_by(name, shown)) for name in costs]
    units += meter.checks
    now = sorted(units, key=lambda unit: min((places().get(name, len(units)) for name in unit.names), default=0))
    order = by_yield(units, costs)
    print(f"half of the faults are known after {known_after(now, costs, shown, sample):,.0f} requests as it is")
    print(f"half of the faults are known after {known_after(order, costs, shown, sample):,.0f} in the order of yield")
    if chosen.write:
        names = [name for unit in order for name in unit.names]
        FILE.write_text(json.dumps([*dict.fromkeys(names)], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
