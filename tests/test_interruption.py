"""Ctrl-C at any place, also where Python's code stands on no line: the run ends as interrupted, never in an error."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from pytest_cloudimages.app.interruption import give_lines

OWN = """
import signal
from types import FunctionType


def press():
    signal.raise_signal(signal.SIGINT)


nowhere = FunctionType(press.__code__.replace(co_linetable=b"\\xff" * 64), globals())


def test_own():
    {body}
"""
BODIES = {
    "at once": "nowhere()",
    "while an error is handled": "try:\n        nowhere.x\n    except AttributeError:\n        nowhere()",
    "again while the first is handled": (
        "try:\n        nowhere()\n    except KeyboardInterrupt:\n        raise KeyboardInterrupt"
    ),
}


def without_a_line(function: Callable[[], None]) -> Callable[[], None]:
    """Return a function of which no instruction stands on a line."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__.replace(co_linetable=b"\xff" * 64), function.__globals__)


def interrupted() -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


def test_every_place_has_a_line() -> None:
    """What has none gets that of its function, and everything else keeps its own."""
    with pytest.raises(KeyboardInterrupt) as raised:
        without_a_line(interrupted)()
    assert None in [place.lineno for place in traceback.extract_tb(raised.tb)]

    give_lines(raised)

    assert interrupted.__code__.co_firstlineno in [place.lineno + 1 for place in raised.traceback]
    assert "KeyboardInterrupt" in str(raised.getrepr())


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_run_that_is_interrupted_nowhere(workshop: Any, body: str) -> None:
    """It ends with 130 and with its reports, wherever that was."""
    path = workshop.write("test_own.py", OWN.format(body=body))
    process = workshop.start(
        "pytest_cloudimages.app.cli.main", "run", "--reference", "--select", "VER-02", "--", str(path)
    )
    outcome = workshop.end(process)

    assert outcome.status == 130, outcome.out
    assert "error of the suite" not in outcome.out
    assert outcome.results["interrupted"]
