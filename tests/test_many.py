"""Several runs made of one command: what each leaves, how they end together, and what goes from one to the other."""

from __future__ import annotations

import itertools
import json
import pickle
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_results

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.app.cli.exit_status import FROM_GOOD_TO_BAD, MEANINGS, worst
from pytest_cloudimages.app.many import planning
from pytest_cloudimages.app.many.gathering import gathered
from pytest_cloudimages.app.many.units import Ending
from pytest_cloudimages.app.options import OF_MANY
from pytest_cloudimages.engine.exploration import STRIDE
from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import Server, serving
from pytest_cloudimages.reporting.results import as_json
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_cloudimages.reference.messages import Request

FEW = ("--profile", "quick", "--seed", "1", "--select", "TAG-ADD-01")
"""Words of a run that is over in a few requests."""
LONG = 600
"""Seconds that anything may take on a busy machine."""


class Wrong(App):
    """A service that acknowledges a tag, and forgets to say so as it should."""

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Answer 299."""
        super().add_tag(request, image_id, tag)
        return Reply(299)


class InTwoRegions(App):
    """A cloud whose catalogue has its image service once more, in another region."""

    def handle(self, request: Request) -> Reply:
        """Add the region to the catalogue."""
        reply = super().handle(request)
        if reply.status != 201 or not request.path.startswith("/identity"):
            return reply
        told = json.loads(reply.body)
        for service in told["token"]["catalog"]:
            service["endpoints"] += [
                endpoint | {"region": "Region/Two", "region_id": "Region/Two", "id": endpoint["id"][::-1]}
                for endpoint in service["endpoints"]
            ]
        return Reply(reply.status, json.dumps(told).encode(), reply.headers)


class Waiting(App):
    """A service that says when it is first asked for a tag, which it answers last of all, and when no image is left."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over, self.gone = Event(), Event(), Event()

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Wait until the test has done its part."""
        self.asked.set()
        self.over.wait(2 * LONG)
        return super().add_tag(request, image_id, tag)

    def delete_image(self, request: Any, image_id: str) -> Reply:
        """Say when none is left, after the first was in use: nobody creates any more then."""
        reply = super().delete_image(request, image_id)
        if self.asked.is_set() and not images_left(self):
            self.gone.set()
        return reply


def entry(server: Server, name: str = "tester", **further: Any) -> dict[str, Any]:
    """Return the entry of clouds.yaml for a server, and for one of its users."""
    user = server.app.identity.users[name]
    auth = {"auth_url": f"{server.auth_url}/v3", "username": user.name, "password": user.password}
    auth |= {"project_name": user.project.name, "user_domain_name": "Default", "project_domain_name": "Default"}
    return {"auth": auth, **further}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Yield what ends with the test."""
    with ExitStack() as opened:
        yield opened


def clouds(workshop: Any, stack: ExitStack, **apps: App) -> None:
    """Serve apps, and write clouds.yaml that names them."""
    entries = {name: entry(stack.enter_context(serving(app))) for name, app in apps.items()}
    workshop.write("clouds.yaml", json.dumps({"clouds": entries}))


def run(workshop: Any, *words: str) -> Any:
    """Run `cloudimages run`, which starts some processes more: a busy machine takes its time for them."""
    return workshop.end(workshop.start("pytest_cloudimages", "run", *words), LONG)


def images_left(*apps: App) -> list[str]:
    return [image.id for app in apps for image in app.images.all()]


def last_line(told: str) -> str:
    return told.rstrip().splitlines()[-1]


def test_each_service_is_judged_by_itself(workshop: Any, stack: ExitStack) -> None:
    """One that is broken, out of reach or unknown spoils no other; what lay there before is no result of it."""
    apps = {"good": App(), "bad": Wrong(), "deaf": App()}
    clouds(workshop, stack, **apps)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # where nobody listens
        written = json.loads((workshop.folder / "clouds.yaml").read_text("utf-8"))
        written["clouds"]["deaf"]["auth"]["auth_url"] = f"http://127.0.0.1:{taken.getsockname()[1]}/v3"
        workshop.write("clouds.yaml", json.dumps(written))
        stale = workshop.reports / "none" / "conformance.json"
        stale.parent.mkdir(parents=True)
        stale.write_text("of an earlier run", "utf-8")
        named = [word for name in (*apps, "none") for word in ("--cloud", name)]
        outcome = run(workshop, *named, *FEW)
    verdicts = {
        name: json.loads((workshop.reports / name / "conformance.json").read_text("utf-8"))["totals"]
        for name in ("good", "bad", "deaf")
    }
    side_by_side = (workshop.reports / "matrix.md").read_text("utf-8")

    assert last_line(outcome.out) == "FAIL: good PASS, bad FAIL, deaf NOT JUDGED, none NOT RUN; exit 1"
    assert outcome.status == 1
    assert (verdicts["good"]["pass"], verdicts["bad"]["fail"], verdicts["deaf"]["blocked"]) == (1, 1, 1)
    assert [name for name in (*apps, "none") if name in side_by_side] == ["good", "bad", "deaf"]
    assert "bad/index.html" in (workshop.reports / "matrix.html").read_text("utf-8")
    assert "good | " in outcome.out
    assert images_left(*apps.values()) == []


