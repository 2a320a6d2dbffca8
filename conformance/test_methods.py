# what else the tag resource answers

from typing import Any

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import NegativeRequests
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine import recording

OTHERS = ("GET", "POST", "PATCH")


# "An origin server MUST generate an Allow header field in a 405 response"
@requirement("TAG-METH-02")
def test_a_405_names_what_is_allowed(negative_requests: NegativeRequests) -> None:
    answers = [*negative_requests.answers(where=lambda answer: answer.status == 405)]
    if not answers:
        pytest.skip("no method was answered 405")

    assert [one for one in answers if "Allow" not in one.headers] == []


# "The method token is case-sensitive"
@requirement("TAG-METH-06")
def test_a_method_in_other_case_is_another_method(image: Image) -> None:
    image.given_tags("there")
    for method, tag in (("put", "new"), ("Put", "new"), ("delete", "there"), ("Delete", "there")):
        answer = image.send(method, f"/tags/{tag}")

        assert not answer.ok, answer
    assert image.eventual_tags(["there"]) == ["there"]


# "405 Bad Method: Bad method."
@requirement("TAG-METH-01")
def test_other_methods_are_answered_405(image: Image) -> None:
    image.given_tags("there")
    for method in OTHERS:
        for tag in ("there", "absent"):
            answer = image.send(method, f"/tags/{tag}")

            assert answer.status == 405, answer


# "an Allow header field … containing a list of the target resource's currently
# supported methods"
@requirement("TAG-METH-03")
def test_put_and_delete_are_allowed(image: Image) -> None:
    answers = [image.send(method, "/tags/there") for method in OTHERS]
    named = [one for one in answers if one.status == 405 and "Allow" in one.headers]
    if not named:
        pytest.skip("no answer named what is allowed")

    for answer in named:
        allowed = {one.strip() for one in answer.headers["Allow"].split(",")}
        assert {"PUT", "DELETE"} <= allowed, answer
        if allowed != {"PUT", "DELETE"}:
            recording.current_check().note(f"Allow: {answer.headers['Allow']}")


# undocumented
@requirement("TAG-METH-04")
def test_safe_methods_on_a_tag(image: Image) -> None:
    image.given_tags("there")
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = image.send(method, "/tags/there")
        recording.current_check().note(f"{method}: {answer.status}, Allow: {answer.headers.get('Allow', 'none')}.")


# "An origin server that receives a request method that is unrecognized or not
# implemented SHOULD respond with the 501 (Not Implemented) status code."
@requirement("TAG-METH-05")
def test_an_unknown_method_is_answered_501(image: Image) -> None:
    for method in ("FOO", "TAG", "PUTT"):
        answer = image.send(method, "/tags/unknown")
        if answer.status in (400, 405):
            recording.current_check().note(f"{method}: {answer.status}.")

        assert answer.status in (501, 400, 405), answer
        assert image.eventual_tags([]) == [], answer


# undocumented
@requirement("TAG-METH-07")
def test_the_collection_of_tags(image: Image) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = image.send(method, "/tags")
        recording.current_check().note(f"{method} …/tags: {answer.status}.")


# "405", "501": the method is not supported
@requirement("TAG-METH-08")
def test_a_refused_method_changes_nothing(image: Image) -> None:
    methods = (*OTHERS, "HEAD", "OPTIONS", "FOO", "COPY", "MKCOL")
    image.begin_with(*(f"there-{method}" for method in methods))
    patch = [{"op": "replace", "path": "/tags", "value": ["new-PATCH"]}]
    bodies: dict[str, dict[str, Any]] = {
        "POST": {"json": {"tag": "new-POST"}},
        "PATCH": {"json": patch, "headers": {"Content-Type": PATCH_TYPE}},
    }
    answers = {
        (method, kind): image.send(method, f"/tags/{kind}-{method}", **bodies.get(method, {}))
        for method in methods
        for kind in ("there", "new")
    }
    refused = {pair for pair, answer in answers.items() if answer.status in (405, 501)}
    if not refused:
        pytest.skip("no method was answered 405 or 501")
    kept = {f"there-{method}" for method, kind in refused if kind == "there"}

    tags = image.read(lambda found: kept <= {*found})
    assert kept <= {*tags}
    assert [pair for pair in refused if pair[1] == "new" and f"new-{pair[0]}" in tags] == []
