"""What callers of the tester's project may do with an image of another project, and are shown of it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from pytest_cloudimages.areas.access.deeds import TURNED_AWAY, Attempt, Deed
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

ADMINISTRATORS = frozenset({Party.ACCOUNT_ADMINISTRATOR, Party.TWO_ROLES})
"""Those whose role may be called as that of one of all projects; ``cloudImages:admin`` is the vendor's alone."""


def as_a_consumer(run: Run, reader: ImagesClient) -> Iterator[Attempt]:
    """Have a reader accept an image for its project, and see what the owner sees of it."""
    other = run.of_another_project(able=True)
    if other is None:
        return
    with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
        project = run.owner_of(run.client)
        with temporary_image(other, run.name, run.patience) as image:
            shared(image, project)
            with run.recorder.of(Purpose.JUDGING):
                member = Deed.SET_STATUS.target(image.id, project)
                answer = reader.send("PUT", member, json={"status": "accepted"})
            seen = image.eventually(
                lambda: image.client.send("GET", member),
                lambda shown: answer.ok <= (shown.document.get("status") == "accepted"),
            )
            if seen.ok and (answer.ok or answer.status in TURNED_AWAY):
                accepted = seen.document.get("status") == "accepted"
                yield Attempt(Party.READER, Deed.SET_STATUS, answer, accepted, [seen.exchange])


def shown_of_a_foreign_image(run: Run, callers: Mapping[Party, ImagesClient]) -> Iterator[Attempt]:
    """Have callers ask for an image of another project.

    Only those are asked who see an image of the tester's project, and only for an image that the tester does not see:
    of who acts for another project, or where the operator shows all images to all, nothing is said. Elsewhere than with
    the vendor, who is called admin may be one of all projects.
    """
    other = run.of_another_project(able=True)
    if other is None:
        return
    with (
        suppress(Blocked, pytest.skip.Exception),
        temporary_image(other, run.name, run.patience) as foreign,
        run.fresh_image(own=True) as own,
    ):
        if not run.client.show(foreign.id).refused:
            return
        for party, client in callers.items():
            if party in ADMINISTRATORS and not run.of_the_vendor:
                continue
            seen = client.show(own.id)
            if seen.ok:
                yield Attempt(party, Deed.SHOW, client.show(foreign.id), changed=False, looked=[seen.exchange])
