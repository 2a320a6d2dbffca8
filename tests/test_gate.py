"""The gate: what is accepted, what is new, and what the commands end with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.cli import exit_status
from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import comparison, deviations, rates, reproduction, terminal
from pytest_cloudimages.reporting.closing import sentence
from pytest_cloudimages.reporting.results import CheckResult, Results, RunFacts, as_json
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOGUE = load()
ADDED, PLUS, RACED = "TAG-ADD-05", "TAG-URI-07", "TAG-ADD-29"
SOFTWARE = dict.fromkeys(("python", "pytest", "hypothesis", "requests", "urllib3"), "1")
COUNTS = dict.fromkeys(("judging", "preparing", "cleaning", "explaining"), 1)
DAY = 1_800_000_000.0
"""The second at which these runs have begun: it is 2027-01-15."""


def shown(identifier: str, verdict: Verdict = Verdict.PASS, **rest: Any) -> CheckResult:
    """Make what a check has shown."""
    explanation = "" if verdict is Verdict.PASS else f"{identifier} is not as required"
    return CheckResult(identifier, verdict, "t", 1, 1, **{"explanation": explanation, **rest})


def raced(violations: int, tried: int) -> CheckResult:
    """Make what a race has shown."""
    rate = {"violations": violations, "of": tried, "what": "acknowledged additions lost"}
    return shown(RACED, Verdict.FAIL if violations else Verdict.PASS, rate=rate)


def run(*records: CheckResult, strict: bool = False, **rest: Any) -> Results:
    """Make the results of a run that asked for what the records say."""
    facts = RunFacts(
        endpoint="https://images.example/v2",
        named="--endpoint",
        credentials="a token",
        settings=Settings(seed=3, strict=strict).as_data(),
        replay=dict.fromkeys(CATALOGUE, "cloudimages run"),
        suite="0",
        software=SOFTWARE,
        chosen=frozenset(record.id for record in records),
        tested={record.id: ["t"] for record in records},
        started=DAY,
        requests=COUNTS,
        **rest,
    )
    return Results.of(facts, CATALOGUE, records)


GOOD = run(shown(ADDED), shown(PLUS))
ADVISORY = run(
    shown(ADDED), shown(PLUS, Verdict.ADVISORY, symptom="altered or lost", input_class="any tag with a plus sign")
)
FAILING = run(
    shown(ADDED, Verdict.FAIL, symptom="listed twice", input_class="any tag, when it is added again"), shown(PLUS)
)
OTHERWISE = run(shown(ADDED, Verdict.FAIL, symptom="refused", input_class="any tag with a plus sign"), shown(PLUS))
UNEXPLAINED = run(shown(ADDED, Verdict.FAIL), shown(PLUS))
BLOCKED = run(shown(ADDED, Verdict.BLOCKED), shown(PLUS))
OURS = run(shown(ADDED, Verdict.ERROR), shown(PLUS))
NOTHING = run()
CUT = run(shown(ADDED), shown(PLUS), interrupted=True, by_signal=True)


# Rates


@pytest.mark.parametrize(
    ("first", "second", "chance"),
    [
        # Of R's fisher.test.
        ((8, 10), (1, 6), 0.03496503),
        ((3, 10), (0, 10), 0.2105263),
        ((31, 40), (2, 40), 1.357897e-11),
        ((0, 5), (0, 0), 1.0),
    ],
)
def test_rates_are_compared_exactly(first: tuple[int, int], second: tuple[int, int], chance: float) -> None:
    """By Fisher's test, whichever comes first."""
    assert rates.probability(first, second) == pytest.approx(chance, rel=1e-6)
    assert rates.probability(second, first) == pytest.approx(chance, rel=1e-6)


