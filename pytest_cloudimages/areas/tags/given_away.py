"""An image that was another project's: whoever tagged it then may do so no more."""

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.tags.access_states import Stage
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.spec.verdicts import Blocked

OF_OLD = "of-the-former-owner"


@contextmanager
def given_by_another(stage: Stage) -> Iterator[Image]:
    """Open an image of the other project's, which tags it, and have an administrator give it to the tester's."""
    other, administrator = (stage.client_of(party) for party in (Party.OTHER_PROJECT, Party.ADMINISTRATOR))
    run, mine = stage.run, stage.run.owner_of(stage.run.client)
    with temporary_image(other, run.name, run.patience) as image:
        with run.recorder.of(Purpose.PREPARING):
            require_ok(image.add_tag(OF_OLD))
            given = administrator.patch(image.id, replaced("/owner", mine))
            if not given.ok:
                raise Blocked(f"no image can be given to another project: {given.exchange}")
        try:
            yield image.seen_by(run.client)
        finally:
            # Who has created it deletes it.
            with run.recorder.of(Purpose.CLEANING):
                administrator.patch(image.id, replaced("/owner", stage.project))
