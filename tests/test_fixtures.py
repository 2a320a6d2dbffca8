"""With the plugin installed, a tester's own module needs nothing else."""

from __future__ import annotations

from typing import Any

FIXTURES = """
from hypothesis import given, settings
from pytest_cloudimages import requirement
from pytest_cloudimages.strategies import overlong_tags, tags, unusual_tags


def test_service(cloudimages_service):
    assert cloudimages_service.endpoint.endswith("/v2")


def test_credentials(cloudimages_credentials):
    assert cloudimages_credentials.token()
    assert cloudimages_credentials.token() not in repr(cloudimages_credentials) + str(vars(cloudimages_credentials))


def test_client(cloudimages_client, cloudimages_service):
    answer = cloudimages_client.list()
    assert answer.status == 200
    assert cloudimages_client.endpoint == cloudimages_service.endpoint


def test_image(cloudimages_image):
    assert cloudimages_image.tags() == []
    assert cloudimages_image.add_tag("mine").status == 204
    assert cloudimages_image.tags() == ["mine"]


def test_fresh_images(cloudimages_fresh_image):
    with cloudimages_fresh_image() as image, cloudimages_fresh_image(name="another", min_ram=5) as other:
        image.add_tag("mine")
        assert other.tags() == []
        assert other.show().data["min_ram"] == 5
        assert image.id != other.id


def test_anonymous(cloudimages_image, cloudimages_anonymous):
    assert cloudimages_anonymous.show(cloudimages_image.id).status == 401


def test_other_project(cloudimages_image, cloudimages_other_project):
    assert cloudimages_image.seen_by(cloudimages_other_project).show().status == 404


def test_reader(cloudimages_image, cloudimages_reader):
    assert cloudimages_image.seen_by(cloudimages_reader).add_tag("x").status == 403


def test_administrator(cloudimages_image, cloudimages_administrator):
    assert cloudimages_image.seen_by(cloudimages_administrator).add_tag("x").status == 204


@settings(max_examples=5)
@given(tag=tags())
def test_a_property_of_ones_own(cloudimages_fresh_image, tag):
    with cloudimages_fresh_image() as image:
        if image.add_tag(tag).ok:
            assert image.eventual_tags([tag]) == [tag]


@settings(max_examples=5)
@given(tag=overlong_tags())
def test_overlong(cloudimages_fresh_image, tag):
    with cloudimages_fresh_image() as image:
        assert image.add_tag(tag).refused


def test_workloads(cloudimages_workloads):
    for name in ("plain_tags", "unusual_tags", "sequences"):
        for step in getattr(cloudimages_workloads, name).additions(acknowledged=True):
            assert step.tag in step.after, step
"""


def test_the_fixtures_are_there(workshop: Any) -> None:
    """Each gives what its description says."""
    outcome = workshop.pytest(FIXTURES, "--cloudimages-reference", "--cloudimages-profile=quick")

    assert outcome.status == 0, outcome.out
    assert "12 passed" in outcome.out


def test_the_fixtures_need_no_option(workshop: Any, server: Any) -> None:
    """A service that the environment names is enough, and every other caller is skipped with what it needs."""
    workshop.named(server)
    source = """
    def test_image(cloudimages_image):
        cloudimages_image.add_tag("a")

    def test_other(cloudimages_other_project): pass
    def test_reader(cloudimages_reader): pass
    def test_creator(cloudimages_creator): pass
    def test_administrator(cloudimages_administrator): pass
    """
    outcome = workshop.pytest(source, "-rs")

    assert "1 passed, 4 skipped" in outcome.out
    for who in ("ALT", "READER", "CREATOR", "ADMIN"):
        assert f"OS_{who}_USERNAME" in outcome.out
    assert [*server.app.images.all()] == []


def test_an_ini_file_can_name_the_service(workshop: Any) -> None:
    """And every other setting."""
    workshop.write("pytest.ini", "[pytest]\ncloudimages_reference = true\ncloudimages_profile = quick\n")
    source = """
    def test_image(cloudimages_image, cloudimages_run):
        assert cloudimages_run.settings.profile == "quick"
        assert cloudimages_image.add_tag("a").ok
    """

    assert workshop.pytest(source).status == 0


def test_a_requirement_of_ones_own_is_judged(workshop: Any) -> None:
    """An entry, a test that names it, and nothing else to register."""
    workshop.write(
        "own.toml",
        """
        area = "own"

        [[requirements]]
        id = "OWN-01"
        level = "SHOULD"
        provenance = "documented"
        operation = "GET /v2/images"
        statement = "The list is empty."
        document = "House rules"
        section = "1"
        observe = "Ask for it."
        """,
    )
    workshop.write("pytest.ini", "[pytest]\ncloudimages_catalogue = own.toml\n")
    source = """
    from pytest_cloudimages import requirement

    @requirement("OWN-01")
    def test_own(cloudimages_image):
        assert cloudimages_image.client.list().data["images"] == []
    """
    outcome = workshop.pytest(source, "--cloudimages-reference", "--cloudimages-reports=reports")

    assert (outcome.status, outcome.verdict("OWN-01")) == (0, "advisory")
    assert "ADVISORY OWN-01: The list is empty." in outcome.out
