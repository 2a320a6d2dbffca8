"""Patch documents: the two media types of PATCH, read into changes.

Source: RFC 6902, restricted to add, remove and replace, and to pointers of one reference token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .refusals import Invalid

POINTER = re.compile(r"/((?:[^~/]|~[01])*)", re.DOTALL)


class Op(StrEnum):
    """What a change does to an attribute."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a patch; `creates` is an add that refuses to replace, as version 2.0 has it."""

    op: Op
    name: str
    value: object = None
    creates: bool = False


def read(document: object, media_type: str) -> list[Change]:
    """Return the changes of a parsed patch document.

    Raises Invalid when the document is no patch, and KeyError for a media type that is none of `MEDIA_TYPES`.
    """
    read_one = MEDIA_TYPES[media_type]
    if not isinstance(document, list):
        raise Invalid("A patch is an array of operation objects.")
    return [read_one(_an_object(each)) for each in document]


def _an_object(operation: object) -> Mapping[str, object]:
    if not isinstance(operation, dict):
        raise Invalid(f"An operation is an object, not {operation!r}.")
    return operation


def _version_2_1(operation: Mapping[str, object]) -> Change:
    named = operation.get("op")
    op = next((each for each in Op if each == named), None)
    if op is None:
        raise Invalid(f"The operation is one of {', '.join(Op)}, not {named!r}.")
    return Change(op, _name(operation.get("path")), _value(op, operation))


def _version_2_0(operation: Mapping[str, object]) -> Change:
    ops = [op for op in Op if op in operation]
    if len(ops) != 1:
        raise Invalid(f"An operation object names exactly one of {', '.join(Op)}.")
    op = ops[0]
    return Change(op, _name(operation[op]), _value(op, operation), creates=op is Op.ADD)


def _name(pointer: object) -> str:
    match = POINTER.fullmatch(pointer) if isinstance(pointer, str) else None
    if match is None or not match[1]:
        raise Invalid(f"A path is a slash and one reference token, not {pointer!r}.")
    return match[1].replace("~1", "/").replace("~0", "~")


def _value(op: Op, operation: Mapping[str, object]) -> object:
    if op is not Op.REMOVE and "value" not in operation:
        raise Invalid(f"The operation {op} needs a value.")
    return operation.get("value")


MEDIA_TYPES = {
    "application/openstack-images-v2.1-json-patch": _version_2_1,
    "application/openstack-images-v2.0-json-patch": _version_2_0,
}
"""The media types of a patch, the present one first."""
