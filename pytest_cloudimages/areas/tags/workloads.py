"""The workloads of tags: each is drawn from the seed, carried out once, and looked at by many checks."""

import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.images.life import EVENTS, Life
from pytest_cloudimages.areas.tags import corpus, read_paths, reuse, strategies
from pytest_cloudimages.areas.tags.plans import (
    GIVEN_WITH_LIFE,
    plan_of_a_life,
    plan_of_a_limit,
    plan_of_a_long_life,
    plan_of_absence,
    plan_of_boundaries,
    plan_of_many,
    plan_of_pairs,
)
from pytest_cloudimages.areas.tags.read_paths import Comparisons
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import steps_of
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine import drawing, sequential
from pytest_cloudimages.engine.drawing import Sample
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.engine.settings import Profile
from pytest_cloudimages.engine.watching import showing
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.oracles import took_exact_effect
from pytest_cloudimages.history.sequential_plans import add_delete, full_cycle, read_often
from pytest_cloudimages.history.steps import SequentialHistory
from pytest_cloudimages.spec import limits

IN_FULL = 10
"""Unusual tags of a round that go through the full cycle; all others are added and deleted once."""
ON_OTHER_IMAGE = 3
"""Tags that are first added to another image, so that it shares them with the one that is changed."""


def _effort(run: Run) -> Profile:
    """Return the numbers of the profile, with no more tags on one image than the operator allows.

    What happens at the limit is asked by itself; elsewhere every image has room for one more.
    """
    effort, limit = run.settings.effort, run.settings.tag_limit
    if not limit:
        return effort
    return replace(effort, tags=_room(run, effort.tags), many=_room(run, effort.many))


def _room(run: Run, wanted: int) -> int:
    """Return how many tags to put on one image at once: so many, or all but one of those that the operator allows."""
    limit = run.settings.tag_limit
    return min(wanted, max(limit - 1, 2)) if limit else wanted


