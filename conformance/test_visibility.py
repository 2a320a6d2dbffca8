# tags as images, lists and schemas show them

import uuid
from collections.abc import Callable

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.areas.tags.corpus import SPECIAL
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.read_paths import Comparisons, ReadPath
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.steps import Reading
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked


# "tags: Image tags."
@requirement("TAG-VIS-01")
def test_an_image_shows_its_tags_as_a_list_of_strings(
    plain_tags: Steps, sequences: Steps, representations: Representations
) -> None:
    # An image that was not shown at all is another question.
    for readings in (plain_tags.readings, sequences.readings, representations.details):
        for reading in readings(where=lambda reading: reading.answer.status == 200):
            assert reading.values is not None, reading.answer


# "images.tags: Image tags."
@requirement("TAG-VIS-02")
def test_the_list_shows_the_tags_of_the_image(representations: Representations, read_path_checks: Comparisons) -> None:
    # Whether what the image itself shows is a list of strings is asked by TAG-VIS-01.
    for showing in representations.shown(where=lambda showing: showing.reading.values is not None):
        assert isinstance(showing.in_list, list), showing
        assert {*map(str, showing.in_list)} == {*showing.in_image}, showing
        assert showing.in_list_for_reader is None or {*map(str, showing.in_list_for_reader)} == {*showing.in_image}, (
            showing
        )

    for look in read_path_checks.aside().at(ReadPath.LIST):
        assert {*look.shown} == {*look.expected}, look


# "An image can only be tagged once with a specific string."
@requirement("TAG-VIS-05")
def test_no_image_shows_a_tag_twice(
    plain_tags: Steps, unusual_tags: Steps, boundary_tags: Steps, representations: Representations
) -> None:
    for readings in (plain_tags.readings, unusual_tags.readings, boundary_tags.readings, representations.details):
        for reading in readings(where=shows_tags):
            assert len({*reading.values}) == len(reading.values), reading.answer

    for showing in representations.aside():
        if isinstance(showing.in_list, list):
            assert len({*map(str, showing.in_list)}) == len(showing.in_list), showing


def shows_tags(reading: Reading) -> bool:
    """Whether there are tags to be seen: of none, none is there twice or too long."""
    return bool(reading.values)


# "tags": {"items": {"maxLength": 255, "type": "string"}}
@requirement("TAG-VIS-07")
def test_no_image_shows_a_tag_of_more_than_255_characters(
    boundary_tags: Steps, representations: Representations
) -> None:
    for readings in (boundary_tags.readings, representations.details):
        for reading in readings(where=shows_tags):
            assert [tag for tag in reading.values if len(tag) > LONGEST] == [], reading.answer

    for showing in representations.aside():
        if isinstance(showing.in_list, list):
            assert [tag for tag in showing.in_list if isinstance(tag, str) and len(tag) > LONGEST] == [], showing


# "tag: Filters the list of images by the specified tag."
@requirement("TAG-VIS-03")
def test_the_filter_selects_by_tag(
    fresh_image: FreshImage, read_path_checks: Comparisons, cloudimages_run: Run
) -> None:
    for look in read_path_checks.aside().at(ReadPath.FILTER):
        assert look.shown == look.expected, look

    if cloudimages_run.single:
        pytest.skip("needs a second image: lend another with a further --image ID")
    mark = uuid.uuid4().hex
    ends = ("", "A", " x", "&x=1", "+%2B", ",y", "%", "_", "é", "😀", "'", '"', ":z", "-" * 200, "07")
    tags = [f"{mark}{end}" for end in ends]
    near = ("-longer", "a", "xx", "x", "e", "7", "-" * 199)
    with fresh_image() as tagged, fresh_image() as untagged:
        untagged.begin_with(mark[:-1], mark[1:], f"x{mark}", mark.upper(), "y", *(f"{mark}{end}" for end in near))
        carried = [tag for tag in tags if tagged.add_tag(tag).ok]
        # How tags beyond ASCII are kept is asked by TAG-URI-11.
        shown = tagged.eventual_tags(carried)
        carried = [tag for tag in carried if tag in shown]
        if mark not in carried:
            raise Blocked(f"The image does not carry the tags that were to be looked for: {tags}.")

        for tag in carried:
            assert found(tagged, [tag]) == [tagged.id], f"filtered by {tag!a}"
        tagged.delete_tag(mark)
        if mark not in tagged.read(lambda seen: mark not in seen):
            assert found(tagged, [mark], []) == [], "filtered by a tag that was deleted"


def found(image: Image, tags: list[str], expected: list[str] | None = None) -> list[str]:
    """Give the images that the filter selects, once they are the one image, or as expected."""
    wanted = [image.id] if expected is None else expected

    def look() -> list[str]:
        answer = image.client.list(tag=tags)
        assert answer.status == 200, answer
        images = answer.data.get("images") if isinstance(answer.data, dict) else None
        assert isinstance(images, list), answer
        return sorted(str(one.get("id")) for one in images if isinstance(one, dict))

    return image.eventually(look, wanted.__eq__)


# "tag=A&tag=B"
@requirement("TAG-VIS-04")
def test_filters_by_several_tags_are_combined_with_and(fresh_image: FreshImage, cloudimages_run: Run) -> None:
    if cloudimages_run.single:
        pytest.skip("needs a second image: lend another with a further --image ID")
    one, two, three = (f"{letter}-{uuid.uuid4().hex}" for letter in "abc")
    with fresh_image() as both, fresh_image() as single:
        both.given_tags(one, two, three)
        single.given_tags(one, two)

        assert found(both, [one, three]) == [both.id]
        assert found(both, [three, one]) == [both.id]
        assert found(both, [one, two, three]) == [both.id]


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
def test_a_patch_sets_exactly_the_given_tags(image: Image, read_path_checks: Comparisons) -> None:
    for look in read_path_checks.aside().at(ReadPath.REPLACE):
        assert look.shown == look.expected, look

    image.given_tags("before", "stays")
    image.delete_tag("before")
    for wanted in (["stays", "new"], ["new", "new", "Other", "a b"], ["new", "Other", "a b"], [], ["back", "before"]):
        answer = image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": wanted})

        assert answer.ok, answer
        assert sorted(image.eventual_tags({*wanted})) == sorted({*wanted}), answer

    # Special tags are set exactly, or refused and nothing is changed.
    special = [
        *SPECIAL["beyond ASCII"],
        *SPECIAL["blank or control at the end"],
        "a,b",
        "%41",
        "x+y",
        "z" * LONGEST,
        "q",
    ]
    before = ["back", "before"]
    for wanted in (special, ["v" * (LONGEST + 1)]):
        answer = image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": wanted})
        expected = sorted(wanted if answer.ok else before)

        assert answer.ok or answer.refused, answer
        assert answer.refused or max(map(len, wanted)) <= LONGEST, answer
        assert sorted(image.eventual_tags(expected)) == expected, answer
        before = expected


# undocumented
@requirement("TAG-VIS-09")
def test_what_a_member_sees(
    fresh_image: FreshImage, other_project: ImagesClient, owner_of: Callable[[ImagesClient], str]
) -> None:
    with fresh_image(visibility="shared") as image:
        image.given_tags("seen")
        shared(image, owner_of(other_project))
        answer = image.seen_by(other_project).show()
        shown = answer.data.get("tags") if isinstance(answer.data, dict) else None
        recording.current_check().note(f"GET as a member: {answer.status}, tags {shown!a}.")
