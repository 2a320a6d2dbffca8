"""The published detection score says what was measured, on the faults that there are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parent))

from assertions import Emptied, Softened, checks_of
from faults import FAULTS
from faults.kinds import NAMED, Kind, kind_of
from faults.page import render, score
from faults.score import ASSERTIONS, OURS, PAGE, PEERS, README, Measured, Row
from faults.table import declared, main, stale
from faults.trial import Meter

from pytest_cloudimages.app.cli import requirements
from pytest_cloudimages.reference.app import Request
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

ROOT = Path(__file__).parents[1]
WRITE = "run: python tests/faults --write"


def test_the_score_is_of_the_faults_that_there_are() -> None:
    """Every fault was measured with the requirements that it breaks now, and nothing else was."""
    ours = Measured.load(OURS)

    assert stale(ours) == [], WRITE
    assert sorted(ours.faults.keys() - FAULTS.keys()) == [], WRITE


def test_every_fault_is_caught() -> None:
    """Of every fault all that it breaks was found, and nothing beyond that and what it may break."""
    rows = Measured.load(OURS).faults

    assert {name: missed for name, fault in FAULTS.items() if (missed := fault.broken - {*rows[name]["found"]})} == {}
    assert {
        name: blamed
        for name, fault in FAULTS.items()
        if (blamed := {*rows[name]["found"]} - fault.broken - fault.perhaps)
    } == {}


def test_no_check_can_be_emptied_unnoticed() -> None:
    """For every requirement that can be a finding, a fault was found that goes unfound without the check's assertions."""
    rows = Measured.load(ASSERTIONS).faults.values()
    catalogue = load()
    findings = {
        each for each in requirements.tested_ids() if catalogue[each].missed in (Verdict.FAIL, Verdict.ADVISORY)
    }
    write = "run: tox run -e assertions"

    assert sorted(findings ^ {row["requirement"] for row in rows}) == [], write
    assert [row["check"] for row in rows if row["fault"] not in FAULTS] == [], write


SUITE = """
@requirement("TAG-ADD-01", "TAG-ADD-03")
def test_it(steps):
    for step in steps:
        assert step.look() == 204, step
        expect_tags(step, among=step.look())
    told(steps)


def told(steps):
    steps.expect(steps.count())


def not_asked():
    assert False


@requirement("TAG-ADD-02")
def test_another(steps):
    assert steps
"""


class Steps:
    """Says how often it was looked at."""

    looks = 0

    def __iter__(self) -> "Iterator[Steps]":
        yield self

    def look(self) -> int:
        self.looks += 1
        return 500

    def count(self) -> int:
        self.looks += 10
        return 1

    def expect(self, what: object) -> None:
        raise AssertionError(what)


def _asked(change: ast.NodeTransformer, **names: object) -> int:
    """Carry out the check of a changed suite, and return how often it looked."""

    def expect_tags(step: Steps, *, among: int) -> None:
        raise AssertionError(step, among)

    room = {"requirement": lambda *_: lambda test: test, "expect_tags": expect_tags, **names}
    tree = ast.fix_missing_locations(change.visit(ast.parse(SUITE)))
    exec(compile(tree, "suite", "exec"), room)  # noqa: S102 - our own text
    room["test_it"](steps := Steps())  # type: ignore[operator]
    return steps.looks


