# who may read and change tags

import re
import uuid
from collections.abc import Callable, Container, Iterator
from functools import partial

import pytest

from pytest_cloudimages import evidence, requirement
from pytest_cloudimages.client import Answer, Image, ImagesClient, prepared
from pytest_cloudimages.ground import FreshImage, Ground
from pytest_cloudimages.verdicts import Blocked

OwnerOf = Callable[[ImagesClient], str]

#: auth-scheme, then what a challenge may hold. (RFC 9110, 11.3.)
CHALLENGE = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+(\s|,|$)")


@pytest.fixture
def invalid(cloudimages_client: ImagesClient, cloudimages_ground: Ground) -> list[ImagesClient]:
    tokens = {
        "a UUID": str(uuid.uuid4()),
        "like Fernet": "gAAAAABm" + uuid.uuid4().hex * 4 + "==",
        "a hexadecimal number": uuid.uuid4().hex,
        "a word": "no-such-token",
    }
    enough = 2 if cloudimages_ground.options.profile == "quick" else len(tokens)
    kinds = [*tokens][:enough]
    return [cloudimages_client.calling(f"an invalid token ({kind})", partial(tokens.get, kind)) for kind in kinds]


def refused(image: Image, *callers: ImagesClient, absent: bool = True) -> Iterator[Answer]:
    for caller in callers:
        yield caller.add_tag(image.id, "new")
        yield caller.delete_tag(image.id, "there")
        if absent:
            yield caller.delete_tag(image.id, "absent")


def changed(image: Image, callers: list[ImagesClient], statuses: Container[int]) -> list[Answer]:
    """Have callers add and delete tags of their own, and give the refusals behind which something changed."""
    image.establish(*(f"there-{number}" for number in range(len(callers))))
    asked = [
        (method, tag, caller.send(method, f"/images/{image.id}/tags/{tag}"))
        for number, caller in enumerate(callers)
        for method, tag in (("PUT", f"new-{number}"), ("DELETE", f"there-{number}"))
    ]
    refusals = [one for one in asked if one[2].status in statuses]
    if not refusals:
        pytest.skip("nobody was refused in this way")
    untouched = {tag for method, tag, _ in refusals if method == "DELETE"}
    tags = image.read(lambda found: untouched <= {*found})
    return [answer for method, tag, answer in refusals if (tag in tags) is (method == "PUT")]


# "401 Unauthorized: Unauthorized."
@requirement("TAG-AUTH-01")
def test_a_request_without_a_token_is_refused_with_401(image: Image, anonymous: ImagesClient) -> None:
    image.establish("there")
    for answer in refused(image, anonymous):
        assert answer.status == 401, answer


# "If the token has expired, the API call returns 401"
@requirement("TAG-AUTH-02")
def test_a_request_with_an_invalid_token_is_refused_with_401(image: Image, invalid: list[ImagesClient]) -> None:
    image.establish("there")
    for answer in refused(image, *invalid):
        assert answer.status == 401, answer


# "The server generating a 401 response MUST send a WWW-Authenticate header field
# containing at least one challenge"
@requirement("TAG-AUTH-03")
def test_a_401_carries_a_challenge(image: Image, anonymous: ImagesClient, invalid: list[ImagesClient]) -> None:
    answers = [one for one in refused(image, anonymous, *invalid) if one.status == 401]
    if not answers:
        pytest.skip("no request was answered 401")

    for answer in answers:
        assert CHALLENGE.match(answer.headers.get("WWW-Authenticate", "")), answer


# "it lacks valid authentication credentials": the request has not been applied
@requirement("TAG-AUTH-04")
def test_a_request_answered_401_changes_nothing(
    image: Image, anonymous: ImagesClient, invalid: list[ImagesClient]
) -> None:
    assert changed(image, [anonymous, *invalid], (401,)) == []


# "401 Unauthorized", "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_caller_changes_nothing(image: Image, anonymous: ImagesClient, invalid: list[ImagesClient]) -> None:
    assert changed(image, [anonymous, *invalid], (401, 403, 404)) == []


# "403 Forbidden", "404 Not Found"
@requirement("TAG-AUTH-07")
def test_a_refused_project_changes_nothing(image: Image, other_project: ImagesClient) -> None:
    assert changed(image, [other_project], (401, 403, 404)) == []


@pytest.fixture
def visible(fresh_image: FreshImage, other_project: ImagesClient, owner_of: OwnerOf) -> Iterator[Image]:
    """An image that the other project may see and not change: shared with it."""
    with fresh_image(visibility="shared") as one:
        share(one, owner_of(other_project))
        one.establish("there")
        if other_project.show(one.id).status != 200:
            raise Blocked("The image is shared with the other project, and it cannot see it.")
        yield one


def share(image: Image, project: str, status: str | None = None, member: ImagesClient | None = None) -> None:
    prepared(image.send("POST", "/members", json={"member": project}))
    if status and member:
        prepared(image.seen_by(member).send("PUT", f"/members/{project}", json={"status": status}))


# "403 Forbidden: Forbidden."
@requirement("TAG-AUTH-05")
def test_who_sees_and_may_not_change_is_answered_403(visible: Image, other_project: ImagesClient) -> None:
    for method, tag in (("PUT", "new"), ("DELETE", "there")):
        answer = visible.seen_by(other_project).send(method, f"/tags/{tag}")

        assert answer.status == 403, answer


# "An origin server that wishes to 'hide' the current existence of a forbidden
# target resource MAY instead respond with a status code of 404 (Not Found)."
@requirement("TAG-AUTH-06")
def test_an_invisible_image_may_be_hidden(fresh_image: FreshImage, other_project: ImagesClient) -> None:
    with fresh_image(visibility="private") as image:
        for answer in refused(image, other_project):
            evidence.current().note(f"{answer.exchange.method} on another project's private image: {answer.status}.")
            assert answer.status in (403, 404), answer


# "observer … has read-only permissions"
@requirement("TAG-AUTH-08")
def test_a_reader_cannot_change_tags(image: Image, reader: ImagesClient) -> None:
    image.establish("there")
    if image.seen_by(reader).show().status != 200:
        raise Blocked("The reader does not see the image at all; give a reader of the same project.")
    for answer in refused(image, reader, absent=False):
        assert answer.refused, answer
        assert image.settled(["there"]) == ["there"], answer


# undocumented for tags
@requirement("TAG-AUTH-11")
@pytest.mark.parametrize("status", ["pending", "accepted", "rejected"])
def test_a_member_cannot_change_tags(
    fresh_image: FreshImage, other_project: ImagesClient, owner_of: OwnerOf, status: str
) -> None:
    with fresh_image(visibility="shared") as image:
        image.establish("there")
        share(image, owner_of(other_project), status, other_project)
        for answer in refused(image, other_project, absent=False):
            assert answer.status == 403, answer
            assert image.settled(["there"]) == ["there"], answer


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
