"""A service that goes out of order in mid-run is waited for once, and given up once: nothing is said of it that is not so."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from threading import Event
from typing import Any

import pytest

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client import trouble
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec.verdicts import Blocked, GivenUp, NoEffect, ShutOut, TokenEnded, Trouble

OUTAGE, TIMEOUT = 2.0, 0.2


class FallsSilent(App):
    """Answers as it should until it is told to go out of order, and may come back after so many requests more."""

    def __init__(self, reply: int | None, *, hangs: bool = False, lasts: int = 10**6) -> None:
        super().__init__()
        self.reply, self.hangs, self.lasts = reply, hangs, lasts
        self.out, self.over = Event(), Event()
        self.met, self.from_the = 0, 10**6

    def handle(self, request: Request) -> Reply:
        self.from_the -= 1
        if self.from_the < 0 and any(self.images.all()):
            # Where there is none, nothing can be left behind.
            self.out.set()
        if not self.out.is_set() or self.met >= self.lasts:
            return super().handle(request)
        self.met += 1
        if self.hangs:
            self.over.wait(60)
        if self.reply is None:
            raise ConnectionResetError
        wait = (("Retry-After", "1"),) if self.reply == HTTPStatus.TOO_MANY_REQUESTS else ()
        return Reply(self.reply, b"<html>no</html>", (("Content-Type", "text/html"), *wait))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, direct: None) -> Iterator[Callable[[FallsSilent], Run]]:  # noqa: ARG001
    """Open runs on services; nobody sleeps, and nobody is waited for long."""
    monkeypatch.setattr(trouble, "LONGEST_OUTAGE", OUTAGE)
    with ExitStack() as stack:

        def opened_on(app: FallsSilent) -> Run:
            server = stack.enter_context(serving(app))
            stack.callback(app.over.set)
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            run = prepare(Settings(url=f"{server.url}/v2", timeout=TIMEOUT, patience=0.2), (TAGS,))
            stack.callback(run.close)
            monkeypatch.setattr(time, "sleep", lambda _: None)
            return run

        yield opened_on


@pytest.mark.parametrize(
    ("app", "first", "later"),
    [
        (lambda: FallsSilent(503), Trouble, GivenUp),
        (lambda: FallsSilent(502), Trouble, GivenUp),
        (lambda: FallsSilent(429), Trouble, GivenUp),
        (lambda: FallsSilent(None), Trouble, GivenUp),
        (lambda: FallsSilent(None, hangs=True), Trouble, GivenUp),
        (lambda: FallsSilent(401), TokenEnded, TokenEnded),
        (lambda: FallsSilent(403), ShutOut, ShutOut),
    ],
    ids=["503", "502", "429", "reset", "hangs", "401", "403"],
)
def test_a_service_is_given_up_once(
    opened: Callable[[FallsSilent], Run], app: Callable[[], FallsSilent], first: type[Blocked], later: type[Blocked]
) -> None:
    """One more request is made to clean up; then nothing is sent, whoever asks for what, and the reason stays the same."""
    service = app()
    run = opened(service)
    with pytest.raises(first) as found, run.fresh_image() as image:
        service.out.set()
        image.add_tag("a")

    met = service.met
    with pytest.raises(later) as again, run.fresh_image():
        pass
    with pytest.raises(later):
        run.client.ask_once(TAGS.add(image.id, "a"))
    assert str(again.value) == str(found.value)
    assert service.met == met
    assert run.recorder.traces.left_behind == [f"image {image.id} ({image.name}): its deletion was not answered"]


def test_a_lost_creation_is_named_once(opened: Callable[[FallsSilent], Run]) -> None:
    """What was sent when the service went out of order may be there; what was never sent is not."""
    service = FallsSilent(502)
    run = opened(service)
    service.out.set()
    for _ in range(3):
        with suppress(Blocked), run.fresh_image():
            pytest.fail("nothing can be created")

    assert len(run.recorder.traces.left_behind) == 1
    assert run.recorder.traces.left_behind[0].startswith("perhaps an image named ")


class Starts(App):
    """Is not ready for the first requests: for any, or for those of callers alone."""

    def __init__(self, requests: int, *, callers: bool = False) -> None:
        super().__init__()
        self.left, self.callers = requests, callers

    def handle(self, request: Request) -> Reply:
        if self.left and request.path.startswith("/v2") and (request.headers.get("X-Auth-Token") or not self.callers):
            self.left -= 1
            return Reply(503, b"", ())
        return super().handle(request)


@pytest.mark.parametrize("callers", [False, True], ids=["for nobody", "for no caller"])
def test_a_service_that_starts_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    direct: None,  # noqa: ARG001
    callers: bool,
) -> None:
    """It is judged once it is ready; one that never is costs no more than a start may take."""
    monkeypatch.setattr(trouble, "LONGEST_PAUSE", 0.0)
    told: list[tuple[float, str]] = []
    for app, ready in ((Starts(20, callers=callers), True), (Starts(10**6, callers=callers), False)):
        monkeypatch.setattr(trouble, "LONGEST_START", 60.0 if ready else 0.0)
        with serving(app) as server:
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            told.clear()
            run = prepare(Settings(url=f"{server.url}/v2"), (TAGS,), lambda *wait: told.append(wait))
            run.close()

        assert (run.problem is None) == ready, run.problem
        assert [(seconds, server.url in what) for seconds, what in told] == [(60.0, True)] * ready
        assert (app.left == 0) == ready


@pytest.mark.parametrize(
    "app",
    [
        lambda: FallsSilent(503, lasts=8),
        lambda: FallsSilent(429, lasts=9),
        lambda: FallsSilent(None, lasts=6),
    ],
    ids=["503", "429", "reset"],
)
def test_a_service_that_comes_back_is_waited_for(
    opened: Callable[[FallsSilent], Run], monkeypatch: pytest.MonkeyPatch, app: Callable[[], FallsSilent]
) -> None:
    """Nothing is blocked, and nothing left behind."""
    monkeypatch.setattr(trouble, "MOST_TRIES", 4)
    service = app()
    run = opened(service)
    monkeypatch.setattr(trouble, "LONGEST_OUTAGE", 60.0)
    with run.fresh_image() as image:
        service.out.set()
        assert image.add_tag("a").ok
        assert image.tags() == ["a"]

    assert service.met == service.lasts
    assert run.recorder.traces.left_behind == []


def test_a_service_that_is_back_when_it_is_tidied_up_is_asked_on(opened: Callable[[FallsSilent], Run]) -> None:
    """The one request that is made all the same tells."""
    service = FallsSilent(403)
    run = opened(service)
    with suppress(NoEffect), run.fresh_image() as image:
        service.out.set()
        with pytest.raises(ShutOut):
            image.add_tag("a")
        service.lasts = 0

    with run.fresh_image() as image:
        assert image.add_tag("a").ok
    assert run.recorder.traces.left_behind == []


def test_who_may_not_see_unknown_images_is_no_outage(opened: Callable[[FallsSilent], Run]) -> None:
    """A 403 counts where the list and other images are well."""
    service = FallsSilent(403)
    run = opened(service)
    service.out.set()
    service.lasts = 1
    assert run.client.add_tag("unknown", "a").status == 403


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_no_finding_comes_of_an_outage(workshop: Any, status: int) -> None:
    """A run of which half meets a service out of order has findings of neither half, one cause, and its reports.

    The requirement that is being asked for then may say itself what it met.
    """
    service = FallsSilent(status)
    with serving(service) as server:
        workshop.named(server)
        service.from_the = 200
        outcome = workshop.judge("--patience", "0.3", "--reports", "reports")

    verdicts = [entry["verdict"] for entry in outcome.results["requirements"]]
    blocked = [entry for entry in outcome.results["requirements"] if entry["verdict"] == "blocked"]
    assert outcome.status == 3, outcome.out
    assert {"fail", "advisory", "unstable", "error"}.isdisjoint(verdicts), outcome.out
    assert "pass" in verdicts
    causes = Counter(entry["explanation"] for entry in blocked)
    assert causes.total() - max(causes.values()) <= 1, outcome.out
    # As many as there were when it began: none is forgotten, none told twice.
    assert outcome.out.count("LEFT BEHIND") == len(list(service.images.all())) > 0
