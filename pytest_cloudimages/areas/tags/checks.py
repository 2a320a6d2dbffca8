"""What checks of tags are written with: the types of their fixtures, and what several of them have to say."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

import pytest

from pytest_cloudimages.areas.tags.corpus import UNITS
from pytest_cloudimages.areas.tags.isolation import OtherImage, expect_kept
from pytest_cloudimages.areas.tags.negative import NegativeRequests, UnauthorizedAttempts
from pytest_cloudimages.areas.tags.other_attributes import changed_attributes, restless_attributes
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.race_findings import (
    expect_explained,
    expect_none_lost,
    expect_once,
    lost_additions,
    not_once,
)
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.read_paths import Comparisons, ReadPath, expect_filtered
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.areas.tags.tag_limit import AtALimit
from pytest_cloudimages.areas.tags.workloads import inconsistent_without_patch
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import Answer, ImagesClient
from pytest_cloudimages.diagnosis.length_limits import limit
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.observations import Steps
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
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.mismatch import (
    SOMETHING,
    Allowed,
    anything_but,
    expect,
    expect_among,
    expect_none_of,
)
from pytest_cloudimages.spec.statuses import NOT_OK, NOT_REDIRECTED, OK, REFUSED

__all__ = [
    "ADD",
    "A_CHALLENGE",
    "A_DATE",
    "A_DATE_OR_SECONDS",
    "DELETE",
    "LONGEST",
    "NOT_OK",
    "NOT_REDIRECTED",
    "OK",
    "REFUSED",
    "SOMETHING",
    "UNITS",
    "Allowed",
    "Answer",
    "Answered",
    "AtALimit",
    "Basics",
    "Comparisons",
    "ConcurrentRuns",
    "FreshImage",
    "Image",
    "ImagesClient",
    "NegativeRequests",
    "OtherImage",
    "OwnerOf",
    "Pattern",
    "Prior",
    "ReadPath",
    "Reading",
    "Representations",
    "Run",
    "Step",
    "Steps",
    "UnauthorizedAttempts",
    "alone",
    "among_others",
    "answered",
    "anything_but",
    "changed_attributes",
    "documented_codes",
    "expect_among",
    "expect_exact_effect",
    "expect_explained",
    "expect_filtered",
    "expect_interpreted",
    "expect_kept",
    "expect_none_lost",
    "expect_none_of",
    "expect_once",
    "expect_others_kept",
    "expect_reproduced",
    "expect_stored_or_refused",
    "expect_tags",
    "fitting_schemas",
    "inconsistent_without_patch",
    "its_beginning_is_kept",
    "limit_of",
    "lost_additions",
    "met_in_passing",
    "not_once",
    "note_waits",
    "or_skip",
    "others_added",
    "others_removed",
    "overlong",
    "repeated",
    "require_ok",
    "restless_attributes",
    "retry_after",
    "set_tags",
    "shows_tags",
    "stated_tag_limit",
    "told_to_wait",
    "unaltered",
    "without",
]

ADD, DELETE = Kind.ADD, Kind.DELETE

OwnerOf = Callable[[ImagesClient], str]

Thing = TypeVar("Thing")

# What header fields hold

IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
CHALLENGE = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s|,|$)")
"""auth-scheme, then what a challenge may hold. (RFC 9110, 11.3.)"""


def _is_date(text: str | None) -> bool:
    if not IMF_FIXDATE.fullmatch(text or ""):
        return False
    try:
        return bool(parsedate_to_datetime(text or ""))
    except ValueError:
        return False


A_DATE = Allowed("a date as HTTP writes it", _is_date)
A_DATE_OR_SECONDS = Allowed("a number of seconds", lambda text: bool(re.fullmatch("[0-9]+", text or ""))) | A_DATE
A_CHALLENGE = Allowed("a challenge", lambda text: bool(CHALLENGE.match(text or "")))


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


def shows_tags(reading: Reading) -> bool:
    """Return whether an image showed tags: of none, none is there twice or too long."""
    return bool(reading.values)


def among_others(step: Step) -> bool:
    """Return whether the image carried other tags than the one that a step names."""
    return bool({*(step.before or ())} - {step.value})


def alone(step: Step) -> bool:
    """Return whether the image carried no other tag, so that none can be seen to stay."""
    return not among_others(step)


def stated_tag_limit(run: Run) -> int:
    """Return the operator's limit of tags; the check is *untested* where none is stated."""
    if not run.settings.tag_limit:
        pytest.skip("needs the limit that the operator sets: state it with --tag-limit N")
    return run.settings.tag_limit


def its_beginning_is_kept(step: Step) -> bool:
    """Return whether a tag is of a length that is allowed, or the image carries as much of it as is."""
    return len(step.value) <= LONGEST or step.value[:LONGEST] in (step.before or ())


def unaltered(step: Step) -> bool:
    """Return whether no tag was stored with fewer blanks at its end: what is altered is asked by TAG-HIST-04."""
    return not (
        step.value.endswith(" ") and step.value.rstrip() in {tag.rstrip() for tag in step.came if tag != step.value}
    )


# What is expected


def expect_tags(image: Image, expected: Iterable[str], when: str) -> None:
    """Raise ``Mismatch`` unless an image comes to show these tags, in any order, before patience ends."""
    __tracebackhide__ = True
    wanted = {*expected}
    expect(image.eventual_tags(wanted), wanted, f"tags {when}")


def expect_reproduced(steps: Steps, *, standing_by: bool) -> None:
    """Raise ``Mismatch`` where the answers do not explain what was read and asking step by step did not show why."""
    __tracebackhide__ = True
    for contradiction in steps.contradictions(standing_by=standing_by):
        raise contradiction.as_mismatch()


def expect_stored_or_refused(step: Step) -> None:
    """Raise ``Mismatch`` unless an operation was done exactly or refused, as far as the tags could be read."""
    __tracebackhide__ = True
    step.expect(status=OK | REFUSED)
    if step.known:
        expect_exact_effect(step)


def set_tags(image: Image, tags: Iterable[str]) -> Answer:
    """Set all tags of an image at once, by PATCH."""
    return image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": [*tags]})


def repeated(values: Iterable[str]) -> list[str]:
    """Return what is there more than once."""
    return sorted(value for value, count in Counter(values).items() if count > 1)


def overlong(values: Iterable[object]) -> list[str]:
    """Return the texts that are longer than a tag may be."""
    return [value for value in values if isinstance(value, str) and len(value) > LONGEST]


def documented_codes(requirement: str) -> dict[str, Collection[int]]:
    """Return the statuses that each specification has for a requirement, as ``expect_interpreted`` takes them."""
    codes = catalogue.load()[requirement].codes
    return {"cloud_images": codes["cloud-images"], "glance": codes["glance"]}


def fitting_schemas(answer: Answered) -> list[str]:
    """Return which of the known schemas of errors the body of an answer fits."""
    return [name for name in ("error-glance", "error-fault") if not contracts.problems(name, answer.data)]


def limit_of(image: Image, unit: str) -> str:
    """Find by halving how many such characters a tag may have, and name the unit that the limit counts."""
    with image.client.recorder.of(Purpose.EXPLAINING):
        return limit(unit, lambda tag: image.add_tag(tag).ok)


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
