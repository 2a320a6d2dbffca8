"""Negative requests: sent once, to be refused, and looked at by many checks."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import pytest

from pytest_cloudimages.areas.images.states import public, shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases, current_check
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

ANONYMOUS, INVALID, OTHER_PROJECT = "nobody", "an invalid token", "another project"
OTHER_PROJECT_CAN_READ = "another project that sees the image"


ENOUGH = 16
"""Tags that an image carries at least, where everybody is to be asked for a tag of theirs."""
KEPT = "asked-by-nobody"


@dataclass(frozen=True)
class UnauthorizedAttempt:
    """A request to change a tag by a caller who may not."""

    who: str
    """What keeps the caller out: ``ANONYMOUS``, ``INVALID``, ``OTHER_PROJECT`` or ``OTHER_PROJECT_CAN_READ``."""
    answer: Answer
    changed: bool
    """Whether the owner sees the change that was asked for."""

    def __repr__(self) -> str:
        return f"{self.answer}{', and it was done' if self.changed else ''}"


@dataclass(frozen=True, repr=False)
class UnauthorizedAttempts(Collection):
    """What callers without a right to it have tried, and what came of it."""

    attempts: Sequence[UnauthorizedAttempt]

    @cases
    def by(
        self, *who: str, where: Callable[[UnauthorizedAttempt], bool] = anything
    ) -> Iterator[Case[UnauthorizedAttempt]]:
        """Return the attempts of some callers; ``where`` is what has to be so for an attempt to be asked about."""
        for attempt in self.attempts:
            if attempt.who in who and where(attempt):
                yield Case(attempt, [attempt.answer.exchange])


@workload(empty=lambda: UnauthorizedAttempts([]), requests=(22, 50, 50, 50))
def unauthorized_attempts(run: Run) -> UnauthorizedAttempts:
    """Return what callers without a valid token, and another project, achieved with tags of their own on one image."""
    client, quick = run.client, run.settings.profile == "quick"
    callers = [(ANONYMOUS, client.calling("nobody", lambda: None))]
    # Each takes a tag, and an image may carry few.
    few = quick or (run.settings.tag_limit or ENOUGH) < ENOUGH
    callers += [(INVALID, caller) for caller in _with_invalid_tokens(client, 2 if few else None)]
    callers += [(INVALID, caller) for caller in run.ended_callers()]
    other = None if run.same_project("ALT") else run.able("ALT")
    callers += [(OTHER_PROJECT, other)] if other else []
    with _private(run) as image:
        there = [f"there-{number}" for number in range(len(callers))]
        image.given_tags_at_once(*there, KEPT)
        if callers[-1][0] == OTHER_PROJECT and callers[-1][1].show(image.id).status == 200:  # noqa: PLR2004
            # Who sees another project's private image is of that project, or an administrator.
            other = None
            callers.pop()
        asked = [
            (who, method, tag, caller.send(method, f"/images/{image.id}/tags/{tag}"))
            for number, (who, caller) in enumerate(callers)
            for method, tag in (("PUT", f"new-{number}"), ("DELETE", f"there-{number}"))
        ]
        # A door that looks at the path alone may be left open for one that is written otherwise, or for what changes
        # nothing.
        nobody = callers[0][1]
        for method, tag, written in (("PUT", "new-x", "%6Eew%2Dx"), ("PUT", there[-1], there[-1])):
            asked.append((ANONYMOUS, method, tag, nobody.send(method, f"/images/{image.id}/tags/{written}")))
        tags = image.eventual_tags([*there, KEPT])

    def done(method: str, tag: str) -> bool:
        if method == "PUT":
            return tag in tags and tag not in there
        # Where a tag is gone too that nobody asked for, it was somebody else's doing.
        return tag not in tags and KEPT in tags

    tried = [UnauthorizedAttempt(who, answer, done(method, tag)) for who, method, tag, answer in asked]
    if other and run.rounds:
        tried += [*_by_project_that_can_read(run, _shared_image, other), *_by_project_that_can_read(run, public, other)]
    return UnauthorizedAttempts(tried)


def _by_project_that_can_read(
    run: Run, opened: Callable[..., AbstractContextManager[Image]], other: ImagesClient
) -> list[UnauthorizedAttempt]:
    """Return what another project achieved on an image that it can read; nothing if there is no such image."""
    with suppress(Blocked, pytest.skip.Exception), opened(run) as image:
        image.given_tags("there")
        if image.seen_by(other).show().status == 200:  # noqa: PLR2004 - as HTTP has it
            answers = [other.add_tag(image.id, "new"), other.delete_tag(image.id, "there")]
            tags = image.eventual_tags(["there"])
            return [
                UnauthorizedAttempt(OTHER_PROJECT_CAN_READ, answers[0], changed="new" in tags),
                UnauthorizedAttempt(OTHER_PROJECT_CAN_READ, answers[1], changed="there" not in tags),
            ]
    return []


@contextmanager
def _shared_image(run: Run) -> Iterator[Image]:
    other = run.able("ALT")
    if other is None:
        raise Blocked("There is nobody to share an image with.")
    with run.fresh_image(visibility="shared") as image:
        shared(image, run.owner_of(other))
        yield image


@contextmanager
def _private(run: Run) -> Iterator[Image]:
    """Open an image that is its project's alone, where a service lets that be chosen."""
    with ExitStack() as stack:
        try:
            image = stack.enter_context(run.fresh_image(visibility="private"))
        except (Blocked, pytest.skip.Exception):
            image = stack.enter_context(run.fresh_image())
        yield image


