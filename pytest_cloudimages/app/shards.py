"""Which shard of a run asks which requirements: the same on every machine, by nothing but what is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_cloudimages.engine.registry import asked_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

MOST = 64
"""Shards of a run, at most."""
OF_A_TEST = 3
"""Requests that a test is taken to send itself; it has no share in planning otherwise."""


@dataclass(frozen=True)
class Shard:
    """One of several runs that ask together what one run asks."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``2/4`` stands for; raise ``ValueError`` for anything else."""
        found = re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})", text.strip())
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of <= MOST:
            raise ValueError(f"--shard: expected i/N, such as 2/4, with N up to {MOST}; got {text!r}")
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def divided(
    items: Sequence[pytest.Item], ids_of: Callable[[pytest.Item], Sequence[str]], shards: int, profile: str
) -> Mapping[str, int]:
    """Return the number of the shard that asks each requirement.

    Requirements that share a test stay together. The dearest come first, each to the shard where it leads to the least
    work: one that carries out most of the workloads anyway, or one that has little to do.
    """
    groups = _groups(items, ids_of)
    costs = {declared.name: declared.requests[profile] for declared in asked_by(items)}
    looked_at = [{each.name for each in asked_by(tests)} for _, tests in groups]
    order = sorted(range(len(groups)), key=lambda place: (-sum(costs[name] for name in looked_at[place]), place))
    loads, carried_out = [0] * shards, [set[str]() for _ in range(shards)]
    found: dict[str, int] = {}
    for place in order:
        ids, tests = groups[place]
        added = [sum(costs[name] for name in looked_at[place] - there) for there in carried_out]
        shard = min(range(shards), key=lambda number: (loads[number] + added[number], number))
        loads[shard] += added[shard] + OF_A_TEST * len(tests)
        carried_out[shard] |= looked_at[place]
        found |= dict.fromkeys(ids, shard + 1)
    return found


def _groups(
    items: Sequence[pytest.Item], ids_of: Callable[[pytest.Item], Sequence[str]]
) -> list[tuple[set[str], list[pytest.Item]]]:
    """Return what shares no test, in the order of the tests: some requirements, and the tests that ask for them."""
    groups: list[tuple[set[str], list[pytest.Item]]] = []
    for item in items:
        ids = set(ids_of(item))
        if not ids:
            continue
        shared = [group for group in groups if group[0] & ids]
        merged = (ids.union(*(group[0] for group in shared)), [test for group in shared for test in group[1]])
        merged[1].append(item)
        groups = [group for group in groups if group not in shared] + [merged]
    return groups
