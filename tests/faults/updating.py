"""Services that update images otherwise than a patch says."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.messages import Headers
from pytest_cloudimages.reference.patching import MEDIA_TYPES
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.UPDATES
UPDATES = selecting("IMG-UPD", "IMG-ENT-02", "IMG-ENT-12", "IMG-ENT-13", "IMG-ENT-14")
"""What looks at the patches of one image."""
CURRENT, OLD = MEDIA_TYPES
FIRST_TWO = ("/cloudimages_first", "/cloudimages_second")
Operations = list[Any]


def operations(request: Request) -> Operations:
    """Return the operations of a patch; none where its body is no array."""
    try:
        document = json.loads(request.body)
    except ValueError:
        return []
    return document if isinstance(document, list) else []


def rewritten(request: Request, document: object, media_type: str = CURRENT) -> Request:
    """Return the same request with another patch in it."""
    headers = [
        (name, value) for name, value in request.headers.lines if name.lower() not in ("content-type", "content-length")
    ]
    return replace(
        request, body=json.dumps(document).encode(), headers=Headers([*headers, ("Content-Type", media_type)])
    )


def updates(
    name: str, sentence: str, *ids: str, answer: Callable[[App, Request, str], Reply], words: tuple[str, ...] = UPDATES
) -> None:
    """Register a service that answers patches in a way of its own."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        return answer(self, request, image_id)

    breaks(*ids, words=words)(
        type(name, (App,), {"__doc__": sentence, "__module__": __name__, "update_image": update_image})
    )


def rewrites(
    name: str, sentence: str, *ids: str, change: Callable[[Mapping[str, Any]], object], words: tuple[str, ...] = UPDATES
) -> None:
    """Register a service that carries out other operations than it was sent; ``None`` leaves one out."""

    def answer(self: App, request: Request, image_id: str) -> Reply:
        found = operations(request)
        if request.media_type == CURRENT and found and all(isinstance(each, dict) for each in found):
            changed = [change(each) for each in found]
            request = rewritten(request, [each for each in changed if each is not None])
        return App.update_image(self, request, image_id)

    updates(name, sentence, *ids, answer=answer, words=words)


def forgives(
    name: str, sentence: str, *ids: str, when: Callable[[Operations], bool], status: HTTPStatus = HTTPStatus.OK
) -> None:
    """Register a service that answers something else to some patches that it refuses, and changes nothing."""

    def answer(self: App, request: Request, image_id: str) -> Reply:
        try:
            return App.update_image(self, request, image_id)
        except Refusal:
            if request.media_type != CURRENT or not when(operations(request)):
                raise
            if status == HTTPStatus.OK:
                return self.show_image(request, image_id)
            return self.error(request, status, "It is not so.")

    updates(name, sentence, *ids, answer=answer)


def _single(found: Operations) -> Mapping[str, Any]:
    return found[0] if len(found) == 1 and isinstance(found[0], dict) else {}


def _of(op: str, *paths: str) -> Callable[[Operations], bool]:
    return lambda found: _single(found).get("op") == op and _single(found).get("path") in paths


def _value(change: Callable[[Any], object], *paths: str) -> Callable[[Mapping[str, Any]], object]:
    """Return what stores another value in place of some, or of all that are text."""

    def changed(operation: Mapping[str, Any]) -> object:
        value = operation.get("value")
        if operation.get("path") in paths or (not paths and isinstance(value, str)):
            return dict(operation) | {"value": change(value)}
        return operation

    return changed


# The answer


