"""Services whose images are not what they say, or are read and deleted otherwise: see ``updating`` for patches."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Forbidden, NotFound, Refusal

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.IMAGES
LIFE = selecting("IMG-GET", "IMG-DEL", "IMG-STAT", *(f"IMG-ENT-{number:02}" for number in (1, *range(3, 12))))
"""What looks at nothing but the life of an image."""
Shown = Mapping[str, Any]


def shows(
    name: str, sentence: str, *ids: str, change: Callable[[dict[str, Any]], Shown], words: tuple[str, ...] = LIFE
) -> None:
    """Register a service that shows images otherwise than they are."""

    def represent(self: App, image: Image) -> dict[str, object]:
        return dict(change(App.represent(self, image)))

    breaks(*ids, words=words)(type(name, (App,), {"__doc__": sentence, "__module__": __name__, "represent": represent}))


def _without(name: str) -> Callable[[dict[str, Any]], Shown]:
    return lambda shown: {key: value for key, value in shown.items() if key != name}


def _with(**other: Callable[[Any], object]) -> Callable[[dict[str, Any]], Shown]:
    return lambda shown: shown | {key: make(shown[key]) for key, make in other.items()}


def _halved(value: float) -> float:
    return value + 0.5


shows("ShowsNoProtection", "Leaves out whether an image is protected.", "IMG-ENT-01", change=_without("protected"))
shows(
    "ShowsNoVisibility",
    "Leaves the visibility out of images.",
    "IMG-ENT-01",
    "IMG-ENT-08",
    change=_without("visibility"),
)
shows("ShowsNoCreation", "Leaves out when an image was created.", "IMG-ENT-01", change=_without("created_at"))
shows(
    "ShowsProtectionAsText", "Shows as text whether an image is protected.", "IMG-ENT-01", change=_with(protected=str)
)
shows(
    "LeadsToAllImages", "Leads by self to the list of images.", "IMG-ENT-04", change=_with(self=lambda _: "/v2/images")
)
shows(
    "LeadsElsewhere",
    "Leads by self to another host.",
    "IMG-ENT-04",
    change=_with(self="https://images.example{}".format),
)
shows(
    "LeadsToItselfForData",
    "Leads by file to the image.",
    "IMG-ENT-05",
    change=_with(file=lambda path: path.removesuffix("/file")),
)
shows("LeadsToDataThatIsNot", "Leads by file to a path in other letters.", "IMG-ENT-05", change=_with(file=str.upper))
shows("LeadsToTheWrongSchema", "Leads by schema to that of lists.", "IMG-ENT-06", change=_with(schema="{}s".format))
shows(
    "CallsStatusesOtherwise",
    "Shows statuses in capitals.",
    "IMG-ENT-07",
    "IMG-STAT-01",
    "IMG-STAT-03",
    change=_with(status=str.upper),
)
shows(
    "CallsVisibilitiesOtherwise",
    "Calls shared images protected.",
    "IMG-ENT-08",
    change=_with(visibility=lambda _: "protected"),
)
shows("ShowsMinimaAsText", "Shows the least memory as text.", "IMG-ENT-09", change=_with(min_ram=str))
shows("ShowsMinimaAsFractions", "Shows the least disk as a fraction.", "IMG-ENT-09", change=_with(min_disk=_halved))
shows(
    "ShowsSizesAsText",
    "Shows the size with its unit.",
    "IMG-ENT-10",
    "IMG-STAT-03",
    change=_with(size=lambda size: size and f"{size} B"),
)
shows(
    "ShowsLongChecksums",
    "Shows a SHA-512 for the checksum.",
    "IMG-ENT-11",
    change=lambda shown: shown | {"checksum": shown["os_hash_value"]},
)
shows(
    "ShowsAnotherChecksum",
    "Shows a checksum that is not the data's.",
    "IMG-ENT-11",
    change=_with(checksum=lambda sum_: sum_ and sum_[::-1]),
)
shows(
    "ShowsNewImagesAsActive",
    "Shows images without data as active.",
    "IMG-STAT-01",
    "IMG-STAT-07",
    change=_with(status=lambda _: "active"),
)
shows(
    "KeepsImagesSaving",
    "Shows an image whose data is there as one that is being saved.",
    "IMG-STAT-03",
    change=_with(status=lambda status: "saving" if status == "active" else status),
)
shows(
    "ShowsHalfTheSize",
    "Shows half the size of the data.",
    "IMG-ENT-10",
    "IMG-STAT-03",
    change=_with(size=lambda size: size and size // 2),
)


@breaks("IMG-ENT-03", words=LIFE)
class ListsEachImageTwice(App):
    """Lists every image twice."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        return Reply.of_json(document | {"images": [image for image in document["images"] for _ in range(2)]})


