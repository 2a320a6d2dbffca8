"""The patches that are tried on an image: what each is about, and what is sent."""

import enum
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_cloudimages.areas.images.patch_model import add, remove, replaced
from pytest_cloudimages.areas.images.values import (
    FIRST,
    LONG_NAMES,
    NEAR,
    NUMBERS,
    ODD_NAMES,
    OF_LANGUAGES,
    OF_NAMES,
    OF_ONES_OWN,
    OF_SYSTEMS,
    SECOND,
    SYSTEMS,
    THIRD,
    VALUE,
    VIOLATIONS,
)
from pytest_cloudimages.client.exchange import PATCH_TYPE

MANY = 30
"""Operations of a patch of many."""
TOO_MANY = 300
"""More attributes, and tags, than the default quotas of Glance allow."""
OLD_TYPE = "application/openstack-images-v2.0-json-patch"
LEFT = (FIRST, SECOND, THIRD)
"""Those that the first patches leave on an image, and that further ones change."""


class Aim(enum.StrEnum):
    """What a patch is about."""

    NAME = "a replacement of the name"
    STANDARD = "a standard attribute that the owner may change"
    FORMAT = "a format of an image without data"
    WITH_DATA = "a standard attribute of an image with data"
    ADDED = "an attribute of one's own added"
    REPLACED = "an attribute of one's own replaced"
    ADDED_AGAIN = "an attribute added that is there"
    REMOVED = "an attribute of one's own removed"
    BACK = "an attribute of one's own added that was removed before"
    REPEATED = "a patch that was carried out before, letter for letter, and undone since"
    ESCAPED = "an attribute whose pointer has escapes"
    TOGETHER = "several operations"
    MANY = "many operations of one kind"
    TWICE = "two operations of one kind on one attribute"
    EMPTY = "no operation"
    KEPT = "standard attributes with values that a service may refuse, but not alter"
    VALUE = "an attribute with a special value"
    ALIKE = "an attribute beside one whose name is alike, or with an odd name"
    STANDARD_AGAIN = "standard attributes added that are there"
    ODD = "attributes with odd names that are there replaced, or removed"
    NEARLY = "attributes replaced by values that are nearly what they were"
    OLD_FORM = "the old form of a patch"
    FAILS_LATE = "an operation that can be done before one that cannot"
    NOT_THERE_REMOVED = "an attribute removed that is not there"
    NOT_THERE_REPLACED = "an attribute replaced that is not there"
    PROTECTED = "a system attribute replaced or removed"
    SYSTEM_ADDED = "a system attribute added"
    MEDIA_TYPE = "another media type, or none"
    NO_ARRAY = "a body that is no array of operations"
    OTHER_OPERATION = "an operation that a patch does not have"
    NO_OPERATION = "an operation object without an operation"
    POINTER = "a path that is not one reference token"
    VIOLATION = "a value that the schema of images does not allow"
    OF_THE_VENDOR = "an attribute with the vendor's prefix"


VALID = (
    *(Aim.NAME, Aim.STANDARD, Aim.FORMAT, Aim.ADDED, Aim.REPLACED, Aim.ADDED_AGAIN, Aim.REMOVED),
    *(Aim.ESCAPED, Aim.TOGETHER, Aim.VALUE, Aim.ALIKE, Aim.WITH_DATA, Aim.MANY, Aim.TWICE, Aim.BACK),
    *(Aim.REPEATED, Aim.KEPT, Aim.ODD, Aim.NEARLY, Aim.STANDARD_AGAIN),
)
"""Those that a service carries out, whole."""
CARRIED_OUT = (*VALID, Aim.OLD_FORM, Aim.EMPTY)
"""Those of which a service that acknowledges one has done what it says."""
OPTIONAL = (Aim.OLD_FORM, Aim.EMPTY)
"""Those that a service may carry out or refuse."""
_OF_ONES_OWN = (*VALID, Aim.EMPTY, Aim.NOT_THERE_REMOVED, Aim.NOT_THERE_REPLACED)
"""Those of attributes of one's own, but for what a value of the name is."""


