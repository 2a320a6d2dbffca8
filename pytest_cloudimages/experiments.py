"""The experiments: what is drawn, carried out once, and looked at by many checks."""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages import known_tags, openers, strategies, trials, views
from pytest_cloudimages.client import Image
from pytest_cloudimages.exchanges import Exchange, Purpose
from pytest_cloudimages.ground import FreshImage, Ground
from pytest_cloudimages.judging import Histories, faithful
from pytest_cloudimages.lifetimes import created
from pytest_cloudimages.plans import (
    Kind,
    Operation,
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


FURNISHED: dict[str, Any] = {"min_disk": 1, "min_ram": 64, "cloudimages_note": "as it was"}
"""Attributes with values of their own, so that it shows when they are lost."""


@contextmanager
def _furnished(ground: Ground, **attributes: Any) -> Iterator[Image]:
    """Open an image with attributes that have values of their own, where a service takes them."""
    with ExitStack() as stack:
        wanted: dict[str, Any] = {} if ground.options.image else FURNISHED
        try:
            image = stack.enter_context(ground.fresh_image(**wanted, **attributes))
        except Blocked:
            image = stack.enter_context(ground.fresh_image(**attributes))
        yield image


def plain_lives(ground: Ground, number: int) -> Histories:
    """The whole lives of plain tags, as many as the profile says."""
    effort = ground.options.effort
    rounds = -(-effort.tags // len(strategies.PLAIN))
    drawn = strategies.draw(strategies.samples(strategies.PLAIN, rounds), number, effort.lives)
    # Every class once before any comes twice, however few there is room for.
    chosen = [strategies.unrelated([*batch[::rounds], *batch])[: effort.tags] for batch in drawn]
    return _lives(ground, [strategies.shuffled(batch, number) for batch in chosen], partial(_furnished, ground))


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
    # Not too many on one image: how many it can carry is another question.
    plans = [
        plan_of_pairs(some)
        for one in orders
        for group in strategies.apart_from_each_other(one)
        for some in strategies.batches(group, effort.tags // 2)
    ]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def edges(ground: Ground) -> Histories:
    """Tags of one character, at the edges of the limit and past it, and some that look like something else."""
    effort = ground.options.effort
    within = [
        *((tag, "one character") for tag in known_tags.SINGLES),
        *((tag, "boundary") for tag in known_tags.EDGES),
        *((tag, "looks like a value") for tag in known_tags.LOOK_ALIKES[: None if ground.rounds else 2]),
        *((tag, "looks like a pattern") for tag in known_tags.PATTERNS),
    ]
    again = [(tag, "boundary") for tag in known_tags.EDGES]
    # Where there is room for little, those leave that a service could take for another.
    leaving = within if ground.rounds else [*again, *within[-len(known_tags.PATTERNS) :][:6]]
    beyond = [(tag, "past the limit") for tag in known_tags.OVERLONG[: None if ground.rounds else 4]]
    if ground.rounds:
        beyond += [(tag, "past the limit, composing") for tag in known_tags.COMPOSING]
    # Not too many on one image: how many it can carry is another question.
    groups = strategies.batches(within, effort.tags) if ground.rounds else [within]
    plans = [
        plan_of_edges(
            some,
            [one for one in again if one in some],
            [] if number else beyond,
            [one for one in leaving if one in some],
        )
        for number, some in enumerate(groups)
    ]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def absences(ground: Ground) -> Histories:
    """Deletions of tags that an image never had, some of which are close to those that it has."""
    longest = "l" * known_tags.LONGEST
    carried = [(tag, "carried") for tag in ("other", "another", "third-7", longest)]
    near, special = ["othe", "others", "ther", "another-" * 20], [f"{longest}l"]
    if ground.rounds:
        near += ["absent", "7", "third-", "third-70", "-", "a" * known_tags.LONGEST]
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
    plans = _stays(plain, number, effort.tags, effort.leaving)
    phrases = [(phrase, "looks like something else") for phrase in known_tags.PHRASES]
    phrases += [(phrase, "255 characters of several kinds") for phrase in known_tags.LONG]
    plans += _stays(phrases, number, effort.tags, min(effort.leaving, 2))
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
    plans = [plan_of_a_stay(batch) for batch in strategies.batches(every, ground.options.effort.tags)]
    return _torn_apart(ground, [*plans, _plan_of_carpets(number)])


def carpet_lives(ground: Ground, number: int) -> Histories:
    """The lives of carpets alone: what of the special tags follows from the seed."""
    return _torn_apart(ground, [_plan_of_carpets(number)]) if ground.rounds else Histories([])


def _plan_of_carpets(number: int) -> list[Operation]:
    carpets = [(tag, "carpet of scripts") for tag in known_tags.carpets(number)]
    return plan_of_a_life(carpets, neighbours=STANDING_BY)


def _torn_apart(ground: Ground, plans: list[list[Operation]]) -> Histories:
    """Carry out plans, and ask one by one, or part by part, what a service refused or did not keep as a whole."""
    histories = trials.carry_out_all(ground.fresh_image, plans, single=ground.single)
    added = [step for history in histories for step in history.steps if step.operation.kind is Kind.ADD]
    torn = [step.operation for step in added if not (step.answer.ok and step.known and faithful(step))]
    sorts = {one.sort for one in torn}
    again = [(tag, sort) for sort in sorts.intersection(known_tags.ONE_BY_ONE) for tag in known_tags.ONE_BY_ONE[sort]]
    whole = dict.fromkeys(one.tag for one in torn if one.sort == "carpet of scripts")
    again += [(piece, "part of a carpet") for tag in whole for piece in known_tags.pieces(tag)]
    plans = [plan_of_a_stay(batch) for batch in strategies.batches(again, ground.options.effort.tags)]
    return Histories(histories + trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


def states(ground: Ground) -> Histories:
    """Add and delete tags of images in every state in which an image may be."""
    if not ground.rounds or ground.options.image:
        return Histories([])
    histories = []
    for state, opened in (("active", openers.active), ("hidden", openers.hidden), ("public", openers.public)):
        plan = plan_of_a_stay([(f"{state}-1", state), (f"{state}-2", state)])
        # A state that an image cannot be brought to is no question about tags.
        with suppress(Blocked, pytest.skip.Exception):
            histories.append(trials.carry_out(partial(opened, ground), plan, single=True))
    return Histories(histories)


@dataclass(frozen=True)
class Bystander:
    """An image that no request named, before and after tags of another one were changed."""

    what: str
    before: list[str]
    after: list[str]
    exchanges: tuple[Exchange, ...]

    def __repr__(self) -> str:
        return f"{self.what}: {sorted(self.before)!a} became {sorted(self.after)!a}"


@contextmanager
def _second(ground: Ground, name: str) -> Iterator[Image]:
    """Open an image of the same name as another, or of a name of its own where a service wants that."""
    with ExitStack() as stack:
        try:
            image = stack.enter_context(ground.fresh_image(name=name))
        except Blocked:
            image = stack.enter_context(ground.fresh_image())
        yield image


def bystanders(ground: Ground) -> list[Bystander]:
    """Change the tags of one image among others that have the same name, the same tags, or another project.

    Where there is but one image to use, there are none.
    """
    if ground.single:
        return []
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
        main = stack.enter_context(_second(ground, oldest.name))
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


def walks(ground: Ground, number: int, *, patching: bool = True) -> Looks:
    """Sequences in which tags are changed by their address and by PATCH, and looked at through every window.

    Without ``patching``, what a PATCH sets is added and deleted tag by tag.
    """
    effort = ground.options.effort
    plans = strategies.draw(views.walks(), number, effort.walks) if effort.walks else []
    return views.walk(ground.fresh_image, plans if patching else map(views.by_address, plans), single=ground.single)


def astray_without_a_patch(ground: Ground) -> bool:
    """Whether the tags of the same walks go astray as well where none of them is changed by PATCH."""
    try:
        return not walks(ground, ground.number("walks"), patching=False).sound
    finally:
        # What is sent here is no evidence of what a PATCH did.
        ground.transcript.take()


def _lives(ground: Ground, batches: list[list[Sample]], fresh_image: FreshImage | None = None) -> Histories:
    plans = [
        plan_of_a_life([(one.tag, one.kind) for one in batch], neighbours=STANDING_BY) for batch in batches if batch
    ]
    return Histories(trials.carry_out_all(fresh_image or ground.fresh_image, plans, single=ground.single))
