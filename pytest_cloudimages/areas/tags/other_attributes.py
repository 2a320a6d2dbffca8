"""The attributes of an image that are no tags."""

import time

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.run import FreshImage
from pytest_cloudimages.history.steps import Reading


def changed_attributes(before: Reading, after: Reading) -> set[str]:
    """Return the names of the attributes that differ between two readings, the tags apart."""
    earlier, later = before.rest or {}, after.rest or {}
    return {
        name for name in {*earlier, *later} if name not in earlier or name not in later or earlier[name] != later[name]
    }


def restless_attributes(fresh_image: FreshImage) -> set[str]:
    """Return the attributes that change while nothing is done to the image; a clock of seconds is given time."""
    with fresh_image() as image:
        before = Reading(image.show(), TAGS)
        time.sleep(1.1)
        return changed_attributes(before, Reading(image.show(), TAGS))
