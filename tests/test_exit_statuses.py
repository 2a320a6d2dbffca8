"""The exit status of each command, as the table of the documentation has it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread, get_ident
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_results
from exit_statuses import CASES, Case, markdown
from faults import FAULTS

from pytest_cloudimages.app.cli.exit_status import INTERRUPTED, MEANINGS
from pytest_cloudimages.app.cli.main import OTHERS, main
from pytest_cloudimages.app.cli.unexpected import tell_unexpected
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving
from pytest_cloudimages.reporting import deviations
from pytest_cloudimages.reporting.results import as_json
from pytest_cloudimages.reporting.verification import with_digest
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDED, DELETED = "TAG-ADD-01", "TAG-DEL-01"
EXPIRED = f"""\
[[deviations]]
requirement = "{ADDED}"
service = "*"
reason = "known"
owner = "storage"
expires = 2001-01-31
"""
STEP = {"caller": "tester", "method": "PUT", "target": "/images/{image}/tags/a", "headers": [], "body": ""}
FINDING = {
    "format": 1, "id": ADDED, "statement": "s", "identity": "i", "verdict": "fail", "endpoint": "http://x/v2",
    "specification": "cloud-images", "seed": 1, "command": f"cloudimages run --select {ADDED}",
    "asks": {"profile": "quick", "seed": "1"},
    "plan": {"state": "", "tags": [], "steps": [STEP], "expect": {"kind": "status", "step": 0, "allowed": ["204"]}},
}  # fmt: skip

UNPLANNED = {name: value for name, value in FINDING.items() if name != "asks"} | {"plan": None}


class Slow(App):
    """A service that says when it is asked about images, and then takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over = Event(), Event()

    def handle(self, request: Any) -> Any:
        """Wait until the test has done its part."""
        if "/images" in request.path and not self.over.is_set():
            self.asked.set()
            self.over.wait(20)
        return super().handle(request)


SERVICES: dict[str, Callable[[], App]] = {
    "honest": App,
    "faulty": FAULTS["AnswersAnAdditionWith200"],
    "slow": Slow,
}


