"""Find the order in which the suite's checks find most per request, and write it down for the runs to come.

Usage: python benchmarks/order.py [--write]. What a check costs is measured in a run of profile standard on the embedded
server: the workloads it looks at, where no check before has, and what it sends itself. What it finds is in
docs/detection.json: the faults whose requirements it asks for. The next check is always the one, or the set of those
that look at the same workloads, that finds most new faults per request. Checks of tags come first: nobody is to hear of
a defect of tags later for what is asked of other areas. Prints after how many requests half of the
faults are known, in the order of the run and in the new one, by the verdicts alone: what the first look shows is known
before them, and `python benchmarks/performance.py` measures that. `--write` writes pytest_cloudimages/app/order.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.first_look import FIRST
from pytest_cloudimages.app.order import FILE
from pytest_cloudimages.app.stash import RUN
from pytest_cloudimages.engine import registry
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

TAGS = "TAG-"
"""What the ids of the requirements of tags begin with."""
DETECTION = Path(__file__).parents[1] / "docs" / "detection.json"


@dataclass(frozen=True)
class Check:
    """A check, with what it costs and finds."""

    ids: tuple[str, ...]
    workloads: frozenset[str]
    own: int
    """Requests that it sends itself."""
    faults: frozenset[str]


class Meter:
    """Counts what each check of a run sends itself."""

    def __init__(self, found: dict[str, frozenset[str]]) -> None:
        self.checks: list[Check] = []
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
        self.checks.append(Check(ids, workloads, _sent(item) - self._before, faults))
        return (yield)


def _sent(item: pytest.Item) -> int:
    return item.config.stash[RUN].recorder.counts.total()


def by_yield(checks: Sequence[Check], costs: dict[str, int]) -> list[Check]:
    """Return the checks in the order in which they find most new faults per request, those of tags first."""
    order, made, found = list[Check](), set[str](), set[str]()

    def cost(asked: set[str]) -> int:
        # Whoever asks for a workload first has those made that all checks take a first look at.
        return sum(costs[name] for name in (asked | {*FIRST} if asked else asked) - made)

    def worth(group: Iterable[Check]) -> float:
        new, asked, own = set[str](), set[str](), 0
        for check in group:
            new, asked, own = new | check.faults, asked | check.workloads, own + check.own
        return len(new - found) / (cost(asked) + own + 0.01)

    of_tags = [check for check in checks if any(each.startswith(TAGS) for each in check.ids)]
    for left in (of_tags, [check for check in checks if check not in of_tags]):
        while left:
            lookers = {check.workloads - made for check in left}
            groups = [[check] for check in left]
            groups += [
                [check for check in left if check.workloads - made <= wanted] for wanted in sorted(lookers, key=sorted)
            ]
            best = max(groups, key=worth)
            for check in sorted(best, key=lambda check: (check.own, -len(check.faults - found))):
                order.append(check)
                left.remove(check)
                made |= {*check.workloads, *FIRST} if check.workloads else set()
                found |= check.faults
    return order


def known_after(order: Iterable[Check], costs: dict[str, int]) -> float:
    """Return after how many requests half of the faults are known."""
    made, sent, first = set[str](), 0, dict[str, int]()
    for check in order:
        asked = {*check.workloads, *FIRST} if check.workloads else set[str]()
        sent += sum(costs[name] for name in asked - made) + check.own
        made |= asked
        for fault in check.faults:
            first.setdefault(fault, sent)
    return statistics.median(first.values())


def main() -> None:
    """Measure, and print or write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    rows = json.loads(DETECTION.read_text(encoding="utf-8"))["faults"]
    meter = Meter({name: frozenset(row["found"]).intersection(row["breaks"]) for name, row in rows.items()})
    words = ["--pyargs", "pytest_cloudimages.conformance", "-q", "-p", "no:cacheprovider"]
    pytest.main([*words, "--cloudimages-reference", "--cloudimages-seed=1"], plugins=[meter])
    costs = {declared.name: declared.requests["standard"] for declared in registry.workloads()}
    order = by_yield(meter.checks, costs)
    print(f"half of the faults are known after {known_after(meter.checks, costs):,.0f} requests as the run went")
    print(f"half of the faults are known after {known_after(order, costs):,.0f} requests in the order of yield")
    if chosen.write:
        ids = [identifier for check in order for identifier in check.ids]
        FILE.write_text(json.dumps([*dict.fromkeys(ids)], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
