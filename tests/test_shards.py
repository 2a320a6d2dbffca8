"""Runs in shards: what each asks, and what becomes of their results."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_results

from pytest_cloudimages.app import shards as division
from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.reporting.disturbances import in_words
from pytest_cloudimages.reporting.verification import with_digest
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VERDICTS = {"TAG-ADD-01": Verdict.PASS, "TAG-ADD-03": Verdict.FAIL, "TAG-DEL-03": Verdict.BLOCKED}
MEASURED = {"seconds", "requests", "exchanges", "notes", "replay"}
"""What differs from run to run."""


def test_shards_together_show_what_one_run_shows(workshop: Any) -> None:
    """Each requirement is asked once; what is put together is verified like any results."""
    whole = workshop.judge("--reference").results
    for number in (1, 2):
        words = ("--shard", f"{number}/2", "--reports", str(number))
        assert workshop.judge("--reference", *words).status == 0
    merged = workshop.command("merge", "2", "1", "-o", "whole.json")
    made = json.loads((workshop.folder / "whole.json").read_text(encoding="utf-8"))

    assert merged.status == 0, merged.out
    assert workshop.command("verify", "whole.json").status == 0
    for entry, other in zip(whole["requirements"], made["requirements"], strict=True):
        mine, theirs = ({name: each[name] for name in each if name not in MEASURED} for each in (entry, other))
        assert mine == theirs
    assert (made["totals"], made["classes"]) == (whole["totals"], whole["classes"])
    asked = [set(shard["requirements"]) for shard in made["shards"]]
    assert all(asked)
    assert asked[0].isdisjoint(asked[1])


WANTED = {"A": (900, 100), "B": (900, 90), "C": (100, 90), "D": (100,), "E": (90,), "F": (), "G": ()}
"""Of requirements, what the workloads cost that each looks at, which are the same where they cost the same."""


@pytest.mark.parametrize(("number", "dearest"), [(1, 1111), (2, 1102), (3, 1003), (7, 1003)])
def test_requirements_go_where_their_workloads_are(monkeypatch: pytest.MonkeyPatch, number: int, dearest: int) -> None:
    """No shard is left with nothing to do, and none does what another does but to end earlier."""

    def asked(tests: Sequence[str]) -> list[SimpleNamespace]:
        costs = {cost for name in tests for cost in WANTED[name]}
        return [SimpleNamespace(name=str(cost), requests={"standard": cost}) for cost in sorted(costs)]

    monkeypatch.setattr(division, "asked_by", asked)
    found = division.divided(cast("Any", [*WANTED]), lambda item: [cast("str", item)], number, "standard")

    assert found.keys() == WANTED.keys()
    assert {*found.values()} == {*range(1, number + 1)}
    loads = [
        sum({cost for name in WANTED if found[name] == shard for cost in WANTED[name]})
        + division.OF_A_TEST * sum(found[name] == shard for name in WANTED)
        for shard in found.values()
    ]
    assert max(loads) == dearest


@pytest.fixture
def shards() -> list[dict[str, Any]]:
    """Return the results of three shards of one run, each with one verdict."""
    places = {identifier: place for place, identifier in enumerate(VERDICTS, 1)}
    made = []
    for identifier, number in places.items():
        data = dict(sample_results.results({identifier: VERDICTS[identifier]}).data)
        left = {other: place for other, place in places.items() if place != number}
        made.append(data | {"shard": {"number": number, "of": 3, "requirements": [identifier], "left": left}})
    return made


@pytest.fixture
def merge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return the command, applied to data; each is in a file whose name is its place."""

    def apply(data: list[dict[str, Any]], *words: str, digests: bool = True) -> tuple[int, str]:
        files = [tmp_path / f"{place}.json" for place in range(len(data))]
        for file, each in zip(files, data, strict=True):
            file.write_text(json.dumps(with_digest(each) if digests else each), encoding="utf-8")
        status = main(["merge", *map(str, files), "-o", str(tmp_path / "whole.json"), *words])
        told = capsys.readouterr()
        return status, told.out + told.err

    return apply


