"""Requests that are to be refused: sent once, looked at by many checks."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_cloudimages import evidence
from pytest_cloudimages.client import Answer, Image, ImagesClient
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.known_tags import LONGEST

NOBODY, INVALID, STRANGER = "nobody", "an invalid token", "another project"


@dataclass(frozen=True)
class Attempt:
    """One try to change a tag by somebody who may not."""

    who: str
    """What keeps the caller out: ``NOBODY``, ``INVALID`` or ``STRANGER``."""
    answer: Answer
    changed: bool
    """Whether the owner sees the change that was asked for."""

    def __repr__(self) -> str:
        return f"{self.answer}{', and it was done' if self.changed else ''}"


@dataclass(frozen=True)
class Attempts:
    """What callers without a right to it have tried, and what came of it."""

    tried: Sequence[Attempt]

    def by(self, *who: str) -> Iterator[Attempt]:
        """Give the attempts of some callers; each is a case of the check in hand."""
        for one in self.tried:
            if one.who in who:
                evidence.current().case([one.answer.exchange])
                yield one


def attempts(ground: Ground) -> Attempts:
    """Have callers without a valid token, and another project, add and delete tags of their own on one image."""
    client, enough = ground.client, 2 if ground.options.profile == "quick" else None
    callers = [(NOBODY, client.calling("nobody", lambda: None))]
    callers += [(INVALID, one) for one in _with_invalid_tokens(client, enough)]
    callers += [(INVALID, one) for one in ground.ended_callers()]
    other = ground.caller("ALT")
    callers += [(STRANGER, other)] if other else []
    with ground.fresh_image() as image:
        there = [f"there-{number}" for number in range(len(callers))]
        image.establish(*there)
        asked = [
            (who, method, tag, caller.send(method, f"/images/{image.id}/tags/{tag}"))
            for number, (who, caller) in enumerate(callers)
            for method, tag in (("PUT", f"new-{number}"), ("DELETE", f"there-{number}"))
        ]
        tags = image.settled(there)
    return Attempts([Attempt(who, answer, (tag in tags) is (method == "PUT")) for who, method, tag, answer in asked])


def _with_invalid_tokens(client: ImagesClient, enough: int | None) -> Iterator[ImagesClient]:
    tokens = {
        "like Fernet": "gAAAAABm" + uuid.uuid4().hex * 4 + "==",
        "a UUID": str(uuid.uuid4()),
        "a hexadecimal number": uuid.uuid4().hex,
        "a word": "no-such-token",
    }
    for kind, token in [*tokens.items()][:enough]:
        yield client.calling(f"an invalid token ({kind})", partial(str, token))


@dataclass(frozen=True)
class Refusals:
    """The answers to requests that are well-formed and cannot succeed."""

    answers: Sequence[Answer]

    def __iter__(self) -> Iterator[Answer]:
        """Give the answers; each is a case of the check in hand."""
        for answer in self.answers:
            evidence.current().case([answer.exchange])
            yield answer


def refusals(ground: Ground) -> Refusals:
    """Ask for what cannot be: tags too long or absent, images that are not there, other methods, no token."""
    with ground.fresh_image() as image:
        return Refusals([*_asked_in_vain(image, ground.client, thorough=ground.options.profile != "quick")])


def _asked_in_vain(image: Image, client: ImagesClient, *, thorough: bool) -> Iterator[Answer]:
    nobody, unknown = client.calling("nobody", lambda: None), uuid.uuid4()
    for method in ("PUT", "DELETE"):
        yield nobody.send(method, f"/images/{image.id}/tags/nobody")
        yield client.send(method, f"/images/{unknown}/tags/stray")
    yield image.add_tag("x" * (LONGEST + 1))
    yield image.send("PUT", "/tags/")
    yield image.delete_tag("absent")
    yield image.send("GET", "/tags/nobody")
    if thorough:
        yield image.send("POST", "/tags/nobody")
        yield image.send("PATCH", "/tags/nobody")
        yield image.send("DELETE", "/tags/")
        yield image.delete_tag("x" * (LONGEST + 1))
        yield client.send("PUT", "/images/no-uuid/tags/stray")
        yield image.seen_by(client.calling("an invalid token", lambda: "no-such-token")).add_tag("nobody")
