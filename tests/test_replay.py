"""A finding's file, replayed: reproduced where the fault is, fixed where it is not, and nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.areas.common.checks import A_DATE_OR_SECONDS
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import plans
from pytest_cloudimages.reporting.expectations import NoPlanError

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import _identities, judged

FINDINGS = (
    ("ListsATagTwice", "TAG-HIST-01"),
    ("LosesWhatComesBack", "TAG-DEL-11"),
    ("SendsALocalDate", "TAG-RESP-02"),
    ("RefusesAndStores", "TAG-ADD-22"),
    ("LetsReadersChange", "TAG-AUTH-08"),
    ("LooksBeforeItAdds", "TAG-ADD-30"),
    ("ListsOwnImagesAlone", "IMG-LIST-02"),
    ("DecidesOnce", "MEM-UPD-01"),
)
"""Faults of several kinds, each with a requirement that it breaks; no few requests show the last two."""
MANY = 400
"""Requests by which clients race, or by which a whole requirement is asked in the profile that found it, at most."""
FEW = 12
"""Requests that show a finding at most, those included by which a faulty service is waited for; a race takes more."""


def found(name: str, identifier: str, folder: Path, profile: str = "quick") -> Path:
    """Judge a faulty service by one requirement, and return the file of the finding."""
    judged(FAULTS[name], folder, profile=profile, select=[identifier])
    return folder / "findings" / f"{identifier}.json"


def replayed(app: App, file: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Replay a finding against an app, in this process; see that no image is left."""
    with serving(app) as server:
        for name, value in _identities(server).items():
            monkeypatch.setenv(name, value)
        status = main(["replay", str(file), "--patience", "0.3", "--ledger", str(file.parent / "ledger"), *words])
    assert [*app.images.all()] == []
    return status


