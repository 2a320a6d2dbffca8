"""What a service cannot do is seen in passing, and told with its evidence."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from pytest_cloudimages.client.capabilities import ABILITIES
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import environment, serving

TAGS_BY_PATCH = "change tags by PATCH"
RESTS_ON_IT = ("TAG-VIS-08", "TAG-ADD-34")
WORDS = ("run", "--profile", "standard", "--seed", "1", "--select", "TAG-VIS-08", "--select", "TAG-ADD-34")


@pytest.mark.parametrize("lacking", ["", TAGS_BY_PATCH])
def test_what_cannot_be_done_is_told_with_the_exchange_that_shows_it(workshop: Any, lacking: str) -> None:
    """And leaves what rests on it untested; who can do it all is said to."""

    class Limited(App):
        """A service that refuses something."""

        def handle(self, request: Request) -> Reply:
            if lacking and request.method == "PATCH" and b'"/tags' in request.body:
                return self.error(request, HTTPStatus.FORBIDDEN, "No.")
            return super().handle(request)

    with serving(Limited()) as server:
        workshop.environ |= {
            name: value for name, value in environment(server).items() if not name.startswith("OS_CREATOR")
        }
        outcome = workshop.command(*WORDS)

    seen = {entry["name"]: entry for entry in outcome.results["capabilities"]}
    assert [name for name, entry in seen.items() if not entry["can"]] == [
        *filter(None, [lacking]),
        "be asked by a creator",
    ]
    assert seen["be asked by another project"]["can"]
    assert {"create images", TAGS_BY_PATCH} <= {*seen}
    assert {outcome.verdict(each) for each in RESTS_ON_IT} == {"untested" if lacking else "pass"}
    if lacking:
        assert seen[lacking]["evidence"].startswith("PATCH /v2/images/")
        assert seen[lacking]["evidence"].endswith("→ 403")


def test_each_ability_has_a_name_of_its_own() -> None:
    """By which it is told."""
    assert len({ability.name for ability in ABILITIES}) == len(ABILITIES)
