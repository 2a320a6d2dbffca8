"""Units on a Dask cluster of this machine: what they come to, and what becomes of them where something is killed.

`tox run -e dask` installs the library and runs this; DASK_KILLS names how often a worker is killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_many import FEW, LONG, Waiting, clouds, entry, images_left, last_line, run

from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed; tox run -e dask has it")

KILLS = int(os.environ.get("DASK_KILLS", "2"))
SEEDS = (1, 2, 3)
SPY = """\
import cloudpickle
from distributed.diagnostics.plugin import SchedulerPlugin

class Spy(SchedulerPlugin):
    def __init__(self, scheduler):
        self.scheduler = scheduler

    def transition(self, key, start, finish, *args, **kwargs):
        if finish == "processing":
            with open({path!r}, "ab") as file:
                file.write(cloudpickle.dumps(self.scheduler.tasks[key].run_spec))

def dask_setup(scheduler):
    scheduler.add_plugin(Spy(scheduler))
"""


class Cluster:
    """A scheduler and workers, each in a process of its own."""

    def __init__(self, folder: Path, stack: ExitStack, environ: dict[str, str]) -> None:
        self.folder, self.stack, self.environ = folder, stack, environ
        self.scheduler: subprocess.Popen[str] | None = None
        self.address = ""
        self.words: tuple[str, ...] = ()
        """What scheduler and workers are given beside the usual, such as certificates."""
        self.told: list[str] = []
        """What the scheduler has logged."""

    def start(self, *words: str, workers: int = 0) -> Cluster:
        """Start the scheduler, and as many workers."""
        found = threading.Event()

        def hear(line: str) -> None:
            self.told.append(line)
            if "Scheduler at:" in line:
                self.address = line.split("Scheduler at:")[1].strip()
                found.set()

        self.scheduler = self._started(hear, "scheduler", "--host", "127.0.0.1", "--port", "0", *words)
        assert found.wait(LONG)
        if workers:
            self.work(workers)
        return self

    def work(self, number: int = 1, *words: str, **environ: str) -> None:
        """Start workers."""
        ready = threading.Semaphore(0)

        def hear(line: str) -> None:
            if "Registered to:" in line:
                ready.release()

        folder = f"--local-directory={self.folder / 'dask'}"
        words = (self.address, "--nworkers", str(number), "--nthreads", "1", folder, *words)
        self._started(hear, "worker", *words, **environ)
        for _ in range(number):
            assert ready.acquire(timeout=LONG)

    def _started(self, hear: Callable[[str], None], *words: str, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--no-dashboard", *self.words],
            cwd=self.folder,
            env=self.environ | environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

        def listen() -> None:
            assert process.stderr
            with process.stderr as lines:
                for line in lines:
                    hear(line)

        thread = threading.Thread(target=listen)
        thread.start()

        def end() -> None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            thread.join(30)

        self.stack.callback(end)
        return process

    def pids(self) -> dict[str, int]:
        """Return the processes of the workers by their addresses, and of those alone that carry something out."""
        with distributed.Client(self.address, set_as_default=False) as client:
            busy = {address for address, keys in client.processing().items() if keys}
            return {address: pid for address, pid in client.run(os.getpid).items() if address in busy}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Yield what ends with the test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def cluster(workshop: Any, stack: ExitStack) -> Cluster:
    """Return a cluster that is not started yet."""
    return Cluster(workshop.folder, stack, workshop.environ)


def verdicts(folder: Path) -> dict[str, str]:
    """Return the verdict on each requirement."""
    data = json.loads((folder / "conformance.json").read_text("utf-8"))
    return {each["id"]: each["verdict"] for each in data["requirements"]}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_verdicts_are_those_of_one_run(workshop: Any, cluster: Cluster, workers: int) -> None:
    """However many workers there are, over three seeds."""
    cluster.start(workers=workers)
    for seed in SEEDS:
        words = ("--reference", "--profile", "quick", "--seed", str(seed))
        alone = run(workshop, *words, "--reports", f"alone-{seed}")
        together = run(workshop, *words, "--reports", f"together-{seed}", "--shards", "4", "--dask", cluster.address)

        assert (alone.status, together.status) == (0, 0), together.out
        assert verdicts(workshop.folder / f"together-{seed}") == verdicts(workshop.folder / f"alone-{seed}")


class Counting(App):
    """A service that says when it has got so many requests about images, and when an image is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.count = 0

    def handle(self, request: Any) -> Reply:
        """Count a request."""
        reply = super().handle(request)
        with self.changed:
            self.count += request.path.startswith("/v2")
            self.changed.notify_all()
        return reply

    def wait_for(self, true: Callable[[], bool]) -> bool:
        """Wait until something is so."""
        with self.changed:
            return self.changed.wait_for(true, LONG)


def test_no_verdict_is_lost_with_a_worker(workshop: Any, stack: ExitStack, cluster: Cluster) -> None:
    """A worker is killed in the middle of a unit, which is done again; its process takes its images away."""
    chance = random.Random(7)  # noqa: S311 - the same kills each time
    app = Counting()
    clouds(workshop, stack, mine=app)
    cluster.start(workers=2)
    words = ("run", "--cloud", "mine", "--profile", "quick", "--seed", "1", "--select", "TAG-ADD", "--dask")
    whole = workshop.end(workshop.start("pytest_cloudimages", *words, cluster.address), LONG)
    expected, requests = verdicts(workshop.reports), app.count
    for kill in range(KILLS):
        begun, at = app.count, chance.randrange(3, requests - 10)
        process = workshop.start("pytest_cloudimages", *words, cluster.address, "--reports", f"kill-{kill}")
        assert app.wait_for(lambda begun=begun, at=at: app.count >= begun + at)  # type: ignore[misc]  # bound now
        killed = [*cluster.pids().values()]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        outcome = workshop.end(process, LONG)

        assert (whole.status, outcome.status) == (0, 0), outcome.out
        assert verdicts(workshop.folder / f"kill-{kill}") == expected
        assert app.wait_for(lambda: not images_left(app)), images_left(app)
        print(f"kill {kill}: at request {at} of {requests}, {len(killed)} workers, {app.count - begun} requests in all")


