"""index.html: the page that a reader opens first."""

from __future__ import annotations

import datetime as dt
import html
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_cloudimages.reporting.annotated import annotated, operations
from pytest_cloudimages.reporting.deviations import Deviation
from pytest_cloudimages.reporting.findings import causes
from pytest_cloudimages.reporting.index_page import LARGEST, as_page, cut, once_more, values
from pytest_cloudimages.reporting.latency_plot import words
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from sample_results import VERDICTS, results

TAGS = [identifier for identifier in load() if identifier.startswith("TAG-")]
MIXED = {identifier: VERDICTS[number % len(VERDICTS)] for number, identifier in enumerate(TAGS)}


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))

    def named(self, attribute: str) -> set[str]:
        """Return the values of an attribute, wherever it stands."""
        return {value or "" for _, attributes in self.found for name, value in attributes.items() if name == attribute}


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page of a run that has met every verdict."""
    return as_page(results(MIXED))


def test_the_page_follows_from_the_results_alone(page: str) -> None:
    """Equal results make equal pages."""
    assert page == as_page(results(MIXED))


@pytest.mark.parametrize("input_class", ["", "any tag beyond ASCII"])
def test_a_cause_says_what_was_expected_and_what_came(input_class: str) -> None:
    """Where no class is known; a word such as "missing" tells a reader too little."""
    found = results({"TAG-ADD-05": Verdict.FAIL})
    entries = [
        {**entry, "input_class": input_class, "symptom": "missing"} if "identity" in entry else entry
        for entry in found.data["requirements"]
    ]
    data = {**found.data, "requirements": entries, "causes": causes(entries)}
    (shown,) = re.findall('<p class="symptoms">(.*?)</p>', as_page(replace(found, data=data)))

    assert html.unescape(shown) == (
        "missing" if input_class else r"tags after add 'é': expected 'a', '\xe9', came '\xe9'"
    )


def test_each_requirement_can_be_linked_to(page: str) -> None:
    """By its id; and no link of the page leads nowhere."""
    elements = Elements(page)

    assert {*load()} <= elements.named("id")
    inside = {link[1:] for link in elements.named("href") if link.startswith("#")}
    assert inside <= elements.named("id")


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    """No source, style sheet, font or image of another place; a policy forbids what somebody may bring in."""
    elements = Elements(page)
    (policy,) = (attributes["content"] or "" for tag, attributes in elements.found if "http-equiv" in attributes)

    assert elements.named("src") == set()
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert elements.named("style") == set()  # the policy would have the browser complain


@pytest.mark.parametrize(
    "text",
    [
        "tags after add &#x27;é&#x27;",
        "any tag beyond ASCII",
        "in the second round",
        "2 of 18 races lose an addition",
        "tags are shown in the order of addition.",
        "req-000000000001",
        "X-Auth-Token: $TOKEN",
        "cloudimages run --seed 7 --select TAG-ADD-02",
        "the Cloud Images 2.0 API reference",
        "upper case",
        "45 ms",
        "lost addition",
    ],
)
def test_the_evidence_is_on_the_page(page: str, text: str) -> None:
    """What was asked, what came, for which input, and how to ask again."""
    assert text in page


@pytest.mark.parametrize(
    ("verdicts", "said", "colour"),
    [
        ({"TAG-ADD-01": Verdict.PASS, "TAG-ADD-02": Verdict.PASS}, "PASS: 2 requirements met", "pass"),
        (
            {"TAG-ADD-01": Verdict.FAIL, "TAG-ADD-02": Verdict.FAIL, "TAG-ADD-08": Verdict.ADVISORY},
            "FAIL: 1 cause, 2 MUSTs not met, 1 advisory",
            "fail",
        ),
        ({"TAG-ADD-08": Verdict.ADVISORY}, "PASS: 1 cause, 1 advisory", "advisory"),
        ({"TAG-ADD-01": Verdict.BLOCKED}, "NOT JUDGED: 1 blocked, nothing was judged", "blocked"),
    ],
)
def test_the_page_begins_with_the_verdict(verdicts: dict[str, Verdict], said: str, colour: str) -> None:
    """In the sentence with which the run ends."""
    assert f'<h1 class="sentence o-{colour}">{said}</h1>' in as_page(results(verdicts))


DEVIATION = Deviation("TAG-ADD-01", "*", "known since the first release", "ann@example.org", dt.date(2100, 1, 1))


def test_what_is_accepted_is_shown_as_such() -> None:
    """With its reason, who answers for it and until when; and no cause is left to mend."""
    page = as_page(results({"TAG-ADD-01": Verdict.FAIL, "TAG-ADD-02": Verdict.PASS}).accepting([DEVIATION]))

    assert 'id="TAG-ADD-01" data-verdict="deviates"' in page
    assert "until 2100-01-01: known since the first release (ann@example.org)" in page
    assert 'class="verdict v-fail"' not in page.partition('id="verdicts"')[0]


def test_the_page_compares_with_the_baseline() -> None:
    """What is new, and what has been mended, with a link to each."""
    old, new = results({"TAG-ADD-01": Verdict.FAIL}), results({"TAG-ADD-01": Verdict.PASS, "TAG-ADD-02": Verdict.FAIL})
    (section,) = re.findall(r'<section id="baseline".*?</section>', as_page(new.against(old.data)), re.DOTALL)

    assert re.search(r'<dt>fixed</dt><dd class="ids"><a href="#TAG-ADD-01">', section)
    assert '<a href="#TAG-ADD-02">' in section


def test_a_page_is_small_however_much_was_found() -> None:
    """What it leaves out, it says, and where the rest is: of exchanges, answers, headers and values."""
    run = results(dict.fromkeys(TAGS, Verdict.FAIL), cases=40, exchanges=12, answer="x" * 2_000)
    for entry in run.entries:
        if "exchanges" in entry:
            entry["actual"] = [f"tag {number}" for number in range(2_000)]
            entry["exchanges"][-1]["answer_headers"] = [["X-Long", "y" * 5_000]] * 100
    page = as_page(run)

    assert len(page.encode()) <= LARGEST
    assert "conformance.json has all" in page


def test_every_statement_of_the_annotated_specification_names_requirements_that_there_are() -> None:
    """And both operations of the page are told."""
    named = [
        identifier
        for operation in operations()
        for part in operation["parts"]
        for statement in part["statements"]
        for identifier in statement["requirements"]
    ]

    assert [operation["request"].split()[0] for operation in operations()] == ["PUT", "DELETE"]
    assert [identifier for identifier in named if identifier not in load()] == []
    assert {*named} >= {identifier for identifier in load() if re.fullmatch("TAG-(ADD|DEL)-0[1-7]", identifier)}


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("pass", "untested", "pass"),
        ("pass", "fail", "fail"),
        ("untested", "untested", "untested"),
        ("deviates", "pass", "deviates"),
        ("deviates", "advisory", "advisory"),
    ],
)
def test_a_statement_has_the_worst_verdict_of_what_was_asked(first: str, second: str, together: str) -> None:
    """What was not asked says nothing of it."""
    statement = annotated({"TAG-ADD-01": first, "TAG-ADD-03": second})[0]["parts"][0]["statements"][0]

    assert statement["verdict"] == together


def test_values_are_shown_with_what_cannot_be_told_by_sight() -> None:
    """Two letters that look the same are told apart by their escapes."""
    assert values(["a", "é", "e\u0301"], 99) == (["'a'", "'é'  ('\\xe9')", "'e\u0301'  ('e\\u0301')"], "")
    assert (values([], 9), values(None, 9), values(204, 9)) == ((["none"], ""), (["nothing"], ""), (["204"], ""))
    assert values(["abc", "def"], 7) == (["'abc'", "'d"], "cut here, in value 2 of 2; conformance.json has all")


def test_each_finding_names_its_file(page: str) -> None:
    """With the command that replays it, or why nothing does: tests of one's own are in no file."""
    made = results(MIXED)
    found = [entry for entry in made.entries if "finding" in entry]
    commands = re.findall(r"<code>cloudimages replay (findings/\S+?\.json)</code>", page)
    untold = {name: value for name, value in found[0].items() if name not in ("expected", "rate", "race")}

    assert found
    assert sorted(commands) == sorted(entry["finding"] for entry in found)
    assert once_more(untold, made.data)[0].startswith("cloudimages replay findings/")
    untold["replay"] += " -- tests/test_own.py"
    assert once_more(untold, made.data) == ("", "what was expected is not told as data")


def test_what_is_cut_says_so() -> None:
    """With the length of the whole."""
    assert cut("abcdef", 3) == ("abc", "cut here: 3 of 6; conformance.json has more")
    assert cut("abc", 3, 9_000) == ("abc", "cut here: the answer has 9,000 octets")
    assert cut("(project 1)", 30, 32) == ("(project 1)", ""), "a name that stands for a longer one cuts nothing"
    assert cut("é", 3, 2) == ("é", "")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.00042, "0.42 ms"), (0.0123, "12.3 ms"), (1.25, "1.25 s"), (0.001, "1 ms")]
)
def test_times_have_few_digits(seconds: float, said: str) -> None:
    """As much as a reader compares."""
    assert words(seconds) == said
