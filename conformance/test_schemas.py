# GET /v2/schemas/{name}

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from pytest_cloudimages import expect, requirement
from pytest_cloudimages.areas.common.checks import (
    AN_OBJECT,
    Allowed,
    Answer,
    documented_codes,
    expect_among,
    expect_interpreted,
    or_skip,
)
from pytest_cloudimages.areas.common.forms import OF_A_MEMBER
from pytest_cloudimages.areas.discovery.descriptions import SCHEMAS, UNKNOWN, SchemaDocuments
from pytest_cloudimages.areas.discovery.fixtures import *
from pytest_cloudimages.areas.images.asked_lists import Aspect, Lists
from pytest_cloudimages.areas.images.deactivation import Deactivated
from pytest_cloudimages.areas.images.foreign import ForeignAttempts
from pytest_cloudimages.areas.images.life_answers import LifeAnswers, Question
from pytest_cloudimages.areas.images.patches import Aim
from pytest_cloudimages.areas.images.tried_patches import Updates
from pytest_cloudimages.areas.tasks.fixtures import *
from pytest_cloudimages.areas.tasks.tried import Tasks

OF_STRINGS = Allowed("a schema of strings", lambda found: isinstance(found, dict) and found.get("type") == "string")
A_LACK = re.compile(r"\$: '\w+' is a required property")
"""What is wrong with an image that shows less than the schema requires."""
A_TASK = ("created_at", "expires_at", "id", "owner", "schema", "self", "status", "type", "updated_at")


def properties(answer: Answer) -> dict[str, Any]:
    found = answer.document.get("properties")
    return found if isinstance(found, dict) else {}


def relations(answer: Answer) -> list[object]:
    links = answer.document.get("links")
    return [link.get("rel") for link in links if isinstance(link, dict)] if isinstance(links, list) else []


def is_the_schema(answer: Answer, name: str) -> None:
    """Expect an answer to be a JSON Schema of this name."""
    __tracebackhide__ = True
    expect(answer.status, 200, f"status of {answer}")
    expect(answer.document.get("name"), name, f"name in {answer}")
    expect(answer.document.get("properties"), AN_OBJECT, f"properties in {answer}")


def stays_the_schema(documents: SchemaDocuments, name: str) -> None:
    """Expect a schema to be what it is when others were asked for in the meantime."""
    __tracebackhide__ = True
    for answer in documents.aside().once_more(name):
        is_the_schema(answer, name)


def items_of(documents: SchemaDocuments, answer: Answer, name: str) -> dict[str, Any]:
    """Return the schema of the items of a list; empty where it describes no array of objects."""
    array = documents.referred_to(answer.document, properties(answer).get(name))
    kinds = array.get("type")
    is_array = "array" in (kinds if isinstance(kinds, list) else [kinds])  # it may be null as well
    return documents.referred_to(answer.document, array.get("items") if is_array else None)


def shown(schema_documents: SchemaDocuments, name: str) -> Iterator[Answer]:
    """Yield the schema that is shown; whether it is, is for those to say who ask for nothing else."""
    answers = schema_documents.document(name).where(lambda answer: answer.ok)
    return or_skip(answers, f"needs the schema {name}, which is not shown")


# "Get images schema"
@requirement("SCHEMA-01")
def test_the_images_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("images"):
        is_the_schema(answer, "images")
    stays_the_schema(schema_documents, "images")


# "Get image schema"
@requirement("SCHEMA-02")
def test_the_image_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("image"):
        is_the_schema(answer, "image")


# "Get image members schema"
@requirement("SCHEMA-03")
def test_the_members_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("members"):
        is_the_schema(answer, "members")
    stays_the_schema(schema_documents, "members")


# "Get image member schema"
@requirement("SCHEMA-04")
def test_the_member_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("member"):
        is_the_schema(answer, "member")


# "Get task schema"
@requirement("SCHEMA-05")
def test_the_task_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("task"):
        is_the_schema(answer, "task")


