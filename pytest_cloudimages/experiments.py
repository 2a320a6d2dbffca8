"""The experiments: what is drawn, carried out once, and looked at by many checks."""

import zlib
from dataclasses import dataclass

from pytest_cloudimages import strategies, trials, views
from pytest_cloudimages.exchanges import Purpose
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.judging import Histories
from pytest_cloudimages.plans import plan_of_a_life, plan_of_many, plan_of_pairs, read_often
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
    tags = ["control", "other", "third"]
    with ground.fresh_image() as image:
        added = [image.add_tag(tag).ok for tag in tags]
        adds = all(added) and sorted(image.settled(tags)) == tags
        repeats = adds and image.add_tag("control").ok and sorted(image.settled(tags)) == tags
        gone = [image.delete_tag(tag).ok for tag in ("control", "third")]
        later = image.add_tag("later").ok
        deletes = adds and all(gone) and later and sorted(image.settled(["later", "other"])) == ["later", "other"]
        deletes = deletes and image.delete_tag("later").ok and image.delete_tag("other").ok and not image.settled([])
        returns = deletes and image.add_tag("other").ok and image.settled(["other"]) == ["other"]
        returns = returns and image.delete_tag("other").ok and not image.settled([])
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
    """The whole lives of unusual tags: every class, so many rounds as the profile says."""
    effort = ground.options.effort
    if not effort.rounds:
        return Histories([])
    drawn = strategies.draw(strategies.samples(strategies.UNUSUAL), number, effort.rounds)
    return _lives(
        ground, [batch for one in drawn for batch in strategies.batches(strategies.unrelated(one), effort.tags)]
    )


def related_lives(ground: Ground) -> Histories:
    """The lives of tags that a service may take for each other, either of a pair first."""
    if not ground.options.effort.rounds:
        return Histories([])
    pairs = [(name, pair) for name, related in strategies.RELATED.items() for pair in related]
    turned = [(name, pair[::-1]) for name, pair in pairs]
    plans = [plan_of_pairs(group) for one in (pairs, turned) for group in strategies.apart_from_each_other(one)]
    return Histories(trials.carry_out_all(ground.fresh_image, plans, single=ground.single))


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
