"""Services side by side: what differs, what does not, and where it leads."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample_results import results

from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.engine.claimed_areas import claimed_areas
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reporting.decisive_requests import decisive
from pytest_cloudimages.reporting.results import Results, as_json
from pytest_cloudimages.reporting.side_by_side import ABSENT, CLAIMED, Column, as_html, as_markdown, rows
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

PASS, FAIL, UNTESTED, BLOCKED = Verdict.PASS, Verdict.FAIL, Verdict.UNTESTED, Verdict.BLOCKED
ADD = "TAG-ADD-03"


def column(label: str, verdict: Verdict, **changes: Any) -> Column:
    """Return the column of a service with one verdict; changes are made to its entry."""
    made = results({} if verdict is UNTESTED else {ADD: verdict})
    entries = [entry | changes if entry["id"] == ADD else entry for entry in made.entries]
    return Column(label, {**made.data, "requirements": entries})


@pytest.mark.parametrize(
    ("columns", "differs"),
    [
        ([column("a", PASS), column("b", PASS)], False),
        ([column("a", PASS), column("b", FAIL)], True),
        ([column("a", FAIL), column("b", FAIL)], False),
        ([column("a", FAIL), column("b", FAIL, input_class="another class")], True),
        ([column("a", FAIL), column("b", FAIL, input_class="")], False),
        ([column("a", FAIL), column("b", FAIL, symptom="not shown")], True),
        ([column("a", PASS), column("b", UNTESTED)], False),
        ([column("a", PASS), column("b", BLOCKED)], True),
    ],
)
def test_services_differ_by_verdict_and_by_finding(columns: list[Column], differs: bool) -> None:
    """One that was not asked is no difference, since nothing is known of it."""
    row = next(row for row in rows(columns) if row.entry["id"] == ADD)

    assert row.differs is differs


def test_a_requirement_that_another_catalogue_has_is_absent() -> None:
    """Catalogues of two releases of the suite may differ."""
    known = load()
    less = {identifier: known[identifier] for identifier in known if identifier != ADD}
    old = Column("old", results({}, catalogue=less).data)

    row = next(row for row in rows([old, column("new", PASS)]) if row.entry["id"] == ADD)
    assert [cell.verdict for cell in row.cells] == [ABSENT, "pass"]
    assert ABSENT in as_html([old, column("new", PASS)])


def saved(folder: Path, made: Results, *, page: bool = False) -> Path:
    """Write results into a folder of reports."""
    folder.mkdir()
    (folder / "conformance.json").write_text(as_json(made), encoding="utf-8")
    if page:
        (folder / "index.html").touch()
    return folder


def test_the_command_names_columns_and_links_to_their_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name stands before the file; a link leads from where the matrix lies to the requirement on the run's page."""
    first = saved(tmp_path / "first", results({ADD: PASS}), page=True)
    second = saved(tmp_path / "second", results({ADD: FAIL}))
    output = tmp_path / "out" / "matrix.html"
    output.parent.mkdir()

    assert main(["matrix", f"Release 1={first}", str(second), "-o", str(output)]) == 0
    page = output.read_text("utf-8")
    assert f'<a href="../first/index.html#{ADD}">' in page
    assert "Release 1" in page
    assert "1 difference" in page

    assert main(["matrix", f"Release 1={first}", str(second)]) == 0
    table = capsys.readouterr().out
    assert "| service | fail |" in table
    assert f"| {ADD}: " in table
    assert "| pass | fail: any tag beyond ASCII | differs |" in table


def test_what_differs_in_nothing_is_said() -> None:
    """An empty table would be a riddle."""
    assert as_markdown([column("a", PASS), column("b", PASS)]).endswith("They do not differ, and nothing is missed.\n")


