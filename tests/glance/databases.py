"""Databases for the services: a file each, or a MariaDB of their own."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from .processes import START, NotServingError, finish, give_up, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .processes import Place

NO_MARIADB = """\
MariaDB is not installed: there is no {missing} in PATH or /usr/sbin.
    apt-get install mariadb-server
It need not run as a service: one of our own is started, in a folder of its own. Or leave out --database mysql."""


def sqlite(place: Place, names: Sequence[str]) -> dict[str, str]:
    """Return the URLs of databases by name: a file for each."""
    return {name: f"sqlite:///{place.private}/{name}.sqlite" for name in names}


@contextmanager
def mysql(place: Place, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Serve MariaDB on a socket in the private folder, and nowhere else, for one block; yield the URLs of databases by name."""
    server, install = programs("mariadbd", "mariadb-install-db")
    data, address = place.private / "mariadb", place.private / "mariadb.sock"
    common = ["--no-defaults", f"--datadir={data}", *(["--user=root"] if os.geteuid() == 0 else [])]
    finish(place, "mariadb", [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"])
    command = [
        server,
        *common,
        f"--socket={address}",
        f"--pid-file={place.private}/mariadb.pid",
        f"--tmpdir={data}",
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=2",  # nothing here has to survive a power cut
        # As the installation guide of OpenStack has them.
        "--character-set-server=utf8",
        "--collation-server=utf8_general_ci",
        "--max-connections=4096",
    ]

    import pymysql

    with running(place, "mariadb", command) as process:
        deadline = time.monotonic() + START
        while True:
            try:
                connection = pymysql.connect(unix_socket=str(address), user="root")
                break
            except pymysql.err.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    give_up("MariaDB does not answer", place.log("mariadb"))
                time.sleep(0.1)
        with closing(connection), connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"CREATE DATABASE {name}")
        yield {name: f"mysql+pymysql://root@localhost/{name}?unix_socket={address}" for name in names}


def programs(*names: str) -> list[str]:
    """Find programs of MariaDB; Debian keeps the server where a user's PATH does not lead."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    found = {name: shutil.which(name, path=path) for name in names}
    if missing := [name for name, where in found.items() if not where]:
        raise NotServingError(NO_MARIADB.format(missing=" and no ".join(missing)))
    return [where for where in found.values() if where]
