"""Services whose tasks show, or do, something else than they should."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.refusals import Invalid, NotFound, Refusal
from pytest_cloudimages.reference.tasks import Task, Tasks, TaskStatus, TaskType

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.TASKS
TASKS = selecting("TASK", "PAGE-14", "PAGE-15")
Document = dict[str, Any]
Change = Callable[[Document, Task], Document]
ENDED = ("success", "failure")


faulty = registrar(__name__, words=TASKS)
"""Registers a service that has some methods of its own."""


def shows(name: str, sentence: str, *ids: str, change: Change, everywhere: bool = False) -> None:
    """Register a service that shows tasks otherwise than they are: their details, or lists as well."""
    method = "represent_listed_task" if everywhere else "represent_task"
    honest = getattr(App, method)

    def represent(self: App, task: Task) -> Document:
        return change(honest(self, task), task)

    faulty(name, sentence, *ids, **{method: represent})


def lists(name: str, sentence: str, *ids: str, change: Callable[[Document, Request], Document]) -> None:
    """Register a service whose lists of tasks hold something else."""

    def list_tasks(self: App, request: Request) -> Reply:
        reply = App.list_tasks(self, request)
        document: Any = reply.json()
        return Reply.of_json(change(document, request)) if reply.status == HTTPStatus.OK else reply

    faulty(name, sentence, *ids, list_tasks=list_tasks)


def answers(name: str, sentence: str, *ids: str, method: str, by: Callable[[Reply, Request], Reply]) -> None:
    """Register a service that answers an operation otherwise."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, *rest: str) -> Reply:
        return by(honest(self, request, *rest), request)

    faulty(name, sentence, *ids, **{method: operation})


def refuses(name: str, sentence: str, *ids: str, method: str, kind: type[Refusal], status: HTTPStatus) -> None:
    """Register a service that refuses with another status."""
    honest = getattr(App, method)

    def operation(self: App, request: Request, *rest: str) -> Reply:
        try:
            reply: Reply = honest(self, request, *rest)
        except kind as problem:
            return self.error(request, status, str(problem))
        return reply

    faulty(name, sentence, *ids, **{method: operation})


def carrying_out(name: str, **methods: Any) -> Callable[[App], None]:
    """Return the beginning of a service that carries tasks out by methods of its own."""
    own = type(f"{name}Tasks", (Tasks,), methods)

    def begin(self: App) -> None:
        App.__init__(self)
        self.tasks = own(self.images, self.store)

    return begin


def works(name: str, sentence: str, *ids: str, **methods: Any) -> None:
    """Register a service that carries tasks out by methods of its own."""
    faulty(name, sentence, *ids, __init__=carrying_out(name, **methods))


def without(*names: str, where: tuple[str, ...] = ()) -> Change:
    """Return what leaves members of a task out, always or while it has some status."""
    return lambda shown, task: {
        key: value for key, value in shown.items() if key not in names or (where and task.status not in where)
    }


def having(where: tuple[str, ...] = (), **values: object) -> Change:
    """Return what shows other values of a task, always or while it has some status."""
    return lambda shown, task: shown | (values if not where or task.status in where else {})


# What a task shows

