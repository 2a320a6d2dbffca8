"""What a worker of a Dask cluster does: the same unit as anywhere, with the credentials that the worker has.

The unit's process is told to stop as everywhere: by an event of the cluster, by the loss of its scheduler, or by the
end of the worker, be it a kill.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, SUITE_ERROR
from pytest_cloudimages.app.many.units import Ending, Stop, Unit, ended, execute

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_INTERRUPTS = 3
"""Interrupts that a run tells apart."""
LOOK = 2.0
"""Seconds after which it is looked whether a unit is over whose interrupts are waited for."""
CLOUDS = {
    "OS_CLIENT_CONFIG_FILE": ("clouds.yaml", "clouds.yml", "clouds.json"),
    "OS_CLIENT_SECURE_FILE": ("secure.yaml", "secure.yml", "secure.json"),
}
"""Files that openstacksdk finds in the folder that it is started in, and the variables that name them."""


@dataclass(frozen=True)
class Order:
    """What travels to a worker."""

    unit: Unit
    run: str
    """What the events of this command are called."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that its words name, and what is in them: catalogues and deviations."""
    version: str = __version__


def dask() -> Any:
    """Return the library, which is loaded where a cluster is spoken to."""
    return importlib.import_module("distributed")


def event_name(run: str, number: int) -> str:
    """Return what the event is called that is an interrupt."""
    return f"{run}-interrupt-{number}"


def execute_at_worker(order: Order) -> Ending:
    """Carry a unit out, and return how it ended, with all that it said and left."""
    if order.version != __version__:
        told = f"a worker has pytest-cloudimages {__version__}, expected {order.version} as where the command was typed"
        return ended(SUITE_ERROR, told)
    distributed = dask()

    lines: list[str] = []
    stop, over = Stop(), threading.Event()
    client = distributed.get_client()
    if distributed.Event(event_name(order.run, 1), client=client).is_set():
        return Ending(INTERRUPTED)
    hearing = threading.Thread(target=_heed, args=(client, order.run, stop, over), daemon=True)
    # Dask takes the folder away that a killed worker has left.
    with tempfile.TemporaryDirectory(
        dir=distributed.get_worker().local_directory, ignore_cleanup_errors=True
    ) as folder:
        for name, octets in order.files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)
        hearing.start()
        try:
            unit = replace(order.unit, folder=str(inside(order.unit.folder)))
            ending = execute(unit, lines.append, stop, folder=folder, environ=_environ())
        finally:
            over.set()
            stop.close()
        return replace(ending, lines=tuple(lines), files=_left_in(Path(folder, unit.folder)))


def inside(place: str) -> Path:
    """Return a relative path that leads nowhere else, and is the same where a path does not."""
    return Path(*(part for part in Path(place).parts if part not in ("..", Path(place).anchor)))


def _heed(client: Any, run: str, stop: Stop, over: threading.Event) -> None:
    """Interrupt a unit when the command is interrupted, and where nobody could tell any more."""
    for number in range(1, MOST_INTERRUPTS + 1):
        event = dask().Event(event_name(run, number), client=client)
        while not over.is_set():
            try:
                if event.wait(timeout=LOOK):
                    break
            except Exception:  # noqa: BLE001 - whatever a lost connection raises
                stop.interrupt()
                return
        if over.is_set():
            return
        stop.interrupt()


def _environ() -> dict[str, str]:
    """Return the worker's own environment, in which its own clouds.yaml is found from another folder too."""
    environ = dict(os.environ)
    for variable, names in CLOUDS.items():
        if found := next((Path(name).resolve() for name in names if Path(name).is_file()), None):
            environ.setdefault(variable, str(found))
    return environ


def _left_in(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
