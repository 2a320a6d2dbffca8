"""The fixtures: what a test needs to ask a service something.

Their bodies import what they need: a run that asks for none of them loads none of it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.stash import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.areas.tags.isolation import OtherImage
    from pytest_cloudimages.areas.tags.negative import NegativeRequests, UnauthorizedAttempts
    from pytest_cloudimages.areas.tags.probes import Basics
    from pytest_cloudimages.areas.tags.race_workloads import Races
    from pytest_cloudimages.areas.tags.read_paths import Comparisons
    from pytest_cloudimages.areas.tags.representations import Representations
    from pytest_cloudimages.client.auth.credentials import Credentials, Service
    from pytest_cloudimages.client.images import Image
    from pytest_cloudimages.client.session import ImagesClient
    from pytest_cloudimages.engine.observations import Steps
    from pytest_cloudimages.engine.run import FreshImage, Run


@pytest.fixture(scope="session")
def cloudimages_run(pytestconfig: pytest.Config) -> Run:
    """Everything a run stands on; the fixtures below give its parts."""
    run = pytestconfig.stash[RUN]
    if run.problem:
        raise run.problem
    return run


@pytest.fixture(scope="session")
def cloudimages_service(cloudimages_run: Run) -> Service:
    """The service under test: ``endpoint`` (ends in /v2), ``region``, and ``named``, how the tester named it."""
    return cloudimages_run.service


@pytest.fixture(scope="session")
def cloudimages_credentials(cloudimages_run: Run) -> Credentials:
    """The tester's credentials: ``token()`` gives a valid token, and nothing shows it."""
    return cloudimages_run.owner


@pytest.fixture(scope="session")
def cloudimages_client(cloudimages_run: Run) -> ImagesClient:
    """A client with the tester's token; it sends what it is told, exactly, and judges nothing."""
    return cloudimages_run.client


@pytest.fixture(scope="session")
def fresh_image(cloudimages_run: Run) -> FreshImage:
    """Open an image without tags for one block, as often as a test likes, and leave no trace of it.

    Where images were lent, one of them is used and its tags are put back at the end of the block.
    """
    return cloudimages_run.fresh_image


@pytest.fixture
def image(fresh_image: FreshImage) -> Iterator[Image]:
    """Give an image without tags for the length of one test."""
    with fresh_image() as one:
        yield one


@pytest.fixture(scope="session")
def basics(cloudimages_run: Run) -> Basics:
    """Whether the service ``adds``, ``repeats`` and ``deletes`` plain tags as it should."""
    from pytest_cloudimages.areas.tags import probes

    return probes.basics(cloudimages_run)


@pytest.fixture
def working_image(image: Image, basics: Basics) -> Image:
    """Give an image of a service that adds plain tags; where it does not, special ones cannot be asked about."""
    basics.require_additions()
    return image


@pytest.fixture(scope="session")
def anonymous(cloudimages_client: ImagesClient) -> ImagesClient:
    """A client that shows no token."""
    return cloudimages_client.calling("nobody", lambda: None)


@pytest.fixture(scope="session")
def other_project(cloudimages_run: Run) -> ImagesClient:
    """A client of a second project; the test is *untested* where its credentials were not given (``OS_ALT_*``)."""
    client = _other(cloudimages_run, "ALT", "a second project", "--other-cloud NAME")
    if cloudimages_run.same_project("ALT"):
        pytest.skip("needs a second project, and the credentials given for it are of the tester's own")
    return client


@pytest.fixture(scope="session")
def reader(cloudimages_run: Run) -> ImagesClient:
    """A client of the same project that may only read; *untested* without its credentials (``OS_READER_*``)."""
    return _other(cloudimages_run, "READER", "a user with a read-only role", "--reader-cloud NAME")


@pytest.fixture(scope="session")
def creator(cloudimages_run: Run) -> ImagesClient:
    """A client that may create and update images; *untested* without its credentials (``OS_CREATOR_*``)."""
    return _other(cloudimages_run, "CREATOR", "a user with the role creator and no other", "--creator-cloud NAME")


@pytest.fixture(scope="session")
def administrator(cloudimages_run: Run) -> ImagesClient:
    """A client with the administrator's role; *untested* without its credentials (``OS_ADMIN_*``)."""
    return _other(cloudimages_run, "ADMIN", "an administrator", "--admin-cloud NAME")


@pytest.fixture(scope="session")
def owner_of(cloudimages_run: Run) -> Callable[[ImagesClient], str]:
    """Tell the id of the project that a client acts for: the owner of an image that it creates."""
    return cloudimages_run.owner_of


def _other(run: Run, who: str, what: str, option: str) -> ImagesClient:
    client = run.caller(who)
    if client is None:
        pytest.skip(f"needs {what}: set OS_{who}_USERNAME and OS_{who}_PASSWORD (and what else differs), or {option}")
    return client


