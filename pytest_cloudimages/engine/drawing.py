"""Values that follow from a seed and nothing else."""

import json
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies._internal import core

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Sample:
    """A tag, with the input class it was drawn from."""

    tag: str
    input_class: str


def samples(table: dict[str, st.SearchStrategy[str]], rounds: int = 1) -> st.SearchStrategy[list[Sample]]:
    """Return a strategy of lists with ``rounds`` tags of every input class of a table."""
    input_classes = [input_class for input_class in table for _ in range(rounds)]
    return st.tuples(*(table[input_class] for input_class in input_classes)).map(
        lambda drawn: [Sample(tag, input_class) for tag, input_class in zip(drawn, input_classes, strict=True)]
    )


def shuffled(drawn: Iterable[Value], seed: int) -> list[Value]:
    """Return values in an order that depends on nothing but the seed and the values.

    The names of a value's class and fields do not count: renaming them must not change what a seed means.
    """
    return sorted(drawn, key=lambda value: zlib.crc32(f"{seed} {json.dumps(value, default=astuple)}".encode()))


def batches(drawn: Sequence[Value], size: int) -> list[list[Value]]:
    """Return values divided into batches of at most ``size``."""
    return [[*drawn[begin : begin + size]] for begin in range(0, len(drawn), size)]


def draw(strategy: st.SearchStrategy[Value], seed: int, count: int = 1) -> list[Value]:
    """Return up to ``count`` values of a strategy that depend on nothing but the seed, drawn outside any test."""
    found: list[Value] = []

    @hypothesis.seed(seed)
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

    with _SOURCES, without_sources():
        collect()
    return found[1 : count + 1] or found


_SOURCES = threading.RLock()
"""Held while Hypothesis is kept from the sources: what it reads of them, it reads once for all threads."""


@cache
def _permitted() -> Any:
    """Return the cache of which of Hypothesis's own constants each kind of value may be: the same in every drawing."""
    kept = providers.CONSTANTS_CACHE
    return type(kept)(kept.max_size)


@contextmanager
def without_sources() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it read in the sources of loaded modules, and from reading them.

    It mixes constants of a tester's own modules, and of this package's if that is installed from a checkout, into
    what it draws; then the same seed would draw other tags in another folder, or once a constant of ours has changed.
    """
    # These are internals of Hypothesis: if a later version lacks them, tests/test_seeds.py fails.
    read = getattr(providers, "_get_local_constants", None)
    kept = getattr(providers, "CONSTANTS_CACHE", None)
    if read is None or kept is None or read is Constants:
        yield
        return
    providers._get_local_constants = Constants  # noqa: SLF001 - there is no setting for it
    providers.CONSTANTS_CACHE = _permitted()
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = read, kept  # noqa: SLF001


@contextmanager
def composites_unread() -> Iterator[None]:
    """Keep Hypothesis from parsing the source of each composite strategy, to warn of one that never draws."""
    # An internal of Hypothesis, as above: where a later version lacks it, sources are read.
    inside: Any = core
    looks = getattr(inside, "is_first_param_referenced_in_function", None)
    if looks is None:
        yield
        return
    inside.is_first_param_referenced_in_function = lambda _: True
    try:
        yield
    finally:
        inside.is_first_param_referenced_in_function = looks


@st.composite
def merged(draw: st.DrawFn, lists: Sequence[Sequence[Value]]) -> list[Value]:
    """Return lists merged in any way that keeps the order of each."""
    turns = draw(st.permutations([place for place, values in enumerate(lists) for _ in values]))
    waiting = [iter(values) for values in lists]
    return [next(waiting[turn]) for turn in turns]
