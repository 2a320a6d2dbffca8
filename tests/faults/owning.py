"""Images that change hands, lose what is empty, or are known by their ids in upper case."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, Refusal

from .changing import Changes, When
from .kinds import Kind
from .registry import breaks

KIND = Kind.ATTRIBUTES


# An administrator at work


def _administers(
    name: str, doc: str, *ids: str, change: Callable[[Image, str], object], method: str = "add_tag"
) -> None:
    """Register a service that changes another project's image with an administrator's operation on its tags."""

    def operate(self: App, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply: Reply = getattr(App, method)(self, request, image_id, tag)
            image = self.images.get(image_id)
            if request.caller.admin and request.caller.project != image.owner:
                change(image, request.caller.project)
            return reply

    words = ("--select", "TAG-ADD-26", "--select", "TAG-DEL-04")
    app = type(name, (App,), {method: operate, "__doc__": doc, "__module__": __name__})
    breaks(*ids, profile="standard", words=words)(app)


def _owned(image: Image, project: str) -> None:
    image.owner = project


_administers(
    "GivesTheImageToTheAdministrator",
    "Takes an administrator who adds a tag for the image's new owner.",
    "TAG-ADD-26",
    change=_owned,
)
_administers(
    "GivesTheImageToTheAdministratorOnDeletion",
    "Takes an administrator who deletes a tag for the image's new owner.",
    "TAG-DEL-04",
    change=_owned,
    method="delete_tag",
)
_administers(
    "NotesTheAdministrator",
    "Notes as a property of the image which administrator's project has added a tag.",
    "TAG-ADD-26",
    change=lambda image, project: image.properties.update(tagged_by=project),
)


@breaks(profile="standard", words=("--select", "TAG-ADD-26", "--select", "TAG-DEL-04"))
class KeepsAdministratorsOut(App):
    """Lets an administrator change the tags of no other project's image."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.caller.admin and self.images.get(image_id).owner != request.caller.project:
            raise Forbidden("It is another project's.")
        return super().add_tag(request, image_id, tag)


# Properties that are empty


class _DropsEmptyOnes(Changes):
    def change(self, image: Image, tag: str) -> None:  # noqa: ARG002 - others need it
        image.properties = {name: value for name, value in image.properties.items() if value}


@breaks("TAG-ADD-26")
class DropsEmptyPropertiesOnAddition(_DropsEmptyOnes):
    """Drops properties that are empty when a tag is added."""

    when = When.ADDED


@breaks("TAG-DEL-04")
class DropsEmptyPropertiesOnDeletion(_DropsEmptyOnes):
    """Drops properties that are empty when a tag is deleted."""


class _TakesNoEmptyOnes(App):
    """Answers 400 to the creation of an image with a property that is empty."""

    def create_image(self, request: Request) -> Reply:
        if "" in json.loads(request.body).values():
            raise Invalid("A property is not empty.")
        return super().create_image(request)


@breaks()
class TakesNoEmptyProperties(_TakesNoEmptyOnes):
    """Answers 400 to the creation of an image with a property that is empty, and keeps all others."""


@breaks("TAG-ADD-26")
class TakesNoEmptyPropertiesAndDropsAll(_TakesNoEmptyOnes):
    """Takes no properties that are empty, and drops all others when a tag is added."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.images.get(image_id).properties.clear()
            return reply


# Ids in upper case


class _KnowsUpperCase(App):
    """Takes an id in upper case for that of the image, and answers what it likes."""

    def of_upper_case(self, request: Request, image_id: str, tag: str) -> Reply:
        raise NotImplementedError

    def route(self, request: Request) -> Reply:
        before, _, rest = request.path.partition("/images/")
        image_id, _, tag = rest.partition("/tags/")
        if tag and image_id != image_id.lower() and request.method in ("PUT", "DELETE"):
            return self.of_upper_case(replace(request, target=f"{before}/images/{rest.lower()}"), image_id.lower(), tag)
        return super().route(request)


def _upper_case(name: str, doc: str, *ids: str, answer: Callable[[App, Request], Reply]) -> None:
    words = tuple(word for each in ("ADD-15", "ADD-22", "DEL-07", "DEL-12") for word in ("--select", f"TAG-{each}"))
    answered = lambda self, request, *_: answer(self, request)  # noqa: E731
    app = type(name, (_KnowsUpperCase,), {"of_upper_case": answered, "__doc__": doc, "__module__": __name__})
    breaks(*ids, profile="standard", words=words)(app)


def _done_and_denied(app: App, request: Request) -> Reply:
    with contextlib.suppress(Refusal):
        App.route(app, request)
    return app.error(request, HTTPStatus.NOT_FOUND, "There is no such image.")


_upper_case(
    "AcknowledgesIdsInUpperCase",
    "Acknowledges whatever is asked with an image's id in upper case, and does nothing.",
    "TAG-ADD-15",
    "TAG-DEL-07",
    answer=lambda _, __: NO_CONTENT,
)
_upper_case(
    "DeniesIdsInUpperCase",
    "Answers 404 to an image's id in upper case, and does what is asked.",
    "TAG-ADD-22",
    "TAG-DEL-12",
    answer=_done_and_denied,
)
_upper_case(
    "ComparesIdsWithoutCase",
    "Takes an image's id in upper case for the image's.",
    answer=App.route,
)
