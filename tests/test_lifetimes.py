"""Images are created and deleted, or lent and given back."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.kept_values import set_values, values_of
from pytest_cloudimages.engine.lending import borrowed_image
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import Server, serving
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.client.transport import Transport


def answer(status: int, body: bytes = b"", *fields: str) -> bytes:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status} Such", *fields, *([] if status == 204 else [f"Content-Length: {len(body)}"])]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


@pytest.fixture
def cloud(server: Server, open_wire: Callable[..., Transport]) -> ImagesClient:
    """Return a client of the embedded server."""
    return client_of(server, open_wire)


def client_of(server: Server, open_wire: Callable[..., Transport], **how: Any) -> ImagesClient:
    """Return a client of an embedded server."""
    token = server.app.identity.issue("tester").value
    return ImagesClient(f"{server.url}/v2", open_wire(server.url, **how), Recorder(), lambda: token)


def test_a_created_image_lives_as_long_as_its_block(server: Server, cloud: ImagesClient) -> None:
    """It begins without tags, and is gone afterwards."""
    with temporary_image(cloud, "run") as image:
        assert image.tags() == []
        assert [other_image.id for other_image in server.app.images.all()] == [image.id]

    assert [*server.app.images.all()] == []


def test_an_image_that_is_gone_is_not_deleted_once_more(server: Server, cloud: ImagesClient) -> None:
    """Its deletion was acknowledged, and it was not found then: there is nothing to clean up."""
    with temporary_image(cloud, "run") as image:
        assert cloud.delete(image.id).ok
        cloud.recorder.traces.gone.add(image.id)
        sent = sum(cloud.recorder.counts.values())

    assert sum(cloud.recorder.counts.values()) == sent
    assert [*server.app.images.all()] == []


def test_a_created_image_goes_with_an_error(server: Server, cloud: ImagesClient) -> None:
    """Whatever happens in the block, nothing stays."""
    with pytest.raises(KeyboardInterrupt), temporary_image(cloud, "run"):
        raise KeyboardInterrupt

    assert [*server.app.images.all()] == []
    assert cloud.recorder.traces.left_behind == []


def test_an_image_that_was_left_protected_is_freed(server: Server, cloud: ImagesClient) -> None:
    """Whoever has protected it got no further: it is freed once, and deleted."""
    with pytest.raises(ZeroDivisionError), temporary_image(cloud, "run") as image:
        assert cloud.patch(image.id, {"op": "replace", "path": "/protected", "value": True}).ok
        raise ZeroDivisionError

    assert [*server.app.images.all()] == []
    assert cloud.recorder.traces.left_behind == []


def test_an_image_that_cannot_be_deleted_is_named(peer: Any, caller: ImagesClient) -> None:
    """The tester learns what is left behind."""
    peer.replies = [answer(201, b'{"id": "abc"}'), *[answer(409)] * 50]
    with temporary_image(caller, "run"):
        pass

    (told,) = caller.recorder.traces.left_behind
    assert "abc" in told
    assert "409" in told


@pytest.mark.parametrize(
    "reply", [answer(403), answer(201, b"{}"), answer(201, b"<html>"), answer(500, b'{"id": "x"}')]
)
def test_a_service_that_creates_no_image_blocks(caller: ImagesClient, peer: Any, reply: bytes) -> None:
    """The message says what else can be done; without properties of ours it is refused as well."""
    peer.replies = [reply, reply]

    with pytest.raises(Blocked, match="--image ID"), temporary_image(caller, "run"):
        pass


@pytest.fixture
def lent(cloud: ImagesClient) -> Iterator[str]:
    """Return an image of the tester's, with tags."""
    with temporary_image(cloud, "lent") as image:
        image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": ["b", "a", "ö/\x00"]})
        yield image.id


def test_a_lent_image_gets_its_tags_back(cloud: ImagesClient, lent: str) -> None:
    """It begins without tags, and ends with those it had."""
    with borrowed_image(cloud, lent, [TAGS]) as image:
        assert image.tags() == []
        image.add_tag("c")
        image.add_tag("a")

    assert sorted(image.tags()) == sorted(["b", "a", "ö/\x00"])
    assert cloud.recorder.traces.left_behind == []


def test_a_lent_image_gets_its_tags_back_after_an_error(cloud: ImagesClient, lent: str) -> None:
    """Whatever happens in the block."""
    with pytest.raises(ZeroDivisionError), borrowed_image(cloud, lent, [TAGS]) as image:
        raise ZeroDivisionError

    assert sorted(image.tags()) == sorted(["b", "a", "ö/\x00"])


def test_a_lent_image_gets_its_members_back(cloud: ImagesClient, lent: str) -> None:
    """One set is restored like another; what the block leaves of either is taken off."""
    for project in ("before", "too"):
        assert cloud.ask(MEMBERS.add(lent, project)).ok
    with borrowed_image(cloud, lent, [TAGS, MEMBERS]) as image:
        assert values_of(image, MEMBERS) == image.tags() == []
        assert cloud.ask(MEMBERS.add(lent, "during")).ok

    assert values_of(image, MEMBERS) == ["before", "too"]
    assert sorted(image.tags()) == sorted(["b", "a", "ö/\x00"])
    assert cloud.recorder.traces.left_behind == []


