# PUT /v2/images/{image_id}/tags/{tag}

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.corpus import UNITS
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.areas.tags.races import Pattern
from pytest_cloudimages.areas.tags.read_paths import Comparisons, ReadPath
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import AtALimit
from pytest_cloudimages.areas.tags.workloads import inconsistent_without_patch
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.diagnosis.length_limits import limit
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.concurrent import Completed, ConcurrentRun
from pytest_cloudimages.engine.measurement import ConcurrentRuns, Measurement
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.oracles import others_added, others_removed
from pytest_cloudimages.history.steps import Prior, Reading, Step
from pytest_cloudimages.spec.interpretations import Interpretations
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

#: The table of the page, and the 404 that it lacks (ruling Q-01).
DOCUMENTED = (204, 400, 401, 403, 404, 405, 413, 415, 500, 503)
DOCUMENTED_BY_GLANCE = (204, 400, 401, 403, 404, 413)

NAMING_OTHERS = [
    (
        "application/json",
        b'{"tag": "other", "tags": ["other", "third"], "name": "other", "value": "other", "image_tag": "other"}',
    ),
    ("application/openstack-images-v2.1-json-patch", b'[{"op": "add", "path": "/tags", "value": ["other", "third"]}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other&tags=third"),
]
#: Asked about what they bring only, and not about whether they are let pass.
NAMING_OTHERS_STILL = [
    ("application/xml", b"<tag>other</tag>"),
    ("application/json", b'"other"'),
    ("application/json", b'["other", "third"]'),
    ("", b'{"tag": "other"}'),
    ("application/json", b'{"tag": "other", "rest": "' + b"x" * 2000 + b'"}'),
]


# "204 Success: Request succeeded."
@requirement("TAG-ADD-01")
def test_adding_a_tag_succeeds_with_204(plain_tags: Steps, image_states: Steps) -> None:
    for step in chain(plain_tags.additions(past=[Prior.NEVER]), image_states.additions(past=[Prior.NEVER])):
        # 201 is undocumented, yet what HTTP asks of a PUT that creates. (Ruling Q-05.)
        assert step.answer.status in (204, 201), step


# "This operation does not return a response body."
@requirement("TAG-ADD-02")
def test_the_answer_to_an_addition_has_no_body(plain_tags: Steps, image: Image) -> None:
    for step in plain_tags.additions(acknowledged=True, known=False):
        assert step.answer.body + step.answer.stray == b"", step

    # On a connection of its own, whatever else is sent must be seen; a proxy would have one of its own.
    if not image.client.transport.proxied:
        assert require_ok(image.client.raw("PUT", f"/images/{image.id}/tags/bare")).body == b""


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-03")
def test_an_added_tag_is_listed(plain_tags: Steps, image_states: Steps, representations: Representations) -> None:
    for lives in (plain_tags, image_states):
        for step in lives.additions(acknowledged=True, past=[Prior.NEVER]):
            assert step.tag in step.after, step

    # Whoever else may see the image sees it too.
    for showing in representations.aside():
        assert showing.in_image_for_reader is None or {*showing.in_image} <= {*showing.in_image_for_reader}, showing


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-04")
def test_adding_a_tag_leaves_the_others(plain_tags: Steps, boundary_tags: Steps) -> None:
    for lives in (plain_tags, boundary_tags):
        # Where there is no other tag, none can be seen to stay; yet none may come.
        alone = lives.aside().additions(acknowledged=True, where=lambda step: not among_others(step))
        for step in chain(lives.additions(acknowledged=True, where=among_others), alone):
            assert not others_removed(step), step
            assert not others_added(step), step


def among_others(step: Step) -> bool:
    return bool({*(step.before or ())} - {step.tag})


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-05")
def test_a_tag_added_again_is_listed_once(plain_tags: Steps, unusual_tags: Steps, boundary_tags: Steps) -> None:
    for lives in (plain_tags, unusual_tags, boundary_tags):
        for step in lives.additions(past=[Prior.PRESENT], printable=True):
            if step.tag in step.before:
                assert step.after.count(step.tag) == 1, step


# "An image can only be tagged once with a specific string. Multiple attempts …"
@requirement("TAG-ADD-06")
def test_adding_a_tag_again_is_answered_204_again(plain_tags: Steps, unusual_tags: Steps, boundary_tags: Steps) -> None:
    for lives in (plain_tags, unusual_tags, boundary_tags):
        for step in lives.additions(past=[Prior.PRESENT], printable=True):
            if step.tag in step.before:
                assert step.answer.status == 204, step


# "This operation does not accept a request body."
@requirement("TAG-ADD-07")
def test_a_request_without_a_body_is_accepted(image: Image) -> None:
    for tag, length in (("with-content-length-0", True), ("without-content-length", False)):
        answer = image.add_tag(tag, length=length)

        assert answer.ok, answer


# "The request body is ignored."
@requirement("TAG-ADD-09")
def test_a_body_adds_no_tag(working_image: Image, basics: Basics) -> None:
    working_image.given_tags("stays")
    bodies = NAMING_OTHERS + NAMING_OTHERS_STILL
    for number, (media, body) in enumerate(bodies):
        headers = {"Content-Type": media} if media else {}
        # Few tags, again and again: how many an image can carry is another question, as is what a repetition does.
        tag = f"asked-{number % 3 if basics.repeats else number}"
        working_image.add_tag(tag, body=body, headers=headers, chunked=number % 2 == 1)
    # What a body leaves on the connection must not reach the next request.
    working_image.add_tag("asked-after")

    asked = {f"asked-{number}" for number in range(len(bodies))} | {"asked-after"}
    tags = working_image.read(lambda found: {"stays", "asked-after"} <= {*found})
    assert {*tags} - asked == {"stays"}


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-10")
def test_a_tag_of_255_characters_is_stored_whole(boundary_tags: Steps) -> None:
    longest = boundary_tags.additions(
        sorts=["boundary"], past=[Prior.NEVER], where=lambda step: len(step.tag) == LONGEST
    )
    for step in longest:
        assert step.answer.ok, step
        assert step.after.count(step.tag) == 1, step


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-11")
def test_a_tag_of_more_than_255_characters_is_refused_and_not_stored(boundary_tags: Steps) -> None:
    for step in boundary_tags.additions(sorts=["past the limit"], where=unaltered):
        assert step.answer.refused, step
        assert not others_added(step, but=()), step


def unaltered(step: Step) -> bool:
    """Whether no tag was stored with fewer blanks at its end: what is altered is asked by TAG-HIST-04."""
    come = {*step.after} - {*step.before, step.tag}
    return not (step.tag.endswith(" ") and step.tag.rstrip() in {one.rstrip() for one in come})


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-13")
def test_a_tag_of_one_character_is_accepted(boundary_tags: Steps, basics: Basics) -> None:
    for step in boundary_tags.additions(sorts=["one character"], past=[Prior.NEVER]):
        assert step.answer.ok, step
        assert not basics.adds or step.tag in step.after, step


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-15")
def test_adding_a_tag_to_an_unknown_image_fails_and_creates_none(
    cloudimages_client: ImagesClient, gone_image: str
) -> None:
    for unknown in (str(uuid.uuid4()), gone_image):
        answer = cloudimages_client.add_tag(unknown, "stray")
        shown = cloudimages_client.show(unknown)

        assert answer.refused, answer
        assert shown.status in (404, 410), shown


# "400 Error: A general error has occurred." and the codes that follow it
@requirement("TAG-ADD-22")
def test_a_refused_addition_changes_nothing(
    boundary_tags: Steps, plain_tags: Steps, unusual_tags: Steps, image_at_tag_limit: Steps
) -> None:
    for lives in (boundary_tags, plain_tags, unusual_tags, image_at_tag_limit):
        for step in lives.additions(acknowledged=False):
            assert not others_removed(step, but=()), step
            assert not others_added(step, but=()), step


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-26")
def test_adding_a_tag_changes_no_other_attribute(plain_tags: Steps, fresh_image: FreshImage) -> None:
    for before, after, steps in plain_tags.around_additions():
        changed = differing(before, after)
        # Some attributes move by themselves: a counter of views, an address that expires.
        assert not changed or changed <= restless(fresh_image), f"{', '.join(sorted(changed))} changed with {steps[-1]}"


def differing(before: Reading, after: Reading) -> set[str]:
    one, other = before.rest or {}, after.rest or {}
    return {name for name in {*one, *other} if name not in one or name not in other or one[name] != other[name]}


def restless(fresh_image: FreshImage) -> set[str]:
    """Give the attributes that change while nothing is done to the image; a clock of seconds is given time."""
    with fresh_image() as image:
        before = Reading(image.show(), TAGS)
        time.sleep(1.1)
        return differing(before, Reading(image.show(), TAGS))


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-30")
def test_a_tag_added_by_many_at_once_is_listed_once(races: ConcurrentRuns) -> None:
    shown = races.measured([Pattern.SAME], not_once)

    assert shown.sound, shown.violations[0][1]
    shown.raise_if_blocked()


def not_once(run: ConcurrentRun) -> Iterator[str]:
    """Say where a tag that many added at once is not there once, or cannot be taken off again."""
    for beat, tags in enumerate(run.quiescent):
        added, deleted = run.acknowledged(Kind.ADD, beat), run.asked(Kind.DELETE, beat)
        if added and tags[0] is not None and len(tags[0]) != 1:
            yield f"{len(added)} of {run.plan.clients} additions at once acknowledged: the tags are {[*tags[0]]!a}"
        for one in deleted:
            if run.acknowledged(Kind.ADD, beat - 1):
                if one.event.status != 204:
                    yield f"added by {run.plan.clients} clients at once: {one.exchange}"
                if tags[0]:
                    yield f"added by {run.plan.clients} clients at once, deleted, and listed: {[*tags[0]]!a}"


# "The request body is ignored."
@requirement("TAG-ADD-08")
def test_a_body_is_ignored(working_image: Image, specification: str) -> None:
    for number, (media, body) in enumerate(NAMING_OTHERS):
        for form, chunked in (("whole", False), ("chunked", True)):
            answer = working_image.add_tag(
                f"{form}-{number}", body=body, headers={"Content-Type": media}, chunked=chunked
            )

            readings = Interpretations(specification, cloud_images=answer.ok, glance=answer.status == 400)
            assert readings.met, f"{answer} {readings}"


# maxLength 255 in the image schema
@requirement("TAG-ADD-12")
def test_an_overlong_tag_is_answered_400(boundary_tags: Steps) -> None:
    for step in boundary_tags.additions(sorts=["past the limit"], where=unaltered):
        if step.answer.status in (413, 414, 422):
            recording.current_check().note(f"{len(step.tag)} characters are answered {step.answer.status}.")

        assert step.answer.status in (400, 413, 414, 422), step


# "up to 255 characters in length"
@requirement("TAG-ADD-14")
@pytest.mark.parametrize("unit", [UNITS[2], UNITS[3], UNITS[4]], ids=["2 octets", "3 octets", "4 octets"])
def test_the_limit_counts_characters(working_image: Image, unit: str) -> None:
    image = working_image
    answer = image.add_tag(unit * LONGEST)
    assert answer.ok, limit_of(image, unit)
    # Which characters are shown is asked by TAG-URI-11; here it counts that nothing was cut off.
    assert image.read(lambda found: len(found) == 1 and len(found[0]) >= LONGEST), limit_of(image, unit)
    assert image.client.add_tag(image.id, unit * (LONGEST + 1)).refused, limit_of(image, unit)


# "up to 255 characters in length": a letter and its accent are two
@requirement("TAG-ADD-14")
def test_the_limit_counts_no_letter_with_its_accents_as_one(boundary_tags: Steps) -> None:
    for step in boundary_tags.additions(sorts=["past the limit, composing"]):
        # What a service stores in another form is asked by TAG-HIST-04.
        assert step.answer.refused or step.tag not in step.after, step


def limit_of(image: Image, unit: str) -> str:
    """Find by halving how many such characters a tag may have, and name the unit that the limit counts."""
    with image.client.recorder.of(Purpose.EXPLAINING):
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
        recording.current_check().note(f"PUT on the image id {identifier[:8]!r}: {answer.status}.")
        assert answer.status in (400, 404), answer


# the table of response codes, and 404 (ruling Q-01)
@requirement("TAG-ADD-18")
def test_an_addition_is_answered_with_a_documented_code(
    plain_tags: Steps, unusual_tags: Steps, specification: str
) -> None:
    for lives in (plain_tags, unusual_tags):
        for step in lives.additions(known=False):
            status = step.answer.status
            readings = Interpretations(specification, status in DOCUMENTED, status in DOCUMENTED_BY_GLANCE)
            assert readings.met, f"{step} {readings}"


# "413 Over Limit"
@requirement("TAG-ADD-19")
def test_an_addition_over_a_limit(cloudimages_run: Run) -> None:
    seen = [one for one in cloudimages_run.recorder.remarkable if one.status == 413 and one.method == "PUT"]
    if not seen:
        pytest.skip("no addition was answered 413; state the operator's limit with --tag-limit N to have it tried")
    recording.current_check().case(seen[:3])
    recording.current_check().note(f"{len(seen)} additions were answered 413.")


def stated(run: Run) -> int:
    if not run.settings.tag_limit:
        pytest.skip("needs the limit that the operator sets: state it with --tag-limit N")
    return run.settings.tag_limit


# image_tag_quota: the tags that an image may carry
@requirement("TAG-ADD-20")
def test_the_limit_of_tags_is_enforced_with_413(image_at_tag_limit: Steps, cloudimages_run: Run) -> None:
    limit = stated(cloudimages_run)
    for step in image_at_tag_limit.aside().additions(sorts=[AtALimit.UP_TO_IT]):
        assert step.answer.ok, step
        assert step.tag in step.after, step
    for step in image_at_tag_limit.additions(
        sorts=[AtALimit.PAST_IT], where=lambda step: len(step.before or ()) >= limit
    ):
        assert step.answer.status == 413, step
        assert step.tag not in step.after, step
    # A refused addition does not count, and a deletion makes room.
    for step in image_at_tag_limit.aside().additions(sorts=[AtALimit.IN_THE_ROOM]):
        assert step.answer.ok, step
        assert step.tag in step.after, step


# QuotaImageTagsProxy.add: a tag that is there adds nothing
@requirement("TAG-ADD-21")
def test_at_the_limit_a_carried_tag_can_be_added_again(image_at_tag_limit: Steps, cloudimages_run: Run) -> None:
    stated(cloudimages_run)
    for step in image_at_tag_limit.additions(sorts=[AtALimit.AGAIN], past=[Prior.PRESENT]):
        assert step.answer.ok, step
        assert sorted(step.after) == sorted(step.before), step


# "415 Bad Media Type"
@requirement("TAG-ADD-23")
def test_a_body_of_an_unsuitable_media_type(image: Image) -> None:
    answer = image.add_tag("xml", body=b"<tag>other</tag>", headers={"Content-Type": "text/xml"})
    recording.current_check().note(f"PUT with a text/xml body: {answer.status}.")

    assert answer.status in (204, 201, 400, 415), answer


# undocumented
@requirement("TAG-ADD-24")
def test_a_media_type_without_a_body(image: Image) -> None:
    answer = image.add_tag("xml", headers={"Content-Type": "text/xml"})
    recording.current_check().note(f"PUT with Content-Type text/xml and no body: {answer.status}.")


# "If the target resource does not have a current representation and the PUT
# successfully creates one, then the origin server MUST … 201 (Created)"
@requirement("TAG-ADD-25")
def test_the_code_of_a_first_addition(image: Image) -> None:
    answer = image.add_tag("first")
    recording.current_check().note(f"the first PUT of a tag: {answer.status}.")


# undocumented
@requirement("TAG-ADD-27")
def test_updated_at_after_an_addition(image: Image) -> None:
    moments = [image.show().data.get("updated_at")]
    for _ in range(2):
        image.add_tag("moved")
        moments.append(image.show().data.get("updated_at"))
    recording.current_check().note(
        f"updated_at before, after an addition and after its repetition: {', '.join(map(str, moments))}."
    )


# undocumented
@requirement("TAG-ADD-28")
def test_how_soon_an_added_tag_is_seen(plain_tags: Steps, cloudimages_run: Run) -> None:
    count = sum(1 for _ in plain_tags.additions(acknowledged=True))
    lag = cloudimages_run.recorder.lag
    recording.current_check().note(f"longest time until one of {count} changes was seen: {lag:.2f} s.")


# "adds the specified tag", "204 Success"
@requirement("TAG-ADD-29")
def test_tags_added_by_many_at_once_all_survive(races: ConcurrentRuns) -> None:
    shown = races.measured([Pattern.DISTINCT], not_there)

    assert shown.sound, rate(shown)
    shown.raise_if_blocked()


def not_there(run: ConcurrentRun) -> list[Completed]:
    """Give the acknowledged additions whose tags are not there when all is quiet."""
    added = run.acknowledged(Kind.ADD, 0)
    return [
        one for one in added if (tags := run.quiescent[0][one.event.image]) is not None and one.event.value not in tags
    ]


def rate(shown: Measurement[Completed]) -> str:
    added: Counter[int] = Counter()
    for run in shown.runs:
        added[run.plan.clients] += len(run.acknowledged(Kind.ADD, 0))
    others_removed = Counter(run.plan.clients for run, _ in shown.violations)
    counts = ", ".join(
        f"{others_removed[clients]} of {added[clients]} with {clients} clients" for clients in sorted(added)
    )
    return f"{others_removed.total()} of {added.total()} acknowledged additions lost: {counts}"


# protection is against the deletion of the image
@requirement("TAG-ADD-31")
def test_a_protected_image_can_be_tagged(fresh_image: FreshImage, basics: Basics) -> None:
    basics.require_additions()
    with fresh_image(protected=True) as image:
        answer = image.add_tag("kept")

        assert answer.ok, answer
        assert image.eventual_tags(["kept"]) == ["kept"]


# "deactivated … setting metadata works"
@requirement("TAG-ADD-32")
def test_a_deactivated_image_can_be_tagged(
    fresh_image: FreshImage, administrator: ImagesClient, basics: Basics
) -> None:
    basics.require_additions()
    with fresh_image(own=True) as image:
        data = image.send("PUT", "/file", body=b"x" * 64, headers={"Content-Type": "application/octet-stream"})
        if not data.ok or not image.seen_by(administrator).send("POST", "/actions/deactivate").ok:
            raise Blocked("No image could be deactivated.")

        assert image.add_tag("quiet").ok
        assert image.eventual_tags(["quiet"]) == ["quiet"]
        if basics.deletes:
            assert image.delete_tag("quiet").ok
            assert image.eventual_tags([]) == []


# undocumented
@requirement("TAG-ADD-33")
def test_the_order_of_the_tags(image: Image) -> None:
    added = ["c", "a", "d", "b"]
    image.given_tags(*added)
    shown = [tuple(image.tags()) for _ in range(3)]
    order = {tuple(added): "the order of addition", tuple(sorted(added)): "the order of the alphabet"}
    kind = order.get(shown[0], "no evident order") if len({*shown}) == 1 else "an order that changes"
    recording.current_check().note(f"tags are shown in {kind}.")


# "Image tags … can also be changed by PATCH"
@requirement("TAG-ADD-34")
def test_tags_of_a_patch_and_of_this_operation_are_one_list(
    image: Image,
    fresh_image: FreshImage,
    cloudimages_run: Run,
    basics: Basics,
    sequences: Steps,
    read_path_checks: Comparisons,
) -> None:
    basics.require_additions()
    astray = False
    if basics.deletes:
        for look in read_path_checks.aside().at(ReadPath.READ):
            # Where tags go astray without any PATCH, what they do with one says nothing of it.
            astray = astray or (
                look.shown != look.expected and not sequences.sound and inconsistent_without_patch(cloudimages_run)
            )
            assert look.shown == look.expected or astray, look

    require_ok(image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": ["patched", "both"]}))
    if sorted(image.eventual_tags(["both", "patched"])) != ["both", "patched"]:
        raise Blocked("PATCH does not set the tags.")
    require_ok(image.add_tag("put"))
    if basics.repeats:
        require_ok(image.add_tag("both"))
    assert sorted(image.eventual_tags(["both", "patched", "put"])) == ["both", "patched", "put"]

    if basics.repeats and not cloudimages_run.settings.image:
        with fresh_image(tags=["created", "also-created"]) as other:
            require_ok(other.add_tag("created"))
            assert sorted(other.eventual_tags(["also-created", "created"])) == ["also-created", "created"]

    if astray:
        raise Blocked("Tags go astray without a PATCH too, so that the sequences tell nothing of one.")
