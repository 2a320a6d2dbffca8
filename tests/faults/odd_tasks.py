"""Services whose tasks are right but in a list, for another caller, in another form, or where something is already."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Lock
from time import sleep
from typing import Any

from pytest_cloudimages.reference import documents, vhd
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound
from pytest_cloudimages.reference.tasks import Failed, Task, Tasks, TaskStatus, TaskType

from .kinds import Kind
from .registry import registrar, selecting
from .tasking import carrying_out

KIND = Kind.TASKS
TASKS = selecting("TASK")
Document = dict[str, Any]

faulty = registrar(__name__, words=TASKS, profile="standard")
"""Registers a service that has some methods of its own."""


def works(name: str, sentence: str, *ids: str, words: tuple[str, ...] = TASKS, **methods: Any) -> None:
    """Register a service that carries tasks out by methods of its own."""
    faulty(name, sentence, *ids, words=words, __init__=carrying_out(name, **methods))


def lists(
    name: str,
    sentence: str,
    *ids: str,
    change: Callable[[Document, Request], Document],
    words: tuple[str, ...] = TASKS,
) -> None:
    """Register a service whose lists of tasks show each task otherwise."""

    def list_tasks(self: App, request: Request) -> Reply:
        document: Any = App.list_tasks(self, request).json()
        return Reply.of_json(document | {"tasks": [change(task, request) for task in document["tasks"]]})

    faulty(name, sentence, *ids, words=words, list_tasks=list_tasks)


# What lists show


lists(
    "ListsWhatIsWorkedOnAsFailed",
    "Lists a task that is worked on as failed.",
    "TASK-LIST-02",
    change=lambda task, _: task | ({"status": "failure"} if task["status"] == "processing" else {}),
)
lists(
    "FiltersTasksByTheirLastType",
    "Lists every task as an export where a status is asked for.",
    "TASK-LIST-02",
    change=lambda task, request: task | ({"type": "export"} if "status=" in request.query else {}),
)
lists(
    "ListsTheEndOfTasksAnHourLater",
    "Lists a task as changed an hour later than it shows it.",
    "TASK-LIST-02",
    change=lambda task, _: task | {"updated_at": task["updated_at"].replace("Z", "-01:00")},
)
lists(
    "ListsExpiryByItsDay",
    "Lists the day on which a task expires, and no time.",
    "GEN-07",
    words=selecting("TASK", "GEN-07"),
    change=lambda task, _: task | ({"expires_at": task["expires_at"][:10]} if "expires_at" in task else {}),
)


def _no_array(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    return Reply.of_json(document | ({} if document["tasks"] else {"tasks": {}}))


faulty("ListsAnObjectForNothing", "Lists no tasks as an empty object.", "TASK-LIST-01", list_tasks=_no_array)


# What details show


def _expired_at_first(self: App, task: Task) -> Document:
    shown = App.represent_listed_task(self, task)
    return shown | ({"expires_at": documents.time_of_day(task.created_at)} if task.expires_at else {})


faulty(
    "ExpiresAtItsCreation",
    "Says of a task that has ended that it expired when it was created.",
    "TASK-ENT-04",
    represent_listed_task=_expired_at_first,
)


def _to_others(self: App, request: Request, task_id: str) -> Reply:
    document: Any = App.show_task(self, request, task_id).json()
    return Reply.of_json(document | ({"status": "pending", "owner": "0"} if request.caller.admin else {}))


def _not_to_creators(self: App, request: Request, task_id: str) -> Reply:
    if not request.caller.deletes:
        raise NotFound(f"There is no task {task_id}.")
    return App.show_task(self, request, task_id)


def _not_to_readers(self: App, request: Request, task_id: str) -> Reply:
    if not request.caller.writes:
        raise NotFound(f"There is no task {task_id}.")
    return App.show_task(self, request, task_id)


def _in_outline(self: App, request: Request, task_id: str) -> Reply:
    task = self.tasks._tasks.get(task_id)  # noqa: SLF001 - whoever may see it
    if task and task.owner != request.caller.project and not request.caller.admin:
        return Reply.of_json({"task": {"id": task_id}})
    return App.show_task(self, request, task_id)


faulty(
    "ShowsAdministratorsOtherTasks",
    "Shows administrators another owner and status of a task.",
    *("TASK-GET-01", "TASK-ENT-08"),
    show_task=_to_others,
)
faulty(
    "HidesDetailsFromReaders",
    "Lists tasks to readers, and shows them none.",
    "TASK-GET-01",
    show_task=_not_to_readers,
)
faulty(
    "OutlinesTasksToOthers",
    "Answers another project with the id of a task alone.",
    *("TASK-ENT-01", "TASK-GET-02"),
    show_task=_in_outline,
)


def _reason_once(self: App, request: Request, task_id: str) -> Reply:
    document: Any = App.show_task(self, request, task_id).json()
    told: set[str] = vars(self).setdefault("told", set())
    if document["status"] == "failure" and task_id in told:
        document["message"] = "None"
    told.update({task_id} if document["status"] == "failure" else ())
    return Reply.of_json(document)


faulty("GivesTheReasonOnce", "Says but once why a task failed.", "TASK-ENT-06", show_task=_reason_once)


def _sooner(self: App, request: Request, task_id: str) -> Reply:
    document: Any = App.show_task(self, request, task_id).json()
    told: set[str] = vars(self).setdefault("told_when", set())
    if "expires_at" in document and task_id in told:
        sooner = datetime.fromisoformat(document["expires_at"]) - timedelta(hours=1)
        document["expires_at"] = documents.time_of_day(sooner)
    told.update({task_id} if "expires_at" in document else ())
    return Reply.of_json(document)


faulty("ExpiresSooner", "Keeps a task an hour less than it first says.", "TASK-ENT-04", show_task=_sooner)


# What is there already


def _over_what_is_no_disk(self: Tasks, task: Task) -> dict[str, str]:
    container, name = str(task.input["receiving_swift_container"]), f"{task.input['image_uuid']}.vhd"
    held = self.store.containers(task.owner).get(container, {})
    if not held.get(name, b"conectix").endswith(b"\0") and b"conectix" not in held.get(name, b"conectix"):
        del held[name]
    return Tasks.execute_export(self, task)


works(
    "OverwritesWhatIsNoDisk",
    "Exports over an object that is no disk.",
    "TASK-EXP-06",
    execute_export=_over_what_is_no_disk,
)


def _by_its_input(self: Tasks, task: Task) -> dict[str, str]:
    done: dict[str, dict[str, str]] = self.__dict__.setdefault("done", {})
    key = json.dumps(task.input, sort_keys=True)
    if key not in done:
        done[key] = Tasks.execute_import(self, task)
    return done[key]


def _saving_by_its_input(self: Tasks, task: Task) -> dict[str, str]:
    done: set[str] = self.__dict__.setdefault("inputs", set())
    result, key = Tasks.execute_import(self, task), json.dumps(task.input, sort_keys=True)
    if key in done:
        self.images.get(result["image_id"]).status = Status.SAVING
    done.add(key)
    return result


works(
    "AnswersOneInputWithOneImage",
    "Gives the image of an earlier import whose input was the same.",
    "TASK-IMP-04",
    execute_import=_by_its_input,
)
works(
    "LeavesARepeatedImportSaving",
    "Leaves the image of an import saving whose input was there before.",
    "IMG-STAT-03",
    words=selecting("TASK", "IMG-STAT-03"),
    execute_import=_saving_by_its_input,
)


# What is to fail


def _ignoring(**ignored: object) -> Callable[[Tasks, Task], dict[str, str]]:
    def execute_import(self: Tasks, task: Task) -> dict[str, str]:
        given: Any = task.input["image_properties"]
        properties = {name: value for name, value in given.items() if ignored.get(name, ...) != value}
        return Tasks.execute_import(self, replace(task, input={**task.input, "image_properties": properties}))

    return execute_import


def _of_any_size(self: Tasks, task: Task) -> dict[str, str]:
    container, _, name = str(task.input["import_from"]).partition("/")
    held = self.store.containers(task.owner).get(container, {})
    old = held.get(name, b"")
    try:
        large = vhd.read(old).size > len(old)
    except vhd.NoDisk:
        large = False
    if large:
        held[name] = vhd.fixed(old[:-512])
    try:
        return Tasks.execute_import(self, task)
    finally:
        if old:
            held[name] = old


def _in_any_case(self: Tasks, task: Task) -> dict[str, str]:
    container, _, name = str(task.input["import_from"]).partition("/")
    for held in self.store.containers(task.owner).get(container, {}):
        if held.lower() == name.lower():
            return Tasks.execute_import(self, replace(task, input={**task.input, "import_from": f"{container}/{held}"}))
    return Tasks.execute_import(self, task)


works(
    "IgnoresWhatImportsHaveAnyway",
    "Takes a property of an import that says what its image has anyway.",
    "TASK-IMP-03",
    execute_import=_ignoring(visibility="private"),
)
works(
    "LooksAtTheSizeOfFiles",
    "Asks how large a file to import is, and not how large its disk.",
    "TASK-IMP-07",
    execute_import=_of_any_size,
)
works("FindsDisksInAnyCase", "Imports an object of another case.", "TASK-IMP-06", execute_import=_in_any_case)


# What images of imports show


def _half_a_checksum(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    image = self.images.get(result["image_id"])
    image.checksum = str(image.checksum)[::-1]
    return result


def _in_sectors(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    image = self.images.get(result["image_id"])
    image.size = (image.size or 0) // 512
    return result


works(
    "TurnsChecksumsOfImports",
    "Shows the checksum of an import from its end.",
    "IMG-ENT-11",
    words=selecting("TASK", "IMG-ENT-11"),
    execute_import=_half_a_checksum,
)
works(
    "CountsImportsInSectors",
    "Counts the size of an import in sectors.",
    "IMG-STAT-03",
    words=selecting("TASK", "IMG-STAT-03"),
    execute_import=_in_sectors,
)


# Odd forms of requests and answers


def _unlike(condition: Callable[[Request], bool], status: HTTPStatus) -> Callable[[App, Request], Reply]:
    def create_task(self: App, request: Request) -> Reply:
        if condition(request):
            return self.error(request, status, "That is not how tasks are asked for.")
        return App.create_task(self, request)

    return create_task


faulty(
    "HasNoExpectations",
    "Answers 501 to a task that is sent with Expect.",
    *("TASK-IMP-08", "TASK-EXP-08"),
    create_task=_unlike(lambda request: "Expect" in request.headers, HTTPStatus.NOT_IMPLEMENTED),
)
faulty(
    "TakesNoParameterOfAType",
    "Takes no task whose media type has a parameter.",
    "TASK-IMP-01",
    create_task=_unlike(
        lambda request: ";" in request.headers.get("Content-Type", ""), HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    ),
)


def _in_one_octet(self: App, request: Request, task_id: str) -> Reply:
    reply = App.show_task(self, request, task_id)
    text = json.dumps(reply.json(), ensure_ascii=False)
    return reply if text.isascii() else replace(reply, body=text.encode("cp1252", "replace"))


def _compressed(self: App, request: Request) -> Reply:
    reply = App.list_tasks(self, request)
    return replace(reply, body=gzip.compress(reply.body)) if "gzip" in request.headers["Accept-Encoding"] else reply


faulty(
    "WritesTasksInTheCodeOfWindows",
    "Shows tasks in the octets of Windows.",
    *("GEN-01", "TASK-GET-01"),
    words=selecting("TASK", "GEN-01"),
    show_task=_in_one_octet,
)
faulty(
    "CompressesListsOfTasks",
    "Compresses the list of tasks and does not say so.",
    *("GEN-01", "TASK-LIST-01"),
    words=selecting("TASK", "GEN-01"),
    list_tasks=_compressed,
)


def _undated(self: App, request: Request) -> Reply:
    reply = App.handle(self, request)
    if request.path == "/v2/tasks" and reply.status == HTTPStatus.BAD_REQUEST:
        return replace(reply, headers=tuple(field for field in reply.headers if field[0] != "Date"))
    return reply


faulty(
    "DatesNoRefusalOfATask",
    "Refuses tasks without a date.",
    "GEN-14",
    words=selecting("GEN-14"),
    handle=_undated,
)


class _Busy:
    """What is being patched."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.lock = Lock()


