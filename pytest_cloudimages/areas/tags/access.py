"""What callers with and without a right to it achieve on one image, state by state: the matrix, carried out once."""

import functools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.common.tokens import Asker
from pytest_cloudimages.areas.images.states import once_gone
from pytest_cloudimages.areas.tags.access_requests import KEPT, THERE, AskedCell
from pytest_cloudimages.areas.tags.access_states import STATES, Stage
from pytest_cloudimages.areas.tags.askers import askers_of
from pytest_cloudimages.areas.tags.callers import ABSENT, ENTITLED, STRANGERS, Cell, Change, State, cells
from pytest_cloudimages.areas.tags.given_away import given_by_another
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.shown_to_others import Shown, shown_to_others
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.kept_values import set_values
from pytest_cloudimages.engine.recording import Case, Collection, anything
from pytest_cloudimages.engine.recording import cases as cases_of
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer, TokenEnded


@dataclass(frozen=True)
class AccessAttempt:
    """A cell of the matrix, and what came of it."""

    cell: Cell
    answer: Answer
    changed: bool
    """Whether the owner sees the change that was asked for."""
    besides: frozenset[int] = frozenset()
    """The statuses that are as good as the one that is expected."""
    carried: bool = False
    """Whether the image had the tag before, as far as the answers and readings tell."""
    sees: bool = False
    """Whether the caller was shown the image while it was in this state."""

    @property
    def refused(self) -> bool:
        """Whether the caller was turned away; a 404 to who may change the tags speaks of the tag."""
        return self.answer.status in ((401, 403) if self.cell.party in ENTITLED else (401, 403, 404))

    @property
    def unauthorized(self) -> int | set[int]:
        """What is expected of a caller without a valid token."""
        return {401, *self.besides} if self.besides else 401

    def __repr__(self) -> str:
        had = ", which had the tag" if self.carried and self.cell.change is Change.ADD_PRESENT else ""
        return f"{self.answer}, image {self.cell.state}{had}{', and it was done' if self.changed else ''}"


@dataclass(frozen=True, repr=False)
class AccessAttempts(Collection):
    """What callers with and without a right to it have tried, and what came of it."""

    attempts: Sequence[AccessAttempt]
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Why there is no attempt of a caller, or on an image in some state."""
    let_off: Mapping[str, str] = field(default_factory=dict)
    """The tokens for which no 401 is owed, and why."""
    afterwards: Sequence[tuple[Answer, bool]] = ()
    """What the owner's additions of what others had been refused were answered, and whether the image has it."""
    taken: Sequence[Answer] = ()
    """What the owner's deletions of tags were answered that other users of the project had added."""

    shown: Sequence[Shown] = ()
    """The tags that another project was shown of an image that all may see, as long as it is shown them at all."""

    @cases_of
    def to_others(self) -> Iterator[Case[Shown]]:
        """Return what another project was shown of an image that all may see, once it has been shown all its tags."""
        for before, each in pairwise(self.shown):
            if before.sound:
                yield Case(each, [before.answer.exchange, each.answer.exchange])

    @cases_of
    def of_the_owner(self) -> Iterator[Case[tuple[Answer, bool]]]:
        """Return the owner's additions of what others had been refused to add, as far as they were acknowledged."""
        for answer, there in self.afterwards:
            if answer.ok:
                yield Case((answer, there), [answer.exchange])

    @cases_of
    def added_by_the_owner(self) -> Iterator[Case[Answer]]:
        """Return the answers to the owner's additions of what others had been refused to add."""
        for answer, _ in self.afterwards:
            if answer.status not in TROUBLE:
                yield Case(answer, [answer.exchange])

    @cases_of
    def deleted_by_the_owner(self) -> Iterator[Case[Answer]]:
        """Return the answers to the owner's deletions of tags that other users of the project had added."""
        for answer in self.taken:
            yield Case(answer, [answer.exchange])

    @cases_of
    def by(
        self,
        *parties: Party,
        states: Iterable[State] = tuple(State),
        changes: Iterable[Change] = tuple(change for change in Change if change is not Change.READ),
        where: Callable[[AccessAttempt], bool] = anything,
    ) -> Iterator[Case[AccessAttempt]]:
        """Return the attempts of some callers; ``where`` is what has to be so for an attempt to be asked about.

        A service that is in trouble with a request for ever says nothing of who may send it.
        """
        for attempt in self.attempts:
            cell = attempt.cell
            if attempt.answer.status in TROUBLE and not attempt.changed:
                continue
            if cell.party in parties and cell.state in states and cell.change in changes and where(attempt):
                yield Case(attempt, [attempt.answer.exchange])