def test_a_wrong_word_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was given, what is allowed, what to do."""
    folder = saved(tmp_path / "first", results({ADD: PASS}))

    assert main(["matrix", str(tmp_path / "none")]) == 2
    assert main(["matrix", str(folder), "-o", "matrix.pdf"]) == 2
    assert main(["matrix", str(folder), "-o", str(tmp_path / "none" / "matrix.md")]) == 4
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "expected a name ending in .html or .md, got matrix.pdf" in told[1]


def test_a_hostile_service_has_no_power_over_the_page() -> None:
    """Neither by its name nor by what it sends."""
    hostile = "<script>alert(1)</script>##[error]"
    columns = [
        dataclasses.replace(column("a", FAIL, input_class=hostile), label=hostile),
        column("b", PASS),
    ]

    assert "<script>" not in as_html(columns)
    assert "##[" not in as_html(columns) + as_markdown(columns)
    assert "<script>" not in as_markdown(columns)


def test_what_a_service_claims_and_no_run_judged_is_a_state_of_its_own() -> None:
    """It is no difference, and is not hidden among what nobody has."""
    claiming, silent = column("a", UNTESTED), column("b", UNTESTED)
    told = "GET /v2/schemas/image answers 200, with the property tags"
    service = claiming.data["service"] | {"claims": {"image-tags": told}}
    claiming = dataclasses.replace(claiming, data={**claiming.data, "service": service})

    row = next(row for row in rows([claiming, silent]) if row.entry["id"] == ADD)
    assert [cell.verdict for cell in row.cells] == [CLAIMED, "untested"]
    assert row.claimed
    assert not row.differs
    assert f'id="{ADD}"' in as_html([claiming, silent])
    assert f"requirements; {told}" in as_markdown([claiming, silent])
    assert f'id="{ADD}"' not in as_html([silent])


IMAGE = "/v2/images/0b1c2d3e-0000-4000-8000-000000000001"
PROJECT = "0123456789abcdef" * 2
MEMBER = {"member_id": PROJECT, "status": "pending"}


def step(method: str, target: str, status: int, answer: str = "") -> dict[str, Any]:
    """Return a request as results keep it."""
    return {"method": method, "target": target, "body": "", "caller": "tester", "status": status, "answer": answer}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {
                "what": "tags after add",
                "missing": ["a"],
                "unexpected": ["é"],
                "exchanges": [step("PUT", f"{IMAGE}/tags/{tag}", 204) for tag in ("a", "%C3%A9", "b", "c", "d")]
                + [step("GET", IMAGE, 200, '{"tags": ["\u00e9", "b"]}')],
            },
            [
                "PUT {A}/tags/a → 204",
                "PUT {A}/tags/%C3%A9 → 204",
                'GET {A} → 200, tags: ["é", "b"]',
                "missing: 'a'",
                "unexpected: '\\xe9'",
            ],
        ),
        (
            {
                "what": f"status of DELETE {IMAGE}/tags/b",
                "exchanges": [
                    step("PUT", f"{IMAGE}/tags/b", 204),
                    step("DELETE", f"{IMAGE}/tags/b", 500),
                    step("GET", IMAGE, 200, '{"tags": ["b"]}'),
                ],
            },
            ["PUT {A}/tags/b → 204", "DELETE {A}/tags/b → 500"],
        ),
        (
            {"what": "status", "exchanges": [step("PUT", f"{IMAGE}/tags/{'%C3%A9' * 300}", 204)]},
            ["PUT {A}/tags/%C3%A9×300 → 204"],
        ),
        (
            {
                "what": "answers of 2 races",
                "expected": "an order",
                "actual": "none",
                "witnesses": [{"text": f"duplicate: '{PROJECT}' of image 0. It is there twice.\n> client 0: read"}],
                "exchanges": [step("GET", f"{IMAGE}/members", 200, json.dumps({"members": [MEMBER, MEMBER]}))],
            },
            [
                "GET {A}/members → 200, 2 members: {B}, {B}",
                "duplicate: '{B}' of image 0. It is there twice.",
            ],
        ),
        (
            {
                "what": f"status of DELETE {IMAGE}/tags/oak%20",
                "expected": "2xx",
                "actual": 500,
                "exchanges": [
                    step("GET", IMAGE, 200, json.dumps({"tags": [*(f"{n:018}" for n in range(30)), "Oak"]})),
                    step("DELETE", f"{IMAGE}/tags/oak%20", 500),
                ],
            },
            [
                "GET {A} → 200, tags: [" + "".join(f'"{n:018}", ' for n in range(6)) + '"Oak", … 24 more]',
                "DELETE {A}/tags/oak%20 → 500",
                "expected: '2xx'; came: 500",
            ],
        ),
        (
            {
                "what": "status",
                "exchanges": [
                    step("POST", f"{IMAGE}/members", 200)
                    | {"body": "{}", "headers": [["Accept", "*/*"], *([["content-type", kind]] if kind else [])]}
                    for kind in ("application/json", "text/plain", "")
                ],
            },
            [
                "POST {A}/members with {} → 200",
                "POST {A}/members with {} of type text/plain → 200",
                "POST {A}/members with {} of no type → 200",
            ],
        ),
        ({"what": "anything", "exchanges": []}, []),
    ],
)
def test_few_requests_show_a_finding(entry: dict[str, Any], expected: list[str]) -> None:
    """The one it is about, and the writes that led there: those on its tags before others; then what is amiss.

    Of a long list what is like the tag of a request is shown in any case.
    """
    assert decisive(entry) == [line.replace("{A}", "/v2/images/{A}") for line in expected]


def test_the_requests_of_a_finding_stand_beside_it() -> None:
    """Once for all services that depart in the same way."""
    shown = [step("PUT", f"{IMAGE}/tags/b", 204), step("GET", IMAGE, 200, '{"tags": []}')]
    columns = [column(label, FAIL, exchanges=shown) for label in "ab"]

    page = as_markdown(columns)
    assert page.count("    PUT /v2/images/{A}/tags/b → 204\n    GET /v2/images/{A} → 200, tags: []") == 1
    assert "\na, b: any tag beyond ASCII\n" in page
    assert as_html(columns).count("PUT /v2/images/{A}/tags/b → 204") == 2


def test_what_departs_for_no_known_class_stands_by_itself_unless_the_same_requests_show_it() -> None:
    """A service whose class was not looked for is not said to depart for that of another."""
    nul, case, slash = ([step("PUT", f"{IMAGE}/tags/{tag}", 500)] for tag in ("n%00l", "Abc", "%2Fb"))
    columns = [
        column("a", FAIL, exchanges=nul, input_class="any tag with a NUL"),
        column("b", FAIL, exchanges=case, input_class=""),
        column("c", FAIL, exchanges=nul, input_class=""),
        column("d", FAIL, exchanges=slash, input_class="any tag with a slash"),
    ]

    page = as_markdown(columns)
    assert "\na, c: any tag with a NUL\n" in page
    assert "\nb: " in page
    assert "\nd: any tag with a slash\n" in page


@pytest.mark.parametrize(
    ("changes", "areas"),
    [
        ({}, ["versions", "schemas", "images", "image-tags", "pagination", "image-sharing", "tasks"]),
        ({"select": ("TAG-ADD-01",)}, []),
        ({"profile": "quick"}, []),
    ],
)
def test_a_whole_run_asks_what_the_service_claims(changes: dict[str, Any], areas: list[str]) -> None:
    """A run that is narrowed or quick has no request for it."""
    run = prepare(Settings(reference=True, **changes), ())
    try:
        assert [*claimed_areas(run)] == areas
    finally:
        run.close()
