"""The pages and what they speak of."""

import json
import os
import re
import shlex
import shutil
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
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.server import environment, serving

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import judged

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
    """Return every line of the pages' blocks that has a `cloudimages` command, without the sign of a shell."""
    lines = [line for page in PAGES for text in blocks(page, "") for line in text.splitlines()]
    lines += [line[2:] for page in PAGES for text in blocks(page, "console") for line in text.splitlines()]
    found = [line.partition("#")[0].strip() for line in lines if re.search(r"(^|[ /])cloudimages ", line)]
    return [*dict.fromkeys(line for line in found if not line.startswith("#"))]


def words_of(line: str) -> list[str]:
    """Return the words behind `cloudimages`, up to where the shell sends the output."""
    words = shlex.split(line.partition(" >")[0])
    return words[max(number for number, word in enumerate(words) if word.endswith("cloudimages")) + 1 :]


STARTED = "test_each_way_to_start_leads_to_a_run"
NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/cloudimages run --reference": "it installs"
    " from a registry; .ci/run installs the wheel and runs it",
    "cloudimages run --seed 7 --tag-limit 128 --strict --deviations docs/glance-deviations.toml": "it takes a real"
    " Glance; tests/glance/test_gate.py runs it",
    "cloudimages run --reference --catalogue our-cloud.toml --select OUR-TAG-01 -- test_our_cloud.py": "run by"
    " test_the_tutorial_does_what_it_promises",
    "cloudimages run --reference --catalogue our-cloud --select OUR": "it takes the package; run by test_packages.py",
    "cloudimages run --cloud mycloud --sign ~/.ssh/id_ed25519": "it takes OpenSSH; run by test_verification.py",
    "cloudimages verify reports --key ~/.ssh/id_ed25519.pub": "it takes OpenSSH; run by test_verification.py",
    "cloudimages doctor": f"run by {STARTED}",
    "cloudimages run": f"run by {STARTED}",
    "cloudimages doctor --cloud mine": f"run by {STARTED}",
    "cloudimages run --cloud mine": f"run by {STARTED}",
    "cloudimages doctor --endpoint https://images.example/v2": f"run by {STARTED}",
    "cloudimages run --endpoint https://images.example/v2": f"run by {STARTED}",
    "cloudimages run --cloud NAME": f"run with another name by {STARTED}",
    "cloudimages run --cloud NAME --seed 7": "run with --baseline beside it",
    **dict.fromkeys(
        (
            "cloudimages run --cloud NAME --cloud mycloud",
            "cloudimages run --cloud NAME --all-regions",
            "cloudimages run --cloud NAME --shards 4",
        ),
        "run with other names by test_many.py",
    ),
    "cloudimages run --cloud NAME --cloud mycloud --dask tls://scheduler.example:8786": "it takes Dask; test_dask.py has it",
    "cloudimages run --cloud mycloud --deviations deviations.toml": "run with a seed beside it",
    "CLOUDIMAGES_TOKEN=… cloudimages run --endpoint https://images.example/v2": f"run by {STARTED}",
}
"""Commands of the pages that are not run here, and why; that they are understood is seen all the same."""


@pytest.mark.parametrize("line", NOT_RUN)
def test_every_command_shown_is_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not run here is a command that the pages show, and one that the command line takes."""
    words = words_of(line.partition(" -- ")[0])
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])

    assert line in commands()
    assert ended.value.code == 0, capsys.readouterr().err


@pytest.fixture(scope="module")
def left_by_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the commands of the pages read: reports of a run that found something, and the like."""
    folder = tmp_path_factory.mktemp("left")
    (folder / "reports").mkdir()
    judged(FAULTS["ForgivesASecondDelete"], folder / "reports", select=["TAG-DEL-05"])
    for name in ("last", "old/reports", "new/reports"):
        shutil.copytree(folder / "reports", folder / name)
    (accepted,) = blocks(ROOT / "docs" / "gating.md", "toml")
    (folder / "deviations.toml").write_text(accepted, encoding="utf-8")
    return folder


@pytest.mark.parametrize("line", [line for line in commands() if line not in NOT_RUN])
def test_every_command_shown_runs(
    line: str, left_by_runs: Path, tmp_path: Path, workshop: Any, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """On the embedded server, and on files of a run; `cloudimages run` asks for one requirement, which is enough."""
    shutil.copytree(left_by_runs, tmp_path, dirs_exist_ok=True)
    words = words_of(line)
    if words[0] == "deviations":
        (tmp_path / "deviations.toml").unlink()
    with serving(App()) as server:
        user = server.app.identity.users["tester"]
        image = server.app.images.create(Caller(user.project.id), {"name": "mine", "tags": ["a"]})
        auth = {"auth_url": f"{server.auth_url}/v3", "username": user.name, "password": user.password}
        auth |= {"project_name": user.project.name, "user_domain_name": "Default", "project_domain_name": "Default"}
        (tmp_path / "clouds.yaml").write_text(
            json.dumps({"clouds": {"NAME": {"auth": auth}, "mycloud": {"auth": auth}}})
        )
        names = {} if "--cloud" in words else environment(server)
        words = [image.id if word == "ID" else word for word in words]
        # In this process, the files of an earlier test would name the clouds.
        if words[0] == "run" or "--cloud" in words:
            further = ["--profile", "quick", "--select", "TAG-DEL-05"] if words[0] == "run" else []
            workshop.environ |= names
            outcome = workshop.command(*words, *further)
            status, told = outcome.status, outcome.out
        else:
            for name in [name for name in os.environ if name.startswith(("OS_", "CLOUDIMAGES_"))]:
                monkeypatch.delenv(name)
            for name, value in (workshop.environ | names).items():
                monkeypatch.setenv(name, value)
            monkeypatch.chdir(tmp_path)
            status = main(words)
            told = "".join(capsys.readouterr())
        left = [shown.id for shown in server.app.images.all()]

    assert status == 0, told
    assert left == [image.id]


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
    own, *_ = blocks(ROOT / "docs" / "writing-a-requirement.md", "toml")
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
    entry, *_ = blocks(page, "toml")
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
