"""tests/glance: what it does with its command line and its processes; no Glance is started here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from sample_results import results

from pytest_cloudimages.reporting.side_by_side import Column
from pytest_cloudimages.spec.verdicts import Verdict
from tests.glance import __main__ as command
from tests.glance import databases, matrix, processes, releases
from tests.glance.processes import NotServingError, Place, finish, obey, running

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
PASS, FAIL = Verdict.PASS, Verdict.FAIL
SLEEP = [PYTHON, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two folders, and one for a service."""
    for name in ("private", "private/service", "logs"):
        (tmp_path / name).mkdir()
    return Place(tmp_path / "private", tmp_path / "logs")


def alive(process: int) -> bool:
    """Return whether a process runs; one that ended and waits to be reaped by another does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ("sqlite", 1, 1, [])),
        (["--database", "mysql"], ("mysql", 2, 4, [])),
        (["--database", "postgresql"], ("postgresql", 2, 4, [])),
        (["--database", "mysql", "--workers", "3", "--threads", "1"], ("mysql", 3, 1, [])),
        (["--", PYTHON, "--database", "x"], ("sqlite", 1, 1, [PYTHON, "--database", "x"])),
        (["--seed", "7", "--", PYTHON, "run"], ("sqlite", 1, 1, [PYTHON, "run", "--seed", "7"])),
    ],
)
def test_the_command_line(given: list[str], expected: tuple[object, ...]) -> None:
    """What is not for us is put behind the command."""
    options = command.parsed(given)
    assert (options.database, options.workers, options.threads, options.command) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--workers", "2"], "more need --database mysql"),
        (["--threads", "2"], "more need --database mysql"),
        (["--workers", "0"], "'0' is no number of at least 1"),
        (["--database", "oracle"], "invalid choice: 'oracle'"),
        (["--profile", "quick"], "Unknown: --profile quick"),
        (["--"], "There is no command after --"),
        (["--", "no-such-command"], "There is no command no-such-command"),
    ],
)
def test_a_mistake_is_told(given: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is named, before anything is started."""
    with pytest.raises(SystemExit) as ended:
        command.main(given)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "package"), [("mariadbd-of-nobody", "mariadb-server"), ("initdb-of-nobody", "postgresql")]
)
def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, program: str, package: str) -> None:
    """Without a database, a tester learns what to install."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotServingError, match=rf"no {program} .*\n.*apt-get install {package}"):
        databases.programs(program)


def test_the_callers_cloud_stays_out() -> None:
    """A command sees neither the caller's cloud nor his proxies."""
    given = {"OS_TOKEN": "t", "https_proxy": "p", "NO_PROXY": "n", "PATH": "/bin"}
    assert command.without_a_cloud(given) == {"PATH": "/bin"}


def test_a_server_ends_with_its_block(place: Place) -> None:
    """Neither a server nor what it has started outlives its block."""
    script = f"import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(60)"
    with running(place, "service", [PYTHON, "-c", script]) as process:
        while not (child := place.log("service").read_text()).endswith("\n"):
            time.sleep(0.01)
        assert alive(process.pid)
        assert alive(int(child))
    assert process.returncode == -signal.SIGTERM
    deadline = time.monotonic() + 10  # a signal that nobody can refuse takes its time all the same
    while alive(int(child)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(int(child))


def test_a_server_that_ends_too_early_is_an_error(place: Place) -> None:
    """Whoever relied on a server learns that it did not last, with its last words."""
    told = r"(?s)service ended with 3 .*The end of service\.log.*last words"
    ends = [PYTHON, "-c", "print('last words'); raise SystemExit(3)"]
    with pytest.raises(NotServingError, match=told), running(place, "service", ends) as process:
        process.wait()


def test_a_failing_tool_is_told_with_its_log(place: Place) -> None:
    """What a tool said before it failed is shown."""
    with pytest.raises(NotServingError, match=r"(?s)ended with 4\. The end of tool\.log:.*no table"):
        finish(place, "tool", [PYTHON, "-c", "print('no table'); raise SystemExit(4)"])


@pytest.mark.parametrize(
    ("ending", "status"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)]
)
def test_the_status_is_the_commands(ending: str, status: int) -> None:
    """The exit status is the command's, a signal being 128 and its number."""
    assert obey([PYTHON, "-c", ending], os.environ) == status


