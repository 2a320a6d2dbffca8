"""Disks in the format VHD: what the footer says of one, and the footer of a fixed disk.

Source: Microsoft, Virtual Hard Disk Image Format Specification, October 2006.
"""

import struct
from dataclasses import dataclass
from uuid import uuid4

COOKIE = b"conectix"
FOOTER = struct.Struct(">8sIIQI4sI4sQQIII16sB427x")
LENGTH = FOOTER.size  # 512 octets, the last of the file
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4


class NoDisk(ValueError):  # noqa: N818 - theirs, not ours
    """The octets are no disk in the format VHD."""


@dataclass(frozen=True, slots=True)
class Disk:
    """What the footer of a disk says."""

    kind: int
    size: int
    """Octets that the disk has for its guest."""
    unique_id: bytes


def read(octets: bytes) -> Disk:
    """Return what the footer of a disk says, or raise NoDisk."""
    footer = octets[-LENGTH:]
    if len(footer) < LENGTH or not footer.startswith(COOKIE):
        raise NoDisk("The last 512 octets are no footer.")
    fields = FOOTER.unpack(footer)
    if fields[12] != _checksum(footer):
        raise NoDisk("The checksum of the footer is wrong.")
    return Disk(kind=fields[11], size=fields[9], unique_id=fields[13])


def fixed(octets: bytes) -> bytes:
    """Return a fixed disk that holds these octets, filled up to whole sectors; what is a disk stays as it is."""
    try:
        read(octets)
    except NoDisk:
        data = octets + b"\0" * (-len(octets) % 512)
        return data + _footer(len(data))
    return octets


def _footer(size: int) -> bytes:
    unset = 0xFFFFFFFFFFFFFFFF
    cylinders, heads, sectors = min(size // 512 // (4 * 17), 65535), 4, 17
    geometry = cylinders << 16 | heads << 8 | sectors
    head = (COOKIE, 2, 0x10000, unset, 0, b"cldi", 0x10000, b"Wi2k", size, size, geometry, FIXED)
    unique = uuid4().bytes
    return FOOTER.pack(*head, _checksum(FOOTER.pack(*head, 0, unique, 0)), unique, 0)


def _checksum(footer: bytes) -> int:
    """Return the ones' complement of the sum of all octets but those of the checksum itself."""
    return ~(sum(footer) - sum(footer[64:68])) & 0xFFFFFFFF
