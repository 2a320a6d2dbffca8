"""Services that say something else of an image than before, though nobody has changed it: two answers show that."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, MemberStatus, Status
from pytest_cloudimages.reference.tasks import Task

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.PASSING
faulty = registrar(__name__, words=selecting("IMG", "MEM"), profile="standard")
"""Registers a service that has some methods of its own."""
Shown = dict[str, Any]
Edit = Callable[[App, Image], object]


def _is_shared(image: Image) -> bool:
    return bool(image.members)


def _is_accepted(image: Image) -> bool:
    return any(member.status is MemberStatus.ACCEPTED for member in image.members.values())


def _then(method: str, edit: Edit, when: Callable[[Image], bool] = _is_shared) -> dict[str, Callable[..., Reply]]:
    """Return a method that carries out what is asked, and something else with the image."""

    def operation(self: App, request: Request, image_id: str, *rest: str) -> Reply:
        reply: Reply = getattr(App, method)(self, request, image_id, *rest)
        if reply.status < 300 and when(self.images.get(image_id)):
            edit(self, self.images.get(image_id))
        return reply

    return {method: operation}


def _shows(edit: Callable[[Image], Shown], when: Callable[[Image], bool]) -> dict[str, Callable[..., Shown]]:
    """Return how an image is shown by a service that edits what it shows of some."""

    def represent(self: App, image: Image) -> Shown:
        return App.represent(self, image) | (edit(image) if when(image) else {})

    return {"represent": represent}


def _set(**values: object) -> Edit:
    def edit(_: App, image: Image) -> None:
        for name, value in values.items():
            setattr(image, name, value)

    return edit


def _earlier(name: str, **by: float) -> Edit:
    return lambda _, image: setattr(image, name, getattr(image, name) - timedelta(**by))


faulty(
    "WasThereBeforeItWasShared",
    "Moves the time of creation of an image back by a minute when a project is added to its members.",
    "IMG-GET-01",
    **_then("create_member", _earlier("created_at", minutes=1), lambda image: image.status is Status.QUEUED),
)
faulty(
    "BelongsToWhoeverHasAccepted",
    "Shows the first member that has accepted an image as its owner.",
    "IMG-GET-01",
    **_shows(lambda image: {"owner": next(iter(image.members))}, _is_accepted),
)
faulty(
    "NeedsMoreOnceItIsRejected",
    "Asks for more memory with an image that a member rejects.",
    "IMG-ENT-02",
    **_then(
        "update_member",
        lambda _, image: setattr(image, "min_ram", image.min_ram + 512),
        lambda image: any(member.status is MemberStatus.REJECTED for member in image.members.values()),
    ),
)
faulty(
    "ProtectsWhatIsAccepted",
    "Shows an image as protected once a member has accepted it.",
    "IMG-GET-01",
    "IMG-UPD-01",
    **_shows(lambda image: {"protected": not image.protected}, _is_accepted),
)
faulty(
    "CountsBlocksOfProtectedData",
    "Counts the data of an image by blocks of 512 octets while it is protected.",
    "IMG-UPD-01",
    **_shows(
        lambda image: {"size": -(-(image.size or 0) // 512) * 512}, lambda image: bool(image.protected and image.size)
    ),
)
faulty(
    "ForgetsTheChecksumOfProtectedData",
    "Shows no checksum of an image with data while it is protected.",
    "IMG-UPD-01",
    **_shows(lambda _: {"checksum": None}, lambda image: image.protected),
)
faulty(
    "ForgetsWhatIsOwnWhenItIsHidden",
    "Forgets the attributes of one's own with a patch that hides an image which has members.",
    "IMG-UPD-01",
    **_then(
        "update_image", lambda _, image: image.properties.clear(), lambda image: bool(image.members and image.os_hidden)
    ),
)
faulty(
    "IsActiveOnceItIsShared",
    "Calls an image without data active once two projects are its members.",
    "IMG-STAT-01",
    **_then(
        "create_member",
        _set(status=Status.ACTIVE),
        lambda image: len(image.members) > 1 and image.status is Status.QUEUED,
    ),
)
faulty(
    "TurnsTheTimeBackOnADecision",
    "Sets the time of the last change an hour back when a member decides.",
    "IMG-UPD-27",
    **_then("update_member", _earlier("updated_at", hours=1)),
)


def _listed(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    if reply.status != 200:
        return reply
    shown: Any = reply.json()
    for entry in shown["images"]:
        if self.images.get(entry["id"]).members:
            entry["container_format"] = "ovf"
    return Reply.of_json(shown)


faulty(
    "ListsSharedImagesInAnotherFormat",
    "Lists images that have members with another format of the container.",
    "IMG-ENT-02",
    list_images=_listed,
)


def _each_member(**by: float) -> Edit:
    def edit(_: App, image: Image) -> None:
        for member in image.members.values():
            member.updated_at -= timedelta(**by)

    return edit


def _undecided(_: App, image: Image) -> None:
    for member in image.members.values():
        member.status = MemberStatus.PENDING


def _first_begins_earlier(_: App, image: Image) -> None:
    next(iter(image.members.values())).created_at -= timedelta(minutes=1)


faulty(
    "ForgetsDecisionsOnWhatIsHidden",
    "Has members decide anew on an image when it is hidden.",
    "MEM-UPD-01",
    **_then("update_image", _undecided, lambda image: bool(image.members and image.os_hidden)),
)
faulty(
    "DatesMembershipsByTheirFellows",
    "Moves the beginning of the first membership back by a minute when another project is added.",
    "MEM-UPD-09",
    **_then("create_member", _first_begins_earlier, lambda image: len(image.members) > 1),
)
faulty(
    "TurnsMembershipsBackWithTheImage",
    "Sets the time of the last change of memberships an hour back when their image is updated.",
    "MEM-UPD-09",
    **_then("update_image", _each_member(hours=1)),
)


def _shows_tasks(edit: Callable[[Task, Shown], object]) -> dict[str, Callable[..., Shown]]:
    def represent_task(self: App, task: Task) -> Shown:
        shown = App.represent_task(self, task)
        if task.ended:
            edit(task, shown)
        return shown

    return {"represent_task": represent_task}


def _seen(task: Task) -> int:
    """Return how often an ended task was shown."""
    SHOWN[task.id] = SHOWN.get(task.id, 0) + 1
    return SHOWN[task.id]


SHOWN: dict[str, int] = {}

faulty(
    "CallsEndedTasksMigrations",
    "Shows another type of a task whose details are asked for a second time since it failed.",
    "TASK-GET-01",
    words=selecting("TASK"),
    **_shows_tasks(
        lambda task, shown: (
            shown.update(type="import" if task.type == "export" else "export")
            if task.status == "failure" and _seen(task) > 1
            else None
        )
    ),
)
faulty(
    "LeadsElsewhereInTheEnd",
    "Shows another place of what was exported when the task is asked for a second time since it succeeded.",
    "TASK-ENT-05",
    "TASK-EXP-05",
    words=selecting("TASK"),
    **_shows_tasks(
        lambda task, shown: (
            shown.update(result={"export_location": "elsewhere/of.vhd"})
            if task.type == "export" and task.status == "success" and _seen(task) > 1
            else None
        )
    ),
)