def _by_202(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    return replace(reply, status=HTTPStatus.ACCEPTED) if reply.status == HTTPStatus.OK else reply


def _without_a_body(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    return Reply(HTTPStatus.NO_CONTENT) if reply.status == HTTPStatus.OK else reply


def _as_before(self: App, request: Request, image_id: str) -> Reply:
    shown = self.represent(self.images.show(request.caller, image_id))
    reply = App.update_image(self, request, image_id)
    return Reply.of_json(shown) if reply.status == HTTPStatus.OK else reply


def _without_tags(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    if reply.status == HTTPStatus.OK and b"/tags" not in request.body:
        image = self.images.get(image_id)
        image.tags.clear()
        return Reply.of_json(self.represent(image))
    return reply


def _of_the_old_form(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type == CURRENT:
        return App.update_image(self, rewritten(request, [], "application/json"), image_id)
    return App.update_image(self, request, image_id)


updates("UpdatesBy202", "Answers 202 to a patch.", "IMG-UPD-01", "IMG-UPD-26", answer=_by_202)
updates("UpdatesWithoutABody", "Answers 204 to a patch.", "IMG-UPD-01", "IMG-UPD-26", answer=_without_a_body)
updates(
    "ShowsTheImageBeforeThePatch", "Answers a patch with the image as it was before.", "IMG-UPD-01", answer=_as_before
)
updates(
    "LosesTagsByAPatch",
    "Takes the tags off by every patch that does not name them.",
    "IMG-UPD-01",
    answer=_without_tags,
)
updates(
    "KnowsTheOldFormAlone",
    "Answers 415 to the present form of a patch.",
    "IMG-UPD-01",
    "IMG-UPD-02",
    answer=_of_the_old_form,
)


# Media types


def _any_type(self: App, request: Request, image_id: str) -> Reply:
    wanted = request.media_type if request.media_type == OLD else CURRENT
    return App.update_image(self, replace(request, headers=Headers([("Content-Type", wanted)])), image_id)


def _json_alone_too(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type == "application/json":
        request = replace(request, headers=Headers([("Content-Type", CURRENT)]))
    return App.update_image(self, request, image_id)


def _by_400(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    return self.error(request, HTTPStatus.BAD_REQUEST, "Another type.") if reply.status == 415 else reply


def _unnamed(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    kept = tuple(field for field in reply.headers if field[0] != "Accept-Patch")
    return replace(reply, headers=kept)


updates("TakesPatchesOfAnyType", "Reads a patch whatever its media type.", "IMG-UPD-04", answer=_any_type)
updates("TakesPatchesAsJson", "Reads a patch sent as application/json.", "IMG-UPD-04", answer=_json_alone_too)
updates("RefusesOtherTypesBy400", "Answers 400 to another media type of a patch.", "IMG-UPD-04", answer=_by_400)
updates("NamesNoPatchTypes", "Leaves Accept-Patch out of the 415 to a patch.", "IMG-UPD-05", answer=_unnamed)


# The document


def _an_object_too(self: App, request: Request, image_id: str) -> Reply:
    try:
        document = json.loads(request.body)
    except ValueError:
        document = None
    if isinstance(document, dict) and request.media_type == CURRENT:
        request = rewritten(request, [document])
    return App.update_image(self, request, image_id)


def _no_array(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type == CURRENT and request.body in (b"null", b'"text"'):
        return self.show_image(request, image_id)
    return App.update_image(self, request, image_id)


updates(
    "TakesAnObjectForAPatch", "Reads an object as the only operation of a patch.", "IMG-UPD-06", answer=_an_object_too
)
updates("TakesNothingForAPatch", "Answers 200 to a patch that is no array.", "IMG-UPD-06", answer=_no_array)
rewrites(
    "ReplacesByNothing",
    "Takes an empty text where an operation lacks its value.",
    "IMG-UPD-06",
    change=lambda each: {"value": "", **each},
)
forgives(
    "PassesOverOtherOperations",
    "Answers 200 to operations that it does not know.",
    "IMG-UPD-07",
    when=lambda found: (
        isinstance(_single(found).get("op"), str) and _single(found)["op"] not in ("add", "replace", "remove")
    ),
)
rewrites(
    "KnowsOperationsInAnyCase",
    "Reads operations in any case.",
    "IMG-UPD-07",
    change=lambda each: dict(each) | ({"op": each["op"].lower()} if isinstance(each.get("op"), str) else {}),
)
rewrites(
    "KnowsDelete",
    "Takes delete for remove.",
    "IMG-UPD-07",
    change=lambda each: dict(each) | ({"op": "remove"} if each.get("op") == "delete" else {}),
)
forgives(
    "PassesOverNoOperation",
    "Answers 200 to an operation object without an operation.",
    "IMG-UPD-08",
    when=lambda found: bool(_single(found)) and _single(found).get("op") is None,
)
rewrites(
    "ReplacesWhereNothingIsSaid",
    "Takes an operation object without an operation for a replacement.",
    "IMG-UPD-08",
    change=lambda each: {"op": "replace", **each} if "path" in each else each,
)
rewrites(
    "CutsPathsToTheirFirstToken",
    "Reads no more of a path than its first token.",
    "IMG-UPD-09",
    change=lambda each: (
        dict(each)
        | (
            {"path": "/" + each["path"].split("/")[1]}
            if str(each.get("path")).count("/") > 1 and each["path"][1] != "/"
            else {}
        )
    ),
)
rewrites(
    "TakesPathsWithoutASlash",
    "Reads a path without its slash.",
    "IMG-UPD-09",
    change=lambda each: (
        dict(each)
        | (
            {"path": f"/{each['path']}"}
            if isinstance(each.get("path"), str) and each["path"][:1] not in ("/", "")
            else {}
        )
    ),
)
rewrites(
    "TakesHalfAnEscape",
    "Reads a tilde that begins no escape as a tilde.",
    "IMG-UPD-09",
    change=lambda each: (
        dict(each) | ({"path": each["path"].replace("~2", "~02")} if isinstance(each.get("path"), str) else {})
    ),
)
rewrites(
    "LeavesEscapesAlone",
    "Reads the escapes of a path as they stand.",
    "IMG-UPD-10",
    change=lambda each: (
        dict(each)
        | (
            {"path": each["path"].replace("~", "~0")}
            if str(each.get("path")) in ("/~0~1.ssh~1", "/cloudimages~01")
            else {}
        )
    ),
)
rewrites(
    "UndoesEscapesTwice",
    "Undoes the escapes of a path twice.",
    "IMG-UPD-10",
    change=lambda each: (
        dict(each) | ({"path": each["path"].replace("~01", "~1")} if isinstance(each.get("path"), str) else {})
    ),
)

# What is stored

rewrites(
    "StripsAttributes",
    "Takes white space off the ends of values.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    change=_value(lambda text: text.strip() or text),
)
rewrites(
    "KeepsAttributesInLowerCase", "Stores values in lower case.", "IMG-UPD-11", "IMG-UPD-14", change=_value(str.lower)
)
rewrites(
    "CutsAttributesTo200",
    "Cuts values to 200 characters.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    "IMG-UPD-25",
    change=_value(lambda text: text[:200]),
)
rewrites(
    "KeepsOneScript",
    "Replaces what is no ASCII by question marks.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    change=_value(lambda text: text.encode("ascii", "replace").decode()),
)
rewrites(
    "UnescapesMarkup",
    "Undoes the escapes of markup in values.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    change=_value(lambda text: text.replace("&amp;", "&")),
)
rewrites(
    "ReadsNullAsNoValue",
    "Stores an empty text for the word null.",
    "IMG-UPD-11",
    "IMG-UPD-14",
    change=_value(lambda text: "" if text == "null" else text),
)
rewrites(
    "DropsAdditionsByPatch",
    "Answers 200 to the addition of an attribute of the owner's, and does nothing.",
    "IMG-UPD-06",
    "IMG-UPD-11",
    "IMG-ENT-02",
    "IMG-ENT-13",
    change=lambda each: None if each.get("op") == "add" and each.get("path") in FIRST_TWO else each,
)
rewrites(
    "KeepsWhatIsRemoved",
    "Answers 200 to the removal of an attribute, and keeps it.",
    "IMG-UPD-12",
    "IMG-UPD-10",
    "IMG-UPD-13",
    "IMG-UPD-20",
    change=lambda each: None if each.get("op") == "remove" else each,
)
rewrites(
    "KeepsWhatIsReplaced",
    "Answers 200 to the replacement of an attribute of the owner's, and keeps the old value.",
    "IMG-UPD-14",
    "IMG-UPD-15",
    change=lambda each: (
        None
        if each.get("op") == "replace"
        and "value" in each
        and re.fullmatch(r"/cloudimages_[^/]*", str(each.get("path")))
        else each
    ),
)
forgives(
    "RemovesWhatIsNotThere",
    "Answers 200 to the removal of an attribute that is not there.",
    "IMG-UPD-13",
    when=_of("remove", "/cloudimages_absent", "/cloudimages_firs"),
)
forgives(
    "ReplacesWhatIsNotThere",
    "Answers 200 to the replacement of an attribute that is not there.",
    "IMG-UPD-15",
    when=_of("replace", "/cloudimages_missing", "/cloudimages_secon"),
)
rewrites(
    "CreatesWhatIsReplaced",
    "Creates an attribute that is to be replaced and is not there.",
    "IMG-UPD-15",
    change=lambda each: (
        dict(each)
        | ({"op": "add"} if each.get("op") == "replace" and str(each.get("path")).startswith("/cloudimages_") else {})
    ),
)
rewrites(
    "KeepsTheMinimumOfDisk",
    "Answers 200 to another least disk, and keeps the old one.",
    "IMG-UPD-16",
    change=lambda each: None if each.get("path") == "/min_disk" and each.get("value") == 20 else each,
)
rewrites(
    "KeepsTheSystemInCapitals",
    "Stores the name of a system in capitals.",
    "IMG-UPD-16",
    "IMG-ENT-14",
    change=_value(str.upper, "/os_distro"),
)
rewrites(
    "SortsNoTagsButOne",
    "Keeps the first of several tags.",
    "IMG-UPD-16",
    change=_value(lambda tags: tags[:1] if isinstance(tags, list) and len(tags) > 1 else tags, "/tags"),
)


def _format_stays(self: App, request: Request, image_id: str) -> Reply:
    if b'"/disk_format"' in request.body:
        raise Forbidden("The format stays as it is.")
    return App.update_image(self, request, image_id)


def _says_nothing(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    return replace(reply, body=b"") if reply.status == HTTPStatus.OK else reply


updates("AnswersPatchesWithNothing", "Answers 200 to a patch, without the image.", "IMG-UPD-01", answer=_says_nothing)


updates(
    "KeepsFormats", "Answers 403 to another disk format of an image without data.", "IMG-UPD-16", answer=_format_stays
)


@breaks("IMG-UPD-11", "IMG-ENT-12", words=UPDATES)
class ShowsNumbersForText(App):
    """Shows attributes of the owner's as numbers where their text is one."""

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        text = str(shown.get("cloudimages_value"))
        return shown | ({"cloudimages_value": float(text)} if text.replace(".", "").isdecimal() else {})


# Protected


forgives(
    "FeignsToChangeSystemAttributes",
    "Answers 200 to another checksum, and keeps it.",
    "IMG-UPD-20",
    when=_of("replace", "/checksum"),
)
forgives(
    "FeignsToRemoveSystemAttributes",
    "Answers 200 to the removal of the time of creation.",
    "IMG-UPD-20",
    when=_of("remove", "/created_at"),
)
forgives(
    "FeignsToAddSystemAttributes", "Answers 200 to the addition of a size.", "IMG-UPD-28", when=_of("add", "/size")
)


def _statuses_too(self: App, request: Request, image_id: str) -> Reply:
    each = _single(operations(request))
    if request.media_type == CURRENT and each.get("path") == "/checksum" and "value" in each:
        with self.images.lock:
            self.images.open(request.caller, image_id).checksum = each["value"]
            return self.show_image(request, image_id)
    return App.update_image(self, request, image_id)


updates(
    "LetsChecksumsBeSet", "Stores the checksum that a patch names.", "IMG-UPD-20", "IMG-UPD-28", answer=_statuses_too
)


def _of_the_vendor(self: App, request: Request, image_id: str) -> Reply:
    each = _single(operations(request))
    if str(each.get("path")).startswith("/com.rackspace"):
        return self.show_image(request, image_id)
    return App.update_image(self, request, image_id)


updates(
    "TakesTheVendorsPrefix",
    "Takes attributes with the vendor's prefix.",
    "IMG-UPD-18",
    answer=_of_the_vendor,
    words=(*UPDATES, "--specification", "cloud-images"),
)
updates(
    "HasNoVendorsPrefix",
    "Takes attributes with the vendor's prefix, and does not say that it is the vendor's service.",
    answer=_of_the_vendor,
)


# Whole, or not at all


def _up_to_the_failure(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except Refusal:
        found = operations(request)
        if request.media_type == CURRENT and len(found) > 1:
            App.update_image(self, rewritten(request, found[:1]), image_id)
        raise


def _no_further_than_one(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    reply = App.update_image(self, request, image_id) if len(found) < 2 else None
    if reply is None:
        held = replace(self.images.open(request.caller, image_id))
        App.update_image(self, request, image_id)
        self.images._images[image_id] = held  # noqa: SLF001 - undone
        reply = App.update_image(self, rewritten(request, found[:1]), image_id)
    return reply


def _refuses_and_obeys(self: App, request: Request, image_id: str) -> Reply:
    each = _single(operations(request))
    if request.media_type == CURRENT and each.get("value") == "n" * 256:
        self.images.open(request.caller, image_id).name = "n" * 255
    return App.update_image(self, request, image_id)


updates(
    "KeepsHalfAPatch",
    "Keeps the first operation of a patch whose second one fails.",
    "IMG-UPD-22",
    answer=_up_to_the_failure,
)
updates(
    "CarriesOutOneOperation", "Carries out the first of several operations.", "IMG-UPD-22", answer=_no_further_than_one
)
updates(
    "RefusesANameAndKeepsIt",
    "Answers 400 to a name too long, and keeps a part of it.",
    "IMG-UPD-22",
    answer=_refuses_and_obeys,
)


# Callers and ends


class _OfAnother(App):
    """What another project may do."""

    def foreign(self, request: Request, image_id: str) -> bool:
        """Return whether an image is not the caller's own."""
        return self.images.get(image_id).owner != request.caller.project


@breaks("IMG-UPD-21", words=UPDATES)
class LetsMembersUpdate(_OfAnother):
    """Lets projects update what is shared with them."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if self.foreign(request, image_id) and request.caller.project in self.images.get(image_id).members:
            owner = replace(request.caller, project=self.images.get(image_id).owner)
            return super().update_image(request.sent_by(owner), image_id)
        return super().update_image(request, image_id)


@breaks("IMG-UPD-21", words=UPDATES)
class FeignsUpdatesOfOthers(App):
    """Answers 200 to updates of what is shared with a project, and changes nothing."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        try:
            return super().update_image(request, image_id)
        except Forbidden:
            return (
                self.show_image(request, image_id)
                if b"of another" in request.body
                else super().update_image(request, image_id)
            )


@breaks("IMG-UPD-23", words=UPDATES)
class ForbidsUpdatesOfUnknownImages(App):
    """Answers 403 to the update of an image that there is not."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        try:
            return super().update_image(request, image_id)
        except NotFound:
            raise Forbidden("It is not so.") from None


def _adds_new_alone(self: App, request: Request, image_id: str) -> Reply:
    each = _single(operations(request))
    if each.get("op") == "add" and str(each.get("path"))[1:] in self.images.show(request.caller, image_id).properties:
        raise Conflict("It is there.")
    return App.update_image(self, request, image_id)


def _numbers_in_text(each: Mapping[str, Any]) -> object:
    text = each.get("path") in ("/min_ram", "/min_disk") and str(each.get("value")).isdecimal()
    return dict(each) | {"value": int(each["value"])} if text else each


updates(
    "AddsWhatIsNewAlone",
    "Answers 409 to the addition of an attribute that is there.",
    "IMG-UPD-24",
    "IMG-UPD-26",
    answer=_adds_new_alone,
)
rewrites("ReadsNumbersInText", "Reads numbers that are written as text.", "IMG-UPD-25", change=_numbers_in_text)
forgives(
    "CallsViolations422",
    "Answers 422 to a visibility that there is not.",
    "IMG-UPD-25",
    "IMG-UPD-26",
    when=_of("replace", "/visibility"),
    status=HTTPStatus.UNPROCESSABLE_ENTITY,
)
forgives(
    "CallsPathsTeapots",
    "Answers 418 to a path that is none.",
    "IMG-UPD-26",
    when=lambda found: _single(found).get("path") in ("/name/x", "name"),
    status=HTTPStatus.IM_A_TEAPOT,
)


@breaks("IMG-UPD-27", words=UPDATES)
class DatesUpdatesBack(App):
    """Sets the time of the last update back by every patch."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if reply.status == HTTPStatus.OK:
            self.count += 1
            self.images.get(image_id).updated_at -= timedelta(hours=self.count)
        return reply

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image)


# Lawful


@breaks(words=UPDATES)
class NamesUtcOrNot(App):
    """Names UTC after every other patch, and leaves the offset out after the others."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def update_image(self, request: Request, image_id: str) -> Reply:
        self.count += 1
        return super().update_image(request, image_id)

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        return shown | {"updated_at": str(shown["updated_at"]).removesuffix("Z" if self.count % 2 else "")}


def _refuses(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request)
    if any(
        isinstance(each, dict) and isinstance(each.get("value"), str) and not each["value"].isascii() for each in found
    ):
        raise Invalid("Values are ASCII here.")
    return App.update_image(self, request, image_id)


def _refuses_the_old(self: App, request: Request, image_id: str) -> Reply:
    if request.media_type == OLD:
        return App.update_image(self, rewritten(request, [], "text/plain"), image_id)
    return App.update_image(self, request, image_id)


def _by_400_for_all(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except (Conflict, Forbidden) as refusal:
        if isinstance(refusal, Forbidden) and not self.images.get(image_id).owner == request.caller.project:
            raise
        raise Invalid(str(refusal)) from None


updates("TakesAsciiAttributesAlone", "Refuses values that are no ASCII.", answer=_refuses)
updates("KnowsThePresentFormAlone", "Answers 415 to the old form of a patch.", answer=_refuses_the_old)
updates("RefusesPatchesBy400", "Answers 400 to every patch of the owner's that it refuses.", answer=_by_400_for_all)


@breaks("TAG-VIS-08", profile="standard", words=("--select", "TAG-VIS-08", "--select", "TAG-ADD-34"))
class StoresTagsBeforeTheRest(App):
    """Stores the tags that a PATCH sets, and keeps them where another of its changes is refused."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        try:
            return super().update_image(request, image_id)
        except Conflict:
            for operation in operations(request):
                if operation.get("path") == "/tags" and operation.get("op") == "replace":
                    self.images.get(image_id).tags[:] = operation["value"]
            raise
