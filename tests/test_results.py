"""conformance.json and the reports made of it."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pytest_cloudimages.app.report_files import write
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import WRITERS
from pytest_cloudimages.reporting.results import CheckResult, Results, RunFacts
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;\x1b[31m"
GROUPS = ("--select", "TAG-ADD-11", "--select", "TAG-ADD-13", "--select", "TAG-VIS-01", "--select", "TAG-AUTH-01")


class Hostile(App):
    """A service whose every word is out to spoil a report."""

    def error(self, request: Any, status: Any, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Answer 500 with markup, control characters and octets that are no UTF-8."""
        del request, status, message
        body = HOSTILE.encode() + b"\xff\xfe\xed\xa0\x80\x00" + "\u202e".encode()
        return Reply(500, body, (*headers, ("X-Hostile", "<script>alert(3)</script>")))

    def represent(self, image: Any) -> dict[str, object]:
        """Show tags that nobody gave."""
        tags = ["\ud800", HOSTILE, "\x00", *image.tags]
        return {**super().represent(image), "tags": tags if image.tags else []}


class Empty(App):
    """A service that has nothing to show."""

    def create_image(self, request: Any) -> Reply:
        """Refuse it."""
        return self.method_not_allowed(request, ["GET"])


RUNS: dict[str, tuple[type[App], tuple[str, ...]]] = {
    "passing": (App, ()),
    "failing": (Hostile, GROUPS),
    "blocked": (Empty, GROUPS),
}


