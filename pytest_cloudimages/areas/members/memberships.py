"""Who may do what with the members of an image, and what their statuses mean: one table of callers and operations."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import pytest

from pytest_cloudimages.areas.common.administrators import needs_no_administrator
from pytest_cloudimages.areas.common.offers import made_visible, require_offered
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import A_WHILE, ACCEPTED, PENDING, REJECTED
from pytest_cloudimages.areas.members.member_attempts import WRONG_BODIES, Attempt, Deed, Members, Sight, Who, changed
from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.areas.members.sights import members_of, sight_of
from pytest_cloudimages.areas.members.workloads import shared_image
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.statuses import OVER_LIMIT
from pytest_cloudimages.spec.verdicts import Blocked

STATUSES = (ACCEPTED, REJECTED, PENDING, ACCEPTED)
"""The statuses that the consumer sets, one after another."""
FURTHER = (ACCEPTED, PENDING, PENDING, REJECTED, REJECTED, ACCEPTED)
"""Those that it sets then: from each to each, itself included, with those before and the one that it begins with."""


@dataclass(frozen=True, repr=False)
class Memberships(Collection):
    """What owner, member and stranger tried with the members of one image, and what a consumer saw of it."""

    tried: Sequence[Attempt] = ()
    sights: Sequence[Sight] = ()
    project: str = ""
    """The project of the consumer."""
    no_owner: str = ""
    """Why the owner's changes of a status tell nothing: it is an administrator."""
    others: Sequence[tuple[Members, Members, Exchange]] = ()
    """The members of other images that the consumer has not decided on: before it decided on this one, and after."""

    @cases
    def beside(self) -> Iterator[Case[tuple[Members, Members]]]:
        """Return the members of other images, before and after the consumer decided on this one."""
        for before, after, looked in self.others:
            yield Case((before, after), [looked])

    @cases
    def attempts(self, *deeds: Deed, who: Who | None = None) -> Iterator[Case[Attempt]]:
        """Return what was tried, by some callers or all; *untested* where the owner's rights are not an owner's."""
        if who is Who.OWNER and Deed.SET in deeds and self.no_owner:
            pytest.skip(self.no_owner)
        for attempt in self.tried:
            if (not deeds or attempt.deed in deeds) and who in (None, attempt.who):
                yield Case(attempt, [attempt.answer.exchange, attempt.looked])

    @cases
    def entries(self, *, many: bool) -> Iterator[Case[tuple[Sight, Answer]]]:
        """Return what shows the membership once it was decided on: the entry alone, or the ``many`` of a list."""
        for sight in self.sights:
            for answer in sight.entries:
                if answer.exchange.target.endswith("/members") is many:
                    yield Case((sight, answer), [answer.exchange])

    @cases
    def seen(self, *statuses: str) -> Iterator[Case[Sight]]:
        """Return what the consumer saw while it had some status, or any."""
        for sight in self.sights:
            if not statuses or sight.status in statuses:
                yield Case(sight, sight.exchanges)


@dataclass
class _Table:
    run: Run
    image: Image
    tried: list[Attempt] = field(default_factory=list)
    seen: Members = field(default_factory=dict)
    """The members as they were seen last."""
    sights: list[Sight] = field(default_factory=list)
    project: str = ""
    """The project of the consumer."""

    def so_far(self) -> Memberships:
        """Return what was tried; whether the owner is an administrator, who may set a status, is known in the end."""
        told = [attempt for attempt in self.tried if (attempt.who, attempt.deed) != (Who.OWNER, Deed.SET)]
        return Memberships(told, self.sights, self.project)

    def members(self) -> tuple[Members, Exchange]:
        """Return the members as the owner sees them."""
        return members_of(self.image)

    def see(self, *projects: str) -> None:
        """Wait until the list shows some projects as members."""
        self.seen, _ = self.image.eventually(self.members, lambda found: {*projects} <= {*found[0]})

    def add(self, who: Who, client: ImagesClient, project: str) -> None:
        """Have a caller who may not add a member; where it was done all the same, the owner takes it back."""
        if self.enter(who, Deed.ADD, client, "POST", json={"member": project}).ok or project in self.seen:
            with client.recorder.of(Purpose.PREPARING):
                self.image.client.ask(MEMBERS.delete(self.image.id, project))
            self.seen, _ = self.members()

    def look(self, image: Image, consumer: ImagesClient, status: str, meanwhile: str) -> None:
        """Have the consumer look at an image whose membership has a status still, while another one matters too."""
        if members_of(image)[0].get(self.project, {}).get("status") == status:
            self.sights.append(replace(sight_of(image, consumer, status), meanwhile=meanwhile))

    def see_status(self, project: str, status: str) -> None:
        """Look at the members until one has a status, or patience has ended."""
        self.seen, _ = self.image.eventually(
            self.members, lambda found: found[0].get(project, {}).get("status") == status
        )

    def enter(
        self,
        who: Who,
        deed: Deed,
        client: ImagesClient,
        method: str,
        member: str = "",
        json: object = None,
        *,
        apart: bool = False,
        status: str = "",
    ) -> Answer:
        """Have a caller try something, and look at the members before and after it."""
        before = self.seen
        path = f"/images/{self.image.id}/members" + (f"/{member}" if member else "")
        answer = client.send(method, path, json=json)

        def is_as_answered(found: tuple[Members, Exchange]) -> bool:
            """Return whether what was answered is seen: what was set, or that a refusal has changed nothing."""
            if answer.ok and status:
                return found[0].get(member, {}).get("status") == status
            return not answer.refused or not changed(before, found[0])

        # A list may be late, or a cache's.
        self.seen, looked = self.image.eventually(self.members, is_as_answered)
        unlisted = False
        if answer.ok and status and member not in self.seen:
            # Whether it is no member any more, or the list alone lacks it.
            with client.recorder.of(Purpose.PREPARING):
                unlisted = self.image.send("GET", f"/members/{member}").ok
        tried = Attempt(who, deed, answer, before, self.seen, looked, status, apart=apart, unlisted=unlisted)
        self.tried.append(tried)
        self.run.show(self.so_far)
        return answer