@pytest.fixture(scope="session")
def plain_tags(cloudimages_run: Run) -> Steps:
    """The whole lives of plain tags: added, repeated, deleted, missed, added again, deleted again."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.plain_tags(cloudimages_run, cloudimages_run.number("plain"))


@pytest.fixture(scope="session")
def unusual_tags(cloudimages_run: Run) -> Steps:
    """The whole lives of unusual tags, of every class."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.unusual_tags(cloudimages_run, cloudimages_run.number("unusual"))


@pytest.fixture(scope="session")
def confusable_tags(cloudimages_run: Run) -> Steps:
    """The lives of tags that a service may take for each other: equal but for case, form, blanks and so on."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.confusable_tags(cloudimages_run)


@pytest.fixture(scope="session")
def special_tags(cloudimages_run: Run) -> Steps:
    """The lives of special tags that are written out: every character of ASCII, blanks at every place."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.special_tags(cloudimages_run, cloudimages_run.number("special"))


@pytest.fixture(scope="session")
def boundary_tags(cloudimages_run: Run) -> Steps:
    """Tags of one character, at the edges of the limit and past it."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.boundary_tags(cloudimages_run)


@pytest.fixture(scope="session")
def every_length(cloudimages_run: Run) -> Steps:
    """Plain tags of every length, and words at which services trip."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.every_length(cloudimages_run, cloudimages_run.number("lengths"))


@pytest.fixture(scope="session")
def absent_tags(cloudimages_run: Run) -> Steps:
    """Deletions of tags that an image never had."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.absent_tags(cloudimages_run)


@pytest.fixture(scope="session")
def representations(cloudimages_run: Run) -> Representations:
    """An image in several states, as itself and the list of images show it."""
    from pytest_cloudimages.areas.tags import representations

    return representations.representations(cloudimages_run)


@pytest.fixture(scope="session")
def image_states(cloudimages_run: Run) -> Steps:
    """The tags of images in every state in which an image may be."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.image_states(cloudimages_run)


@pytest.fixture(scope="session")
def other_images(cloudimages_run: Run) -> list[OtherImage]:
    """Images that no request named, while the tags of another were changed."""
    from pytest_cloudimages.areas.tags import isolation

    return isolation.other_images(cloudimages_run)


@pytest.fixture(scope="session")
def gone_image(cloudimages_run: Run) -> str:
    """The id of an image that was deleted; any id that no image has, where none can be created."""
    if cloudimages_run.settings.image:
        return str(uuid.uuid4())
    with cloudimages_run.fresh_image() as image:
        return image.id


@pytest.fixture(scope="session")
def image_at_tag_limit(cloudimages_run: Run) -> Steps:
    """An image with as many tags as the operator says it may carry; no history where none is stated."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.image_at_tag_limit(cloudimages_run)


@pytest.fixture(scope="session")
def unauthorized_attempts(cloudimages_run: Run) -> UnauthorizedAttempts:
    """Callers without a right to it try to change tags."""
    from pytest_cloudimages.areas.tags import negative

    return negative.unauthorized_attempts(cloudimages_run)


@pytest.fixture(scope="session")
def negative_requests(cloudimages_run: Run) -> NegativeRequests:
    """Requests that are well-formed and cannot succeed."""
    from pytest_cloudimages.areas.tags import negative

    return negative.negative_requests(cloudimages_run)


@pytest.fixture(scope="session")
def specification(cloudimages_run: Run) -> str:
    """Whose reading judges where two differ: ``cloud-images`` or ``glance``."""
    return cloudimages_run.settings.specification


@pytest.fixture(scope="session")
def sequences(cloudimages_run: Run) -> Steps:
    """Random sequences of additions, deletions and readings on two images that use the same tags."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.sequences(cloudimages_run, cloudimages_run.number("sequences"))


@pytest.fixture(scope="session")
def confusable_sequences(cloudimages_run: Run) -> Steps:
    """Random sequences of tags that are spelled alike."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.confusable_sequences(cloudimages_run, cloudimages_run.number("related sequences"))


@pytest.fixture(scope="session")
def read_path_checks(cloudimages_run: Run) -> Comparisons:
    """Sequences in which tags are changed by their address and by PATCH, and looked at in every way."""
    from pytest_cloudimages.areas.tags import workloads

    return workloads.read_path_checks(cloudimages_run, cloudimages_run.number("walks"))


@pytest.fixture(scope="session")
def races(cloudimages_run: Run, basics: Basics) -> Iterator[Races]:
    """What many clients do at once, and whether any order of it explains what they were answered."""
    from pytest_cloudimages.areas.tags.race_workloads import Races
    from pytest_cloudimages.engine.concurrent import worker_pool

    with worker_pool() as members:
        yield Races(cloudimages_run, cloudimages_run.number("races"), basics, members)
