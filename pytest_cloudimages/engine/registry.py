"""The one list of workloads: each is drawn and carried out once, and looked at by many checks.

A workload is declared where it is written, with ``@workload``. The declaration is all there is of it elsewhere: its
session fixture, how exploration makes it anew, what it costs, and its row in the docs follow from it. The areas of the
API register themselves by being imported; nothing here knows any of them.
"""

from __future__ import annotations

import inspect
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import pytest

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.lacking import Lacking
from pytest_cloudimages.engine.made_steadily import made_steadily
from pytest_cloudimages.engine.settings import PROFILES
from pytest_cloudimages.spec.verdicts import Blocked, NoEffect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from pytest_cloudimages.client.exchange import Exchange
    from pytest_cloudimages.engine.run import Run

Make = TypeVar("Make", bound="Callable[..., Any]")

FIXTURE = "cloudimages_workloads"
"""The fixture that the session fixtures of all workloads rest on."""


@dataclass(frozen=True)
class Workload:
    """One workload, as it is declared."""

    name: str
    make: Callable[..., Any] = field(repr=False)
    """Takes the run, the number that follows from its seed where there is a salt, and by name whatever it needs."""
    salt: str | None
    """What makes its number another than that of other workloads; ``None`` where it draws nothing."""
    follows_the_seed: bool
    """Whether another seed asks anything new."""
    needs: tuple[str, ...]
    """The workloads that it rests on."""
    empty: Callable[[], Any] | None = field(repr=False)
    """What a check is handed instead where another seed asks nothing new; ``None`` where it has to be made again."""
    anew: Callable[..., Any] = field(repr=False)
    """Makes what of it follows from the seed; takes what ``make`` takes."""
    requests: Mapping[str, int] = field(repr=False)
    """About how many requests it sends, by the name of the profile, as measured on the embedded server."""
    first_of: str = ""
    """The workload whose first part it is, and which needs it: checks look at it as at that one."""

    @property
    def area(self) -> str:
        """The package that declares it."""
        return self.make.__module__.rpartition(".")[0]

    @property
    def summary(self) -> str:
        """The first line of its description."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    @property
    def explored(self) -> str:
        """How exploration hands it over, in a word."""
        return "drawn anew" if self.follows_the_seed else "made again" if self.empty is None else "empty"


def looked_at_as(name: str) -> str:
    """Return the name of the workload that checks look at: the first part of one is looked at as that one."""
    return _WORKLOADS[name].first_of or name


def goes_on(declared: Workload) -> bool:
    """Return whether a workload goes on until the run is over: whoever looks at it may wait, and send."""
    return inspect.isgeneratorfunction(declared.make)


_WORKLOADS: dict[str, Workload] = {}


def workload(
    *,
    salt: str | None = None,
    follows_the_seed: bool = False,
    needs: Iterable[str] = (),
    empty: Callable[[], Any] | None = None,
    anew: Callable[..., Any] | None = None,
    first_of: str = "",
    requests: tuple[int, int, int, int],
) -> Callable[[Make], Make]:
    """Declare a workload: a function of a run, and of a number where it has a salt, that returns what checks look at.

    A generator is run to its end when the run is over. ``anew`` makes less than the function does: only what of the
    workload follows from the seed. ``first_of`` names the workload of which it is what shows most: that one needs it,
    and has all that it shows. ``requests`` is about how many it sends in the profiles quick, standard, thorough and
    explore: what was measured on the embedded server, for planning.
    """

    def declare(make: Make) -> Make:
        name = make.__name__
        if name in _WORKLOADS and _WORKLOADS[name].make.__module__ != make.__module__:
            raise ValueError(f"There are two workloads called {name}: in {_WORKLOADS[name].make.__module__} and here.")
        if follows_the_seed and (salt is None or empty is not None):
            raise ValueError(f"{name} follows the seed: expected a salt to draw it by, and nothing that is empty.")
        _WORKLOADS[name] = Workload(
            name,
            make,
            salt,
            follows_the_seed,
            (*needs,),
            empty,
            anew or make,
            dict(zip(PROFILES, requests, strict=True)),
            first_of,
        )
        return make

    return declare


def workloads(area: str = "") -> list[Workload]:
    """Return the workloads of a package, or all, in the order of their declaration."""
    return [declared for declared in _WORKLOADS.values() if not area or declared.area == area]


class Crowded(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """A workload could not be made beside others as it is made alone."""


def image_refused(exchange: Exchange) -> bool:
    """Return whether an image could not be had, for another reason than that the request was wrong as it was.

    What is refused where it is judged who may create images says nothing of how many there are.
    """
    created = exchange.method == "POST" and exchange.target.endswith("/images")
    wanted = created and exchange.purpose is Purpose.PREPARING
    return wanted and exchange.status != 400 and exchange.status // 100 != 2  # noqa: PLR2004 - as HTTP has it


class Watch(Protocol):
    """Whoever looks at workloads while they are made."""

    def __call__(self, name: str, so_far: Callable[[], Any], *, whole: bool, due: bool = False) -> None:
        """Look at a workload by its name, whole or as far as it is made; takes what makes something to look at.

        ``due`` says that something is amiss that was not before.
        """


class Workloads:
    """The workloads of one run, each made when it is first asked for and shared from then on.

    A check of one's own asks by name: ``cloudimages_workloads.plain_tags``. Where a check is explored, it is handed
    what follows from the seed drawn anew, and the rest empty: that was looked at before.
    """

    def __init__(self, run: Run, *, exploring: bool = False) -> None:
        self._run = run
        self._exploring = exploring
        self._made: dict[str, Any] = {}
        self._failed: dict[str, tuple[BaseException, TracebackType | None]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self.beside_others: set[str] = set()
        """Those that were made while others were; what they show is believed where it is all that was expected."""
        self.forgotten: set[str] = set()  # they are made alone since; pytest may still hand on what they were before
        self.watch: Watch | None = None
        """Looks at each workload while it is made; nobody, where several are made at once."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __repr__(self) -> str:
        return f"<Workloads: {len(self._made)} made>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_WORKLOADS]

    def __getattr__(self, name: str) -> Any:
        if name not in _WORKLOADS:
            raise AttributeError(f"There is no workload {name!r}; there are {', '.join(sorted(_WORKLOADS))}.")
        return self.get(name)

    def get(self, name: str) -> Any:
        """Return a workload; make it where nobody has asked for it before. What failed once fails again, unasked."""
        # Several may be made at once, and two of them rest on the same.
        with self._locks.setdefault(name, threading.RLock()):
            if name in self._failed:
                problem, trace = self._failed[name]
                raise problem.with_traceback(trace)
            if name not in self._made:
                self._made[name] = made = self._made_apart(name)
                if self.watch is not None and self._run.pool is None:
                    self.watch(looked_at_as(name), lambda: made, whole=True)
            return self._made[name]

    def _made_apart(self, name: str) -> Any:
        recorder, beside_others = self._run.recorder, self._run.pool is not None
        budget = self._run.transport.way.budget
        before = budget.refused
        try:
            # Whoever happens to ask first has not sent what the workload sends: it is no evidence of that check.
            with recorder.apart(), recorder.for_the_sake_of(name), ExitStack() as stack:
                sent = stack.enter_context(recorder.scope()) if beside_others else []
                made = made_steadily(partial(self._make, _WORKLOADS[name]), self._run, name)
            budget.see_that_nothing_was_left_out(before)
        except (Exception, pytest.skip.Exception) as problem:
            if not beside_others:
                self._failed[name] = problem, problem.__traceback__
            raise
        if beside_others:
            if refused := next(filter(image_refused, sent), None):
                raise Crowded(f"There may be no room for so many images at once: {refused}")
            if sent:  # else whoever looks at it has it carried out
                self.beside_others.add(name)
        return made

    @property
    def made(self) -> set[str]:
        """Those that there are."""
        return {*self._made}

    @property
    def asked_for(self) -> set[str]:
        """Those that were asked for before: they were made, or cannot be."""
        return {*self._made, *self._failed}

    def __contains__(self, name: str) -> bool:
        """Return whether a workload was asked for before."""
        return name in self._made or name in self._failed

    def forget(self, names: Iterable[str]) -> None:
        """Forget workloads that were made beside others, so that they are made alone when they are asked for again."""
        for name in {*names} & self.beside_others:
            self.beside_others.discard(name)
            self.forgotten.add(name)
            del self._made[name]

    def handed(self, name: str) -> Any:
        """Return a workload for a check to look at; where it could not be made, what fails those that rest on it."""
        try:
            return self.get(name)
        except NoEffect:
            raise
        except (Blocked, pytest.skip.Exception) as problem:
            return Lacking(name, problem)

    def _make(self, declared: Workload) -> Any:
        if self._exploring and not declared.follows_the_seed and declared.empty is not None:
            return declared.empty()
        make = declared.anew if self._exploring else declared.make
        numbers = () if declared.salt is None else (self._run.number(declared.salt),)
        needed = {name: self.get(name) for name in declared.needs}
        with self._watched(looked_at_as(declared.name)):
            return enter(self._stack, make, self._run, *numbers, **needed)

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """Have what a workload shows while it is made looked at by its name; one at a time, so that all is in place."""
        run, before = self._run, self._run.watched
        run.watched = partial(self.watch, name, whole=False) if self.watch is not None and run.pool is None else None
        try:
            yield
        finally:
            run.watched = before


