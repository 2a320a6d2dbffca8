"""The operations of the image service on tasks."""

from http import HTTPStatus

from . import bodies, documents, listing
from .messages import Reply, Request
from .refusals import Invalid
from .tasks import Task, Tasks, TaskStatus, TaskType

SORT_KEYS: listing.SortKeys[Task] = {
    "created_at": lambda task: task.created_at,
    "expires_at": lambda task: task.expires_at,
    "id": lambda task: task.id,
    "status": lambda task: task.status,
    "type": lambda task: task.type,
    "updated_at": lambda task: task.updated_at,
}


class TaskOperations:
    """Imports and exports of images, which a caller asks for and looks after."""

    tasks: Tasks
    url: str

    def represent_listed_task(self, task: Task) -> dict[str, object]:
        """Return the representation of a task in a list."""
        shown: dict[str, object] = {
            "id": task.id,
            "type": task.type,
            "status": task.status,
            "owner": task.owner,
            "created_at": documents.time_of_day(task.created_at),
            "updated_at": documents.time_of_day(task.updated_at),
            "self": f"/v2/tasks/{task.id}",
            "schema": "/v2/schemas/task",
        }
        if task.expires_at:
            shown["expires_at"] = documents.time_of_day(task.expires_at)
        return shown

    def represent_task(self, task: Task) -> dict[str, object]:
        """Return the representation of a task in its details."""
        result = {} if task.result is None else {"result": task.result}
        return {**self.represent_listed_task(task), "input": task.input, "message": task.message, **result}

    def list_tasks(self, request: Request) -> Reply:
        """GET /v2/tasks."""
        query = listing.Query.read(request.query)
        kind, status = query.one_of("type", TaskType, ""), query.one_of("status", TaskStatus, "")
        with self.tasks.lock:
            known = self.tasks.all(request.caller)
            chosen = [task for task in known if kind in ("", task.type) and status in ("", task.status)]
            page = listing.cut(known, chosen, query, SORT_KEYS)
            document = listing.document("tasks", query, page, self.represent_listed_task)
        return Reply.of_json(document)

    def create_task(self, request: Request) -> Reply:
        """POST /v2/tasks."""
        wanted = bodies.document(request)
        if not isinstance(wanted, dict):
            raise Invalid("A task is an object with a type and its input.")
        with self.tasks.lock:
            task = self.tasks.create(request.caller, wanted.get("type"), wanted.get("input"))
            location = ("Location", f"{self.url}/v2/tasks/{task.id}")
            return Reply.of_json(self.represent_task(task), HTTPStatus.CREATED, (location,))

    def show_task(self, request: Request, task_id: str) -> Reply:
        """GET /v2/tasks/{task_id}."""
        with self.tasks.lock:
            return Reply.of_json(self.represent_task(self.tasks.show(request.caller, task_id)))
