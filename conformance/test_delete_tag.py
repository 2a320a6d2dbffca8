# DELETE /v2/images/{image_id}/tags/{tag}

import uuid
from itertools import chain

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.measurement import ConcurrentRuns
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.oracles import others_added, others_removed
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.spec.interpretations import Interpretations
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

DOCUMENTED = (204, 400, 401, 403, 404, 405, 413, 500, 503)
DOCUMENTED_BY_GLANCE = (204, 400, 401, 403, 404)

NAMING_OTHERS = [
    ("application/json", b'{"tag": "other", "tags": ["other"], "name": "other", "value": "other", "id": "other"}'),
    ("application/openstack-images-v2.1-json-patch", b'[{"op": "replace", "path": "/tags", "value": []}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other"),
]


# "204 Delete Successful: Delete request succeeded."
@requirement("TAG-DEL-01")
def test_deleting_a_carried_tag_succeeds_with_204(
    plain_tags: Steps, unusual_tags: Steps, boundary_tags: Steps, every_length: Steps, image_states: Steps
) -> None:
    for lives in (plain_tags, unusual_tags, boundary_tags, every_length, image_states):
        for step in lives.deletions(past=[Prior.PRESENT], again=False, printable=True):
            if step.tag in step.before:
                assert step.answer.status == 204, step


# "This operation does not return a response body."
@requirement("TAG-DEL-02")
def test_the_answer_to_a_deletion_has_no_body(plain_tags: Steps, image: Image) -> None:
    for step in plain_tags.deletions(acknowledged=True, known=False):
        assert step.answer.body + step.answer.stray == b"", step

    if not image.client.transport.proxied:
        image.given_tags("bare")
        assert require_ok(image.client.raw("DELETE", f"/images/{image.id}/tags/bare")).body == b""


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-03")
def test_a_deleted_tag_is_listed_no_more(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    every_length: Steps,
    image_states: Steps,
    representations: Representations,
) -> None:
    for showing in representations.aside():
        assert showing.in_image_for_reader is None or {*showing.in_image_for_reader} <= {*showing.in_image}, showing
    for lives in (plain_tags, unusual_tags, boundary_tags, every_length, image_states):
        for step in lives.deletions(acknowledged=True, past=[Prior.PRESENT], again=False, printable=True):
            if step.tag in step.before:
                assert step.tag not in step.after, step


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-04")
def test_deleting_a_tag_leaves_the_others(plain_tags: Steps, boundary_tags: Steps) -> None:
    # At the edges, what is not listed as it was added may be taken for what is: another question.
    listed = boundary_tags.deletions(acknowledged=True, where=lambda step: step.tag in (step.before or ()))
    for step in chain(plain_tags.deletions(acknowledged=True), listed):
        assert not others_removed(step), step
        assert not others_added(step), step


# "An image tag can only be removed once. Subsequent attempts to remove the
# same tag cause an HTTP 404 error."
@requirement("TAG-DEL-05")
def test_a_second_deletion_is_answered_404(plain_tags: Steps, unusual_tags: Steps) -> None:
    for lives in (plain_tags, unusual_tags):
        for step in lives.deletions(past=[Prior.DELETED]):
            if step.tag not in step.before:
                assert step.answer.status == 404, step


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-06")
def test_deleting_a_tag_that_was_never_there_is_answered_404(absent_tags: Steps) -> None:
    for step in absent_tags.deletions(sorts=["absent"]):
        assert step.answer.status == 404, step
    # What the service would refuse to add, it may refuse to delete as well.
    for step in absent_tags.aside().deletions(sorts=["absent and special"]):
        # Of a tag that is too long, the beginning is there, if it is kept whole.
        assert step.answer.refused or (len(step.tag) > LONGEST and step.tag[:LONGEST] not in step.before), step


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-07")
def test_deleting_a_tag_of_an_unknown_image_is_answered_404(cloudimages_client: ImagesClient, gone_image: str) -> None:
    for unknown in (str(uuid.uuid4()), gone_image):
        answer = cloudimages_client.delete_tag(unknown, "absent")

        assert answer.status == 404, answer


# "The request body is ignored."
@requirement("TAG-DEL-09")
def test_a_body_deletes_no_tag(image: Image, basics: Basics) -> None:
    basics.require_deletions()
    asked = [f"asked-{number}" for number in range(len(NAMING_OTHERS))]
    image.given_tags("other", "stays", *asked)
    for tag, (media, body) in zip(asked, NAMING_OTHERS, strict=True):
        image.delete_tag(tag, body=body, headers={"Content-Type": media})

    tags = image.read(lambda found: {"other", "stays"} <= {*found})
    assert {*tags} - {*asked} == {"other", "stays"}


# "This operation adds the specified tag …" "This operation deletes the specified tag …"
@requirement("TAG-DEL-11")
def test_a_deleted_tag_can_be_added_and_deleted_again(plain_tags: Steps) -> None:
    for step in plain_tags.additions(past=[Prior.DELETED]):
        assert step.answer.ok, step
        assert step.tag in step.after, step

    for step in plain_tags.deletions(past=[Prior.PRESENT], again=True):
        if step.tag in step.before:
            assert step.answer.ok, step
            assert step.tag not in step.after, step


# "Subsequent attempts to remove the same tag cause an HTTP 404 error."
@requirement("TAG-DEL-12")
def test_a_failed_deletion_changes_nothing(plain_tags: Steps, absent_tags: Steps) -> None:
    for lives in (plain_tags, absent_tags):
        # Where there is no tag, none can be seen to stay; yet none may come.
        none = lives.aside().deletions(acknowledged=False, where=lambda step: not step.before)
        for step in chain(lives.deletions(acknowledged=False, where=lambda step: bool(step.before)), none):
            assert not others_removed(step, but=()), step
            assert not others_added(step, but=()), step


# "The request body is ignored."
@requirement("TAG-DEL-08")
def test_a_body_is_ignored(image: Image, basics: Basics, specification: str) -> None:
    basics.require_deletions()
    image.given_tags(*(f"{form}-{number}" for number in range(len(NAMING_OTHERS)) for form in ("whole", "chunked")))
    for number, (media, body) in enumerate(NAMING_OTHERS):
        for form, chunked in (("whole", False), ("chunked", True)):
            answer = image.delete_tag(f"{form}-{number}", body=body, headers={"Content-Type": media}, chunked=chunked)

            readings = Interpretations(specification, cloud_images=answer.ok, glance=answer.status == 400)
            assert readings.met, f"{answer} {readings}"


# the table of response codes
@requirement("TAG-DEL-10")
def test_a_deletion_is_answered_with_a_documented_code(
    plain_tags: Steps, unusual_tags: Steps, absent_tags: Steps, specification: str
) -> None:
    for lives in (plain_tags, unusual_tags, absent_tags):
        # What a tag that is too long is answered is not defined (TAG-DEL-13).
        for step in lives.deletions(known=False, where=lambda step: len(step.tag) <= LONGEST):
            status = step.answer.status
            readings = Interpretations(specification, status in DOCUMENTED, status in DOCUMENTED_BY_GLANCE)
            assert readings.met, f"{step} {readings}"


# undocumented
@requirement("TAG-DEL-13")
def test_deleting_an_overlong_tag(image: Image) -> None:
    for length in (256, 257, 1000):
        answer = image.delete_tag("x" * length)
        recording.current_check().note(f"DELETE of {length} characters: {answer.status}.")
        assert answer.status in (400, 404), answer


# "413 Over Limit"
@requirement("TAG-DEL-14")
def test_a_deletion_over_a_limit(cloudimages_run: Run) -> None:
    seen = [one for one in cloudimages_run.recorder.remarkable if one.status == 413 and one.method == "DELETE"]
    if not seen:
        pytest.skip("no deletion was answered 413, and none can be made to be")
    recording.current_check().case(seen[:3])
    recording.current_check().note(f"{len(seen)} deletions were answered 413 and repeated.")


# tags are one list, whoever wrote them
@requirement("TAG-DEL-15")
def test_tags_set_otherwise_can_be_deleted(fresh_image: FreshImage, basics: Basics) -> None:
    basics.require_deletions()
    with fresh_image(tags=["created", "also-created"]) as image:
        if sorted(image.tags()) != ["also-created", "created"]:
            raise Blocked("An image cannot be created with tags.")
        answer = image.delete_tag("created")
        assert answer.ok, answer
        assert "created" not in image.eventual_tags(["also-created"])

        require_ok(image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": ["patched", "kept"]}))
        answer = image.delete_tag("patched")
        assert answer.ok, answer
        assert "patched" not in image.eventual_tags(["kept"])


# undocumented
@requirement("TAG-DEL-16")
def test_a_stranger_deleting_an_absent_tag(image: Image, reader: ImagesClient) -> None:
    answer = image.seen_by(reader).delete_tag("absent")
    recording.current_check().note(f"DELETE of an absent tag by a reader: {answer.status}.")
    assert answer.status in (403, 404), answer


# undocumented
@requirement("TAG-DEL-17")
def test_a_tag_deleted_by_many_at_once(races: ConcurrentRuns) -> None:
    for run in races.of(Pattern.DELETING):
        deletions = run.asked(Kind.DELETE, 1)
        statuses = sorted(one.event.status for one in deletions)
        recording.current_check().note(f"{run.plan.clients} deletions at once: {statuses.count(204)} answered 204.")
        assert 204 in statuses
        assert {*statuses} <= {204, 404}
        assert deletions[0].event.value not in (run.quiescent[1][0] or ())


# "tags: Image tags." is always there
@requirement("TAG-DEL-18")
def test_deleting_the_last_tag_leaves_an_empty_list(image: Image) -> None:
    image.given_tags("last")
    require_ok(image.delete_tag("last"))

    def tags() -> object:
        data = image.show().data
        return data.get("tags") if isinstance(data, dict) else None

    # A change may be seen a little late; what is seen then has to be a list.
    shown = tags()
    if shown == ["last"]:
        image.eventual_tags([])
        shown = tags()
    assert shown == []


# protection is against the deletion of the image
@requirement("TAG-DEL-19")
def test_a_tag_of_a_protected_image_can_be_deleted(fresh_image: FreshImage, basics: Basics) -> None:
    basics.require_deletions()
    with fresh_image(protected=True) as image:
        image.given_tags("kept", "gone")

        answer = image.delete_tag("gone")

        assert answer.ok, answer
        assert image.eventual_tags(["kept"]) == ["kept"]
