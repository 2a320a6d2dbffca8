"""The order in which the suite's checks are asked: what finds most per request comes first.

It was measured over the faulty servers of the project's own tests: `python -m benchmarks.order --write`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.suite import of_the_suite
from pytest_cloudimages.engine import registry
from pytest_cloudimages.spec.marks import is_in_passing
from pytest_cloudimages.spec.requirements import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pytest

    from pytest_cloudimages.engine.registry import Workload
    from pytest_cloudimages.spec.requirements import Requirement

FILE = Path(__file__).with_name("order.json")
"""The ids of the requirements in that order, and the names of workloads before what is asked after they are made."""


@cache
def places() -> Mapping[str, int]:
    """Return the place of each requirement, and each workload, in that order."""
    return {name: place for place, name in enumerate(json.loads(FILE.read_text(encoding="utf-8")))}


def asked_but_not_begun_by(item: pytest.Item) -> list[Workload]:
    """Return the workloads that a test asks for, but for those it only begins, by ``usefixtures``, for others."""
    begun = {name for mark in item.iter_markers("usefixtures") for name in mark.args}
    return [declared for declared in registry.asked_by([item]) if declared.name not in begun]


def place_of(item: pytest.Item, ids: Iterable[str]) -> int:
    """Return the place of a check of some requirements: that of the first of them, the last where none was measured.

    It comes after all that it looks at: one that takes hundreds of requests would keep what finds more from its turn.
    What it only begins is none of these: another check looks at that, and may want it to be long ago.
    """
    found = places()
    mine = min((found.get(identifier, len(found)) for identifier in ids), default=0)
    return max([mine, *(found.get(declared.name, 0) for declared in asked_but_not_begun_by(item))])


@cache
def _workloads() -> Mapping[str, int]:
    """Return the place of each workload in that order."""
    return {name: place for name, place in places().items() if name.islower()}


def workloads_before(place: int) -> list[str]:
    """Return the names of the workloads that are made before a check has its place, and of the one that has it."""
    return [name for name, its_place in _workloads().items() if its_place <= place]


def in_order(
    items: Sequence[pytest.Item],
    ids_of: Callable[[pytest.Item], Sequence[str]],
    catalogue: Mapping[str, Requirement],
    *,
    musts_first: bool,
) -> list[pytest.Item]:
    """Return tests in the order in which they find most per request; ``musts_first`` where not all may be asked.

    What was never measured, such as a requirement of the tester's own, is asked last, and behind it what looks at what
    others have met; tests without requirement, and the tester's own, stay behind and in their order.
    """

    def rank(item: pytest.Item) -> tuple[bool, bool, bool, int]:
        ids = ids_of(item)
        if not ids or not of_the_suite(item.path):
            return True, False, False, 0
        must = any(catalogue[identifier].level is Level.MUST for identifier in ids)
        return (
            False,
            is_in_passing(item),
            musts_first and not must,
            place_of(item, ids),
        )

    return sorted(items, key=rank)
