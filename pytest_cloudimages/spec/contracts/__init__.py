"""The JSON Schemas of the specification: what the API promises that requests and answers look like.

``contract-*`` is what its documentation guarantees, ``vendor-*`` what the vendor's page prints, ``glance-*`` what
Glance serves; ``error-*`` and ``identity-*`` are the forms of errors and of Identity's answers.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from referencing import Registry

MOST_REMEMBERED = 500
"""Documents of which is remembered what departs from a schema."""
LONGEST = 200
"""Characters of a message, which quotes what was sent."""


def names() -> list[str]:
    """Return the names of all schemas, in their order."""
    files = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in files if name.endswith(".json"))


@functools.lru_cache
def _load(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@functools.lru_cache
def validator(name: str) -> Validator:
    """Return the validator of a schema, which may refer to any other by its file's name.

    Raises ``FileNotFoundError`` where there is no schema of that name.
    """
    from jsonschema import Draft4Validator
    from jsonschema.validators import validator_for

    schema = _load(name)
    return validator_for(schema, default=Draft4Validator)(schema, registry=_registry())


@functools.lru_cache
def _registry() -> Registry[Any]:
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    return Registry().with_resources(
        (f"{name}.json", Resource.from_contents(_load(name), default_specification=DRAFT4)) for name in names()
    )


def problems(name: str, data: Any) -> list[str]:
    """Return where, and how, data departs from a schema; nothing where it is as it should be."""
    return [*_problems(name, json.dumps(data))]


@functools.lru_cache(maxsize=MOST_REMEMBERED)
def _problems(name: str, document: str) -> tuple[str, ...]:
    """Return the same of data that is written as JSON: many checks ask for the same, and more than once."""
    found = sorted(validator(name).iter_errors(json.loads(document)), key=lambda problem: problem.json_path)
    return tuple(f"{problem.json_path}: {_short(problem.message)}" for problem in found)


def _short(message: str) -> str:
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in message)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
