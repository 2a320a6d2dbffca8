"""A terminal that may go away while a run writes to it."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer


class Terminal(io.FileIO):
    """A terminal; what is written after it has gone goes nowhere.

    The kernel hangs it up before it sends SIGHUP, and whatever is written in between fails with EIO: at any moment, in
    any hook of pytest's, so that reports would not be written. It is the signal that ends the run.
    """

    def write(self, octets: ReadableBuffer, /) -> int:
        """Write octets, or lose them where there is no terminal any more."""
        try:
            return super().write(octets)
        except OSError as problem:
            if problem.errno != errno.EIO:
                raise
            return memoryview(octets).nbytes


def is_terminal(number: int) -> bool:
    """Return whether a file descriptor is open on a terminal."""
    try:
        return os.isatty(number)
    except OSError:
        return False


@contextmanager
def terminals_may_go() -> Iterator[None]:
    """Have the standard streams that are terminals lose what is written after these have gone, for one block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_forgiving, before)
    try:
        yield
    finally:
        for stream in {sys.stdout, sys.stderr} - {*before}:
            stream.flush()
        sys.stdout, sys.stderr = before


def _forgiving(stream: TextIO) -> TextIO:
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or what a test has put in its place
        return stream
    if not is_terminal(number):
        return stream
    stream.flush()
    raw = io.BufferedWriter(Terminal(number, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding=stream.encoding, errors=stream.errors, line_buffering=True)
