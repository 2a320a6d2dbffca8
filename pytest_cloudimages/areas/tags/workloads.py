"""The experiments: what is drawn, carried out once, and looked at by many checks."""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.images import states as openers
from pytest_cloudimages.areas.tags import corpus, read_paths, strategies
from pytest_cloudimages.areas.tags.plans import (
    plan_of_a_life,
    plan_of_a_limit,
    plan_of_a_stay,
    plan_of_absence,
    plan_of_edges,
    plan_of_many,
    plan_of_pairs,
    read_often,
)
from pytest_cloudimages.areas.tags.read_paths import Comparisons
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine import drawing, sequential
from pytest_cloudimages.engine.drawing import Sample
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.oracles import took_exact_effect
from pytest_cloudimages.spec import limits
from pytest_cloudimages.spec.verdicts import Blocked

STANDING_BY = 3
"""Tags that the image standing by shares with the one that is changed."""


FURNISHED: dict[str, Any] = {"min_disk": 1, "min_ram": 64, "cloudimages_note": "as it was"}
"""Attributes with values of their own, so that it shows when they are lost."""


@contextmanager
def _furnished(run: Run, **attributes: Any) -> Iterator[Image]:
    """Open an image with attributes that have values of their own, where a service takes them."""
    with ExitStack() as stack:
        wanted: dict[str, Any] = {} if run.settings.image else FURNISHED
        try:
            image = stack.enter_context(run.fresh_image(**wanted, **attributes))
        except Blocked:
            image = stack.enter_context(run.fresh_image(**attributes))
        yield image


