"""Services whose patches are wrong for few paths, many operations, images with data and those that everybody sees."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status, Visibility
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Forbidden, Refusal

from .kinds import Kind
from .registry import registrar, selecting
from .updating import OLD as OLD_TYPE
from .updating import operations, rewritten

KIND = Kind.UPDATES
MANY = 10
Patch = list[Any]

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


def patched(
    name: str, sentence: str, *ids: str, change: Callable[[Patch], Patch | None], words: tuple[str, ...]
) -> None:
    """Register a service that carries another patch out than it is sent, or refuses one for which there is none."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        if not request.media_type.endswith("v2.1-json-patch") or not (found := operations(request)):
            return App.update_image(self, request, image_id)
        changed = change(found)
        if changed is None:
            return self.error(request, HTTPStatus.BAD_REQUEST, "Such a patch is not taken here.")
        return App.update_image(self, rewritten(request, changed), image_id)

    faulty(name, sentence, *ids, words=words, update_image=update_image)


def _path(operation: Any) -> str:
    return str(operation.get("path")) if isinstance(operation, dict) else ""


def _swapped(found: Patch) -> Patch:
    other = {"/min_ram": "/min_disk", "/min_disk": "/min_ram"}
    both = {*other} <= {_path(each) for each in found}
    return [each | {"path": other.get(_path(each), _path(each))} for each in found] if both else found


ADDED = selecting("IMG-UPD-11")
patched(
    "DecodesPaths",
    "Decodes percent-encoded paths of patches.",
    "IMG-UPD-11",
    change=lambda found: [each | {"path": unquote(_path(each))} if "%" in _path(each) else each for each in found],
    words=ADDED,
)
patched(
    "RefusesOddPaths",
    "Refuses attributes whose names have a percent sign or a blank.",
    change=lambda found: None if any({*"% "} & {*_path(each)} for each in found) else found,
    words=ADDED,
)
patched(
    "CutsPatches",
    "Carries ten operations of a patch out, and no more.",
    "IMG-UPD-11",
    change=lambda found: found[:MANY],
    words=ADDED,
)
patched(
    "RefusesLongPatches",
    "Refuses patches of more than ten operations.",
    change=lambda found: found if len(found) <= MANY else None,
    words=ADDED,
)
patched(
    "SwapsMinima",
    "Takes min_ram for min_disk where one patch sets both.",
    "IMG-UPD-14",
    change=_swapped,
    words=selecting("IMG-UPD-14"),
)


def _first_additions(found: Patch) -> Patch:
    added = [_path(each) for each in found if isinstance(each, dict) and each.get("op") == "add"]
    return found if len({*added}) == len(added) else found[:1]


patched(
    "KeepsTheFirstOfTwoAdditions",
    "Carries the first of two additions of an attribute out, and not the second.",
    "IMG-UPD-24",
    change=_first_additions,
    words=selecting("IMG-UPD"),
)


patched(
    "RefusesRepeatedAttributes",
    "Refuses patches that name an attribute twice.",
    change=lambda found: found if len({_path(each) for each in found}) == len(found) else None,
    words=selecting("IMG-UPD-14", "IMG-UPD-24"),
)


