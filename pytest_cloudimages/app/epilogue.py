"""The end of a run: what its checks have shown becomes results, and the results become reports."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app import report_files
from pytest_cloudimages.app.explanations import with_extents
from pytest_cloudimages.app.facts import facts_of
from pytest_cloudimages.app.interruption import give_lines
from pytest_cloudimages.app.postponed import Postponed, postpone
from pytest_cloudimages.app.report_files import UNFINISHED
from pytest_cloudimages.app.stash import COMMAND, OWN_FAILED, RESULTS, RUN, UNWRITTEN
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.engine.what_stays import delete_what_stays
from pytest_cloudimages.reporting import terminal
from pytest_cloudimages.reporting.closing import sentence
from pytest_cloudimages.reporting.results import Results

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_cloudimages.app.allowance import Allowance
    from pytest_cloudimages.app.records import Records
    from pytest_cloudimages.app.selection import Selection
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.reporting.results import RunFacts


COUNTLESS = -2
"""The verbosity at which pytest does not count its tests at the end."""


class Epilogue:
    """The hooks that end a run; its ``results`` are all that the reports know."""

    def __init__(self, config: pytest.Config, selection: Selection, records: Records, allowance: Allowance) -> None:
        self.config, self.selection, self.records, self.allowance = config, selection, records, allowance
        folder = selection.settings.reports
        self.folder = Path(folder) if folder else None
        self.theirs = report_files.prepare(self.folder, config, selection.settings) if self.folder else frozenset[str]()
        """The reports that pytest-html and pytest write into the folder."""
        self.postponed: list[Postponed] = []
        self.begun = time.time()
        self.awaited: set[str] = set()
        """Checks that were to run and have not ended."""
        self.running = False
        self.interrupted = False
        self.written = False
        """Whether the reports were written, or that was tried in vain."""
        self.unwritten = ""
        """Why the results could not be written, if that is so."""

    @property
    def run(self) -> Run:
        """What the run stands on."""
        return self.config.stash[RUN]

    def pytest_sessionstart(self) -> None:
        """Have those who make reports of their own wait until all is judged."""
        self.postponed = postpone(self.config, self.records.complete, self.theirs)

    def pytest_runtest_logstart(self) -> None:
        """Remember that a test has begun."""
        self.running = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which checks have ended."""
        if report.when == "teardown":
            self.awaited.discard(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that the run did not come to its end; pytest itself stops so where a module cannot be loaded."""
        give_lines(excinfo)
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if self.interrupted and COMMAND in self.config.stash and reporter is not None:
            # Where in the suite that was tells the tester nothing; the last line says that it was.
            reporter._report_keyboardinterrupt = lambda: None  # noqa: SLF001 - pytest has no option for it

    @functools.cached_property
    def facts(self) -> RunFacts:
        """The facts that are known before anything is judged."""
        return facts_of(self.run, self.selection, begun=self.begun)

    @functools.cached_property
    def results(self) -> Results | None:
        """What the run has shown, if it has judged anything; made once, when all images are gone."""
        if RUN not in self.config.stash or not self.selection.tested:
            return None
        # Whatever ended it early: a run that was cut short must not look whole.
        interrupted = self.interrupted or (self.running and bool(self.awaited))
        facts = facts_of(
            self.run, self.selection, begun=self.begun, interrupted=interrupted, by_signal=self.interrupted
        )
        return self.allowance.of_results(Results.of(facts, self.selection.catalogue, self.records.results))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the results when everything has been put back, and close what is open."""
        try:
            if RUN in self.config.stash:
                # Before anybody else makes reports of the results.
                self._find_extents()
            return (yield)
        finally:
            if RUN in self.config.stash:
                delete_what_stays(self.run)
                if self.results is not None:
                    session.config.stash[RESULTS] = self.results
                    self._write()
                self.run.close()
            if self.folder and not self.written:
                report_files.discard(self.folder / name for name in self.theirs)
            if self.unwritten and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    @property
    def _spent(self) -> bool:
        """Whether nothing is left of the budget to explain findings with."""
        budget = self.run.transport.way.budget
        return bool(budget.lacks(self.run.recorder.spent, 1))

    def _find_extents(self) -> None:
        """Find out for which class of input the findings hold, if the run came to its end."""
        if self.records.suspects and not self.interrupted and not self.run.problem and not self._spent:
            self.records.extend(with_extents(self.run, self.records.results, self.records.suspects))

    def _write(self) -> None:
        """Write the reports, once; keep why that was not possible."""
        if self.results is None or not self.folder or self.written:
            return
        self.written = True
        try:
            for problem in filter(None, (between.problem for between in self.postponed)):
                raise problem
            report_files.write(self.results, self.folder, self.theirs)
        except OSError as problem:
            report_files.discard(self.folder / name for name in self.theirs)
            file = str(problem.filename or self.folder).removesuffix(UNFINISHED)
            self.unwritten = (
                f"{file}: {problem.strerror}. Make room or name another folder with --reports, and run again"
            )
            self.config.stash[UNWRITTEN] = self.unwritten

    def notices(self) -> list[str]:
        """Return what the tester has to hear beside the results, and has not been told yet."""
        told = self.run.recorder.traces.notices
        lines, told[:] = [in_one_line(SECRETS.hide(notice)) for notice in told], []
        return lines

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdicts by group, and every finding."""
        if RUN in self.config.stash:
            self.run.recorder.traces.notices.extend(self.run.recorder.denials.summary())
            for notice in self.notices():
                terminalreporter.write_line(notice)
        if self.results is not None:
            # Everything has been put back by now, and nothing is claimed before it is there.
            self._write()
            terminal.summary(self.results, terminalreporter, written=not self.unwritten)
        if COMMAND not in self.config.stash:
            if self.unwritten:
                terminalreporter.write_line(f"The results could not be written: {self.unwritten}.", red=True, bold=True)
            if self.results is not None and not self.selection.settings.dry_run:
                terminalreporter.write_line(sentence(self.results, status=False))
            return
        self._tell_of_own(terminalreporter)
        if self.config.option.verbose < 0:
            # The command ends with the sentence; what pytest counts are tests, which nobody has asked about.
            self.config.option.verbose = COUNTLESS

    def _tell_of_own(self, out: pytest.TerminalReporter) -> None:
        """Print which tests that ask for no requirement have failed, the tester's own: pytest is told to be silent."""
        for failed in self.config.stash.get(OWN_FAILED, ()):
            out.write_line("")
            out.write_line(f"FAILED {failed.nodeid}: no requirement of the catalogue", red=True, bold=True)
            for label, text in (("asked:", failed.asked), ("came:", failed.told), ("where:", failed.where)):
                if text:
                    out.write_line(f"  {label:<6} {text}")
