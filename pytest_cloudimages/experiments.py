"""The experiments: what is drawn, carried out once, and looked at by many checks."""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages import evidence, known_tags, strategies, trials, views
from pytest_cloudimages.client import Image, ImagesClient, prepared
from pytest_cloudimages.exchanges import Exchange, Purpose
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.judging import Histories, faithful
from pytest_cloudimages.lifetimes import created
from pytest_cloudimages.plans import (
    Kind,
    Operation,
    Reading,
    plan_of_a_life,
    plan_of_a_limit,
    plan_of_a_stay,
    plan_of_absence,
    plan_of_edges,
    plan_of_many,
    plan_of_pairs,
    read_often,
)
from pytest_cloudimages.strategies import Sample
from pytest_cloudimages.verdicts import Blocked
from pytest_cloudimages.views import Looks

STANDING_BY = 3
"""Tags that the image standing by shares with the one that is changed."""


@dataclass(frozen=True)
class Control:
    """Whether a service does with one plain tag what it should; else special tags teach nothing."""

    adds: bool
    repeats: bool
    deletes: bool
    returns: bool = True
    """Whether a deleted tag can be added and deleted again."""

    def require_additions(self) -> None:
        """Raise ``Blocked`` where plain tags cannot even be added."""
        if not self.adds:
            raise Blocked("The service does not even add plain tags.")

    def require_second_lives(self) -> None:
        """Raise ``Blocked`` where plain tags cannot be repeated, or do not come back when they were deleted."""
        self.require_deletions()
        if not self.repeats or not self.returns:
            raise Blocked("The service does not even keep plain tags apart from what was done to them before.")

    def require_deletions(self) -> None:
        """Raise ``Blocked`` where plain tags cannot even be deleted."""
        if not self.deletes:
            raise Blocked("The service does not even delete plain tags.")


def control(ground: Ground) -> Control:
    """Add, repeat and delete a few plain tags; once more where that went wrong, since a service may fail in passing."""
    with ground.transcript.of(Purpose.PREPARING):
        first = _controlled(ground)
        return first if first == Control(adds=True, repeats=True, deletes=True) else _controlled(ground)


def _controlled(ground: Ground) -> Control:
    # One is the beginning, one the end of another: a service that cannot tell them apart cannot be asked about more.
    tags = ["control", "controls", "third", "uncontrol"]
    with ground.fresh_image() as image:
        added = [image.add_tag(tag).ok for tag in tags]
        adds = all(added) and sorted(image.settled(tags)) == tags
        repeats = adds and image.add_tag("control").ok and sorted(image.settled(tags)) == tags
        gone = [image.delete_tag(tag).ok for tag in ("control", "third")]
        left = ["controls", "later", "uncontrol"]
        deletes = adds and all(gone) and image.add_tag("later").ok and sorted(image.settled(left)) == left
        deletes = deletes and all(image.delete_tag(tag).ok for tag in left) and not image.settled([])
        returns = deletes and image.add_tag("later").ok and image.settled(["later"]) == ["later"]
        returns = returns and image.delete_tag("later").ok and not image.settled([])
    return Control(adds, repeats, deletes, returns)


