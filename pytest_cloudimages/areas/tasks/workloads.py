"""What is asked of tasks: imports and exports are started, watched until they end, listed, and looked for."""

import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.common.administrators import needs_no_administrator
from pytest_cloudimages.areas.common.imports import export_of, import_from
from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.common.store import Store, object_store
from pytest_cloudimages.areas.images.states import OCTETS, give_data, shared
from pytest_cloudimages.areas.tasks.looks import FAILING, lists_of, look_around, look_back, look_into, look_once_more
from pytest_cloudimages.areas.tasks.requests import (
    EXPECTING,
    FURTHER,
    NO_OBJECT,
    SECTORS,
    UNFIT,
    Body,
    Deed,
    in_utf_8,
    lacking,
    large,
    marked,
    mistaken_for,
    odd_places,
    unfit,
)
from pytest_cloudimages.areas.tasks.runner import TaskRunner
from pytest_cloudimages.areas.tasks.tried import FORBIDDEN, Started, Tasks
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.provisioning import claimed_name, temporary_image
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

CLOSED = frozenset({403, 404, 405, 410, 501})
"""How a service says that it does not offer tasks, or not to this caller."""
REFUSED_TYPE = frozenset({400, 403})
"""How it says that it has no tasks of a type; the answer has to name the type. (Rulings, 10.)"""
TYPE = re.compile(rb"(?<![-\w])types?(?![-\w=])", re.IGNORECASE)
"""The word, which is in a Content-Type of a page as well."""
NO_DISK = "cloudimages-no-disk.vhd"
NAMING = (Deed.IMPORT, Deed.IMPORT_AGAIN, Deed.IMPORT_ELSEWHERE, *FAILING)
"""All that name their images in a way of their own."""
ENDS = {Deed.IMPORT_AGAIN: " Again 1+1 ß京"}
"""What names end in that are not of small letters and digits alone: two letters stand for more octets in UTF-8."""


@workload(empty=Tasks, requests=(117, 231, 231, 231))
def tasks(run: Run) -> Tasks:
    """Export an image, import it again, ask for tasks that must fail, list all, and look at what they leave behind."""
    run.require_own()
    runner = TaskRunner(run)
    first = run.client.send("GET", "/tasks")
    probe = runner.start(Deed.EXPORT_LACKING, {"type": "export"}, "input")
    runner.answers["first"] = [first, probe.answer]
    if {first.status, probe.answer.status} <= CLOSED:
        closed = f"needs tasks, which the service does not offer to this caller: {first.exchange}, {probe.answer}"
        return Tasks(answers=runner.answers, closed=closed)
    with ExitStack() as stack:
        for deed in NAMING:
            claimed = claimed_name(run.client, run.name, partial(runner.imported, deed), ENDS.get(deed, ""))
            runner.names[deed] = stack.enter_context(claimed)
        runner.store = stack.enter_context(object_store(run))
        try:
            _prepare(runner, stack)
            _export(runner)
        except (Blocked, pytest.skip.Exception) as problem:
            runner.why |= dict.fromkeys(Deed, problem)
        run.show(runner.so_far)
        _import(runner)
        run.show(runner.so_far)
        if not runner.no_exports:
            _export_wrongly(runner, stack)
        stack.callback(_say_what_goes_on, runner)
        for started in runner.tried:
            runner.watch(started)
            run.show(runner.so_far)
        look_around(runner)
        if run.rounds:
            look_back(runner)
        run.show(runner.so_far)
        lists = lists_of(runner)
        if run.rounds:
            look_once_more(runner)
        found = runner.whole(runner.tried, lists)
        run.show(lambda: found, due=True)  # cleaning up takes a while
    return found


def _say_what_goes_on(runner: TaskRunner) -> None:
    """Name the imports whose images may come when nobody looks for them any more."""
    runner.run.recorder.traces.left_behind += [
        f"perhaps an image, made by the task {started.id}, which had not ended"
        for started in runner.tried
        if started.deed.is_import and started.id and not started.ended
    ]


