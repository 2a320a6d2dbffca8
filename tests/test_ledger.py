"""What a run creates or changes is on disk before it is sent, and what dead runs have left is swept."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.ledger import FILE, Ledger
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.provisioning import EXPIRES
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.run_notes import RunNotes
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.engine.sweeping import begin
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.server import Server, environment, serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RUN_ID = "0123456789ab"
NAME = f"pytest-cloudimages-{RUN_ID}-89abcdef"
LONG_AGO, NEVER = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


class Cloud:
    """An embedded server, and the tester's surroundings."""

    def __init__(self, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.folder, self.monkeypatch = server, folder, monkeypatch
        app = self.app = server.app
        self.url = server.url
        self.notices: list[str] = []
        """What the last dead run had said."""
        self.mine = Caller(app.identity.users["tester"].project.id)

    def by_password(self) -> None:
        """Name the service as an openrc file does, so that the tester's project is known."""
        for name in ("CLOUDIMAGES_ENDPOINT", "CLOUDIMAGES_TOKEN"):
            self.monkeypatch.delenv(name)
        for name, value in environment(self.server).items():
            if not name.startswith(("OS_ALT", "OS_READER", "OS_CREATOR", "OS_ADMIN", "CLOUDIMAGES_")):
                self.monkeypatch.setenv(name, value)

    def image(self, **attributes: Any) -> Image:
        """Create an image that nobody was asked for."""
        return self.app.images.create(self.mine, {"name": "foreign", **attributes})

    def run(self, *lent: str) -> Run:
        """Begin a run, as the suite does."""
        settings = Settings(url=f"{self.url}/v2", ledger=str(self.folder), image=lent, patience=0.2, timeout=5.0)
        return begin(prepare(settings, (TAGS,)), (TAGS, MEMBERS))

    def dead_run(self, *, lent: Image | None = None) -> tuple[str, str]:
        """Let a run die, as ``kill -9`` does, in mid-creation or with a lent image; return the ids of image and run."""
        run = self.run(*([lent.id] if lent else []))
        notes = run.recorder.traces.notes
        assert isinstance(notes, RunNotes)
        if lent:
            notes.lending(lent.id, "tester", {"tag": lent.tags})
            image, lent.tags[:] = lent, ["ours"]
        else:
            with run.fresh_image() as opened:
                image = self.app.images.get(opened.id)
            note = notes.creating(str(image.name), "tester", time.time() + 3600)
            image = self.image(name=image.name, **image.properties)
            notes.created(note, image.id, image.owner)
        self.notices = list(run.recorder.traces.notices)
        # Nothing is tidied, and the system takes the lock from it.
        notes.abandon()
        run.close()
        return image.id, run.name

    def alters(self, statement: str) -> None:
        """Write into the ledger."""
        ledger = Ledger(self.folder)
        ledger.write((statement, ()))
        ledger.close()

    @property
    def noted(self) -> list[tuple[Any, ...]]:
        """Every note and every run of the ledger."""
        ledger = Ledger(self.folder)
        queries = ("SELECT run FROM runs", "SELECT name FROM images", "SELECT image FROM lent")
        rows = [row for query in queries for row in ledger.read(query)]
        ledger.close()
        return rows

    def tags_of(self, image: Image) -> list[str]:
        """Return the tags that an image has now."""
        return sorted(self.app.images.get(image.id).tags)

    def left(self) -> list[str]:
        """Return the names of the images that there are."""
        return [str(image.name) for image in self.app.images.all()]


@pytest.fixture
def open_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: None) -> Iterator[Callable[[App], Cloud]]:
    """Serve apps, and let the environment name them."""
    del direct
    from contextlib import ExitStack

    with ExitStack() as stack:

        def opened(app: App) -> Cloud:
            server = stack.enter_context(serving(app))
            for name in [name for name in os.environ if name.startswith(("OS_", "CLOUDIMAGES_"))]:
                monkeypatch.delenv(name)
            monkeypatch.setenv("CLOUDIMAGES_ENDPOINT", f"{server.url}/v2")
            monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
            monkeypatch.setenv("CLOUDIMAGES_LEDGER", str(tmp_path / "ledger"))
            return Cloud(server, tmp_path / "ledger", monkeypatch)

        yield opened


