"""Tags that nobody of the run gives: a scanner, or the service itself, gives them to every image."""

import time
from collections.abc import Iterable
from contextlib import suppress

import pytest

from pytest_cloudimages.areas.images.states import give_data
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import Blocked, leaves

LOOKS, PAUSE = 4, 0.2
"""Looks at an image that nothing is done to, and seconds from each to the next."""


def raise_if_tags_come_by_themselves(run: Run, error: BaseException, ids: Iterable[str]) -> None:
    """Raise ``Blocked`` where what a finding is about comes to an image that is left alone.

    An image has whoever it has in its project; that others add to its tags is no fault of the service.
    """
    mismatches = [leaf for leaf in leaves(error) if isinstance(leaf, Mismatch)]
    moved = {str(tag) for found in mismatches for tag in (*found.missing, *found.unexpected)}
    if not moved or not any(name.startswith("TAG-") for name in ids):
        return
    by_themselves = come_by_themselves(run)
    # On an image that is lent they may be others each time.
    if came := sorted(by_themselves if run.settings.image else moved & by_themselves):
        raise Blocked(
            f"Tags come to an image that is left alone: {', '.join(map(ascii, came))}. Have whoever gives them leave"
            " the images of this project alone, or name another project."
        ) from error


def come_by_themselves(run: Run) -> frozenset[str]:
    """Return the tags that a new image has a moment after its data has come, and had not at first; looked at once."""
    recorder = run.recorder
    with recorder.looking:
        if recorder.given_by_others is None:
            recorder.given_by_others = frozenset()
            with suppress(Blocked, pytest.skip.Exception), recorder.apart(), recorder.of(Purpose.PREPARING):
                recorder.given_by_others = _looked(run)
    return recorder.given_by_others


def _looked(run: Run) -> frozenset[str]:
    seen: list[set[str]] = []
    if run.settings.image:
        for place in range(2 * LOOKS):
            time.sleep(PAUSE if place else 0)
            seen.append({*(TAGS.values(run.client.show(run.settings.image[0])) or ())})
        return frozenset(set.union(*seen[1:]) - seen[0])
    with run.fresh_image(own=True) as image:
        for place in range(LOOKS):
            if place:
                time.sleep(PAUSE)
            seen.append({*(TAGS.values(image.show()) or ())})
            if not place:
                with suppress(Blocked, pytest.skip.Exception):
                    give_data(image)
    return frozenset(set.union(*seen[1:]) - seen[0])
