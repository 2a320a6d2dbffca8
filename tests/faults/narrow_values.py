"""Services whose patches go wrong with values that are nearly what they were, odd names, too many, and what was removed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status, Visibility
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Conflict, NotFound, OverLimit

from .kinds import Kind
from .narrow_patches import Patch, _path, patched
from .registry import breaks, registrar, selecting
from .updating import OLD, operations, rewritten

KIND = Kind.UPDATES
faulty = registrar(__name__, profile="standard")
UPDATES = selecting("IMG-UPD")


def _is(found: object, op: str) -> bool:
    return isinstance(found, dict) and found.get("op") == op


def _but_alike(same: Callable[[str], object]) -> Callable[[App, Request, str], Reply]:
    """Return what leaves an attribute as it is where its new value is the same as the old one, in some way."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        found = operations(request)
        if not request.media_type.endswith("v2.1-json-patch") or not found:
            return App.update_image(self, request, image_id)
        known = self.images.open(request.caller, image_id).properties

        def changes(each: Any) -> bool:
            old, new = known.get(_path(each)[1:]), each.get("value") if isinstance(each, dict) else None
            return not (
                _is(each, "replace") and isinstance(old, str) and isinstance(new, str) and same(old) == same(new)
            )

        return App.update_image(self, rewritten(request, [each for each in found if changes(each)]), image_id)

    return update_image


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


for _name, _sentence, _same in (
    ("SeesNoBlanksAtTheEnd", "Sees no change of a value where it lacks a blank at its end.", str.rstrip),
    ("SeesNoOtherNumber", "Sees no change of a value where it is the same number in other digits.", _number),
):
    faulty(_name, _sentence, "IMG-UPD-14", words=UPDATES, update_image=_but_alike(_same))


def _no_markup(self: App, image: Image) -> dict[str, object]:
    shown = App.represent(self, image)
    return shown | {"name": ""} if "<" in str(shown.get("name")) else shown


faulty("EmptiesNamesOfMarkup", "Shows no name that has markup.", "IMG-UPD-14", words=UPDATES, represent=_no_markup)


def _no_index(self: App, image: Image) -> dict[str, object]:
    return {name: value for name, value in App.represent(self, image).items() if not name.isdigit()}


faulty(
    "LosesNamesOfDigits",
    "Shows no attribute whose name is a number, though it takes them.",
    "IMG-UPD-11",
    words=UPDATES,
    represent=_no_index,
)


def _cut(text: object, octets: int) -> object:
    return text.encode()[:octets].decode(errors="ignore") if isinstance(text, str) else text


def _of_few_octets(self: App, image: Image) -> dict[str, object]:
    return {
        name: _cut(value, 255) if "cloudimages" in name else value for name, value in App.represent(self, image).items()
    }


def _of_short_names(self: App, image: Image) -> dict[str, object]:
    return {name[:128]: value for name, value in App.represent(self, image).items()}


for _name, _sentence, _shown in (
    ("ShowsTheFirst255Octets", "Shows the first 255 octets of an attribute of one's own, and no more.", _of_few_octets),
    ("ShowsTheBeginningsOfNames", "Shows an attribute by the first 128 letters of its name.", _of_short_names),
):
    faulty(_name, _sentence, "IMG-UPD-11", words=UPDATES, represent=_shown)


def _appends(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request) or []
    old = self.images.open(request.caller, image_id).tags
    whole = [
        each | {"value": [*old, *each["value"]]}
        if _is(each, "add") and _path(each) == "/tags" and isinstance(each.get("value"), list)
        else each
        for each in found
    ]
    return App.update_image(self, rewritten(request, whole) if whole != found else request, image_id)


faulty(
    "AppendsTagsThatAreAdded",
    "Adds tags to those that there are where a patch adds the list of them.",
    "IMG-UPD-24",
    words=UPDATES,
    update_image=_appends,
)


def _no_raw_disks(self: App, request: Request, name: str) -> Reply:
    document = App.schema(self, request, name).json()
    if isinstance(document, dict) and name == "image":
        document["properties"]["disk_format"]["enum"].remove("vdi")
    return Reply.of_json(document)


faulty(
    "DescribesNoDisksOfVirtualBox",
    "Takes disks of the format vdi, which its schema of images does not list.",
    "IMG-ENT-15",
    words=selecting("IMG-ENT-15", "IMG-UPD-16"),
    schema=_no_raw_disks,
)