def test_a_lent_image_that_goes_back_changed_is_named(cloud: ImagesClient, lent: str) -> None:
    """Every attribute but the tags and the time of the change, with what it was and what it is now."""
    assert cloud.patch(lent, {"op": "add", "path": "/colour", "value": "red"}).ok
    with borrowed_image(cloud, lent, [TAGS]):
        assert cloud.patch(lent, {"op": "remove", "path": "/colour"}).ok
        assert cloud.patch(lent, {"op": "replace", "path": "/min_disk", "value": 7}).ok

    assert cloud.recorder.traces.left_behind == [
        f"image {lent}: its colour was 'red' when it was lent and is now absent",
        f"image {lent}: its min_disk was 0 when it was lent and is now 7",
    ]


def test_what_is_not_to_be_changed_is_not_even_read(cloud: ImagesClient, lent: str) -> None:
    """A test of tags asks nothing of the members of a lent image."""
    with cloud.recorder.scope() as sent, borrowed_image(cloud, lent, [TAGS]):
        pass

    assert not [exchange for exchange in sent if "/members" in exchange.target]


class WithoutPatch(App):
    """A service that cannot PATCH."""

    def update_image(self, request: Any, image_id: str) -> Any:
        """Refuse it."""
        del image_id
        return self.method_not_allowed(request, ["GET"])


def test_tags_are_put_back_one_by_one_where_patch_is_not_to_be_had(open_wire: Callable[..., Transport]) -> None:
    """The tag operations do it then."""
    with serving(WithoutPatch()) as server, temporary_image(client_of(server, open_wire), "run") as image:
        image.add_tag("before")
        with borrowed_image(image.client, image.id, [TAGS]) as same:
            assert same.tags() == []
            same.add_tag("during")

        assert image.tags() == ["before"]


class Stubborn(App):
    """A service whose images keep their tags once a test has begun."""

    stubborn = False

    def update_image(self, request: Any, image_id: str) -> Any:
        """Do nothing."""
        return self.show_image(request, image_id) if self.stubborn else super().update_image(request, image_id)

    def add_tag(self, request: Any, image_id: str, tag: str) -> Any:
        """Acknowledge, and do nothing."""
        return super().add_tag(request, image_id, "other" if self.stubborn else tag)


def test_tags_that_cannot_be_put_back_are_named(open_wire: Callable[..., Transport]) -> None:
    """The tester learns which tags the image had."""
    app = Stubborn()
    with serving(app) as server, temporary_image(client_of(server, open_wire), "run") as image:
        image.add_tag("mine")
        with borrowed_image(image.client, image.id, [TAGS]):
            app.stubborn = True

    (told,) = image.client.recorder.traces.left_behind
    assert image.id in told
    assert "['mine']" in told


def test_tags_that_cannot_be_set_block(open_wire: Callable[..., Transport]) -> None:
    """The ground is missing then."""
    app = Stubborn()
    app.stubborn = True
    with (
        serving(app) as server,
        temporary_image(client_of(server, open_wire), "run") as image,
        pytest.raises(Blocked, match="could not be set"),
    ):
        set_values(image, TAGS, ["a"])


class Legacy(App):
    """A service that takes no tags with a slash any more, and cannot PATCH."""

    def update_image(self, request: Any, image_id: str) -> Any:
        """Refuse it."""
        del image_id
        return self.method_not_allowed(request, ["GET"])

    def add_tag(self, request: Any, image_id: str, tag: str) -> Any:
        """Refuse a slash."""
        return (
            self.error(request, HTTPStatus.BAD_REQUEST, "No slash.")
            if "/" in tag
            else super().add_tag(request, image_id, tag)
        )


def test_no_tag_is_taken_off_that_could_not_be_put_back(open_wire: Callable[..., Transport]) -> None:
    """A tag from before a rule stays where it is."""
    app = Legacy()
    with serving(app) as server, temporary_image(client_of(server, open_wire), "run") as image:
        app.images.get(image.id).tags[:] = ["legacy/one", "kept"]
        with pytest.raises(Blocked, match="could not be put back"), borrowed_image(image.client, image.id, [TAGS]):
            pass

        assert sorted(image.tags()) == ["kept", "legacy/one"]


class Lossy(App):
    """A service that creates an image and breaks the connection before it answers."""

    lost = False

    def create_image(self, request: Any) -> Any:
        """Break the first connection."""
        reply = super().create_image(request)
        if not self.lost:
            self.lost = True
            raise ConnectionResetError
        return reply


class Stuck(App):
    """A service that creates an image and never comes to the end of its answer."""

    def create_image(self, request: Any) -> Any:
        """Send the beginning of a body."""
        reply = super().create_image(request)
        return type(reply)(reply.status, b"{", (*reply.headers, ("Content-Length", "9")))


