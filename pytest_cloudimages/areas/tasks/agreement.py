"""Whether what shows a task in one place is what shows it in another."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pytest_cloudimages.areas.common.paging import PagedList
from pytest_cloudimages.areas.tasks.tried import ENDED, Document, Started, Tasks, status_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.moments import moment

ROUNDED = timedelta(seconds=1.5)
"""What a moment may differ by from itself where one place shows fractions of a second, and another rounds them."""
FOR_GOOD = ("created_at", "owner", "type")
"""What a task has from its creation on."""
AT_THE_END = ("expires_at", "status", "updated_at")
"""What it has when it has ended, and keeps."""
MOVING = ("expires_at", "updated_at")
"""What may go on when a task has ended: its worker tidies up, and a service may keep what is still asked for."""
TO_OTHERS = ("created_at", "id", "status", "type")
"""What others are shown as its owner is; what it is about and came to, a service may tell each of them in its way.

Whose it is, is TASK-ENT-08's to say.
"""
OUTCOMES = ("export_location", "image_id")
"""What a result is about; what is more in it, is made for each answer perhaps. (GEN-13.)"""


def same(name: str, value: object, other: object) -> bool:
    """Return whether values of a name are alike, or stand for a moment; whether they are any is GEN-07's to say."""
    if value == other:
        return True
    if not (name.endswith("_at") and isinstance(value, str) and isinstance(other, str)):
        return False
    first, second = moment(value), moment(other)
    # A day alone is no moment.
    return not (first and second and "T" in value and "T" in other) or abs(first - second) < ROUNDED


def not_before(name: str, value: object, other: object, within: float = float("inf")) -> bool:
    """Return whether a moment is what it was, or later, by some seconds at most."""
    if same(name, value, other):
        return True
    first, second = (moment(each) if isinstance(each, str) and "T" in each else None for each in (value, other))
    return bool(first and second) and 0 < (first - second).total_seconds() < within  # type: ignore[operator]


def takes_up(sent: object, shown: object) -> bool:
    """Return whether what is shown has what was sent: more may be assumed (GEN-13), and what is null be left out."""
    if isinstance(sent, Mapping) and isinstance(shown, Mapping):
        return all(value is None or takes_up(value, shown.get(name)) for name, value in sent.items())
    return sent == shown


def outcome_of(shown: Document) -> Document:
    """Return what a task that is shown says it has made."""
    result = shown.get("result")
    return {name: result[name] for name in OUTCOMES if name in result} if isinstance(result, dict) else {}


def listed_otherwise(started: Started, listed: PagedList, quiet: float) -> Iterator[tuple[Answer, dict[str, object]]]:
    """Yield what pages of a list show of a task that ended, and that its details never show so or no more.

    ``quiet`` is since when no task is carried out any more: a list may be a little late.
    """
    seen = [answer.document for answer in started.shown]
    for page in listed.pages:
        over_by_then = page.answer.exchange.sent >= quiet
        for entry in (each for each in page.entries if each.get("id") == started.id):
            names = (*FOR_GOOD, *(AT_THE_END if over_by_then else ()))
            told = {name: entry[name] for name in names if name in entry and started.last.get(name) is not None}
            if told.get("expires_at", "") is None:  # which is documented for details alone
                del told["expires_at"]
            if not over_by_then and entry.get("status") in ENDED:
                told["status"] = entry["status"]
            # What the details show now so and now so, is theirs to answer for, unless it is what they end with.
            known = {name: [each.get(name) for each in (seen[-1:] if name in AT_THE_END else seen)] for name in told}
            elapsed = page.answer.exchange.answered - started.answer.exchange.sent + ROUNDED.total_seconds()
            yield (
                page.answer,
                {name: value for name, value in told.items() if not _among(name, value, known[name], elapsed)},
            )


def shown_otherwise(started: Started, answer: Answer) -> dict[str, object]:
    """Return what an answer shows of a task that ended, and that its details showed otherwise to who asked for it."""
    shown = answer.document
    seen = [each.document for each in started.shown if status_of(each.document) in ENDED]
    names = [name for name in TO_OTHERS if any(name in each for each in seen)]
    known = {name: [each.get(name) for each in seen] for name in names}
    otherwise = {name: shown.get(name) for name in names if not _among(name, shown.get(name), known[name])}
    made = outcome_of(shown)
    return otherwise | ({"result": made} if made and not any(made == outcome_of(each) for each in seen) else {})


def _among(name: str, value: object, known: Sequence[object], elapsed: float = 0.0) -> bool:
    if name in MOVING:
        within = elapsed if name == "updated_at" else float("inf")
        return any(not_before(name, value, each, within) for each in known)
    return any(same(name, value, each) for each in known)


def end_of(started: Started) -> Answer | None:
    """Return the answer that shows first that a task has ended."""
    return next((answer for answer in started.shown if status_of(answer.document) in ENDED), None)


def quiet_since(tasks: Tasks) -> float:
    """Return since when no task is known to be carried out, by the monotonic clock."""
    return max((end.exchange.answered for end in map(end_of, tasks.tried) if end), default=0.0)


def moments(shown: Document, *names: str) -> list[datetime]:
    """Return the moments that a task shows under some names, where it shows all of them."""
    found = [moment(shown.get(name)) for name in names]
    known = [each for each in found if each is not None]
    return known if len(known) == len(names) else []
