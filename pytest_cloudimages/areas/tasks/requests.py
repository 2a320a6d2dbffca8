"""What tasks are asked for: imports and exports, whole ones and such as lack something."""

import enum
from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]


class Deed(enum.StrEnum):
    """What a task was asked for."""

    EXPORT = "an export of an image of one's own"
    EXPORT_AGAIN = "the same export once more"
    EXPORT_LACKING = "an export without what it needs"
    EXPORT_UNFIT = "an export to a container that is not there, or has an unfit name"
    EXPORT_FOREIGN = "an export of an image of another project"
    EXPORT_DEACTIVATED = "an export of a deactivated image"
    IMPORT = "an import of a disk that was exported"
    IMPORT_LACKING = "an import without what it needs"
    IMPORT_FURTHER = "an import with a further property"
    IMPORT_MISPLACED = "an import from a place where nothing is"
    IMPORT_NO_DISK = "an import of what is no disk"

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return self.name.startswith("IMPORT")


UNFIT = ("/", "?", ".")
"""What the name of a container to export to must not have."""


def export_of(image: str, container: str) -> Body:
    """Return the body that asks for an export."""
    return {"type": "export", "input": {"image_uuid": image, "receiving_swift_container": container}}


def import_from(source: str, name: str, **further: str) -> Body:
    """Return the body that asks for an import."""
    return {"type": "import", "input": {"image_properties": {"name": name} | further, "import_from": source}}


def lacking(body: Body) -> Iterator[tuple[str, Body]]:
    """Yield the bodies that lack one member each, type, input and those of it, with the name of what is missing."""
    for name in body:
        yield name, {key: value for key, value in body.items() if key != name}
    for path, rest in _without_one(body["input"]):
        yield f"input.{path}", {**body, "input": rest}


def _without_one(given: Body) -> Iterator[tuple[str, Body]]:
    for name, value in given.items():
        yield name, {key: other for key, other in given.items() if key != name}
        if isinstance(value, dict):
            for path, rest in _without_one(value):
                yield f"{name}.{path}", {**given, name: rest}
