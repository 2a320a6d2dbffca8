"""Services whose tasks are right but for a disk, a moment, or who asks."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_cloudimages.reference import vhd
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.tasks import Failed, Task, Tasks, TaskStatus, TaskType

from .kinds import Kind
from .listing import pairs_of, sending
from .registry import registrar, selecting
from .tasking import carrying_out

KIND = Kind.TASKS
TASKS = selecting("TASK")

faulty = registrar(__name__, words=TASKS, profile="standard")
"""Registers a service that has some methods of its own."""


def works(name: str, sentence: str, *ids: str, **methods: Any) -> None:
    """Register a service that carries tasks out by methods of its own."""
    faulty(name, sentence, *ids, __init__=carrying_out(name, **methods))


def _any_kind(self: Tasks, task: Task) -> dict[str, str]:
    source = str(task.input["import_from"])
    container, _, name = source.partition("/")
    try:
        return Tasks.execute_import(self, task)
    except Failed as problem:
        if not str(problem).startswith("721"):
            raise
        image = self.images.create(task.caller, {"name": task.input["image_properties"]["name"]})  # type: ignore[index]
        image.container_format, image.disk_format = "ovf", "vhd"
        self.images.upload(task.caller, image.id, self.store.get(task.owner, container, name))
        return {"image_id": image.id}


works("ImportsChildren", "Imports disks that have a parent.", "TASK-IMP-05", execute_import=_any_kind)


def _leaves_it_saving(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    self.images.get(result["image_id"]).status = Status.SAVING
    return result


faulty(
    "LeavesImportsSaving",
    "Leaves the image of an import saving.",
    "IMG-STAT-03",
    words=selecting("TASK", "IMG-STAT-03"),
    __init__=carrying_out("LeavesImportsSaving", execute_import=_leaves_it_saving),
)


def _looks_at_the_start(self: Tasks, task: Task) -> dict[str, str]:
    container, name = str(task.input["receiving_swift_container"]), f"{task.input['image_uuid']}.vhd"
    first = next((each for each in self._tasks.values() if each is not task and each.input == task.input), None)
    at_once = first is not None and first.updated_at >= task.created_at
    if at_once and not first.message.startswith("There"):  # type: ignore[union-attr]
        octets = vhd.fixed(self.images.show(task.caller, str(task.input["image_uuid"])).data or b"")
        self.store.put(task.caller, container, name, octets)
        return {"export_location": f"{container}/{name}"}
    return Tasks.execute_export(self, task)


works(
    "LooksForTheObjectAtFirst",
    "Looks when an export begins whether there is such an object, which another of that moment writes later.",
    execute_export=_looks_at_the_start,
)


def _of_all(self: App, request: Request, task_id: str) -> Reply:
    return App.show_task(self, request.sent_by(replace(request.caller, admin=True)), task_id)


faulty("ShowsTasksToAll", "Shows a task to every project that knows its id.", "TASK-GET-02", show_task=_of_all)


def _two_at_least(self: App, request: Request) -> Reply:
    pairs = [(key, "2" if (key, value) == ("limit", "1") else value) for key, value in pairs_of(request)]
    return App.list_tasks(self, sending(request, pairs))


faulty(
    "ListsTwoTasksAtLeast",
    "Lists two tasks where one is asked for.",
    "PAGE-15",
    words=selecting("PAGE-15"),
    list_tasks=_two_at_least,
)


def _anew(self: Tasks, task: Task) -> None:
    tried: set[str] = self.__dict__.setdefault("tried", set())
    properties = task.input.get("image_properties") if task.type is TaskType.IMPORT else None
    if isinstance(properties, dict) and len(properties) > 1 and task.id not in tried:
        tried.add(task.id)
        self.set_status(task, TaskStatus.PENDING)
    else:
        Tasks.finish(self, task)


def _cutting(place: int, character: str) -> Callable[[Tasks, Task], dict[str, str]]:
    def execute_export(self: Tasks, task: Task) -> dict[str, str]:
        container = str(task.input["receiving_swift_container"]).split(character)[place]
        return Tasks.execute_export(self, replace(task, input={**task.input, "receiving_swift_container": container}))

    return execute_export


def _first_name(self: Tasks, task: Task) -> dict[str, str]:
    names: dict[object, object] = self.__dict__.setdefault("names", {})
    properties: Any = task.input["image_properties"]
    result = Tasks.execute_import(self, task)
    name = names.setdefault(task.input["import_from"], properties["name"])
    self.images.get(result["image_id"]).name = str(name)
    return result


def _once(self: Tasks, task: Task) -> dict[str, str]:
    done: set[object] = self.__dict__.setdefault("done", set())
    if task.input["import_from"] in done:
        raise Failed("This disk was imported a moment ago.")
    result = Tasks.execute_import(self, task)
    done.add(task.input["import_from"])
    return result


works(
    "BeginsAnewWithOtherProperties",
    "Puts an import that sets further properties back before it fails.",
    "TASK-ENT-09",
    finish=_anew,
)
works(
    "CutsContainersAtThePeriod",
    "Exports to what the name of a container has before a period.",
    "TASK-EXP-04",
    execute_export=_cutting(0, "."),
)
works(
    "CutsContainersBehindTheSlash",
    "Exports to what the name of a container has behind a slash.",
    "TASK-EXP-04",
    execute_export=_cutting(-1, "/"),
)
works(
    "KeepsTheNameOfADisk",
    "Names every image of a disk as the first one that was made of it.",
    "TASK-IMP-04",
    execute_import=_first_name,
)


# Lawful


works("ImportsADiskOnce", "Does not import a disk again that was imported a moment ago.", execute_import=_once)


def _slowly(self: Tasks, task: Task) -> dict[str, str]:
    time.sleep(0.001)
    return Tasks.execute_export(self, task)


works("ExportsSlowly", "Takes a moment for each export.", execute_export=_slowly)


# What names, data and objects are made of


def _in_ascii(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    image = self.images.get(result["image_id"])
    image.name = str(image.name).encode("ascii", "replace").decode()
    return result


def _over_nothing(self: Tasks, task: Task) -> dict[str, str]:
    name, container = f"{task.input['image_uuid']}.vhd", str(task.input["receiving_swift_container"])
    objects = self.store.containers(task.owner).get(container, {})
    if objects.get(name) == b"":
        self.store.delete(task.caller, container, name)
    return Tasks.execute_export(self, task)


def _whole_sectors(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_export(self, task)
    container, _, name = result["export_location"].partition("/")
    data = self.images.get(str(task.input["image_uuid"])).data or b""
    if len(data) % 512 == 0:
        self.store.put(task.caller, container, name, data + bytes(512))
    return result


def _holding(change: Callable[[bytes], bytes]) -> Callable[[Tasks, Task], dict[str, str]]:
    """Return what exports a fixed disk that holds something else than the data of the image."""

    def execute_export(self: Tasks, task: Task) -> dict[str, str]:
        result = Tasks.execute_export(self, task)
        container, _, name = result["export_location"].partition("/")
        data = self.images.get(str(task.input["image_uuid"])).data or b""
        self.store.put(task.caller, container, name, vhd.fixed(change(data)))
        return result

    return execute_export


def _failing(message: str, *, where: Callable[[str], bool]) -> Callable[[Tasks, Task], dict[str, str]]:
    """Return what fails with a message of its own where that of an honest import is of some kind."""

    def execute_import(self: Tasks, task: Task) -> dict[str, str]:
        try:
            return Tasks.execute_import(self, task)
        except Failed as problem:
            raise Failed(message if where(str(problem)) else str(problem)) from None

    return execute_import


works("NamesImportsInAscii", "Names images of imports in ASCII.", "TASK-IMP-04", execute_import=_in_ascii)
works("ExportsOverNothing", "Exports over an object that is empty.", "TASK-EXP-06", execute_export=_over_nothing)
works(
    "TakesWholeSectorsForADisk",
    "Exports whole sectors with a footer of zeros.",
    "TASK-EXP-09",
    execute_export=_whole_sectors,
)
works(
    "ExportsNoLastSector",
    "Exports a disk without the last sector of the image.",
    "TASK-EXP-09",
    execute_export=_holding(lambda data: data[:-512]),
)
works(
    "ExportsFromTheSecondSectorOn",
    "Exports a disk without the first sector of the image.",
    "TASK-EXP-09",
    execute_export=_holding(lambda data: data[512:]),
)
works(
    "ExportsWholeCylinders",
    "Fills exported disks up to whole cylinders, as the geometry of disks has it.",
    execute_export=_holding(lambda data: data + bytes(-len(data) % (4 * 17 * 512))),
)
works(
    "FailsBy500WhereNoDiskIs",
    "Fails with the number 500 where the object to import is no disk.",
    "TASK-IMP-05",
    execute_import=_failing("Error 500: it went wrong.", where=lambda said: "not found" not in said),
)
works(
    "FailsAsItsStoreDoes",
    "Fails with the number 500 where its store has no object.",
    execute_import=_failing("500 Server Error, says the store.", where=lambda said: "not found" in said),
)
