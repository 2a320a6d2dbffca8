"""What a run says on the terminal is made of its results, and of nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import terminal
from pytest_cloudimages.reporting.results import Results, RunFacts
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS


class Paper:
    """Takes down what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.colours: list[dict[str, bool]] = []

    def section(self, title: str) -> None:
        """Begin a section."""
        self.write_line(f"= {title} =")

    def write_line(self, line: str, **colours: bool) -> None:
        """Write a line."""
        self.lines.append(line)
        self.colours.append(colours)


def entry(identifier: str, verdict: str, explanation: str = "It was so.", **rest: Any) -> dict[str, Any]:
    """Make the entry of a requirement."""
    return {
        "id": identifier,
        "verdict": verdict,
        "level": "MUST",
        "provenance": "documented",
        "statement": "It is otherwise.",
        "source": "A page, a section",
        "explanation": explanation,
        "exchanges": [{"method": "PUT", "target": "/v2/x", "status": 500}],
        "replay": f"cloudimages run --select {identifier}",
        **rest,
    }


def results(*entries: dict[str, Any], **rest: Any) -> Results:
    """Make results."""
    totals = {str(verdict): sum(entry["verdict"] == str(verdict) for entry in entries) for verdict in Verdict}
    data = {
        "requirements": [*entries],
        "totals": totals,
        "requests": {"judging": 3, "preparing": 2, "cleaning": 1, "explaining": 4},
        "seconds": 1.25,
        "left_behind": [],
        "interrupted": False,
        "settings": {"reports": "reports", "dry_run": False},
        **rest,
    }
    return Results(data)


def told(found: Results) -> list[str]:
    """Return the lines of the summary."""
    paper = Paper()
    terminal.summary(found, paper)  # type: ignore[arg-type]  # all that is asked of it
    return paper.lines


def test_the_table_has_a_row_for_each_group() -> None:
    """And one line for all groups of which nothing was tested."""
    found = results(
        entry("A-X-01", "pass"), entry("A-X-02", "fail"), entry("A-Y-01", "pass"), entry("B-01", "untested")
    )

    assert [line.split() for line in terminal.table(found)] == [
        ["requirements", "pass", "fail"],
        ["A-X", "1", "1"],
        ["A-Y", "1", "·"],
        ["1", "requirements", "of", "other", "groups", "are", "untested."],
    ]


def test_a_finding_tells_what_was_asked_and_what_came() -> None:
    """And who says that it should be otherwise, and how to see it again."""
    assert terminal.finding(entry("A-01", "fail")) == [
        "FAIL A-01: It is otherwise.",
        "  asked:  PUT /v2/x → 500",
        "  came:   It was so.",
        "  source: MUST, documented: A page, a section",
        "  replay: cloudimages run --select A-01",
    ]


def test_a_finding_fits_the_width_there_is() -> None:
    """But for what is copied; where the width is not known, lines are whole."""
    lines = terminal.finding(entry("A-01", "advisory", "word " * 40, provenance="http"))
    source, replay = lines[-2:]

    assert "MUST, http (a rule of HTTP itself, which the documentation does not repeat: at most advisory): " in source
    assert terminal.wrapped(source, 0) == [source]
    assert terminal.wrapped(replay, 20) == [replay]
    narrow = terminal.wrapped(source, 60)
    assert {len(line) > 60 for line in narrow} == {False}
    assert [line[:11] for line in narrow[1:]] == [" " * 10 + line[10] for line in narrow[1:]]
    assert " ".join(line.strip() for line in narrow) == source.strip()


def test_what_was_not_asked_has_its_reasons() -> None:
    """The commonest first, and no more than a reader takes in."""
    entries = [entry(f"A-{number:02}", "untested", f"reason {min(number, 7) // 2}") for number in range(12)]

    assert terminal.untested(results(*entries))[0] == "untested: 6 (reason 3)"
    assert len(terminal.untested(results(*entries))) == 4


def test_a_finding_tells_how_it_is_found_in_the_logs() -> None:
    """By the id of the last request, as the service has it."""
    exchange = {"method": "PUT", "target": "/v2/x", "status": 500, "request_id": "req-1\x1b"}

    assert terminal.finding(entry("A-01", "fail", exchanges=[exchange]))[2] == "  request: req-1\\x1b"