# What became of a finding


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        (GOOD, GOOD, {}),
        (GOOD, FAILING, {ADDED: "new"}),
        (FAILING, GOOD, {ADDED: "fixed"}),
        (FAILING, FAILING, {ADDED: "still"}),
        (FAILING, UNEXPLAINED, {ADDED: "still"}),
        (NOTHING, FAILING, {ADDED: "appeared"}),
        (FAILING, NOTHING, {ADDED: "vanished"}),
        (FAILING, BLOCKED, {ADDED: "vanished"}),
        (GOOD, BLOCKED, {ADDED: "vanished"}),
        (ADVISORY, FAILING, {ADDED: "new", PLUS: "fixed"}),
        (run(raced(0, 40)), run(raced(31, 40)), {RACED: "new"}),
        (run(raced(0, 18)), run(raced(1, 18)), {RACED: "appeared"}),
        (run(raced(1, 18)), run(raced(0, 18)), {RACED: "vanished"}),
        (run(raced(31, 40)), run(raced(0, 40)), {RACED: "fixed"}),
        (run(raced(2, 40)), run(raced(3, 40)), {RACED: "still"}),
        (run(raced(2, 40)), run(raced(31, 40)), {RACED: "new"}),
    ],
)
def test_findings_are_compared_by_identity(old: Results, new: Results, kinds: dict[str, str]) -> None:
    """What could not be seen again is neither mended nor new; rates differ where that is no chance."""
    changes = comparison.compare(old.data, new.data).changes

    assert {change.id: change.kind for change in changes} == kinds


def test_another_finding_of_the_same_requirement_is_new() -> None:
    """And the one before it cannot be told, as a requirement shows one finding at a time."""
    changes = comparison.compare(FAILING.data, OTHERWISE.data).changes

    assert [(change.kind, change.identity.split(" | ")[2]) for change in changes] == [
        ("new", "refused"),
        ("vanished", "listed twice"),
    ]


# Deviations