@dataclass(frozen=True)
class Wanted:
    """One patch: what it is about, and what is sent."""

    aim: Aim
    body: Any
    media_type: str | None = PATCH_TYPE
    needs: str = ""
    """The attribute that has to be there for it to mean anything."""
    kind: str = ""
    """The class of the value, where that is what it is about."""
    of_what_is_there: bool = False
    """Whether it has no operation on what is not there: which of these attributes a service takes is its own."""

    @property
    def of_the_name(self) -> bool:
        """Whether it is about a special value of the name."""
        return self.aim is Aim.VALUE and self.body[0]["path"] == "/name"

    @cached_property
    def in_words(self) -> str:
        """What is sent, for messages: it may be long, and most checks name what they look at."""
        return f"{self.aim}, {self.body!a} sent as {self.media_type}"


def patches(*, whole: bool) -> list[list[Wanted]]:
    """Return all patches in the order in which they are tried: a few of each kind, which show most, then the rest.

    For MUSTs alone the few are all. Those of a list may be tried on an image of its own that has what is ``LEFT``.
    """
    first = [*_patches(whole=False)]
    rest = [wanted for wanted in _patches(whole=True) if wanted not in first] if whole else []
    # What is asked of attributes that came and went is asked where they did.
    of_ones_own = [wanted for wanted in rest if wanted.aim in _OF_ONES_OWN and not wanted.of_the_name]
    others = [wanted for wanted in rest if wanted not in of_ones_own]
    half = len(others) // 2
    return [part for part in (first, of_ones_own, others[:half], others[half:]) if part]


def _patches(*, whole: bool) -> Iterator[Wanted]:
    yield Wanted(Aim.NAME, [replaced("/name", "cloudimages renamed")])
    yield from _valid(whole=whole)
    for aim, bodies in _refused().items():
        yield from (Wanted(aim, body) for body in (bodies if whole else bodies[:2]))
    yield from _of_media_types(whole=whole)
    names = ("com.rackspace__1__cloudimages", "com.rackspace.cloudimages", "com.rackspace_cloudimages")
    for name in names if whole else names[:1]:
        yield Wanted(Aim.OF_THE_VENDOR, [add(f"/{name}", "of nobody's")])
    if whole:
        for name, value in VIOLATIONS:
            yield Wanted(Aim.VIOLATION, [replaced(f"/{name}", value)], needs=name if name == FIRST else "")
        # Each of the two could be done by itself, whichever of them a service takes.
        both = {"add": "/cloudimages_of_two", "replace": "/name", "value": "of two"}
        other = {"replace": "/name", "remove": f"/{FIRST}", "value": "of two others"}
        none = {"path": "/name", "value": "of no operation"}
        yield from (Wanted(Aim.NO_OPERATION, [each], OLD_TYPE) for each in (both, other, none))
        # What is protected is so in whatever form a patch comes.
        for name, value in (("size", 5), ("status", "active")):
            yield Wanted(Aim.PROTECTED, [{"replace": f"/{name}", "value": value}], OLD_TYPE)
        half = [{"replace": "/name", "value": "cloudimages half"}, {"remove": "/cloudimages_lacking"}]
        yield Wanted(Aim.FAILS_LATE, half, OLD_TYPE)
        yield Wanted(Aim.OLD_FORM, [{"add": "/cloudimages_old", "value": "of the old form"}], OLD_TYPE)
        yield Wanted(Aim.OLD_FORM, [{"replace": "/name", "value": "cloudimages old form"}], OLD_TYPE)
        yield Wanted(Aim.OLD_FORM, [{"remove": "/cloudimages_old"}], OLD_TYPE, needs="cloudimages_old")


