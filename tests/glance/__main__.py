"""
Serves a real Glance and Keystone on loopback while a command runs.

    python -m tests.glance [--database sqlite|mysql|postgresql] [--workers N] [--threads N] [--vendor] [--logs FOLDER]
                           [MORE ...] -- COMMAND ...

runs COMMAND, with MORE behind it, with the OS_* variables that lead to them, and ends with its exit status; without
COMMAND it prints the variables as `export` lines and serves until Ctrl-C. It needs glance, keystone, gunicorn and
keystoneauth1 beside this Python, for mysql also PyMySQL and Debian's mariadb-server, for postgresql psycopg2 and Debian's
postgresql. All it writes is in temporary folders that go with it, except for the logs when a folder is named for them.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .cloud import real_glance
from .processes import NotServingError, obey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USUAL = {"sqlite": (1, 1), "mysql": (2, 4), "postgresql": (2, 4)}
"""Processes of each service and threads of each process, where nothing else is asked for.

SQLite bears no more; the others are there to resemble production. With one thread each, all connections of a client may
come to one process, and its races to nothing.
"""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; ``command`` is what to run, with all that is not for us behind it."""
    before, dashes, after = (
        (arguments[: arguments.index("--")], True, arguments[arguments.index("--") + 1 :])
        if "--" in arguments
        else (arguments, False, [])
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.glance",
        description="Serve a real Glance and Keystone on loopback while a command runs, or until Ctrl-C.",
        epilog="After --, the command; it runs with the OS_* variables set. Options not named here are put behind it.",
        allow_abbrev=False,
    )
    parser.add_argument("--database", choices=[*USUAL], default="sqlite")
    parser.add_argument("--workers", type=positive, help="processes for each service (2 unless told; sqlite: 1)")
    parser.add_argument("--threads", type=positive, help="threads for each process (4 unless told; sqlite: 1)")
    parser.add_argument("--vendor", action="store_true", help="the vendor's roles, tasks for all, an object store")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of the servers there")
    options, more = parser.parse_known_args(before)
    workers, threads = USUAL[options.database]
    options.workers, options.threads = options.workers or workers, options.threads or threads
    options.command = [*after, *more]
    if more and not after:
        parser.error(f"Unknown: {shlex.join(more)}; what is for a command needs a command, after --.")
    if dashes and not after:
        parser.error("There is no command after --.")
    if options.command and not shutil.which(options.command[0]):
        parser.error(f"There is no command {options.command[0]}.")
    if options.database == "sqlite" and (options.workers, options.threads) != (workers, threads):
        # It answers "database is locked" when two writes meet.
        parser.error("SQLite takes one worker and one thread; more need --database mysql or postgresql.")
    return options


def positive(text: str) -> int:
    """Read a number of at least one."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def without_a_cloud(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out the variables that lead to the caller's own cloud, and the proxies, which loopback has no use for."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("OS_") and not name.lower().endswith("_proxy")
    }


def say(*lines: str) -> None:
    """Print a line on standard error: standard output belongs to the command, or to the variables."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def main(arguments: Sequence[str]) -> int:
    """Serve for the time of a command, or until Ctrl-C."""
    options = parsed(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # so that every block is left in order
    started = time.monotonic()
    try:
        with real_glance(
            options.database,
            workers=options.workers,
            threads=options.threads,
            logs=options.logs,
            vendor=options.vendor,
        ) as found:
            say(
                f"Glance {version('glance')} and Keystone {version('keystone')} on {options.database}, "
                f"workers: {options.workers}, threads: {options.threads}, {time.monotonic() - started:.0f} s to start."
            )
            if options.command:
                return obey(options.command, without_a_cloud(os.environ) | found)
            sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items()))
            sys.stdout.flush()
            say("Serving until Ctrl-C.")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except NotServingError as error:
        say(str(error))
        return os.EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
