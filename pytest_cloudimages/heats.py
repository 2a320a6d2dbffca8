"""Races drawn, run once, and looked at by many checks."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_cloudimages import contests, evidence, races
from pytest_cloudimages.contests import Family
from pytest_cloudimages.experiments import Control
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.races import Crew, Heat
from pytest_cloudimages.verdicts import Blocked

Departure = TypeVar("Departure")


@dataclass
class Races:
    """The races of a run. A family is run when a check first asks for it, and only then."""

    ground: Ground
    number: int
    control: Control
    crew: Crew
    _run: dict[Family, list[Heat] | Blocked] = field(default_factory=dict)
    _alone: dict[Family, Heat] = field(default_factory=dict)

    def heats(self, *families: Family) -> Iterator[Heat]:
        """Give what the races of some families have shown; each one given is a case."""
        for heat in self._heats(families):
            evidence.current().case(heat.exchanges, f"race: {heat.race.family}")
            yield heat

    def departures(
        self,
        families: Iterable[Family],
        measure: Callable[[Heat], Iterable[Departure]],
        kind: Callable[[Departure], Hashable] = lambda _: None,
    ) -> Iterator[tuple[Heat, list[Departure]]]:
        """Give every heat with its departures of some measure.

        The same actions are carried out once more by one client, one after another: a departure of a kind that occurs
        then as well says nothing of concurrency, and is left out. Raises ``Blocked`` in the end where no other occurred.
        """
        found, alone_too = 0, 0
        for heat in self.heats(*families):
            every = [*measure(heat)]
            known = {kind(one) for one in measure(self.alone(heat))} if every else set()
            real = [one for one in every if kind(one) not in known]
            found, alone_too = found + len(real), alone_too + len(every) - len(real)
            yield heat, real
        if alone_too and not found:
            raise Blocked("What went wrong among many clients goes wrong for one alone: see what was found without them.")

    def alone(self, heat: Heat) -> Heat:
        """Give what the actions of a race of this family have shown without concurrency."""
        family = heat.race.family
        if family not in self._alone:
            with self._aside():
                self._alone[family] = self._once(heat.race.one_by_one())
        return self._alone[family]

    def _heats(self, families: Iterable[Family]) -> Iterator[Heat]:
        for family in families:
            if family not in self._run:
                try:
                    self._run[family] = self._carry_out(family)
                except Blocked as problem:
                    self._run[family] = problem
            found = self._run[family]
            if isinstance(found, Blocked):
                raise found
            yield from found

    def _carry_out(self, family: Family) -> list[Heat]:
        self.control.require_additions()
        if family in contests.DELETES:
            self.control.require_deletions()
        if family is Family.RENAMING and self.ground.options.image:
            # The name of a lent image is not ours to change.
            return []
        effort = self.ground.options.effort
        drawn = contests.contests(family, self.number, effort.clients, effort.races)
        with self._aside():
            return [self._once(race.on_one_image() if self.ground.single else race) for race in drawn]

