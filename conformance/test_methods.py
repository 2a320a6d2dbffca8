# what else the tag resource answers

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.tags.checks import (
    IN_OTHER_CASE,
    NOT_OK,
    OTHERS,
    Basics,
    Image,
    ImagesClient,
    NegativeRequests,
    StrayRequests,
    expect_among,
    expect_none_of,
    expect_tags,
    of_another_method,
    or_skip,
    require_ok,
)
from pytest_cloudimages.areas.tags.fixtures import *


# "405 Bad Method: Bad method."
@requirement("TAG-METH-01")
def test_other_methods_are_answered_405(stray_requests: StrayRequests, negative_requests: NegativeRequests) -> None:
    for tried in stray_requests.requests(*OTHERS, where=lambda tried: tried.request.names_a_tag):
        expect(tried.answer.status, tried.request.as_no_method, f"status of {tried.answer}")
    # Nor does it need a body, or the type of one, to be none of a tag's methods.
    for answer in negative_requests.aside().answers(where=of_another_method):
        expect(answer.status, 405, f"status of {answer}")

    # A front server may have its own answer to what it takes for a trace.
    for tried in stray_requests.requests("TRACE"):
        expect(tried.answer.status, {405, 501, 400, 403}, f"status of {tried.answer}")


# "An origin server MUST generate an Allow header field in a 405 response"
@requirement("TAG-METH-02")
def test_a_405_names_what_is_allowed(negative_requests: NegativeRequests, stray_requests: StrayRequests) -> None:
    for tried in stray_requests.aside().requests(*OTHERS, where=lambda tried: tried.request.names_one_tag):
        if tried.answer.status == 405:
            expect_among([name.lower() for name in tried.answer.headers], ["allow"], f"header fields of {tried.answer}")

    answers = negative_requests.answers(where=lambda answer: answer.status == 405)
    for answer in or_skip(answers, "no method was answered 405"):
        expect_among([name.lower() for name in answer.headers], ["allow"], f"header fields of {answer}")


# "an Allow header field … containing a list of the target resource's currently
# supported methods"
@requirement("TAG-METH-03")
def test_put_and_delete_are_allowed(negative_requests: NegativeRequests, stray_requests: StrayRequests) -> None:
    # Whether the image carries the tag makes no difference.
    for tried in stray_requests.aside().requests(*OTHERS, where=lambda tried: tried.request.names_one_tag):
        if tried.answer.status == 405 and "Allow" in tried.answer.headers:
            allowed = {method.strip() for method in tried.answer.headers["Allow"].split(",")}
            expect_among(allowed, ["PUT", "DELETE"], f"Allow of {tried.answer}")

    named = negative_requests.answers(
        # An empty segment is no tag: what is allowed there is not said.
        where=lambda answer: (
            answer.status == 405 and "Allow" in answer.headers and not answer.exchange.target.endswith("/tags/")
        )
    )
    for answer in or_skip(named, "no answer named what is allowed"):
        allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
        expect_among(allowed, ["PUT", "DELETE"], f"Allow of {answer}")
        if allowed != {"PUT", "DELETE"}:
            note(f"Allow: {answer.headers['Allow']}")


# undocumented
@requirement("TAG-METH-04")
def test_safe_methods_on_a_tag(image: Image, anonymous: ImagesClient, stray_requests: StrayRequests) -> None:
    for tried in stray_requests.requests("GET", where=lambda tried: tried.request.target == "/tags/there"):
        note(f"GET: {tried.answer.status}, Allow: {tried.answer.headers.get('Allow', 'none')}.")
    require_ok(image.add_tag("there"))
    for method in ("HEAD", "OPTIONS"):
        answer = image.send(method, "/tags/there")
        note(f"{method}: {answer.status}, Allow: {answer.headers.get('Allow', 'none')}.")

    # A layer for browsers answers it before any token is looked at, and no specification forbids that.
    answer = image.seen_by(anonymous).send("OPTIONS", "/tags/there")
    note(f"OPTIONS without a token: {answer.status}, Allow: {answer.headers.get('Allow', 'none')}.")


# "An origin server that receives a request method that is unrecognized or not
# implemented SHOULD respond with the 501 (Not Implemented) status code."
@requirement("TAG-METH-05")
def test_an_unknown_method_is_answered_501(image: Image) -> None:
    for method in ("FOO", "PUTT"):
        answer = image.send(method, "/tags/unknown")
        if answer.status in (400, 405):
            note(f"{method}: {answer.status}.")

        expect(answer.status, {501, 400, 405}, f"status of {answer}")
    expect_tags(image, [], "after unknown methods")


# "The method token is case-sensitive"
@requirement("TAG-METH-06")
def test_a_method_in_other_case_is_another_method(stray_requests: StrayRequests, basics: Basics) -> None:
    # What changes nothing is told by an image that takes tags.
    basics.require_additions()
    for tried in stray_requests.requests(*IN_OTHER_CASE):
        expect(tried.answer.status, NOT_OK, f"status of {tried.answer}")
        expect(tried.changed, (), f"tags that came or went with {tried.answer}")


# undocumented
@requirement("TAG-METH-07")
def test_the_collection_of_tags(stray_requests: StrayRequests) -> None:
    for tried in stray_requests.requests("GET", "POST", "DELETE", where=lambda tried: tried.request.target == "/tags"):
        note(f"{tried.request.method} …/tags: {tried.answer.status}.")


# "405", "501": the method is not supported
@requirement("TAG-METH-08")
def test_a_refused_method_changes_nothing(image: Image, stray_requests: StrayRequests) -> None:
    known = stray_requests.requests(where=lambda tried: tried.request.method not in IN_OTHER_CASE)
    for tried in known.where(lambda tried: tried.answer.status in (405, 501)):
        expect(tried.changed, (), f"tags that came or went with {tried.answer}")

    methods = ("HEAD", "OPTIONS", "FOO", "COPY", "MKCOL")
    image.given_tags_at_once(*(f"there-{method}" for method in methods))
    answers = {
        tag: image.send(method, f"/tags/{tag}") for method in methods for tag in (f"there-{method}", f"new-{method}")
    }
    refused = [tag for tag, answer in answers.items() if answer.status in (405, 501)]
    kept = [tag for tag in or_skip(refused, "no method was answered 405 or 501") if tag.startswith("there")]
    tags = image.read(lambda found: {*kept} <= {*found})

    expect_among(tags, kept, "tags after methods that were answered 405 or 501")
    expect_none_of(tags, [tag for tag in refused if tag.startswith("new")], "tags after the same methods")
