"""`cloudimages run`: judge a service, by running the suite under pytest."""

from __future__ import annotations

import gc
import os
import signal
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.arguments import asks_for_several, handed_on, typed
from pytest_cloudimages.app.cli.exit_status import FINE, FOUND, INTERRUPTED, NOT_JUDGED, SUITE_ERROR, USAGE, worst
from pytest_cloudimages.app.cli.signals import asked_to_end_by
from pytest_cloudimages.app.cli.terminals import is_terminal, terminals_may_go
from pytest_cloudimages.app.pytest_settings import Handover

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import pytest

    from pytest_cloudimages.app.stash import OwnFailure
    from pytest_cloudimages.reporting.results import Results


class _SignalHandler:
    """What a signal does: the first ends the run, the second asks for time to clean up, the third ends that too.

    Where the terminal is gone, what is still to be shown goes nowhere, and everything else is done as ever.
    """

    def __init__(self) -> None:
        self.count = 0
        self.terminals = {os.fstat(number).st_rdev for number in (0, 1, 2) if is_terminal(number)}

    def __call__(self, number: int, frame: object) -> None:
        """Raise ``KeyboardInterrupt``, but for the second signal."""
        if number == signal.SIGHUP:
            self._leave_the_terminal()
            if self.count:
                return  # a shell that ends and its terminal may both say so
        self.count += 1
        if self.count == 2:  # noqa: PLR2004 - the second
            with suppress(OSError):
                os.write(2, b"\ncloudimages: cleaning up; one more interrupt leaves things as they are\n")
            return
        signal.default_int_handler(number, frame)  # type: ignore[arg-type]  # the frame that Python hands over

    def _leave_the_terminal(self) -> None:
        """Have whatever is open on the terminal lead nowhere: pytest may hold more of it than the standard streams."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(MOST_OPEN):
            with suppress(OSError):
                kept = os.fstat(number)
                if stat.S_ISCHR(kept.st_mode) and kept.st_rdev in self.terminals:
                    os.dup2(nowhere, number)
        os.close(nowhere)


MOST_OPEN = 256
"""Numbers of open files among which the terminal is looked for."""
SELDOM = 200_000
"""Objects more that are made before garbage is looked for; Python's own number is 700."""


class _ResultsCollector:
    """Keeps what the run leaves on pytest's configuration, which ends with it."""

    results: Results | None = None
    unwritten = ""
    """Why the results could not be written, if that is so."""

    def __init__(self) -> None:
        self.uncollected: list[str] = []
        self.own_failed: list[OwnFailure] = []
        """Tests of the tester's own that failed, and no requirement with them."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say that the command runs, which ends where nothing can be judged."""
        from pytest_cloudimages.app.stash import COMMAND

        config.stash[COMMAND] = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a module cannot be loaded, whoever wrote it."""
        from pytest_cloudimages.client.redaction import SECRETS

        self.uncollected += [SECRETS.hide(report.longreprtext)] if report.failed else []

    def pytest_collection_finish(self) -> None:
        """Have the collector of garbage leave alone what is loaded: it stays to the end."""
        gc.freeze()

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Keep the results before the configuration ends, and what a run leaves from being looked through by pytest."""
        from pytest_cloudimages.app.stash import OWN_FAILED, RESULTS, UNWRITTEN

        self.own_failed = config.stash.get(OWN_FAILED, [])
        self.results = config.stash.get(RESULTS, None)
        self.unwritten = config.stash.get(UNWRITTEN, "")
        gc.freeze()


REASONS = {
    FINE: "this was a rehearsal",
    USAGE: "usage or configuration, see above",
    NOT_JUDGED: "no check is left of what was asked for",
    INTERRUPTED: "before anything was judged",
    SUITE_ERROR: "an error of the suite itself, see above",
}
"""Why a run has no verdict, by its exit status."""


def run(chosen: argparse.Namespace, rest: list[str]) -> int:
    """Run the suite under pytest, and return the exit status that the help describes."""
    if asks_for_several(chosen):
        from pytest_cloudimages.app.many.command import many

        return many(chosen, rest)
    # Loading all that a run takes is slow enough to be wondered at.
    print(f"cloudimages {__version__}: looking for the service", flush=True)
    collector = _ResultsCollector()
    handover = Handover(typed(chosen), tuple(rest))
    words = [
        *_suite_words(),
        *_packages(chosen.catalogue or ()),
        # The suite asserts by functions that explain themselves; pytest explains what others assert.
        *([] if rest or chosen.catalogue else ["--assert=plain"]),
        *handed_on(chosen),
        *_own_folder_left_out(rest),
        *rest,
    ]
    # The command is part of what pytest would have rewritten, had it been the first to load it.
    last = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    try:
        with terminals_may_go():
            with _own_surroundings(rest), _seldom_collected():
                _load()
                ended = _executed([*words, *last], collector, handover)
            status = _status(collector, ended, chosen)
            if not collector.unwritten:
                print(_last_line(collector, status, chosen))
                _print_exports(collector.results)
        # What is still to be written finds nobody to read it now, and not when Python ends.
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"INTERRUPTED: the run did not come to its end; exit {INTERRUPTED}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left, as `| head` does: the run was cut short, and nothing of it is a verdict.
        leave_unread()
        return NOT_JUDGED
    except OSError as problem:
        # Where the disk is full, or the terminal is gone, nothing more can be told than this.
        return _not_written(problem)
    return _not_written(collector.unwritten) if collector.unwritten else status


