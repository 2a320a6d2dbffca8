"""An image whose tags change while it is exported, and the image that is made of the export."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.common.imports import FEWEST_LOOKS, export_of, import_from
from pytest_cloudimages.areas.common.store import object_store
from pytest_cloudimages.areas.images.states import give_data
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import require_ok
from pytest_cloudimages.client.polling import pauses
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

GOES, COMES = "goes-meanwhile", "comes-meanwhile"


@dataclass(frozen=True)
class ExportedTags:
    """The tags of an image when an export of it has ended, and what they had to be."""

    expected: Sequence[str]
    shown: Sequence[str]
    exchanges: Sequence[Exchange]

    def expect(self) -> None:
        """Raise ``Mismatch`` unless they are what was made of them meanwhile."""
        __tracebackhide__ = True
        expect(sorted(self.shown), sorted(self.expected), "tags of an image that was exported while they changed")


@dataclass(frozen=True, repr=False)
class Exports(Collection):
    """What became of tags with an export, and how an image is shown that was imported."""

    exported: Sequence[ExportedTags] = ()
    imported: Sequence[Answer] = ()

    @cases
    def tags(self) -> Iterator[Case[ExportedTags]]:
        """Return the tags of images that were exported."""
        return (Case(each, each.exchanges) for each in self.exported)

    @cases
    def images(self) -> Iterator[Case[Answer]]:
        """Return the answers that show images which were imported."""
        return (Case(answer, [answer.exchange]) for answer in self.imported)


@dataclass
class _Tasks:
    run: Run
    made: list[str] = field(default_factory=list)

    def done(self, body: Mapping[str, Any], *meanwhile: Callable[[], Answer]) -> tuple[Mapping[str, Any], list[Answer]]:
        """Have a task carried out, and do something as soon as it is there.

        Return what it says when it has ended, and the answers to its creation and to what was done meanwhile.
        """
        created = require_ok(self.run.client.send("POST", "/tasks", json=body))
        answers, task = [created, *(act() for act in meanwhile)], created.document
        end = time.monotonic() + self.run.settings.patience
        for _ in pauses(end, FEWEST_LOOKS) if _goes_on(task) else ():
            task = require_ok(self.run.client.send("GET", f"/tasks/{task['id']}")).document
            if not _goes_on(task):
                break
        if task.get("status") != "success":
            raise Blocked(f"The task has not succeeded: {created}")
        return task, answers


def _goes_on(task: Mapping[str, Any]) -> bool:
    return is_fit(task.get("id")) and task.get("status") not in ("success", "failure")


@workload(empty=Exports, requests=(0, 19, 19, 19))
def exports(run: Run) -> Exports:
    """Change the tags of an image while it is exported, and look at them, and at the image that is imported of it."""
    exported: list[ExportedTags] = []
    imported: list[Answer] = []
    if run.rounds and not run.settings.image and run.service.object_store:
        # Whether there are tasks at all, and what they do besides, is asked elsewhere.
        with suppress(Blocked, pytest.skip.Exception):
            _carry_out(run, exported, imported)
    return Exports(exported, imported)


def _carry_out(run: Run, exported: list[ExportedTags], imported: list[Answer]) -> None:
    tasks = _Tasks(run)
    with ExitStack() as stack:
        name = stack.enter_context(claimed_name(run.client, run.name, lambda: tasks.made))
        store = stack.enter_context(object_store(run))
        image = stack.enter_context(run.fresh_image(own=True, tags=[GOES]))
        give_data(image, waits=True)
        box = store.container() if store else ""
        changes = partial(image.add_tag, COMES), partial(image.delete_tag, GOES)
        _, answers = tasks.done(export_of(image.id, box), *changes)
        _, added, deleted = answers
        expected = [COMES] if added.ok else []
        shown = image.read(lambda found: sorted(found) == expected)
        # Whether it was created with a tag that is not there to be deleted, is asked elsewhere.
        left = [tag for tag in shown if deleted.ok or tag != GOES]
        exported.append(ExportedTags(expected, left, [answer.exchange for answer in answers]))
        task, _ = tasks.done(import_from(f"{box}/{image.id}.vhd", name))
        result = task.get("result")
        made = result.get("image_id") if isinstance(result, dict) else None
        if is_fit(made):
            tasks.made.append(made)
            imported.append(run.client.show(made))
