"""What a run would cost, what it does cost, and whose reading judges."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

import pytest

from pytest_cloudimages.app.checkup.questions import REQUESTS
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import environment, serving
from pytest_cloudimages.spec.interpretations import Interpretations

AREAS = {"TAG", "IMG", "PAGE", "MEM", "AUTH", "RBAC", "TASK", "SCHEMA", "VER", "GEN"}


def counted(text: str) -> int:
    found = re.search(r"(?:would send:|requests:) +(\d+)", text)
    assert found, text
    return int(found[1])


TAGS = ("--select", "TAG")


@pytest.mark.parametrize(
    ("profile", "words", "most"),
    [
        ("quick", TAGS, 400),
        ("standard", TAGS, 3300),
        ("quick", (), REQUESTS["quick"]),
        ("standard", (), REQUESTS["standard"]),
    ],
)
def test_a_run_is_frugal(workshop: Any, profile: str, words: tuple[str, ...], most: int) -> None:
    """Every MUST of tags in 400 requests, all of tags in 3,300; every area in as many as the doctor says."""
    outcome = workshop.command("run", "--reference", "--profile", profile, "--seed", "5", *words)
    asked = {entry["id"].partition("-")[0] for entry in outcome.results["requirements"] if entry["cases"]}

    assert outcome.status == 0, outcome.out
    assert counted(outcome.out) <= most
    assert asked == ({"TAG"} if words else AREAS)


def test_what_the_doctor_says_is_what_was_promised() -> None:
    """Every MUST of every area in 1,500 requests at most, and everything in 9,000."""
    assert REQUESTS["quick"] <= 1500
    assert REQUESTS["standard"] <= 9000


def test_a_dry_run_says_what_a_run_will_cost(workshop: Any) -> None:
    """Within a tenth; nothing is sent to the service, and nothing is written."""
    app = App()
    with serving(app) as server:
        workshop.environ |= environment(server)
        asked: list[str] = []
        handle = app.handle

        def heard(request: Request) -> Reply:
            asked.append(request.path)
            return handle(request)

        app.handle = heard  # type: ignore[method-assign]
        dry = workshop.command("run", "--profile", "quick", "--seed", "3", "--dry-run")
        assert [path for path in asked if path.startswith("/v2")] == []
        assert not (workshop.folder / "reports").exists()
        real = workshop.command("run", "--profile", "quick", "--seed", "3")

    assert (dry.status, real.status) == (0, 0), dry.out + real.out
    assert "nothing is sent to" in dry.out
    assert re.search(r"would create: +\d+ images", dry.out)
    assert abs(counted(dry.out) - counted(real.out)) <= counted(real.out) / 10


def test_a_dry_run_needs_no_more_than_was_given(workshop: Any) -> None:
    """What other credentials would test is told; images that would be borrowed are named."""
    workshop.environ |= {"CLOUDIMAGES_TOKEN": "x" * 20, "CLOUDIMAGES_ENDPOINT": "https://images.example/v2"}
    image = "0b9f8a52-6a63-4a5e-9a53-3d4b9d1f1c11"
    outcome = workshop.command("run", "--profile", "quick", "--dry-run", "--image", image)

    assert outcome.status == 0, outcome.out
    assert f"would borrow: {image}" in outcome.out
    assert "OS_READER_USERNAME" in outcome.out


class RefusesBodies(App):
    """A service that reads the specification as Glance does: a body is not expected."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """Refuse a body."""
        if request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "A body is not expected with this request.")
        return super().add_tag(request, image_id, tag)


@pytest.mark.parametrize(("specification", "verdict"), [("cloud-images", "advisory"), ("glance", "pass")])
def test_the_reading_that_was_chosen_judges(workshop: Any, specification: str, verdict: str) -> None:
    """And a finding says that the other one is met."""
    with serving(RefusesBodies()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-ADD-08", "--specification", specification)

    assert outcome.verdict("TAG-ADD-08") == verdict, outcome.out
    told = "meets Glance's reference, not the vendor's page" in json.dumps(outcome.entry("TAG-ADD-08"))
    assert told is (verdict == "advisory")
    assert outcome.results["settings"]["specification"] == specification


@pytest.mark.parametrize(
    ("specification", "page", "glance", "met", "words"),
    [
        ("cloud-images", True, False, True, "meets the vendor's page, not Glance's reference"),
        ("cloud-images", False, True, False, "meets Glance's reference, not the vendor's page"),
        ("glance", True, False, False, "meets the vendor's page, not Glance's reference"),
        ("glance", True, True, True, ""),
        ("cloud-images", False, False, False, ""),
    ],
)
def test_two_readings(specification: str, page: bool, glance: bool, met: bool, words: str) -> None:
    """The one that was chosen is met or not; words are made where they differ."""
    readings = Interpretations(specification, page, glance)

    assert (readings.met, str(readings)) == (met, words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--specification", "nova"), "cloud-images"),
        (("--tag-limit", "0"), "from 1 to 10000"),
        (("--tag-limit", "many"), "whole number"),
    ],
)
def test_what_makes_no_sense_is_told(workshop: Any, words: tuple[str, ...], told: str) -> None:
    """As a mistake of usage that says what is allowed."""
    outcome = workshop.command("run", "--reference", *words)

    assert outcome.status == 2
    assert told in outcome.out
    assert "Traceback" not in outcome.out


def test_a_limit_that_was_not_stated_is_not_tried(workshop: Any) -> None:
    """And the reason says how to state it."""
    outcome = workshop.judge("--reference", "--select", "TAG-ADD-20")

    assert outcome.verdict("TAG-ADD-20") == "untested"
    assert "--tag-limit N" in outcome.entry("TAG-ADD-20")["explanation"]
