"""Whatever a service answers, no check breaks off with an error of ours, and none takes more than its share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults.lawful_networks import Garbage
from faults.trial import judged
from hostile_answers import KINDS, OVER, PLACES, Hostile, RawConnection

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference import server as servers
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.engine.run import Run

LONG = bool(os.environ.get("HOSTILE"))
"""Whether each kind is met in each place; ``tox run -e hostile``."""
AT_ONCE = 10
"""Kinds that one run of many meets in turn."""
REFUSALS = frozenset({"status 418", "status 499"})
"""Kinds that say that nothing was done, where all was."""
EVERY = range(2, 51) if os.environ.get("CHAOS") else (3, 11)
"""Every how many answers one is garbage; all of them in ``tox run -e chaos``."""
TIMEOUTS = (0.15, 1.5, 15.0)
"""Seconds that a service is given in turn: on a busy machine the good answers before the hostile one come late too."""
OF_IMAGES = tuple(place for place in PLACES if place not in ("versions", "token"))
MOST_MEMORY = 200 * 1024
"""KiB that a run takes, whatever comes."""


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve replies that are octets of their own, as long as somebody waits for them."""
    monkeypatch.setattr(servers, "Connection", RawConnection)
    OVER.clear()
    yield
    OVER.set()


@pytest.mark.parametrize("every", EVERY)
def test_garbage_in_place_of_every_so_many_answers_breaks_no_check(every: int, tmp_path: Path) -> None:
    """No body is used before it is looked at: what cannot be read is the service's, or blocks the question."""

    def app() -> Garbage:
        made = Garbage()
        made.every = every
        return made

    outcome = judged(app, tmp_path)

    explained = {identifier: outcome.explanations[identifier] for identifier in outcome.which("error")}
    assert not explained
    assert outcome.verdicts, outcome.output


# Each kind, in each place


def live(run: Run) -> None:
    """Do what checks do with an image; what blocks them is none of our business."""
    with suppress(Blocked), run.fresh_image() as image:
        for step in (
            lambda: image.add_tag("a"),
            image.tags,
            image.listed,
            lambda: image.delete_tag("a"),
            lambda: image.given_tags_at_once("b"),
            lambda: image.client.raw("GET", f"/images/{image.id}").data,
        ):
            with suppress(Blocked):
                step()


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_breaks_more_than_the_question(
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    direct: None,  # noqa: ARG001
) -> None:
    """In whatever place it comes: nothing but ``Blocked`` is raised, and each image that stays is named."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    places = OF_IMAGES if LONG else OF_IMAGES[[*KINDS].index(kind) % len(OF_IMAGES) :][:1]
    for place in places:
        app, run = met(kind, place, monkeypatch)
        told = " ".join(run.recorder.traces.left_behind)
        left = [image.name for image in app.images.all() if str(image.name) not in told]
        assert left == [] or kind in REFUSALS, (place, told)


def met(kind: str, place: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Hostile, Run]:
    """Return a service and the run that met it there."""
    for timeout in TIMEOUTS:
        OVER.clear()
        app = Hostile([kind], [place], after=place == "list")
        with serving(app) as server:
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            run = prepare(Settings(url=f"{server.url}/v2", timeout=timeout, patience=0), (TAGS,))
            try:
                live(run)
            finally:
                run.close()
                OVER.set()
        if app.met and run.problem is None:
            return app, run
    pytest.fail(f"{kind} was not met: {place}; {run.problem}")


def parts() -> Iterator[tuple[str, int, list[str]]]:
    """Yield the runs that there are: the place, every how many answers one is hostile, and the kinds."""
    if not LONG:
        yield "images", 5, [*KINDS]
        yield "token", 1, [*KINDS]
        return
    for place in PLACES:
        for first in range(0, len(KINDS), AT_ONCE):
            yield place, 1 if place == "token" else 2, [*KINDS][first : first + AT_ONCE]


@pytest.mark.parametrize(("place", "every", "kinds"), [*parts()])
def test_a_run_comes_to_its_verdicts_whatever_it_is_sent(
    place: str, every: int, kinds: list[str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Never an error, and never an end but in time."""
    made: list[Hostile] = []

    def app() -> Hostile:
        made.append(Hostile(kinds, OF_IMAGES if place == "images" else [place], after=3, every=every))
        return made[0]

    app.words = ("--timeout", "0.5")  # type: ignore[attr-defined]

    outcome = judged(app, tmp_path, select=() if LONG else ("TAG-ADD", "TAG-DEL-01", "IMG-LIST"))

    record_property("met", len({*made[0].met}))
    assert not {identifier: outcome.explanations[identifier] for identifier in outcome.which("error")}
    assert "Traceback" not in outcome.output
    told = outcome.output
    assert [image.name for image in made[0].images.all() if str(image.name) not in told] == [] or REFUSALS & {
        *made[0].met
    }


HEAVY = ("50 MB of tags", "50 MB of white space", "a gzip bomb", "a bomb in a bomb", "a body without an end")


def test_a_run_takes_little_memory_whatever_comes(tmp_path: Path) -> None:
    """Bodies without an end, bombs and fifty megabytes; measured by the system, for the whole process."""
    app = Hostile(HEAVY, OF_IMAGES, after=3, every=3)
    with serving(app) as server:
        token = app.identity.issue("tester").value
        words = [
            sys.executable,
            "-c",
            MEASURED,
            "run",
            "--endpoint",
            server.url,
            "--profile",
            "quick",
            "--timeout",
            "1",
        ]
        words += ["--patience", "0", "--reports", str(tmp_path), "--select", "TAG-ADD", "--select", "TAG-DEL"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))}
        done = subprocess.run(
            words, env=environ | {"CLOUDIMAGES_TOKEN": token}, capture_output=True, text=True, check=False, timeout=120
        )
        OVER.set()
    taken = int(done.stderr.rsplit("peak: ", 1)[-1])
    assert {*HEAVY} <= {*app.met}, done.stdout
    assert taken < MOST_MEMORY, f"{taken} KiB"


MEASURED = """
import sys
from pytest_cloudimages.app.cli.main import main
status = main(sys.argv[1:])
print("peak:", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(status)
"""
