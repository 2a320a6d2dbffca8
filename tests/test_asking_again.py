"""What a late reading or a lost answer may explain is asked once more before it is a finding, or nothing at all."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

CARELESS = """
from pytest_cloudimages import requirement

@requirement("TAG-ADD-05")
def test_reads_three_times(cloudimages_image):
    cloudimages_image.add_tag("a")
    assert [cloudimages_image.tags() for _ in range(3)] == [["a"]] * 3

@requirement("TAG-DEL-01")
def test_deletes(cloudimages_image):
    cloudimages_image.add_tag("a")
    assert cloudimages_image.delete_tag("a").status == 204
"""


class LosesAnswersOfDeletions(App):
    """Hangs up on the first deletions of a tag when they have been carried out."""

    losses = 2

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().delete_tag(request, image_id, tag)
        if self.losses and reply.status == 204:
            self.losses -= 1
            raise ConnectionResetError
        return reply


class Late(App):
    """Shows an image on every third reading without the tag that was added less than a moment ago."""

    moment = 0.2
    turn, added, newest = 0, 0.0, ""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.added, self.newest = time.monotonic(), tag
        return super().add_tag(request, image_id, tag)

    def show_image(self, request: Request, image_id: str) -> Reply:
        shown = super().show_image(request, image_id).json()
        self.turn += 1
        if isinstance(shown, dict) and self.turn % 3 == 0 and time.monotonic() < self.added + self.moment:
            shown["tags"] = [tag for tag in shown["tags"] if tag != self.newest]
        return Reply.of_json(shown)


class Forgets(Late):
    """Is late, and loses every tag besides."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        reply = super().add_tag(request, image_id, tag)
        self.images.get(image_id).tags.clear()
        return reply


@pytest.mark.parametrize(
    ("make", "verdicts"),
    [(Late, ("pass", "pass")), (LosesAnswersOfDeletions, ("pass", "pass")), (Forgets, ("fail", "fail"))],
)
def test_a_check_is_asked_again_where_that_may_be_all_there_is_to_it(
    make: Callable[[], App], verdicts: tuple[str, str], workshop: Any
) -> None:
    """A late reading and a lost answer pass; what is wrong stays wrong."""
    with serving(make()) as server:
        workshop.named(server)
        outcome = workshop.pytest(CARELESS, "--cloudimages-reports=reports", "--cloudimages-patience=2")

    assert (outcome.verdict("TAG-ADD-05"), outcome.verdict("TAG-DEL-01")) == verdicts, outcome.out


class FailsAtZeros(App):
    """A service that answers 500 to a patch of tags with a NUL in them."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        """Fail, as often as it is asked."""
        if b"\\u0000" in request.body:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "No NUL.")
        return super().update_image(request, image_id)


def test_the_evidence_is_that_of_the_finding(workshop: Any) -> None:
    """And not of what the same check looked at before, when it was asked again whether the service fails once more."""
    with serving(FailsAtZeros()) as server:
        workshop.named(server)
        outcome = workshop.command("run", "--seed", "1", "--select", "TAG-VIS-08")

    entry = outcome.entry("TAG-VIS-08")
    assert (entry["verdict"], entry["actual"]) == ("advisory", 500), outcome.out
    assert entry["exchanges"][-1]["status"] == 500, [exchange["status"] for exchange in entry["exchanges"]]