def test_a_finding_tells_for_which_input_it_holds() -> None:
    """Where that was found out; what no terminal shows is escaped."""
    lines = terminal.finding(entry("A-01", "fail", **{"class": "any tag with a NUL ('\u200b' fine)"}))

    assert lines[2:4] == ["  came:   It was so.", "  class:  any tag with a NUL ('\\u200b' fine)"]


DIFFERENCE = {
    "what": "tags after add 'nil' → 204",
    "before": ["5FR9", "PklF"],
    "expected": ["5FR9", "PklF", "nil"],
    "actual": ["PklF", "nil", "\u202ex"],
    "missing": ["5FR9"],
    "unexpected": ["\u202ex"],
}


def test_a_finding_tells_what_was_expected_and_what_came() -> None:
    """In place of an assertion's words, whose first line says the same; what follows that line is kept."""
    kept = "tags after add 'nil' → 204: expected …, came …\nFalsifying example: test_it(\n  tag='nil',\n)"

    assert terminal.finding(entry("A-01", "fail", kept, **DIFFERENCE)) == [
        "FAIL A-01: It is otherwise.",
        "  asked:      PUT /v2/x → 500",
        "  looked at:  tags after add 'nil' → 204",
        "  before:     '5FR9', 'PklF'",
        "  expected:   '5FR9', 'PklF', 'nil'",
        "  actual:     'PklF', 'nil', '\\u202ex'",
        "  missing:    '5FR9'",
        "  unexpected: '\\u202ex'",
        "  with:       Falsifying example: test_it( tag='nil', )",
        "  source:     MUST, documented: A page, a section",
        "  replay:     cloudimages run --select A-01",
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ([201, 204], 404, ["expected:  201 or 204", "actual:    404"]),
        ([], [], ["expected:  none", "actual:    none"]),
        ("close", None, ["expected:  'close'", "actual:    nothing"]),
    ],
)
def test_a_difference_of_any_kind_has_words(expected: object, actual: object, lines: list[str]) -> None:
    """Codes that are allowed, nothing at all, and a header that is missing."""
    shown = terminal.finding(entry("A-01", "fail", what="x", expected=expected, actual=actual))

    assert [line.strip() for line in shown[3:5]] == lines


def test_a_witness_is_printed_whole() -> None:
    """Line by line, with what stands before and after it: it is the proof."""
    events = [f"  {number}.0 to {number}.9 ms, client {number}: delete 'tag' → 204" for number in range(9)]
    text = "\n".join(["lost deletion: 'tag' of image 0. A deletion was undone.", *events, "> 16.8 to 17 ms: read \x1b"])
    explanation = f"1 of 18 races have no order.\nIn many, 2 clients: {text}\nIt was seed 7."
    # As the judge keeps it: every line once, without what sets it in.
    kept = "\n".join(line.strip() for line in explanation.splitlines())
    lines = terminal.finding(entry("A-01", "fail", kept, witnesses=[{"text": text}]))

    assert lines[2:-2] == [
        "  came:   1 of 18 races have no order.",
        "          In many, 2 clients: lost deletion: 'tag' of image 0. A deletion was undone.",
        *(f"          {line}" for line in events),
        "          > 16.8 to 17 ms: read \\x1b",
        "          It was seed 7.",
    ]


def test_a_witness_that_is_not_told_is_not_printed() -> None:
    """Where the explanation is about something else."""
    lines = terminal.finding(entry("A-01", "fail", witnesses=[{"text": "phantom\n  more"}]))

    assert lines[2] == "  came:   It was so."
    assert len(lines) == 5


def test_a_finding_without_a_request_says_so() -> None:
    """Where nothing could be asked."""
    assert terminal.finding(entry("A-01", "blocked", exchanges=[]))[1] == "  asked:  nothing could be asked"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a b"),
        ("x\x1b[31my", "x\\x1b[31my"),
        ("\ud800\u202e", "\\ud800\\u202e"),
        ("漢😀", "漢😀"),
        ("a" * 500 + "b" * 500, f"{'a' * 150} … {'b' * 150}"),
    ],
)
def test_a_text_fits_a_terminal(text: str, shown: str) -> None:
    """Control characters are escaped, and the middle of a long one is left out."""
    assert terminal.finding(entry("A-01", "fail", text))[2] == f"  came:   {shown}"


