"""What trouble there was on the way is counted, and told where it may be the reason of something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.client.trouble_counts import kind_of
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reporting.disturbances import added_up, in_words
from pytest_cloudimages.reporting.results import CheckResult, Results, RunFacts
from pytest_cloudimages.reporting.terminal import finding
from pytest_cloudimages.reporting.verification import problems
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from pytest_cloudimages.client.session import ImagesClient

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n"
MET = {"answers": 40, "kinds": {"503": 3, "connection reset": 1}, "repeated": 4}
WORDS = "4 of 40 answers (10.0%): 3 × 503, 1 × connection reset; 4 requests were sent again"


def test_each_answer_that_is_waited_for_is_counted_by_its_kind(caller: ImagesClient, peer: Any) -> None:
    """Also those that were repeated, and of which nothing is seen in the end."""
    peer.replies = [OK, BUSY % 502, None, BUSY % 503, OK, BUSY % 404]
    for _ in range(3):
        caller.send("GET", "/images/x")

    found = caller.recorder.disturbances.summary()
    assert (found["answers"], found["repeated"]) == (6, 3)
    assert (found["kinds"].pop("502"), found["kinds"].pop("503")) == (1, 1)
    ((kind, number),) = found["kinds"].items()
    assert kind.startswith("connection ")
    assert number == 1


@pytest.mark.parametrize(
    ("status", "note", "kind"),
    [
        (503, "repeated after 502", "503"),
        (0, "not answered within 30 s", "no answer in time"),
        (0, "the connection broke: [Errno 104] Connection reset by peer", "connection reset"),
        (0, "the connection broke: [Errno 111] Connection refused", "connection refused"),
        (0, "the connection broke: Remote end closed connection without response", "connection closed"),
        (0, "the connection broke: IncompleteRead(3 bytes read, 4 more expected)", "connection broken"),
    ],
)
def test_what_trouble_is_called(status: int, note: str, kind: str) -> None:
    """By its status, or by what became of the connection."""
    assert kind_of(status, note) == kind


def results(verdict: Verdict, disturbances: dict[str, Any]) -> Results:
    """Return results with one requirement that was judged."""
    catalogue = load()
    facts = RunFacts(
        "https://h/v2",
        "--endpoint",
        "a token",
        Settings().as_data(),
        replay=dict.fromkeys(catalogue, "cloudimages run"),
        chosen=frozenset(catalogue),
        disturbances=disturbances,
    )
    record = CheckResult("TAG-ADD-01", verdict, "test", explanation="The image cannot be read.")
    return Results.of(facts, catalogue, [record])


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.UNSTABLE])
def test_what_could_not_be_judged_says_what_trouble_there_was(verdict: Verdict) -> None:
    """It may be the reason."""
    entry = next(entry for entry in results(verdict, MET).entries if entry["id"] == "TAG-ADD-01")

    assert entry["disturbed"] == WORDS
    (line,) = [line for line in finding(entry) if "trouble:" in line]
    assert line.split("trouble:")[1].strip() == WORDS


def test_what_was_judged_says_nothing_of_it() -> None:
    """Nor does anything where there was none."""
    quiet = {"answers": 40, "kinds": {}, "repeated": 0}

    assert all("disturbed" not in entry for entry in results(Verdict.PASS, MET).entries)
    assert all("disturbed" not in entry for entry in results(Verdict.BLOCKED, quiet).entries)
    assert in_words(quiet) == in_words(None) == ""


def test_trouble_that_cannot_be_is_told() -> None:
    """More of it than answers, or in the words of a requirement alone."""
    data = results(Verdict.BLOCKED, MET).data
    wrong = {**data, "disturbances": {**MET, "answers": 3}}

    assert not [told for told in problems(data, load()) if "disturb" in told]
    assert len([told for told in problems(wrong, load()) if "disturb" in told]) == 2


def test_the_trouble_of_several_runs_is_added_up() -> None:
    """As that of one run that had asked it all."""
    other = {"answers": 10, "kinds": {"429": 7, "503": 1}, "repeated": 8}

    assert added_up([MET, other]) == {
        "answers": 50,
        "kinds": {"429": 7, "503": 4, "connection reset": 1},
        "repeated": 12,
    }
    assert added_up([]) == {"answers": 0, "kinds": {}, "repeated": 0}
