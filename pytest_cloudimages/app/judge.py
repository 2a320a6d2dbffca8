"""Turns what pytest sees into verdicts, and verdicts into reports, while a service is judged."""

from __future__ import annotations

import dataclasses
import errno
import functools
import html
import time
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.explanations import _explain, _first_line, _suspected
from pytest_cloudimages.app.stash import CHECK, RESULTS, RUN, SETTINGS
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.engine import recording
from pytest_cloudimages.reporting import html as page
from pytest_cloudimages.reporting import terminal
from pytest_cloudimages.reporting.anomalies import as_data
from pytest_cloudimages.reporting.results import CheckResult, Results, write
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.requirements import Level, Requirement, selected
from pytest_cloudimages.spec.verdicts import Flaky, Verdict, judge, leaves, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from pytest_cloudimages.areas.tags.suspects import Suspect
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.engine.settings import Settings

SHOWN_EXCHANGES = 12
try:
    SUITE = Path(str(resources.files("pytest_cloudimages.conformance"))).resolve()
except ModuleNotFoundError:
    # A checkout that is on the path as it stands: the suite lies beside the package.
    SUITE = Path(__file__).resolve().parents[1] / "conformance"
LETTERS = {
    Verdict.PASS: ".",
    Verdict.UNTESTED: "s",
    Verdict.NOTED: "n",
    Verdict.ADVISORY: "a",
    Verdict.FAIL: "F",
    Verdict.UNSTABLE: "u",
    Verdict.BLOCKED: "b",
    Verdict.ERROR: "E",
}
WRITERS = ("LogXML", "SelfContainedReport", "Report")
"""The classes of the plugins that write junit.xml and conformance.html."""
FAILING = (Verdict.FAIL, Verdict.UNSTABLE, Verdict.BLOCKED, Verdict.ERROR)


