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


def test_openstacksdk_exports_and_imports(cloud: Any) -> None:
    """Its proxies of tasks and of the object store work together."""
    image = cloud.image.create_image("n", container_format="bare", disk_format="raw", data=b"data")
    box = cloud.object_store.create_container(name="box")
    given = {"image_uuid": image.id, "receiving_swift_container": box.name}
    task = cloud.image.create_task(type="export", input=given)

    exported = cloud.image.wait_for_task(task, status="success", interval=0.01, wait=60)
    location = exported.result["export_location"]
    assert location == f"box/{image.id}.vhd"
    given = {"image_properties": {"name": "m"}, "import_from": location}
    task = cloud.image.create_task(type="import", input=given)
    imported = cloud.image.wait_for_task(task, status="success", interval=0.01, wait=60)
    assert cloud.image.get_image(imported.result["image_id"]).name == "m"
    assert {each.id for each in cloud.image.tasks()} == {exported.id, imported.id}
    assert [each.id for each in cloud.image.tasks(type="import")] == [imported.id]


def test_openstacksdk_shares_images(cloud: Any, server: Server) -> None:
    """An image is shared with a project, which accepts it, and no longer."""
    other = server.app.identity.users["other"].project.id
    image = cloud.image.create_image("n", container_format="bare", disk_format="raw", visibility="shared")
    cloud.image.add_member(image, member_id=other)

    assert [(each.member_id, each.status) for each in cloud.image.members(image)] == [(other, "pending")]
    with pytest.raises(openstack.exceptions.ForbiddenException):
        cloud.image.update_member(other, image, status="accepted")  # which is the consumer's to do
    cloud.image.remove_member(other, image)
    assert [*cloud.image.members(image)] == []


def test_glanceclient_knows_tasks_and_members(cloud: Any, server: Server) -> None:
    """Glance's own client reads both by the schemas that the service shows."""
    glance = glanceclient.Client("2", session=cloud.session)
    other = server.app.identity.users["other"].project.id
    image = glance.images.create(name="n", container_format="bare", disk_format="raw", visibility="shared")
    given = {"image_properties": {"name": "m"}, "import_from": "nowhere/nothing"}
    task = glance.tasks.create(type="import", input=given)

    assert glance.tasks.get(task.id).status in ("processing", "failure")
    assert glance.tasks.get(task.id).status == "failure"
    assert [each.id for each in glance.tasks.list()] == [task.id]
    assert glance.image_members.create(image.id, other).status == "pending"
    assert [each.member_id for each in glance.image_members.list(image.id)] == [other]
    glance.image_members.delete(image.id, other)
    assert [*glance.image_members.list(image.id)] == []
