"""Looks at histories one step at a time, and tells the check in hand's evidence what it looked at."""

import string
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from pytest_cloudimages.evidence import Cases, anything
from pytest_cloudimages.plans import Answered, AtALimit, Contradiction, History, Kind, Past, Reading, Step, explained
from pytest_cloudimages.verdicts import Unsteady

AT_A_LIMIT = frozenset(map(str, AtALimit))
PRINTABLE = frozenset(string.printable) - frozenset("\t\n\r\x0b\x0c")


@dataclass(frozen=True)
class Histories(Cases):
    """What several plans have shown. Every method yields things to look at; each one yielded is a case."""

    histories: list[History]

    def steps(
        self,
        kind: Kind | None = None,
        *,
        past: Iterable[Past] = (*Past,),
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

    def contradictions(self, *, standing_by: bool) -> Iterator[Contradiction]:
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
                raise Unsteady(f"{exchange}; asked again, the service answered otherwise.")


def _seen_beside(history: History, step: Step) -> bool:
    """Whether a second image stood by, and its tags could be read before and after the step, or vouch for its group."""
    return history.images > 1 and (step.vouched or None not in step.neighbour)


def faithful(step: Step) -> bool:
    """Whether a step did to the tags what its answer says: just that, or nothing where it was refused."""
    if not (step.answer.ok or step.answer.refused):
        return False
    if not step.answer.ok:
        return sorted(step.after or ()) == sorted(step.before or ())
    added = [step.tag] if step.operation.kind is Kind.ADD else []
    return sorted(step.after or ()) == sorted([*without(step.before, step.tag), *added])


@dataclass(frozen=True)
class Readings:
    """Whether something is as the vendor's page has it, and as Glance's API reference has it, where the two differ."""

    specification: str
    """Whose reading judges: ``cloud-images`` or ``glance``."""
    cloud_images: bool
    glance: bool

    @property
    def met(self) -> bool:
        """Whether the reading that judges is met."""
        return self.glance if self.specification == "glance" else self.cloud_images

    def __str__(self) -> str:
        if self.cloud_images is self.glance:
            return ""
        return (
            "meets Glance's reference, not the vendor's page"
            if self.glance
            else "meets the vendor's page, not Glance's reference"
        )


def without(tags: Iterable[str] | None, *left_out: str) -> list[str]:
    """Give tags in a settled order, without some of them."""
    return sorted(one for one in tags or () if one not in left_out)


def lost(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Give the other tags that a step took away; ``but`` are those it may take, by default the one it names."""
    allowed = {step.tag} if but is None else {*but}
    missing = Counter(step.before) - Counter(step.after)
    return sorted(tag for tag in missing if tag not in allowed)


def surplus(step: Step, *, but: Iterable[str] | None = None) -> list[str]:
    """Give the other tags that a step brought; ``but`` are those it may bring, by default the one it names.

    Where an added tag is not to be found, what came in its place is that tag, altered: another question.
    """
    allowed = {step.tag} if but is None else {*but}
    if step.operation.kind is Kind.ADD and step.answer.ok and step.tag not in (step.after or ()):
        return []
    return sorted(tag for tag in Counter(step.after) - Counter(step.before) if tag not in allowed)
