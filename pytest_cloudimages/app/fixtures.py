"""The fixtures: what a test needs to ask a service something.

Their bodies import what they need: a run that asks for none of them loads none of it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.stash import GROUND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.areas.tags.isolation import Bystander
    from pytest_cloudimages.areas.tags.negative import Attempts, Refusals
    from pytest_cloudimages.areas.tags.probes import Control
    from pytest_cloudimages.areas.tags.race_workloads import Races
    from pytest_cloudimages.areas.tags.read_paths import Looks
    from pytest_cloudimages.areas.tags.representations import Showings
    from pytest_cloudimages.client.auth.credentials import Credentials, Service
    from pytest_cloudimages.client.images import Image
    from pytest_cloudimages.client.session import ImagesClient
    from pytest_cloudimages.engine.observations import Histories
    from pytest_cloudimages.engine.run import FreshImage, Ground


@pytest.fixture(scope="session")
def cloudimages_ground(pytestconfig: pytest.Config) -> Ground:
    """Everything a run stands on; the fixtures below give its parts."""
    ground = pytestconfig.stash[GROUND]
    if ground.problem:
        raise ground.problem
    return ground


@pytest.fixture(scope="session")
def cloudimages_service(cloudimages_ground: Ground) -> Service:
    """The service under test: ``endpoint`` (ends in /v2), ``region``, and ``named``, how the tester named it."""
    return cloudimages_ground.service


@pytest.fixture(scope="session")
def cloudimages_credentials(cloudimages_ground: Ground) -> Credentials:
    """The tester's credentials: ``token()`` gives a valid token, and nothing shows it."""
    return cloudimages_ground.owner


@pytest.fixture(scope="session")
def cloudimages_client(cloudimages_ground: Ground) -> ImagesClient:
    """A client with the tester's token; it sends what it is told, exactly, and judges nothing."""
    return cloudimages_ground.client


@pytest.fixture(scope="session")
def fresh_image(cloudimages_ground: Ground) -> FreshImage:
    """Open an image without tags for one block, as often as a test likes, and leave no trace of it.

    Where images were lent, one of them is used and its tags are put back at the end of the block.
    """
    return cloudimages_ground.fresh_image


@pytest.fixture
def image(fresh_image: FreshImage) -> Iterator[Image]:
    """Give an image without tags for the length of one test."""
    with fresh_image() as one:
        yield one


@pytest.fixture(scope="session")
def control(cloudimages_ground: Ground) -> Control:
    """Whether the service ``adds``, ``repeats`` and ``deletes`` plain tags as it should."""
    from pytest_cloudimages.areas.tags import probes

    return probes.control(cloudimages_ground)


@pytest.fixture
def sound_image(image: Image, control: Control) -> Image:
    """Give an image of a service that adds plain tags; where it does not, special ones cannot be asked about."""
    control.require_additions()
    return image


@pytest.fixture(scope="session")
def anonymous(cloudimages_client: ImagesClient) -> ImagesClient:
    """A client that shows no token."""
    return cloudimages_client.calling("nobody", lambda: None)


@pytest.fixture(scope="session")
def other_project(cloudimages_ground: Ground) -> ImagesClient:
    """A client of a second project; the test is *untested* where its credentials were not given (``OS_ALT_*``)."""
    client = _other(cloudimages_ground, "ALT", "a second project", "--other-cloud NAME")
    if cloudimages_ground.same_project("ALT"):
        pytest.skip("needs a second project, and the credentials given for it are of the tester's own")
    return client


@pytest.fixture(scope="session")
def reader(cloudimages_ground: Ground) -> ImagesClient:
    """A client of the same project that may only read; *untested* without its credentials (``OS_READER_*``)."""
    return _other(cloudimages_ground, "READER", "a user with a read-only role", "--reader-cloud NAME")


@pytest.fixture(scope="session")
def creator(cloudimages_ground: Ground) -> ImagesClient:
    """A client that may create and update images; *untested* without its credentials (``OS_CREATOR_*``)."""
    return _other(cloudimages_ground, "CREATOR", "a user with the role creator and no other", "--creator-cloud NAME")


@pytest.fixture(scope="session")
def administrator(cloudimages_ground: Ground) -> ImagesClient:
    """A client with the administrator's role; *untested* without its credentials (``OS_ADMIN_*``)."""
    return _other(cloudimages_ground, "ADMIN", "an administrator", "--admin-cloud NAME")


@pytest.fixture(scope="session")
def owner_of(cloudimages_ground: Ground) -> Callable[[ImagesClient], str]:
    """Tell the id of the project that a client acts for: the owner of an image that it creates."""
    return cloudimages_ground.owner_of


def _other(ground: Ground, who: str, what: str, option: str) -> ImagesClient:
    client = ground.caller(who)
    if client is None:
        pytest.skip(f"needs {what}: set OS_{who}_USERNAME and OS_{who}_PASSWORD (and what else differs), or {option}")
    return client


