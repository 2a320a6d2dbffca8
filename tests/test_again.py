"""A run that asks again what was not fine in an earlier one: only that, as before, and the whole in one result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_results
from faults import FAULTS

from pytest_cloudimages.app.earlier import as_recorded
from pytest_cloudimages.app.result_files import results_at
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting.joining import another_service, asked_in, joined, not_fine, told
from pytest_cloudimages.reporting.results import Results
from pytest_cloudimages.reporting.verification import problems, with_digest
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

ADDED, DELETED, REPEATED = "TAG-ADD-01", "TAG-DEL-01", "TAG-DEL-05"


def data_of(**verdicts: Verdict) -> dict[str, Any]:
    """Return the results of a run, with their digest; everything else is untested, since nobody asked for it."""
    found = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return with_digest(sample_results.results(found).data)


def test_what_is_not_fine_is_asked_again() -> None:
    """Findings, what could not be judged, and what was left out for lack of budget; not what nobody asked for."""
    data = data_of(**{f"TAG_ADD_0{number}": verdict for number, verdict in enumerate(sample_results.VERDICTS, 1)})
    left_out = next(entry for entry in data["requirements"] if entry["id"] == "TAG-DEL-09")
    left_out["unaffordable"] = True
    fine = {
        f"TAG-ADD-0{number}"
        for number, verdict in enumerate(sample_results.VERDICTS, 1)
        if verdict in (Verdict.PASS, Verdict.NOTED)
    }

    asked = not_fine(data)
    assert {*asked} == {f"TAG-ADD-0{number}" for number in range(1, 8)} - fine | {"TAG-DEL-09"}


@pytest.mark.parametrize(
    ("before", "now", "after"),
    [
        (Verdict.FAIL, Verdict.PASS, "pass"),
        (Verdict.BLOCKED, Verdict.FAIL, "fail"),
        (Verdict.UNSTABLE, Verdict.BLOCKED, "blocked"),
        (Verdict.FAIL, Verdict.BLOCKED, "fail"),
        (Verdict.FAIL, Verdict.ERROR, "error"),
    ],
)
def test_the_whole_has_what_was_asked_again_as_it_is_now(before: Verdict, now: Verdict, after: str) -> None:
    """A finding that could not be judged again stands; whatever was fine is as it was; and the whole holds together."""
    old = data_of(TAG_ADD_01=before, TAG_DEL_01=Verdict.PASS, TAG_DEL_05=Verdict.PASS)
    whole = joined(old, data_of(TAG_ADD_01=now))
    verdicts = {entry["id"]: entry["verdict"] for entry in whole["requirements"]}
    anew = [] if (before, now) == (Verdict.FAIL, Verdict.BLOCKED) else [ADDED]

    assert (verdicts[ADDED], verdicts[DELETED], verdicts[REPEATED]) == (after, "pass", "pass")
    assert [*problems(with_digest(whole), load())] == []
    assert [run["requirements"] for run in whole["runs"]][1:] == [anew]
    assert [*asked_in(whole)] == anew
    assert whole["runs"][0]["digest"] == old["digest"]
    assert whole["requests"]["judging"] == 2 * old["requests"]["judging"]
    assert f"asked again {whole['runs'][1]['started']}: {len(anew)} of" in told(whole)[1]
    changed = json.loads(json.dumps(whole))
    changed["runs"][0]["requirements"].append(ADDED)
    assert any(problem.startswith("runs: ") for problem in problems(with_digest(changed), load()))


def test_results_that_were_joined_are_asked_again_likewise() -> None:
    """Each requirement is said to be of the run that has asked it last."""
    blocked = {"TAG_DEL_01": Verdict.BLOCKED}
    first = joined(data_of(TAG_ADD_01=Verdict.FAIL, **blocked), data_of(TAG_ADD_01=Verdict.PASS, **blocked))
    second = joined(with_digest(first), data_of(TAG_DEL_01=Verdict.PASS))
    verdicts = {entry["id"]: entry["verdict"] for entry in second["requirements"]}

    assert (verdicts[ADDED], verdicts[DELETED]) == ("pass", "pass")
    assert [run["requirements"] for run in second["runs"]][1:] == [[ADDED], [DELETED]]
    assert [*problems(with_digest(second), load())] == []


def test_the_results_name_no_service_and_no_file(tmp_path: Path) -> None:
    """Anybody may have written them: whom a token goes to, and which files are read, says who runs the command."""
    data = data_of(TAG_ADD_01=Verdict.FAIL)
    settings = {**data["settings"], "url": "http://elsewhere/v2", "catalogue": ["/etc/passwd"], "seed": 7, "tries": 3}
    (file := tmp_path / "conformance.json").write_text(json.dumps(with_digest({**data, "settings": settings})))

    found = as_recorded(file, {"tries": "--tries"})
    assert (found["seed"], found["profile"]) == (7, data["settings"]["profile"])
    assert found.keys().isdisjoint({"url", "cloud", "catalogue", "image", "ledger", "tries"})


WRONG: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "the digest": ({"digest": "0" * 64}, {}, "changed since the run wrote them"),
    "an exploration": ({"settings": {"minutes": 5}}, {}, "those of an exploration"),
    "a shard": ({"shard": {"number": 1, "of": 2, "requirements": [], "left": {}}}, {}, "merge first"),
    "a setting": ({"settings": {"profile": "none"}}, {}, "settings: profile: expected one of"),
    "an option": ({}, {"seed": "--seed"}, "expected no --seed beside it"),
    "a file": ({"format": 9}, {}, "expected form 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_asked_again_is_told_in_a_line(name: str, tmp_path: Path) -> None:
    changed, given, expected = WRONG[name]
    data = data_of(TAG_ADD_01=Verdict.FAIL)
    settings = {**data["settings"], **changed.get("settings", {})}
    made = {
        **with_digest({**data, **changed, "settings": settings}),
        **{key: changed[key] for key in changed if key == "digest"},
    }
    (file := tmp_path / "conformance.json").write_text(json.dumps(made), encoding="utf-8")

    with pytest.raises(ValueError, match=r"\A[^\n]*\Z") as raised:
        as_recorded(file, given)
    assert expected in str(raised.value)


def test_another_service_is_not_asked_in_its_place() -> None:
    data = data_of(TAG_ADD_01=Verdict.FAIL)

    assert another_service(data, data["service"]["endpoint"], reference=False) == ""
    assert "got http://other/v2" in another_service(data, "http://other/v2", reference=False)


def test_a_run_asks_again_only_what_was_not_fine(workshop: Any) -> None:
    """On a service that was mended in between: with the seed of before, few requests, and one whole result."""
    with serving(FAULTS["ForgivesASecondDelete"]()) as server:
        workshop.named(server)
        first = workshop.judge("--select", "TAG-DEL", "--patience", "0.3")
        broken = not_fine(results_at(workshop.reports))
        # As its operator would mend it, at the same address.
        server.app.delete_tag = App.delete_tag.__get__(server.app)  # type: ignore[method-assign]
        again = workshop.command("run", "--again", str(workshop.reports))
        nothing = workshop.command("run", "--again", str(workshop.reports))
    with serving(App()) as other:
        workshop.named(other)
        elsewhere = workshop.command("run", "--again", str(workshop.reports))
    data = results_at(workshop.reports)

    assert (first.status, again.status, nothing.status, elsewhere.status) == (1, 0, 0, 2), again.out + elsewhere.out
    assert data["seed"] == 1
    assert data["settings"]["profile"] == "quick"
    assert [run["requirements"] for run in data["runs"]][1:] == [broken, []]
    assert REPEATED in broken
    assert "asked again 20" in again.out
    assert "asked again 20" in (workshop.reports / "index.html").read_text("utf-8")
    assert [*problems(data, load())] == []
    assert Results(data).exit_status(strict=False) == 0
    assert "expected the service of the results" in elsewhere.out
