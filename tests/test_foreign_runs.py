"""Whoever runs other tests is let be, whatever the environment says, and whoever mixes both keeps all others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages import plugin
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from conftest import Peer

ROOT = Path(__file__).parents[1]

FOREIGN = """
import pytest

@pytest.mark.requirement("JIRA-17")
def test_foreign():
    pass
"""
MIXED = (
    FOREIGN
    + """
from pytest_cloudimages import requirement

def test_image(cloudimages_image):
    assert cloudimages_image.tags() == []

@requirement("TAG-ADD-05")
def test_requirement(cloudimages_client):
    assert cloudimages_client.list().ok

@requirement("TAG-ADD-05")
def test_by_other_means():
    raise AssertionError("it has no service to ask")

def test_foreign_too():
    pass
"""
)


def test_a_stale_token_in_the_environment_is_nothing_to_an_unrelated_run(workshop: Any, peer: Peer) -> None:
    """The service is not even contacted."""
    workshop.environ |= {"CLOUDIMAGES_ENDPOINT": f"{peer.url}/v2", "CLOUDIMAGES_TOKEN": "stale"}
    outcome = workshop.pytest(FOREIGN)

    assert outcome.status == 0, outcome.out
    assert "1 passed" in outcome.out
    assert peer.connections == 0


@pytest.mark.parametrize("folder", ["empty", "with an address alone"])
def test_tests_that_ask_are_skipped_where_no_service_is_named(workshop: Any, folder: str) -> None:
    """One by one, with the reason and what to do, and all others run."""
    if folder != "empty":
        workshop.environ["OS_USERNAME"] = "somebody"
    outcome = workshop.pytest(MIXED, "-rs")

    assert outcome.status == 0, outcome.out
    assert "2 passed, 3 skipped" in outcome.out
    for way in ("--cloudimages-cloud=NAME", "--cloudimages-reference", "CLOUDIMAGES_ENDPOINT", "OS_*", "clouds.yaml"):
        assert way in outcome.out


def test_the_suite_is_skipped_where_no_service_is_named(workshop: Any) -> None:
    """Under pytest; the command says that it has nothing to judge."""
    outcome = workshop.end(
        workshop.start("pytest", "--pyargs", "pytest_cloudimages.conformance", "-q", "-k", "metadata or 204")
    )

    assert outcome.status == 0, outcome.out
    assert "passed" not in outcome.out
    assert workshop.command("run").status == 2


def errors_of(outcome: Any) -> str:
    """Return what is shown of the errors, without what stands above and below."""
    return str(outcome.out.partition(" ERRORS ")[2].partition("short test summary")[0])


def test_foreign_tests_run_where_the_service_is_wrong(workshop: Any) -> None:
    """Those that ask end with one line each."""
    with serving(App()) as server:
        workshop.environ |= {"CLOUDIMAGES_ENDPOINT": f"{server.url}/v2", "CLOUDIMAGES_TOKEN": "stale-token-of-mine"}
        outcome = workshop.pytest(MIXED)

    assert outcome.status == 1
    assert "2 passed, 3 errors" in outcome.out
    assert errors_of(outcome).count("refuses the token") == 3
    assert "stale-token-of-mine" not in outcome.out
    assert "Traceback" not in outcome.out
    assert "cloudimages/" not in outcome.out


def test_foreign_tests_run_where_the_service_is_not_there(workshop: Any, peer: Peer) -> None:
    """A test of no requirement says in a line what the matter is."""
    peer.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"] * 9
    workshop.environ |= {"CLOUDIMAGES_ENDPOINT": f"{peer.url}/v2", "CLOUDIMAGES_TOKEN": "mine"}
    outcome = workshop.pytest(FOREIGN + "\ndef test_image(cloudimages_image): pass\n")

    assert outcome.status == 1
    assert "1 passed, 1 error" in outcome.out
    assert errors_of(outcome).count("does not answer as an image service does") == 1
    assert "service_of" not in outcome.out


def test_a_named_service_is_not_contacted_where_no_test_asks(workshop: Any, peer: Peer) -> None:
    """An ini file names it for those that do."""
    workshop.write("pytest.ini", f"[pytest]\ncloudimages_url = {peer.url}/v2\n")
    workshop.environ["CLOUDIMAGES_TOKEN"] = "mine"
    outcome = workshop.pytest("def test_foreign(): pass")

    assert (outcome.status, peer.connections) == (0, 0)


def test_a_fixture_may_be_asked_for_by_name(workshop: Any, server: Any) -> None:
    """While the test runs, which nothing announces."""
    workshop.named(server)
    source = """
    def test_image(request):
        image = request.getfixturevalue("cloudimages_image")
        assert image.tags() == []
    """

    assert workshop.pytest(source).status == 0
    assert server.app.images.all() == []


def test_several_processes_skip_the_tests_that_ask(workshop: Any, server: Any) -> None:
    """A service is judged in one process; all others run in as many as they like."""
    workshop.named(server)
    outcome = workshop.pytest(MIXED.replace("test_by_other_means", "by_other_means"), "-n", "2", "-rs")

    assert outcome.status == 0, outcome.out
    assert "2 passed, 2 skipped" in outcome.out
    assert "leave out the -n of pytest-xdist" in outcome.out


def test_all_public_fixtures_say_whose_they_are(workshop: Any) -> None:
    """No other name is taken in anybody's run."""
    outcome = workshop.pytest("", "--fixtures", "-v")
    here = outcome.out.partition("fixtures defined from pytest_cloudimages")[2].partition("fixtures defined from")[0]
    names = [line.partition(" ")[0] for line in here.splitlines() if " -- " in line]

    assert sorted(names) == sorted(plugin.__all__)
    assert [name for name in names if not name.startswith("cloudimages_")] == []


