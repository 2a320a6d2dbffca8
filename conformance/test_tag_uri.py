# which texts are tags, and how they are written

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Image, prepared
from pytest_cloudimages.strategies import BOUNDARIES, LONGEST

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
def test_nothing_but_the_path_selects_the_tag(image: Image) -> None:
    image.establish("other")
    elsewhere = [
        {"headers": {"X-Tag": "other", "Tag": "other", "X-Image-Meta-Tag": "other"}},
        {"body": b'{"tag": "other"}', "headers": {"Content-Type": "application/json"}},
        {"body": b"tag=other", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ]
    for method in ("PUT", "DELETE"):
        for how in elsewhere:
            image.send(method, "/tags/path", **how)
            assert {*image.read(lambda found: "other" in found)} | {"path"} == {"other", "path"}
        image.send(method, "/tags/path?tag=other&name=other")
        assert {*image.read(lambda found: "other" in found)} | {"path"} == {"other", "path"}
    image.delete_tag("other")
    for how in elsewhere:
        image.send("PUT", "/tags/path", **how)
    image.send("PUT", "/tags/path?tag=other")
    assert {*image.tags()} | {"path"} == {"path"}


# "URIs that differ in the replacement of an unreserved character with its
# corresponding percent-encoded US-ASCII octet are equivalent"
@requirement("TAG-URI-05")
@pytest.mark.parametrize(
    ("written", "tag"),
    [("%6Diracle", "miracle"), ("mi%72%61cle", "miracle"), ("a%2Db%2Ec%5Fd%7Ee", "a-b.c_d~e"), ("%30%37", "07")],
)
def test_an_encoded_unreserved_character_is_that_character(image: Image, written: str, tag: str) -> None:
    prepared(image.send("PUT", f"/tags/{written}"))
    assert image.settled([tag]) == [tag]

    prepared(image.add_tag(tag))
    assert image.settled([tag]) == [tag]

    assert image.send("DELETE", f"/tags/{written}").ok
    assert image.settled([]) == []


# "the hexadecimal digits 'A' through 'F' are equivalent to 'a' through 'f'"
@requirement("TAG-URI-06")
@pytest.mark.parametrize("octet", ["6A", "7A", "5F", "3F", "3B", "7C"])
def test_the_hex_digits_of_an_encoding_have_no_case(image: Image, octet: str) -> None:
    tag = f"a{chr(int(octet, 16))}b"
    if image.send("PUT", f"/tags/a%{octet}b").refused:
        pytest.skip("the service refuses the character")

    assert image.settled([tag]) == [tag]
    assert image.send("PUT", f"/tags/a%{octet.lower()}b").ok
    assert image.settled([tag]) == [tag]
    assert image.send("DELETE", f"/tags/a%{octet.lower()}b").ok
    assert image.settled([]) == []


# "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'", and '+' is a sub-delim
@requirement("TAG-URI-07")
@pytest.mark.parametrize("written", ["a+b", "a%2Bb"])
def test_a_plus_sign_is_no_space(image: Image, written: str) -> None:
    if image.send("PUT", f"/tags/{written}").refused:
        pytest.skip("the service refuses a plus sign")
    assert image.settled(["a+b"]) == ["a+b"]

    both = ["a b", "a+b"] if image.send("PUT", "/tags/a%20b").ok else ["a+b"]
    assert sorted(image.settled(both)) == both

    assert image.send("DELETE", f"/tags/{written}").ok
    assert image.settled(both[:-1]) == both[:-1]


# "PUT /images/{image_id}/tags/{tag}": the template asks for a tag
@requirement("TAG-URI-14")
def test_an_empty_segment_adds_no_empty_tag(image: Image) -> None:
    image.establish("stays")
    for target in ("/tags/", "/tags//"):
        answer = image.send("PUT", target)

        assert not answer.ok, answer
        assert image.settled(["stays"]) == ["stays"]
