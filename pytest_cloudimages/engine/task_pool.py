"""Threads that execute tasks beside each other, and tasks that consist of tasks."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")


class TaskPool:
    """So many threads and no more, however tasks are nested: whoever waits for a task that nobody has begun does it."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "cloudimages")

    def __repr__(self) -> str:
        return f"<TaskPool of {self.threads}>"

    def begin(self, task: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Have a task carried out in a copy of this context: its cases and requests arrive where they belong."""
        return self._pool.submit(copy_context().run, task, *arguments)

    def execute(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Return what each task returns, in their order; raise what the first of them raises that fails.

        All come to their end before: no request may be sent later, for somebody else.
        """
        begun = [self.begin(task) for task in tasks]
        ended = [_done(task) if future.cancel() else future for future, task in zip(begun, tasks, strict=True)]
        wait(ended)
        return [future.result() for future in ended]

    def close(self) -> None:
        """Begin nothing more, and return when all that was begun has ended."""
        self._pool.shutdown(cancel_futures=True)


def _done(task: Callable[[], Result]) -> "Future[Result]":
    """Carry a task out here and now, and return its outcome."""
    outcome = Future[Result]()
    try:
        outcome.set_result(task())
    except BaseException as problem:  # noqa: BLE001 - it is raised when the others have ended
        outcome.set_exception(problem)
    return outcome
