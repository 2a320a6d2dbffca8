"""What CI systems are given: each file is what its schema wants, and does what it says."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
TEMPLATE = ROOT / "integrations" / "cloudimages.gitlab-ci.yml"
SCHEMAS = {
    "workflow": ("--builtin-schema", "vendor.github-workflows"),
    "action": ("--builtin-schema", "vendor.github-actions"),
    "gitlab": ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}


@pytest.mark.parametrize("name", ["action", "template", "workflow", "included", "shards"])
def test_the_schema_of_its_reader_takes_it(name: str, tmp_path: Path) -> None:
    """By check-jsonschema, which has the schemas of both vendors."""
    if not importlib.util.find_spec("check_jsonschema"):
        pytest.skip("check-jsonschema is not installed: tox run -e formats")
    files = {"action": ROOT / "action.yml", "template": TEMPLATE}
    schemas = {"action": "action", "template": "gitlab", "workflow": "workflow", "included": "gitlab"}
    schemas["shards"] = "workflow"
    file = files.get(name) or tmp_path / "file.yml"
    if name not in files:
        file.write_text(BLOCKS[["workflow", "included", "shards"].index(name)], encoding="utf-8")

    told = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *SCHEMAS[schemas[name]], file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


def test_kubernetes_takes_the_job() -> None:
    """By the schemas of its API; there are as many shards as the job has pods."""
    file = ROOT / "integrations" / "kubernetes-shards.yaml"
    job = yaml.safe_load(file.read_text(encoding="utf-8"))
    (shard,) = re.findall(r"--shard \$shard/(\d+)", job["spec"]["template"]["spec"]["containers"][0]["args"][0])
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == int(shard)
    if not importlib.util.find_spec("kubernetes_validate"):
        pytest.skip("kubernetes-validate is not installed: tox run -e formats")
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize(
    ("words", "status"),
    [("--select TAG-ADD-01", 0), ("--select TAG-ADD-01 --seed nonsense", 2)],
)
def test_the_action_judges_annotates_and_ends_as_the_run_does(workshop: Any, words: str, status: int) -> None:
    """Its script is run as the action runs it; where there are no results, nothing is said of any."""
    summary, output = workshop.folder / "summary.md", workshop.folder / "output"
    command = workshop.write("cloudimages", f'#!/bin/sh\nexec {sys.executable} -m pytest_cloudimages "$@"\n')
    command.chmod(0o755)
    environ = workshop.environ | {
        "PATH": f"{workshop.folder}:{workshop.environ['PATH']}",
        "ARGUMENTS": f"--reference --profile quick {words}",
        "REPORTS": "reports",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(output),
    }
    ended = subprocess.run(
        [shutil.which("bash") or "bash", ROOT / "integrations" / "github.sh"],
        cwd=workshop.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == status, ended.stdout + ended.stderr
    assert output.read_text("utf-8") == f"status={status}\n"
    assert summary.exists() is (status == 0)
    assert (workshop.reports / "github.sarif").exists() is (status == 0)


def test_the_action_takes_no_word_of_its_arguments_for_a_command(workshop: Any) -> None:
    """They may come from whoever opens a pull request."""
    environ = workshop.environ | {"ARGUMENTS": "$(touch harm) `touch harm`; touch harm", "REPORTS": "reports"}
    environ |= {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output"}
    script = str(ROOT / "integrations" / "github.sh")
    subprocess.run(["bash", script], cwd=workshop.folder, env=environ, capture_output=True, check=False)

    assert not (workshop.folder / "harm").exists()


def test_the_action_and_the_template_name_forms_that_there_are() -> None:
    """And the files in which they are written."""
    from pytest_cloudimages.reporting.formats import FORMATS

    template = yaml.safe_load(TEMPLATE.read_text("utf-8"))["image-api-conformance"]
    text = TEMPLATE.read_text("utf-8") + (ROOT / "integrations" / "github.sh").read_text("utf-8")

    assert {*re.findall(r"(?:--export|export) (\w[\w-]*)", text)} <= {*FORMATS}
    reports = template["artifacts"]["reports"]
    assert reports["junit"] == f"reports/{FORMATS['junit'].file}"
    assert reports["codequality"] == f"reports/{FORMATS['codequality'].file}"
    assert f"reports/{FORMATS['sarif-github'].file}" in (ROOT / "docs" / "ci.md").read_text("utf-8")