@workload(empty=Memberships, requests=(86, 174, 174, 174))
def memberships(run: Run) -> Memberships:
    """Have the owner, a member and a stranger try all that can be done with members, and the consumer decide."""
    consumer = run.of_another_project()
    if consumer is None:
        pytest.skip(run.no_other_project)
    third, fourth = (uuid.uuid4().hex for _ in range(2))
    with shared_image(run) as image:
        project, owner = run.owner_of(consumer), image.client
        with run.recorder.of(Purpose.PREPARING):
            answer = owner.ask(MEMBERS.add(image.id, third))
            require_offered(answer, "members of images")
            if not answer.ok:
                third = ""
        table = _Table(run, image, project=project)
        table.see(*filter(None, [third]))
        known = run.owner_of(owner)
        _as_a_stranger(table, consumer, third, known)
        with run.recorder.of(Purpose.PREPARING):
            third = _added(image, project, third)
        table.see(project)
        table.enter(Who.OWNER, Deed.SHOW, owner, "GET", project)
        table.enter(Who.OWNER, Deed.ADD_AGAIN, owner, "POST", json={"member": project})
        table.enter(Who.OWNER, Deed.SET_OF_NONE, owner, "PUT", fourth, {"status": ACCEPTED})
        table.enter(Who.MEMBER, Deed.LIST, consumer, "GET")
        table.enter(Who.MEMBER, Deed.SHOW_OWN, consumer, "GET", project)
        table.add(Who.MEMBER, consumer, known)
        if third:
            table.enter(Who.MEMBER, Deed.SHOW, consumer, "GET", third)
            table.enter(Who.MEMBER, Deed.SET, consumer, "PUT", third, {"status": ACCEPTED})
        with _offered_beside(run, project) as further:
            offered, begun = further.seen if further else {}, time.monotonic()
            _decide(table, consumer, further.image if further else None)
            beside = [(offered, *further.members())] if further else []
            if further:
                _accepted_later(table, further, consumer, apart=time.monotonic() - begun >= A_WHILE)
        if run.rounds:
            _once_accepted(table, consumer, third, known)
            if not run.settings.image:
                # Of one that was lent nothing is changed that is not put back.
                _of_the_owner(table, consumer)
        for body in WRONG_BODIES:
            table.enter(Who.MEMBER, Deed.SET_WRONG, consumer, "PUT", project, body)
        # What must not be done comes last, so that nothing else is asked of what it leaves where it is.
        done = _owner_sets(table, REJECTED, *((PENDING, ACCEPTED) if run.rounds else ()))
        done = _leave(table, consumer, known, lent=bool(run.settings.image), owner_sets=not done) or done
        no_owner = needs_no_administrator(run) if done else ""
        with suppress(Blocked, pytest.skip.Exception):
            # A project that there is: one that there is not may be refused for that.
            _of_images_of_other_visibilities(table)
    return Memberships(table.tried, table.sights, project, no_owner, beside)


