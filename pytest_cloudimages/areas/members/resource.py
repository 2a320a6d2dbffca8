"""The members of an image: what adds, deletes and reads them, and how an answer is read."""

import uuid
from contextlib import suppress
from dataclasses import replace

from pytest_cloudimages.client.exchange import Request
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.history.resource import Answered, Effect, SetResource, represented


def _projects(answer: Answered) -> tuple[str, ...] | None:
    members = (represented(answer) or {}).get("members")
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        return None
    projects = [member.get("member_id") for member in members]
    return tuple(projects) if all(isinstance(project, str) for project in projects) else None


def as_project(shown: object) -> object:
    """Return a project id, or the UUID that it is, which may be written in capitals, or with dashes (RFC 4122, 3)."""
    with suppress(ValueError):
        return uuid.UUID(shown).hex if isinstance(shown, str) else shown
    return shown


def listed_again(answer: Answered) -> list[str]:
    """Return the projects that an answer lists more than once: each has one membership of an image."""
    projects = _projects(answer) or ()
    return sorted({project for project in projects if projects.count(project) > 1})


MEMBERS = SetResource(
    "member",
    add=lambda image, project: Request("POST", f"/images/{image}/members", json={"member": project}),
    delete=lambda image, project: Request("DELETE", f"/images/{image}/members/{segment(project)}"),
    read=lambda image: Request("GET", f"/images/{image}/members"),
    values=_projects,
    added={"2xx": Effect.MADE_PRESENT, "409": Effect.WAS_PRESENT, "4xx": Effect.NOTHING_DONE},
    volatile=frozenset({"members"}),
)
AT_ONCE = replace(MEMBERS, added={**MEMBERS.added, "409": Effect.NOTHING_DONE})
"""The same where several clients meet: 409 may as well say that another one was at the image in that moment."""
