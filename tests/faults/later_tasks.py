"""Services whose tasks are right until something else happens: to their image, to their disk, or to the next task."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.refusals import NotFound
from pytest_cloudimages.reference.tasks import Task, Tasks, TaskStatus, TaskType

from .kinds import Kind
from .listing import pairs_of, sending, without
from .registry import registrar
from .tasking import TASKS, carrying_out

KIND = Kind.TASKS

faulty = registrar(__name__, words=TASKS, profile="standard")
"""Registers a service that has some methods of its own."""


def works(name: str, sentence: str, *ids: str, **methods: Any) -> None:
    """Register a service that carries tasks out by methods of its own."""
    faulty(name, sentence, *ids, __init__=carrying_out(name, **methods))


def _is_gone(self: App, task: Task) -> bool:
    made = (task.result or {}).values() if task.type is TaskType.IMPORT else ()
    return any(all(image.id != image_id for image in self.images.all()) for image_id in made)


def _with_its_image(self: App, request: Request, task_id: str) -> Reply:
    if _is_gone(self, self.tasks.show(request.caller, task_id)):
        raise NotFound(f"There is no task {task_id}.")
    return App.show_task(self, request, task_id)


def _without_its_image(self: App, request: Request, task_id: str) -> Reply:
    reply = App.show_task(self, request, task_id)
    shown: Any = reply.json()
    gone = _is_gone(self, self.tasks.show(request.caller, task_id))
    return Reply.of_json(shown | ({"status": "failure", "message": "Its image is gone."} if gone else {}))


faulty("ForgetsTasksWithTheirImages", "Shows no task any more whose image was deleted.", show_task=_with_its_image)
faulty(
    "FailsWithTheImage",
    "Calls an import a failure whose image was deleted.",
    "TASK-ENT-09",
    show_task=_without_its_image,
)


def _tries_again(self: Tasks) -> None:
    for task in self._tasks.values():
        if task.status is TaskStatus.FAILURE and task.message.startswith("Image not found"):
            container, _, name = str(task.input["import_from"]).partition("/")
            if name in self.store.containers(task.owner).get(container, {}):
                task.status = TaskStatus.PENDING
                self._unfinished.append(task)
    Tasks.work(self)


works(
    "TriesFailedImportsAgain",
    "Tries an import again that failed, once there is a disk.",
    "TASK-ENT-09",
    work=_tries_again,
)


def _to_the_first_slash(self: Tasks, task: Task) -> dict[str, str]:
    source = "/".join(str(task.input["import_from"]).split("/")[:2])
    return Tasks.execute_import(self, replace(task, input={**task.input, "import_from": source}))


works(
    "CutsObjectsAtTheSlash",
    "Reads the name of an object up to a slash in it.",
    "TASK-IMP-06",
    execute_import=_to_the_first_slash,
)


def _as_the_other(self: Tasks, task: Task) -> None:
    going = [each for each in self._unfinished if each is not task and each.type is TaskType.IMPORT]
    Tasks.finish(self, task)
    if task.result and task.type is TaskType.IMPORT:
        if kept := self.__dict__.pop("kept", None):
            task.result = kept
        elif going:
            self.__dict__["kept"] = task.result


works(
    "GivesTwoTheSameImage", "Names one image for two imports that go on at once.", "TASK-IMP-04", finish=_as_the_other
)


def _imported(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    self.__dict__.setdefault("made", set()).add(result["image_id"])
    return result


def _without_imports(self: App, request: Request) -> Reply:
    made = self.tasks.__dict__.get("made", ())
    query = listing.Query.read(request.query)
    page = listing.page(
        [each for each in self.images.all() if each.id not in made], request.caller, query, self.represent
    )
    return Reply.of_json(listing.document("images", query, page, self.represent))


faulty(
    "ListsNoImportedImages",
    "Lists no image that was imported.",
    "TASK-IMP-04",
    __init__=carrying_out("ListsNoImportedImages", execute_import=_imported),
    list_images=_without_imports,
)


# Pages of tasks


def _next_of_all(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    if "next" in document:
        kept = without("type", "status", "marker")(pairs_of(request))
        document["next"] = f"/v2/tasks?{urlencode([*kept, ('marker', document['tasks'][-1]['id'])])}"
    return Reply.of_json(document)


def _a_page_of_all(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    document: Any = App.list_tasks(self, sending(request, without("type", "status")(pairs))).json()
    asked = [pair for pair in pairs if pair[0] in ("type", "status")]
    if "next" in document and asked:
        marker = document["tasks"][-1]["id"]
        document["next"] = f"/v2/tasks?{urlencode([*without('marker')(pairs), ('marker', marker)])}"
    document["tasks"] = [task for task in document["tasks"] if all(task[name] == value for name, value in asked)]
    return Reply.of_json(document)


def _a_page_for_none(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    return App.list_tasks(self, sending(request, [pair for pair in pairs if pair != ("limit", "0")]))


def _forgets(self: Tasks, *asked: Any) -> Task:
    ended = [task.id for task in self._tasks.values() if task.ended]
    for task_id in ended[:-12]:
        del self._tasks[task_id]
    return Tasks.create(self, *asked)


faulty("LeadsOnToTasksOfAllKinds", "Has no filter in the link to more tasks.", "PAGE-15", list_tasks=_next_of_all)
faulty("FiltersPagesOfTasks", "Filters a page of tasks that is cut already.", "PAGE-15", list_tasks=_a_page_of_all)
faulty("ListsTasksForTheLimitZero", "Lists tasks where none is asked for.", "PAGE-15", list_tasks=_a_page_for_none)
works("KeepsADozenTasks", "Keeps the last dozen of tasks that have ended.", "TASK-GET-01", create=_forgets)
