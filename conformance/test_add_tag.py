# PUT /v2/images/{image_id}/tags/{tag}

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pytest_cloudimages import evidence, requirement
from pytest_cloudimages.client import Image, ImagesClient, prepared
from pytest_cloudimages.exchanges import Purpose
from pytest_cloudimages.experiments import Control
from pytest_cloudimages.explaining.lengths import limit
from pytest_cloudimages.ground import FreshImage, Ground
from pytest_cloudimages.judging import Histories, lost, surplus
from pytest_cloudimages.plans import Past
from pytest_cloudimages.strategies import BEYOND, LONGEST, UNITS
from pytest_cloudimages.verdicts import Blocked

#: The table of the page, the 404 that it lacks, and what ruling Q-05 lets pass.
DOCUMENTED = (204, 400, 401, 403, 404, 405, 413, 415, 500, 503)

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

    assert answer.ok, answer


# "The request body is ignored."
@requirement("TAG-ADD-09")
def test_a_body_adds_no_tag(sound_image: Image) -> None:
    image = sound_image
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

    assert answer.ok, answer
    assert image.settled([tag]) == [tag]


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-11")
def test_a_tag_of_more_than_255_characters_is_refused_and_not_stored(image: Image) -> None:
    for length in BEYOND:
        answer = image.add_tag("a" * length)

        assert answer.refused, answer
    assert image.settled([]) == []


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-13")
def test_a_tag_of_one_character_is_accepted(image: Image, control: Control) -> None:
    single = ["-", "0", "Z", "_", "x", "~"]
    for tag in single:
        answer = image.add_tag(tag)
        assert answer.ok, answer

    assert not control.adds or sorted(image.settled(single)) == single


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
def test_a_refused_addition_changes_nothing(image: Image, plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.additions(acknowledged=False):
            assert not lost(step), step
            assert not surplus(step), step
            assert step.tag in step.before or step.tag not in step.after, step

    image.establish("stays", "as-well")
    for length in BEYOND:
        answer = image.add_tag("stays" * length)
        if answer.refused:
            assert sorted(image.settled(["as-well", "stays"])) == ["as-well", "stays"]


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-26")
def test_adding_a_tag_changes_no_other_attribute(plain_lives: Histories) -> None:
    for before, after, _ in plain_lives.around_additions():
        assert after.rest == before.rest


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-30")
def test_a_tag_added_by_many_at_once_is_listed_once(
    fresh_image: FreshImage, cloudimages_ground: Ground, control: Control
) -> None:
    control.require_additions()
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
                assert not control.deletes or deleted.ok, deleted
                assert not control.deletes or after == []


# "The request body is ignored."
@requirement("TAG-ADD-08")
@pytest.mark.parametrize(("media", "body"), NAMING_OTHERS, ids=[media for media, _ in NAMING_OTHERS])
def test_a_body_is_ignored(sound_image: Image, media: str, body: bytes) -> None:
    image = sound_image
    for number, chunked in enumerate((False, True)):
        answer = image.add_tag(f"asked-{number}", body=body, headers={"Content-Type": media}, chunked=chunked)

        assert answer.ok, answer


# maxLength 255 in the image schema
@requirement("TAG-ADD-12")
def test_an_overlong_tag_is_answered_400(image: Image) -> None:
    for length in BEYOND:
        answer = image.add_tag("a" * length)
        if answer.status in (413, 414, 422):
            evidence.current().note(f"{length} characters are answered {answer.status}.")

        assert answer.status in (400, 413, 414, 422), answer


# "up to 255 characters in length"
@requirement("TAG-ADD-14")
@pytest.mark.parametrize("unit", [UNITS[2], UNITS[3], UNITS[4]], ids=["2 octets", "3 octets", "4 octets"])
def test_the_limit_counts_characters(sound_image: Image, unit: str) -> None:
    image = sound_image
    answer = image.add_tag(unit * LONGEST)
    assert answer.ok, limit_of(image, unit)
    # Which characters are shown is asked by TAG-URI-11; here it counts that nothing was cut off.
    assert image.read(lambda found: len(found) == 1 and len(found[0]) >= LONGEST), limit_of(image, unit)
    assert image.client.add_tag(image.id, unit * (LONGEST + 1)).refused, limit_of(image, unit)


def limit_of(image: Image, unit: str) -> str:
    """Find by halving how many such characters a tag may have, and name the unit that the limit counts."""
    with image.client.transcript.of(Purpose.EXPLAINING):
        return limit(unit, lambda tag: image.add_tag(tag).ok)


# the image is not there
@requirement("TAG-ADD-16")
def test_adding_a_tag_to_an_unknown_image_is_answered_404(cloudimages_client: ImagesClient) -> None:
    answer = cloudimages_client.add_tag(str(uuid.uuid4()), "stray")

    assert answer.status == 404, answer


# undocumented
@requirement("TAG-ADD-17")
def test_an_image_id_that_is_no_uuid(cloudimages_client: ImagesClient) -> None:
    for identifier in ("no-uuid", "1", "%20", "x" * 300):
        answer = cloudimages_client.send("PUT", f"/images/{identifier}/tags/stray")
        evidence.current().note(f"PUT on the image id {identifier[:8]!r}: {answer.status}.")
        assert answer.status in (400, 404), answer


# the table of response codes, and 404 (ruling Q-01)
@requirement("TAG-ADD-18")
def test_an_addition_is_answered_with_a_documented_code(plain_lives: Histories, unusual_lives: Histories) -> None:
    for lives in (plain_lives, unusual_lives):
        for step in lives.additions(known=False):
            assert step.answer.status in DOCUMENTED, step


# "413 Over Limit"
@requirement("TAG-ADD-19")
def test_an_addition_over_a_limit(cloudimages_ground: Ground) -> None:
    seen = [one for one in cloudimages_ground.transcript.remarkable if one.status == 413 and one.method == "PUT"]
    if not seen:
        pytest.skip("no addition was answered 413; a limit is only tried where the operator states it")
    evidence.current().case(seen[:3])
    evidence.current().note(f"{len(seen)} additions were answered 413.")


# "415 Bad Media Type"
@requirement("TAG-ADD-23")
def test_a_body_of_an_unsuitable_media_type(image: Image) -> None:
    answer = image.add_tag("xml", body=b"<tag>other</tag>", headers={"Content-Type": "text/xml"})
    evidence.current().note(f"PUT with a text/xml body: {answer.status}.")

    assert answer.status in (204, 201, 400, 415), answer


# undocumented
@requirement("TAG-ADD-24")
def test_a_media_type_without_a_body(image: Image) -> None:
    answer = image.add_tag("xml", headers={"Content-Type": "text/xml"})
    evidence.current().note(f"PUT with Content-Type text/xml and no body: {answer.status}.")


# "If the target resource does not have a current representation and the PUT
# successfully creates one, then the origin server MUST … 201 (Created)"
@requirement("TAG-ADD-25")
def test_the_code_of_a_first_addition(image: Image) -> None:
    answer = image.add_tag("first")
    evidence.current().note(f"the first PUT of a tag: {answer.status}.")


# undocumented
@requirement("TAG-ADD-27")
def test_updated_at_after_an_addition(image: Image) -> None:
    moments = [image.show().data.get("updated_at")]
    for _ in range(2):
        image.add_tag("moved")
        moments.append(image.show().data.get("updated_at"))
    evidence.current().note(
        f"updated_at before, after an addition and after its repetition: {', '.join(map(str, moments))}."
    )


# undocumented
@requirement("TAG-ADD-28")
def test_how_soon_an_added_tag_is_seen(plain_lives: Histories, cloudimages_ground: Ground) -> None:
    count = sum(1 for _ in plain_lives.additions(acknowledged=True))
    lag = cloudimages_ground.transcript.lag
    evidence.current().note(f"longest time until one of {count} changes was seen: {lag:.2f} s.")


# "adds the specified tag", "204 Success"
@requirement("TAG-ADD-29")
def test_tags_added_by_many_at_once_all_survive(
    fresh_image: FreshImage, cloudimages_ground: Ground, control: Control
) -> None:
    control.require_additions()
    effort = cloudimages_ground.options.effort
    acknowledged, survived = 0, 0
    together = Barrier(effort.clients)

    def add(image: Image, client: int) -> list[str]:
        together.wait()
        return [tag for tag in (f"client-{client}-{number}" for number in range(4)) if image.add_tag(tag).ok]

    with ThreadPoolExecutor(effort.clients) as clients:
        for _ in range(effort.races):
            with fresh_image() as image:
                added = {
                    tag for tags in clients.map(add, [image] * effort.clients, range(effort.clients)) for tag in tags
                }
                found = image.read(lambda tags, added=added: added <= {*tags})  # type: ignore[misc]
            acknowledged += len(added)
            survived += len(added.intersection(found))

    assert survived == acknowledged, (
        f"{acknowledged - survived} of {acknowledged} acknowledged additions lost, {effort.clients} clients"
    )


# protection is against the deletion of the image
@requirement("TAG-ADD-31")
def test_a_protected_image_can_be_tagged(fresh_image: FreshImage, control: Control) -> None:
    control.require_additions()
    with fresh_image(protected=True) as image:
        answer = image.add_tag("kept")

        assert answer.ok, answer
        assert image.settled(["kept"]) == ["kept"]


# "deactivated … setting metadata works"
@requirement("TAG-ADD-32")
def test_a_deactivated_image_can_be_tagged(
    fresh_image: FreshImage, administrator: ImagesClient, control: Control
) -> None:
    control.require_additions()
    with fresh_image() as image:
        data = image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"})
        if not data.ok or not image.seen_by(administrator).send("POST", "/actions/deactivate").ok:
            raise Blocked("No image could be deactivated.")

        assert image.add_tag("quiet").ok
        assert image.settled(["quiet"]) == ["quiet"]
        if control.deletes:
            assert image.delete_tag("quiet").ok
            assert image.settled([]) == []


# undocumented
@requirement("TAG-ADD-33")
def test_the_order_of_the_tags(image: Image) -> None:
    added = ["c", "a", "d", "b"]
    image.establish(*added)
    shown = [tuple(image.tags()) for _ in range(3)]
    order = {tuple(added): "the order of addition", tuple(sorted(added)): "the order of the alphabet"}
    kind = order.get(shown[0], "no evident order") if len({*shown}) == 1 else "an order that changes"
    evidence.current().note(f"tags are shown in {kind}.")


# "Image tags … can also be changed by PATCH"
@requirement("TAG-ADD-34")
def test_tags_of_a_patch_and_of_this_operation_are_one_list(image: Image, control: Control) -> None:
    control.require_additions()
    prepared(image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": ["patched", "both"]}))
    if sorted(image.settled(["both", "patched"])) != ["both", "patched"]:
        raise Blocked("PATCH does not set the tags.")
    prepared(image.add_tag("put"))
    if control.repeats:
        prepared(image.add_tag("both"))

    assert sorted(image.settled(["both", "patched", "put"])) == ["both", "patched", "put"]
