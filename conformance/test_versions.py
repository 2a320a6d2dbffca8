# GET /, GET /versions, and what all answers have in common

import re
import urllib.parse

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.access.deeds import Rights
from pytest_cloudimages.areas.access.fixtures import *
from pytest_cloudimages.areas.common.checks import (
    A_DATE,
    A_MOMENT,
    AN_OBJECT,
    OVER_LIMIT,
    SOMETHING,
    Allowed,
    Answer,
    anything_but,
    expect_contract,
    expect_near_date,
    expect_same_times,
    fitting_schemas,
    or_skip,
)
from pytest_cloudimages.areas.common.offers import NOT_DONE_FOR_ANYBODY
from pytest_cloudimages.areas.discovery.descriptions import SchemaDocuments
from pytest_cloudimages.areas.discovery.fixtures import *
from pytest_cloudimages.areas.discovery.listed_versions import Versions, major_versions
from pytest_cloudimages.areas.discovery.what_is_common import CommonAnswers
from pytest_cloudimages.areas.images.asked_lists import Lists
from pytest_cloudimages.areas.images.deactivation import Deactivated
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.foreign import ForeignAttempts
from pytest_cloudimages.areas.images.life_answers import LifeAnswers, Question
from pytest_cloudimages.areas.images.tried_patches import Updates
from pytest_cloudimages.areas.tasks.fixtures import *
from pytest_cloudimages.areas.tasks.tried import Tasks

A_KIND_OF_JSON = Allowed(
    "application/json, or what ends in +json",
    lambda text: bool(re.match(r"\s*application/([^;]*\+)?json\s*(;|$)", str(text), re.IGNORECASE)),
)
NO_FAILURE = Allowed("no failure of the service", lambda status: status < 500 or status == 501)
"""501 is what HTTP has for a method that is not implemented; no resource fails at one. (Rulings, 25.)"""
A_SECOND = Allowed("the second among them", lambda majors: "v2" in majors)
PLAIN_TEXT = Allowed("text/plain", lambda text: str(text).partition(";")[0].strip().lower() == "text/plain")
JSON = Allowed("application/json", lambda text: str(text).partition(";")[0].strip().lower() == "application/json")


# "/v2/images/…"
@requirement("VER-01")
def test_links_have_the_version(common_answers: CommonAnswers, version_documents: Versions) -> None:
    for name, link, found in common_answers.followed():
        # What begins with no slash goes on from where it stands, which has the version. (RFC 3986, 5.2.2.)
        split = urllib.parse.urlsplit(link)
        goes_on = not split.netloc and not split.path.startswith("/")
        goes_on = goes_on and (found is not None or not split.path.startswith(".."))
        expect(_has_the_version(split.path) or goes_on, True, f"whether {name} has the version: {link}")
    for answer, version, link in version_documents.aside().links():
        if version.startswith("v2"):
            path = urllib.parse.urlsplit(link).path
            expect(_has_the_version(path), True, f"whether the link of {version} in {answer} has the version: {link}")
    # What comes before the version is where the service is: a list of versions again, or nothing, is none.
    for listed, link, found in version_documents.aside().beside():
        expect(found.status, anything_but(300, 404), f"status of {found}, below where {listed} leads to: {link}")


def _has_the_version(path: str) -> bool:
    """Return whether a segment of a path is v2, or a version of it: what is asked for as v2.9 may be linked so."""
    return any(re.fullmatch(r"v2(\.\d+)?", segment) for segment in path.split("/"))


def shown_plainly(version_documents: Versions, path: str, status: int) -> None:
    """Expect a list of versions to be shown to who asks for no format as well: JSON is the default by GEN-05."""
    __tracebackhide__ = True
    for answer in version_documents.aside().asked_plainly(path):
        expect(answer.status, status, f"status of {answer}, where no format is asked for")
        expect(major_versions(answer), A_SECOND, f"versions in {answer}, where no format is asked for")


# Glance's reference: "300 Multiple Choices"
@requirement("VER-02")
def test_the_root_lists_versions(version_documents: Versions) -> None:
    for answer in version_documents.at("/"):
        expect(answer.status, 300, f"status of {answer}")
        expect_contract(answer, "contract-versions")
        expect(major_versions(answer), A_SECOND, f"versions in {answer}, which are asked for below /v2")
    shown_plainly(version_documents, "/", 300)


