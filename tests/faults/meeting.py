"""Services that lose patches which meet, or make something else of images that are deactivated."""

import copy
import time
from collections.abc import Callable
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import Any

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, NotFound, Refusal

from .kinds import Kind
from .registry import breaks, selecting
from .updating import operations, rewritten

KIND = Kind.IMAGES
RACES = selecting("IMG-UPD-11", "IMG-UPD-14")
STATES = selecting("IMG-STAT", "IMG-DEL")
SCHEMA = selecting("IMG-STAT", "IMG-ENT-01", "IMG-ENT-07", "IMG-ENT-15", "SCHEMA-02", "SCHEMA-14")
WINDOW = 0.05


class _Overwriting(App):
    """Reads an image, thinks, and writes part of it back as it was."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        """Apply a patch to what was read before."""
        before = copy.copy(self.images.open(request.caller, image_id))
        properties = dict(before.properties)
        time.sleep(WINDOW)
        with self.images.lock:
            self.write_back(self.images.open(request.caller, image_id), before.name, properties)
            return super().update_image(request, image_id)

    def write_back(self, image: Any, name: str | None, properties: dict[str, str | None]) -> None:
        """Put back what was read."""


@breaks("IMG-UPD-11", profile="standard", words=RACES)
class LosesAttributesThatMeet(_Overwriting):
    """Reads the attributes of an image, thinks for 50 ms, and writes them: one that was added meanwhile is lost."""

    def write_back(self, image: Any, name: str | None, properties: dict[str, str | None]) -> None:
        del name
        image.properties = properties


@breaks("IMG-UPD-14", profile="standard", words=RACES)
class LosesNamesThatMeet(_Overwriting):
    """Reads the name of an image, thinks for 50 ms, and writes it with any patch: one that was set meanwhile is lost."""

    def write_back(self, image: Any, name: str | None, properties: dict[str, str | None]) -> None:
        del properties
        image.name = name


@breaks(profile="standard", words=RACES)
class RefusesPatchesThatMeet(App):
    """Lawful: refuses a patch with 409 that meets another one, and does nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = Lock()

    @contextmanager
    def alone(self) -> Any:
        """Hold the right to write, or raise Conflict."""
        if not self.writing.acquire(blocking=False):
            raise Conflict("Somebody else changes this image.")
        try:
            yield
        finally:
            self.writing.release()

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.alone():
            time.sleep(WINDOW / 5)
            return super().update_image(request, image_id)


def deactivated(name: str, sentence: str, *ids: str, method: str, answer: Callable[..., Reply]) -> None:
    """Register a service that answers an operation on deactivated images otherwise."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        if self.images.show(request.caller, image_id).status is Status.DEACTIVATED:
            return answer(self, request, image_id, *rest)
        reply: Reply = honest(self, request, image_id, *rest)
        return reply

    made = type(name, (App,), {"__doc__": sentence, "__module__": __name__, method: operation})
    breaks(*ids, words=STATES)(made)


def refused(kind: type[Exception]) -> Callable[..., Reply]:
    """Return what refuses an operation."""

    def refuse(*_: object) -> Reply:
        raise kind("The image is deactivated.")

    return refuse


def _data(self: App, request: Request, image_id: str) -> Reply:
    data = self.images.show(request.caller, image_id).data or b""
    return Reply(HTTPStatus.OK, data, (("Content-Type", "application/octet-stream"),))


def _unchanged(self: App, request: Request, image_id: str) -> Reply:
    return Reply.of_json(self.represent(self.images.show(request.caller, image_id)))


def _kept(self: App, request: Request, image_id: str) -> Reply:
    if self.images.open(request.caller, image_id).protected:
        raise Forbidden("The image is protected.")
    return NO_CONTENT


SHOWN = "IMG-STAT-07"
deactivated(
    "KeepsDeactivatedImages",
    "Refuses to delete deactivated images.",
    "IMG-DEL-01",
    method="delete_image",
    answer=refused(Conflict),
)
deactivated(
    "FeignsToDeleteDeactivatedImages",
    "Acknowledges the deletion of deactivated images, and keeps them.",
    "IMG-DEL-04",
    method="delete_image",
    answer=_kept,
)
deactivated(
    "HidesDeactivatedImages",
    "Answers 404 to requests for deactivated images.",
    SHOWN,
    method="show_image",
    answer=refused(NotFound),
)
deactivated(
    "GivesDataOfDeactivatedImages", "Hands out the data of deactivated images.", SHOWN, method="download", answer=_data
)
deactivated(
    "FreezesDeactivatedImages",
    "Forbids patches of deactivated images.",
    SHOWN,
    method="update_image",
    answer=refused(Forbidden),
)
deactivated(
    "IgnoresPatchesOfDeactivatedImages",
    "Acknowledges patches of deactivated images, and does nothing.",
    SHOWN,
    method="update_image",
    answer=_unchanged,
)
deactivated(
    "SharesNoDeactivatedImages",
    "Refuses to share deactivated images.",
    SHOWN,
    method="create_member",
    answer=refused(Conflict),
)


@breaks(SHOWN, words=STATES)
class ListsNoDeactivatedImages(App):
    """Leaves deactivated images out of lists."""

    def list_images(self, request: Request) -> Reply:
        document: Any = super().list_images(request).json()
        kept = [entry for entry in document["images"] if entry["status"] != "deactivated"]
        return Reply.of_json(document | {"images": kept})


@breaks(SHOWN, words=STATES)
class CallsDeactivatedImagesActive(App):
    """Shows deactivated images as active."""

    def represent(self, image: Any) -> dict[str, object]:
        shown = super().represent(image)
        return shown | ({"status": "active"} if shown["status"] == "deactivated" else {})


def describes(name: str, sentence: str, **changed: object) -> None:
    """Register a service whose schema says otherwise of some attributes of images."""

    def schema(self: App, request: Request, asked: str) -> Reply:
        document: Any = App.schema(self, request, asked).json()
        if asked == "image":
            properties = document["properties"]
            document["properties"] = properties | {key: properties[key] | value for key, value in changed.items()}
        return Reply.of_json(document)

    made = type(name, (App,), {"__doc__": sentence, "__module__": __name__, "schema": schema})
    breaks("IMG-ENT-15", words=SCHEMA)(made)


describes(
    "DescribesQueuedImagesAlone", "Has a schema of images that knows no status but queued.", status={"enum": ["queued"]}
)
describes(
    "DescribesSmallImages", "Has a schema of images with sizes below the ones that it shows.", size={"maximum": 8}
)
describes("DescribesImagesWithoutTags", "Has a schema of images with one tag at most.", tags={"maxItems": 1})


# What is seen between, and what outlives a deletion


@breaks("IMG-UPD-22", profile="standard", words=selecting("IMG-UPD-22"))
class WritesPatchesBitByBit(App):
    """Carries the operations of a patch out one by one, 10 ms each, and undoes them where one cannot be."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        document: Any = operations(request)
        parts = [[each] for each in document or ()]
        if not request.media_type.endswith("v2.1-json-patch") or len(parts) < 2:
            return super().update_image(request, image_id)
        before = copy.deepcopy(self.images.open(request.caller, image_id))
        try:
            for part in parts:
                reply = super().update_image(rewritten(request, part), image_id)
                time.sleep(WINDOW / 5)
        except Refusal:
            self.images._images[image_id] = before  # noqa: SLF001 - behind the honest door
            raise
        return reply


