"""The public fixtures: what a test needs to ask a service something. The names of all begin with ``cloudimages_``.

Their bodies import what they need: a run that asks for none of them loads none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_cloudimages.client.auth.credentials import Credentials, Service
    from pytest_cloudimages.client.images import Image
    from pytest_cloudimages.client.session import ImagesClient
    from pytest_cloudimages.engine.registry import Workloads
    from pytest_cloudimages.engine.run import FreshImage, Run

JUDGES_NAME = "cloudimages-judge"
"""The name under which the judge of a run, once awake, is one of pytest's plugins."""


def asks(item: pytest.Item) -> bool:
    """Return whether a test asks for one of these fixtures."""
    return "cloudimages_run" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def cloudimages_run(pytestconfig: pytest.Config) -> Run:
    """Return everything a run stands on; the fixtures below give its parts.

    The test is skipped where nothing names a service, and ends with an error where the one that is named is wrong.
    """
    from pytest_cloudimages.app.waking import service_of

    return service_of(pytestconfig)


@pytest.fixture(scope="session")
def cloudimages_service(cloudimages_run: Run) -> Service:
    """Return the service under test: ``endpoint`` (ends in /v2), ``region``, and ``named``, how the tester named it."""
    return cloudimages_run.service


@pytest.fixture(scope="session")
def cloudimages_credentials(cloudimages_run: Run) -> Credentials:
    """Return the tester's credentials: ``token()`` returns a valid token, and nothing shows it."""
    return cloudimages_run.owner


@pytest.fixture(scope="session")
def cloudimages_client(cloudimages_run: Run) -> ImagesClient:
    """Return a client with the tester's token; it sends what it is told, exactly, and judges nothing."""
    return cloudimages_run.client


@pytest.fixture(scope="session")
def cloudimages_fresh_image(cloudimages_run: Run) -> FreshImage:
    """Return what opens an image without tags for one block, as often as a test likes, and leaves no trace of it.

    Where images were lent, one of them is used and its tags are put back at the end of the block.
    """
    return cloudimages_run.fresh_image


@pytest.fixture
def cloudimages_image(cloudimages_fresh_image: FreshImage) -> Iterator[Image]:
    """Yield an image without tags for the length of one test."""
    with cloudimages_fresh_image() as image:
        yield image


@pytest.fixture(scope="session")
def cloudimages_anonymous(cloudimages_client: ImagesClient) -> ImagesClient:
    """Return a client that shows no token."""
    return cloudimages_client.calling("nobody", lambda: None)


@pytest.fixture(scope="session")
def cloudimages_other_project(cloudimages_run: Run) -> ImagesClient:
    """Return a client of a second project; the test is *untested* without its credentials (``OS_ALT_*``)."""
    client = _other(cloudimages_run, "ALT", "a second project")
    if reason := cloudimages_run.no_other_project:
        pytest.skip(reason)
    return client


@pytest.fixture(scope="session")
def cloudimages_reader(cloudimages_run: Run) -> ImagesClient:
    """Return a client of the same project that may only read; *untested* without credentials (``OS_READER_*``)."""
    return _other(cloudimages_run, "READER", "a user with a read-only role")


@pytest.fixture(scope="session")
def cloudimages_creator(cloudimages_run: Run) -> ImagesClient:
    """Return a client that may create and update images; *untested* without credentials (``OS_CREATOR_*``)."""
    return _other(cloudimages_run, "CREATOR", "a user with the role creator and no other")


@pytest.fixture(scope="session")
def cloudimages_administrator(cloudimages_run: Run) -> ImagesClient:
    """Return a client with the administrator's role; *untested* without its credentials (``OS_ADMIN_*``)."""
    return _other(cloudimages_run, "ADMIN", "an administrator")


@pytest.fixture(scope="session")
def cloudimages_owner_of(cloudimages_run: Run) -> Callable[[ImagesClient], str]:
    """Return what tells the id of the project that a client acts for: the owner of an image that it creates."""
    return cloudimages_run.owner_of


@pytest.fixture(scope="session")
def cloudimages_replay(cloudimages_run: Run) -> Callable[[Mapping[str, Any]], None]:
    """Return what asks once more what a finding is about, and fails while the finding is there.

    It takes a finding, or only the plan of one, which is asked and no more. The test is blocked where that cannot be
    told. `cloudimages replay FILE --as pytest` writes such a test.
    """
    from pytest_cloudimages.app.carrying_out import replayer

    return replayer(cloudimages_run)


@pytest.fixture(scope="session")
def cloudimages_workloads(cloudimages_run: Run, request: pytest.FixtureRequest) -> Iterator[Workloads]:
    """Yield the suite's workloads, each carried out once, when it is first asked for: ``….plain_tags`` and so on."""
    from pytest_cloudimages.app.carrying_out import workloads_of

    with workloads_of(cloudimages_run, request) as workloads:
        yield workloads


def _other(run: Run, who: str, what: str) -> ImagesClient:
    from pytest_cloudimages.app.carrying_out import caller_of

    return caller_of(run, who, what)