shows("ShowsNoMessage", "Leaves the message out of a task.", "TASK-ENT-01", change=without("message"))
shows("ShowsNoCreationOfTasks", "Leaves out when a task was created.", "TASK-ENT-01", change=without("created_at"))
shows(
    "ShowsNoInput",
    "Leaves the input out.",
    *("TASK-ENT-01", "TASK-GET-01", "TASK-IMP-01", "TASK-EXP-01"),
    change=without("input"),
)
shows(
    "CallsTasksRunning",
    "Calls the status processing running.",
    "TASK-ENT-02",
    change=having(("processing",), status="running"),
)
shows(
    "CallsTasksQueued",
    "Calls the status pending queued.",
    "TASK-ENT-02",
    "TASK-ENT-09",
    change=having(("pending",), status="queued"),
)
shows(
    "CapitalisesTypes",
    "Shows the type of a task in capitals.",
    "TASK-ENT-03",
    "TASK-IMP-01",
    "TASK-EXP-01",
    everywhere=True,
    change=lambda shown, task: shown | {"type": task.type.upper()},
)
shows(
    "CallsImportsOtherwise",
    "Calls imports image_import.",
    "TASK-ENT-03",
    "TASK-IMP-01",
    everywhere=True,
    change=lambda shown, task: shown | ({"type": "image_import"} if task.type is TaskType.IMPORT else {}),
)
shows("NeverExpires", "Does not say when an ended task expires.", "TASK-ENT-04", change=without("expires_at"))
shows(
    "KeepsFailuresForGood",
    "Says of no task that failed when it expires.",
    "TASK-ENT-04",
    change=having(("failure",), expires_at=None),
)
shows(
    "ExpiresInWords",
    "Says in words when a task expires.",
    "TASK-ENT-04",
    change=having(ENDED, expires_at="in two days"),
)
shows(
    "ShowsNoResult", "Leaves the result out.", *("TASK-ENT-05", "TASK-EXP-05", "TASK-IMP-04"), change=without("result")
)
shows(
    "ShowsResultsAsText",
    "Shows the result as text.",
    *("TASK-ENT-05", "TASK-EXP-05", "TASK-IMP-04"),
    change=having(("success",), result="done"),
)
shows("FailsSilently", "Has no message where a task failed.", "TASK-ENT-06", change=having(("failure",), message=""))
shows(
    "FailsForNone",
    "Has the message None where a task failed.",
    "TASK-ENT-06",
    change=having(("failure",), message="None"),
)
shows(
    "CheersSuccesses",
    "Has a message where nothing went wrong.",
    "TASK-ENT-06",
    change=having(("success",), message="Well done."),
)
shows(
    "LeadsFromTasksToImages",
    "Leads by self from a task to an image.",
    "TASK-ENT-07",
    everywhere=True,
    change=lambda shown, task: shown | {"self": f"/v2/images/{task.id}"},
)
shows(
    "LeadsToTheSchemaOfLists",
    "Leads by schema from a task to that of lists.",
    "TASK-ENT-07",
    everywhere=True,
    change=having(schema="/v2/schemas/tasks"),
)
shows(
    "ShowsAnotherOwner",
    "Shows who asked for a task as its owner.",
    "TASK-ENT-08",
    everywhere=True,
    change=having(owner="tester"),
)
shows(
    "ChangesInputs",
    "Shows a task with less input than it was given.",
    *("TASK-GET-01", "TASK-IMP-01", "TASK-EXP-01"),
    change=lambda shown, _: shown | {"input": {"name": shown["input"].get("image_uuid")}},
)
shows(
    "CreatesTasksAnew",
    "Sets the creation of a task to its end.",
    "TASK-GET-01",
    everywhere=True,
    change=lambda shown, _: shown | ({"created_at": "2030-01-01T00:00:00Z"} if shown["status"] in ENDED else {}),
)


# The order of statuses


def _processing_at_once(self: App, request: Request) -> Reply:
    reply = App.create_task(self, request)
    document: Any = reply.json()
    return replace(reply, body=Reply.of_json(document | {"status": "processing"}).body)


def _second_look(status: str, of: str) -> Callable[[App, Request, str], Reply]:
    """Return what shows another status at the second look at a task with some status."""

    def show_task(self: App, request: Request, task_id: str) -> Reply:
        document: Any = App.show_task(self, request, task_id).json()
        seen: set[str] = vars(self).setdefault("seen", set())
        if document["status"] == of and task_id in seen:
            document |= {"status": status}
        if document["status"] == of:
            seen.add(task_id)
        return Reply.of_json(document)

    return show_task


faulty(
    "StartsInTheMiddle", "Answers a new task as one that is worked on.", "TASK-ENT-09", create_task=_processing_at_once
)
faulty(
    "FailsAfterSuccess",
    "Shows a task that has succeeded as failed later.",
    "TASK-ENT-09",
    "TASK-ENT-06",
    "TASK-LIST-02",
    show_task=_second_look("failure", "success"),
)
faulty(
    "SucceedsAfterFailure",
    "Shows a task that has failed as worked on again.",
    "TASK-ENT-09",
    "TASK-ENT-06",
    show_task=_second_look("processing", "failure"),
)


# Lists of tasks

lists(
    "ListsTasksAsItems",
    "Calls the array of tasks items.",
    *("TASK-LIST-01", "PAGE-15"),
    change=lambda document, _: {("items" if key == "tasks" else key): value for key, value in document.items()},
)
lists(
    "ListsTasksTwice",
    "Lists every task twice.",
    "TASK-LIST-01",
    "PAGE-15",
    change=lambda document, _: document | {"tasks": document["tasks"] * 2},
)
lists(
    "ListsNoFailures",
    "Leaves tasks that failed out of lists.",
    "TASK-LIST-01",
    "PAGE-15",
    change=lambda document, _: (
        document | {"tasks": [task for task in document["tasks"] if task["status"] != "failure"]}
    ),
)
lists("ListsNothing", "Lists no tasks.", "TASK-LIST-01", "PAGE-15", change=lambda document, _: document | {"tasks": []})
lists(
    "LeadsListsToASchemaOfTheirTasks",
    "Leads by schema from a list to that of a task.",
    "TASK-LIST-01",
    change=lambda document, _: document | {"schema": "/v2/schemas/task"},
)
lists(
    "LeadsFirstToImages",
    "Leads by first from tasks to images.",
    "TASK-LIST-01",
    change=lambda document, _: document | {"first": "/v2/images"},
)
lists(
    "ListsTasksWithoutOwners",
    "Lists tasks without their owners.",
    "TASK-LIST-02",
    change=lambda document, _: (
        document
        | {"tasks": [{key: value for key, value in task.items() if key != "owner"} for task in document["tasks"]]}
    ),
)
lists(
    "ListsOldStatuses",
    "Lists all tasks as pending.",
    "TASK-LIST-02",
    change=lambda document, _: document | {"tasks": [task | {"status": "pending"} for task in document["tasks"]]},
)
lists(
    "ListsExportsAlone",
    "Lists all tasks as exports.",
    "TASK-LIST-02",
    change=lambda document, _: document | {"tasks": [task | {"type": "export"} for task in document["tasks"]]},
)
answers(
    "ListsTasksBy203",
    "Answers 203 to whoever lists tasks.",
    *("TASK-LIST-01", "TASK-LIST-03"),
    method="list_tasks",
    by=lambda reply, _: replace(reply, status=203),
)
answers(
    "KnowsNoLimitOfTasks",
    "Answers 422 to a list of tasks with a limit.",
    "PAGE-15",
    "TASK-LIST-03",
    method="list_tasks",
    by=lambda reply, request: replace(reply, status=422) if "limit" in request.query else reply,
)
lists(
    "ListsTasksWithoutFirst",
    "Lists tasks without first.",
    "PAGE-14",
    change=lambda document, _: {key: value for key, value in document.items() if key != "first"},
)


