# PUT /v2/images/{image_id}/tags/{tag}

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Image, ImagesClient, prepared
from pytest_cloudimages.ground import FreshImage, Ground
from pytest_cloudimages.histories import Past
from pytest_cloudimages.judging import Histories, lost, surplus
from pytest_cloudimages.strategies import BEYOND, LONGEST

NAMING_OTHERS = [
    ("application/json", b'{"tag": "other", "tags": ["other", "third"], "name": "other"}'),
    ("application/openstack-images-v2.1-json-patch", b'[{"op": "add", "path": "/tags", "value": ["other", "third"]}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other&tags=third"),
]


# "204 Success: Request succeeded."
@requirement("TAG-ADD-01")
def test_adding_a_tag_succeeds_with_204(plain_lives: Histories) -> None:
    for step in plain_lives.additions(past=[Past.NEVER]):
        # 201 is undocumented, yet what HTTP asks of a PUT that creates. (Ruling Q-05.)
        assert step.answer.status in (204, 201), step


# "This operation does not return a response body."
@requirement("TAG-ADD-02")
def test_the_answer_to_an_addition_has_no_body(plain_lives: Histories, image: Image) -> None:
    for step in plain_lives.additions(acknowledged=True, known=False):
        assert step.answer.body + step.answer.stray == b"", step

    whole = prepared(image.client.raw("PUT", f"/images/{image.id}/tags/bare"))
    assert whole.body == b""


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-03")
def test_an_added_tag_is_listed(plain_lives: Histories) -> None:
    for step in plain_lives.additions(acknowledged=True, past=[Past.NEVER]):
        assert step.tag in step.after, step


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-04")
def test_adding_a_tag_leaves_the_others(plain_lives: Histories) -> None:
    for step in plain_lives.additions(acknowledged=True):
        assert not lost(step), step
        assert not surplus(step), step


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-05")
def test_a_tag_added_again_is_listed_once(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.additions(acknowledged=True, past=[Past.CARRIED], printable=True):
            if step.tag in step.before:
                assert step.after.count(step.tag) == 1, step


# "An image can only be tagged once with a specific string. Multiple attempts …"
@requirement("TAG-ADD-06")
def test_adding_a_tag_again_is_answered_204_again(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.additions(past=[Past.CARRIED], printable=True):
            if step.tag in step.before:
                assert step.answer.status == 204, step


# "This operation does not accept a request body."
@requirement("TAG-ADD-07")
@pytest.mark.parametrize("length", [True, False], ids=["Content-Length 0", "no Content-Length"])
def test_a_request_without_a_body_is_accepted(image: Image, length: bool) -> None:
    answer = image.add_tag("bare", length=length)

    assert answer.status in (204, 201), answer


# "The request body is ignored."
@requirement("TAG-ADD-09")
def test_a_body_adds_no_tag(image: Image) -> None:
    image.establish("stays")
    for number, (media, body) in enumerate(NAMING_OTHERS):
        image.add_tag(f"asked-{number}", body=body, headers={"Content-Type": media})

        tags = image.read(lambda found: "stays" in found)
        assert {*tags} - {f"asked-{one}" for one in range(number + 1)} == {"stays"}


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-10")
@pytest.mark.parametrize("tag", ["a" * LONGEST, ("0123456789-._~Az" * 16)[:LONGEST]], ids=["one letter", "all kinds"])
def test_a_tag_of_255_characters_is_stored_whole(image: Image, tag: str) -> None:
    answer = image.add_tag(tag)

    assert answer.status in (204, 201), answer
    assert image.settled([tag]) == [tag]


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-11")
@pytest.mark.parametrize("length", BEYOND)
def test_a_tag_of_more_than_255_characters_is_refused_and_not_stored(image: Image, length: int) -> None:
    answer = image.add_tag("a" * length)

    assert answer.refused, answer
    assert image.settled([]) == []


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-13")
@pytest.mark.parametrize("tag", ["x", "Z", "0", "-", "_", "~"])
def test_a_tag_of_one_character_is_accepted(image: Image, tag: str) -> None:
    answer = image.add_tag(tag)

    assert answer.status in (204, 201), answer
    assert image.settled([tag]) == [tag]


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-15")
def test_adding_a_tag_to_an_unknown_image_fails_and_creates_none(cloudimages_client: ImagesClient) -> None:
    unknown = str(uuid.uuid4())

    answer = cloudimages_client.add_tag(unknown, "stray")
    shown = cloudimages_client.show(unknown)

    assert answer.refused, answer
    assert shown.status == 404, shown


# "400 Error: A general error has occurred." and the codes that follow it
@requirement("TAG-ADD-22")
def test_a_refused_addition_changes_nothing(image: Image, unusual_lives: Histories) -> None:
    image.establish("stays", "as-well")
    for length in BEYOND:
        answer = image.add_tag("stays" * length)
        if answer.refused:
            assert sorted(image.settled(["as-well", "stays"])) == ["as-well", "stays"]

    for step in unusual_lives.additions(acknowledged=False):
        assert not lost(step), step
        assert not surplus(step), step


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-26")
def test_adding_a_tag_changes_no_other_attribute(plain_lives: Histories) -> None:
    for before, after, _ in plain_lives.around_additions():
        assert after.rest == before.rest


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-30")
def test_a_tag_added_by_many_at_once_is_listed_once(fresh_image: FreshImage, cloudimages_ground: Ground) -> None:
    effort = cloudimages_ground.options.effort
    together = Barrier(effort.clients)

    def add(image: Image) -> bool:
        together.wait()
        return image.add_tag("together").ok

    with ThreadPoolExecutor(effort.clients) as clients:
        for _ in range(effort.races):
            with fresh_image() as image:
                acknowledged = [*clients.map(add, [image] * effort.clients)]
                tags = image.settled(["together"])
                deleted = image.delete_tag("together")
                after = image.settled([])

            if any(acknowledged):
                assert tags == ["together"]
                assert deleted.status == 204, deleted
                assert after == []