# Glance's reference: GET /versions
@requirement("VER-03")
def test_versions_are_listed(version_documents: Versions) -> None:
    for answer in version_documents.at("/versions"):
        expect(answer.status, 200, f"status of {answer}")
        expect_contract(answer, "contract-versions")
        expect(major_versions(answer), A_SECOND, f"versions in {answer}, which are asked for below /v2")
    shown_plainly(version_documents, "/versions", 200)


# measured on Glance: the list of versions
@requirement("VER-05")
def test_an_unknown_version_is_noted(version_documents: Versions) -> None:
    for answer in version_documents.at("/v99/images"):
        note(f"A version that there is not: {answer.status}.")


def called_what_it_is(common_answers: CommonAnswers) -> None:
    """Expect what is JSON to be called so, whatever was asked for, and what is called so to be JSON."""
    __tracebackhide__ = True
    for answer in common_answers.aside().of("negotiated").where(lambda answer: answer.ok and bool(answer.body)):
        if isinstance(answer.data, dict):
            asked = dict(answer.exchange.headers).get("Accept") or ""
            if "text/plain" in asked and PLAIN_TEXT.holds(answer.headers.get("Content-Type")):
                continue  # JSON is text, too, and who asks for text is given what was asked for
            expect(answer.headers.get("Content-Type"), A_KIND_OF_JSON, f"Content-Type of {answer}, for {asked}")
        elif JSON.holds(answer.headers.get("Content-Type")):
            expect(answer.data, AN_OBJECT, f"document in {answer}")


# "The API supports JSON"
@requirement("GEN-01")
def test_answers_are_json(
    common_answers: CommonAnswers, schema_documents: SchemaDocuments, image_life: LifeAnswers, tasks: Tasks
) -> None:
    with_content = common_answers.of("answers").where(lambda answer: answer.ok and bool(answer.body))
    for answer in with_content:
        expect(answer.headers.get("Content-Type"), JSON, f"Content-Type of {answer}")
    for answer in schema_documents.aside().all_answers().where(lambda answer: answer.ok and bool(answer.body)):
        expect(answer.headers.get("Content-Type"), JSON, "Content-Type of", answer)
    # It is UTF-8, whatever characters are in it. (RFC 8259, 8.1)
    shown_otherwise = (common_answers.aside().of("spelled"), common_answers.aside().of("compressed"))
    for answers in (*shown_otherwise, tasks.aside().all_answers()):
        # No operation deletes a task: what a service that has one answers is its own.
        for answer in answers.where(lambda answer: answer.ok and bool(answer.body) and not _deletes(answer)):
            expect(answer.headers.get("Content-Type"), JSON, "Content-Type of", answer)
            expect(answer.data, AN_OBJECT, "document in", answer)
    # What calls itself JSON is, an explanation of an error too.
    of_errors = (common_answers.aside().of(kind) for kind in ("refused", "of_other_types", "broken"))
    for answers in (*of_errors, tasks.aside().all_answers()):
        for answer in answers.where(lambda answer: answer.refused and bool(answer.body)):
            if JSON.holds(answer.headers.get("Content-Type")):
                expect(answer.data, SOMETHING, "document in", answer)
    # However much there is of it.
    for answer in image_life.aside().answered(Question.LARGE).where(lambda answer: answer.ok):
        expect(answer.data, AN_OBJECT, f"document of {len(answer.body)} octets in {answer}")
    called_what_it_is(common_answers)


def _deletes(answer: Answer) -> bool:
    return answer.exchange.method == "DELETE"


def _has_no_room(answer: Answer) -> bool:
    """Return whether a creation was refused as one too many, which says nothing of its form."""
    return answer.exchange.method == "POST" and answer.status == OVER_LIMIT


# "415 Bad Media Type", for all calls
@requirement("GEN-04")
def test_other_media_types_are_answered_415(common_answers: CommonAnswers) -> None:
    offered = common_answers.of("of_other_types").where(lambda answer: answer.status not in NOT_DONE_FOR_ANYBODY)
    offered = offered.where(lambda answer: not _has_no_room(answer))
    for answer in or_skip(offered, "needs an operation with a body"):
        expect(answer.status, 415, f"status of {answer}")


