"""Services that import and export otherwise than they are asked to, and lawful ones that do it in their own way."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pytest_cloudimages.reference import vhd
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status
from pytest_cloudimages.reference.images import Image, now
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound
from pytest_cloudimages.reference.tasks import Failed, Task, Tasks, TaskStatus

from .kinds import Kind
from .registry import breaks, selecting
from .tasking import answers, faulty, having, lists, shows, works

KIND = Kind.TASKS
Result = dict[str, str]


def filling(name: str, sentence: str, *ids: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Register a service that reads another task than it was sent."""

    def create_task(self: App, request: Request) -> Reply:
        wanted: Any = json.loads(request.body)
        reply = App.create_task(self, replace(request, body=Reply.of_json(change(wanted)).body))
        document: Any = reply.json()
        return replace(reply, body=Reply.of_json(document | {"input": wanted.get("input")}).body)

    faulty(name, sentence, *ids, create_task=create_task)


def with_input(wanted: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return a task whose input has further values, where it has an input."""
    given = wanted.get("input")
    return wanted | {"input": given | values} if isinstance(given, dict) else wanted


def _named_anyway(wanted: dict[str, Any]) -> dict[str, Any]:
    given = wanted.get("input") or {}
    if wanted.get("type") == "import" and not (given.get("image_properties") or {}).get("name"):
        return with_input(wanted, image_properties={"name": "nameless"})
    return wanted


def _exported_anyway(wanted: dict[str, Any]) -> dict[str, Any]:
    given = wanted.get("input") or {}
    return wanted | {"type": "export"} if "image_uuid" in given else wanted


# Imports

filling(
    "NamesImportsItself",
    "Takes imports without a name, and names their images itself.",
    "TASK-IMP-02",
    change=_named_anyway,
)


def _of_its_type(wanted: dict[str, Any]) -> dict[str, Any]:
    return wanted | {"type": "import"} if "import_from" in (wanted.get("input") or {}) else wanted


filling("GuessesImports", "Takes a task for an import that has no type.", "TASK-IMP-02", change=_of_its_type)


def _any_property(self: Tasks, task: Task) -> Result:
    properties: Any = task.input["image_properties"]
    given = {**task.input, "image_properties": {"name": properties["name"]}}
    return Tasks.execute_import(self, replace(task, input=given))


def _half_an_image(self: Tasks, task: Task) -> Image:
    properties: Any = task.input["image_properties"]
    formats = {"container_format": "ovf", "disk_format": "vhd"}
    image = self.images.create(task.caller, {"name": properties["name"], **formats})
    self.images.upload(task.caller, image.id, b"the first half")
    return image


def _leaving_an_image(self: Tasks, task: Task) -> Result:
    properties: Any = task.input["image_properties"]
    if len(properties) > 1:
        _half_an_image(self, task)
    return Tasks.execute_import(self, task)


def _as_another(self: Tasks, task: Task) -> Result:
    Tasks.execute_import(self, task)
    return {"image_id": str(uuid4())}


def _by_name(self: Tasks, task: Task) -> Result:
    image_id = Tasks.execute_import(self, task)["image_id"]
    return {"image_id": str(self.images.get(image_id).name)}


def _from_the_exported(self: Tasks, task: Task) -> Result:
    Tasks.execute_import(self, task)
    found = re.search(r"[0-9a-f-]{36}", str(task.input["import_from"]))
    return {"image_id": found[0] if found else ""}


def _renaming(self: Tasks, task: Task) -> Result:
    result = Tasks.execute_import(self, task)
    image = self.images.get(result["image_id"])
    image.name = f"import of {image.name}"
    return result


def _from_anything(self: Tasks, task: Task) -> Result:
    container, _, name = str(task.input["import_from"]).partition("/")
    octets = self.store.get(task.owner, container, name)
    self.store.put(task.caller, container, name, vhd.fixed(octets))
    return Tasks.execute_import(self, task)


def _from_nothing(self: Tasks, task: Task) -> Result:
    container, _, name = str(task.input["import_from"]).partition("/")
    if container in self.store.containers(task.owner):
        self.store.containers(task.owner)[container].setdefault(name, vhd.fixed(b""))
    return Tasks.execute_import(self, task)


def _beginning_with_an_image(self: Tasks, task: Task) -> Result:
    before = _half_an_image(self, task)
    result = Tasks.execute_import(self, task)
    self.images.delete(task.caller, before.id)
    return result


def _numbered(self: Tasks, task: Task) -> Result:
    try:
        return Tasks.execute_import(self, task)
    except Failed as problem:
        raise Failed(f"Error 800: {problem}") from None


works("ImportsWithProperties", "Ignores a property besides the name.", "TASK-IMP-03", execute_import=_any_property)
works(
    "LeavesAnImageThatFailed",
    "Fails for a property besides the name, and leaves an image.",
    "TASK-IMP-03",
    execute_import=_leaving_an_image,
)
works("NamesAnotherImage", "Names an image as imported that there is not.", "TASK-IMP-04", execute_import=_as_another)
works("NamesImagesByName", "Says which image was imported by its name.", "TASK-IMP-04", execute_import=_by_name)
works(
    "NamesTheSource",
    "Says that the image is imported that was exported before.",
    "TASK-IMP-04",
    execute_import=_from_the_exported,
)
works("RenamesImports", "Gives an imported image another name.", "TASK-IMP-04", execute_import=_renaming)
works("ImportsAnything", "Makes an image of what is no disk.", "TASK-IMP-06", execute_import=_from_anything)
works(
    "ImportsFromNothing", "Makes an image of an object that is not there.", "TASK-IMP-06", execute_import=_from_nothing
)
works(
    "LeavesImagesOfNothing",
    "Leaves an image with the first half of its data where an import fails.",
    "TASK-IMP-03",
    "TASK-IMP-06",
    "TASK-IMP-07",
    execute_import=_beginning_with_an_image,
)
works("NumbersReasonsItself", "Has a number of its own for every reason.", "TASK-IMP-05", execute_import=_numbered)


# Exports

filling("GuessesExports", "Takes a task for an export that has no type.", "TASK-EXP-02", change=_exported_anyway)


def _own_container(self: App, request: Request) -> Reply:
    wanted: Any = json.loads(request.body)
    given = wanted.get("input") or {}
    if wanted.get("type") == "export" and "image_uuid" in given and "receiving_swift_container" not in given:
        self.store.create_container(request.caller, "exports")
        request = replace(request, body=Reply.of_json(with_input(wanted, receiving_swift_container="exports")).body)
    return App.create_task(self, request)


def _of_anybody(self: Tasks, task: Task) -> Result:
    image = self.images.show(task.caller, str(task.input["image_uuid"]))
    return Tasks.execute_export(self, replace(task, caller=replace(task.caller, admin=image.owner != task.owner)))


def _of_anybody_unseen(self: Tasks, task: Task) -> Result:
    return Tasks.execute_export(self, replace(task, caller=replace(task.caller, admin=True)))


def _written_and_refused(self: Tasks, task: Task) -> Result:
    image = self.images.get(str(task.input["image_uuid"]))
    if image.owner != task.owner:
        self.store.put(task.caller, str(task.input["receiving_swift_container"]), f"{image.id}.vhd", b"")
    return Tasks.execute_export(self, task)


def _to_a_new_container(self: Tasks, task: Task) -> Result:
    container = str(task.input["receiving_swift_container"])
    if container.replace("-", "").isalnum():
        self.store.create_container(task.caller, container)
    return Tasks.execute_export(self, task)


def _to_any_name(self: Tasks, task: Task) -> Result:
    container = str(task.input["receiving_swift_container"])
    if container not in self.store.containers(task.owner) or "/" in container:
        raise Failed("There is no such container.")
    held = self.store.containers(task.owner)
    held["plain"] = held[container]
    try:
        result = Tasks.execute_export(self, replace(task, input={**task.input, "receiving_swift_container": "plain"}))
    finally:
        del held["plain"]
    return {"export_location": result["export_location"].replace("plain", container, 1)}


def _below(self: Tasks, task: Task) -> Result:
    container, _, folder = str(task.input["receiving_swift_container"]).partition("/")
    given = {**task.input, "receiving_swift_container": container}
    if not folder:
        return Tasks.execute_export(self, task)
    image = str(task.input["image_uuid"])
    held = self.store.container(task.owner, container)
    before = held.pop(f"{image}.vhd", None)
    result = Tasks.execute_export(self, replace(task, input=given))
    held[f"{folder}/{image}.vhd"] = held.pop(f"{image}.vhd")
    if before is not None:
        held[f"{image}.vhd"] = before
    return result


def _overwriting(self: Tasks, task: Task) -> Result:
    held = self.store.containers(task.owner).get(str(task.input["receiving_swift_container"]), {})
    held.pop(f"{task.input['image_uuid']}.vhd", None)
    return Tasks.execute_export(self, task)


def _overwriting_silently(self: Tasks, task: Task) -> Result:
    held = self.store.containers(task.owner).get(str(task.input["receiving_swift_container"]), {})
    name = f"{task.input['image_uuid']}.vhd"
    if name in held:
        held[name] = b"torn"
    return Tasks.execute_export(self, task)


def _beside(self: Tasks, task: Task) -> Result:
    container, name = str(task.input["receiving_swift_container"]), f"{task.input['image_uuid']}.vhd"
    held = self.store.containers(task.owner).get(container, {})
    before = held.pop(name, None)
    if before is None:
        return Tasks.execute_export(self, task)
    Tasks.execute_export(self, task)
    held[f"copy-of-{name}"] = held[name]
    held[name] = before
    return {"export_location": f"{container}/copy-of-{name}"}


def _deactivated(self: Tasks, task: Task) -> Result:
    image = self.images.get(str(task.input["image_uuid"]))
    held, image.status = image.status, Status.ACTIVE
    try:
        return Tasks.execute_export(self, task)
    finally:
        image.status = held


def _as_it_is(self: Tasks, task: Task) -> Result:
    result = Tasks.execute_export(self, task)
    container, _, name = result["export_location"].partition("/")
    self.store.put(task.caller, container, name, self.images.get(str(task.input["image_uuid"])).data or b"")
    return result


def _nowhere(self: Tasks, task: Task) -> Result:
    result = Tasks.execute_export(self, task)
    container, _, name = result["export_location"].partition("/")
    self.store.delete(task.caller, container, name)
    return result


def _elsewhere(by: Callable[[str], str]) -> Callable[[Tasks, Task], Result]:
    return lambda self, task: {"export_location": by(Tasks.execute_export(self, task)["export_location"])}


faulty("ExportsToAContainerOfItsOwn", "Takes exports without a container.", "TASK-EXP-02", create_task=_own_container)
works(
    "ExportsWhatIsShared", "Exports images of others that the caller sees.", "TASK-EXP-03", execute_export=_of_anybody
)
works("ExportsWhatIsHidden", "Exports every image.", "TASK-EXP-03", execute_export=_of_anybody_unseen)
works(
    "WritesWhatItRefuses",
    "Writes an object for an image of another project, and fails.",
    "TASK-EXP-03",
    execute_export=_written_and_refused,
)
works(
    "MakesContainers",
    "Creates a container to export to that is not there.",
    "TASK-EXP-04",
    execute_export=_to_a_new_container,
)
works("ExportsToAnyName", "Exports to containers with any name.", "TASK-EXP-04", execute_export=_to_any_name)
works("ExportsBelowAContainer", "Takes a slash for that of a folder.", "TASK-EXP-04", execute_export=_below)
works(
    "SaysNoContainer",
    "Leaves the container out of where it wrote.",
    "TASK-EXP-05",
    execute_export=_elsewhere(lambda where: where.partition("/")[2]),
)
works(
    "SaysNoExtension",
    "Leaves .vhd out of where it wrote.",
    "TASK-EXP-05",
    execute_export=_elsewhere(lambda where: where.removesuffix(".vhd")),
)
works(
    "BeginsPlacesWithASlash",
    "Begins where it wrote with a slash.",
    "TASK-EXP-05",
    execute_export=_elsewhere("/{}".format),
)
works("OverwritesExports", "Writes an export over another.", "TASK-EXP-06", execute_export=_overwriting)
works(
    "TearsExports",
    "Fails where an object is there, and spoils it.",
    "TASK-EXP-06",
    execute_export=_overwriting_silently,
)
works("ExportsBeside", "Writes a second export beside the first.", "TASK-EXP-06", execute_export=_beside)
works("ExportsDeactivatedImages", "Exports a deactivated image.", "TASK-EXP-07", execute_export=_deactivated)
works("ExportsAsItIs", "Exports the data of an image as it is.", "TASK-EXP-09", execute_export=_as_it_is)
works("ExportsNowhere", "Says that it exported, and writes nothing.", "TASK-EXP-09", execute_export=_nowhere)


# Lawful: the specification is silent, or leaves it to the service


def _slowly(self: Tasks) -> None:
    for task in [task for task in self._unfinished if now() - task.created_at > timedelta(seconds=60)]:
        self.finish(task)


def _at_once(self: Tasks) -> None:
    for task in self._unfinished:
        self.finish(task)
    self._unfinished = []


def _over_quota(self: Tasks, task: Task) -> Result:
    del self
    raise Failed(f"The quota of project {task.owner} does not allow this.")


def _expiring(self: Tasks, task: Task, status: TaskStatus) -> None:
    Tasks.set_status(self, task, status)
    if task.ended:
        task.expires_at = task.updated_at + timedelta(seconds=1)


def _closed(kind: type[Exception]) -> dict[str, Any]:
    def refuse(self: App, request: Request, *rest: str) -> Reply:
        del self, request, rest
        raise kind("Tasks are not offered.")

    return {"list_tasks": refuse, "create_task": refuse, "show_task": refuse}


def _imports_only(self: App, request: Request) -> Reply:
    if b'"export"' in request.body:
        raise Invalid("Invalid task type: export. Supported types: import.")
    return App.create_task(self, request)


def _for_readers(self: App, request: Request) -> Reply:
    del self, request
    raise Forbidden("You are not authorized to complete this action.")


def _checking_first(self: App, request: Request) -> Reply:
    wanted: Any = json.loads(request.body)
    given = wanted.get("input")
    if isinstance(given, dict) and wanted.get("type") == "import":
        container, _, name = str(given.get("import_from")).partition("/")
        try:
            self.store.get(request.caller.project, container, name)
        except NotFound as problem:
            raise Invalid(str(problem)) from None
        if {*given.get("image_properties", {})} - {"name"}:
            raise Invalid("No other properties.")
    if isinstance(given, dict) and given.get("receiving_swift_container"):
        try:
            self.store.container(request.caller.project, str(given["receiving_swift_container"]))
            self.images.show(request.caller, str(given.get("image_uuid")))
        except NotFound as problem:
            raise Invalid(str(problem)) from None
    return App.create_task(self, request)


works("TakesItsTimeForTasks", "Works a minute on every task.", work=_slowly)
works("SkipsProcessing", "Shows no task as worked on.", work=_at_once)
works("HasNoRoomForExports", "Fails every export for lack of quota.", execute_export=_over_quota)
works("HasNoRoomForImports", "Fails every import for lack of quota.", execute_import=_over_quota)
works("ForgetsTasksSoon", "Lets tasks expire a second after their end.", set_status=_expiring)
shows("SaysMoreOfTasks", "Shows further members of a task.", everywhere=True, change=having(image_id=None, user_id="u"))
shows(
    "SaysNothingWherePossible",
    "Has an empty message and a null result as long as there is nothing to say.",
    change=lambda shown, task: (
        {"result": None, "expires_at": None} | shown | ({} if task.status == "failure" else {"message": ""})
    ),
)
lists(
    "ListsAllOfTasks",
    "Lists tasks with input and message.",
    change=lambda document, _: (
        document | {"tasks": [task | {"input": {}, "message": "None"} for task in document["tasks"]]}
    ),
)
faulty("ClosesTasks", "Forbids tasks to everybody.", **_closed(Forbidden))
faulty("HasNoTasks", "Knows no tasks.", **_closed(NotFound))
faulty("HasNoExports", "Refuses exports as a type of task that it does not have.", create_task=_imports_only)
faulty("ClosesNewTasks", "Shows tasks, and lets nobody create any.", create_task=_for_readers)
faulty("ChecksTasksFirst", "Refuses at once what other services find out later.", create_task=_checking_first)
answers(
    "SaysNotWhereTasksAre",
    "Answers a new task without Location.",
    method="create_task",
    by=lambda reply, _: replace(reply, headers=tuple(field for field in reply.headers if field[0] != "Location")),
)


# The tags of images that are exported, and of those that are imported

OF_TAGS = selecting("TAG-HIST-01", "TAG-VIS-01", "TAG-ADD-03", "TAG-DEL-03")


@breaks("TAG-HIST-01", profile="standard", words=OF_TAGS)
class EndsExportsWithoutNewTags(App):
    """Takes those tags off an image, when an export of it ends, that were added since it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, list[str]] = {}
        export = self.tasks.execute_export

        def execute_export(task: Task) -> Result:
            result = export(task)
            image = self.images.get(str(task.input["image_uuid"]))
            image.tags[:] = [tag for tag in image.tags if tag in self.before[image.id]]
            return result

        self.tasks.execute_export = execute_export  # type: ignore[method-assign]

    def create_task(self, request: Request) -> Reply:
        with suppress(NotFound, ValueError, AttributeError, TypeError):
            named = (json.loads(request.body).get("input") or {}).get("image_uuid")
            self.before[str(named)] = [*self.images.get(str(named)).tags]
        return super().create_task(request)