def _valid(*, whole: bool) -> Iterator[Wanted]:
    # Memory comes in steps in some services, and disks have some size at least.
    standard: list[tuple[str, object]] = [("tags", ["of", "a patch"]), ("min_ram", 1024), ("min_disk", 20)]
    # Protection is of deletion alone.
    standard += [("protected", True), ("min_ram", 1536)]
    yield from (Wanted(Aim.STANDARD, [replaced(f"/{name}", value)]) for name, value in standard)
    yield Wanted(Aim.ADDED, [add(f"/{SECOND}", "as added too")])
    standard = [("protected", False)]
    # What has a value can be given the one that it had at first.
    standard += [("tags", []), ("min_disk", 0), ("min_ram", 0)] if whole else [("tags", []), ("min_disk", 0)]
    yield from (Wanted(Aim.STANDARD, [replaced(f"/{name}", value)]) for name, value in standard)
    yield from (Wanted(Aim.STANDARD, [add(f"/{name}", value)]) for name, value in OF_SYSTEMS)
    formats = (("container_format", "ovf"), ("disk_format", "qcow2"))
    yield from (Wanted(Aim.FORMAT, [replaced(f"/{name}", value)]) for name, value in formats)
    yield Wanted(Aim.ADDED, [add(f"/{FIRST}", "as added")])
    yield Wanted(Aim.REPLACED, [replaced(f"/{FIRST}", "as replaced")], needs=FIRST)
    if whole:
        yield Wanted(Aim.ADDED_AGAIN, [add(f"/{FIRST}", "as added again")], needs=FIRST)
        yield Wanted(Aim.REPEATED, [replaced(f"/{FIRST}", "as replaced")], needs=FIRST)
        yield Wanted(Aim.ALIKE, [add(f"/{FIRST.upper()}", "in capitals")], needs=FIRST)
        yield Wanted(Aim.ALIKE, [add(f"/{FIRST}-", "with a dash")], needs=FIRST)
        yield from _of_odd_names()
    yield Wanted(Aim.REMOVED, [remove(f"/{SECOND}")], needs=SECOND)
    yield Wanted(Aim.ESCAPED, [add("/~0~1.ssh~1", "of a path")])
    yield Wanted(Aim.ESCAPED, [add("/cloudimages~01", "of a tilde before a digit")])
    yield Wanted(Aim.ESCAPED, [remove("/~0~1.ssh~1")], needs="~/.ssh/")
    together = [replaced("/name", "cloudimages renamed again"), add(f"/{SECOND}", "added with others")]
    yield Wanted(Aim.TOGETHER, [*together, replaced("/min_ram", 512), remove("/cloudimages~01")], needs="cloudimages~1")
    yield Wanted(Aim.TOGETHER, [add(f"/{THIRD}", "first"), replaced(f"/{THIRD}", "then")])
    if whole:
        last = [remove(f"/{THIRD}"), add("/cloudimages_fourth", "")]
        yield Wanted(Aim.TOGETHER, last, needs=THIRD)
        yield Wanted(Aim.TOGETHER, [add("/cloudimages_fifth", "for a moment"), remove("/cloudimages_fifth")])
        again = [remove(f"/{FIRST}"), add(f"/{FIRST}", "added again"), replaced(f"/{FIRST}", "and replaced")]
        yield Wanted(Aim.TOGETHER, again, needs=FIRST)
        yield Wanted(Aim.MANY, [replaced("/min_disk", 50), replaced("/min_ram", 4096), replaced("/tags", ["with"])])
        # What else a patch says counts as well where it protects an image, and where it frees it.
        yield Wanted(Aim.MANY, [replaced("/protected", True), replaced("/min_disk", 60)])
        yield Wanted(
            Aim.MANY, [replaced("/min_ram", 2048), replaced("/protected", False), replaced("/tags", ["freed"])]
        )
        many = [f"/cloudimages_of_many_{place}" for place in range(MANY)]
        yield Wanted(Aim.MANY, [add(path, f"of {path[1:]}") for path in many])
        # One stays whose name begins with that of another, which is removed: it is another attribute.
        gone = [path for path in many if path != f"{many[1]}0"]
        yield Wanted(Aim.MANY, [remove(path) for path in gone], needs=many[-1][1:])
        # What was removed before can be added, and removed, once more.
        yield Wanted(Aim.BACK, [add(many[1], "added once more")])
        yield Wanted(Aim.REMOVED, [remove(many[1])], needs=many[1][1:])
        yield Wanted(Aim.REPEATED, [add(many[1], "added once more")])
        yield Wanted(Aim.REPEATED, [remove(many[1])], needs=many[1][1:])
        yield Wanted(Aim.TWICE, [replaced("/min_ram", 512), replaced("/min_ram", 2560)])
        yield Wanted(Aim.TWICE, [add(f"/{FIRST}", "at first"), add(f"/{FIRST}", "at last")], needs=FIRST)
        again = [add("/name", "cloudimages added"), add("/min_ram", 1024), add("/tags", ["added", "again"])]
        yield Wanted(Aim.STANDARD_AGAIN, again)
        yield Wanted(Aim.EMPTY, [])
        for number in NUMBERS:
            yield Wanted(Aim.KEPT, [replaced("/min_ram", number), replaced("/min_disk", max(number - 2, 0))])
        for disk, container, system, version in SYSTEMS:
            yield Wanted(
                Aim.KEPT,
                [
                    *(replaced("/disk_format", disk), replaced("/container_format", container)),
                    *(add("/os_distro", system), add("/os_version", version)),
                ],
            )
        yield from _of_values()


