"""Services that go wrong with an image that is created with more than a name, with an id, or after another of its kind."""

import hashlib
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Status
from pytest_cloudimages.reference.refusals import Conflict, NotFound

from .images import LIFE
from .kinds import Kind
from .lawful_lacks import _document
from .narrow_images import rewrites
from .registry import breaks, registrar, selecting

KIND = Kind.IMAGES
BLOCK = 65536
faulty = registrar(__name__, words=LIFE, profile="standard")


def _creates(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    shown = reply.json()
    image = self.images.get(str(shown["id"]) if isinstance(shown, dict) else "")
    image.properties = {name: (value or "").replace("\u00df", "ss") for name, value in image.properties.items()}
    return Reply.of_json(self.represent(image), reply.status)


faulty(
    "SpellsNewImagesItsOwnWay",
    "Spells a letter of the attributes that an image is created with in another way.",
    "IMG-ENT-02",
    create_image=_creates,
    words=selecting("IMG-ENT-02", "IMG-UPD-11"),
)


def _creates_anew(self: App, request: Request) -> Reply:
    try:
        return App.create_image(self, request)
    except Conflict:
        image = self.images.open(request.caller, str(_document(request)["id"]))
        image.tags, image.min_ram = [], 0
        raise


faulty(
    "ClearsWhatHasTheIdAlready",
    "Answers 409 to the creation of an image whose id is taken, and has cleared the image that has it by then.",
    "IMG-ENT-03",
    create_image=_creates_anew,
)


@breaks("IMG-STAT-01", words=LIFE, profile="standard")
class FindsDataByTheIdAlone(App):
    """Hands out the data of the image that had an id before, where the one that has it now has none."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, bytes] = {}

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        self.stored[image_id] = request.body
        return reply

    def download(self, request: Request, image_id: str) -> Reply:
        reply = super().download(request, image_id)
        return reply if reply.body else Reply(HTTPStatus.OK, self.stored.get(image_id, b""))


def _by_the_beginning(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.show_image(self, request, image_id)
    except NotFound:
        known = [image.id for image in self.images.all() if len(image_id) > 8 and image.id.startswith(image_id)]
        if not known:
            raise
        return App.show_image(self, request, known[0])


faulty(
    "FindsImagesByTheBeginningOfAnId",
    "Shows the image whose id begins with the one that is asked for.",
    "IMG-GET-02",
    show_image=_by_the_beginning,
)


def _hides(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    if image.os_hidden and image.owner == request.caller.project and "cloudimages_given" in image.properties:
        raise NotFound(f"There is no image {image_id}.")
    return App.show_image(self, request, image_id)


faulty(
    "HidesImagesFromTheirOwner",
    "Shows an image with an operating system to its owner no more once it is hidden from lists.",
    "IMG-GET-01",
    show_image=_hides,
)


rewrites(
    "KeepsNamesThatAreTakenAway",
    "Answers 200 to a name of null, and leaves the name that the image had.",
    "IMG-UPD-14",
    change=lambda found: [
        each
        for each in found
        if not (isinstance(each, dict) and each.get("path") == "/name" and each.get("value", "") is None)
    ],
)
rewrites(
    "RemovesAsOftenAsItIsTold",
    "Removes what a patch has removed already.",
    "IMG-UPD-13",
    change=lambda found: [
        each
        for place, each in enumerate(found)
        if not (isinstance(each, dict) and each.get("op") == "remove" and each in found[:place])
    ],
)


def _halves(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.show(request.caller, image_id)
    reply = App.delete_image(self, request, image_id)
    for other in self.images.all():
        if other.data and other.data == image.data and len(other.data) > BLOCK:
            other.data = other.data[:BLOCK]
    return reply


faulty(
    "KeepsOneBlockForTheTwin",
    "Keeps the first block alone of an image whose data is that of another that is deleted.",
    "IMG-STAT-03",
    delete_image=_halves,
)


def _of_the_last_block(self: App, image: Image) -> dict[str, object]:
    shown = App.represent(self, image)
    if image.data and len(image.data) > BLOCK and image.status is Status.ACTIVE:
        shown["checksum"] = hashlib.md5(image.data[-BLOCK:], usedforsecurity=False).hexdigest()
    return shown


faulty(
    "HashesTheLastBlock",
    "Makes the checksum of the last 64 KiB of the data of an image.",
    "IMG-ENT-11",
    represent=_of_the_last_block,
)