@pytest.fixture(scope="module")
def runs(shared_workshop: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the outcome of a run, made once."""
    made: dict[str, Any] = {}

    def run(name: str) -> Any:
        if name not in made:
            workshop = shared_workshop(name)
            app, words = RUNS[name]
            with serving(app()) as server:
                workshop.named(server)
                made[name] = workshop.judge("--patience", "0", *words)
        return made[name]

    return run


EVERY = pytest.mark.parametrize("name", [*RUNS])


@EVERY
def test_the_results_are_as_their_schema_says(runs: Callable[[str], Any], name: str) -> None:
    """However the run went."""
    schema = json.loads(
        (resources.files("pytest_cloudimages.reporting.schemas") / "conformance.json").read_text("utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)

    problems = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(
        runs(name).results
    )
    assert [f"{problem.json_path}: {problem.message}" for problem in problems] == []


def test_the_schema_knows_every_kind_of_event() -> None:
    """A witness may have any of them."""
    schema = json.loads(
        (resources.files("pytest_cloudimages.reporting.schemas") / "conformance.json").read_text("utf-8")
    )
    witness = schema["properties"]["requirements"]["items"]["properties"]["witnesses"]["items"]

    assert {*witness["properties"]["events"]["items"]["properties"]["kind"]["enum"]} == {*Kind}


@EVERY
def test_the_totals_add_up(runs: Callable[[str], Any], name: str) -> None:
    """Every requirement has one entry and one verdict."""
    results = runs(name).results
    verdicts = Counter(result["verdict"] for result in results["requirements"])

    assert {key: value for key, value in results["totals"].items() if value} == verdicts
    assert sum(results["totals"].values()) == results["catalogue"]["requirements"] == len(load())
    assert [each_result["id"] for each_result in results["requirements"]] == [*load()]


@EVERY
def test_an_entry_says_what_can_be_looked_up(runs: Callable[[str], Any], name: str) -> None:
    """The operation, and where the document that speaks of it can be read."""
    fields = ("operation", "statement", "document", "section", "url")

    for entry in runs(name).results["requirements"]:
        assert {field: entry[field] for field in fields} == {
            field: getattr(load()[entry["id"]], field) for field in fields
        }


@pytest.mark.parametrize(
    ("name", "status", "verdict"), [("passing", 0, "pass"), ("failing", 1, "fail"), ("blocked", 3, "blocked")]
)
def test_a_run_says_how_it_went(runs: Callable[[str], Any], name: str, status: int, verdict: str) -> None:
    """By its exit status, and by what it counts."""
    outcome = runs(name)

    assert outcome.status == status, outcome.out
    assert outcome.results["totals"][verdict] > 0
    assert "Traceback" not in outcome.out
    assert "INTERNALERROR" not in outcome.out


@EVERY
def test_requests_are_counted_by_purpose(runs: Callable[[str], Any], name: str) -> None:
    """Judging, preparing, cleaning and explaining; the terminal tells the same."""
    outcome = runs(name)
    counts = outcome.results["requests"]

    assert set(counts) == {"judging", "preparing", "cleaning", "explaining"}
    assert f"requests: {sum(counts.values())} ({counts['judging']} judging" in outcome.out


@EVERY
def test_what_is_worth_a_word_says_why(runs: Callable[[str], Any], name: str) -> None:
    """And a finding can be replayed."""
    for result in runs(name).results["requirements"]:
        assert result["explanation"] or result["verdict"] in ("pass", "noted"), result["id"]
        assert ("replay" in result) == (result["verdict"] not in ("pass", "untested")), result["id"]


@EVERY
def test_reports_are_whole(runs: Callable[[str], Any], name: str) -> None:
    """JSON of ASCII alone, XML that parses, HTML with every check."""
    folder = runs(name).reports

    assert (folder / "conformance.json").read_bytes().isascii()
    assert not [*folder.glob("*.part")]
    cases = [*ET.parse(folder / "junit.xml").iter("testcase")]
    assert len(cases) == len(runs(name).results["requirements"])
    assert rows_of(folder)


def blob(folder: Path) -> dict[str, Any]:
    """Return the data that the page shows."""
    found: list[str] = []

    class Finder(HTMLParser):
        def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name == "data-jsonblob")

    Finder().feed((folder / "conformance.html").read_text("utf-8"))
    data: dict[str, Any] = json.loads(found[0])
    return data


def rows_of(folder: Path) -> dict[str, Any]:
    """Return the rows of the page."""
    rows: dict[str, Any] = blob(folder)["tests"]
    return rows


def test_the_page_holds_no_markup_of_the_service(runs: Callable[[str], Any]) -> None:
    """Neither in the page itself, nor in what its script puts there."""
    folder = runs("failing").reports
    page = (folder / "conformance.html").read_text("utf-8")
    shown = json.dumps(
        [
            [cell.get("resultsTableRow"), cell.get("tableHtml"), cell.get("log")]
            for row in rows_of(folder).values()
            for cell in row
        ]
    )

    for text in (page, shown):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "alert(1)" in html.unescape(shown)


def test_the_page_holds_commands(runs: Callable[[str], Any]) -> None:
    """A failing check shows what was sent, as a line for the shell."""
    shown = html.unescape(json.dumps(rows_of(runs("failing").reports)))

    assert re.search(r"curl -isS --path-as-is .*-X PUT .*X-Auth-Token: \$TOKEN", shown)


def test_a_finding_holds_what_the_service_sent(runs: Callable[[str], Any]) -> None:
    """With every odd octet escaped."""
    exchanges = runs("failing").entry("TAG-ADD-11")["exchanges"]
    answer = next(exchange["answer"] for exchange in exchanges if exchange["status"] == 500)

    assert answer.startswith("<script>alert(1)</script>")
    assert "\\x1b[31m" in answer
    assert "\\xff\\xfe\\xed\\xa0\\x80\\x00\\u202e" in answer
    assert ["X-Hostile", "<script>alert(3)</script>"] in next(x for x in exchanges if x["status"] == 500)[
        "answer_headers"
    ]


def test_the_terminal_shows_no_control_characters(runs: Callable[[str], Any]) -> None:
    """A service cannot colour it, nor turn its direction."""
    out = runs("failing").out

    assert not [text for text in ("\x1b", "\x00", "\u202e", "\ud800") if text in out]


def test_a_blocked_run_says_what_to_do(runs: Callable[[str], Any]) -> None:
    """Where no image can be created, one can be lent."""
    outcome = runs("blocked")

    assert "--image ID" in outcome.entry("TAG-ADD-13")["explanation"]
    assert "requirements, by one cause: " in outcome.out


def test_a_passing_run_knows_its_surroundings(runs: Callable[[str], Any]) -> None:
    """What was judged, by what, with which settings; and nothing was left behind."""
    results = runs("passing").results

    assert results["seed"] == results["settings"]["seed"] == 1
    assert results["settings"]["profile"] == "quick"
    assert {"python", "pytest", "hypothesis", "requests", "urllib3"} <= {*results["software"]}
    assert (results["interrupted"], results["problem"], results["left_behind"]) == (False, "", [])


# The parts


REQUIREMENT = load()["TAG-ADD-04"]


def facts(**rest: Any) -> RunFacts:
    """Make the facts of a run that asked for one requirement, with two tests."""
    rest = {"chosen": frozenset({"TAG-ADD-04"}), "tested": {"TAG-ADD-04": ["t", "u"]}, **rest}
    settings = Settings(seed=3)
    replay = {"TAG-ADD-04": settings.replay(("TAG-ADD-04",))}
    return RunFacts("http://h/v2", "--endpoint", "a token", settings.as_data(), replay=replay, **rest)


def entry(*records: CheckResult, **rest: Any) -> dict[str, Any]:
    """Return the entry of the requirement."""
    (found,) = Results.of(facts(**rest), {"TAG-ADD-04": REQUIREMENT}, records).entries
    return found


def test_results_are_made_of_facts_and_records_alone() -> None:
    """Two tests of one requirement: the worse one decides, and says why; what both did is added up."""
    mismatch = {"what": "tags", "before": ["a"], "expected": ["a", "b"], "actual": ["b"], "missing": ["a"]}
    good = CheckResult("TAG-ADD-04", Verdict.PASS, "t", 2, 5, 0.5, notes=("n",))
    bad = CheckResult("TAG-ADD-04", Verdict.FAIL, "u", 1, 2, explanation="lost", mismatch=mismatch, extent="any tag")
    found = entry(good, bad)

    assert {name: found[name] for name in ("verdict", "cases", "requests", "notes", "explanation", "class")} == {
        "verdict": "fail", "cases": 3, "requests": 7, "notes": ["n"], "explanation": "lost", "class": "any tag",
    }  # fmt: skip
    assert {name: found[name] for name in mismatch} == mismatch
    assert found["replay"] == "cloudimages run --seed 3 --select TAG-ADD-04"


def test_a_finding_says_when_it_was_first_known() -> None:
    """Of several checks that say so, the one that was first; what another has shown before is no finding."""
    good = CheckResult("TAG-ADD-04", Verdict.PASS, "t", sent_before=3, known_at=101.0)
    bad = CheckResult("TAG-ADD-04", Verdict.FAIL, "u", sent_before=40, known_at=103.5)
    worse = CheckResult("TAG-ADD-04", Verdict.FAIL, "v", sent_before=90, known_at=109.0)

    assert entry(good, worse, bad, started=100.0)["known"] == {"requests": 40, "seconds": 3.5}
    assert "known" not in entry(good, started=100.0)


def test_what_was_found_with_another_seed_is_replayed_with_it() -> None:
    """The command is the one that the check came with."""
    found = entry(CheckResult("TAG-ADD-04", Verdict.FAIL, "u", seed=9, replay="cloudimages run --seed 9"))

    assert found["replay"] == "cloudimages run --seed 9"


@pytest.mark.parametrize(
    ("records", "rest", "verdict", "explanation"),
    [
        ([], {"chosen": frozenset()}, "untested", "Not selected, or left to a profile that asks for more."),
        ([], {}, "untested", "Its test was left out of this run."),
        ([], {"interrupted": True}, "blocked", "The run was interrupted before it was judged."),
        ([Verdict.PASS], {"interrupted": True}, "blocked", "The run was interrupted before it was judged."),
        ([Verdict.PASS], {}, "pass", ""),
    ],
)
def test_what_was_not_judged_says_why(
    records: list[Verdict], rest: dict[str, Any], verdict: str, explanation: str
) -> None:
    """Left out, or cut short: half of its tests do not make a verdict where the run was interrupted."""
    found = entry(*(CheckResult("TAG-ADD-04", record, "t") for record in records), **rest)

    assert (found["verdict"], found["explanation"]) == (verdict, explanation)


OWN_RUN = ("--cloudimages-reports=reports", "--cloudimages-profile=quick", "-p", "no:cacheprovider")
EXPECTING = """
from pytest_cloudimages import expect, requirement

@requirement("TAG-ADD-04")
def test_others_stay(cloudimages_workloads):
    for step in cloudimages_workloads.plain_tags.additions(acknowledged=True):
        step.expect(status=204, after={*step.before, step.tag})

@requirement("TAG-ADD-05")
def test_a_header(cloudimages_image):
    cloudimages_image.given_tags("there")
    expect(cloudimages_image.show().headers.get("X-Nowhere"), "here", "X-Nowhere")
"""


class TakesTheFirstAway(App):
    """Forgets the first tag at each addition to an image that has two."""

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Add it, and take another one away."""
        reply = super().add_tag(request, image_id, tag)
        tags = self.images.get(image_id).tags
        if len(tags) > 2:
            del tags[0]
        return reply


def test_what_a_check_expected_is_in_every_report(workshop: Any) -> None:
    """As data in conformance.json, and in rows of their own on the terminal and the page."""
    workshop.write("test_own.py", EXPECTING)
    with serving(TakesTheFirstAway()) as server:
        workshop.named(server)
        outcome = workshop.end(workshop.start("pytest", *OWN_RUN))
    found = outcome.entry("TAG-ADD-04")
    schema = json.loads(
        (resources.files("pytest_cloudimages.reporting.schemas") / "conformance.json").read_text("utf-8")
    )
    jsonschema.validate(outcome.results, schema)

    assert found["verdict"] == "fail"
    assert sorted([*found["actual"], *found["missing"]]) == found["expected"]
    assert set(found["missing"]) <= set(found["before"])
    assert "unexpected" not in found
    assert found["explanation"].startswith(f"{found['what']}: expected [")
    row = rf"missing: +{re.escape(ascii(found['missing'][0]))}"
    assert re.search(row, outcome.out)
    assert re.search(row, html.unescape(json.dumps(rows_of(outcome.reports), ensure_ascii=False)))
    other = outcome.entry("TAG-ADD-05")
    assert (other["expected"], other["actual"]) == ("here", None)


def test_findings_begin_with_the_service() -> None:
    """Fails, then advisories, then what could not be judged."""
    words = ["pass", "blocked", "advisory", "error", "fail", "noted", "unstable", "untested"]
    results = Results({"requirements": [{"id": word, "verdict": word} for word in words]})

    assert [finding["id"] for finding in results.findings] == ["fail", "advisory", "blocked", "error", "unstable"]


def test_results_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves the older file as it is."""
    data = Results.of(facts(), load(), ()).data
    write(Results({**data, "problem": "\ud800é"}), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert json.loads(before["conformance.json"])["problem"] == "\ud800é"
    assert "\\ud800é" in before["index.html"].decode()
    with pytest.raises(TypeError):
        write(Results({**data, "problem": object()}), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_report_of_another_form_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever makes a text of the results is written beside the others."""
    monkeypatch.setitem(WRITERS, "totals.txt", lambda results: f"{results.count(Verdict.FAIL)} fail\n")
    write(Results.of(facts(), load(), ()), tmp_path)

    assert (tmp_path / "totals.txt").read_text("utf-8") == "0 fail\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "conformance.json",
        "index.html",
        "junit.xml",
        "totals.txt",
    ]
