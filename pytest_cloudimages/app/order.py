"""The order in which the suite's checks are asked: what finds most per request comes first.

It was measured over the faulty servers of the project's own tests: `python benchmarks/order.py --write`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.suite import of_the_suite
from pytest_cloudimages.spec.marks import is_in_passing
from pytest_cloudimages.spec.requirements import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from pytest_cloudimages.spec.requirements import Requirement

FILE = Path(__file__).with_name("order.json")
"""The ids of the requirements in that order."""


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
    places = {identifier: place for place, identifier in enumerate(json.loads(FILE.read_text(encoding="utf-8")))}

    def rank(item: pytest.Item) -> tuple[bool, bool, bool, int]:
        ids = ids_of(item)
        if not ids or not of_the_suite(item.path):
            return True, False, False, 0
        must = any(catalogue[identifier].level is Level.MUST for identifier in ids)
        return (
            False,
            is_in_passing(item),
            musts_first and not must,
            min((places.get(identifier, len(places)) for identifier in ids), default=0),
        )

    return sorted(items, key=rank)
