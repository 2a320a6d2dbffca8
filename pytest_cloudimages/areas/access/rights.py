"""Who may do what with an image: callers and operations as one table, each cell sent once.

Who is not let in at all, or may only read, tries everything on one image of the owner's; whoever may create does it
with an image of its own. What came of it is what the owner sees afterwards.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.access.deeds import (
    CHANGE_OF,
    CREATING,
    NEW_TAG,
    OF_AN_IMAGE,
    OF_MEMBERS,
    OF_OBSERVERS,
    OF_OUTSIDERS,
    OF_READERS,
    OF_TASKS,
    PROPERTY,
    READING,
    TAG,
    TURNED_AWAY,
    Attempt,
    Deed,
    Rights,
    asked_by,
    has_roles,
    members_in,
    of_callers,
    read_otherwise,
)
from pytest_cloudimages.areas.access.foreign_images import as_a_consumer, shown_of_a_foreign_image
from pytest_cloudimages.areas.access.open_images import of_open_images
from pytest_cloudimages.areas.access.own_images import deletion_with_data, with_a_colleagues, with_its_own
from pytest_cloudimages.areas.common.imports import NOWHERE, export_of, import_from
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.common.tokens import Asker, ended_and_unscoped, not_valid, odd_tokens, unknown_tokens
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.patches import OLD_TYPE
from pytest_cloudimages.areas.images.states import OCTETS, shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.provisioning import EXPIRES, PREFIX
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

OTHER_MIN_RAM = 3
"""Mebibytes that no image of a run needs otherwise."""
OUTSIDE = (Party.ANONYMOUS, Party.INVALID, Party.ENDED)
"""Callers who are owed a 401, whatever they ask."""


@workload(first_of="closed_doors", empty=lambda: Rights([]), requests=(27, 28, 28, 28))
def nobodys_attempts(run: Run) -> Rights:
    """Have nobody try all that can be done with an image."""
    if run.settings.image:
        return Rights([])
    with _table(run) as table:
        nobody = run.client.calling("nobody", lambda: None)
        tried = table.all_of(Party.ANONYMOUS, nobody, _of_outsiders(run))
        run.show(partial(Rights, tried))
    return Rights(tried)


@workload(needs=["nobodys_attempts"], empty=lambda: Rights([]), requests=(70, 172, 172, 172))
def closed_doors(run: Run, nobodys_attempts: Rights) -> Rights:
    """Have callers with tokens that are not valid try all that can be done with an image, as nobody has."""
    tried: list[Attempt] = [*nobodys_attempts.tried]
    let_off: dict[str, str] = {}
    if run.settings.image:
        return _by_reading(run)
    with _table(run) as table:
        image = table.image
        unknown = [*unknown_tokens(run.client)][: 2 if run.rounds else 1]
        ended, _ = ended_and_unscoped(run, image, NEW_TAG, let_off)
        with suppress(Blocked), run.recorder.of(Purpose.PREPARING):
            image.delete_tag(NEW_TAG)
        for party, client in _with_tokens([*unknown, *ended], ended):
            tried += table.all_of(party, client, _of_outsiders(run))
            run.show(partial(Rights, tried, {}, let_off))
        tried += _nearly_right(run, image, let_off)
        tried += _of_what_is_not_there(run, unknown) if run.rounds else ()
    if run.rounds:
        nobody = (Party.ANONYMOUS, run.client.calling("nobody", lambda: None))
        tried += of_open_images(run, [nobody, *((Party.INVALID, asker.client) for asker in unknown[:1])])
    return Rights(tried, {}, let_off)


def _of_what_is_not_there(run: Run, askers: Sequence[Asker]) -> Iterator[Attempt]:
    """Have who has no valid token ask for an image that there is not: who is let in is asked before what there is."""
    nobody = run.client.calling("nobody", lambda: None)
    parties = [(Party.ANONYMOUS, nobody), *((Party.INVALID, asker.client) for asker in askers[:1])]
    for deed in (Deed.SHOW, Deed.MEMBERS, Deed.DELETE):
        for party, client in parties:
            yield Attempt(party, deed, client.send(deed.method, deed.target(str(uuid.uuid4()))), changed=False)


def _nearly_right(run: Run, image: Image, let_off: dict[str, str]) -> Iterator[Attempt]:
    """Have who shows a token that is right but for its beginning or its end read the image and the list.

    Who shows one in a form that no specification knows reads the list alone: what is looked up otherwise than it was
    issued, is so at whichever door.
    """
    if not run.rounds:
        return
    for asker in not_valid(run, [asker for asker in unknown_tokens(run.client) if asker.odd], let_off):
        for deed in (Deed.LIST, Deed.SHOW):
            answer = asker.client.send(deed.method, deed.target(image.id))
            yield Attempt(Party.INVALID, deed, answer, changed=False)
    forms = [asker for asker in odd_tokens(run.client) if not (asker.raw or asker.besides)]
    for asker in not_valid(run, forms, let_off):
        yield Attempt(Party.INVALID, Deed.LIST, asker.ask("GET", Deed.LIST.target(image.id)), changed=False)


def _with_tokens(askers: Sequence[Asker], ended: Sequence[Asker]) -> Iterator[tuple[Party, ImagesClient]]:
    """Yield callers with tokens that are not valid."""
    for asker in askers:
        yield Party.ENDED if asker in ended else Party.INVALID, asker.client


def _by_reading(run: Run) -> Rights:
    """Have those without a valid token read an image that was lent, which nobody else than the tester may change."""
    ended = [Asker(client) for client in run.ended_callers()]
    with run.fresh_image() as image:
        tried = [
            Attempt(party, deed, client.send(deed.method, deed.target(image.id)), changed=False)
            for party, client in (
                (Party.ANONYMOUS, run.client.calling("nobody", lambda: None)),
                *_with_tokens([*unknown_tokens(run.client)][:1] + ended, ended),
            )
            for deed in (Deed.LIST, Deed.SHOW)
        ]
    return Rights(tried)


@workload(first_of="rights", empty=lambda: Rights([]), requests=(28, 41, 41, 41))
def first_readers_attempts(run: Run) -> Rights:
    """Have the first caller that may only read try all that can be done with an image."""
    run.require_own()
    unasked: dict[Party, str] = {}
    known: set[Party] = set()
    for party in READING:
        if client := _caller(run, party, unasked, known):
            with _table(run) as table:
                further = run.rounds and party is Party.READER
                tried = of_callers(table.all_of(party, client, OF_OBSERVERS if further else OF_READERS))
                if further:
                    tried += deletion_with_data(run, party, table.image.seen_by(client))
                    tried += table.once_private(party, client)
                run.show(partial(Rights, tried, unasked, of_the_project=frozenset(known)))
            return Rights(tried, unasked, of_the_project=frozenset(known))
    return Rights([])


@workload(needs=["first_readers_attempts"], empty=lambda: Rights([]), requests=(69, 152, 152, 152))
def rights(run: Run, first_readers_attempts: Rights) -> Rights:
    """Have callers of every role try all that can be done with an image, and see what its owner sees of it."""
    tried: list[Attempt] = [*first_readers_attempts.tried]
    unasked: dict[Party, str] = {}
    known: set[Party] = set()
    callers: dict[Party, ImagesClient] = {}
    on_foreign: list[Attempt] = []

    def so_far() -> Rights:
        return Rights(of_callers(tried), unasked, of_the_project=frozenset(known), on_foreign=on_foreign)

    run.require_own()
    reading = {party: _caller(run, party, unasked, known) for party in READING}
    callers |= {party: client for party, client in reading.items() if client}
    further = [*callers.items()][1:]
    if further:
        with _table(run) as table:
            for party, client in further:
                tried += table.all_of(party, client, OF_READERS)
                run.show(so_far)
    if run.rounds and (reader := reading[Party.READER]):
        tried += as_a_consumer(run, reader)
    for party in CREATING:
        if creating := _caller(run, party, unasked, known):
            callers[party] = creating
            with suppress(Blocked):
                tried += with_its_own(
                    run, party, creating, ended=party is Party.CREATOR and bool(_caller(run, Party.OWNER, {}, set()))
                )
            if run.rounds and party is not Party.OWNER:
                with suppress(Blocked), run.fresh_image(own=True) as image:
                    tried += with_a_colleagues(run, party, image.seen_by(creating), tried, known=party in known)
            run.show(so_far)
    if run.rounds and callers:
        on_foreign += shown_of_a_foreign_image(run, callers)
    return so_far()


def _of_outsiders(run: Run) -> Sequence[Deed]:
    return (*((Deed.UPLOAD,) if run.rounds else ()), *OF_OUTSIDERS)


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
            if not self.image.client.send("GET", Deed.TASK_SCHEMA.target(self.image.id)).ok:
                self.deeds -= {Deed.TASK_SCHEMA}

    def all_of(self, party: Party, client: ImagesClient, deeds: Sequence[Deed]) -> list[Attempt]:
        """Have a caller try all it can on the image, and see what became of it."""
        name = f"{PREFIX}{self.run.name}-{uuid.uuid4().hex[:8]}"
        before, _ = self._look(name)
        if not before["there"]:
            return []
        lacking = {Deed.REMOVE_PROPERTY} if before[EXPIRES] is None else set[Deed]()
        deeds = [deed for deed in deeds if deed in self.deeds - lacking]
        sent = [(deed, self._sent(party, client, deed, name, before)) for deed in deeds]
        if self.run.rounds and party in READING:  # the second time is no confirmation
            sent += [(deed, self._sent(party, client, deed, name, before)) for deed in deeds if deed is Deed.DELETE]
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
                {} if deed.part else before,
            )
            for deed, answer in sent
            if deed not in nobodys or before.get(deed.part) != after.get(deed.part)
        ]

    def _sent(self, party: Party, client: ImagesClient, deed: Deed, name: str, before: Mapping[str, object]) -> Answer:
        """Have a caller try something; who may read is waited for until it reads what the owner has seen."""
        if party not in READING or deed.part:
            return self._send(client, deed, name)
        return self.image.eventually(
            partial(self._send, client, deed, name), lambda answer: not read_otherwise(deed, answer, before)
        )

    def once_private(self, party: Party, client: ImagesClient) -> Iterator[Attempt]:
        """Have a caller of the owner's project read the image, once that has nobody else to see it."""
        with self.run.recorder.of(Purpose.PREPARING):
            private = self.image.client.patch(self.image.id, replaced("/visibility", "private"))
        if private.document.get("visibility") == "private":
            yield Attempt(party, Deed.SHOW, client.show(self.image.id), changed=False, looked=[private.exchange])

    def _answers_the_owner(self, deed: Deed, status: int) -> bool:
        """Return whether the owner is answered the same: that says nothing of who may do it, but of what is offered.

        The owner's image is needed as it is: who may delete it, or fill it with data, is not tried.
        """
        if deed is Deed.DELETE:
            return status in TROUBLE
        if deed is Deed.UPLOAD:
            return True
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
        if deed is Deed.UPDATE_BY_THE_OLD_FORM:
            change = {"replace": "/min_ram", "value": OTHER_MIN_RAM}
            return client.send("PATCH", target, json=[change], headers={"Content-Type": OLD_TYPE})
        if deed is Deed.UPLOAD:
            return self.image.seen_by(client).upload(OCTETS)
        if deed in CHANGE_OF:
            return client.send("PATCH", target, json=[CHANGE_OF[deed]], headers={"Content-Type": PATCH_TYPE})
        bodies: dict[Deed, object] = {
            Deed.CREATE: {"name": name},
            Deed.ADD_MEMBER: {"member": self.added},
            Deed.SET_STATUS: {"status": "accepted"},
            Deed.CREATE_TASK: import_from(NOWHERE, name),
            Deed.CREATE_EXPORT: export_of(self.image.id, NOWHERE.partition("/")[0]),
        }
        return client.send(deed.method, target, json=bodies.get(deed))

    def _look(self, name: str) -> tuple[dict[str, object], list[Exchange]]:
        """Return what the owner sees of the image, and whether it sees one of a name."""
        shown = self.image.show()
        data = shown.document
        listed = self.image.client.list(name=name)
        ids = [entry.get("id") for entry in entries_of(listed, "/images")]
        tags = data.get("tags")
        seen: dict[str, object] = {
            "there": shown.ok,
            **{name: data.get(name) for name in OF_AN_IMAGE},
            "tags": sorted(map(str, tags)) if isinstance(tags, list) else [],
            "property": data.get(PROPERTY),
            EXPIRES: data.get(EXPIRES),
            "created": [each for each in ids if each != self.image.id],
            "members": [],
            "tasks": [],
            "exports": [],
        }
        exchanges = [shown.exchange, listed.exchange]
        if Deed.MEMBERS in self.deeds:
            answer = self.image.send("GET", "/members")
            seen["members"] = members_in(answer.document.get("members"))
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
            if after["min_ram"] != before["min_ram"]:
                client.patch(image, replaced("/min_ram", before["min_ram"]))
            for attribute in ("protected", "visibility", EXPIRES):
                if after[attribute] != before[attribute]:
                    put = add if after[attribute] is None else replaced
                    client.patch(image, put(f"/{attribute}", before[attribute]))
            if after["property"] is not None:
                client.patch(image, {"op": "remove", "path": f"/{PROPERTY}"})
            if after["tags"] != before["tags"]:
                client.patch(image, replaced("/tags", [TAG]))
            if after["members"] != before["members"]:
                client.send("DELETE", f"/images/{image}/members/{self.added}")
                client.send("DELETE", f"/images/{image}/members/{self.member}")
                client.send("POST", f"/images/{image}/members", json={"member": self.member})


@contextmanager
def _table(run: Run) -> Iterator[_Table]:
    """Open an image of the owner's, without the columns of what the service does not offer."""
    with run.fresh_image(tags=[TAG]) as image:
        table = _Table(run, image)
        table.offered()
        yield table
