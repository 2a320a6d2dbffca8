"""What a service cannot do is seen in passing, and told with its evidence."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.client.capabilities import ABILITIES
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import environment, serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from pytest_cloudimages.client.session import ImagesClient

REFUSED = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n"
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


class Refusing(App):
    """A service that refuses some requests, by their method and target, and remembers them."""

    def __init__(self, method: str, target: str, status: int) -> None:
        super().__init__()
        self.refused = re.compile(f"{method} /v2/images{target}$")
        self.status = HTTPStatus(status)
        self.met: list[str] = []

    def handle(self, request: Request) -> Reply:
        """Answer, or refuse."""
        asked = f"{request.method} {request.target}"
        if not self.refused.match(asked):
            return super().handle(request)
        self.met.append(asked)
        return self.error(request, self.status, "No.")


@pytest.mark.parametrize(
    ("method", "status"),
    [("[A-Z]+", 403), ("[A-Z]+", 404), ("[A-Z]+", 501), ("POST", 403)],
    ids=["no members by policy", "no members at all", "no members yet", "no additions by policy"],
)
def test_members_that_a_service_does_not_have_are_found_out_once(workshop: Any, method: str, status: int) -> None:
    """Whoever owns the image: what rests on them is left untested, with the answer as the reason."""
    app = Refusing(method, "/[^/]+/members(/.*)?", status)
    with serving(app) as server:
        workshop.environ |= environment(server)
        outcome = workshop.command("run", "--profile", "standard", "--seed", "1", "--select", "MEM")

    verdicts = {entry["id"]: entry["verdict"] for entry in outcome.results["requirements"]}
    assert {verdict for identifier, verdict in verdicts.items() if identifier.startswith("MEM")} == {"untested"}
    assert f"/members with 46 octets of body → {status}" in outcome.entry("MEM-CRE-01")["explanation"]
    # The image of the first workload that was refused, that of a look at what is refused, and that of a race.
    assert len({asked.split("/")[3] for asked in app.met}) == 3


def test_a_list_of_members_that_is_refused_alone_is_no_lack_of_members(workshop: Any) -> None:
    """Who takes members, and then shows the owner none, breaks something."""
    with serving(Refusing("GET", "/[^/]+/members", 404)) as server:
        workshop.environ |= environment(server)
        outcome = workshop.command("run", "--profile", "quick", "--seed", "1", "--select", "MEM-LIST-01")

    assert outcome.verdict("MEM-LIST-01") == "fail"


@pytest.mark.parametrize(("status", "times"), [(403, 2), (400, 3), (405, 1), (409, 3), (413, 3)])
def test_who_may_create_no_image_is_not_asked_for_each(
    caller: ImagesClient, peer: Any, status: int, times: int
) -> None:
    """Once as our images are, once without the properties that say so; formats are looked up, and room may come."""
    peer.replies = [REFUSED % status] * 3
    for _ in range(2):
        with pytest.raises(Blocked, match=f"No image could be created .* → {status}"), temporary_image(caller, "run"):
            pass

    assert len(peer.heads) == times


@pytest.mark.parametrize(("status", "times"), [(403, 1), (400, 1), (409, 2), (404, 2)])
def test_a_visibility_that_may_not_be_given_is_asked_for_once(
    caller: ImagesClient, peer: Any, status: int, times: int
) -> None:
    """The answer of then is the reason later; what may be said of this image alone is no lasting refusal."""
    peer.replies = [REFUSED % status] * 2
    why = [made_visible(Image(caller, identifier), "public") for identifier in "ab"]

    assert len(peer.heads) == times
    assert [each.endswith(f"→ {status}") for each in why] == [True, True]


def test_each_ability_has_a_name_of_its_own() -> None:
    """By which it is told."""
    assert len({ability.name for ability in ABILITIES}) == len(ABILITIES)
