"""What is looked at when tasks have been tried: what they left, what lists show, and what others are shown."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.common.paging import PagedList, read_pages
from pytest_cloudimages.areas.images.states import once_active
from pytest_cloudimages.areas.tasks.requests import IMPORTED_LATER, NO_OBJECT, Deed, source_of
from pytest_cloudimages.areas.tasks.runner import TaskRunner
from pytest_cloudimages.areas.tasks.tried import ENDED, Left, Seen, Started, may_be_gone
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.spec.verdicts import Blocked

FAILING = (Deed.IMPORT_FURTHER, Deed.IMPORT_LACKING, Deed.IMPORT_MISPLACED, Deed.IMPORT_UNFIT, Deed.IMPORT_LARGE)
"""The imports that have to fail, and name their images in a way of their own."""
WITHOUT_DATA = ("deleted", "killed", "pending_delete", "queued", "saving")
"""The statuses of what is no image yet, or none any more: an id that was reserved, what failed, or goes by and by."""
PER_PAGE = 5
LOOKS_BACK = 2
"""How often a task is looked at that has failed: one that is taken up again is worked on before it ends."""
MOST_OF_OTHERS = 4
"""Pages of the list of an administrator, who may be shown the tasks of all projects."""
OF_SOME = {
    "of imports": [("type", "import"), ("limit", "2")],
    "of failures": [("status", "failure"), ("limit", "3")],
    "of successes": [("status", "success")],
    "of none": [("limit", "0")],
}
"""Lists that are filtered as Glance has it: whatever is in them, is to be shown there as anywhere."""


def look_around(runner: TaskRunner) -> None:
    """Look at what tasks left behind, at tasks that there are not, and at a task as others see it."""
    run = runner.run
    for deed in FAILING:
        if any(started.deed is deed for started in runner.tried):
            listed = read_pages(run.client, "/images", (("name", runner.names[deed]),))
            there = [each for each in listed.entries if each.get("status") not in WITHOUT_DATA]
            named = [str(entry.get("id")) for entry in there if entry.get("name") == runner.names[deed]]
            runner.left.append(Left(deed, "the list of images", named, listed.exchanges))
    if runner.store and runner.octets:
        lacking_succeeded = any(each.succeeded for each in runner.tried if each.deed is Deed.EXPORT_LACKING)
        for container in runner.store.containers:
            if container.endswith("x") or (container == runner.base and not lacking_succeeded):
                look_into(runner, container, Deed.EXPORT_UNFIT)
        look_into(runner, runner.box, Deed.EXPORT_AGAIN)
    _look_at_images(runner)
    mine = next((each for each in runner.tried if each.id), None)
    nobody = uuid.uuid4()  # who is asked for must not be there the next time
    nearly = [f"{mine.id[:-1]}{end}" for end in ("", "g")] if mine else []
    unknown = (nobody, "cloudimages-none", *((nobody, *nearly) if run.rounds else ()))
    runner.answers["unknown"] = [run.client.send("GET", f"/tasks/{each}") for each in unknown]
    if mine:
        with suppress(Blocked):
            other = run.of_another_project()
            runner.answers["foreign"] = [_foreign_look(runner, other, mine)] if other else []
    with suppress(Blocked, pytest.skip.Exception):
        runner.own = run.owner_of(run.client)
    over = _over(runner)
    for started in over:  # what has ended is over
        runner.look(started)
    if run.rounds:
        _seen_by_others(runner, over)
        with suppress(Blocked, pytest.skip.Exception):
            _of_another(runner)


def _of_another(runner: TaskRunner) -> None:
    """Have another project ask for an import of what is not there, and look at it, as an administrator does."""
    run = runner.run
    other = run.of_another_project(able=True)
    if other is None:
        return
    runner.other = run.owner_of(other)
    # Who has no task yet has an empty list, which is not that of everybody.
    runner.glances["of another project at first"] = read_pages(other, "/tasks", most=1)
    with claimed_name(other, run.name) as name:
        answer = other.send("POST", "/tasks", json=import_from(NOWHERE, name))
        found = answer.document.get("id")
        if is_fit(found):
            lookers = [other, *filter(None, [run.able("ADMIN")])]
            runner.answers["another's"] = [answer, *(each.send("GET", f"/tasks/{found}") for each in lookers)]


def look_back(runner: TaskRunner) -> None:
    """Look at a task once more when the image is gone that it has made."""
    made = next((each for each in runner.tried if each.deed is Deed.IMPORT_TWICE and each.succeeded), None)
    if made and is_fit(image_id := made.result.get("image_id")):
        with runner.run.recorder.of(Purpose.PREPARING):
            runner.run.client.send("DELETE", f"/images/{image_id}")
        runner.answers["image gone"] = [runner.run.client.send("GET", f"/tasks/{made.id}")]


def look_once_more(runner: TaskRunner) -> None:
    """Look at an import that has failed, once there is a disk where there was none; lists are read before."""
    place = f"{runner.box}/{NO_OBJECT}"
    from_there = (each for each in runner.tried if source_of(each.body) == place and not each.succeeded)
    failed = next((each for each in from_there if each.deed is Deed.IMPORT_MISPLACED and each.ended), None)
    disk = next((answer.body for answer in runner.octets if answer.ok), b"")
    if disk and failed and runner.store and runner.store.put(runner.box, NO_OBJECT, disk).ok:
        looks = [runner.run.client.send("GET", f"/tasks/{failed.id}") for _ in range(LOOKS_BACK)]
        runner.answers["over"] = [look for look in looks if look.ok]


def _over(runner: TaskRunner) -> list[Started]:
    """Return tasks that have ended: an import and an export that succeeded, and one of each that failed."""
    ended = [each for each in reversed(runner.tried) if each.id and each.ended]
    return [*{(each.succeeded, each.deed.is_import): each for each in ended}.values()]


def _seen_by_others(runner: TaskRunner, over: Sequence[Started]) -> None:
    """Have others of the project, and an administrator, ask for the list of tasks, and for two that have ended."""
    run, known = runner.run, {each.id for each in _ended(runner)}

    def ended(listed: PagedList) -> bool:  # a list may be a little late
        return all(each.get("status") in ENDED for each in listed.entries if each.get("id") in known)

    for who in ("CREATOR", "READER", "ADMIN"):
        with suppress(Blocked, pytest.skip.Exception):
            other = run.caller(who) if over else None
            if other:
                look = partial(read_pages, other, "/tasks", most=MOST_OF_OTHERS)
                listed = run.patience.until(look(), look, ended, about="tasks of others")
                runner.glances[f"of {other.caller}"] = listed
                # Whose list has none of them is of another project, or is shown none by the service's policy.
                there = [each for each in over if each.deed.is_import is each.succeeded and listed.ids([each.id])]
                runner.seen += [Seen(each, listed, _shown_to(runner, other, each), who == "READER") for each in there]


def _shown_to(runner: TaskRunner, other: ImagesClient, started: Started) -> Answer:
    """Have another caller ask for a task in its list; of several nodes, one may be late."""
    look = partial(other.send, "GET", f"/tasks/{started.id}")
    return runner.run.patience.until(look(), look, _is_found, about="tasks shown to others")


def _is_found(answer: Answer) -> bool:
    return answer.status != 404  # noqa: PLR2004 - as HTTP has it


def _look_at_images(runner: TaskRunner) -> None:
    """Look at the images that imports of the same disk say they have made."""
    for what, deed in {"imported": Deed.IMPORT, **IMPORTED_LATER}.items():
        imported = next((each for each in runner.tried if each.deed is deed and each.succeeded), None)
        if imported and is_fit(image_id := imported.result.get("image_id")):
            made = Image(runner.run.client, image_id, "", runner.run.patience)
            runner.answers[what] = [once_active(made)]
            if deed is Deed.IMPORT:
                runner.answers["listed"] = [_once_listed(runner, image_id)]
            if runner.run.rounds and deed is Deed.IMPORT:
                runner.answers["data"] = [made.send("GET", "/file")]
            if deed is Deed.IMPORT_ELSEWHERE:
                runner.answers["data of elsewhere"] = [made.send("GET", "/file")]


def _once_listed(runner: TaskRunner, image_id: str) -> Answer:
    """Ask for the list of images by the name that an import has given one; it may be a little late."""
    query = (("name", runner.names[Deed.IMPORT]),)
    look = partial(read_pages, runner.run.client, "/images", query, most=1)
    listed = runner.run.patience.until(look(), look, lambda seen: bool(seen.ids([image_id])), about="imported images")
    return listed.first.answer


def _foreign_look(runner: TaskRunner, other: ImagesClient, mine: Started) -> Answer:
    """Have another project ask for a task; who is shown all images too is an administrator, and is not asked again."""
    answer = other.send("GET", f"/tasks/{mine.id}")
    if answer.ok and runner.image and other.show(runner.image.id).ok:
        raise Blocked("needs a project that does not see everything")
    return answer


def look_into(runner: TaskRunner, container: str, otherwise: Deed) -> None:
    """Note what a container holds that no export wrote that succeeds, by what may have written it."""
    if runner.store is None or runner.image is None:
        return
    names, answer = runner.store.names(container)
    if names is None:
        return
    foreign = [each.body["input"]["image_uuid"] for each in runner.tried if each.deed is Deed.EXPORT_FOREIGN]
    found: dict[Deed, list[str]] = {otherwise: []}
    if container == runner.box:
        found |= {Deed.EXPORT_FOREIGN: [], Deed.EXPORT_UNFIT: []}
    # Where an import was to find nothing, no export has written.
    sought = {str(each.body.get("input", {}).get("import_from")) for each in runner.tried if each.deed.is_import}
    for name in (each for each in names if f"{container}/{each}" not in sought):
        if any(identifier in name for identifier in foreign):
            found[Deed.EXPORT_FOREIGN].append(name)
        elif name.startswith(runner.base or runner.box):
            found[Deed.EXPORT_UNFIT].append(name)
        elif container != runner.box or (runner.image.id in name and name != f"{runner.image.id}.vhd"):
            found[otherwise].append(name)
    where = f"the container {container}"
    runner.left.extend(Left(deed, where, held, [answer.exchange]) for deed, held in found.items())


def lists_of(runner: TaskRunner) -> dict[str, PagedList]:
    """Read the list of tasks whole, page by page, and after its first task; then try to delete a task."""
    client = runner.run.client
    known = {started.id for started in runner.tried if started.id and not may_be_gone(started, runner.tried)}

    def whole() -> PagedList:
        return read_pages(client, "/tasks")

    def paged() -> PagedList:
        return read_pages(client, "/tasks", (("limit", f"{PER_PAGE}"),))

    def complete(listed: PagedList) -> bool:
        statuses = {entry.get("id"): entry.get("status") for entry in listed.entries}
        late = any(statuses.get(each.id) != each.last.get("status") for each in _ended(runner) if each.id in known)
        return not listed.ended or not (late or known - {*statuses})

    lists = {
        name: runner.run.patience.until(look(), look, complete, about="tasks")
        for name, look in (("whole", whole), ("paged", paged))
    }
    for started in [each for each in runner.tried if each.id in known and not lists["whole"].ids([each.id])]:
        runner.look(started)  # whether it is gone, or a list is no longer than its operator has it
    ids = lists["whole"].first.ids
    if ids and is_fit(ids[0]):
        lists["after"] = read_pages(client, "/tasks", (("marker", ids[0]),))
        lists["of one"] = read_pages(client, "/tasks", (("limit", "1"),), most=1)
    if runner.run.rounds:
        last = [*lists["whole"].pages[-1].ids, *lists["whole"].first.ids[-1:]]
        beyond = [("marker", last[-1])] if last and is_fit(last[-1]) else []
        zipped = {"Accept-Encoding": "gzip, deflate"}
        lists["compressed"] = read_pages(client, "/tasks", most=1, headers=zipped)
        for name, query in (("beyond the end", beyond), *OF_SOME.items()):
            lists[name] = read_pages(client, "/tasks", tuple(query), most=1)
    with suppress(Blocked):
        other = runner.run.of_another_project(able=True)
        if other:
            lists["of another project"] = read_pages(other, "/tasks")
    if mine := next(_ended(runner), None):
        runner.answers["deletion"] = [client.send("DELETE", f"/tasks/{mine.id}")]
    return lists


def _ended(runner: TaskRunner) -> Iterator[Started]:
    return (started for started in runner.tried if started.id and started.ended)