def test_every_region_of_the_catalogue_is_judged(workshop: Any, stack: ExitStack) -> None:
    """Also where the entry names one of them; and what is found in one is replayed there."""
    both = type("Both", (InTwoRegions, Wrong), {})()
    server = stack.enter_context(serving(both))
    workshop.write("clouds.yaml", json.dumps({"clouds": {"mine": entry(server, region_name="RegionOne")}}))

    outcome = run(workshop, "--cloud", "mine", "--all-regions", *FEW)
    found = json.loads((workshop.reports / "Region%2FTwo" / "conformance.json").read_text("utf-8"))

    assert last_line(outcome.out) == "FAIL: Region/Two FAIL, RegionOne FAIL; exit 1"
    (finding,) = [each for each in found["requirements"] if each["verdict"] == "fail"]
    assert "--cloud mine --region Region/Two" in finding["replay"]


@pytest.mark.parametrize("by", ["ctrl-c", "kill"])
def test_what_is_under_way_is_left_as_it_was(workshop: Any, stack: ExitStack, by: str) -> None:
    """Ctrl-C ends every run, and each takes its images away; so it does where the command is killed."""
    apps = {"a": Waiting(), "b": Waiting()}
    clouds(workshop, stack, **apps)
    process = workshop.start("pytest_cloudimages", "run", "--cloud", "a", "--cloud", "b", *FEW)
    try:
        assert all(app.asked.wait(LONG) for app in apps.values())
        process.send_signal(signal.SIGINT if by == "ctrl-c" else signal.SIGKILL)
        assert all(app.gone.wait(LONG) for app in apps.values())
    finally:
        for app in apps.values():
            app.over.set()
        outcome = workshop.end(process, LONG)

    if by == "ctrl-c":
        assert last_line(outcome.out) == "INTERRUPTED: a INTERRUPTED, b INTERRUPTED; exit 130"
    assert outcome.status == (130 if by == "ctrl-c" else -signal.SIGKILL)
    assert images_left(*apps.values()) == []


