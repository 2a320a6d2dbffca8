# tags as images, lists and schemas show them

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Image
from pytest_cloudimages.judging import Histories
from pytest_cloudimages.strategies import BEYOND, BOUNDARIES, LONGEST

SHOWN = ["one", "two", "Three", "4", "with-hyphen"]


# "tags: Image tags."
@requirement("TAG-VIS-01")
def test_an_image_shows_its_tags_as_a_list_of_strings(plain_lives: Histories, sequences: Histories) -> None:
    for histories in (plain_lives, sequences):
        for reading in histories.readings():
            assert reading.tags is not None, reading.answer


# "images.tags: Image tags."
@requirement("TAG-VIS-02")
def test_the_list_shows_the_tags_of_the_image(image: Image) -> None:
    for shown in (SHOWN, SHOWN[:2], []):
        for tag in {*SHOWN} - {*shown}:
            image.delete_tag(tag)
        image.establish(*shown)
        detail = image.settled(shown)

        listed = image.listed().get("tags")

        assert isinstance(listed, list)
        assert sorted(map(str, listed)) == sorted(detail)


# "An image can only be tagged once with a specific string."
@requirement("TAG-VIS-05")
def test_no_image_shows_a_tag_twice(plain_lives: Histories, unusual_lives: Histories, image: Image) -> None:
    for lives in (plain_lives, unusual_lives):
        for reading in lives.readings():
            assert reading.tags is None or len({*reading.tags}) == len(reading.tags), reading.answer

    for tag in SHOWN * 2:
        image.add_tag(tag)
    for tags in (image.tags(), image.listed()["tags"]):
        assert len({*tags}) == len(tags)


# "tags": {"items": {"maxLength": 255, "type": "string"}}
@requirement("TAG-VIS-07")
def test_no_image_shows_a_tag_of_more_than_255_characters(image: Image) -> None:
    for length in (*BOUNDARIES, *BEYOND):
        image.add_tag("v" * length)

    for tags in (image.tags(), image.listed()["tags"]):
        assert [tag for tag in tags if len(tag) > LONGEST] == []
