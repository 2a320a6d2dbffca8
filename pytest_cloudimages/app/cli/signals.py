"""The signals that ask a command to end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def asked_to_end_by(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Have a handler called by Ctrl-C, SIGTERM and a terminal that goes away, for one block."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]  # under nohup, a run outlives its terminal
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            # None stands for a handler that Python did not set, and cannot set again.
            if earlier is not None:
                signal.signal(number, earlier)