def accepting(**changes: object) -> str:
    """Return a file with one deviation, some of it changed or, where it is None, left out."""
    table: dict[str, object] = {
        "requirement": ADDED, "service": "https://images.example/*", "reason": "known", "owner": "storage", "expires": "2027-01-31",
    }  # fmt: skip
    return "\n".join(["[[deviations]]", *(f"{k} = {v!r}" for k, v in (table | changes).items() if v is not None)])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (accepting(reasn="x"), f"deviation 1 ({ADDED}): reasn: unknown; expected requirement, service, reason"),
        (accepting(reason=""), f"deviation 1 ({ADDED}): reason is not filled in; expected why the departure"),
        (accepting(owner=None), f"deviation 1 ({ADDED}): owner is not filled in"),
        (accepting(expires="soon"), "expires: expected the last day on which it is accepted, such as 2027-01-31, got 'soon'"),
        (accepting(link=7), "link: expected where more can be read"),
        (accepting() + "\n" + accepting(), "said twice"),
        ("[deviation]", "deviation: unknown; expected nothing but tables headed [[deviations]]"),
        ("deviations = 3", "expected tables headed [[deviations]]"),
        ("x = [", "no TOML: "),
        ("x = " + "[" * 4000, "no TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_deviations_is_told_in_one_line(text: str, told: str) -> None:
    """With the deviation and the key, and what was expected there."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        deviations.parse(text)

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def allowed(results: Results, text: str) -> Results:
    """Return results with what a file accepts."""
    return results.accepting(deviations.parse(text))


@pytest.mark.parametrize(
    ("results", "changes", "status", "told"),
    [
        (FAILING, {}, 0, ""),
        (FAILING, {"class": "any tag, when it is added again"}, 0, ""),
        (FAILING, {"expires": "2027-01-15"}, 0, ""),
        (FAILING, {"service": "https://other.example/v2"}, 1, ""),
        (FAILING, {"expires": "2027-01-14"}, 1, f"the deviation {ADDED} expired on 2027-01-14 (owner: storage)"),
        (FAILING, {"requirement": "TAG-ADD-99"}, 1, "the deviation TAG-ADD-99 is unknown: no catalogue has this requirement"),
        (FAILING, {"class": "any tag with a NUL"}, 1, f"{ADDED} deviates otherwise than accepted"),
        (UNEXPLAINED, {"class": "any tag with a NUL"}, 1, "for which input it holds was not found out this time"),
        (GOOD, {}, 1, f"{ADDED} no longer deviates: it is pass now; take the deviation out"),
        (BLOCKED, {}, 3, ""),
        (run(raced(0, 40)), {"requirement": RACED}, 0, ""),
    ],
)  # fmt: skip
def test_a_deviation_is_accepted_as_long_as_it_holds(
    results: Results, changes: dict[str, object], status: int, told: str
) -> None:
    """Expired, unknown, or no longer there: the gate fails, and the last line says why. A race may go unseen."""
    found = allowed(results, accepting(**changes))

    assert found.exit_status(strict=False) == status
    assert told in sentence(found)
    assert bool(found.trouble) is bool(told)
    assert bool(found.deviating) is (status == 0 and results is FAILING)


def test_a_deviation_of_another_service_is_told_of() -> None:
    """It is left aside, and said to be: a typing error in an address would else go unseen."""
    found = allowed(FAILING, accepting(service="https://images.example/v3"))

    assert terminal.left_aside(found.data["deviations"]["of_other_services"], found.data) == (
        "1 deviation is left aside, as its `service` is another one; this one is 'https://images.example/v2'"
    )


@pytest.mark.parametrize(
    ("pattern", "endpoint", "meant"),
    [
        ("http://[::1]:9292/v2", "http://[::1]:9292/v2", True),
        ("http://[::1]:*", "http://[::1]:9292/v2", True),
        ("http://[::1]:9292/v2", "http://::9292/v2", False),
        ("https://images.example/v2", "https://images.example/v2", True),
        ("https://*.example/*", "https://images.example/v2", True),
        ("https://images.example", "https://images.example/v2", False),
        ("https://images?example/v2", "https://images.example/v2", False),
        ("*", "https://images.example/v2", True),
    ],
)
def test_a_star_alone_stands_for_others(pattern: str, endpoint: str, meant: bool) -> None:
    """The brackets of an address of IPv6 are brackets."""
    (deviation,) = deviations.parse(accepting(service=pattern))

    assert deviation.is_of({"endpoint": endpoint}, None) is meant


def test_a_blank_file_is_refused_and_a_filled_one_accepted() -> None:
    """Nobody's reason is made up; what the service has sent cannot get out of its place."""
    hostile = run(
        shown(ADDED, Verdict.FAIL, input_class='any tag with a "\n[[x]]', extent="a\nb\x1b", symptom="refused")
    )
    text = deviations.blank(hostile.data)

    with pytest.raises(ValueError, match="reason is not filled in"):
        deviations.parse(text)
    for name in ("reason", "owner"):
        text = text.replace(f'{name} = ""', f'{name} = "known"')
    (deviation,) = deviations.parse(text.replace('expires = ""', "expires = 2027-01-31"))
    assert (deviation.requirement, deviation.input_class) == (ADDED, 'any tag with a "\n[[x]]')
    assert allowed(hostile, accepting(**{"class": None})).exit_status(strict=True) == 0


# The last line


@pytest.mark.parametrize(
    ("results", "line"),
    [
        (GOOD, "PASS: 2 requirements met; exit 0 (with --strict: 0)"),
        (FAILING, "FAIL: 1 cause, 1 MUST not met; exit 1 (with --strict: 1)"),
        (ADVISORY, "PASS: 1 cause, 1 advisory; exit 0 (with --strict: 1)"),
        (BLOCKED, "NOT JUDGED: 1 blocked, 1 requirement met; exit 3 (with --strict: 3)"),
        (OURS, "ERROR: 1 error of the suite, 1 requirement met; exit 4 (with --strict: 4)"),
        (NOTHING, "NOT JUDGED: nothing was judged; exit 3 (with --strict: 3)"),
        (CUT, "INTERRUPTED: 2 requirements met; exit 130 (with --strict: 130)"),
        (allowed(FAILING, accepting()), "PASS: 1 accepted, 1 requirement met; exit 0 (with --strict: 0)"),
        (FAILING.against(FAILING.data), "PASS: nothing new since the baseline, 1 cause, 1 MUST not met; exit 0 (with --strict: 0)"),
        (FAILING.against(GOOD.data), f"FAIL: new since the baseline: {ADDED}, 1 cause, 1 MUST not met; exit 1 (with --strict: 1)"),
        (ADVISORY.against(GOOD.data), "PASS: nothing new since the baseline, 1 cause, 1 advisory; exit 0 (with --strict: 1)"),
        (BLOCKED.against(BLOCKED.data), "PASS: nothing new since the baseline, 1 blocked, 1 requirement met; exit 0 (with --strict: 0)"),
    ],
)  # fmt: skip
def test_a_run_ends_with_one_sentence(results: Results, line: str) -> None:
    """Verdict, reasons, and the status with and without --strict."""
    assert sentence(results) == line


# The commands


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Results], str]:
    """Write results into a file, and give its name."""

    def save(results: Results) -> str:
        path = tmp_path / f"{len([*tmp_path.iterdir()])}.json"
        path.write_text(as_json(results), encoding="utf-8")
        return str(path)

    return save


