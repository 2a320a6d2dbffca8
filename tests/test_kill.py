"""Runs that are killed, and terminals that go away, at moments that the service chooses: nothing of ours stays.

In all moments of a run, ``KILLS`` of them for images that are created and as many for one that is lent: a handful unless
the variable says more (``tox run -e kill``).
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import threading
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from near import near

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.app.cli.terminals import terminals_may_go
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.server import environment, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLS = int(os.environ.get("KILLS", "2"))
AT_ONCE = ("1", "8")
"""How many workloads are made at once, by turns."""
REQUESTS = 370
"""Fewer requests than a run of tags and members sends to the image service alone; with a lent image there are fewer."""
SHORT = ("run", "--seed", "1", "--select", "TAG-ADD-05")
PROPERTIES = {"colour": "red"}


class Killing(App):
    """A service that ends whoever asks it, at the request of its choice, and then carries that request out or not."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.moment, self.carried_out = 0, 0, True
        self.strike: Callable[[], object] = int
        self.busy, self.changed = 0, threading.Condition()
        self.killed, self.tokens = False, set[str]()

    def handle(self, request: Any) -> Any:
        """Answer, or kill; what was sent beside that and comes later is not carried out."""
        with self.changed:
            late = self.killed and request.headers.get("X-Auth-Token") in self.tokens
            if not self.killed:
                self.tokens.add(request.headers.get("X-Auth-Token", ""))
            self.asked += request.target.startswith("/v2/")
            if strikes := self.asked == self.moment:
                self.asked += 1
            self.busy += 1
        try:
            if strikes:
                self.strike()
            if late or (strikes and not self.carried_out):
                return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Too late.")
            return super().handle(request)
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

    def rest(self) -> None:
        """Wait until all that had come is carried out."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.busy, 60)


@pytest.fixture
def app() -> Killing:
    """Return the service."""
    return Killing()


@pytest.fixture
def homes(app: Killing, shared_workshop: Callable[[str], Any]) -> Iterator[tuple[Any, Any]]:
    """Return two homes of one tester: the ledger of a run is in the first."""
    with serving(app) as server:
        mine, other = shared_workshop("mine"), shared_workshop("other")
        for home in (mine, other):
            home.environ |= environment(server)
        yield mine, other


def foreign_images(app: App) -> list[Image]:
    """Create images that are nobody's business, one of them named as ours are."""
    tester = Caller(app.identity.users["tester"].project.id)
    other = Caller(app.identity.users["other"].project.id, admin=True)
    wanted: list[dict[str, object]] = [
        {"name": "mine", "tags": ["a", "Übung", "x/y"], **PROPERTIES},
        {"name": "pytest-cloudimages-0123456789ab-89abcdef", "tags": ["kept"], **PROPERTIES},
        {"name": "protected", "protected": True},
    ]
    images = [app.images.create(tester, each) for each in wanted]
    return [*images, app.images.create(other, {"name": "theirs", "visibility": "public", "tags": ["t"]})]


def state(app: App) -> list[dict[str, Any]]:
    """Return all that there is, but for the order of tags and the time of a change."""
    shown = [asdict(image) for image in app.images.all()]
    return [each | {"tags": sorted(each["tags"]), "updated_at": None} for each in shown]


def moments(salt: str, last: int) -> list[tuple[int, bool, str]]:
    """Return when to kill, whether the request is carried out all the same, and how much is made at once."""
    drawn = random.Random(salt)  # noqa: S311 - moments
    return [(drawn.randint(5, last), drawn.random() < 0.5, AT_ONCE[number % 2]) for number in range(KILLS)]


@pytest.mark.parametrize(("moment", "carried_out", "at_once"), moments("created", REQUESTS))
def test_created_images_are_swept_from_anywhere(
    app: Killing,
    homes: tuple[Any, Any],
    sweep: Callable[..., dict[str, Any]],
    moment: int,
    carried_out: bool,
    at_once: str,
) -> None:
    """Another machine knows no ledger, and needs none."""
    mine, other = homes
    foreign_images(app)
    before = state(app)
    killed(app, mine, moment, carried_out, "--concurrency", at_once)
    left = len(app.images.all()) - len(before)
    found = sweep(other, "--older-than", "0s")

    assert state(app) == before
    assert len(found["deleted"]) == left
    assert sweep(mine)["deleted"] == []