# What is no operation, and what is not to be added


def _but_texts(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request) or []
    known = [each for each in found if isinstance(each, dict)]
    return App.update_image(self, rewritten(request, known) if 0 < len(known) < len(found) else request, image_id)


faulty(
    "PassesOverWhatIsNoOperation",
    "Carries out the operations of a patch, and passes over what is none beside them.",
    "IMG-UPD-06",
    words=UPDATES,
    update_image=_but_texts,
)


def _sizes(self: App, request: Request, image_id: str) -> Reply:
    found, image = operations(request) or [], self.images.open(request.caller, image_id)
    if len(found) == 1 and _is(found[0], "add") and _path(found[0]) == "/checksum" and image.status is Status.ACTIVE:
        image.checksum = found[0]["value"]
        return Reply.of_json(self.represent(image))
    return App.update_image(self, request, image_id)


faulty(
    "TakesChecksumsOfItsData",
    "Lets the owner add a checksum of the data that an image has.",
    "IMG-UPD-28",
    words=UPDATES,
    update_image=_sizes,
)


# Odd names, once they are there

patched(
    "RemovesNothingWithAPlus",
    "Answers 200 to the removal of an attribute with a plus in its name, and keeps it.",
    "IMG-UPD-12",
    change=lambda found: [each for each in found if not (_is(each, "remove") and "+" in _path(each))],
    words=UPDATES,
)


def _no_letters(self: App, request: Request, image_id: str) -> Reply:
    found = operations(request) or []
    if any(_is(each, "replace") and not _path(each).isascii() for each in found):
        raise Conflict("There is no such attribute to replace.")
    return App.update_image(self, request, image_id)


faulty(
    "FindsNoNamesBeyondAscii",
    "Does not find an attribute to replace that has letters beyond ASCII in its name.",
    "IMG-UPD-14",
    words=UPDATES,
    update_image=_no_letters,
)


# What is refused for being too much, and what was removed


