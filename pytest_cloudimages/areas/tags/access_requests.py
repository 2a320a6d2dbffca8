"""What is sent for a cell of the matrix of callers, images and operations, and what comes of it."""

from dataclasses import dataclass

from pytest_cloudimages.areas.common.tokens import Asker
from pytest_cloudimages.areas.tags.callers import PATCHES, Cell, Change
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE

THERE, KEPT = "there", "asked-by-nobody"


@dataclass(frozen=True)
class AskedCell:
    """A cell with who sends it, and the tag that it names."""

    cell: Cell
    asker: Asker
    tag: str

    def sent(self, image_id: str) -> Answer:
        """Send the request."""
        change, image = self.cell.change, f"/images/{image_id}"
        if change is Change.READ:
            return self.asker.ask("GET", image)
        if change in PATCHES:
            operation = {"op": PATCHES[change], "path": "/tags"}
            if change is not Change.PATCH_REMOVE:
                operation["value"] = [KEPT, self.tag]  # type: ignore[assignment]  # one key of three is no text
            return self.asker.ask("PATCH", image, [operation], {"Content-Type": PATCH_TYPE})
        written = self.tag.replace("n", "%6E").replace("-", "%2D") if change is Change.ADD_ENCODED else self.tag
        method = "DELETE" if change in (Change.DELETE, Change.DELETE_ABSENT) else "PUT"
        return self.asker.ask(method, f"{image}/tags/{written}")

    def effect(self, tags: frozenset[str]) -> frozenset[str]:
        """Return the tags that there are once the request was carried out."""
        match self.cell.change:
            case Change.READ:
                return tags
            case Change.DELETE | Change.DELETE_ABSENT:
                return tags - {self.tag}
            case Change.PATCH_REMOVE:
                return frozenset()
            case Change.PATCH_ADD | Change.PATCH_REPLACE:
                return frozenset({KEPT, self.tag})
        return tags | {self.tag}

    def done(self, before: frozenset[str], after: frozenset[str]) -> bool:
        """Return whether the tag that the request named came or went.

        Where a tag is gone too that nobody asked for, it was somebody else's doing.
        """
        if self.cell.change is Change.PATCH_REMOVE:
            return bool(before) and not after
        return (self.tag in before) != (self.tag in after) and (self.tag in after or KEPT in after)
