"""Services that are right when asked once: what is asked again, at once, by others, or by another name, they confuse."""

import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.attributes import Status, Visibility
from pytest_cloudimages.reference.images import Caller, Images, Member, MemberStatus
from pytest_cloudimages.reference.refusals import Forbidden, Invalid, NotFound
from pytest_cloudimages.reference.tasks import Task, Tasks, TaskType

from .kinds import Kind
from .listing import pairs_of, sending
from .registry import breaks, registrar, selecting
from .tasking import carrying_out

KIND = Kind.SEVERAL
TASKS = selecting("TASK")

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


def works(name: str, sentence: str, *ids: str, **methods: Any) -> None:
    """Register a service that carries tasks out by methods of its own."""
    faulty(name, sentence, *ids, words=TASKS, __init__=carrying_out(name, **methods))


# Tasks


def _of_the_first(self: App, task: Task) -> dict[str, object]:
    first = next(iter(self.tasks._tasks.values()))  # noqa: SLF001 - the app's own
    return App.represent_task(self, task) | {"owner": first.owner}


faulty(
    "ShowsTheOwnerOfTheFirstTask",
    "Shows whoever asked for the first of all tasks as the owner of each.",
    "TASK-ENT-08",
    words=TASKS,
    represent_task=_of_the_first,
)


def _gone(self: App, request: Request, task_id: str) -> Reply:
    missed: set[str] = self.__dict__.setdefault("missed", set())
    try:
        return App.show_task(self, request, task_id)
    except NotFound as problem:
        known = task_id in missed
        missed.add(task_id)
        return self.error(request, HTTPStatus.GONE if known else HTTPStatus.NOT_FOUND, str(problem))


faulty(
    "TakesWhatItMissedForGone",
    "Answers 410 to the second request for an unknown task.",
    *("TASK-GET-02", "TASK-GET-03"),
    words=TASKS,
    show_task=_gone,
)


def _found_by(change: Callable[[Tasks, Task, str, str], str]) -> Callable[[Tasks, Task], dict[str, str]]:
    def execute_import(self: Tasks, task: Task) -> dict[str, str]:
        container, _, name = str(task.input["import_from"]).partition("/")
        source = change(self, task, container, name)
        return Tasks.execute_import(self, replace(task, input={**task.input, "import_from": source}))

    return execute_import


def _like_it(self: Tasks, task: Task, container: str, name: str) -> str:
    alike = [each for each in self.store.containers(task.owner) if container and each.startswith(container)]
    return f"{min(alike, key=len, default=container)}/{name}"


works(
    "LooksForContainersByTheirBeginning",
    "Imports from a container whose name begins like the one that is named.",
    "TASK-IMP-06",
    execute_import=_found_by(_like_it),
)
works(
    "GivesAnObjectOneEndingAlone",
    "Takes off a second ending of the object that is to be imported.",
    "TASK-IMP-06",
    execute_import=_found_by(lambda *found: f"{found[2]}/{found[3].replace('.vhd.vhd', '.vhd')}"),
)


def _joined(self: Tasks, caller: Caller, kind: object, given: object) -> Task:
    known = (each for each in self._tasks.values() if each.type is TaskType.IMPORT and each.input == given)
    return next((each for each in known if each.result), None) or Tasks.create(self, caller, kind, given)


works(
    "AnswersAnImportWithTheSameOne",
    "Answers an import with one that has succeeded and was the same.",
    *("TASK-IMP-01", "TASK-IMP-04", "TASK-ENT-09"),
    create=_joined,
)


