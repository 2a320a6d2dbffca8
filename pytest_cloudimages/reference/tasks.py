"""The rules of tasks: what is imported and exported, and how far that has come. No HTTP.

A task is carried out in steps that go on from request to request: it waits, is worked on, and ends.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from threading import RLock
from uuid import uuid4

from . import vhd
from .attributes import Status
from .images import Caller, Images, now, owns
from .object_store import ObjectStore
from .refusals import Forbidden, Invalid, NotFound, Refusal

LIFETIME = timedelta(hours=48)  # of a task that has ended
NOTHING_WRONG = "None"
"""The message of a task while nothing went wrong."""
LARGEST_DISK = 40 * 2**30  # octets
UNFIT = re.compile(r"[/?.]")
"""Characters that the name of a container to export to does not have."""


class TaskType(StrEnum):
    """What a task does."""

    IMPORT = "import"
    EXPORT = "export"


class TaskStatus(StrEnum):
    """How far a task has come; it never goes back."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILURE = "failure"


ENDED = frozenset({TaskStatus.SUCCESS, TaskStatus.FAILURE})


class Failed(Exception):  # noqa: N818 - a task that fails is an answer, not an error of ours
    """A task cannot be carried out; the message says why."""


@dataclass(slots=True)
class Task:
    """A task, which belongs to a project."""

    id: str
    owner: str
    type: TaskType
    input: Mapping[str, object]
    caller: Caller
    status: TaskStatus = TaskStatus.PENDING
    message: str = NOTHING_WRONG
    result: dict[str, str] | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    expires_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is done for it."""
        return self.status in ENDED


class Tasks:
    """All tasks of the service, which work on its images and an object store."""

    def __init__(self, images: Images, store: ObjectStore) -> None:
        self.lock = RLock()
        self.images = images
        self.store = store
        self._tasks: dict[str, Task] = {}
        self._unfinished: list[Task] = []

    def create(self, caller: Caller, kind: object, given: object) -> Task:
        """Accept a task, and return it; raise Invalid where its input is not what the type needs."""
        if not caller.writes:
            raise Forbidden("Your role may not create tasks.")
        chosen = next((each for each in TaskType if each == kind), None)
        if chosen is None:
            raise Invalid(f"The type of a task is one of {', '.join(TaskType)}, not {kind!r}.")
        if not isinstance(given, dict):
            raise Invalid("The input of a task is an object.")
        CHECKS[chosen](given)
        moment = now()
        task = Task(str(uuid4()), caller.project, chosen, given, caller, created_at=moment, updated_at=moment)
        with self.lock:
            self._tasks[task.id] = task
            self._unfinished.append(task)
        return task

    def all(self, caller: Caller) -> list[Task]:
        """Return the tasks that the caller may know of, the oldest first."""
        with self.lock:
            self._expire()
            return [task for task in self._tasks.values() if _sees(caller, task)]

    def show(self, caller: Caller, task_id: str) -> Task:
        """Return a task that the caller may know of, or raise NotFound."""
        with self.lock:
            self._expire()
            task = self._tasks.get(task_id)
            if task is None or not _sees(caller, task):
                raise NotFound(f"There is no task {task_id}.")
            return task

    def work(self) -> None:
        """Take every task that has not ended one step further."""
        if not self._unfinished:
            return
        with self.lock:
            for task in self._unfinished:
                if task.status is TaskStatus.PENDING:
                    self.set_status(task, TaskStatus.PROCESSING)
                else:
                    self.finish(task)
            self._unfinished = [task for task in self._unfinished if not task.ended]

    def set_status(self, task: Task, status: TaskStatus) -> None:
        """Set how far a task has come, and when that was; one that ends expires."""
        task.status = status
        task.updated_at = max(task.updated_at, now())
        if task.ended:
            task.expires_at = task.updated_at + LIFETIME

    def finish(self, task: Task) -> None:
        """Execute a task to its end."""
        execute: Callable[[Task], dict[str, str]] = (
            self.execute_import if task.type is TaskType.IMPORT else self.execute_export
        )
        try:
            task.result = execute(task)
        except (Failed, Refusal) as problem:
            task.message = str(problem)
            self.set_status(task, TaskStatus.FAILURE)
        else:
            self.set_status(task, TaskStatus.SUCCESS)

    def execute_import(self, task: Task) -> dict[str, str]:
        """Make an image of a disk in the object store."""
        properties = task.input["image_properties"]
        source = str(task.input["import_from"])
        if not isinstance(properties, dict) or properties.keys() != {"name"}:
            raise Failed("An import sets no property of the image but its name.")
        container, _, name = source.partition("/")
        with self.store.lock:
            try:
                octets = self.store.get(task.owner, container, name)
            except NotFound:
                raise Failed(f"Image not found for import: is {source} the right location?") from None
        _check_disk(octets)
        formats = {"container_format": "ovf", "disk_format": "vhd", "visibility": "private"}
        with self.images.lock:
            image = self.images.create(task.caller, {"name": properties["name"], **formats})
            self.images.upload(task.caller, image.id, octets)
        return {"image_id": image.id}

    def execute_export(self, task: Task) -> dict[str, str]:
        """Write an image of the caller's to the object store, in the format VHD."""
        container = str(task.input["receiving_swift_container"])
        if UNFIT.search(container):
            raise Failed("The name of the container has a slash, a question mark or a period.")
        image_id = str(task.input["image_uuid"])
        with self.images.lock:
            image = self.images.show(task.caller, image_id)
            if not owns(task.caller, image):
                raise Failed(f"Image {image_id} belongs to another project.")
            if image.status is not Status.ACTIVE or image.data is None:
                raise Failed(f"Image {image_id} is {image.status}, and not to be exported.")
            octets = vhd.fixed(image.data)
        name = f"{image_id}.vhd"
        with self.store.lock:
            if name in self.store.container(task.owner, container):
                raise Failed(f"There is an object {container}/{name} already.")
            self.store.put(task.caller, container, name, octets)
        return {"export_location": f"{container}/{name}"}

    def _expire(self) -> None:
        moment = now()
        for task in [task for task in self._tasks.values() if task.expires_at and task.expires_at <= moment]:
            del self._tasks[task.id]


