"""What several clients do at once, as plain data. No I/O."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from pytest_cloudimages.history.operations import Kind


@dataclass(frozen=True, slots=True)
class ClientOperation:
    """One thing that a client does; ``cut``: it hangs up when the request is sent."""

    kind: Kind
    value: str = ""
    image: int = 0
    cut: bool = False
    pause: float = 0.0
    """Seconds to let the others go first."""
    spelled: bool = False
    """Whether the value is written in another spelling of the same, where the resource has one."""
    acts_for: int = 0
    """The number of the client whose caller it acts for; 0 for that of the client itself."""

    def __str__(self) -> str:
        return " ".join([str(self.kind), *([ascii(self.value)] if self.value else []), *(["cut"] if self.cut else [])])


Process = tuple[ClientOperation, ...]
"""What one client does, one operation after another."""
Phase = tuple[Process, ...]
"""Clients that start together; when all have finished, every image is read while nobody writes."""


@dataclass(frozen=True, slots=True)
class ConcurrentPlan:
    """Phases one after another, on images whose sets are empty in the beginning."""

    pattern: str
    """What meets what, in a few words."""
    clients: int
    """Clients that write; a reader among them is not counted."""
    phases: tuple[Phase, ...]
    several_callers: bool = False
    """Whether those who race act for different callers, each in turn."""

    def as_data(self) -> dict[str, Any]:
        """Return the plan as JSON data."""
        phases = [
            [[{**asdict(operation), "kind": str(operation.kind)} for operation in process] for process in phase]
            for phase in self.phases
        ]
        return {
            "pattern": self.pattern,
            "clients": self.clients,
            "phases": phases,
            "several_callers": self.several_callers,
        }

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the plan from its JSON data."""
        phases = tuple(
            tuple(
                tuple(ClientOperation(**{**each, "kind": Kind(each["kind"])}) for each in process) for process in phase
            )
            for phase in data["phases"]
        )
        return cls(data["pattern"], data["clients"], phases, data["several_callers"])

    def operations(self) -> Iterator[ClientOperation]:
        """Yield everything that any client does."""
        return (operation for phase in self.phases for process in phase for operation in process)

    @property
    def images(self) -> int:
        """How many images it takes."""
        return 1 + max(operation.image for operation in self.operations())

    @property
    def readers(self) -> list[tuple[int, int]]:
        """Those who read, as (client, image); clients are numbered from 1."""
        found = [
            (number, operation.image)
            for phase in self.phases
            for number, process in enumerate(phase, 1)
            for operation in process
            if operation.kind is Kind.READ
        ]
        return list(dict.fromkeys(found))

    @property
    def name(self) -> str:
        """The pattern and the number of clients."""
        return f"{self.pattern}, {self.clients} clients"

    def on_one_image(self) -> "ConcurrentPlan":
        """Return the plan for a tester who lent one image: what was to be done to others is done to it."""
        return self.map(lambda operation: replace(operation, image=0))

    def until(self, stop: Callable[[set[Kind], set[Kind]], bool]) -> "ConcurrentPlan":
        """Return the phases before the first that ``stop`` refuses, given its kinds and those of all before it."""
        kept, before = list[Phase](), set[Kind]()
        for phase in self.phases:
            now = {operation.kind for process in phase for operation in process}
            if stop(now, before):
                break
            kept.append(phase)
            before |= now
        return replace(self, phases=tuple(kept))

    def without_deletions(self) -> "ConcurrentPlan":
        """Return the plan as far as nothing is deleted."""
        return self.until(lambda now, _: Kind.DELETE in now)

    def without_returns(self) -> "ConcurrentPlan":
        """Return the plan as far as nothing is added again: no addition follows a deletion."""
        return self.until(lambda now, before: Kind.DELETE in before and Kind.ADD in now)

    def one_by_one(self) -> "ConcurrentPlan":
        """Return the same changes of the set for one client, one after another, each with its answer, and uploads.

        Changes of an attribute are left out: what they do to the set, even alone, is another requirement's question.
        """
        alone = (Kind.ADD, Kind.DELETE, Kind.EVENT)
        phases = [
            (tuple(replace(each, cut=False) for each in in_turn(self._by_callers(phase)) if each.kind in alone),)
            for phase in self.phases
        ]
        return replace(self, phases=tuple(phases))

    def _by_callers(self, phase: Phase) -> Phase:
        """Return a phase whose operations say for whom they act, whoever sends them."""
        if not self.several_callers or len(phase) == 1:
            return phase
        return tuple(
            tuple(replace(each, acts_for=number) for each in process) for number, process in enumerate(phase, 1)
        )

    def map(self, change: Callable[[ClientOperation], ClientOperation]) -> "ConcurrentPlan":
        """Return the plan with every operation changed."""
        phases = (tuple(tuple(map(change, process)) for process in phase) for phase in self.phases)
        return replace(self, phases=tuple(phases))


def in_turn(phase: Phase) -> Iterator[ClientOperation]:
    """Yield the operations of a phase as if its clients took turns."""
    longest = max(map(len, phase), default=0)
    return (process[turn] for turn in range(longest) for process in phase if turn < len(process))


def add(value: str, image: int = 0, *, cut: bool = False) -> ClientOperation:
    """Return the addition of a value."""
    return ClientOperation(Kind.ADD, value, image, cut)


def delete(value: str, image: int = 0, *, cut: bool = False) -> ClientOperation:
    """Return the deletion of a value."""
    return ClientOperation(Kind.DELETE, value, image, cut)


READ = ClientOperation(Kind.READ)
UPLOAD = ClientOperation(Kind.EVENT, "upload")
SET = ClientOperation(Kind.SET)
SET_LATER = replace(SET, pause=0.001)
"""A change of the attribute that meets the other change in the middle; at the same moment it may come before it."""
