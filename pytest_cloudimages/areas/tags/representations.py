"""What an image and the lists of images show of its tags, state by state."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from pytest_cloudimages.areas.tags import corpus
from pytest_cloudimages.areas.tags.conditional import asked_whether_changed
from pytest_cloudimages.areas.tags.resource import TAGS, is_list, set_tags, sorted_strings
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import BrokenList, Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.steps import Reading
from pytest_cloudimages.spec import limits
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Representation:
    """What an image and the list of images showed of its tags, one after the other."""

    reading: Reading
    in_list: object
    """The attribute ``tags`` of the image's entry in the list, whatever it is."""
    exchanges: tuple[Exchange, ...]
    in_image_for_reader: tuple[str, ...] | None = None
    """The tags that a reader of the project is shown; ``None`` where there is none, or no list of strings."""
    unlisted: str = ""
    """Why no list showed the image, where that is so."""
    in_list_for_reader: list[str] | None = None
    """The tags that the list shows to a reader; ``None`` where there is none, or no list of strings."""

    method: str = ""
    """By which the tags were changed since the state before."""
    told: Answer | None = None
    """What a client was told that asked whether the image was still as in the state before; ``None`` if none asked."""

    given: tuple[str, ...] | None = None
    """The tags that a PATCH has just set, where one was acknowledged."""

    after_renaming: tuple[str, ...] = ()
    """The tags of an image that was created with some, one of which was deleted before the image was renamed."""
    after_addition: tuple[str, ...] = ()
    """The tags of that image once another was added, where the one deleted had not come back by then."""

    broken: bool = False
    """Whether that is the list's own fault: it fails, or its pages go in a circle."""

    @property
    def in_image(self) -> tuple[str, ...]:
        """The tags that the image itself showed; none where it showed no list of strings."""
        return self.reading.values or ()

    @property
    def is_list(self) -> bool:
        """Whether the image itself showed its tags as a list of strings, be it an empty one."""
        return is_list(self.reading)

    @property
    def tags_in_list(self) -> list[str] | None:
        """The tags that the list showed, each once, as text; ``None`` where it showed no list."""
        return sorted({*map(str, self.in_list)}) if isinstance(self.in_list, list) else None

    def __repr__(self) -> str:
        for_reader = "" if self.in_image_for_reader is None else f", to a reader {sorted(self.in_image_for_reader)!a}"
        for_reader += "" if self.in_list_for_reader is None else f", the list to a reader {self.in_list_for_reader!a}"
        listed = self.unlisted or f"the list {self.in_list!a}"
        return f"the image shows {sorted(self.in_image)!a}, {listed}{for_reader}"


@dataclass(frozen=True, repr=False)
class Representations(Collection):
    """An image in several states, as itself and the list of images show it."""

    states: list[Representation]

    def __iter__(self) -> Iterator[Representation]:
        """Yield the states; each is a case of the check in hand."""
        return iter(self.shown())

    @cases
    def shown(self, *, where: Callable[[Representation], bool] = anything) -> Iterator[Case[Representation]]:
        """Return the states; ``where`` is what has to be so for a state to be asked about."""
        for state in self.states:
            if where(state):
                yield Case(state, state.exchanges)

    @property
    def listed_tagged(self) -> bool:
        """Whether a list has shown the image while it carried tags."""
        return any(state.in_image and not state.unlisted for state in self.states)

    @cases
    def conditional(self, method: str) -> Iterator[Case[Answer]]:
        """Return what a client was told that asked whether tags had changed which had, by requests of a method."""
        for before, state in pairwise(self.states):
            if state.told and state.method == method and sorted(before.in_image) != sorted(state.in_image):
                yield Case(state.told, [*before.exchanges[-1:], *state.exchanges[:1], state.told.exchange])

    @cases
    def details(self, *, where: Callable[[Reading], bool] = anything) -> Iterator[Case[Reading]]:
        """Return what the image itself showed; ``where`` is what has to be so for it to be asked about."""
        for state in self.states:
            if where(state.reading):
                yield Case(state.reading, [state.reading.answer.exchange])


@workload(empty=lambda: Representations([]), requests=(26, 52, 52, 52))
def representations(run: Run) -> Representations:
    """Return how an image and the list show some tags, fewer, none, one that was added again, and many special ones."""
    some = ["one", "two", "Three", "4", "null", "v" * limits.LONGEST]
    # A repetition and a tag that is too long are no state of their own, but must not be seen either.
    stages: list[tuple[str, list[str]]] = [
        ("PUT", [*some, "one", "w" * (limits.LONGEST + 1)]),
        ("DELETE", some[::2]),
        ("DELETE", some[1::2]),
    ]
    if run.rounds:
        stages.append(("PUT", ["two"]))
    states: list[Representation] = []
    reader = None
    with suppress(Blocked):
        reader = run.caller("READER")
    with ExitStack() as stack:
        image = stack.enter_context(run.fresh_image())
        if run.rounds:
            stages.append(("PATCH", [*SHOWN_TOGETHER, *corpus.polyglots(run.number("shown")), *MANY]))
            if not run.settings.image:
                # An image of the same name, with tags of its own, must not be taken for it.
                stack.enter_context(_namesake(run, image))
        for method, tags in stages:
            given: tuple[str, ...] | None = None
            if method == "PATCH":
                given, answer = _patched(image, tags)
                changes = [answer.exchange]
            else:
                changes = [(image.add_tag if method == "PUT" else image.delete_tag)(tag).exchange for tag in tags]
            told = asked_whether_changed(image, states[-1].reading.answer if states else None)
            state = _shown(image, changes, reader, listing=bool(run.rounds))
            states.append(replace(state, given=given, method=method, told=told))
            run.show(partial(Representations, states))
        if run.rounds:
            states += _patched_beyond_the_limit(image)
    return Representations([*states, *(_as_created(run) if run.rounds else ())])


