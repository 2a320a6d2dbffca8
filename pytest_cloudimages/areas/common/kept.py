"""What memberships and tasks keep, or go on to: two answers that show otherwise cannot both be true. No I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from pytest_cloudimages.areas.common.readings import Reading, TwoAnswers, ValuesShown, changed, no_earlier, unseen
from pytest_cloudimages.areas.common.writes import Write, plainly
from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.spec.mismatch import Allowed

WHO = re.compile("//[^/@]*@")
"""The name and password in an address, which a service may hide."""
RANKS = {"pending": 0, "processing": 1, "success": 2, "failure": 2}
OF_A_TASK = ("created_at", "type", "status")
"""Whose a task is, those say who know whose it is to be. (TASK-ENT-08, TASK-LIST-02.)"""
INPUTS = ("image_uuid", "receiving_swift_container", "import_from")
OUTCOMES = ("export_location", "image_id")
"""What a result is about; what is more in it, is made for each answer perhaps. (GEN-13.)"""


def of_members(readings: ValuesShown, writes: Mapping[str, Sequence[Write]], patience: float) -> Iterator[TwoAnswers]:
    """Yield what cannot be true of a membership."""
    for (whose, _, name), known in readings.each():
        image, _, member = whose.partition("/")
        concerning = [write for write in writes.get(image, ()) if _concerns(write, member)]
        if name == "status":
            yield from _of_decisions(known, concerning, patience)
        elif name == "created_at":
            for _, reading, before, earlier in unseen(known):
                if not _anew(concerning, before, reading, patience):
                    yield changed("MEM-UPD-09", "created_at of the member", earlier, reading)
        else:
            yield from _gone_back(known, concerning, patience)


def _concerns(write: Write, member: str) -> bool:
    """Return whether a request may have changed a membership: of some services it ends with the visibility."""
    if write.kind == "create" or (write.refused and write.kind != "member"):
        return False
    if write.kind != "member":
        return write.names("visibility")
    method, target = write.exchange.method.upper(), write.exchange.target
    return (method == "POST" and not write.text) or member in write.text or member in plainly(target)


def _adds(write: Write) -> bool:
    return write.kind == "member" and write.exchange.method.upper() == "POST"


def _sets(write: Write) -> bool:
    return write.kind == "member" and write.exchange.method.upper() == "PUT"


def _anew(writes: Sequence[Write], before: Reading, reading: Reading, patience: float) -> bool:
    """Return whether a membership may have been ended since a reading, and begun anew.

    A node that is behind may show one that has ended, for as long as patience; an addition alone ends none before it.
    """
    return any(
        not write.refused
        and not _sets(write)
        and write.precedes(reading)
        and write.may_act_after(before.last.sent, 0.0 if _adds(write) else patience)
        for write in writes
    )


def _of_decisions(known: Sequence[Reading], writes: Sequence[Write], patience: float) -> Iterator[TwoAnswers]:
    """Yield where the status of a membership is one that its member has not set."""
    what = "status of the member"
    for place, reading in enumerate(known):
        before = known[max(place - 1, 0)]
        sent = [each for each in writes if each.precedes(reading)]
        done = [each for each in sent if not each.refused]
        value = str(reading.value)
        by_somebody = any(_sets(each) and (not each.text or value in each.text) for each in done)
        unknown = any(each.open for each in done)
        accounted = any(each.may_act_after(before.first.sent, patience) for each in done)
        if value in ("accepted", "rejected") and not by_somebody and not unknown:
            if place:
                yield changed(_blamed(sent, before, reading), what, before, reading)
            elif any(map(_adds, done)):  # who was never added, others ask about
                expected = Allowed("pending, as nobody has decided", "pending".__eq__)
                yield TwoAnswers("MEM-CRE-02", reading.shown, expected, what, reading.first, reading)
        elif place and not accounted and reading.is_after(before, patience):
            yield changed(_blamed(sent, before, reading), what, before, reading)


def _blamed(writes: Sequence[Write], before: Reading, reading: Reading) -> str:
    """Return what a status departs from that no acknowledged request has set: perhaps a refused one has."""
    refused = [each for each in writes if _sets(each) and each.refused and str(reading.value) in each.text]
    callers = {each.caller for each in refused if each.between(before, reading)}
    if not callers:
        return "MEM-UPD-01"
    return "MEM-UPD-02" if callers == {TESTER} else "MEM-UPD-03"


def _gone_back(known: Sequence[Reading], writes: Sequence[Write], patience: float) -> Iterator[TwoAnswers]:
    """Yield where the time of the last change of a membership is earlier than it was."""
    for place, reading in enumerate(known):
        for before in known[:place]:
            late = reading.is_after(before, patience) and reading.has_gone_back(before)
            if late and not _anew(writes, before, reading, patience):
                what = "updated_at of the member"
                yield TwoAnswers("MEM-UPD-09", reading.shown, no_earlier(before), what, before.last, reading)
                return


def kept_of(task: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what a task is to keep of what it shows: what it is about, and when it has ended what came of it."""
    for name in OF_A_TASK:
        yield name, task.get(name)
    for what, names in (("input", INPUTS), ("result", OUTCOMES)):
        shown = task.get(what)
        if isinstance(shown, Mapping) and (what == "input" or task.get("status") == "success"):
            for name in names:
                # How a service writes the address of an object, or an id, nobody says.
                value = shown.get(name)
                shown_so = plainly(WHO.sub("//", unquote(value))) if isinstance(value, str) else value
                yield f"{what}.{name}", shown_so
    if RANKS.get(str(task.get("status"))) == RANKS["success"]:
        yield "expires_at", task.get("expires_at")


def of_tasks(readings: ValuesShown, patience: float) -> Iterator[TwoAnswers]:
    """Yield what cannot be true of a task."""
    for (_, caller, name), known in readings.each():
        what = f"{name} of the task"
        if name == "status":
            yield from _of_progress(known, patience)
        elif name == "expires_at":
            first = known[0]
            for reading in known[1:]:
                # A service may keep a task longer that is still asked for.
                if reading.has_gone_back(first):
                    yield TwoAnswers("TASK-ENT-04", reading.shown, no_earlier(first), what, first.last, reading)
        else:
            for _, reading, _, earlier in unseen(known):
                requirement = "TASK-ENT-05" if name.startswith("result") else "TASK-GET-01"
                if reading.listed:
                    requirement = "TASK-LIST-02"
                elif name == "owner" and caller == TESTER:
                    requirement = "TASK-ENT-08"
                yield changed(requirement, what, earlier, reading)


def _of_progress(known: Sequence[Reading], patience: float) -> Iterator[TwoAnswers]:
    """Yield where a task goes on that has ended, or ends otherwise. A list may be late, or speak of an attempt."""
    for place, reading in enumerate(known):
        for before in () if reading.listed else known[:place]:
            now, then = RANKS.get(str(reading.value)), RANKS.get(str(before.value))
            if now is None or then != RANKS["success"] or before.listed or reading.value == before.value:
                continue
            if now == then or reading.is_after(before, patience):
                yield changed("TASK-ENT-09", "status of the task", before, reading)
                return