def test_ctrl_c_lets_the_command_finish(tmp_path: Path) -> None:
    """Ctrl-C goes to the command too; it is waited for, and its status counts."""
    inner = "import signal; signal.signal(2, lambda *_: exit(5)); print('ready', flush=True); signal.pause()"
    outer = "import sys; sys.path.insert(0, sys.argv[1]); from tests.glance.processes import obey; exit(obey(sys.argv[2:], {}))"
    with subprocess.Popen(
        [PYTHON, "-c", outer, str(ROOT), PYTHON, "-c", inner],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(processes.STOP) == 5


def test_ctrl_c_as_the_command_ends_keeps_its_status() -> None:
    """An interrupt that comes with the command's end loses nothing: a 0 in place of its status would open a gate."""
    command = ["/bin/sh", "-c", "kill -INT $PPID; exit 5"]
    assert {obey(command, os.environ) for _ in range(50)} == {5}


def test_every_release_is_judged_and_the_newest_on_every_database() -> None:
    """A column for each place, with a name by which it is asked for."""
    names = [place.name for place in matrix.places()]
    assert names[:7] == [f"{major}/sqlite" for major in range(27, 34)]
    assert names[7:] == ["32/mysql", "33/mysql", "32/postgresql", "33/postgresql"]
    assert matrix.parsed(["--only", "33/mysql"]).only == ["33/mysql"]


def test_a_release_that_does_not_install_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what pip says; one that is installed already is not installed again."""
    folders: list[Path] = []

    def create(folder: Path, **_: object) -> None:
        folder.mkdir()
        folders.append(folder)

    monkeypatch.setattr("venv.create", create)
    release = releases.Release("99.0.0", ("constraint<1",))
    answers = [(1, "no such release"), (0, "")]

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert {"glance==99.0.0", "constraint<1", *releases.BESIDE} <= {*command}
        status, told = answers.pop(0)
        return subprocess.CompletedProcess(command, status, "", told)

    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(releases.NotInstalledError, match="no such release"):
        releases.installed(release, tmp_path)
    folders.pop().rmdir()
    python = releases.installed(release, tmp_path)
    assert releases.installed(release, tmp_path) == python
    assert len(folders) == 1


def test_what_was_not_judged_is_said_in_the_matrix(tmp_path: Path) -> None:
    """A release that is missing without a word would look as if nobody had thought of it."""
    matrix.write([], {"99.0.0 SQLite": "It does not install:\nno such release"}, tmp_path)

    assert "### 99.0.0 SQLite\n\n```\nIt does not install:\nno such release" in (tmp_path / "matrix.md").read_text(
        "utf-8"
    )
    assert "Not judged yet: 27.1.1 SQLite, " in (tmp_path / "matrix.md").read_text("utf-8")
    assert "27.1.1 (oslo.db<17, SQLAlchemy<2, oslo.utils<9); 28.2.0 (" in (tmp_path / "matrix.md").read_text("utf-8")
    assert (tmp_path / "matrix.html").is_file()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([("1.0 SQLite", PASS), ("2.0 SQLite", PASS)], "- Between releases, on SQLite: nothing.\n"),
        (
            [("1.0 SQLite", PASS), ("2.0 SQLite", FAIL)],
            "- Between releases, on SQLite:\n  - TAG-ADD-03: missed by 2.0, not by 1.0\n",
        ),
        (
            [("1.0 SQLite", PASS), ("2.0 SQLite", PASS), ("2.0 MariaDB", FAIL)],
            "- Between releases, on SQLite: nothing.\n- Between databases, with 2.0:\n  - TAG-ADD-03: missed by MariaDB, not by SQLite\n",
        ),
        ([("1.0 SQLite", FAIL)], ""),
    ],
)
def test_where_releases_and_databases_differ_is_said(columns: list[tuple[str, Verdict]], told: str) -> None:
    """Of what was judged beside each other, and of nothing else."""
    found = [Column(label, results({"TAG-ADD-03": verdict}).data) for label, verdict in columns]

    assert matrix.differences(found) == (f"## What differs\n\n{told}\n" if told else "")


def test_what_differs_in_a_race_alone_may_be_chance() -> None:
    """Which release lost it is not held against that release."""
    found = [
        Column(f"{number}.0 SQLite", results({"TAG-ADD-03": verdict}).data)
        for number, verdict in ((1, PASS), (2, FAIL))
    ]
    found[1].entries["TAG-ADD-03"] = {
        **found[1].entries["TAG-ADD-03"],
        "rate": {"violations": 1, "of": 4, "what": "lost"},
    }

    assert "TAG-ADD-03: missed by 2.0, not by 1.0; a race, which is lost by chance\n" in matrix.differences(found)
