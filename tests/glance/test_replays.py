"""Every finding of a real Glance is shown again by its file and by its test, and gone where a server in front mends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.glance.mending import MENDS, mending

if TYPE_CHECKING:
    from pathlib import Path

    from tests.glance.conftest import Cloud

VERDICT = re.compile(r"\b(reproduced|fixed|1 failed|1 passed)\b", re.IGNORECASE)


def verdict(said: str) -> str:
    """Return what a replay, or pytest, says last."""
    return next((found.lower() for found in reversed(VERDICT.findall(said))), "")


@pytest.fixture(scope="module")
def findings(cloud: Cloud) -> dict[str, Path]:
    """The files of a run's findings, by requirement."""
    selected = [f"--select={identifier}" for identifier in MENDS]
    run = cloud.run(cloud.environment, "--seed", "7", "--tag-limit", "128", *selected)
    found = {file.stem: file for file in (run.folder / "findings").iterdir()}
    assert found.keys() == MENDS.keys(), run.out
    return found


@pytest.mark.parametrize("identifier", MENDS)
def test_a_finding_is_reproduced_and_fixed_by_its_file(
    cloud: Cloud, findings: dict[str, Path], identifier: str
) -> None:
    """Glance shows it again, and a mended one no more."""
    replay = ("-m", "pytest_cloudimages", "replay", str(findings[identifier]))
    again = cloud.python(cloud.environment, *replay)
    with mending(cloud.glance, identifier) as front:
        mended = cloud.python(cloud.environment, *replay, "--endpoint", front)

    assert (again.returncode, verdict(again.stdout)) == (1, "reproduced"), again.stdout
    assert (mended.returncode, verdict(mended.stdout)) == (0, "fixed"), mended.stdout


@pytest.mark.parametrize("identifier", MENDS)
def test_a_finding_is_reproduced_and_fixed_by_its_test(
    cloud: Cloud, findings: dict[str, Path], identifier: str
) -> None:
    """What `--as pytest` prints fails on Glance, and passes on a mended one."""
    printed = cloud.python(
        cloud.environment, "-m", "pytest_cloudimages", "replay", str(findings[identifier]), "--as", "pytest"
    )
    file = cloud.folder / f"test_{identifier.replace('-', '_')}.py"
    file.write_text(printed.stdout, "utf-8")
    words = ("-m", "pytest", "-p", "no:cacheprovider", str(file))

    again = cloud.python(cloud.environment, *words)
    with mending(cloud.glance, identifier) as front:
        mended = cloud.python(cloud.environment | {"CLOUDIMAGES_ENDPOINT": front}, *words)

    assert (again.returncode, verdict(again.stdout)) == (1, "1 failed"), again.stdout
    assert (mended.returncode, verdict(mended.stdout)) == (0, "1 passed"), mended.stdout
