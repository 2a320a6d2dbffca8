"""Exchanges are written down without secrets, and can be sent again."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import pytest

from pytest_cloudimages.client import exchange as exchange_module
from pytest_cloudimages.client.exchange import KEPT_OCTETS, Exchange, Purpose, without_secrets
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.redaction import HIDDEN, Secrets, printable

PLAIN = Exchange(
    method="PUT",
    target="/v2/images/id/tags/a",
    headers=(("Accept", "application/json"), ("X-Auth-Token", HIDDEN)),
    body=b"",
    status=204,
    answer_headers=(),
    answer=b"",
    trailing=b"",
    sent=1.0,
    answered=1.25,
)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Return secrets that end with the test."""
    mine = Secrets()
    monkeypatch.setattr(exchange_module, "SECRETS", mine)
    return mine


# Secrets


@pytest.mark.parametrize(
    ("words", "text", "shown"),
    [
        (["wqzk"], "x wqzk y wqzk", "x *** y ***"),
        (["wqzk", "wqzkyj"], "wqzkyj", "***"),
        ([" wqzk\n"], "wqzk", "***"),
        (["wqz"], "wqz", "wqz"),
        (["", None], "abc", "abc"),
        (["a.b*"], "aXbb a.b*", "aXbb ***"),
    ],
)
def test_secrets_are_hidden(words: list[str | None], text: str, shown: str) -> None:
    """Every word that is kept is replaced; one too short to be a secret is not."""
    secrets = Secrets()
    for word in words:
        secrets.keep(word)

    assert secrets.hide(text) == shown


def test_secrets_are_hidden_in_all_of_a_document() -> None:
    """Keys, values and lists, however deep."""
    secrets = Secrets()
    secrets.keep("hush")
    data = {"hush": ["a hush", {"b": ("hush", 1, None, True)}], "c": 1.5}

    assert secrets.hidden(data) == {HIDDEN: ["a ***", {"b": [HIDDEN, 1, None, True]}], "c": 1.5}


@pytest.mark.parametrize(
    "name", ["X-Auth-Token", "x-subject-token", "X-Service-Token", "Cookie", "Set-Cookie", "Authorization", "X-Api-Key"]
)
def test_a_secret_is_left_out_at_the_door(name: str) -> None:
    """The header stays, its value does not."""
    assert without_secrets([("Accept", "a"), (name, "token")]) == (("Accept", "a"), (name, HIDDEN))


def test_an_exchange_hides_what_a_service_echoes(secrets: Secrets) -> None:
    """In its answer, its headers, and wherever else a token may come back."""
    secrets.keep("the-token")
    echo = replace(
        PLAIN,
        target="/v2/images?token=the-token",
        body=b"the-token",
        answer=b"no: the-token",
        answer_headers=(("X-Echo", "the-token"),),
        trailing=b"the-token",
        note="the-token",
    )

    assert "the-token" not in json.dumps(echo.as_data("http://x")) + echo.curl("http://x") + str(echo)


# Text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"abc", "abc"),
        ("é漢😀".encode(), "é漢😀"),
        (b"a\nb\tc", "a\nb\tc"),
        (b"\x00\x1b[31m\r", "\\x00\\x1b[31m\\r"),
        (b"\xff\xed\xa0\x80", "\\xff\\xed\\xa0\\x80"),
        ("\u202e\u2028".encode(), "\\u202e\\u2028"),
        (b"", ""),
    ],
)
def test_octets_become_text_that_any_report_can_hold(octets: bytes, text: str) -> None:
    """What is not UTF-8, and what would act on a terminal, is escaped."""
    assert printable(octets) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "PUT /v2/images/id/tags/a → 204"),
        ({"status": 0, "note": "n"}, "PUT /v2/images/id/tags/a → no answer (n)"),
        ({"body": b"four", "caller": "nobody"}, "PUT /v2/images/id/tags/a with 4 octets of body as nobody → 204"),
    ],
)
def test_an_exchange_is_told_in_a_line(changes: dict[str, Any], text: str) -> None:
    """What was asked, by whom, and what came."""
    assert str(replace(PLAIN, **changes)) == text