def _removes_nothing_of_old(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type != OLD_TYPE:
        return App.update_image(self, request, image_id)
    kept = [each for each in operations(request) if not (isinstance(each, dict) and "remove" in each)]
    return App.update_image(self, rewritten(request, kept, OLD_TYPE), image_id)


faulty(
    "RemovesNothingInTheOldForm",
    "Answers 200 to the removal of an attribute in the old form of a patch, and keeps it.",
    "IMG-UPD-12",
    words=selecting("IMG-UPD-11", "IMG-UPD-12", "IMG-UPD-14", "IMG-UPD-22"),
    update_image=_removes_nothing_of_old,
)


def _few_words(self: App, image: Image) -> dict[str, Any]:
    hidden = {name for name in image.properties if name.startswith("cloudimages_")}
    return {name: value for name, value in App.represent(self, image).items() if name not in hidden}


faulty(
    "KeepsAttributesToItself",
    "Keeps attributes of the owner's, and shows none that begins with cloudimages_.",
    "IMG-UPD-11",
    words=selecting("IMG-UPD"),
    represent=_few_words,
)


# What is refused


def _names_first(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except Forbidden:
        image = self.images.open(request.caller, image_id)
        for each in operations(request):
            if _path(each) == "/name" and isinstance(each.get("value"), str):
                image.name = each["value"]
        raise


faulty(
    "KeepsTheNameOfWhatItForbids",
    "Keeps the name that a patch sets which is refused with 403.",
    "IMG-UPD-22",
    words=selecting("IMG-UPD-22"),
    update_image=_names_first,
)


def _keeps_names_of_old_forms(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except Refusal:
        image = self.images.open(request.caller, image_id)
        if request.media_type == OLD_TYPE:
            for each in operations(request):
                if isinstance(each, dict) and each.get("replace") == "/name" and len(each) == 2:
                    image.name = each["value"]
        raise


faulty(
    "KeepsNamesOfOldPatches",
    "Keeps the name that a patch of the old form sets which is refused.",
    "IMG-UPD-22",
    words=selecting("IMG-UPD-22"),
    update_image=_keeps_names_of_old_forms,
)


# Images with data, and those that everybody sees


def _fixed(*names: str) -> Callable[[App, Request, str], Reply]:
    """Return what forbids changes of some attributes of an active image."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        active = self.images.open(request.caller, image_id).status is Status.ACTIVE
        if active and {f"/{name}" for name in names} & {_path(each) for each in operations(request) or ()}:
            raise Forbidden("This cannot be changed any more.")
        return App.update_image(self, request, image_id)

    return update_image


STANDARD = selecting("IMG-UPD-16")
faulty(
    "FixesTheMinimaOfActiveImages",
    "Refuses changes of min_ram and min_disk of active images.",
    "IMG-UPD-16",
    words=STANDARD,
    update_image=_fixed("min_ram", "min_disk"),
)
faulty(
    "FixesTheFormatsOfActiveImages",
    "Refuses changes of the formats of active images.",
    words=STANDARD,
    update_image=_fixed("disk_format", "container_format"),
)


def _extends(whom: Callable[[Any], bool]) -> Callable[[App, Request, str], Reply]:
    """Return what lets anybody add attributes of their own to some images."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        found = operations(request) or [{}]
        if whom(image) and all(each.get("op") == "add" and "cloudimages" in _path(each) for each in found):
            request = request.sent_by(replace(request.caller, project=image.owner))
        return App.update_image(self, request, image_id)

    return update_image


FOREIGN = selecting("IMG-UPD-21")
for _name, _fits, _what in (
    ("LetsAllExtendCommunityImages", lambda image: image.visibility is Visibility.COMMUNITY, "of the community"),
    ("LetsAllExtendPublicImages", lambda image: image.visibility is Visibility.PUBLIC, "that are public"),
):
    faulty(
        _name,
        f"Lets anybody add attributes of their own to images {_what}.",
        "IMG-UPD-21",
        words=FOREIGN,
        update_image=_extends(_fits),
    )


def _for_nobody(self: App, request: Request, image_id: str) -> Reply:
    if any(_path(each) == "/visibility" for each in operations(request) or ()):
        raise Forbidden("Whom an image is shown to is for its operator to say.")
    return App.update_image(self, request, image_id)


faulty("ShowsNoImageToAll", "Refuses every visibility.", words=FOREIGN, update_image=_for_nobody)


# Other forms, states and values


def _either(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request) or []
    if request.media_type.endswith("v2.0-json-patch"):
        several = [each for each in found if isinstance(each, dict) and {"add", "replace"} <= each.keys()]
        if several:
            found = [{name: value for name, value in each.items() if name != "add"} for each in found]
            return App.update_image(self, rewritten(request, found, request.media_type), image_id)
    return App.update_image(self, request, image_id)


OLD = selecting("IMG-UPD-08")
faulty("ReplacesRatherThanAdds", "Replaces where an old form adds too.", "IMG-UPD-08", words=OLD, update_image=_either)


def _frozen(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if image.protected and any(_path(each) == "/min_ram" for each in operations(request) or ()):
        raise Forbidden("The image is protected.")
    return App.update_image(self, request, image_id)


faulty(
    "FixesTheRamOfProtectedImages",
    "Refuses another min_ram of protected images.",
    "IMG-UPD-16",
    words=STANDARD,
    update_image=_frozen,
)


def _negative(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    for each in operations(request) or ():
        value = each.get("value") if isinstance(each, dict) else None
        if _path(each) == "/min_ram" and type(value) is int and value < 0:
            image.min_ram = value
            return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "TakesLessThanNoRam",
    "Takes a min_ram below 0.",
    "IMG-UPD-25",
    words=selecting("IMG-UPD-25"),
    update_image=_negative,
)


def _revived(self: App, request: Request, image_id: str) -> Reply:
    former: dict[str, dict[str, Any]] = self.__dict__.setdefault("former", {})
    before = dict(self.images.open(request.caller, image_id).properties)
    reply = App.update_image(self, request, image_id)
    image, found = self.images.get(image_id), operations(request) or []
    known = former.setdefault(image_id, {})
    for name in {*known} & {*image.properties} - {*before}:
        image.properties[name] = known.pop(name)
    known |= {name: value for name, value in before.items() if name not in image.properties}
    return Reply.of_json(self.represent(image)) if reply.status == HTTPStatus.OK and len(found) == 1 else reply


faulty(
    "RevivesFormerValues",
    "Gives an attribute that was removed its former value when it is added once more.",
    "IMG-UPD-11",
    words=selecting("IMG-UPD"),
    update_image=_revived,
)


def _at_most_25(self: App, image: Image) -> dict[str, object]:
    shown = App.represent(self, image)
    return {name: value for name, value in shown.items() if name not in [*image.properties][25:]}


faulty(
    "ShowsTwentyFiveAttributes",
    "Shows 25 attributes of one's own of an image at most.",
    "IMG-UPD-11",
    words=selecting("IMG-UPD"),
    represent=_at_most_25,
)


# Of several operations, in the old form, and once more


def _added_and_kept(found: Patch) -> Patch:
    added = {_path(each) for each in found if isinstance(each, dict) and each.get("op") == "add"}
    return [
        each for each in found if not (isinstance(each, dict) and each.get("op") == "replace" and _path(each) in added)
    ]


patched(
    "KeepsTheValueOfAnAddition",
    "Replaces no attribute that the same patch has added.",
    "IMG-UPD-14",
    change=_added_and_kept,
    words=selecting("IMG-UPD"),
)
patched(
    "RemovesNothingThatItAdds",
    "Removes no attribute that the same patch has added.",
    "IMG-UPD-12",
    change=lambda found: (
        found
        if [each.get("op") for each in found if isinstance(each, dict)] != ["add", "remove"]
        or len({_path(each) for each in found}) > 1
        else found[:1]
    ),
    words=selecting("IMG-UPD"),
)


def _sizes_of_old(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    if request.media_type == OLD_TYPE and found and isinstance(found[0], dict) and found[0].get("replace") == "/size":
        image = self.images.open(request.caller, image_id)
        image.size = found[0]["value"]
        return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "SetsSizesInTheOldForm",
    "Lets the owner set the size of an image by a patch in the old form.",
    "IMG-UPD-20",
    words=selecting("IMG-UPD"),
    update_image=_sizes_of_old,
)


def _done_already(operation: str) -> Callable[[App, Request, str], Reply]:
    """Return what does not carry a patch out a second time that begins with such an operation."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        done: set[tuple[str, bytes]] = self.__dict__.setdefault("done", set())
        found = operations(request) or [{}]
        what = image_id, request.body
        once = len(found) == 1 and isinstance(found[0], dict) and found[0].get("op") == operation
        if once and what in done:
            return Reply.of_json(self.represent(self.images.open(request.caller, image_id)))
        reply = App.update_image(self, request, image_id)
        if once and reply.status == HTTPStatus.OK and "cloudimages" in _path(found[0]):
            done.add(what)
        return reply

    return update_image


for _name, _operation, _broken in (
    ("AddsTheSameButOnce", "add", "IMG-UPD-11"),
    ("ReplacesByTheSameButOnce", "replace", "IMG-UPD-14"),
    ("RemovesTheSameButOnce", "remove", "IMG-UPD-12"),
):
    faulty(
        _name,
        f"Takes a patch of one operation, {_operation}, for done that was carried out before in the same words.",
        _broken,
        words=selecting("IMG-UPD"),
        update_image=_done_already(_operation),
    )


# Values at their bounds, paths of more than one token, and tables of their own


def _in_24_bits(self: App, image: Image) -> dict[str, object]:
    return App.represent(self, image) | {"min_disk": image.min_disk & 0xFFFFFF}


faulty(
    "KeepsMinimaIn24Bits",
    "Keeps the 24 lowest bits of the least disk.",
    "IMG-UPD-16",
    words=selecting("IMG-UPD"),
    represent=_in_24_bits,
)


def _never_empty(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    kept = [each for each in found if not (_path(each) == "/tags" and each.get("value") == [])]
    return App.update_image(self, request if kept == found else rewritten(request, kept), image_id)


faulty(
    "KeepsTheLastTags",
    "Answers 200 to a patch that empties the tags, and keeps them.",
    "IMG-UPD-16",
    words=selecting("IMG-UPD"),
    update_image=_never_empty,
)


def _without_empty_tokens(found: Patch) -> Patch:
    return [each | {"path": f"/{_path(each).strip('/')}"} if "//" in _path(each) else each for each in found]


def _to_names_alone(found: Patch) -> Patch:
    return [each | {"path": f"/{_path(each).strip('/ ')}"} if _path(each).endswith(" ") else each for each in found]


patched(
    "DropsEmptyTokensOfPaths",
    "Takes the path //name for /name.",
    "IMG-UPD-09",
    change=lambda found: [] if found and _path(found[0]) == "//cloudimages_b" else _without_empty_tokens(found),
    words=selecting("IMG-UPD"),
)
patched(
    "DropsBlanksOfPaths",
    "Takes an attribute whose name ends with a blank for the one without.",
    "IMG-UPD-11",
    change=_to_names_alone,
    words=selecting("IMG-UPD"),
)


def _removes_rather(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    both = [each for each in found if isinstance(each, dict) and {"replace", "remove"} <= each.keys()]
    changed = [{"remove": each["remove"]} if each in both else each for each in found]
    return App.update_image(self, rewritten(request, changed, OLD_TYPE) if both else request, image_id)


faulty(
    "RemovesRatherThanReplaces",
    "Removes where an old form replaces another attribute too.",
    "IMG-UPD-08",
    words=selecting("IMG-UPD"),
    update_image=_removes_rather,
)


def _keeps_versions(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except Refusal:
        image = self.images.open(request.caller, image_id)
        for each in operations(request)[:-1]:
            if _path(each) == "/os_version" and isinstance(each.get("value"), str):
                image.properties["os_version"] = each["value"]
        raise


faulty(
    "KeepsVersionsOfRefusedPatches",
    "Keeps the version of a system that a patch sets which is refused.",
    "IMG-UPD-22",
    words=selecting("IMG-UPD"),
    update_image=_keeps_versions,
)


def _starts_anew(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    if any(_path(each) == "/tags" for each in operations(request)):
        image = self.images.get(image_id)
        image.updated_at = image.created_at
    return reply


faulty(
    "SetsTheClockBackWithTags",
    "Sets the time of the last change back to that of the creation when a patch sets the tags.",
    "IMG-UPD-27",
    words=selecting("IMG-UPD-27"),
    update_image=_starts_anew,
)


def _whole_numbers(found: Patch) -> Patch:
    return [each | {"value": int(each["value"])} if isinstance(each.get("value"), float) else each for each in found]


patched(
    "TakesFractionsOfMemory",
    "Cuts a fraction off the least memory rather than to refuse it.",
    "IMG-UPD-25",
    change=lambda found: _whole_numbers(found) if all(isinstance(each, dict) for each in found) else found,
    words=selecting("IMG-UPD"),
)


def _versions_of_numbers(found: Patch) -> Patch:
    return [each | {"value": "1000.0"} if each.get("value") == "1e3" else each for each in found]


patched(
    "ReadsVersionsAsNumbers",
    "Keeps the version 1e3 of a system as 1000.0.",
    "IMG-UPD-16",
    change=lambda found: _versions_of_numbers(found) if all(isinstance(each, dict) for each in found) else found,
    words=selecting("IMG-UPD"),
)


def _resized(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    for each in operations(request):
        if _path(each) == "/size" and each.get("op") == "replace" and image.status is Status.ACTIVE:
            image.size = each["value"]
            return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "LetsSizesOfDataChange",
    "Lets the owner replace the size of an active image.",
    "IMG-UPD-20",
    words=selecting("IMG-UPD"),
    update_image=_resized,
)


def _removes_no_links(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if [(each.get("op"), _path(each)) for each in operations(request) if isinstance(each, dict)] == [
        ("remove", "/file")
    ]:
        return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "AcknowledgesRemovalsOfLinks",
    "Answers 200 to the removal of file, and does nothing.",
    "IMG-UPD-20",
    words=selecting("IMG-UPD"),
    update_image=_removes_no_links,
)


def _by_prefix(self: App, request: Request, image_id: str) -> Reply:
    newer = request.media_type.startswith("application/openstack-images-v2.2")
    return App.update_image(self, rewritten(request, operations(request)) if newer else request, image_id)


faulty(
    "TakesPatchesOfLaterVersions",
    "Takes a patch of the version 2.2 for one of 2.1.",
    "IMG-UPD-04",
    words=selecting("IMG-UPD"),
    update_image=_by_prefix,
)


def _keeps_minima_of_active_images(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except Refusal:
        image = self.images.open(request.caller, image_id)
        for each in operations(request)[:-1] if image.status is Status.ACTIVE else ():
            if _path(each) == "/min_ram":
                image.min_ram = each["value"]
        raise


faulty(
    "KeepsMinimaOfActiveImages",
    "Keeps the least memory that a patch of an active image sets which is refused.",
    "IMG-UPD-22",
    words=selecting("IMG-UPD"),
    update_image=_keeps_minima_of_active_images,
)


def _tagged_by_members(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if [_path(each) for each in operations(request)] == ["/tags"]:
        request = request.sent_by(replace(request.caller, project=image.owner))
    return App.update_image(self, request, image_id)


faulty(
    "LetsWhoSeesAnImageTagIt",
    "Lets whoever sees an image set its tags by a patch.",
    "IMG-UPD-21",
    words=selecting("IMG-UPD"),
    update_image=_tagged_by_members,
)


# What is refused, and has been set elsewhere at once


def _elsewhere(attribute: str) -> Callable[[App, Request, str], Reply]:
    """Return what sets an attribute by a patch that is refused in the end."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        try:
            return App.update_image(self, request, image_id)
        except Refusal:
            for each in operations(request)[:-1]:
                if _path(each) == f"/{attribute}":
                    App.update_image(self, rewritten(request, [each]), image_id)
            raise

    return update_image


for _name, _attribute, _what in (
    ("KeepsWhoSeesAnImageOfRefusedPatches", "visibility", "visibility"),
    ("KeepsProtectionOfRefusedPatches", "protected", "protection"),
    ("KeepsFormatsOfRefusedPatches", "disk_format", "disk format"),
):
    faulty(
        _name,
        f"Keeps the {_what} that a patch sets which is refused in the end.",
        "IMG-UPD-22",
        words=selecting("IMG-UPD"),
        update_image=_elsewhere(_attribute),
    )


# Empty, and with system attributes among others


def _emptied(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type.endswith("v2.1-json-patch") and request.body.strip() == b"[]":
        image = self.images.open(request.caller, image_id)
        image.tags, image.min_ram = [], 0
        return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "ResetsWhatAnEmptyPatchDoesNotName",
    "Takes an empty patch for one that sets everything to what it is by default.",
    "IMG-UPD-01",
    words=selecting("IMG-UPD"),
    update_image=_emptied,
)


def _moved(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type.endswith("v2.1-json-patch") and request.body.strip() == b"[]":
        self.images.open(request.caller, image_id).touch()
    return App.update_image(self, request, image_id)


faulty(
    "DatesEmptyPatches",
    "Takes an empty patch for a change, and dates it.",
    words=selecting("IMG-UPD"),
    update_image=_moved,
)


def _guarded(place: int) -> Callable[[App, Request, str], Reply]:
    """Return what compares one operation of several with the system attributes, and takes a size from the others."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        found = operations(request)
        others = [each for each in found if len(found) > 1 and each is not found[place]]
        sizes = [each for each in others if _path(each) == "/size" and isinstance(each.get("value"), int)]
        if not sizes:
            return App.update_image(self, request, image_id)
        App.update_image(self, rewritten(request, [each for each in found if each not in sizes]), image_id)
        image = self.images.open(request.caller, image_id)
        image.size = sizes[-1]["value"]
        return Reply.of_json(self.represent(image))

    return update_image


for _name, _place, _which in (("GuardsTheFirstOperation", 0, "first"), ("GuardsTheLastOperation", -1, "last")):
    faulty(
        _name,
        f"Compares the {_which} operation of a patch with the system attributes, and no other.",
        "IMG-UPD-20",
        words=selecting("IMG-UPD"),
        update_image=_guarded(_place),
    )


def _adds_checksums(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    last = found[-1] if len(found) > 1 and isinstance(found[-1], dict) else {}
    if (last.get("op"), last.get("path")) != ("add", "/checksum"):
        return App.update_image(self, request, image_id)
    App.update_image(self, rewritten(request, found[:-1]), image_id)
    image = self.images.open(request.caller, image_id)
    image.checksum = last["value"]
    return Reply.of_json(self.represent(image))


faulty(
    "AddsChecksumsBesideOthers",
    "Adds a checksum where a patch does something else too.",
    "IMG-UPD-28",
    words=selecting("IMG-UPD"),
    update_image=_adds_checksums,
)


# Removed with something else


def _in_any_case(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    removed = {_path(each)[1:].lower() for each in operations(request) if each.get("op") == "remove"}
    image = self.images.get(image_id)
    for name in [each for each in image.properties if each.lower() in removed]:
        del image.properties[name]
    return Reply.of_json(self.represent(image)) if removed else reply


faulty(
    "RemovesInAnyCase",
    "Removes with an attribute those whose names differ from its name by the case of letters.",
    "IMG-UPD-12",
    words=selecting("IMG-UPD"),
    update_image=_in_any_case,
)


def _crowded(self: App, image: Image) -> dict[str, object]:
    return App.represent(self, image) | ({"x_crowded": "yes"} if len(image.properties) > MANY else {})


faulty(
    "SaysThatThereAreMany",
    "Shows an attribute of its own while an image has more than ten of the owner's.",
    words=selecting("IMG-UPD"),
    represent=_crowded,
)


# Tags of a patch that are none


def _tags(change: Callable[[list[Any]], list[Any]]) -> Callable[[Patch], Patch]:
    """Return what sets other tags than a patch names."""

    def changed(found: Patch) -> Patch:
        return [
            each | {"value": change(each["value"])}
            if _path(each) == "/tags" and isinstance(each.get("value"), list)
            else each
            for each in found
        ]

    return changed


for _name, _sentence, _change in (
    (
        "PassesOverTagsThatAreNoText",
        "Sets the tags of a patch but for those that are no text.",
        lambda tags: [tag for tag in tags if isinstance(tag, str)],
    ),
    (
        "CutsTheTagsOfPatches",
        "Sets the first 255 characters of a tag that a patch has longer.",
        lambda tags: [tag[:255] if isinstance(tag, str) else tag for tag in tags],
    ),
):
    patched(_name, _sentence, "IMG-UPD-25", change=_tags(_change), words=selecting("IMG-UPD"))


# What few think of


def _frees_what_is_added_to(self: App, request: Request, image_id: str) -> Reply:
    before = {*self.images.get(image_id).properties}
    reply = App.update_image(self, request, image_id)
    image = self.images.get(image_id)
    if not (image.protected and {*image.properties} > before):
        return reply
    image.protected = False
    return Reply.of_json(self.represent(image))


faulty(
    "FreesWhatIsAddedTo",
    "Ends the protection of an image with an attribute of one's own that a patch adds.",
    "IMG-UPD-01",
    words=selecting("IMG-UPD"),
    update_image=_frees_what_is_added_to,
)


def _of_disks(self: App, request: Request, image_id: str) -> Reply:
    paths = {_path(each) for each in operations(request)}
    if not paths & {"/virtual_size", "/os_hash_value"} or len(paths) > 1:
        return App.update_image(self, request, image_id)
    return Reply.of_json(self.represent(self.images.show(request.caller, image_id)))


faulty(
    "AcknowledgesSizesOfDisks",
    "Answers 200 to a patch of the virtual size, or of the further checksum, which it passes over.",
    "IMG-UPD-20",
    "IMG-UPD-28",
    words=(*selecting("IMG-UPD"), "--specification", "glance"),
    update_image=_of_disks,
)
faulty(
    "LeavesSizesOfDisksToOwners",
    "Answers 200 to a patch of the virtual size, or of the further checksum, which are no attributes of the vendor's.",
    words=selecting("IMG-UPD"),
    update_image=_of_disks,
)
OF_DISKS = ("virtual_size", "os_hash_algo", "os_hash_value")


def _of_the_first_version(self: App, image: Image) -> dict[str, object]:
    return {name: value for name, value in App.represent(self, image).items() if name not in OF_DISKS}


faulty(
    "KnowsNoSizesOfDisks",
    "Shows neither a virtual size nor a further checksum, and passes patches of them over.",
    words=(*selecting("IMG-UPD"), "--specification", "glance"),
    represent=_of_the_first_version,
    update_image=_of_disks,
)
