# what else the tag resource answers

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.client import Image

OTHERS = ("GET", "POST", "PATCH")


# "An origin server MUST generate an Allow header field in a 405 response"
@requirement("TAG-METH-02")
def test_a_405_names_what_is_allowed(image: Image) -> None:
    image.establish("there")
    answers = [image.send(method, f"/tags/{tag}") for method in OTHERS for tag in ("there", "absent")]
    refusals = [one for one in answers if one.status == 405]
    if not refusals:
        pytest.skip("no method was answered 405")

    assert [one for one in refusals if "Allow" not in one.headers] == []


# "The method token is case-sensitive"
@requirement("TAG-METH-06")
def test_a_method_in_other_case_is_another_method(image: Image) -> None:
    image.establish("there")
    for method, tag in (("put", "new"), ("Put", "new"), ("delete", "there"), ("Delete", "there")):
        answer = image.send(method, f"/tags/{tag}")

        assert not answer.ok, answer
        assert image.settled(["there"]) == ["there"], answer
