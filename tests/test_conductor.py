"""Outcomes become verdicts: small modules of a tester's own, run against the embedded server."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = """
area = "own"
untested = "Nobody asked."

[[requirements]]
id = "OWN-01"
level = "MUST"
provenance = "documented"
operation = "GET /v2/images"
statement = "The list is a list."
document = "House rules"
section = "1"
observe = "Ask for it."
"""

EVERYTHING = """
import hypothesis, pytest
from hypothesis import strategies as st
from pytest_cloudimages import requirement
from pytest_cloudimages.spec.verdicts import Blocked

@requirement("TAG-ADD-05")
def test_pass(cloudimages_image):
    cloudimages_image.add_tag("a")
    cloudimages_image.add_tag("a")
    assert cloudimages_image.tags() == ["a"]

@requirement("TAG-ADD-01")
def test_must_documented(cloudimages_image):
    assert cloudimages_image.add_tag("a").status == 299

@requirement("TAG-URI-05")
def test_must_http(cloudimages_image):
    assert cloudimages_image.add_tag("a").status == 299

@requirement("TAG-URI-08")
def test_should_documented(cloudimages_image):
    assert cloudimages_image.add_tag("a").status == 299

@requirement("TAG-URI-16")
def test_may(cloudimages_image):
    assert cloudimages_image.add_tag("a").status == 299

@requirement("TAG-ADD-02")
def test_asks_nothing():
    pass

@pytest.fixture
def broken():
    assert 1 == 2, "the ground is broken"

@requirement("TAG-ADD-03")
def test_broken_setup(broken):
    pass

@pytest.fixture
def missing():
    raise Blocked("the ground is missing")

@requirement("TAG-ADD-04")
def test_missing_setup(missing):
    pass

@pytest.fixture
def crashing():
    raise RuntimeError("a bug of the fixture")

@requirement("TAG-ADD-06")
def test_crashing_setup(crashing):
    pass

@pytest.fixture
def untidy(cloudimages_image):
    yield cloudimages_image
    assert cloudimages_image.tags() == [], "not tidied up"

@requirement("TAG-ADD-07")
def test_untidy_teardown(untidy):
    untidy.add_tag("a")

@requirement("TAG-ADD-09")
def test_blocked(cloudimages_image):
    raise Blocked("no way to ask")

@requirement("TAG-ADD-10")
def test_crash(cloudimages_image):
    cloudimages_image.add_tag("a")
    raise KeyError("our bug")

@requirement("TAG-ADD-11")
def test_skipped(cloudimages_image):
    pytest.skip("not today")

@requirement("TAG-DEL-01", "TAG-DEL-03")
def test_two_requirements(cloudimages_image):
    cloudimages_image.given_tags("a")
    assert cloudimages_image.delete_tag("a").status == 204
    assert cloudimages_image.tags() == []

@requirement("TAG-DEL-02")
def test_one_of_two_passes(cloudimages_image):
    cloudimages_image.tags()

@requirement("TAG-DEL-02")
def test_one_of_two_fails(cloudimages_image):
    assert cloudimages_image.tags() == ["x"]

calls = []

@requirement("TAG-DEL-04")
@hypothesis.given(st.just("a"))
def test_flaky(cloudimages_client, tag):
    cloudimages_client.list()
    calls.append(tag)
    assert len(calls) > 1

@requirement("TAG-DEL-05")
@hypothesis.given(st.integers(0, 100))
def test_property_fails(cloudimages_client, number):
    cloudimages_client.list(limit=str(number))
    assert number == 0

@requirement("TAG-DEL-06")
@hypothesis.given(st.integers(0, 10**9))
def test_property_passes(cloudimages_client, number):
    cloudimages_client.list(limit="1")

@requirement("TAG-DEL-07")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_rows(cloudimages_client, number):
    cloudimages_client.list(limit="1")
    assert number != 2

@requirement("OWN-01")
def test_own(cloudimages_client):
    assert isinstance(cloudimages_client.list().data["images"], list)

def test_of_something_else():
    assert True
