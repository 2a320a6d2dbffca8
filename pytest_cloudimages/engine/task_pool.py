"""Threads that execute tasks beside each other, and tasks that consist of tasks."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")
Waiting = deque[tuple["Future[Any]", Callable[[], Any]]]


class TaskPool:
    """So many threads and no more, however tasks are nested: whoever waits for a task that nobody has begun does it.

    The parts of a task go before all tasks that were not begun: whoever waits for them was there first.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "cloudimages")
        self._tasks, self._parts = Waiting(), Waiting()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<TaskPool of {self.threads}>"

    def begin(self, task: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Have a task carried out in a copy of this context: its cases and requests arrive where they belong."""
        return self._begin(self._tasks, partial(task, *arguments))

    def execute(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Return what each task returns, in their order; raise what the first of them raises that fails.

        All come to their end before: no request may be sent later, for somebody else.
        """
        begun = [self._begin(self._parts, task) for task in tasks]
        ended = [_done(task) if future.cancel() else future for future, task in zip(begun, tasks, strict=True)]
        wait(ended)
        return [future.result() for future in ended]

    def close(self) -> None:
        """Begin nothing more, and return when all that was begun has ended."""
        for waiting in (self._tasks, self._parts):
            for future, _ in [*waiting]:
                future.cancel()
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, waiting: Waiting, task: Callable[[], Result]) -> "Future[Result]":
        future = Future[Result]()
        waiting.append((future, partial(copy_context().run, task)))
        self._pool.submit(self._carry_one_out)
        return future

    def _carry_one_out(self) -> None:
        """Carry out the task whose turn it is: as many are asked for as there are."""
        with self._lock:
            future, task = (self._parts or self._tasks).popleft()
        if future.set_running_or_notify_cancel():
            _carry_out(future, task)


def _done(task: Callable[[], Result]) -> "Future[Result]":
    """Carry a task out here and now, and return its outcome."""
    outcome = Future[Result]()
    _carry_out(outcome, task)
    return outcome


def _carry_out(outcome: "Future[Result]", task: Callable[[], Result]) -> None:
    try:
        outcome.set_result(task())
    except BaseException as problem:  # noqa: BLE001 - it is raised when the others have ended
        outcome.set_exception(problem)
