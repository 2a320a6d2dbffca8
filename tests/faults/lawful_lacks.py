"""Correct services of which a quota, a rule or a policy keeps something from being asked.

That is untested, with the answer that says so; nobody is told to look for what went wrong.
"""

import json
from dataclasses import replace
from typing import Any, ClassVar

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import Role
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Conflict, Forbidden, NotFound, OverLimit, Refusal

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.STATUS


class _NeverBlocked(App):
    """Leaves nothing blocked."""

    never_blocked = True


def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(request.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


@breaks(words=selecting("IMG-LIST", "PAGE"))
class TakesANameButOnce(_NeverBlocked):
    """Answers 409 to a second image of one name, as its operator has it."""

    def create_image(self, request: Request) -> Reply:
        name = _document(request).get("name")
        with self.images.lock:
            if name and any(
                image.name == name and image.owner == request.caller.project for image in self.images.all()
            ):
                raise Conflict(f"There is an image {name} already.")
            return super().create_image(request)


@breaks(words=selecting("IMG-LIST", "PAGE", "IMG-DEL"))
class HasRoomForThreeImages(_NeverBlocked):
    """Answers 413 to a fourth image of a project, as its operator has it."""

    most = 3

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            if sum(image.owner == request.caller.project for image in self.images.all()) >= self.most:
                raise OverLimit(f"A project has {self.most} images at most.")
            return super().create_image(request)


@breaks(words=selecting("IMG-STAT", "IMG-ENT-11", "TASK-EXP", "TASK-IMP"))
class HasNoRoomForData(_NeverBlocked):
    """Answers 413 to the data of an image: the quota of its storage is used up."""

    def upload(self, request: Request, image_id: str) -> Reply:
        self.images.open(request.caller, image_id)
        raise OverLimit("There is no room for it.")


@breaks(words=selecting("MEM-CRE", "MEM-UPD", "IMG-GET-03", "IMG-UPD-21", "IMG-LIST-02", "TASK-LIST-02"))
class IsToldOfOneProjectTwice(_NeverBlocked):
    """Serves a tester whose second token, said to be of another project, is of the tester's own."""

    mistaken: ClassVar = {"ALT": "account-admin"}


class _Members(_NeverBlocked):
    """Refuses some members to the owner of an image."""

    def refusal(self, image: Image, project: str) -> Refusal | None:
        raise NotImplementedError

    def create_member(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image, project = self.images.show(request.caller, image_id), _document(request).get("member")
            known = isinstance(project, str) and project and project not in image.members
            if known and image.owner == request.caller.project and (refusal := self.refusal(image, str(project))):
                raise refusal
            return super().create_member(request, image_id)


@breaks(words=selecting("MEM-CRE", "MEM-DEL", "MEM-UPD"), profile="standard")
class SharesWithOne(_Members):
    """Answers 413 to a second member of an image, as its operator has it."""

    most = 1

    def refusal(self, image: Image, project: str) -> Refusal | None:  # noqa: ARG002
        full = len(image.members) >= self.most
        return OverLimit(f"An image is shared with {self.most} projects at most.") if full else None


@breaks(words=selecting("MEM-UPD", "MEM-CRE", "MEM-LIST"))
class HasNoRoomForMembers(SharesWithOne):
    """Answers 413 to any member of an image: its quota is none."""

    most = 0


@breaks(words=selecting("MEM-CRE", "MEM-DEL"))
class FindsMembersInIdentity(_Members):
    """Answers 404 to a member that is no project of its Identity, where the tester has told none of a project's id."""

    def refusal(self, image: Image, project: str) -> Refusal | None:  # noqa: ARG002
        known = project in {each.id for each in self.identity.projects.values()}
        return None if known else NotFound("There is no such project.")


@breaks(words=selecting("IMG-UPD", "IMG-ENT-13", "IMG-ENT-14"), profile="standard")
class HasNoRoomForProperties(_NeverBlocked):
    """Answers 413 to any property of an image: its quota is used up."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = self.images.show(request.caller, image_id)
            reply = super().update_image(request, image_id)
            after = self.images.get(image_id)
            if len(after.properties) > len(before.properties):
                for name in Image.__slots__:
                    setattr(after, name, getattr(before, name))
                raise OverLimit("No image has another property.")
            return reply

    def create_image(self, request: Request) -> Reply:
        if any(name.startswith(("cloudimages", "pytest")) for name in _document(request)):
            raise OverLimit("No image has properties.")
        return super().create_image(request)


@breaks(words=selecting("TASK-LIST", "TASK-GET", "TASK-ENT"))
class ForbidsTheListOfTasks(_NeverBlocked):
    """Lets its users create tasks and look at them one by one, and forbids them the list."""

    def list_tasks(self, request: Request) -> Reply:  # noqa: ARG002
        raise Forbidden("The list of tasks is the operator's.")


@breaks(
    words=selecting("MEM", "AUTH-22", "IMG-GET", "IMG-UPD", "IMG-LIST", "TAG-AUTH", "TAG-VIS", "TASK"),
    profile="standard",
)
class HasAnAdministratorForASecondProject(_NeverBlocked):
    """Serves a tester whose second user is an administrator, as the one of a new cloud is."""

    signs_in = True

    def __init__(self) -> None:
        super().__init__()
        user = self.identity.users["other"]
        self.identity.users["other"] = replace(user, role=Role.ADMIN, roles=("admin", "member", "reader"))
