"""The experiments: what is drawn, carried out once, and looked at by many checks."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_cloudimages import evidence, known_tags, strategies, trials, views
from pytest_cloudimages.client import Image
from pytest_cloudimages.exchanges import Exchange, Purpose
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.judging import Histories
from pytest_cloudimages.plans import (
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

    def require_additions(self) -> None:
        """Raise ``Blocked`` where plain tags cannot even be added."""
        if not self.adds:
            raise Blocked("The service does not even add plain tags.")

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
    return Control(adds, repeats, deletes)


def plain_lives(ground: Ground, number: int) -> Histories:
    """The whole lives of plain tags, as many as the profile says."""
    effort = ground.options.effort
    rounds = -(-effort.tags // len(strategies.PLAIN))
    drawn = strategies.draw(strategies.samples(strategies.PLAIN, rounds), number, effort.lives)
    # Every class once before any comes twice, however few there is room for.
    chosen = [strategies.unrelated([*batch[::rounds], *batch])[: effort.tags] for batch in drawn]
    return _lives(ground, [strategies.shuffled(batch, number) for batch in chosen])


def unusual_lives(ground: Ground, number: int) -> Histories:
    """Unusual tags of every class, so many rounds as the profile says: whole lives first, then mere stays."""
    effort = ground.options.effort
    if not ground.rounds:
        return Histories([])
    first, *more = strategies.draw(strategies.samples(strategies.UNUSUAL), number, ground.rounds)
    lives = _lives(ground, strategies.batches(strategies.unrelated(first), effort.tags))
    batches = [batch for one in more for batch in strategies.batches(strategies.unrelated(one), effort.tags)]
    plans = [plan_of_a_stay([(one.tag, one.kind) for one in batch]) for batch in batches]
    return Histories(lives.histories + trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


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
        *((tag, "looks like a value") for tag in known_tags.LOOK_ALIKES),
        *((tag, "looks like a pattern") for tag in known_tags.PATTERNS),
    ]
    again = [(tag, "boundary") for tag in known_tags.EDGES]
    beyond = [(tag, "past the limit") for tag in known_tags.OVERLONG]
    return Histories([trials.carry_out(ground.fresh_image, plan_of_edges(within, again, beyond), single=ground.single)])


def absences(ground: Ground) -> Histories:
    """Deletions of tags that an image never had, some of which are close to those that it has."""
    carried = [(tag, "carried") for tag in ("other", "another", "third-7")]
    special = known_tags.ABSENT if ground.rounds else ()
    absent = [(tag, "absent and special") for tag in special] + [
        (tag, "absent")
        for tag in ("absent", "othe", "others", "-", "7", "ther", "third-", "third-70", "another-" * 20, "a" * 255)
    ]
    return Histories([trials.carry_out(ground.fresh_image, plan_of_absence(carried, absent), single=ground.single)])


def lengths(ground: Ground, number: int) -> Histories:
    """Plain tags of every length, and every word at which some service is known to trip."""
    effort = ground.options.effort
    if not ground.rounds:
        return Histories([])
    every = [(known_tags.tag_of_length(one, number), "every length") for one in range(1, known_tags.LONGEST + 1)]
    every += [(word, "word or number") for word in known_tags.WORDS]
    batches = strategies.batches(strategies.shuffled(every, number), effort.tags)
    # What is added must be there; that it can be deleted is tried with a part, another one for every seed.
    leaving = slice(number % effort.leaving, None, effort.leaving)
    plans = [plan_of_a_stay(batch, leaving=leaving) for batch in batches]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def special_lives(ground: Ground) -> Histories:
    """Special tags that are written out: every character of ASCII, blanks at every place, some beyond ASCII."""
    if not ground.rounds:
        return Histories([])
    every = [(tag, sort) for sort, tags in known_tags.SPECIAL.items() for tag in tags]
    plans = [plan_of_a_stay(batch) for batch in strategies.batches(every, ground.options.effort.tags)]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


@dataclass(frozen=True)
class Showing:
    """What an image and the list of images showed of its tags, one after the other."""

    reading: Reading
    listed: object
    """The attribute ``tags`` of the image's entry in the list, whatever it is."""
    exchanges: tuple[Exchange, ...]

    @property
    def detail(self) -> tuple[str, ...]:
        """The tags that the image itself showed; none where it showed no list of strings."""
        return self.reading.tags or ()

    def __repr__(self) -> str:
        return f"the image shows {sorted(self.detail)!a}, the list {self.listed!a}"


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
    """Look at an image and at its entry in the list when it has many tags, fewer, none, and special ones."""
    many = ["one", "two", "Three", "4", "null", "v" * known_tags.LONGEST]
    # A repetition and a tag that is too long are no state of their own, but must not be seen either.
    stages: list[tuple[str, list[str]]] = [
        ("PUT", [*many, "one", "w" * (known_tags.LONGEST + 1)]),
        ("DELETE", many[::2]),
        ("DELETE", many[1::2]),
    ]
    if ground.rounds:
        stages.append(("PUT", ["with blank", "Grüße", "a,b", "漢字", "x=y&z", "UPPER", "upper"]))
    states = []
    with ground.fresh_image() as image:
        for method, tags in stages:
            asked = [(image.add_tag if method == "PUT" else image.delete_tag)(tag).exchange for tag in tags]
            states.append(_shown(image, asked))
    return Showings(states)


def _shown(image: Image, asked: list[Exchange]) -> Showing:
    reading = Reading(image.show())
    tags = sorted(reading.tags or ())

    def agree(entry: dict[str, Any]) -> bool:
        listed = entry.get("tags")
        return isinstance(listed, list) and sorted(map(str, listed)) == tags

    entry = image.waited_for(image.listed, agree)
    return Showing(reading, entry.get("tags"), (*asked[-3:], reading.answer.exchange))


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
