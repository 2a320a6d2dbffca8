"""Which tests a run asks, what they ask for, and with which settings Hypothesis draws for them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.fixtures import asks
from pytest_cloudimages.app.pytest_options import judges
from pytest_cloudimages.app.shards import Shard, divided
from pytest_cloudimages.app.stash import COMMAND, RUN
from pytest_cloudimages.app.suite import of_the_suite
from pytest_cloudimages.engine import recording, registry
from pytest_cloudimages.reporting.joining import asked_beside, not_fine
from pytest_cloudimages.spec.marks import FOREIGN, ids_of, is_in_passing
from pytest_cloudimages.spec.requirements import Level, Requirement, selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_cloudimages.engine.settings import Settings


@dataclass
class Selection:
    """The requirements that the tester asks for, and the tests that ask for each."""

    catalogue: Mapping[str, Requirement]
    settings: Settings
    chosen: set[str] = field(default_factory=set)
    elsewhere: dict[str, int] = field(default_factory=dict)
    """The shard that asks for each requirement, where it is another one."""
    tested: dict[str, list[str]] = field(default_factory=dict)
    """The tests of each requirement, whether they are left out or not."""
    items: list[pytest.Item] = field(default_factory=list)
    """The tests themselves."""

    def __post_init__(self) -> None:
        """Choose by what was named, or else by the profile; raise ``ValueError`` for what no catalogue has."""
        self.shard = Shard.parse(self.settings.shard) if self.settings.shard else None
        levels = self.settings.effort.levels
        of_the_profile = {identifier for identifier, entry in self.catalogue.items() if entry.level in levels}
        if self.settings.earlier is not None:
            if [*self.catalogue] != [entry["id"] for entry in self.settings.earlier["requirements"]]:
                raise ValueError(
                    f"{self.settings.prefix}again: expected results by this catalogue, got those by one with other"
                    " requirements. Name the same catalogues, or judge anew."
                )
            self.chosen = {*not_fine(self.settings.earlier), *asked_beside(self.settings.earlier)} & {*self.catalogue}
        elif self.settings.select:
            for choice in self.settings.select:
                found = selected(self.catalogue, [choice])
                # Of a group, what the profile asks for; where that is nothing, the group was meant all the same.
                self.chosen |= found & of_the_profile or found
        else:
            self.chosen = of_the_profile

    @property
    def beyond_must(self) -> bool:
        """Whether a requirement of another level than MUST is asked for, or was by the run that is asked again."""
        return any(self._of_another_level())

    def _of_another_level(self) -> Iterator[str]:
        earlier = self.settings.earlier["requirements"] if self.settings.earlier is not None else ()
        judged = {entry["id"] for entry in earlier if entry["verdict"] != "untested"}
        for identifier, entry in self.catalogue.items():
            if entry.level is not Level.MUST and identifier in self.chosen | judged:
                yield identifier

    def as_asked(self, identifier: str) -> tuple[str, ...]:
        """Return what asks for a requirement again as this run does.

        Where MUSTs alone are asked for, a short profile sends less; so a near one of another level comes to it.
        """
        entry = self.catalogue[identifier]
        if self.settings.effort.rounds or entry.level is not Level.MUST:
            return (identifier,)
        others = map(self.catalogue.__getitem__, self._of_another_level())
        near = sorted(others, key=lambda other: (other.group != entry.group, other.area != entry.area))
        return (identifier, *(other.id for other in near[:1]))

    def asks_for(self, sake: str) -> str:
        """Return the requirement that has a workload carried out for the fewest requests; a requirement for itself."""
        if sake in self.catalogue:
            return sake
        profile, short = self.settings.profile, self.beyond_must and not self.settings.effort.rounds
        looking = [
            (short and self.catalogue[ids[0]].level is Level.MUST, registry.cost_of(item, profile, None), ids[0])
            for item in self.items
            if (ids := self.ids_of(item)) and any(each.name == sake for each in registry.asked_by([item]))
        ]
        return min(looking)[2]

    def ids_of(self, item: pytest.Item) -> list[str]:
        """Return the ids that a test asks for and the tester as well."""
        return [identifier for identifier in ids_of(item) if identifier in self.chosen]

    def bind(self, items: list[pytest.Item]) -> None:
        """Bind the tests to the catalogue, and take out of the list what is not asked for."""
        self.items = [*items]
        # What looks at what others have met says nothing where it has met nothing: others judge its requirement.
        for item in sorted(items, key=is_in_passing):
            item.stash[FOREIGN] = self._is_foreign(item)
            for identifier in ids_of(item):
                if identifier not in self.catalogue:
                    raise pytest.UsageError(
                        f"{item.nodeid} asks for the requirement {identifier!r}, which no catalogue has;"
                        " `cloudimages requirements` lists the ids, --cloudimages-catalogue FILE adds your own."
                    )
                if identifier not in self.tested or not is_in_passing(item):
                    self.tested.setdefault(identifier, []).append(item.nodeid)
        if not self.settings.select and self.settings.earlier is None:
            # The profile chooses among the suite's requirements; a tester's own tests are asked for by being there.
            self.chosen |= {identifier for item in items if not of_the_suite(item.path) for identifier in ids_of(item)}
        if self.shard:
            found = divided(items, self.ids_of, self.shard.of, self.settings.profile)
            self.elsewhere = {identifier: number for identifier, number in found.items() if number != self.shard.number}
        left_out = [item for item in items if ids_of(item) and self.elsewhere.keys() >= {*self.ids_of(item)}]
        if left_out:
            left_out[0].config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]

    def _is_foreign(self, item: pytest.Item) -> bool:
        """Return whether a test's mark is another plugin's: it asks for no service, and no catalogue has its id."""
        judged = COMMAND in item.config.stash or judges(item.config) or asks(item)
        return not judged and self.catalogue.keys().isdisjoint(ids_of(item))


@dataclass(frozen=True)
class _Bound:
    """A property of Hypothesis that counts its cases for a run."""

    by: pytest.Config
    inner: Callable[..., Any]
    """The test as its author wrote it."""
    tester_set: bool
    """Whether it has settings of its author's own."""