def _of_the_last(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_export(self, task)
    last = [each for each in self._tasks.values() if each.type is TaskType.EXPORT][-1]
    name = result["export_location"].rpartition("/")[2]
    return {"export_location": f"{last.input['receiving_swift_container']}/{name}"}


works(
    "NamesTheContainerOfTheLastExport",
    "Gives the container of the export that was asked for last as that of each.",
    "TASK-EXP-05",
    execute_export=_of_the_last,
)


def _for_a_form(self: Tasks, task: Task) -> dict[str, str]:
    return {name: value.replace(" ", "+") for name, value in Tasks.execute_export(self, task).items()}


works(
    "WritesBlanksInALocationAsForms",
    "Writes a plus for a blank in the location of an export.",
    "TASK-EXP-05",
    execute_export=_for_a_form,
)


def _remembering(self: App, request: Request, image_id: str) -> Reply:
    reply = App.download(self, request, image_id)
    self.tasks.__dict__.setdefault("read", set()).add(image_id)
    return reply


def _of_what_was_read(self: Tasks, task: Task) -> dict[str, str]:
    image_id = str(task.input["image_uuid"])
    with self.images.lock:
        image = self.images.show(task.caller, image_id)
        status = image.status
        if image_id in self.__dict__.get("read", ()) and status is Status.DEACTIVATED:
            image.status = Status.ACTIVE
        try:
            return Tasks.execute_export(self, task)
        finally:
            image.status = status


faulty(
    "ExportsADeactivatedImageThatWasRead",
    "Exports a deactivated image whose data was read before.",
    "TASK-EXP-07",
    words=TASKS,
    __init__=carrying_out("ExportsADeactivatedImageThatWasRead", execute_export=_of_what_was_read),
    download=_remembering,
)


def _accepting_put(self: App, request: Request) -> Reply:
    if request.method == "PUT" and request.path.startswith("/v2/tasks/"):
        return Reply(HTTPStatus.NO_CONTENT)
    return App.route(self, request)


faulty(
    "TakesAPutOfATask",
    "Answers 204 to the PUT of a task.",
    "GEN-10",
    words=selecting("GEN-10", "GEN-11"),
    route=_accepting_put,
)


def _by_its_beginning(self: App, request: Request, task_id: str) -> Reply:
    known = next((each for each in self.tasks._tasks if each.startswith(task_id)), task_id)  # noqa: SLF001
    return App.show_task(self, request, known)


faulty(
    "FindsTasksByTheirBeginning",
    "Shows a task to who asks for it by the beginning of its id.",
    "TASK-GET-02",
    words=TASKS,
    show_task=_by_its_beginning,
)


def _as_in_a_form(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    image = self.images.get(result["image_id"])
    image.name = str(image.name).replace("+", " ")
    return result


works(
    "NamesImportsAsInAForm",
    "Takes a plus in the name of an imported image for a blank.",
    "TASK-IMP-04",
    execute_import=_as_in_a_form,
)


def _twice_when_filtered(self: App, request: Request) -> Reply:
    document: Any = App.list_tasks(self, request).json()
    if "status=success" in request.query:
        document["tasks"] = [task for task in document["tasks"] for _ in range(2)]
    return Reply.of_json(document)


faulty(
    "ListsWhatSucceededTwice",
    "Lists each task twice where those that succeeded are asked for.",
    "TASK-LIST-01",
    words=TASKS,
    list_tasks=_twice_when_filtered,
)


def _open(self: Tasks, task: Task) -> dict[str, str]:
    with self.images.lock:
        image = self.images.show(task.caller, str(task.input["image_uuid"]))
        owner = image.owner
        if image.visibility is Visibility.COMMUNITY:
            image.owner = task.caller.project
        try:
            return Tasks.execute_export(self, task)
        finally:
            image.owner = owner


works(
    "ExportsImagesOfTheCommunity",
    "Exports an image of another project that is for the community.",
    "TASK-EXP-03",
    execute_export=_open,
)


def _of_the_service(self: Tasks, task: Task) -> dict[str, str]:
    result = Tasks.execute_import(self, task)
    image, owner = self.images.get(result["image_id"]), task.caller.project
    image.owner, image.members[owner] = "service", Member(image.id, owner, MemberStatus.ACCEPTED)
    image.visibility = Visibility.SHARED
    return result


works(
    "SharesImportsWithWhoAskedForThem",
    "Has imported images be those of the service, and shared with who asked for them.",
    "TASK-IMP-04",
    execute_import=_of_the_service,
)


def _for_whom_is_named(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    named = request.headers.get("X-Project-Id")
    if named:
        document["owner"] = named
    return replace(reply, body=json.dumps(document).encode())


faulty(
    "CreatesImagesForWhomTheHeaderNames",
    "Answers the creation of an image with the project of a header as its owner.",
    "AUTH-22",
    words=selecting("AUTH-22"),
    create_image=_for_whom_is_named,
)


# Images


def _missed_before(self: App, request: Request, image_id: str) -> Reply:
    missed: dict[str, int] = self.__dict__.setdefault("missed", {})
    try:
        return App.show_image(self, request, image_id)
    except NotFound as problem:
        missed[image_id] = missed.get(image_id, 0) + 1
        status = HTTPStatus.CONFLICT if missed[image_id] == 2 and image_id.isascii() else HTTPStatus.NOT_FOUND
        return self.error(request, status, str(problem))


faulty(
    "AnswersAMissedImageOtherwise",
    "Answers 409 to the second request for an image that there is not.",
    *("IMG-GET-02", "IMG-GET-04"),
    words=selecting("IMG-GET-02", "IMG-GET-04"),
    show_image=_missed_before,
)


def _confirmed(self: App, request: Request, image_id: str) -> Reply:
    asked: set[tuple[str, object]] = self.__dict__.setdefault("asked", set())
    key = (image_id, request.headers.get("X-Auth-Token"))
    if key in asked and not request.caller.writes:
        return App.delete_image(self, request.sent_by(replace(request.caller, writes=True, deletes=True)), image_id)
    asked.add(key)
    return App.delete_image(self, request, image_id)


faulty(
    "DeletesForAReaderWhoInsists",
    "Deletes an image for a reader, or an observer, who asks twice.",
    *("RBAC-03", "RBAC-05"),
    words=selecting("RBAC"),
    delete_image=_confirmed,
)


def _without_community(self: App, request: Request, name: str) -> Reply:
    reply = App.schema(self, request, name)
    if name != "image":
        return reply
    document: Any = reply.json()
    document["properties"]["visibility"]["enum"] = ["public", "private", "shared"]
    return Reply.of_json(document)


faulty(
    "DescribesNoCommunity",
    "Describes images by a schema that has no visibility community.",
    "IMG-ENT-15",
    words=selecting("IMG-ENT-15", "SCHEMA-14"),
    schema=_without_community,
)


# Members


class _Heirs(Images):
    """Images that leave their members to the next one of their id."""

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[str, dict[str, Member]] = {}

    def delete(self, caller: Caller, image_id: str) -> None:
        with self.lock:
            members = self._images[image_id].members if image_id in self._images else {}
            super().delete(caller, image_id)
            self.left[image_id] = members

    def list_members(self, caller: Caller, image_id: str) -> list[Member]:
        with self.lock:
            found = super().list_members(caller, image_id)
            return [*found, *self.left.get(image_id, {}).values()]


@breaks("MEM-LIST-01", words=selecting("MEM"), profile="standard")
class ListsTheMembersOfAnEarlierImage(App):
    """Lists the members of a deleted image among those of a new one that has its id."""

    def __init__(self) -> None:
        super().__init__(images=_Heirs())


def _members_found_by(alike: Callable[[str, str], bool]) -> Callable[[App, Request, str, str], Reply]:
    def show_member(self: App, request: Request, image_id: str, member_id: str) -> Reply:
        members = self.images.get(image_id).members
        found = next((each for each in members if ":" in each and alike(each, member_id)), member_id)
        return App.show_member(self, request, image_id, found)

    return show_member


faulty(
    "FindsMembersByTheirBeginning",
    "Shows a member to who asks for what its id begins with.",
    "MEM-GET-03",
    words=selecting("MEM"),
    show_member=_members_found_by(str.startswith),
)
faulty(
    "FindsMembersInAnyCase",
    "Shows a member to who asks for it in letters of the other case, which its database takes for the same.",
    words=selecting("MEM"),
    show_member=_members_found_by(lambda each, member: each.casefold() == member.casefold()),
)


def _settled(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    if self.images.get(image_id).protected and request.caller.project == member_id:
        return self.show_member(request, image_id, member_id)
    return App.update_member(self, request, image_id, member_id)


def _only_while_active(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    image = self.images.get(image_id)
    if image.status is Status.DEACTIVATED and request.caller.project in image.members:
        raise Forbidden("The image is deactivated.")
    return App.update_member(self, request, image_id, member_id)


for _name, _sentence, _update in (
    ("DecidesNothingOnProtectedImages", "Leaves a member's status as it is while the image is protected.", _settled),
    ("DecidesOnActiveImagesAlone", "Answers 403 to who decides on a deactivated image.", _only_while_active),
):
    faulty(_name, _sentence, "MEM-UPD-01", words=selecting("MEM"), update_member=_update)


def _removed_by_its_beginning(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    members = self.images.get(image_id).members
    found = next((each for each in members if each.startswith(member_id) and ":" in each), member_id)
    return App.delete_member(self, request, image_id, found)


faulty(
    "RemovesMembersByTheirBeginning",
    "Removes a member by the beginning of its id.",
    "MEM-DEL-03",
    words=selecting("MEM"),
    delete_member=_removed_by_its_beginning,
)


def _twice_of_the_community(self: App, request: Request, image_id: str) -> Reply:
    document: Any = App.list_members(self, request, image_id).json()
    image = self.images.get(image_id)
    if image.visibility is Visibility.COMMUNITY and image.owner != request.caller.project:
        document["members"] *= 2
    return Reply.of_json(document)


faulty(
    "ListsAMemberTwiceOfACommunityImage",
    "Lists a member twice to itself once the image is for the community.",
    "MEM-LIST-02",
    words=selecting("MEM"),
    list_members=_twice_of_the_community,
)


# Lists


def _begun_anew(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    wanted = dict(pairs)
    marker = self.images._images.get(wanted.get("marker", ""))  # noqa: SLF001 - the app's own
    if marker and wanted.get("visibility", marker.visibility) != marker.visibility:
        return App.list_images(self, sending(request, [pair for pair in pairs if pair[0] != "marker"]))
    return App.list_images(self, request)


def _nearly(self: App, request: Request) -> Reply:
    known = {each.id[:-1]: each.id for each in self.images.all()}
    pairs = [(key, known.get(value[:-1], value) if key == "marker" else value) for key, value in pairs_of(request)]
    return App.list_images(self, sending(request, pairs))


faulty(
    "TakesNearlyAMarker",
    "Starts after an image whose id the marker is but for its last letter.",
    "PAGE-11",
    words=selecting("PAGE"),
    list_images=_nearly,
)
faulty(
    "ForgetsAMarkerOfAnotherVisibility",
    "Begins with the first image where that of the marker has another visibility than is asked for.",
    "PAGE-04",
    words=selecting("PAGE", "IMG-LIST"),
    list_images=_begun_anew,
)


# Identity


def _other_than_created(self: App, request: Request) -> Reply:
    reply = App.issue_token(self, request)
    by_a_token = b'"token"' in request.body
    return replace(reply, status=HTTPStatus.NON_AUTHORITATIVE_INFORMATION) if by_a_token else reply


faulty(
    "CreatesNothingForAToken",
    "Answers 203 to who asks for a token by a token.",
    "AUTH-24",
    words=selecting("AUTH-24"),
    signs_in=True,
    issue_token=_other_than_created,
)


# Lawful


@breaks(words=selecting("TASK", "PAGE-15"), profile="standard")
class NamesContainersInSmallLetters(App):
    """Takes no container whose name has a capital or a blank."""

    def create_container(self, request: Request, account: str, container: str) -> Reply:
        if container != container.lower() or " " in container:
            raise Invalid("The name of a container is of small letters and digits.")
        return super().create_container(request, account, container)


@breaks(words=selecting("MEM", "IMG-DEL", "IMG-STAT"), profile="standard")
class KeepsIdsForGood(App):
    """Creates no image with the id of one that was deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: set[str] = set()

    def create_image(self, request: Request) -> Reply:
        document: Any = json.loads(request.body)
        if isinstance(document, dict) and document.get("id") in self.ever:
            return self.error(request, HTTPStatus.CONFLICT, "There was an image of this id.")
        reply = super().create_image(request)
        made: Any = reply.json()
        self.ever.add(made["id"])
        return reply
