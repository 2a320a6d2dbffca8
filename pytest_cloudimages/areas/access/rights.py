"""Who may do what with an image: callers and operations as one table, each cell sent once.

Who is not let in at all, or may only read, tries everything on one image of the owner's; whoever may create does it
with an image of its own. What came of it is what the owner sees afterwards.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.access.deeds import (
    CREATING,
    NEW_TAG,
    OF_MEMBERS,
    OF_READERS,
    OF_TASKS,
    READING,
    RIGHTS,
    TAG,
    Attempt,
    Deed,
    Rights,
    asked_by,
    has_roles,
)
from pytest_cloudimages.areas.common.offers import NOT_OFFERED, lacks, require_look
from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.common.tokens import Asker, ended_and_unscoped, not_valid, unknown_tokens
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.provisioning import PREFIX, temporary_image
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

TURNED_AWAY = frozenset({401, 403, 404})
"""How a service says that somebody may not do it."""
NOWHERE = "cloudimages-no-container/cloudimages-no-object.vhd"
OUTSIDE = (Party.ANONYMOUS, Party.INVALID, Party.ENDED)
"""Callers who are owed a 401, whatever they ask."""


@workload(empty=lambda: Rights([]), requests=(89, 119, 119, 119))
def closed_doors(run: Run) -> Rights:
    """Have nobody, and callers with tokens that are not valid, try all that can be done with an image."""
    tried: list[Attempt] = []
    let_off: dict[str, str] = {}
    if run.settings.image:
        return _by_reading(run)
    with run.fresh_image(tags=[TAG]) as image:
        table = _Table(run, image)
        table.offered()
        unknown = [*unknown_tokens(run.client)][: 2 if run.rounds else 1]
        ended, _ = ended_and_unscoped(run, image, NEW_TAG, let_off)
        with suppress(Blocked), run.recorder.of(Purpose.PREPARING):
            image.delete_tag(NEW_TAG)
        for party, client in _outside(run, [*unknown, *ended], ended):
            tried += table.all_of(party, client, tuple(Deed))
            run.show(partial(Rights, tried, {}, let_off))
        tried += _nearly_right(run, image, let_off)
        tried += _of_what_is_not_there(run, unknown) if run.rounds else ()
    return Rights(tried, {}, let_off)


def _of_what_is_not_there(run: Run, askers: Sequence[Asker]) -> Iterator[Attempt]:
    """Have who has no valid token ask for an image that there is not: who is let in is asked before what there is."""
    nobody = run.client.calling("nobody", lambda: None)
    parties = [(Party.ANONYMOUS, nobody), *((Party.INVALID, asker.client) for asker in askers[:1])]
    for deed in (Deed.SHOW, Deed.MEMBERS, Deed.DELETE):
        for party, client in parties:
            yield Attempt(party, deed, client.send(deed.method, deed.target(str(uuid.uuid4()))), changed=False)


def _nearly_right(run: Run, image: Image, let_off: dict[str, str]) -> Iterator[Attempt]:
    """Have who shows a token that is right but for its beginning or its end read the image and the list."""
    odd = [asker for asker in unknown_tokens(run.client) if asker.odd] if run.rounds else []
    for asker in not_valid(run, odd, let_off):
        for deed in (Deed.LIST, Deed.SHOW):
            answer = asker.client.send(deed.method, deed.target(image.id))
            yield Attempt(Party.INVALID, deed, answer, changed=False)


def _outside(run: Run, askers: Sequence[Asker], ended: Sequence[Asker]) -> Iterator[tuple[Party, ImagesClient]]:
    """Yield the callers that have no valid token: nobody, and those with the tokens of some others."""
    yield Party.ANONYMOUS, run.client.calling("nobody", lambda: None)
    for asker in askers:
        yield Party.ENDED if asker in ended else Party.INVALID, asker.client


def _by_reading(run: Run) -> Rights:
    """Have those without a valid token read an image that was lent, which nobody else than the tester may change."""
    ended = [Asker(client) for client in run.ended_callers()]
    with run.fresh_image() as image:
        tried = [
            Attempt(party, deed, client.send(deed.method, deed.target(image.id)), changed=False)
            for party, client in _outside(run, [*unknown_tokens(run.client)][:1] + ended, ended)
            for deed in (Deed.LIST, Deed.SHOW)
        ]
    return Rights(tried)


@workload(empty=lambda: Rights([]), requests=(115, 119, 119, 119))
def rights(run: Run) -> Rights:
    """Have callers of every role try all that can be done with an image, and see what its owner sees of it."""
    tried: list[Attempt] = []
    unasked: dict[Party, str] = {}
    known: set[Party] = set()

    def so_far() -> Rights:
        return Rights(_of_callers(tried), unasked, of_the_project=frozenset(known))

    run.require_own()
    reading = {party: _caller(run, party, unasked, known) for party in READING}
    if any(reading.values()):
        with run.fresh_image(tags=[TAG]) as image:
            table = _Table(run, image)
            table.offered()
            for party, client in reading.items():
                tried += table.all_of(party, client, OF_READERS) if client else []
                run.show(so_far)
    for party in CREATING:
        if creating := _caller(run, party, unasked, known):
            with suppress(Blocked):
                tried += _with_its_own(run, party, creating)
            if run.rounds and party is Party.CREATOR and party in known:
                with suppress(Blocked), run.fresh_image(own=True) as image:
                    tried += _with_a_colleagues(run, party, image.seen_by(creating))
            run.show(so_far)
    return so_far()


def _of_callers(tried: Sequence[Attempt]) -> list[Attempt]:
    """Leave out what was refused to the owner and to all others who have the right: it is forbidden whoever asks.

    That is for the requirements of the operation to say, and nothing of a role.
    """

    def has_the_right(attempt: Attempt) -> bool:
        return attempt.deed.right in RIGHTS[attempt.party]

    done = {attempt.deed for attempt in tried if has_the_right(attempt) and (attempt.answer.ok or attempt.changed)}
    forbidden = {attempt.deed for attempt in tried if attempt.party is Party.OWNER} - done
    return [attempt for attempt in tried if not (attempt.deed in forbidden and has_the_right(attempt))]


def _caller(run: Run, party: Party, unasked: dict[Party, str], known: set[Party]) -> ImagesClient | None:
    """Return a caller whose roles are what they are to be, as far as Identity says; say why there is none."""
    if party is Party.OWNER:
        who, client, credentials = "", run.client, run.owner
    else:
        who = KNOWN_AS[party]
        try:
            found = run.caller(who)
        except Blocked as problem:
            unasked[party] = str(problem)
            return None
        if found is None:
            unasked[party] = f"no credentials of {party} were given: set OS_{who}_USERNAME and OS_{who}_PASSWORD"
            return None
        client, credentials = found, run.others[who]  # type: ignore[assignment]  # it was not Blocked
        if credentials.project_id and run.owner.project_id and not run.same_project(who):
            unasked[party] = f"{party} is to be of the tester's own project, and is of another"
            return None
        known |= {party} if run.same_project(who) else set()
    names = credentials.roles()
    if names is not None and not has_roles(names, party):
        unasked[party] = f"needs {party}, and the roles of the token are: {', '.join(names) or 'none'}"
        return None
    return client


# On the owner's image


class _Table:
    def __init__(self, run: Run, image: Image) -> None:
        self.run, self.image = run, image
        self.member, self.added = uuid.uuid4().hex, uuid.uuid4().hex
        self.deeds: set[Deed] = set(Deed)
        self.to_owner: dict[Deed, int] = {}

    def offered(self) -> None:
        """Leave out what the service does not offer the owner either."""
        with self.run.recorder.of(Purpose.PREPARING):
            try:
                shared(self.image, self.member)
                there = self.image.send("GET", "/members").ok
            except (Blocked, pytest.skip.Exception):
                there = False
            if not there:
                self.deeds -= {*OF_MEMBERS}
            if not self.image.client.send("GET", "/tasks").ok:
                self.deeds -= {*OF_TASKS}

    def all_of(self, party: Party, client: ImagesClient, deeds: Sequence[Deed]) -> list[Attempt]:
        """Have a caller try all it can on the image, and see what became of it."""
        name = f"{PREFIX}{self.run.name}-{uuid.uuid4().hex[:8]}"
        before, _ = self._look(name)
        if not before["there"]:
            return []
        sent = [(deed, self._send(client, deed, name)) for deed in deeds if deed in self.deeds]
        after, looked = self._look(name)
        self._put_back(before, after, name)
        plain = {401} if party in OUTSIDE else TURNED_AWAY
        strange = {deed: answer.status for deed, answer in sent if not answer.ok and answer.status not in plain}
        nobodys = {deed for deed, status in strange.items() if self._answers_the_owner(deed, status)}
        return [
            Attempt(
                party,
                deed,
                answer,
                bool(deed.part) and before[deed.part] != after[deed.part] and asked_by(deed, before, after),
                looked if deed.part else (),
            )
            for deed, answer in sent
            if deed not in nobodys or before.get(deed.part) != after.get(deed.part)
        ]

    def _answers_the_owner(self, deed: Deed, status: int) -> bool:
        """Return whether the owner is answered the same: that says nothing of who may do it, but of what is offered.

        The owner's image is needed: who may delete it is not tried.
        """
        if deed is Deed.DELETE:
            return status in TROUBLE
        if deed not in self.to_owner:
            name = f"{PREFIX}{self.run.name}-{uuid.uuid4().hex[:8]}"
            before, _ = self._look(name)
            self.to_owner[deed] = self._send(self.image.client, deed, name).status
            self._put_back(before, self._look(name)[0], name)
        return self.to_owner[deed] == status

    def _send(self, client: ImagesClient, deed: Deed, name: str) -> Answer:
        member = self.member
        target = deed.target(self.image.id, member)
        if deed is Deed.UPDATE:
            return client.send("PATCH", target, json=[replaced("/name", name)], headers={"Content-Type": PATCH_TYPE})
        bodies: dict[Deed, object] = {
            Deed.CREATE: {"name": name},
            Deed.ADD_MEMBER: {"member": self.added},
            Deed.SET_STATUS: {"status": "accepted"},
            # There is no such object: where somebody is let in, nothing comes of it.
            Deed.CREATE_TASK: {"type": "import", "input": {"image_properties": {"name": name}, "import_from": NOWHERE}},
        }
        return client.send(deed.method, target, json=bodies.get(deed))

    def _look(self, name: str) -> tuple[dict[str, object], list[Exchange]]:
        """Return what the owner sees of the image, and whether it sees one of a name."""
        shown = self.image.show()
        data = shown.data if shown.ok and isinstance(shown.data, dict) else {}
        listed = self.image.client.list(name=name)
        entries = listed.data.get("images") if listed.ok and isinstance(listed.data, dict) else None
        ids = [entry.get("id") for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict)]
        tags = data.get("tags")
        seen: dict[str, object] = {
            "there": shown.ok,
            "name": data.get("name"),
            "tags": sorted(map(str, tags)) if isinstance(tags, list) else [],
            "created": [each for each in ids if each != self.image.id],
            "members": [],
            "tasks": [],
        }
        exchanges = [shown.exchange, listed.exchange]
        if Deed.MEMBERS in self.deeds:
            answer = self.image.send("GET", "/members")
            members = answer.data.get("members") if answer.ok and isinstance(answer.data, dict) else None
            found = [member for member in (members if isinstance(members, list) else []) if isinstance(member, dict)]
            seen["members"] = sorted(f"{member.get('member_id')}: {member.get('status')}" for member in found)
            exchanges.append(answer.exchange)
        return seen, exchanges

    def _put_back(self, before: Mapping[str, object], after: Mapping[str, object], name: str) -> None:
        """Undo what was done all the same, so that the next caller finds the image as it was."""
        client, image = self.image.client, self.image.id
        with self.run.recorder.of(Purpose.CLEANING), suppress(Blocked):
            for created in after["created"]:  # type: ignore[attr-defined]  # a list
                client.delete(str(created))
            if not after["there"]:
                return
            if after["name"] == name:
                client.patch(image, replaced("/name", self.image.name))
            if after["tags"] != before["tags"]:
                client.patch(image, replaced("/tags", [TAG]))
            if after["members"] != before["members"]:
                client.send("DELETE", f"/images/{image}/members/{self.added}")
                client.send("DELETE", f"/images/{image}/members/{self.member}")
                client.send("POST", f"/images/{image}/members", json={"member": self.member})


# On an image of one's own


def _with_its_own(run: Run, party: Party, client: ImagesClient) -> list[Attempt]:
    """Have a caller create an image, read it, change it and delete it, and see what the owner sees of it."""
    tried: list[Attempt] = []
    with run.recorder.scope() as sent:
        try:
            with temporary_image(client, run.name, run.patience) as image:
                creation = _creation(sent)
                tried.append(Attempt(party, Deed.CREATE, creation, changed=True))
                _used(run, party, image, tried)
                # Who may not delete it is no hindrance to its end.
                image.client = run.client
                if party is Party.CREATOR and _caller(run, Party.OWNER, {}, set()):
                    _ended_by_the_owner(image, tried)
        except Blocked:
            if tried:
                raise
            answer = _creation(sent)
            if not answer.refused:
                raise
            tried.append(Attempt(party, Deed.CREATE, answer, changed=False))
    # Any other answer says nothing of who may do it: what is sent is refused, is not offered, or fails.
    return [each for each in tried if each.changed or each.answer.ok or each.answer.status in TURNED_AWAY]


def _ended_by_the_owner(image: Image, tried: list[Attempt]) -> None:
    """Have the owner of the project delete what another of its users has created, if it is there."""
    if not image.show().ok:
        return
    tried.append(_deletion(Party.OWNER, image, image))


def _creation(sent: Sequence[Exchange]) -> Answer:
    """Return the last creation among what was sent."""
    found = [exchange for exchange in sent if exchange.method == "POST" and exchange.target.endswith("/images")]
    if not found:
        raise Blocked("No image was created, and none was asked for.")
    return Answer(found[-1].status, dict(found[-1].answer_headers), found[-1].answer, b"", found[-1])


def _used(run: Run, party: Party, image: Image, tried: list[Attempt]) -> None:
    owner = image.seen_by(run.client)
    name = f"{image.name}-renamed"
    tried += [
        Attempt(party, deed, image.client.send("GET", deed.target(image.id)), changed=False)
        for deed in (Deed.LIST, Deed.SHOW)
    ]
    answer = image.client.patch(image.id, replaced("/name", name))
    tagged = image.add_tag(NEW_TAG)
    seen = owner.eventually(owner.show, lambda shown: answer.ok <= (_shown(shown, "name") == name))
    require_look(seen)
    tags = _shown(seen, "tags")
    changes = [
        Attempt(party, Deed.UPDATE, answer, _shown(seen, "name") == name, [seen.exchange]),
        Attempt(party, Deed.ADD_TAG, tagged, isinstance(tags, list) and NEW_TAG in tags, [seen.exchange]),
    ]
    tried += [attempt for attempt in changes if not _lacks(run, owner, attempt)]
    tried.append(_deletion(party, image, owner))


def _with_a_colleagues(run: Run, party: Party, image: Image) -> Iterator[Attempt]:
    """Have a caller change an image that another user of its project has created, and see what the owner sees of it."""
    owner, name = image.seen_by(run.client), f"{image.name}-renamed"
    if not image.show().ok:
        return
    answer = image.client.patch(image.id, replaced("/name", name))
    seen = owner.eventually(owner.show, lambda shown: answer.ok <= (_shown(shown, "name") == name))
    attempt = Attempt(party, Deed.UPDATE, answer, _shown(seen, "name") == name, [seen.exchange])
    if (answer.ok or answer.status in TURNED_AWAY) and not _lacks(run, owner, attempt):
        yield attempt


def _deletion(party: Party, image: Image, owner: Image) -> Attempt:
    """Have a caller delete an image, and return it with what the owner sees of it then."""
    with image.client.recorder.of(Purpose.JUDGING):
        answer = image.client.delete(image.id)
    if answer.ok:
        image.client.recorder.traces.created_by.pop(image.id, None)
    gone = owner.eventually(owner.show, lambda shown: answer.ok is (not shown.ok))
    return Attempt(party, Deed.DELETE, answer, not gone.ok, [gone.exchange])


def _lacks(run: Run, image: Image, attempt: Attempt) -> bool:
    """Return whether the tester too is told that there is nothing to be changed so, of an image that it sees."""
    if attempt.answer.status != 404:  # noqa: PLR2004 - as HTTP has it
        return False

    def look() -> str:
        asked = image.add_tag(NEW_TAG) if attempt.deed is Deed.ADD_TAG else image.client.patch(image.id)
        return str(asked.exchange) if asked.status in NOT_OFFERED and image.show().ok else ""

    return bool(lacks(run.recorder, f"anything to {attempt.deed}", look))


def _shown(answer: Answer, name: str) -> object:
    return answer.data.get(name) if answer.ok and isinstance(answer.data, dict) else None