def tune(item: pytest.Item, settings: Settings) -> None:
    """Have a property drawn with the profile's settings and the run's seed, and have its cases counted."""
    test = getattr(item, "function", None)
    handle = getattr(test, "hypothesis", None)
    if test is None or handle is None:
        return
    # Modules outlive a run: in the next one of this process, a property is bound anew.
    bound: _Bound | None = getattr(handle, "_cloudimages", None)
    if bound and bound.by is item.config:
        return
    import hypothesis

    tester_set = bound.tester_set if bound else getattr(test, "_hypothesis_internal_settings_applied", False)
    inner = bound.inner if bound else handle.inner_test
    if not tester_set:
        # Where there are settings of an earlier run, they are ours.
        vars(test).pop("_hypothesis_internal_settings_applied", None)
        hypothesis.settings(
            parent=hypothesis.settings.get_profile("default"),
            max_examples=settings.effort.cases,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
            database=None,
            deadline=None,
            derandomize=False,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
        )(test)
    hypothesis.seed(settings.seed)(test)
    handle.inner_test = _counted(inner, item.config)
    handle._cloudimages = _Bound(item.config, inner, tester_set=tester_set)  # noqa: SLF001 - our own mark on it


def _counted(inner: Callable[..., Any], config: pytest.Config) -> Callable[..., Any]:
    @functools.wraps(inner)
    def counted(*args: Any, **kwargs: Any) -> Any:
        mine = recording.current_check()
        mine.exchanges = []
        with config.stash[RUN].recorder.scope() as sent:
            try:
                return inner(*args, **kwargs)
            finally:
                if sent:
                    mine.case(sent)

    return counted