@pytest.fixture
def cloud(open_cloud: Callable[[App], Cloud]) -> Cloud:
    """Return an honest cloud."""
    return open_cloud(App())


def swept(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Sweep, and return what is said of it."""
    capsys.readouterr()
    status = main.main(["sweep", "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["exit_status"] == status
    return found


# Before it is sent


class Reading(App):
    """A service that looks into the ledger when something is asked of it."""

    ledger: Path
    seen: list[tuple[str, str]]

    def handle(self, request: Any) -> Any:
        """Keep what is noted while the request is still on its way."""
        if request.method != "GET" and (self.ledger / FILE).exists():
            ledger = Ledger(self.ledger)
            images = ledger.read("SELECT name, coalesce(image, '') FROM images")
            self.seen.append((request.method, repr(images + ledger.read("SELECT image, shown FROM lent"))))
            ledger.close()
        return super().handle(request)


@pytest.mark.parametrize("lent", [False, True], ids=["created", "lent"])
def test_it_is_noted_before_it_is_sent(open_cloud: Callable[[App], Cloud], lent: bool) -> None:
    """The first request that changes something finds its note on disk, and nothing is left of the notes in the end."""
    app = Reading()
    cloud = open_cloud(app)
    app.ledger, app.seen = cloud.folder, []
    mine = cloud.image(tags=["a", "b"])
    run = cloud.run(*([mine.id] if lent else []))
    with run.fresh_image() as image:
        (_, first), *_ = app.seen
        assert (repr((mine.id, '["a", "b"]')) if lent else image.name) in first
    run.close()

    assert cloud.noted == []
    assert [path.name for path in cloud.folder.iterdir()] == [FILE]
    assert cloud.tags_of(mine) == ["a", "b"]


def test_created_images_prove_whose_they_are(cloud: Cloud) -> None:
    """The run's id, and a time from which on they are nobody's."""
    run = cloud.run()
    with run.fresh_image():
        (image,) = cloud.app.images.all()
    run.close()

    assert image.properties[OF_RUN] == run.name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(image.properties[EXPIRES]))
    assert str(image.name).startswith(f"pytest-cloudimages-{run.name}-")


def test_who_creates_nothing_leaves_nothing(cloud: Cloud) -> None:
    """Nor does a service that ends with this process."""
    cloud.run().close()
    begin(prepare(Settings(reference=True, ledger=str(cloud.folder)), (TAGS,)), (TAGS,)).close()

    assert not cloud.folder.exists()


# After a death


def test_the_next_run_sweeps_and_says_so(cloud: Cloud) -> None:
    """In one line; nothing is asked once more where nothing is noted."""
    cloud.dead_run()
    assert len(cloud.left()) == 1
    run = cloud.run()
    told = list(run.recorder.traces.notices)
    run.close()

    assert told == ["swept after runs that died: 1 image deleted"]
    assert [*cloud.left(), *cloud.noted] == []


def test_a_lent_image_gets_its_tags_back_from_the_ledger(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly; until then nobody else is lent it."""
    mine = cloud.image(tags=["a", "Ü/\x00"])
    cloud.dead_run(lent=mine)
    assert cloud.tags_of(mine) == ["ours"]

    dry = swept(capsys, "--dry-run")
    assert cloud.tags_of(mine) == ["ours"]
    found = swept(capsys)

    assert dry["restored"] == found["restored"] != []
    assert cloud.tags_of(mine) == sorted(["a", "Ü/\x00"])
    assert cloud.noted == []


def test_what_a_run_is_lent_while_another_lives_is_refused(cloud: Cloud) -> None:
    """Its tags would be taken for those that it had."""
    mine = cloud.image(tags=["a"])
    living = cloud.run(mine.id)
    with living.fresh_image():
        with pytest.raises(ConfigurationError, match="has not come back"):
            cloud.run(mine.id)
        assert len(cloud.noted) == 2
    living.close()

    assert cloud.tags_of(mine) == ["a"]


def test_a_living_run_is_left_alone(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """By the next run, and by a sweep of everything."""
    living = cloud.run()
    with living.fresh_image() as image:
        cloud.run().close()
        found = swept(capsys, "--older-than", "0s", "--run", living.name)
        assert image.show().ok
    living.close()

    assert found["kept"] == [f"image {image.id} ({image.name}): its run may be alive"]
    assert found["deleted"] == found["failed"] == []


def test_notes_of_another_host_are_left_to_it_until_they_expire(cloud: Cloud) -> None:
    """A folder may be shared where locks are not."""
    cloud.dead_run()
    cloud.alters("UPDATE runs SET host = 'elsewhere'")
    cloud.run().close()
    assert len(cloud.left()) == 1
    cloud.alters("UPDATE images SET expires = 1")
    cloud.run().close()

    assert [*cloud.left(), *cloud.noted] == []


def test_a_creation_whose_answer_was_lost_is_found_by_its_name(cloud: Cloud) -> None:
    """The name is in the ledger, and no other image has it."""
    identifier, _ = cloud.dead_run()
    cloud.alters("UPDATE images SET image = NULL")
    cloud.run().close()

    assert identifier not in [image.id for image in cloud.app.images.all()]
    assert cloud.noted == []


def test_a_note_outlives_a_project_that_cannot_see_its_image(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not found there is not gone."""
    cloud.dead_run()
    mine = os.environ["CLOUDIMAGES_TOKEN"]
    monkeypatch.setenv("CLOUDIMAGES_TOKEN", cloud.app.identity.issue("other").value)
    cloud.run().close()
    assert cloud.noted
    monkeypatch.setenv("CLOUDIMAGES_TOKEN", mine)
    cloud.run().close()

    assert [*cloud.left(), *cloud.noted] == []


# A ledger that is in trouble


def corrupted(path: Path) -> object:
    """Write what is no ledger."""
    return path.write_bytes(b"no ledger at all " * 100)


def foreign(path: Path) -> None:
    """Make the ledger one of a later suite."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def locked(path: Path) -> object:
    """Hold the ledger for oneself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def unreadable(path: Path) -> None:
    """Put a folder where the ledger belongs."""
    path.mkdir()


def torn(path: Path) -> None:
    """Take the tables out."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()


@pytest.mark.parametrize("trouble", [corrupted, foreign, locked, unreadable, torn])
def test_a_ledger_in_trouble_is_one_line(
    cloud: Cloud, trouble: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Images that say themselves whose they are can be created without it; none is lent."""
    monkeypatch.setattr("pytest_cloudimages.engine.ledger.BUSY", 0.05)
    cloud.folder.mkdir()
    held = trouble(cloud.folder / FILE)
    mine = cloud.image(tags=["a"])
    run = cloud.run()
    with run.fresh_image() as image:
        assert image.show().ok
    (told,) = run.recorder.traces.notices
    run.close()
    with pytest.raises(ConfigurationError, match="No image is lent without a ledger"):
        cloud.run(mine.id)
    cloud.image(name=NAME, **{OF_RUN: RUN_ID, EXPIRES: LONG_AGO})
    found = swept(capsys)
    if isinstance(held, sqlite3.Connection):
        held.close()

    assert FILE in told
    assert "\n" not in told
    assert "the run goes on" in told
    assert cloud.left() == ["foreign"]
    assert cloud.tags_of(mine) == ["a"]
    assert found["exit_status"] == 3
    assert len(found["problems"]) == 1


def test_a_disk_that_is_full_in_mid_run_is_said_once(cloud: Cloud) -> None:
    """What was lent by then comes back; nothing more is lent."""
    mine, other = cloud.image(tags=["a"]), cloud.image(tags=["b"])
    run = cloud.run(mine.id, other.id)
    notes = run.recorder.traces.notes
    assert isinstance(notes, RunNotes)
    with run.fresh_image():
        connection = notes.ledger.open()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        while notes.creating("x" * 4000, "tester", time.time()) is not None:
            pass
        assert cloud.tags_of(mine) == []
        with pytest.raises(Blocked, match="full"), run.fresh_image():
            pass
        assert notes.creating("x", "tester", time.time()) is None
    told = run.recorder.traces.notices
    run.close()

    assert len(told) == 1
    assert "full" in told[0]
    assert (cloud.tags_of(mine), cloud.tags_of(other)) == (["a"], ["b"])


# By the properties


@pytest.mark.parametrize("known", [True, False], ids=["by_password", "by_token"])
def test_only_what_is_proved_and_over_is_swept(cloud: Cloud, capsys: pytest.CaptureFixture[str], known: bool) -> None:
    """A name is no proof, a time that is not over is waited for, and protection of ours is taken off."""
    if known:
        cloud.by_password()
    over = {OF_RUN: RUN_ID, EXPIRES: LONG_AGO}
    stays = [
        cloud.image(),
        cloud.image(name=NAME),
        cloud.image(name=NAME, **{OF_RUN: RUN_ID}),
        cloud.image(name=NAME, **{OF_RUN: RUN_ID, EXPIRES: "soon"}),
        cloud.image(name=NAME, **{OF_RUN: RUN_ID, EXPIRES: NEVER}),
    ]
    goes = [cloud.image(name="renamed", **over), cloud.image(protected=True, **over, tags=["x"])]
    theirs = cloud.app.images.create(
        Caller(cloud.app.identity.users["other"].project.id, admin=True), {"visibility": "public", **over}
    )
    before = [asdict(image) for image in (*stays, theirs)]
    dry = swept(capsys, "--dry-run")
    assert len(cloud.left()) == 8
    found = swept(capsys)

    assert {*found["deleted"]} <= {*dry["deleted"]}
    assert len(found["deleted"]) == 2
    assert found["failed"] == []
    assert len(found["unproven"]) == 3
    assert f"--run {RUN_ID}" in found["unproven"][0]
    assert len(found["kept"]) == (1 if known else 2)
    assert not {image.id for image in goes} & {image.id for image in cloud.app.images.all()}
    assert [asdict(cloud.app.images.get(image.id)) for image in (*stays, theirs)] == before


def test_the_tester_may_say_that_a_run_is_over(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """By age, where properties prove whose it is; or by the run's id, where a name has it too."""
    young = cloud.image(name=NAME, **{OF_RUN: RUN_ID, EXPIRES: NEVER})
    cloud.image(name=NAME)
    cloud.image(name="pytest-cloudimages-0123456789ac-89abcdef")

    assert swept(capsys, "--older-than", "1h")["deleted"] == []
    assert [young.id in each for each in swept(capsys, "--older-than", "0s")["deleted"]] == [True]
    assert len(swept(capsys, "--run", RUN_ID)["deleted"]) == 1
    assert cloud.left() == ["pytest-cloudimages-0123456789ac-89abcdef"]


class Tagged(App):
    """A service that cannot delete an image with tags, and then acknowledges a first deletion without doing it."""

    def delete_image(self, request: Any, image_id: str) -> Any:
        """Fail while there are tags."""
        if self.images.get(image_id).tags:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Tags.")
        return super().delete_image(request, image_id)


def test_an_image_that_cannot_be_deleted_with_tags_loses_them_first(
    open_cloud: Callable[[App], Cloud], capsys: pytest.CaptureFixture[str]
) -> None:
    """Tags may be what is in the way."""
    cloud = open_cloud(Tagged())
    cloud.image(tags=["a", "b"], **{OF_RUN: RUN_ID, EXPIRES: LONG_AGO})

    assert len(swept(capsys)["deleted"]) == 1
    assert cloud.left() == []


class Claiming(App):
    """A service that acknowledges deletions, and deletes nothing."""

    def delete_image(self, request: Any, image_id: str) -> Any:
        """Acknowledge."""
        del image_id
        return type(self.error(request, HTTPStatus.NOT_FOUND, ""))(204, b"", ())


def test_gone_is_what_a_read_says(open_cloud: Callable[[App], Cloud], capsys: pytest.CaptureFixture[str]) -> None:
    """An acknowledgement alone is not believed."""
    cloud = open_cloud(Claiming())
    cloud.image(**{OF_RUN: RUN_ID, EXPIRES: LONG_AGO})
    found = swept(capsys, "--patience", "0.1")

    assert found["deleted"] == []
    assert "a read is answered 200" in found["failed"][0]
    assert found["exit_status"] == 3


class Luring(App):
    """A service whose list names what is not ours as ours."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[dict[str, object]] = []
        self.changed: list[str] = []

    def list_images(self, request: Any) -> Any:
        """Lie."""
        reply = super().list_images(request)
        entries = [{"name": NAME, OF_RUN: RUN_ID, EXPIRES: LONG_AGO, **each} for each in self.listed]
        return type(reply)(reply.status, json.dumps({"images": entries}).encode(), reply.headers)

    def handle(self, request: Any) -> Any:
        """Keep what would change something."""
        if request.method != "GET":
            self.changed.append(request.target)
        return super().handle(request)


def test_a_list_that_lies_lures_nobody(open_cloud: Callable[[App], Cloud], capsys: pytest.CaptureFixture[str]) -> None:
    """An id is checked before it goes into a path, and the image itself has to say whose it is."""
    app = Luring()
    cloud = open_cloud(app)
    mine = cloud.image(tags=["a"])
    app.listed = [{"id": f"x/../{mine.id}"}, {"id": ".."}, {"id": ""}, {"id": f"{mine.id}/tags/a"}, {"id": mine.id}]
    app.listed += [{"id": f"{mine.id}?x"}, {"id": "ü"}, {"id": "a\r\nb"}, {"id": "a" * 5000}, {"id": 7}, {"id": None}]
    found = swept(capsys, "--older-than", "0s", "--run", RUN_ID)

    assert app.changed == []
    assert cloud.left() == ["foreign"]
    assert found["deleted"] == []
    assert len(found["failed"]) == 8


@pytest.mark.parametrize(
    ("text", "fit"), [("6e0b-1", True), ("a.b", True), ("a..b", False), (".a", False), ("a/b", False)]
)
def test_ids_that_stay_where_they_are_put(text: str, fit: bool) -> None:
    """Everything else is named, and asked for nowhere."""
    assert is_fit(text) is fit


class WithoutProperties(App):
    """A service that takes no properties but its own."""

    refused = 0

    def create_image(self, request: Any) -> Any:
        """Refuse ours."""
        if OF_RUN.encode() in request.body:
            self.refused += 1
            return self.error(request, HTTPStatus.FORBIDDEN, "No such property.")
        return super().create_image(request)


def test_where_no_properties_are_taken_the_name_has_the_run(
    open_cloud: Callable[[App], Cloud], capsys: pytest.CaptureFixture[str]
) -> None:
    """That is found out once, and said once; the ledger sweeps all the same, and elsewhere the tester's word does."""
    app = WithoutProperties()
    cloud = open_cloud(app)
    identifier, _ = cloud.dead_run()
    told = cloud.notices
    with cloud.run().fresh_image():
        pass
    assert identifier not in [image.id for image in app.images.all()]
    assert len(told) == 1
    assert app.refused == 2  # once in each run

    _, run = cloud.dead_run()
    found = swept(capsys, "--ledger", str(cloud.folder / "elsewhere"), "--older-than", "0s")
    assert len(found["unproven"]) == 1
    found = swept(capsys, "--ledger", str(cloud.folder / "elsewhere"), "--run", run)
    assert len(found["deleted"]) == 1
    assert cloud.left() == []


@pytest.mark.parametrize(
    "words", [["--older-than", "1"], ["--older-than", "-1h"], ["--run", "../x"], ["--reference"], ["--cloud", "none"]]
)
def test_a_wrong_word_is_one_line_and_status_2(
    cloud: Cloud, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As with every command."""
    del cloud
    try:
        status: object = main.main(["sweep", *words])
    except SystemExit as ended:
        status = ended.code

    assert status == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_sweep_says_what_it_did(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for everything, and a sum."""
    image = cloud.image(name=NAME, **{OF_RUN: RUN_ID, EXPIRES: LONG_AGO})
    assert main.main(["sweep", "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert main.main(["sweep"]) == 0

    assert dry.splitlines() == [
        f"to be deleted: image {image.id} ({NAME})",
        f"{cloud.url}/v2: 1 image to be deleted",
    ]
    assert capsys.readouterr().out == dry.replace("to be deleted", "deleted")


def test_a_lock_is_held_as_long_as_a_run_lives(cloud: Cloud) -> None:
    """Nobody else gets it, and nobody else's notes are lost with it."""
    run = cloud.run()
    with run.fresh_image(), (cloud.folder / f"{run.name}.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    run.close()


def test_the_ledger_has_no_secrets(cloud: Cloud) -> None:
    """Neither tokens, nor what an address may hold beside the place."""
    notes = RunNotes(Ledger(cloud.folder), RUN_ID, "https://user:word@image.example:9292/v2", print)
    notes.creating(NAME, "tester", time.time())
    octets = b"".join(path.read_bytes() for path in cloud.folder.iterdir())
    notes.close()

    assert b"image.example:9292/v2" in octets
    assert b"word" not in octets
