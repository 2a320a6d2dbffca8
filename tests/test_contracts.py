"""The JSON Schemas of the specification, as the package holds them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec import contracts

IMAGE = {
    "id": "7ffb4d8f-6a1c-4bd4-8b4f-0a9ab2f8f3f5",
    "status": "queued",
    "visibility": "private",
    "protected": False,
    "tags": ["a"],
    "created_at": "2024-01-02T03:04:05Z",
    "file": "/v2/images/7ffb4d8f-6a1c-4bd4-8b4f-0a9ab2f8f3f5/file",
    "self": "/v2/images/7ffb4d8f-6a1c-4bd4-8b4f-0a9ab2f8f3f5",
}


@pytest.mark.parametrize("name", contracts.names())
def test_a_schema_is_one(name: str) -> None:
    """Each is valid as what it says it is."""
    validator = contracts.validator(name)
    schema = validator.schema
    assert isinstance(schema, dict)
    validator.check_schema(schema)

    assert contracts.validator(name) is validator


def test_the_schemas_of_the_specification_are_there() -> None:
    """What requirements are told to validate against."""
    assert {"contract-image", "contract-images", "contract-member", "error-glance"} <= {*contracts.names()}
    assert len(contracts.names()) == 28


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"tags": None}, ["$.tags: None is not of type 'array'"]),
        ({"tags": ["a", 7]}, ["$.tags[1]: 7 is not of type 'string'"]),
        (
            {"tags": ["a", "a"], "protected": 1},
            ["$.protected: 1 is not of type 'boolean'", "$.tags: ['a', 'a'] has non-unique elements"],
        ),
    ],
)
def test_a_departure_is_told_by_place_and_kind(change: dict[str, Any], told: list[str]) -> None:
    """All of them, in the order of their places."""
    assert contracts.problems("contract-image", IMAGE | change) == told


def test_what_is_missing_is_told() -> None:
    """By name."""
    assert contracts.problems("contract-image", {key: IMAGE[key] for key in IMAGE if key != "tags"}) == [
        "$: 'tags' is a required property"
    ]


def test_a_message_is_short_and_printable() -> None:
    """Whatever a service sends."""
    (told,) = contracts.problems("contract-image", IMAGE | {"tags": "\x1b[31m" + "x" * 5_000})

    assert told.isprintable()
    assert len(told) < 250


def test_a_schema_may_refer_to_another() -> None:
    """By the name of its file."""
    validator = contracts.validator("contract-image").evolve(
        schema={"items": {"$ref": "contract-image.json#/properties/protected"}}
    )

    assert validator.is_valid([True])
    assert not validator.is_valid(["yes"])


def test_there_is_no_schema_of_another_name() -> None:
    """Nothing is made up."""
    with pytest.raises(FileNotFoundError):
        contracts.validator("contract-nothing")


def test_the_embedded_server_keeps_the_contracts(open_wire: Any) -> None:
    """Image, list and error are as the schemas have them."""
    from pytest_cloudimages.client.recorder import Recorder
    from pytest_cloudimages.client.session import ImagesClient
    from pytest_cloudimages.engine.provisioning import temporary_image

    with serving(App()) as server:
        token = server.app.identity.issue("tester").value
        client = ImagesClient(f"{server.url}/v2", open_wire(server.url), Recorder(), lambda: token)
        with temporary_image(client, "run") as image:
            assert contracts.problems("contract-image", image.show().data) == []
            assert contracts.problems("contract-images", client.list().data) == []
            assert contracts.problems("error-glance", client.show("no-such-image").data) == []


def test_nothing_is_imported_before_it_is_needed() -> None:
    """The plugin sleeps on."""
    program = "import sys; from pytest_cloudimages.spec import contracts; print('jsonschema' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "False"
