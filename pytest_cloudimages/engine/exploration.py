"""Exploration: what follows from the seed is drawn anew and looked at, until time is over or something is found."""

from __future__ import annotations

import hashlib
import inspect
import json
import threading
import time
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_cloudimages.engine import registry
from pytest_cloudimages.engine.registry import Workloads
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.spec.verdicts import Verdict

RUN = "cloudimages_run"
"""The fixture that all that asks the service rests on."""
NOTHING_DRAWN = "it looks at nothing that follows from the seed"
EVERY = 10.0
"""Seconds between two lines of progress, at least."""
REPLAYED = 20
"""Examples of earlier runs at most that are tried first, the newest before older ones."""
STRIDE = 0x9E3779B1
"""Leads from one seed to the next, so that runs with neighbouring seeds do not try the same."""


class Shown(Protocol):
    """What a check has shown of one requirement with one seed, as whoever judges it puts it."""

    @property
    def id(self) -> str:
        """The id of the requirement."""

    @property
    def verdict(self) -> Verdict:
        """The verdict."""

    @property
    def cases(self) -> int:
        """How many cases the check had."""

    @property
    def kinds(self) -> Mapping[str, int] | None:
        """How many of each class of input."""

    @property
    def explanation(self) -> str:
        """Why it is that verdict."""

    @property
    def witnesses(self) -> Sequence[Any]:
        """The smallest histories that show it, as JSON data."""