@pytest.mark.parametrize(("name", "identifier"), FINDINGS)
def test_a_finding_is_replayed(
    name: str,
    identifier: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = found(name, identifier, tmp_path)

    there = replayed(FAULTS[name](), file, monkeypatch)
    told = capsys.readouterr().out.splitlines()
    gone = replayed(App(), file, monkeypatch)
    fixed = capsys.readouterr().out.splitlines()

    assert (there, gone) == (1, 0), told + fixed
    requests = int(told[-1].split("with ")[1].split()[0])
    plan = json.loads(file.read_text("utf-8"))["plan"]
    assert requests <= (FEW if plan and "race" not in plan else MANY)
    assert told[-1].startswith("reproduced, with ")
    assert fixed[-1].startswith("fixed, with ")


def test_a_finding_is_printed_as_a_test_and_as_a_script(workshop: Any) -> None:
    """Both fail on the faulty service, pass on the honest one, and hold no token."""
    statuses: dict[str, list[int]] = {"pytest": [], "sh": []}
    file = found("ForgivesASecondDelete", "TAG-DEL-05", workshop.folder)
    printed = {
        form: subprocess.run(
            [sys.executable, "-m", "pytest_cloudimages", "replay", file, "--as", form],
            env=workshop.environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for form in statuses
    }
    (test := workshop.folder / "test_once_more.py").write_text(printed["pytest"], encoding="utf-8")
    (script := workshop.folder / "once-more.sh").write_text(printed["sh"], encoding="utf-8")
    for app in (FAULTS["ForgivesASecondDelete"](), App()):
        with serving(app) as server:
            token = workshop.named(server)
            pytest_words = [sys.executable, "-m", "pytest", "-q", str(test), f"--cloudimages-endpoint={server.url}"]
            environ = {**workshop.environ, "TOKEN": token, "ENDPOINT": server.url}
            for form, words in (("pytest", pytest_words), ("sh", ["sh", str(script)])):
                done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
                statuses[form].append(done.returncode)
            assert [*app.images.all()] == []

    assert statuses == {"pytest": [1, 0], "sh": [1, 0]}, done.stdout


STEP = {"caller": "tester", "method": "DELETE", "target": "/images/{image}/tags/a", "headers": [], "body": ""}
ASKS = {"profile": "quick", "seed": "1"}
PLAN = {"state": "", "tags": ["a"], "steps": [STEP], "expect": {"kind": "status", "step": 0, "allowed": ["204"]}}
FINDING = {
    "format": 1, "id": "TAG-DEL-01", "statement": "s", "identity": "i", "verdict": "fail", "endpoint": "http://x/v2",
    "specification": "cloud-images", "seed": 1, "command": "cloudimages run --select TAG-DEL-01", "plan": PLAN,
}  # fmt: skip


def with_step(**changed: object) -> dict[str, Any]:
    """Return a finding one of whose steps is another."""
    return {**FINDING, "plan": {**PLAN, "steps": [{**STEP, **changed}]}}


@pytest.mark.parametrize(
    "finding",
    [
        with_step(target="/images/5f1c0f0e-0000-0000-0000-000000000000"),
        with_step(target="/images/{image}/../5f1c0f0e-0000-0000-0000-000000000000"),
        with_step(target="http://elsewhere/images/{image}"),
        with_step(target="/images/{image} HTTP/1.1\r\nX: y"),
        with_step(headers=[["X", "a\r\nb: c"]]),
        {**FINDING, "format": 2},
        {**FINDING, "more": 1},
        [],
    ],
)
def test_a_file_that_asks_for_more_than_its_own_image_is_refused(
    finding: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finding's file may come from anybody: it names no image and no service, and nothing is sent for it."""
    (file := tmp_path / "finding.json").write_text(json.dumps(finding), encoding="utf-8")

    assert replayed(App(), file, monkeypatch) == 2
    assert "expected a finding of a run" in capsys.readouterr().err


def test_a_finding_without_a_plan_says_why_and_what_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "finding.json").write_text(
        json.dumps({**FINDING, "plan": None, "reason": "it is about a list"}), encoding="utf-8"
    )

    assert replayed(App(), file, monkeypatch) == 3
    assert "it is about a list; this asks for the whole requirement: cloudimages run" in capsys.readouterr().err


@pytest.mark.parametrize(("app", "status", "said"), [("faulty", 1, "fail"), ("honest", 0, "pass")])
def test_nothing_is_called_fixed_because_a_few_requests_do_not_show_it(
    app: str,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What led up to a finding may be missing in its plan; then its whole requirement is asked again."""
    finding = {**FINDING, "id": "TAG-DEL-05", "identity": "TAG-DEL-05 | any tag | a repeated delete has an effect"}
    (file := tmp_path / "finding.json").write_text(json.dumps({**finding, "asks": ASKS}), encoding="utf-8")
    service = FAULTS["ForgivesASecondDelete"]() if app == "faulty" else App()

    assert replayed(service, file, monkeypatch) == status
    told = capsys.readouterr().out
    assert f"came: the whole requirement was asked again: {said}" in told
    assert "before: status 204, expected 204" in told
    (file := tmp_path / "finding.json").write_text(json.dumps(finding), encoding="utf-8")
    assert replayed(App(), file, monkeypatch) == 3, "the file does not say how it was asked"


def test_a_field_that_is_not_there_any_more_is_neither_right_nor_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    field = {"kind": "field", "step": 0, "at": "header Retry-After", "wrong": "soon", "words": str(A_DATE_OR_SECONDS)}
    finding = {**FINDING, "id": "TAG-RESP-07", "plan": {**PLAN, "expect": field}}
    (file := tmp_path / "finding.json").write_text(json.dumps(finding), encoding="utf-8")

    assert replayed(App(), file, monkeypatch) == 3
    assert "what was wrong when it was found is not there" in capsys.readouterr().err


def test_an_answer_that_was_met_in_passing_is_asked_for_by_its_own_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many images had it. Asked alone, its requirement sends nothing, so that nobody says that it is mended."""
    fault = FAULTS["FindsADeletionWithABodyTooLarge"]
    judged(fault, tmp_path, profile="standard", select=["TAG-DEL-08", "TAG-RESP-08"])
    file = tmp_path / "findings" / "TAG-RESP-08.json"

    assert json.loads(file.read_text("utf-8"))["plan"]["expect"]["given"] == "413"
    assert replayed(fault(), file, monkeypatch) == 1
    assert replayed(App(), file, monkeypatch) == 3
    assert "answered 404, and what was found is about an answer 413" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "few"),
    [("ListsATagOfTwoUsersTwice", True), ("ListsAPostedTagTwice", False), ("ListsATagTwiceForABody", False)],
)
def test_an_addition_that_is_repeated_is_sent_again_with_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, few: bool
) -> None:
    """A finding shows the repetition and the image in which the tag is twice; who created it so is asked as a whole."""
    file = found(name, "TAG-ADD-05", tmp_path, profile="standard")
    results = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    entry = next(entry for entry in results["requirements"] if entry["id"] == "TAG-ADD-05")
    *_, repetition, reading = entry["exchanges"]
    tag = repetition["target"].rpartition("/")[2]

    assert (repetition["method"], reading["method"]) == ("PUT", "GET")
    assert json.loads(reading["answer"])["tags"].count(tag) == entry["actual"] == 2
    assert replayed(FAULTS[name](), file, monkeypatch) == 1
    told = capsys.readouterr().out
    # Where it takes an image that was created with tags, a few requests cannot show it.
    assert ("the whole requirement was asked again" in told) is not few


