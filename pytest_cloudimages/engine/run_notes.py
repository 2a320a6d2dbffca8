"""The notes of one run in the ledger: each is on disk before what it is about is sent."""

import fcntl
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.notes import Notes, Values
from pytest_cloudimages.engine.ledger import KEPT, UNFINISHED, Ledger, LedgerError, service_of
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass
class RunNotes(Notes):
    """The notes of one run. It begins with the first of them: who asks only, leaves nothing anywhere."""

    ledger: Ledger
    run: str
    service: str
    tell: Callable[[str], object]
    """Takes what the tester has to hear."""
    project_of: Callable[[str], str | None] = field(default=lambda _: None)
    """Returns the id of the project that a caller acts for, where that is known."""
    _lock: int | None = None
    _problem: str = ""
    _lent: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """What is noted of the sets of lent images, by the image and what a value is called."""
    _home: set[tuple[str, str]] = field(default_factory=set)
    """Those that have these values now."""

    def begin(self) -> None:
        """Enter the run into the ledger, and hold its lock. Raise ``LedgerError`` where that cannot be."""
        if self._lock is not None:
            return
        path, now = self.ledger.lock_of(self.run), time.time()
        with self.ledger.told("written"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            row = (self.run, service_of(self.service), platform.node(), os.getpid(), now)
            self.ledger.write(
                ("DELETE FROM images WHERE expires < ?", (now - KEPT,)),
                (f"DELETE FROM runs WHERE begun < ? AND run NOT IN {UNFINISHED}", (now - KEPT,)),  # noqa: S608 - no input
                ("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", row),
                durable=False,  # together with the first note
            )
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(lock)
            raise
        self._lock = lock

    def creating(self, name: str, caller: str, expires: float) -> int | None:
        if self._problem:
            return None
        row = (self.run, name, caller, self.project_of(caller), time.time(), expires)
        try:
            self.begin()
            return self.ledger.write(
                ("INSERT INTO images (run, name, caller, owner, noted, expires) VALUES (?, ?, ?, ?, ?, ?)", row)
            )
        except LedgerError as problem:
            self.give_up(problem)
            return None

    def give_up(self, problem: LedgerError) -> None:
        """Note nothing more, and say so once."""
        if not self._problem:
            self._problem = str(problem)
            self.tell(
                f"WARNING: {problem}; the run goes on. Should it be killed, its images are found by their properties:"
                f" cloudimages sweep --older-than 0s."
            )

    def created(self, note: int | None, identifier: str | None, owner: str | None) -> None:
        change = "UPDATE images SET image = ?, owner = coalesce(owner, ?) WHERE note = ?"
        self._afterwards(note, (change, (identifier, owner, note)))

    def gone(self, note: int | None) -> None:
        self._afterwards(note, ("DELETE FROM images WHERE note = ?", (note,)))

    def _afterwards(self, note: int | None, statement: tuple[str, Sequence[Any]]) -> None:
        if note is None or self._problem:
            return
        try:
            self.ledger.write(statement, durable=False)
        except LedgerError as problem:
            self.give_up(problem)

    def lending(self, identifier: str, caller: str, values: Values) -> Values | None:
        if self._problem:
            raise Blocked(f"Nothing is taken off image {identifier}: {self._problem}.")
        new: dict[str, list[str]] = {}
        for kind, shown in values.items():
            noted = self._lent.get((identifier, kind))
            # What has not come back stays as it was noted: since then the values were changed.
            if noted is None or ((identifier, kind) in self._home and sorted(noted) != sorted(shown)):
                new[kind] = [*shown]
        if new:
            self._note(identifier, caller, new)
            self._lent |= {(identifier, kind): shown for kind, shown in new.items()}
        self._home -= {(identifier, kind) for kind in values}
        return {kind: self._lent[identifier, kind] for kind in values}

    def _note(self, identifier: str, caller: str, values: Values) -> None:
        service = service_of(self.service)
        rows = [
            (service, identifier, kind, self.run, json.dumps(shown), caller, self.project_of(caller), time.time())
            for kind, shown in values.items()
        ]
        change = "INSERT INTO lent VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET shown = excluded.shown"
        try:
            self.begin()
            self.ledger.write(*((f"{change} WHERE run = excluded.run", row) for row in rows))
            holder = self.ledger.holder_of(self.service, identifier)
        except LedgerError as problem:
            raise Blocked(f"Nothing is taken off image {identifier}: {problem}.") from None
        if holder != self.run:
            raise Blocked(
                f"The image {identifier} has not come back yet from another run, {holder}: wait for its end; if it has"
                " died, `cloudimages sweep` puts the image back as it was."
            )

    def returned(self, identifier: str, kind: str) -> None:
        # Struck in the end: the next block is lent the same values, and need not write them again.
        self._home.add((identifier, kind))

    def abandon(self) -> None:
        """Let go of the lock and strike nothing, as the death of the process does."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def close(self) -> None:
        if self._lock is None:
            self.ledger.close()
            return
        with suppress(LedgerError):
            key = "DELETE FROM lent WHERE run = ? AND image = ? AND kind = ?"
            self.ledger.write(
                *((key, (self.run, *home)) for home in sorted(self._home)),
                (f"DELETE FROM runs WHERE run = ? AND run NOT IN {UNFINISHED}", (self.run,)),  # noqa: S608 - no input
                durable=False,
            )
            if not self.ledger.read("SELECT run FROM runs WHERE run = ?", (self.run,)):
                self.ledger.lock_of(self.run).unlink(missing_ok=True)
        self.ledger.close()
        self.abandon()
