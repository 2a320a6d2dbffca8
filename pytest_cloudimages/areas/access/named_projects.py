"""Requests whose header names a project that their token is not for."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Named:
    """A request that names a project in its header, and the same without it."""

    answer: Answer
    without: Answer

    def __str__(self) -> str:
        return f"{self.answer}, where the header names a project that the token is not for"


@dataclass(frozen=True, repr=False)
class NamedProjects(Collection):
    """What became of requests whose header names a project."""

    named: Sequence[Named]

    @cases
    def requests(self) -> Iterator[Case[Named]]:
        """Return the requests."""
        for named in self.named:
            yield Case(named, [named.without.exchange, named.answer.exchange])


HEADERS = ("X-Auth-Project-Id", "X-Project-Id", "X-Tenant-Id", "X-Tenant")
OF_THE_FILTER = {
    "X-Roles": "admin",
    "X-Role": "admin",
    "X-Identity-Status": "Confirmed",
    "X-Is-Admin-Project": "True",
}
"""Fields by which a filter in front tells a service what it has learned of a token: no client's are let through."""


@workload(empty=lambda: NamedProjects([]), requests=(16, 26, 26, 26))
def named_projects(run: Run) -> NamedProjects:
    """Name in the header a project that the token is not for: the owner a foreign one, and another project its own."""
    named: list[Named] = []
    other = run.of_another_project(able=True)
    foreign = uuid.uuid4().hex
    with run.fresh_image(own=True) as image:
        owner = run.owner.project_id or attributes_of(image.show()).get("owner")
        if other:
            with suppress(pytest.skip.Exception, Blocked):
                foreign = run.owner_of(other)
        callers = [(run.client, foreign)]
        if other and isinstance(owner, str):
            callers.append((other, owner))
        for client, project in callers:
            headers = dict.fromkeys(HEADERS, project) | OF_THE_FILTER
            for target in (f"/images/{image.id}", f"/images?name={image.name}"):
                answers = [client.send("GET", target, headers=more) for more in (None, headers)]
                named.append(Named(answers[1], answers[0]))
            change = [replaced("/name", f"{image.name}x")]
            answers = [
                client.send("PATCH", f"/images/{image.id}", json=change, headers={"Content-Type": PATCH_TYPE} | more)
                for more in ({}, headers)
            ]
            named.append(Named(answers[1], answers[0]))
            if run.rounds:
                named += _of_its_parts(client, image.id, headers, foreign=client is other)
    return NamedProjects(named)


def _of_its_parts(client: ImagesClient, image: str, headers: Mapping[str, str], *, foreign: bool) -> Iterator[Named]:
    """Have a caller add a tag, list members and, if the image is ``foreign`` to it, delete it: with and without."""
    parts = [("PUT", "/tags/named-{}"), ("GET", "/members"), *([("DELETE", "")] if foreign else [])]
    for method, part in parts:
        answers = [
            client.send(method, f"/images/{image}{part.format(place)}", headers=more)
            for place, more in enumerate((None, headers))
        ]
        yield Named(answers[1], answers[0])
