"""An image whose tags change while it is exported, and the image that is made of the export."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.common.imports import import_from
from pytest_cloudimages.areas.common.store import object_store
from pytest_cloudimages.areas.images.states import give_data
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import require_ok
from pytest_cloudimages.client.polling import FIRST_PAUSE, LONGEST_PAUSE
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

GOES, COMES = "goes-meanwhile", "comes-meanwhile"
FEWEST = 6
"""How often a task is looked at, however slow the answers."""


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

    def done(
        self, body: Mapping[str, Any], *meanwhile: Callable[[], Answer]
    ) -> tuple[Mapping[str, Any], list[Exchange]]:
        """Have a task carried out, do something as soon as it is there, and return what it says when it has ended."""
        answer = require_ok(self.run.client.send("POST", "/tasks", json=body))
        exchanges = [answer.exchange, *(act().exchange for act in meanwhile)]
        task, pause, end = _task(answer), FIRST_PAUSE, time.monotonic() + self.run.settings.patience
        looks = 0
        while is_fit(task.get("id")) and task.get("status") not in ("success", "failure"):
            if looks >= FEWEST and time.monotonic() > end:
                break
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            looks += 1
            task = _task(require_ok(self.run.client.send("GET", f"/tasks/{task['id']}")))
        if task.get("status") != "success":
            raise Blocked(f"The task has not succeeded: {answer}")
        return task, exchanges


def _task(answer: Answer) -> Mapping[str, Any]:
    return answer.data if isinstance(answer.data, dict) else {}


@workload(empty=Exports, requests=(0, 18, 18, 18))
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
        give_data(image)
        box = store.container() if store else ""
        body = {"type": "export", "input": {"image_uuid": image.id, "receiving_swift_container": box}}
        answers: list[Answer] = []

        def changed(change: Callable[[str], Answer], tag: str) -> Answer:
            answers.append(change(tag))
            return answers[-1]

        _, exchanges = tasks.done(
            body, partial(changed, image.add_tag, COMES), partial(changed, image.delete_tag, GOES)
        )
        came, went = (answer.ok for answer in answers)
        expected = [COMES] if came else []
        shown = image.read(lambda found: sorted(found) == expected)
        # Whether it was created with a tag that is not there to be deleted, is asked elsewhere.
        exported.append(ExportedTags(expected, [tag for tag in shown if went or tag != GOES], exchanges))
        task, _ = tasks.done(import_from(f"{box}/{image.id}.vhd", name))
        result = task.get("result")
        made = result.get("image_id") if isinstance(result, dict) else None
        if is_fit(made):
            tasks.made.append(made)
            imported.append(run.client.show(made))