OWN_NAMES = """
import pytest

@pytest.fixture
def image():
    return "mine"

@pytest.fixture
def plain_tags():
    return "mine too"
"""


def test_fixtures_of_the_same_name_know_nothing_of_each_other(workshop: Any) -> None:
    """The suite has its own, and a tester's conftest.py has the tester's."""
    workshop.write("conftest.py", OWN_NAMES)
    path = workshop.write(
        "test_own.py", 'def test_own(image, plain_tags):\n    assert (image, plain_tags) == ("mine", "mine too")\n'
    )
    words = ("--cloudimages-reference", "--cloudimages-profile=quick", "--cloudimages-select=TAG-ADD")
    process = workshop.start("pytest", "--pyargs", "pytest_cloudimages.conformance", str(path), *words, "-rA")
    outcome = workshop.end(process)

    assert outcome.status == 0, outcome.out
    assert "test_own.py::test_own" in outcome.out
    assert "error" not in outcome.out.lower()


SHOWN = """
import pytest

def test_own(
    cloudimages_run, cloudimages_image, cloudimages_client, cloudimages_credentials, cloudimages_service,
    cloudimages_workloads, cloudimages_fresh_image, cloudimages_reader,
):
    run, client, image, reader = cloudimages_run, cloudimages_client, cloudimages_image, cloudimages_reader
    recorder, transport, patience, settings = run.recorder, run.transport, run.patience, run.settings
    answer = image.add_tag("a")
    exchange = answer.exchange
    steps, races, paths = (
        cloudimages_workloads.plain_tags, cloudimages_workloads.races, cloudimages_workloads.read_path_checks
    )
    runs = [*races.asked()]
    history, concurrent = steps.histories[0], runs[0]
    step = history.steps[0]
    attempts, negative = cloudimages_workloads.access_attempts, cloudimages_workloads.negative_requests
    shown, others, basics = (
        cloudimages_workloads.representations, cloudimages_workloads.other_images, cloudimages_workloads.basics
    )
    comparisons, state, attempt, reading = paths, shown.states[0], attempts.attempts[0], history.readings[0]
    assert answer.status == 299
"""


