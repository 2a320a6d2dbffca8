# which texts are tags, and how they are written

import pytest

from pytest_cloudimages import evidence, requirement
from pytest_cloudimages.client import Image, prepared
from pytest_cloudimages.experiments import Control
from pytest_cloudimages.ground import FreshImage, Ground
from pytest_cloudimages.judging import apart
from pytest_cloudimages.strategies import BOUNDARIES, LONGEST, RELATED, RESERVED
from pytest_cloudimages.verdicts import Blocked

NO_ROUTE = (404, 405, 410, 501)
LOOK_ALIKES = ["null", "true", "false", "007", "1e5", "-1", "NaN", "tags", "0", "1.0", "0x1F"]


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

    answer = prepared(image.client.add_tag(listed, "by-id"))

    assert image.settled(["by-id"]) == ["by-id"], answer


# "{tag}: String: Image tag (may be up to 255 characters in length)."
@requirement("TAG-URI-03")
def test_the_segment_carries_a_string_of_up_to_255_characters(image: Image) -> None:
    carried = [*LOOK_ALIKES, *("s" * length for length in BOUNDARIES)]
    for tag in carried:
        answer = image.add_tag(tag)
        assert answer.ok, answer
    image.add_tag("s" * (LONGEST + 1))

    assert sorted(image.settled(carried)) == sorted(carried)


