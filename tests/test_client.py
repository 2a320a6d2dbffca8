"""The client sends what it is told, writes it down, and judges nothing."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.client import trouble
from pytest_cloudimages.client.answers import brief, parse
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, pages_of_many, readable, require_ok
from pytest_cloudimages.client.polling import LOOKS, Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.retries import LONGEST_WAIT
from pytest_cloudimages.client.session import SEEN_OFTEN, ImagesClient, segment
from pytest_cloudimages.client.trouble import FEWEST_TRIES, FIRST_PAUSE, LONGEST_OUTAGE, TRIES_OF_THE_KNOWN, Way
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import Server, serving
from pytest_cloudimages.spec.verdicts import Blocked, GivenUp, LostAnswer, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_cloudimages.client.transport import Transport

TOKEN = "token-of-the-test"


def answer(status: int, body: bytes = b"", *fields: str) -> bytes:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status} Such", *fields, *([] if status == 204 else [f"Content-Length: {len(body)}"])]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long anybody would have slept, and do not sleep."""
    noted: list[float] = []
    monkeypatch.setattr(time, "sleep", noted.append)
    monkeypatch.setattr(Way, "rest", lambda _, seconds: noted.append(seconds))
    return noted


@pytest.fixture
def cloud(server: Server, open_wire: Callable[..., Transport]) -> ImagesClient:
    """Return a client of the embedded server."""
    return client_of(server, open_wire)


def client_of(server: Server, open_wire: Callable[..., Transport]) -> ImagesClient:
    """Return a client of an embedded server."""
    token = server.app.identity.issue("tester").value
    return ImagesClient(f"{server.url}/v2", open_wire(server.url), Recorder(), lambda: token)


# What is sent


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("az-AZ.09_~", "az-AZ.09_~"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("..", ".."),
        ("%", "%25"),
        ("%41", "%2541"),
        ("é", "%C3%A9"),
        ("e\u0301", "e%CC%81"),
        ("😀", "%F0%9F%98%80"),
        ("\x00\x7f", "%00%7F"),
        ("+", "%2B"),
        ("#?", "%23%3F"),
        ("", ""),
    ],
)
def test_a_tag_is_one_segment(tag: str, written: str) -> None:
    """Everything but the unreserved characters is encoded."""
    assert segment(tag) == written


@pytest.mark.parametrize("tag", [".", "..", "a/../b", "a b", "%2e"])
@pytest.mark.parametrize(("method", "name"), [("PUT", "add_tag"), ("DELETE", "delete_tag")])
def test_a_tag_operation_names_its_tag(caller: ImagesClient, peer: Any, method: str, name: str, tag: str) -> None:
    """The method, the image and the segment arrive, even for a tag that others take for a part of the path."""
    getattr(caller, name)("id", tag)

    assert peer.heads[0].startswith(f"{method} /v2/images/id/tags/{segment(tag)} HTTP/1.1".encode())


