"""Whatever a service sends reaches terminals, logs and files without the power to do anything there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.client.latency import Latencies, operation_of
from pytest_cloudimages.client.showing import as_html, as_json_text, harmless, in_one_line, visible
from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import OF_OTHERS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é 漢 😀", "plain, é 漢 😀"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\x00b\x7f\x85", "a\\x00b\\x7f\\x85"),
        ("\u202egnp\u2066", "\\u202egnp\\u2066"),
        ("a\u2028b\u200b\ufeff", "a\\u2028b\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\r\n", "\\r\n"),
    ],
)
def test_what_cannot_be_seen_is_written_as_an_escape(text: str, shown: str) -> None:
    """Letters of every script stay as they are."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[error]x", "#\\#[error]x"),
        ("a ##vso[task.setvariable]x", "a #\\#vso[task.setvariable]x"),
        ("###[group]", "##\\#[group]"),
        ("::error::x", "\\::error::x"),
        ("a\n  ::set-output name=a::b", "a\n  \\::set-output name=a::b"),
        ("a ::warning::b", "a \\::warning::b"),
        ("tests/test_a.py::test_b", "tests/test_a.py::test_b"),
        ("## heading", "## heading"),
    ],
)
def test_no_command_of_a_ci_is_left(text: str, shown: str) -> None:
    """Those that begin a line, and those that are obeyed wherever they stand."""
    assert harmless(text) == shown
    assert in_one_line(text) == shown.replace("\n", "\\n")


def test_a_page_shows_a_command_and_holds_none() -> None:
    """In HTML entities stand for its first characters."""
    assert as_html("<b>##[error]\n::error::'\"\u202e") == "&lt;b&gt;#&#35;[error]\n&#58;:error::&#x27;&quot;\\u202e"


@pytest.mark.parametrize("text", ["##[error]", "####vso[a]", "\\##[", "#", '"##['])
def test_data_stays_what_it_was(text: str) -> None:
    """JSON has an escape for every character."""
    document = as_json_text(json.dumps({text: text}))

    assert "##" not in document
    assert json.loads(document) == {text: text}


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("PUT", "/v2/images/6e0b/tags/miracle?x=1", "PUT /images/{image_id}/tags/{tag}"),
        ("GET", "/prefix/v2/images?limit=1", "GET /images"),
        ("DELETE", "/v2/images/images/tags/tags", "DELETE /images/{image_id}/tags/{tag}"),
        ("GET", "/v2/schemas/image", "GET /schemas/{name}"),
        ("PUT", "/v2/images/6e0b/tags/a/b", "other requests"),
        ("PUT", "/v2/images/6e0b/\x1b[31m/a", "other requests"),
        ("put", "/v2/images/6e0b/tags/a", "other requests"),
        ("FOO", "/v2/images/6e0b/tags/a", "other requests"),
        ("PUT", "/v2/images/6e0b/tags/%2F%0A?a\nb", "PUT /images/{image_id}/tags/{tag}"),
        ("GET", "/", "other requests"),
    ],
)
def test_an_operation_is_named_as_documents_name_it(method: str, target: str, operation: str) -> None:
    """Nothing that was drawn, or that a service made up, is in the name."""
    assert operation_of(method, target) == operation


def test_latencies_are_summed_up_by_operation() -> None:
    """Median, 95th percentile and maximum are times that were measured; the most frequent operation comes first."""
    latencies = Latencies()
    latencies.add("GET", "/v2/images", 7.0)
    for hundredth in range(100, 0, -1):
        latencies.add("PUT", f"/v2/images/i/tags/{hundredth}", hundredth / 100)

    assert [*latencies.summary().items()] == [
        ("PUT /images/{image_id}/tags/{tag}", {"count": 100, "p50": 0.5, "p95": 0.95, "max": 1.0}),
        ("GET /images", {"count": 1, "p50": 7.0, "p95": 7.0, "max": 7.0}),
    ]


# A run against a service that tries it all

COMMANDS = "\n::error file=a::b\n  ::stop-commands::x\n##[error]c\n##vso[task.complete result=Succeeded]d\n"
HOSTILE = (
    f"<script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;\x1b[31m\x07\x00\u202e\u2028\u2066{COMMANDS}]]>-->"
)
LONG = f"{'long ' * 600}end of the judged value"
ENDLESS = 200_000


class Hostile(App):
    """A service whose every word is out to spoil a report."""

    def handle(self, request: Any) -> Reply:
        """Answer with a request id that is a command."""
        reply = super().handle(request)
        fields = tuple(field for field in reply.headers if field[0].lower() != "x-openstack-request-id")
        return Reply(reply.status, reply.body, (*fields, ("x-openstack-request-id", "##[error]<b>")))

    def error(self, request: Any, status: Any, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Answer with markup, control characters, commands, and octets that are no UTF-8, without an end."""
        del request, status, message
        body = HOSTILE.encode() + b"\xff\xfe\xed\xa0\x80" + b"." * ENDLESS
        return Reply(418, body, (*headers, ("X-Hostile", "<script>alert(3)</script> ##vso[a]")))

    def represent(self, image: Any) -> dict[str, object]:
        """Show tags that nobody gave."""
        return {**super().represent(image), "tags": ["\ud800", HOSTILE, LONG, *image.tags] if image.tags else []}


OUTPUTS = ("terminal", *WRITERS, *OF_OTHERS)


@pytest.fixture(scope="module")
def hostile(shared_workshop: Callable[[str], Any]) -> Any:
    """Return the outcome of a run against it."""
    workshop = shared_workshop("hostile")
    with serving(Hostile()) as server:
        workshop.named(server)
        return workshop.judge("--patience", "0", "--select", "TAG-ADD-16", "--select", "TAG-HIST-01")


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_output_holds_what_does_harm(hostile: Any, name: str) -> None:
    """Neither control characters nor directions, markup or commands: not on the terminal, and in none of the files."""
    text = hostile.out if name == "terminal" else (hostile.reports / name).read_bytes().decode()
    bad = ["\x1b", "\x07", "\x00", "\u202e", "\u2028", "\u2066", "\ud800", "##[", "##vso["]
    markup = ["<script>alert", "<img src=x", "]]>", "<b>"] if name.endswith(("html", "xml")) else []

    assert "alert(1)" in text
    assert [each for each in (*bad, *markup) if each in text.replace("<b style", "")] == []
    assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


def test_the_field_that_is_judged_is_whole(hostile: Any) -> None:
    """However long it is; a body is cut, with a note that says so."""
    entry = hostile.entry("TAG-HIST-01")
    page = (hostile.reports / "index.html").read_text("utf-8")
    refused = next(sent for sent in hostile.entry("TAG-ADD-16")["exchanges"] if sent["status"] == 418)

    assert LONG in entry["actual"]
    assert HOSTILE in entry["actual"]
    assert LONG in page
    assert len(refused["answer"]) < 3_000
    assert refused["answer_octets"] > ENDLESS
    assert f"of {refused['answer_octets']:,}" in page
    assert f"of {refused['answer_octets']:,} octets" in (hostile.reports / "conformance.html").read_text("utf-8")


def test_no_output_is_as_long_as_a_service_would_have_it(hostile: Any) -> None:
    """A page that a browser opens, a log that somebody reads."""
    assert len(hostile.out) < 20_000
    assert (hostile.reports / "index.html").stat().st_size < 2_000_000


def test_request_ids_are_on_the_page(hostile: Any) -> None:
    """So that an operator finds the requests in the logs of the service."""
    assert "#&#35;[error]&lt;b&gt;" in (hostile.reports / "index.html").read_text("utf-8")
