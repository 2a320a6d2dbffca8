# tags as images, lists and schemas show them

from collections import deque

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.discovery.descriptions import declared_in
from pytest_cloudimages.areas.images.states import with_attributes
from pytest_cloudimages.areas.tags.callers import MEMBER_STATES, Change
from pytest_cloudimages.areas.tags.checks import (
    LONGEST,
    OK,
    REFUSED,
    TAGS,
    AccessAttempts,
    Administered,
    Allowed,
    Answer,
    Comparisons,
    Exports,
    Image,
    ImagesClient,
    Reading,
    ReadPath,
    Representations,
    Run,
    Selections,
    Steps,
    expect_listed_to_administrator,
    expect_nothing_else_changed,
    expect_tags,
    or_skip,
    overlong,
    repeated,
    require_ok,
    set_tags,
    set_tags_in_old_form,
    shows_tags,
    sorted_strings,
)
from pytest_cloudimages.areas.tags.corpus import SET_TOGETHER
from pytest_cloudimages.areas.tags.fixtures import *

IN_OTHER_CASE = ["New", "OTHER", "A-b"]
"""Tags that others were set before which differ from them in case alone."""
STRINGS = Allowed("a list of strings", lambda tags: sorted_strings(tags) is not None)


# "tags: Image tags."
@requirement("TAG-VIS-01")
def test_an_image_shows_its_tags_as_a_list_of_strings(
    plain_tags: Steps, sequences: Steps, representations: Representations, exports: Exports
) -> None:
    # Whether an image is shown at all is not the question.
    for readings in (plain_tags.readings, sequences.readings, representations.details):
        for reading in readings(where=lambda reading: reading.answer.status == 200):
            shown = reading.answer.data
            expect(shown.get("tags") if isinstance(shown, dict) else None, STRINGS, "tags of", reading.answer)
    for answer in exports.aside().images():
        shown = answer.document if answer.status == 200 else {"tags": []}
        expect(shown.get("tags"), STRINGS, f"tags of {answer}, which was imported")


# "images.tags: Image tags."
@requirement("TAG-VIS-02")
def test_the_list_shows_the_tags_of_the_image(
    representations: Representations,
    read_path_checks: Comparisons,
    filtered_lists: Selections,
    administered_image: Administered,
) -> None:
    expect_listed_to_administrator(administered_image)

    # Whether what the image itself shows is a list of strings is asked by TAG-VIS-01.
    for state in representations.shown(where=lambda state: state.is_list):
        if state.unlisted and not state.broken:
            # One that is there for as long as it has tags is not left out for another reason.
            if not state.in_image and representations.listed_tagged:
                expect(state.unlisted, "", f"why the list lacks the image, where {state}")
            raise Blocked(state.unlisted)
        expect(state.tags_in_list, {*state.in_image}, f"tags in the list, where {state}")
        if state.in_list_for_reader is not None:
            expect({*state.in_list_for_reader}, {*state.in_image}, f"tags in the list to a reader, where {state}")

    for comparison in read_path_checks.aside().at(ReadPath.LIST):
        expect({*comparison.shown}, {*comparison.expected}, f"tags in {ReadPath.LIST}")
    for selections in (filtered_lists.aside().by(several=several) for several in (False, True)):
        for selection in selections:
            selection.expect_tags()


# "tag: Filters the list of images by the specified tag."
@requirement("TAG-VIS-03")
def test_the_filter_selects_by_tag(filtered_lists: Selections, read_path_checks: Comparisons) -> None:
    for comparison in read_path_checks.aside().at(ReadPath.FILTER):
        comparison.expect()

    filtered_lists.require()
    for selection in filtered_lists.by(several=False):
        selection.expect()


# "tag=A&tag=B"
@requirement("TAG-VIS-04")
def test_filters_by_several_tags_are_combined_with_and(filtered_lists: Selections) -> None:
    filtered_lists.require()
    for selection in filtered_lists.by(several=True):
        # What a list by one tag holds astray is TAG-VIS-03's, whatever else it is filtered by, and in whatever manner.
        if not filtered_lists.astray_with_one(selection):
            selection.expect(besides=filtered_lists.astray(selection))