@workload(empty=lambda: AccessAttempts([]), requests=(28, 157, 1235, 1235))
def access_attempts(run: Run) -> AccessAttempts:
    """Return what callers of every kind achieved on one image that went from state to state, and on images not there.

    If a state cannot be had, or a caller is not given, the rest is asked all the same.
    """
    # Where more than every MUST is asked for by name, a quick run asks as much as a standard one.
    profile = run.settings.profile if run.settings.effort.rounds else "standard" if run.rounds else "quick"
    wanted = cells(profile)
    unasked: dict[str, str] = {}
    let_off: dict[str, str] = {}
    with _private(run) as image:
        walk = _Walk(run, image, askers_of(run, image, unasked, let_off), unasked)
        walk.let_off = let_off
        walk.carried_out(wanted.pop(State.PRIVATE))
        if run.rounds:
            walk.deleted_by_the_owner()
            walk.added_by_the_owner()
        for state in [state for state in wanted if state not in ABSENT and not run.settings.image]:
            asked = wanted.pop(state)
            try:
                if state is State.GIVEN:
                    walk.on_a_given_image(asked)
                    continue
                with STATES[state](walk):
                    walk.carried_out(asked)
            except TokenEnded:
                raise
            except (Blocked, pytest.skip.Exception) as problem:
                unasked[state] = str(problem)
    if State.DELETED in wanted and run.recorder.traces.stays(image.id):
        del wanted[State.DELETED]
        unasked[State.DELETED] = "The image could not be deleted."
    elif State.DELETED in wanted and not run.settings.image and once_gone(image).ok:
        del wanted[State.DELETED]
        unasked[State.DELETED] = "The image is there, though its deletion was acknowledged; see IMG-DEL-04."
    for state, asked in wanted.items():
        if state is State.UNKNOWN or not run.settings.image:
            walk.on_no_image(image.id if state is State.DELETED else str(uuid.uuid4()), asked)
    return walk.so_far()


@contextmanager
def _private(run: Run) -> Iterator[Image]:
    """Open an image that is its project's alone, where a service lets that be chosen."""
    with ExitStack() as stack:
        try:
            image = stack.enter_context(run.fresh_image(visibility="private"))
        except (Blocked, pytest.skip.Exception):
            image = stack.enter_context(run.fresh_image())
        yield image


# Which image