@workload(salt="plain", follows_the_seed=True, requests=(52, 106, 613, 983))
def plain_tags(run: Run, seed: int) -> Steps:
    """Run plain tags through the full cycle: added, repeated, deleted, deleted again, re-added, deleted."""
    effort = _effort(run)
    rounds = -(-effort.tags // len(strategies.PLAIN))
    drawn = drawing.draw(drawing.samples(strategies.PLAIN, rounds), seed, effort.full_cycles)
    # Every class once before any comes twice, however few there is room for.
    chosen = [strategies.without_confusables([*batch[::rounds], *batch])[: effort.tags] for batch in drawn]
    shuffled = [drawing.shuffled(batch, seed) for batch in chosen]
    return _full_cycles(run, shuffled, partial(states.with_changed_attributes, run))


@workload(salt="unusual", follows_the_seed=True, requests=(0, 143, 1619, 5395))
def unusual_tags(run: Run, seed: int) -> Steps:
    """Run some unusual tags of every class through the full cycle, and add and delete the others once."""
    effort = _effort(run)
    if not run.rounds:
        return steps_of([])
    in_full, once = [], []
    for drawn in drawing.draw(drawing.samples(strategies.UNUSUAL), seed, run.rounds):
        samples = drawing.shuffled(strategies.without_confusables(drawn), seed)
        in_full.append(samples[: IN_FULL if effort.orders == 1 else effort.tags])
        once += drawing.batches(samples[len(in_full[-1]) :], effort.tags)
    if effort.orders > 1:
        in_full, once = [*in_full, *once], []
    plans = [add_delete([(sample.tag, sample.input_class) for sample in batch]) for batch in once]
    histories = _full_cycles(run, in_full).histories
    return Steps(histories) + _executed(run, plans)


@workload(empty=lambda: steps_of([]), requests=(0, 374, 917, 917))
def confusable_tags(run: Run) -> Steps:
    """Add and delete pairs of tags that a service may take for each other, either of a pair first."""
    effort = _effort(run)
    if not run.rounds:
        return steps_of([])
    pairs = [
        (name, (pair[1], pair[0]) if place % 2 else pair)
        for name, related in strategies.RELATED.items()
        for place, pair in enumerate(related)
    ]
    reversed_pairs = [(name, (second, first)) for name, (first, second) in pairs]
    # Batches are small: how many tags one image can have is tested by ``sequences`` and ``image_at_tag_limit``.
    plans = [
        plan_of_pairs(batch, whole=effort.orders > 1)
        for ordered_pairs in [pairs, reversed_pairs][: effort.orders]
        for group in strategies.non_confusable_groups(ordered_pairs)
        for batch in drawing.batches(group, effort.tags // 2)
    ]
    return _executed(run, plans)


@workload(empty=lambda: steps_of([]), requests=(52, 87, 87, 87))
def boundary_tags(run: Run) -> Steps:
    """Add tags of one character, at the boundary lengths and past the limit, and some that look like something else."""
    effort = _effort(run)
    within = [
        *((tag, "one character") for tag in corpus.SINGLE_CHARACTERS),
        *((tag, "boundary") for tag in corpus.BOUNDARY_LENGTHS),
        *((tag, "looks like a value") for tag in corpus.LOOK_ALIKES[: None if run.rounds else 2]),
        *((tag, "looks like a pattern") for tag in corpus.PATTERNS),
    ]
    repeated = [(tag, "boundary") for tag in corpus.BOUNDARY_LENGTHS]
    # In a short run only those are deleted that a service could take for another tag.
    deleted = within if run.rounds else [*repeated, *within[-len(corpus.PATTERNS) :][:6]]
    # Where one is shown as a value, and not as a text, nothing that the image shows beside it can be read.
    within.sort(key=lambda each: corpus.looks_like_a_value(each[0]))
    beyond = [(tag, "past the limit") for tag in corpus.OVERLONG[: None if run.rounds else 4]]
    if run.rounds:
        beyond += [(tag, "past the limit, composing") for tag in corpus.COMPOSING]
    # Batches are small: how many tags one image can have is tested by ``sequences`` and ``image_at_tag_limit``.
    batches = drawing.batches(within, effort.tags) if run.rounds else [within]
    plans = [
        plan_of_boundaries(
            batch,
            [tag for tag in repeated if tag in batch],
            [] if place else beyond,
            [tag for tag in deleted if tag in batch],
        )
        for place, batch in enumerate(batches)
    ]
    return _executed(run, plans, partial(states.with_changed_attributes, run))


@workload(empty=lambda: steps_of([]), requests=(14, 27, 27, 27))
def absent_tags(run: Run) -> Steps:
    """Delete tags that an image never had, some of them close to those that it has."""
    longest = "l" * limits.LONGEST
    present = [(tag, "carried") for tag in ("other", "another", "third-7", longest)]
    near, special = ["othe", "others", "ther", "another-" * 20], [f"{longest}l"]
    if run.rounds:
        near += ["absent", "7", "third-", "third-70", "-", "a" * limits.LONGEST]
        special += corpus.ABSENT
    absent = [(tag, "absent") for tag in near] + [(tag, "absent and special") for tag in special]
    return _executed(run, [plan_of_absence(present, absent)])


OF_SEVERAL_KINDS = "255 characters of several kinds"
"""The input class of tags of that length that are not all plain."""


@workload(salt="lengths", follows_the_seed=True, requests=(0, 508, 868, 868))
def every_length(run: Run, seed: int) -> reuse.OnOneImage:
    """Add and delete plain tags of every length, and words and phrases that services are known to mistreat."""
    if not run.rounds:
        return reuse.OnOneImage([])
    effort = _effort(run)
    # A word is a tag of its length as well, and those of the boundaries are asked about for themselves.
    lengths = sorted({*range(1, limits.LONGEST + 1)} - {*map(len, (*corpus.WORDS, *corpus.BOUNDARY_LENGTHS))})
    plain = [(corpus.tag_of_length(length, seed), "every length") for length in lengths]
    words = [(word, "word or number") for word in corpus.WORDS]
    plain += [word for word in words if word[0] not in corpus.COLLECTIVE]
    size = _room(run, effort.tags * (2 if effort.delete_every > 1 else 1))
    plans = _add_some_delete(plain, seed, size, effort.delete_every, together=effort.delete_every > 1)
    phrases = [word for word in words if word[0] in corpus.COLLECTIVE]
    phrases += [(phrase, "looks like something else") for phrase in corpus.PHRASES]
    plans += _add_some_delete(phrases, seed, _room(run, effort.tags * 3 // 2), 1)
    long = [(phrase, OF_SEVERAL_KINDS) for phrase in corpus.LONG]
    plans += _add_some_delete(long, seed, effort.tags, min(effort.delete_every, 2), together=effort.delete_every > 1)
    return reuse.executed_on_one(run, plans)


def _add_some_delete(
    tags: list[tuple[str, str]], seed: int, size: int, every: int, *, together: bool = False
) -> list[list[Operation]]:
    """Return plans that add batches of ``size`` tags and delete one of ``every`` of them, others with each seed.

    ``together`` reads once for both: what is deleted was there, or its deletion is answered otherwise.
    """
    batches = _apart(drawing.shuffled(tags, seed), size)
    plans = [add_delete(batch, deleted=slice(seed % every, None, every)) for batch in batches]
    if together:
        return [[*(step for step in plan if step is not READ), READ] for plan in plans]
    # A reading before the first addition shows what other attributes the additions change.
    return [[READ, *plan] for plan in plans]


def _apart(tags: Iterable[tuple[str, str]], size: int) -> list[list[tuple[str, str]]]:
    """Return tags in batches, with those apart that a service could take for each other: pairs are tried elsewhere."""
    batches: list[dict[str, tuple[str, str]]] = []
    for tag in tags:
        like = strategies.skeleton(tag[0])
        batch = next((batch for batch in batches if len(batch) < size and like not in batch), None)
        if batch is None:
            batches.append(batch := {})
        batch[like] = tag
    return [[*batch.values()] for batch in batches]


POLYGLOT = "polyglot of scripts"
"""The input class of the polyglot strings."""


def polyglot_tags(run: Run, seed: int) -> Steps:
    """Run the polyglot strings alone through the full cycle: what of the special tags follows from the seed."""
    return _executed_then_in_parts(run, [_plan_of_polyglots(seed)]) if run.rounds else steps_of([])


@workload(salt="special", follows_the_seed=True, anew=polyglot_tags, requests=(0, 155, 155, 155))
def special_tags(run: Run, seed: int) -> Steps:
    """Add and delete the special tags that are written out, and run polyglot strings through the full cycle.

    What the service refuses, or does not keep exactly, is tried again in parts: a string of special characters
    character by character, a polyglot string by its fragments.
    """
    if not run.rounds:
        return steps_of([])
    written = [(tag, input_class) for input_class, tags in corpus.SPECIAL.items() for tag in tags]
    plans = [add_delete(batch) for batch in drawing.batches(written, _effort(run).tags)]
    return _executed_then_in_parts(run, [*plans, _plan_of_polyglots(seed)])


def _plan_of_polyglots(seed: int) -> list[Operation]:
    return full_cycle([(tag, POLYGLOT) for tag in corpus.polyglots(seed)], on_another=ON_OTHER_IMAGE)


def _executed_then_in_parts(run: Run, plans: list[list[Operation]]) -> Steps:
    """Execute plans, and after them a plan of the parts of each tag that did not come through whole."""
    whole = _executed(run, plans)
    parts = _parts_of(_not_kept(whole.histories))
    plans_of_parts = [add_delete(batch) for batch in drawing.batches(parts, _effort(run).tags)]
    return whole + _executed(run, plans_of_parts)


def _not_kept(histories: list[SequentialHistory]) -> list[Operation]:
    """Return the additions that were refused, whose effect is not known, or that had any other effect."""
    additions = [step for history in histories for step in history.steps if step.operation.kind is Kind.ADD]
    return [step.operation for step in additions if not (step.answer.ok and step.known and took_exact_effect(step))]


def _parts_of(additions: list[Operation]) -> list[tuple[str, str]]:
    """Return what to try in place of additions, as (tag, input class)."""
    input_classes = {addition.input_class for addition in additions}
    parts = [
        (tag, input_class)
        for input_class in input_classes.intersection(corpus.ONE_BY_ONE)
        for tag in corpus.ONE_BY_ONE[input_class]
    ]
    polyglots = dict.fromkeys(addition.value for addition in additions if addition.input_class == POLYGLOT)
    return parts + [(part, "part of a polyglot") for tag in polyglots for part in corpus.fragments(tag)]


@workload(empty=lambda: steps_of([]), requests=(0, 148, 148, 148))
def image_states(run: Run) -> Steps:
    """Add and delete tags through an image's life: while it is changed, protected, hidden, shared, active and so on."""
    if not run.rounds or run.settings.image:
        return steps_of([])
    life = Life(run, tags=GIVEN_WITH_LIFE)
    plan, show = plan_of_a_life(EVENTS), showing(run, steps_of)
    return steps_of([sequential.execute(plan, TAGS, life.fresh_image, single=True, life=life, empty=False, show=show)])


@workload(empty=lambda: steps_of([]), requests=(0, 0, 0, 0))
def image_at_tag_limit(run: Run) -> Steps:
    """Fill an image to the limit of tags, stated or found out, try to exceed it, delete one tag and fill up again."""
    limit = run.settings.tag_limit or _limit_found(run)
    if not limit:
        return steps_of([])
    return _executed(run, [plan_of_a_limit(limit)])


def _limit_found(run: Run) -> int:
    """Return how many tags an image takes before one is refused; 0 where that was not tried, or none was refused."""
    if not run.settings.effort.limit_sought:
        return 0
    with run.fresh_image() as image, run.recorder.of(Purpose.PREPARING):
        for count in range(run.settings.effort.limit_sought):
            answer = image.add_tag(f"counted-{count}")
            if not answer.ok:
                return count if answer.refused else 0
    return 0


@workload(empty=lambda: reuse.LongLife(steps_of([])), requests=(0, 81, 81, 81))
def long_life(run: Run) -> Iterator[reuse.LongLife]:
    """Yield an image on which a tag came and went a dozen times and another was added, and deleted, six times."""
    if not run.rounds:
        yield reuse.LongLife(steps_of([]))
        return
    if run.settings.image:
        # What was lent is needed elsewhere.
        yield reuse.LongLife(_executed(run, [plan_of_a_long_life()]))
        return
    began = time.monotonic()
    with run.fresh_image() as image:
        # It stays as it is until the run is over, so that it can be looked at again.
        history = sequential.execute(plan_of_a_long_life(), TAGS, lambda: nullcontext(image), single=True)
        yield reuse.LongLife(steps_of([history]), image, began)


@workload(salt="sequences", follows_the_seed=True, needs=["many_tags"], requests=(17, 78, 1760, 6358))
def sequences(run: Run, seed: int, many_tags: Steps) -> Steps:
    """Run random sequences on two images, and add many tags to one where it could not be given many at once."""
    effort = _effort(run)
    plans = drawing.draw(strategies.plans(effort.steps), seed, effort.sequences)
    # Of equal length and without meaning, so that nothing but their number can make a difference.
    wanted = 0 if many_tags.histories else effort.many
    many = [f"m{zlib.crc32(f'{seed} {place}'.encode()):08x}" for place in range(wanted)]
    plans = [*(read_often(plan, effort.read_every) for plan in plans), *([plan_of_many(many)] if many else [])]
    return _executed(run, plans)


@workload(salt="related sequences", follows_the_seed=True, requests=(0, 39, 187, 621))
def confusable_sequences(run: Run, seed: int) -> Steps:
    """Run random sequences of tags that a service may take for each other."""
    effort = _effort(run)
    if not effort.rounds:
        return steps_of([])
    plans = drawing.draw(strategies.confusable_plans(), seed, -(-effort.rounds // 2))
    plans = [read_often(plan, effort.read_every) for plan in plans]
    return _executed(run, plans)


@workload(salt="walks", follows_the_seed=True, requests=(0, 34, 265, 661))
def read_path_checks(run: Run, seed: int, *, patching: bool = True) -> Comparisons:
    """Change tags by their own address and by PATCH, and compare every read path after each change.

    Without ``patching``, what a PATCH sets is added and deleted tag by tag.
    """
    effort = _effort(run)
    plans = drawing.draw(read_paths.read_path_plans(), seed, effort.read_paths) if effort.read_paths else []
    return read_paths.check_read_paths(
        run.fresh_image, plans if patching else map(read_paths.by_address, plans), single=run.single, show=run.show
    )


def inconsistent_without_patch(run: Run) -> bool:
    """Return whether the read paths disagree as well when the same plans change every tag by its own address."""
    # What is sent here says nothing about PATCH: it must not become evidence of the check that asks.
    with run.recorder.apart():
        return not read_path_checks(run, run.number("walks"), patching=False).sound


def _full_cycles(run: Run, batches: list[list[Sample]], fresh_image: FreshImage | None = None) -> Steps:
    classified = [[(sample.tag, sample.input_class) for sample in batch] for batch in batches if batch]
    plans = [full_cycle(batch, on_another=ON_OTHER_IMAGE) for batch in classified]
    return _executed(run, plans, fresh_image)


def _executed(run: Run, plans: Sequence[list[Operation]], fresh_image: FreshImage | None = None) -> Steps:
    """Execute plans on images whose attributes show it where an operation on tags loses them."""
    opened = fresh_image or partial(states.with_attributes, run)
    show = showing(run, steps_of)
    return steps_of(sequential.execute_all(plans, TAGS, opened, single=run.single, pool=run.pool, show=show))
