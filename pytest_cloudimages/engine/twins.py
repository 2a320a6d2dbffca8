"""Images of a run that its creations were not answered with: whoever hands a creation on twice makes two of one."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import MANY, Image, pages_of_many
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.deletion import delete
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

MOST_PAGES = 100
"""Pages of a list that are read at most."""


def delete_twins(run: Run) -> None:
    """Delete what says that it is of this run, and is none of the images that are known, if any list has shown such."""
    traces = run.recorder.traces
    if run.problem or not traces.unknown - traces.created:
        return
    deleted = 0
    for who in ("", "ALT"):
        with run.recorder.of(Purpose.CLEANING), suppress(Blocked, pytest.skip.Exception):
            client = run.caller(who) if who else run.client
            for image, protected in [*_twins(run, client)] if client else ():
                deleted += delete(image, protected=protected)
    if deleted:
        traces.notices.append(
            f"{deleted} images were there that no creation was answered with: a server in front of the service may hand"
            " a creation on twice. They were deleted."
        )


def _twins(run: Run, client: ImagesClient) -> Iterator[tuple[Image, bool]]:
    """Yield the images of the list that are of the run by their own word and nobody knows, each with its protection."""
    known = run.recorder.traces.created | run.recorder.traces.of_others
    for answer in pages_of_many(client, f"/images?{MANY}", most=MOST_PAGES):
        found = answer.document.get("images")
        for entry in found if isinstance(found, list) else ():
            identifier = entry.get("id") if isinstance(entry, dict) else None
            if is_fit(identifier) and identifier not in known and entry.get(OF_RUN) == run.name:
                image = Image(client, identifier, str(entry.get("name")), run.patience)
                shown = image.show().data
                if isinstance(shown, dict) and shown.get(OF_RUN) == run.name:
                    yield image, shown.get("protected") is True
