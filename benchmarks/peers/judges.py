"""The peers: each judges the service at an endpoint with a token, and says what it reports."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SEED = 1
EXAMPLES = 50
"""An operation; the default is 100, of which a fault would take more than ten seconds."""
LONGEST = 1800  # seconds


@dataclass(frozen=True)
class Peer:
    """Another suite: the release of it that is at hand, and its judgement."""

    release: Callable[[], str]
    judge: Callable[[str, str], frozenset[str]]


class CannotJudge(Exception):  # noqa: N818 - not ours
    """A peer came to no result."""


def _schemathesis_command() -> str:
    command = shutil.which("schemathesis")
    if command is None:
        raise SystemExit("The command schemathesis is not on the PATH: pip install schemathesis, or tox run -e peers.")
    return command


def _schemathesis_release() -> str:
    done = subprocess.run([_schemathesis_command(), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _schemathesis(endpoint: str, token: str) -> frozenset[str]:
    """Run the command with its defaults; a report is an operation and the code of a failure, or an error."""
    words = [_schemathesis_command(), "--config-file", str(HERE / "schemathesis.toml")]
    words += ["run", str(HERE / "openapi.yaml"), "--url", endpoint]
    words += ["--header", f"X-Auth-Token: {token}", "--seed", str(SEED), "--max-examples", str(EXAMPLES), "--no-shrink"]
    words += ["--report", "json", "--report-json-path", "report.json"]
    environ = os.environ | {"PYTHONPATH": str(HERE)}
    # What it learns in one run must neither help nor hinder the next: each has a folder of its own.
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                words, cwd=folder, env=environ, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            raise CannotJudge(f"It did not end within {LONGEST} s.") from None
        report = Path(folder, "report.json")
        if not report.exists():
            raise CannotJudge(f"It left no report, status {done.returncode}:\n{done.stdout}{done.stderr}")
        data = json.loads(report.read_text(encoding="utf-8"))
    failures = {f"{operation} {fault['code']}" for fault in data["failures"] for operation in fault["operations"]}
    return frozenset(failures | {f"error: {fault['title']}" for fault in data["errors"]})


class _Failures:
    """Collects the names of the tests that fail."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.names.add(report.nodeid.rpartition("::")[2])


def _tempest(endpoint: str, token: str) -> frozenset[str]:
    """Run the three tests of tags; a report is the name of one that fails."""
    os.environ.update(PEERS_ENDPOINT=endpoint, PEERS_TOKEN=token)
    failures = _Failures()
    words = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(HERE), str(HERE / "tempest_tags.py")]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        status = pytest.main(words, plugins=[failures])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise CannotJudge(f"pytest ended with {status!r}:\n{output.getvalue()}")
    return frozenset(failures.names)


PEERS = {
    "schemathesis": Peer(_schemathesis_release, _schemathesis),
    "tempest": Peer(lambda: "three tests of tags, rewritten", _tempest),
}
