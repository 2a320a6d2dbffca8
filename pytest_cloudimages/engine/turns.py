"""Tasks that take turns: one of them goes on at a time, and waits between two of its steps while others do.

So requests go out one after another, as ever, and what matters most of each workload comes before the rest of any.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.outage import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_cloudimages.client.transport import Transport

WATCH: ContextVar[Callable[[Callable[[], Any]], None] | None] = ContextVar("watch", default=None)
"""Who looks at what the workload in the making has so far; nobody, where that would keep others waiting."""


class Turns:
    """Tasks by their names, each carried out in a thread of its own, on the connection of whoever gives the turns."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._turns: dict[str, _Turn] = {}

    def __repr__(self) -> str:
        return f"<Turns of {', '.join(self._turns) or 'nobody'}>"

    def give(self, name: str, task: Callable[[], object]) -> None:
        """Have a task go on, or begin, until it waits or is over."""
        if name not in self._turns:
            self._turns[name] = _Turn(task, self._transport)
        self._go_on(name)

    def wait(self, name: str) -> None:
        """Have others go on, if this is called by a task of that name that has its turn."""
        turn = self._turns.get(name)
        if turn is not None and turn.is_mine:
            turn.wait()

    def finish(self, name: str) -> None:
        """Have a task that waits go on until it is over."""
        while (turn := self._turns.get(name)) is not None and turn.waits:
            turn.to_its_end = True
            self._go_on(name)

    def finish_all(self) -> bool:
        """Have every task that waits go on until it is over, and return whether there was any."""
        waiting = [name for name, turn in self._turns.items() if turn.waits]
        for name in waiting:
            self.finish(name)
        return bool(waiting)

    def others(self, name: str) -> bool:
        """Return whether this is the name of a task while another one is not over."""
        return name in self._turns and len(self._turns) > 1

    def end(self) -> None:
        """End every task where it waits: each cleans up, and nothing else is sent."""
        stopping, was = self._transport.way.stopping, self._transport.way.stopping.is_set()
        stopping.set()
        try:
            while self._turns:
                _, turn = self._turns.popitem()
                turn.end()
        finally:
            if not was:
                stopping.clear()

    def _go_on(self, name: str) -> None:
        turn = self._turns[name]
        try:
            turn.go_on()
        except BaseException:
            self.end()
            raise
        if turn.is_over:
            self._turns.pop(name, None)


class _Turn:
    def __init__(self, task: Callable[[], object], transport: Transport) -> None:
        self.task = task
        self.to_its_end = self.is_over = self._stopped = False
        self.waits = True
        self._mine, self._others = threading.Semaphore(0), threading.Semaphore(0)
        self._carried = transport.carried()
        # A copy of this context: what it sends arrives where it belongs.
        self._thread = threading.Thread(target=copy_context().run, args=(self._carry_out,), daemon=True)

    @property
    def is_mine(self) -> bool:
        return threading.current_thread() is self._thread

    def go_on(self) -> None:
        self.waits = False
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._mine.release()
        self._others.acquire()
        self.waits = not self.is_over

    def wait(self) -> None:
        if not self.to_its_end:
            self._others.release()
            self._mine.acquire()
        if self._stopped:
            raise Stopped

    def end(self) -> None:
        self.to_its_end = self._stopped = True
        if self._thread.ident is not None:
            self._mine.release()
            self._thread.join()

    def _carry_out(self) -> None:
        try:
            with self._carried():
                self.task()
        except Stopped:
            pass
        finally:
            self.is_over = True
            self._others.release()
