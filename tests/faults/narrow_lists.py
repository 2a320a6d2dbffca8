"""Services whose lists are right for most queries, and for most who ask."""

from dataclasses import replace
from typing import Any

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.tasks import Task

from .kinds import Kind
from .listing import LISTS, Pairs, listed, pairs_of, sending
from .registry import registrar, selecting
from .tasking import TASKS

KIND = Kind.LISTS


faulty = registrar(__name__, words=LISTS, profile="standard")
"""Registers a service that has some methods of its own."""


def _shown(self: App, request: Request, images: list[Image]) -> Reply:
    query = listing.Query.read(request.query)
    page = listing.cut(images, images, query, listing.SORT_KEYS)
    return Reply.of_json(listing.document("images", query, page, self.represent))


def _has(pairs: Pairs, name: str) -> str:
    return next((value for key, value in pairs if key == name), "")


def _first_names(self: App, request: Request) -> Reply:
    first: dict[str, str | None] = self.__dict__.setdefault("first", {})
    name = _has(pairs_of(request), "name")
    images = [each for each in self.images.all() if each.owner == request.caller.project]
    if images and {key for key, _ in pairs_of(request)} == {"name"}:
        return _shown(self, request, [each for each in images if first.get(each.id, each.name) == name])
    return App.list_images(self, request)


def _created(self: App, request: Request) -> Reply:
    reply = App.create_image(self, request)
    document: Any = reply.json()
    self.__dict__.setdefault("first", {})[document["id"]] = document.get("name")
    return reply


faulty(
    "FindsImagesByTheirFirstNames",
    "Finds an image by the name that it was created with.",
    "IMG-LIST-03",
    list_images=_first_names,
    create_image=_created,
)


