"""Services whose images are wrong in one view, or after one refusal: as created, to a consumer, once data is refused."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Status
from pytest_cloudimages.reference.refusals import Invalid, NotFound, UnsupportedMediaType

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.IMAGES
faulty = registrar(__name__, words=selecting("IMG-ENT", "IMG-STAT", "IMG-DEL", "GEN-07"), profile="standard")
"""Registers a service that has some methods of its own."""
Shown = dict[str, Any]


def _edited(reply: Reply, edit: Callable[[Shown], object]) -> Reply:
    shown: Any = reply.json()
    edit(shown)
    return Reply(reply.status, json.dumps(shown).encode(), reply.headers)


def _created_as(edit: Callable[[Shown], object]) -> Callable[[App, Request], Reply]:
    return lambda self, request: _edited(App.create_image(self, request), edit)


def _shown_to_others_as(edit: Callable[[Shown], object]) -> Callable[[App, Request, str], Reply]:
    def show_image(self: App, request: Request, image_id: str) -> Reply:
        reply = App.show_image(self, request, image_id)
        return reply if self.images.get(image_id).owner == request.caller.project else _edited(reply, edit)

    return show_image


faulty(
    "CreatesOnADayAlone",
    "Answers a creation with the day of the last change alone.",
    "GEN-07",
    create_image=_created_as(lambda shown: shown.update(updated_at=shown["updated_at"][:10])),
)
faulty(
    "AnswersCreationsWithProtectionInWords",
    "Says in words in the answer to a creation whether the image is protected.",
    "IMG-ENT-01",
    create_image=_created_as(lambda shown: shown.update(protected=str(shown["protected"]))),
)
faulty(
    "ShowsConsumersNoCreation",
    "Shows others than the owner an image without the time of its creation.",
    "IMG-ENT-01",
    show_image=_shown_to_others_as(lambda shown: shown.pop("created_at")),
)
faulty(
    "LeadsConsumersToTheImage",
    "Leads others than the owner by file to the image.",
    "IMG-ENT-05",
    show_image=_shown_to_others_as(lambda shown: shown.update(file=shown["self"])),
)
faulty(
    "LeadsConsumersToAllImages",
    "Leads others than the owner by self to the list.",
    "IMG-ENT-04",
    show_image=_shown_to_others_as(lambda shown: shown.update(self="/v2/images")),
)


def _without_its_system(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    shown: Any = reply.json()
    self.images.get(shown["id"]).properties.pop("os_distro", None)
    return reply


def _tags_of_none(self: App, image: Image) -> dict[str, object]:
    return App.represent(self, image) | ({} if image.tags or image.min_disk != 20 else {"tags": {}})


faulty(
    "ForgetsTheSystemOfNewImages",
    "Answers a creation with the system of the image, and does not keep it.",
    "IMG-ENT-02",
    words=selecting("IMG-ENT"),
    create_image=_without_its_system,
)
faulty(
    "ShowsNoTagsAsAnObject",
    "Shows an object for the tags of an image that has none and a least disk of 3 GB.",
    "IMG-ENT-01",
    words=selecting("IMG-ENT-01"),
    represent=_tags_of_none,
)


def _deletes(unguarded: Callable[[Image], bool]) -> Callable[[App, Request, str], Reply]:
    def delete_image(self: App, request: Request, image_id: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        image.protected = image.protected and not unguarded(image)
        return App.delete_image(self, request, image_id)

    return delete_image


faulty(
    "ProtectsNoSharedImage",
    "Deletes a protected image that has members.",
    "IMG-DEL-02",
    delete_image=_deletes(lambda image: bool(image.members)),
)
faulty(
    "ProtectsActiveAndQueuedImages",
    "Deletes a protected image of any other status.",
    "IMG-DEL-02",
    delete_image=_deletes(lambda image: image.status not in (Status.ACTIVE, Status.QUEUED)),
)


def _refuses_data(spoil: Callable[[Image, bytes], object], *kinds: type[Exception]) -> Callable[..., Reply]:
    def upload(self: App, request: Request, image_id: str) -> Reply:
        try:
            return App.upload(self, request, image_id)
        except kinds:
            if self.images.get(image_id).status is Status.QUEUED:
                spoil(self.images.get(image_id), request.body)
            raise

    return upload


faulty(
    "MeasuresDataThatItRefuses",
    "Shows the size of data that was refused for its media type.",
    "IMG-STAT-01",
    words=selecting("IMG-STAT-01"),
    upload=_refuses_data(lambda image, data: setattr(image, "size", len(data)), UnsupportedMediaType),
)
faulty(
    "SavesWhatHasNoFormats",
    "Leaves an image saving whose data was refused for want of formats.",
    "IMG-STAT-01",
    words=selecting("IMG-STAT-01"),
    upload=_refuses_data(lambda image, _: setattr(image, "status", Status.SAVING), Invalid),
)
faulty(
    "SavesWhatStrangersSend",
    "Leaves an image saving that a project sends data to which does not see it.",
    "IMG-STAT-01",
    words=selecting("IMG-STAT-01"),
    upload=_refuses_data(lambda image, _: setattr(image, "status", Status.SAVING), NotFound),
)


# Data


def _first_block(self: App, request: Request, image_id: str) -> Reply:
    reply = App.download(self, request, image_id)
    return Reply(reply.status, reply.body[:4096], reply.headers)


faulty(
    "ServesTheFirstBlock",
    "Serves the first 4,096 octets of data alone.",
    "IMG-STAT-03",
    words=selecting("IMG-STAT-03"),
    download=_first_block,
)


def _reactivated(spoil: Callable[[Image], object]) -> Callable[[App, Request, str], Reply]:
    def reactivate(self: App, request: Request, image_id: str) -> Reply:
        reply = App.reactivate(self, request, image_id)
        spoil(self.images.get(image_id))
        return reply

    return reactivate


faulty(
    "LosesDataOfDeactivatedImages",
    "Serves no data of an image that was reactivated.",
    "IMG-STAT-03",
    words=selecting("IMG-STAT-03"),
    reactivate=_reactivated(lambda image: setattr(image, "data", b"")),
)
faulty(
    "ReactivatesWithoutADisk",
    "Sets the format of the disk of an image that is reactivated back to none.",
    "IMG-STAT-07",
    words=selecting("IMG-STAT-07"),
    reactivate=_reactivated(lambda image: setattr(image, "disk_format", None)),
)


def _takes_all_data(self: App, request: Request, image_id: str) -> Reply:
    try:
        return App.upload(self, request, image_id)
    except NotFound:
        return Reply(HTTPStatus.NO_CONTENT)


faulty(
    "TakesDataOfTheDeleted",
    "Answers 204 to data of an image that is not there.",
    "IMG-DEL-04",
    words=selecting("IMG-DEL"),
    upload=_takes_all_data,
)


def _sums_nothing(self: App, image: Image) -> dict[str, object]:
    return App.represent(self, image) | ({"checksum": "0" * 32} if image.size == 0 else {})


faulty(
    "SumsNothingToZero",
    "Shows zeros for the checksum of data of no octets.",
    "IMG-ENT-11",
    represent=_sums_nothing,
)


def _tagged_ones_are_active(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    shown: Any = reply.json()
    image = self.images.get(shown["id"])
    image.status = Status.ACTIVE if image.tags else image.status
    return reply


faulty(
    "CreatesActiveImagesWithTags",
    "Has an image active at once that is created with tags.",
    "IMG-STAT-01",
    words=selecting("IMG-STAT-01"),
    create_image=_tagged_ones_are_active,
)


def _typed(request: Request, shown: Shown) -> Shown:
    own = request.path == "/v2/images" and request.query
    return {key: value == "true" if own and value in ("true", "false") else value for key, value in shown.items()}


def _lists_truth(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    return _edited(reply, lambda shown: shown.update(images=[_typed(request, each) for each in shown["images"]]))


faulty(
    "ListsTruthForText",
    "Has true in lists where the text of an image's attribute is true.",
    "IMG-ENT-12",
    "IMG-ENT-15",
    words=selecting("IMG-ENT"),
    list_images=_lists_truth,
)


def _lists_a_part(self: App, request: Request) -> Reply:
    def shortened(shown: Shown) -> None:
        for image in shown["images"]:
            own = self.images.get(image["id"]).properties
            for name in [*own][: len(own) // 2]:
                del image[name]

    return _edited(App.list_images(self, request), shortened)


faulty(
    "ListsHalfOfItsUsersAttributes",
    "Shows in lists half of the attributes of its users alone.",
    words=selecting("IMG-ENT-12", "IMG-ENT-15"),
    list_images=_lists_a_part,
)
