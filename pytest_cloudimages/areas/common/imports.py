"""The body that asks for an import, and a place from which there is nothing to import."""

from collections.abc import Mapping
from typing import Any

NOWHERE = "cloudimages-no-container/cloudimages-no-object.vhd"
"""There is no such object: where somebody is let in, nothing comes of it."""


def import_from(source: str, name: str, **further: str) -> Mapping[str, Any]:
    """Return the body that asks for an import of an object, as an image of a name."""
    return {"type": "import", "input": {"image_properties": {"name": name} | further, "import_from": source}}
