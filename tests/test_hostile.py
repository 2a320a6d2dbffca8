"""Whatever a service sends reaches terminals, logs and files without the power to do anything there."""

from __future__ import annotations

import json

import pytest

from pytest_cloudimages.client.latency import Latencies, operation_of
from pytest_cloudimages.client.showing import as_html, as_json_text, harmless, in_one_line, visible


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
