"""A gate on a real Glance: what is known passes, until a deviation has expired, or Glance is mended."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.glance.mending import mending

if TYPE_CHECKING:
    from tests.glance.conftest import Cloud

KNOWN = Path(__file__).parents[2] / "docs" / "glance-deviations.toml"
MENDED = "TAG-URI-13"
"""The deviation that a server in front of Glance repairs."""
STRICTLY = ("--seed", "7", "--tag-limit", "128", "--strict")
AREAS = ("MEM", "IMG", "PAGE", "TASK", "SCHEMA", "VER", "GEN", "AUTH", "RBAC")
SIGNED_IN = ("USERNAME", "PASSWORD", "PROJECT_NAME")


def test_what_is_known_of_glance_passes(cloud: Cloud) -> None:
    """With the reasons of docs/glance.md, a strict run of the standard profile ends with 0; without, with 1."""
    run = cloud.run(cloud.environment, *STRICTLY, "--deviations", str(KNOWN))

    assert run.status == 0, run.out
    assert not {"blocked", "unstable", "error"} & {*run.verdicts.values()}
    missed = sum(verdict in ("fail", "advisory") for verdict in run.verdicts.values())
    assert missed == run.out.count("\nDEVIATES ") > 0
    print(run.last_line)


def test_nothing_else_is_held_against_a_service_whose_tester_is_an_administrator(cloud: Cloud) -> None:
    """Glance lets an administrator set the status of any member, see any image, and ask for tasks."""
    administrator = {f"OS_{what}": cloud.environment[f"OS_ADMIN_{what}"] for what in SIGNED_IN}
    areas = (f"--select={area}" for area in AREAS)

    run = cloud.run(cloud.environment | administrator, *STRICTLY, *areas, "--deviations", str(KNOWN))

    assert run.status == 0, run.out
    assert not {"blocked", "unstable", "error"} & {*run.verdicts.values()}
    assert run.verdicts["TASK-LIST-02"] == "pass", run.out
    print(run.last_line)


def test_an_expired_deviation_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """One day after the last, the gate is shut."""
    text = KNOWN.read_text("utf-8")
    before, name, after = text.partition(f'requirement = "{MENDED}"')
    expired = tmp_path / "expired.toml"
    expired.write_text(before + name + re.sub(r"expires = [0-9-]+", "expires = 2026-01-31", after, count=1), "utf-8")

    accepted = cloud.run(cloud.environment, *STRICTLY, "--select", MENDED, "--deviations", str(KNOWN))
    run = cloud.run(cloud.environment, *STRICTLY, "--select", MENDED, "--deviations", str(expired))

    assert accepted.status == 0, accepted.out
    assert run.status == 1, run.out
    assert f"the deviation {MENDED} expired on 2026-01-31" in run.out
    print(accepted.last_line, run.last_line, sep="\n")


def test_a_mended_glance_no_longer_deviates(cloud: Cloud) -> None:
    """What was repaired has to be taken out of the file."""
    with mending(cloud.glance, MENDED) as front:
        environment = cloud.environment | {"CLOUDIMAGES_ENDPOINT": front}
        run = cloud.run(environment, *STRICTLY, "--select", MENDED, "--deviations", str(KNOWN))

    assert run.status == 1, run.out
    assert run.verdicts[MENDED] == "pass"
    assert f"{MENDED} no longer deviates" in run.last_line
    print(run.last_line)