"""

VERDICTS = {
    "TAG-ADD-05": "pass",
    "TAG-ADD-01": "fail",
    "TAG-URI-05": "advisory",
    "TAG-URI-08": "advisory",
    "TAG-URI-16": "noted",
    "TAG-ADD-02": "blocked",
    "TAG-ADD-03": "blocked",
    "TAG-ADD-04": "blocked",
    "TAG-ADD-06": "error",
    "TAG-ADD-07": "blocked",
    "TAG-ADD-09": "blocked",
    "TAG-ADD-10": "error",
    "TAG-ADD-11": "untested",
    "TAG-DEL-01": "pass",
    "TAG-DEL-03": "pass",
    "TAG-DEL-02": "fail",
    "TAG-DEL-04": "unstable",
    "TAG-DEL-05": "fail",
    "TAG-DEL-06": "pass",
    "TAG-DEL-07": "fail",
    "OWN-01": "pass",
    "TAG-ADD-13": "untested",
}
REPORTS = ("--cloudimages-reports=reports", "--cloudimages-seed=1", "--cloudimages-profile=standard")


@pytest.fixture(scope="module")
def everything(shared_workshop: Callable[[str], Any]) -> Any:
    """Run a module with a check of every kind."""
    workshop = shared_workshop("everything")
    workshop.write("own.toml", OWN)
    with serving(App()) as server:
        workshop.named(server)
        outcome = workshop.pytest(
            EVERYTHING, *REPORTS, "--cloudimages-catalogue=own.toml", "--tb=short", "--junit-xml=reports/pytest.xml"
        )
        left = [*server.app.images.all()]
    assert left == []
    return outcome


@pytest.mark.parametrize(("identifier", "verdict"), [*VERDICTS.items()])
def test_a_requirement_comes_to_a_verdict(everything: Any, identifier: str, verdict: str) -> None:
    """What happened in its checks decides, and the worst of several counts."""
    assert everything.verdict(identifier) == verdict


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        ("TAG-ADD-01", "204 == 299"),
        ("TAG-ADD-02", "No case reached the question"),
        ("TAG-ADD-03", "the ground is broken"),
        ("TAG-ADD-04", "the ground is missing"),
        ("TAG-ADD-06", "a bug of the fixture"),
        ("TAG-ADD-07", "not tidied up"),
        ("TAG-ADD-10", "our bug"),
        ("TAG-ADD-11", "not today"),
        ("TAG-DEL-05", "number=1"),
        ("TAG-ADD-13", "No test of this run asks for it."),
    ],
)
def test_a_verdict_says_why(everything: Any, identifier: str, told: str) -> None:
    """In words that came from where it went wrong."""
    assert told in everything.entry(identifier)["explanation"]


def test_a_pass_needs_no_explanation(everything: Any) -> None:
    """There is nothing to say."""
    assert everything.entry("OWN-01")["explanation"] == ""


def test_a_finding_shows_its_exchanges(everything: Any) -> None:
    """Those of the case that went wrong, with the answers, and without the cleaning up."""
    exchanges = everything.entry("TAG-ADD-01")["exchanges"]

    assert [sent["method"] for sent in exchanges][-1] == "PUT"
    assert exchanges[-1]["status"] == 204
    assert "cleaning" not in {exchange["purpose"] for exchange in exchanges}


def test_a_finding_can_be_replayed(everything: Any) -> None:
    """The command names the requirement and the seed."""
    assert everything.entry("TAG-DEL-05")["replay"].partition(" -- ")[0].endswith("--seed 1 --select TAG-DEL-05")


def test_a_pass_shows_no_exchanges(everything: Any) -> None:
    """Transcripts are for findings."""
    assert "exchanges" not in everything.entry("TAG-ADD-05")


@pytest.mark.parametrize(("identifier", "least"), [("TAG-DEL-06", 3), ("TAG-DEL-07", 3), ("TAG-ADD-05", 1)])
def test_cases_are_counted(everything: Any, identifier: str, least: int) -> None:
    """Every example of a property, and every row."""
    entry = everything.entry(identifier)

    assert entry["cases"] >= least
    assert entry["requests"] >= least


def test_a_check_of_something_else_is_none_of_ours(everything: Any) -> None:
    """It passes, and has no properties in the file of --junit-xml."""
    cases = {
        character.get("name"): character for character in ET.parse(everything.reports / "pytest.xml").iter("testcase")
    }

    assert cases["test_of_something_else"].find("properties") is None
    assert cases["test_of_something_else"].find("failure") is None


def test_junit_tells_requirements(everything: Any) -> None:
    """Id, level, provenance and verdict are properties of the test case."""
    cases = {
        character.get("name"): character for character in ET.parse(everything.reports / "pytest.xml").iter("testcase")
    }
    properties = {
        each_character.get("name"): each_character.get("value")
        for each_character in cases["test_must_http"].iter("property")
    }

    assert properties.items() >= {
        "requirement": "TAG-URI-05", "level": "MUST", "provenance": "http", "verdict": "advisory"
    }.items()  # fmt: skip
    both = [
        element.get("value")
        for element in cases["test_two_requirements"].iter("property")
        if element.get("name") == "requirement"
    ]
    assert both == ["TAG-DEL-01", "TAG-DEL-03"]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("test_pass", []),
        ("test_must_documented", ["failure"]),
        ("test_must_http", ["skipped"]),
        ("test_may", []),
        ("test_asks_nothing", ["failure"]),
        ("test_crash", ["failure"]),
        ("test_skipped", ["skipped"]),
    ],
)
def test_junit_fails_what_fails(everything: Any, name: str, outcome: list[str]) -> None:
    """And nothing else: an advisory is no failure of a build."""
    cases = {
        character.get("name"): character for character in ET.parse(everything.reports / "pytest.xml").iter("testcase")
    }

    assert [case.tag for case in cases[name] if case.tag in ("failure", "error", "skipped")] == outcome


# Exit status of pytest itself


@pytest.mark.parametrize(
    ("identifier", "options", "status"),
    [
        ("TAG-ADD-01", [], 1),
        ("TAG-URI-08", [], 0),
        ("TAG-URI-08", ["--cloudimages-strict"], 1),
        ("TAG-URI-16", [], 0),
        ("TAG-URI-16", ["--cloudimages-strict"], 0),
    ],
)
def test_a_departure_fails_the_run_or_not(workshop: Any, identifier: str, options: list[str], status: int) -> None:
    """A fail always, an advisory when the run is strict, a note never."""
    source = f"""
    from pytest_cloudimages import requirement

    @requirement("{identifier}")
    def test_one(cloudimages_image):
        assert cloudimages_image.tags() == ["never"]
    """

    assert workshop.pytest(source, "--cloudimages-reference", *options).status == status


def test_an_unknown_requirement_stops_the_collection(workshop: Any) -> None:
    """With the test, the id, and the way to find out."""
    source = """
    from pytest_cloudimages import requirement

    @requirement("TAG-NIL-99")
    def test_one(cloudimages_image):
        pass
    """
    outcome = workshop.pytest(source, "--cloudimages-reference")

    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert "test_own.py::test_one asks for the requirement 'TAG-NIL-99'" in outcome.out
    assert "cloudimages requirements" in outcome.out
    assert "Traceback" not in outcome.out


class Shaky(App):
    """A service that fails at one request, once it has shown that it can do better."""

    failed = False

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Fail once."""
        if not self.failed and tag == "x":
            self.failed = True
            return Reply(500)
        return super().add_tag(request, image_id, tag)


