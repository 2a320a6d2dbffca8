"""What is read of an answer, where links lead, and which documents are read: at the edge of each bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.json_documents import DEEPEST, MOST_VALUES, NotRead, clearly, parsed
from pytest_cloudimages.client.links import led_to
from pytest_cloudimages.client.plain_http import PlainHttp
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.transport import staying_and_bounded
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Peer

    from pytest_cloudimages.client.transport import Transport

MOST = 16 * 1024


def answer(body: bytes, *fields: str) -> bytes:
    """Return an answer with a body."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize("length", [MOST - 2, MOST, MOST + 1, MOST + 70_000])
def test_a_body_is_read_as_far_as_it_may_be_long(length: int, peer: Peer, open_wire: Callable[..., Transport]) -> None:
    """Up to the bound it counts; beyond it, only what stands in the head does, and the next request has its answer."""
    client = ImagesClient(f"{peer.url}/v2", open_wire(peer.url, most=MOST), Recorder(), lambda: None)
    peer.replies = [answer(b'"' + b"a" * (length - 2) + b'"'), answer(b"7")]

    found = client.show("a")

    assert found.status == 200
    if length > MOST:
        with pytest.raises(NotRead, match=f"More came than the {MOST} octets"):
            _ = found.data
    else:
        assert found.data == "a" * (length - 2)
    assert client.show("a").data == 7


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/v2/images?marker=a", "/images?marker=a"),
        ("?marker=a", "/images?marker=a"),
        ("images?marker=a", "/images?marker=a"),
        ("//cloud.example/glance/v2/images", "/images"),
        ("http://cloud.example:9292/glance/v2/images?a=%C3%A9", "/images?a=%C3%A9"),
        ("/glance/v2/./images/../images", "/images"),
        ("/v2/images?a=é", "/images?a=%C3%A9"),
    ],
)
def test_a_link_leads_where_it_says(link: str, target: str) -> None:
    """By RFC 3986, from the page it stands on."""
    assert led_to("https://cloud.example/glance/v2", "/images?limit=2", link) == target


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/images",
        "//evil.example/v2/images",
        "https://cloud.example@evil.example/v2/images",
        "https:\\\\evil.example/v2/images",
        "file:///v2/images",
        "/v2/../identity/v3",
        "/v2/images/%2e%2e/%2E./x",
        "http://[::1",
        "/v2/images\r\nX: y",
        "/v2/images?" + "x" * 20_000,
        "/v3/images",
    ],
)
def test_no_link_leads_elsewhere(link: str) -> None:
    """Neither to another host nor out of the endpoint, and never to an error of ours."""
    with pytest.raises(Blocked, match="The list leads"):
        led_to("https://cloud.example/glance/v2", "/images?limit=2", link)


@pytest.mark.parametrize(
    ("octets", "document"),
    [
        (b'{"a": 1e999, "b": -1e999}', {"a": "1e999", "b": "-1e999"}),
        (b"[%s]" % (b"9" * 5000), ["9" * 5000]),
        (b"[NaN]", None),
        (b"[-Infinity]", None),
        (b'{"a": 1, "a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf["\\ud800"]', ["\ud800"]),
        ('["é"]'.encode("utf-16"), ["é"]),
        (b'["\xff"]', None),
        (b"[" * DEEPEST + b"]" * DEEPEST, json.loads("[" * DEEPEST + "]" * DEEPEST)),
        (b'["' + b"[" * 1000 + b'\\"[[["]', ["[" * 1000 + '"[[[']),
        (b"[" + b"1," * MOST_VALUES + b"1]", [1] * (MOST_VALUES + 1)),
        (b"", None),
    ],
)
def test_a_document_says_what_it_clearly_says(octets: bytes, document: Any) -> None:
    """Whatever its encoding and its numbers; what is no JSON says nothing."""
    assert parsed(octets) == document


@pytest.mark.parametrize(
    "octets",
    [
        b'{"tags": ["a"], "tags": []}',
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"[" + b"1," * (MOST_VALUES + 1) + b"1]",
    ],
)
def test_a_document_that_says_no_clear_thing_is_not_read(octets: bytes) -> None:
    """It may be JSON: so nobody is blamed for it."""
    with pytest.raises(NotRead):
        parsed(octets)
    assert clearly(octets) is None


@pytest.mark.parametrize(
    ("identifier", "fit"),
    [
        ("6e0b6ee4-0b43-4d6c-9f3a-0123456789ab", True),
        ("image.v1", True),
        ("..", False),
        (".", False),
        ("a/../b", False),
        ("a%2fb", False),
        ("é", False),
        ("", False),
        ("a" * 10_000, False),
        (7, False),
    ],
)
def test_an_id_that_does_not_stay_in_its_place_is_put_in_no_path(identifier: object, fit: bool) -> None:
    """With it a request might reach what belongs to somebody else."""
    assert is_fit(identifier) is fit


def test_no_password_follows_a_redirect_to_another_host(peer: Peer, direct: None) -> None:  # noqa: ARG001
    """One to the same host may be followed."""
    with requests.Session() as session:
        staying_and_bounded(session, PlainHttp())
        peer.replies = [answer(b"", "Location: /there").replace(b"200 OK", b"308 x"), answer(b"7")]
        assert session.post(peer.url, json={"password": "p"}, timeout=5).json() == 7
        peer.replies = [answer(b"", "Location: http://127.0.0.2:1/").replace(b"200 OK", b"307 x")]
        with pytest.raises(requests.ConnectionError, match="redirects to another host"):
            session.post(peer.url, json={"password": "p"}, timeout=5)