def test_checks_are_found_by_their_marks(tmp_path: Path) -> None:
    """A check is what names a requirement, wherever it lies; its assertions are its own and its helpers'."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "anywhere.py").write_text(SUITE, encoding="utf-8")

    first, second = checks_of(tmp_path)

    assert (first.module, first.name, first.ids) == (
        Path("below", "anywhere.py"),
        "test_it",
        ("TAG-ADD-01", "TAG-ADD-03"),
    )
    assert [each.text for each in first.assertions] == [
        "assert step.look() == 204",
        "expect_tags(step, among=step.look())",
        "steps.expect(steps.count())",
    ]
    assert [each.text for each in second.assertions] == ["assert steps"]


def test_an_emptied_check_asks_the_same_and_says_nothing(tmp_path: Path) -> None:
    """What assertions look at is still looked at when they are taken out, and one that is left still speaks."""
    (tmp_path / "suite.py").write_text(SUITE, encoding="utf-8")
    check = next(checks_of(tmp_path))

    assert _asked(Emptied(check.assertions)) == 12
    for left in range(3):
        with pytest.raises(AssertionError):
            _asked(Emptied([each for number, each in enumerate(check.assertions) if number != left]))


def test_a_softened_check_goes_on_and_tells_which_assertions_spoke() -> None:
    """Every assertion that speaks is written down by its line, and the check goes on."""
    lines: list[int] = []

    assert _asked(Softened([5, 6, 11]), _an_assertion_has_spoken=lines.append) == 12

    assert lines == [5, 6, 11]
    with pytest.raises(AssertionError):
        _asked(Softened([5, 11]), _an_assertion_has_spoken=lines.append)


def test_the_page_says_what_was_measured() -> None:
    """docs/detection.md is what the results render to, and the README has the score of it."""
    measured = Measured.load(OURS), Measured.load(PEERS)

    assert PAGE.read_text(encoding="utf-8") == render(FAULTS, *measured, Measured.load(ASSERTIONS)), WRITE
    assert f"<!-- score -->\n{score(FAULTS, *measured)}\n<!-- end of score -->" in README.read_text(encoding="utf-8"), (
        WRITE
    )


def test_every_fault_has_a_class() -> None:
    """Every fault has a class, and those that stand apart are faults."""
    assert {kind_of(fault) for fault in FAULTS.values()} <= {*Kind}
    assert sorted(NAMED.keys() - FAULTS.keys()) == []


def test_a_fault_in_a_room_without_a_class_is_named() -> None:
    """A fault of a module that has no class is named, with the place to put that right."""
    fault: Any = type("Strange", (), {"__module__": "faults.elsewhere", "broken": {"TAG-ADD-01"}, "perhaps": set()})

    with pytest.raises(LookupError, match=r"Strange .* KIND of tests/faults/kinds\.py"):
        kind_of(fault)


def _row(name: str, **changed: object) -> Row:
    fault = FAULTS[name]
    broken = sorted(fault.broken)
    row = {"breaks": broken, "perhaps": [], "profile": "quick", "found": broken, "missed": [], "blamed": []}
    return {**row, "cases": 50, "requests": 348, **changed}


def test_a_fault_that_is_not_caught_is_shown_as_such() -> None:
    """The page tells who caught a fault, who did not, who was not asked, and who accuses what is lawful."""
    chosen = {name: FAULTS[name] for name in ("FoldsCase", "StoresNothing", "Honest", "Trims")}
    ours: dict[str, Row] = {
        "FoldsCase": _row("FoldsCase"),
        "StoresNothing": _row("StoresNothing", found=["TAG-RESP-02"], missed=["TAG-ADD-03"], blamed=["TAG-RESP-02"]),
        "Honest": _row("Honest", found=["TAG-ADD-01"]),
    }
    peers: dict[str, Row] = {
        "FoldsCase": {"tempest": {"found": [], "requests": 10}},
        "Honest": {"tempest": {"found": ["test"], "requests": 9}},
    }

    lines = render(chosen, Measured({}, ours), Measured({}, peers), Measured()).splitlines()

    row = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}
    assert row["FoldsCase"].endswith(" | yes | 50 | 348 | not measured | no, 10 |")
    assert " | **not** TAG-ADD-03; **also** TAG-RESP-02 | " in row["StoresNothing"]
    assert " | not measured |  |  | not measured | not measured |" in row["Trims"]
    assert " | **by TAG-ADD-01** | 50 | 348 | not measured | accused, 9 |" in row["Honest"]
    assert (
        row["**all**"]
        == "| **all** | 3 | **1 of the 2 it was shown** | **not measured** | **0 of the 1 it was shown** |"
    )


def test_a_fault_that_has_changed_is_measured_anew() -> None:
    """What was measured of a fault that broke something else then is stale; what is as it was is not."""
    rows: dict[str, Row] = {name: declared(fault) for name, fault in FAULTS.items() if name != "FoldsCase"}

    rows["Trims"] = {**rows["Trims"], "breaks": ["TAG-ADD-01"]}

    assert stale(Measured({}, rows)) == [name for name in FAULTS if name in ("Trims", "FoldsCase")]


def test_results_are_kept_line_by_line(tmp_path: Path) -> None:
    """What is saved is loaded again, a line for each fault, and no file is nothing measured."""
    file = tmp_path / "results.json"
    measured = Measured({"seed": 1}, {"B": {"found": []}, "A": {"found": ["é"]}})

    measured.save(file)

    assert Measured.load(file) == measured
    assert [line[:3] for line in file.read_text(encoding="utf-8").splitlines()[-4:-2]] == ['"A"', '"B"']
    assert [each_file.name for each_file in tmp_path.iterdir()] == ["results.json"]
    assert Measured.load(tmp_path / "none.json") == Measured()


@pytest.mark.parametrize(
    "words", [["--write", "--seed", "2"], ["--write", "--profile", "quick"], ["--again"], ["None"]]
)
def test_options_that_do_not_go_together_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The table says which options do not go together, and that a name is no fault's."""
    with pytest.raises(SystemExit, match="2"):
        main(words)

    assert "error: " in capsys.readouterr().err


def test_a_meter_counts_what_reaches_an_app() -> None:
    """Every request that reaches the app is counted, and answered as it would be."""
    app = FAULTS["Honest"]()
    meter = Meter(app)

    assert app.handle(Request("GET", "/versions")).status == 200
    assert app.handle(Request("GET", "/nowhere")).status == 404
    assert meter.requests == 2


def test_links_lead_from_operations_to_operations() -> None:
    """In the OpenAPI file that Schemathesis is given, every link leads to an operation, with parameters it has."""
    document = yaml.safe_load((ROOT / "benchmarks" / "peers" / "openapi.yaml").read_text(encoding="utf-8"))
    parameters = {}
    links = []
    for path in document["paths"].values():
        for operation in (path[method] for method in ("get", "put", "post", "patch", "delete") if method in path):
            named = [*path.get("parameters", ()), *operation.get("parameters", ())]
            parameters[operation["operationId"]] = {
                name.get("name") or name["$ref"].rpartition("/")[2] for name in named
            }
            links += [link for answer in operation["responses"].values() for link in answer.get("links", {}).values()]

    assert len(parameters) == 8
    assert links
    assert [
        each_link for each_link in links if not each_link["parameters"].keys() <= parameters[each_link["operationId"]]
    ] == []


@pytest.mark.parametrize("words", [("-m", "tests.faults"), ("tests/faults",)], ids=["package", "folder"])
def test_the_table_is_printed_by_a_command(words: tuple[str, ...]) -> None:
    """As `tox run -e faults` has it, and as the folder says of itself."""
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, *words, "--help"], cwd=root, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "--write" in done.stdout