def _as_a_stranger(table: _Table, consumer: ImagesClient, third: str, known: str) -> None:
    """Have the consumer try, before the image is shared with it, what it may not do."""
    table.enter(Who.STRANGER, Deed.LIST, consumer, "GET")
    # A project that there is: one that there is not may be refused for that, whoever asks.
    table.add(Who.STRANGER, consumer, known)
    if third:
        # Who is a member already is no news to tell a stranger.
        table.enter(Who.STRANGER, Deed.ADD_AGAIN, consumer, "POST", json={"member": third})
        table.enter(Who.STRANGER, Deed.SHOW, consumer, "GET", third)
        table.enter(Who.STRANGER, Deed.SET, consumer, "PUT", third, {"status": ACCEPTED})
        table.enter(Who.STRANGER, Deed.REMOVE, consumer, "DELETE", third)
    else:
        # Where no project is a member that there is not, it asks for itself, which is none either.
        table.enter(Who.STRANGER, Deed.SHOW, consumer, "GET", table.project)
        table.enter(Who.STRANGER, Deed.SET, consumer, "PUT", table.project, {"status": ACCEPTED})


def _added(image: Image, project: str, third: str) -> str:
    """Add the consumer, if need be in place of the third project, and return which third one there is then.

    Skip the workload where the quota does not leave room for a single member.
    """
    added = image.client.ask(MEMBERS.add(image.id, project))
    if added.status == OVER_LIMIT and third:
        require_ok(image.client.ask(MEMBERS.delete(image.id, third)))
        third, added = "", image.client.ask(MEMBERS.add(image.id, project))
    if added.status == OVER_LIMIT:
        pytest.skip(f"needs a quota of one member: {added.exchange}")
    require_ok(added)
    return third


@contextmanager
def _offered_beside(run: Run, project: str) -> Iterator[_Table | None]:
    """Open another image that is shared with the consumer; ``None`` where it cannot be, or for MUSTs alone."""
    with ExitStack() as stack:
        table = None
        if run.rounds:
            with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
                image = stack.enter_context(shared_image(run))
                require_ok(image.client.ask(MEMBERS.add(image.id, project)))
                table = _Table(run, image, project=project)
                table.see(project)
        yield table


def _once_accepted(table: _Table, consumer: ImagesClient, other: str, known: str) -> None:
    """Have the consumer try, once it has accepted, what it may not do while it has not decided either."""
    table.add(Who.MEMBER, consumer, known)
    # Of itself it knows that it is a member, and adds nobody all the same.
    table.enter(Who.MEMBER, Deed.ADD_AGAIN, consumer, "POST", json={"member": table.project})
    table.enter(Who.MEMBER, Deed.SET_OF_NONE, consumer, "PUT", uuid.uuid4().hex, {"status": ACCEPTED})
    if other:
        table.enter(Who.MEMBER, Deed.SHOW, consumer, "GET", other)
        table.enter(Who.MEMBER, Deed.SET, consumer, "PUT", other, {"status": REJECTED})
        table.enter(Who.MEMBER, Deed.REMOVE, consumer, "DELETE", other)


def _of_the_owner(table: _Table, consumer: ImagesClient) -> None:
    """Have the owner do what concerns no member's decision: rename the image, and add a member that has accepted."""
    owner, image = table.image.client, table.image
    renamed = replaced("/name", f"{image.name}-renamed")
    _owner_does(table, Deed.RENAME, partial(owner.patch, image.id, renamed))
    _owner_does(table, Deed.ADD_ACCEPTED, partial(_added_again, table))
    table.enter(Who.MEMBER, Deed.LIST, consumer, "GET")


def _owner_does(table: _Table, deed: Deed, send: Callable[[], Answer]) -> None:
    """Have the owner do something that leaves the members as they are, and look at them."""
    before, answer = table.seen, send()
    table.seen, looked = table.image.eventually(table.members, lambda found: not changed(before, found[0]))
    table.tried.append(Attempt(Who.OWNER, deed, answer, before, table.seen, looked))


def _owner_sets(table: _Table, *statuses: str) -> bool:
    """Have the owner set the status of the consumer, until it is let; return whether it was."""
    owner = table.image.client
    return any(
        table.enter(Who.OWNER, Deed.SET, owner, "PUT", table.project, {"status": status}).ok for status in statuses
    )


def _leave(table: _Table, consumer: ImagesClient, known: str, *, lent: bool, owner_sets: bool) -> bool:
    """Have the consumer remove itself, whatever its status; return whether the owner could set one meanwhile.

    ``owner_sets``: have the owner set a status too, which the consumer has not: it takes back a refusal, and accepts.
    """
    run, project, done = table.run, table.project, False
    table.enter(Who.MEMBER, Deed.REMOVE_OWN, consumer, "DELETE", project)
    for status in (REJECTED, PENDING) if run.rounds and project in table.seen else ():
        with run.recorder.of(Purpose.PREPARING):
            consumer.send("PUT", f"/images/{table.image.id}/members/{project}", json={"status": status})
        table.see_status(project, status)
        table.enter(Who.MEMBER, Deed.REMOVE_OWN, consumer, "DELETE", project)
        if project in table.seen and owner_sets and not done:
            done = _owner_sets(table, PENDING if status == REJECTED else ACCEPTED)
        if project in table.seen and status == REJECTED:
            table.add(Who.MEMBER, consumer, known)
        if project in table.seen and status == REJECTED and not lent:
            _owner_does(table, Deed.ADD_REJECTED, partial(_added_again, table))
    return done


