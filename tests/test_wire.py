"""What goes out is what was written, octet for octet."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pytest_cloudimages.client.transport import trailing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_cloudimages.client.transport import Transport

TAGS = "/v2/images/id/tags"
TARGETS = [
    *(f"{TAGS}/%{octet:02X}" for octet in range(256)),
    *(f"{TAGS}/%{octet:02x}" for octet in (0x2F, 0x3A, 0x6A, 0xAB, 0xFF)),
    *(
        f"{TAGS}/{written}"
        for written in (
            ".", "..", "...", "%2e", "%2E%2e", "./x", "../x", "a/../b", "a/b", "a%2Fb", "a%2fb", "%252F", "%25",
            "%zz", "%", "100%", "%4", "a#b", "#", "a?b", "?", "a?b?c=d#e", "a+b", "a;b=c,d", "~", "%7E", "%7e", "",
            "/", "//x", "a//b", "x/", "%C3%A9", "e%CC%81", "%F0%9F%98%80", "%ed%a0%80", '"<>[]^`{|}\\', "'", "*", "@:",
            "x" * 9000, "%E6%BC%A2" * 255,
        )
    ),
    "//v2/images", "/", "/v2", "*", "/v2/../v2/images", "/v2/images?tag=a%2fb&tag=%zz",
]  # fmt: skip


@pytest.fixture
def transport(peer: Any, open_wire: Callable[..., Transport]) -> Transport:
    """Open connections to the scripted server."""
    return open_wire(peer.url)


@pytest.mark.parametrize("target", TARGETS, ids=lambda character: ascii(character)[1:40])
def test_a_target_is_sent_as_it_was_written(transport: Transport, peer: Any, target: str) -> None:
    """Neither requests nor urllib3 nor http.client rewrites it."""
    transport.send("PUT", target, {})

    assert peer.heads[0].startswith(b"PUT " + target.encode() + b" HTTP/1.1\r\n")


def test_a_target_does_not_linger(transport: Transport, peer: Any) -> None:
    """After a request that failed, the next one has its own target."""
    peer.replies = [None]
    with pytest.raises(requests.ConnectionError):
        transport.send("PUT", "/first", {})
    transport.send("PUT", "/second", {})

    assert peer.targets == [b"/first", b"/second"]


@pytest.mark.parametrize("method", ["put", "PUT", "Put", "FOO", "delete"])
def test_a_method_keeps_its_case(transport: Transport, peer: Any, method: str) -> None:
    """Methods are case-sensitive, and sent as written."""
    transport.send(method, "/x", {})

    assert peer.heads[0].startswith(method.encode() + b" /x HTTP/1.1\r\n")


def test_the_headers_given_are_all_there_are(transport: Transport, peer: Any) -> None:
    """Beside Host and the framing, nothing is added that nobody asked for."""
    transport.send("DELETE", "/x", {"X-One": "1", "Accept-Encoding": "identity"})

    names = [line.partition(b":")[0].lower() for line in peer.heads[0].split(b"\r\n")[1:] if line]
    assert sorted(names) == [b"accept-encoding", b"host", b"x-one"]


@pytest.mark.parametrize(
    ("method", "body", "length", "field"),
    [
        ("PUT", None, True, b"0"),
        ("PUT", None, False, None),
        ("PUT", b"", True, b"0"),
        ("PUT", b"", False, None),
        ("PUT", b"four", True, b"4"),
        ("DELETE", None, False, None),
        ("DELETE", b"four", True, b"4"),
        ("GET", None, True, None),
    ],
)
def test_content_length_is_there_as_asked(
    transport: Transport, peer: Any, method: str, body: bytes | None, length: bool, field: bytes | None
) -> None:
    """A request says how long it is, unless it is told not to."""
    transport.send(method, "/x", {}, body, length=length)

    fields = [line.split(b": ")[1] for line in peer.heads[0].split(b"\r\n") if line.lower().startswith(b"content-len")]
    assert fields == ([] if field is None else [field])
    assert b"transfer-encoding" not in peer.heads[0].lower()


def test_an_iterable_goes_out_in_chunks(transport: Transport, peer: Any) -> None:
    """Chunked bodies have no Content-Length, and end as they must."""
    transport.send("PUT", "/x", {}, iter([b"ab", b"cde"]))

    assert b"Transfer-Encoding: chunked" in peer.heads[0]
    assert b"content-length" not in peer.heads[0].lower()
    assert peer.bodies == [b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"]


def test_a_connection_is_used_again(transport: Transport, peer: Any) -> None:
    """A thread keeps one connection for all its requests."""
    for number in range(5):
        assert transport.send("PUT", f"/{number}", {}).content == b""

    assert peer.connections == 1
    assert len(peer.heads) == 5


def test_every_thread_has_a_connection_of_its_own(transport: Transport, peer: Any) -> None:
    """Three threads at once use three connections, however many requests they send, and mix no targets up."""
    together = Barrier(3)

    def ask(name: int) -> None:
        for number in range(10):
            together.wait(5)
            assert transport.send("PUT", f"/{name}/{number}", {}).content == b""

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, range(3)))

    assert peer.connections == 3
    assert sorted(peer.targets) == sorted(f"/{name}/{number}".encode() for name in range(3) for number in range(10))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_an_answer(transport: Transport, peer: Any, status: int) -> None:
    """It is handed back, and not followed."""
    peer.replies = [f"HTTP/1.1 {status} Elsewhere\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".encode()]
    answer = transport.send("PUT", "/here", {})

    assert answer.status_code == status
    assert peer.targets == [b"/here"]


def test_cookies_are_not_sent_back(transport: Transport, peer: Any) -> None:
    """Every request is as it was written, whatever the answer before it asked to remember."""
    peer.replies = [b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\n"]
    transport.send("PUT", "/1", {})
    transport.send("PUT", "/2", {})

    assert b"cookie" not in peer.heads[1].lower()


def test_an_authorisation_of_netrc_is_not_sent(
    transport: Transport, peer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the tester's .netrc holds is for others."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    transport.send("PUT", "/1", {})

    assert b"authorization" not in peer.heads[0].lower()


@pytest.mark.parametrize("behind", [b'{"a": 1}', b"HTTP/1.1 500 Poison\r\n\r\n"])
def test_octets_behind_a_204_are_seen(transport: Transport, peer: Any, behind: bytes) -> None:
    """A body that must not be there is told, and the next request has its own answer."""
    peer.replies = [b"HTTP/1.1 204 No Content\r\n\r\n" + behind, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
    first = transport.send("PUT", "/1", {})
    second = transport.send("PUT", "/2", {})

    assert (first.status_code, first.content, trailing(first)) == (204, b"", behind)
    assert (second.status_code, second.content, trailing(second)) == (200, b"ok", b"")


def test_an_answer_that_ends_in_time_leaves_nothing_behind(transport: Transport, peer: Any) -> None:
    """An honest 204 has no stray octets."""
    answer = transport.send("PUT", "/1", {})

    assert peer.connections == 1
    assert trailing(answer) == b""


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_of_the_environment_is_used(
    open_peer: Callable[..., Any], open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """It is asked for the whole address, with the path as it was written."""
    proxy = open_peer()
    monkeypatch.setenv(variable, proxy.url)
    transport = open_wire("http://images.example")
    transport.send("PUT", "/v2/tags/..%2f%zz", {})

    assert transport.proxied
    assert proxy.targets == [b"http://images.example/v2/tags/..%2f%zz"]


def test_a_proxy_is_spared_where_the_environment_says_so(
    peer: Any, open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY is honoured."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    transport = open_wire(peer.url)
    transport.send("PUT", "/direct", {})

    assert not transport.proxied
    assert peer.targets == [b"/direct"]


@pytest.fixture(scope="module")
def certificate(make_certificate: Callable[..., Path]) -> Path:
    """Make a certificate for 127.0.0.1 that nobody trusts."""
    return make_certificate()


@pytest.fixture
def secure(open_peer: Callable[..., Any], certificate: Path) -> Any:
    """Open a scripted server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return open_peer(context)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_authority_of_the_environment_is_trusted(
    secure: Any, open_wire: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch, certificate: Path, variable: str
) -> None:
    """And targets are exact behind TLS too."""
    monkeypatch.setenv(variable, str(certificate))
    transport = open_wire(secure.url)
    secure.replies = [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"]
    transport.send("PUT", "/v2/tags/..", {})
    octets = transport.talk(b"PUT /raw HTTP/1.1\r\n\r\n", "127.0.0.1", secure.port, secure=True)

    assert secure.targets == [b"/v2/tags/..", b"/raw"]
    assert octets.startswith(b"HTTP/1.1 204")


def test_an_unknown_certificate_is_refused(secure: Any, open_wire: Callable[..., Transport]) -> None:
    """Without being told to, nobody is trusted."""
    with pytest.raises(requests.exceptions.SSLError):
        open_wire(secure.url).send("PUT", "/x", {})


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("how", [False, "bundle"])
def test_verification_is_as_the_tester_says(
    secure: Any, open_wire: Callable[..., Transport], certificate: Path, how: Any
) -> None:
    """Verification can be switched off, or rest on a file."""
    transport = open_wire(secure.url, verify=str(certificate) if how else False)

    assert transport.send("PUT", "/x", {}).status_code == 204


def test_a_connection_that_was_opened_is_used(transport: Transport, peer: Any) -> None:
    """The next request goes out without delay, on that connection."""
    transport.connect()
    transport.connect()
    transport.send("GET", "/x", {})

    assert peer.connections == 1


def test_a_connection_that_cannot_be_opened_is_left_to_the_request(open_wire: Callable[..., Transport]) -> None:
    """Nothing is raised before anything was asked."""
    closed = open_wire("http://127.0.0.1:9")
    closed.connect()

    with pytest.raises(requests.ConnectionError):
        closed.send("GET", "/x", {})


def test_whoever_leaves_has_sent_all(transport: Transport, peer: Any) -> None:
    """Target, headers and body arrive; the next request has a connection of its own."""
    transport.leave("PATCH", f"{TAGS}/%2e%2E", {"X-One": "1"}, b"body")
    transport.send("GET", "/next", {})
    peer.wait_for(2)

    assert sorted(peer.targets) == sorted([b"/next", f"{TAGS}/%2e%2E".encode()])
    assert sorted(peer.bodies) == [b"", b"body"]
    assert peer.connections == 2
