"""Every finding of a real Glance is shown again by its file and by its test, and gone where a server in front mends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.glance.mending import MENDS, UNMENDED, mending

if TYPE_CHECKING:
    from pathlib import Path

    from tests.glance.conftest import Cloud

VERDICT = re.compile(r"\b(reproduced|fixed|1 failed|1 passed)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def findings(cloud: Cloud) -> dict[str, Path]:
    """The files of a run's findings, by requirement."""
    missed = (*MENDS, *UNMENDED)
    run = cloud.run(cloud.environment, "--seed", "7", "--tag-limit", "128", *(f"--select={each}" for each in missed))
    found = {file.stem: file for file in (run.folder / "findings").iterdir()}
    assert {*found} == {*missed}, run.out
    return found


def told(cloud: Cloud, *words: str, endpoint: str = "") -> tuple[int, str]:
    """Return what a replay, or pytest, ends with, and what it says last."""
    environment = cloud.environment | ({"CLOUDIMAGES_ENDPOINT": endpoint} if endpoint else {})
    done = cloud.python(environment, "-m", *words)
    print(done.stdout)
    return done.returncode, next((found.lower() for found in reversed(VERDICT.findall(done.stdout))), "")


@pytest.mark.parametrize("identifier", [*MENDS, *UNMENDED])
def test_a_finding_is_shown_again_by_its_file(cloud: Cloud, findings: dict[str, Path], identifier: str) -> None:
    """Glance shows it again, and a mended one no more."""
    replay = ("pytest_cloudimages", "replay", str(findings[identifier]))

    assert told(cloud, *replay) == (1, "reproduced")
    if identifier in MENDS:
        with mending(cloud.glance, identifier) as front:
            assert told(cloud, *replay, endpoint=front) == (0, "fixed")


@pytest.mark.parametrize("identifier", [*MENDS, *UNMENDED])
def test_a_finding_is_shown_again_by_its_test(cloud: Cloud, findings: dict[str, Path], identifier: str) -> None:
    """What `--as pytest` prints fails on Glance, and passes on a mended one."""
    replay = ("pytest_cloudimages", "replay", str(findings[identifier]))
    file = cloud.folder / f"test_{identifier.replace('-', '_')}.py"
    file.write_text(cloud.python(cloud.environment, "-m", *replay, "--as", "pytest").stdout, "utf-8")
    pytest_itself = ("pytest", "-p", "no:cacheprovider", str(file))

    assert told(cloud, *pytest_itself) == (1, "1 failed")
    if identifier in MENDS:
        with mending(cloud.glance, identifier) as front:
            assert told(cloud, *pytest_itself, endpoint=front) == (0, "1 passed")