# "the default is JSON"
@requirement("GEN-05")
def test_json_is_the_default(common_answers: CommonAnswers) -> None:
    # What is no JSON though that is asked for is GEN-01's to say.
    asked = common_answers.aside().of("answers").where(lambda answer: answer.ok and bool(answer.body))
    strange = {_operation(answer) for answer in asked if not JSON.holds(answer.headers.get("Content-Type"))}
    plain = common_answers.of("plain").where(lambda answer: answer.ok and _operation(answer) not in strange)
    for answer in or_skip(plain, "needs answers that are JSON where that is asked for"):
        expect(answer.headers.get("Content-Type"), JSON, f"Content-Type of {answer}")


def _operation(answer: Answer) -> tuple[str, str]:
    return answer.exchange.method, answer.exchange.target.partition("?")[0]


def dates_of_tasks(tasks: Tasks) -> None:
    """Expect the dates of tasks, wherever they are shown, to be of ISO 8601; one that is not known yet may be null."""
    __tracebackhide__ = True
    for answer, task in tasks.aside().documents():
        for name in ("created_at", "updated_at", "expires_at"):
            if task.get(name) is not None:
                expect(task[name], A_MOMENT, f"{name} of a task in", answer)


# "YYYY-MM-DDThh:mm:ss"
@requirement("GEN-07")
def test_dates_are_iso_8601(
    image_life: LifeAnswers,
    schema_documents: SchemaDocuments,
    updates: Updates,
    foreign_attempts: ForeignAttempts,
    deactivated_image: Deactivated,
    tasks: Tasks,
) -> None:
    others = (updates, foreign_attempts, deactivated_image)
    for images in (image_life.images(), *(other.aside().images() for other in others)):
        for image in images:
            for name in {"created_at", "updated_at"} & {*image}:
                expect(image[name], A_MOMENT, name)
    # What else an answer to a patch shows is compared with the image itself. (IMG-UPD-01.)
    for attempt in updates.aside().attempts().where(lambda attempt: "updated_at" in attempt.told):
        expect(attempt.told["updated_at"], A_MOMENT, "updated_at in", attempt.answer)
    for answer in schema_documents.aside().of_members():
        expect(answer.data.get("created_at"), A_MOMENT, "created_at in", answer)
        expect(answer.data.get("updated_at"), A_MOMENT, f"updated_at in {answer}")
    for answer in schema_documents.aside().of_tasks():
        for name in ("created_at", "updated_at"):
            expect(answer.data.get(name), A_MOMENT, f"{name} in {answer}")
    dates_of_tasks(tasks)


def dates_of_images_elsewhere(image_life: LifeAnswers, common_answers: CommonAnswers, image_lists: Lists) -> None:
    """Expect the dates of images to be of UTC in lists too, and in the answers that create and change them."""
    __tracebackhide__ = True
    for answers in (image_life.aside().answered(Question.CREATION), common_answers.aside().of("changed")):
        for answer in answers:
            expect_near_date(answer, "created_at", "updated_at")
    for entry, answer in image_life.aside().listed_when_new():
        expect_near_date(answer, "created_at", "updated_at", shown=entry)
    # Whatever shows them.
    for entry, shown in image_lists.aside().shown_twice():
        expect_same_times(entry, shown, f"of the image {entry.get('id')} in a list")


# "Z … UTC"
@requirement("GEN-08")
def test_dates_are_of_utc(
    image_life: LifeAnswers,
    schema_documents: SchemaDocuments,
    common_answers: CommonAnswers,
    image_lists: Lists,
    tasks: Tasks,
) -> None:
    for answer in image_life.to(Question.CREATED):
        expect_near_date(answer, "created_at", "updated_at")
    dates_of_images_elsewhere(image_life, common_answers, image_lists)
    # Nor is any image changed in times to come.
    for answer in image_life.aside().images_shown():
        expect_near_date(answer, "updated_at", later=False)
    for answer in schema_documents.aside().of_members():
        expect_near_date(answer, "created_at", "updated_at")
    for answer in schema_documents.aside().of_tasks():
        expect_near_date(answer, "created_at", "updated_at")
    for entry, answer in schema_documents.aside().listed_here():
        expect_near_date(answer, "created_at", "updated_at", shown=entry)
    for started in tasks.aside().each():
        expect_near_date(started.answer, "created_at", "updated_at")
        for look in started.looks:
            expect_near_date(look, "created_at", "updated_at", later=False)


