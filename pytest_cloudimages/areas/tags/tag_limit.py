"""How many tags an image may have, where the operator sets a limit. No I/O."""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import Case, cases
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import SequentialHistory, Step
from pytest_cloudimages.spec.limits import LONGEST


class AtALimit(enum.StrEnum):
    """What an operation asks of an image at its limit: the input classes of ``plan_of_a_limit``."""

    UP_TO_IT = "up to the limit"
    PAST_IT = "past the limit"
    AGAIN = "again at the limit"
    ROOM = "room is made"
    IN_THE_ROOM = "in the room made"


AT_A_LIMIT = frozenset(map(str, AtALimit))
AGAIN_AMONG_MANY = "again among many"
"""The input class of a tag that an image carries among many: as many as a limit allows, where the service has one."""
ONE_MORE_THAN_MANY = "one more than many"
"""The input class of a tag that may pass such a limit. By which code it is refused then, TAG-ADD-20 asks."""
IN_THE_ROOM_AMONG_MANY = "in the room made among many"
"""The input class of a tag that comes after that one, and after another has gone: no limit is in its way."""
ONE_TOO_MANY = "one-too-many"
MAKES_ROOM = (ONE_TOO_MANY, "one-more-3")
"""The tag that may pass a limit, and the one that goes afterwards: with neither, there is room for one."""


@dataclass(frozen=True, repr=False)
class ManySteps(Steps):
    """What was done to an image with very many tags, and to another one beside it."""

    elsewhere: tuple[Answer, ...] = ()
    """The first tag of another image, refused while the first had many tags, and taken once it was gone."""

    @cases
    def limited_elsewhere(self) -> Iterator[Case[Answer]]:
        """Return the refusal of another image's first tag, which a limit of each image does not explain."""
        if self.elsewhere:
            yield Case(self.elsewhere[0], [answer.exchange for answer in self.elsewhere])


def over_a_limit(history: SequentialHistory, step: Step) -> bool:
    """Return whether an addition was refused with 413 for the number of tags that the image had, and for nothing else.

    So it is where every addition of a further tag went well below that number, and none at it or above. What is too
    long may be refused with 413 for that.
    """
    added_in_vain = step.answer.status == 413 and step.operation.kind is Kind.ADD  # noqa: PLR2004 - over a limit
    if not added_in_vain or not step.before or len(step.value) > LONGEST:
        return False
    additions = [each for each in history.steps if each.operation.kind is Kind.ADD and len(each.value) <= LONGEST]
    further = [each for each in additions if each.value not in (each.before or ())]
    refused = [len(each.before or ()) for each in further if each.answer.status == 413]  # noqa: PLR2004 - over a limit
    added = [len(each.before or ()) for each in further if each.answer.ok]
    return step.value not in step.before and max(added, default=-1) < min(refused)


def refused_as_one_more(step: Step) -> bool:
    """Return whether a carried tag among many was refused with 413, as if it were one more: TAG-ADD-21 asks."""
    return step.operation.input_class == AGAIN_AMONG_MANY and step.answer.status == 413  # noqa: PLR2004


def refused_in_the_room(step: Step) -> bool:
    """Return whether a tag was refused with 413 although another one had made room for it: TAG-ADD-20 asks."""
    in_the_room = step.operation.input_class == IN_THE_ROOM_AMONG_MANY and {*MAKES_ROOM}.isdisjoint(step.before or ())
    return in_the_room and step.answer.status == 413  # noqa: PLR2004 - as HTTP has it


def how_to_state_it(settings: Settings) -> str:
    """Return what to do where an image may carry no more tags than a question gives it; empty where that was done."""
    if settings.tag_limit:
        return ""
    return f" If an image may carry only so many tags here, state it with {settings.prefix}tag-limit N."


def _left_out(history: SequentialHistory, step: Step) -> bool:
    """Return whether an addition met a limit that its plan does not ask about: a case of no check."""
    if step.operation.input_class == ONE_MORE_THAN_MANY:
        return step.answer.refused
    return step.operation.input_class not in AT_A_LIMIT and over_a_limit(history, step)


def steps_of(histories: Iterable[SequentialHistory]) -> Steps:
    """Return the steps of histories of tags, without additions that met a limit unasked."""
    return Steps([*histories], _left_out)


def many_steps_of(histories: Iterable[SequentialHistory], elsewhere: Iterable[Answer] = ()) -> ManySteps:
    """Return the same, with what came of another image meanwhile."""
    return ManySteps([*histories], _left_out, elsewhere=tuple(elsewhere))