def _whole(self: App, request: Request) -> Reply:
    return App.list_tasks(self, replace(request, target=request.target.replace("limit=", "other=")))


def _beginning_with_the_marker(self: App, request: Request) -> Reply:
    reply = App.list_tasks(self, request)
    document: Any = reply.json()
    if "marker=" in request.query:
        marker = self.tasks.show(request.caller, request.query.rpartition("marker=")[2][:36])
        document["tasks"] = [self.represent_listed_task(marker), *document["tasks"]]
    return Reply.of_json(document)


def _losing_the_last(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    if "next" in document:
        document["tasks"].pop()
    return Reply.of_json(document)


def _in_a_circle(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    if "next" in document:
        document["next"] = document["first"]
    return Reply.of_json(document)


faulty("CutsNoListsOfTasks", "Lists all tasks whatever the limit.", "PAGE-15", list_tasks=_whole)
faulty(
    "BeginsWithTheMarkerOfTasks",
    "Begins a page of tasks with the marker.",
    "PAGE-15",
    list_tasks=_beginning_with_the_marker,
)
faulty(
    "LosesTasksBetweenPages", "Leaves the last task of every page but one out.", "PAGE-15", list_tasks=_losing_the_last
)
faulty("LeadsPagesInACircle", "Leads from a page of tasks to the first.", "PAGE-15", list_tasks=_in_a_circle)


# One task


def _hiding_failures(self: App, request: Request, task_id: str) -> Reply:
    if self.tasks.show(request.caller, task_id).status is TaskStatus.FAILURE:
        raise NotFound("There is no such task.")
    return App.show_task(self, request, task_id)


def _the_first(self: App, request: Request, task_id: str) -> Reply:
    self.tasks.show(request.caller, task_id)
    return App.show_task(self, request, self.tasks.all(request.caller)[0].id)


def _inventing(self: App, request: Request, task_id: str) -> Reply:
    try:
        return App.show_task(self, request, task_id)
    except NotFound:
        return Reply.of_json({"id": task_id, "status": "pending"})


faulty("HidesFailures", "Answers 404 to requests for tasks that failed.", "TASK-GET-01", show_task=_hiding_failures)
faulty("InventsTasks", "Shows a task that there is not.", "TASK-GET-02", show_task=_inventing)
refuses(
    "CallsUnknownTasksGone",
    "Answers 410 to requests for unknown tasks.",
    "TASK-GET-02",
    "TASK-GET-03",
    method="show_task",
    kind=NotFound,
    status=HTTPStatus.GONE,
)
answers(
    "ShowsTasksBy203",
    "Answers 203 to requests for a task.",
    "TASK-GET-01",
    "TASK-GET-03",
    method="show_task",
    by=lambda reply, _: replace(reply, status=203),
)


# New tasks


def _by(status: int, kind: bytes) -> Callable[[Reply, Request], Reply]:
    return lambda reply, request: replace(reply, status=status) if kind in request.body else reply


answers(
    "AcceptsImportsBy202",
    "Answers 202 to an import.",
    "TASK-IMP-01",
    "TASK-IMP-08",
    method="create_task",
    by=_by(202, b'"import"'),
)
answers(
    "AcceptsExportsBy200",
    "Answers 200 to an export.",
    "TASK-EXP-01",
    "TASK-EXP-08",
    method="create_task",
    by=_by(200, b'"export"'),
)
refuses(
    "CallsInputs422",
    "Answers 422 to a task that lacks something.",
    "TASK-IMP-08",
    "TASK-EXP-08",
    method="create_task",
    kind=Invalid,
    status=HTTPStatus.UNPROCESSABLE_ENTITY,
)
