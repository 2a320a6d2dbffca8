"""Starts tasks and watches them, and holds what became of them until all of it is handed on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.areas.common.imports import FEWEST_LOOKS
from pytest_cloudimages.areas.common.paging import PagedList, read_pages
from pytest_cloudimages.areas.common.store import Store
from pytest_cloudimages.areas.tasks.requests import Body, Deed, name_in
from pytest_cloudimages.areas.tasks.tried import Left, Seen, Started, Tasks
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import pauses
from pytest_cloudimages.engine.run import Run

EXPECTATION_FAILED = 417
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
    glances: dict[str, PagedList] = field(default_factory=dict)
    """Lists that were read while tasks were carried out."""
    seen: list[Seen] = field(default_factory=list)
    other: str = ""
    """Another project, which asked for a task of its own."""
    own: str = ""
    """The project of the caller, where it is known."""
    why: dict[Deed, BaseException] = field(default_factory=dict)
    no_exports: str = ""
    no_imports: str = ""
    patience: float = 0.0
    fewest: int = FEWEST_LOOKS

    def __post_init__(self) -> None:
        self.patience = self.run.settings.patience

    def imported(self, deed: Deed) -> list[str]:
        """Return the ids of the images that tasks say they have made under the name that those of a kind give."""
        tried = [each for each in self.tried if each.deed.is_import and name_in(each.body) == self.names.get(deed)]
        made = [started.result.get("image_id") for started in tried]
        return [image_id for image_id in made if is_fit(image_id)]

    def start(self, deed: Deed, body: Body, what: str = "", **how: Any) -> Started:
        """Ask for a task; ``how`` is what the request has that others have not, ``octets`` what is sent as its body."""
        octets = how.pop("octets", None)
        sent = {"json": body} if octets is None else {"body": octets}
        answer = self.run.client.send("POST", "/tasks", **sent, **how)
        if answer.status == EXPECTATION_FAILED:  # which is to be sent once more without one (RFC 9110, 10.1.1)
            answer = self.run.client.send("POST", "/tasks", **sent)
        started = Started(deed, body, answer, what)
        self.tried.append(started)
        return started

    def begin(self, deed: Deed, body: Body, what: str = "", *, listing: bool = False, **how: Any) -> Started:
        """Ask for a task, and look at it at once; or ask for the list first, ``listing``, while it is carried out."""
        started = self.start(deed, body, what, **how)
        for turn in range(EARLY_LOOKS if self.run.rounds and started.id else 0):
            if listing and not turn:
                self.glance()
            else:
                self.look(started)
        return started

    def glance(self, *query: tuple[str, str]) -> None:
        """Ask for the first page of the list, while tasks are carried out: what it shows of them is not to last."""
        name = f"in between {len(self.glances)}"
        self.glances[name] = read_pages(self.run.client, "/tasks", query, most=1)

    def whole(self, tried: Sequence[Started], lists: Mapping[str, PagedList]) -> Tasks:
        """Return what became of tasks, with the lists of them that were read."""
        told = self.answers, self.left, self.octets, "", self.no_exports, self.no_imports, self.why
        return Tasks(
            tried, {**lists, **self.glances} if lists else lists, *told, seen=self.seen, other=self.other, own=self.own
        )

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
        # Of several nodes one may be late, so that what was shown is not found by the next look.
        before = started.looks[-2:-1]
        late = answer.status == 404 and (len(started.shown) == 1 or any(look.ok for look in before))  # noqa: PLR2004 - as HTTP has it
        return started.ended or not (answer.document or late)
