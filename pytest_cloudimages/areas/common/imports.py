"""The bodies that ask for an import and an export, and how often a task is looked at that carries one out."""

from collections.abc import Mapping
from typing import Any

NOWHERE = "cloudimages-no-container/cloudimages-no-object.vhd"
"""There is no such object: where somebody is let in, nothing comes of it."""
FEWEST_LOOKS = 6
"""How often a task is looked at, however slow the answers: of a quick service it is not the clock that decides."""


def import_from(source: str, name: str, **further: Any) -> Mapping[str, Any]:
    """Return the body that asks for an import of an object, as an image of a name."""
    return {"type": "import", "input": {"image_properties": {"name": name} | further, "import_from": source}}


def export_of(image: str, container: str) -> Mapping[str, Any]:
    """Return the body that asks for an export of an image, into a container."""
    return {"type": "export", "input": {"image_uuid": image, "receiving_swift_container": container}}
