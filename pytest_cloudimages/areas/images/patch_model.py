"""What a patch is to do: read from the document by RFC 6902, for the attributes of an image. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_cloudimages.client.moments import same_moment

Patch = Sequence[Mapping[str, Any]]


def add(path: str, value: object) -> Mapping[str, Any]:
    """Return the operation that adds an attribute."""
    return {"op": "add", "path": path, "value": value}


def replaced(path: str, value: object) -> Mapping[str, Any]:
    """Return the operation that replaces an attribute."""
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> Mapping[str, Any]:
    """Return the operation that removes an attribute."""
    return {"op": "remove", "path": path}


def attribute_of(pointer: str) -> str:
    """Return the attribute that a restricted pointer names: ``~1`` is read before ``~0`` (RFC 6901, 4)."""
    return pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")


def in_the_new_form(patch: Any) -> Any:
    """Return a patch with its operations as RFC 6902 writes them; in the old form the operation names the path."""
    if not isinstance(patch, list):
        return patch
    return [_in_the_new_form(each) if isinstance(each, dict) and "op" not in each else each for each in patch]


def _in_the_new_form(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    named = [each for each in ("add", "remove", "replace") if each in operation]
    rest = {key: value for key, value in operation.items() if key not in named}
    return {"op": named[0], "path": operation[named[0]], **rest} if len(named) == 1 else operation


def named_by(patch: Patch) -> set[str]:
    """Return the attributes that a patch names."""
    return {attribute_of(operation["path"]) for operation in patch}


def applied(attributes: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """Return attributes as they are once all operations of a patch have been carried out, one after another."""
    found = dict(attributes)
    for operation in patch:
        name = attribute_of(operation["path"])
        if operation["op"] == "remove":
            found.pop(name, None)
        else:
            found[name] = operation["value"]
    return found


def alike(name: str, value: object, other: object) -> bool:
    """Return whether two values of an attribute are the same: tags are a set, and ``1`` is not ``true``."""
    if name in ("created_at", "updated_at"):
        return value == other or same_moment(value, other)
    if name == "tags" and isinstance(value, list) and isinstance(other, list):
        return sorted(map(repr, value)) == sorted(map(repr, other))
    return type(value) is type(other) and value == other
