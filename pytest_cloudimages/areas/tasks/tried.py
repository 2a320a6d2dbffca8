"""What became of tasks, as many checks look at it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from pytest_cloudimages.areas.common.paging import PagedList
from pytest_cloudimages.areas.tasks.requests import Body, Deed
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.moments import moment
from pytest_cloudimages.engine.recording import Case, Collection, cases

ENDED = frozenset({"success", "failure"})
FULL, FORBIDDEN, GONE = 200, 403, 404
OVER_LIMIT = 413
FOR_NO_REASON = frozenset({401, OVER_LIMIT, 417, 429})
"""What is answered to a task whatever it asks for."""
DISK = b"conectix"
"""What a disk as it was imported has in it."""
Document = Mapping[str, Any]


def status_of(task: Document) -> str:
    """Return the status of a task; empty where it shows none that is text."""
    status = task.get("status")
    return status if isinstance(status, str) else ""


@dataclass
class Started:
    """A task that was asked for, and what was seen of it."""

    deed: Deed
    body: Body
    answer: Answer
    what: str = ""
    """What sets it apart from others of its kind."""
    looks: list[Answer] = field(default_factory=list)
    """The answers to requests for the task, in their order."""

    def __str__(self) -> str:
        return f"{self.answer}, {self.deed}" + (f" ({self.what})" if self.what else "")

    @property
    def id(self) -> str:
        """The id of the task; empty where there is none that can stand in a path."""
        identifier = self.answer.document.get("id")
        return identifier if is_fit(identifier) else ""

    @property
    def shown(self) -> list[Answer]:
        """The answers that show it: to its creation, and to requests for it."""
        return [answer for answer in (self.answer, *self.looks) if answer.document]

    @property
    def milestones(self) -> list[Answer]:
        """The answers that show it first, and ended first, or last: what is seen between them is a matter of speed."""
        ended = [answer for answer in self.shown if status_of(answer.document) in ENDED]
        return [*self.shown[:1], *(ended[:1] or self.shown[-1:])]

    @property
    def last(self) -> Document:
        """The task as it was seen last."""
        every = chain(reversed(self.looks), [self.answer])
        return next((answer.document for answer in every if answer.document), {})

    @property
    def statuses(self) -> list[Any]:
        """The statuses that it was seen with, each once where it stayed."""
        seen = [answer.document.get("status") for answer in self.shown]
        return [status for place, status in enumerate(seen) if not place or status != seen[place - 1]]

    @property
    def since_shown(self) -> list[Answer]:
        """The answers to requests for it from the first that shows it: of several nodes, one may not know it yet."""
        first = next((place for place, look in enumerate(self.looks) if look.ok), -1)
        return self.looks[first:]

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return status_of(self.last) in ENDED

    @property
    def expired(self) -> bool:
        """Whether it may be gone by now."""
        moment = self.last.get("expires_at")
        try:
            expires = datetime.fromisoformat(moment) if isinstance(moment, str) else None
        except ValueError:
            return False
        if expires is None:
            return False
        return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) <= datetime.now(UTC)

    @property
    def is_gone(self) -> bool:
        """Whether it was not found any more when it was looked at last, which is for those to say who look at it."""
        return bool(self.looks) and self.looks[-1].status == GONE

    @property
    def succeeded(self) -> bool:
        """Whether it was seen to succeed."""
        return status_of(self.last) == "success"

    @property
    def result(self) -> Document:
        """What came of it, as it was shown last; empty where nothing did."""
        found = [answer.document.get("result") for answer in reversed(self.shown)]
        return next((result for result in found if isinstance(result, dict)), {})

    @property
    def outcome(self) -> str:
        """How it ended, in a word: the class of a refusal, or the status of the task."""
        return "4xx" if self.answer.refused else str(self.last.get("status"))

    @property
    def exchanges(self) -> list[Exchange]:
        """What shows it: its creation, and the last look at it."""
        return [self.answer.exchange, *(look.exchange for look in self.looks[-1:])]


def may_be_gone(started: Started, tried: Sequence[Started]) -> bool:
    """Return whether a task may have expired by now.

    One that was not seen to end may have ended since, and be kept no longer than the others are.
    """
    if started.ended or not started.shown:
        return started.expired
    lives = [life for life in map(_life, tried) if life is not None]
    return bool(lives) and time.monotonic() - started.shown[-1].exchange.answered > min(lives)


def _life(started: Started) -> float | None:
    """Return for how many seconds a task is kept that has ended."""
    ended, expires = (moment(started.last.get(name)) for name in ("updated_at", "expires_at"))
    return (expires - ended).total_seconds() if started.ended and ended and expires else None


@dataclass(frozen=True)
class Seen:
    """A task as another caller is shown it, and the list that this caller is shown and that has it."""

    started: Started
    listed: PagedList
    answer: Answer
    reads: bool = False
    """Whether this caller is there to read."""


@dataclass(frozen=True)
class Left:
    """What an export or an import that fails left behind where it would have written."""

    deed: Deed
    where: str
    found: Sequence[str]
    exchanges: Sequence[Exchange]


@dataclass(frozen=True, repr=False)
class Tasks(Collection):
    """The tasks that were asked for, the lists of them, and what they left in the image service and the store."""

    tried: Sequence[Started] = ()
    lists: Mapping[str, PagedList] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    left: Sequence[Left] = ()
    octets: Sequence[Answer] = ()
    """The exported object: after the export, and after it was asked for again."""
    closed: str = ""
    """Why nothing can be asked of tasks: the answers that say so; empty where they are offered."""
    no_exports: str = ""
    """Why nothing can be asked of exports: the answer that says so; empty where they are offered."""
    no_imports: str = ""
    why: Mapping[Deed, BaseException] = field(default_factory=dict)
    """Why something could not be asked for."""
    seen: Sequence[Seen] = ()
    other: str = ""
    """Another project, which asked for a task of its own."""
    own: str = ""
    """The project of the caller, where it is known."""

    @property
    def known(self) -> dict[str, Started]:
        """The tasks that were created here and have to be there, by their ids."""
        there = (each for each in self.tried if each.id and not (each.is_gone or self.may_be_gone(each)))
        return {started.id: started for started in there}

    def may_be_gone(self, started: Started) -> bool:
        """Return whether a task may have expired by now."""
        return may_be_gone(started, self.tried)

    def require_details(self) -> None:
        """Skip the check where a policy keeps the details of tasks from who may create them."""
        looks = [look for started in self.tried for look in started.looks]
        if looks and all(look.status == FORBIDDEN for look in looks):
            pytest.skip(f"needs the details of tasks, which are forbidden to this caller: {looks[0].exchange}")

    def _require(self, *deeds: Deed) -> None:
        if self.closed:
            pytest.skip(self.closed)
        for deed in deeds:
            if reason := self.no_imports if deed.is_import else self.no_exports:
                pytest.skip(reason)

    def worked(self, deed: Deed) -> bool:
        """Return whether a whole task of the kind succeeded, so that it tells something where another fails."""
        plain = Deed.IMPORT if deed.is_import else Deed.EXPORT
        return any(started.succeeded for started in self.tried if started.deed is plain)

    @cases
    def all_answers(self) -> Iterator[Case[Answer]]:
        """Return what was answered to all that was asked of tasks, whether they are offered or not."""
        of_tasks = (answer for started in self.tried for answer in (started.answer, *started.looks))
        of_lists = (page.answer for listed in self.lists.values() for page in listed.pages)
        others = (answer for what in ("first", "unknown", "foreign") for answer in self.answers.get(what, ()))
        for answer in (*of_tasks, *of_lists, *others, *(seen.answer for seen in self.seen)):
            yield Case(answer, [answer.exchange])

    @cases
    def documents(self) -> Iterator[Case[tuple[Answer, Document]]]:
        """Return each task that was shown, alone or in a list, with the answer that shows it."""
        for case in self.all_answers().find():
            shown = case.thing.document
            entries = shown.get("tasks")
            for task in entries if isinstance(entries, list) else [shown]:
                if isinstance(task, dict):
                    yield Case((case.thing, task), case.exchanges)

    @cases
    def each(self) -> Iterator[Case[Started]]:
        """Return all tasks that were asked for, whether they are offered or not."""
        for started in self.tried:
            yield Case(started, started.exchanges)

    @cases
    def asked(self, *deeds: Deed) -> Iterator[Case[Started]]:
        """Return the tasks of some kinds, or all. Raise what kept one that is named from being asked for."""
        self._require(*deeds)
        found = [started for started in self.tried if not deeds or started.deed in deeds]
        if not found:
            for deed in deeds:
                if deed in self.why:
                    raise self.why[deed]
        for started in found:
            yield Case(started, started.exchanges)

    @cases
    def attempts(self, *deeds: Deed) -> Iterator[Case[Started]]:
        """Return the tasks of some kinds of which it is known how they ended, and that ended so for a reason of theirs.

        What is refused at once was looked at. A task that fails where whole ones fail as well tells nothing.
        """
        found = [*self.asked(*deeds).find()]
        told = [
            case for case in found if self.refused(case.thing) or (case.thing.ended and self.worked(case.thing.deed))
        ]
        if found and not told:
            pytest.skip(self._inconclusive(found[0].thing))
        yield from told

    def refused(self, started: Started) -> bool:
        """Return whether a task was refused for what it asks for, so far as that can be told."""
        status = started.answer.status
        if started.deed is Deed.IMPORT_LARGE and status == OVER_LIMIT:  # too large it is; or it is one task too many
            later = [*self.tried][[*self.tried].index(started) + 1 :]
            return any(each.answer.status != OVER_LIMIT for each in later)
        return started.answer.refused and status not in FOR_NO_REASON

    def _inconclusive(self, started: Started) -> str:
        if started.answer.refused:
            return f"needs a task that is refused for what it asks for: {started}"
        if not started.ended:
            return f"needs a task that ends while it is waited for (--patience): {started}"
        plain = next(
            (each for each in self.tried if each.deed is (Deed.IMPORT if started.deed.is_import else Deed.EXPORT)), None
        )
        message = f"{plain}, whose message is {plain.last.get('message')!a}" if plain else f"none: {started}"
        return f"needs a task of this kind that succeeds; there was {message}"

    @cases
    def successes(self, deed: Deed) -> Iterator[Case[Started]]:
        """Return the tasks of a kind that succeeded; *untested* where none did."""
        found = [*self.asked(deed).find()]
        if found and not any(case.thing.succeeded for case in found):
            pytest.skip(self._inconclusive(found[0].thing))
        yield from (case for case in found if case.thing.succeeded)

    @cases
    def shown(self) -> Iterator[Case[tuple[Started, Answer]]]:
        """Return every answer that shows a task, with the task; *untested* where no task could be created."""
        self._require()
        found = [(started, answer) for started in self.tried for answer in started.shown]
        if not found:
            pytest.skip(f"needs a task, and none could be created: {next(iter(self.tried), 'nothing was asked for')}")
        for started, answer in found:
            yield Case((started, answer), [answer.exchange], aside=answer not in started.milestones)

    @cases
    def listed(self, *names: str) -> Iterator[Case[PagedList]]:
        """Return the lists of tasks; *untested* where a policy keeps the list from who may create tasks."""
        self._require()
        own = [self.lists[name] for name in ("whole", "paged") if name in self.lists]
        refused = [listed.first.answer for listed in own if listed.status == FORBIDDEN]
        if refused and len(refused) == len(own):
            pytest.skip(f"needs the list of tasks, which is forbidden to this caller: {refused[0].exchange}")
        for name in names or self.lists:
            if name in self.lists:
                yield Case(self.lists[name], self.lists[name].exchanges)

    @cases
    def answered(self, what: str) -> Iterator[Case[Answer]]:
        """Return the answers to what is no task of one's own."""
        self._require()
        for answer in self.answers.get(what, ()):
            yield Case(answer, [answer.exchange])

    @cases
    def imported(self) -> Iterator[Case[Answer]]:
        """Return the answers that show the images which imports of one disk have made, if any have."""
        for what in ("imported", "imported again", "imported twice"):
            for answer in self.answers.get(what, ()):
                yield Case(answer, [answer.exchange])

    @cases
    def imported_data(self) -> Iterator[Case[tuple[Answer, Answer]]]:
        """Return the answer that shows such an image, with the one that has its data, where those are shown."""
        for shown, data in zip(self.answers.get("imported", ()), self.answers.get("data", ()), strict=False):
            # Where a service hands out a disk of another form than the one it keeps, nothing can be compared.
            if shown.ok and data.status == FULL and DISK in data.body:
                yield Case((shown, data), [shown.exchange, data.exchange])

    @cases
    def seen_by_others(self) -> Iterator[Case[Seen]]:
        """Return the tasks as others of the project are shown them."""
        self._require()
        for seen in self.seen:
            yield Case(seen, [*seen.listed.exchanges, seen.answer.exchange])

    @cases
    def first_answers(self) -> Iterator[Case[Answer]]:
        """Return the answers that say whether tasks are offered."""
        for answer in self.answers.get("first", ()):
            yield Case(answer, [answer.exchange])

    @cases
    def leavings(self, deed: Deed) -> Iterator[Case[Left]]:
        """Return what was found where tasks of a kind would have written, where they can be looked at."""
        self._require(deed)
        for left in self.left:
            if left.deed is deed:
                yield Case(left, left.exchanges)