class _Walk(Stage):
    """One image on its way through the states, and what was tried on it."""

    def __init__(self, run: Run, image: Image, askers: dict[Party, list[Asker]], unasked: dict[str, str]) -> None:
        super().__init__(run, image, askers, unasked)
        self.let_off: Mapping[str, str] = {}
        self.attempts: list[AccessAttempt] = []
        self.afterwards: list[tuple[Answer, bool]] = []
        self.taken: list[Answer] = []
        self.shown: list[Shown] = []
        self.count = 0
        quick = not run.rounds
        self.own = {party: [] if quick else [party.replace(" ", "-")] for party in ENTITLED if party in askers}
        # What came by PATCH may be nothing to a DELETE (TAG-DEL-15): the owner deletes what it has added.
        self.own[Party.OWNER] = []
        """The tags that a caller with a right to it may delete, the oldest first."""
        self.tags = frozenset({THERE, KEPT}.union(*self.own.values()))
        """The tags that the image carries, as the answers have it."""
        image.given_tags_at_once(*sorted(self.tags))

    def carried_out(self, asked: Sequence[Cell]) -> None:
        """Send the requests of some cells; where the tags are not as the answers have it, again, one by one."""
        if not {THERE, KEPT} <= self.tags:
            self._set({*self.tags, THERE, KEPT})
        before, own = self.tags, {party: [*tags] for party, tags in self.own.items()}
        sent = [*self._each(asked)]
        expected = functools.reduce(lambda tags, each: each[0].effect(tags) if each[1].ok else tags, sent, before)
        if sorted(self.image.eventual_tags(expected)) == sorted(expected):
            self.attempts += self._inferred(sent, before)
            self.tags = expected
            self.shown += shown_to_others(self.image, sent, before)
        else:
            self._set(before)
            self.own = own
            self.attempts += self._one_by_one(asked)
        self.run.show(self.so_far)

    def so_far(self) -> AccessAttempts:
        """Return all that was tried."""
        return AccessAttempts(self.attempts, self.unasked, self.let_off, self.afterwards, self.taken, self.shown)

    def added_by_the_owner(self) -> None:
        """Add what others were refused to add: that they asked for it first is nothing that a service may remember."""
        askers = (*STRANGERS, Party.READER)
        refused = {
            attempt.cell.party: attempt.answer.exchange.target.rpartition("/")[2]
            for attempt in self.attempts
            if attempt.cell.change is Change.ADD and attempt.refused and attempt.cell.party in askers
        }
        with suppress(Blocked):
            answers = {tag: self.image.add_tag(tag) for tag in refused.values()}
            acknowledged = {tag for tag, answer in answers.items() if answer.ok}
            seen = self.image.eventual_tags([*self.tags, *acknowledged])
            self.afterwards += [(answer, tag in seen) for tag, answer in answers.items()]
            self._set(self.tags)

    def deleted_by_the_owner(self) -> None:
        """Delete what another user of the project has added: it is the image's, whoever added it."""
        for party, tags in self.own.items():
            added = [tag for tag in tags if tag in self.tags and tag != party.replace(" ", "-")]
            if added and party is not Party.OWNER:
                with suppress(Blocked):
                    self.taken.append(self.image.delete_tag(added[-1]))
                self.tags -= {added[-1]}
                tags.remove(added[-1])

    def on_a_given_image(self, asked: Sequence[Cell]) -> None:
        """Send the requests of some cells to an image that was another project's before."""
        known = self.image, self.tags, self.own
        with given_by_another(self) as image:
            self.image, self.tags, self.own = image, frozenset(), {party: [] for party in self.own}
            try:
                self.carried_out(asked)
            finally:
                self.image, self.tags, self.own = known

    def on_no_image(self, image_id: str, asked: Sequence[Cell]) -> None:
        """Send the requests of some cells to an image that is not there."""
        sent = self._each(asked, image_id)
        self.attempts += [AccessAttempt(each.cell, answer, changed=False) for each, answer in sent]
        self.run.show(self.so_far)

    def _each(self, asked: Sequence[Cell], image_id: str = "") -> Iterator[tuple[AskedCell, Answer]]:
        for cell in asked:
            for asker in self._asking(cell):
                tag = self._tag_for(cell)
                if tag is None:
                    continue
                each = AskedCell(cell, asker, tag)
                # What became of a request whose answer was lost shows when the tags are read.
                with suppress(Blocked if asker.raw else LostAnswer):
                    try:
                        answer = each.sent(image_id or self.image.id)
                    except TokenEnded as problem:
                        if cell.party is Party.OWNER:
                            raise
                        # Whoever is not let in at all says nothing of rights, and keeps nobody from asking.
                        self.askers[cell.party], self.unasked[cell.party] = [], str(problem)
                        break
                    if (
                        cell.party is Party.OTHER_PROJECT
                        and cell.state is State.PRIVATE
                        and self._sees_all(cell, answer)
                    ):
                        break
                    if answer.ok and cell.party in self.own and cell.change in (Change.ADD, Change.ADD_ENCODED):
                        self.own[cell.party].append(tag)
                    yield each, answer

    def _sees_all(self, cell: Cell, answer: Answer) -> bool:
        """Leave the other project out where it sees a private image: then it is the owner's, or an administrator."""
        if cell != Cell(Party.OTHER_PROJECT, State.PRIVATE, Change.READ) or not answer.ok:
            return False
        self.askers[Party.OTHER_PROJECT] = []
        self.unasked[Party.OTHER_PROJECT] = "who was named as a second project sees what is private to the first"
        return True

    def _asking(self, cell: Cell) -> list[Asker]:
        """Return who sends a cell: each token on the private image, one of them elsewhere, odd forms by turns."""
        askers = self.askers.get(cell.party, [])
        if cell.state is not State.PRIVATE or cell.change not in (Change.ADD, Change.DELETE):
            return askers[:1]
        turn = cell.change is Change.DELETE
        return [asker for place, asker in enumerate(askers) if not asker.odd or place % 2 == turn]

    def _tag_for(self, cell: Cell) -> str | None:
        """Return the tag that a cell names; ``None`` where a caller with a right to it has none left to delete."""
        self.count += 1
        # Of letters alone: what a service thinks of digits is asked elsewhere.
        number = "".join("abcdefghij"[int(digit)] for digit in str(self.count))
        match cell.change:
            case Change.DELETE if cell.party in self.own and cell.state not in ABSENT:
                return self.own[cell.party].pop(0) if self.own[cell.party] else None
            case Change.ADD_PRESENT if cell.party in self.own:
                # Who may add it would hide that somebody else had taken it off.
                return KEPT
            case Change.DELETE | Change.ADD_PRESENT | Change.READ | Change.PATCH_REMOVE:
                return THERE
            case Change.DELETE_ABSENT:
                return f"absent-{number}"
        return f"new-{number}"

    def _inferred(self, sent: list[tuple[AskedCell, Answer]], before: frozenset[str]) -> Iterator[AccessAttempt]:
        """Yield the attempts of a group at whose end the tags were as its answers have it."""
        for each, answer in sent:
            after = each.effect(before) if answer.ok else before
            yield self._attempt(each, answer, before, after, sent)
            before = after

    def _one_by_one(self, asked: Sequence[Cell]) -> list[AccessAttempt]:
        """Return the attempts of a group that is repeated with a reading after each request.

        A new tag whose addition was refused, and that comes with a later request, was added all the same.
        """
        sent: list[tuple[AskedCell, Answer]] = []
        attempts: list[AccessAttempt] = []
        for each, answer in self._each(asked):
            before, left = self.tags, each.effect(self.tags) if answer.ok else self.tags
            self.tags = frozenset(self.image.eventual_tags(left))
            late = self.tags - left - {THERE, KEPT}
            attempts = [
                replace(attempt, changed=True) if earlier.tag in late and not refusal.ok else attempt
                for attempt, (earlier, refusal) in zip(attempts, sent, strict=True)
            ]
            sent.append((each, answer))
            attempts.append(self._attempt(each, answer, before, self.tags, sent))
            if self.tags != before and each.cell.party not in self.own:
                self._set(before)
        return attempts

    def _attempt(
        self,
        each: AskedCell,
        answer: Answer,
        before: frozenset[str],
        after: frozenset[str],
        sent: list[tuple[AskedCell, Answer]],
    ) -> AccessAttempt:
        seen = [
            other
            for other, shown in sent
            if other.cell.party is each.cell.party and other.cell.change is Change.READ and shown.ok
        ]
        return AccessAttempt(
            each.cell,
            answer,
            each.done(before, after),
            besides=each.asker.besides,
            carried=each.tag in before,
            sees=bool(seen),
        )

    def _set(self, tags: Iterable[str]) -> None:
        with self.run.recorder.of(Purpose.PREPARING):
            set_values(self.image, TAGS, sorted(tags))
        self.tags = frozenset(tags)
