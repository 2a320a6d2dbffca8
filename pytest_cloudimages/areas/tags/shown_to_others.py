"""The tags that another project is shown of an image that all may see, while others change them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.tags.access_requests import AskedCell
from pytest_cloudimages.areas.tags.callers import Change, State
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.history.steps import Reading
from pytest_cloudimages.spec.verdicts import Blocked

FOR_ALL = (State.COMMUNITY, State.PUBLIC)
"""The states in which nobody has to be named to see an image. Whether a member sees its tags is not defined."""


@dataclass(frozen=True)
class Shown:
    """The tags that an image shows to a caller, and those that it shows to its owner."""

    answer: Answer
    tags: frozenset[str]
    due: frozenset[str]

    @property
    def sound(self) -> bool:
        """Whether the caller is shown what the owner is."""
        return self.tags == self.due


def shown_to_others(image: Image, sent: Iterable[tuple[AskedCell, Answer]], before: frozenset[str]) -> Iterator[Shown]:
    """Yield what another project was shown among some requests, before which the image had some tags.

    What is late is waited for: it is looked at again, when all of them were sent and the image shows what came of them.
    """
    sent, tags, late = [*sent], before, None
    for each, answer in sent:
        of_another = each.cell.party is Party.OTHER_PROJECT and each.cell.state in FOR_ALL
        shown = Reading(answer, TAGS).values if of_another and each.cell.change is Change.READ else None
        if shown is not None and answer.ok:
            late = Shown(answer, frozenset(shown), tags)
            if late.sound:
                yield late
                return
            client = each.asker.client
        tags = each.effect(tags) if answer.ok else tags
    if late:
        with suppress(Blocked):
            yield Shown(late.answer, frozenset(image.seen_by(client).eventual_tags(tags)), tags)
