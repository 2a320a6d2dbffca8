"""A catalogue that another package brings, with tests of its own: by the command, and by pytest alone."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.server import serving

EXAMPLE = Path(__file__).parent / "example_package"
CATALOGUE = "our-cloud"


def install(package: Path, folder: Path) -> None:
    """Put a package into a folder of Python's path, with what an installer writes of its entry points."""
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    (own,) = project["entry-points"]["cloudimages.catalogues"].values()
    shutil.copytree(package / own, folder / own, ignore=shutil.ignore_patterns("__pycache__"))
    described = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n", "utf-8"
    )
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (described / "entry_points.txt").write_text("\n".join([*lines, ""]), "utf-8")


@pytest.fixture
def installed(workshop: Any) -> Any:
    """Return a workshop whose Python has the example package."""
    site = workshop.folder / "site"
    site.mkdir()
    install(EXAMPLE, site)
    workshop.environ["PYTHONPATH"] = str(site)
    return workshop


class BreaksPromises(App):
    """A service that leaves the tags out of an image that has none, and stores a tag up to its first colon."""

    def represent(self, image: Image) -> dict[str, object]:
        """Return what the image shows."""
        return {name: value for name, value in super().represent(image).items() if name != "tags" or value}

    def add_tag(self, request: Any, image_id: str, tag: str) -> Any:
        """Add another tag than was sent."""
        return super().add_tag(request, image_id, tag.partition(":")[0])


def verdicts(outcome: Any) -> dict[str, str]:
    return {name: outcome.verdict(name) for name in ("OUR-TAG-01", "OUR-TAG-02", "OUR-TAG-03")}


@pytest.mark.parametrize("alone", [False, True], ids=["by the command", "by pytest alone"])
@pytest.mark.parametrize(
    ("app", "first", "second", "status"), [(App, "pass", "pass", 0), (BreaksPromises, "advisory", "fail", 1)]
)
def test_a_package_judges(installed: Any, app: type[App], first: str, second: str, status: int, *, alone: bool) -> None:
    """Its tests are asked for its requirements, and its service is held to them."""
    with serving(app()) as server:
        installed.named(server)
        if alone:
            words = ("--cloudimages-endpoint", installed.environ["CLOUDIMAGES_ENDPOINT"], "--cloudimages-seed=1")
            own = (f"--cloudimages-catalogue={CATALOGUE}", "--cloudimages-select=OUR", "--cloudimages-reports=reports")
            started = installed.start("pytest", "-p", "no:cacheprovider", *words, *own, "--pyargs", "our_cloud")
            outcome = installed.end(started)
        else:
            outcome = installed.command("run", "--seed=1", "--catalogue", CATALOGUE, "--select", "OUR")

    assert verdicts(outcome) == {"OUR-TAG-01": first, "OUR-TAG-02": second, "OUR-TAG-03": "untested"}, outcome.out
    assert outcome.status == status, outcome.out
    entry = outcome.entry("OUR-TAG-01")
    assert entry["url"] == "https://docs.cloud.example/images/#tags"
    assert app is App or f"--catalogue {CATALOGUE}" in entry["replay"]
    if not alone:
        verified = installed.command("verify", "reports", "--catalogue", CATALOGUE)
        assert verified.status == 0, verified.out


def test_a_run_without_it_knows_nothing_of_it(installed: Any) -> None:
    """What is installed changes no run that does not name it."""
    outcome = installed.command("requirements", "--json")
    assert not [entry for entry in json.loads(outcome.out)["requirements"] if entry["id"].startswith("OUR")]


@pytest.mark.parametrize(
    ("broken", "named", "told"),
    [
        ("", "our-clod", "no package that is installed brings one of this name. Those that are there: our-cloud."),
        ("no files", CATALOGUE, "its package our_cloud has no TOML file"),
        ("no package", CATALOGUE, "its package our_cloud has no TOML file"),
    ],
)
def test_a_catalogue_that_is_not_there(installed: Any, broken: str, named: str, told: str) -> None:
    """One line says what was looked for."""
    site = installed.folder / "site"
    if broken == "no files":
        (site / "our_cloud" / "promises.toml").unlink()
    elif broken == "no package":
        shutil.rmtree(site / "our_cloud")
    outcome = installed.command("run", "--reference", "--catalogue", named)
    assert outcome.status == 2, outcome.out
    assert told in outcome.out
    assert "Traceback" not in outcome.out


def test_a_file_of_that_name_goes_first(installed: Any) -> None:
    """Who names a file means it, whatever is installed."""
    shutil.copy(EXAMPLE / "our_cloud" / "promises.toml", installed.folder / CATALOGUE)
    outcome = installed.judge(
        "--reference", "--catalogue", CATALOGUE, "--select", "OUR-TAG-01", "--select", "TAG-ADD-01"
    )
    assert outcome.verdict("OUR-TAG-01") == "untested", outcome.out