@pytest.mark.parametrize(
    ("old", "new", "words", "status", "line"),
    [
        (FAILING, FAILING, (), 0, "PASS: 0 new, 0 fixed, 1 still; exit 0"),
        (GOOD, ADVISORY, (), 0, "PASS: 1 new, 0 fixed, 0 still; exit 0"),
        (GOOD, ADVISORY, ("--strict",), 1, f"FAIL: 1 new, 0 fixed, 0 still; {PLUS} not as required; exit 1"),
        (GOOD, FAILING, (), 1, f"FAIL: 1 new, 0 fixed, 0 still; {ADDED} not as required; exit 1"),
        (NOTHING, FAILING, (), 1, f"FAIL: 0 new, 0 fixed, 0 still, 1 appeared; {ADDED} not as required; exit 1"),
        (GOOD, allowed(GOOD, accepting()), (), 1, "no longer deviates: it is pass now; take the deviation out; exit 1"),
        (GOOD, BLOCKED, (), 3, f"NOT JUDGED: 0 new, 0 fixed, 0 still, 1 vanished; {ADDED} could not be judged; exit 3"),
        (GOOD, CUT, (), 3, "NOT JUDGED: 0 new, 0 fixed, 0 still; the later run was interrupted; exit 3"),
        (GOOD, OURS, (), 4, f"ERROR: 0 new, 0 fixed, 0 still, 1 vanished; {ADDED}: an error of the suite; exit 4"),
    ],
)  # fmt: skip
def test_diff_ends_with_a_status_and_a_sentence(
    saved: Callable[[Results], str],
    capsys: pytest.CaptureFixture[str],
    old: Results,
    new: Results,
    words: tuple[str, ...],
    status: int,
    line: str,
) -> None:
    """The same in text, JSON and Markdown."""
    files = saved(old), saved(new)

    assert main(["diff", *files, *words]) == status
    assert capsys.readouterr().out.splitlines()[-1].endswith(line)
    assert main(["diff", *files, *words, "--json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert told["exit_status"] == status
    assert told["verdict"].endswith(line)
    assert main(["diff", *files, *words, "--markdown"]) == status
    assert capsys.readouterr().out.startswith("**")


def broken(name: str, data: dict[str, Any]) -> str:
    """Return a text that is no results."""
    return {
        "empty": "",
        "cut": json.dumps(data)[:-9],
        "list": "[]",
        "deep": "[" * 100_000,
        "number": '{"format": ' + "1" * 9000 + "}",
        "other form": json.dumps(data | {"format": 7}),
        "twice": json.dumps(data | {"requirements": data["requirements"] * 2}),
        "no verdict": json.dumps(data | {"requirements": [{"id": "\x1b[31m"}]}),
    }[name]


WORDS_FOR = {"empty": "an empty file", "cut": "cut off behind", "list": "other JSON", "other form": "form 7"}
"""What is said of some of them."""


@pytest.mark.parametrize(
    "name", ["absent", "empty", "cut", "list", "deep", "number", "other form", "twice", "no verdict"]
)
def test_a_file_that_is_no_results_is_told_in_one_line(
    saved: Callable[[Results], str], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """By every command that reads one; the status is 2."""
    good = saved(GOOD)
    path = tmp_path / "broken.json"
    if name != "absent":
        path.write_text(broken(name, dict(GOOD.data)), encoding="utf-8")
    for words in (["diff", good, str(path)], ["diff", str(path), good], ["deviations", "new", str(path)]):
        assert main(words) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert str(path) in captured.err
        assert captured.err.count("\n") == 1
        assert captured.err.isprintable() or captured.err[:-1].isprintable()
        assert WORDS_FOR.get(name, "") in captured.err


def test_a_new_file_of_deviations_replaces_none(
    saved: Callable[[Results], str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 where it is written or nothing is to be accepted, 2 where there is a file, 4 where it cannot be written."""
    monkeypatch.chdir(tmp_path)
    failing, good = saved(FAILING), saved(GOOD)

    assert main(["deviations", "new", failing]) == 0
    assert "1 deviations" in capsys.readouterr().out
    assert main(["deviations", "new", failing]) == 2
    assert "deviations.toml is there already" in capsys.readouterr().err
    assert main(["deviations", "new", good]) == 0
    assert main(["deviations", "new", failing, "--output", "nowhere/file"]) == 4


def test_the_table_of_statuses_in_the_readme_is_current() -> None:
    """README's table is what `python -m pytest_cloudimages.app.cli.exit_status` prints."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

    assert f"<!-- exit -->\n{exit_status.markdown()}\n<!-- end of exit -->" in readme


# A run


def test_a_known_deviation_passes_the_gate_until_it_ends(workshop: Any) -> None:
    """Found, written down, accepted, expired; and gone from a service that is mended. A baseline knows it, too."""
    words = ("--select", ADDED, "--select", "TAG-HIST-01")
    with serving(FAULTS["ListsATagTwice"]()) as server:
        workshop.named(server)
        first = workshop.judge(*words, "--reports", "first")
        known = workshop.judge(*words, "--baseline", "first")
        made = workshop.command("deviations", "new", "first/conformance.json")
        unfilled = workshop.judge(*words, "--deviations", "deviations.toml")
        text = (workshop.folder / "deviations.toml").read_text("utf-8")
        for name, value in (
            ("reason", '"known"'),
            ("owner", '"storage"'),
            ("expires", "2999-01-01"),
            ("service", '"*"'),
        ):
            lines = [f"{name} = {value}" if line.startswith(f"{name} = ") else line for line in text.splitlines()]
            text = "\n".join(lines)
        workshop.write("filled.toml", text)
        workshop.write("expired.toml", text.replace("2999", "2001"))
        accepted = workshop.judge(*words, "--deviations", "filled.toml", "--strict")
        entries = [accepted.entry(identifier) for identifier in (ADDED, "TAG-HIST-01")]
        rows = (accepted.reports / "conformance.html").read_text("utf-8")
        cases = [*ET.parse(accepted.reports / "junit.xml").iter("testcase")]
        expired = workshop.judge(*words, "--deviations", "expired.toml")
    with serving(App()) as server:
        workshop.named(server)
        mended = workshop.judge(*words, "--deviations", "filled.toml")
        regained = workshop.judge(*words, "--baseline", "first")

    assert (first.status, known.status, made.status, unfilled.status) == (1, 0, 0, 2), first.out + known.out
    assert "reason is not filled in" in unfilled.out
    assert known.out.splitlines()[-1].startswith(
        "PASS: nothing new since the baseline, 1 cause, 2 MUSTs not met; exit 0"
    )
    assert accepted.status == 0, accepted.out
    assert [(entry["verdict"], entry["deviates"]["owner"]) for entry in entries] == [("fail", "storage")] * 2
    assert f"DEVIATES {ADDED}" in accepted.out
    # Both are accepted for a class of input, which is known when all is judged.
    assert text.count("\nclass = ") == len(entries)
    assert rows.count("deviates&lt;/b&gt;&lt;/td&gt;") == len(entries), "each finding deviates in the list of tests"
    kinds = [element.get("type") for case in cases for element in case.iter("skipped")]
    assert kinds.count("deviates") == len(entries)
    assert not [element for case in cases for element in case.iter("failure")]
    assert accepted.out.splitlines()[-1] == "PASS: 2 accepted; exit 0 (with --strict: 0)".replace("with ", "without ")
    assert f"\nFAIL {ADDED}" not in accepted.out
    assert expired.status == 1
    assert f"the deviation {ADDED} expired on 2001-01-01 (owner: storage)" in expired.out
    assert mended.status == 1
    assert f"{ADDED} no longer deviates" in mended.out.splitlines()[-1]
    assert regained.status == 0
    assert f"  {ADDED} fail → pass" in regained.out


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("ListsATagTwice", ADDED), ("AnswersAnAdditionWith200", "TAG-ADD-01"), ("ForgivesASecondDelete", "TAG-DEL-05")],
)
def test_a_script_shows_a_finding_while_it_is_there(workshop: Any, name: str, identifier: str) -> None:
    """It ends with 1 then, with 0 on a service that does as required, with 3 without one, and leaves no image."""
    statuses: list[int] = []
    lines: list[str] = []
    for app in (FAULTS[name](), App()):
        with serving(app) as server:
            token = workshop.named(server)
            if not statuses:
                outcome = workshop.judge("--select", identifier)
            script = workshop.reports / outcome.entry(identifier)["repro"]
            environ = {**workshop.environ, "TOKEN": token, "ENDPOINT": server.url}
            done = subprocess.run([script], env=environ, capture_output=True, text=True, check=False)
            statuses.append(done.returncode)
            lines += [line for line in done.stdout.splitlines() if "expected" in line]
            assert [*server.app.images.all()] == [], done.stdout
    alone = subprocess.run([script], env=environ, capture_output=True, text=True, check=False)

    assert statuses == [1, 0], done.stdout + done.stderr
    assert lines
    assert alone.returncode == 3
    assert token not in script.read_text("utf-8")


def test_a_script_holds_nothing_that_a_shell_obeys() -> None:
    """Whatever a service has shown: tags, statements and addresses are quoted."""
    tag = "'; touch caught; '$(touch caught)`touch caught`"
    target = "/v2/images/id/tags/%27%3B%20touch%20caught"
    write = {"method": "PUT", "target": target, "status": 204, "headers": [], "body": "", "caller": "tester"}
    read = {**write, "method": "GET", "target": "/v2/images/id", "status": 200, "answer": json.dumps({"tags": [tag]})}
    entry = {
        "id": ADDED, "identity": "x", "statement": "a\n$(touch caught)", "what": "tags after add", "exchanges": [read, write],
        "expected": [tag], "actual": [], "missing": [tag],
    }  # fmt: skip
    text = reproduction.script(entry, "http://127.0.0.1:9/v2")
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    # No quote of the tag ends the quotes around it, and outside them it stands percent-encoded.
    assert tag not in text
    assert "\\u0027; touch caught; \\u0027$(touch caught)`touch caught`" in text
    assert text.splitlines()[1].startswith(f"# {ADDED}: a\\n$(touch")


@pytest.mark.parametrize(("token", "field"), [("gAAAA", b"X-Auth-Token"), ("Basic bWU6c2VjcmV0", b"Authorization")])
def test_a_script_shows_who_asks_as_the_run_did(peer: Any, token: str, field: bytes) -> None:
    """A token stands in its own header, a name and a password stand where HTTP has them."""
    write = {
        "method": "PUT",
        "target": "/v2/images/id/tags/a",
        "status": 204,
        "headers": [],
        "body": "",
        "caller": "tester",
    }
    read = {**write, "method": "GET", "target": "/v2/images/id", "status": 200, "answer": '{"tags": []}'}
    entry = {
        "id": ADDED, "identity": "x", "statement": "s", "what": "tags after add", "exchanges": [read, write],
        "expected": ["a"], "actual": [], "missing": ["a"],
    }  # fmt: skip
    text = reproduction.script(entry, f"{peer.url}/v2")
    subprocess.run(["sh"], input=text, env={**os.environ, "TOKEN": token}, capture_output=True, text=True, check=False)

    assert b"\r\n%s: %s\r\n" % (field, token.encode()) in peer.heads[0]
