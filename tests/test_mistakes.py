"""Mistakes of a tester: each is answered by what was expected, what came, and what may have been meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.app.result_files import deviations_at, finding_at
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import selected

ACCEPTED = """
[[deviations]]
requirement = "TAG-ADD-05"
service = "*"
reason = "It is known."
owner = "storage team"
expires = 2099-01-31
"""
OWN = """
import pytest

def test_wrong(cloudimages_client):
    assert cloudimages_client.list(limit="1").status == 999

def test_skipped():
    pytest.skip("not today")
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "a", "b"], "did you mean diff?"),
        (["clean"], "did you mean sweep?"),
        (["rnu"], "did you mean run?"),
        (["run", "--referense"], "cloudimages run: unrecognized arguments: --referense; did you mean --reference?"),
        (["run", "--slect=TAG", "--reference"], "did you mean --select?"),
        (["run", "https://images.example/v2"], "an address is named with --endpoint"),
        (["run", "mycloud"], "a service is named with --endpoint or --cloud"),
        (["explore"], "did you mean run --profile explore?"),
        (["help"], "did you mean --help?"),
        (["run", "--reference", "-v"], "options of pytest go behind --"),
        (["serve", "9292"], "a port is named with --port"),
        (["export", "markdwn", "reports"], "did you mean markdown?"),
        (["diff", "a", "b", "c"], "cloudimages diff: unrecognized arguments: c (see cloudimages diff --help)"),
    ],
)
def test_a_word_that_no_command_knows(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the command, and what is like the word."""
    with pytest.raises(SystemExit) as ended:
        main.main(words)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TGA", "TAG"),
        ("TAG-ADD-5", "TAG-ADD-05"),
        ("TAG-DELE", "TAG-DEL"),
        ("IMAGES", "IMG"),
        ("NONSENSE", ""),
        ("TAG-ADD-99", "TAG-ADD"),
    ],
)
def test_a_requirement_that_there_is_not(name: str, meant: str) -> None:
    """The nearest id or group is named, and none where nothing is near."""
    with pytest.raises(ValueError, match="No requirement is called") as refused:
        selected(load(), [name])

    assert "Name each by itself." not in str(refused.value)
    assert (f"Did you mean {meant}?" if meant else "begins so. Give") in str(refused.value)


@pytest.mark.parametrize("names", ["TAG,IMG", "TAG-ADD-05, TAG-ADD-06", "TAG IMG"])
def test_several_requirements_in_a_word(names: str) -> None:
    """Each is named by itself."""
    with pytest.raises(ValueError, match="Name each by itself"):
        selected(load(), [names])


@pytest.mark.parametrize("octets", [b"\xef\xbb\xbf" + ACCEPTED.encode(), ACCEPTED.replace("\n", "\r\n").encode()])
def test_a_file_that_windows_has_written(tmp_path: Path, octets: bytes) -> None:
    """A byte order mark is no part of it, nor are line ends of two octets."""
    file = tmp_path / "deviations.toml"
    file.write_bytes(octets)

    assert [accepted.reason for accepted in deviations_at(file)] == ["It is known."]


def test_a_file_that_powershell_has_written(tmp_path: Path) -> None:
    """It is refused, with what it seems to be."""
    file = tmp_path / "deviations.toml"
    file.write_bytes(ACCEPTED.encode("utf-16"))

    with pytest.raises(ValueError, match=r"expected UTF-8, .* UTF-16"):
        deviations_at(file)


@pytest.mark.parametrize("name", ["TAG-ADD-05", "reports", "reports/TAG-ADD-05.json", "reports/findings"])
def test_a_finding_that_is_elsewhere(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that is there is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports/findings").mkdir(parents=True)
    (tmp_path / "reports/findings/TAG-ADD-05.json").write_text(json.dumps({}))

    with pytest.raises(ValueError, match=r"reports/findings/TAG-ADD-05\.json"):
        finding_at(Path(name))


def test_a_test_of_ones_own_that_fails(workshop: Any) -> None:
    """Is told of, though it asks for no requirement, and no run with it ends well."""
    path = workshop.write("test_own.py", OWN)
    outcome = workshop.judge("--reference", "--select", "VER-02", "--", str(path))

    assert outcome.status == 1, outcome.out
    assert "FAILED" in outcome.out
    assert "test_own.py::test_wrong: no requirement of the catalogue" in outcome.out
    assert "asked: GET /v2/images?limit=1 → 200" in outcome.out
    assert "FAIL: 1 requirement met, 1 test of your own failed; exit 1" in outcome.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reports", "file"], "Reports cannot be written to file: it is a file. Name another folder with --reports."),
        (["--export", "markdown=/dev/null/x.md"], "--export: /dev/null/x.md cannot be written"),
    ],
)
def test_what_cannot_be_written_is_known_at_once(words: list[str], told: str, workshop: Any) -> None:
    """Before anything is asked."""
    workshop.write("file", "")
    outcome = workshop.command("run", "--reference", *words)

    assert outcome.status == 2, outcome.out
    assert told in outcome.out
    assert "service:" not in outcome.out


def test_the_suite_in_several_processes(workshop: Any) -> None:
    """Is refused: all its tests left out would look like success."""
    outcome = workshop.pytest("", "--pyargs", "pytest_cloudimages.conformance", "-n", "2")

    assert outcome.status == 4, outcome.out
    assert "leave out the -n of pytest-xdist" in outcome.out