@breaks("IMG-DEL-02", profile="standard", words=selecting("IMG-DEL-02"))
class DeletesWhatIsProtectedMeanwhile(App):
    """Looks whether an image is protected, thinks for 50 ms, and deletes it."""

    def delete_image(self, request: Request, image_id: str) -> Reply:
        protected = self.images.open(request.caller, image_id).protected
        time.sleep(0 if protected else WINDOW)
        with self.images.lock:
            self.images.open(request.caller, image_id).protected = protected
            return super().delete_image(request, image_id)


@breaks("MEM-DEL-04", profile="standard", words=selecting("MEM-DEL-04"))
class DecidesOnEndedMemberships(App):
    """Reads a membership, thinks for 50 ms, and writes it with its status, were it removed meanwhile."""

    def update_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        member = self.images.show(request.caller, image_id).members.get(member_id)
        reply = super().update_member(request, image_id, member_id)
        time.sleep(WINDOW)
        if member:
            self.images.get(image_id).members[member_id] = member
        return reply


@breaks("IMG-STAT-07", profile="standard", words=STATES)
class DeactivatesWithoutOwnAttributes(App):
    """Forgets the attributes of one's own when an image is deactivated."""

    def deactivate(self, request: Request, image_id: str) -> Reply:
        reply = super().deactivate(request, image_id)
        self.images.get(image_id).properties = {}
        return reply


@breaks("IMG-LIST-07", profile="standard", words=selecting("IMG-LIST-07", "IMG-STAT"))
class FindsNoDeactivatedImages(App):
    """Finds no image whose status is deactivated."""

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        document: Any = reply.json()
        if "status=deactivated" in request.query and reply.status == HTTPStatus.OK:
            document["images"] = []
        return Reply.of_json(document, reply.status)


@breaks("IMG-STAT-07", profile="standard", words=STATES)
class GivesDeactivatedDataToMembers(App):
    """Hands out the data of a deactivated image to projects that it is shared with."""

    def download(self, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        return (
            _data(self, request, image_id)
            if request.caller.project in image.members
            else super().download(request, image_id)
        )


@breaks(profile="standard", words=selecting("IMG-LIST-07", "IMG-STAT"))
class FindsStatusesLate(App):
    """Lawful: shows in the first list by a status what had it before, as of an index that is a moment behind."""

    def __init__(self) -> None:
        super().__init__()
        self.late: dict[str, Status] = {}

    def deactivate(self, request: Request, image_id: str) -> Reply:
        self.late[image_id] = Status.DEACTIVATED
        return super().deactivate(request, image_id)

    def list_images(self, request: Request) -> Reply:
        late = [image_id for image_id in self.late if "status=" in request.query]
        reply = super().list_images(request)
        document: Any = reply.json()
        if late and "status=deactivated" in request.query:
            document["images"] = [each for each in document["images"] if each["id"] not in late]
            self.late.clear()
        return Reply.of_json(document, reply.status)
