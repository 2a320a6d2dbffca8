"""The embedded service through the clients of OpenStack."""

import io
import shlex
from collections.abc import Iterator
from typing import Any

import glanceclient
import glanceclient.exc
import openstack
import pytest

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import Server, exports, serving

# openstacksdk announces what its versions 5 and 6 will drop to everyone, itself included.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve, with the environment that a client reads."""
    with serving(App()) as running:
        for line in exports(running).splitlines():
            name, _, value = shlex.split(line)[1].partition("=")
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def cloud(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: ARG001 - it sets the environment
    """Connect as the environment says, whatever else lies about."""
    monkeypatch.delenv("OS_CLOUD", raising=False)
    with openstack.connect(load_yaml_config=False) as connection:
        yield connection


def test_openstacksdk(cloud: Any) -> None:
    """The SDK finds the service in the catalogue, and its image proxy works."""
    image = cloud.image.create_image("n", container_format="bare", disk_format="raw", tags=["a"], allow_duplicates=True)
    cloud.image.add_tag(image, "b")
    cloud.image.remove_tag(image, "a")

    assert cloud.image.get_image(image).tags == ["b"]
    assert [each.id for each in cloud.image.images(tag="b")] == [image.id]
    assert cloud.image.update_image(image, name="m").name == "m"
    cloud.image.delete_image(image)
    with pytest.raises(openstack.exceptions.NotFoundException):
        cloud.image.get_image(image.id)


def test_glanceclient(cloud: Any) -> None:
    """Glance's own client works over a keystoneauth1 session, errors included."""
    glance = glanceclient.Client("2", session=cloud.session)
    image = glance.images.create(name="n", container_format="bare", disk_format="raw")
    glance.image_tags.update(image.id, "t\u00fc")
    glance.images.upload(image.id, io.BytesIO(b"data"))

    assert glance.images.get(image.id).tags == ["t\u00fc"]
    assert [each.id for each in glance.images.list()] == [image.id]
    assert glance.images.update(image.id, name="m").name == "m"
    glance.image_tags.delete(image.id, "t\u00fc")
    with pytest.raises(glanceclient.exc.HTTPNotFound):
        glance.image_tags.delete(image.id, "t\u00fc")
    glance.images.delete(image.id)
    assert list(glance.images.list()) == []