def _prepare(runner: TaskRunner, stack: ExitStack) -> None:
    """Make an image that can be exported, and a container to export it to. Raise what keeps that from being done."""
    if runner.store is None:
        pytest.skip(
            "needs an object store to export to and import from, and the catalogue of the service names none; set"
            " CLOUDIMAGES_OBJECT_STORE to the address of your account in one"
        )
    runner.box = runner.store.container()
    runner.image = stack.enter_context(runner.run.fresh_image(own=True))
    give_data(runner.image, SECTORS, waits=True)


def _export(runner: TaskRunner) -> None:
    """Export an image, and once more to the same place."""
    if runner.image is None or runner.store is None:
        return
    body = export_of(runner.image.id, runner.box)
    started = runner.start(Deed.EXPORT, body)
    if started.id:
        runner.glance()
    runner.watch(started)
    runner.no_exports = _not_offered(started)
    if started.answer.status == FORBIDDEN and not runner.no_exports:
        source = f"{runner.box}/{NO_OBJECT}"
        other = runner.start(
            Deed.IMPORT_MISPLACED, import_from(source, runner.names[Deed.IMPORT_MISPLACED]), "no object"
        )
        if other.answer.status == FORBIDDEN:
            closed = f"needs a caller that may create tasks: {started.answer}, {other.answer}"
            runner.no_exports = runner.no_imports = closed
    runner.why[Deed.EXPORT_AGAIN] = pytest.skip.Exception(f"needs an export that succeeds; there was {started}")
    if not started.succeeded:
        return
    name = f"{runner.image.id}.vhd"
    # A store may show by and by what was written to it.
    runner.octets.append(runner.store.once_there(runner.box, name))
    if runner.octets[0].ok:
        runner.watch(runner.start(Deed.EXPORT_AGAIN, body, headers=EXPECTING))
        runner.octets.append(runner.store.get(runner.box, name))


def _not_offered(started: Started) -> str:
    """Return why tasks of a type are untested, where the service says that it has none; else nothing."""
    answer = started.answer
    forbidden = started.deed is Deed.IMPORT and answer.status == FORBIDDEN
    if forbidden or (answer.status in REFUSED_TYPE and TYPE.search(answer.body)):
        return f"needs {started.deed}, and the service says that it does not offer this type of task: {answer}"
    return ""


def _import(runner: TaskRunner) -> None:
    """Import what was exported, if anything was; and what is not there, is no disk, or lacks something."""
    source = _exported(runner) or f"{runner.box or 'cloudimages'}/{NO_OBJECT}"
    body = import_from(source, runner.names[Deed.IMPORT])
    if _exported(runner):
        runner.no_imports = runner.no_imports or _not_offered(runner.watch(runner.start(Deed.IMPORT, body)))
        if runner.run.rounds and not runner.no_imports:
            _import_again(runner, source, body)
        name = runner.names[Deed.IMPORT_FURTHER]
        runner.begin(Deed.IMPORT_FURTHER, import_from(source, name, os_distro="debian"))
        for further in FURTHER if runner.run.rounds and not runner.no_imports else ():
            runner.start(Deed.IMPORT_FURTHER, import_from(source, name, **further), f"{further}")
    else:
        reason = "needs a disk in the object store, and none could be exported there"
        problem = runner.why.get(Deed.IMPORT) or pytest.skip.Exception(reason)
        of_a_disk = (Deed.IMPORT_AGAIN, Deed.IMPORT_ELSEWHERE, Deed.IMPORT_FURTHER, Deed.IMPORT_LARGE)
        runner.why |= dict.fromkeys((Deed.IMPORT, *of_a_disk), problem)
    if runner.no_imports:
        return
    for what, wanted in lacking(import_from(source, runner.names[Deed.IMPORT_LACKING])):
        runner.start(Deed.IMPORT_LACKING, wanted, what)
    name = runner.names[Deed.IMPORT_MISPLACED]
    places = {"no object": f"{runner.box}/{NO_OBJECT}"} if runner.box else {}
    places["no container"] = f"{uuid.uuid4().hex}/{NO_OBJECT}"
    for what, place in places.items():
        runner.begin(Deed.IMPORT_MISPLACED, import_from(place, name), what, listing=what == "no container")
    for what, place in odd_places(source).items() if runner.run.rounds and _exported(runner) else ():
        _import_misplaced(runner, place, what)
    if runner.store and runner.box and runner.store.put(runner.box, NO_DISK, OCTETS).ok:
        runner.begin(Deed.IMPORT_NO_DISK, import_from(f"{runner.box}/{NO_DISK}", name))
        if _exported(runner):
            _import_unfit(runner, runner.store, runner.octets[0].body)


