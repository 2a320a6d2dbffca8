"""What services have in common whose lists are filtered by tags in a way of their own."""

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image


class Filters(App):
    """Selects images by tags in a way of its own."""

    def carries(self, image: Image, wanted: list[str]) -> bool:
        """Return whether an image carries what is asked for."""
        return {*wanted} <= {*image.tags}

    def found_by(self, caller: Caller, wanted: list[str]) -> list[Image]:  # noqa: ARG002 - some need it
        """Return the images that are found by tags, whoever sees them."""
        return [image for image in self.images.all() if self.carries(image, wanted)]

    def list_images(self, request: Request) -> Reply:
        query = listing.Query.read(request.query)
        wanted = query.all("tag")
        rest = listing.Query(tuple(pair for pair in query.pairs if pair[0] != "tag")) if wanted else query
        with self.images.lock:
            known = self.found_by(request.caller, wanted) if wanted else self.images.all()
            page = listing.page(known, request.caller, rest, self.represent)
            return Reply.of_json(listing.document("images", query, page, self.represent))
