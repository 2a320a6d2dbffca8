"""A second PUT or DELETE of a tag by somebody else or in another form, however the tag came to the image."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_cloudimages.areas.tags.corpus import BODIES_OF_ADDITIONS
from pytest_cloudimages.areas.tags.resource import set_tags
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

POST, PATCH, PUT = "at creation", "by PATCH", "by PUT"
"""How a tag came to the image."""
USER, ADMINISTRATOR, BODY, HEADERS = "another user of the project", "an administrator", "a body", "other headers"
"""Who or what is different in the repetition."""
BY_PATCH, TAKEN_OFF = "a PATCH before it, which has taken the tag off", "taken-off"
"""What is different where a tag is deleted that a PATCH has deleted first, and that tag."""
FEW = ((PUT, USER), (PATCH, ADMINISTRATOR), (POST, BODY), (POST, HEADERS))
"""The combinations of a standard run; a thorough one has them all."""
MEDIA_TYPE, CONTENT = BODIES_OF_ADDITIONS[0]
TOO_LONG = "s" * (LONGEST + 1)
NAMED_BY_THE_BODY = ("other", "third")
FORMS: Mapping[str, dict[str, Any]] = {
    BODY: {"body": CONTENT, "headers": {"Content-Type": MEDIA_TYPE}},
    HEADERS: {"headers": {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "curl/8.5.0"}},
}


@dataclass(frozen=True)
class Repetition:
    """A request for what is so already."""

    origin: str
    how: str
    answer: Answer
    tag: str
    after: Mapping[str, int]
    """How often the image shows each tag after all repetitions of this kind."""
    exchanges: tuple[Exchange, ...]

    @property
    def due(self) -> bool:
        """Whether the answer tells of the repetition: others may be kept out, and a body refused, by other rules."""
        status, refusals = self.answer.status, {USER: (401, 403), ADMINISTRATOR: (401, 403, 404), BODY: (400, 413, 415)}
        return status not in refusals.get(self.how, ())

    def __repr__(self) -> str:
        if self.how == BY_PATCH:
            return f"{self.answer}, after {self.how}"
        return f"{self.answer}, where the tag came {self.origin} and the repetition has {self.how}"


@dataclass(frozen=True, repr=False)
class Repetitions(Collection):
    """What came of repetitions by others, and in other forms."""

    added: Sequence[Repetition]
    deleted: Sequence[Repetition]
    too_long: Sequence[tuple[Answer, Sequence[str]]] = ()
    """Additions, by others who may add tags, of tags that are too long, and what the image showed of such after."""

    @cases
    def overlong(self) -> Iterator[Case[tuple[Answer, Sequence[str]]]]:
        """Return the additions of tags that are too long."""
        return (Case(each, [each[0].exchange]) for each in self.too_long)

    @cases
    def additions(self, *, where: Callable[[Repetition], bool] = anything) -> Iterator[Case[Repetition]]:
        """Return the additions of tags that were there; ``where`` is what has to be so to be asked about."""
        return (Case(each, each.exchanges) for each in self.added if where(each))

    @cases
    def deletions(self, *, where: Callable[[Repetition], bool] = anything) -> Iterator[Case[Repetition]]:
        """Return the deletions of tags that were deleted; ``where`` is what has to be so to be asked about."""
        return (Case(each, each.exchanges) for each in self.deleted if where(each))


@workload(empty=lambda: Repetitions([], []), requests=(0, 23, 53, 53))
def repetitions(run: Run) -> Repetitions:
    """Add and delete tags that came at creation, by PATCH and by PUT a second time, by others and in other forms."""
    if not run.rounds or run.settings.image:
        return Repetitions([], [])
    pairs = FEW if run.settings.profile == "standard" else _all_pairs()
    # What cannot be created or patched so says nothing of repetitions.
    with suppress(Blocked, pytest.skip.Exception):
        return _repeated(run, [(origin, how, f"tag-{place}") for place, (origin, how) in enumerate(pairs)])
    return Repetitions([], [])


def _all_pairs() -> list[tuple[str, str]]:
    return [(origin, how) for origin in (POST, PATCH, PUT) for how in (USER, ADMINISTRATOR, BODY, HEADERS)]


def _repeated(run: Run, planned: list[tuple[str, str, str]]) -> Repetitions:
    came = {origin: [tag for other, _, tag in planned if other == origin] for origin in (POST, PATCH, PUT)}
    with run.fresh_image(tags=[*came[POST], TAKEN_OFF]) as image:
        carried = [*came[POST], *came[PATCH]]
        with run.recorder.of(Purpose.PREPARING):
            origins = {PATCH: require_ok(set_tags(image, carried)).exchange}
        tags = [tag for _, _, tag in planned]
        with run.recorder.of(Purpose.PREPARING):
            came_by = {tag: require_ok(image.add_tag(tag)).exchange for tag in came[PUT]}
            there = image.eventual_tags(tags)
        # What another addition has taken off is repeated no more: others answer for that.
        planned = [each for each in planned if each[2] in there]
        added = [(*each, answer) for each in planned if (answer := _again(run, image, "PUT", *each[1:]))]
        tags = [tag for _, _, tag in planned]
        # Whoever may add a tag, and whatever else they may do.
        tried = [answer for how in (USER, ADMINISTRATOR) if (answer := _again(run, image, "PUT", how, TOO_LONG))]
        with run.recorder.scope() as read:
            shown = Counter(image.eventual_tags(tags))
        reading = tuple(read[-1:])
        too_long = [(answer, [tag for tag in shown if len(tag) > LONGEST]) for answer in tried]
        if missing := [each for each in planned if not shown[each[2]]]:
            # Another repetition may have taken it off, for what that brought along: which is asked of that one.
            shown += Counter(_kept_by_their_own(run, image, missing))
        # What was deleted once is deleted a second time at once, before anybody else asks for anything.
        deleted, first = [], {}
        for origin, how, tag in planned:
            first[tag] = image.delete_tag(tag)
            # One that is there twice can be deleted twice: that is said of its addition.
            once = first[tag].ok and shown[tag] == 1
            # A body that has brought a tag may take it as well, which is no second deletion: TAG-DEL-09 asks.
            once = once and not (how == BODY and any(shown[named] for named in NAMED_BY_THE_BODY))
            answer = _again(run, image, "DELETE", how, tag) if once else None
            if answer:
                deleted.append((origin, how, tag, answer))
        if TAKEN_OFF not in there and TAKEN_OFF not in shown:
            deleted.append((PATCH, BY_PATCH, TAKEN_OFF, image.delete_tag(TAKEN_OFF)))
        left = Counter(image.eventual_tags([tag for tag in tags if not first[tag].ok]))

    # A tag that is still there was not deleted once, whatever the answers say: other checks tell that.
    def made(
        each: tuple[str, str, str, Answer],
        after: Mapping[str, int],
        *before: Exchange,
        shown_by: tuple[Exchange, ...] = (),
    ) -> Repetition:
        origin, how, tag, answer = each
        known = [origins[origin]] if origin in origins else []
        return Repetition(origin, how, answer, tag, after, (*known, *before, answer.exchange, *shown_by))

    return Repetitions(
        [made(each, shown, *(came_by[tag] for tag in each[2:3] if tag in came_by), shown_by=reading) for each in added],
        [
            made(each, left, *(first[tag].exchange for tag in each[2:3] if tag in first))
            for each in deleted
            if not left[each[2]]
        ],
        too_long,
    )


def _kept_by_their_own(run: Run, image: Image, missing: list[tuple[str, str, str]]) -> list[str]:
    """Return the tags that stay where they are put back, and repeated with nothing else asked after it."""
    kept = []
    for _, how, tag in missing:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.add_tag(tag))
        _again(run, image, "PUT", how, tag)
        there = image.read(lambda found, tag=tag: tag in found)  # type: ignore[misc]
        kept += [each for each in there if each == tag]
    return kept


def _again(run: Run, image: Image, method: str, how: str, tag: str) -> Answer | None:
    """Return the answer to a repetition; ``None`` where there is nobody to send it."""
    if how in FORMS:
        return image.send(method, f"/tags/{tag}", **FORMS[how])
    with suppress(Blocked):
        caller = run.caller("CREATOR" if how == USER else "ADMIN")
        return image.seen_by(caller).send(method, f"/tags/{tag}") if caller else None
    return None
