"""An image that is used again and again: more tags come in its life than an image may carry at once."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.tags.aging import OLD_ENOUGH, LateChanges, changed_late
from pytest_cloudimages.areas.tags.corpus import plain
from pytest_cloudimages.areas.tags.resource import TAGS, set_tags
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.engine.watching import Show, showing
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.sequential_plans import Classified, each
from pytest_cloudimages.history.steps import SequentialHistory, Step
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

A_WHILE, AT_MOST = 1.0, 4.0
"""Seconds after which a tag that was deleted has come back, or one that was repeated has gone, if that ever happens.

Whoever has more patience waits longer, up to the second.
"""

LOOKED_FOR, NAMED = "looked-for", "named-after-a-list"
"""A tag that a list is filtered by, and one that is added after it."""
LOOKS = 5
"""How often it is looked at again then."""


TAGS_OF_AN_IMAGE = 128
"""How many tags an image may carry at once where nobody says otherwise."""


@dataclass(frozen=True)
class LongLife:
    """An image on which a tag has come and gone many times, and that is still there."""

    steps: Steps
    image: Image | None = None
    began: float = field(default_factory=time.monotonic)
    """When the image was created."""
    ended: float = field(default_factory=time.monotonic)

    @cached_property
    def late_changes(self) -> LateChanges:
        """What the image showed of its times while a tag came and went once more, a while later."""
        if not self.image:
            return LateChanges([])
        time.sleep(max(0.0, self.began + OLD_ENOUGH - time.monotonic()))
        return changed_late(self.image)

    def expect_kept(self) -> None:
        """Raise ``Mismatch`` unless the image shows a while later what it showed when all was done.

        Where all is asked, much else was asked of other images since, which is none of its concern either.
        """
        __tracebackhide__ = True
        if self.image:
            patience = self.image.patience.seconds if self.image.patience else 0.0
            wait = max(A_WHILE, min(patience, AT_MOST))
            time.sleep(max(0.0, self.ended + wait - time.monotonic()))
        for history in self.steps.histories if self.image else ():
            left = history.readings[-1].values
            if self.image and left is not None:
                shown = self.image.eventual_tags(left)
                # Nothing changes any more: where one of several nodes has not heard of it all by now, it never will.
                looks = [shown, *(self.image.tags() for _ in range(LOOKS))]
                other = next((tags for tags in looks if sorted(tags) != sorted(left)), left)
                expect(sorted(other), sorted(left), "tags a while after the last change of them", before=left)

    def expect_named_tag_added(self) -> None:
        """Raise ``Mismatch`` unless what is added after a list by another tag is the tag that the addition names."""
        __tracebackhide__ = True
        if not self.image:
            return
        before = self.image.tags()
        self.image.client.list(tag=LOOKED_FOR)
        answer = self.image.add_tag(NAMED)
        if answer.ok:
            shown = self.image.eventual_tags([*before, NAMED])
            expect(
                sorted(shown),
                sorted({*before, NAMED}),
                f"tags after {answer}, sent after a list by another tag",
                before=before,
            )


@dataclass(frozen=True, repr=False)
class OnOneImage(Steps):
    """What plans have shown that were executed on one image after each other."""

    worn: Sequence[SequentialHistory] = ()
    """Those in which it refused, again and again, what a fresh image took, or showed at last what no fresh one does."""

    @property
    def refused(self) -> Iterator[Step]:
        """The additions of plain tags that only the image refused to which so many had come and gone."""
        yield from Steps([*self.worn]).aside().additions(where=_unduly_refused)

    @property
    def late(self) -> Steps:
        """What departed on a second image too after so many changes, and never on fresh ones."""
        return Steps([history for history in self.worn if history.mismatches])


def executed_on_one(run: Run, plans: Sequence[Sequence[Operation]]) -> OnOneImage:
    """Execute plans on one image, which is emptied in between, or on a few beside each other where a pool may do that.

    What departs there may be due to how it was emptied, so that it is asked anew on a fresh image, and that counts.
    """
    if run.pool is None or run.single:
        return _one_after_another(run, plans)
    shown = run.pool.execute([partial(_one_after_another, run, part) for part in parts(plans)])
    return OnOneImage(
        [history for part in shown for history in part.histories],
        worn=[history for part in shown for history in part.worn],
    )


def parts(plans: Sequence[Sequence[Operation]]) -> list[list[Sequence[Operation]]]:
    """Return plans in parts: the first adds more tags, over time, than an image may carry at once, in few operations.

    That an image is worn out by what has come and gone is seen there. The others take about half as long, since they
    begin when others have ended: what takes longest is what a run waits for.
    """
    left = sorted(plans, key=lambda plan: len(plan) / max(_additions(plan), 1))
    wearing: list[Sequence[Operation]] = []
    while left and _additions(*wearing) <= TAGS_OF_AN_IMAGE:
        enough = [plan for plan in left if _additions(*wearing, plan) > TAGS_OF_AN_IMAGE]
        wearing.append(left.pop(left.index(min(enough, key=len, default=left[0]))))
    wanted = 2 * -(-_operations(left) // (_operations(wearing) or 1))
    others: list[list[Sequence[Operation]]] = [[] for _ in range(wanted)]
    for plan in sorted(left, key=len, reverse=True):
        min(others, key=_operations).append(plan)
    return [wearing, *(part for part in others if part)]


def _operations(plans: Sequence[Sequence[Operation]]) -> int:
    return sum(map(len, plans))


def _additions(*plans: Sequence[Operation]) -> int:
    return sum(operation.kind is Kind.ADD for plan in plans for operation in plan)


def _one_after_another(run: Run, plans: Sequence[Sequence[Operation]]) -> OnOneImage:
    histories: list[SequentialHistory] = []
    worn: list[SequentialHistory] = []
    departed: int | None = None
    fresh = partial(states.with_attributes, run)
    with _used_again(run) as opened:
        for place, plan in enumerate(plans):
            used = None if worn else sequential.execute_calmly(plan, TAGS, opened, single=True)
            refused = next(filter(_unduly_refused, used.steps), None) if used else None
            if used and not refused:
                histories.append(used)
                run.show(partial(OnOneImage, histories))
                continue
            histories.append(sequential.execute(plan, TAGS, fresh, single=run.single, show=_shown_with(run, histories)))
            if used and refused and not any(map(_unduly_refused, histories[-1].steps)):
                with opened() as image, run.recorder.of(Purpose.PREPARING):
                    worn += [] if image.add_tag(refused.tag).ok else [used]
            if not used and not worn and departed is None and Steps(histories[-1:]).sound:
                departed = place
            run.show(partial(OnOneImage, histories))
    if departed is not None:
        worn += _again(run, plans[: departed + 1])
    return OnOneImage(histories, worn=worn)


def _shown_with(run: Run, before: Sequence[SequentialHistory]) -> Show:
    """Return what has a history looked at while it is executed, beside those that there are, if anybody looks."""
    there = [*before]
    return showing(run, lambda histories: OnOneImage(there + histories))


def _again(run: Run, plans: Sequence[Sequence[Operation]]) -> list[SequentialHistory]:
    """Execute plans as one on a fresh image: after the last of them another one departed from what fresh images show.

    Here every tag is taken off by itself. What departs after so many changes of a second image as well is no accident
    of the first, nor of how that was emptied.
    """
    whole = [step for plan in plans for step in (*plan, *each(Kind.DELETE, _left_by(plan)), READ)]
    try:
        sequential.execute_once(whole, TAGS, partial(states.with_attributes, run), single=True)
    except sequential.Departure as found:
        return [SequentialHistory(mismatches=[found.mismatch])] if found.mismatch else []
    return []


def _left_by(plan: Sequence[Operation]) -> list[Classified]:
    """Return the tags that a plan leaves on an image, if all of it is carried out."""
    left: dict[str, str] = {}
    for operation in plan:
        if operation.kind is Kind.ADD:
            left[operation.value] = "left by another plan"
        elif operation.kind is Kind.DELETE:
            left.pop(operation.value, None)
    return [*left.items()]


def _unduly_refused(step: Step) -> bool:
    return step.operation.kind is Kind.ADD and plain(step.tag) and step.answer.refused


@contextmanager
def _used_again(run: Run) -> Iterator[FreshImage]:
    """Yield what opens the same image each time, without tags; another one where it could not be emptied."""
    with ExitStack() as held:
        image: Image | None = None

        @contextmanager
        def opened(**attributes: Any) -> Iterator[Image]:
            nonlocal image
            if image is None or not _emptied(image):
                held.close()
                image = held.enter_context(states.with_attributes(run, **attributes))
            try:
                yield image
            except BaseException:
                # An image on which anything was amiss is used no more; the next may need its place.
                image = None
                held.close()
                raise

        yield opened


def _emptied(image: Image) -> bool:
    with suppress(Blocked), image.client.recorder.of(Purpose.PREPARING):
        return set_tags(image, []).ok and not image.eventual_tags([])
    return False
