"""What checks of tags are written with: that of every area, and what is theirs."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from pytest_cloudimages.areas.common.checks import (
    A_CHALLENGE,
    A_DATE,
    A_DATE_OR_SECONDS,
    A_WAIT,
    ADD,
    DELETE,
    NOT_OK,
    NOT_REDIRECTED,
    OK,
    REFUSED,
    SOMETHING,
    Allowed,
    Answer,
    Answered,
    ConcurrentRuns,
    FreshImage,
    Image,
    ImagesClient,
    OwnerOf,
    Prior,
    Reading,
    Run,
    Step,
    Steps,
    answered,
    anything_but,
    documented_codes,
    expect_among,
    expect_exact_effect,
    expect_explained,
    expect_interpreted,
    expect_none_of,
    expect_others_kept,
    expect_reproduced,
    fitting_schemas,
    met_in_passing,
    note_waits,
    or_skip,
    others_added,
    others_removed,
    repeated,
    require_ok,
    retry_after,
    told_to_wait,
    without,
)
from pytest_cloudimages.areas.images.life import PROTECTED
from pytest_cloudimages.areas.tags.access import AccessAttempts
from pytest_cloudimages.areas.tags.administering import Administered, expect_listed_to_administrator, expect_owner_kept
from pytest_cloudimages.areas.tags.after_refusals import expect_no_failure_after_refusals
from pytest_cloudimages.areas.tags.bare_answers import BareAnswers
from pytest_cloudimages.areas.tags.control import controlled
from pytest_cloudimages.areas.tags.corpus import UNITS, plain, unambiguous
from pytest_cloudimages.areas.tags.exports import Exports
from pytest_cloudimages.areas.tags.isolation import OtherImage, expect_kept, expect_nothing_handed_on
from pytest_cloudimages.areas.tags.negative import NegativeRequests, of_another_method
from pytest_cloudimages.areas.tags.other_attributes import expect_attributes_kept, expect_nothing_else_changed
from pytest_cloudimages.areas.tags.plans import GIVEN_WITH_LIFE, UNSEEN
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.race_findings import (
    ASTRAY,
    NOT_ONCE,
    answers_to,
    expect_none_lost,
    expect_sound,
    gone_astray,
    lost_additions,
    not_once,
    show_phase,
)
from pytest_cloudimages.areas.tags.races import ON_TWO_IMAGES, Pattern
from pytest_cloudimages.areas.tags.read_paths import Comparisons, ReadPath
from pytest_cloudimages.areas.tags.repetitions import Repetitions
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.areas.tags.resource import TAGS, set_tags, set_tags_in_old_form, sorted_strings
from pytest_cloudimages.areas.tags.reuse import LongLife, OnOneImage
from pytest_cloudimages.areas.tags.selections import Selections
from pytest_cloudimages.areas.tags.stray_requests import (
    IN_OTHER_CASE,
    OTHERS,
    WITHOUT_A_TAG,
    Stray,
    StrayRequests,
    indiscretions,
    misnamed,
)
from pytest_cloudimages.areas.tags.tag_limit import AtALimit, ManySteps, refused_as_one_more, refused_in_the_room
from pytest_cloudimages.areas.tags.workloads import inconsistent_without_patch
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.diagnosis.length_limits import limit
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.statuses import DONE_OR_REFUSED

__all__ = [
    "ADD",
    "ASTRAY",
    "A_CHALLENGE",
    "A_DATE",
    "A_DATE_OR_SECONDS",
    "A_WAIT",
    "DELETE",
    "IN_OTHER_CASE",
    "LONGEST",
    "NOT_OK",
    "NOT_ONCE",
    "NOT_REDIRECTED",
    "OK",
    "ON_TWO_IMAGES",
    "OTHERS",
    "REFUSED",
    "SOMETHING",
    "TAGS",
    "UNITS",
    "WITHOUT_A_TAG",
    "AccessAttempts",
    "Administered",
    "Allowed",
    "Answer",
    "Answered",
    "AtALimit",
    "BareAnswers",
    "Basics",
    "Comparisons",
    "ConcurrentRuns",
    "Exports",
    "FreshImage",
    "Image",
    "ImagesClient",
    "LongLife",
    "ManySteps",
    "NegativeRequests",
    "OnOneImage",
    "OtherImage",
    "OwnerOf",
    "Pattern",
    "Prior",
    "ReadPath",
    "Reading",
    "Repetitions",
    "Representations",
    "Run",
    "Selections",
    "Step",
    "Steps",
    "Stray",
    "StrayRequests",
    "alone",
    "among_others",
    "answered",
    "answers_to",
    "anything_but",
    "controlled",
    "deletable",
    "documented_codes",
    "expect_among",
    "expect_attributes_kept",
    "expect_exact_effect",
    "expect_explained",
    "expect_interpreted",
    "expect_kept",
    "expect_listed_to_administrator",
    "expect_no_failure_after_refusals",
    "expect_none_lost",
    "expect_none_of",
    "expect_nothing_astray",
    "expect_nothing_else_changed",
    "expect_nothing_handed_on",
    "expect_others_kept",
    "expect_owner_kept",
    "expect_reproduced",
    "expect_sound",
    "expect_stored_or_refused",
    "expect_tags",
    "expect_unlike_ones_kept",
    "fitting_schemas",
    "gone_astray",
    "in_ordinary_state",
    "inconsistent_without_patch",
    "indiscretions",
    "its_beginning_is_kept",
    "known_tag_limit",
    "limit_of",
    "listed_and_plain",
    "lost_additions",
    "met_in_passing",
    "misnamed",
    "not_once",
    "note_waits",
    "of_another_method",
    "once",
    "or_skip",
    "others_added",
    "others_removed",
    "overlong",
    "past_the_limit",
    "plain",
    "protected_otherwise_alike",
    "refused_as_one_more",
    "refused_in_the_room",
    "refused_itself",
    "repeated",
    "require_ok",
    "retry_after",
    "set_tags",
    "set_tags_in_old_form",
    "show_phase",
    "shows_tags",
    "sorted_strings",
    "told_to_wait",
    "unaltered",
    "unambiguous",
    "without",
]

# Which things a check is about


def shows_tags(reading: Reading) -> bool:
    """Return whether an image showed tags: of none, none is there twice or too long."""
    return bool(reading.values)


def among_others(step: Step) -> bool:
    """Return whether the image carried other tags than the one that a step names."""
    return bool({*(step.before or ())} - {step.value})


def in_ordinary_state(step: Step) -> bool:
    """Return whether an image was in a state in which tags can be changed as a matter of course.

    That they can be while it is protected or deactivated is asked by TAG-ADD-31, TAG-ADD-32 and TAG-DEL-19; what comes
    or goes unseen does so in every state.
    """
    ordinary = step.operation.input_class not in (*PROTECTED, "deactivated", UNSEEN)
    return ordinary and not created_with(step)


def created_with(step: Step) -> bool:
    """Return whether an image was created with the tag of a step: whether such tags can be deleted, TAG-DEL-15 asks."""
    return step.value in GIVEN_WITH_LIFE


def once(step: Step) -> bool:
    """Return whether a step is about a tag that does not come back, in a life in which some come and go often."""
    return step.value != UNSEEN and not step.re_added


def protected_otherwise_alike(image_states: Steps) -> Sequence[str]:
    """Return the events that leave an image protected and are about nothing else.

    One with data takes and loses tags while it is not protected, or it is the data that keeps it from that.
    """
    active = image_states.aside()
    taken = [step.answer.ok for step in active.additions(input_classes=["active"])]
    taken += [step.answer.ok for step in active.deletions(input_classes=["active"], past=[Prior.PRESENT])]
    return PROTECTED if taken and all(taken) else PROTECTED[:1]


def deletable(image_states: Steps) -> Callable[[Step], bool]:
    """Return whether a deletion tells of a state: of what came twice it does only where that comes off elsewhere."""
    seen = image_states.aside()
    twice = {step.value for step in seen.additions(past=[Prior.PRESENT])}
    elsewhere = seen.deletions(past=[Prior.PRESENT], where=in_ordinary_state)
    stays = any(step.value in twice and step.value in (step.after or ()) for step in elsewhere)
    return lambda step: not (created_with(step) or (stays and step.value in twice))


def alone(step: Step) -> bool:
    """Return whether the image carried no other tag, so that none can be seen to stay."""
    return not among_others(step)


def known_tag_limit(run: Run, steps: Steps) -> int:
    """Return the limit of tags that was stated, or found out by filling an image; *untested* where there is none."""
    limit = run.settings.tag_limit or len([*steps.aside().additions(input_classes=[AtALimit.UP_TO_IT])])
    if not limit:
        sought = run.settings.effort.limit_sought
        pytest.skip(
            f"no limit was met by an image with {sought} tags"
            if sought
            else "the limit of tags was not tried: state it with --tag-limit N, or have --profile thorough find it"
        )
    return limit


def refused_itself(tried: Stray) -> bool:
    """Return whether a stray request was refused, and not its method: that is asked by TAG-METH-08."""
    return tried.answer.refused and tried.answer.status != 405  # noqa: PLR2004 - as HTTP has it


def its_beginning_is_kept(step: Step) -> bool:
    """Return whether a tag is of a length that is allowed, or the image carries as much of it as is."""
    return len(step.value) <= LONGEST or step.value[:LONGEST] in (step.before or ())


def listed_and_plain(step: Step) -> bool:
    """Return whether the image showed the tag just before a step, and nothing in the tag can be read in two ways."""
    return step.tag in (step.before or ()) and plain(step.tag)


def past_the_limit(step: Step) -> bool:
    """Return whether a step asks about the length of a tag, and about nothing else that the tag holds."""
    return unaltered(step) and (plain(step.value) or not step.answer.exchange.broken)


def unaltered(step: Step) -> bool:
    """Return whether no tag was stored with fewer blanks at its end: what is altered is asked by TAG-HIST-04.

    What is cut to the limit loses blanks as it would lose anything else that stands there.
    """
    others = {tag.rstrip() for tag in step.came if tag not in (step.value, step.value[:LONGEST])}
    return not (step.value.endswith(" ") and step.value.rstrip() in others)


# What is expected


def expect_unlike_ones_kept(steps: Iterable[Step]) -> None:
    """Raise ``Mismatch`` where a change of a plain tag took or brought plain ones that are related to it.

    Tags that can be read in two ways are asked about by TAG-HIST-04, those that differ in case only by TAG-URI-19.
    """
    __tracebackhide__ = True
    for step in steps:
        if not others_removed(step) and not others_added(step):
            continue
        seen = {*(step.before or ()), *(step.after or ())}
        other_questions = {tag for tag in seen if not unambiguous(tag) or tag.casefold() == step.tag.casefold()}
        expect_others_kept(step, but={step.tag, *other_questions})


def expect_tags(image: Image, expected: Iterable[str], when: str) -> None:
    """Raise ``Mismatch`` unless an image comes to show these tags, in any order, before patience ends."""
    __tracebackhide__ = True
    wanted = {*expected}
    expect(image.eventual_tags(wanted), wanted, f"tags {when}")


def expect_nothing_astray(stray_requests: StrayRequests, method: str) -> None:
    """Raise ``Mismatch`` where a stray request that names one plain tag, and was done, changed any other."""
    __tracebackhide__ = True
    named = stray_requests.aside().requests(method, where=lambda tried: tried.request.names_one_tag)
    for tried in named.where(lambda tried: tried.answer.ok):
        expect(tried.changed, (), "other tags that came or went with", tried.answer)


def expect_stored_or_refused(step: Step) -> None:
    """Raise ``Mismatch`` unless an operation was done exactly or refused, as far as the tags could be read."""
    __tracebackhide__ = True
    step.expect(status=DONE_OR_REFUSED)
    if step.known:
        expect_exact_effect(step)


def overlong(values: Iterable[object]) -> list[str]:
    """Return the texts that are longer than a tag may be."""
    return [value for value in values if isinstance(value, str) and len(value) > LONGEST]


def limit_of(image: Image, unit: str) -> str:
    """Find by halving how many such characters a tag may have, and name the unit that the limit counts."""
    with image.client.recorder.of(Purpose.EXPLAINING):
        return limit(unit, lambda tag: image.add_tag(tag).ok)
