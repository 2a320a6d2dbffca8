"""Our processes: where they live, what they print, and that none of them outlives its block."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

START = 300.0
"""Seconds a server may take until it answers; on a busy machine, loading Glance takes more than a minute."""
STOP = 10.0
"""Seconds a server or an interrupted command may take to end."""
LAST_LINES = 30
"""Lines of a log that an error shows."""


class NotServingError(Exception):
    """A server did not start, or did not last."""


@dataclass(frozen=True)
class Place:
    """Where our processes live: a private folder, and the one for their logs."""

    private: Path
    logs: Path

    def log(self, name: str) -> Path:
        """Return the file for the output of a service and its tools."""
        return self.logs / f"{name}.log"

    def write(self, name: str, file: str, template: str, **values: object) -> None:
        """Write a configuration file of one service."""
        folder = self.private / name
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(template.format(folder=folder, **values))

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of our processes: without the caller's OS_* and proxies, with a private home."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.private),
            "TMPDIR": str(self.private),
            **(more or {}),
        }


def finish(place: Place, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, which must be a success."""
    with place.log(name).open("ab") as output:
        done = subprocess.run(
            command,
            cwd=place.private,
            env=place.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        give_up(f"{shlex.join(command)} ended with {done.returncode}", place.log(name))


@contextmanager
def running(
    place: Place,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    listener: socket.socket | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for one block; that it ends before the block does is an error."""
    with place.log(name).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=place.private / name,  # where gunicorn looks for its settings
            env=place.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()] if listener else [],
            start_new_session=True,  # Ctrl-C is for us and our command; servers go after their clients
        )
    try:
        yield process
        if process.poll() is not None:
            give_up(f"{name} ended with {process.returncode} before it was told to", place.log(name))
    finally:
        try:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def obey(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and return its exit status; an interrupt reaches the command too, so it is waited for.

    An interrupt is not raised here: one that is raised just as the command has ended loses its exit status, and Python
    takes 0 for it (``subprocess.Popen.wait``).
    """
    started: list[subprocess.Popen[bytes]] = []
    ending: list[threading.Timer] = []

    def send(number: int) -> None:
        for process in started:
            process.send_signal(number)

    def interrupted(*_: object) -> None:
        """Let the command end by itself, then tell it to, then end it."""
        if not ending:
            ending.append(threading.Timer(STOP, send, (signal.SIGTERM,)))
            ending.append(threading.Timer(2 * STOP, send, (signal.SIGKILL,)))
            for timer in ending:
                timer.start()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        with subprocess.Popen(command, env=environment) as process:
            started.append(process)
            status = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        for timer in ending:
            timer.cancel()
    return 128 - status if status < 0 else status


def give_up(what: str, log: Path) -> NoReturn:
    """Raise ``NotServingError`` with the end of the log."""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
    raise NotServingError("\n".join([f"{what}. The end of {log.name}:", *(f"    {line}" for line in lines)]))
