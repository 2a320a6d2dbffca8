"""What checks of any area are written with: the types of their fixtures, and what they expect."""

import re
import urllib.parse
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

import pytest

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import GOING, Image, require_ok
from pytest_cloudimages.client.moments import is_before, moment, moment_of_header, went_back
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.measurement import ConcurrentRuns, expect_explained
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.recording import Cases
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.oracles import (
    expect_exact_effect,
    expect_others_kept,
    others_added,
    others_removed,
    without,
)
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.history.steps import Prior, Reading, Step
from pytest_cloudimages.spec import catalogue, contracts
from pytest_cloudimages.spec.interpretations import expect_interpreted
from pytest_cloudimages.spec.mismatch import SOMETHING, Allowed, anything_but, expect, expect_among, expect_none_of
from pytest_cloudimages.spec.statuses import NOT_OK, NOT_REDIRECTED, OK, OVER_LIMIT, REFUSED

__all__ = [
    "ADD",
    "AN_ARRAY",
    "AN_OBJECT",
    "A_CHALLENGE",
    "A_DATE",
    "A_DATE_OR_SECONDS",
    "A_MOMENT",
    "A_STRING",
    "A_UUID",
    "A_WAIT",
    "DELETE",
    "GOING",
    "NOT_OK",
    "NOT_REDIRECTED",
    "OK",
    "OVER_LIMIT",
    "REFUSED",
    "SOMETHING",
    "Allowed",
    "Answer",
    "Answered",
    "Cases",
    "ConcurrentRuns",
    "FreshImage",
    "Image",
    "ImagesClient",
    "OwnerOf",
    "Prior",
    "Reading",
    "Run",
    "Step",
    "Steps",
    "answered",
    "anything_but",
    "documented_codes",
    "expect_among",
    "expect_contract",
    "expect_exact_effect",
    "expect_explained",
    "expect_interpreted",
    "expect_near_date",
    "expect_none_of",
    "expect_others_kept",
    "expect_reproduced",
    "expect_same_times",
    "fitting_schemas",
    "is_before",
    "led_to_without_a_slash",
    "met_in_passing",
    "moment",
    "moment_of_header",
    "not_there",
    "note_waits",
    "or_skip",
    "others_added",
    "others_removed",
    "repeated",
    "require_ok",
    "retry_after",
    "still_holds",
    "told_to_wait",
    "went_back",
    "without",
]

ADD, DELETE = Kind.ADD, Kind.DELETE

OwnerOf = Callable[[ImagesClient], str]
"""Returns the id of the project that a client acts for."""

Thing = TypeVar("Thing")

# What header fields hold

IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
CHALLENGE = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s|,|$)")
"""auth-scheme, then what a challenge may hold. (RFC 9110, 11.3.)"""
UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _is_date(text: str | None) -> bool:
    return bool(IMF_FIXDATE.fullmatch(text or "")) and moment_of_header(text) is not None


A_DATE = Allowed("a date as HTTP writes it", _is_date)
A_DATE_OR_SECONDS = Allowed("a number of seconds", lambda text: bool(re.fullmatch("[0-9]+", text or ""))) | A_DATE
A_MOMENT = Allowed(
    "YYYY-MM-DDThh:mm:ss, and perhaps a fraction, Z or an offset",
    lambda text: bool(re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}(\.\d+)?(Z|[+-]\d\d:\d\d)?", str(text))),
)
A_WAIT = Allowed("a time to wait, whatever it says", lambda text: text is not None)
A_CHALLENGE = Allowed("a challenge", lambda text: bool(CHALLENGE.match(text or "")))


# What a document holds

AN_ARRAY = Allowed("an array", lambda value: isinstance(value, list))
AN_OBJECT = Allowed("an object", lambda value: isinstance(value, dict))
A_STRING = Allowed("a string", lambda value: isinstance(value, str))
A_UUID = Allowed("a UUID", lambda value: isinstance(value, str) and bool(UUID.fullmatch(value)))


def not_there(answer: Answer) -> set[int]:
    """Return how a change of an image that there is not may be answered: what is no UUID may be refused for that."""
    return {404} if UUID.fullmatch(answer.exchange.target.rpartition("/")[2]) else {404, 400}


# Which things a check is about


class _HasAnswer(Protocol):
    @property
    def answer(self) -> Answered: ...


def answered(*statuses: int) -> Callable[[_HasAnswer], bool]:
    """Return the condition that something was answered with one of these statuses."""
    return lambda thing: thing.answer.status in statuses


def or_skip(things: Iterable[Thing], reason: str) -> Iterator[Thing]:
    """Yield things; where there is none, the check is *untested*, for this reason."""
    missing = True
    for thing in things:
        missing = False
        yield thing
    if missing:
        pytest.skip(reason)


# What is expected


def expect_reproduced(steps: Steps, *, standing_by: bool) -> None:
    """Raise ``Mismatch`` where the answers do not explain what was read and asking step by step did not show why."""
    __tracebackhide__ = True
    for contradiction in steps.contradictions(standing_by=standing_by):
        raise contradiction.as_mismatch()


def repeated(values: Iterable[str]) -> list[str]:
    """Return what is there more than once."""
    return sorted(value for value, count in Counter(values).items() if count > 1)