def _of_odd_names() -> Iterator[Wanted]:
    yield from (Wanted(Aim.ALIKE, [add(f"/{name}", "of an odd name")]) for name in ODD_NAMES)
    for names in (*OF_LANGUAGES, LONG_NAMES):
        yield Wanted(Aim.ALIKE, [add(f"/{name}", "of a name with a meaning") for name in names])
    odd = (*ODD_NAMES, FIRST.upper(), f"{FIRST}-")
    again = [replaced(f"/{name}", "of an odd name still") for name in odd]
    yield Wanted(Aim.ODD, again, of_what_is_there=True)
    yield Wanted(Aim.ODD, [remove(f"/{name}") for name in odd], of_what_is_there=True)


def _of_values() -> Iterator[Wanted]:
    yield from (Wanted(Aim.VALUE, [add(f"/{VALUE}", text)], kind=kind) for kind, text in OF_ONES_OWN.items())
    yield from (Wanted(Aim.VALUE, [replaced("/name", text)], kind=kind) for kind, text in OF_NAMES.items() if text)
    first = [add(f"/{name}", value) for name, (value, _) in NEAR.items()]
    yield Wanted(Aim.VALUE, first, kind="nearly what they are set to then")
    then = [replaced(f"/{name}", value) for name, (_, value) in NEAR.items()]
    yield Wanted(Aim.NEARLY, then, of_what_is_there=True)


def with_data(*, of_glance: bool) -> Iterator[Wanted]:
    """Yield patches of an image that has data: all but its formats may be changed, as rulings, 28, has it."""
    standard: list[tuple[str, object]] = [("min_ram", 3072), ("protected", True), ("min_disk", 40)]
    standard += [("name", "cloudimages with data"), ("tags", ["of", "data"]), ("protected", False)]
    yield from (Wanted(Aim.WITH_DATA, [replaced(f"/{name}", value)]) for name, value in standard)
    own = "cloudimages_of_data"
    yield Wanted(Aim.TOGETHER, [add(f"/{own}", "of data"), replaced("/min_ram", 512)])
    yield Wanted(Aim.REMOVED, [remove(f"/{own}")], needs=own)
    late = [replaced("/name", "cloudimages half"), replaced("/min_ram", 98), replaced("/tags", ["half"])]
    late += [replaced("/visibility", "private"), add("/checksum", "0" * 32)]
    yield Wanted(Aim.FAILS_LATE, late)
    # What says something of the data is there to be changed now.
    for name, value in (("size", 5), ("checksum", "0" * 32), ("status", "queued")):
        yield Wanted(Aim.PROTECTED, [replaced(f"/{name}", value)])
    yield from (Wanted(Aim.PROTECTED, [remove(f"/{name}")]) for name in ("checksum", "size"))
    for name, value in (("size", 5), ("checksum", "0" * 32)):
        yield Wanted(Aim.SYSTEM_ADDED, [add(f"/{name}", value)])
    # What Glance says of the data besides, where it is shown; elsewhere it may be an attribute of whoever sets it.
    for name, value in (("virtual_size", 1 << 30), ("os_hash_value", "0" * 128)) if of_glance else ():
        yield Wanted(Aim.PROTECTED, [replaced(f"/{name}", value)], needs=name)
        yield Wanted(Aim.SYSTEM_ADDED, [add(f"/{name}", value)], needs=name)


