# who may read and change tags

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.common.checks import led_to_without_a_slash
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.states import kept_out_by_policy
from pytest_cloudimages.areas.tags.callers import (
    ABSENT,
    MEMBER_STATES,
    ON_TAGS,
    ORDINARY,
    PRESENT,
    STRANGERS,
    UNAUTHENTICATED,
    Change,
    State,
)
from pytest_cloudimages.areas.tags.checks import (
    A_CHALLENGE,
    NOT_OK,
    OK,
    REFUSED,
    AccessAttempts,
    Basics,
    Image,
    ImagesClient,
    Run,
    answered,
    or_skip,
)
from pytest_cloudimages.areas.tags.corpus import IN_OTHER_FORMS
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import note_hidden


# "401 Unauthorized: Unauthorized."
@requirement("TAG-AUTH-01")
def test_a_request_without_a_token_is_refused_with_401(access_attempts: AccessAttempts) -> None:
    for attempt in access_attempts.by(Party.ANONYMOUS, states=PRESENT):
        expect(attempt.answer.status, 401, "status of", attempt)


# "If the token has expired, the API call returns 401"
@requirement("TAG-AUTH-02")
def test_a_request_with_an_invalid_token_is_refused_with_401(access_attempts: AccessAttempts) -> None:
    for caller, reason in access_attempts.let_off.items():
        note(f"Not asked of {caller}: {reason}")
    for attempt in access_attempts.by(Party.INVALID, Party.ENDED, states=PRESENT):
        expect(attempt.answer.status, attempt.unauthorized, "status of", attempt)


# "The server generating a 401 response MUST send a WWW-Authenticate header field
# containing at least one challenge"
@requirement("TAG-AUTH-03")
def test_a_401_carries_a_challenge(access_attempts: AccessAttempts) -> None:
    unauthorized = access_attempts.by(*UNAUTHENTICATED, where=answered(401))
    for attempt in or_skip(unauthorized, "no request was answered 401"):
        expect(attempt.answer.headers.get("WWW-Authenticate"), A_CHALLENGE, "WWW-Authenticate of", attempt)


# "it lacks valid authentication credentials": the request has not been applied
@requirement("TAG-AUTH-04")
def test_a_request_answered_401_changes_nothing(access_attempts: AccessAttempts) -> None:
    unauthorized = access_attempts.by(*UNAUTHENTICATED, states=PRESENT, where=answered(401))
    for attempt in or_skip(unauthorized, "no request was answered 401"):
        expect(attempt.changed, False, "effect of", attempt)


# "403 Forbidden: Forbidden."
@requirement("TAG-AUTH-05")
def test_who_sees_and_may_not_change_is_answered_403(
    access_attempts: AccessAttempts, other_project: ImagesClient, basics: Basics
) -> None:
    basics.require_additions()
    needed = f"needs an image that {other_project.caller} sees: none could be shared with it, or made public"
    seen = access_attempts.by(Party.OTHER_PROJECT, changes=ON_TAGS, where=lambda attempt: attempt.sees)
    for attempt in or_skip(seen, needed):
        note_hidden(attempt.answer)
        expect(attempt.answer.status, {403, 404}, "status of", attempt)


# "An origin server that wishes to 'hide' the current existence of a forbidden
# target resource MAY instead respond with a status code of 404 (Not Found)."
@requirement("TAG-AUTH-06")
def test_an_invisible_image_may_be_hidden(access_attempts: AccessAttempts, other_project: ImagesClient) -> None:
    needed = f"needs an image that {other_project.caller} does not see"
    private = access_attempts.by(Party.OTHER_PROJECT, states=[State.PRIVATE], changes=ON_TAGS)
    told: dict[str, set[int]] = {}
    for attempt in or_skip(private, needed):
        answer = attempt.answer
        note(f"{attempt.cell.change.words} on another project's private image: {answer.status}.")
        expect(answer.status, {403, 404}, "status of", answer)
        told.setdefault(answer.exchange.method, set()).add(answer.status)

    for attempt in access_attempts.aside().by(Party.OTHER_PROJECT, states=ABSENT):
        if {attempt.answer.status} != told.get(attempt.answer.exchange.method, {attempt.answer.status}):
            note(f"an image that is not there is told from a private one: {attempt.answer.status}.")
    for method in (method for method, statuses in told.items() if len(statuses) > 1):
        note(f"the answers to {method} tell a stranger which tags a private image has.")


# "401 Unauthorized", "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_caller_changes_nothing(access_attempts: AccessAttempts, basics: Basics) -> None:
    # Who acts neither for the owner's project nor as administrator is refused, whatever the image shows to them.
    for attempt in access_attempts.aside().by(*STRANGERS, states=PRESENT):
        expect(attempt.answer.status, NOT_OK, "status of", attempt)

    for caller, reason in access_attempts.unasked.items():
        note(f"Not asked of: {caller}; {reason}")
    refused = access_attempts.by(*Party, states=PRESENT, where=lambda attempt: attempt.refused)
    for attempt in or_skip(refused, "nobody was refused"):
        expect(attempt.changed, False, "effect of", attempt)
    for answer, there in access_attempts.aside().of_the_owner():
        # Where no addition is kept, that is TAG-ADD-03's to say.
        said = f"whether the tag is there after {answer}, which another caller was refused to add before"
        expect(there or not basics.adds, True, said)