def enter(stack: ExitStack, make: Callable[..., Any], *positional: Any, **named: Any) -> Any:
    """Return what a function returns, or what a generator yields, which is run to its end with the stack."""
    if inspect.isgeneratorfunction(make):
        return stack.enter_context(contextmanager(make)(*positional, **named))
    return make(*positional, **named)


def fixtures(area: str) -> dict[str, Any]:
    """Return the session fixtures of an area's workloads, by their names."""
    return {declared.name: _fixture(declared) for declared in workloads(area)}


def _fixture(declared: Workload) -> Any:
    def made(cloudimages_workloads: Workloads) -> Any:
        return cloudimages_workloads.handed(declared.name)

    made.__name__ = made.__qualname__ = declared.name
    made.__doc__ = declared.make.__doc__
    made.workload = declared  # type: ignore[attr-defined]  # read by ``workload_of``
    return pytest.fixture(scope="session")(made)


def workload_of(definition: Any) -> Workload | None:
    """Return the workload behind pytest's definition of a fixture; ``None`` where it is any other fixture."""
    found: Workload | None = getattr(definition.func, "workload", None)
    return found


def asked_by(items: Iterable[pytest.Item]) -> list[Workload]:
    """Return the workloads that tests ask for, and those that these rest on, in the order of their declaration."""
    found: set[str] = set()
    for item in items:
        for definitions in _definitions(item).values():
            if declared := workload_of(definitions[-1]):
                found |= {declared.name, *_needed(declared)}
    return [declared for declared in _WORKLOADS.values() if declared.name in found]