@pytest.mark.parametrize(("moment", "carried_out", "at_once"), moments("lent", REQUESTS // 2))
def test_a_lent_image_is_given_back(
    app: Killing,
    homes: tuple[Any, Any],
    sweep: Callable[..., dict[str, Any]],
    moment: int,
    carried_out: bool,
    at_once: str,
) -> None:
    """By the ledger, and nobody else touches it."""
    mine, other = homes
    lent, *_ = foreign_images(app)
    before = state(app)
    killed(app, mine, moment, carried_out, "--image", lent.id, "--concurrency", at_once)
    between = [image for image in state(app) if image["id"] == lent.id]
    sweep(other, "--older-than", "0s")
    assert [image for image in state(app) if image["id"] == lent.id] == between
    sweep(mine)

    assert state(app) == before
    assert sweep(mine)["restored"] == []


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Return what sweeps from a home, and returns what is said of it."""

    def swept(home: Any, *words: str) -> dict[str, Any]:
        for name in {*os.environ} - {*home.environ}:
            monkeypatch.delenv(name)
        for name, value in home.environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        assert main.main(["sweep", "--json", *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return swept


def killed(app: Killing, home: Any, moment: int, carried_out: bool, *words: str) -> None:
    """Kill a run at a moment."""
    app.moment, app.carried_out = moment, carried_out
    # What tasks import has none of the properties by which another machine knows it: here nothing is imported.
    narrowed = near(words)
    command = ("pytest_cloudimages.app.cli.main", "run", "--profile", "quick", "--seed", str(moment), *narrowed, *words)
    process = home.start(*command)

    def kill() -> None:
        app.killed = True
        process.kill()
        process.wait()

    app.strike = kill
    outcome = home.end(process)
    app.rest()
    assert outcome.status == -signal.SIGKILL, outcome.out


@pytest.mark.parametrize("at_once", ["1", "4"])
def test_a_signal_that_ends_a_run_has_it_clean_up(app: Killing, homes: tuple[Any, Any], at_once: str) -> None:
    """As after Ctrl-C: the images are gone, the reports are there, and the status says that it was interrupted."""
    mine, _ = homes
    foreign_images(app)
    before = state(app)
    app.moment = 12
    process = mine.start("pytest_cloudimages.app.cli.main", *SHORT, "--concurrency", at_once)
    app.strike = lambda: process.send_signal(signal.SIGTERM)
    outcome = mine.end(process)

    assert outcome.status == 130, outcome.out
    assert state(app) == before
    assert outcome.results["interrupted"]


def test_what_is_written_to_a_terminal_that_has_gone_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before SIGHUP comes, too: the kernel hangs a terminal up first, and refuses what is written then."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with terminals_may_go():
            print("seen", flush=True)
            assert sys.stdout.isatty()
            assert os.read(ours, 100) == b"seen\r\n"
            os.close(ours)
            with pytest.raises(OSError, match="Input/output error"):
                os.write(theirs, b"refused")
            print("lost", flush=True)
        assert sys.stdout is stream


@pytest.mark.parametrize(("hangup", "status"), [(signal.SIG_DFL, 130), (signal.SIG_IGN, 0)], ids=["plain", "nohup"])
def test_a_terminal_that_goes_away_has_a_run_clean_up(
    app: Killing, homes: tuple[Any, Any], hangup: signal.Handlers, status: int
) -> None:
    """Nothing more can be shown then, and all else is done; under nohup the run goes on to its end."""

    def on_a_terminal_of_its_own() -> None:
        signal.signal(signal.SIGHUP, hangup)  # whatever the tests themselves were started under
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    mine, _ = homes
    before = state(app)
    ours, theirs = pty.openpty()
    app.moment, app.strike = 12, lambda: os.close(ours)
    command = [sys.executable, "-m", "pytest_cloudimages.app.cli.main", *SHORT]
    process = subprocess.Popen(
        command,
        cwd=mine.folder,
        env=mine.environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=on_a_terminal_of_its_own,  # noqa: PLW1509 - it waits for nothing that a thread may hold
    )
    os.close(theirs)
    assert process.wait(60) == status
    assert state(app) == before
    assert (mine.reports / "conformance.json").exists()