def _added_again(table: _Table) -> Answer:
    """Have the owner add the consumer, which is a member."""
    return table.image.client.ask(MEMBERS.add(table.image.id, table.project))


def _decide(table: _Table, consumer: ImagesClient, further: Image | None = None) -> None:
    """Have the consumer look at the image before it has decided, and after each decision.

    ``further``: and at another image of the owner, on which it has not decided.
    """
    project = table.project
    table.sights.append(sight_of(table.image, consumer, PENDING))
    decided = {PENDING}
    for status in STATUSES:
        if apart := bool(table.run.rounds) and status == REJECTED:
            time.sleep(A_WHILE)
        json = {"status": status}
        answer = table.enter(Who.MEMBER, Deed.SET_OWN, consumer, "PUT", project, json, apart=apart, status=status)
        if answer.ok:
            sight = sight_of(table.image, consumer, status)
            known = table.seen.get(project, {}).get("status") == status
            if table.run.rounds and known and status not in decided:
                sight = replace(sight, entries=_entries(table, consumer, status))
            table.sights.append(sight)
            if further and known and status not in decided:
                table.look(further, consumer, PENDING, f"that of another image of the owner is {status}")
            decided.add(status)
            table.run.show(table.so_far)
    for before, status in pairwise((STATUSES[-1], *FURTHER)) if table.run.rounds else ():
        answer = table.enter(Who.MEMBER, Deed.SET_OWN, consumer, "PUT", project, {"status": status}, status=status)
        if answer.ok and (before, status) == (ACCEPTED, PENDING):  # not by way of a rejection, as above
            table.sights.append(sight_of(table.image, consumer, status))


def _entries(table: _Table, consumer: ImagesClient, status: str) -> list[Answer]:
    """Have consumer and owner read the membership, and the consumer the members, once it has decided."""
    own = f"/images/{table.image.id}/members/{table.project}"
    entries = [
        table.image.eventually(
            partial(client.send, "GET", own),
            lambda answer: isinstance(answer.data, dict) and answer.data.get("status") == status,
        )
        for client in (consumer, table.image.client)
    ]
    members = table.image.eventually(
        partial(consumer.ask, MEMBERS.read(table.image.id)),
        lambda answer: MEMBERS.values(answer) == (table.project,),
    )
    return [*entries, members]


def _accepted_later(table: _Table, further: _Table, consumer: ImagesClient, *, apart: bool) -> None:
    """Have the consumer accept another image that was shared with it a while ago, and look at both."""
    json = {"status": ACCEPTED}
    answer = further.enter(
        Who.MEMBER, Deed.SET_OWN, consumer, "PUT", further.project, json, apart=apart, status=ACCEPTED
    )
    table.tried += further.tried
    for each in (table, further):
        if answer.ok and each.seen.get(each.project, {}).get("status") == ACCEPTED:
            table.look(each.image, consumer, ACCEPTED, "that of another image of the owner is accepted too")
    removal = MEMBERS.delete(further.image.id, further.project)
    _owner_does(table, Deed.REMOVE_BESIDE, partial(further.image.client.ask, removal))
    if table.seen.get(table.project, {}).get("status") == ACCEPTED:
        table.look(table.image, consumer, ACCEPTED, "it was removed from another image of the owner")


def _of_images_of_other_visibilities(table: _Table) -> None:
    """Have the owner add a member to an image that is private, and to one of the community, where there are such."""
    with table.run.fresh_image(own=True) as image:
        with table.run.recorder.of(Purpose.PREPARING):
            require_ok(image.client.patch(image.id, replaced("/visibility", "private")))
        _add_to(table, image, Deed.ADD_TO_PRIVATE)
        if table.run.rounds and not made_visible(image, "community"):
            _add_to(table, image, Deed.ADD_TO_COMMUNITY)


def _add_to(table: _Table, image: Image, deed: Deed) -> None:
    answer = image.send("POST", "/members", json={"member": table.project})
    table.tried.append(Attempt(Who.OWNER, deed, answer, {}, {}, answer.exchange))
    if answer.ok:
        with table.run.recorder.of(Purpose.PREPARING):
            image.client.ask(MEMBERS.delete(image.id, table.project))