DELETED_FIRST, ADDED_LATER = "other", "later"
CREATED = (["twin", DELETED_FIRST, "twin"], ["w" * (limits.LONGEST + 1)])
"""Tags with which no image can be created as they are: one twice, and one that is too long."""


def _as_created(run: Run) -> Iterator[Representation]:
    """Yield what images show that were created with such tags all the same."""
    for tags in CREATED:
        with suppress(Blocked, pytest.skip.Exception), run.fresh_image(tags=tags) as image:
            state = _shown(image, [], None, listing=False)
            if DELETED_FIRST in state.in_image and image.delete_tag(DELETED_FIRST).ok:
                state = replace(state, after_renaming=_renamed(image))
                if DELETED_FIRST not in state.after_renaming and image.add_tag(ADDED_LATER).ok:
                    state = replace(state, after_addition=tuple(image.eventual_tags(["twin", ADDED_LATER])))
            yield state


def _renamed(image: Image) -> tuple[str, ...]:
    """Rename an image that has lost a tag, and return the tags that it shows then; none where it is not renamed."""
    answer = image.client.patch(image.id, {"op": "replace", "path": "/name", "value": f"{image.name}-renamed"})
    shown = Reading(answer, TAGS).values if answer.ok else None
    # An answer may be late as any reading.
    return tuple(image.eventual_tags(["twin"])) if DELETED_FIRST in (shown or ()) else shown or ()


def _patched_beyond_the_limit(image: Image) -> Iterator[Representation]:
    """Yield what an image shows that was given the last of them by a PATCH, where that was acknowledged."""
    answer = set_tags(image, CREATED[-1])
    if answer.ok:
        yield replace(_shown(image, [answer.exchange], None, listing=False), given=tuple(CREATED[-1]))


SHOWN_TOGETHER = (
    "with blank",
    "Grüße",
    "a,b",
    "漢字",
    "x=y&z",
    "UPPER",
    "upper",
    *(f"many-{number}" for number in range(30)),
)
MANY = tuple(f"more-{number}" for number in range(220))
"""Further tags, as many as fit: more than a page holds, where the service has no limit."""


def _patched(image: Image, tags: list[str]) -> tuple[tuple[str, ...] | None, Answer]:
    """Set tags at once: all, or else as many as Glance takes, or else without the further ones; return what was set."""
    for left_out in (0, len(tags) - GLANCE_TAKES, len(MANY)):
        given = tags[: len(tags) - left_out]
        answer = set_tags(image, given)
        if answer.ok:
            return tuple(given), answer
    return None, answer


GLANCE_TAKES = 128
"""Tags of an image, where its operator states no other limit."""


@contextmanager
def _namesake(run: Run, image: Image) -> Iterator[None]:
    """Keep another image of the same name for the length of a block, if there is room for it."""
    with ExitStack() as stack:
        with suppress(Blocked):
            stack.enter_context(run.fresh_image(name=image.name)).add_tag("of-the-namesake")
        yield


def shown_to(seen: Image, tags: list[str], *, listing: bool) -> tuple[Reading, list[str] | None, list[Exchange]]:
    """Return what an image and, where asked for, the list show to another caller, and what was sent for it."""
    with seen.client.recorder.scope() as sent:
        shown = seen.eventually(
            lambda: Reading(seen.show(), TAGS), lambda reading: sorted(reading.values or ()) == tags
        )
        listed: list[str] | None = None
        # Whether the list shows the image to them at all is no question of tags, nor whether it can be read.
        with suppress(Blocked):
            if listing and shown.values is not None:
                entry = seen.eventually(seen.entry, lambda entry: sorted_strings(entry.get("tags")) == tags)
                listed = entry["tags"] if sorted_strings(entry.get("tags")) is not None else None
    return shown, listed, [*sent]


def _shown(image: Image, changes: list[Exchange], reader: ImagesClient | None, *, listing: bool) -> Representation:
    unlisted: Blocked | None = None

    def look() -> tuple[Reading, dict[str, Any]]:
        nonlocal unlisted
        reading, unlisted = Reading(image.show(), TAGS), None
        try:
            return reading, image.listed()
        except Blocked as problem:
            # What the image itself shows is evidence all the same.
            unlisted = problem
            return reading, {}

    def alike(seen: tuple[Reading, dict[str, Any]]) -> bool:
        reading, entry = seen
        return unlisted is not None or sorted_strings(entry.get("tags") or []) == sorted(reading.values or ())

    # Either may be late: where they differ, both are looked at again.
    with image.client.recorder.scope() as sent:
        reading, entry = image.eventually(look, alike)
    tags = sorted(reading.values or ())
    exchanges = [*changes[-3:], *sent[sent.index(reading.answer.exchange) :]]
    in_image_for_reader, in_list_for_reader = None, None
    # A reader who is not let in shows nothing, and is no reason not to look at the rest.
    with suppress(Blocked):
        if reader:
            shown, in_list_for_reader, further = shown_to(image.seen_by(reader), tags, listing=listing)
            in_image_for_reader = shown.values if is_list(shown) else None
            exchanges = [*exchanges, *further]
    return Representation(
        reading,
        entry.get("tags"),
        tuple(exchanges),
        in_image_for_reader,
        str(unlisted or ""),
        in_list_for_reader,
        broken=isinstance(unlisted, BrokenList),
    )
