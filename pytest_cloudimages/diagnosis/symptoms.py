"""Symptoms: what an answer, or a read of the tags, shows to have gone wrong. No I/O."""

import enum
from collections import Counter
from collections.abc import Sequence

from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.limits import LONGEST


class Symptom(enum.StrEnum):
    """The ways in which an operation on a tag goes wrong; the value completes a sentence about the tag."""

    FAILED = "answered 5xx or not at all"
    REFUSED = "refused"
    STORED = "refused and stored"
    OTHER_2XX = "acknowledged with another code"
    ACCEPTED = "acknowledged"
    UNFAITHFUL = "altered or lost"
    TWICE = "listed twice"
    UNDELETABLE = "refused to be deleted"
    NOT_DELETED = "kept when deleted"
    DELETED_DESPITE_REFUSAL = "refused to be deleted and gone"
    FORGIVEN = "deleted though absent"
    MISANSWERED = "answered otherwise than 404"
    REMOVES_OTHERS = "other tags lost"
    ADDS_OTHERS = "other tags added"
    UNSELECTED = "not found by a filter of the list"
    SELECTED_FOR_ANOTHER = "taken for each other by a filter of the list"
    FILTER_FAILED = "answered 5xx as a filter of the list"
    FILTER_REFUSED = "refused as a filter of the list"
    LISTED_OTHERWISE = "shown otherwise by the list"

    @property
    def told_by_status(self) -> bool:
        """Whether the status code alone shows it."""
        return self in BY_STATUS


OF_LISTS = frozenset(
    {
        Symptom.UNSELECTED,
        Symptom.SELECTED_FOR_ANOTHER,
        Symptom.FILTER_FAILED,
        Symptom.FILTER_REFUSED,
        Symptom.LISTED_OTHERWISE,
    }
)
"""What goes wrong with lists, whatever becomes of the tag itself."""
BY_STATUS = frozenset(
    {
        Symptom.FAILED,
        Symptom.REFUSED,
        Symptom.OTHER_2XX,
        Symptom.ACCEPTED,
        Symptom.UNDELETABLE,
        Symptom.FORGIVEN,
        Symptom.MISANSWERED,
    }
)


def of_answer(kind: Kind, tag: str, status: int, *, carried: bool | None) -> Symptom | None:
    """Return what a status code alone shows to be wrong, or ``None``; status 0 stands for no answer.

    ``carried`` is whether the image had the tag, ``None`` if that is not known.
    """
    if status == 0 or status >= 500:  # noqa: PLR2004 - the class of codes
        return Symptom.FAILED
    good, refused = 200 <= status < 300, 400 <= status < 500  # noqa: PLR2004 - the classes of codes
    if kind is Kind.ADD:
        if len(tag) > LONGEST:
            return Symptom.ACCEPTED if good else None
        # A 201 for a new tag is what HTTP asks for. (Ruling Q-05.)
        fine = (204,) if carried else (204, 201)
        return Symptom.REFUSED if refused else Symptom.OTHER_2XX if good and status not in fine else None
    if carried is None:
        return Symptom.OTHER_2XX if good and status != 204 else None  # noqa: PLR2004
    if carried:
        return Symptom.UNDELETABLE if refused else Symptom.OTHER_2XX if good and status != 204 else None  # noqa: PLR2004
    return Symptom.FORGIVEN if good else Symptom.MISANSWERED if refused and status != 404 else None  # noqa: PLR2004


def of_readings(kind: Kind, tag: str, status: int, before: Sequence[str], after: Sequence[str]) -> Symptom | None:
    """Return what the tags before and after an operation show to be wrong, or ``None``."""
    good = 200 <= status < 300  # noqa: PLR2004 - the class of codes
    lost, brought = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if kind is Kind.ADD and good and len(tag) <= LONGEST:
        if tag not in after:
            return Symptom.UNFAITHFUL
        if after.count(tag) > 1:
            return Symptom.TWICE
        brought.pop(tag, None)
    elif kind is Kind.ADD and not good and tag in brought:
        return Symptom.STORED
    elif kind is Kind.DELETE and good:
        if tag in after:
            return Symptom.NOT_DELETED
        lost.pop(tag, None)
    elif kind is Kind.DELETE and not good and tag in lost:
        return Symptom.DELETED_DESPITE_REFUSAL
    return Symptom.REMOVES_OTHERS if lost else Symptom.ADDS_OTHERS if brought else None