def _sees(caller: Caller, task: Task) -> bool:
    return caller.admin or task.owner == caller.project


def _check_disk(octets: bytes) -> None:
    """Raise Failed, with the number of the documented reason, unless octets are a disk that can be imported."""
    if len(octets) > LARGEST_DISK:
        raise Failed("609: the file is larger than 40 GB.")
    try:
        disk = vhd.read(octets)
    except vhd.NoDisk as problem:
        raise Failed(f"396: this is not a valid VHD. {problem}") from None
    if disk.size > LARGEST_DISK:
        raise Failed("413: the disk is larger than 40 GB.")
    if disk.kind == vhd.DIFFERENCING:
        raise Failed("721: the disk has a parent.")
    if disk.kind not in (vhd.FIXED, vhd.DYNAMIC):
        raise Failed("523: the disk is neither fixed nor dynamic.")
    if not any(disk.unique_id):
        raise Failed("614: the unique id of the disk is zero.")


def _check_import(given: Mapping[str, object]) -> None:
    properties = given.get("image_properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("name"), str):
        raise Invalid("input.image_properties is an object with the name of the image.")
    source = given.get("import_from")
    if not isinstance(source, str) or not source:
        raise Invalid("input.import_from names a container and an object: container/object.")


def _check_export(given: Mapping[str, object]) -> None:
    for name in ("image_uuid", "receiving_swift_container"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise Invalid(f"input.{name} is a string.")


CHECKS: Mapping[TaskType, Callable[[Mapping[str, object]], None]] = {
    TaskType.IMPORT: _check_import,
    TaskType.EXPORT: _check_export,
}
