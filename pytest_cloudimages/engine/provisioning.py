"""The lives of images: created and deleted, or lent and given back as they were."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import Answer, ImagesClient
from pytest_cloudimages.spec.verdicts import Blocked, TokenEnded


def fresh_name(run: str) -> str:
    """Give a name for an image that no other image has."""
    return f"pytest-cloudimages-{run}-{uuid.uuid4().hex[:8]}"


@contextmanager
def temporary_image(
    client: ImagesClient, run: str, patience: Eventually | None = None, **attributes: Any
) -> Iterator[Image]:
    """Create an image for the length of a block, and delete it. Raises ``Blocked`` where that cannot be."""
    name = attributes.setdefault("name", fresh_name(run))
    protected = bool(attributes.pop("protected", False))
    with client.recorder.of(Purpose.PREPARING):
        try:
            answer = client.create(**({"disk_format": "raw", "container_format": "bare"} | attributes))
        except TokenEnded:
            raise
        except BaseException:
            # Nobody knows whether it was created: the answer was lost, or nobody waited for it.
            _missed(client, name)
            raise
    if answer.status >= 500:  # noqa: PLR2004 - the class of codes
        _missed(client, name)  # a gateway may have given up on what was done all the same
    identifier = answer.data.get("id") if isinstance(answer.data, dict) else None
    if not answer.ok or not isinstance(identifier, str):
        raise Blocked(
            f"No image could be created ({answer.exchange}); lend one of yours with --image ID, its tags are put back."
        )
    image = Image(client, identifier, name, patience)
    client.recorder.traces.in_use.add(identifier)
    try:
        _begun(image, answer)
        if protected:
            # By PATCH: what cannot be protected so could not be freed either, and would stay for ever.
            with client.recorder.of(Purpose.PREPARING):
                require_ok(client.patch(identifier, {"op": "replace", "path": "/protected", "value": True}))
        yield image
    finally:
        client.recorder.traces.in_use.discard(identifier)
        with client.recorder.of(Purpose.CLEANING):
            _tidied(image, protected=protected)


def _missed(client: ImagesClient, name: str) -> None:
    """Look for an image whose creation was not answered, by the name that no other has, and delete it."""
    try:
        with client.recorder.of(Purpose.CLEANING):
            for identifier in _named(client, name):
                _tidied(Image(client, identifier, name))
    except Blocked:
        told = f"perhaps an image named {name}: its creation was not answered"
        client.recorder.traces.left_behind.append(told)


def _named(client: ImagesClient, name: str) -> list[str]:
    """Give the ids of the images of a name that nobody uses: an image that stands by has the name of another."""
    found = client.list(name=name).data
    images = found.get("images", ()) if isinstance(found, dict) else ()
    ids = [str(one.get("id")) for one in images if isinstance(one, dict) and one.get("name") == name]
    return [one for one in ids if one not in client.recorder.traces.in_use]


def _begun(image: Image, answer: Answer) -> None:
    """See that a new image is there, and that no lost answer has left a second one."""
    recorder = image.client.recorder
    recorder.created += 1
    with recorder.of(Purpose.PREPARING):
        if "repeated" in answer.exchange.note:
            # The lost answer may have been that of an image of the same name, which nobody else has.
            for identifier in _named(image.client, image.name):
                _tidied(replace(image, id=identifier))
        # A service that shows its first image at once is not asked again.
        if image.patience and (recorder.created == 1 or recorder.late_creation):
            shown = image.show()
            if shown.status == 404:  # noqa: PLR2004 - as HTTP has it
                recorder.late_creation = True
                image.patience.until(shown, image.show, lambda one: one.status != 404)  # noqa: PLR2004


def _tidied(image: Image, *, protected: bool = False) -> None:
    """Delete an image, and try again where that breaks off; what stays is told in the end."""
    status = 0
    for pause in (0, 0.2, 1):
        time.sleep(pause)
        try:
            if protected:
                image.client.patch(image.id, {"op": "replace", "path": "/protected", "value": False})
            status = image.client.delete(image.id).status
        except Blocked as problem:
            # A repetition that finds nothing has done what the lost answer was about.
            status = 404 if "answered 404" in str(problem) else 0
        if status and status < 500:  # noqa: PLR2004 - the class of codes
            break
    if not 200 <= status < 300 and status != 404:  # noqa: PLR2004 - as HTTP has it
        what = f"its deletion was answered {status}" if status else "its deletion was not answered"
        image.client.recorder.traces.left_behind.append(f"image {image.id} ({image.name}): {what}")


@contextmanager
def borrowed_image(client: ImagesClient, identifier: str, patience: Eventually | None = None) -> Iterator[Image]:
    """Take the tags off a lent image for the length of a block, and put them back as they were.

    Raises ``Blocked``, and takes none off, where it is not certain that they can be put back.
    """
    image = Image(client, identifier, "", patience)
    with client.recorder.of(Purpose.PREPARING):
        before = image.tags()
        if before:
            _make_sure_of(image, before)
    # A request that nobody waited for may yet take effect: then it is looked at again.
    pauses: tuple[float, ...] = ()
    try:
        with client.recorder.of(Purpose.PREPARING):
            set_tags(image, [])
        yield image
    except KeyboardInterrupt:
        pauses = (0.2, 0.5, 1.0)
        raise
    finally:
        with client.recorder.of(Purpose.CLEANING):
            try:
                set_tags(image, before)
                for pause in pauses:
                    time.sleep(pause)
                    set_tags(image, before)
            except Blocked as problem:
                told = f"image {identifier}: its tags were {before}; {problem}"
                client.recorder.traces.left_behind.append(told)


def _make_sure_of(image: Image, tags: list[str]) -> None:
    """See that the service takes the tags that an image has: some may be from before a rule or a smaller limit."""
    known = (image.id, tuple(sorted(tags)))
    if known in image.client.recorder.traces.certain:
        return
    # Either way says what is so already; a service that keeps its promises changes nothing.
    taken = image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": tags}).ok
    taken = taken or all(image.add_tag(tag).ok for tag in tags)
    found = image.eventual_tags(tags)
    if not taken or sorted(found) != sorted(tags):
        for tag in {*found} - {*tags}:
            image.delete_tag(tag)
        raise Blocked(
            f"The tags of image {image.id}, {tags}, could not be put back, so none is taken off. Lend another image,"
            " best one without tags."
        )
    image.client.recorder.traces.certain.add(known)


def set_tags(image: Image, tags: list[str]) -> None:
    """Make these the image's tags, by PATCH or else one by one. Raises ``Blocked`` where they end up otherwise."""
    found = image.tags()
    if sorted(found) == sorted(tags):
        return
    image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": tags})
    found = image.tags()
    for tag in [one for one in found if one not in tags]:
        image.delete_tag(tag)
    for tag in [one for one in tags if one not in found]:
        image.add_tag(tag)
    if sorted(image.eventual_tags(tags)) != sorted(tags):
        raise Blocked(f"The tags of image {image.id} could not be set to {tags}; it shows {image.tags()}.")
