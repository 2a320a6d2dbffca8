"""The attributes of an image that are no tags."""

import time
from collections.abc import Iterable

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.run import FreshImage
from pytest_cloudimages.history.steps import Reading, Span, differing
from pytest_cloudimages.spec.mismatch import expect


def expect_attributes_kept(spans: Iterable[Span], *opened: FreshImage) -> None:
    """Raise ``Mismatch`` where operations on tags came with another attribute's change.

    ``opened`` open images on which nothing is done: what changes there, changes by itself.
    """
    __tracebackhide__ = True
    for span in spans:
        # Some attributes move by themselves: a counter of views, an address that expires.
        if span.changed:
            restless = set[str]().union(*map(restless_attributes, opened))
            expect(span.changed - restless, set(), f"attributes changed with {span}{_values(span)}")


def _values(span: Span) -> str:
    before, after = span.before.rest or {}, span.after.rest or {}
    changes = [f"{name} {_value(before, name)} became {_value(after, name)}" for name in sorted(span.changed)[:FEW]]
    return f" ({', '.join(changes)}{', …' if len(span.changed) > FEW else ''})"


FEW = 3
"""Attributes, at most, whose values a message names."""


def _value(attributes: dict[str, object], name: str) -> str:
    return ascii(attributes[name]) if name in attributes else "absent"


def restless_attributes(fresh_image: FreshImage) -> set[str]:
    """Return the attributes that change while nothing is done to the image; a clock of seconds is given time."""
    with fresh_image() as image:
        before = Reading(image.show(), TAGS)
        time.sleep(1.1)
        return differing(before.rest, Reading(image.show(), TAGS).rest)
