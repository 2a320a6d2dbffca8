"""Requests whose header names a project that their token is not for."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import claimed_name
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


@workload(empty=lambda: NamedProjects([]), requests=(16, 35, 35, 35))
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
            targets = (f"/images/{image.id}", f"/images?name={image.name}")
            named += [_sent_twice(client, project, "GET", target) for target in targets]
            change = [replaced("/name", f"{image.name}x")]
            named.append(_sent_twice(client, project, "PATCH", f"/images/{image.id}", json=change))
            if run.rounds:
                named += _of_its_parts(client, image.id, project, foreign=client is other)
    if run.rounds:
        named += _created(run, foreign)
    return NamedProjects(named)


def _created(run: Run, foreign: str) -> Iterator[Named]:
    """Have the owner create images, and ask for imports of what is not there: without a foreign project, and with.

    What is refused the second time may be one too many, or the same once more.
    """
    made: list[str] = []
    with claimed_name(run.client, run.name, lambda: made) as name:
        images = _sent_twice(run.client, foreign, "POST", "/images", json={"name": name})
        made += [each for answer in (images.without, images.answer) if is_fit(each := answer.document.get("id"))]
        tasks = _sent_twice(run.client, foreign, "POST", "/tasks", json=import_from(NOWHERE, name))
        yield from (named for named in (images, tasks) if named.without.ok and named.answer.ok)


def _of_its_parts(client: ImagesClient, image: str, project: str, *, foreign: bool) -> Iterator[Named]:
    """Have a caller add a tag, list members and, if the image is ``foreign`` to it, delete it: with and without."""
    parts = [("PUT", "/tags/named"), ("GET", "/members"), *([("DELETE", "")] if foreign else [])]
    for method, part in parts:
        yield _sent_twice(client, project, method, f"/images/{image}{part}")


def _sent_twice(client: ImagesClient, project: str, method: str, target: str, json: object = None) -> Named:
    """Send a request without naming a project in its header, and with all that may name one.

    A gateway may refuse fields that are not a client's to send. What it refuses with them is asked for once more
    by those that name a project alone.
    """
    kind = {"Content-Type": PATCH_TYPE} if method == "PATCH" else {}
    naming = dict.fromkeys(HEADERS, project)
    without = client.send(method, target, json=json, headers=kind)
    answer = client.send(method, target, json=json, headers=kind | naming | OF_THE_FILTER)
    if answer.refused and answer.status != without.status:
        answer = client.send(method, target, json=json, headers=kind | naming)
    return Named(answer, without)