# "Get tasks schema"
@requirement("SCHEMA-06")
def test_the_tasks_schema_is_shown(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document("tasks"):
        is_the_schema(answer, "tasks")
    stays_the_schema(schema_documents, "tasks")


# the example of the image schema
@requirement("SCHEMA-08")
def test_the_image_schema_describes_images(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "image"):
        expect(answer.document.get("additionalProperties"), OF_STRINGS, f"additionalProperties in {answer}")
        expect_among(relations(answer), ["self", "enclosure", "describedby"], f"links in {answer}")


# the example of the images schema
@requirement("SCHEMA-09")
def test_the_images_schema_describes_a_list(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "images"):
        described = items_of(schema_documents, answer, "images")
        if "$ref" not in described:  # else it is described elsewhere
            expect(described.get("name"), "image", f"name of what images holds, by {answer}")
        expect_among(properties(answer).keys(), ["first", "next", "schema"], f"properties in {answer}")
        expect_among(relations(answer), ["first", "next", "describedby"], f"links in {answer}")


# the example of the members schema
@requirement("SCHEMA-10")
def test_the_members_schema_describes_a_list(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "members"):
        described = items_of(schema_documents, answer, "members")
        if "$ref" not in described:
            expect(described.get("name"), "member", f"name of what members holds, by {answer}")
        expect_among(relations(answer), ["describedby"], f"links in {answer}")


# the example of the member schema
@requirement("SCHEMA-11")
def test_the_member_schema_describes_a_member(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "member"):
        expect_among(properties(answer).keys(), OF_A_MEMBER, f"properties in {answer}")


# the example of the task schema
@requirement("SCHEMA-12")
def test_the_task_schema_describes_a_task(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "task"):
        expect_among(properties(answer).keys(), [*A_TASK, "input", "message", "result"], f"properties in {answer}")


# the example of the tasks schema
@requirement("SCHEMA-13")
def test_the_tasks_schema_describes_a_list(schema_documents: SchemaDocuments) -> None:
    for answer in shown(schema_documents, "tasks"):
        whole = items_of(schema_documents, answer, "tasks")
        if "$ref" in whole:
            continue
        described = whole.get("properties")
        expect(described, AN_OBJECT, f"properties of what tasks holds, by {answer}")
        # Where it refers to the schema of a task, that is of both.
        same = any(whole == each.data for each in schema_documents.aside().document("task"))
        more = [name for name in ("input", "message", "result") if name in (described or {}) and not same]
        expect(more, [], f"more in {answer}")


# "use the schemas … to validate"
@requirement("SCHEMA-14")
def test_the_schemas_describe_the_answers(
    schema_documents: SchemaDocuments,
    image_life: LifeAnswers,
    image_lists: Lists,
    deactivated_image: Deactivated,
    tasks: Tasks,
) -> None:
    for name, answer in or_skip(schema_documents.examples(), "no schema describes what was shown"):
        expect(schema_documents.problems(name, answer.data), [], f"departures from the schema {name} in", answer)
    for answer in schema_documents.aside().further():
        expect(schema_documents.problems("image", answer.data), [], "departures from the schema image in", answer)
    for name, answer in schema_documents.aside().stages():
        expect(schema_documents.problems(name, answer.data), [], f"departures from the schema {name} in", answer)
    # Lists hold images without data, of any status, and with attributes of one's own.
    held = [*image_life.aside().answered(Question.LISTED), *image_life.aside().answered(Question.LARGE)]
    for asked in image_lists.aside().of(Aspect.STATUS, Aspect.ATTRIBUTE):
        held += [page.answer for page in asked.listed.pages]
    held += [answer for _, answer in deactivated_image.aside().while_deactivated("list", "deactivated ones")]
    for answer in held:
        found = schema_documents.problems_of("images", answer) if "/images?" in answer.exchange.target else []
        expect(found, [], "departures from the schema images in", answer)
    # Those that succeed have a result, and what it is called differs with their type.
    for _, answer in tasks.aside().shown():
        expect(schema_documents.problems_of("task", answer), [], "departures from the schema task in", answer)
    for listed in tasks.aside().listed("whole"):
        for page in listed.pages:
            found = schema_documents.problems_of("tasks", page.answer)
            expect(found, [], "departures from the schema tasks in", page.answer)


# an unknown name
@requirement("SCHEMA-15")
def test_an_unknown_schema_is_not_found(schema_documents: SchemaDocuments) -> None:
    for answer in schema_documents.document(UNKNOWN):
        expect(answer.status, 404, f"status of {answer}")
    for answer in schema_documents.aside().once_more(UNKNOWN):
        expect(answer.status, 404, f"status of {answer}, which was asked for before")


# the table of response codes
@requirement("SCHEMA-16")
def test_a_schema_is_answered_with_a_documented_code(schema_documents: SchemaDocuments, specification: str) -> None:
    for answer in schema_documents.document(*SCHEMAS, UNKNOWN):
        expect_interpreted(specification, answer.status, f"status of {answer}", **documented_codes("SCHEMA-16"))


# the token is asked for here as well
@requirement("SCHEMA-17")
def test_schemas_are_shown_to_callers_with_a_token(schema_documents: SchemaDocuments) -> None:
    for answer in or_skip(schema_documents.without_token(), "no schema is shown"):
        expect(answer.status, 401, f"status of {answer}")


def describes_what_was_set(schema_documents: SchemaDocuments, updates: Updates) -> None:
    """Expect the schema of images to allow what the service has taken for an attribute, and shows."""
    __tracebackhide__ = True
    for attempt in updates.aside().attempts(Aim.STANDARD, Aim.FORMAT, Aim.KEPT, Aim.ADDED, Aim.STANDARD_AGAIN):
        if attempt.answer.ok and not attempt.wrong:
            named = tuple(f"$.{name}:" for name in attempt.named)
            found = [each for each in schema_documents.problems("image", attempt.after) if each.startswith(named)]
            expect(found, [], f"departures from the schema in what was set by {attempt}")


# "the live schema … validates every image"
@requirement("IMG-ENT-15")
def test_the_image_schema_describes_every_image(
    schema_documents: SchemaDocuments,
    image_life: LifeAnswers,
    deactivated_image: Deactivated,
    updates: Updates,
    foreign_attempts: ForeignAttempts,
) -> None:
    for answer in schema_documents.aside().document("image"):
        if not answer.ok:
            pytest.skip(f"needs the schema of images, which is not shown: {answer}")
    # Whomever it is shared with, or shown to: it may be everybody. Nor is it another where it stands beside others.
    besides = chain(foreign_attempts.aside().images(), image_life.aside().of_many())
    for image in chain(image_life.images(listed=False), besides):
        expect(schema_documents.problems("image", image), [], f"departures from the schema in image {image.get('id')}")
    # A list may show less of one than its details do.
    for image in image_life.aside().images():
        found = [each for each in schema_documents.problems("image", image) if not A_LACK.match(each)]
        expect(found, [], f"departures from the schema in image {image.get('id')}")
    for answer in image_life.aside().answered(Question.HIDDEN).where(lambda answer: answer.ok):
        expect(schema_documents.problems("image", answer.data), [], f"departures from the schema in {answer}")
    for attempt in updates.aside().attempts(Aim.VALUE).where(lambda attempt: attempt.named == {"name"}):
        if attempt.answer.ok and not attempt.wrong:
            found = schema_documents.problems("image", attempt.after)
            of_names = [problem for problem in found if problem.startswith("$.name:")]
            expect(of_names, [], f"departures from the schema in the name that was set by {attempt}")
    describes_what_was_set(schema_documents, updates)
    for _, answer in deactivated_image.aside().while_deactivated("show"):
        if answer.ok:
            expect(schema_documents.problems("image", answer.data), [], f"departures from the schema in {answer}")
