"""Values that follow from a number."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Sample:
    """A tag, with the class it was drawn from."""

    tag: str
    kind: str


def samples(table: dict[str, st.SearchStrategy[str]], rounds: int = 1) -> st.SearchStrategy[list[Sample]]:
    """So many tags of every class of a table: each class is certain to be there."""
    kinds = [kind for kind in table for _ in range(rounds)]
    return st.tuples(*(table[kind] for kind in kinds)).map(
        lambda drawn: [Sample(tag, kind) for tag, kind in zip(drawn, kinds, strict=True)]
    )


def shuffled(drawn: Iterable[Value], number: int) -> list[Value]:
    """Return what was drawn in an order that depends on nothing but the number and the values.

    A value counts for what it holds: what its class and its fields are called must not change what a seed means.
    """
    return sorted(drawn, key=lambda value: zlib.crc32(f"{number} {json.dumps(value, default=astuple)}".encode()))


def batches(drawn: Sequence[Value], size: int) -> list[list[Value]]:
    """Divide what was drawn into batches of at most so many."""
    return [[*drawn[begin : begin + size]] for begin in range(0, len(drawn), size)]


def draw(strategy: st.SearchStrategy[Value], number: int, count: int = 1) -> list[Value]:
    """Draw values that depend on nothing but the number, outside any test."""
    found: list[Value] = []

    @seed(number)
    @settings(
        # Hypothesis begins with the simplest value there is; it comes on top of those asked for.
        max_examples=count + 1,
        parent=settings.get_profile("default"),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Value) -> None:
        found.append(value)

    with _without_sources():
        collect()
    return found[1 : count + 1] or found


@contextmanager
def _without_sources() -> Iterator[None]:
    """Have Hypothesis draw nothing that it read in the sources of modules that happen to be loaded.

    It mixes constants of a tester's own modules, and of this package's where that is installed from a checkout, into
    what it draws; then the same seed would try other tags in another folder, or once a constant of ours has changed.
    """
    # These are Hypothesis's own affair: where a later version has them no more, a test tells.
    read = getattr(providers, "_get_local_constants", None)
    kept = getattr(providers, "CONSTANTS_CACHE", None)
    if read is None or kept is None:
        yield
        return
    providers._get_local_constants = Constants  # noqa: SLF001 - there is no setting for it
    providers.CONSTANTS_CACHE = type(kept)(kept.max_size)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = read, kept  # noqa: SLF001


@st.composite
def merged(draw_one: st.DrawFn, lists: Sequence[Sequence[Value]]) -> list[Value]:
    """Merge lists in any way that keeps the order of each."""
    turns = draw_one(st.permutations([place for place, one in enumerate(lists) for _ in one]))
    waiting = [iter(one) for one in lists]
    return [next(waiting[turn]) for turn in turns]
