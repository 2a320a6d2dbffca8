"""The pages and what they speak of."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages import areas
from pytest_cloudimages.app.checkup.questions import NAMES
from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.app.options import markdown
from pytest_cloudimages.client.auth.plugins import USUAL
from pytest_cloudimages.engine import registry
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import environment, serving

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def quiet(extra: dict[str, str]) -> dict[str, str]:
    strange = ("OS_", "CLOUDIMAGES_", "PYTHONDONTWRITEBYTECODE", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)} | extra


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the project names a file that exists."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def commands() -> list[str]:
    lines = [line for page in PAGES for text in blocks(page, "") for line in text.splitlines()]
    return [line for line in lines if re.search(r"(^|[ /])cloudimages ", line) and "…" not in line.partition("#")[0]]


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_is_understood(line: str) -> None:
    """Every `cloudimages` command of the pages is one that the command line takes."""
    words = shlex.split(line.partition(" -- ")[0], comments=True)
    names = [number for number, word in enumerate(words) if word.endswith("cloudimages")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest_cloudimages", *words[names[-1] + 1 :], "--help"],
        env=quiet({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_package_is_shipped() -> None:
    """The packages that pyproject.toml lists are the folders that are packages."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = [path.parent.relative_to(ROOT) for path in (ROOT / "pytest_cloudimages").rglob("__init__.py")]

    assert sorted(listed) == sorted([".".join(folder.parts) for folder in folders] + ["pytest_cloudimages.conformance"])


def test_the_first_command_of_the_readme_is_the_main_job() -> None:
    """README's first command sets up and judges the embedded server, in one line."""
    first = blocks(ROOT / "README.md", "")[0].strip()
    assert "\n" not in first
    assert first.endswith("cloudimages run --reference")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """README marks its test command for .ci/run, which takes it from there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command = text.partition("<!-- tests -->\n```\n")[2].partition("\n```")[0]
    assert command.endswith("tox run -e tests")
    assert "<!-- tests -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_examples_of_the_pages_run(tmp_path: Path) -> None:
    """The tests shown in README and in the tutorial pass on the embedded server, with nothing but the plugin."""
    examples = blocks(ROOT / "README.md", "python")
    tutorial = blocks(ROOT / "docs" / "writing-a-requirement.md", "python")
    examples += [text for text in tutorial if "def test_" in text]
    for number, text in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(text, encoding="utf-8")
    (own,) = blocks(ROOT / "docs" / "writing-a-requirement.md", "toml")
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    with serving(App()) as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--cloudimages-catalogue=own.toml", "--cloudimages-profile=quick"],
            cwd=tmp_path,
            env=quiet(environment(server)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(examples)} passed" in done.stdout


def test_the_table_of_options_in_the_readme_is_current() -> None:
    """README's table of options is what `python -m pytest_cloudimages.app.options` prints."""
    expected = f"<!-- options -->\n{markdown()}\n<!-- end of options -->"
    assert expected in (ROOT / "README.md").read_text(encoding="utf-8"), expected


class LeavesTagsOut(App):
    """Leaves the tags out of an image that has none."""

    def represent(self, image: Any) -> dict[str, Any]:
        """Represent an image without an empty list of tags."""
        data = super().represent(image)
        return {name: value for name, value in data.items() if name != "tags" or value}


@pytest.mark.parametrize(
    ("app", "words", "status", "verdict"),
    [
        (App, [], 0, "pass"),
        (LeavesTagsOut, [], 0, "advisory"),
        (LeavesTagsOut, ["--strict"], 1, "advisory"),
    ],
)
def test_the_tutorial_does_what_it_promises(
    workshop: Any, app: type[App], words: list[str], status: int, verdict: str
) -> None:
    """Its entry, its test and its command, word by word, also against a service that breaks the requirement."""
    page = ROOT / "docs" / "writing-a-requirement.md"
    (entry,) = blocks(page, "toml")
    test = next(text for text in blocks(page, "python") if "def test_" in text)
    command = next(text for text in blocks(page, "") if text.startswith("cloudimages run"))
    workshop.write("our-cloud.toml", entry)
    workshop.write("test_our_cloud.py", test)
    _, *asked = command.split()
    asked[asked.index("--") : asked.index("--")] = words
    with serving(app()) as server:
        if app is not App:
            asked.remove("--reference")
            workshop.named(server)
        outcome = workshop.command(*asked)

    assert (outcome.status, outcome.verdict("OUR-TAG-01")) == (status, verdict), outcome.out
    assert "OUR-TAG-01" in outcome.out or verdict == "pass"


