"""Starts tasks and watches them, and holds what became of them until all of it is handed on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_cloudimages.areas.common.imports import FEWEST_LOOKS
from pytest_cloudimages.areas.common.paging import PagedList
from pytest_cloudimages.areas.common.store import Store
from pytest_cloudimages.areas.tasks.requests import Body, Deed
from pytest_cloudimages.areas.tasks.tried import Left, Started, Tasks, document
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import pauses
from pytest_cloudimages.engine.run import Run

EARLY_LOOKS = 2
"""How often one task of each kind is looked at as soon as it is asked for: others have ended when they are watched."""


@dataclass
class TaskRunner:
    """Starts tasks, and watches them."""

    run: Run
    image: Image | None = None
    store: Store | None = None
    box: str = ""
    """The container that images are exported to."""
    base: str = ""
    """An empty one, whose name others begin with."""
    names: dict[Deed, str] = field(default_factory=dict)
    """The names that imports give to images."""
    tried: list[Started] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    octets: list[Answer] = field(default_factory=list)
    why: dict[Deed, BaseException] = field(default_factory=dict)
    no_exports: str = ""
    no_imports: str = ""
    patience: float = 0.0
    fewest: int = FEWEST_LOOKS

    def __post_init__(self) -> None:
        self.patience = self.run.settings.patience

    def imported(self, deed: Deed) -> list[str]:
        """Return the ids of the images that tasks of a kind say they have made."""
        made = [started.result.get("image_id") for started in self.tried if started.deed is deed]
        return [image_id for image_id in made if is_fit(image_id)]

    def start(self, deed: Deed, body: Body, what: str = "") -> Started:
        """Ask for a task."""
        started = Started(deed, body, self.run.client.send("POST", "/tasks", json=body), what)
        self.tried.append(started)
        return started

    def begin(self, deed: Deed, body: Body, what: str = "") -> Started:
        """Ask for a task, and look at it at once."""
        started = self.start(deed, body, what)
        for _ in range(EARLY_LOOKS if self.run.rounds and started.id else 0):
            self.look(started)
        return started

    def whole(self, tried: Sequence[Started], lists: Mapping[str, PagedList]) -> Tasks:
        """Return what became of tasks, with the lists of them that were read."""
        told = self.answers, self.left, self.octets, "", self.no_exports, self.no_imports, self.why
        return Tasks(tried, lists, *told)

    def so_far(self) -> Tasks:
        """Return what became of the tasks that have ended, or were refused."""
        return self.whole([started for started in self.tried if started.ended or not started.id], {})

    def watch(self, started: Started) -> Started:
        """Look at a task until it has ended, or patience has."""
        if not started.id or started.ended:
            return started
        end = time.monotonic() + self.patience
        if self.look(started):
            return started
        for _ in pauses(end, self.fewest - len(started.looks)):
            if self.look(started):
                return started
        self.patience, self.fewest = self.patience / 2, 1
        return started

    def look(self, started: Started) -> bool:
        """Look at a task, and return whether there is nothing more to wait for."""
        answer = self.run.client.send("GET", f"/tasks/{started.id}")
        started.looks.append(answer)
        late = answer.status == 404 and len(started.shown) == 1  # noqa: PLR2004 - as HTTP has it
        return started.ended or not (document(answer) or late)
