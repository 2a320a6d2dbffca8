"""Results that were changed, cut, merged wrongly or signed by somebody else: each is named."""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_results

from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.reporting.results import as_json
from pytest_cloudimages.reporting.verification import problems, with_digest
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

CATALOGUE = load()
MUTATIONS = int(os.environ.get("MUTATIONS", "40"))
"""How many mutations are tried; each is read and checked as the command does."""
VERDICTS = {
    "TAG-ADD-01": Verdict.PASS,
    "TAG-ADD-03": Verdict.FAIL,
    "TAG-ADD-08": Verdict.ADVISORY,
    "TAG-ADD-17": Verdict.NOTED,
    "TAG-DEL-03": Verdict.BLOCKED,
    "TAG-HIST-02": Verdict.ADVISORY,
}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """Return results as they are read from their file."""
    data: dict[str, Any] = json.loads(as_json(sample_results.results(VERDICTS, exchanges=1)))
    return data


@pytest.fixture
def verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return the command, applied to data."""

    def verify(data: dict[str, Any], *words: str) -> tuple[int, str]:
        file = tmp_path / "conformance.json"
        file.write_text(json.dumps(data), encoding="utf-8")
        status = main(["verify", str(file), *words])
        told = capsys.readouterr()
        return status, told.out + told.err

    return verify


def test_results_are_as_their_run_has_left_them(
    written: dict[str, Any], verified: Callable[..., tuple[int, str]]
) -> None:
    """And the sentence says that nobody has signed them."""
    status, told = verified(written)

    assert status == 0, told
    assert told == "PASS: complete, consistent and unchanged; not signed; exit 0\n"


def mutated(data: dict[str, Any], draw: random.Random) -> tuple[dict[str, Any], str]:
    """Return data with something in it changed, taken out, or doubled, and where."""
    changed = copy.deepcopy(data)
    place: Any = changed
    path = "$"
    while True:
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        key = draw.choice(keys)
        path += f"[{key!r}]"
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner) or draw.random() < 0.1:
            break
        place = inner
    what = draw.choice(["out", "change", "double"])
    if what == "out":
        del place[key]
    elif what == "double" and isinstance(place, list):
        place.append(copy.deepcopy(inner))
    elif isinstance(inner, bool) or inner is None:
        place[key] = not inner
    elif isinstance(inner, int | float):
        place[key] = inner + 1
    elif isinstance(inner, str):
        place[key] = inner + "x" if draw.random() < 0.5 else inner[1:] or "y"
    else:
        place[key] = [inner]
    return changed, f"{path} {what}"


def test_every_mutation_is_named(written: dict[str, Any], verified: Callable[..., tuple[int, str]]) -> None:
    """Whatever is changed, taken out or doubled; MUTATIONS tries another number."""
    draw = random.Random(1)  # noqa: S311 - which follow from the number
    for _ in range(MUTATIONS):
        changed, where = mutated(written, draw)

        status, told = verified(changed)

        assert status == 1, f"{where} went unnoticed"
        assert "exit 1" in told


def entry_of(data: dict[str, Any], identifier: str) -> dict[str, Any]:
    """Return the entry of a requirement."""
    return next(entry for entry in data["requirements"] if entry["id"] == identifier)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a fail becomes a pass": (
        lambda data: entry_of(data, "TAG-ADD-03").update(verdict="pass"),
        "$.requirements[44].verdict: 'pass' is not one of ['advisory', 'fail']",
    ),
    "a MUST becomes advisory": (
        lambda data: entry_of(data, "TAG-ADD-03").update(verdict="advisory"),
        "TAG-ADD-03: advisory is said, and a departure from it is fail",
    ),
    "a pass without a case": (
        lambda data: entry_of(data, "TAG-ADD-01").update(cases=0),
        "$.requirements[42].cases: 0 is less than the minimum of 1",
    ),
    "untested without a reason": (
        lambda data: entry_of(data, "TAG-ADD-02").update(explanation=""),
        "TAG-ADD-02: untested without a reason",
    ),
    "a total": (
        lambda data: data["totals"].update({"fail": 0}),
        "totals: 0 fail are said, 1 are there",
    ),
    "a statement": (
        lambda data: entry_of(data, "TAG-ADD-01").update(level="SHOULD"),
        "TAG-ADD-01: level is not as in the catalogue: 'SHOULD'",
    ),
    "what is missing": (
        lambda data: entry_of(data, "TAG-ADD-03").update(missing=["é"]),
        "TAG-ADD-03: said to be missing, and it is not: 'é'",
    ),
    "an identity": (
        lambda data: entry_of(data, "TAG-ADD-03").update(identity="TAG-ADD-03 | other | other"),
        "TAG-ADD-03: the identity does not follow from class and symptom",
    ),
    "a witness": (
        lambda data: entry_of(data, "TAG-HIST-02")["witnesses"][0]["events"][0].update(sent=1.0),
        "TAG-HIST-02: an event of the witness was answered before it was sent",
    ),
    "an interruption": (
        lambda data: data.update(ended="interrupted"),
        "interrupted is False, and it ended interrupted",
    ),
    "causes": (lambda data: data.update(causes=[]), "causes: not those of the findings"),
    "a missing shard": (
        lambda data: data["requirements"].pop(7),
        f"{[*CATALOGUE][7]}: no entry, a hole",
    ),
    "a doubled shard": (
        lambda data: data["requirements"].append(copy.deepcopy(data["requirements"][3])),
        "a requirement has more than one entry",
    ),
    "a foreign shard": (
        lambda data: data["requirements"][5].update(id="OWN-01"),
        "OWN-01: not in the catalogue",
    ),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES.keys())
def test_what_follows_from_something_else_is_worked_out_once_more(
    change: Callable[[dict[str, Any]], object],
    told: str,
    written: dict[str, Any],
    verified: Callable[..., tuple[int, str]],
) -> None:
    """A new digest hides no contradiction."""
    data = copy.deepcopy(written)
    change(data)

    status, out = verified(with_digest(data))

    assert status == 1
    assert told in out
    assert "digest" not in out


def test_what_was_measured_is_held_by_the_digest_alone(written: dict[str, Any]) -> None:
    """So a signature is what tells who wrote it."""
    data = copy.deepcopy(written)
    data["seconds"] += 1

    assert [*problems(data, CATALOGUE)] == ["the digest does not fit: something was changed since the run wrote it"]
    assert [*problems(with_digest(data), CATALOGUE)] == []
    del data["digest"]
    assert len([*problems(data, CATALOGUE)]) == 1


def test_a_run_signs_its_results(workshop: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the key that signed them is taken, and for nothing but these results."""
    for name in ("ours", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    file = workshop.reports / "conformance.json"
    words = ("run", "--reference", "--profile", "quick", "--select", "TAG-ADD-01")

    assert workshop.command(*words, "--sign", str(tmp_path / "ours")).status == 0
    assert main(["verify", str(workshop.reports), "--key", str(tmp_path / "ours.pub")]) == 0
    assert "; signed with " in capsys.readouterr().out
    assert main(["verify", str(workshop.reports), "--key", str(tmp_path / "other.pub")]) == 1
    assert main(["verify", str(workshop.reports), "--key", str(tmp_path / "ours")]) == 1
    assert main(["verify", str(workshop.reports), "--key", str(tmp_path / "none.pub")]) == 2
    file.write_text(as_json(sample_results.results(VERDICTS)), encoding="utf-8")
    assert main(["verify", str(workshop.reports), "--key", str(tmp_path / "ours.pub")]) == 1

    none = workshop.command(*words, "--sign", str(tmp_path / "none"))
    assert none.status == 2
    assert "--sign: expected a private key of OpenSSH" in none.out
    assert workshop.command(*words).status == 0
    assert not file.with_name("conformance.json.sig").exists()


def test_what_is_no_results_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is a mistake of whoever asks; one that holds something else is a finding."""
    assert main(["verify", str(tmp_path / "none.json")]) == 2
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    assert main(["verify", str(tmp_path / "other.json")]) == 1
    assert "Traceback" not in "".join(capsys.readouterr())
