"""Finding the service, the first question, and the embedded server."""

import os
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from pytest_cloudimages.client import trouble
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth import credentials
from pytest_cloudimages.client.auth.credentials import Credentials, Named, Service
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.outage import is_list
from pytest_cloudimages.client.plain_http import PlainHttp, plain_http
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.run import OTHERS, ROLES, Run
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked

FIRST_LOOK = "25"
"""Images that the first question asks for: none of them is of this run, whatever a creation is answered with."""
SEEN_BY_OTHERS = ("public", "community")
"""Visibilities of images that every project sees and may filter by their tags, whoever owns them."""


def prepare(
    settings: Settings,
    restored: tuple[SetResource, ...],
    tell_of_waiting: Callable[[float, str], None] = lambda *_: None,
) -> Run:
    """Find out what is to be judged and whether it can be asked at all.

    Raise ``ConfigurationError`` for whatever the tester can mend. Where the service cannot be asked, the run says so in
    ``problem``. A dry run stands on the embedded server, whatever it was to judge, with as many identities and images
    as were given; nothing is sent to the service then. ``restored`` are the sets of lent images that tests change.
    ``tell_of_waiting`` is told how long the service is waited for, and why.
    """
    stack, environ = ExitStack(), dict(os.environ)
    with ExitStack() as failing:
        failing.push(stack)
        run: Run | None = None
        meant: Service | None = None
        if settings.dry_run and not settings.reference:
            meant, _ = _find(settings, environ)
            given = {who for who in OTHERS if find_other(settings, environ, who, meant)}
            given |= {who for who in ROLES if credentials.is_given(environ, who)}
            environ = embedded(stack, settings, {who: who in given for who in (*OTHERS, *ROLES)})
            ended = credentials.ended(dict(os.environ))
            environ |= {f"CLOUDIMAGES_{kind.upper()}_TOKEN": "one-that-was-valid" for kind in ended}
            settings = replace(settings, reference=True, url=None, cloud=None, other_cloud=None, reader_cloud=None)
            settings = replace(settings, creator_cloud=None, admin_cloud=None, region=None)
        elif settings.reference:
            environ = embedded(stack, settings)
        try:
            run = Run(settings, *_find(settings, environ), _stack=stack)
            run.meant, run.restored = meant, restored
            run.recorder.tell_of_waiting = tell_of_waiting
            ask_first(run)
            run.ended |= credentials.ended(environ)
            run.others |= {who: _other(settings, environ, who, run.service) for who in OTHERS}
            run.find_caller = partial(_later, settings, environ, run.service)
        except Blocked as problem:
            if run is None:
                service = Service(settings.url or "", None, "unknown")
                run = Run(settings, service, credentials.nobody(), _stack=stack)
            run.problem = problem
        # From here on it is the run that closes what is open.
        failing.pop_all()
    return run


def embedded(stack: ExitStack, settings: Settings, others: Mapping[str, bool] | None = None) -> dict[str, str]:
    """Serve the embedded server, with the images that are to be borrowed, and give the variables that lead to it."""
    from pytest_cloudimages.reference.app import App
    from pytest_cloudimages.reference.images import Caller
    from pytest_cloudimages.reference.server import environment, serving

    app = App()
    server = stack.enter_context(serving(app))
    for identifier in settings.image if settings.dry_run else ():
        app.images.create(Caller(app.identity.users["tester"].project.id), {"id": identifier, "name": identifier})
    left_out = tuple(f"OS_{who}_" for who, given in (others or {}).items() if not given)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))}
    return environ | {name: value for name, value in environment(server).items() if not name.startswith(left_out)}


def _other(settings: Settings, environ: dict[str, str], who: str, service: Service) -> Credentials | Blocked | None:
    try:
        return find_other(settings, environ, who, service)
    except Blocked as problem:
        return problem


def _later(settings: Settings, environ: dict[str, str], service: Service, who: str) -> Credentials | Blocked | None:
    """Sign a caller in when the run has begun: whatever is wrong with its settings keeps nobody else from asking."""
    try:
        return _other(settings, environ, who, service)
    except ConfigurationError as problem:
        return Blocked(str(problem))


def _find(settings: Settings, environ: Mapping[str, str]) -> tuple[Service, Credentials]:
    return credentials.find(environ, **_wanted(settings, environ))


def named_by(settings: Settings, environ: Mapping[str, str]) -> Named:
    """Return what a run with these settings is to judge; nobody is asked anything yet."""
    return credentials.named_in(environ, **_wanted(settings, environ))


def _wanted(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        "url": settings.url,
        "cloud": settings.cloud,
        "region": settings.region,
        "timeout": settings.timeout,
        "embedded": settings.reference,
        "prefix": settings.prefix,
        "plain_http": _plain_http(settings, environ),
    }