def _keeps_the_name(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.update_image(self, request, image_id)
    except OverLimit:
        image = self.images.open(request.caller, image_id)
        for each in operations(request) or ():
            if _is(each, "replace") and _path(each) == "/name":
                image.name = each["value"]
        raise


faulty(
    "KeepsTheNameBesideTooManyTags",
    "Keeps the name that a patch sets which is refused because of too many tags.",
    "IMG-UPD-22",
    words=UPDATES,
    update_image=_keeps_the_name,
)


@breaks("IMG-UPD-12", words=UPDATES, profile="standard")
class BringsBackWhatWasRemoved(App):
    """Writes an attribute that was removed once more when min_ram of the image is set."""

    def __init__(self) -> None:
        super().__init__()
        self.removed: dict[str, dict[str, str | None]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        before = dict(self.images.open(request.caller, image_id).properties)
        reply = super().update_image(request, image_id)
        found, image = operations(request) or [], self.images.get(image_id)
        removed = self.removed.setdefault(image_id, {})
        if any(_path(each) == "/min_ram" for each in found) and reply.status == HTTPStatus.OK:
            named = {_path(each)[1:] for each in found}
            image.properties |= {name: value for name, value in removed.items() if name not in named}
            removed.clear()
            return Reply.of_json(self.represent(image))
        removed |= {name: value for name, value in before.items() if name not in image.properties}
        return reply


# Who may not change what, whatever it is


def _lets(
    whom: Callable[[Image], bool], what: Callable[[Request, Patch], bool]
) -> Callable[[App, Request, str], Reply]:
    """Return what lets anybody send some patches of some images."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if whom(image) and what(request, operations(request) or [{}]):
            request = request.sent_by(replace(request.caller, project=image.owner))
        return App.update_image(self, request, image_id)

    return update_image


FOREIGN = selecting("IMG-UPD-21")
KNOWN = {"name", "tags", "min_ram", "min_disk", "protected", "visibility", "os_hidden"}
faulty(
    "LetsAllReplaceInPublicImages",
    "Lets anybody replace attributes of their owner's of images that are public.",
    "IMG-UPD-21",
    words=FOREIGN,
    update_image=_lets(
        lambda image: image.visibility is Visibility.PUBLIC,
        lambda _, found: all(_is(each, "replace") and _path(each)[1:] not in KNOWN for each in found),
    ),
)
faulty(
    "LetsAllUpdateByTheOldForm",
    "Lets whoever sees an image change it by a patch in the old form.",
    "IMG-UPD-21",
    words=FOREIGN,
    update_image=_lets(lambda _: True, lambda request, _: request.media_type == OLD),
)


# Ids with capitals, and data that comes later


def _in_small_letters(self: App, request: Request, image_id: str) -> Reply:
    if image_id != image_id.lower():
        raise NotFound(f"There is no image {image_id.lower()}.")
    return App.show_image(self, request, image_id)


faulty(
    "LooksForIdsInSmallLetters",
    "Finds no image whose id was given to it in capitals.",
    "IMG-GET-01",
    words=selecting("IMG-GET-01", "IMG-ENT-04"),
    show_image=_in_small_letters,
)


def _found(self: App, image_id: str) -> str:
    return next((image.id for image in self.images.all() if image.id.lower() == image_id.lower()), image_id)


@breaks(words=selecting("IMG-GET", "IMG-ENT", "IMG-DEL", "GEN-15"), profile="standard")
class LinksIdsInSmallLetters(App):
    """Links an image by its id in small letters, and finds it in whatever case its id comes."""

    def route(self, request: Request) -> Reply:
        prefix, _, rest = request.target.partition("/v2/images/")
        identifier, slash, further = rest.partition("/")
        if identifier and "?" not in identifier:
            target = f"{prefix}/v2/images/{_found(self, identifier)}{slash}{further}"
            request = Request(request.method, target, request.headers, request.body, request.caller)
        return super().route(request)

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        links = {name: str(shown[name]).replace(image.id, image.id.lower()) for name in ("self", "file")}
        return {**shown, **links}


def _once_changed(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if image.status is Status.ACTIVE and image.updated_at == self.__dict__.get("uploaded", {}).get(image_id):
        raise NotFound("The data is not there yet.")
    return App.download(self, request, image_id)


def _uploaded(self: App, request: Request, image_id: str) -> Reply:
    reply = App.upload(self, request, image_id)
    self.__dict__.setdefault("uploaded", {})[image_id] = self.images.get(image_id).updated_at
    return reply


faulty(
    "GivesDataOnceAnImageIsChanged",
    "Gives the data of an active image once the image was changed since, and not before.",
    "IMG-STAT-03",
    words=selecting("IMG-STAT-03"),
    upload=_uploaded,
    download=_once_changed,
)


# What is not named at all


def _spelled(self: App, request: Request, image_id: str) -> Reply:
    reply = App.upload(self, request, image_id)
    image = self.images.get(image_id)
    image.properties = {name: (value or "").upper() for name, value in image.properties.items()}
    return reply


faulty(
    "CapitalisesWithTheData",
    "Writes all attributes of one's own in capitals once an image has data.",
    "IMG-ENT-02",
    words=selecting("IMG-ENT-02"),
    upload=_spelled,
)


def _as_created(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    image = self.images.get(image_id)
    if reply.status == HTTPStatus.OK and any(_path(each) == "/os_hidden" for each in operations(request) or ()):
        image.updated_at = image.created_at - timedelta(seconds=2)
    return reply


faulty(
    "IsChangedBeforeItIsHidden",
    "Says that an image was changed before it was created once it is hidden from lists.",
    "IMG-UPD-27",
    words=selecting("IMG-UPD-27"),
    update_image=_as_created,
)


def _does_no_more(is_protected: bool) -> Callable[[App, Request, str], Reply]:
    """Return what leaves the rest of a patch aside that protects an image, or frees it."""

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        found = operations(request) or []
        alone = [each for each in found if _path(each) == "/protected" and each.get("value") is is_protected]
        if not alone or self.images.open(request.caller, image_id).protected is is_protected:
            return App.update_image(self, request, image_id)
        return App.update_image(self, rewritten(request, alone), image_id)

    return update_image


for _name, _sentence, _protected, *_ids in (
    ("FreesAndDoesNoMore", "Leaves the rest of a patch aside that takes the protection off an image.", False),
    ("ProtectsAndDoesNoMore", "Leaves the rest of a patch aside that protects an image.", True, "IMG-UPD-22"),
):
    faulty(_name, _sentence, "IMG-UPD-14", *_ids, words=UPDATES, update_image=_does_no_more(_protected))