def test_a_bare_request_has_no_body_and_no_type(caller: ImagesClient, peer: Any) -> None:
    """A tag operation carries the token, what it accepts, and nothing else."""
    caller.add_tag("id", "x")

    fields = dict(line.split(b": ", 1) for line in peer.heads[0].split(b"\r\n")[1:] if line)
    assert re.fullmatch(rb"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fields.pop(b"X-OpenStack-Request-ID"))
    assert fields == {
        b"Host": peer.url.removeprefix("http://").encode(),
        b"User-Agent": b"pytest-cloudimages",
        b"Accept": b"application/json",
        b"Accept-Encoding": b"identity",
        b"X-Auth-Token": TOKEN.encode(),
        b"Content-Length": b"0",
    }


@pytest.mark.parametrize(
    ("how", "present", "body"),
    [
        ({"length": False}, [], b""),
        ({"length": True}, [b"Content-Length: 0"], b""),
        ({"body": b""}, [b"Content-Length: 0"], b""),
        ({"body": b"abc"}, [b"Content-Length: 3"], b"abc"),
        ({"body": b"abc", "chunked": True}, [b"Transfer-Encoding: chunked"], b"3\r\nabc\r\n0\r\n\r\n"),
        ({"chunked": True}, [b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        ({"json": {"a": 1}}, [b"Content-Length: 8"], b'{"a": 1}'),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_body_is_framed_as_asked(
    caller: ImagesClient, peer: Any, method: str, how: dict[str, Any], present: list[bytes], body: bytes
) -> None:
    """Length, chunks and JSON are the caller's to choose; a DELETE without a body needs no length."""
    caller.send(method, "/images/id/tags/x", **how)

    framing = (b"content-length", b"transfer-encoding")
    found = [line for line in peer.heads[0].split(b"\r\n") if line.lower().startswith(framing)]
    wanted = [] if method == "DELETE" and not {"body", "json", "chunked"} & {*how} else present
    assert (found, peer.bodies[0]) == (wanted, body)


def test_headers_given_come_last(caller: ImagesClient, peer: Any) -> None:
    """A test may replace any header, the token included."""
    caller.send("PUT", "/x", headers={"X-Auth-Token": "another", "Accept": "text/html"})

    assert b"X-Auth-Token: another\r\n" in peer.heads[0]
    assert TOKEN.encode() not in peer.heads[0]
    assert b"Accept: text/html\r\n" in peer.heads[0]


def test_nobody_shows_no_token(caller: ImagesClient, peer: Any) -> None:
    """A caller without a token sends no header for one."""
    caller.calling("nobody", lambda: None).show("id")

    assert b"x-auth-token" not in peer.heads[0].lower()


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda client: client.show("id"), "GET /v2/images/id"),
        (lambda client: client.list(), "GET /v2/images"),
        (lambda client: client.list(tag=["a b", "c&d"], limit="1"), "GET /v2/images?tag=a%20b&tag=c%26d&limit=1"),
        (lambda client: client.create(name="n"), "POST /v2/images"),
        (lambda client: client.delete("id"), "DELETE /v2/images/id"),
        (lambda client: client.patch("id", {"op": "remove", "path": "/x"}), "PATCH /v2/images/id"),
    ],
)
def test_every_method_sends_one_request(caller: ImagesClient, peer: Any, ask: Any, line: str) -> None:
    """One call is one request, below the endpoint."""
    ask(caller)

    assert [head.split(b" HTTP/")[0].decode() for head in peer.heads] == [line]


def test_a_patch_says_what_it_is(caller: ImagesClient, peer: Any) -> None:
    """Operation objects go out as Glance's media type."""
    caller.patch("id", {"op": "add", "path": "/a", "value": "b"})

    assert b"Content-Type: application/openstack-images-v2.1-json-patch\r\n" in peer.heads[0]
    assert json.loads(peer.bodies[0]) == [{"op": "add", "path": "/a", "value": "b"}]


# What is written down


def test_an_answer_is_given_as_it_was(caller: ImagesClient, peer: Any) -> None:
    """Status, headers in any case, octets, and the JSON in them."""
    peer.replies = [answer(400, b'{"message": "no"}', "X-Odd: 1")]
    found = caller.show("id")

    assert (found.status, found.headers["x-odd"], found.data) == (400, "1", {"message": "no"})
    assert (found.ok, found.refused) == (False, True)
    assert repr(found) == "GET /v2/images/id → 400"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", b"\x00"])
def test_what_is_no_json_is_none(caller: ImagesClient, peer: Any, body: bytes) -> None:
    """Whatever a service sends, reading it raises nothing."""
    peer.replies = [answer(200, body)]

    assert caller.show("id").data is None


@pytest.mark.parametrize(
    ("status", "body", "document"),
    [(200, b'{"id": "a"}', {"id": "a"}), (200, b"[]", {}), (200, b"", {}), (404, b'{"id": "a"}', {})],
)
def test_a_document_is_what_is_acknowledged(
    caller: ImagesClient, peer: Any, status: int, body: bytes, document: dict[str, str]
) -> None:
    """What a refusal says is none, and nothing but an object is."""
    peer.replies = [answer(status, body)]

    assert caller.show("id").document == document


def test_the_token_is_nowhere(caller: ImagesClient, peer: Any) -> None:
    """Neither the exchange nor its data, nor the command, nor any repr shows it."""
    peer.replies = [answer(200, b"{}")]
    found = caller.show("id")
    shown = [repr(found), repr(found.exchange), str(found.exchange), found.exchange.curl(peer.url), repr(caller)]
    shown += [json.dumps(found.exchange.as_data(peer.url)), repr(caller.recorder), repr(vars(found))]

    assert not [text for text in shown if TOKEN in text]


def test_exchanges_are_kept_with_their_purpose_and_caller(caller: ImagesClient) -> None:
    """A scope tells who asked, and why."""
    with caller.recorder.scope() as sent:
        with caller.recorder.of(Purpose.PREPARING):
            caller.show("1")
        caller.calling("a stranger", lambda: None).show("2")

    assert [(exchange.purpose, exchange.caller) for exchange in sent] == [
        (Purpose.PREPARING, "tester"),
        (Purpose.JUDGING, "a stranger"),
    ]
    assert caller.recorder.counts == {"preparing": 1, "judging": 1}


def test_octets_behind_a_204_are_told(caller: ImagesClient, peer: Any) -> None:
    """They are the answer's, and the next request has its own answer."""
    peer.replies = [b"HTTP/1.1 204 No Content\r\n\r\nsurplus", answer(404)]
    first, second = caller.add_tag("id", "a"), caller.add_tag("id", "b")

    assert (first.trailing, first.exchange.trailing, second.status, second.trailing) == (
        b"surplus",
        b"surplus",
        404,
        b"",
    )


# What is tried again


def test_a_connection_closed_while_idle_is_tried_once_more(caller: ImagesClient, peer: Any) -> None:
    """The request is repeated, and the exchange says so."""
    peer.replies = [answer(204), None, answer(204)]
    caller.add_tag("id", "a")
    found = caller.add_tag("id", "b")

    assert found.status == 204
    assert "repeated" in found.exchange.note
    assert peer.targets == [f"/v2/images/id/tags/{tag}".encode() for tag in "abb"]


def test_an_answer_with_connection_close_is_not_repeated(caller: ImagesClient, peer: Any) -> None:
    """A service that closes after every answer is asked as often as any."""
    peer.replies = [answer(204, b"", "Connection: close")] * 3
    found = [caller.add_tag("id", "a") for _ in range(3)]

    assert [finding.exchange.note for finding in found] == ["", "", ""]
    assert len(peer.heads) == 3


def test_a_deletion_that_lost_its_answer_blocks(caller: ImagesClient, peer: Any) -> None:
    """Nobody can tell whether the 404 of the repetition is the service's answer or our doing: the tag is gone."""
    peer.replies = [None, answer(200, b'{"tags": ["b"]}'), answer(404)]

    with pytest.raises(LostAnswer, match=r"DELETE /v2/images/id/tags/a lost its answer"):
        caller.delete_tag("id", "a")


@pytest.mark.parametrize("shown", [answer(200, b'{"tags": ["a"]}'), answer(404)])
def test_a_deletion_that_was_not_carried_out_is_asked_again(caller: ImagesClient, peer: Any, shown: bytes) -> None:
    """Where the tag is still there, or nothing is there for this caller, the 404 of the repetition is the service's."""
    peer.replies = [answer(502), shown, answer(404)]

    assert caller.delete_tag("id", "a").status == 404
    assert [head.split()[0] for head in peer.heads] == [b"DELETE", b"GET", b"DELETE"]


def test_a_deletion_that_changes_nothing_anyway_is_asked_again(caller: ImagesClient, peer: Any) -> None:
    """Whoever knows that the tag is not there says so."""
    peer.replies = [answer(504), answer(404)]

    assert caller.delete_tag("id", "a", idle=True).status == 404


@pytest.mark.parametrize("status", [408, 421, 502, 503, 504])
def test_trouble_on_the_way_is_no_answer(caller: ImagesClient, peer: Any, waits: list[float], status: int) -> None:
    """The request goes out again, a little later each time, until something is answered."""
    peer.replies = [answer(status)] * 3 + [answer(204)]

    found = caller.add_tag("id", "a")

    assert (found.status, found.exchange.note) == (204, f"repeated after {status}")
    assert len(waits) >= 3


def test_trouble_with_one_kind_of_request_is_the_services_own(
    caller: ImagesClient, peer: Any, waits: list[float]
) -> None:
    """Where others are answered in between, the answer stands, and is not waited for so long the next time."""
    peer.replies = [answer(503)] * FEWEST_TRIES + [answer(200)]
    assert caller.add_tag("id", "a").status == 503
    asked = len(peer.heads)

    peer.replies = [answer(503)] * TRIES_OF_THE_KNOWN + [answer(200)]
    assert caller.add_tag("id", "b").status == 503
    assert (asked, len(peer.heads) - asked) == (FEWEST_TRIES + 1, TRIES_OF_THE_KNOWN + 1)
    assert waits


def test_trouble_with_everything_blocks(caller: ImagesClient, peer: Any, waits: list[float]) -> None:
    """A service that answers nothing for half a minute is out of reach, and is not waited for so long again."""
    caller.show("id")
    peer.replies = [answer(502)] * 200
    with pytest.raises(Trouble, match="out of reach: 502 to everything"):
        caller.add_tag("id", "a")
    assert sum(waits) >= LONGEST_OUTAGE

    waits.clear()
    sent = len(peer.heads)
    with pytest.raises(GivenUp, match="out of reach: 502 to everything"):
        caller.add_tag("id", "a")
    assert (waits, len(peer.heads)) == ([], sent)


def test_a_service_that_refuses_everything_is_judged_no_more(caller: ImagesClient, peer: Any) -> None:
    """A 403 to the list as well says nothing of the request in hand; one to the request alone is its answer."""
    caller.transport.way.opened = True
    peer.replies = [answer(403), answer(200, b'{"images": []}')]
    assert caller.add_tag("id", "a").status == 403

    peer.replies = [answer(403)] * 3
    with pytest.raises(Blocked, match="answers 403 to everything"):
        caller.add_tag("id", "a")
    with pytest.raises(Blocked, match="answers 403 to everything"):
        caller.show("id")
    assert len(peer.heads) == 5


def test_a_service_that_complains_is_asked_more_slowly(
    caller: ImagesClient, peer: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 without Retry-After is a front server's word for too fast; the pace is kept, and given up little by little."""
    # On a busy machine the pace may have gone by before the next request is sent.
    now = time.monotonic()
    monkeypatch.setattr(trouble, "time", SimpleNamespace(monotonic=lambda: now, sleep=waits.append))
    peer.replies = [answer(503), answer(204)]
    caller.add_tag("id", "a")
    slow = caller.transport.way.pace.interval
    waits.clear()
    caller.add_tag("id", "b")

    assert slow > caller.transport.way.pace.interval > 0.9 * slow
    assert waits


def test_an_addition_of_a_member_that_lost_its_answer_blocks(caller: ImagesClient, peer: Any) -> None:
    """The 409 of the repetition may say that the first one was carried out: the service is not accused of it."""
    peer.replies = [None, answer(409)]

    with pytest.raises(
        Blocked, match=r"POST /v2/images/id/members lost its answer, and its repetition was answered 409"
    ):
        caller.send("POST", "/images/id/members", json={"member": "a"})


def test_a_deletion_repeated_with_204_counts(caller: ImagesClient, peer: Any) -> None:
    """Where the repetition is acknowledged, the first one never arrived."""
    peer.replies = [None, answer(204)]

    assert caller.delete_tag("id", "a").status == 204


def test_a_service_that_leaves_a_request_unanswered_has_no_status(caller: ImagesClient, peer: Any) -> None:
    """No answer again and again while others are answered is the service's own: status 0."""
    peer.replies = [None] * FEWEST_TRIES + [answer(200)]
    found = caller.add_tag("id", "a")

    assert (found.status, found.ok, found.refused) == (0, False, False)
    assert str(found.exchange).startswith("PUT /v2/images/id/tags/a → no answer")


def test_a_service_that_answers_nothing_blocks(caller: ImagesClient, peer: Any) -> None:
    """No answer to anything is no answer to the question."""
    peer.replies = [None] * 9

    with pytest.raises(Blocked, match="out of reach"):
        caller.add_tag("id", "a")


def test_an_answer_that_does_not_come_is_none(peer: Any, open_wire: Callable[..., Transport]) -> None:
    """Where the service answers other requests, the silence is its own; the request is not sent again."""
    peer.replies = ["hang", answer(200)]
    slow = ImagesClient(f"{peer.url}/v2", open_wire(peer.url, timeout=2.0), Recorder(), lambda: None)
    found = slow.add_tag("id", "a")

    assert (found.status, found.exchange.note) == (0, "not answered within 2 s")
    assert [head.split()[0] for head in peer.heads] == [b"PUT", b"GET"]


def test_a_service_that_answers_nothing_in_time_blocks(peer: Any, open_wire: Callable[..., Transport]) -> None:
    """No answer to anything is no answer to the question."""
    peer.replies = ["hang", "hang"]
    slow = ImagesClient(f"{peer.url}/v2", open_wire(peer.url, timeout=0.05), Recorder(), lambda: None)

    with pytest.raises(Blocked, match="out of reach"):
        slow.add_tag("id", "a")


def test_half_an_answer_is_none(caller: ImagesClient, peer: Any) -> None:
    """A body that stops in the middle, again and again, counts as no answer."""
    peer.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf"] * FEWEST_TRIES

    assert caller.show("id").status == 0


def test_a_port_that_refuses_blocks(open_wire: Callable[..., Transport]) -> None:
    """The message names the endpoint and the cause."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    nowhere = ImagesClient(f"{url}/v2", open_wire(url), Recorder(), lambda: None)

    with pytest.raises(Blocked, match=rf"{url}/v2 is out of reach: .*refused"):
        nowhere.show("id")


@pytest.mark.parametrize(
    ("method", "status", "fields", "pause"),
    [
        ("PUT", 429, ["Retry-After: 7"], 7.0),
        ("PUT", 429, [], 1.0),
        ("PUT", 429, ["Retry-After: 0"], 0.0),
        ("PUT", 429, ["Retry-After: 999999"], LONGEST_WAIT),
        ("PUT", 429, ["Retry-After: soon"], 1.0),
        ("PUT", 429, ["Retry-After: -5"], 1.0),
        ("PUT", 503, ["Retry-After: 2"], 2.0),
        ("PUT", 503, [], FIRST_PAUSE),
        ("PUT", 413, ["Retry-After: 2"], 2.0),
        ("PUT", 413, ["Retry-After: 0.5s"], 0.5),
        ("PUT", 413, ["Retry-After: soon"], 1.0),
        ("PUT", 503, ["Retry-After: 1.5"], 1.5),
        ("PUT", 413, [], None),
        ("DELETE", 413, [], 1.0),
        ("PUT", 400, ["Retry-After: 2"], None),
        ("PUT", 500, ["Retry-After: 2"], None),
        ("PUT", 204, ["Retry-After: 2"], None),
    ],
)
def test_a_service_that_asks_to_wait_is_waited_for(
    caller: ImagesClient,
    peer: Any,
    waits: list[float],
    method: str,
    status: int,
    fields: list[str],
    pause: float | None,
) -> None:
    """Once, and no longer than a minute; the second answer counts, and says that it is one."""
    peer.replies = [answer(status, b"", *fields), answer(204)]
    found = caller.send(method, "/images/id/tags/a")

    assert waits == ([] if pause is None else [pause])
    assert found.status == (status if pause is None else 204)
    assert ("repeated" in found.exchange.note) == (pause is not None)


def test_a_service_that_asks_to_wait_again_is_waited_for_again(
    caller: ImagesClient, peer: Any, waits: list[float]
) -> None:
    """As long as it asks for little."""
    peer.replies = [answer(429, b"", "Retry-After: 3")] * 3

    assert caller.show("id").status == 204
    assert waits == [3.0] * 3


@pytest.mark.parametrize(("asked", "waited"), [("3", [3.0] * 5), ("40", [40.0]), ("0", [0.0] * 5)])
def test_a_service_that_keeps_asking_to_wait_blocks(
    caller: ImagesClient, peer: Any, waits: list[float], asked: str, waited: list[float]
) -> None:
    """Five times, and a minute in all; what it would have answered, nobody knows."""
    peer.replies = [*[answer(429, b"", f"Retry-After: {asked}")] * (len(waited) + 1), answer(200)]

    with pytest.raises(Blocked, match="answered 429 again and again"):
        caller.show("id")
    assert waits == waited


@pytest.mark.parametrize(
    ("fields", "pause"),
    [
        (["Retry-After: Tue, 24 Nov 2026 10:00:07 GMT", "Date: Tue, 24 Nov 2026 10:00:00 GMT"], 7.0),
        (["Retry-After: Tue, 24 Nov 2026 09:00:00 GMT", "Date: Tue, 24 Nov 2026 10:00:00 GMT"], 0.0),
        (["Retry-After: Tue, 24 Nov 2026 10:00:09 GMT", "Date: soon"], 1.0),
        (["Retry-After: Fri, 01 Jan 2100 00:00:00 GMT"], LONGEST_WAIT),
    ],
    ids=["seven seconds on", "past", "unreadable clock", "far away"],
)
def test_a_date_to_wait_for(
    caller: ImagesClient, peer: Any, waits: list[float], fields: list[str], pause: float
) -> None:
    """Is read by the service's own clock, where it tells the time."""
    peer.replies = [answer(429, b"", *fields), answer(204)]

    assert caller.show("id").status == 204
    assert waits == [pause]


# Tokens that run out


def renewing(client: ImagesClient, tokens: list[str]) -> ImagesClient:
    """Return a client that begins with the first token and takes the next when it is told to."""

    def renew() -> None:
        del tokens[: len(tokens) > 1]

    return client.calling("tester", lambda: tokens[0], renew)


def test_a_token_that_has_run_out_is_renewed(server: Server, cloud: ImagesClient) -> None:
    """The request goes out again with the new one, and says so."""
    tokens = [server.app.identity.issue("tester").value for _ in range(2)]
    server.app.identity.revoke(tokens[0])
    answer_ = renewing(cloud, tokens).list()

    assert (answer_.status, answer_.exchange.note) == (200, "repeated with a new token")


def test_a_token_that_cannot_be_renewed_blocks(server: Server, cloud: ImagesClient) -> None:
    """What would have been answered, nobody knows."""
    token = server.app.identity.issue("tester").value
    server.app.identity.revoke(token)

    with pytest.raises(Blocked, match="has run out"):
        renewing(cloud, [token]).add_tag("id", "a")


class TurnsAway(App):
    """A service that answers additions with 401, whoever asks."""

    def add_tag(self, request: Any, image_id: str, tag: str) -> Any:
        """Refuse it."""
        del image_id, tag
        return self.unauthorized(request)


def test_a_refusal_of_a_good_token_stands(open_wire: Callable[..., Transport]) -> None:
    """The token opens the list, so that nothing is wrong with it."""
    with serving(TurnsAway()) as server:
        caller = client_of(server, open_wire)
        token = server.app.identity.issue("tester").value
        assert renewing(caller, [token, token]).add_tag("id", "a").status == 401


# Raw requests


def test_a_raw_request_is_sent_octet_for_octet(caller: ImagesClient, peer: Any) -> None:
    """It has a connection of its own, and gives all that came until the end."""
    peer.replies = [b"HTTP/1.1 204 No Content\r\nX-A: 1\r\nConnection: close\r\n\r\nbody"]
    found = caller.raw("put", "/images/id/tags/a b\u00e9\udcff")

    assert peer.heads[0].startswith(b"put /v2/images/id/tags/a b\xc3\xa9\xff HTTP/1.1\r\n")
    assert (found.status, found.headers["x-a"], found.body) == (204, "1", b"body")
    assert TOKEN not in repr(found.exchange)


def test_a_raw_request_without_an_answer_has_no_status(caller: ImagesClient, peer: Any) -> None:
    """A connection that closes at once, each time, is no answer."""
    peer.replies = [None] * FEWEST_TRIES + [answer(200)]

    assert caller.raw("PUT", "/x").status == 0


def test_a_raw_request_that_hangs_blocks(peer: Any, open_wire: Callable[..., Transport]) -> None:
    """The time-out holds for connections of one's own too."""
    peer.replies = ["hang"]
    slow = ImagesClient(f"{peer.url}/v2", open_wire(peer.url, timeout=0.05), Recorder(), lambda: None)

    with pytest.raises(Blocked, match="was not answered"):
        slow.raw("PUT", "/x")


def test_a_raw_request_does_not_go_round_a_proxy(
    open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a proxy stands between, the question cannot be asked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    behind = ImagesClient("http://images.example/v2", open_wire("http://images.example"), Recorder(), lambda: None)

    with pytest.raises(Blocked, match="proxy"):
        behind.raw("PUT", "/x")


@pytest.mark.parametrize(
    ("octets", "status", "content"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.0 200\r\nA: b\r\n\r\nx", 200, b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: l\r\n\r\nHTTP/1.1 204\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 100, b""),
        (b"", 0, b""),
        (b"SSH-2.0", 0, b"SSH-2.0"),
        (b"HTTP/1.1 abc\r\n\r\n", 0, b"HTTP/1.1 abc\r\n\r\n"),
        (b"\xff\xfe\r\n\r\n", 0, b"\xff\xfe\r\n\r\n"),
        (b"HTTP/1.1\r\n\r\n", 0, b"HTTP/1.1\r\n\r\n"),
    ],
)
def test_an_answer_is_split_into_its_parts(octets: bytes, status: int, content: bytes) -> None:
    """What is no answer has no status."""
    assert parse(octets)[::2] == (status, content)


def test_the_innermost_cause_is_told() -> None:
    """A chain of errors ends in the words of the first."""
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as inner:
            raise RuntimeError("wrapped") from inner
    except RuntimeError as problem:
        assert brief(problem) == "[Errno 111] Connection refused"


# Images


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"tags": null}', b'{"tags": "a"}', b'{"tags": [1]}', b'{"tags": {"a": 1}}', b'{"id": "id"}'],
)
def test_tags_that_cannot_be_read_block(caller: ImagesClient, peer: Any, body: bytes) -> None:
    """What is no list of strings is no ground for a judgement."""
    peer.replies = [answer(200, body)]

    with pytest.raises(Blocked, match="cannot be read"):
        readable(caller.show("id"))


@pytest.mark.parametrize("body", [b'{"id": "id", "tags": null}', b'{"id": "id", "tags": {}}'])
def test_an_image_that_shows_none_in_another_form_has_none(caller: ImagesClient, peer: Any, body: bytes) -> None:
    """That its form is another is asked by itself; all else can be asked."""
    peer.replies = [answer(200, body)]

    assert readable(caller.show("id")) == []


@pytest.mark.parametrize(("status", "wanted", "fine"), [(204, None, True), (404, None, False), (201, 204, False)])
def test_a_preparation_that_fails_blocks(
    caller: ImagesClient, peer: Any, status: int, wanted: int | None, fine: bool
) -> None:
    """A step that leads up to the question must succeed."""
    peer.replies = [answer(status)]
    found = caller.add_tag("id", "a")
    if fine:
        assert require_ok(found, status=wanted) is found
    else:
        with pytest.raises(Blocked, match=f"→ {status}"):
            require_ok(found, status=wanted)


def test_an_image_is_found_on_a_further_page(cloud: ImagesClient) -> None:
    """The list is followed by its links."""
    with ExitStack() as stack:
        oldest = stack.enter_context(temporary_image(cloud, "run"))
        for _ in range(101):
            stack.enter_context(temporary_image(cloud, "run"))

        assert oldest.listed()["id"] == oldest.id


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"images": {}}', b'{"images": [1, null]}'])
def test_a_list_that_cannot_be_read_blocks(caller: ImagesClient, peer: Any, body: bytes) -> None:
    """Or one that does not show the image."""
    peer.replies = [answer(200, body)]

    with pytest.raises(Blocked):
        Image(caller, "id").listed()


def test_a_list_without_end_is_left(caller: ImagesClient, peer: Any) -> None:
    """A next link that leads in a circle is told at its second turn."""
    peer.replies = [answer(200, b'{"images": [], "next": "/v2/images?marker=x"}')] * 100

    with pytest.raises(Blocked, match="in a circle"):
        Image(caller, "id").listed()
    assert len(peer.heads) == 3


def test_pages_are_read_as_long_as_they_lead_on(caller: ImagesClient, peer: Any) -> None:
    """None is read twice, and no more than are wanted; a refusal leads nowhere, whatever it says."""
    leads_on = b'{"images": [], "next": "/v2/images?marker=x"}'
    peer.replies = [*[answer(200, leads_on)] * 3, answer(404, leads_on)]

    pages = [page.exchange.target for page in pages_of_many(caller, "/images")]
    assert pages == ["/v2/images", "/v2/images?marker=x"]
    assert len([*pages_of_many(caller, "/images", most=1)]) == 1
    assert [page.status for page in pages_of_many(caller, "/images")] == [404]


# Patience


def shown(*tags: str) -> bytes:
    """Write a representation."""
    return answer(200, json.dumps({"tags": tags}).encode())


def test_a_change_seen_late_is_waited_for(caller: ImagesClient, peer: Any, waits: list[float]) -> None:
    """The tags are given once they are as expected, and the lag is told."""
    peer.replies = [shown(), shown(), *[shown("a")] * (1 + LOOKS)]
    image = Image(caller, "id", patience=Eventually(5, caller.recorder))

    assert image.eventual_tags(["a"]) == ["a"]
    assert len(waits) == 2
    assert caller.recorder.lag > 0


def test_a_change_is_late_as_long_as_any_node_does_not_show_it(
    caller: ImagesClient, peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first fresh reading says nothing of the node that is asked next; who looks into a finding waits so long."""
    peer.replies = [shown(), shown("a"), shown("a"), shown(), shown("a"), shown(), *[shown("a")] * 20]
    Image(caller, "id", patience=Eventually(5, caller.recorder)).eventual_tags(["a"])
    lag = caller.recorder.lag
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    caller.add_tag("id", "b")
    caller.show("id")
    assert lag >= 0.02 + 0.04 + 0.08
    assert not waits

    caller.recorder.patient = True
    caller.show("id")
    assert max(waits) > lag


def test_an_image_of_ours_that_a_node_has_not_heard_of_is_asked_for_again(caller: ImagesClient, peer: Any) -> None:
    """Until it is there several times in a row; what others created, or what is lost for good, is not waited for."""
    caller.recorder.traces.created_by |= {"mine": caller.caller, "theirs": "somebody else"}
    caller.recorder.changed = time.monotonic()
    peer.replies = [answer(404), answer(404), shown(), answer(404), *[shown()] * SEEN_OFTEN]

    assert caller.show("theirs").status == 404
    assert caller.show("mine").status == 200
    assert caller.recorder.lag > 0
    assert not peer.replies

    peer.replies = [answer(404), shown()] * SEEN_OFTEN
    caller.recorder.changed = time.monotonic()
    caller.recorder.confirmations = 0
    assert caller.show("theirs").status == 200

    peer.replies = []
    caller.recorder.absence = 0.05
    peer.replies = [answer(404)] * 100
    assert caller.show("mine").status == 404
    asked = len(peer.heads)
    assert caller.show("mine").status == 404
    assert len(peer.heads) == asked + 1


def test_a_change_that_is_there_costs_one_reading(caller: ImagesClient, peer: Any, waits: list[float]) -> None:
    """Nobody waits for what can be seen, in whatever order."""
    peer.replies = [shown("b", "a")]

    assert Image(caller, "id", patience=Eventually(5, caller.recorder)).eventual_tags(["a", "b"]) == ["b", "a"]
    assert (waits, caller.recorder.lag) == ([], 0)


def test_patience_ends_for_the_whole_run(caller: ImagesClient, peer: Any) -> None:
    """Where nothing came late within the time given, nothing is waited for again."""
    peer.replies = [shown()] * 1000
    patience = Eventually(0.05, caller.recorder)
    image = Image(caller, "id", patience=patience)

    assert image.eventual_tags(["a"]) == []
    asked = len(peer.heads)
    assert asked > 1
    assert image.eventual_tags(["a"]) == []
    assert len(peer.heads) == asked + 1


def test_threads_that_wait_at_once_know_nothing_of_each_other(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that begins while another one goes on leaves the other one's lag as it is."""
    clock = [0.0]
    monkeypatch.setattr("pytest_cloudimages.client.polling.time.monotonic", lambda: clock[0])
    recorder = Recorder()
    patience = Eventually(20, recorder)

    def look_while_another_begins() -> bool:
        clock[0] = 9.0
        return patience.until(False, lambda: True, bool)

    assert patience.until(False, look_while_another_begins, bool)
    assert waits
    assert recorder.lag == 9.0


def test_a_change_seen_after_another_was_given_up_is_waited_for_again() -> None:
    """Whoever waits longer may be right: what is given up in one thread is not given up in all."""
    patience = Eventually(0.01, Recorder())
    assert not patience.until(False, lambda: False, bool)
    assert patience.limit() == 0

    patience.recorder.saw_lag(0.002)

    assert patience.limit() == pytest.approx(0.006)


def test_a_precondition_that_does_not_show_blocks(caller: ImagesClient, peer: Any) -> None:
    """A tag that was to be there before the question must be there."""
    peer.replies = [answer(204), shown("other")]

    with pytest.raises(Blocked, match="expected the image to have the tags"):
        Image(caller, "id").given_tags("a")


# Once


def test_what_is_sent_once_is_not_repeated(caller: ImagesClient, peer: Any) -> None:
    """A connection that broke leaves the outcome open."""
    peer.replies = [None, None]
    given = caller.send_once("PUT", "/images/id/tags/a")

    assert (given.status, given.ok, given.refused) == (0, False, False)
    assert given.exchange.note.startswith("the connection broke")
    assert len(peer.heads) == 1
    assert caller.recorder.counts[Purpose.JUDGING] == 1


def test_nobody_is_waited_for_by_what_is_sent_once(caller: ImagesClient, peer: Any, waits: list[float]) -> None:
    """Whoever asks to wait gets that as the answer."""
    peer.replies = [answer(429, b"", "Retry-After: 3")]

    assert caller.send_once("PUT", "/images/id/tags/a").status == 429
    assert waits == []


def test_a_time_out_of_what_is_sent_once_leaves_it_open(peer: Any, open_wire: Callable[..., Transport]) -> None:
    """It is no missing ground: the request may have taken effect."""
    peer.replies = ["hang"]
    caller = ImagesClient(f"{peer.url}/v2", open_wire(peer.url, timeout=0.1), Recorder(), lambda: TOKEN)
    given = caller.send_once("PUT", "/images/id/tags/a")

    assert given.status == 0
    assert given.exchange.note == "not answered within 0.1 s"


def test_a_cut_request_is_sent_whole_and_has_no_answer(caller: ImagesClient, peer: Any) -> None:
    """The service reads it, whatever it does with it."""
    given = caller.send_once("PATCH", "/images/id", json=[{"op": "replace"}], cut=True)
    caller.send_once("GET", "/images/id")
    peer.wait_for(2)

    assert given.exchange.note == "hung up before the answer"
    assert given.exchange.status == 0
    assert b'[{"op": "replace"}]' in peer.bodies


def test_a_service_out_of_reach_leaves_open_what_is_cut(open_wire: Callable[..., Transport]) -> None:
    """Nothing is raised."""
    caller = ImagesClient("http://127.0.0.1:9/v2", open_wire("http://127.0.0.1:9"), Recorder(), lambda: TOKEN)

    assert "refused" in caller.send_once("PUT", "/images/id/tags/a", cut=True).exchange.note


def test_no_more_is_sent_than_the_tester_allows(caller: ImagesClient, peer: Any, waits: list[float]) -> None:
    """From one request to the next passes the time that was asked for, however content the service is."""
    caller.transport.way.pace.least = 5.0
    peer.replies = [shown()] * 3

    for _ in range(3):
        caller.show("id")

    assert [round(wait / 5) for wait in waits] == [1, 2]
