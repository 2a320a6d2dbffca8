"""What who has no valid token is answered about images that every project sees: a token is needed all the same."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from pytest_cloudimages.areas.access.deeds import CHANGING_OPEN, NEW_TAG, READING_OPEN, TAG, Attempt, Deed
from pytest_cloudimages.areas.common.offers import NOT_OFFERED, made_visible
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import give_data
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

UNAUTHORIZED = 401


def of_open_images(run: Run, callers: Sequence[tuple[Party, ImagesClient]]) -> Iterator[Attempt]:
    """Have callers read, and try to change, an image of the community and a public one, with data where it takes some.

    What is asked of a resource that the service does not have is answered 404 to whoever has a token: it is not asked.
    """
    administrator = run.able("ADMIN")
    for visibility in ("community", "public"):
        with suppress(Blocked, pytest.skip.Exception), run.fresh_image(own=True, tags=[TAG]) as image:
            with suppress(Blocked, pytest.skip.Exception):
                give_data(image)
            if made_visible(image, visibility, *([run.client, administrator] if administrator else [run.client])):
                continue
            # Data of public images may be handed out beside the API, by whoever delivers files.
            reading = [deed for deed in READING_OPEN if deed is not Deed.DATA or visibility != "public"]
            offered = [deed for deed in reading if image.client.send("GET", deed.target(image.id)).ok]
            for party, client in callers:
                for deed in (*offered, *CHANGING_OPEN):
                    answer = _send(client, deed, image.id)
                    if not _for_nobody(image, deed, answer):
                        yield Attempt(party, deed, answer, changed=False)


def _for_nobody(image: Image, deed: Deed, answer: Answer) -> bool:
    """Return whether an answer says nothing of who asks: the owner is answered the same, or would be."""
    if answer.ok or answer.status == UNAUTHORIZED:
        return False
    if deed is Deed.DELETE:
        return answer.status in NOT_OFFERED | TROUBLE
    return _send(image.client, deed, image.id).status == answer.status


def _send(client: ImagesClient, deed: Deed, image: str) -> Answer:
    target = deed.target(image)
    if deed is Deed.UPDATE:
        change = [replaced("/name", NEW_TAG)]
        return client.send("PATCH", target, json=change, headers={"Content-Type": PATCH_TYPE})
    return client.send(deed.method, target)