def test_an_exchange_as_data_is_json() -> None:
    """Everything that was sent and came, with lengths that a report can bear."""
    data = replace(PLAIN, answer=b"x" * 10 * KEPT_OCTETS, body=b"\xff").as_data("http://x")

    assert json.loads(json.dumps(data)) == data
    assert (data["method"], data["target"], data["status"], data["seconds"]) == ("PUT", PLAIN.target, 204, 0.25)
    assert (len(data["answer"]), data["body"], data["purpose"]) == (KEPT_OCTETS, "\\xff", "judging")


# The command


def test_a_command_takes_the_token_from_the_shell() -> None:
    """Every other word is quoted, that one is not."""
    command = PLAIN.curl("http://host:1")

    assert '"X-Auth-Token: $TOKEN"' in command
    assert shlex.split(command)[-1] == "http://host:1/v2/images/id/tags/a"


@pytest.mark.parametrize(
    "target", ["/v2/a;id", "/v2/$(id)", "/v2/`id`", "/v2/a'b\"c", "/v2/a b", "/v2/%zz", "/v2/..", "/v2/a&b|c"]
)
def test_a_command_is_safe_to_paste(target: str) -> None:
    """A shell makes words of it that are those of the exchange, whatever they hold."""
    script = f'TOKEN=t; curl() {{ printf "%s\\0" "$@"; }}; {replace(PLAIN, target=target).curl("http://h")}'
    words = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")

    assert words[-2] == f"http://h{target}"
    assert "X-Auth-Token: t" in words
    assert "--path-as-is" in words


@pytest.mark.parametrize("body", [b"@/etc/passwd", b"a b'c", b'{"a": 1}', b"<x"])
def test_a_command_sends_the_body_itself(body: bytes) -> None:
    """A body that looks like the name of a file is none."""
    words = shlex.split(replace(PLAIN, body=body).curl("http://h"))

    assert words[words.index("--data-raw") + 1] == body.decode()


@pytest.mark.parametrize("target", ["/v2/images/id/tags/[a-c]", "/v2/images/id/tags/{a,b}"])
def test_a_command_names_one_address(target: str) -> None:
    """Brackets and braces are sent, and make no list of addresses."""
    words = shlex.split(replace(PLAIN, target=target).curl("http://h"))

    assert "--globoff" in words


# The transcript


def other(target: str) -> Exchange:
    """Make an exchange that is told from others by its target."""
    return replace(PLAIN, target=target)


def test_every_scope_gets_what_is_sent_inside() -> None:
    """An inner one keeps nothing from the outer one; what is sent before and after belongs to neither."""
    recorder = Recorder()
    recorder.add(other("/before"))
    with recorder.scope() as outer:
        recorder.add(other("/first"))
        with recorder.scope() as inner:
            recorder.add(other("/second"))
        recorder.add(other("/third"))
    recorder.add(other("/after"))

    assert [exchange.target for exchange in inner] == ["/second"]
    assert [exchange.target for exchange in outer] == ["/first", "/second", "/third"]
    assert recorder.counts == {Purpose.JUDGING: 5}


def test_what_is_sent_apart_is_in_no_scope_around() -> None:
    """It is counted, and a scope of its own gets it."""
    recorder = Recorder()
    with recorder.scope() as outer:
        with recorder.apart(), recorder.scope() as own:
            recorder.add(other("/apart"))
        recorder.add(PLAIN)

    assert (outer, [exchange.target for exchange in own]) == ([PLAIN], ["/apart"])
    assert recorder.counts == {Purpose.JUDGING: 2}


