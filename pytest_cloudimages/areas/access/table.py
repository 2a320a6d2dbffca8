"""The image of the owner's that callers of every kind try everything on, and what the owner sees of it afterwards."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from pytest_cloudimages.areas.access.deeds import (
    CHANGE_OF,
    OF_AN_IMAGE,
    OF_MEMBERS,
    OF_TASKS,
    PROPERTY,
    READING,
    TAG,
    TURNED_AWAY,
    Attempt,
    Deed,
    asked_by,
    members_in,
    read_otherwise,
)
from pytest_cloudimages.areas.common.imports import NOWHERE, export_of, import_from
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.patches import OLD_TYPE
from pytest_cloudimages.areas.images.states import OCTETS, shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.provisioning import EXPIRES, PREFIX
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

OTHER_MIN_RAM = 3
"""Mebibytes that no image of a run needs otherwise."""
OUTSIDE = (Party.ANONYMOUS, Party.INVALID, Party.ENDED)
"""Callers who are owed a 401, whatever they ask."""


class Table:
    """An image of the owner's, and the columns of what the service offers."""

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

    def by_the_owner(self, tried: Sequence[Attempt]) -> Iterator[Attempt]:
        """Have the owner do what another caller was refused a moment ago, on the same image: it is another who asks."""
        name = f"{PREFIX}{self.run.name}-{uuid.uuid4().hex[:8]}"
        refused = {each.deed for each in tried if each.answer.status in TURNED_AWAY}
        for deed in (Deed.UPDATE, Deed.ADD_TAG):
            if deed in refused:
                answer = self._send(self.image.client, deed, name)
                there = answer.ok or self.image.show().ok  # somebody may have deleted it for all that
                if answer.ok or (there and answer.status in TURNED_AWAY and self._offered_elsewhere(deed)):
                    yield Attempt(Party.OWNER, deed, answer, changed=answer.ok)

    def _offered_elsewhere(self, deed: Deed) -> bool:
        """Return whether the owner may do something with an image that nobody was refused it with."""
        with self.run.fresh_image(tags=[TAG]) as image:
            return self._send(self.image.client, deed, image.name, image.id).ok

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

    def _send(self, client: ImagesClient, deed: Deed, name: str, image: str = "") -> Answer:
        member = self.member
        target = deed.target(image or self.image.id, member)
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
def opened_table(run: Run) -> Iterator[Table]:
    """Open an image of the owner's, without the columns of what the service does not offer."""
    with run.fresh_image(tags=[TAG]) as image:
        table = Table(run, image)
        table.offered()
        yield table
