"""Databases for the services: a file each, or a MariaDB or a PostgreSQL of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import START, NotServingError, Place, finish, give_up, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

MISSING = """\
{package} is not installed: there is no {missing} in {where}.
    apt-get install {package}
It need not run as a service: one of our own is started, in a folder of its own. Or leave out --database."""
DEBIANS = Path("/usr/lib/postgresql")
"""Where Debian keeps PostgreSQL's programs, by version."""


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

    def connect() -> pymysql.Connection[Any]:
        return pymysql.connect(unix_socket=str(address), user="root")

    with running(place, "mariadb", command) as process:
        connection = answering(connect, pymysql.err.OperationalError, process, place, "mariadb")
        with closing(connection), connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"CREATE DATABASE {name}")
        yield {name: f"mysql+pymysql://root@localhost/{name}?unix_socket={address}" for name in names}


@contextmanager
def postgresql(place: Place, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Serve PostgreSQL on a socket in a folder of its own for one block; yield the URLs of databases by name.

    It refuses to run as root, so where this does, it runs as the user that Debian's package makes for it.
    """
    install, server = programs("initdb", "postgres")
    import psycopg2

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="real-postgresql-")))
        own = Place(folder, place.logs)
        (folder / "postgresql").mkdir()
        user: list[str] = []
        if os.geteuid() == 0:
            user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            for part in (folder, folder / "postgresql"):
                shutil.chown(part, "postgres", "postgres")
        data = folder / "postgresql" / "data"
        usual = ["--auth=trust", "--username=cloudimages", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        # The folder is closed to everybody else, so a connection needs no password.
        finish(own, "postgresql", [*user, install, f"--pgdata={data}", *usual])
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",  # nothing here has to survive a power cut
            "max_connections": "400",
        }
        command = [*user, server, "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]

        def connect() -> Any:
            return psycopg2.connect(host=str(folder), user="cloudimages", dbname="postgres")

        process = stack.enter_context(running(own, "postgresql", command))
        connection = answering(connect, psycopg2.OperationalError, process, own, "postgresql")
        with closing(connection):
            connection.autocommit = True  # CREATE DATABASE goes into no transaction
            with connection.cursor() as cursor:
                for name in names:
                    cursor.execute(f"CREATE DATABASE {name}")
        yield {name: f"postgresql+psycopg2://cloudimages@/{name}?host={folder}" for name in names}


def answering(
    connect: Callable[[], Any],
    trouble: type[Exception],
    process: subprocess.Popen[bytes],
    place: Place,
    name: str,
) -> Any:
    """Return a connection to a server that has just been started, as soon as it takes one."""
    deadline = time.monotonic() + START
    while True:
        try:
            return connect()
        except trouble:
            if process.poll() is not None or time.monotonic() > deadline:
                give_up(f"{name} does not answer", place.log(name))
            time.sleep(0.1)


def programs(*names: str) -> list[str]:
    """Find programs of a database; Debian keeps them where a user's PATH does not lead."""
    package = "mariadb-server" if names[0].startswith("mariadb") else "postgresql"
    more = ["/usr/sbin"] if package == "mariadb-server" else sorted(map(str, DEBIANS.glob("*/bin")), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *more])
    found = {name: shutil.which(name, path=path) for name in names}
    if missing := [name for name, where in found.items() if not where]:
        raise NotServingError(
            MISSING.format(
                package=package,
                missing=" and no ".join(missing),
                where=" or ".join(["PATH", *(more or [f"{DEBIANS}/*/bin"])]),
            )
        )
    return [where for where in found.values() if where]