# "An image can only be tagged once with a specific string."
@requirement("TAG-VIS-05")
def test_no_image_shows_a_tag_twice(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    representations: Representations,
    filtered_lists: Selections,
) -> None:
    for readings in (plain_tags.readings, unusual_tags.readings, boundary_tags.readings, representations.details):
        for reading in readings(where=shows_tags):
            expect(repeated(reading.values or ()), [], "tags shown twice by", reading.answer)

    for state in representations.aside():
        if isinstance(state.in_list, list):
            expect(repeated(map(str, state.in_list)), [], f"tags listed twice, where {state}")
    # Whoever looks, and whoever the image is shared with.
    for answer in filtered_lists.aside().of_images():
        expect(repeated(Reading(answer, TAGS).values or ()), [], f"tags shown twice by {answer}")
    # However a list is filtered, sorted and cut into pages.
    for selections in (filtered_lists.aside().by(several=several) for several in (False, True)):
        for selection in selections:
            for label, shown in selection.listed.tags.items():
                if isinstance(shown, list):
                    expect(repeated(map(str, shown)), [], f"tags listed twice of {label} in {selection!r}")


# "tags": {"items": {"maxLength": 255, "type": "string"}, "type": "array"}
@requirement("TAG-VIS-06")
def test_the_schema_declares_the_tags(cloudimages_client: ImagesClient) -> None:
    answer = cloudimages_client.send("GET", "/schemas/image")
    require_offered(answer, "the schema of images")

    expect(answer.status, 200, f"status of {answer}")
    declared = declared_in(answer, "properties", "tags")
    items = declared_in(answer, "properties", "tags", "items")
    expect(declared.get("type"), "array", "type of the tags in the schema")
    expect(items.get("type"), "string", "type of a tag in the schema")
    expect(items.get("maxLength"), LONGEST, "maxLength of a tag in the schema")


# "tags": {"items": {"maxLength": 255, "type": "string"}}
@requirement("TAG-VIS-07")
def test_no_image_shows_a_tag_of_more_than_255_characters(
    boundary_tags: Steps, representations: Representations
) -> None:
    for readings in (boundary_tags.readings, representations.details):
        for reading in readings(where=shows_tags):
            expect(overlong(reading.values or ()), [], f"tags too long shown by {reading.answer}")

    for state in representations.aside():
        if isinstance(state.in_list, list):
            expect(overlong(state.in_list), [], f"tags too long in the list, where {state}")


# '[{"op": "replace", "path": "/tags", "value": [ … ]}]'
@requirement("TAG-VIS-08")
def test_a_patch_sets_exactly_the_given_tags(
    image: Image, read_path_checks: Comparisons, representations: Representations
) -> None:
    for comparison in read_path_checks.aside().at(ReadPath.REPLACE):
        comparison.expect()
    # Many at once, as many as the service takes.
    for state in representations.aside():
        if state.given is not None:
            expect(sorted(state.in_image), sorted(state.given), f"tags after a PATCH of {len(state.given)}")

    image.given_tags("before", "stays")
    image.delete_tag("before")
    for wanted in (["stays", "new"], ["new", "new", "Other", "a-b"], IN_OTHER_CASE, [], ["back", "before"]):
        answer = set_tags(image, wanted)

        # The vendor's own example; elsewhere, a service may know no more than the tags' addresses.
        if wanted == ["stays", "new"] and answer.refused and image.tags() == ["stays"]:
            pytest.skip(f"needs a PATCH that knows the tags of an image, which was answered {answer.status}")
        # A list need not be taken that names a tag twice.
        expect(answer.status, OK | REFUSED if repeated(wanted) else OK, f"status of {answer}")
        _expect_set(image, answer, wanted if answer.ok else ["stays", "new"])

    # The same PATCH once more is no repetition where something else was done in between.
    require_ok(image.add_tag("between"))
    answer = set_tags(image, wanted)
    expect_tags(image, wanted if answer.ok else [*wanted, "between"], f"after {answer}, the same as before")

    # Special tags are set exactly, or refused and nothing is changed.
    left: list[str] = wanted
    together = [tag for kind in SET_TOGETHER for tag in kind]
    questions = deque([together])
    while questions:
        special = questions.popleft()
        answer = set_tags(image, special)
        left = special if answer.ok else left

        expect(answer.status, OK | REFUSED, f"status of {answer}")
        expect_tags(image, left, f"after {answer}")
        if answer.refused and special is together:
            questions += [[*kind] for kind in SET_TOGETHER]

    # By whatever a service knows: to add an attribute that is there is to replace it (RFC 6902, 4.1).
    answer = image.client.patch(image.id, {"op": "add", "path": "/tags", "value": ["back", "put"]})
    if answer.ok:
        expect_tags(image, ["back", "put"], f"after {answer}")
    answer = set_tags_in_old_form(image, ["back", "of old"])
    if answer.ok:
        expect_tags(image, ["back", "of old"], f"after {answer}")


