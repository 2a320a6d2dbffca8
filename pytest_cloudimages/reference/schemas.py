"""The JSON schemas that the service publishes; JSON Schema draft 4, as Glance writes it."""

from collections.abc import Mapping

from .attributes import CONTAINER_FORMATS, DISK_FORMATS, TEXT_LENGTH, Status, Visibility
from .images import MemberStatus
from .tasks import TaskStatus, TaskType

Schema = Mapping[str, object]

UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"


def _is(kind: str | tuple[str, ...], description: str, **more: object) -> dict[str, object]:
    return {"type": kind if isinstance(kind, str) else list(kind), "description": description, **more}


def _link(**targets: str) -> list[dict[str, str]]:
    return [{"rel": rel, "href": f"{{{name}}}"} for rel, name in targets.items()]


MAYBE_TEXT = ("null", "string")
MAYBE_NUMBER = ("null", "integer")
OURS: dict[str, object] = {"readOnly": True}

IMAGE: Schema = {
    "name": "image",
    "properties": {
        "id": _is("string", "An identifier for the image", pattern=UUID),
        "name": _is(MAYBE_TEXT, "Descriptive name for the image", maxLength=TEXT_LENGTH),
        "status": _is("string", "Status of the image", enum=list(Status), **OURS),
        "visibility": _is("string", "Scope of image accessibility", enum=list(Visibility)),
        "protected": _is("boolean", "If true, image will not be deletable."),
        "os_hidden": _is("boolean", "If true, image will not appear in default image list response."),
        "checksum": _is(MAYBE_TEXT, "md5 hash of image contents.", maxLength=32, **OURS),
        "os_hash_algo": _is(MAYBE_TEXT, "Algorithm to calculate the os_hash_value", maxLength=64, **OURS),
        "os_hash_value": _is(MAYBE_TEXT, "Hexdigest of the image contents", maxLength=128, **OURS),
        "owner": _is(MAYBE_TEXT, "Owner of the image", maxLength=TEXT_LENGTH),
        "size": _is(MAYBE_NUMBER, "Size of image file in bytes", **OURS),
        "virtual_size": _is(MAYBE_NUMBER, "Virtual size of image in bytes", **OURS),
        "container_format": _is(MAYBE_TEXT, "Format of the container", enum=[None, *CONTAINER_FORMATS]),
        "disk_format": _is(MAYBE_TEXT, "Format of the disk", enum=[None, *DISK_FORMATS]),
        "created_at": _is("string", "Date and time of image registration", **OURS),
        "updated_at": _is("string", "Date and time of the last image modification", **OURS),
        "tags": _is(
            "array",
            "List of strings related to the image",
            items={"type": "string", "maxLength": TEXT_LENGTH},
        ),
        "min_ram": _is("integer", "Amount of ram (in MB) required to boot image."),
        "min_disk": _is("integer", "Amount of disk space (in GB) required to boot image."),
        "self": _is("string", "An image self url", **OURS),
        "file": _is("string", "An image file url", **OURS),
        "schema": _is("string", "An image schema url", **OURS),
        "kernel_id": _is(MAYBE_TEXT, "Image to be used as the kernel.", pattern=UUID, is_base=False),
        "ramdisk_id": _is(MAYBE_TEXT, "Image to be used as the ramdisk.", pattern=UUID, is_base=False),
        "instance_uuid": _is("string", "Instance that the image is associated with.", is_base=False),
        "architecture": _is("string", "Operating system architecture.", is_base=False),
        "os_distro": _is("string", "Common name of the operating system distribution.", is_base=False),
        "os_version": _is("string", "Operating system version.", is_base=False),
        "description": _is("string", "A human-readable string describing this image.", is_base=False),
    },
    "additionalProperties": {"type": "string"},
    "links": _link(self="self", enclosure="file", describedby="schema"),
}

MEMBER: Schema = {
    "name": "member",
    "properties": {
        "member_id": _is("string", "An identifier for the image member (tenantId)"),
        "image_id": _is("string", "An identifier for the image", pattern=UUID),
        "created_at": _is("string", "Date and time of image member creation"),
        "updated_at": _is("string", "Date and time of last modification of image member"),
        "status": _is("string", "The status of this image member", enum=list(MemberStatus)),
        "schema": {"type": "string", **OURS},
    },
}

_TASK_IN_A_LIST: dict[str, object] = {
    "id": _is("string", "An identifier for the task", pattern=UUID),
    "type": _is("string", "The type of task represented by this content", enum=list(TaskType)),
    "status": _is("string", "The current status of this task", enum=list(TaskStatus)),
    "owner": _is("string", "An identifier for the owner of this task"),
    "expires_at": _is(MAYBE_TEXT, "Datetime when this resource would be subject to removal"),
    "created_at": _is("string", "Datetime when this resource was created"),
    "updated_at": _is("string", "Datetime when this resource was updated"),
    "self": {"type": "string", **OURS},
    "schema": {"type": "string", **OURS},
}

TASK: Schema = {
    "name": "task",
    "properties": {
        **_TASK_IN_A_LIST,
        "input": _is(("null", "object"), "The parameters required by task, JSON blob"),
        "result": _is(("null", "object"), "The result of current task, JSON blob"),
        "message": _is("string", "Human-readable informative message, usually on failure"),
    },
}


def _many(name: str, item: Schema, links: list[dict[str, str]]) -> Schema:
    several: dict[str, object] = {name: {"type": "array", "items": item}}
    return {
        "name": name,
        "properties": several | {link["href"].strip("{}"): {"type": "string"} for link in links},
        "links": links,
    }


SCHEMAS: Mapping[str, Schema] = {
    "image": IMAGE,
    "images": _many("images", IMAGE, _link(first="first", next="next", describedby="schema")),
    "member": MEMBER,
    "members": _many("members", MEMBER, _link(describedby="schema")),
    "task": TASK,
    "tasks": _many(
        "tasks",
        {"name": "task", "properties": _TASK_IN_A_LIST},
        _link(first="first", next="next", describedby="schema"),
    ),
}
"""Every schema by its name."""
