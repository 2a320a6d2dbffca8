"""What tasks are asked for: imports and exports, whole ones and such as lack something."""

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Body = Mapping[str, Any]


class Deed(enum.StrEnum):
    """What a task was asked for."""

    EXPORT = "an export of an image of one's own"
    EXPORT_AGAIN = "the same export once more"
    EXPORT_AT_ONCE = "one of two exports to one object that are asked for at once"
    EXPORT_ONTO = "an export to a place where an object of one's own is"
    EXPORT_LACKING = "an export without what it needs"
    EXPORT_UNFIT = "an export to a container that is not there, or has an unfit name"
    EXPORT_FOREIGN = "an export of an image of another project"
    EXPORT_DEACTIVATED = "an export of a deactivated image"
    IMPORT = "an import of a disk that was exported"
    IMPORT_AGAIN = "a further import of the same disk, under another name"
    IMPORT_ELSEWHERE = "an import of the same disk, where it is under a name with a slash"
    IMPORT_TWICE = "the same import once more, letter for letter"
    IMPORT_LACKING = "an import without what it needs"
    IMPORT_FURTHER = "an import with a further property"
    IMPORT_MISPLACED = "an import from a place where nothing is"
    IMPORT_NO_DISK = "an import of what is no disk"
    IMPORT_UNFIT = "an import of a disk that has a parent, or no id"
    IMPORT_LARGE = "an import of a small file that is a disk of more than 40 GB to its guest"

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return self.name.startswith("IMPORT")


IMPORTED_LATER = {
    "imported again": Deed.IMPORT_AGAIN,
    "imported elsewhere": Deed.IMPORT_ELSEWHERE,
    "imported twice": Deed.IMPORT_TWICE,
}
"""The imports of a disk that was imported before, each of which makes an image of its own that is looked at."""
FOOTER = 512
"""Octets of the footer of a VHD, in which the kind of the disk, a checksum and its id follow each other."""
SECTORS = b"".join(letter * FOOTER for letter in (b"x", b"y", b"z"))
"""The data of a disk: whole sectors of 512 octets, as those of all disks are, and none like another."""
KIND, CHECKSUM, IDENTITY = slice(60, 64), slice(64, 68), slice(68, 84)
LARGE = 41 * 2**30
"""Octets that no imported disk may have for its guest: more than 40 GB, whichever way those are counted."""
BLOCK = 2**21
"""Octets of a block of a disk that grows with what it holds."""
CYLINDERS = LARGE // (16 * 255 * 512) + 1
"""Of as many sectors, by the way in which sizes were told first."""
FURTHER: Sequence[Mapping[str, Any]] = (
    {"os_distro": None},
    {"min_disk": 1},
    {"protected": False},
    {"visibility": "private"},
    {"cloudimages_further": {}},
)
"""Properties besides the name: such as say nothing, such as an image has anyway, and of every kind that JSON has."""
SPARSE, DIFFERENCING = (3).to_bytes(4, "big"), (4).to_bytes(4, "big")


MARK = b"cloudimages"
"""What the data of a disk of ours begins with that is not to be imported."""
NO_OBJECT = "cloudimages-no-object.vhd"
"""The name of an object that there is not."""
EXPECTING = {"Expect": "100-continue"}
"""What some clients send with a body: they are to be told to go on, or answered at once. (RFC 9110, 10.1.1.)"""


def source_of(body: Body) -> object:
    """Return where an import is to find its disk; ``None`` where it does not say so."""
    given = body.get("input")
    return given.get("import_from") if isinstance(given, dict) else None


def name_in(body: Body) -> object:
    """Return the name that an import gives to its image; ``None`` where it gives none."""
    given = body.get("input")
    properties = given.get("image_properties") if isinstance(given, dict) else None
    return properties.get("name") if isinstance(properties, dict) else None


def in_utf_8(body: Body) -> dict[str, Any]:
    """Return a body as other clients than ours write it: with its letters as they are, and their encoding named."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return {"octets": json.dumps(body, ensure_ascii=False).encode(), "headers": kind}


def odd_places(source: str) -> dict[str, str]:
    """Return places like one where an object is, and where none is."""
    container, _, name = source.partition("/")
    return {
        "a container alone": container,
        "another case": f"{container}/{name.removesuffix('.vhd')}.VHD",
        "letters beyond ASCII": f"{container}/cloudimages-Köln-Ωmega-京都.vhd",
        # Such as a search finds by how it begins, or by what it begins with.
        "a part of the name": f"{container}/{name[:8]}",
        "more than the name": f"{container}/{name}.vhd",
        "a part of the container": f"{container[:-1]}/{name}",
    }


def is_fixed(disk: bytes) -> bool:
    """Return whether a disk is one that holds all of its data as it is: it ends with a footer, and has no other."""
    return disk[-FOOTER:].startswith(b"conectix") and not disk.startswith(b"conectix")


def marked(disk: bytes) -> bytes:
    """Return a disk like one, but for the ``MARK`` that its data has; nothing where it is none that holds all of it."""
    return MARK + disk[len(MARK) :] if is_fixed(disk) and len(disk) >= FOOTER + len(MARK) else b""


def mistaken_for(name: str) -> Iterator[str]:
    """Yield what the name of an object is for whoever cuts it, writes it for a URL, or takes letters for small ones."""
    yield name.partition("/")[0]
    yield from (name.replace(" ", sign) for sign in ("+", "%20"))
    yield name.lower()


def unfit(disk: bytes) -> dict[str, bytes]:
    """Return disks that are like one but for a parent that they have, or an id that they lack."""
    return {
        "a parent": _with_footers(disk, KIND, DIFFERENCING),
        "no id": _with_footers(disk, IDENTITY, bytes(16)),
    }


def large(disk: bytes) -> bytes:
    """Return a disk like one, but larger for its guest: one without any block, as a fixed one is what its file is."""
    footer = next((part for part in (disk[-FOOTER:], disk[:FOOTER]) if part.startswith(b"conectix")), b"")
    if len(footer) < FOOTER:
        return disk
    blocks = LARGE // BLOCK
    heads = CYLINDERS.to_bytes(2, "big") + bytes((16, 255))
    footer = b"".join(
        (
            footer[:16],
            FOOTER.to_bytes(8, "big"),
            footer[24:40],
            2 * LARGE.to_bytes(8, "big"),
            heads,
            SPARSE,
            footer[64:],
        )
    )
    table = b"\xff" * (-(-blocks * 4 // FOOTER) * FOOTER)  # which has no block
    header = bytearray(2 * FOOTER)
    header[:36] = b"".join(
        (
            b"cxsparse",
            b"\xff" * 8,
            (3 * FOOTER).to_bytes(8, "big"),
            bytes((0, 1, 0, 0)),
            blocks.to_bytes(4, "big"),
            BLOCK.to_bytes(4, "big"),
        )
    )
    header[36:40] = _checksum(header)
    return _with_footers(footer + bytes(header) + table + footer, KIND, SPARSE)


def _with_footers(disk: bytes, part: slice, octets: bytes) -> bytes:
    changed = bytearray(disk)
    for begin in (0, len(disk) - FOOTER):
        footer = changed[begin : begin + FOOTER]
        if footer.startswith(b"conectix"):
            footer[part], footer[CHECKSUM] = octets, bytes(4)
            footer[CHECKSUM] = _checksum(footer)
            changed[begin : begin + FOOTER] = footer
    return bytes(changed)


def _checksum(octets: bytearray) -> bytes:
    return (~sum(octets) & 0xFFFFFFFF).to_bytes(4, "big")


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