# '[{"op": "replace", "path": "/name", … }, {"op": "replace", "path": "/tags", … }]'
@requirement("TAG-VIS-08")
def test_a_patch_of_tags_is_about_nothing_else(cloudimages_run: Run) -> None:
    with with_attributes(cloudimages_run) as image:
        before = Reading(image.show(), TAGS)
        answer = set_tags(image, ["alone"])
        if answer.refused:
            pytest.skip(f"needs a PATCH that knows the tags of an image, which was answered {answer.status}")
        expect_tags(image, ["alone"], f"after {require_ok(answer)}")
        expect_nothing_else_changed(before, Reading(image.show(), TAGS), cloudimages_run, f"with {answer}")

        if cloudimages_run.settings.image:
            return  # of an image that was lent nothing but its tags is changed
        # With another change, which a service may refuse to make at once, in either order.
        known = ["alone"]
        for tags, name in ((["first"], f"{image.name}-second"), (["second", "first"], f"{image.name}-first")):
            setting: dict[str, object] = {"op": "replace", "path": "/tags", "value": tags}
            renaming: dict[str, object] = {"op": "replace", "path": "/name", "value": name}
            if tags == ["first"]:
                answer = image.client.patch(image.id, setting, renaming)
            else:
                # "Evaluation continues until all operations are successfully applied": the last list is what is left.
                earlier = [setting | {"value": value} for value in (["passing", "alone"], ["passing too", *known])]
                answer = image.client.patch(image.id, renaming, *earlier, setting)
                if answer.refused:
                    answer = image.client.patch(image.id, renaming, setting)
            if answer.ok:
                known = tags
                expect_tags(image, tags, f"after {answer}")
                shown = image.show().data
                expect(shown.get("name") if isinstance(shown, dict) else None, name, f"name after {answer}")

        # A PATCH that is refused for another of its changes sets no tags either.
        left = image.eventual_tags(known)
        impossible: list[dict[str, object]] = [
            {"op": "replace", "path": "/tags", "value": ["half-done"]},
            {"op": "remove", "path": "/never_set_on_this_image"},
        ]
        answer = image.client.patch(image.id, *impossible)
        if answer.refused:
            expect_tags(image, left, f"after {answer}")


def _expect_set(image: Image, answer: Answer, due: list[str]) -> None:
    """Raise ``Mismatch`` unless an image comes to show the tags that a PATCH has set.

    Who takes those for the same that differ in case alone, wherever they come from, is asked by their addresses.
    (TAG-URI-19)
    """
    __tracebackhide__ = True
    shown = image.eventual_tags(due)
    if due is IN_OTHER_CASE and {*shown} != {*due}:
        image.add_tag(due[0])
        if due[0] not in image.tags():
            return
    expect(shown, {*due}, f"tags after {answer}")


# undocumented
@requirement("TAG-VIS-09")
@pytest.mark.usefixtures("other_project")
def test_what_a_member_sees(access_attempts: AccessAttempts) -> None:
    shown = access_attempts.by(Party.OTHER_PROJECT, states=MEMBER_STATES, changes=[Change.READ])
    for attempt in or_skip(shown, "needs an image that is shared with another project"):
        data = attempt.answer.data
        tags = data.get("tags") if isinstance(data, dict) else None
        note(f"GET as a member: {attempt.answer.status}, tags {tags!a}.")
