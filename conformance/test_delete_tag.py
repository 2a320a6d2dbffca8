# DELETE /v2/images/{image_id}/tags/{tag}

import uuid

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Image, ImagesClient, prepared
from pytest_cloudimages.histories import Past
from pytest_cloudimages.judging import Histories, lost, surplus

NAMING_OTHERS = [
    ("application/json", b'{"tag": "other", "tags": ["other"]}'),
    ("application/openstack-images-v2.1-json-patch", b'[{"op": "replace", "path": "/tags", "value": []}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other"),
]


# "204 Delete Successful: Delete request succeeded."
@requirement("TAG-DEL-01")
def test_deleting_a_carried_tag_succeeds_with_204(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.deletions(past=[Past.CARRIED], again=False, printable=True):
            if step.tag in step.before:
                assert step.answer.status == 204, step


# "This operation does not return a response body."
@requirement("TAG-DEL-02")
def test_the_answer_to_a_deletion_has_no_body(plain_lives: Histories, image: Image) -> None:
    for step in plain_lives.deletions(acknowledged=True, known=False):
        assert step.answer.body + step.answer.stray == b"", step

    image.establish("bare")
    whole = prepared(image.client.raw("DELETE", f"/images/{image.id}/tags/bare"))
    assert whole.body == b""


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-03")
def test_a_deleted_tag_is_listed_no_more(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.deletions(acknowledged=True, past=[Past.CARRIED], again=False, printable=True):
            if step.tag in step.before:
                assert step.tag not in step.after, step


# "This operation deletes the specified tag from the specified image."
@requirement("TAG-DEL-04")
def test_deleting_a_tag_leaves_the_others(plain_lives: Histories) -> None:
    for step in plain_lives.deletions(acknowledged=True):
        assert not lost(step), step
        assert not surplus(step), step


# "An image tag can only be removed once. Subsequent attempts to remove the
# same tag cause an HTTP 404 error."
@requirement("TAG-DEL-05")
def test_a_second_deletion_is_answered_404(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.deletions(past=[Past.DELETED], printable=True):
            if step.tag not in step.before:
                assert step.answer.status == 404, step


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-06")
def test_deleting_a_tag_that_was_never_there_is_answered_404(image: Image) -> None:
    image.establish("other", "another")
    for absent in ("absent", "othe", "others", "-", "7", "another-" * 20):
        answer = image.delete_tag(absent)

        assert answer.status == 404, answer


# "404 Not Found: Resource not found."
@requirement("TAG-DEL-07")
def test_deleting_a_tag_of_an_unknown_image_is_answered_404(cloudimages_client: ImagesClient) -> None:
    answer = cloudimages_client.delete_tag(str(uuid.uuid4()), "absent")

    assert answer.status == 404, answer


# "The request body is ignored."
@requirement("TAG-DEL-09")
def test_a_body_deletes_no_tag(image: Image) -> None:
    image.establish("other", "stays", *(f"asked-{number}" for number in range(len(NAMING_OTHERS))))
    for number, (media, body) in enumerate(NAMING_OTHERS):
        image.delete_tag(f"asked-{number}", body=body, headers={"Content-Type": media})

        tags = image.read(lambda found: {"other", "stays"} <= {*found})
        assert {one for one in tags if not one.startswith("asked-")} == {"other", "stays"}
        assert {f"asked-{later}" for later in range(number + 1, len(NAMING_OTHERS))} <= {*tags}


# "This operation adds the specified tag …" "This operation deletes the specified tag …"
@requirement("TAG-DEL-11")
def test_a_deleted_tag_can_be_added_and_deleted_again(plain_lives: Histories) -> None:
    for step in plain_lives.additions(past=[Past.DELETED]):
        assert step.answer.status in (204, 201), step
        assert step.tag in step.after, step

    for step in plain_lives.deletions(past=[Past.CARRIED], again=True):
        if step.tag in step.before:
            assert step.answer.status == 204, step
            assert step.tag not in step.after, step


# "Subsequent attempts to remove the same tag cause an HTTP 404 error."
@requirement("TAG-DEL-12")
def test_a_failed_deletion_changes_nothing(plain_lives: Histories, image: Image) -> None:
    for step in plain_lives.deletions(acknowledged=False):
        assert not lost(step, but=()), step
        assert not surplus(step), step

    kept = ["absent", "other"]
    image.establish(*kept)
    for absent in ("absen", "absent-", "oth", "r"):
        if image.delete_tag(absent).refused:
            assert sorted(image.settled(kept)) == kept
