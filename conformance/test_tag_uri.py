# which texts are tags, and how they are written

from itertools import chain
from urllib.parse import unquote

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.corpus import SPECIAL, UNRESERVED
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.probes import Basics
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import FreshImage, Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.oracles import others_removed, took_exact_effect
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

NO_ROUTE = (404, 405, 410, 501)


# "PUT /images/{image_id}/tags/{tag}" "DELETE /images/{image_id}/tags/{tag}"
@requirement("TAG-URI-01")
def test_the_tag_operations_are_addressed_below_the_image(image: Image) -> None:
    added = image.add_tag("miracle")
    deleted = image.delete_tag("miracle")

    assert added.status not in NO_ROUTE, added
    assert added.status // 100 != 3, added
    # A 404 may speak of the tag: the service may have lost it, which is another question.
    assert deleted.status not in (405, 410, 501), deleted
    assert deleted.status // 100 != 3, deleted


# "{image_id}: Image ID stored through the image API, typically a UUID."
@requirement("TAG-URI-02")
def test_the_id_of_the_list_addresses_the_image(image: Image) -> None:
    listed = str(image.listed()["id"])

    answer = require_ok(image.client.add_tag(listed, "by-id"))

    assert image.eventual_tags(["by-id"]) == ["by-id"], answer


# "{tag}: String: Image tag (may be up to 255 characters in length)."
@requirement("TAG-URI-03")
def test_the_segment_carries_a_string_of_up_to_255_characters(boundary_tags: Steps, every_length: Steps) -> None:
    # What counts as a character is asked by TAG-ADD-11 and TAG-ADD-14.
    at_edges = boundary_tags.additions(
        past=[Prior.NEVER],
        where=lambda step: "composing" not in step.operation.input_class and not step.tag.endswith(" "),
    )
    for step in chain(at_edges, every_length.additions(sorts=["every length", "word or number"])):
        if len(step.tag) > LONGEST:
            assert step.tag not in step.after, step
            assert not others_removed(step), step
        else:
            assert step.answer.ok, step
            assert took_exact_effect(step), step