def test_what_is_sent_where_more_than_musts_are_asked_for_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short run tries fewer values where a MUST is asked for alone, and would call a fault fixed that others show."""
    fault = FAULTS["UnescapesMarkup"]
    judged(fault, tmp_path, profile="quick", select=["IMG-UPD-11", "IMG-UPD-19"])
    file = tmp_path / "findings" / "IMG-UPD-11.json"

    assert json.loads(file.read_text("utf-8"))["asks"]["beside"].startswith("IMG-UPD")
    assert replayed(fault(), file, monkeypatch) == 1
    assert replayed(App(), file, monkeypatch) == 0
    assert "reproduced" in capsys.readouterr().out


def test_what_is_met_by_chance_is_not_fixed_because_it_was_not_met_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rare = {"violations": 1, "of": 1000, "what": "races"}
    finding = {**FINDING, "id": "TAG-ADD-30", "plan": None, "reason": "r", "rate": rare, "asks": ASKS}
    (file := tmp_path / "finding.json").write_text(json.dumps(finding), encoding="utf-8")

    assert replayed(App(), file, monkeypatch) == 3
    assert "was not met again; that says too little: 1 of 1000 races before, 0 of" in capsys.readouterr().err


def test_a_script_has_the_suite_show_what_curl_alone_does_not(workshop: Any) -> None:
    """`repro.sh` of any finding ends with 1 on the faulty service, with 0 on the honest one."""
    file = found("ListsOwnImagesAlone", "IMG-LIST-02", workshop.folder)
    script = workshop.folder / "repro" / "IMG-LIST-02.sh"
    statuses = []
    for app in (FAULTS["ListsOwnImagesAlone"](), App()):
        with serving(app) as server:
            environ = {**workshop.environ, **_identities(server), "ENDPOINT": server.url}
            environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
            done = subprocess.run([script], env=environ, capture_output=True, text=True, check=False)
            statuses.append(done.returncode)

    assert json.loads(file.read_text("utf-8"))["plan"] is None
    assert statuses == [1, 0], done.stdout + done.stderr


def test_a_file_names_no_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody names a service, none is asked: a token goes where the tester sends it, and not where a file says."""
    (file := tmp_path / "finding.json").write_text(json.dumps(FINDING), encoding="utf-8")
    monkeypatch.setenv("CLOUDIMAGES_TOKEN", "secret")
    for name in ("CLOUDIMAGES_ENDPOINT", "OS_CLOUD", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)

    assert main(["replay", str(file)]) == 2
    assert "found at http://x/v2" in capsys.readouterr().err


def test_what_cannot_be_sent_again_has_a_reason() -> None:
    """No plan is made of what would ask for something else."""
    exchange = {
        "method": "PUT", "target": "/v2/images/i/tags/a", "headers": [], "body": "", "status": 204, "answer": "",
        "answer_headers": [], "caller": "tester",
    }  # fmt: skip
    entry = {"what": "status of add 'a'", "expected": 204, "actual": 200, "exchanges": [exchange]}

    for changed in ({"body": "\\xff"}, {"target": "/elsewhere"}, {"status": 0}, {"target": "/v2/images?tag=a"}):
        with pytest.raises(NoPlanError):
            plans.plan({**entry, "exchanges": [{**exchange, **changed}]}, "http://x/v2")
    assert plans.plan(entry, "http://x/v2")["steps"][0]["target"] == "/images/{image}/tags/a"
