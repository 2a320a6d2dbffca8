# who may read and change tags

import re
import uuid
from collections.abc import Iterator

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Answer, Image, ImagesClient

#: auth-scheme, then what a challenge may hold. (RFC 9110, 11.3.)
CHALLENGE = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s|,|$)")


@pytest.fixture(params=["uuid", "hex", "Fernet", "word"])
def invalid(request: pytest.FixtureRequest, cloudimages_client: ImagesClient) -> ImagesClient:
    tokens = {
        "uuid": str(uuid.uuid4()),
        "hex": uuid.uuid4().hex,
        "Fernet": "gAAAAABm" + uuid.uuid4().hex * 4 + "==",
        "word": "no-such-token",
    }
    return cloudimages_client.calling(f"an invalid token ({request.param})", lambda: tokens[request.param])


def refused(image: Image, *callers: ImagesClient) -> Iterator[Answer]:
    for caller in callers:
        yield caller.add_tag(image.id, "new")
        yield caller.delete_tag(image.id, "there")
        yield caller.delete_tag(image.id, "absent")
        yield caller.add_tag(image.id, "there")


# "401 Unauthorized: Unauthorized."
@requirement("TAG-AUTH-01")
def test_a_request_without_a_token_is_refused_with_401(image: Image, anonymous: ImagesClient) -> None:
    image.establish("there")
    for answer in refused(image, anonymous):
        assert answer.status == 401, answer


# "If the token has expired, the API call returns 401"
@requirement("TAG-AUTH-02")
def test_a_request_with_an_invalid_token_is_refused_with_401(image: Image, invalid: ImagesClient) -> None:
    image.establish("there")
    for answer in refused(image, invalid):
        assert answer.status == 401, answer


# "The server generating a 401 response MUST send a WWW-Authenticate header field
# containing at least one challenge"
@requirement("TAG-AUTH-03")
def test_a_401_carries_a_challenge(image: Image, anonymous: ImagesClient, invalid: ImagesClient) -> None:
    answers = [one for one in refused(image, anonymous, invalid) if one.status == 401]
    if not answers:
        pytest.skip("no request was answered 401")

    for answer in answers:
        assert CHALLENGE.match(answer.headers.get("WWW-Authenticate", "")), answer


# "it lacks valid authentication credentials": the request has not been applied
@requirement("TAG-AUTH-04")
def test_a_request_answered_401_changes_nothing(image: Image, anonymous: ImagesClient, invalid: ImagesClient) -> None:
    image.establish("there")
    changed = []
    for answer in refused(image, anonymous, invalid):
        tags = image.settled(["there"])
        if answer.status == 401 and tags != ["there"]:
            changed.append(answer)
        if tags != ["there"]:
            image.delete_tag("new")
            image.establish("there")

    assert changed == []


# "401 Unauthorized", "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_stranger_changes_nothing(image: Image, anonymous: ImagesClient, invalid: ImagesClient) -> None:
    image.establish("there")
    changed = []
    for answer in refused(image, invalid, anonymous):
        tags = image.settled(["there"])
        if answer.refused and tags != ["there"]:
            changed.append(answer)
        if tags != ["there"]:
            image.delete_tag("new")
            image.establish("there")

    assert changed == []


# "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_project_changes_nothing(image: Image, other_project: ImagesClient) -> None:
    image.establish("there")
    for answer in refused(image, other_project):
        if answer.refused:
            assert image.settled(["there"]) == ["there"], answer
