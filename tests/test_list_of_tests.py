"""conformance.html: what a run puts on the page that pytest-html makes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pytest_cloudimages.reporting import html
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from sample_results import VERDICTS, exchange, results

TAGS = [identifier for identifier in load() if identifier.startswith("TAG-ADD-")]


def test_a_table_of_many_verdicts_has_a_number_in_each_cell() -> None:
    """However many verdicts there are; the sentence about other groups is no row of it."""
    shown = html.summary(results({identifier: VERDICTS[number % 7] for number, identifier in enumerate(TAGS)}))
    (table,) = re.findall(r'<table class="conformance">.*?</table>', shown)
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]

    assert table.count("<th>") == 1 + 7
    assert [row[0] for row in rows] == ["TAG-ADD"]
    assert sum(int(cell) for row in rows for cell in row[1:]) == len(TAGS)
    assert re.search(r"</table><p>\d+ requirements of other groups are untested\.</p>", shown)


def test_the_page_says_whose_specification_judged() -> None:
    """And leads to the page to read."""
    shown = html.summary(results({"TAG-ADD-01": Verdict.PASS}))

    assert "Judged by the Cloud Images 2.0 API reference" in shown
    assert '<a href="index.html">' in shown
    assert "width=device-width" in shown


def test_a_finding_has_its_class_and_its_whole_answer() -> None:
    """What it shows of an answer is all that conformance.json has, and how long the answer was."""
    entry = results({"TAG-ADD-01": Verdict.FAIL}).findings[0]
    entry = {**entry, "exchanges": [{**exchange(1, f"{'x' * 1_900}end"), "answer_octets": 70_000}]}
    shown = html.details([entry])

    assert "class:      any tag beyond ASCII" in shown
    assert "xend\n    (the first of 70,000 octets)" in shown


def test_words_of_pytest_are_not_above_the_verdict() -> None:
    """Neither its outcomes nor the packages that are installed."""
    style = html.STYLE.read_text(encoding="utf-8")

    assert re.search(r"#environment-header, #environment, .run-count, p.filter, .filters \{ display: none; \}", style)