def of_an_older_image() -> Iterator[Wanted]:
    """Yield patches of every operation for an image that is older than its first changes."""
    late = "cloudimages_late"
    yield Wanted(Aim.STANDARD, [replaced("/min_disk", 60)])
    yield Wanted(Aim.ADDED, [add(f"/{late}", "of an older image")])
    yield Wanted(Aim.REPLACED, [replaced(f"/{late}", "as replaced")], needs=late)
    yield Wanted(Aim.TOGETHER, [replaced("/name", "cloudimages older"), add(f"/{late}", "as added again")], needs=late)
    yield Wanted(Aim.REMOVED, [remove(f"/{late}")], needs=late)
    yield Wanted(Aim.STANDARD, [replaced("/tags", ["late"])])
    # More than most services take: what is refused for that is not kept either.
    too_many = [add(f"/cloudimages_too_many_{place}", "of too many") for place in range(TOO_MANY)]
    yield Wanted(Aim.MANY, too_many)
    tags = [f"cloudimages too many {place}" for place in range(TOO_MANY)]
    yield Wanted(Aim.MANY, [replaced("/name", "cloudimages too many"), replaced("/tags", tags)])
    # The last: what has no name any more may be refused another.
    yield Wanted(Aim.VALUE, [replaced("/name", None)], kind="null")