def test_a_scope_is_closed_by_an_error_and_in_any_order() -> None:
    """Whoever opened another one meanwhile keeps it."""
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError), recorder.scope() as broken:
        raise ZeroDivisionError
    first, second = recorder.scope(), recorder.scope()
    first_sent, second_sent = first.__enter__(), second.__enter__()
    first.__exit__(None, None, None)
    recorder.add(PLAIN)
    second.__exit__(None, None, None)
    recorder.add(PLAIN)

    assert (broken, first_sent, second_sent) == ([], [], [PLAIN])


def test_a_scope_is_of_one_recorder() -> None:
    """Another run's exchanges are none of its own, whatever context they are sent in."""
    mine, others = Recorder(), Recorder()
    with mine.scope() as sent, others.scope() as of_the_other, mine.apart():
        mine.add(other("/mine"))
        others.add(other("/theirs"))

    assert sent == []
    assert [exchange.target for exchange in of_the_other] == ["/theirs"]


def test_two_workloads_at_once_do_not_get_each_others_exchanges() -> None:
    """Each sends from two threads of a pool, in turns with the other workload."""
    recorder, turns = Recorder(), threading.Barrier(4)

    def send(target: str) -> None:
        for number in range(20):
            turns.wait(10)
            recorder.add(other(f"{target}-{number}"))

    def workload(name: str) -> list[str]:
        with recorder.scope() as sent, ThreadPoolExecutor(2) as pool:
            for part in ("left", "right"):
                pool.submit(copy_context().run, send, f"{name}-{part}")
        return sorted(exchange.target for exchange in sent)

    with recorder.scope() as everything, ThreadPoolExecutor(2) as pool:
        found = [pool.submit(copy_context().run, workload, name) for name in ("a", "b")]

    for name, future in zip(("a", "b"), found, strict=True):
        assert future.result() == sorted(f"{name}-{part}-{turn}" for part in ("left", "right") for turn in range(20))
    assert len(everything) == recorder.counts[Purpose.JUDGING] == 80


def test_what_no_scope_holds_is_not_kept() -> None:
    """A run of hours sends millions of requests."""

    class Traced(Exchange):
        """An exchange that can be referred to weakly."""

    recorder = Recorder()
    fields = {name: getattr(PLAIN, name) for name in ("method", "target", "headers", "body", "status", "trailing")}
    exchange = Traced(**fields, answer_headers=(), answer=b"", sent=0.0, answered=1.0)
    gone = weakref.ref(exchange)
    recorder.add(exchange)
    with recorder.scope() as sent:
        recorder.add(exchange)
    assert gone() is exchange
    sent.clear()
    del exchange

    assert gone() is None
    assert recorder.counts == {Purpose.JUDGING: 2}


def test_a_purpose_holds_for_its_block_and_its_thread() -> None:
    """Other threads go on judging, and an error ends the block as well."""
    recorder = Recorder()
    seen: list[Purpose] = []
    with pytest.raises(ZeroDivisionError), recorder.of(Purpose.CLEANING):
        with recorder.of(Purpose.PREPARING):
            seen.append(recorder.purpose)
        thread = threading.Thread(target=lambda: seen.append(recorder.purpose))
        thread.start()
        thread.join()
        seen.append(recorder.purpose)
        raise ZeroDivisionError

    assert [*seen, recorder.purpose] == [Purpose.PREPARING, Purpose.JUDGING, Purpose.CLEANING, Purpose.JUDGING]


def test_an_exchange_is_found_in_the_logs_of_the_service() -> None:
    """By the service's own name for it, or else by the one that it was sent with; a command to paste has neither."""
    ours, theirs = ("X-OpenStack-Request-ID", "req-ours"), ("x-openstack-request-id", "req-theirs")
    sent = replace(PLAIN, headers=(*PLAIN.headers, ours))

    assert sent.as_data("http://h")["request_id"] == "req-ours"
    assert replace(sent, answer_headers=(theirs,)).as_data("http://h")["request_id"] == "req-theirs"
    assert "req-ours" not in sent.curl("http://h")
