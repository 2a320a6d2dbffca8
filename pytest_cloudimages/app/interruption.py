"""Where a run was interrupted, in a form that pytest can show."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def give_lines(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Have a line stand at each place of a traceback that has none.

    A signal comes wherever it comes, also at what Python does between two lines; pytest adds to a line's number, and
    would end in an error of its own there, and the run with it.
    """
    for error in _chain(excinfo.value):
        error.__traceback__ = _with_lines(error.__traceback__)
    excinfo.traceback = pytest.ExceptionInfo.from_exception(excinfo.value).traceback


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came from."""
    todo, seen = [error], list[BaseException]()
    while todo:
        link = todo.pop()
        if any(link is known for known in seen):
            continue
        seen.append(link)
        yield link
        todo += [earlier for earlier in (link.__cause__, link.__context__) if earlier is not None]


def _with_lines(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback in which what has no line has the first one of its function."""
    places = list[TracebackType]()
    while trace is not None:
        places.append(trace)
        trace = trace.tb_next
    made: TracebackType | None = None
    for place in reversed(places):
        # Its type says that there always is a number; where code stands on no line, it is None.
        line = int(place.tb_lineno or place.tb_frame.f_code.co_firstlineno)
        made = TracebackType(made, place.tb_frame, place.tb_lasti, line)
    return made
