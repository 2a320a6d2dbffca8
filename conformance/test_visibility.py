# tags as images, lists and schemas show them

import uuid
from collections.abc import Callable

import pytest

from pytest_cloudimages import evidence, requirement
from pytest_cloudimages.client import Image, ImagesClient, prepared
from pytest_cloudimages.ground import FreshImage
from pytest_cloudimages.judging import Histories
from pytest_cloudimages.strategies import BEYOND, BOUNDARIES, LONGEST
from pytest_cloudimages.views import Looks, View

LOOK_ALIKES = ["7", "007", "null", "true", "1.5", "1e5"]
SHOWN = ["one", "two", "Three", "4", "with-hyphen"]


# "tags: Image tags."
@requirement("TAG-VIS-01")
def test_an_image_shows_its_tags_as_a_list_of_strings(
    plain_lives: Histories, sequences: Histories, image: Image
) -> None:
    for histories in (plain_lives, sequences):
        for reading in histories.readings():
            assert reading.tags is not None, reading.answer

    for tag in LOOK_ALIKES:
        image.add_tag(tag)
    shown = image.show()
    assert isinstance(shown.data, dict), shown
    assert [one for one in shown.data.get("tags", [None]) if not isinstance(one, str)] == [], shown


# "images.tags: Image tags."
@requirement("TAG-VIS-02")
def test_the_list_shows_the_tags_of_the_image(image: Image, walks: Looks) -> None:
    for look in walks.at(View.LIST):
        assert {*look.shown} == {*look.expected}, look

    for shown in (SHOWN, SHOWN[:2], []):
        for tag in {*SHOWN} - {*shown}:
            image.delete_tag(tag)
        image.establish(*shown)
        detail = image.settled(shown)

        listed = image.listed().get("tags")

        assert isinstance(listed, list)
        assert {*map(str, listed)} == {*detail}


# "An image can only be tagged once with a specific string."
@requirement("TAG-VIS-05")
def test_no_image_shows_a_tag_twice(plain_lives: Histories, unusual_lives: Histories, image: Image) -> None:
    for lives in (plain_lives, unusual_lives):
        for reading in lives.readings():
            assert reading.tags is None or len({*reading.tags}) == len(reading.tags), reading.answer

    for tag in SHOWN * 2:
        image.add_tag(tag)
    for tags in shown_by(image):
        assert len({*tags}) == len(tags)


def shown_by(image: Image) -> list[list[str]]:
    """Give the tags that the image shows, and those that the list shows, where they are lists at all."""
    return [tags for tags in (image.tags(), image.listed().get("tags")) if isinstance(tags, list)]


# "tags": {"items": {"maxLength": 255, "type": "string"}}
@requirement("TAG-VIS-07")
def test_no_image_shows_a_tag_of_more_than_255_characters(image: Image) -> None:
    for length in (*BOUNDARIES, *BEYOND):
        image.add_tag("v" * length)

    for tags in shown_by(image):
        assert [tag for tag in tags if len(tag) > LONGEST] == []


# "tag: Filters the list of images by the specified tag."
@requirement("TAG-VIS-03")
@pytest.mark.parametrize("kind", ["plain", "with a blank", "with a reserved character"])
def test_the_filter_selects_by_tag(
    fresh_image: FreshImage, cloudimages_client: ImagesClient, walks: Looks, kind: str
) -> None:
    for look in walks.at(View.FILTER):
        assert look.shown == look.expected, look

    mark = uuid.uuid4().hex
    tag = {"plain": mark, "with a blank": f"{mark} x", "with a reserved character": f"{mark}&x=1"}[kind]
    with fresh_image() as tagged, fresh_image() as untagged:
        tagged.establish(tag, f"{tag}-longer")
        untagged.establish(f"{tag}-longer", mark[:-1], mark.upper())

        assert found(cloudimages_client, tag) == [tagged.id]
        tagged.delete_tag(tag)
        if tag not in tagged.settled([f"{tag}-longer"]):
            assert found(cloudimages_client, tag) == []


# "tag=A&tag=B"
@requirement("TAG-VIS-04")
def test_filters_by_several_tags_are_combined_with_and(
    fresh_image: FreshImage, cloudimages_client: ImagesClient
) -> None:
    one, two = f"a-{uuid.uuid4().hex}", f"b-{uuid.uuid4().hex}"
    with fresh_image() as both, fresh_image() as single:
        both.establish(one, two)
        single.establish(one)

        assert found(cloudimages_client, one, two) == [both.id]
        assert found(cloudimages_client, two, one) == [both.id]


def found(client: ImagesClient, *tags: str) -> list[str]:
    answer = client.list(tag=tags)
    assert answer.status == 200, answer
    return sorted(one["id"] for one in answer.data["images"])


# "tags": {"items": {"maxLength": 255, "type": "string"}, "type": "array"}
@requirement("TAG-VIS-06")
def test_the_schema_declares_the_tags(cloudimages_client: ImagesClient) -> None:
    answer = cloudimages_client.send("GET", "/schemas/image")

    assert answer.status == 200, answer
    declared = (answer.data or {}).get("properties", {}).get("tags", {})
    assert declared.get("type") == "array"
    assert declared.get("items", {}).get("type") == "string"
    assert declared.get("items", {}).get("maxLength") == LONGEST


# '[{"op": "replace", "path": "/tags", "value": [ … ]}]'
@requirement("TAG-VIS-08")
def test_a_patch_sets_exactly_the_given_tags(image: Image, walks: Looks) -> None:
    for look in walks.at(View.REPLACE):
        assert look.shown == look.expected, look

    image.establish("before", "stays")
    for wanted in (["stays", "new"], ["new", "new", "Other", "a b"], [], ["back"]):
        answer = image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": wanted})

        assert answer.ok, answer
        assert sorted(image.settled({*wanted})) == sorted({*wanted}), answer


# undocumented
@requirement("TAG-VIS-09")
def test_what_a_member_sees(
    fresh_image: FreshImage, other_project: ImagesClient, owner_of: Callable[[ImagesClient], str]
) -> None:
    with fresh_image(visibility="shared") as image:
        image.establish("seen")
        prepared(image.send("POST", "/members", json={"member": owner_of(other_project)}))
        answer = image.seen_by(other_project).show()
        shown = answer.data.get("tags") if isinstance(answer.data, dict) else None
        evidence.current().note(f"GET as a member: {answer.status}, tags {shown!a}.")