# "Include the tag you want to add in the request URI {tag} path segment of the URI."
@requirement("TAG-URI-04")
def test_nothing_but_the_path_selects_the_tag(sound_image: Image, control: Control) -> None:
    image = sound_image
    image.establish("other")
    elsewhere = [
        {"headers": {"X-Tag": "other", "Tag": "other", "X-Image-Meta-Tag": "other"}},
        {"body": b'{"tag": "other"}', "headers": {"Content-Type": "application/json"}},
        {"body": b"tag=other", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ]
    for number, how in enumerate(elsewhere):
        image.send("PUT", f"/tags/path-{number}", **how)
    image.send("PUT", "/tags/path-query?tag=other&name=other")
    tags = image.read(lambda found: "other" in found)
    assert [tag for tag in tags if not tag.startswith("path")] == ["other"]
    if not control.deletes:
        return

    for number, how in enumerate(elsewhere):
        if f"path-{number}" in tags:
            image.send("DELETE", f"/tags/path-{number}", **how)
    if "path-query" in tags:
        image.send("DELETE", "/tags/path-query?tag=other&name=other")
    assert "other" in image.read(lambda found: "other" in found)

    prepared(image.delete_tag("other"))
    for number, how in enumerate(elsewhere):
        image.send("PUT", f"/tags/path-again-{number}", **how)
    image.send("PUT", "/tags/path-again-query?tag=other&name=other")
    tags = image.read(lambda found: "other" not in found)
    assert [tag for tag in tags if not tag.startswith("path")] == []


# "URIs that differ in the replacement of an unreserved character with its
# corresponding percent-encoded US-ASCII octet are equivalent"
@requirement("TAG-URI-05")
def test_an_encoded_unreserved_character_is_that_character(sound_image: Image, control: Control) -> None:
    written = {"%6Diracle": "miracle", "w%6F%6Eder": "wonder", "a%2Db%2Ec%5Fd%7Ee": "a-b.c_d~e", "%30%37": "07"}
    expected = sorted(written.values())
    for target in written:
        prepared(sound_image.send("PUT", f"/tags/{target}"))
    assert sorted(sound_image.settled(expected)) == expected

    if control.repeats:
        for tag in expected:
            prepared(sound_image.add_tag(tag))
        assert sorted(sound_image.settled(expected)) == expected

    if control.deletes:
        for target in written:
            answer = sound_image.send("DELETE", f"/tags/{target}")
            assert answer.ok, answer
        assert sound_image.settled([]) == []


# "the hexadecimal digits 'A' through 'F' are equivalent to 'a' through 'f'"
@requirement("TAG-URI-06")
def test_the_hex_digits_of_an_encoding_have_no_case(sound_image: Image, control: Control) -> None:
    octets = [one for one in ("6A", "7A", "5F", "3F", "3B", "7C") if sound_image.send("PUT", f"/tags/a%{one}b").ok]
    expected = sorted(f"a{chr(int(one, 16))}b" for one in octets)
    if not expected:
        raise Blocked("The service took no tag with an encoded character.")
    assert sorted(sound_image.settled(expected)) == expected

    if control.repeats:
        for one in octets:
            answer = sound_image.send("PUT", f"/tags/a%{one.lower()}b")
            assert answer.ok, answer
        assert sorted(sound_image.settled(expected)) == expected

    if control.deletes:
        for one in octets:
            answer = sound_image.send("DELETE", f"/tags/a%{one.lower()}b")
            assert answer.ok, answer
        assert sound_image.settled([]) == []


# "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'", and '+' is a sub-delim
@requirement("TAG-URI-07")
@pytest.mark.parametrize("written", ["a+b", "a%2Bb"])
def test_a_plus_sign_is_no_space(sound_image: Image, control: Control, written: str) -> None:
    if sound_image.send("PUT", f"/tags/{written}").refused:
        pytest.skip("the service refuses a plus sign")
    assert sound_image.settled(["a+b"]) == ["a+b"]

    both = ["a b", "a+b"] if sound_image.send("PUT", "/tags/a%20b").ok else ["a+b"]
    assert sorted(sound_image.settled(both)) == both

    if control.deletes:
        assert sound_image.send("DELETE", f"/tags/{written}").ok
        assert sound_image.settled(both[:-1]) == both[:-1]


# "PUT /images/{image_id}/tags/{tag}": the template asks for a tag
@requirement("TAG-URI-14")
def test_an_empty_segment_adds_no_empty_tag(image: Image) -> None:
    image.establish("stays")
    for target in ("/tags/", "/tags//"):
        answer = image.send("PUT", target)

        assert not answer.ok, answer
        assert image.settled(["stays"]) == ["stays"]


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-08")
def test_printable_characters_are_accepted_when_encoded(sound_image: Image, control: Control) -> None:
    carried = [f"a{one}b" for one in RESERVED]
    for tag in carried:
        answer = sound_image.add_tag(tag)
        assert answer.ok, answer
    assert sorted(sound_image.settled(carried)) == sorted(carried)

    if control.deletes:
        for tag in carried:
            answer = sound_image.delete_tag(tag)
            assert answer.ok, answer
        assert sound_image.settled([]) == []


# "{tag}: String": a percent-encoded slash is data
@requirement("TAG-URI-09")
@pytest.mark.parametrize("written", ["a%2Fb", "a%2fb", "%2Fb", "a%2F"])
def test_an_encoded_slash_is_stored_or_refused(sound_image: Image, written: str) -> None:
    expected = (
        [written.replace("%2F", "/").replace("%2f", "/")] if sound_image.send("PUT", f"/tags/{written}").ok else []
    )
    assert sound_image.settled(expected) == expected

    sound_image.establish("a", "b")
    sound_image.send("DELETE", f"/tags/{written}")
    assert {"a", "b"} <= {*sound_image.read(lambda found: {"a", "b"} <= {*found})}


# "The path is terminated by the first question mark, number sign, or the end", and '/' separates segments
@requirement("TAG-URI-10")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_raw_slash_addresses_another_resource(image: Image, method: str) -> None:
    there = ["a", "b"] if method == "DELETE" else []
    image.establish(*there)

    answer = image.send(method, "/tags/a/b")

    assert not answer.ok, answer
    assert sorted(image.settled(there)) == there


# "This operation adds the specified tag": that very one
@requirement("TAG-URI-11")
@pytest.mark.parametrize(
    "tag", ["é", "ñandú", "漢字", "😀", "\u0416\u0436", "שלום", "Ã©", "\u00ff", "\uffe6"], ids=ascii
)
def test_a_tag_beyond_ascii_is_stored_or_refused(sound_image: Image, control: Control, tag: str) -> None:
    answer = sound_image.add_tag(tag)
    expected = [tag] if answer.ok else []

    assert answer.ok or answer.refused, answer
    assert sound_image.settled(expected) == expected
    if control.deletes:
        assert not expected or sound_image.delete_tag(tag).ok
        assert sound_image.settled([]) == []


# "400 Error"
@requirement("TAG-URI-12")
@pytest.mark.parametrize("octets", ["%FF", "%C3%28", "a%C0%AFb", "%ED%A0%80", "%80", "%F8%88%80%80%80", "a%C3"])
def test_octets_that_are_no_utf8_are_refused(image: Image, octets: str) -> None:
    image.establish("stays")
    for method in ("PUT", "DELETE"):
        answer = image.send(method, f"/tags/{octets}")

        assert answer.refused, answer
        assert image.settled(["stays"]) == ["stays"], answer


# "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad
# Request) error or a 301 (Moved Permanently) redirect"
@requirement("TAG-URI-13")
@pytest.mark.parametrize("target", ["%zz", "a%", "%4", "%%41", "a%g1b"])
def test_a_malformed_encoding_is_not_processed(image: Image, target: str) -> None:
    answer = image.send("PUT", f"/tags/{target}")

    assert answer.status in (400, 301, 302, 307, 308), answer
    assert image.settled([]) == [], answer


# no route of the API ends behind /tags
@requirement("TAG-URI-15")
@pytest.mark.parametrize("target", ["/tags/", "/tags"])
def test_a_missing_segment_is_answered_404(image: Image, target: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = image.send(method, target)
        if answer.status in (400, 405):
            evidence.current().note(f"{method} …{target} is answered {answer.status}.")

        assert answer.status in (404, 400, 405), answer


# "remove_dot_segments"
@requirement("TAG-URI-16")
def test_dot_segments(fresh_image: FreshImage, cloudimages_ground: Ground) -> None:
    if cloudimages_ground.options.image:
        pytest.skip("a proxy that removes dot segments would ask for the deletion of the lent image itself")
    for tag in (".", "..", "%2e", "%2E%2e"):
        with fresh_image() as image:
            added = image.send("PUT", f"/tags/{tag}")
            shown = ascii(image.tags())
            deleted = image.send("DELETE", f"/tags/{tag}")
        evidence.current().note(f"{tag}: PUT {added.status}, the image shows {shown}, DELETE {deleted.status}.")


# undocumented
@requirement("TAG-URI-17")
def test_a_query_or_a_trailing_slash(image: Image) -> None:
    for target in ("/tags/plain?x=1", "/tags/slashed/", "/tags/empty?"):
        answer = image.send("PUT", target)
        evidence.current().note(f"PUT …{target}: {answer.status}, the image shows {sorted(image.tags())!a}.")


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
@pytest.mark.parametrize("pair", [pair for pair in RELATED["letter case"] if "".join(pair).isascii()], ids=ascii)
def test_letter_case_tells_tags_apart(sound_image: Image, control: Control, pair: tuple[str, str]) -> None:
    control.require_deletions()
    assert apart(sound_image, *pair)
    sound_image.establish(pair[1])
    assert apart(sound_image, *pair, begin=[pair[1]])


# "tag an image … with a specific string"
@requirement("TAG-URI-20")
@pytest.mark.parametrize("pair", RELATED["normalisation form"], ids=ascii)
def test_normalisation_forms_tell_tags_apart(sound_image: Image, control: Control, pair: tuple[str, str]) -> None:
    shown: list[list[str]] = [[]]
    for tag in pair:
        if sound_image.add_tag(tag).refused:
            pytest.skip("the service refuses such tags")
        shown.append(sound_image.read(lambda found: len(found) == len(shown)))

    # How they are shown is asked by TAG-URI-11; here it counts that they are two.
    assert [len({*one}) for one in shown] == [0, 1, 2]
    if control.deletes:
        assert sound_image.delete_tag(pair[0]).ok
        assert sound_image.read(lambda found: len(found) == 1) == [one for one in shown[2] if one not in shown[1]]


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-21")
@pytest.mark.parametrize(
    "tags",
    [
        [f"a{chr(code)}b" for code in (*range(0x20), 0x7F)],
        [" lead", "\tlead", "\nlead", "\rlead", "\x00lead", "\x0blead"],
        ["trail ", "trail\t", "trail\n", "trail\r", "trail\r\n", "trail\x00", "trail  "],
        [" ", "\t", "\n", "\x00", "   ", "\x7f", "\x1f"],
    ],
    ids=["inside", "leading", "trailing", "alone"],
)
def test_blanks_and_controls_are_stored_or_refused(sound_image: Image, control: Control, tags: list[str]) -> None:
    answers = {tag: sound_image.add_tag(tag) for tag in tags}
    stored = sorted(tag for tag, answer in answers.items() if answer.ok)

    assert [one for one in answers.values() if not (one.ok or one.refused)] == []
    shown = sound_image.settled(stored)
    assert [tag for tag in stored if tag not in shown] == [], f"added, and listed otherwise, as of {sorted(shown)}"
    assert sorted(shown) == stored
    if control.deletes:
        for tag in stored:
            answer = sound_image.delete_tag(tag)
            assert answer.ok, answer
        assert sound_image.settled([]) == []


# undocumented
@requirement("TAG-URI-22")
def test_an_image_id_in_upper_case(image: Image) -> None:
    answer = image.client.add_tag(image.id.upper(), "upper")

    evidence.current().note(f"PUT on the id in upper case: {answer.status}, the image shows {image.tags()}.")
