"""An image that was lent comes back whole, and callers who cannot ask keep nobody else from asking."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Caller, Status, now
from pytest_cloudimages.reference.server import environment, serving


@pytest.mark.parametrize("status", [Status.QUEUED, Status.ACTIVE], ids=str)
def test_a_lent_image_comes_back_whole(workshop: Any, status: Status) -> None:
    """No attribute but the time of the update differs afterwards, whoever else takes part, and nothing is found amiss.

    Every area is asked: images that somebody has had for long are not what was just created.
    """
    app = App()
    with serving(app) as server:
        workshop.environ |= environment(server)
        mine = Caller(app.identity.users["tester"].project.id)
        lent = [app.images.create(mine, {"name": name, "tags": ["mine", "Übung"]}) for name in ("one & all", "two")]
        for image in lent:
            image.status, image.disk_format, image.container_format = status, "raw", "bare"
            image.created_at = image.updated_at = now() - timedelta(days=99)
            image.data, image.size = (b"z", 1) if status is Status.ACTIVE else (None, None)
        before = [asdict(image) for image in lent]
        words = [word for image in lent for word in ("--image", image.id)]
        outcome = workshop.command("run", "--seed", "2", *words)
        after = [asdict(app.images.get(image.id)) for image in lent]

    for pair, other in zip(before, after, strict=True):
        del pair["updated_at"], other["updated_at"]
        assert other | {"tags": sorted(other["tags"])} == pair | {"tags": sorted(pair["tags"])}
    assert len(app.images.all()) == 2
    assert outcome.status == 0, outcome.out


@pytest.mark.parametrize("who", ["ALT", "READER"])
def test_a_caller_with_a_wrong_token_keeps_nobody_from_asking(workshop: Any, who: str) -> None:
    """What does not need that caller is judged."""
    app = App()
    with serving(app) as server:
        workshop.environ |= {
            "CLOUDIMAGES_ENDPOINT": server.url,
            "CLOUDIMAGES_TOKEN": app.identity.issue("tester").value,
            f"CLOUDIMAGES_{who}_TOKEN": "wrong-all-the-time",
        }
        outcome = workshop.command("run", "--profile", "quick", "--seed", "2", "--reports", "reports")

    verdicts = {result["id"]: result["verdict"] for result in outcome.results["requirements"] if result["cases"]}
    assert {identifier for identifier, verdict in verdicts.items() if verdict not in ("pass", "noted")} <= {
        "TAG-AUTH-08"
    }
    assert verdicts["TAG-AUTH-01"] == verdicts["TAG-VIS-02"] == "pass"


def test_a_tester_who_is_an_administrator_is_no_owner_who_may_not(workshop: Any) -> None:
    """What an administrator is let do with members, deactivated images and images of others is held against nobody."""
    app = App()
    with serving(app) as server:
        variables = environment(server)
        own = {name.replace("OS_ADMIN_", "OS_"): value for name, value in variables.items() if "OS_ADMIN_" in name}
        workshop.environ |= variables | own
        select = ("MEM-UPD", "IMG-STAT", "TASK-EXP")
        outcome = workshop.command(
            "run", "--seed", "2", "--reports", "reports", *(f"--select={group}" for group in select)
        )

    assert outcome.status == 0, outcome.out
    assert outcome.verdict("MEM-UPD-02") == outcome.verdict("TASK-EXP-03") == "untested"
    assert outcome.verdict("MEM-UPD-03") == outcome.verdict("IMG-STAT-07") == outcome.verdict("TASK-EXP-06") == "pass"


def test_who_sees_everything_is_no_second_project(workshop: Any) -> None:
    """An administrator named as the second project is not accused of what an administrator may do."""
    app = App()
    with serving(app) as server:
        workshop.environ |= {
            "CLOUDIMAGES_ENDPOINT": server.url,
            "CLOUDIMAGES_TOKEN": app.identity.issue("tester").value,
            "CLOUDIMAGES_ALT_TOKEN": app.identity.issue("admin").value,
        }
        outcome = workshop.command("run", "--seed", "2", "--select", "TAG-AUTH", "--reports", "reports", "--strict")

    assert outcome.verdict("TAG-AUTH-05") == outcome.verdict("TAG-AUTH-11") == "untested"
    assert outcome.status == 0, outcome.out
