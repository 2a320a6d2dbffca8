"""A Dask cluster in the place of this machine: what may travel there, how it is reached, and what comes back."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, NOT_JUDGED, SUITE_ERROR
from pytest_cloudimages.app.many.at_worker import MOST_INTERRUPTS, Order, dask, event_name, execute_at_worker, inside
from pytest_cloudimages.app.many.units import Ending, Stop, Unit, ended
from pytest_cloudimages.app.report_files import replace_together
from pytest_cloudimages.reporting import plans
from pytest_cloudimages.reporting.results import SCRIPTS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

READ_THERE = ("catalogue", "deviations", "baseline")
"""Options that name files, which travel with a unit: none of them is secret."""
PATIENCE = 15
"""Seconds that a scheduler is given to answer, at first and when its connection was lost."""
TLS = (
    "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and"
    " DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"
)


class UnreachableError(Exception):
    """There is no scheduler where one was named."""


def unfit(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield why a command is not one for a cluster, each in one line: what was expected, and what to do."""
    if not chosen.clouds and not chosen.reference:
        yield "--dask: expected --cloud NAME beside it: names alone travel, and workers look for what is behind them."
    if chosen.workers:
        yield "--dask: expected no --workers beside it: the cluster has its own. Leave one out."
    yield from _unfit_paths(chosen)
    for wish in chosen.export or ():
        file = wish.partition("=")[2]
        if file and Path(file) != inside(file):
            yield f"--export {wish}: expected a path below the reports with --dask."
    if chosen.sign and (chosen.shards or 1) == 1:
        yield "--sign: expected no --dask beside it: a key does not travel. Sign what has come back."
    try:
        security(chosen.dask)
    except ValueError as problem:
        yield f"--dask {chosen.dask}: {problem}"


def _unfit_paths(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield which files cannot travel with a unit, or do not lead to the same place on a worker."""
    if chosen.ledger and not Path(chosen.ledger).is_absolute():
        yield f"--ledger {chosen.ledger}: expected an absolute path with --dask: it is a folder of each worker."
    if chosen.examples:
        yield "--examples: expected none with --dask: what is found is gathered among the reports."
    for option in READ_THERE:
        for name in _listed(getattr(chosen, option)):
            if Path(name) != inside(name):
                yield f"--{option} {name}: expected a path below this folder with --dask, such as {Path(name).name}."
            elif not Path(name).is_file():
                yield f"--{option} {name}: expected a file, and there is none."


def security(address: str) -> Any:
    """Return how a scheduler is spoken to: ``None`` on this computer, with TLS elsewhere.

    Raise ``ValueError`` where that is not so, and where the library is not installed.
    """
    from pytest_cloudimages.client.plain_http import is_loopback

    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    here = parts.scheme == "tcp" and is_loopback(parts.hostname or "")
    if not here and (parts.scheme != "tls" or not parts.hostname):
        raise ValueError(
            "expected tls://HOST:PORT of a scheduler on another computer, where everybody on the way could have a"
            " worker do what they like. Only one on this computer is spoken to without TLS."
        )
    try:
        distributed = dask()
    except ImportError:
        raise ValueError('expected Dask to be installed. pip install "pytest-cloudimages[dask]" does it.') from None
    if here:
        return None
    found = distributed.Security(require_encryption=True)
    if not found.tls_ca_file or not found.tls_client_cert:
        raise ValueError(f"expected certificates for TLS. Set {TLS}, or the same in a file of Dask's configuration.")
    return found


class Cluster:
    """Workers elsewhere, to which units are submitted."""

    def __init__(
        self, client: Any, run: str, files: Mapping[str, bytes], tell: Callable[[str, str], None], stop: Stop
    ) -> None:
        self._client, self._run, self._files, self._tell, self._stop = client, run, files, tell, stop
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        self.workers = len(workers)
        self._resources = {name for worker in workers for name in worker.get("resources", ())}

    def submit(self, unit: Unit) -> Future[Ending]:
        """Have a unit carried out, by a worker that says it reaches the service, where some do."""
        place = next((place for place in unit.places if place in self._resources), None)
        executor = self._client.get_executor(pure=False, **({"resources": {place: 1}} if place else {}))
        future: Future[Ending] = executor.submit(execute_at_worker, Order(unit, self._run, self._files))
        return future

    def received(self, unit: Unit, future: Future[Ending]) -> Ending:
        """Return how a unit ended, after its files were written and what it said was printed."""
        try:
            ending = future.result()
        except CancelledError:
            ending = Ending(INTERRUPTED) if self._stop.count else ended(NOT_JUDGED, "the scheduler was lost")
        except Exception as problem:  # noqa: BLE001 - whatever a cluster raises that cannot do it
            killed = type(problem).__name__ == "KilledWorker"
            why = "workers were lost at it again and again" if killed else f"{type(problem).__name__}: {problem}"
            ending = ended(NOT_JUDGED if killed else SUITE_ERROR, why)
        for line in ending.lines or (ending.told,):
            self._tell(unit.label, line)
        write_files(Path(unit.folder), ending.files)
        return ending


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what a unit has left elsewhere; raise ``OSError`` where that cannot be done."""
    contents = {folder / inside(name): octets for name, octets in files.items()}
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_together(contents, [path for path in contents if path.suffix == ".sh"])
    if contents:
        for stale in {*(folder / SCRIPTS).glob("*.sh"), *(folder / plans.FOLDER).glob("*.json")} - {*contents}:
            stale.unlink()


@contextmanager
def connected(chosen: argparse.Namespace, tell: Callable[[str, str], None], stop: Stop) -> Iterator[Cluster]:
    """Yield the cluster; its units hear of interrupts until the end. Raise ``UnreachableError`` where there is none."""
    # What becomes of a lost scheduler, we say ourselves.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    for name in ("client", "core", "comm"):
        logging.getLogger(f"distributed.{name}").setLevel(logging.CRITICAL)
    names = [name for option in READ_THERE for name in _listed(getattr(chosen, option))]
    files = {name: Path(name).read_bytes() for name in names}
    try:
        client = dask().Client(chosen.dask, security=security(chosen.dask), timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError) as problem:
        raise UnreachableError(f"no scheduler answers: {problem}") from None
    run = f"cloudimages-{secrets.token_hex(6)}"
    heard, _ = stop.lead_to_process()
    threading.Thread(target=_pass_on, args=(heard, client, run), daemon=True).start()
    try:
        yield Cluster(client, run, files, tell, stop)
    finally:
        with suppress(Exception):
            client.close(timeout=PATIENCE)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _pass_on(heard: int, client: Any, run: str) -> None:
    """Hand interrupts on to the workers, until nobody is left who sends any."""
    for number in range(1, MOST_INTERRUPTS + 1):
        if not os.read(heard, 1):
            break
        with suppress(Exception):
            dask().Event(event_name(run, number), client=client).set()
    else:
        # The last interrupt leaves things as they are, also where workers do not answer.
        with suppress(Exception):
            client.close(timeout=PATIENCE)
    os.close(heard)
