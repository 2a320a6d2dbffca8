# who may read and change tags

import re
import uuid
from collections.abc import Callable, Iterator

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import (
    ANONYMOUS,
    INVALID,
    OTHER_PROJECT,
    OTHER_PROJECT_CAN_READ,
    UnauthorizedAttempt,
    UnauthorizedAttempts,
)
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import Answer, ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.run import FreshImage
from pytest_cloudimages.spec.verdicts import Blocked

OwnerOf = Callable[[ImagesClient], str]

#: auth-scheme, then what a challenge may hold. (RFC 9110, 11.3.)
CHALLENGE = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s|,|$)")


def refused(image: Image, caller: ImagesClient) -> Iterator[Answer]:
    yield caller.add_tag(image.id, "new")
    yield caller.delete_tag(image.id, "there")


# "401 Unauthorized: Unauthorized."
@requirement("TAG-AUTH-01")
def test_a_request_without_a_token_is_refused_with_401(unauthorized_attempts: UnauthorizedAttempts) -> None:
    for attempt in unauthorized_attempts.by(ANONYMOUS):
        assert attempt.answer.status == 401, attempt


# "If the token has expired, the API call returns 401"
@requirement("TAG-AUTH-02")
def test_a_request_with_an_invalid_token_is_refused_with_401(unauthorized_attempts: UnauthorizedAttempts) -> None:
    for attempt in unauthorized_attempts.by(INVALID):
        assert attempt.answer.status == 401, attempt


# "The server generating a 401 response MUST send a WWW-Authenticate header field
# containing at least one challenge"
@requirement("TAG-AUTH-03")
def test_a_401_carries_a_challenge(unauthorized_attempts: UnauthorizedAttempts) -> None:
    answers = [attempt.answer for attempt in unauthorized_attempts.by(ANONYMOUS, INVALID, where=unauthorized)]
    if not answers:
        pytest.skip("no request was answered 401")

    for answer in answers:
        assert CHALLENGE.match(answer.headers.get("WWW-Authenticate", "")), answer


# "it lacks valid authentication credentials": the request has not been applied
@requirement("TAG-AUTH-04")
def test_a_request_answered_401_changes_nothing(unauthorized_attempts: UnauthorizedAttempts) -> None:
    negative_requests = [*unauthorized_attempts.by(ANONYMOUS, INVALID, where=unauthorized)]
    if not negative_requests:
        pytest.skip("no request was answered 401")

    assert [one for one in negative_requests if one.changed] == []


def unauthorized(attempt: UnauthorizedAttempt) -> bool:
    return attempt.answer.status == 401


# "401 Unauthorized", "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_caller_changes_nothing(unauthorized_attempts: UnauthorizedAttempts) -> None:
    # A caller who cannot even see an image is to be refused in one way or another.
    assert [*unauthorized_attempts.aside().by(OTHER_PROJECT, where=lambda attempt: attempt.answer.ok)] == []
    negative_requests = [
        *unauthorized_attempts.by(
            ANONYMOUS,
            INVALID,
            OTHER_PROJECT,
            OTHER_PROJECT_CAN_READ,
            where=lambda attempt: attempt.answer.status in (401, 403, 404),
        )
    ]
    if not negative_requests:
        pytest.skip("nobody was refused")

    assert [one for one in negative_requests if one.changed] == []


# "403 Forbidden: Forbidden."
@requirement("TAG-AUTH-05")
def test_who_sees_and_may_not_change_is_answered_403(
    unauthorized_attempts: UnauthorizedAttempts, other_project: ImagesClient
) -> None:
    seen = [*unauthorized_attempts.by(OTHER_PROJECT_CAN_READ)]
    if not seen:
        pytest.skip(f"needs an image that {other_project.caller} sees: none could be shared with it, or made public")

    for attempt in seen:
        noted(attempt.answer)
        assert attempt.answer.status in (403, 404), attempt


def noted(answer: Answer) -> None:
    """Note a 404 where 403 is expected: the image can be seen (ruling Q-13)."""
    if answer.status == 404:
        recording.current_check().note(f"{answer.exchange.method} on an image that can be seen is answered 404.")


# "An origin server that wishes to 'hide' the current existence of a forbidden
# target resource MAY instead respond with a status code of 404 (Not Found)."
@requirement("TAG-AUTH-06")
def test_an_invisible_image_may_be_hidden(fresh_image: FreshImage, other_project: ImagesClient) -> None:
    with fresh_image(visibility="private") as image:
        image.given_tags("there")
        for answer in refused(image, other_project):
            recording.current_check().note(
                f"{answer.exchange.method} on another project's private image: {answer.status}."
            )
            assert answer.status in (403, 404), answer


# "observer … has read-only permissions"
@requirement("TAG-AUTH-08")
def test_a_reader_cannot_change_tags(image: Image, reader: ImagesClient) -> None:
    image.given_tags("there")
    if image.seen_by(reader).show().status != 200:
        raise Blocked("The reader does not see the image at all; give a reader of the same project.")
    mine = image.seen_by(reader)
    for answer in (*refused(image, reader), mine.add_tag("there"), mine.send("PUT", "/tags/n%65w%2D2")):
        assert answer.refused, answer
    assert image.eventual_tags(["there"]) == ["there"]


# "creator … create, read, update"
@requirement("TAG-AUTH-09")
def test_a_creator_can_add_tags(working_image: Image, creator: ImagesClient) -> None:
    image = working_image
    answer = image.seen_by(creator).add_tag("created")

    assert answer.ok, answer
    assert image.eventual_tags(["created"]) == ["created"]


# undocumented
@requirement("TAG-AUTH-10")
def test_a_creator_deleting_a_tag(image: Image, creator: ImagesClient) -> None:
    image.given_tags("there")
    answer = image.seen_by(creator).delete_tag("there")
    recording.current_check().note(f"DELETE of a tag by a creator: {answer.status}.")


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
            for answer in refused(image, other_project):
                noted(answer)
                assert answer.status in (403, 404), f"{answer} ({status})"
            assert image.eventual_tags(["there"]) == ["there"]


# the token is looked at before anything else
@requirement("TAG-AUTH-12")
def test_the_token_is_asked_for_first(image: Image, anonymous: ImagesClient) -> None:
    unknown = f"/images/{uuid.uuid4()}"
    asked = [("PUT", f"{unknown}/tags/new"), ("DELETE", f"{unknown}/tags/new")]
    asked += [("PUT", f"/images/{image.id}/tags/{'x' * 256}"), ("GET", f"/images/{image.id}/tags/new")]
    asked += [("POST", f"/images/{image.id}/tags/new"), ("PUT", f"/images/{image.id}/tags/")]
    for method, target in asked:
        answer = anonymous.send(method, target)

        assert answer.status == 401, answer