def test_the_whole_is_made_of_all(
    shards: list[dict[str, Any]], merge: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """In whatever order they come; the status is that of one run, the trouble on the way that of all."""
    for shard in shards:
        shard["disturbances"] = {"answers": 10, "kinds": {"503": 1}, "repeated": 1}
        for entry in shard["requirements"]:
            if entry["verdict"] == "blocked":
                entry["disturbed"] = in_words(shard["disturbances"])
    status, told = merge(shards[::-1])
    whole = json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))

    assert status == 1, told
    assert "1 MUST not met" in told
    assert {entry["id"]: entry["verdict"] for entry in whole["requirements"] if entry["id"] in VERDICTS} == {
        identifier: str(verdict) for identifier, verdict in VERDICTS.items()
    }
    assert whole["requests"]["judging"] == 9000
    assert whole["disturbances"] == {"answers": 30, "kinds": {"503": 3}, "repeated": 3}
    assert [shard["number"] for shard in whole["shards"]] == [1, 2, 3]
    assert main(["verify", str(tmp_path / "whole.json")]) == 0
    found = [entry["finding"] for entry in whole["requirements"] if "finding" in entry]
    assert [json.loads((tmp_path / name).read_text(encoding="utf-8"))["id"] for name in found] == ["TAG-ADD-03"]


def _changed(shards: list[dict[str, Any]], number: int, *path: str, value: object) -> list[dict[str, Any]]:
    changed = copy.deepcopy(shards)
    place: Any = changed[number]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda shards: shards[:2], "a hole: of 3 shards, 3 is not there"),
        (lambda shards: [*shards, shards[1]], "shard 2 is there 2 times"),
        (lambda shards: _changed(shards, 1, "catalogue", "version", value="2"), "another catalogue"),
        (lambda shards: _changed(shards, 1, "suite", "version", value="9"), "another suite"),
        (lambda shards: _changed(shards, 1, "service", "endpoint", value="https://other/v2"), "another service"),
        (lambda shards: _changed(shards, 2, "settings", "seed", value=8), "another setting than in"),
        (lambda shards: _changed(shards, 2, "shard", "of", value=4), "one of 4 shards"),
        (lambda shards: _changed(shards, 1, "shard", "requirements", value=[]), "TAG-ADD-03: a hole"),
        (lambda shards: _changed(shards, 1, "shard", "requirements", value=[*VERDICTS]), "asked by 2 shards"),
        (lambda shards: [{**shards[0], "requirements": shards[0]["requirements"][1:]}, *shards[1:]], "requirements"),
        (lambda shards: [{n: v for n, v in shards[0].items() if n != "shard"}, *shards[1:]], "of a whole run"),
    ],
)
def test_what_is_no_run_is_refused(
    shards: list[dict[str, Any]],
    merge: Callable[..., tuple[int, str]],
    tmp_path: Path,
    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    named: str,
) -> None:
    """Each reason is named, and nothing is written."""
    status, told = merge(spoil(shards))

    assert status == 2
    assert named in told
    assert not (tmp_path / "whole.json").exists()


def test_what_was_changed_since_is_refused(shards: list[dict[str, Any]], merge: Callable[..., tuple[int, str]]) -> None:
    """A merge must not make a new digest of what no run has written."""
    status, told = merge([{**with_digest(shards[0]), "seconds": 1.0}, *map(with_digest, shards[1:])], digests=False)

    assert (status, "digest does not fit" in told) == (2, True)


@pytest.mark.parametrize(
    "words", [("--shard", "0/4"), ("--shard", "5/4"), ("--shard", "half"), ("--shard", "1/2", "--baseline", "x.json")]
)
def test_a_shard_that_cannot_be_one_is_refused(workshop: Any, words: tuple[str, ...]) -> None:
    """In a line that says what is expected."""
    outcome = workshop.judge("--reference", *words)

    assert outcome.status == 2
    assert "--shard: expected" in outcome.out


def test_a_shard_needs_a_seed(workshop: Any) -> None:
    """Otherwise each would draw something else."""
    outcome = workshop.command("run", "--reference", "--shard", "1/2")

    assert (outcome.status, "--seed" in outcome.out) == (2, True)
