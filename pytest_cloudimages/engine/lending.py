"""Lent images, whose sets are emptied for the length of a test and restored as they were."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.kept_values import eventual_values, replaces, set_values, takes, values_of
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked


@contextmanager
def borrowed_image(
    client: ImagesClient, identifier: str, resources: Sequence[SetResource], patience: Eventually | None = None
) -> Iterator[Image]:
    """Empty these sets of a lent image for the length of a block, and restore them as they were.

    Raise ``Blocked``, and take nothing off, where it is not certain that they can be restored. What else of the image
    differs when it goes back is named at the end of the run.
    """
    image = Image(client, identifier, patience=patience)
    before: list[tuple[SetResource, list[str]]] = []
    with client.recorder.of(Purpose.PREPARING):
        lent = _other_attributes(image, resources)
        image = replace(image, name=str((lent or {}).get("name") or ""))
        shown: dict[str, Sequence[str]] = {resource.name: values_of(image, resource) for resource in resources}
        # What an earlier block could not put back is noted still, and is no longer what the image shows.
        shown |= client.recorder.traces.notes.lending(identifier, client.caller, shown) or {}
        for resource in resources:
            before.append((resource, [*shown[resource.name]]))
            if shown[resource.name]:
                _make_sure_of(image, *before[-1])
    # A request that nobody waited for may yet take effect: then it is looked at again.
    pauses: tuple[float, ...] = ()
    try:
        with client.recorder.of(Purpose.PREPARING):
            for resource in resources:
                set_values(image, resource, [])
        yield image
    except KeyboardInterrupt:
        pauses = (0.2, 0.5, 1.0)
        raise
    finally:
        with client.recorder.of(Purpose.CLEANING):
            for resource, values in before:
                _restore(image, resource, values, pauses)
            _tell_what_changed(image, resources, lent)


def _other_attributes(image: Image, resources: Iterable[SetResource]) -> dict[str, Any] | None:
    """Return the attributes of an image that no restoring puts back, or None where they cannot be read."""
    answer = image.show()
    if not answer.ok or not isinstance(answer.data, dict):
        return None
    volatile = {"updated_at"}.union(*(resource.volatile for resource in resources))
    return {name: value for name, value in answer.data.items() if name not in volatile}


def _tell_what_changed(image: Image, resources: Iterable[SetResource], lent: dict[str, Any] | None) -> None:
    """Name every attribute of a lent image that is not as it was."""
    if lent is None:
        return
    try:
        now = image.eventually(lambda: _other_attributes(image, resources), lambda shown: shown == lent)
    except Blocked:
        now = None
    told = image.client.recorder.traces.left_behind
    if now is None:
        told.append(f"image {image.id}: it cannot be read any more, so see whether it is as you lent it")
        return
    for name in sorted({*lent, *now}):
        if name not in lent or name not in now or lent[name] != now[name]:
            was, is_now = (repr(each[name]) if name in each else "absent" for each in (lent, now))
            told.append(f"image {image.id}: its {name} was {was} when it was lent and is now {is_now}")


def _restore(image: Image, resource: SetResource, values: list[str], pauses: Iterable[float]) -> None:
    """Restore a set, or say what it was where that cannot be."""
    try:
        set_values(image, resource, values)
        for pause in pauses:
            time.sleep(pause)
            set_values(image, resource, values)
        image.client.recorder.traces.notes.returned(image.id, resource.name)
    except Blocked as problem:
        told = f"image {image.id}: its {resource.name}s were {values}; {problem}"
        image.client.recorder.traces.left_behind.append(told)


def _make_sure_of(image: Image, resource: SetResource, values: list[str]) -> None:
    """See that the service takes the values that an image has: some may be from before a rule or a smaller limit."""
    known = (image.id, resource.name, tuple(sorted(values)))
    if known in image.client.recorder.traces.certain:
        return
    # Either way says what is so already; a service that keeps its promises changes nothing.
    taken = replaces(image, resource, values)
    taken = taken or all(takes(image, resource, value) for value in values)
    found = eventual_values(image, resource, values)
    if not taken or sorted(found) != sorted(values):
        for value in {*found} - {*values}:
            image.client.ask(resource.delete(image.id, value))
        raise Blocked(
            f"The {resource.name}s of image {image.id}, {values}, could not be put back, so none is taken off."
            f" Lend another image, best one without {resource.name}s."
        )
    image.client.recorder.traces.certain.add(known)
