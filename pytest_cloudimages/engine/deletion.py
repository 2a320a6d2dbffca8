"""The end of images: how they are deleted, found by their names where nobody knows more, and named where they stay."""

import time
from collections.abc import Iterable
from contextlib import suppress

from pytest_cloudimages.client.denials import GONE
from pytest_cloudimages.client.exchange import TESTER, Purpose
from pytest_cloudimages.client.identifiers import is_fit, shown_id
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.json_documents import NotRead
from pytest_cloudimages.client.outage import raise_if_shut_out
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.claims import Claim
from pytest_cloudimages.engine.kept_values import values_of
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer, NoEffect

IN_USE = 409
"""How the deletion of an image is answered that is in use, for the moment or for good."""
PAUSES = 0.0, 0.2, 1.0
"""Seconds before an image is deleted, and before it is tried again."""
IN_VAIN = 5
"""After so many images with which waiting changed nothing, and none with which it did, nobody waits any more."""


def delete(image: Image, resources: Iterable[SetResource] = (), *, protected: bool = False) -> bool:
    """Delete an image, and return whether it is gone; what stays is named at the end of the run."""
    status = _refusal(image, resources, protected=protected)
    if status == 403 and not protected:  # noqa: PLR2004 - as HTTP has it; who has protected it may have got no further
        status = _refusal(image, resources, protected=True)
    if status == 403 and image.client.caller != TESTER:  # noqa: PLR2004 - as HTTP has it; a role may create, and no more
        status = None if image.client.recorder.traces.delete_as_another(image.id) else status
    told = image.client.recorder.traces.left_behind
    what = f"image {image.id} ({image.name}): {_why(status)}" if status is not None else ""
    if what and what not in told:
        told.append(what)
    return status is None


def deleted(image: Image, resources: Iterable[SetResource] = (), *, protected: bool = False) -> str:
    """Delete an image, and try again where that fails; return why it stays, or nothing."""
    status = _refusal(image, resources, protected=protected)
    return "" if status is None else _why(status)


def _why(status: int) -> str:
    return f"its deletion was answered {status}" if status else "its deletion was not answered"


def _refusal(image: Image, resources: Iterable[SetResource], *, protected: bool) -> int | None:
    """Delete an image, and try again where that fails; return what was answered where it stays, 0 for nothing.

    A 404 may come from a node that has not heard of the image: it is gone where a read says so too, a while later.
    """
    status, gone, traces = 0, False, image.client.recorder.traces
    for pause in PAUSES:
        time.sleep(pause if traces.waiting_helps or traces.waited_in_vain < IN_VAIN else 0.0)
        try:
            status = _deletion(image, protected=protected)
            unseen = status in GONE and _unseen(image)
            if gone and unseen:
                # Where nothing is found any more, neither is this image.
                raise_if_shut_out(image.client, {status})
        except NoEffect:
            gone = False
            break  # nothing more is sent: whoever waits waits in vain
        if pause and (200 <= status < 300 or (gone and not unseen)):  # noqa: PLR2004 - the class of codes
            traces.waiting_helps = True
        if status in GONE:
            if gone and unseen:
                break
            gone = unseen
        elif status == IN_USE or status >= 500:  # noqa: PLR2004 - the class of codes
            _take_off_all(image, resources)
        elif status:
            gone = 200 <= status < 300  # noqa: PLR2004 - the class of codes
            break
    traces.waited_in_vain += pause > 0
    if gone and status in GONE and image.name:
        _delete_namesakes(image)
    return None if gone else status


def _delete_namesakes(image: Image) -> None:
    """Look for an image by its name where nothing is found by the id that it was said to have, and delete it."""
    for identifier in [each for each in _named(image.client, image.name) if each != image.id]:
        delete(Image(image.client, identifier))


def _deletion(image: Image, *, protected: bool) -> int:
    """Return what the deletion of an image is answered; 0 where nobody knows."""
    try:
        if protected:
            image.client.patch(image.id, {"op": "replace", "path": "/protected", "value": False})
        return image.client.delete(image.id).status
    except LostAnswer:
        # A repetition that finds nothing has done what the lost answer was about.
        return 404
    except NoEffect:
        raise
    except Blocked:
        return 0


def _unseen(image: Image) -> bool:
    with suppress(Blocked):
        return image.show().status in GONE
    return False


def _take_off_all(image: Image, resources: Iterable[SetResource]) -> None:
    """Empty the sets of an image that cannot be deleted: they may be what is in the way."""
    with suppress(Blocked):
        for resource in resources:
            for value in values_of(image, resource):
                image.client.ask(resource.delete(image.id, value))


def delete_orphans(client: ImagesClient, name: str) -> bool:
    """Look for an image whose creation was not answered, by the name that no other has, and delete it.

    Return whether one was found that could be asked for.
    """
    found: list[str] = []
    try:
        with client.recorder.of(Purpose.CLEANING):
            found = _named(client, name)
            for identifier in found:
                delete(Image(client, identifier, name))
    except Blocked:
        client.recorder.traces.left_behind.append(f"perhaps an image named {name}: its creation was not answered")
    return bool(found)


def delete_named(client: ImagesClient, identifier: str, name: str) -> None:
    """Delete the image of an id, where by its own word it has a name that no other has."""
    with client.recorder.of(Purpose.CLEANING), suppress(Blocked):
        if client.show(identifier).document.get("name") == name:
            delete(Image(client, identifier, name))


def _named(client: ImagesClient, name: str) -> list[str]:
    """Return the ids of the images of a name that nobody uses: two images of one plan have the same name.

    Those that cannot be asked for are named as left behind. Raise ``Blocked`` where the list is none.
    """
    answer = client.list(name=name)
    found = answer.data.get("images") if isinstance(answer.data, dict) else None
    if answer.ok and not isinstance(found, list):
        raise NotRead(f"The list of images cannot be read: {answer.exchange}")
    entries = found if isinstance(found, list) else []
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict) and entry.get("name") == name]
    told = client.recorder.traces.left_behind
    told += [f"image {shown_id(each)} ({name}): its id cannot stand in a path" for each in ids if not is_fit(each)]
    traces = client.recorder.traces
    unused = [each for each in ids if is_fit(each) and each not in traces.in_use | traces.of_others]
    # What the list says of an image is looked up at the image itself before anything is done to it.
    return [each for each in unused if not Claim(each, name, "").is_denied(client.show(each))]
