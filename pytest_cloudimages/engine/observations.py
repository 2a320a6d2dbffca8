"""Looks at histories one step at a time, and tells the check in hand's evidence what it looked at."""

import string
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from pytest_cloudimages.engine.recording import Cases, anything
from pytest_cloudimages.history.model import explained
from pytest_cloudimages.history.operations import AtALimit, Kind
from pytest_cloudimages.history.steps import Answered, Prior, Reading, SequentialHistory, Step, UnreproducedMismatch
from pytest_cloudimages.spec.verdicts import Flaky

AT_A_LIMIT = frozenset(map(str, AtALimit))
PRINTABLE = frozenset(string.printable) - frozenset("\t\n\r\x0b\x0c")


@dataclass(frozen=True, repr=False)
class Steps(Cases):
    """What several plans have shown. Every method yields things to look at; each one yielded is a case."""

    histories: list[SequentialHistory]

    def steps(
        self,
        kind: Kind | None = None,
        *,
        past: Iterable[Prior] = (*Prior,),
        acknowledged: bool | None = None,
        again: bool | None = None,
        known: bool = True,
        printable: bool = False,
        sorts: Container[str] | None = None,
        beside: bool = False,
        where: Callable[[Step], bool] = anything,
    ) -> Iterator[Step]:
        """Give the steps of a kind.

        ``past`` is what had become of the tag before, ``acknowledged`` whether the answer was 2xx (False: 4xx),
        ``again`` whether the tag had been deleted before, ``known`` leaves out steps around which the tags could not be
        read, an addition past the number of tags that a service lets an image have is no case,
        ``printable`` leaves out tags of other than printable ASCII characters, ``sorts`` are the classes of tags,
        ``beside`` leaves out steps that were taken without a second image, or whose second image could not be read,
        ``where`` is whatever else has to be so for a step to be asked about.
        """
        case = self.taken_up()
        allowed = {*past}
        for history in self.histories:
            for step in history.steps:
                answered = acknowledged is None or (step.answer.ok if acknowledged else step.answer.refused)
                if (
                    answered
                    and kind in (None, step.operation.kind)
                    and step.past in allowed
                    and again in (None, step.again)
                    and (step.known or not known)
                    and (step.operation.sort in AT_A_LIMIT or not history.over_a_limit(step))
                    and (PRINTABLE.issuperset(step.tag) or not printable)
                    and (sorts is None or step.operation.sort in sorts)
                    and (_seen_beside(history, step) or not beside)
                    and where(step)
                ):
                    case(step.exchanges, step.operation.sort, about=step)
                    yield step

    def additions(self, **which: object) -> Iterator[Step]:
        """Give the steps that add a tag; see ``steps``."""
        return self.steps(Kind.ADD, **which)  # type: ignore[arg-type]  # the same names

    def deletions(self, **which: object) -> Iterator[Step]:
        """Give the steps that delete a tag; see ``steps``."""
        return self.steps(Kind.DELETE, **which)  # type: ignore[arg-type]  # the same names

    def answers(self, *, where: Callable[[Answered], bool] = anything) -> Iterator[Answered]:
        """Yield the answer to every tag operation; ``where`` is what has to be so for one to be asked about."""
        case = self.taken_up()
        for history in self.histories:
            for step in history.steps:
                if where(step.answer):
                    case([step.answer.exchange], step.operation.sort, about=step, of_answer=True)
                    yield step.answer

    def readings(self, *, where: Callable[[Reading], bool] = anything) -> Iterator[Reading]:
        """Yield everything that any image showed; ``where`` is what has to be so for it to be asked about."""
        case = self.taken_up()
        for history in self.histories:
            for reading in history.readings:
                if where(reading):
                    case([reading.answer.exchange])
                    yield reading

    def around_additions(self) -> Iterator[tuple[Reading, Reading, list[Step]]]:
        """Yield the readings before and after additions, where both could be read, with the steps between.

        Where no addition was acknowledged, nothing was added: what is seen then is no case, and is looked at aside.
        """
        main, aside = self.taken_up(), self.aside().taken_up()
        for history in self.histories:
            for before, after, steps in history.additions:
                if before.rest is not None and after.rest is not None:
                    exchanges = [before.answer.exchange, *(one.answer.exchange for one in steps), after.answer.exchange]
                    (main if any(step.answer.ok for step in steps) else aside)(exchanges)
                    yield before, after, steps

    def contradictions(self, *, standing_by: bool) -> Iterator[UnreproducedMismatch]:
        """Give the readings that the answers do not explain and that did not come again step by step."""
        case = self.taken_up()
        for history in self.histories:
            for one in history.contradictions:
                if bool(one.image) is standing_by:
                    case(one.exchanges)
                    yield one

    @property
    def sound(self) -> bool:
        """Whether nothing in them departs from a set."""
        return not any(history.contradictions or not all(map(explained, history.steps)) for history in self.histories)

    @property
    def images(self) -> int:
        """How many images at the most a history was about."""
        return max((history.images for history in self.histories), default=0)

    def steady(self) -> None:
        """Raise ``Unsteady`` where the service failed at a request, and answered when all was asked again."""
        case = self.taken_up()
        for history in self.histories:
            for exchange in history.unsteady:
                case([exchange])
                raise Flaky(f"{exchange}; asked again, the service answered otherwise.")


def _seen_beside(history: SequentialHistory, step: Step) -> bool:
    """Whether a second image stood by, and its tags could be read before and after the step, or vouch for its group."""
    return history.images > 1 and (step.inferred or None not in step.neighbour)
