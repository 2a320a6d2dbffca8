"""What the answers of a run say of the same image, one after another: whether that can all be true.

A run is the only writer of its own images. So an attribute that no request names is what it was; one that some request
names may be what it was, what it is by then, and what it was seen to be in between. No order is made of readings that
are nearer to each other than patience: of several nodes, one may be behind. That is looked at when all is over, as an
answer may show what a request does that is answered later.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_cloudimages.areas.common.kept import kept_of, of_members, of_tasks
from pytest_cloudimages.areas.common.presence import Presence
from pytest_cloudimages.areas.common.readings import (
    OWN,
    Reading,
    TwoAnswers,
    ValuesShown,
    alike,
    changed,
    no_earlier,
    plain,
    unseen,
)
from pytest_cloudimages.areas.common.set_values import kept_otherwise, set_by
from pytest_cloudimages.areas.common.writes import FORMATS, OF_DATA, Write, made_by, plainly, writes_of
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.spec.mismatch import Allowed

GIVEN = frozenset({"name", "visibility", "protected", "os_hidden", *FORMATS})
"""What an image is given, and keeps until it is given something else."""
UNTIL_CREATED = (None, "0", "false", "private")
"""What a node may show of a new image until it knows the whole of it."""
FOR_GOOD = frozenset({"created_at", "owner"})
KEPT = GIVEN | FOR_GOOD | {"status", "updated_at"}
SHOWN_ONCE_SET = frozenset({"name", "owner", "size", "checksum", *FORMATS})
"""What every version of the API shows of an image that has it."""
WITH_DATA = ("active", "deactivated")
WITHOUT = ("queued", "saving", "uploading", "importing", "killed")
BLAMED = {
    ("patch", False): "IMG-UPD-01",
    ("patch", True): "IMG-UPD-22",
    ("add", False): "TAG-ADD-26",
    ("add", True): "TAG-ADD-22",
    ("remove", False): "TAG-DEL-04",
    ("remove", True): "TAG-DEL-12",
    ("deactivate", False): "IMG-STAT-07",
    ("reactivate", False): "IMG-STAT-07",
}
"""By which requirement a request changes what it names alone, by its kind, or nothing, where it was refused."""
EITHER = frozenset({("member", False), ("patch", False)})
"""Where both were done, nobody knows which of them has changed something, unless that is seen elsewhere."""
TO_NO_EFFECT = frozenset({("member", True), ("data", True), ("delete", True), ("create", False)})
"""What says nothing of attributes that change later: most of it is refused."""
OTHERWISE = {"checksum": "IMG-ENT-11", "size": "IMG-STAT-03"} | dict.fromkeys(
    ("created_at", "owner", "visibility", "protected"), "IMG-GET-01"
)
"""The requirement that what is shown of an attribute departs from, where nothing was done; else IMG-ENT-02."""
NOT_SHOWN = Allowed("none, as it is gone", lambda _: False)
"""What the status may be of an image that is not there."""


class OverTime:
    """Remembers what answers have shown of images, and what may have changed them."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.presence = Presence()
        self._images, self._members, self._tasks = ValuesShown(), ValuesShown(), ValuesShown()
        self._writes: dict[str, list[Write]] = {}
        self._made: dict[str, str] = {}
        """The images that tasks have made, by the tasks."""
        self._kept_otherwise: list[tuple[str, TwoAnswers]] = []
        """What patches were answered with that is not what they have set, each with the image."""
        self._without_data: set[str] = set()
        """The images that were created without data."""

    def wrote(self, exchange: Exchange, below: str) -> None:
        """Remember a request that may have changed images."""
        created = exchange.method == "POST" and below == "/images" and exchange.status == 201  # noqa: PLR2004 - as HTTP has it
        for identifier, write in writes_of(exchange, below):
            # The id that a new image is to have is that of no other, unless there was one of this id.
            if not created or identifier in self._images:
                self._wrote(identifier, write)

    def _wrote(self, identifier: str, write: Write) -> None:
        self._writes.setdefault(identifier, []).append(write)

    def made_image(self, shown: Mapping[str, Any], exchange: Exchange) -> None:
        """Remember the creation of an image, which may take a while to be complete."""
        identifier = str(shown.get("id")).lower()
        if not re.search(rb"size|location", exchange.body):
            self._without_data.add(identifier)
        self._wrote(identifier, made_by(exchange))
        self.presence.made(str(shown.get("id")), exchange)

    def saw_image(self, shown: Mapping[str, Any], exchange: Exchange, sake: str, *, whole: bool) -> None:
        """Remember what an answer shows of an image; ``whole``: and what it does not."""
        identifier, status = str(shown.get("id")).lower(), str(shown.get("status")).lower()
        # What is not to be had at present, need not be described.
        of_data = OF_DATA if status == "active" else frozenset[str]()
        values = {}
        for name, value in shown.items():
            described = name in OF_DATA and status in WITH_DATA and value is not None
            if name in KEPT or name in of_data or described or OWN in name:
                values[name] = value
        for name in self._images.attributes(identifier, exchange.caller) if whole else ():
            if name not in shown and _stays_shown(name) and (name not in OF_DATA or name in of_data):
                values[name] = None
        self._images.note(identifier, values, exchange, status, sake)

    def patched(self, shown: Mapping[str, Any], exchange: Exchange, sake: str) -> None:
        """Remember what the answer to a patch shows otherwise than the patch has set it."""
        identifier = str(shown.get("id")).lower()
        for name, value in kept_otherwise(set_by(exchange), shown).items():
            now = shown.get(name)
            reading = Reading(plain(name, now), now, exchange, exchange, "", sake, listed=False)
            what = f"{name}, as it was set,"
            self._kept_otherwise.append((identifier, TwoAnswers("IMG-UPD-01", now, value, what, exchange, reading)))

    def saw_member(self, shown: Mapping[str, Any], image: str, exchange: Exchange, sake: str) -> None:
        """Remember what an answer shows of a membership."""
        whose = f"{image.lower()}/{plainly(str(shown.get('member_id')))}"
        values = {name: shown[name] for name in ("created_at", "updated_at", "status") if shown.get(name)}
        self._members.note(whose, values, exchange, "", sake)

    def saw_task(self, shown: Mapping[str, Any], exchange: Exchange, sake: str) -> None:
        """Remember what an answer shows of a task."""
        result, task = shown.get("result"), str(shown.get("id")).lower()
        if isinstance(result, Mapping) and result.get("image_id"):
            self._made[task] = str(result["image_id"]).lower()
        writes = self._writes.get(self._made.get(task, ""), ())
        deleted = any(each.kind == "delete" and not each.refused for each in writes)
        values = {name: value for name, value in kept_of(shown) if value is not None}
        if deleted:
            # Once its image is gone, nobody says how long a task stays.
            values.pop("expires_at", None)
        self._tasks.note(task, values, exchange, str(shown.get("status")), sake)

    def violations(self) -> Iterator[TwoAnswers]:
        """Yield the answers that cannot be true together with earlier ones."""
        yield from of_members(self._members, self._writes, self.patience)
        yield from of_tasks(self._tasks, self.patience)
        yield from self.presence.violations(self.patience)
        for identifier, each in self._kept_otherwise:
            if not any(write.meets(each.earlier) for write in self._writes.get(identifier, ())):
                yield each
        found = [*self._of_images()]
        clear = {each.what for each in found if each.sure}
        yield from (each for each in found if each.sure or each.what not in clear)

    def _of_images(self) -> Iterator[TwoAnswers]:
        for (identifier, _, name), known in self._images.each():
            writes = self._writes.get(identifier, [])
            if name == "status":
                yield from self._of_the_deleted(known, writes)
                yield from self._of_status(identifier, known, writes)
            elif name == "updated_at":
                yield from self._of_changes(known, writes)
            else:
                yield from self._of_attribute(identifier, name, known, writes)

    def _of_attribute(
        self, identifier: str, name: str, readings: Sequence[Reading], writes: Sequence[Write]
    ) -> Iterator[TwoAnswers]:
        """Yield where an attribute has a value that it did not have before and that nothing accounts for."""
        for place, reading, before, known in unseen(readings):
            values = len({str(each.value) for each in readings[:place] if each.value is not None})
            if reading.value is None and not _stays_shown(name):
                continue
            if self._is_accounted(name, before, reading, writes, values):
                continue
            back = any(alike(each.value, known.value) for each in readings[place + 1 :])
            if back and reading.value in UNTIL_CREATED and self._is_being_created(before, writes):
                continue
            listed = all(each.listed for each in readings[place:] if alike(each.value, reading.value))
            if blamed := self._blamed(identifier, name, before, reading, writes, listed=listed):
                sure = not _done(before, reading, writes) >= EITHER
                yield changed(blamed, f"{name} of the image", known, reading, sure=sure)

    def _is_accounted(self, name: str, before: Reading, reading: Reading, writes: Iterable[Write], values: int) -> bool:
        """Return whether what was sent may be why an attribute has another value, after so many of them."""
        known = [each for each in writes if not each.refused and each.precedes(reading) and each.names(name)]
        # An image may take a while to be what was asked for, and is nothing else after that.
        value = plainly(str(reading.value))
        known = [each for each in known if each.kind != "create" or not each.text or value in each.text]
        if name in FORMATS and not reading.listed and any(each.kind == "data" for each in known):
            return True  # what is found out about a disk, by and by
        if name in OF_DATA:
            # Data comes by and by as well: each time that it was sent, something else.
            given = [each for each in known if each.kind == "data" or each.open]
            if sum(1 + each.open for each in given) > values:
                return True
        return any(each.may_act_after(before.last.sent, self.patience) for each in known)

    def _is_being_created(self, before: Reading, writes: Iterable[Write]) -> bool:
        """Return whether an image was created so lately that some node may not know the whole of it."""
        return any(each.kind == "create" and each.may_act_after(before.last.sent, self.patience) for each in writes)

    def _blamed(
        self, identifier: str, name: str, before: Reading, reading: Reading, writes: Iterable[Write], *, listed: bool
    ) -> str:
        """Return what a change departs from, by all that was done in between; empty where nobody can say."""
        done = [each for each in writes if each.between(before, reading)]
        kinds = _done(before, reading, writes)
        # What others may not do, and are refused, those look at who ask for that.
        if any(each.refused and each.caller != reading.first.caller and each.kind != "member" for each in done):
            return ""
        if kinds <= EITHER and kinds != {("patch", False)}:
            if not kinds and self._patched_elsewhere(identifier, name, before, reading):
                return "IMG-UPD-11"
            # A list may show less of an image, and nothing else.
            return "IMG-ENT-02" if listed or reading.value is None else OTHERWISE.get(name, "IMG-ENT-02")
        blamed = {BLAMED.get(kind, "") for kind in kinds}
        return blamed.pop() if len(blamed) == 1 else ""

    def _patched_elsewhere(self, identifier: str, name: str, before: Reading, reading: Reading) -> bool:
        """Return whether another image was given another value of an attribute meanwhile."""
        others = (write for other, known in self._writes.items() if other != identifier for write in known)
        return any(each.kind == "patch" and each.between(before, reading) and each.names(name) for each in others)

    def _of_status(self, identifier: str, readings: Sequence[Reading], writes: Sequence[Write]) -> Iterator[TwoAnswers]:
        """Yield where the status of an image is one that it cannot have come to."""
        what = "status of the image"
        for place, reading in enumerate(readings):
            tried = [each for each in writes if each.kind != "create" and each.precedes(reading)]
            tried = [each for each in tried if each.names("status") or "location" in each.text]
            sent = [each for each in tried if not each.refused]
            # Data that is refused may have begun to come.
            due = sent if reading.value == "active" else tried
            if reading.value in ("active", "saving") and identifier in self._without_data and not due:
                expected = Allowed("queued, as it was given no data", "queued".__eq__)
                yield TwoAnswers("IMG-STAT-01", reading.shown, expected, what, readings[0].first, reading)
            for before in readings[:place]:
                later = [each for each in sent if each.may_act_after(before.first.sent, self.patience)]
                unclear = any(each.kind in ("data", "unknown", "delete") for each in later)
                if unclear or not reading.is_after(before, self.patience):
                    continue
                if before.value in WITH_DATA and reading.value in WITHOUT:
                    yield changed("IMG-STAT-03", what, before, reading)
                # What somebody else has deactivated, somebody else may release.
                elif (before.value, reading.value) == ("deactivated", "active") and not later and _deactivated(sent):
                    yield changed("IMG-STAT-07", what, before, reading)

    def _of_the_deleted(self, readings: Sequence[Reading], writes: Sequence[Write]) -> Iterator[TwoAnswers]:
        """Yield where an image is shown that was deleted; what says itself that it goes is not remembered."""
        for deletion in (each for each in writes if each.kind == "delete" and each.acknowledged):
            if any(each.kind == "create" and each.answered > deletion.sent for each in writes):
                return  # another one, of the same id
            for reading in readings:
                if reading.last.sent > deletion.answered + self.patience:
                    later = reading._replace(first=reading.last)
                    what = "status of an image that was deleted"
                    yield TwoAnswers("IMG-DEL-04", reading.shown, NOT_SHOWN, what, deletion.exchange, later)
                    return

    def _of_changes(self, readings: Sequence[Reading], writes: Sequence[Write]) -> Iterator[TwoAnswers]:
        """Yield where the time of the last change is earlier than patience ago."""
        # What a list has is compared with the image by those who ask for lists.
        shown = [reading for reading in readings if not reading.listed]
        for place, reading in enumerate(shown):
            for before in shown[:place]:
                if reading.is_after(before, self.patience) and reading.has_gone_back(before):
                    if any(each.open and each.precedes(reading) for each in writes):
                        return
                    kinds = {each.kind for each in writes if each.between(shown[place - 1], reading)}
                    blamed = {kind: BLAMED[kind, False] for kind in ("add", "remove") if kind in kinds}
                    if not blamed or len(kinds) == 1:
                        requirement, due = next(iter(blamed.values()), "IMG-UPD-27"), no_earlier(before)
                        what = "updated_at of the image"
                        yield TwoAnswers(requirement, reading.shown, due, what, before.first, reading)
                    return


def _stays_shown(name: str) -> bool:
    """Return whether an attribute that an image has is shown by every version of the API, or is one's own."""
    return name in SHOWN_ONCE_SET or OWN in name


def _done(before: Reading, reading: Reading, writes: Iterable[Write]) -> set[tuple[str, bool]]:
    """Return the kinds of what was done between two readings, each with whether it was refused."""
    return {(each.kind, each.refused) for each in writes if each.between(before, reading)} - TO_NO_EFFECT


def _deactivated(writes: Iterable[Write]) -> bool:
    """Return whether the run itself has deactivated an image."""
    return any(each.kind == "deactivate" for each in writes)
