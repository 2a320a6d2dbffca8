"""The attributes of images: a check for each that a caller may write, which returns its value or raises Invalid."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from .refusals import Invalid, OverLimit

TEXT_LENGTH = 255  # characters, not octets
TAG_QUOTA = 128  # tags an image may carry, Glance's image_tag_quota
PROPERTY_QUOTA = 128  # custom properties an image may carry, Glance's image_property_quota
LARGEST_INTEGER = 2**31 - 1

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)

CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")


class Visibility(StrEnum):
    """Who may see an image."""

    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


class Status(StrEnum):
    """The status of an image."""

    QUEUED = "queued"
    SAVING = "saving"
    ACTIVE = "active"
    KILLED = "killed"
    DELETED = "deleted"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    PENDING_DELETE = "pending_delete"
    DEACTIVATED = "deactivated"


def text(value: object) -> str:
    """Check a string of at most 255 Unicode characters."""
    if not isinstance(value, str):
        raise Invalid(f"A string is expected, not {value!r}.")
    if len(value) > TEXT_LENGTH:
        raise Invalid(f"At most {TEXT_LENGTH} characters are allowed, not {len(value)}.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid("A lone surrogate is no character.")
    return value


def text_or_none(value: object) -> str | None:
    """Check a string that may be missing."""
    return None if value is None else text(value)


def tag(value: object) -> str:
    """Check one tag: 1 to 255 characters, whatever they are."""
    if value == "":
        raise Invalid("A tag has at least one character.")
    return text(value)


def tags(value: object) -> list[str]:
    """Check a list of tags; duplicates collapse into the first of them."""
    if not isinstance(value, list):
        raise Invalid(f"Tags are an array of strings, not {value!r}.")
    unique = list(dict.fromkeys(tag(each) for each in value))
    if len(unique) > TAG_QUOTA:
        raise OverLimit(f"An image carries at most {TAG_QUOTA} tags, not {len(unique)}.")
    return unique


def boolean(value: object) -> bool:
    """Check a JSON boolean."""
    if not isinstance(value, bool):
        raise Invalid(f"true or false is expected, not {value!r}.")
    return value


def natural(value: object) -> int:
    """Check a whole number from 0 to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_INTEGER:
        raise Invalid(f"A whole number from 0 to {LARGEST_INTEGER} is expected, not {value!r}.")
    return value


def visibility(value: object) -> Visibility:
    """Check one of the four visibilities."""
    for each in Visibility:
        if each == value:
            return each
    raise Invalid(f"Visibility is one of {', '.join(Visibility)}, not {value!r}.")


def container_format(value: object) -> str | None:
    """Check one of the container formats, or none."""
    return _one_of(CONTAINER_FORMATS, value)


def disk_format(value: object) -> str | None:
    """Check one of the disk formats, or none."""
    return _one_of(DISK_FORMATS, value)


def uuid_or_none(value: object) -> str | None:
    """Check the id of an image, or none."""
    checked = text_or_none(value)
    if checked is not None and not UUID.fullmatch(checked):
        raise Invalid(f"A UUID is expected, not {checked!r}.")
    return checked


def _one_of(formats: tuple[str, ...], value: object) -> str | None:
    if value is not None and value not in formats:
        raise Invalid(f"The format is one of {', '.join(formats)}, not {value!r}.")
    return text_or_none(value)


WRITABLE: Mapping[str, Callable[[object], object]] = {
    "name": text_or_none,
    "visibility": visibility,
    "tags": tags,
    "protected": boolean,
    "os_hidden": boolean,
    "container_format": container_format,
    "disk_format": disk_format,
    "min_disk": natural,
    "min_ram": natural,
}
"""The standard attributes that the owner may set."""

PROPERTIES: Mapping[str, Callable[[object], str | None]] = {"kernel_id": uuid_or_none, "ramdisk_id": uuid_or_none}
"""The custom properties that are not just strings."""

READ_ONLY = frozenset(
    {"id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"}
    | {"created_at", "updated_at", "self", "file", "schema", "direct_url", "stores"}
    | {"location", "locations", "deleted", "deleted_at"}
)
"""The attributes that only the service itself may set."""

RESERVED_PREFIXES = ("com.rackspace", "os_glance")