def test_an_image_whose_creation_lost_its_answer_is_deleted(open_wire: Callable[..., Transport]) -> None:
    """The repetition makes a second one of the same name; the first must not stay."""
    with serving(Lossy()) as server:
        caller = client_of(server, open_wire)
        with temporary_image(caller, "run") as image:
            assert image.name

        assert [*server.app.images.all()] == []


def test_an_image_whose_creation_was_half_answered_is_deleted(open_wire: Callable[..., Transport]) -> None:
    """It was made all the same: it is looked for by its name, and must not stay."""
    with serving(Stuck()) as server:
        caller = client_of(server, open_wire, timeout=0.5)
        with pytest.raises(Blocked, match="no answer"), temporary_image(caller, "run"):
            pass

        assert [*server.app.images.all()] == []


def test_an_image_whose_creation_nobody_waited_for_is_deleted(
    open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by its name, which no other image has."""
    with serving(App()) as server:
        caller = client_of(server, open_wire)
        create = ImagesClient.create

        def interrupted(*args: Any, **attributes: Any) -> Any:
            create(*args, **attributes)
            raise KeyboardInterrupt

        monkeypatch.setattr(ImagesClient, "create", interrupted)
        with pytest.raises(KeyboardInterrupt), temporary_image(caller, "run"):
            pass

        assert [*server.app.images.all()] == []
    assert caller.recorder.traces.left_behind == []


class Late(App):
    """A service that shows a new image when it has been asked for three times."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def show_image(self, request: Any, image_id: str) -> Any:
        """Show it, or not yet."""
        self.asked += 1
        if self.asked < 3:
            return self.error(request, HTTPStatus.NOT_FOUND, "Not yet.")
        return super().show_image(request, image_id)


def test_an_image_that_is_shown_late_is_waited_for(open_wire: Callable[..., Transport]) -> None:
    """Nothing is asked about it before it is there."""
    app = Late()
    with serving(app) as server:
        caller = client_of(server, open_wire)
        with temporary_image(caller, "run", Eventually(5, caller.recorder)) as image:
            assert image.show().status == 200
    assert caller.recorder.late_creation


class Passing(App):
    """A service behind a gateway that fails at the first deletion."""

    failed = False

    def delete_image(self, request: Any, image_id: str) -> Any:
        """Fail once."""
        if self.failed:
            return super().delete_image(request, image_id)
        self.failed = True
        return self.error(request, HTTPStatus.BAD_GATEWAY, "Try again.")


def test_a_deletion_that_fails_in_passing_is_tried_again(
    open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stays for want of a second try."""
    monkeypatch.setattr("pytest_cloudimages.engine.provisioning.time.sleep", lambda _: None)
    with serving(Passing()) as server:
        with temporary_image(client_of(server, open_wire), "run") as image:
            pass
        assert [*server.app.images.all()] == []
    assert image.client.recorder.traces.left_behind == []


class GivesTags(App):
    """Puts a tag of its own on every new image."""

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        self.images.get(json.loads(reply.body)["id"]).tags.append("unverified")
        return reply


def test_what_a_service_gives_new_images_is_taken_off(open_wire: Callable[..., Transport]) -> None:
    """Every image begins empty, and whatever was asked for stays."""
    with serving(GivesTags()) as server:
        client = client_of(server, open_wire)
        for tags in ([], ["mine"], []):
            wanted = {"tags": tags} if tags else {}
            with temporary_image(client, "run", Eventually(0.1, client.recorder), [TAGS], **wanted) as image:
                assert image.tags() == tags


class DeletesNoTaggedImage(App):
    """Fails to delete an image that has a tag."""

    def delete_image(self, request: Request, image_id: str) -> Reply:
        if self.images.get(image_id).tags:
            return Reply(500)
        return super().delete_image(request, image_id)


def test_an_image_is_deleted_without_its_tags(open_wire: Callable[..., Transport]) -> None:
    """What is in the way of its deletion is taken off, and it is deleted then."""
    with serving(app := DeletesNoTaggedImage()) as server:
        client = client_of(server, open_wire)
        with temporary_image(client, "run", None, [TAGS]) as image:
            image.add_tag("in-the-way")

        assert [*app.images.all()] == []
        assert client.recorder.traces.left_behind == []


class DeniesDeletions(App):
    """Answers the first deletion of an image 404, as a node does that has not heard of it."""

    times = 1

    def delete_image(self, request: Request, image_id: str) -> Reply:
        if self.times:
            self.times -= 1
            return Reply(404)
        return super().delete_image(request, image_id)


@pytest.mark.parametrize("times", [1, 3])
def test_an_image_is_gone_where_a_read_says_so(open_wire: Callable[..., Transport], times: int) -> None:
    """What the answer to its deletion alone says is looked into; what stays is named."""
    app = DeniesDeletions()
    app.times = times
    with serving(app) as server:
        client = client_of(server, open_wire)
        with temporary_image(client, "run", None, [TAGS]):
            pass

        assert bool(client.recorder.traces.left_behind) is bool([*app.images.all()]) is (times == 3)