@breaks("TAG-VIS-01", profile="standard", words=OF_TAGS)
class ImportsWithATextForTags(App):
    """Shows the tags of an image that was imported as an empty text, until it has some."""

    def __init__(self) -> None:
        super().__init__()
        self.imported: set[str] = set()
        made = self.tasks.execute_import

        def execute_import(task: Task) -> Result:
            result = made(task)
            self.imported.add(result["image_id"])
            return result

        self.tasks.execute_import = execute_import  # type: ignore[method-assign]

    def represent(self, image: Image) -> dict[str, object]:
        shown = super().represent(image)
        return shown | {"tags": shown["tags"] or ""} if image.id in self.imported else shown


@breaks(profile="standard", words=OF_TAGS)
class ChangesNoTagsOfWhatIsExported(App):
    """Answers 409 to changes of the tags of an image while it is exported."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: set[str] = set()
        export = self.tasks.execute_export

        def execute_export(task: Task) -> Result:
            self.exported.discard(str(task.input["image_uuid"]))
            return export(task)

        self.tasks.execute_export = execute_export  # type: ignore[method-assign]

    def create_task(self, request: Request) -> Reply:
        reply = super().create_task(request)
        document: Any = reply.json()
        if document.get("type") == "export":
            self.exported.add(str(document["input"]["image_uuid"]))
        return reply

    def route(self, request: Request) -> Reply:
        if "/tags/" in request.path and self.exported.intersection(request.path.split("/")):
            return self.error(request, HTTPStatus.CONFLICT, "The image is being exported.")
        return super().route(request)
