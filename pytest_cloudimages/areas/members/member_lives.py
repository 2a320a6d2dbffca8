"""What becomes of memberships while an image goes through its life, and who else of its project, or of none, asks."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from pytest_cloudimages.areas.common.administrators import needs_no_administrator
from pytest_cloudimages.areas.common.offers import made_visible, skip_where_lacking
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.states import ACCEPTED, PENDING, REJECTED
from pytest_cloudimages.areas.members.member_attempts import Attempt, Deed, Members, Stage, Who, changed
from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.areas.members.sights import has_data, members_of, sight_of
from pytest_cloudimages.areas.members.workloads import MEMBERS_OF_IMAGES, shared_image
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.statuses import OVER_LIMIT
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True, repr=False)
class MemberLives(Collection):
    """What was seen of memberships while much else happened to their image, and what was tried meanwhile."""

    seen: Sequence[Stage] = ()
    tried: Sequence[Attempt] = ()
    project: str = ""
    """The project of the consumer."""

    @cases
    def stages(self, *statuses: str, where: Callable[[Stage], bool] = lambda _: True) -> Iterator[Case[Stage]]:
        """Return what was seen while the membership had some status, an empty one where there was none; or any."""
        for stage in self.seen:
            if (not statuses or stage.sight.status in statuses) and where(stage):
                shown = [answer.exchange for answer in (*stage.shown, *filter(None, [stage.data]))]
                yield Case(stage, [*stage.sight.exchanges, stage.looked, *shown])

    @cases
    def attempts(self, *deeds: Deed) -> Iterator[Case[Attempt]]:
        """Return what was tried."""
        for attempt in self.tried:
            if attempt.deed in deeds:
                yield Case(attempt, [attempt.answer.exchange, attempt.looked])


@workload(empty=MemberLives, requests=(0, 246, 246, 246))
def member_lives(run: Run) -> MemberLives:
    """Share an image while it is renamed, protected, hidden, deactivated and for all, and end it; ask as colleagues."""
    seen: list[Stage] = []
    tried: list[Attempt] = []
    consumer = run.of_another_project(able=True) if run.rounds and not run.settings.image else None
    project = ""
    if consumer is not None:
        with suppress(Blocked, pytest.skip.Exception):
            project = run.owner_of(consumer)
    if consumer is not None and project:
        for live in (_shared_life, _open_to_all, _of_a_colleague):
            # Where one of them cannot be led further, what was seen so far is looked at, and the others are led.
            with suppress(Blocked, pytest.skip.Exception):
                live(run, consumer, seen, tried)
            run.show(partial(MemberLives, seen, tried, project))
    return MemberLives(seen, tried, project)


@dataclass
class _Life:
    """An image that a consumer is or is not a member of."""

    run: Run
    image: Image
    consumer: ImagesClient
    project: str
    tried: list[Attempt]
    status: str = ""
    due: set[str] = field(default_factory=set)
    known: Members | None = None
    """The members as they were seen last, where nothing has been done to them since."""
    where: str = ""
    """What the image is meanwhile."""
    was_member: bool = False
    """Whether the consumer has been one."""
    takes_others: bool = True
    """Whether there may be members that are no projects."""

    @property
    def own(self) -> str:
        """Where the membership of the consumer is."""
        return f"/images/{self.image.id}/members/{self.project}"

    def stage(self, event: str, *, lists: bool = True, data: bool = False, whole: bool = False) -> Stage:
        """Have owner and consumer look at image and members; ``whole``: and the consumer at the members too."""
        image, consumer = self.image, self.consumer
        sight = sight_of(image, consumer, self.status, lists=lists)

        def as_due(found: Members) -> bool:
            held = found.get(self.project, {}).get("status", "")
            return {*found} == self.due and held == self.status

        members, looked = image.eventually(lambda: members_of(image), lambda found: as_due(found[0]))
        self.known = members
        shown = []
        if whole:
            asks = (MEMBERS.read(image.id).target, self.own)
            shown = [
                image.eventually(partial(consumer.send, "GET", target), lambda answer: answer.ok is bool(self.status))
                for target in asks
            ]
        answer = None
        if data:
            ask = partial(consumer.send, "GET", f"/images/{image.id}/file")
            answer = image.eventually(ask, lambda answer: answer.ok is bool(self.status))
        due = frozenset(self.due)
        return Stage(event, sight, due, members, looked, self.project, shown, answer, was_member=self.was_member)

    def attempt(
        self,
        who: Who,
        deed: Deed,
        client: ImagesClient,
        method: str,
        member: str = "",
        json: object = None,
        *,
        seen: bool = False,
    ) -> Attempt:
        """Have a caller try something with the members, and look at them before and after."""
        image = self.image
        before = members_of(image)[0] if self.known is None else self.known
        answer = image.seen_by(client).send(method, "/members" + (f"/{member}" if member else ""), json=json)

        status = str(json["status"]) if deed is Deed.SET_OWN and isinstance(json, dict) else ""

        def is_as_answered(found: Members) -> bool:
            if answer.ok and status:
                return found.get(member, {}).get("status") == status
            if answer.ok and deed in (Deed.ADD_OTHER, Deed.REMOVE_OTHER):
                return len(found) == len(before) + (1 if deed is Deed.ADD_OTHER else -1)
            return not answer.refused or not changed(before, found)

        look = partial(members_of, image)
        after, looked = image.eventually(look, lambda found: is_as_answered(found[0]))
        # What comes later is judged by what is there now, whoever has done it.
        self.known, self.due = after, {*after}
        found = Attempt(who, deed, answer, before, after, looked, status, where=self.where, seen=seen)
        self.tried.append(found)
        return found

    def patched(self, *changes: Mapping[str, object]) -> bool:
        """Have the owner change the image, for what it is afterwards."""
        with self.run.recorder.of(Purpose.PREPARING):
            return self.image.client.patch(self.image.id, *changes).ok

    @contextmanager
    def being(self, where: str, *, name: str, value: object, back: object) -> Iterator[bool]:
        """Have an attribute of the image set for a block, as far as that can be done; put it back in the end."""
        done = self.patched(replaced(f"/{name}", value))
        self.where = where if done else ""
        try:
            yield done
        finally:
            self.where = ""
            if done and not self.patched(replaced(f"/{name}", back)):
                raise Blocked(f"The image cannot be given back its {name}.")

    def share(self) -> None:
        """Have the owner add the consumer."""
        with self.run.recorder.of(Purpose.PREPARING):
            require_ok(self.image.client.ask(MEMBERS.add(self.image.id, self.project)))
        self.status, self.was_member, self.known = PENDING, True, None
        self.due.add(self.project)

    def end(self) -> None:
        """Have the owner remove the consumer."""
        with self.run.recorder.of(Purpose.PREPARING):
            require_ok(self.image.client.ask(MEMBERS.delete(self.image.id, self.project)))
            self.known, _ = self.image.eventually(
                lambda: members_of(self.image), lambda found: self.project not in found[0]
            )
        if self.project in self.known:
            raise Blocked("The consumer is a member still, though its removal was acknowledged.")
        self.status = ""
        self.due.discard(self.project)

    def decide(self, status: str) -> None:
        """Have the consumer set its status."""
        with self.run.recorder.of(Purpose.PREPARING):
            require_ok(self.consumer.send("PUT", self.own, json={"status": status}))
        self.status, self.known = status, None

    def with_another(self) -> None:
        """Have the owner share the image with another project, and end that, as the image is."""
        owner, other = self.image.client, uuid.uuid4().hex
        if not self.takes_others:
            return
        added = self.attempt(Who.OWNER, Deed.ADD_OTHER, owner, "POST", json={"member": other})
        if added.answer.status == OVER_LIMIT:  # a quota, which says nothing of what the image is (MEM-CRE-08)
            self.tried.remove(added)
            self.takes_others = False
        elif added.answer.ok:
            self.attempt(Who.OWNER, Deed.REMOVE_OTHER, owner, "DELETE", other)

    def decided_anew(self) -> None:
        """Have the consumer, which has accepted, reject the image as it is, and accept it again."""
        for status in (REJECTED, ACCEPTED):
            if self.project in (self.known or ()):  # who was lost on the way decides nothing
                self.attempt(Who.MEMBER, Deed.SET_OWN, self.consumer, "PUT", self.project, {"status": status})

    def is_still_shared(self) -> bool:
        """Return whether the consumer is a member, of an image that was for the owner alone, or for all, since.

        Whether that ends the memberships, or offers the image anew, is not defined. (Rulings, 20.)
        """
        members, _ = members_of(self.image)
        self.known, self.due = members, {*members}
        status = members.get(self.project, {}).get("status")
        if status in (PENDING, ACCEPTED, REJECTED):
            self.status = str(status)
        return self.project in members


def _shared_life(run: Run, consumer: ImagesClient, seen: list[Stage], tried: list[Attempt]) -> None:
    """Share one image with the consumer, who has asked for it before, and end it, with much else in between."""
    with shared_image(run) as image:
        life = _Life(run, image, consumer, run.owner_of(consumer), tried)
        data = has_data(image)
        third = _third(life)
        seen.append(life.stage("before the image is shared with it", data=data, whole=True))
        _as_a_stranger(life, third)
        life.share()
        seen.append(life.stage("it was shared with whom it was hidden from before", data=data, whole=True))
        life.decide(ACCEPTED)
        seen.append(life.stage("it accepted", data=data))
        # A consumer who may read an image and no data of it is given none by the operator's policy.
        data = data and any(stage.data is not None and stage.data.ok for stage in seen)
        _go_through(life, seen, data=data)
        _colleagues_decide(life)
        life.end()
        seen.append(life.stage("after its membership was removed, which it had accepted", data=data, whole=True))
        _as_a_stranger(life, third)
        life.share()
        seen.append(life.stage("it was shared with a former member", data=data, whole=True))
        life.decide(REJECTED)
        seen.append(life.stage("it rejected, the second time that it was asked", data=data))
        life.end()
        seen.append(life.stage("after its membership was removed, which it had rejected", data=data))
        life.share()
        seen.append(life.stage("it was shared with a former member that had rejected it"))
        life.decide(ACCEPTED)
        seen.append(life.stage("a former member accepted, the third time that it was asked", data=data))
        for visibility in ("community", "private"):
            if not made_visible(image, visibility):
                if visibility == "community":
                    life.where = "for everybody"
                    life.is_still_shared()
                    if third:
                        life.attempt(Who.MEMBER, Deed.SHOW, consumer, "GET", third, seen=True)
                        life.attempt(Who.MEMBER, Deed.LIST, consumer, "GET", seen=True)
                    seen.append(life.stage(f"the image was given the visibility {visibility}", lists=False, data=data))
                life.where = ""
                if not life.patched(replaced("/visibility", "shared")) or not life.is_still_shared():
                    return
                seen.append(life.stage(f"the image was shared, then {visibility}, and shared again", data=data))


def _third(life: _Life) -> str:
    """Have the owner share the image with a project that nobody acts for; return none where that cannot be."""
    third = uuid.uuid4().hex
    with life.run.recorder.of(Purpose.PREPARING):
        if life.image.client.ask(MEMBERS.add(life.image.id, third)).ok:
            members, _ = life.image.eventually(lambda: members_of(life.image), lambda found: third in found[0])
            life.takes_others = third in members
            life.due |= {*members} & {third}
            return third if life.takes_others else ""
    life.takes_others = False
    return ""


def _as_a_stranger(life: _Life, third: str) -> None:
    """Have the consumer, while it is no member, add who is one, and itself, and decide for itself."""
    consumer, project = life.consumer, life.project
    if third:
        life.attempt(Who.STRANGER, Deed.ADD_AGAIN, consumer, "POST", json={"member": third})
    if project in life.attempt(Who.STRANGER, Deed.ADD, consumer, "POST", json={"member": project}).after:
        life.end()
    life.attempt(Who.STRANGER, Deed.SET, consumer, "PUT", project, {"status": ACCEPTED})


def _go_through(life: _Life, seen: list[Stage], *, data: bool) -> None:
    """Have the owner do with the image what has nothing to do with who its members are."""
    image = life.image
    life.with_another()
    seen.append(life.stage("another project was added, and removed", data=data))
    if life.takes_others:
        other = uuid.uuid4().hex
        with life.run.recorder.of(Purpose.PREPARING):
            if image.client.ask(MEMBERS.add(image.id, other)).ok:
                life.due.add(other)
        life.known = None
        seen.append(life.stage("another project was added", data=data))
    name = f"{image.name}-renamed"
    if life.patched(replaced("/name", name), add("/cloudimages_own", "of a shared image")):
        life.image = replace(image, name=name)
        with life.run.recorder.of(Purpose.PREPARING):
            image.add_tag("of-a-shared-image")
        seen.append(life.stage("the image was renamed, given a property and a tag", data=data))
    with life.being("protected", name="protected", value=True, back=False) as protected:
        if protected:
            seen.append(life.stage("the image was protected", data=data))
            life.with_another()
            life.decided_anew()
    with life.being("hidden from lists", name="os_hidden", value=True, back=False) as hidden:
        if hidden:
            seen.append(life.stage("the image was hidden from lists", lists=False, data=data))
            life.with_another()
            life.decided_anew()
    if hidden:
        seen.append(life.stage("the image was hidden from lists and is no longer", data=data))
    _while_deactivated(life, seen, data=data)


def _while_deactivated(life: _Life, seen: list[Stage], *, data: bool) -> None:
    """Have an administrator deactivate the image: nothing but its data is blocked."""
    administrator = life.run.able("ADMIN") if data else None
    if administrator is None:
        return

    def act(action: str) -> bool:
        with life.run.recorder.of(Purpose.PREPARING):
            return life.image.seen_by(administrator).send("POST", f"/actions/{action}").ok

    if not act("deactivate"):
        return
    try:
        life.where = "deactivated"
        seen.append(life.stage("the image was deactivated"))
        life.with_another()
        life.decided_anew()
    finally:
        life.where = ""
        act("reactivate")
    seen.append(life.stage("the image was deactivated and reactivated", data=data))


def _colleagues_decide(life: _Life) -> None:
    """Have others of the owner's project, who act for the owner as it does itself, decide for the consumer."""
    for who in ("CREATOR", "READER"):
        with suppress(Blocked):
            colleague = life.run.caller(who)
            if colleague and life.run.same_project(who) and not life.run.is_named_administrator(who):
                life.attempt(Who.COLLEAGUE, Deed.SET, colleague, "PUT", life.project, {"status": REJECTED})