def test_shards_of_one_command_are_one_run(workshop: Any) -> None:
    """Their results are put together, with the reports that a run leaves."""
    words = ("--profile", "quick", "--seed", "1", "--select", "TAG-ADD-01", "--select", "TAG-DEL-01")
    outcome = run(workshop, "--reference", "--shards", "2", *words)

    assert last_line(outcome.out).startswith("PASS: 2 requirements met; exit 0")
    assert outcome.status == 0
    assert [shard["number"] for shard in outcome.results["shards"]] == [1, 2]
    assert outcome.results["totals"]["pass"] == 2
    assert {path.name for path in workshop.reports.iterdir()} == {
        "conformance.json",
        "index.html",
        "junit.xml",
        "shards",
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--cloud a --cloud a", "--cloud a: expected each cloud once"),
        ("--reference --all-regions", "--all-regions: expected no --reference beside it"),
        ("--cloud a --region b --all-regions", "--all-regions: expected no --region beside it"),
        ("--reference --shards 2 --shard 1/2 --seed 1", "--shards: expected no --shard beside it"),
        ("--reference --shards 2 --max-requests 9", "--max-requests: expected no --shards beside it"),
        ("--cloud a --cloud b --image c", "--image: expected no several --cloud beside it"),
        ("--cloud a --all-regions --baseline c", "--baseline: expected no --all-regions beside it"),
        ("--cloud a --cloud b --other-cloud c", "--other-cloud c: expected {cloud} in it"),
        ("--cloud a --cloud b --export sarif=-", "--export: expected a file"),
        ("--cloud a --cloud b --export pdf", "--export: expected one of"),
        ("--cloud a --cloud b --sign none", "--sign: expected a private key"),
        ("--cloud a --cloud b --deviations none", "--deviations: none: cannot be read"),
        ("--cloud a --dask scheduler:8786", "--dask scheduler:8786: expected tls://HOST:PORT"),
        ("--cloud a --dask tcp://10.0.0.1:8786", "--dask tcp://10.0.0.1:8786: expected tls://HOST:PORT"),
        ("--cloud a --dask localhost:8786", "--dask localhost:8786: expected Dask to be installed"),
        ("--endpoint http://localhost/v2 --dask localhost:8786", "--dask: expected --cloud NAME beside it"),
        ("--cloud a --dask localhost:8786 --workers 2", "--dask: expected no --workers beside it"),
        ("--cloud a --dask localhost:8786 --ledger here", "--ledger here: expected an absolute path"),
        ("--cloud a --dask localhost:8786 --catalogue ../a.toml", "--catalogue ../a.toml: expected a path below"),
        ("--cloud a --dask localhost:8786 --export sarif=/a", "--export sarif=/a: expected a path below"),
    ],
)
def test_what_does_not_go_together_is_told_in_a_line(
    words: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked: exit status 2."""
    monkeypatch.setitem(sys.modules, "distributed", None)  # as where it is not installed
    assert main.main(["run", *words.split()]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cloudimages run: {told}")


def chosen(*words: str) -> argparse.Namespace:
    """Return what the command line reads."""
    return main._parser().parse_args(["run", *words])  # noqa: SLF001 - the command's own reading of it


def test_units_carry_names_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment holds."""
    for name in ("OS_PASSWORD", "OS_TOKEN", "CLOUDIMAGES_TOKEN"):
        monkeypatch.setenv(name, "canary-of-the-test")
    tasks = planning.planned(chosen("--cloud", "a", "--cloud", "b", "--shards", "2", "--other-cloud", "{cloud}-2"), [])
    units = [unit for task in tasks for unit in task.units]

    assert [unit.label for unit in units] == ["a 1/2", "a 2/2", "b 1/2", "b 2/2"]
    assert all(f"{unit.service}-2" in unit.words for unit in units)
    assert b"canary" not in pickle.dumps(units)


def test_one_limit_holds_for_all_shards_of_a_service() -> None:
    """Those that are under way at once share it; services do not."""
    (words,) = {
        unit.words[unit.words.index("--max-rps") + 1]
        for task in planning.planned(chosen("--cloud", "a", "--cloud", "b", "--shards", "4", "--max-rps", "10"), [])
        for unit in task.units
    }
    (few,) = {
        unit.words[unit.words.index("--max-rps") + 1]
        for task in planning.planned(chosen("--shards", "4", "--workers", "2", "--max-rps", "10"), [])
        for unit in task.units
    }

    assert (words, few) == ("2.5", "5")


def test_ranges_of_seeds_are_explored_at_once(tmp_path: Path) -> None:
    """By units that share a folder of what was found; each begins so far on that none comes to what another tries."""
    words = ("--reference", "--profile", "explore", "--minutes", "1", "--seed", "7", "--reports", str(tmp_path))
    made = chosen(*words, "--shards", "3")
    (task,) = planning.planned(made, [])
    seeds = [int(unit.words[unit.words.index("--seed") + 1]) for unit in task.units]
    tried = [{(seed + number * STRIDE) % 2**32 for number in range(10_000)} for seed in seeds]
    for unit, verdict in zip(task.units, (Verdict.PASS, Verdict.FAIL, Verdict.PASS), strict=True):
        examples = Path(unit.folder, "examples")
        examples.mkdir(parents=True)
        (examples / f"seed-{verdict}.json").write_text("{}", "utf-8")
        results = as_json(sample_results.results({"TAG-ADD-01": verdict}))
        Path(unit.folder, "conformance.json").write_text(results, "utf-8")
    endings = {unit: Ending(status) for unit, status in zip(task.units, (0, 1, 0), strict=True)}
    judged = gathered(task, endings, {}, made)

    assert seeds[0] == 7
    assert all(mine.isdisjoint(theirs) for mine, theirs in itertools.combinations(tried, 2))
    assert not any("--shard" in unit.words for unit in task.units)
    assert {unit.words[unit.words.index("--examples") + 1] for unit in task.units} == {str(tmp_path / "examples")}
    assert sorted(path.name for path in (tmp_path / "examples").iterdir()) == ["seed-fail.json", "seed-pass.json"]
    assert judged.status == 1
    assert judged.data is not None
    assert judged.data["totals"]["fail"] == 1
    assert judged.told.startswith("FAIL: explored in 3 ranges of seeds, 2 seeds kept in ")


@pytest.mark.parametrize(("name", "folder"), [("a/b", "a%2Fb"), ("..", "%2E%2E"), ("a b", "a b"), ("é", "%C3%A9")])
def test_a_service_has_a_folder_of_its_own(name: str, folder: str) -> None:
    """Which lies among the reports, whatever it is called."""
    assert planning.folder_name(name) == folder


def test_the_worst_status_counts() -> None:
    """Each has its place; of none, nothing is held against anybody."""
    assert {*FROM_GOOD_TO_BAD} == {*MEANINGS}
    assert (worst([0, 3, 1, 4]), worst([3, 2]), worst([1, 130]), worst([])) == (1, 2, 130, 0)


def test_the_help_has_what_makes_several_runs_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    """As every other option."""
    with pytest.raises(SystemExit):
        main.main(["run", "--help"])
    told = " ".join(capsys.readouterr().out.split())

    for option in OF_MANY:
        assert f"--{option.name} {option.metavar}".strip() in told
        assert option.help in told