def test_a_lost_scheduler_is_no_verdict(workshop: Any, stack: ExitStack, cluster: Cluster) -> None:
    """What came before is kept, nothing is called judged that was not, and the images go."""
    apps = {"soon": App(), "late": Waiting()}
    clouds(workshop, stack, **apps)
    cluster.start(workers=2)
    words = ("run", "--cloud", "soon", "--cloud", "late", *FEW, "--dask", cluster.address)
    process = workshop.start("pytest_cloudimages", *words)
    try:
        assert apps["late"].asked.wait(LONG)  # type: ignore[attr-defined]  # it waits
        assert any(line.startswith("soon | PASS") for line in process.stdout)
        assert cluster.scheduler
        cluster.scheduler.kill()
        assert apps["late"].gone.wait(LONG)  # type: ignore[attr-defined]  # likewise
    finally:
        apps["late"].over.set()  # type: ignore[attr-defined]  # likewise
        outcome = workshop.end(process, LONG)

    assert last_line(outcome.out) == "NOT JUDGED: soon PASS, late NOT JUDGED; exit 3"
    assert outcome.status == 3
    assert verdicts(workshop.reports / "soon")["TAG-ADD-01"] == "pass"
    assert not (workshop.reports / "late").exists()
    assert images_left(*apps.values()) == []


def test_ctrl_c_reaches_every_worker(workshop: Any, stack: ExitStack, cluster: Cluster) -> None:
    """Each takes its images away, and what it has left comes back."""
    apps = {"a": Waiting(), "b": Waiting()}
    clouds(workshop, stack, **apps)
    cluster.start(workers=2)
    process = workshop.start(
        "pytest_cloudimages", "run", "--cloud", "a", "--cloud", "b", *FEW, "--dask", cluster.address
    )
    try:
        assert all(app.asked.wait(LONG) for app in apps.values())
        process.send_signal(signal.SIGINT)
        assert all(app.gone.wait(LONG) for app in apps.values())
    finally:
        for app in apps.values():
            app.over.set()
        outcome = workshop.end(process, LONG)

    assert last_line(outcome.out) == "INTERRUPTED: a INTERRUPTED, b INTERRUPTED; exit 130"
    assert outcome.status == 130
    assert images_left(*apps.values()) == []
    assert json.loads((workshop.reports / "a" / "conformance.json").read_text("utf-8"))["ended"] == "interrupted"


def test_workers_look_for_credentials_themselves(workshop: Any, stack: ExitStack, cluster: Cluster) -> None:
    """Neither the scheduler's log nor a task has any; and a unit goes where its cloud is a worker's resource."""
    cluster.environ = workshop.environ | {"DASK_LOGGING__DISTRIBUTED": "debug"}
    spied = workshop.folder / "spied"
    cluster.start("--preload", str(workshop.write("spy.py", SPY.format(path=str(spied)))))
    canaries = []
    for name in ("a", "b"):
        server = stack.enter_context(serving(App()))
        found = entry(server)
        canaries.append(found["auth"]["password"])
        file = workshop.write(f"clouds-{name}.yaml", json.dumps({"clouds": {name: found}}))
        cluster.work(1, "--resources", f"{name}=1", OS_CLIENT_CONFIG_FILE=str(file))
    workshop.environ["OS_PASSWORD"] = workshop.environ["CLOUDIMAGES_TOKEN"] = "canary-of-the-command"
    outcome = run(workshop, "--cloud", "a", "--cloud", "b", *FEW, "--dask", cluster.address)
    seen = spied.read_bytes() + "".join(cluster.told).encode()

    assert last_line(outcome.out) == "PASS: a PASS, b PASS; exit 0"
    assert b"TAG-ADD-01" in seen
    assert [secret for secret in (*canaries, "canary-of-the-command") if secret.encode() in seen] == []


def test_a_scheduler_is_spoken_to_with_tls(
    workshop: Any, cluster: Cluster, make_certificate: Callable[..., Path]
) -> None:
    """By certificates that Dask's own configuration names; without them the command is wrong."""
    file = str(make_certificate())
    cluster.words = ("--tls-ca-file", file, "--tls-cert", file, "--tls-key", file)
    cluster.start("--protocol", "tls", workers=1)
    words = ("--reference", *FEW, "--dask", cluster.address)
    refused = run(workshop, *words)
    start = "DASK_DISTRIBUTED__COMM__TLS__"
    workshop.environ |= {f"{start}CA_FILE": file, f"{start}CLIENT__CERT": file, f"{start}CLIENT__KEY": file}
    outcome = run(workshop, *words)

    assert cluster.address.startswith("tls://")
    assert (refused.status, outcome.status) == (2, 0), outcome.out
    assert "expected certificates for TLS" in refused.out


def test_a_scheduler_that_is_not_there_is_told(workshop: Any) -> None:
    """In a line, with exit status 3."""
    outcome = run(workshop, "--reference", *FEW, "--dask", "127.0.0.1:9")

    assert outcome.status == 3
    assert "--dask 127.0.0.1:9: no scheduler answers" in outcome.out
