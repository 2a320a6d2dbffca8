"""What tasks are asked for: imports and exports, whole ones and such as lack something."""

import enum
from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]


class Deed(enum.StrEnum):
    """What a task was asked for."""

    EXPORT = "an export of an image of one's own"
    EXPORT_AGAIN = "the same export once more"
    EXPORT_AT_ONCE = "one of two exports to one object that are asked for at once"
    EXPORT_LACKING = "an export without what it needs"
    EXPORT_UNFIT = "an export to a container that is not there, or has an unfit name"
    EXPORT_FOREIGN = "an export of an image of another project"
    EXPORT_DEACTIVATED = "an export of a deactivated image"
    IMPORT = "an import of a disk that was exported"
    IMPORT_AGAIN = "a further import of the same disk, under another name"
    IMPORT_LACKING = "an import without what it needs"
    IMPORT_FURTHER = "an import with a further property"
    IMPORT_MISPLACED = "an import from a place where nothing is"
    IMPORT_NO_DISK = "an import of what is no disk"
    IMPORT_UNFIT = "an import of a disk that has a parent, or no id"

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return self.name.startswith("IMPORT")


FOOTER = 512
"""Octets of the footer of a VHD, in which the kind of the disk, a checksum and its id follow each other."""
KIND, CHECKSUM, IDENTITY = slice(60, 64), slice(64, 68), slice(68, 84)
DIFFERENCING = (4).to_bytes(4, "big")


def unfit(disk: bytes) -> dict[str, bytes]:
    """Return disks that are like one but for a parent that they have, or an id that they lack."""
    return {
        "a parent": _with_footers(disk, KIND, DIFFERENCING),
        "no id": _with_footers(disk, IDENTITY, bytes(16)),
    }


def _with_footers(disk: bytes, part: slice, octets: bytes) -> bytes:
    changed = bytearray(disk)
    for begin in (0, len(disk) - FOOTER):
        footer = changed[begin : begin + FOOTER]
        if footer.startswith(b"conectix"):
            footer[part], footer[CHECKSUM] = octets, bytes(4)
            footer[CHECKSUM] = (~sum(footer) & 0xFFFFFFFF).to_bytes(4, "big")
            changed[begin : begin + FOOTER] = footer
    return bytes(changed)


UNFIT = ("/", "?", ".")
"""What the name of a container to export to must not have."""


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
