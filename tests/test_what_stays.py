"""Nothing stays of images that nobody told of, nor of those that their creators may not delete."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.areas.common.every_answer import EveryAnswer
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.engine import deletion, preflight
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.provisioning import EXPIRES, temporary_image
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.engine.what_stays import delete_what_stays
from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_cloudimages.engine.run import Run


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a run on the embedded server, with every caller, whose answers are looked at."""
    end = SECRETS.begin()
    opened = preflight.prepare(Settings(reference=True), (TAGS,))
    opened.recorder.onlooker = EveryAnswer(opened.service.endpoint, opened.recorder.traces, run=opened.name)
    yield opened
    opened.close()
    end()


def created(run: Run, whose: str, name: str) -> str:
    """Create an image that says of which run it is, and that nobody is told of; return its id."""
    onlooker, run.recorder.onlooker = run.recorder.onlooker, None
    answer = run.client.create(name=name, **{OF_RUN: whose, EXPIRES: "2030-01-01T00:00:00Z"})
    run.recorder.onlooker = onlooker
    return str(answer.data["id"])


def test_what_a_repeated_creation_leaves_is_deleted(run: Run) -> None:
    """What is of another run is left alone, and what is in use."""
    other = created(run, "another run", "of another run")
    with run.fresh_image() as image:
        twin = created(run, run.name, image.name)

        delete_what_stays(run)

        assert [run.client.show(each).status for each in (image.id, other, twin)] == [200, 200, 404]
    assert len(run.recorder.traces.notices) == 1
    assert run.client.delete(other).ok


def test_the_tester_deletes_what_a_creator_may_not(run: Run) -> None:
    """A role may create images, and delete none."""
    creator = run.caller("CREATOR")
    assert creator

    with temporary_image(creator, run.name) as image:
        pass

    assert run.client.show(image.id).status == 404
    assert run.recorder.traces.left_behind == []


def test_who_cannot_clean_up_creates_no_more(run: Run) -> None:
    """One image stays, and is named once."""
    creator = run.caller("CREATOR")
    assert creator
    assert run.client
    run.recorder.traces.delete_as_another = lambda _: False

    with temporary_image(creator, run.name) as image:
        pass
    with pytest.raises(Blocked, match="No more images are created by a creator"), temporary_image(creator, run.name):
        pass

    assert len(run.recorder.traces.left_behind) == 1
    assert run.client.delete(image.id).ok


def test_a_refused_creation_by_an_id_leaves_nothing(run: Run) -> None:
    """Whoever hands it on twice, is refused the second time: what the first has made, has the name."""
    taken, name = str(uuid.uuid4()), f"pytest-cloudimages-{run.name}-taken"
    assert run.client.create(name=name, id=taken).ok

    with pytest.raises(Blocked), temporary_image(run.client, run.name, name=name, id=taken):
        pass

    assert run.client.show(taken).status == 404


class KeepsWhatIsDeleted(App):
    """Acknowledges the deletion of images, as often as it is told to, and keeps them."""

    times = 1

    def delete_image(self, request: Request, image_id: str) -> Reply:
        """Delete an image, one day."""
        if self.times:
            self.times -= 1
            return NO_CONTENT
        return super().delete_image(request, image_id)


@pytest.mark.parametrize("times", [1, 100])
def test_what_was_deleted_in_vain_is_deleted_again_or_named(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays of it, or the tester hears of it."""
    app = KeepsWhatIsDeleted()
    app.times = times
    with serving(app) as server:
        monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
        opened = preflight.prepare(Settings(url=f"{server.url}/v2", patience=0.1), (TAGS,))
        with opened.fresh_image() as image:
            pass
        assert app.images.get(image.id)

        delete_what_stays(opened)
        traces = opened.recorder.traces
        opened.close()

    assert bool(traces.left_behind) is (times > 1)
    assert len(traces.notices) == 1
    assert "whose deletion had been acknowledged" in traces.notices[0]
    assert (image.id in app.images._images) is (times > 1)  # noqa: SLF001


@pytest.mark.parametrize("helps", [False, True])
def test_nobody_waits_where_it_never_helps(run: Run, monkeypatch: pytest.MonkeyPatch, *, helps: bool) -> None:
    """Where images cannot be deleted, also a while later, one is waited for no longer; where they can, each one is."""
    waited: list[float] = []
    monkeypatch.setattr(deletion, "time", SimpleNamespace(sleep=waited.append))
    answers = iter(([500, 204] if helps else [500, 500, 500]) * 10)
    monkeypatch.setattr(deletion, "_deletion", lambda image, *, protected: next(answers))  # noqa: ARG005
    image = Image(run.client, str(uuid.uuid4()), "never there")

    for _ in range(8):
        assert deletion.delete(image) == helps

    assert sum(seconds > 0 for seconds in waited) == (8 if helps else 2 * deletion.IN_VAIN)