def _import_again(runner: TaskRunner, source: str, body: Body) -> None:
    """Import the same disk several times more: of those that go on at once, each is answered with what it has made."""
    again = import_from(source, runner.names[Deed.IMPORT_AGAIN])
    further = [runner.start(Deed.IMPORT_AGAIN, again, headers=EXPECTING)]
    if elsewhere := _with_a_slash(runner):
        other = import_from(elsewhere, runner.names[Deed.IMPORT_ELSEWHERE])
        further.append(runner.start(Deed.IMPORT_ELSEWHERE, other))
    further.append(runner.start(Deed.IMPORT_TWICE, body, **in_utf_8(body)))
    for started in further:
        runner.watch(started)


def _with_a_slash(runner: TaskRunner) -> str:
    """Return where the exported disk is once more, under a name with a slash, a blank and a capital; or nothing."""
    name = "further/Cloudimages again.vhd"
    disk = runner.octets[0].body
    store = runner.store
    if not store:
        return ""
    other = marked(disk)
    for mistaken in mistaken_for(name) if other else ():
        store.put(runner.box, mistaken, other)
    # The right one comes last: to some stores one of those names is this one, too.
    there = store.put(runner.box, name, disk).ok and store.get(runner.box, name).body == disk
    return f"{runner.box}/{name}" if there else ""


def _import_misplaced(runner: TaskRunner, place: str, what: str) -> None:
    """Import from an odd place, unless an object is there: to some stores, names of another case are the same."""
    container, _, name = place.partition("/")
    if not (name and runner.store and runner.store.get(container, name).ok):
        body = import_from(place, runner.names[Deed.IMPORT_MISPLACED])
        runner.start(Deed.IMPORT_MISPLACED, body, what, **in_utf_8(body))


def _import_unfit(runner: TaskRunner, store: Store, disk: bytes) -> None:
    """Import disks that a service says it does not import, made of one that it does."""
    runner.why[Deed.IMPORT_LARGE] = pytest.skip.Exception("needs a disk whose footer says how large it is")
    disks = [(Deed.IMPORT_LARGE, "of 41 GB", large(disk))]
    disks += [(Deed.IMPORT_UNFIT, what, octets) for what, octets in unfit(disk).items()] if runner.run.rounds else []
    for deed, what, octets in disks:
        name = f"cloudimages-{what.replace(' ', '-')}.vhd"
        if octets != disk and store.put(runner.box, name, octets).ok:
            runner.start(deed, import_from(f"{runner.box}/{name}", runner.names[deed]), what)


def _exported(runner: TaskRunner) -> str:
    """Return where the image was exported to, if the object is there."""
    if not (runner.image and runner.octets and runner.octets[0].ok):
        return ""
    return f"{runner.box}/{runner.image.id}.vhd"


def _export_wrongly(runner: TaskRunner, stack: ExitStack) -> None:
    """Ask for exports that must not succeed."""
    image, container = runner.image.id if runner.image else str(uuid.uuid4()), "cloudimages"
    if runner.store and runner.box:
        with suppress(Blocked):
            container = runner.base = runner.store.container()
    for what, body in lacking(export_of(image, container)):
        if what != "input":  # which was asked for first of all
            runner.start(Deed.EXPORT_LACKING, body, what)
    if runner.image is None or runner.store is None:
        return
    beside = runner.store.container if runner.run.rounds and runner.octets else None
    at_once = _export_at_once(runner, image, beside)
    # What such a name begins with, or ends in, is an empty container: whoever cuts it has where to write.
    base = runner.base or runner.box
    runner.start(Deed.EXPORT_UNFIT, export_of(image, f"{base}/{base}"), "a slash")
    runner.glance()
    for character in UNFIT[1:]:
        with suppress(Blocked):
            container = runner.store.container(f"{character}x", runner.base)
            runner.start(Deed.EXPORT_UNFIT, export_of(image, container), f"a container with {character}")
    if runner.run.rounds and runner.octets:
        for started in at_once:
            runner.watch(started)
        _export_onto(runner, runner.store, image)
    for deed, ask in ((Deed.EXPORT_FOREIGN, _export_foreign), (Deed.EXPORT_DEACTIVATED, _export_deactivated)):
        try:
            ask(runner, runner.store, stack)
        except (Blocked, pytest.skip.Exception) as problem:
            runner.why[deed] = problem