@pytest.fixture(scope="session")
def plain_lives(cloudimages_ground: Ground) -> Histories:
    """The whole lives of plain tags: added, repeated, deleted, missed, added again, deleted again."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.plain_lives(cloudimages_ground, cloudimages_ground.number("plain"))


@pytest.fixture(scope="session")
def unusual_lives(cloudimages_ground: Ground) -> Histories:
    """The whole lives of unusual tags, of every class."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.unusual_lives(cloudimages_ground, cloudimages_ground.number("unusual"))


@pytest.fixture(scope="session")
def related_lives(cloudimages_ground: Ground) -> Histories:
    """The lives of tags that a service may take for each other: equal but for case, form, blanks and so on."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.related_lives(cloudimages_ground)


@pytest.fixture(scope="session")
def special_lives(cloudimages_ground: Ground) -> Histories:
    """The lives of special tags that are written out: every character of ASCII, blanks at every place."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.special_lives(cloudimages_ground, cloudimages_ground.number("special"))


@pytest.fixture(scope="session")
def edges(cloudimages_ground: Ground) -> Histories:
    """Tags of one character, at the edges of the limit and past it."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.edges(cloudimages_ground)


@pytest.fixture(scope="session")
def lengths(cloudimages_ground: Ground) -> Histories:
    """Plain tags of every length, and words at which services trip."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.lengths(cloudimages_ground, cloudimages_ground.number("lengths"))


@pytest.fixture(scope="session")
def absences(cloudimages_ground: Ground) -> Histories:
    """Deletions of tags that an image never had."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.absences(cloudimages_ground)


@pytest.fixture(scope="session")
def showings(cloudimages_ground: Ground) -> Showings:
    """An image in several states, as itself and the list of images show it."""
    from pytest_cloudimages.areas.tags import representations

    return representations.showings(cloudimages_ground)


@pytest.fixture(scope="session")
def states(cloudimages_ground: Ground) -> Histories:
    """The tags of images in every state in which an image may be."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.states(cloudimages_ground)


@pytest.fixture(scope="session")
def bystanders(cloudimages_ground: Ground) -> list[Bystander]:
    """Images that no request named, while the tags of another were changed."""
    from pytest_cloudimages.areas.tags import isolation

    return isolation.bystanders(cloudimages_ground)


@pytest.fixture(scope="session")
def gone_image(cloudimages_ground: Ground) -> str:
    """The id of an image that was deleted; any id that no image has, where none can be created."""
    if cloudimages_ground.options.image:
        return str(uuid.uuid4())
    with cloudimages_ground.fresh_image() as image:
        return image.id


@pytest.fixture(scope="session")
def full_image(cloudimages_ground: Ground) -> Histories:
    """An image with as many tags as the operator says it may carry; no history where none is stated."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.full_image(cloudimages_ground)


@pytest.fixture(scope="session")
def attempts(cloudimages_ground: Ground) -> Attempts:
    """Callers without a right to it try to change tags."""
    from pytest_cloudimages.areas.tags import negative

    return negative.attempts(cloudimages_ground)


@pytest.fixture(scope="session")
def refusals(cloudimages_ground: Ground) -> Refusals:
    """Requests that are well-formed and cannot succeed."""
    from pytest_cloudimages.areas.tags import negative

    return negative.refusals(cloudimages_ground)


@pytest.fixture(scope="session")
def specification(cloudimages_ground: Ground) -> str:
    """Whose reading judges where two differ: ``cloud-images`` or ``glance``."""
    return cloudimages_ground.options.specification


@pytest.fixture(scope="session")
def sequences(cloudimages_ground: Ground) -> Histories:
    """Random sequences of additions, deletions and readings on two images that use the same tags."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.sequences(cloudimages_ground, cloudimages_ground.number("sequences"))


@pytest.fixture(scope="session")
def related_sequences(cloudimages_ground: Ground) -> Histories:
    """Random sequences of tags that are spelled alike."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.related_sequences(cloudimages_ground, cloudimages_ground.number("related sequences"))


@pytest.fixture(scope="session")
def walks(cloudimages_ground: Ground) -> Looks:
    """Sequences in which tags are changed by their address and by PATCH, and looked at in every way."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.walks(cloudimages_ground, cloudimages_ground.number("walks"))


@pytest.fixture(scope="session")
def races(cloudimages_ground: Ground, control: Control) -> Iterator[Races]:
    """What many clients do at once, and whether any order of it explains what they were answered."""
    from pytest_cloudimages.areas.tags.race_workloads import Races
    from pytest_cloudimages.engine.concurrent import crew

    with crew() as members:
        yield Races(cloudimages_ground, cloudimages_ground.number("races"), control, members)
