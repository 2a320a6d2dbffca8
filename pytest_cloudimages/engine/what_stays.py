"""Images of a run that are there in the end: twins of those it has created, and such as were deleted in vain."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import pytest

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import GOING, MANY, Image, pages_of_many
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.deletion import delete
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

MOST_PAGES = 100
"""Pages of a list that are read at most, where some list has shown what nobody knows."""


def delete_what_stays(run: Run) -> None:
    """Delete what says that it is of this run, and is there all the same when all of it should be gone.

    Whoever hands a creation on twice makes two of one; whoever acknowledges a deletion may not have carried it out.
    """
    traces = run.recorder.traces
    if run.problem or not traces.created or traces.takes_properties is False:
        return
    twins, stayed = 0, 0
    for who in ("", "ALT"):
        with run.recorder.of(Purpose.CLEANING), suppress(Blocked, pytest.skip.Exception):
            client = run.caller(who) if who else run.client
            unseen = traces.unknown - traces.created
            if client is None or (who and not unseen):
                continue
            # A quick run hides none.
            hidden = ["", "os_hidden=true&"] if run.rounds else [""]
            listed = (_of_the_run(run, client, MOST_PAGES if unseen else 1, query) for query in hidden)
            for image, protected in {image.id: (image, protected) for image, protected in chain(*listed)}.values():
                known = image.id in traces.created
                if not delete(image, protected=protected):
                    continue
                if known and image.show().ok:
                    what = f"image {image.id} ({image.name})"
                    traces.left_behind.append(f"{what}: its deletion is acknowledged, and it stays")
                stayed += known
                twins += not known
    if twins:
        traces.notices.append(
            f"{twins} images were there that no creation was answered with: a server in front of the service may hand"
            " a creation on twice. They were deleted."
        )
    if stayed:
        traces.notices.append(
            f"{stayed} images were there whose deletion had been acknowledged; they were deleted again."
        )


def target_of(run: Run, query: str = "") -> str:
    """Return the list of the images that are of the run by their own word, and for which the ``query`` holds.

    A service that has no filter by properties shows all images; the newest come first.
    """
    return f"/images?{query}{OF_RUN}={run.name}&{MANY}"


def _of_the_run(run: Run, client: ImagesClient, most: int, query: str) -> Iterator[tuple[Image, bool]]:
    """Yield the images of a list that are of the run by their own word and used by nobody, each with its protection."""
    traces = run.recorder.traces
    for answer in pages_of_many(client, target_of(run, query), most=most):
        found = answer.document.get("images")
        for entry in found if isinstance(found, list) else ():
            identifier = entry.get("id") if isinstance(entry, dict) else None
            if not is_fit(identifier) or identifier in traces.of_others | traces.in_use or traces.stays(identifier):
                continue
            if entry.get(OF_RUN) == run.name and entry.get("status") not in GOING:
                image = Image(client, identifier, str(entry.get("name")), run.patience)
                shown = _shown(image, known=image.id in traces.created).data
                if isinstance(shown, dict) and shown.get(OF_RUN) == run.name:
                    yield image, shown.get("protected") is True


def _shown(image: Image, *, known: bool) -> Answer:
    """Return what is shown of an image; where it was deleted, once every node is to know that."""
    return image.eventually(image.show, lambda answer: not answer.ok) if known else image.show()