class Judge:
    """One run. pytest calls its hooks; its ``results`` are all that the reports know."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        config.add_cleanup(SECRETS.begin())
        self.settings: Settings = config.stash[SETTINGS]
        if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
            raise pytest.UsageError("A run judges in one process; leave out the -n of pytest-xdist.")
        try:
            self.catalogue: Mapping[str, Requirement] = load(*map(Path, self.settings.catalogue))
            self.chosen = self._chosen()
        except ValueError as problem:
            raise pytest.UsageError(str(problem)) from None
        self.records: list[CheckResult] = []
        self.suspects: dict[tuple[str, str], Suspect] = {}
        self.tested: dict[str, list[str]] = {}
        self.interrupted = False
        self.awaited: set[str] = set()
        """Checks that were to run and have not ended."""
        self.running = False
        self.unwritten = ""
        """Why the results could not be written, where that is so."""
        self.begun = time.time()
        self.started = time.monotonic()
        self._results: Results | None = None
        if self.settings.reports:
            self._write_reports_of_others(Path(self.settings.reports))

    def _chosen(self) -> set[str]:
        if self.settings.select:
            return selected(self.catalogue, self.settings.select)
        return {one.id for one in self.catalogue.values() if one.level in self.settings.effort.levels}

    def _write_reports_of_others(self, folder: Path) -> None:
        """Have pytest-html and pytest itself write into the folder too, where the tester asked for nothing else."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("conformance.json.part", "conformance.html", "junit.xml"):
                # Better known now than when all has been asked.
                with (folder / name).open("a"):
                    pass
            (folder / "conformance.json.part").unlink()
            if (folder / "conformance.json").is_dir():
                raise IsADirectoryError(errno.EISDIR, "conformance.json is a folder")
        except OSError as problem:
            raise pytest.UsageError(f"Reports cannot be written to {folder}: {problem.strerror}.") from None
        option = self.config.option
        if not getattr(option, "xmlpath", None):
            option.xmlpath = str(folder / "junit.xml")
        if hasattr(option, "htmlpath") and not option.htmlpath:
            option.htmlpath, option.self_contained_html = str(folder / "conformance.html"), True
            option.css = [*option.css, str(page.STYLE)]

    def _leave_reports_alone(self) -> None:
        """Keep the reports of an earlier run where this one cannot begin."""
        from _pytest.junitxml import xml_key  # there is no public way to stop it

        plugins = self.config.pluginmanager
        for plugin in [one for one in plugins.get_plugins() if type(one).__name__ in WRITERS]:
            plugins.unregister(plugin)
        if xml_key in self.config.stash:
            del self.config.stash[xml_key]

    @property
    def run(self) -> Run:
        """What the run stands on."""
        return self.config.stash[RUN]

    def prepare(self, items: list[pytest.Item]) -> None:
        """Bind the tests to the catalogue, leave out what is not asked for, and find the service."""
        for item in items:
            for one in ids_of(item):
                if one not in self.catalogue:
                    raise pytest.UsageError(
                        f"{item.nodeid} asks for the requirement {one!r}, which no catalogue has;"
                        " `cloudimages requirements` lists the ids, --cloudimages-catalogue FILE adds your own."
                    )
                self.tested.setdefault(one, []).append(item.nodeid)
        if not self.settings.select:
            # The profile chooses among the suite's requirements; a tester's own tests are asked for by being there.
            self.chosen |= {one for item in items if not _of_the_suite(item.path) for one in ids_of(item)}
        if self.chosen != {*self.catalogue}:
            kept = [item for item in items if not ids_of(item) or self.chosen.intersection(ids_of(item))]
            self.config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = kept
        self.awaited = {item.nodeid for item in items if ids_of(item)}
        for item in items:
            if ids_of(item):
                self._tune(item)
        if RUN not in self.config.stash and not self.config.option.collectonly:
            from pytest_cloudimages.engine.preflight import prepare

            try:
                self.config.stash[RUN] = prepare(self.settings)
            except ConfigurationError as problem:
                self._leave_reports_alone()
                raise pytest.UsageError(SECRETS.hide(str(problem))) from None
            self.run.beyond_must = any(self.catalogue[one].level is not Level.MUST for one in self.chosen)

    def _tune(self, item: pytest.Item) -> None:
        """Give a property the profile's settings and the run's seed, and count its cases."""
        test = getattr(item, "function", None)
        handle = getattr(test, "hypothesis", None)
        if test is None or handle is None:
            return
        # Modules outlive a run: in the next one of this process, a property is bound anew.
        bound: _Bound | None = getattr(handle, "_cloudimages", None)
        if bound and bound.by is self:
            return
        import hypothesis

        tester_set = bound.tester_set if bound else getattr(test, "_hypothesis_internal_settings_applied", False)
        inner = bound.inner if bound else handle.inner_test
        if not tester_set:
            # Where there are settings of an earlier run, they are ours.
            vars(test).pop("_hypothesis_internal_settings_applied", None)
            hypothesis.settings(
                parent=hypothesis.settings.get_profile("default"),
                max_examples=self.settings.effort.cases,
                phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
                database=None,
                deadline=None,
                derandomize=False,
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
            )(test)
        hypothesis.seed(self.settings.seed)(test)
        handle.inner_test = self._counted(inner)
        handle._cloudimages = _Bound(self, inner, tester_set=tester_set)  # noqa: SLF001 - our own mark on it

    def _counted(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._listen()
            mine = recording.current_check()
            mine.exchanges = []
            try:
                return inner(*args, **kwargs)
            finally:
                if exchanges := self.run.recorder.take():
                    mine.case(exchanges)

        return counted

    def _listen(self) -> None:
        """Count what was sent since the last look towards the case in hand."""
        if exchanges := self.run.recorder.take():
            recording.current_check().listen(exchanges)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what is judged, and how."""
        return terminal.header(self.run) if RUN in self.config.stash else []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Collect the evidence of one check."""
        self.running = True
        mine = recording.CheckRecord() if ids_of(item) else None
        recording.collect(mine)
        item.stash[CHECK] = mine
        try:
            return (yield)
        finally:
            recording.collect(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Count a check's exchanges, and ask again where the service failed at one of them."""
        mine = pyfuncitem.stash.get(CHECK, None)
        if mine is None:
            return (yield)
        self.run.recorder.take()
        try:
            result = yield
        except Exception as error:
            arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}  # noqa: SLF001 - as pytest does
            self._went_wrong(functools.partial(pyfuncitem.obj, **arguments), mine, error)
            raise
        self._conclude(mine)
        return result

    def _went_wrong(self, check: Callable[[], object], mine: recording.CheckRecord, error: Exception) -> None:
        """Count a check's exchanges, and raise ``Unsteady`` where it goes well when it is asked again."""
        self._conclude(mine)
        asked = all(isinstance(one, AssertionError) for one in leaves(error))
        if asked and any(one.broken for one in mine.exchanges):
            self._ask_again(check, error)

    def _conclude(self, mine: recording.CheckRecord) -> None:
        exchanges = self.run.recorder.take()
        if mine.cases or mine.main:
            mine.listen(exchanges)
        elif exchanges:
            # A check without a collection asks with what it sends itself.
            mine.case(exchanges)

    def _ask_again(self, check: Callable[[], object], error: Exception) -> None:
        """Raise ``Unsteady`` where a check that met a failing service goes well when it is asked again."""
        try:
            check()
        except Exception:  # noqa: BLE001 - it went wrong again: the first finding stands
            return
        finally:
            self.run.recorder.take()
        raise Flaky(f"{_first_line(error)}; asked again, all was well.") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the verdict on the report of a check."""
        report = yield
        mine = item.stash.get(CHECK, None)
        error = call.excinfo.value if call.excinfo else None
        if mine is None or (error and isinstance(error, KeyboardInterrupt | pytest.exit.Exception)):
            return _without_secrets(report)
        if report.when == "call" or error:
            records = [self._record(one, report, error, mine, item) for one in ids_of(item) if one in self.chosen]
            report.cloudimages = [one.as_data() for one in records]  # type: ignore[attr-defined]  # survives xdist
            self._show(item, report, records, error)
        return _without_secrets(report)

    def _record(
        self,
        one: str,
        report: pytest.TestReport,
        error: BaseException | None,
        mine: recording.CheckRecord,
        item: pytest.Item,
    ) -> CheckResult:
        requirement = self.catalogue[one]
        if isinstance(error, pytest.skip.Exception):
            verdict, explanation = Verdict.UNTESTED, str(error.msg)
        else:
            verdict = judge(requirement.missed, report.when or "call", error, cases=mine.cases, noted=bool(mine.notes))
            explanation = ""
            if error is not None:
                explanation = report.longreprtext if verdict is Verdict.ERROR else _explain(error)
            elif verdict is Verdict.BLOCKED:
                explanation = "No case reached the question: the service refused, or broke, all that leads up to it."
        judged = [x for x in mine.exchanges if x.purpose is not Purpose.CLEANING] or mine.exchanges
        if verdict.finding and (found := _suspected(mine)):
            self.suspects[one, _brief(item.nodeid)] = found
        return CheckResult(
            id=one,
            verdict=verdict,
            test=_brief(item.nodeid),
            cases=mine.cases,
            requests=mine.requests,
            seconds=report.duration,
            kinds=dict(mine.kinds),
            notes=tuple(mine.notes),
            explanation=SECRETS.hide(explanation),
            exchanges=tuple(x.as_data(self.run.transport.origin) for x in judged[-SHOWN_EXCHANGES:])
            if verdict > Verdict.UNTESTED and not self.run.problem
            else (),
            witnesses=tuple(SECRETS.hidden(as_data(x)) for x in mine.witnesses) if error else (),
        )

    def _show(
        self, item: pytest.Item, report: pytest.TestReport, records: list[CheckResult], error: BaseException | None
    ) -> None:
        verdict = worst(one.verdict for one in records)
        if error is not None and not isinstance(error, pytest.skip.Exception):
            report.longrepr = "\n".join(one.explanation for one in records) or str(error)
        failing = verdict in FAILING or (verdict is Verdict.ADVISORY and self.settings.strict)
        if failing:
            report.outcome = "failed"
            report.longrepr = report.longrepr or "\n".join(one.explanation for one in records)
        elif verdict is Verdict.ADVISORY:
            report.outcome = "skipped"
            report.wasxfail = f"{verdict}: {_first_line(error)}"
        elif verdict is Verdict.NOTED:
            report.outcome = "passed"
        for one in records:
            requirement = self.catalogue[one.id]
            # junit.xml takes them from the report of the teardown, which pytest makes of what the item has.
            item.user_properties += [
                ("requirement", one.id),
                ("level", str(requirement.level)),
                ("provenance", str(requirement.provenance)),
                ("verdict", str(one.verdict)),
                ("cases", str(one.cases)),
                ("requests", str(one.requests)),
            ]
        report.user_properties = [*item.user_properties]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the records of every check."""
        self.records += [CheckResult.from_json(one) for one in getattr(report, "cloudimages", ())]
        if report.when == "teardown":
            self.awaited.discard(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Go on with new seeds, where the tester gave it time."""
        result = yield
        if self.settings.minutes is not None and RUN in self.config.stash and not self.run.problem:
            from pytest_cloudimages.engine import exploration

            reporter = self.config.pluginmanager.get_plugin("terminalreporter")
            found = {one.id for one in self.records if one.verdict.finding}
            exploration.Exploration(
                run=self.run,
                items=[
                    one
                    for one in session.items
                    if exploration.follows_from_the_seed(one) and not found & {*ids_of(one)}
                ],
                judge=self._explored,
                # Where nobody sits at a terminal, progress would wait for a full buffer.
                say=functools.partial(reporter.write_line if reporter else print, flush=True),
                minutes=self.settings.minutes,
                examples=exploration.Examples(
                    Path(self.settings.examples or Path(self.settings.reports or "reports", "examples"))
                ),
                begun=self.started,
            ).explore()
        return result

    def _explored(self, item: pytest.Item, arguments: Mapping[str, Any], seed: int) -> list[CheckResult]:
        """Ask a check once more with other arguments; what it finds is reported as if it were a check of its own."""
        params = getattr(getattr(item, "callspec", None), "params", {})
        check = functools.partial(item.obj, **params, **arguments)  # type: ignore[attr-defined]  # a function
        mine, begun = recording.CheckRecord(), time.time()
        error: BaseException | None = None
        self.run.recorder.take()
        recording.collect(mine)
        try:
            check()
            self._conclude(mine)
        except pytest.skip.Exception as skipped:
            error = skipped
        except Exception as problem:  # noqa: BLE001 - it is judged, as pytest does
            error = problem
            try:
                self._went_wrong(check, mine, problem)
            except Flaky as unsteady:
                error = unsteady
        finally:
            recording.collect(None)
        ended = time.time()
        report = pytest.TestReport(
            f"{item.nodeid} (seed {seed})", item.location, {}, "passed", None, "call", [], ended - begun, begun, ended
        )
        records = [self._record(one, report, error, mine, item) for one in ids_of(item) if one in self.chosen]
        records = [dataclasses.replace(one, seed=seed, notes=()) for one in records]
        if any(one.verdict.finding for one in records):
            report.cloudimages = [one.as_data() for one in records]  # type: ignore[attr-defined]
            self._show(item, report, records, error)
            item.ihook.pytest_runtest_logreport(report=_without_secrets(report))
        else:
            self.records += [one for one in records if one.verdict is Verdict.PASS]
        return records

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Name a check's verdict where pytest names its outcome."""
        records = [CheckResult.from_json(one) for one in getattr(report, "cloudimages", ())]
        if not records:
            return None
        verdict = worst(one.verdict for one in records)
        category = {Verdict.PASS: "passed", Verdict.FAIL: "failed"}.get(verdict, str(verdict))
        return category, LETTERS[verdict], str(verdict).upper()

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that the run did not come to its end; pytest itself stops so where a module cannot be loaded."""
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    def _explain_findings(self) -> None:
        """Find out for which class of input the findings hold, where the run came to its end.

        Nothing of it changes a verdict. An interruption ends it, and nothing else: by now everything is judged.
        """
        if self.interrupted or not self.suspects or self.run.problem:
            return
        from pytest_cloudimages.areas.tags.explainer import Explainer

        explainer = Explainer(self.run)
        suspected = [one for one in self.records if (one.id, one.test) in self.suspects]
        extents: dict[tuple[str, str], str] = {}
        try:
            for one in sorted(suspected, key=lambda record: -record.verdict):
                extents[one.id, one.test] = explainer.explain(self.suspects[one.id, one.test])
        except KeyboardInterrupt:
            pass
        self.records = [replace(one, extent=extents.get((one.id, one.test), "")) for one in self.records]

    @property
    def results(self) -> Results:
        """What the run has shown; made once, when all images are gone."""
        if self._results is None:
            self._results = Results.gather(
                self.run,
                self.catalogue,
                self.chosen,
                self.tested,
                self.records,
                # Whatever ended it early: a run that was cut short must not look whole.
                self.interrupted or (self.running and bool(self.awaited)),
                self.begun,
            )
        return self._results

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the results when everything has been put back, and close what is open."""
        try:
            if RUN in self.config.stash:
                # Before anybody else makes reports of the results.
                self._explain_findings()
            return (yield)
        finally:
            if RUN in self.config.stash:
                if self.tested:
                    session.config.stash[RESULTS] = self.results
                    if self.settings.reports:
                        self._written(Path(self.settings.reports))
                self.run.close()

    def _written(self, folder: Path) -> None:
        try:
            write(self.results, folder)
        except OSError as problem:
            self.unwritten = f"{problem.filename or folder}: {problem.strerror}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdicts by group, and every finding."""
        if RUN in self.config.stash and self.tested:
            terminal.summary(self.results, terminalreporter)
        if self.unwritten:
            terminalreporter.write_line(f"The results could not be written: {self.unwritten}.", red=True, bold=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Title the page."""
        report.title = page.TITLE

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdicts by group above the table."""
        if RUN in self.config.stash and self.tested:
            prefix.append(page.summary(self.results))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the columns of a requirement."""
        cells[1:1] = page.HEADER

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill the columns of a requirement."""
        records = [CheckResult.from_json(one) for one in getattr(report, "cloudimages", ())]
        cells[1:1] = page.row(records, self.catalogue)
        cells[1 + len(page.HEADER)] = f'<td class="col-testId">{html.escape(_brief(report.nodeid))}</td>'

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Show the exchanges of a check."""
        records = [CheckResult.from_json(one) for one in getattr(report, "cloudimages", ())]
        if records:
            data[:] = [page.details(records, self.catalogue, self.settings)]


@dataclass(frozen=True)
class _Bound:
    """A property of Hypothesis that counts its cases for a run."""

    by: Judge
    inner: Callable[..., Any]
    """The test as its author wrote it."""
    tester_set: bool
    """Whether it has settings of its author's own."""


def _of_the_suite(path: Path) -> bool:
    """Whether a module is one of the suite's; in a checkout it may stand beside an installed one."""
    return SUITE in path.parents or (path.parent.name == SUITE.name and (SUITE / path.name).exists())


def _brief(nodeid: str) -> str:
    """Give a test's name without the folders of its file; a slash may stand in a parameter too."""
    path, colons, name = nodeid.partition("::")
    return f"{path.rpartition('/')[2]}{colons}{name}"


def _without_secrets(report: pytest.TestReport) -> pytest.TestReport:
    """Rid a report of every secret, whatever text it came in."""
    if report.longrepr is not None and not isinstance(report.longrepr, tuple):
        text = report.longreprtext
        if SECRETS.hide(text) != text:
            report.longrepr = SECRETS.hide(text)
    report.sections = [(name, SECRETS.hide(text)) for name, text in report.sections]
    return report