def _refused() -> dict[Aim, list[Any]]:
    """Return the bodies that a service refuses, each a case of its aim."""
    nobody = str(uuid.UUID(int=4))
    system = {
        "id": nobody,
        "status": "active",
        "size": 5,
        "checksum": "0" * 32,
        "created_at": "2001-02-03T04:05:06Z",
        "self": f"/v2/images/{nobody}",
        "file": f"/v2/images/{nobody}/file",
        "schema": "/v2/schemas/member",
    }
    # What is last fails; before it comes what some services do not know, or keep elsewhere: who sees an image, who may
    # delete it. Whichever visibility it has, one of the two is another.
    failing = (
        (replaced("/visibility", "private"), replaced("/size", 5)),
        (replaced("/visibility", "shared"), replaced("/status", "active")),
        (replaced("/protected", True), replaced("/os_hidden", True), add("/cloudimages_a/b", "of two tokens")),
        (replaced("/disk_format", "iso"), replaced("/container_format", "aki"), replaced("/visibility", "bogus")),
        ({"op": "move", "from": f"/{FIRST}", "path": "/cloudimages_moved"},),
    )
    # A service may keep each kind of attributes in a table of its own.
    half = (
        *(replaced("/min_disk", 7), add("/os_version", "half"), add("/cloudimages_halved", "of a patch")),
        *(replaced(f"/{FIRST}", "half"), remove(f"/{SECOND}"), replaced("/tags", ["half"])),
    )
    return {
        Aim.NOT_THERE_REMOVED: [
            [remove("/cloudimages_absent")],
            [remove("/cloudimages_firs")],
            # These were there until a patch removed them.
            [remove(f"/{THIRD}")],
            [remove("/cloudimages_fifth")],
            # It is there once.
            [remove(f"/{FIRST}"), remove(f"/{FIRST}")],
        ],
        Aim.NOT_THERE_REPLACED: [
            [replaced("/cloudimages_missing", "of nothing")],
            [replaced("/cloudimages_secon", "of a part")],
            [replaced(f"/{THIRD}", "of what was there")],
        ],
        Aim.PROTECTED: [
            *([replaced(f"/{name}", value)] for name, value in system.items() if name != "size"),
            # Nor before what can be done; by itself it is set where there is data.
            [replaced("/size", 5), replaced("/name", "of a size")],
            *([remove(f"/{name}")] for name in ("id", "status", "created_at", "self", "file", "schema", "size")),
        ],
        Aim.SYSTEM_ADDED: [[add(f"/{name}", system[name])] for name in ("size", "status", "checksum", "created_at")],
        Aim.NO_ARRAY: [
            replaced("/name", "of an object"),
            [replaced("/name", "in an array")["path"]],
            "text",
            None,
            [[replaced("/name", "of an array in an array")]],
            [{"op": "replace", "path": "/name"}],
            [{"op": "add", "value": "without a path"}],
            [{"op": "add", "path": "/cloudimages_valueless"}],
            [{"op": "add", "path": f"/{FIRST}"}],
            *([replaced("/name", "before what is no operation"), each] for each in ("text", None)),
            [replaced("/name", "before one without a value"), {"op": "replace", "path": f"/{FIRST}"}],
        ],
        Aim.OTHER_OPERATION: [
            [{"op": "move", "from": f"/{FIRST}", "path": "/cloudimages_moved"}],
            [{"op": "REPLACE", "path": "/name", "value": "in capitals"}],
            [{"op": "copy", "from": "/name", "path": "/cloudimages_copied"}],
            [{"op": "test", "path": "/cloudimages_absent", "value": "another"}],
            [{"op": "delete", "path": f"/{FIRST}"}],
        ],
        Aim.NO_OPERATION: [
            [{"path": "/name", "value": "without an operation"}],
            [{"op": None, "path": "/name", "value": "of nothing"}],
            [{"add": f"/{SECOND}", "replace": "/name", "value": "of two"}],
            [replaced("/name", "before one without an operation"), {"path": f"/{FIRST}", "value": "of none"}],
        ],
        Aim.POINTER: [
            [replaced("/name/x", "below")],
            [replaced("name", "without a slash")],
            [add("/cloudimages_a/b", "of two tokens")],
            [add("/", "without a token")],
            [add("//cloudimages_b", "after an empty token")],
            [add("/cloudimages~2", "of no escape")],
            [add("/cloudimages~", "of half an escape")],
            [replaced("/name/", "before an empty token")],
            [replaced("//name", "after an empty token")],
            [replaced(f"/{FIRST}/", "before an empty token")],
            [replaced("", {"name": "of the whole image"})],
        ],
        # What the last of them is sent by itself before, so that it is told by itself where it is taken.
        Aim.FAILS_LATE: [
            [replaced("/name", "cloudimages half"), *half, remove("/cloudimages_lacking")],
            [add("/cloudimages_half", "of a patch"), replaced("/id", nobody)],
            [replaced("/min_ram", 512), replaced("/min_disk", "many")],
            [remove(f"/{FIRST}"), replaced("/cloudimages_wanting", "of nothing")],
            *([replaced("/name", "cloudimages half"), replaced("/min_ram", 513), *half, *last] for last in failing),
        ],
    }


def _of_media_types(*, whole: bool) -> Iterator[Wanted]:
    others = ["application/json", None, "text/plain", "application/json-patch+json"]
    others += [f"{PATCH_TYPE}x", "application/openstack-images-v2.2-json-patch"]
    for media_type in others if whole else others[:2]:
        # What is refused is the type, and not a sign in a name.
        plainly = str(media_type).translate({ord("/"): " ", ord("+"): " "})
        yield Wanted(Aim.MEDIA_TYPE, [replaced("/name", f"of {plainly}")], media_type)