def test_the_table_of_workloads_in_the_docs_is_current() -> None:
    """It is what `python -m pytest_cloudimages.areas` prints."""
    areas.load()
    text = (ROOT / "docs" / "writing-a-requirement.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- workloads: python -m pytest_cloudimages.areas -->\n")[2].partition(
        "<!-- /workloads -->"
    )[0]

    assert shown.splitlines() == registry.table()


def test_the_list_of_requirements_in_the_docs_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/requirements.md is what `cloudimages requirements --markdown` prints."""
    assert main(["requirements", "--markdown"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")


REAL_CLOUDS = ROOT / "docs" / "real-clouds.md"


@pytest.mark.parametrize("number", range(3), ids=["clouds.yaml", "variables", "endpoint and token"])
def test_each_way_to_start_leads_to_a_run(workshop: Any, number: int) -> None:
    """The blocks of the page, line by line, in a shell: the doctor finds nothing amiss, and the run judges."""
    (entry,) = blocks(REAL_CLOUDS, "yaml")
    script = blocks(REAL_CLOUDS, "")[number]
    assert script.count("cloudimages doctor") == script.count("cloudimages run") == 1
    with serving(App()) as server:
        user = server.app.identity.users["tester"]
        values = {
            "https://identity.example/v3": f"{server.auth_url}/v3",
            "https://images.example/v2": f"{server.url}/v2",
            "alices-password": user.password,
            "alices-project": user.project.name,
            "alice": user.name,
        }
        for example, value in values.items():
            entry, script = entry.replace(example, value), script.replace(example, value)
        workshop.write("clouds.yaml", entry)
        token = server.app.identity.issue("tester").value
        for name, line in {
            "openstack": f'[ "$*" = "token issue -f value -c id" ] && echo {token}',
            # One requirement is enough to see that a run judges.
            "cloudimages": f'case $1 in run) set -- "$@" --profile quick --select TAG-ADD-05;; esac\n'
            f'exec {shlex.quote(sys.executable)} -m pytest_cloudimages "$@"',
        }.items():
            workshop.write(name, f"#!/bin/sh\n{line}\n").chmod(0o755)
        environ = workshop.environ | {"PATH": f"{workshop.folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-euc", script], cwd=workshop.folder, env=environ, capture_output=True, text=True, check=False
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "READY: cloudimages run" in done.stdout
    assert "TROUBLE" not in done.stdout
    assert re.search(r"^PASS: 1 requirement met", done.stdout, re.MULTILINE), done.stdout


def test_the_page_of_real_clouds_knows_every_line_of_the_doctor() -> None:
    """Whatever a line of the doctor speaks of, and every way to sign in that messages name, stands in its tables."""
    page = REAL_CLOUDS.read_text(encoding="utf-8")
    code = "".join(path.read_text("utf-8") for path in (ROOT / "pytest_cloudimages/app/checkup").glob("*.py"))
    topics = {*re.findall(r'Topic\("([^"]+)"', code), *NAMES.values()}
    topics |= {
        f"{whose} {what}" for whose in ("Identity", "image service") for what in ("name", "port", "TLS", "proxy")
    }

    assert len(topics) > 20
    assert [topic for topic in sorted(topics) if f"`{topic}`" not in page] == []
    assert [kind for kind in re.split(r", | and ", USUAL) if f"`{kind}`" not in page] == []