def plain_tags(run: Run, number: int) -> Steps:
    """The whole lives of plain tags, as many as the profile says."""
    effort = run.settings.effort
    rounds = -(-effort.tags // len(strategies.PLAIN))
    drawn = drawing.draw(drawing.samples(strategies.PLAIN, rounds), number, effort.lives)
    # Every class once before any comes twice, however few there is room for.
    chosen = [strategies.unrelated([*batch[::rounds], *batch])[: effort.tags] for batch in drawn]
    return _lives(run, [drawing.shuffled(batch, number) for batch in chosen], partial(_furnished, run))


def unusual_tags(run: Run, number: int) -> Steps:
    """Unusual tags of every class, so many rounds as the profile says: some for a whole life, the others for a stay."""
    effort = run.settings.effort
    if not run.rounds:
        return Steps([])
    lives, stays = [], []
    for drawn in drawing.draw(drawing.samples(strategies.UNUSUAL), number, run.rounds):
        first, *rest = drawing.batches(drawing.shuffled(strategies.unrelated(drawn), number), effort.tags)
        lives.append(first)
        stays += rest
    if effort.orders > 1:
        lives, stays = [*lives, *stays], []
    plans = [plan_of_a_stay([(one.tag, one.kind) for one in batch]) for batch in stays]
    return Steps(_lives(run, lives).histories + sequential.execute_all(run.fresh_image, plans, single=run.single))


def confusable_tags(run: Run) -> Steps:
    """The lives of tags that a service may take for each other; now one of a pair comes first, now the other."""
    effort = run.settings.effort
    if not run.rounds:
        return Steps([])
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
        for some in drawing.batches(group, effort.tags // 2)
    ]
    return Steps(sequential.execute_all(run.fresh_image, plans, single=run.single))


def boundary_tags(run: Run) -> Steps:
    """Tags of one character, at the edges of the limit and past it, and some that look like something else."""
    effort = run.settings.effort
    within = [
        *((tag, "one character") for tag in corpus.SINGLE_CHARACTERS),
        *((tag, "boundary") for tag in corpus.BOUNDARY_LENGTHS),
        *((tag, "looks like a value") for tag in corpus.LOOK_ALIKES[: None if run.rounds else 2]),
        *((tag, "looks like a pattern") for tag in corpus.PATTERNS),
    ]
    again = [(tag, "boundary") for tag in corpus.BOUNDARY_LENGTHS]
    # Where there is room for little, those leave that a service could take for another.
    leaving = within if run.rounds else [*again, *within[-len(corpus.PATTERNS) :][:6]]
    beyond = [(tag, "past the limit") for tag in corpus.OVERLONG[: None if run.rounds else 4]]
    if run.rounds:
        beyond += [(tag, "past the limit, composing") for tag in corpus.COMPOSING]
    # Not too many on one image: how many it can carry is another question.
    groups = drawing.batches(within, effort.tags) if run.rounds else [within]
    plans = [
        plan_of_edges(
            some,
            [one for one in again if one in some],
            [] if number else beyond,
            [one for one in leaving if one in some],
        )
        for number, some in enumerate(groups)
    ]
    return Steps(sequential.execute_all(run.fresh_image, plans, single=run.single))


def absent_tags(run: Run) -> Steps:
    """Deletions of tags that an image never had, some of which are close to those that it has."""
    longest = "l" * limits.LONGEST
    carried = [(tag, "carried") for tag in ("other", "another", "third-7", longest)]
    near, special = ["othe", "others", "ther", "another-" * 20], [f"{longest}l"]
    if run.rounds:
        near += ["absent", "7", "third-", "third-70", "-", "a" * limits.LONGEST]
        special += corpus.ABSENT
    absent = [(tag, "absent") for tag in near] + [(tag, "absent and special") for tag in special]
    return Steps([sequential.execute(run.fresh_image, plan_of_absence(carried, absent), single=run.single)])


def every_length(run: Run, number: int) -> Steps:
    """Plain tags of every length, and words at which some service is known to trip, plain ones and others."""
    effort = run.settings.effort
    if not run.rounds:
        return Steps([])
    plain = [(corpus.tag_of_length(one, number), "every length") for one in range(1, limits.LONGEST + 1)]
    plain += [(word, "word or number") for word in corpus.WORDS]
    plans = _stays(plain, number, effort.tags, effort.leaving)
    phrases = [(phrase, "looks like something else") for phrase in corpus.PHRASES]
    phrases += [(phrase, "255 characters of several kinds") for phrase in corpus.LONG]
    plans += _stays(phrases, number, effort.tags, min(effort.leaving, 2))
    return Steps(sequential.execute_all(run.fresh_image, plans, single=run.single))


def _stays(tags: list[tuple[str, str]], number: int, size: int, leaving: int) -> list[list[Operation]]:
    """Plan stays for tags, so many on an image; one of so many is deleted too, others with every seed."""
    batches = drawing.batches(drawing.shuffled(tags, number), size)
    return [plan_of_a_stay(batch, leaving=slice(number % leaving, None, leaving)) for batch in batches]


def special_tags(run: Run, number: int) -> Steps:
    """Special tags that are written out, and carpets of every script.

    Where a service refuses or does not keep a whole carpet, what stands in it is asked one by one, or part by part.
    """
    if not run.rounds:
        return Steps([])
    every = [(tag, sort) for sort, tags in corpus.SPECIAL.items() for tag in tags]
    plans = [plan_of_a_stay(batch) for batch in drawing.batches(every, run.settings.effort.tags)]
    return _torn_apart(run, [*plans, _plan_of_carpets(number)])


def carpet_lives(run: Run, number: int) -> Steps:
    """The lives of carpets alone: what of the special tags follows from the seed."""
    return _torn_apart(run, [_plan_of_carpets(number)]) if run.rounds else Steps([])


def _plan_of_carpets(number: int) -> list[Operation]:
    carpets = [(tag, "carpet of scripts") for tag in corpus.polyglots(number)]
    return plan_of_a_life(carpets, neighbours=STANDING_BY)


def _torn_apart(run: Run, plans: list[list[Operation]]) -> Steps:
    """Carry out plans, and ask one by one, or part by part, what a service refused or did not keep as a whole."""
    histories = sequential.execute_all(run.fresh_image, plans, single=run.single)
    added = [step for history in histories for step in history.steps if step.operation.kind is Kind.ADD]
    torn = [step.operation for step in added if not (step.answer.ok and step.known and took_exact_effect(step))]
    sorts = {one.sort for one in torn}
    again = [(tag, sort) for sort in sorts.intersection(corpus.ONE_BY_ONE) for tag in corpus.ONE_BY_ONE[sort]]
    whole = dict.fromkeys(one.tag for one in torn if one.sort == "carpet of scripts")
    again += [(piece, "part of a carpet") for tag in whole for piece in corpus.fragments(tag)]
    plans = [plan_of_a_stay(batch) for batch in drawing.batches(again, run.settings.effort.tags)]
    return Steps(histories + sequential.execute_all(run.fresh_image, plans, single=run.single))


def image_states(run: Run) -> Steps:
    """Add and delete tags of images in every state in which an image may be."""
    if not run.rounds or run.settings.image:
        return Steps([])
    histories = []
    for state, opened in (("active", openers.active), ("hidden", openers.hidden), ("public", openers.public)):
        plan = plan_of_a_stay([(f"{state}-1", state), (f"{state}-2", state)])
        # A state that an image cannot be brought to is no question about tags.
        with suppress(Blocked, pytest.skip.Exception):
            histories.append(sequential.execute(partial(opened, run), plan, single=True))
    return Steps(histories)


def image_at_tag_limit(run: Run) -> Steps:
    """Fill an image up to the limit that the operator states, knock at it, and make room once."""
    limit = run.settings.tag_limit
    if not limit:
        return Steps([])
    return Steps([sequential.execute(run.fresh_image, plan_of_a_limit(limit), single=run.single)])


def sequences(run: Run, number: int) -> Steps:
    """Random sequences on two images, and one on an image that comes to carry many tags."""
    effort = run.settings.effort
    plans = drawing.draw(strategies.plans(effort.steps), number, effort.sequences)
    # Of equal length and without meaning, so that nothing but their number is the question.
    many = [f"m{zlib.crc32(f'{number} {place}'.encode()):08x}" for place in range(effort.many)]
    plans = [*(read_often(plan, effort.looks) for plan in plans), *([plan_of_many(many)] if many else [])]
    return Steps(sequential.execute_all(run.fresh_image, plans, single=run.single))


def confusable_sequences(run: Run, number: int) -> Steps:
    """Random sequences of tags that are spelled alike, on two images."""
    effort = run.settings.effort
    if not effort.rounds:
        return Steps([])
    plans = drawing.draw(strategies.related_plans(), number, -(-effort.rounds // 2))
    plans = [read_often(plan, effort.looks) for plan in plans]
    return Steps(sequential.execute_all(run.fresh_image, plans, single=run.single))


def read_path_checks(run: Run, number: int, *, patching: bool = True) -> Comparisons:
    """Sequences in which tags are changed by their address and by PATCH, and looked at through every window.

    Without ``patching``, what a PATCH sets is added and deleted tag by tag.
    """
    effort = run.settings.effort
    plans = drawing.draw(read_paths.read_path_plans(), number, effort.walks) if effort.walks else []
    return read_paths.check_read_paths(
        run.fresh_image, plans if patching else map(read_paths.by_address, plans), single=run.single
    )


def astray_without_a_patch(run: Run) -> bool:
    """Whether the tags of the same walks go astray as well where none of them is changed by PATCH."""
    try:
        return not read_path_checks(run, run.number("walks"), patching=False).sound
    finally:
        # What is sent here is no evidence of what a PATCH did.
        run.recorder.take()


def _lives(run: Run, batches: list[list[Sample]], fresh_image: FreshImage | None = None) -> Steps:
    plans = [
        plan_of_a_life([(one.tag, one.kind) for one in batch], neighbours=STANDING_BY) for batch in batches if batch
    ]
    return Steps(sequential.execute_all(fresh_image or run.fresh_image, plans, single=run.single))