# "Include the tag you want to add in the request URI {tag} path segment of the URI."
@requirement("TAG-URI-04")
def test_nothing_but_the_path_selects_the_tag(working_image: Image, basics: Basics) -> None:
    image = working_image
    image.given_tags("other")
    named = ("X-Tag", "Tag", "X-Image-Meta-Tag", "X-Image-Meta-Tags", "X-Image-Tags", "Slug", "Name", "Link")
    elsewhere = [
        {"headers": dict.fromkeys(named, "other")},
        {"body": b'{"tag": "other"}', "headers": {"Content-Type": "application/json"}},
        {"body": b"tag=other", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ]
    for number, how in enumerate(elsewhere):
        image.send("PUT", f"/tags/path-{number}", **how)
    image.send("PUT", "/tags/path-query?tag=other&name=other")
    tags = image.read(lambda found: "other" in found)
    assert [tag for tag in tags if not tag.startswith("path")] == ["other"]
    if not basics.deletes:
        return

    for number, how in enumerate(elsewhere):
        if f"path-{number}" in tags:
            image.send("DELETE", f"/tags/path-{number}", **how)
    if "path-query" in tags:
        image.send("DELETE", "/tags/path-query?tag=other&name=other")
    assert "other" in image.read(lambda found: "other" in found)

    require_ok(image.delete_tag("other"))
    every = {"headers": elsewhere[0]["headers"] | elsewhere[1]["headers"], "body": elsewhere[1]["body"]}
    image.send("PUT", "/tags/path-again?tag=other&name=other", **every)
    tags = image.read(lambda found: "other" not in found)
    assert [tag for tag in tags if not tag.startswith("path")] == []


# "URIs that differ in the replacement of an unreserved character with its
# corresponding percent-encoded US-ASCII octet are equivalent"
@requirement("TAG-URI-05")
def test_an_encoded_unreserved_character_is_that_character(working_image: Image, basics: Basics) -> None:
    every = "".join(one for one in UNRESERVED if not one.isupper())
    written = {"%6Diracle": "miracle", "las%74": "last", "".join(f"%{ord(one):02X}" for one in every): every}
    expected = sorted(written.values())
    for target in written:
        require_ok(working_image.send("PUT", f"/tags/{target}"))
    assert sorted(working_image.eventual_tags(expected)) == expected

    if basics.repeats:
        for tag in expected:
            require_ok(working_image.add_tag(tag))
        assert sorted(working_image.eventual_tags(expected)) == expected

    if basics.deletes:
        for target in written:
            answer = working_image.send("DELETE", f"/tags/{target}")
            assert answer.ok, answer
        assert working_image.eventual_tags([]) == []


# "the hexadecimal digits 'A' through 'F' are equivalent to 'a' through 'f'"
@requirement("TAG-URI-06")
def test_the_hex_digits_of_an_encoding_have_no_case(working_image: Image, basics: Basics) -> None:
    # Each between letters of its own: a service that takes a tag for a pattern is another question.
    tried = ("a{}b", "%6A"), ("c{}d", "%5F"), ("e{}f", "%3F"), ("g{}h", "%7C"), ("i{}j", "%C3%A9")
    octets = [(form, one) for form, one in tried if working_image.send("PUT", f"/tags/{form.format(one)}").ok]
    shown = working_image.eventual_tags([form.format(unquote(one)) for form, one in octets])
    # What a service makes of octets beyond ASCII is asked by TAG-URI-11; here the two spellings have to be one tag.
    expected = sorted({*shown})
    if len(expected) != len(octets) or "ajb" not in expected:
        raise Blocked("The tags with an encoded character are not all listed.")

    if basics.repeats:
        for form, one in octets:
            answer = working_image.send("PUT", f"/tags/{form.format(one.lower())}")
            assert answer.ok, answer
        assert sorted(working_image.eventual_tags(expected)) == expected
    elif not basics.deletes:
        raise Blocked(
            "The service neither takes a plain tag again nor deletes one, so that no second spelling is asked."
        )

    if basics.deletes:
        for form, one in octets:
            answer = working_image.send("DELETE", f"/tags/{form.format(one.lower())}")
            assert answer.ok, answer
        assert working_image.eventual_tags([]) == []


# "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'", and '+' is a sub-delim
@requirement("TAG-URI-07")
def test_a_plus_sign_is_no_space(working_image: Image, basics: Basics) -> None:
    written = {"a+b": "a+b", "c%2Bd": "c+d", "a%20b": "a b"}
    answers = {target: working_image.send("PUT", f"/tags/{target}") for target in written}
    if answers["a+b"].refused and answers["c%2Bd"].refused:
        pytest.skip("the service refuses a plus sign")
    stored = {target: written[target] for target, answer in answers.items() if answer.ok}
    assert sorted(working_image.eventual_tags(stored.values())) == sorted(stored.values())

    if basics.deletes:
        for target in ("a+b", "c%2Bd"):
            assert target not in stored or working_image.send("DELETE", f"/tags/{target}").ok
        left = [tag for tag in stored.values() if "+" not in tag]
        assert working_image.eventual_tags(left) == left


# "PUT /images/{image_id}/tags/{tag}": the template asks for a tag
@requirement("TAG-URI-14")
def test_an_empty_segment_adds_no_empty_tag(image: Image) -> None:
    image.given_tags("stays")
    for target in ("/tags/", "/tags//"):
        answer = image.send("PUT", target)

        assert not answer.ok, answer
    assert image.eventual_tags(["stays"]) == ["stays"]


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-08")
def test_printable_characters_are_accepted_when_encoded(
    special_tags: Steps, working_image: Image, basics: Basics
) -> None:
    for step in special_tags.additions(sorts=["reserved character"]):
        assert step.answer.ok, step
        assert took_exact_effect(step), step
    for step in special_tags.deletions(sorts=["reserved character"], past=[Prior.PRESENT]):
        if basics.deletes and step.tag in step.before:
            assert step.answer.ok, step
            assert took_exact_effect(step), step

    # "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'": these may stand in a path as they are.
    raw = "a;b,c:d=e&f@g*h'i$j(k)l!m"
    answer = working_image.send("PUT", f"/tags/{raw}")
    assert answer.ok, answer
    assert working_image.eventual_tags([raw]) == [raw]
    if basics.deletes:
        assert working_image.send("DELETE", f"/tags/{raw}").ok
        assert working_image.eventual_tags([]) == []


# "{tag}: String": a percent-encoded slash is data
@requirement("TAG-URI-09")
def test_an_encoded_slash_is_stored_or_refused(working_image: Image, basics: Basics) -> None:
    written = {"a%2Fb": "a/b", "c%2fd": "c/d", "%2Fe": "/e", "f%2F": "f/"}
    kept: list[str] = []
    for target, tag in written.items():
        stored = [tag] if working_image.send("PUT", f"/tags/{target}").ok else []
        expected = sorted([*kept, *stored])
        assert sorted(working_image.eventual_tags(expected)) == expected
        if stored and basics.deletes:
            assert working_image.send("DELETE", f"/tags/{target}").ok
            assert working_image.eventual_tags([]) == []
        else:
            # Where plain tags are not deleted either, that is another question: the next one joins them.
            kept = expected

    if not basics.deletes:
        return
    parts = ["a", "b", "c", "d", "e", "f"]
    working_image.given_tags(*parts)
    for target in written:
        working_image.send("DELETE", f"/tags/{target}")
    assert {*parts} <= {*working_image.read(lambda found: {*parts} <= {*found})}


# "The path is terminated by the first question mark, number sign, or the end", and '/' separates segments
@requirement("TAG-URI-10")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_raw_slash_addresses_another_resource(image: Image, method: str) -> None:
    there = ["a", "b"] if method == "DELETE" else []
    image.given_tags(*there)

    answer = image.send(method, "/tags/a/b")

    assert not answer.ok, answer
    assert sorted(image.eventual_tags(there)) == there


# "This operation adds the specified tag": that very one
@requirement("TAG-URI-11")
def test_a_tag_beyond_ascii_is_stored_or_refused(special_tags: Steps, basics: Basics) -> None:
    basics.require_additions()
    stored_or_refused(special_tags, ["beyond ASCII"], basics)


def stored_or_refused(lives: Steps, sorts: list[str], basics: Basics) -> None:
    for step in lives.additions(sorts=sorts, known=False):
        assert step.answer.ok or step.answer.refused, step
        assert not step.known or took_exact_effect(step), step
    for step in lives.deletions(sorts=sorts, past=[Prior.PRESENT]):
        if basics.deletes and step.tag in step.before:
            assert step.answer.ok, step
            assert took_exact_effect(step), step


# "400 Error"
@requirement("TAG-URI-12")
def test_octets_that_are_no_utf8_are_refused(image: Image) -> None:
    image.given_tags("stays")
    for octets in ("%FF", "%C3%28", "a%C0%AFb", "%ED%A0%80", "%80", "%F8%88%80%80%80", "a%C3"):
        for method in ("PUT", "DELETE"):
            answer = image.send(method, f"/tags/{octets}")

            assert answer.refused, answer
    assert image.eventual_tags(["stays"]) == ["stays"]


# "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad
# Request) error or a 301 (Moved Permanently) redirect"
@requirement("TAG-URI-13")
def test_a_malformed_encoding_is_not_processed(image: Image) -> None:
    for target in ("%zz", "a%", "%4", "%%41", "a%g1b"):
        answer = image.send("PUT", f"/tags/{target}")

        assert answer.status in (400, 301, 302, 307, 308), answer
    assert image.eventual_tags([]) == []

    # A tag of these very characters, rightly written, is not what a malformed target speaks of.
    if image.add_tag("%zz").ok and image.eventual_tags(["%zz"]) == ["%zz"]:
        answer = image.send("DELETE", "/tags/%zz")
        assert not answer.ok, answer
        assert image.eventual_tags(["%zz"]) == ["%zz"]


# no route of the API ends behind /tags
@requirement("TAG-URI-15")
@pytest.mark.parametrize("target", ["/tags/", "/tags"])
def test_a_missing_segment_is_answered_404(image: Image, target: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = image.send(method, target)
        if answer.status in (400, 405):
            recording.current_check().note(f"{method} …{target} is answered {answer.status}.")

        assert answer.status in (404, 400, 405), answer


# "remove_dot_segments"
@requirement("TAG-URI-16")
def test_dot_segments(fresh_image: FreshImage, cloudimages_run: Run) -> None:
    if cloudimages_run.settings.image:
        pytest.skip("a proxy that removes dot segments would ask for the deletion of the lent image itself")
    for tag in (".", "..", "%2e", "%2E%2e"):
        with fresh_image() as image:
            added = image.send("PUT", f"/tags/{tag}")
            shown = ascii(image.tags())
            deleted = image.send("DELETE", f"/tags/{tag}")
        recording.current_check().note(f"{tag}: PUT {added.status}, the image shows {shown}, DELETE {deleted.status}.")


# undocumented
@requirement("TAG-URI-17")
def test_a_query_or_a_trailing_slash(image: Image) -> None:
    for target in ("/tags/plain?x=1", "/tags/slashed/", "/tags/empty?"):
        answer = image.send("PUT", target)
        recording.current_check().note(f"PUT …{target}: {answer.status}, the image shows {sorted(image.tags())!a}.")


# "It is RECOMMENDED that all senders and recipients support, at a minimum, URIs
# with lengths of 8000 octets in protocol elements."
@requirement("TAG-URI-18")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_long_target_is_handled(image: Image, method: str) -> None:
    answer = image.send(method, f"/tags/{'%F0%9F%98%80' * LONGEST}")

    assert answer.status not in (0, 414), answer


# "The scheme and host are case-insensitive … The other generic syntax components
# are assumed to be case-sensitive"
@requirement("TAG-URI-19")
def test_letter_case_tells_tags_apart(confusable_tags: Steps, basics: Basics) -> None:
    basics.require_deletions()
    for step in confusable_tags.additions(sorts=["letter case"], printable=True):
        assert step.answer.ok or step.answer.refused, step
        assert took_exact_effect(step), step
    for step in confusable_tags.deletions(sorts=["letter case"], printable=True):
        if step.prior is Prior.PRESENT and step.tag in step.before:
            assert step.answer.ok, step
        assert took_exact_effect(step), step


# "tag an image … with a specific string"
@requirement("TAG-URI-20")
def test_normalisation_forms_tell_tags_apart(confusable_tags: Steps, basics: Basics) -> None:
    basics.require_additions()
    # How they are shown is asked by TAG-URI-11; here it counts that they are two.
    shown: dict[str, set[str]] = {}
    sorts = ["normalisation form"]
    tried = [*confusable_tags.aside().additions(sorts=sorts)]
    if tried and all(step.answer.refused for step in tried):
        pytest.skip("the service refuses such tags")
    for step in confusable_tags.steps(sorts=sorts, acknowledged=True):
        come, gone = {*step.after} - {*step.before}, {*step.before} - {*step.after}
        if step.operation.kind is Kind.ADD:
            assert len(come) == 1, step
            assert not gone, step
            shown[step.tag] = come
        elif basics.deletes:
            assert gone == shown.pop(step.tag, set()), step
            assert not come, step


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-21")
def test_blanks_and_controls_are_stored_or_refused(special_tags: Steps, basics: Basics) -> None:
    basics.require_additions()
    stored_or_refused(special_tags, [sort for sort in SPECIAL if "control" in sort], basics)


# undocumented
@requirement("TAG-URI-22")
def test_an_image_id_in_upper_case(image: Image) -> None:
    answer = image.client.add_tag(image.id.upper(), "upper")

    recording.current_check().note(f"PUT on the id in upper case: {answer.status}, the image shows {image.tags()}.")
