# who may read and change tags

import uuid

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.areas.tags.checks import (
    A_CHALLENGE,
    NOT_OK,
    OK,
    REFUSED,
    FreshImage,
    Image,
    ImagesClient,
    OwnerOf,
    UnauthorizedAttempts,
    answered,
    expect_tags,
    or_skip,
    require_ok,
)
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import (
    ANONYMOUS,
    INVALID,
    OTHER_PROJECT,
    OTHER_PROJECT_CAN_READ,
    attempted_changes,
    note_hidden,
)


# "401 Unauthorized: Unauthorized."
@requirement("TAG-AUTH-01")
def test_a_request_without_a_token_is_refused_with_401(unauthorized_attempts: UnauthorizedAttempts) -> None:
    for attempt in unauthorized_attempts.by(ANONYMOUS):
        expect(attempt.answer.status, 401, f"status of {attempt}")


# "If the token has expired, the API call returns 401"
@requirement("TAG-AUTH-02")
def test_a_request_with_an_invalid_token_is_refused_with_401(unauthorized_attempts: UnauthorizedAttempts) -> None:
    for attempt in unauthorized_attempts.by(INVALID):
        expect(attempt.answer.status, 401, f"status of {attempt}")


# "The server generating a 401 response MUST send a WWW-Authenticate header field
# containing at least one challenge"
@requirement("TAG-AUTH-03")
def test_a_401_carries_a_challenge(unauthorized_attempts: UnauthorizedAttempts) -> None:
    unauthorized = unauthorized_attempts.by(ANONYMOUS, INVALID, where=answered(401))
    for attempt in or_skip(unauthorized, "no request was answered 401"):
        expect(attempt.answer.headers.get("WWW-Authenticate"), A_CHALLENGE, f"WWW-Authenticate of {attempt}")


# "it lacks valid authentication credentials": the request has not been applied
@requirement("TAG-AUTH-04")
def test_a_request_answered_401_changes_nothing(unauthorized_attempts: UnauthorizedAttempts) -> None:
    unauthorized = unauthorized_attempts.by(ANONYMOUS, INVALID, where=answered(401))
    for attempt in or_skip(unauthorized, "no request was answered 401"):
        expect(attempt.changed, False, f"effect of {attempt}")


# "403 Forbidden: Forbidden."
@requirement("TAG-AUTH-05")
def test_who_sees_and_may_not_change_is_answered_403(
    unauthorized_attempts: UnauthorizedAttempts, other_project: ImagesClient
) -> None:
    needed = f"needs an image that {other_project.caller} sees: none could be shared with it, or made public"
    for attempt in or_skip(unauthorized_attempts.by(OTHER_PROJECT_CAN_READ), needed):
        note_hidden(attempt.answer)
        expect(attempt.answer.status, {403, 404}, f"status of {attempt}")


# "An origin server that wishes to 'hide' the current existence of a forbidden
# target resource MAY instead respond with a status code of 404 (Not Found)."
@requirement("TAG-AUTH-06")
def test_an_invisible_image_may_be_hidden(fresh_image: FreshImage, other_project: ImagesClient) -> None:
    with fresh_image(visibility="private") as image:
        image.given_tags("there")
        for answer in attempted_changes(image, other_project):
            note(f"{answer.exchange.method} on another project's private image: {answer.status}.")
            expect(answer.status, {403, 404}, f"status of {answer}")


# "401 Unauthorized", "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_caller_changes_nothing(unauthorized_attempts: UnauthorizedAttempts) -> None:
    # A caller who cannot even see an image is to be refused in one way or another: else nobody was refused.
    for attempt in unauthorized_attempts.aside().by(OTHER_PROJECT):
        expect(attempt.answer.status, NOT_OK, f"status of {attempt}")

    callers = (ANONYMOUS, INVALID, OTHER_PROJECT, OTHER_PROJECT_CAN_READ)
    refused = unauthorized_attempts.by(*callers, where=answered(401, 403, 404))
    for attempt in or_skip(refused, "nobody was refused"):
        expect(attempt.changed, False, f"effect of {attempt}")


# "observer … has read-only permissions"
@requirement("TAG-AUTH-08")
def test_a_reader_cannot_change_tags(image: Image, reader: ImagesClient) -> None:
    image.given_tags("there")
    seen = image.seen_by(reader)
    if seen.eventually(seen.show, lambda answer: answer.status == 200).status != 200:
        raise Blocked("The reader does not see the image at all; name a reader of the same project.")

    for answer in (*attempted_changes(image, reader), seen.add_tag("there"), seen.send("PUT", "/tags/n%65w%2D2")):
        expect(answer.status, REFUSED, f"status of {answer}")
    expect_tags(image, ["there"], "after a reader was refused")


# "creator … create, read, update"
@requirement("TAG-AUTH-09")
def test_a_creator_can_add_tags(working_image: Image, creator: ImagesClient) -> None:
    answer = working_image.seen_by(creator).add_tag("created")

    expect(answer.status, OK, f"status of {answer}")
    expect_tags(working_image, ["created"], "after a creator added one")


# undocumented
@requirement("TAG-AUTH-10")
def test_a_creator_deleting_a_tag(image: Image, creator: ImagesClient) -> None:
    image.given_tags("there")
    answer = image.seen_by(creator).delete_tag("there")
    note(f"DELETE of a tag by a creator: {answer.status}.")


# undocumented for tags
@requirement("TAG-AUTH-11")
def test_a_member_cannot_change_tags(
    fresh_image: FreshImage, other_project: ImagesClient, owner_of: OwnerOf, unauthorized_attempts: UnauthorizedAttempts
) -> None:
    if not [*unauthorized_attempts.aside().by(OTHER_PROJECT)]:
        pytest.skip("needs a second project: who was named as such sees what is private to the first")
    with fresh_image(visibility="shared") as image:
        project = owner_of(other_project)
        image.given_tags("there")
        shared(image, project)
        for status in ("pending", "accepted", "rejected"):
            require_ok(image.seen_by(other_project).send("PUT", f"/members/{project}", json={"status": status}))

            for answer in attempted_changes(image, other_project):
                note_hidden(answer)
                expect(answer.status, {403, 404}, f"status of {answer}", status_of_the_member=status)
            expect_tags(image, ["there"], f"after a member ({status}) was refused")


# the token is looked at before anything else
@requirement("TAG-AUTH-12")
def test_the_token_is_asked_for_first(image: Image, anonymous: ImagesClient) -> None:
    unknown = f"/images/{uuid.uuid4()}"
    tags = f"/images/{image.id}/tags"
    otherwise_wrong = [
        ("PUT", f"{unknown}/tags/new"),
        ("DELETE", f"{unknown}/tags/new"),
        ("PUT", f"{tags}/{'x' * 256}"),
        ("GET", f"{tags}/new"),
        ("POST", f"{tags}/new"),
        ("PUT", f"{tags}/"),
    ]
    for method, target in otherwise_wrong:
        answer = anonymous.send(method, target)

        expect(answer.status, 401, f"status of {answer}")