# undocumented
@requirement("GEN-09")
def test_the_form_of_errors_is_noted(common_answers: CommonAnswers) -> None:
    for answer in common_answers.of("refused"):
        note(f"An error {answer.status}: {', '.join(fitting_schemas(answer)) or 'fits no known schema'}.")


# "405 Bad Method"
@requirement("GEN-10")
def test_methods_that_are_not_offered_are_answered_405(
    common_answers: CommonAnswers, schema_documents: SchemaDocuments
) -> None:
    schemas = any(answer.ok for answer in schema_documents.aside().all_answers().where(_is_a_schema))

    def is_there(answer: Answer) -> bool:
        return answer.status != 404 or not _is_a_schema(answer) or schemas

    offered = {
        (answer.exchange.target, method.strip().upper())
        for answer in common_answers.refused
        if answer.status == 405
        for method in answer.headers.get("Allow", "").split(",")
    }
    for answer in common_answers.of("refused").where(is_there):
        if (answer.exchange.target, answer.exchange.method) in offered:
            note(f"{answer.exchange.method} is offered besides: {answer}.")
            continue
        expect(answer.status, 405, f"status of {answer}")
    for answer in common_answers.aside().of("safe"):
        note(f"{answer.exchange.method}: {answer.status}.")
        expect(answer.status, NO_FAILURE, f"status of {answer}")
        if answer.exchange.method == "HEAD":
            expect(answer.body, b"", f"body of {answer}")


def _is_a_schema(answer: Answer) -> bool:
    return "/schemas/" in answer.exchange.target


# "MUST generate an Allow header field in a 405 response"
@requirement("GEN-11")
def test_a_405_has_allow(common_answers: CommonAnswers) -> None:
    answered = common_answers.of("refused").where(lambda answer: answer.status == 405)
    for answer in or_skip(answered, "no method was answered 405"):
        expect("Allow" in answer.headers, True, f"whether {answer} names what is allowed")
    for answer in common_answers.aside().of("safe").where(lambda answer: answer.status == 405):
        expect("Allow" in answer.headers, True, f"whether {answer} names what is allowed")


# "MUST generate a Date header field"
@requirement("GEN-14")
def test_answers_have_a_date(
    common_answers: CommonAnswers,
    schema_documents: SchemaDocuments,
    image_life: LifeAnswers,
    nobodys_attempts: Rights,
    rights: Rights,
    tasks: Tasks,
) -> None:
    # Each part of a service that answers may write a date of its own.
    of_others = (nobodys_attempts.aside().answers(), rights.aside().answers(), image_life.aside().to())
    others = (common_answers.aside().of(kind) for kind in ("of_other_types", "broken", "negotiated", "safe"))
    for answers in (
        common_answers.of("answers"),
        schema_documents.aside().all_answers(),
        *others,
        *of_others,
        tasks.aside().all_answers(),
    ):
        for answer in answers.where(lambda answer: 200 <= answer.status < 500 and not _of_a_tag(answer)):
            expect(answer.headers.get("Date"), A_DATE, "Date of", answer)


def _of_a_tag(answer: Answer) -> bool:
    """Return whether TAG-RESP-02 asks for an answer."""
    return "/tags/" in answer.exchange.target


# "self", "file", "schema", "first", "next"
@requirement("GEN-15")
def test_links_can_be_followed(common_answers: CommonAnswers) -> None:
    for name, link, answer in common_answers.followed():
        expect(answer, SOMETHING, f"what is answered where {name} leads to: {link}")
        # Of an image without data there is nothing to show yet, and schemas or data need not be offered.
        allowed = {200, 204, 403, 404, 405, 409, 501} if name in ("file", "schema") else {200}
        expect(answer.status if answer else 0, allowed, f"status where {name} leads to: {link}")