def _with_invalid_tokens(client: ImagesClient, enough: int | None) -> Iterator[ImagesClient]:
    own = client.token() or ""
    tokens = {
        "like Fernet": "gAAAAABm" + uuid.uuid4().hex * 4 + "==",
        "the tester's own, backwards": own[::-1] if own != own[::-1] else uuid.uuid4().hex,
        "the tester's own, cut short": own[:-1] or "x",
        "the tester's own, and more": f"{own}x",
        "the tester's own, behind a letter": f"x{own}",
        "a word": "no-such-token",
    }
    for kind, token in [*tokens.items()][:enough]:
        if "own" in kind:
            SECRETS.keep(token)  # almost as good as the tester's
        yield client.calling(f"an invalid token ({kind})", partial(str, token))


@dataclass(frozen=True, repr=False)
class NegativeRequests(Collection):
    """The answers to requests that are well-formed and cannot succeed."""

    given: Sequence[Answer]

    def __iter__(self) -> Iterator[Answer]:
        """Yield the answers; each is a case of the check in hand."""
        return iter(self.answers())

    @cases
    def answers(self, *, where: Callable[[Answer], bool] = anything) -> Iterator[Case[Answer]]:
        """Return the answers; ``where`` is what has to be so for an answer to be asked about."""
        for answer in self.given:
            if where(answer):
                yield Case(answer, [answer.exchange])


@workload(empty=lambda: NegativeRequests([]), requests=(11, 18, 18, 18))
def negative_requests(run: Run) -> NegativeRequests:
    """Return the answers for tags too long or absent, images that are not there, other methods, and no token."""
    with run.fresh_image() as image:
        return NegativeRequests([*_refused(image, run.client, thorough=run.settings.profile != "quick")])


def _refused(image: Image, client: ImagesClient, *, thorough: bool) -> Iterator[Answer]:
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
        yield client.add_tag(str(unknown), "é")
        yield image.seen_by(client.calling("an invalid token", lambda: "no-such-token")).add_tag("nobody")


def attempted_changes(image: Image, caller: ImagesClient) -> Iterator[Answer]:
    """Have a caller add a tag to an image that carries ``there``, and delete that one."""
    yield caller.add_tag(image.id, "new")
    yield caller.delete_tag(image.id, "there")


def note_hidden(answer: Answer) -> None:
    """Note a 404 where 403 is expected: the image can be seen (ruling Q-13)."""
    if answer.status == 404:  # noqa: PLR2004 - as HTTP has it
        current_check().note(f"{answer.exchange.method} on an image that can be seen is answered 404.")
