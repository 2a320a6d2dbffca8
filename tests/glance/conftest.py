"""What is asked of a real Glance and Keystone: only where they are installed, as in `tox run -e glance`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.glance.__main__ import without_a_cloud
from tests.glance.cloud import Person, identity, real_glance

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter

collect_ignore_glob = [] if [*importlib.metadata.distributions(name="glance")] else ["test_*.py"]


@dataclass(frozen=True)
class Run:
    """What a command has said."""

    status: int
    out: str
    folder: Path

    @property
    def message(self) -> str:
        """The line that says why nothing was judged."""
        lines = [line for line in self.out.splitlines() if line.startswith(("ERROR: ", "  came: ", "PROBLEM: "))]
        return lines[0].partition(": ")[2].strip() if lines else ""

    @property
    def last_line(self) -> str:
        """The sentence with which a run ends."""
        return next(line for line in reversed(self.out.splitlines()) if line.strip())

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdicts by requirement."""
        data = json.loads((self.folder / "conformance.json").read_text("utf-8"))
        return {entry["id"]: entry["verdict"] for entry in data["requirements"]}


@dataclass
class Cloud:
    """A real Glance and Keystone, and the variables that lead there."""

    environment: dict[str, str]
    folder: Path

    @property
    def auth_url(self) -> str:
        """Keystone's address."""
        return self.environment["OS_AUTH_URL"]

    @property
    def own(self) -> dict[str, str]:
        """The tester's variables alone."""
        others = ("OS_ALT_", "OS_READER_", "OS_ADMIN_", "CLOUDIMAGES_")
        return {name: value for name, value in self.environment.items() if not name.startswith(others)}

    def client(self, prefix: str = "OS") -> Adapter:
        """Return a session with Keystone of one of the users."""
        names = (f"{prefix}_{what}" for what in ("USERNAME", "PROJECT_NAME", "PASSWORD"))
        user, project, password = (self.environment[name] for name in names)
        return identity(self.auth_url.removesuffix("/v3"), Person(prefix, user, project, (), password))

    @cached_property
    def glance(self) -> str:
        """Glance's address."""
        return str(self.client().session.get_endpoint(service_type="image", interface="public")).rstrip("/")

    def run(self, environment: dict[str, str], *words: str) -> Run:
        """Run the suite as a tester does."""
        reports = self.folder / str(len(list(self.folder.iterdir())))
        done = self.python(environment, "-m", "pytest_cloudimages", "run", "--reports", str(reports), *words)
        reports.mkdir(exist_ok=True)
        return Run(done.returncode, done.stdout, reports)

    def python(self, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with some words behind it, in the folder of the runs."""
        return subprocess.run(
            [sys.executable, *words],
            env=without_a_cloud(os.environ) | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.folder,
        )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Serve Keystone and Glance on SQLite."""
    with served(tmp_path_factory.mktemp("runs"), vendor=False) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def vendors_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Serve them with the vendor's roles, tasks for whoever may create, and an object store."""
    with served(tmp_path_factory.mktemp("runs"), vendor=True) as cloud:
        yield cloud


@contextmanager
def served(folder: Path, *, vendor: bool) -> Iterator[Cloud]:
    """Serve Keystone and Glance on SQLite for one block."""
    with warnings.catch_warnings():
        # Beside Glance, keystoneauth1 imports osprofiler, and that webob, which imports what Python deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        import keystoneauth1.adapter  # noqa: F401 - for the warnings of its import
    with real_glance("sqlite", workers=1, threads=1, vendor=vendor) as environment:
        yield Cloud(environment, folder)