def _export_at_once(runner: TaskRunner, image: str, opened: Callable[[str], str] | None) -> list[Started]:
    """Ask for an export to no container, and for two to one object before and after it: others are under way then.

    The container that is ``opened`` for them has a name that is not of small letters alone.
    """
    body: Body = {}
    with suppress(Blocked):
        body = export_of(image, opened(" At Once")) if opened else {}
    started = [runner.start(Deed.EXPORT_AT_ONCE, body)] if body else []
    runner.begin(Deed.EXPORT_UNFIT, export_of(image, uuid.uuid4().hex), "no container")
    return [*started, runner.start(Deed.EXPORT_AT_ONCE, body)] if body else []


def _export_onto(runner: TaskRunner, store: Store, image: str) -> None:
    """Ask for an export to where an object is that no export has written, and look at that object.

    It holds nothing, as the manifests of large objects do, and is there all the same.
    """
    with suppress(Blocked):
        container = store.container()
        if store.put(container, f"{image}.vhd", b"").ok:
            runner.watch(runner.start(Deed.EXPORT_ONTO, export_of(image, container)))
            runner.answers["onto"] = [store.get(container, f"{image}.vhd")]


def _export_foreign(runner: TaskRunner, store: Store, stack: ExitStack) -> None:
    """Ask for exports of an image of another project, which is not shared and then is."""
    run = runner.run
    other = run.of_another_project()
    if other is None:
        pytest.skip(run.no_other_project)
    foreign = stack.enter_context(temporary_image(other, run.name, run.patience))
    give_data(foreign, waits=True)
    body = export_of(foreign.id, runner.box)
    started = runner.watch(runner.start(Deed.EXPORT_FOREIGN, body, "not shared"))
    if started.succeeded and (reason := needs_no_administrator(run)):
        runner.tried.remove(started)
        store.delete(runner.box, f"{foreign.id}.vhd")
        pytest.skip(reason)
    project = run.owner_of(run.client)
    with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
        shared(foreign, project)
        run.client.send("PUT", f"/images/{foreign.id}/members/{project}", json={"status": "accepted"})
        with run.recorder.of(Purpose.JUDGING):
            runner.start(Deed.EXPORT_FOREIGN, body, "shared with the caller")
    if run.rounds and not made_visible(foreign, "community"):
        runner.start(Deed.EXPORT_FOREIGN, body, "of the community")


def _export_deactivated(runner: TaskRunner, store: Store, stack: ExitStack) -> None:
    """Ask for an export while the image is deactivated, to a container that has no such object."""
    administrator = runner.run.able("ADMIN")
    if runner.image is None or administrator is None:
        pytest.skip("needs an administrator")
    container = store.container()
    seen = runner.image.seen_by(administrator)
    with runner.run.recorder.of(Purpose.PREPARING):
        if runner.run.rounds:
            runner.image.send("GET", "/file")  # what a service keeps of that must not be exported
        answer = seen.send("POST", "/actions/deactivate")
        if not answer.ok:
            pytest.skip(f"needs an image that is deactivated: {answer.exchange}")
        stack.callback(_reactivate, seen)
    runner.watch(runner.start(Deed.EXPORT_DEACTIVATED, export_of(runner.image.id, container)))
    look_into(runner, container, Deed.EXPORT_DEACTIVATED)


def _reactivate(image: Image) -> None:
    with image.client.recorder.of(Purpose.CLEANING), suppress(Blocked):
        image.send("POST", "/actions/reactivate")