@breaks("IMG-GET-01", "IMG-GET-04", words=LIFE)
class ShowsImagesBy203(App):
    """Answers 203 to the request for an image."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        reply = super().show_image(request, image_id)
        return Reply(HTTPStatus.NON_AUTHORITATIVE_INFORMATION, reply.body, reply.headers)


def refuses_otherwise(
    name: str, sentence: str, *ids: str, method: str, status: HTTPStatus, kind: type[Refusal]
) -> None:
    """Register a service that answers something else where an operation is refused."""

    def operation(self: App, request: Request, image_id: str) -> Reply:
        honest: Callable[[App, Request, str], Reply] = getattr(App, method)
        try:
            return honest(self, request, image_id)
        except kind:
            if status == HTTPStatus.NO_CONTENT:
                return Reply(status)
            return self.error(request, status, "It is not so.")

    breaks(*ids, words=LIFE)(type(name, (App,), {"__doc__": sentence, "__module__": __name__, method: operation}))


refuses_otherwise(
    "ForbidsUnknownImages",
    "Answers 403 for an image that there is not.",
    "IMG-GET-02",
    "IMG-DEL-04",
    method="show_image",
    status=HTTPStatus.FORBIDDEN,
    kind=NotFound,
)
refuses_otherwise(
    "KnowsImagesThatAreGone",
    "Answers 410 for an image that there is not.",
    "IMG-GET-02",
    "IMG-GET-03",
    "IMG-GET-04",
    "IMG-DEL-04",
    method="show_image",
    status=HTTPStatus.GONE,
    kind=NotFound,
)
refuses_otherwise(
    "BlamesTheIdOfAHiddenImage",
    "Answers 400 for an image that the caller does not see.",
    "IMG-GET-02",
    "IMG-GET-03",
    "IMG-DEL-04",
    method="show_image",
    status=HTTPStatus.BAD_REQUEST,
    kind=NotFound,
)
refuses_otherwise(
    "DeletesUnknownImages",
    "Answers 204 to the deletion of an image that there is not.",
    "IMG-DEL-03",
    method="delete_image",
    status=HTTPStatus.NO_CONTENT,
    kind=NotFound,
)
refuses_otherwise(
    "DeniesUnknownImages",
    "Answers 410 to the deletion of an image that there is not.",
    "IMG-DEL-03",
    "IMG-DEL-04",
    "IMG-DEL-05",
    method="delete_image",
    status=HTTPStatus.GONE,
    kind=NotFound,
)
refuses_otherwise(
    "ConflictsWithProtection",
    "Answers 409 to the deletion of a protected image.",
    "IMG-DEL-02",
    method="delete_image",
    status=HTTPStatus.CONFLICT,
    kind=Forbidden,
)
refuses_otherwise(
    "FeignsToDeleteProtected",
    "Answers 204 to the deletion of a protected image, and keeps it.",
    "IMG-DEL-02",
    method="delete_image",
    status=HTTPStatus.NO_CONTENT,
    kind=Forbidden,
)


@breaks("IMG-DEL-02", words=LIFE)
class LosesProtectionByADeletion(App):
    """Refuses to delete a protected image, and takes its protection away."""

    def delete_image(self, request: Request, image_id: str) -> Reply:
        try:
            return super().delete_image(request, image_id)
        except Forbidden:
            self.images.open(request.caller, image_id).protected = False
            raise


@breaks("IMG-GET-03", words=LIFE)
class ShowsImagesToEverybody(App):
    """Shows every image to every project."""

    def show_image(self, request: Request, image_id: str) -> Reply:  # noqa: ARG002 - whoever asks
        return Reply.of_json(self.represent(self.images.get(image_id)))


@breaks("IMG-DEL-01", "IMG-DEL-05", words=LIFE)
class DeletesBy200(App):
    """Answers 200 with a body to the deletion of an image."""

    def delete_image(self, request: Request, image_id: str) -> Reply:
        super().delete_image(request, image_id)
        return Reply.of_json({"deleted": image_id})


@breaks("IMG-DEL-04", words=LIFE)
class ShowsDeletedImages(App):
    """Shows images that were deleted as they were before."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, dict[str, object]] = {}

    def delete_image(self, request: Request, image_id: str) -> Reply:
        shown = self.represent(self.images.open(request.caller, image_id))
        reply = super().delete_image(request, image_id)
        self.gone[image_id] = shown
        return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        if image_id in self.gone:
            return Reply.of_json(self.gone[image_id])
        return super().show_image(request, image_id)


# Lawful


shows(
    "ShowsAbsoluteLinks",
    "Shows links with the host.",
    change=_with(self="http://127.0.0.1{}".format, file="http://127.0.0.1{}".format),
)
shows(
    "LeavesOutWhatIsNotSet",
    "Leaves out the attributes that have no value.",
    change=lambda shown: {key: value for key, value in shown.items() if value is not None},
    words=selecting("IMG"),
)
shows(
    "ShowsMoreAttributes",
    "Shows attributes that nobody asked for.",
    change=lambda shown: shown | {"stores": "fast", "x_extra": "more"},
    words=selecting("IMG"),
)


def offers_tags_alone(name: str, sentence: str, status: HTTPStatus) -> None:
    """Register a service that has images and their tags, and answers all else by one status."""

    def handle(self: App, request: Request) -> Reply:
        others = ("/members", "/schemas", "/tasks", "/file", "/versions")
        if request.method == "PATCH" or any(part in request.path for part in others):
            return self.error(request, status, "There are images and tags here, and nothing else.")
        return App.handle(self, request)

    breaks(words=selecting("IMG"))(type(name, (App,), {"__doc__": sentence, "__module__": __name__, "handle": handle}))


offers_tags_alone(
    "AnswersAllElseWith501", "Offers tags alone, and answers 501 to all else.", HTTPStatus.NOT_IMPLEMENTED
)
offers_tags_alone("AnswersAllElseWith404", "Offers tags alone, and answers 404 to all else.", HTTPStatus.NOT_FOUND)
offers_tags_alone(
    "AnswersAllElseWith405", "Offers tags alone, and answers 405 to all else.", HTTPStatus.METHOD_NOT_ALLOWED
)
