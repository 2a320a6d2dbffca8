"""JSON Schemas: of our own results, and of what the API shows."""

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def load(name: str) -> dict[str, Any]:
    """Give the schema ``name`` (``conformance``: the results of a run). Raises ``FileNotFoundError`` for another."""
    text = (resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
