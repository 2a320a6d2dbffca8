"""Services that leave one kind of image out of lists, or do not show it to some of those who may see it."""

from collections.abc import Callable
from http import HTTPStatus

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image

from .kinds import Kind
from .listing import listed, pairs_of
from .registry import registrar, selecting

KIND = Kind.LISTS
MANY = 2
OF_LISTS = selecting("IMG-LIST-02", "IMG-LIST-04")

faulty = registrar(__name__, words=OF_LISTS, profile="standard")
"""Registers a service that has some methods of its own."""


def _but(kind: Callable[[Image], bool], whose: Callable[[Caller, Image], bool]) -> Callable[[App, Request], Reply]:
    """Return how a list is answered that holds no image of a kind, as far as it is of somebody's."""

    def list_images(self: App, request: Request) -> Reply:
        caller = request.caller
        with self.images.lock:
            return listed(
                self, request, [each for each in self.images.all() if not (kind(each) and whose(caller, each))]
            )

    return list_images


def _own(caller: Caller, image: Image) -> bool:
    return caller.project == image.owner


def _readers(caller: Caller, image: Image) -> bool:
    return _own(caller, image) and not caller.writes


def _consumers(caller: Caller, image: Image) -> bool:
    return caller.project in image.members


def _others(caller: Caller, image: Image) -> bool:
    return not _own(caller, image)


for name, sentence, kind in (
    ("ListsNoHiddenImages", "Leaves hidden images out of lists of such.", lambda image: image.os_hidden),
    (
        "ListsNoPublicImagesOfOnesOwn",
        "Leaves public images out of their owner's lists.",
        lambda image: image.visibility == "public",
    ),
    (
        "ListsNoCommunityImagesOfOnesOwn",
        "Leaves images of the community out of all lists of their owner.",
        lambda image: image.visibility == "community",
    ),
    ("ListsNoNamelessImages", "Leaves images out of lists that have no name.", lambda image: image.name is None),
    ("ListsNoImagesOfManyTags", "Leaves images of a hundred tags out of lists.", lambda image: len(image.tags) >= 100),
    ("ListsNoImagesOfNoOctet", "Leaves images out of lists whose data has no octet.", lambda image: image.size == 0),
):
    faulty(name, sentence, "IMG-LIST-02", list_images=_but(kind, _own))

for name, sentence, kind in (
    (
        "ListsNoHiddenImagesToReaders",
        "Leaves hidden images out of the lists of readers.",
        lambda image: image.os_hidden,
    ),
    (
        "ListsNoProtectedImagesToReaders",
        "Leaves protected images out of the lists of readers.",
        lambda image: image.protected,
    ),
):
    faulty(name, sentence, "IMG-LIST-02", list_images=_but(kind, _readers))

for name, sentence, visibility in (
    ("ListsNoPublicImagesOfOthers", "Leaves public images of others out of lists.", "public"),
    ("ListsNoCommunityImagesOfOthers", "Leaves images of the community out of others' lists.", "community"),
):
    faulty(
        name,
        sentence,
        "IMG-LIST-04",
        list_images=_but(lambda image, visibility=visibility: image.visibility == visibility, _others),  # type: ignore[misc]
    )

for name, sentence, kind in (
    (
        "ListsNoImagesOfManyAttributes",
        "Leaves images of twenty attributes of one's own out of lists.",
        lambda image: len(image.properties) >= 20,
    ),
    (
        "ListsNoImagesOfNoAttributes",
        "Leaves images out of lists that have no attribute of one's own.",
        lambda image: not image.properties,
    ),
    (
        "ListsNoImagesOfNoFormat",
        "Leaves images out of lists that have no format yet.",
        lambda image: image.disk_format is None,
    ),
):
    faulty(name, sentence, "IMG-LIST-02", list_images=_but(kind, _own))


faulty(
    "ListsNoAcceptedImagesToTheirOwner",
    "Leaves images that somebody has accepted out of their owner's lists.",
    "IMG-LIST-02",
    list_images=_but(lambda image: any(each.status == "accepted" for each in image.members.values()), _own),
)
faulty(
    "ListsNoNamelessImagesToConsumers",
    "Leaves images without a name out of the lists of consumers.",
    "IMG-LIST-02",
    list_images=_but(lambda image: image.name is None, _consumers),
)


def _standard_ones(self: App, request: Request) -> Reply:
    if dict(pairs_of(request)).get("visibility"):
        return App.list_images(self, request)
    return _but(lambda image: image.visibility == "public", _others)(self, request)


faulty(
    "ListsPublicImagesIfAskedFor",
    "Leaves public images of others out of lists that do not ask for them.",
    "IMG-LIST-02",
    words=(*OF_LISTS, "--specification", "glance"),
    list_images=_standard_ones,
)


# What is shown of them


def _denying(
    kind: Callable[[Image], bool], whom: Callable[[Caller, Image], bool]
) -> Callable[[App, Request, str], Reply]:
    """Return how an image is shown that is not there to somebody while it is of a kind."""

    def show_image(self: App, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if kind(image) and whom(request.caller, image):
            return self.error(request, HTTPStatus.NOT_FOUND, f"There is no image {image_id}.")
        return App.show_image(self, request, image_id)

    return show_image


for name, sentence, kind, whom in (
    ("ShowsNoHiddenImageToReaders", "Shows no reader a hidden image.", lambda image: image.os_hidden, _readers),
    (
        "ShowsNoNamelessImageToReaders",
        "Shows no reader an image without a name.",
        lambda image: image.name is None,
        _readers,
    ),
    (
        "ShowsNoPublicImageToOthers",
        "Shows no image to other projects that is public.",
        lambda image: image.visibility == "public",
        _others,
    ),
    (
        "ShowsNoCommunityImageToOthers",
        "Shows no image to other projects that is for the community.",
        lambda image: image.visibility == "community",
        _others,
    ),
    (
        "ShowsNoNamelessImage",
        "Shows an image to nobody that has no name.",
        lambda image: image.name is None,
        lambda *_: True,
    ),
):
    faulty(name, sentence, "IMG-GET-01", words=selecting("IMG-GET"), show_image=_denying(kind, whom))

faulty(
    "ShowsNoImageOfTwoMembers",
    "Does not show an image to its owner while it is shared with two projects and more.",
    "IMG-GET-01",
    words=selecting("IMG-GET-01", "IMG-LIST-02"),
    show_image=_denying(lambda image: len(image.members) >= MANY, _own),
)