def shard(number: int, identifier: str, verdict: Verdict, left: str) -> dict[str, Any]:
    """Return the results of one of two shards, which was asked one requirement and left the other."""
    data = dict(sample_results.results({identifier: verdict}).data)
    return data | {"shard": {"number": number, "of": 2, "requirements": [identifier], "left": {left: 3 - number}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files that the commands read."""
    folder = tmp_path_factory.mktemp("made")
    texts = {f"{verdict.name}.json": as_json(sample_results.results({ADDED: verdict})) for verdict in Verdict}
    texts["GOOD.json"], texts["FAILING.json"] = texts["PASS.json"], texts["FAIL.json"]
    expired = sample_results.results({ADDED: Verdict.FAIL}).accepting(deviations.parse(EXPIRED))
    changed = json.loads(texts["GOOD.json"]) | {"seconds": 1.0}
    texts |= {"EXPIRED.json": as_json(expired), "CHANGED.json": json.dumps(changed), "expired.toml": EXPIRED}
    texts |= {"finding.json": json.dumps(FINDING), "unplanned.json": json.dumps(UNPLANNED)}
    for name, verdict in (("SHARD1", Verdict.PASS), ("FAILED1", Verdict.FAIL), ("BLOCKED1", Verdict.BLOCKED)):
        texts[f"{name}.json"] = json.dumps(with_digest(shard(1, ADDED, verdict, DELETED)))
    texts["SHARD2.json"] = json.dumps(with_digest(shard(2, DELETED, Verdict.PASS, ADDED)))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, direct: None, made: Path) -> Iterator[ExitStack]:
    """Go to the files, with surroundings that name no service and let Ctrl-C through."""
    del direct
    for name in [name for name in os.environ if name.startswith(("OS_", "CLOUDIMAGES_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(made)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, before)
        yield stack


def in_the_way(stack: ExitStack) -> int:
    """Return a port that is taken, and on which nobody listens."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    port: int = taken.getsockname()[1]
    return port


def served(case: Case, stack: ExitStack) -> tuple[dict[str, str], App | None]:
    """Return the variables that name the service of a case, and its app."""
    if case.service == "silent":
        address = f"http://127.0.0.1:{in_the_way(stack)}/v2"
        return {"CLOUDIMAGES_ENDPOINT": address, "CLOUDIMAGES_TOKEN": "token-of-mine"}, None
    if not case.service:
        return {}, None
    app = SERVICES[case.service]()
    server = stack.enter_context(serving(app))
    token = app.identity.issue("tester").value
    return {"CLOUDIMAGES_ENDPOINT": f"{server.url}/v2", "CLOUDIMAGES_TOKEN": token}, app


class Interrupting:
    """A terminal at which somebody presses Ctrl-C as soon as something is told."""

    @property
    def buffer(self) -> Interrupting:
        """What takes octets."""
        return self

    def write(self, told: str | bytes) -> int:
        """Press it; nothing is told by an empty text."""
        if told:
            signal.raise_signal(signal.SIGINT)
        return len(told)

    def flush(self) -> None:
        """Do nothing."""


def output_of(case: Case, stack: ExitStack) -> Any:
    """Return where the output of a case goes."""
    if case.output == "interrupting":
        return Interrupting()
    if case.output == "full":
        return stack.enter_context(Path("/dev/full").open("w", encoding="utf-8"))
    reader, writer = os.pipe()
    os.close(reader)
    return stack.enter_context(os.fdopen(writer, "w", encoding="utf-8"))


WORDS = {
    "run": "", "doctor": "", "serve": "", "sweep": "", "diff": "GOOD.json GOOD.json", "merge": "SHARD1.json",
    "verify": "GOOD.json", "replay": "finding.json", "deviations": "new GOOD.json", "matrix": "GOOD.json",
    "export": "ctrf GOOD.json", "requirements": "",
}  # fmt: skip
"""What has a command begin."""


def interrupted(app: Slow, stack: ExitStack) -> None:
    """Press Ctrl-C as soon as a service is asked, and have it answer only then."""
    main_thread = get_ident()

    def press() -> None:
        app.asked.wait(20)
        signal.pthread_kill(main_thread, signal.SIGINT)
        app.over.set()

    (thread := Thread(target=press, daemon=True)).start()
    stack.callback(thread.join, 20)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.elsewhere],
    ids=lambda case: f"{case.command}-{case.status}-{case.when}".replace(" ", "_"),
)
def test_a_command_ends_as_the_table_says(
    case: Case, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its status, without a traceback, and with no image left on the service."""
    environ, app = served(case, stack)
    names = {"out": tmp_path, "taken": in_the_way(stack) if "{taken}" in case.words else 0}
    words = [case.command, *case.words.format(**names).split()]
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    if case.output:
        monkeypatch.setattr(sys, "stdout", output_of(case, stack))
    if isinstance(app, Slow):
        interrupted(app, stack)
    status = ended(words)
    told = "".join(capsys.readouterr())

    assert status == case.status, told
    assert "Traceback" not in told
    assert app is None or [*app.images.all()] == []


@pytest.mark.parametrize("command", [*OTHERS, "run"])
def test_an_error_that_nobody_expected_is_told_in_one_line(
    command: str, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever command meets it: with what it is, where its traceback lies, and the status of an error of ours."""
    del stack  # which names no service

    def breaks_off(*_: object) -> int:
        SECRETS.keep("a-secret-of-the-tester")
        raise RuntimeError("expected no \033[31m\nand a-secret-of-the-tester")

    monkeypatch.setitem(OTHERS, command, breaks_off)
    monkeypatch.setattr(f"{main.__module__}.run", breaks_off)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    status = ended([command, *WORDS[command].split()])
    told = capsys.readouterr().err.splitlines()

    assert (status, len(told)) == (4, 1), told
    assert told[0].startswith(f"cloudimages {command}: this is an error of the suite itself: RuntimeError: expected no")
    (file,) = tmp_path.glob("cloudimages-traceback-*")
    assert f"report it with the traceback in {file}" in told[0]
    assert "Traceback" in (text := file.read_text(encoding="utf-8"))
    assert "breaks_off" in text
    assert "a-secret-of-the-tester" not in text + told[0]
    assert file.stat().st_mode & 0o077 == 0


def test_an_error_is_told_even_where_no_file_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))

    assert tell_unexpected("diff", ValueError("x" * 1000)) == 4
    told = capsys.readouterr().err
    assert told.endswith("; its traceback cannot be written: No such file or directory; exit 4\n")
    assert len(told) < 500


def ended(words: list[str]) -> int | str | None:
    """Return with what a command ends in this process."""
    try:
        return main(words)
    except SystemExit as problem:
        return problem.code


def test_the_table_of_all_commands_in_the_docs_is_current() -> None:
    """docs/gating.md has what `python tests/exit_statuses.py` prints; no status has another meaning than README's."""
    page = (Path(__file__).parents[1] / "docs" / "gating.md").read_text(encoding="utf-8")

    assert f"<!-- endings: python tests/exit_statuses.py -->\n{markdown()}\n<!-- end of endings -->" in page
    assert {case.status for case in CASES} == {*MEANINGS}
    assert {case.command for case in CASES if case.status == INTERRUPTED} >= {"run", "diff", "merge", "sweep"}


def test_every_command_has_its_row() -> None:
    """None is forgotten: those of the table are those of the help; what another test has, it has by that name."""
    assert {case.command for case in CASES} == {"run", *OTHERS}
    for module, _, name in (case.elsewhere.partition(".") for case in CASES if case.elsewhere):
        assert f"\ndef {name}(" in (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")
