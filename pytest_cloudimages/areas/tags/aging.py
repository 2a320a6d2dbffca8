"""What an image shows of itself, its times above all, while its tags are changed long after it was created."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pytest_cloudimages.areas.tags.other_attributes import expect_nothing_else_changed
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.moments import moment
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Reading
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

LATER = "later-in-life"
TIMES = ("created_at", "updated_at")
OLD_ENOUGH, APART = 2.2, timedelta(seconds=2)
"""Seconds after which an image is not new, and what it may be updated by its own word less, even in whole seconds.

The clocks of several nodes may differ, yet hardly by a second.
"""


@dataclass(frozen=True)
class LateChange:
    """A change of one tag of an image that is not new, and what that showed of itself before and after it."""

    kind: Kind
    answer: Answer
    before: Answer
    after: Answer

    def expect_time_to_go_on(self) -> None:
        """Raise ``Mismatch`` where the image says that nothing was done to it since its creation, and knew better."""
        __tracebackhide__ = True
        created, before = (_time(self.before, name) for name in TIMES)
        after = _time(self.after, "updated_at")
        if created and before and after and after <= created and before - after >= APART:
            expect(after >= before, True, f"whether updated_at went from {before} on to {after} with {self.answer}")

    def expect_rest_kept(self, run: Run) -> None:
        """Raise ``Mismatch`` where another attribute came to be another: what is set to now differs only by now."""
        __tracebackhide__ = True
        if self.answer.ok or self.answer.refused:
            before, after = (Reading(shown, TAGS) for shown in (self.before, self.after))
            expect_nothing_else_changed(before, after, run, f"with {self.answer}, of an image that is not new")


@dataclass(frozen=True, repr=False)
class LateChanges(Collection):
    """The changes of an image that is not new, one after another."""

    changes: list[LateChange]

    @cases
    def of(self, kind: Kind) -> Iterator[Case[LateChange]]:
        """Return the changes of a kind; each one yielded is a case."""
        for change in self.changes:
            if change.kind is kind:
                answers = (change.before, change.answer, change.after)
                yield Case(change, [answer.exchange for answer in answers])


def changed_late(image: Image) -> LateChanges:
    """Add a tag, and again, and delete it, and again, and return what the image shows before and after each."""
    changes: list[LateChange] = []
    with suppress(Blocked):
        shown = image.show()
        for kind in (Kind.ADD, Kind.ADD, Kind.DELETE, Kind.DELETE):
            before = shown
            answer = image.add_tag(LATER) if kind is Kind.ADD else image.delete_tag(LATER)
            shown = image.eventually(image.show, partial(_goes_on, before))
            changes.append(LateChange(kind, answer, before, shown))
    return LateChanges(changes)


def _goes_on(before: Answer, after: Answer) -> bool:
    earlier, later = (_time(answer, "updated_at") for answer in (before, after))
    return not earlier or not later or earlier <= later


def _time(answer: Answer, name: str) -> datetime | None:
    return moment(answer.document.get(name))