def _open_to_all(run: Run, consumer: ImagesClient, seen: list[Stage], tried: list[Attempt]) -> None:
    """Have a stranger try what can be done with the members of an image that was shared, and is for everybody now."""
    del seen
    known = run.owner_of(run.client)
    administrator = run.able("ADMIN")
    for visibility in ("community", "public"):
        with shared_image(run) as image:
            life = _Life(run, image, consumer, run.owner_of(consumer), tried, where=f"of the visibility {visibility}")
            third = _third(life)
            callers = (run.client, administrator) if administrator else (run.client,)
            if made_visible(image, visibility, *callers):
                continue
            # Who is no member of it, is none of its strangers either: it sees the image.
            life.attempt(Who.STRANGER, Deed.LIST, consumer, "GET", seen=True)
            life.attempt(Who.STRANGER, Deed.ADD, consumer, "POST", json={"member": known}, seen=True)
            for project in filter(None, (third, life.project)):
                life.attempt(Who.STRANGER, Deed.SHOW, consumer, "GET", project, seen=True)
                life.attempt(Who.STRANGER, Deed.SET, consumer, "PUT", project, {"status": ACCEPTED}, seen=True)
                life.attempt(Who.STRANGER, Deed.REMOVE, consumer, "DELETE", project, seen=True)


def _of_a_colleague(run: Run, consumer: ImagesClient, seen: list[Stage], tried: list[Attempt]) -> None:
    """Have the tester share an image that another user of its project has created, and decide for the consumer."""
    skip_where_lacking(run.recorder, MEMBERS_OF_IMAGES)
    creator = run.caller("CREATOR")
    if creator is None or not run.same_project("CREATOR"):
        return
    with temporary_image(creator, run.name, run.patience) as image:
        image.client = run.client  # who may not delete it is no hindrance to its end
        life = _Life(run, image, consumer, run.owner_of(consumer), tried, where="a colleague's")
        if made_visible(image, "shared"):
            return
        life.share()
        seen.append(life.stage("it was shared by a colleague of who has created it"))
        decided = life.attempt(Who.OWNER, Deed.SET, run.client, "PUT", life.project, {"status": ACCEPTED})
        if decided.answer.ok and needs_no_administrator(run):
            tried.remove(decided)
