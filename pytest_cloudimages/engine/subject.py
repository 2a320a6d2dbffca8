"""One image of a plan while the plan is executed: what is done to it, what it shows, and what it should be like."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pytest_cloudimages.client.denials import GONE
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.watching import Life
from pytest_cloudimages.history.model import SetModel, exactly
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import Answered, SetResource
from pytest_cloudimages.history.steps import Performed, Reading, differing
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


@dataclass
class Subject:
    """One image of a plan, while the plan is executed."""

    image: Image
    number: int
    resource: SetResource
    life: Life | None = None
    model: SetModel = field(init=False)
    last: Reading | None = None
    """The last reading, since which nothing but the set was to change."""
    given: Mapping[str, object] = field(default_factory=dict)
    """Attributes that an event has given the image since."""
    trail: list[Exchange] = field(default_factory=list)
    acknowledged: dict[str, bool] = field(default_factory=dict)
    """Whether each value is there by the last answer that said so."""
    denied: dict[str, tuple[int, Performed]] = field(default_factory=dict)
    """Values whose deletion was answered as if they had not been there, since the last reading, and by what."""

    def __post_init__(self) -> None:
        self.model = SetModel(self.resource)

    def do(self, operation: Operation) -> Answered:
        """Send one operation, and take its answer into the model.

        Raises ``LostAnswer`` where it has taken effect, and nobody knows what it was answered.
        """
        adds = operation.kind is Kind.ADD
        request = self.resource.add if adds else self.resource.delete
        idle = (operation.value in self.model.values) is adds
        try:
            answer = self.image.client.ask(request(self.image.id, operation.value), idle=idle)
        except LostAnswer:
            self.model.lost(operation)
            raise
        self.trail.append(answer.exchange)
        self.model.apply(operation, answer)
        if answer.ok:
            self.acknowledged[operation.value] = adds
        elif answer.status in GONE and not adds:
            # Whether it stands is judged here, and by nobody who looks at all that was sent.
            self.image.client.recorder.denials.settle([answer.exchange])
        return answer

    def takes_for_gone(self, operation: Operation) -> None:
        """Take a deletion for carried out, whatever it was answered."""
        self.model.lost(operation)
        self.acknowledged[operation.value] = False

    def overdue(self) -> frozenset[str]:
        """Return the values of which the last reading does not show what was acknowledged."""
        shown = self.last.values if self.last else None
        known = self.acknowledged.items() if shown is not None else ()
        return frozenset(value for value, there in known if (value in (shown or ())) is not there)

    def look(self) -> Reading:
        """Read the set once."""
        answer = self.image.client.ask(self.resource.read(self.image.id))
        return Reading(answer, self.resource, self.life.beside(self.image) if self.life else {})

    def happen(self, event: str) -> bool:
        """Bring an event about, and return whether the service offers it."""
        given = None
        with suppress(Blocked):
            given = self.life.happen(self.image, event) if self.life else None
        if given is None:
            return False
        self.last, self.given = None, given
        return True

    def read(self) -> Reading:
        """Read the set; where it, or any attribute, is not what is expected, wait for it."""
        reading = self.look()
        patience = self.image.patience
        if patience is not None and reading.values is not None:
            reading = patience.until(reading, self.look, self._agrees)
            # A reading may come from a node that is behind, and agree with the set all the same.
            if self._agrees(reading):
                reading = patience.until(reading, self.look, self._is_as_it_was, about="attributes")
        self.trail.append(reading.answer.exchange)
        self.last = reading
        return reading

    def _agrees(self, seen: Reading) -> bool:
        return exactly(seen.values, self.model.values) or self._agrees_but_for_the_denied(seen)

    def _agrees_but_for_the_denied(self, seen: Reading) -> bool:
        missing = self.model.values - {*(seen.values or ())}
        return missing <= self.denied.keys() and exactly(seen.values, self.model.values - missing)

    def _is_as_it_was(self, seen: Reading) -> bool:
        if self.last is not None:
            return self._agrees(seen) and not differing(self.last.rest, seen.rest)
        shown = seen.rest or {}
        return self._agrees(seen) and all(shown.get(name) == value for name, value in self.given.items())