def test_a_failing_test_of_ones_own_is_readable(workshop: Any) -> None:
    """With every local shown: each thing has a short line, and none a secret."""
    with serving(App()) as server:
        workshop.environ |= {
            name: value for name, value in environment_of(server).items() if name.startswith(("OS_", "CLOUDIMAGES_"))
        }
        workshop.environ["COLUMNS"] = "80"
        outcome = workshop.pytest(SHOWN, "--showlocals", "-vv", "--cloudimages-profile=quick")

    assert outcome.status == 1
    assert "assert 204 == 299" in outcome.out
    assert len(outcome.out.encode()) < 10_000, outcome.out
    for password in {user.password for user in server.app.identity.users.values()}:
        assert password not in outcome.out


def test_a_failing_property_of_ones_own_is_readable(workshop: Any) -> None:
    """Hypothesis writes its arguments down, each in a short line."""
    source = """
    from hypothesis import given, settings, strategies as st

    @settings(max_examples=1, deadline=None)
    @given(number=st.integers())
    def test_own(cloudimages_client, cloudimages_run, cloudimages_workloads, number):
        assert number == "never"
    """
    outcome = workshop.pytest(source, "--cloudimages-reference", "-vv")

    assert outcome.status == 1
    assert "number=0" in outcome.out
    assert len(outcome.out.encode()) < 5_000, outcome.out


def environment_of(server: Any) -> dict[str, str]:
    """Return the variables that name a service and all its identities."""
    from pytest_cloudimages.reference.server import environment

    return environment(server)


@pytest.fixture(scope="module")
def shadowed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs a module of Python where the package is installed from a wheel, in a checkout or outside."""
    place = tmp_path_factory.mktemp("shadowed")
    site, checkout, outside = place / "site", place / "checkout", place / "outside"
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in (site, checkout):
        shutil.copytree(ROOT / "pytest_cloudimages", folder / "pytest_cloudimages", ignore=ignored)
    shutil.copytree(ROOT / "conformance", site / "pytest_cloudimages" / "conformance", ignore=ignored)
    shutil.copytree(ROOT / "conformance", checkout / "conformance", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    outside.mkdir()
    # Without `site`, no file of an editable installation tells Python where else to look.
    packages = [folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages"))]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_", "PYTEST_"))
    }
    environ |= {"PYTHONPATH": os.pathsep.join([str(site), *packages]), "HOME": str(place)}

    def run(where: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-m", *words],
            cwd=place / where,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("where", ["checkout", "outside"])
@pytest.mark.parametrize(
    "named",
    [
        "pytest_cloudimages.conformance",
        "pytest_cloudimages.conformance.test_methods",
        "pytest_cloudimages.conformance.test_methods::test_a_method_in_other_case_is_another_method",
    ],
    ids=["suite", "module", "test"],
)
def test_the_suite_is_found_by_its_name(shadowed: Any, where: str, named: str) -> None:
    """Also where the checkout's package stands before the installed one."""
    words = ("--cloudimages-reference", "--cloudimages-profile=standard", "--cloudimages-select=TAG-METH-06", "-q")
    done = shadowed(where, "pytest", "--pyargs", named, "-p", "no:cacheprovider", *words)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("where", ["checkout", "outside"])
def test_the_command_finds_the_suite(shadowed: Any, where: str) -> None:
    """To list the requirements that it tests, and to run it."""
    listed = shadowed(where, "pytest_cloudimages.app.cli.main", "requirements", "TAG-METH-06")
    words = ("--reference", "--profile", "standard", "--select", "TAG-METH-06")
    run = shadowed(where, "pytest_cloudimages.app.cli.main", "run", *words)

    assert "tested:     yes" in listed.stdout, listed.stdout + listed.stderr
    assert run.returncode == 0, run.stdout + run.stderr
    assert "verdicts: 1 pass" in run.stdout
