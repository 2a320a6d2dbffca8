"""Which shard of a run asks which requirements: the same on every machine, by nothing but what is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_cloudimages.engine.registry import asked_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import pytest

MOST = 64
"""Shards of a run, at most."""
OF_A_TEST = 3
"""Requests that a test is taken to send itself; it has no share in planning otherwise."""
STEPS = 40
"""Steps to twice of what each shard is to have at best."""


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

    Requirements that share a test stay together. Each shard is to have as little to do as the dearest requirement, or
    an equal share of all workloads; they are allowed more step by step until all requirements find a place.
    """
    groups = _groups(items, ids_of)
    costs = {declared.name: declared.requests[profile] for declared in asked_by(items)}
    wanted = [_Wanted(frozenset(each.name for each in asked_by(tests)), OF_A_TEST * len(tests)) for _, tests in groups]
    dearest_first = sorted(range(len(groups)), key=lambda place: (-wanted[place].of(costs), place))
    least = max([sum(costs.values()) // shards, *(each.of(costs) for each in wanted)])
    for step in range(STEPS):
        most = least * (STEPS + step) // STEPS
        chosen, loads = _assigned([wanted[place] for place in dearest_first], costs, shards, most)
        if max(loads) <= most:
            break
    return {
        identifier: shard + 1
        for place, shard in zip(dearest_first, chosen, strict=True)
        for identifier in groups[place][0]
    }


@dataclass(frozen=True)
class _Wanted:
    """What a group of requirements wants: workloads, and requests of its own."""

    workloads: frozenset[str]
    own: int

    def of(self, costs: Mapping[str, int], there: AbstractSet[str] = frozenset()) -> int:
        """Return how many requests it adds to a shard that carries out what is ``there``."""
        return self.own + sum(costs[name] for name in self.workloads - there)


def _assigned(
    groups: Sequence[_Wanted], costs: Mapping[str, int], shards: int, most: int
) -> tuple[Sequence[int], Sequence[int]]:
    """Return the shard of each group, counted from 0, and the requests of each shard.

    A group goes to the shard that needs the fewest further requests for it and has ``most`` with them at most; where
    that holds for none, to the one that has the fewest with it. No shard is left with nothing to do.
    """
    loads, carried_out = [0] * shards, [set[str]() for _ in range(shards)]
    chosen: list[int] = []
    for place, group in enumerate(groups):
        added = [group.of(costs, there) for there in carried_out]
        idle = [number for number, load in enumerate(loads) if not load]
        fitting = [number for number in range(shards) if loads[number] + added[number] <= most]
        if len(groups) - place <= len(idle):
            shard = idle[0]
        elif fitting:
            shard = min(fitting, key=lambda number: (added[number], loads[number], number))
        else:
            shard = min(range(shards), key=lambda number: (loads[number] + added[number], number))
        loads[shard] += added[shard]
        carried_out[shard] |= group.workloads
        chosen.append(shard)
    return chosen, loads


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