def looked_at_by(item: pytest.Item, names: Iterable[str]) -> set[str]:
    """Return those of some workloads that a test looks at; all, where it takes what it wants by itself."""
    if FIXTURE in item._fixtureinfo.argnames:  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
        return {*names}
    return {declared.name for declared in asked_by([item])}.intersection(names)


def made_at_once(items: Sequence[pytest.Item], again: Callable[[pytest.Item], bool]) -> list[Workload]:
    """Return the workloads that tests ask for and that may be made beside others.

    A test that looks at one of them has to be one that can be asked ``again``, and no fixture may look at it: what is
    amiss there ends a test before it begins.
    """
    alone: set[str] = set()
    for item in items:
        definitions = [found[-1] for found in _definitions(item).values()]
        for definition in definitions:
            if workload_of(definition) is None:
                alone.update(definition.argnames)
        if not again(item):
            alone.update(definition.argname for definition in definitions)
    declared = asked_by(items)
    if FIXTURE in alone:
        return []
    rested_on = {name for each in declared if each.name in alone for name in _needed(each)}
    return [each for each in declared if each.name not in alone | rested_on]


def cost_of(item: pytest.Item, profile: str, workloads: Workloads | None) -> int:
    """Return about how many requests it takes to make what a test looks at and nobody has asked for before."""
    there = workloads.asked_for if workloads else set[str]()
    return sum(declared.requests[profile] for declared in asked_by([item]) if declared.name not in there)


def estimate(items: Iterable[pytest.Item], profile: str) -> str:
    """Return in a line what the workloads that tests ask for cost, the dearest first."""
    costs = {declared.name: declared.requests[profile] for declared in asked_by(items)}
    dearest = [f"{name} {costs[name]:,}" for name in sorted(costs, key=lambda name: -costs[name]) if costs[name]]
    return f"about {sum(costs.values()):,} requests: {', '.join(dearest)}" if dearest else ""


def estimate_of_areas(
    items: Iterable[pytest.Item], ids_of: Callable[[pytest.Item], Iterable[str]], profile: str
) -> str:
    """Return in a line what the workloads of each area cost, the dearest area first.

    An area is named as it would be selected, by what the ids of its requirements begin with; what several areas look at
    is counted with each of them.
    """
    checks: dict[str, list[pytest.Item]] = {}
    for item in items:
        for area in sorted({identifier.partition("-")[0] for identifier in ids_of(item)}):
            checks.setdefault(area, []).append(item)
    costs = {area: sum(each.requests[profile] for each in asked_by(tests)) for area, tests in checks.items()}
    return ", ".join(f"{area} {costs[area]:,}" for area in sorted(costs, key=lambda area: (-costs[area], area)))


def _definitions(item: pytest.Item) -> Mapping[str, Any]:
    info = getattr(item, "_fixtureinfo", None)
    return info.name2fixturedefs if info else {}


def _needed(declared: Workload) -> Iterator[str]:
    for name in declared.needs:
        yield name
        yield from _needed(_WORKLOADS[name])


def table() -> list[str]:
    """Return the table of all workloads as lines of Markdown."""
    lines = [
        "| workload | what it does | when explored | requests (quick, standard, thorough) |",
        "| --- | --- | --- | --- |",
    ]
    for declared in sorted(_WORKLOADS.values(), key=lambda declared: (declared.area, declared.name)):
        costs = ", ".join(f"{declared.requests[profile]:,}" for profile in ("quick", "standard", "thorough"))
        lines.append(f"| `{declared.name}` | {declared.summary.rstrip('.')} | {declared.explored} | {costs} |")
    return lines