def test_a_shared_cause_is_told_once() -> None:
    """Where one thing blocks many."""
    lines = told(results(*(entry(f"A-0{number}", "blocked", "No image.") for number in range(1, 5))))

    assert [line for line in lines if line.startswith("BLOCKED")] == [
        "BLOCKED 4 requirements, by one cause: A-01, A-02, A-03, A-04"
    ]
    assert "  came:   No image." in lines
    assert "  replay: cloudimages run --select A-01 --select A-02 --select A-03 --select A-04" in lines


def test_findings_of_one_cause_are_told_as_one() -> None:
    """The worst is told in full, the others in a line each; another cause is told by itself."""
    shared = {"identity": "x", "input_class": "any tag with a NUL", "symptom": "refused"}
    lines = told(
        results(entry("A-01", "advisory", **shared), entry("A-02", "fail", **shared), entry("A-03", "fail", "Lost."))
    )

    assert [line for line in lines if line.startswith(("FAIL", "ADVISORY"))] == [
        "FAIL A-02: It is otherwise.",
        "FAIL A-03: It is otherwise.",
    ]
    assert "  also:   ADVISORY A-01: It is otherwise." in lines


def test_every_departure_is_told() -> None:
    """However alike they are."""
    lines = told(
        results(entry("A-01", "fail"), entry("A-02", "fail"), entry("A-03", "advisory"), entry("A-04", "noted"))
    )

    assert [line.split(":")[0] for line in lines if line.startswith(("FAIL", "ADVISORY", "NOTED"))] == [
        "FAIL A-01",
        "FAIL A-02",
        "ADVISORY A-03",
    ]


def test_the_costs_are_told() -> None:
    """Verdicts, requests, seconds, and where the reports are."""
    lines = told(results(entry("A-01", "pass"), entry("A-02", "untested")))

    assert lines[-4:] == [
        "verdicts: 1 pass, 1 untested",
        "untested: 1 (It was so.)",
        "requests: 10 (3 judging, 2 preparing, 1 cleaning, 4 explaining) in 1.2 s",
        "reports:  reports (conformance.json, index.html, junit.xml, conformance.html)",
    ]


AGAIN = "The rest is asked, and what was judged kept, by: cloudimages run --again reports"


@pytest.mark.parametrize(
    ("rest", "lines"),
    [
        ({"left_behind": ["image 1"]}, ["LEFT BEHIND: image 1"]),
        (
            {"interrupted": True},
            ["The run was interrupted; what it had created is gone, what it had borrowed is as it was.", AGAIN],
        ),
        (
            {"interrupted": True, "left_behind": ["image 1"]},
            ["LEFT BEHIND: image 1", "The run was interrupted.", AGAIN],
        ),
    ],
)
def test_what_stays_is_told(rest: dict[str, Any], lines: list[str]) -> None:
    """Nobody is told that all is tidy where it is not."""
    assert told(results(entry("A-01", "pass"), **rest))[-1 - len(lines) : -1] == lines


def facts(**rest: Any) -> RunFacts:
    """Make the facts of a run that has not begun."""
    settings = rest.pop("settings", Settings(seed=7))
    return RunFacts("http://h/v2", "--endpoint", "token from CLOUDIMAGES_TOKEN", settings.as_data(), **rest)


def test_the_header_tells_what_is_judged() -> None:
    """And how it came to be known."""
    assert terminal.header(facts())[:3] == [
        "service: http://h/v2 (--endpoint)",
        "credentials: token from CLOUDIMAGES_TOKEN",
        "image: created and deleted",
    ]


def test_the_header_tells_lent_images_and_problems() -> None:
    """Before anything else happens."""
    lent = facts(settings=Settings(image=("1", "2")), region="North", problem="out of reach")

    assert {"service: http://h/v2 (--endpoint, region North)", "image: lent: 1, 2", "PROBLEM: out of reach"} <= {
        *terminal.header(lent)
    }


def test_the_header_of_a_dry_run_tells_who_is_left_alone() -> None:
    """And nothing of the server that is asked instead."""
    assert terminal.header(facts(instead_of="http://real/v2")) == [
        "dry run: nothing is sent to http://real/v2; the embedded server is asked in its place"
    ]


def test_what_is_waited_for_is_told(workshop: Any) -> None:
    """A silence says what it is about, once for each check."""
    with serving(FAULTS["ListsATagTwice"]()) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-ADD-05", "--patience", "3")

    assert outcome.out.count("waiting up to 3 s for a change to be seen, TAG-ADD-05\n") == 1, outcome.out
