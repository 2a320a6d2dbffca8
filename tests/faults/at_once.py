"""Services that go wrong with requests that meet: deletions, a patch and a deletion, uploads, and two callers."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Conflict, NotFound

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.IMAGES
WINDOW = 0.06
"""Seconds in which two requests meet: a loaded machine sends the second of them late."""
DELETIONS, UPLOADS = selecting("IMG-DEL-03", "IMG-DEL-04"), selecting("IMG-STAT-03", "IMG-DEL-04")

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


class _Busy:
    """Who is at something, by what it is done to."""

    def __init__(self) -> None:
        self.lock, self.counts = Lock(), dict[str, int]()

    @contextmanager
    def at(self, what: str) -> Any:
        """Yield whether somebody else was at it before, for as long as the block goes on."""
        with self.lock:
            before = self.counts.get(what, 0)
            self.counts[what] = before + 1
        try:
            yield before > 0
        finally:
            with self.lock:
                self.counts[what] -= 1


def _begins(self: App) -> None:
    App.__init__(self)
    self.__dict__["busy"] = _Busy()


def _at(self: App, what: str) -> Any:
    return self.__dict__["busy"].at(what)


# Deletions


def _looks_first(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    if not image.protected and request.caller.deletes:
        time.sleep(WINDOW)
    try:
        return App.delete_image(self, request, image_id)
    except NotFound:
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "No row was matched.")


def _in_use(self: App, request: Request, image_id: str) -> Reply:
    with _at(self, image_id) as meets:
        if meets:
            raise Conflict("The image is in use.")
        time.sleep(WINDOW)
        return App.delete_image(self, request, image_id)


faulty(
    "FailsOnTwoDeletions",
    "Answers 500 to a deletion that meets another.",
    "IMG-DEL-03",
    words=DELETIONS,
    delete_image=_looks_first,
)
faulty("RefusesOneOfTwoDeletions", "Answers 409 to one.", words=DELETIONS, __init__=_begins, delete_image=_in_use)


# A patch and a deletion


def _puts_back(self: App, request: Request, image_id: str) -> Reply:
    image = self.images.open(request.caller, image_id)
    reply = App.update_image(self, request, image_id)
    time.sleep(WINDOW)
    with self.images.lock:
        self.images._images.setdefault(image_id, image)  # noqa: SLF001 - behind the honest door
    return reply


def _patches_what_was(self: App, request: Request, image_id: str) -> Reply:
    reply = App.update_image(self, request, image_id)
    time.sleep(WINDOW)
    return reply


def _patches_alone(self: App, request: Request, image_id: str) -> Reply:
    with _at(self, image_id):
        time.sleep(WINDOW)
        return App.update_image(self, request, image_id)


faulty(
    "BringsBackWhatIsPatched",
    "Has an image back that is patched.",
    "IMG-DEL-04",
    words=DELETIONS,
    update_image=_puts_back,
)
faulty(
    "AnswersPatchesLate", "Answers a patch when the image may be gone.", words=DELETIONS, update_image=_patches_what_was
)
faulty(
    "DeletesNothingThatIsPatched",
    "Answers 409 to the deletion of an image that somebody patches.",
    words=DELETIONS,
    __init__=_begins,
    update_image=_patches_alone,
    delete_image=_in_use,
)


# Uploads


def _crowded(self: App, request: Request, image_id: str) -> Reply:
    with _at(self, "uploads") as meets:
        reply = App.upload(self, request, image_id)
        time.sleep(WINDOW)
    if meets:
        self.images.get(image_id).status = Status.SAVING
    return reply


def _one_by_one(self: App, request: Request, image_id: str) -> Reply:
    with _at(self, "uploads") as meets:
        if meets:
            return self.error(request, HTTPStatus.CONFLICT, "Others upload.")
        time.sleep(WINDOW)
        return App.upload(self, request, image_id)


faulty(
    "StaysInSaving",
    "Leaves the images saving that met another.",
    "IMG-STAT-03",
    words=UPLOADS,
    __init__=_begins,
    upload=_crowded,
)
faulty(
    "TakesOneUploadAtATime",
    "Answers 409 to an upload that meets another.",
    words=UPLOADS,
    __init__=_begins,
    upload=_one_by_one,
)


# Two callers


def _shows_one(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith("/v2/images/")


def _lists_one(request: Request) -> bool:
    """Return whether a list is asked for by a name and nothing else, which not many are."""
    return request.method == "GET" and request.query.startswith("name=") and "&" not in request.query


def _authenticating(what: Callable[[Request], bool], *, mixed: bool) -> Callable[[App, Request], Caller]:
    """Return what takes a while to find out who asks for some things, and takes one for another meanwhile or not."""

    def authenticate(self: App, request: Request) -> Caller:
        caller = App.authenticate(self, request)
        if not what(request):
            return caller
        self.__dict__["current"] = caller
        time.sleep(WINDOW)
        current: Caller = self.__dict__["current"]
        return current if mixed else caller

    return authenticate


for _what, _fits, _id in (("Shows", _shows_one, "IMG-GET-03"), ("Lists", _lists_one, "IMG-LIST-02")):
    for _mixed, _name, _sentence in (
        (True, "ToOneWhatIsAnothers", "to who asks while another does what is that one's"),
        (False, "ToEachWhatIsItsOwn", "slowly to each who asks what is its own"),
    ):
        faulty(
            f"{_what}{_name}",
            f"{_what} images {_sentence}.",
            *([_id] if _mixed else []),
            words=selecting(_id),
            authenticate=_authenticating(_fits, mixed=_mixed),
        )