def _one_fits(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    if _has(pairs, "os_distro"):
        pairs = [pair for pair in pairs if pair[0] not in ("disk_format", "container_format")]
    return App.list_images(self, sending(request, pairs))


faulty("FiltersByOneOfSeveral", "Filters by one of several attributes.", "IMG-LIST-11", list_images=_one_fits)


def _but_protected(self: App, request: Request) -> Reply:
    with self.images.lock:
        return listed(self, request, [each for each in self.images.all() if not each.protected])


faulty(
    "ListsNoProtectedImages",
    "Leaves protected images out of every list.",
    "IMG-LIST-02",
    "IMG-LIST-03",
    "IMG-LIST-04",
    list_images=_but_protected,
)


def _of_the_owner(self: App, request: Request) -> Reply:
    asked = dict(pairs_of(request))
    if asked.keys() <= {"owner", "name"} and (owner := asked.get("owner")):
        name = asked.get("name")
        found = [each for each in self.images.all() if each.owner == owner and each.name == (name or each.name)]
        return _shown(self, request, found)
    return App.list_images(self, request)


faulty("OpensListsByTheOwner", "Lists all images of an owner who is named.", "IMG-LIST-02", list_images=_of_the_owner)


def _upwards(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    more = [("sort_dir", "asc")] if _has(pairs, "sort_key") in ("id", "size") and not _has(pairs, "sort_dir") else []
    return App.list_images(self, sending(request, pairs + more))


faulty(
    "SortsUpwardsByItself", "Sorts some keys upwards if no direction is asked for.", "IMG-LIST-10", list_images=_upwards
)


def _of_page(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    status = _has(pairs, "status")
    reply = App.list_images(self, sending(request, [pair for pair in pairs if pair[0] != "status" or not status]))
    document: Any = reply.json()
    if status and _has(pairs, "limit") and "images" in document:
        document["images"] = [each for each in document["images"] if each["status"] == status]
        document.pop("next", None)
        return Reply.of_json(document)
    return App.list_images(self, request)


faulty("FiltersThePageByStatus", "Filters a page that is cut already.", "PAGE-05", list_images=_of_page)

# Tasks


def _all_tasks(self: App, request: Request) -> Reply:
    found = [self.represent_listed_task(each) for each in self.tasks.all(replace(request.caller, admin=True))]
    honest: Any = App.list_tasks(self, request).json()
    known = {each["id"] for each in honest["tasks"]}
    mine = any(each["owner"] == request.caller.project for each in found)
    more = [] if mine else [each for each in found if each["id"] not in known]
    return Reply.of_json(honest | {"tasks": honest["tasks"] + more})


faulty(
    "ListsTheTasksOfAll",
    "Lists the tasks of all projects to one that has none.",
    "TASK-LIST-02",
    words=TASKS,
    list_tasks=_all_tasks,
)


def _leads_elsewhere(self: App, task: Task) -> dict[str, object]:
    return App.represent_listed_task(self, task) | {"self": f"/v2/task/{task.id}"}


def _details(self: App, task: Task) -> dict[str, object]:
    return App.represent_task(self, task) | {"self": f"/v2/tasks/{task.id}"}


faulty(
    "LeadsFromListsToNoTask",
    "Leads from the list to where no task is.",
    "TASK-ENT-07",
    words=TASKS,
    represent_listed_task=_leads_elsewhere,
    represent_task=_details,
)


def _as_first_listed(self: App, request: Request) -> Reply:
    seen: dict[str, str] = self.__dict__.setdefault("seen", {})
    reply = App.list_tasks(self, request)
    document: Any = reply.json()
    for task in document.get("tasks", ()):
        task["status"] = seen.setdefault(task["id"], task["status"])
    return Reply.of_json(document, reply.status)


faulty(
    "ListsTasksAsFirstSeen",
    "Lists a task with the status that it was first listed with.",
    "TASK-LIST-02",
    words=TASKS,
    list_tasks=_as_first_listed,
)


# Images of the community


def _public_ones_too(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    reply = App.list_images(self, request)
    if _has(pairs, "visibility") != "public":
        return reply
    document: Any = reply.json()
    wanted = [(key, "community" if key == "visibility" else value) for key, value in pairs]
    more: Any = App.list_images(self, sending(request, wanted)).json()
    foreign = [each for each in more["images"] if each["owner"] != request.caller.project]
    return Reply.of_json(document | {"images": [*document["images"], *foreign]})


faulty(
    "ListsTheCommunityAmongPublicImages",
    "Lists other projects' images of the community where public ones are asked for.",
    "IMG-LIST-02",
    words=selecting("IMG-LIST-02"),
    list_images=_public_ones_too,
)


def _by_size(self: App, request: Request) -> Reply:
    keys = [(key, "size" if (key, value) == ("sort_key", "updated_at") else value) for key, value in pairs_of(request)]
    return App.list_images(self, sending(request, keys))


faulty(
    "SortsTimesOfChangesBySize",
    "Sorts images by their size where they are to be sorted by when they changed.",
    "IMG-LIST-09",
    words=selecting("IMG-LIST-09"),
    list_images=_by_size,
)


def _nested(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    document: Any = reply.json()
    for image in document.get("images", ()):
        image["metadata"] = {name: image.pop(name) for name in [*image] if name.startswith("pytest_cloudimages")}
    return Reply.of_json(document, reply.status)


faulty(
    "NestsAttributesInLists",
    "Shows attributes of one's own below metadata where it lists images.",
    "IMG-ENT-13",
    words=selecting("IMG-ENT-13"),
    list_images=_nested,
)


# Pages of what was sorted, and of what is shared


def _sorted_by_page(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    if _has(pairs, "sort_key") != "size" or not _has(pairs, "limit"):
        return App.list_images(self, request)
    reply = App.list_images(self, sending(request, [pair for pair in pairs if not pair[0].startswith("sort")]))
    document: Any = reply.json()
    if "next" in document:
        document["next"] += "".join(f"&{key}={value}" for key, value in pairs if key.startswith("sort"))
    backward = _has(pairs, "sort_dir") != "asc"
    document["images"].sort(key=lambda image: image["size"] or 0, reverse=backward)
    return Reply.of_json(document, reply.status)


faulty(
    "SortsEachPageBySize",
    "Sorts what is on a page by size, and pages as they come.",
    "IMG-LIST-09",
    list_images=_sorted_by_page,
)


def _borrowed_first(self: App, request: Request) -> Reply:
    document: Any = App.list_images(self, request).json()
    if _has(pairs_of(request), "marker"):
        held = [each["id"] for each in document["images"]]
        accepted = (each for each in self.images.all() if each.members.get(request.caller.project))
        document["images"] = [*(self.represent(each) for each in accepted if each.id not in held), *document["images"]]
    return Reply.of_json(document)


faulty(
    "BeginsPagesWithWhatIsShared",
    "Has what others share with the caller on every page.",
    "PAGE-04",
    words=selecting("PAGE-04"),
    list_images=_borrowed_first,
)
