"""Finding out whether a service shows changes late, where something is wrong and that may be why."""

import time
from contextlib import suppress

import pytest

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked

CHANGES, READINGS = 3, 8
PAUSE, LONGEST = 0.02, 2.0
"""Seconds from one reading to the next where a change was missed, and how long it is looked for."""


def look_for_lateness(run: Run) -> None:
    """Change an image a few times and read it quickly, and tell the recorder how late a change was seen to be.

    A change that is seen after a reading that missed it came late; one that is never seen is lost.
    """
    for resource in run.restored[:1]:
        # An image that cannot be had, or read, says nothing of lateness.
        with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
            _look(run, resource)


def _look(run: Run, resource: SetResource) -> None:
    with run.fresh_image() as image:
        allowed = min(run.patience.limit(), LONGEST)
        for number in range(CHANGES):
            value = f"late-{number}"
            if not run.client.ask(resource.add(image.id, value)).ok:
                return
            begun, missed, seen_in_a_row = time.monotonic(), 0.0, 0
            while seen_in_a_row < READINGS and (not missed or missed < allowed):
                seen = resource.values(run.client.ask(resource.read(image.id)))
                if seen is not None and value not in seen:
                    missed, seen_in_a_row = time.monotonic() - begun, 0
                else:
                    seen_in_a_row += 1
                if missed:
                    time.sleep(PAUSE)
            if missed and seen_in_a_row:
                run.recorder.saw_lag(missed + PAUSE)
            elif missed:
                return