def test_a_service_that_fails_once_is_unstable(workshop: Any) -> None:
    """Asked again, all is well: nobody can say that the service departs from the requirement."""
    with serving(Shaky()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-HIST-01")

    assert (outcome.verdict("TAG-HIST-01"), outcome.status) == ("unstable", 3)
    assert "500" in json.dumps(outcome.entry("TAG-HIST-01"))


# Asleep

ASLEEP = """
import sys
import pytest

@pytest.mark.requirement("REQ-17", "whatever")
def test_unrelated():
    heavy = {"hypothesis", "requests", "urllib3", "jsonschema", "openstack", "keystoneauth1"}
    assert heavy & {*sys.modules} == set()
    ours = {one for one in sys.modules if one.startswith("pytest_cloudimages")}
    assert "pytest_cloudimages.app.judge" not in ours
    assert "pytest_cloudimages.spec.catalogue" not in ours
"""


def test_an_unrelated_run_is_left_alone(workshop: Any) -> None:
    """Nothing heavy is imported, nothing is said, and a mark of the same name keeps its own ids."""
    outcome = workshop.pytest(ASLEEP, "--strict-markers")

    assert outcome.status == 0, outcome.out
    assert "cloudimages" not in outcome.out.split("plugins:", 1)[-1].partition("\n")[2]
    assert {file.name for file in workshop.folder.iterdir()} <= {"test_own.py", "__pycache__", ".cache"}


def test_an_address_in_the_environment_wakes_nobody(workshop: Any) -> None:
    """A shell set up for a cloud does not make an unrelated run a conformance run."""
    workshop.environ |= {"OS_AUTH_URL": "http://127.0.0.1:9", "OS_USERNAME": "x", "OS_PASSWORD": "secret"}

    assert workshop.pytest(ASLEEP).status == 0


def test_tests_beside_a_judged_service_need_no_requirement(workshop: Any) -> None:
    """A test that uses a fixture and names no requirement is an ordinary test."""
    source = """
    def test_plain(cloudimages_image):
        assert cloudimages_image.tags() == ["never"]
    """
    outcome = workshop.pytest(source, "--cloudimages-reference")

    assert outcome.status == 1
    assert "assert [] == ['never']" in outcome.out
    assert "conformance" not in outcome.out.rpartition("short test summary")[2]