# "observer … has read-only permissions"
@requirement("TAG-AUTH-08")
@pytest.mark.usefixtures("reader")
def test_a_reader_cannot_change_tags(access_attempts: AccessAttempts, basics: Basics) -> None:
    basics.require_additions()
    readings = access_attempts.aside().by(Party.READER, states=[State.PRIVATE], changes=[Change.READ])
    if not any(attempt.answer.ok for attempt in readings):
        raise Blocked("The reader does not see the image at all; name a reader of the same project.")

    for attempt in access_attempts.by(Party.READER):
        expect(attempt.answer.status, REFUSED, "status of", attempt)
        expect(attempt.changed, False, "effect of", attempt)


# "creator … create, read, update"
@requirement("TAG-AUTH-09")
@pytest.mark.usefixtures("creator")
def test_a_creator_can_add_tags(access_attempts: AccessAttempts, basics: Basics, cloudimages_run: Run) -> None:
    basics.require_additions()
    for attempt in access_attempts.by(Party.CREATOR, states=ORDINARY, changes=[Change.ADD]):
        if not (attempt.answer.ok or attempt.refused or attempt.cell.state is State.PRIVATE):
            continue  # where an addition fails otherwise in some state, whoever asks, that is TAG-ADD-01's to say
        if attempt.cell.state is not State.PRIVATE and kept_out_by_policy(attempt.answer, cloudimages_run):
            continue
        expect(attempt.answer.status, OK, "status of", attempt)
        expect(attempt.changed, True, "effect of", attempt)

    # Where nobody can repeat an addition, or none of what came another way, that is TAG-ADD-06's to say.
    for attempt in access_attempts.aside().by(Party.CREATOR, states=ORDINARY, changes=[Change.ADD_PRESENT]):
        if basics.repeats and (attempt.answer.ok or attempt.refused):
            expect(attempt.answer.status, OK, "status of", attempt)


# undocumented
@requirement("TAG-AUTH-10")
@pytest.mark.usefixtures("creator")
def test_a_creator_deleting_a_tag(access_attempts: AccessAttempts) -> None:
    for attempt in access_attempts.by(Party.CREATOR, changes=[Change.DELETE]):
        note(f"DELETE of a tag by a creator: {attempt.answer.status}.")


# undocumented for tags
@requirement("TAG-AUTH-11")
@pytest.mark.usefixtures("other_project")
def test_a_member_cannot_change_tags(access_attempts: AccessAttempts, basics: Basics) -> None:
    basics.require_additions()
    why = [reason for name, reason in access_attempts.unasked.items() if name in (Party.OTHER_PROJECT, *MEMBER_STATES)]
    by_members = access_attempts.by(Party.OTHER_PROJECT, states=MEMBER_STATES, changes=ON_TAGS)
    for attempt in or_skip(by_members, next(iter(why), "needs an image that can be shared")):
        note_hidden(attempt.answer)
        expect(attempt.answer.status, {403, 404}, "status of", attempt)
        expect(attempt.changed, False, "effect of", attempt)


# the token is looked at before anything else
@requirement("TAG-AUTH-12")
def test_the_token_is_asked_for_first(image: Image, anonymous: ImagesClient, access_attempts: AccessAttempts) -> None:
    for attempt in access_attempts.aside().by(*UNAUTHENTICATED, states=ABSENT):
        expect(attempt.answer.status, attempt.unauthorized, "status of", attempt)

    unknown = f"/images/{uuid.uuid4()}"
    tags = f"/images/{image.id}/tags"
    otherwise_wrong: list[tuple[str, str, Mapping[str, Any]]] = [
        ("PUT", f"{unknown}/tags/new", {}),
        ("DELETE", f"{unknown}/tags/new", {}),
        ("PUT", f"{tags}/{'x' * 256}", {}),
        ("GET", f"{tags}/new", {}),
        *((method, f"{tags}/new", form) for method, form in IN_OTHER_FORMS.items()),
        ("PUT", f"{tags}/", {}),
    ]
    for method, target, form in otherwise_wrong:
        answer = anonymous.send(method, target, **form)

        # A server in front may know no PATCH, or no slash at an end, whoever asks.
        unknown_to_all = method == "PATCH" and answer.status in (405, 501)
        if unknown_to_all and image.send(method, "", **form).status == answer.status:
            note(f"{answer.exchange}: the method is known to nobody.")
        elif led_to_without_a_slash(answer):
            note(f"{answer.exchange}: what is asked for is elsewhere.")
        else:
            expect(answer.status, 401, "status of", answer)
