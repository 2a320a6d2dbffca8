"""`cloudimages run` with several services, or in shards: several runs at once, and what came of all of them."""

from __future__ import annotations

import functools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, NOT_JUDGED, SUITE_ERROR, USAGE, worst
from pytest_cloudimages.app.cli.signals import asked_to_end_by
from pytest_cloudimages.app.many.cluster import UnreachableError, connected
from pytest_cloudimages.app.many.gathering import Judged, gathered, stamp_of, write_matrix
from pytest_cloudimages.app.many.planning import MOST_WORKERS, planned, problems
from pytest_cloudimages.app.many.units import Ending, Stop, Unit, ended, execute
from pytest_cloudimages.app.options import REPORTS
from pytest_cloudimages.reporting.closing import WORDS, count

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor, Future

    from pytest_cloudimages.app.many.planning import Task


class Output:
    """What is printed: whole lines, each marked with the service that it is about."""

    def __init__(self, stop: Stop, width: int) -> None:
        self._stop, self._width = stop, width
        self._lock = threading.Lock()
        self.problem: OSError | None = None
        """Why nobody reads it any more, if that is so."""

    def tell(self, label: str, line: str) -> None:
        """Print a line; where that cannot be done, what is under way ends, since nobody learns of it."""
        with self._lock:
            if self.problem is None and line.strip():
                try:
                    print(f"{label:<{self._width}} | {line}" if label else line, flush=True)
                except OSError as problem:
                    self.problem = problem
                    self._stop.interrupt()


def many(chosen: argparse.Namespace, rest: Sequence[str]) -> int:
    """Judge several services, or one in shards, and return the worst exit status."""
    if wrong := next(problems(chosen), ""):
        print(f"cloudimages run: {wrong}", file=sys.stderr)
        return USAGE
    tasks = planned(chosen, rest)
    units = [unit for task in tasks for unit in task.units]
    stop = Stop()
    output = Output(stop, max((len(unit.label) for unit in units), default=0))
    what = count(len(tasks), "service") + (f" in {chosen.shards} shards each" if (chosen.shards or 1) > 1 else "")
    output.tell("", f"cloudimages {__version__}: {what}; seed {chosen.seed}")
    with _interrupted_by_signals(stop):
        try:
            with _workers(chosen, len(units), output, stop) as workers:
                judged = [*_judged(tasks, chosen, workers, output)]
        except UnreachableError as problem:
            print(f"cloudimages run: --dask {chosen.dask}: {problem}", file=sys.stderr)
            return NOT_JUDGED
        return _told(judged, chosen, output, stop)


class Workers(Protocol):
    """Where units are carried out."""

    def submit(self, unit: Unit) -> Future[Ending]:
        """Have a unit carried out."""

    def received(self, unit: Unit, future: Future[Ending]) -> Ending:
        """Return how a unit ended, after everything that it said was printed and what it left is in its folder."""


class Here:
    """This machine: a process for each unit, and a thread that listens to it."""

    def __init__(self, executor: Executor, output: Output, stop: Stop) -> None:
        self._executor, self._output, self._stop = executor, output, stop

    def submit(self, unit: Unit) -> Future[Ending]:
        """Have a unit carried out as soon as there is room for it."""
        return self._executor.submit(execute, unit, functools.partial(self._output.tell, unit.label), self._stop)

    def received(self, unit: Unit, future: Future[Ending]) -> Ending:
        """Return how a unit ended."""
        try:
            return future.result()
        except OSError as problem:
            ending = ended(SUITE_ERROR, f"no process could be started: {problem}")
            self._output.tell(unit.label, ending.told)
            return ending


@contextmanager
def _workers(chosen: argparse.Namespace, units: int, output: Output, stop: Stop) -> Iterator[Workers]:
    """Yield those that carry units out: processes of this machine, or a cluster where one is named."""
    if chosen.dask:
        with connected(chosen, output.tell, stop) as cluster:
            there = count(cluster.workers, "worker") if cluster.workers else "no worker yet, one is waited for"
            output.tell("", f"on a Dask cluster: {there}; what a unit says is printed at its end")
            yield cluster
        return
    at_once = max(min(units, chosen.workers or MOST_WORKERS), 1)
    output.tell("", f"on this machine: up to {at_once} at once")
    with ThreadPoolExecutor(at_once) as executor:
        yield Here(executor, output, stop)


def _judged(tasks: Sequence[Task], chosen: argparse.Namespace, workers: Workers, output: Output) -> Iterator[Judged]:
    """Yield what came of each service, in the order of the tasks, after it was said as soon as it was known."""
    units = {unit: task for task in tasks for unit in task.units}
    earlier = {unit.folder: stamp_of(unit.folder) for unit in units}
    endings: dict[Unit, Ending] = {}
    found: dict[int, Judged] = {}

    def see(task: Task) -> None:
        if id(task) not in found and all(unit in endings for unit in task.units):
            found[id(task)] = judged = _gathered(task, endings, earlier, chosen)
            if not task.units or len(task.units) > 1:
                output.tell(task.label or "all", judged.told)

    for task in tasks:
        see(task)
    futures = {workers.submit(unit): unit for unit in units}
    for future in as_completed(futures):
        unit = futures[future]
        try:
            endings[unit] = workers.received(unit, future)
        except OSError as problem:
            endings[unit] = ended(SUITE_ERROR, f"a report cannot be written: {problem}")
            output.tell(unit.label, endings[unit].told)
        see(units[unit])
    yield from (found[id(task)] for task in tasks)


def _gathered(
    task: Task, endings: dict[Unit, Ending], earlier: dict[str, tuple[int, int] | None], chosen: argparse.Namespace
) -> Judged:
    try:
        return gathered(task, endings, earlier, chosen)
    except OSError as problem:
        told = f"a report cannot be written: {problem}"
        return Judged(task, SUITE_ERROR, f"{WORDS[SUITE_ERROR]}: {told}; exit {SUITE_ERROR}")


def _told(judged: Sequence[Judged], chosen: argparse.Namespace, output: Output, stop: Stop) -> int:
    """Write the services side by side, say how each came out, and return the exit status."""
    status = worst(each.status for each in judged)
    status = worst((status, INTERRUPTED)) if stop.count and output.problem is None else status
    if len(judged) > 1 and any(each.data for each in judged):
        try:
            pages = write_matrix(judged, Path(chosen.reports or REPORTS))
            output.tell("", f"side by side: {', '.join(map(str, pages))}")
        except OSError as problem:
            output.tell("", f"cloudimages run: a report cannot be written: {problem}")
            status = worst((status, SUITE_ERROR))
    verdicts = ", ".join(f"{each.label} {WORDS[each.status]}" for each in judged)
    whole = len(judged) == 1 and judged[0].status == status
    output.tell("", judged[0].told if whole else f"{WORDS[status]}: {verdicts}; exit {status}")
    if output.problem is None:
        return status
    from pytest_cloudimages.app.cli.run import leave_unread

    leave_unread()
    return NOT_JUDGED if isinstance(output.problem, BrokenPipeError) else SUITE_ERROR


@contextmanager
def _interrupted_by_signals(stop: Stop) -> Iterator[None]:
    """Have Ctrl-C and its like interrupt what is under way, and wait for its end."""

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        stop.interrupt()
        if stop.count == 1:
            with suppress(OSError):
                os.write(2, b"\ncloudimages: interrupted; every service is left as it was first\n")

    try:
        with asked_to_end_by(interrupt):
            yield
    finally:
        stop.close()
