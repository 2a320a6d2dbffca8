"""The ledger: notes, on disk before anything is sent, of what exists or differs on a service because of a run.

A run that ends as it should strikes all its notes. What a run that died has left in them is taken away by the next run,
or by a sweep (``engine/sweeping.py``). Each run holds a lock on a file of its own as long as it lives, which the system
takes from it however it dies.
"""

import fcntl
import json
import os
import platform
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "CLOUDIMAGES_LEDGER"
FILE = "ledger.sqlite3"
VERSION = 1
"""The shape of the tables; a ledger of another shape is left alone."""
BUSY = 5.0
"""Seconds that are waited for another process that writes."""
KEPT = 90 * 24 * 3600.0
"""Seconds after which the notes of images that nobody came to take away are dropped; their expiry is long over."""

TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, service TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, begun REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS images (
    note INTEGER PRIMARY KEY, run TEXT NOT NULL, name TEXT NOT NULL, image TEXT, caller TEXT NOT NULL, owner TEXT,
    noted REAL NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS lent (
    service TEXT NOT NULL, image TEXT NOT NULL, kind TEXT NOT NULL, run TEXT NOT NULL, shown TEXT NOT NULL,
    caller TEXT NOT NULL, owner TEXT, noted REAL NOT NULL, PRIMARY KEY (service, image, kind)
);
PRAGMA user_version = {VERSION};
COMMIT;
"""
UNFINISHED = "(SELECT run FROM images UNION SELECT run FROM lent)"


def _prepare(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise sqlite3.DatabaseError(f"it is of version {version}, and this suite writes {VERSION}")
    if not version:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(TABLES)
    connection.execute("PRAGMA synchronous = FULL")


class LedgerError(Exception):
    """The ledger cannot be used; says in one line why."""


@dataclass(frozen=True)
class Created:
    """A note of an image that was to be created."""

    note: int
    name: str
    image: str | None
    """Its id; ``None`` where its creation was not answered."""
    caller: str
    owner: str | None
    """The id of its project, where that is known."""
    noted: float
    expires: float


@dataclass(frozen=True)
class Lent:
    """A note of the values that a set of a lent image had."""

    image: str
    kind: str
    values: tuple[str, ...]
    caller: str
    owner: str | None
    noted: float


@dataclass
class DeadRun:
    """A run that ended without having struck its notes, or died."""

    run: str
    created: list[Created]
    lent: list[Lent]


def folder_of(chosen: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the ledger is: as an option says, or the environment, or where the user's state belongs."""
    if named := chosen or environ.get(VARIABLE):
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_state_path("pytest-cloudimages", appauthor=False)


def service_of(endpoint: str) -> str:
    """Return by which name the ledger knows a service: its address, without whatever might be secret."""
    parts = urllib.parse.urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Ledger:
    """The notes of all runs of a user. It is opened where it is used, and made where something is to be noted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._durable = True

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Raise ``LedgerError`` for whatever goes wrong with files in this block."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as problem:
            raise LedgerError(f"the ledger {self.path} cannot be {what} ({problem})") from None

    def open(self) -> sqlite3.Connection:
        """Return the connection to the file, which is made where it is not there yet."""
        if self._connection is None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def write(self, *statements: tuple[str, Sequence[Any]], durable: bool = True) -> int:
        """Carry statements out together, and return the number of the last row.

        ``durable``: they are on disk when this returns. Others survive the death of this process, and need not survive
        that of the machine: without them, more is looked for than is there.
        """
        with self._lock, self.told("written"):
            connection = self.open()
            if durable != self._durable:
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            connection.execute("BEGIN IMMEDIATE")
            try:
                rows = [connection.execute(*statement).lastrowid for statement in statements]
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        return rows[-1] or 0

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; there are none where nothing was ever noted."""
        with self._lock, self.told("read"):
            if self._connection is None and not self.path.exists():
                return []
            return self.open().execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    # Runs

    def lock_of(self, run: str) -> Path:
        """Return the file on which a run holds a lock as long as it lives."""
        return self.folder / f"{run}.lock"

    @contextmanager
    def dead(self, service: str) -> Iterator[list[DeadRun]]:
        """Yield the runs against a service that are over and have notes; no other process takes them up meanwhile."""
        runs = self.read("SELECT run, host FROM runs WHERE service = ?", (service_of(service),))
        locks: dict[str, int] = {}
        found: list[DeadRun] = []
        try:
            for run, host in runs:
                noted = self._noted(run)
                over = bool(noted.created) and not noted.lent
                over = over and all(created.expires < time.time() for created in noted.created)
                lock = self._taken(run)
                if lock is not None:
                    locks[run] = lock
                # Another host may share this folder without sharing its locks, and a lost file holds none.
                free = lock is not None
                if (free and host == platform.node()) or (over and (free or not self.lock_of(run).exists())):
                    found.append(noted)
            yield found
        finally:
            for run in (each.run for each in found):
                if not self._any_of(run):
                    with suppress(LedgerError):
                        self.write(("DELETE FROM runs WHERE run = ?", (run,)), durable=False)
                    self.lock_of(run).unlink(missing_ok=True)
            for lock in locks.values():
                os.close(lock)

    def living(self, service: str) -> set[str]:
        """Return the runs against a service that are not known to be over."""
        found = {str(run) for (run,) in self.read("SELECT run FROM runs WHERE service = ?", (service_of(service),))}
        with self.dead(service) as dead:
            return found - {each.run for each in dead}

    def holder_of(self, service: str, image: str) -> str | None:
        """Return the run that has to give a lent image back, if there is one."""
        rows = self.read("SELECT run FROM lent WHERE service = ? AND image = ?", (service_of(service), image))
        return str(rows[0][0]) if rows else None

    def strike(self, note: Created) -> None:
        """Strike the note of an image that is gone."""
        self.write(("DELETE FROM images WHERE note = ?", (note.note,)), durable=False)

    def strike_lent(self, service: str, note: Lent) -> None:
        """Strike the note of a set that has its values again."""
        key = (service_of(service), note.image, note.kind)
        self.write(("DELETE FROM lent WHERE service = ? AND image = ? AND kind = ?", key), durable=False)

    def _noted(self, run: str) -> DeadRun:
        created = self.read(
            "SELECT note, name, image, caller, owner, noted, expires FROM images WHERE run = ? ORDER BY note", (run,)
        )
        lent = self.read("SELECT image, kind, shown, caller, owner, noted FROM lent WHERE run = ?", (run,))
        with self.told("read"):
            return DeadRun(
                run,
                [Created(*row) for row in created],
                [Lent(row[0], row[1], tuple(json.loads(row[2])), *row[3:]) for row in lent],
            )

    def _any_of(self, run: str) -> bool:
        with suppress(LedgerError):
            noted = self._noted(run)
            return bool(noted.created or noted.lent)
        return True

    def _taken(self, run: str) -> int | None:
        """Take the lock of a run that is over; ``None`` where it lives, or nobody can tell."""
        try:
            lock = os.open(self.lock_of(run), os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return lock
