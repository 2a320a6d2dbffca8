"""The attributes of an image that are no tags."""

import time
from collections.abc import Iterable
from contextlib import suppress

import pytest

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.steps import Reading, Span, differing
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked


def expect_attributes_kept(spans: Iterable[Span], run: Run) -> None:
    """Raise ``Mismatch`` where operations on tags came with another attribute's change."""
    __tracebackhide__ = True
    for span in spans:
        if changed := span.changed - _of_the_service(span.before, span.after, run):
            by_themselves = states.restless_attributes(run) | _come_with_data(run, span)
            expect(changed - by_themselves, set(), f"attributes changed with {span}{_values(span)}")


def expect_nothing_else_changed(before: Reading, after: Reading, run: Run, when: str) -> None:
    """Raise ``Mismatch`` where an image shows other attributes than before, its tags apart."""
    __tracebackhide__ = True
    if changed := differing(before.rest, after.rest) - _of_the_service(before, after, run):
        expect(changed - states.restless_attributes(run), set(), f"attributes changed {when}")


def _of_the_service(before: Reading, after: Reading, run: Run) -> frozenset[str]:
    """Return the attributes that the service alone knows, as a counter of changes; what comes of a tag is none of them.

    A lent image has attributes of its owner's, which are to stay, whatever they are called.
    """
    if run.settings.image:
        return frozenset()
    seen, then = ({*(reading.rest or {})} - {*reading.beside} for reading in (before, after))
    return states.of_the_service(dict.fromkeys(seen & then))


def _values(span: Span) -> str:
    before, after = span.before.rest or {}, span.after.rest or {}
    changes = [f"{name} {_value(before, name)} became {_value(after, name)}" for name in sorted(span.changed)[:FEW]]
    return f" ({', '.join(changes)}{', …' if len(span.changed) > FEW else ''})"


FEW = 3
"""Attributes, at most, whose values a message names."""


def _value(attributes: dict[str, object], name: str) -> str:
    return ascii(attributes[name]) if name in attributes else "absent"


def _come_with_data(run: Run, span: Span) -> set[str]:
    """Return the attributes that had no value yet, and get one a while after the data has come, as checksums may."""
    before = span.before.rest or {}
    unset = {name for name in span.changed if before.get(name) is None}
    if unset:
        with suppress(Blocked, pytest.skip.Exception), run.fresh_image(own=True) as image:
            empty = Reading(image.show(), TAGS).rest or {}
            states.give_data(image)
            time.sleep(states.A_WHILE)
            shown = Reading(image.show(), TAGS).rest or {}
            return {name for name in unset if empty.get(name) is None and shown.get(name) is not None}
    return set()