def _one_at_a_time(self: App, request: Request, image_id: str) -> Reply:
    busy: _Busy = self.__dict__.setdefault("busy", _Busy())
    with busy.lock:
        if image_id in busy.images:
            return self.error(request, HTTPStatus.PRECONDITION_FAILED, "The image is being changed.")
        busy.images.add(image_id)
    try:
        sleep(0.03)
        return App.update_image(self, request, image_id)
    finally:
        busy.images.discard(image_id)


faulty(
    "MissesAPreconditionOfPatchesThatMeet",
    "Answers 412 to a patch of an image that another patch is changing.",
    "IMG-UPD-26",
    words=selecting("IMG-UPD-26"),
    update_image=_one_at_a_time,
)


# Lawful


def _of_ones_own(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    own = request.caller.deletes and request.caller.writes and not request.caller.admin
    return Reply.of_json(document if own else document | {"tasks": []})


def _by_policy(self: App, request: Request, task_id: str) -> Reply:
    if not request.caller.writes:
        raise Forbidden("Your role is shown no details of tasks.")
    return App.show_task(self, request, task_id)


def _to_each_their_own(self: App, request: Request, task_id: str) -> Reply:
    task = self.tasks.show(request.caller, task_id)
    if task.expires_at:
        task.expires_at = datetime.now(UTC).replace(tzinfo=task.expires_at.tzinfo) + timedelta(days=3)
    document: Any = App.show_task(self, request, task_id).json()
    given = {name: value for name, value in document["input"].items() if value is not None}
    mine = not request.caller.admin and request.caller.deletes
    return Reply.of_json(document | {"input": {**given, "assumed": "vhd"} if mine else None})


def _to_administrators(self: App, request: Request) -> Reply:
    if not request.caller.admin:
        raise Forbidden("The list of tasks is for administrators.")
    return App.list_tasks(self, request)


def _in_fractions(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    dates = ("created_at", "updated_at", "expires_at")
    return Reply.of_json(
        document
        | {
            "tasks": [
                task | {name: task[name].replace("Z", ".400000+00:00") for name in dates if name in task}
                for task in document["tasks"]
            ]
        }
    )


def _one_input_once(self: Tasks, task: Task) -> dict[str, str]:
    tried: set[str] = self.__dict__.setdefault("tried", set())
    key = json.dumps(task.input, sort_keys=True)
    if key in tried:
        raise Failed("There is such an import already.")
    tried.add(key)
    return Tasks.execute_import(self, task)


def _at_once(self: Tasks, task: Task) -> None:
    """Fail right away what cannot be done, so that it is never seen to be worked on."""
    if task.type is TaskType.IMPORT and len(task.input["image_properties"]) > 1:  # type: ignore[arg-type]
        self.finish(task)


def _ending_early(self: Tasks) -> None:
    for task in [task for task in self._unfinished if task.status is TaskStatus.PENDING]:
        _at_once(self, task)
    self._unfinished = [task for task in self._unfinished if not task.ended]
    Tasks.work(self)


def _without_filters(self: App, request: Request) -> Reply:
    if "status=" in request.query or "type=" in request.query:
        raise Invalid("Lists of tasks have no filters.")
    return App.list_tasks(self, request)


faulty("ListsOnesOwnTasks", "Lists tasks to who asked for them, and to no other.", list_tasks=_of_ones_own)
faulty(
    "ExpectsNothingOfTasks",
    "Answers 417 to a task that is sent with Expect.",
    create_task=_unlike(lambda request: "Expect" in request.headers, HTTPStatus.EXPECTATION_FAILED),
)
faulty("HidesDetailsFromCreators", "Finds no task for colleagues who create.", show_task=_not_to_creators)
faulty("ForbidsReadersDetails", "Shows readers the list of tasks and none of their details.", show_task=_by_policy)
faulty(
    "ShowsInputsInItsWay",
    "Shows to its creator alone what a task was given, with what it assumes, and keeps it for three days from each look.",
    show_task=_to_each_their_own,
)
faulty("ListsTasksToAdministrators", "Lists tasks to administrators alone.", list_tasks=_to_administrators)
faulty("ListsFractionsOfSeconds", "Lists dates with fractions that details do not show.", list_tasks=_in_fractions)
faulty("FiltersNoTasks", "Refuses to filter lists of tasks, as the vendor has it.", list_tasks=_without_filters)
works("ImportsAnInputOnce", "Fails an import whose input was there before.", execute_import=_one_input_once)
works("FailsHopelessImportsAtOnce", "Ends an import with further properties as soon as it begins.", work=_ending_early)