def find_other(settings: Settings, environ: Mapping[str, str], who: str, service: Service) -> Credentials | None:
    """Return the credentials of a further caller; ``None`` where none were given."""
    return credentials.find_other(
        environ,
        who,
        service,
        cloud=settings.cloud_of(who),
        timeout=settings.timeout,
        plain_http=_plain_http(settings, environ),
    )


def _plain_http(settings: Settings, environ: Mapping[str, str]) -> PlainHttp:
    return plain_http(environ, allowed=settings.plain_http, prefix=settings.prefix)


def ask_first(run: Run) -> None:
    """Ask one harmless question, so that a wrong address or token is reported as such, and not forty times."""
    with run.recorder.of(Purpose.PREPARING):
        # That the token is refused is the very question.
        client = replace(run.client, renew=None)
        answer = _first_list(client)
        answer = client.list(limit="1") if answer.cut else answer
        if answer.status == 401:  # noqa: PLR2004 - as HTTP has it
            challenge = answer.headers.get("WWW-Authenticate", "none")
            request = answer.headers.get("x-openstack-request-id", "none")
            raise ConfigurationError(
                f"{run.service.endpoint} refuses the token ({run.owner.how}) with 401, challenge: {challenge},"
                f" request id: {request}. Give a token that is valid for this service and has not expired."
            )
        strange = _not_a_list(answer)
        client.transport.way.opened = not strange
        run.recorder.traces.of_others |= set() if strange else _ids(answer.data["images"])
        # Where the list alone is out of order, the rest can still be judged; where it is not there, it is no such API.
        if strange and (answer.status == 404 or _not_an_absence(client.show(str(uuid.uuid4())))):  # noqa: PLR2004
            advice = (
                "It is in trouble itself, or what stands before it is: their logs say more."
                if answer.status >= 500  # noqa: PLR2004 - as HTTP has it
                else "Is there a proxy in between, is it another service's address, or has the role no right to see"
                " images?"
            )
            raise Blocked(f"{run.service.endpoint} does not answer as an image service does: {strange}. {advice}")
        for identifier in run.settings.image:
            found = client.show(urllib.parse.quote(identifier, safe=""))
            if found.status in (400, 404):
                option = f"{run.settings.prefix}image"
                raise ConfigurationError(
                    f"There is no image {identifier!r} to borrow at {run.service.endpoint} (answer {found.status})."
                    f" Give the id, not the name, of an image whose tags you may change; without {option} one is"
                    " created."
                )
            _may_be_lent(run, identifier, found)


def _first_list(client: ImagesClient) -> Answer:
    """Return the list of images, once the service is ready: it may have been started, or restarted, a moment ago.

    Who is let in nowhere is answered before it is ready, so that others being answered says nothing of it.
    """
    way, begun, told = client.transport.way, time.monotonic(), False
    while True:
        answer = client.list(limit=FIRST_LOOK)
        if answer.status not in trouble.NOT_READY or time.monotonic() - begun >= trouble.LONGEST_START:
            return answer
        if not told:
            told = True
            why = f"{client.endpoint} to be ready: it answers {answer.status}"
            client.recorder.tell_of_waiting(trouble.LONGEST_START, why)
        way.rest(trouble.LONGEST_PAUSE)


def _ids(entries: list[object]) -> set[str]:
    return {entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}


def _may_be_lent(run: Run, identifier: str, found: Answer) -> None:
    """Raise ``ConfigurationError`` where an image is another one, or one that is not lent without more ado."""
    shown = found.document
    if (other := shown.get("id", identifier)) != identifier:
        raise ConfigurationError(
            f"GET {run.service.endpoint}/images/{identifier} shows another image, {str(other)[:80]!r}. Nothing is"
            f" written to either: give the id of an image as the service itself writes it."
        )
    visibility = shown.get("visibility")
    why = [f"its visibility is {visibility}, so others see it"] if visibility in SEEN_BY_OTHERS else []
    why += ["it is protected"] if shown.get("protected") is True else []
    if why and not run.settings.yes:
        raise ConfigurationError(
            f"The image {identifier} is not lent without more ado: {' and '.join(why)}, and its tags come off while the"
            f" run lasts. Lend another image, or say {run.settings.prefix}yes if this is meant."
        )


def _not_a_list(answer: Answer) -> str:
    """Return what the answer is, where it is no list of images; an empty text where it is one."""
    return "" if is_list(answer) else _described(answer)


def _not_an_absence(answer: Answer) -> bool:
    """Return whether the answer does not say as an API does that there is no such image."""
    page = "html" in answer.headers.get("Content-Type", "") and b"<html" in answer.body[:400].lower()
    return answer.status != 404 or page  # noqa: PLR2004 - as HTTP has it


def _described(answer: Answer) -> str:
    kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
    shown = f"status {answer.status or 'none'}, {kind}"
    if answer.status in (301, 302, 303, 307, 308):
        return f"{shown}, a redirection to {answer.headers.get('Location', 'nowhere')}"
    return f"{shown}, beginning {answer.body[:60].decode('utf-8', 'replace')!a}" if answer.body else shown
