"""`cloudimages run`: judge a service."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli.exit_status import NOT_JUDGED, SUITE_ERROR, USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import pytest

    from pytest_cloudimages.reporting.results import Results


class _SignalHandler:
    """What a signal does: the first ends the run, the next is told to wait for the tidying up, the third ends that."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, frame: object) -> None:
        """Take a signal."""
        self.count += 1
        if self.count == 2:  # noqa: PLR2004 - the second
            os.write(2, b"\ncloudimages: tidying up; once more leaves things as they are\n")
            return
        signal.default_int_handler(number, frame)  # type: ignore[arg-type]  # the frame that Python hands over


class _ResultsCollector:
    """Keeps what the run leaves on pytest's configuration, which ends with it."""

    results: Results | None = None

    def __init__(self) -> None:
        self.uncollected: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say that the command runs, which ends where nothing can be judged."""
        from pytest_cloudimages.app.stash import COMMAND

        config.stash[COMMAND] = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a module cannot be loaded, whoever wrote it."""
        self.uncollected += [report.longreprtext] if report.failed else []

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Take the results over."""
        from pytest_cloudimages.app.stash import RESULTS

        self.results = config.stash.get(RESULTS, None)


def run(chosen: argparse.Namespace, rest: list[str]) -> int:
    """Run the suite under pytest, and give the exit status of the epilogue."""
    import pytest

    watcher = _ResultsCollector()
    # The command is part of what pytest would have rewritten, had it been the first to load it.
    last = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    try:
        with _own_surroundings():
            status = pytest.main([*_words(chosen), *_apart(rest), *rest, *last], plugins=[watcher])
    except KeyboardInterrupt:
        status = pytest.ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as problem:
        # Where the disk is full, or the terminal is gone, nothing more can be told than this.
        with suppress(OSError):
            print(f"cloudimages run: a report cannot be written: {problem}", file=sys.stderr)
        return SUITE_ERROR
    print(*watcher.uncollected, sep="\n", end="", file=sys.stderr)
    if watcher.results is not None:
        if status == pytest.ExitCode.INTERNAL_ERROR or watcher.uncollected:
            return SUITE_ERROR
        return 0 if chosen.dry_run else watcher.results.exit_status(strict=chosen.strict)
    if status == pytest.ExitCode.USAGE_ERROR:
        return USAGE
    if status in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERRUPTED):
        return NOT_JUDGED
    return SUITE_ERROR if status else 0


@contextmanager
def _own_surroundings() -> Iterator[None]:
    """Set signals and the environment up for a run, and put them back for whoever called."""
    environ = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Whoever asks the run to end is owed the same tidying up as after Ctrl-C.
    stop = _SignalHandler()
    for number in handlers:
        signal.signal(number, stop)
    # What Hypothesis learns from sources is kept apart from the tester's own folder.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "pytest-cloudimages")))
    # What a shell sets for the tester's own tests is not meant for the suite: it could leave checks out unseen.
    for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name in {*os.environ, *environ}:
            if name not in environ:
                del os.environ[name]
            elif os.environ.get(name) != environ[name]:
                os.environ[name] = environ[name]
        for number, handler in handlers.items():
            # None stands for a handler that Python did not set, and cannot set again.
            if handler is not None:
                signal.signal(number, handler)


def _apart(rest: Sequence[str]) -> list[str]:
    """Give what keeps a folder's settings and conftest.py out of the run, unless tests of that folder are named."""
    if any(Path(word.partition("::")[0]).exists() for word in rest if not word.startswith("-")):
        return []
    return ["-c", os.devnull, "--rootdir", ".", "--noconftest"]


def _words(chosen: argparse.Namespace) -> list[str]:
    words = ["--pyargs", "pytest_cloudimages.conformance", "--import-mode=importlib"]
    # What a folder's own pytest settings ask of its own tests is not asked of the suite.
    for setting in (
        "addopts=",
        "filterwarnings=",
        "python_files=test_*.py",
        "python_functions=test_*",
        "xfail_strict=0",
        "render_collapsed=passed,skipped",
    ):
        words += ["-o", setting]
    words += [
        "-p",
        "no:cacheprovider",
        "--no-header",
        "-q",
        "--tb=no",
        "--disable-warnings",
        "-rE",
        "--show-capture=no",
    ]
    words += [f"--cloudimages-reports={chosen.reports or 'reports'}"]
    words += ["--cloudimages-reference"] if chosen.reference else []
    words += ["--cloudimages-strict"] if chosen.strict else []
    words += ["--cloudimages-dry-run"] if chosen.dry_run else []
    renamed = {"endpoint": "url"}
    for name in (
        "endpoint", "cloud", "other_cloud", "reader_cloud", "creator_cloud", "admin_cloud", "profile", "seed",
        "minutes", "examples", "specification", "tag_limit", "timeout", "patience",
    ):  # fmt: skip
        if (value := getattr(chosen, name)) is not None:
            words.append(f"--cloudimages-{renamed.get(name, name).replace('_', '-')}={value}")
    for name in ("image", "select", "catalogue"):
        words += [f"--cloudimages-{name}={value}" for value in getattr(chosen, name) or ()]
    return words
