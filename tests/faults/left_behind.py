"""Services in which something is left behind: a refusal, what a patch has set, octets of an answer."""

import json

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.SEQUENCE


@breaks("TAG-ADD-01", profile="standard", words=selecting("TAG-ADD-01", "TAG-AUTH"))
class RemembersWhatWasForbidden(App):
    """Forbids everyone to add a tag that anybody was forbidden to add to the image."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if (image_id, tag) in self.forbidden:
            raise Forbidden("That was forbidden before.")
        try:
            return super().add_tag(request, image_id, tag)
        except Forbidden:
            self.forbidden.add((image_id, tag))
            raise


@breaks("TAG-DEL-01", profile="standard", words=selecting("TAG-DEL-01", "TAG-DEL-12", "TAG-ADD-01", "TAG-ADD-03"))
class DeletesNothingFromANamelessImage(App):
    """Does not find the tags of an image without a name when they are to be deleted."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).name is None:
            raise NotFound("There is no such tag.")
        return super().delete_tag(request, image_id, tag)


@breaks(profile="standard", words=selecting("TAG-ADD-01", "TAG-DEL-01", "TAG-ADD-31", "TAG-DEL-19", "TAG-HIST-01"))
class LetsNoImageLoseItsName(App):
    """Refuses a patch that leaves an image without a name with 400."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if any(change.get("path") == "/name" and not change.get("value") for change in json.loads(request.body)):
            raise Invalid("An image has a name.")
        return super().update_image(request, image_id)


@breaks("TAG-HIST-01", profile="standard", words=selecting("TAG-HIST-01", "TAG-ADD-03", "TAG-DEL-03"))
class UploadsWhatAPatchHadSet(App):
    """Puts the tags that a patch had set back when data is uploaded, whatever was added and deleted since."""

    def __init__(self) -> None:
        super().__init__()
        self.patched: dict[str, list[str]] = {}

    def update_image(self, request: Request, image_id: str) -> Reply:
        reply = super().update_image(request, image_id)
        if any("/tags" in str(change.values()) for change in json.loads(request.body)):
            self.patched[image_id] = [*self.images.get(image_id).tags]
        return reply

    def upload(self, request: Request, image_id: str) -> Reply:
        reply = super().upload(request, image_id)
        if image_id in self.patched:
            self.images.get(image_id).tags[:] = self.patched[image_id]
        return reply


@breaks("TAG-RESP-03", profile="standard", words=selecting("TAG-RESP-03", "TAG-RESP-04", "TAG-DEL-06"))
class MeasuresBeforeItEscapes(App):
    """Repeats a tag that is not there as its address has it, and measures the answer with the tag as it is."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            return super().delete_tag(request, image_id, tag)
        except NotFound:
            said, measured = (f"There is no tag {name}." for name in (request.path.rpartition("/")[2], tag))
            length = ("Content-Length", str(len(measured.encode())))
            return Reply(404, said.encode(), (("Content-Type", "text/plain; charset=utf-8"), length))