def _load() -> None:
    """Load what judges and what it looks at, before pytest does it module by module in search of assertions.

    There are none in the package that are to be explained.
    """
    from importlib import import_module

    from pytest_cloudimages import areas
    from pytest_cloudimages.engine.drawing import composites_unread

    with composites_unread():
        areas.load()
    import_module("pytest_cloudimages.app.judge")


def _executed(words: list[str], *plugins: object) -> int:
    """Run pytest. What is drawn follows from the seed, whatever is installed from sources and lies in the folder."""
    import pytest

    from pytest_cloudimages.engine.drawing import without_sources

    with without_sources():
        return pytest.main(words, plugins=plugins)


def leave_unread() -> None:
    """Send what is left to print nowhere: Python would fail once more at its end, with a status of its own."""
    with suppress(OSError, ValueError), Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _status(collector: _ResultsCollector, status: int, chosen: argparse.Namespace) -> int:
    """Return the exit status of a run that pytest has ended with this status."""
    import pytest

    if collector.uncollected:
        print(*collector.uncollected, sep="\n", file=sys.stderr)
        return SUITE_ERROR
    if collector.results is not None and status != pytest.ExitCode.INTERNAL_ERROR and not chosen.dry_run:
        return _with_own(collector, collector.results.exit_status(strict=chosen.strict))
    # A rehearsal finds nothing; and where there are no results, pytest alone knows why.
    statuses: dict[int, int] = {
        pytest.ExitCode.OK: FINE,
        pytest.ExitCode.TESTS_FAILED: FINE if chosen.dry_run else SUITE_ERROR,
        pytest.ExitCode.USAGE_ERROR: USAGE,
        pytest.ExitCode.INTERRUPTED: INTERRUPTED,
        pytest.ExitCode.NO_TESTS_COLLECTED: NOT_JUDGED,
    }
    return statuses.get(status, SUITE_ERROR)


def _with_own(collector: _ResultsCollector, status: int) -> int:
    """Return the status of a run with that of the tester's own tests, which count whatever they are about."""
    return worst([status, *(NOT_JUDGED if failed.blocked else FOUND for failed in collector.own_failed)])


def _last_line(collector: _ResultsCollector, status: int, chosen: argparse.Namespace) -> str:
    """Return the sentence with which a run ends."""
    from pytest_cloudimages.reporting.closing import WORDS, sentence

    if collector.results is None or chosen.dry_run or status == SUITE_ERROR:
        return f"{WORDS[status]}: {REASONS[status]}; exit {status}"
    return sentence(collector.results, own=len(collector.own_failed), ended=partial(_with_own, collector))


def _print_exports(results: Results | None) -> None:
    """Print the results in the forms that are to go to standard output."""
    from pytest_cloudimages.app.cli.export import print_octets
    from pytest_cloudimages.reporting.formats import STANDARD_OUTPUT, rendered, split

    if results is not None:
        for name, file in map(split, results.data["settings"]["export"]):
            if file == STANDARD_OUTPUT:
                print_octets(rendered(name, results.data))


def _not_written(problem: object) -> int:
    """Say why a report is missing, and return the status of it: a gate must not take for done what is not there."""
    with suppress(OSError):
        print(f"cloudimages run: a report cannot be written: {problem}; exit {SUITE_ERROR}", file=sys.stderr)
    return SUITE_ERROR


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Collect garbage less often: a tenth of a run's CPU was to look through what is loaded, which is no garbage."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _own_surroundings(rest: Sequence[str]) -> Iterator[None]:
    """Set signals and the environment up for a run, and restore them afterwards."""
    environ = dict(os.environ)
    # What Hypothesis learns from sources is kept apart from the tester's own folder.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "pytest-cloudimages")))
    if not _names_tests(rest):
        # What other packages tell Hypothesis of themselves is nothing to the suite, and takes long to load.
        os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")
    # What a shell sets for the tester's own tests is not meant for the suite: it could leave checks out unseen.
    for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    try:
        # A run that is asked to end cleans up as after Ctrl-C.
        with asked_to_end_by(_SignalHandler()):
            yield
    finally:
        for name in {*os.environ, *environ}:
            if name not in environ:
                del os.environ[name]
            elif os.environ.get(name) != environ[name]:
                os.environ[name] = environ[name]


def _own_folder_left_out(rest: Sequence[str]) -> list[str]:
    """Return the words that keep the folder's settings and conftest.py out, unless tests of that folder are named."""
    return [] if _names_tests(rest) else ["-c", os.devnull, "--rootdir", ".", "--noconftest"]


def _names_tests(rest: Sequence[str]) -> bool:
    """Return whether tests of the tester's own are named."""
    return any(Path(word.partition("::")[0]).exists() for word in rest if not word.startswith("-"))


def _packages(catalogues: Sequence[str]) -> list[str]:
    """Return the packages that bring the catalogues which the tester names, with tests of their own."""
    from pytest_cloudimages.spec.catalogue.installed import package_of

    return [package for package in map(package_of, catalogues) if package]


def _suite_words() -> list[str]:
    """Return the words that have pytest run the suite, and say no more than the reports do."""
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
    words += ["-p", "no:cacheprovider", "--no-header", "-q"]
    return [*words, "--tb=no", "--disable-warnings", "-rE", "--show-capture=no"]