def plain_lives(ground: Ground, number: int) -> Histories:
    """The whole lives of plain tags, as many as the profile says."""
    effort = ground.options.effort
    rounds = -(-effort.tags // len(strategies.PLAIN))
    drawn = strategies.draw(strategies.samples(strategies.PLAIN, rounds), number, effort.lives)
    # Every class once before any comes twice, however few there is room for.
    chosen = [strategies.unrelated([*batch[::rounds], *batch])[: effort.tags] for batch in drawn]
    return _lives(ground, [strategies.shuffled(batch, number) for batch in chosen])


def unusual_lives(ground: Ground, number: int) -> Histories:
    """Unusual tags of every class, so many rounds as the profile says: some for a whole life, the others for a stay."""
    effort = ground.options.effort
    if not ground.rounds:
        return Histories([])
    lives, stays = [], []
    for drawn in strategies.draw(strategies.samples(strategies.UNUSUAL), number, ground.rounds):
        first, *rest = strategies.batches(strategies.shuffled(strategies.unrelated(drawn), number), effort.tags)
        lives.append(first)
        stays += rest
    if effort.orders > 1:
        lives, stays = [*lives, *stays], []
    plans = [plan_of_a_stay([(one.tag, one.kind) for one in batch]) for batch in stays]
    return Histories(
        _lives(ground, lives).histories + trials.carry_out_all(ground.fresh_image, plans, single=ground.single)
    )


def related_lives(ground: Ground) -> Histories:
    """The lives of tags that a service may take for each other; now one of a pair comes first, now the other."""
    effort = ground.options.effort
    if not ground.rounds:
        return Histories([])
    pairs = [
        (name, (pair[1], pair[0]) if number % 2 else pair)
        for name, related in strategies.RELATED.items()
        for number, pair in enumerate(related)
    ]
    orders = [pairs, [(name, (two, one)) for name, (one, two) in pairs]][: effort.orders]
    plans = [plan_of_pairs(group) for one in orders for group in strategies.apart_from_each_other(one)]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def edges(ground: Ground) -> Histories:
    """Tags of one character, at the edges of the limit and past it, and some that look like something else."""
    within = [
        *((tag, "one character") for tag in known_tags.SINGLES),
        *((tag, "boundary") for tag in known_tags.EDGES),
        *((tag, "looks like a value") for tag in known_tags.LOOK_ALIKES[: None if ground.rounds else 8]),
        *((tag, "looks like a pattern") for tag in known_tags.PATTERNS),
    ]
    again = [(tag, "boundary") for tag in known_tags.EDGES]
    # Where there is room for little, those leave that a service could take for another.
    leaving = within if ground.rounds else [*again, *within[-len(known_tags.PATTERNS) :][:5]]
    beyond = [(tag, "past the limit") for tag in known_tags.OVERLONG[: None if ground.rounds else 4]]
    if ground.rounds:
        beyond += [(tag, "past the limit, composing") for tag in known_tags.COMPOSING]
    plan = plan_of_edges(within, again, beyond, leaving)
    return Histories([trials.carry_out(ground.fresh_image, plan, single=ground.single)])


def absences(ground: Ground) -> Histories:
    """Deletions of tags that an image never had, some of which are close to those that it has."""
    longest = "l" * known_tags.LONGEST
    carried = [(tag, "carried") for tag in ("other", "another", "third-7", longest)]
    near, special = ["othe", "others", "7", "ther", "another-" * 20], [f"{longest}l"]
    if ground.rounds:
        near += ["absent", "third-", "third-70", "-", "a" * known_tags.LONGEST]
        special += known_tags.ABSENT
    absent = [(tag, "absent") for tag in near] + [(tag, "absent and special") for tag in special]
    return Histories([trials.carry_out(ground.fresh_image, plan_of_absence(carried, absent), single=ground.single)])


def lengths(ground: Ground, number: int) -> Histories:
    """Plain tags of every length, and words at which some service is known to trip, plain ones and others."""
    effort = ground.options.effort
    if not ground.rounds:
        return Histories([])
    plain = [(known_tags.tag_of_length(one, number), "every length") for one in range(1, known_tags.LONGEST + 1)]
    plain += [(word, "word or number") for word in known_tags.WORDS]
    plans = _stays(plain, number, 2 * effort.tags, effort.leaving)
    phrases = [(phrase, "looks like something else") for phrase in known_tags.PHRASES]
    phrases += [(phrase, "255 characters of several kinds") for phrase in known_tags.LONG]
    plans += _stays(phrases, number, 2 * effort.tags, min(effort.leaving, 2))
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def _stays(tags: list[tuple[str, str]], number: int, size: int, leaving: int) -> list[list[Operation]]:
    """Plan stays for tags, so many on an image; one of so many is deleted too, others with every seed."""
    batches = strategies.batches(strategies.shuffled(tags, number), size)
    return [plan_of_a_stay(batch, leaving=slice(number % leaving, None, leaving)) for batch in batches]


def special_lives(ground: Ground, number: int) -> Histories:
    """Special tags that are written out, and carpets of every script.

    Where a service refuses or does not keep a whole carpet, what stands in it is asked one by one, or part by part.
    """
    if not ground.rounds:
        return Histories([])
    every = [(tag, sort) for sort, tags in known_tags.SPECIAL.items() for tag in tags]
    carpets = [(tag, "carpet of scripts") for tag in known_tags.carpets(number)]
    plans = [plan_of_a_stay(batch) for batch in strategies.batches(every, ground.options.effort.tags)]
    histories = trials.carry_out_all(
        ground.fresh_image, [*plans, plan_of_a_life(carpets, neighbours=STANDING_BY)], single=ground.single
    )
    added = [step for history in histories for step in history.steps if step.operation.kind is Kind.ADD]
    torn = [step.operation for step in added if not (step.answer.ok and step.known and faithful(step))]
    sorts = {one.sort for one in torn}
    again = [(tag, sort) for sort in sorts.intersection(known_tags.ONE_BY_ONE) for tag in known_tags.ONE_BY_ONE[sort]]
    whole = dict.fromkeys(one.tag for one in torn if one.sort == "carpet of scripts")
    again += [(piece, "part of a carpet") for tag in whole for piece in known_tags.pieces(tag)]
    plans = [plan_of_a_stay(batch) for batch in strategies.batches(again, ground.options.effort.tags)]
    return Histories(histories + trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


@dataclass(frozen=True)
class Showing:
    """What an image and the list of images showed of its tags, one after the other."""

    reading: Reading
    listed: object
    """The attribute ``tags`` of the image's entry in the list, whatever it is."""
    exchanges: tuple[Exchange, ...]
    to_reader: tuple[str, ...] | None = None
    """The tags that a reader of the project is shown; ``None`` where there is none, or no list of strings."""
    listed_to_reader: list[str] | None = None
    """The tags that the list shows to a reader; ``None`` where there is none, or no list of strings."""

    @property
    def detail(self) -> tuple[str, ...]:
        """The tags that the image itself showed; none where it showed no list of strings."""
        return self.reading.tags or ()

    def __repr__(self) -> str:
        to_reader = "" if self.to_reader is None else f", to a reader {sorted(self.to_reader)!a}"
        to_reader += "" if self.listed_to_reader is None else f", the list to a reader {self.listed_to_reader!a}"
        return f"the image shows {sorted(self.detail)!a}, the list {self.listed!a}{to_reader}"


@dataclass(frozen=True)
class Showings:
    """An image in several states, as itself and the list of images show it."""

    states: list[Showing]

    def __iter__(self) -> Iterator[Showing]:
        """Give the states; each is a case of the check in hand."""
        for one in self.states:
            evidence.current().case(one.exchanges)
            yield one

    def details(self) -> Iterator[Reading]:
        """Give what the image itself showed."""
        for one in self.states:
            evidence.current().case([one.reading.answer.exchange])
            yield one.reading


def showings(ground: Ground) -> Showings:
    """Look at an image and at its entry in the list when it has some tags, fewer, none, one again, and many special."""
    some = ["one", "two", "Three", "4", "null", "v" * known_tags.LONGEST]
    # A repetition and a tag that is too long are no state of their own, but must not be seen either.
    stages: list[tuple[str, list[str]]] = [
        ("PUT", [*some, "one", "w" * (known_tags.LONGEST + 1)]),
        ("DELETE", some[::2]),
        ("DELETE", some[1::2]),
        ("PUT", ["two"]),
    ]
    states = []
    reader = ground.caller("READER")
    with ExitStack() as stack:
        image = stack.enter_context(ground.fresh_image())
        if ground.rounds:
            stages.append(("PATCH", [*SHOWN_TOGETHER, *known_tags.carpets(ground.number("shown"))]))
            if not ground.options.image:
                # An image of the same name, with tags of its own, must not be taken for it.
                stack.enter_context(_namesake(ground, image))
        for method, tags in stages:
            if method == "PATCH":
                change = {"op": "replace", "path": "/tags", "value": tags}
                asked = [image.client.patch(image.id, change).exchange]
            else:
                asked = [(image.add_tag if method == "PUT" else image.delete_tag)(tag).exchange for tag in tags]
            states.append(_shown(image, asked, reader, listing=bool(ground.rounds)))
    return Showings(states)


SHOWN_TOGETHER = (
    "with blank",
    "Grüße",
    "a,b",
    "漢字",
    "x=y&z",
    "UPPER",
    "upper",
    *(f"many-{one}" for one in range(30)),
)


@contextmanager
def _namesake(ground: Ground, image: Image) -> Iterator[None]:
    try:
        with ground.fresh_image(name=image.name) as other:
            other.add_tag("of-the-namesake")
            yield
    except Blocked:
        yield


def _shown(image: Image, asked: list[Exchange], reader: ImagesClient | None, *, listing: bool) -> Showing:
    def look() -> tuple[Reading, dict[str, Any]]:
        return Reading(image.show()), image.listed()

    # Either may be late: where they differ, both are looked at again.
    reading, entry = image.waited_for(look, lambda seen: _strings(seen[1].get("tags")) == sorted(seen[0].tags or ()))
    tags = sorted(reading.tags or ())
    exchanges = [*asked[-3:], reading.answer.exchange]
    to_reader, listed_to_reader = None, None
    if reader:
        seen = image.seen_by(reader)
        shown = seen.waited_for(lambda: Reading(seen.show()), lambda one: sorted(one.tags or ()) == tags)
        to_reader, exchanges = shown.tags, [*exchanges, shown.answer.exchange]
    if reader and listing and to_reader is not None:
        # A reader to whom the list shows no such image at all is another question.
        found = seen.waited_for(seen.entry, lambda one: _strings(one.get("tags")) == tags).get("tags")
        listed_to_reader = found if _strings(found) is not None else None
    return Showing(reading, entry.get("tags"), tuple(exchanges), to_reader, listed_to_reader)


def _strings(tags: object) -> list[str] | None:
    """Give tags in a settled order; ``None`` where they are no list of strings."""
    good = isinstance(tags, list) and all(isinstance(one, str) for one in tags)
    return sorted(tags) if good and isinstance(tags, list) else None


def states(ground: Ground) -> Histories:
    """Add and delete tags of images in every state in which an image may be."""
    if not ground.rounds or ground.options.image:
        return Histories([])
    histories = []
    for state, opened in (("active", _active), ("hidden", _hidden), ("public", public)):
        plan = plan_of_a_stay([(f"{state}-1", state), (f"{state}-2", state)])
        # A state that an image cannot be brought to is no question about tags.
        with suppress(Blocked, pytest.skip.Exception):
            histories.append(trials.carry_out(partial(opened, ground), plan, single=True))
    return Histories(histories)


@contextmanager
def _active(ground: Ground) -> Iterator[Image]:
    with ground.fresh_image() as image:
        with ground.transcript.of(Purpose.PREPARING):
            prepared(image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"}))
        yield image


@contextmanager
def _hidden(ground: Ground) -> Iterator[Image]:
    with ground.fresh_image() as image:
        with ground.transcript.of(Purpose.PREPARING):
            prepared(image.client.patch(image.id, {"op": "replace", "path": "/os_hidden", "value": True}))
        yield image


@contextmanager
def public(ground: Ground) -> Iterator[Image]:
    """Open an image that everybody may see. Raises ``Blocked`` where none can be made so."""
    administrator = ground.caller("ADMIN")
    with ground.fresh_image() as image:
        change = {"op": "replace", "path": "/visibility", "value": "public"}
        with ground.transcript.of(Purpose.PREPARING):
            callers = [one for one in (ground.client, administrator) if one]
            if not any(one.patch(image.id, change).ok for one in callers):
                raise Blocked("No image can be made public.")
        yield image


@dataclass(frozen=True)
class Bystander:
    """An image that no request named, before and after tags of another one were changed."""

    what: str
    before: list[str]
    after: list[str]
    exchanges: tuple[Exchange, ...]

    def __repr__(self) -> str:
        return f"{self.what}: {sorted(self.before)!a} became {sorted(self.after)!a}"


def bystanders(ground: Ground) -> list[Bystander]:
    """Change the tags of one image among others that have the same name, the same tags, or another project."""
    carried = ["shared", "kept", "gone"]
    watched: list[tuple[str, Image]] = []
    with ExitStack() as stack:
        oldest = stack.enter_context(ground.fresh_image())
        oldest.begin_with(*carried)
        watched.append(("an older image with the same tags", oldest))
        if not ground.options.image:
            other = ground.caller("ALT")
            if other:
                with suppress(Blocked):
                    stranger = stack.enter_context(created(other, ground.run, ground.patience, name=oldest.name))
                    stranger.begin_with(*carried)
                    watched.append(("an image of another project with the same name and tags", stranger))
        main = stack.enter_context(ground.fresh_image())
        main.begin_with(*carried)
        if ground.rounds and not ground.options.image:
            with suppress(Blocked):
                untagged = stack.enter_context(ground.fresh_image())
                watched.append(("a newer image without tags", untagged))
            # The deletion of an image with a tag that others have is nothing to them.
            with suppress(Blocked), ground.fresh_image() as spare:
                spare.begin_with("shared")
        before = [image.tags() for _, image in watched]
        asked = [main.add_tag("new"), main.add_tag("kept"), main.delete_tag("gone"), main.delete_tag("absent")]
        exchanges = tuple(one.exchange for one in asked)
        return [
            Bystander(what, tags, image.settled(tags), exchanges)
            for (what, image), tags in zip(watched, before, strict=True)
        ]


def full_image(ground: Ground) -> Histories:
    """Fill an image up to the limit that the operator states, knock at it, and make room once."""
    limit = ground.options.tag_limit
    if not limit:
        return Histories([])
    return Histories([trials.carry_out(ground.fresh_image, plan_of_a_limit(limit), single=ground.single)])


def sequences(ground: Ground, number: int) -> Histories:
    """Random sequences on two images, and one on an image that comes to carry many tags."""
    effort = ground.options.effort
    plans = strategies.draw(strategies.plans(effort.steps), number, effort.sequences)
    # Of equal length and without meaning, so that nothing but their number is the question.
    many = [f"m{zlib.crc32(f'{number} {place}'.encode()):08x}" for place in range(effort.many)]
    plans = [*(read_often(plan, effort.looks) for plan in plans), *([plan_of_many(many)] if many else [])]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def related_sequences(ground: Ground, number: int) -> Histories:
    """Random sequences of tags that are spelled alike, on two images."""
    effort = ground.options.effort
    if not effort.rounds:
        return Histories([])
    plans = strategies.draw(strategies.related_plans(), number, -(-effort.rounds // 2))
    plans = [read_often(plan, effort.looks) for plan in plans]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def walks(ground: Ground, number: int) -> Looks:
    """Sequences in which tags are changed by their address and by PATCH, and looked at through every window."""
    effort = ground.options.effort
    plans = strategies.draw(views.walks(), number, effort.walks) if effort.walks else []
    return views.walk(ground.fresh_image, plans, single=ground.single)


def _lives(ground: Ground, batches: list[list[Sample]]) -> Histories:
    plans = [
        plan_of_a_life([(one.tag, one.kind) for one in batch], neighbours=STANDING_BY) for batch in batches if batch
    ]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))