@dataclass(frozen=True)
class Examples:
    """Seeds that found something, shared by all runs that name the same folder: one JSON file for each."""

    folder: Path

    def seeds(self) -> list[int]:
        """Return the seeds, the newest first; a file that is none of ours is let be."""
        found: list[int] = []
        files = sorted(self.folder.glob("seed-*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files:
            try:
                seed = json.loads(file.read_text(encoding="utf-8"))["seed"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if isinstance(seed, int):
                found.append(seed)
        return found[:REPLAYED]

    def keep(self, seed: int, records: Sequence[Shown], endpoint: str) -> Path:
        """Write down what a seed found, and return the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = {
            "seed": seed,
            "endpoint": endpoint,
            "found": {record.id: record.explanation for record in records},
            "witnesses": [witness for record in records for witness in record.witnesses],
        }
        name = hashlib.sha256(endpoint.encode()).hexdigest()[:6]
        path = self.folder / f"seed-{seed}-{name}.json"
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        return path


@dataclass
class Exploration:
    """Rounds of what follows from a seed, each with a seed of its own."""

    run: Run
    items: Sequence[pytest.Item]
    """The checks that are asked again: those that found nothing so far."""
    judge: Callable[[pytest.Item, Mapping[str, Any], int], Sequence[Shown]]
    """Asks one check with these arguments, and returns what it has shown of a seed."""
    say: Callable[[str], None]
    minutes: float
    examples: Examples
    begun: float
    clock: Callable[[], float] = time.monotonic
    rounds: int = 0
    cases: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    _said: float = 0.0

    @property
    def left(self) -> float:
        """How many seconds there are left."""
        return self.minutes * 60 - (self.clock() - self.begun)

    def seeds(self) -> Iterator[int]:
        """Yield the seeds: those that found something once, then ever new ones."""
        yield from self.examples.seeds()
        seed = self.run.settings.seed
        while True:
            seed = (seed + STRIDE) % 2**32
            yield seed

    def explore(self) -> None:
        """Try seed after seed until time is over or something is found."""
        if not self.items:
            self.say("explored: nothing, since no check that passed follows from the seed")
            return
        self.say("")
        for seed in self.seeds():
            if self.left <= 0:
                break
            found = self.round(seed)
            self.progress(last=bool(found))
            if found:
                path = self.examples.keep(seed, found, self.run.service.endpoint)
                self.say(f"explored: seed {seed} found {', '.join(record.id for record in found)}, kept in {path}")
                return
        self.progress(last=True)

    def round(self, seed: int) -> list[Shown]:
        """Ask every check once with a seed, and return what is found."""
        run = self.run.with_seed(seed)
        found: list[Shown] = []
        with Workloads(run, exploring=True) as workloads, ExitStack() as stack:
            fixtures = Fixtures({RUN: run, registry.FIXTURE: workloads}, stack)
            for item in self.items:
                if self.left <= 0:
                    break
                for record in self.asked(item, seed, fixtures):
                    self.cases += record.cases
                    self.kinds.update(record.kinds or {})
                    found += [record] if record.verdict.finding else []
                self.progress()
        self.rounds += 1
        return found

    def asked(self, item: pytest.Item, seed: int, fixtures: Fixtures) -> Sequence[Shown]:
        """Ask one check; what it looks at is made where no check of this round has asked for it before."""
        try:
            with ExitStack() as stack:
                return self.judge(item, fixtures.arguments(item, stack), seed)
        except (Blocked, pytest.skip.Exception):
            # Where a precondition is missing there is nothing to find; the next round may have more luck.
            return []

    def progress(self, *, last: bool = False) -> None:
        """Say how far it has come, now and then."""
        now = self.clock()
        if last or now - self._said >= EVERY:
            self._said = now
            requests = sum(self.run.recorder.counts.values())
            self.say(
                f"explored: {self.rounds} rounds, {self.cases} cases, {requests} requests, {len(self.kinds)} classes,"
                f" {max(self.left, 0):.0f} s left"
            )


@dataclass
class Fixtures:
    """The fixtures of checks, made by the functions that make them for pytest, and resting on another run."""

    given: dict[str, Any]
    """What is there already, by the name of the fixture."""
    stack: ExitStack
    """Ends what lasts longer than one check."""
    _made: dict[Any, Any] = field(default_factory=dict)
    _making: dict[Any, threading.RLock] = field(default_factory=dict, repr=False, compare=False)
    """Held while a fixture is made that lasts: checks may be asked beside each other, and share it."""

    def arguments(self, item: pytest.Item, stack: ExitStack) -> dict[str, Any]:
        """Return what a check is called with, without its parameters; the stack ends what is made for it alone."""
        alone: dict[Any, Any] = {}
        values = {name: self._value(item, name, stack, alone) for name in initial_names(item)}
        return {name: values[name] for name in values if name in _info(item).argnames}

    def _value(self, item: pytest.Item, name: str, stack: ExitStack, alone: dict[Any, Any], above: int = 0) -> Any:
        if name in self.given:
            return self.given[name]
        definition = _info(item).name2fixturedefs[name][-1 - above]
        lasting = definition.scope != "function"
        made = self._made if lasting else alone
        with self._making.setdefault(definition, threading.RLock()) if lasting else nullcontext():
            if definition not in made:
                needed = {
                    # One that asks for its own name is handed the one that it overrides.
                    other: self._value(item, other, stack, alone, above + 1 if other == name else 0)
                    for other in definition.argnames
                }
                made[definition] = registry.enter(self.stack if lasting else stack, definition.func, **needed)
            return made[definition]


def _info(item: pytest.Item) -> Any:
    return item._fixtureinfo  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it


def lasting(item: pytest.Item) -> list[str]:
    """Return the fixtures of a check that are made for more than this check."""
    return [name for name, made in _info(item).name2fixturedefs.items() if made[-1].scope != "function"]


def initial_names(item: pytest.Item) -> list[str]:
    """Return the names of the fixtures that a test asks for itself, or its author has set for it, without parameters.

    What a plugin does around every test of a run has been done and undone when a check is explored.
    """
    info, found = _info(item), []
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for name in info.initialnames:
        definitions = info.name2fixturedefs.get(name)
        module = getattr(definitions[-1].func, "__module__", "") if definitions else ""
        direct = name in parameters and (not definitions or module.startswith("_pytest."))
        if not direct and (name in info.argnames or (definitions and definitions[-1].baseid)):
            found.append(name)
    return found


def follows_from_the_seed(item: pytest.Item) -> bool:
    """Return whether a check asks anything new with another seed."""
    if not ids_of(item) or not hasattr(item, "_fixtureinfo"):
        return False
    if hasattr(getattr(item, "function", None), "hypothesis"):
        return True
    for definition in _definitions(item):
        declared = registry.workload_of(definition)
        if declared is not None and declared.follows_the_seed:
            return True
        if declared is None and registry.FIXTURE in definition.argnames:
            return True
    # Which of the workloads it takes shows when it takes them.
    return registry.FIXTURE in _info(item).argnames


def obstacle(item: pytest.Item) -> str:
    """Return why a check cannot be asked with another seed; an empty text where it can."""
    for name in initial_names(item):
        if name not in _info(item).name2fixturedefs:
            return f"it asks for pytest's `{name}`"
    for definition in _definitions(item):
        name = definition.argname
        if definition.params is not None:
            return f"the fixture `{name}` has parameters"
        if len(inspect.signature(definition.func).parameters) > len(definition.argnames):
            return f"the fixture `{name}` belongs to a class"
        for needed in definition.argnames:
            if needed not in _info(item).name2fixturedefs:
                return f"the fixture `{name}` asks for pytest's `{needed}`"
    return ""


def _definitions(item: pytest.Item) -> Iterator[Any]:
    """Yield the definitions of all fixtures that a check rests on."""
    names, seen = initial_names(item), set[str]()
    while names:
        name = names.pop()
        if name in seen or name in (RUN, registry.FIXTURE):
            continue
        seen.add(name)
        for definition in _info(item).name2fixturedefs.get(name, ())[-1:]:
            yield definition
            names += definition.argnames


def divided(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], dict[str, str]]:
    """Return the checks that are explored, and by the name of each other one why it is not."""
    explored, left = [], {}
    for item in items:
        if not ids_of(item):
            continue
        if not follows_from_the_seed(item):
            left[item.nodeid] = NOTHING_DRAWN
        elif reason := obstacle(item):
            left[item.nodeid] = reason
        else:
            explored.append(item)
    return explored, left