def documented_codes(requirement: str) -> dict[str, Collection[int]]:
    """Return the statuses that each specification has for a requirement, as ``expect_interpreted`` takes them."""
    codes = catalogue.load()[requirement].codes
    return {"cloud_images": codes["cloud-images"], "glance": codes["glance"]}


def expect_contract(answer: Answered, name: str) -> None:
    """Raise ``Mismatch`` unless the body of an answer fits a JSON Schema of the API."""
    __tracebackhide__ = True
    expect(contracts.problems(name, answer.data), [], f"departures from {name}.json in the body of", answer)


FEW = 300
"""Seconds that two looks at one moment may differ by; in another zone it is further away."""
QUARTER, HOUR = 900, 3600
MINUTES = 120
"""Seconds that go by, at most, between what an answer shows and its Date."""
FURTHEST = 15 * HOUR
"""Seconds that no zone is away from UTC, and no clock that anybody looks at."""


def is_of_another_zone(off: float) -> bool:
    """Return whether a moment is so many seconds away from a clock as no UTC is.

    Zones are an hour away from UTC at least, and whole quarters of an hour. Clocks of two machines may differ, by
    whatever it is: no text says that they agree.
    """
    beside = abs(off) % QUARTER
    return abs(off) > FURTHEST or (abs(off) > HOUR - MINUTES and min(beside, QUARTER - beside) <= MINUTES)


def led_to_without_a_slash(answer: Answer) -> bool:
    """Return whether a server in front leads from a path that ends in a slash to the one without, as many do."""
    path, led = (
        urllib.parse.urlsplit(each).path for each in (answer.exchange.target, answer.headers.get("Location", ""))
    )
    return 300 < answer.status < 400 and path.endswith("/") and led == path.rstrip("/")  # noqa: PLR2004 - the class of codes


def still_holds(answer: Answer, octets: bytes) -> bool:
    """Return whether an answer is some data, or says nothing of it: a quota, a policy, or another place for it.

    That it is not there, or cannot be served, is what becomes of lost data.
    """
    keeps_it_back = 300 <= answer.status < 500 and answer.status not in (404, 410)  # noqa: PLR2004 - the classes of codes
    return keeps_it_back or answer.body == octets


def expect_near_date(
    answer: Answer, *names: str, later: bool = True, shown: Mapping[str, object] | None = None
) -> None:
    """Expect times of what an answer shows to be near its own date; with ``later=False`` they may lie before it.

    What was just created was created, and changed last, about when the answer was written. A text that is no date is
    the concern of those who ask for its form. ``shown`` is the part of a list that is meant.
    """
    __tracebackhide__ = True
    data: Mapping[str, object] = answer.document if shown is None else shown
    said = moment_of_header(answer.headers.get("Date"))
    for name in names:
        text = data.get(name)
        if A_MOMENT.holds(text) and (found := moment(text)) and said:
            off = (found - said).total_seconds()
            # What was changed before may be as old as it likes.
            seconds = off if later else max(off, 0)
            expect(is_of_another_zone(seconds), False, f"whether {name} is away from Date as a zone is, in", answer)
            if abs(seconds) > FEW:
                recording.current_check().note("The clock by which moments are shown is not that of Date.")


def expect_same_times(shown: Mapping[str, object], other: Mapping[str, object], where: str) -> None:
    """Expect the times of two looks at the same thing to be about the same moments.

    A fraction may be left out, and a change may be a little older; another zone is hours away.
    """
    __tracebackhide__ = True
    for name in ("created_at", "updated_at"):
        if A_MOMENT.holds(shown.get(name)) and A_MOMENT.holds(other.get(name)):
            here, there = moment(shown[name]), moment(other[name])
            if here and there:
                off = abs((here - there).total_seconds())
                expect(off <= FEW, True, f"whether {name} {where} is that of the other: {here}, {there}")


def fitting_schemas(answer: Answered) -> list[str]:
    """Return which of the known schemas of errors the body of an answer fits."""
    return [name for name in ("error-glance", "error-fault") if not contracts.problems(name, answer.data)]


# What no check can provoke, but any may meet


def met_in_passing(run: Run, status: int, method: str | None = None, *, skip: str = "") -> list[Exchange]:
    """Return the answers of a status that the run has met so far, as one case; *untested* where there is none."""
    seen = [
        exchange
        for exchange in run.recorder.remarkable
        if exchange.status == status and method in (None, exchange.method)
    ]
    if not seen:
        pytest.skip(skip or f"no answer was {status}, and none can be made to be")
    recording.current_check().case(seen)
    return seen


def note_waits(exchanges: Collection[Exchange], status: int) -> None:
    """Note how long the answers of a status ask to wait."""
    waits = {value for exchange in exchanges if (value := retry_after(exchange)) is not None}
    recording.current_check().note(
        f"{len(exchanges)} answers were {status}; Retry-After: {', '.join(sorted(waits)) or 'none'}."
    )


def told_to_wait(run: Run) -> Iterator[Exchange]:
    """Yield the answers that the run has met so far and that carry Retry-After; each is a case."""
    for exchange in run.recorder.remarkable:
        if retry_after(exchange) is not None:
            recording.current_check().case([exchange])
            yield exchange


def retry_after(exchange: Exchange) -> str | None:
    """Return the first field Retry-After of an answer; ``None`` where it has none."""
    return next((value for name, value in exchange.answer_headers if name.lower() == "retry-after"), None)
