"""What an image, a member and a task look like, attribute by attribute, wherever a document shows one.

Each rule names the requirement that an attribute of another form departs from. That whole documents validate against a
schema takes a thousand times as long to say: these rules are asked of every answer of a run.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from pytest_cloudimages.areas.common.checks import A_MOMENT, A_UUID
from pytest_cloudimages.spec.mismatch import Allowed

Document = Mapping[str, Any]

LONGEST = 255
"""Characters of a tag."""
OCTETS_OF_MD5 = 32
"""Characters of a checksum."""
STATUSES = frozenset({"queued", "saving", "active", "killed", "deleted", "pending_delete", "deactivated"})
OF_GLANCE = frozenset({"uploading", "importing"})
VISIBILITIES = frozenset({"public", "private", "shared", "community"})
OF_MEMBERS = frozenset({"pending", "accepted", "rejected"})
OF_TASKS = frozenset({"pending", "processing", "success", "failure"})
GUARANTEED = ("id", "status", "visibility", "protected", "tags", "created_at", "file", "self")
OF_A_MEMBER = ("created_at", "image_id", "member_id", "schema", "status", "updated_at")
OF_A_LISTED_TASK = ("created_at", "id", "owner", "schema", "self", "status", "type", "updated_at")
OF_A_TASK = (*OF_A_LISTED_TASK, "input", "message")


def is_whole(value: object) -> TypeGuard[float]:
    """Return whether a value is an integer: JSON has numbers alone, and 64.0 is the number that 64 is (RFC 8259, 6)."""
    return type(value) is int or (type(value) is float and value.is_integer())


# "Glance returns unset base attributes as null: accept both" (IMG-ENT-02)
A_SIZE = Allowed("an integer or null", lambda value: value is None or is_whole(value))
A_CHECKSUM = Allowed(
    f"a string of at most {OCTETS_OF_MD5} characters, or null",
    lambda value: value is None or (isinstance(value, str) and len(value) <= OCTETS_OF_MD5),
)
TRUTH = Allowed("true or false", lambda value: isinstance(value, bool))
STRINGS = Allowed(
    "a list of strings", lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value)
)
EACH_ONCE = Allowed("each tag once", lambda value: not isinstance(value, list) or not _repeated(value))
NOT_TOO_LONG = Allowed(
    f"tags of at most {LONGEST} characters",
    lambda value: not isinstance(value, list) or all(len(each) <= LONGEST for each in value if isinstance(each, str)),
)
A_TIME_OR_NONE = A_MOMENT | Allowed("null", lambda value: value is None)


def _repeated(values: list[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str)]
    return len(texts) != len({*texts})


class Rule(NamedTuple):
    """What an attribute looks like wherever it is shown."""

    requirement: str
    name: str
    allowed: object


class Form(NamedTuple):
    """What documents of one kind look like."""

    what: str
    """What such a document shows."""
    guaranteed: str
    """The requirement that says what is always there."""
    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    links: tuple[tuple[str, str, str], ...]
    """Where links lead: the requirement, the attribute, and the target, in which ``{}`` stands for the id."""


IMAGE = Form(
    "the image",
    "IMG-ENT-01",
    tuple(name for name in GUARANTEED if name != "tags"),
    (
        Rule("IMG-ENT-03", "id", A_UUID),
        Rule("IMG-ENT-07", "status", STATUSES | OF_GLANCE),
        Rule("IMG-ENT-08", "visibility", VISIBILITIES),
        Rule("IMG-ENT-01", "protected", TRUTH),
        Rule("IMG-ENT-09", "min_ram", A_SIZE),
        Rule("IMG-ENT-09", "min_disk", A_SIZE),
        Rule("IMG-ENT-10", "size", A_SIZE),
        Rule("IMG-ENT-11", "checksum", A_CHECKSUM),
        Rule("GEN-07", "created_at", A_MOMENT),
        Rule("GEN-07", "updated_at", A_TIME_OR_NONE),
        Rule("TAG-VIS-01", "tags", STRINGS),
        Rule("TAG-VIS-05", "tags", EACH_ONCE),
        Rule("TAG-VIS-07", "tags", NOT_TOO_LONG),
    ),
    (
        ("IMG-ENT-04", "self", "/images/{}"),
        ("IMG-ENT-05", "file", "/images/{}/file"),
        ("IMG-ENT-06", "schema", "/schemas/image"),
    ),
)
LISTED_IMAGE = IMAGE._replace(what="the image in a list")
"""Entries of a list need no link to their schema: the list has its own."""
MEMBER = Form(
    "the member",
    "MEM-ENT-01",
    OF_A_MEMBER,
    (
        Rule("MEM-ENT-02", "status", OF_MEMBERS),
        Rule("MEM-ENT-01", "image_id", A_UUID),
        Rule("GEN-07", "created_at", A_MOMENT),
        Rule("GEN-07", "updated_at", A_TIME_OR_NONE),
    ),
    (("MEM-ENT-04", "schema", "/schemas/member"),),
)
LISTED_TASK = Form(
    "the task",
    "TASK-LIST-02",
    OF_A_LISTED_TASK,
    (
        Rule("TASK-ENT-01", "id", A_UUID),
        Rule("TASK-ENT-02", "status", OF_TASKS),
        Rule("GEN-07", "created_at", A_MOMENT),
        Rule("GEN-07", "updated_at", A_TIME_OR_NONE),
        Rule("GEN-07", "expires_at", A_TIME_OR_NONE),
    ),
    (("TASK-ENT-07", "self", "/tasks/{}"), ("TASK-ENT-07", "schema", "/schemas/task")),
)
TASK = LISTED_TASK._replace(guaranteed="TASK-ENT-01", names=OF_A_TASK)
