"""The judge of a run: the hooks that pytest calls, from the choice of tests to the verdict on each."""

from __future__ import annotations

import functools
import itertools
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.allowance import Allowance
from pytest_cloudimages.app.asking_again import AskingAgain
from pytest_cloudimages.app.epilogue import Epilogue
from pytest_cloudimages.app.exploring import Exploring
from pytest_cloudimages.app.fixtures import asks
from pytest_cloudimages.app.html_hooks import HtmlHooks
from pytest_cloudimages.app.order import in_order, place_of, workloads_before
from pytest_cloudimages.app.outlets import Outlets
from pytest_cloudimages.app.pytest_settings import settings
from pytest_cloudimages.app.records import (
    ASKED,
    Records,
    asked_last,
    count_sent,
    fit_to_be_read,
    own_failure,
    raise_if_flaky,
    results_of,
)
from pytest_cloudimages.app.selection import Selection, tune
from pytest_cloudimages.app.stash import CHECK, COMMAND, OWN_FAILED, RUN, UNFOUND, WORKLOADS
from pytest_cloudimages.app.suite import of_the_suite
from pytest_cloudimages.app.waking import UNNAMED, Unfound, distributed
from pytest_cloudimages.client.auth.accounts import keep_secrets_of_url
from pytest_cloudimages.client.budget import Budget
from pytest_cloudimages.client.errors import ConfigurationError, UnnamedServiceError
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.recorder import A_CHANGE, for_the_sake_of
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.engine import recording
from pytest_cloudimages.reporting import terminal
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.verdicts import Unaffordable, Verdict, leaves, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from pytest_cloudimages.app.first_look import FirstLook
    from pytest_cloudimages.engine.registry import Workload, Workloads
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.engine.settings import Settings

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


class Judge:
    """One run: pytest calls its hooks, from the choice of tests to the verdict on each."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings: Settings = settings(config)
        config.add_cleanup(SECRETS.begin(veiling=not self.settings.identify))
        keep_secrets_of_url(self.settings.url or "")
        if distributed(config):
            raise pytest.UsageError("A run judges in one process; leave out the -n of pytest-xdist.")
        try:
            self.selection = Selection(load(*self.settings.catalogue), self.settings)
            allowance = Allowance.of(self.settings)
        except ValueError as problem:
            raise pytest.UsageError(str(problem)) from None
        self.records = Records(config, self.selection, allowance)
        self.budget = Budget(self.settings.max_requests, self.settings.max_seconds)
        self.in_hand: pytest.Item | None = None
        self.first_look: FirstLook | None = None
        self.met_beside: dict[str, recording.CheckRecord] = {}
        """What checks rest on that were asked before their turn, and were met."""
        self.awaiting: list[str] = []
        """The requirements of the check in hand, until it is said that something is waited for."""
        self.epilogue = Epilogue(config, self.selection, self.records, allowance)
        plugins = config.pluginmanager
        plugins.register(self.epilogue, "cloudimages-epilogue")
        plugins.register(Outlets(config), "cloudimages-outlets")
        if plugins.hasplugin("html"):
            plugins.register(HtmlHooks(self.epilogue), "cloudimages-html")
        if self.settings.minutes is not None:
            plugins.register(Exploring(config, self.settings, self.records), "cloudimages-exploring")

    @functools.cached_property
    def asking_again(self) -> AskingAgain:
        """Who asks a check once more."""
        return AskingAgain(self.run)

    @property
    def run(self) -> Run:
        """What the run stands on."""
        return self.config.stash[RUN]

    def prepare(self, items: list[pytest.Item]) -> None:
        """Bind the tests to the catalogue, leave out what is not asked for, and find the service."""
        self.selection.bind(items)
        items[:] = in_order(items, self.selection.ids_of, self.selection.catalogue, musts_first=self.settings.limited)
        checks = [item for item in items if ids_of(item)]
        self.epilogue.awaited = {item.nodeid for item in checks}
        for item in checks:
            tune(item, self.settings)
        wanted = COMMAND in self.config.stash or checks or any(map(asks, items))
        if wanted and not self.config.option.collectonly:
            self.find_service()

    def find_service(self) -> None:
        """Find the service, and keep why there is none: other tests than those that ask for it go on without it."""
        if RUN in self.config.stash or UNFOUND in self.config.stash:
            return
        from pytest_cloudimages.areas.common.every_answer import EveryAnswer
        from pytest_cloudimages.areas.common.over_time import OverTime
        from pytest_cloudimages.areas.members.resource import MEMBERS
        from pytest_cloudimages.areas.tags.resource import TAGS
        from pytest_cloudimages.engine.claimed_areas import claimed_areas
        from pytest_cloudimages.engine.preflight import prepare
        from pytest_cloudimages.engine.sweeping import begin

        try:
            run = prepare(self.settings, (TAGS,), self._tell_of_waiting)
            self._see_that_it_is_the_same(run)
            self.config.stash[RUN] = begin(run, (TAGS, MEMBERS))
            lent = frozenset(self.settings.image)
            onlooker = EveryAnswer(run.service.endpoint, run.recorder.traces, lent, run.name)
            onlooker.over_time = OverTime(self.settings.patience)
            run.recorder.onlooker = onlooker
        except ConfigurationError as problem:
            named = not isinstance(problem, UnnamedServiceError)
            told = SECRETS.hide(str(problem))
            if COMMAND in self.config.stash:
                raise pytest.UsageError(told) from None
            self.config.stash[UNFOUND] = Unfound(told if named else UNNAMED, named=named)
            return
        self.run.claims = claimed_areas(self.run) if COMMAND in self.config.stash else {}
        self.run.beyond_must = self.selection.beyond_must
        if self.settings.limited and not self.run.problem:
            # What it takes to find the service is counted, and is no reason to give up.
            self.run.transport.way.budget = self.budget

    def _see_that_it_is_the_same(self, run: Run) -> None:
        """Raise ``ConfigurationError`` where another service is named than the one of the results to be asked again."""
        from pytest_cloudimages.reporting.joining import another_service

        problem = another_service(self.settings.earlier, run.service.endpoint, reference=self.settings.reference)
        if problem and not run.meant:
            run.close()
            raise ConfigurationError(f"{self.settings.prefix}again: {problem}")

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> list[str]:
        """Say what is judged, and how."""
        if RUN not in self.config.stash:
            return []
        lines = [*terminal.header(self.epilogue.facts), *self.epilogue.notices()]
        if self.settings.dry_run:
            from pytest_cloudimages.engine import registry

            # Known before anything is asked: what the whole takes is counted at the end.
            estimated = registry.estimate(items, self.settings.profile)
            lines += [f"workloads: {estimated}"] if estimated else []
            by_area = registry.estimate_of_areas(items, self.selection.ids_of, self.settings.profile)
            lines += [f"areas: asked by themselves, about so many requests each: {by_area}"] if by_area else []
        return lines

    def look_first(self, items: Iterable[pytest.Item], workloads: Workloads) -> None:
        """Have checks look at what workloads show while they are made, and tell what they see.

        Where several clients work at once nobody waits for that; and a budget is spent on what can be judged.
        """
        settings = self.settings
        if settings.concurrency > 1 or settings.limited or settings.dry_run:
            return
        from pytest_cloudimages.app.first_look import FirstLook

        self.first_look = FirstLook(items, workloads, self.run, self._tell_of_first_look)
        self.records.seen = self.first_look.seen
        self._look_before(self.in_hand)

    def asked_beside(
        self, items: Iterable[pytest.Item], workloads: Workloads, at_once: Iterable[Workload]
    ) -> list[Callable[[], None]]:
        """Return what asks checks that send something themselves, beside others and workloads that are made then."""
        from pytest_cloudimages.engine.scheduler import several_at_once

        if not several_at_once(self.settings):
            return []
        from pytest_cloudimages.app.asking_beside import AskingBeside

        beside = AskingBeside(self.run, workloads)
        self.met_beside = beside.met
        return beside.tasks(itertools.dropwhile(lambda item: item is not self.in_hand, items), at_once)

    def _look_before(self, item: pytest.Item | None) -> None:
        """Have workloads looked at that find more per request than a check."""
        if self.first_look and item and (ids := self.selection.ids_of(item)) and of_the_suite(item.path):
            self.first_look.take(workloads_before(place_of(item, ids)))

    def _tell_of_first_look(self, sent: int, ids: Iterable[str]) -> None:
        self._write_line(f"after {sent} requests, not judged yet: seems not to be met: {', '.join(ids)}")

    def _tell_of_waiting(self, seconds: float, what: str) -> None:
        """Say what a silence is about, and of changes once for each check."""
        ids = ", ".join(self.awaiting)
        if what != A_CHANGE:
            self._write_line(f"waiting up to {seconds:g} s for {what}")
        elif ids:
            self.awaiting = []
            self._write_line(f"waiting up to {seconds:g} s for {what}, {ids}")

    def _write_line(self, line: str) -> None:
        """Write a line while a test runs: pytest keeps what is printed then."""
        plugins = self.config.pluginmanager
        reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
        if reporter is not None:
            with capture.global_and_fixture_disabled() if capture else nullcontext():
                begun = reporter._tw.width_of_current_line  # noqa: SLF001 - letters of tests may stand there
                reporter.write_line(f"{chr(10) if begun else ''}{line}", flush=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Collect the evidence of one check."""
        self.in_hand = item
        mine = recording.CheckRecord() if ids_of(item) and RUN in self.config.stash else None
        recording.collect(mine)
        self.awaiting = self.selection.ids_of(item) if mine else []
        item.stash[CHECK] = mine
        try:
            with for_the_sake_of(self.awaiting[0] if self.awaiting else ""):
                return (yield)
        finally:
            recording.collect(None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """End a check where there is no service, whatever it would ask it with."""
        if ids_of(item) and UNFOUND in self.config.stash:
            self.config.stash[UNFOUND].end()
        self._look_before(item)
        if self.settings.limited and item.stash.get(CHECK, None) is not None and not self.run.problem:
            from pytest_cloudimages.engine.registry import cost_of

            wanted = cost_of(item, self.settings.profile, self.config.stash.get(WORKLOADS, None))
            if why := self.budget.lacks(self.run.recorder.spent, wanted):
                raise Unaffordable(why)
        if (met := self.met_beside.pop(item.nodeid, None)) is not None:
            item.stash[CHECK] = met
            # There is nothing left to do but to judge it.
            item.setup = item.runtest = lambda: None  # type: ignore[method-assign]

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Count a check's exchanges, and ask again where the service failed at one of them."""
        mine = pyfuncitem.stash.get(CHECK, None)
        if mine is None:
            if RUN not in self.config.stash:
                return (yield)
            with self.run.recorder.scope() as sent:
                try:
                    return (yield)
                except Exception:
                    # Whoever wrote the test sees what came of it; of a check, its verdict says it.
                    pyfuncitem.add_report_section("call", ASKED, asked_last(sent))
                    raise
        noted = [*mine.notes]  # by what made ready for it
        refused = self.budget.refused
        try:
            with self.run.recorder.scope() as sent:
                result = yield
        except Unaffordable:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised again, unless it is not met alone
            count_sent(mine, sent)
            if not (names := self._made_beside_others(pyfuncitem)):
                return self._asked_again(pyfuncitem, mine, pyfuncitem.funcargs, error)
        else:
            count_sent(mine, sent)
            self.budget.see_that_nothing_was_left_out(refused)
            if mine.cases or not (names := self._made_beside_others(pyfuncitem)):
                self._see_why_there_was_no_case(mine)
                return result
        return self._asked_alone(pyfuncitem, names, noted)

    def _made_beside_others(self, item: pytest.Item) -> set[str]:
        """Return the workloads that a check was handed and that were made beside others."""
        workloads = self.config.stash.get(WORKLOADS, None)
        names = workloads.beside_others | workloads.forgotten if workloads else set[str]()
        if not names:
            return names
        from pytest_cloudimages.engine.registry import looked_at_by

        if workloads and (mine := item.stash[CHECK]) and mine.sakes:
            return {*mine.sakes} & workloads.beside_others
        return looked_at_by(item, names)

    def _asked_alone(self, item: pytest.Function, names: Iterable[str], noted: list[str]) -> object:
        """Ask a check once more that is not plainly met, of workloads that are made alone: it is judged by them."""
        workloads = self.config.stash[WORKLOADS]
        workloads.forget(names)
        if (before := item.stash[CHECK]) and before.sakes and self.run.recorder.onlooker:
            # What was met in passing is met again by who is alone.
            self.run.recorder.onlooker.forget(names)
            for name in names:
                workloads.handed(name)
        with ExitStack() as stack:
            arguments = self.asking_again.arguments_of(item, workloads, stack)
            item.stash[CHECK] = mine = recording.CheckRecord(notes=noted)
            recording.collect(mine)
            try:
                with self.run.recorder.scope() as sent:
                    item.obj(**{name: arguments[name] for name in item._fixtureinfo.argnames})  # noqa: SLF001 - as pytest does
            except Exception as error:  # noqa: BLE001 - it is raised again, unless asking again shows otherwise
                count_sent(mine, sent)
                return self._asked_again(item, mine, arguments, error)
            count_sent(mine, sent)
            self._see_why_there_was_no_case(mine)
            return mine

    def _see_why_there_was_no_case(self, mine: recording.CheckRecord) -> None:
        """Raise ``Blocked`` where an outage accounts for it, which may be found out later than by what led up to it."""
        from pytest_cloudimages.client.outage import raise_if_nobody_is_served

        if mine.cases or mine.notes or mine.silent or self.settings.dry_run:
            return
        recorder = self.run.recorder
        with recorder.apart(), recorder.of(Purpose.PREPARING):
            raise_if_nobody_is_served(self.run.client)

    def _asked_again(
        self, item: pytest.Function, mine: recording.CheckRecord, arguments: Mapping[str, Any], error: Exception
    ) -> object:
        """Ask a check again where that may show what its error is worth; else raise it."""
        self._see_whether_it_stands(mine, error, ids_of(item))
        own = {name: arguments[name] for name in item._fixtureinfo.argnames}  # noqa: SLF001 - as pytest does
        raise_if_flaky(functools.partial(item.obj, **own), mine, error, self.run.recorder)
        if not self.asking_again.wanted(item, mine, error):
            raise error
        try:
            return self.asking_again.asked(item, arguments, error)
        finally:
            # Its evidence is that of the verdict, whatever the verdict is.
            item.stash[CHECK] = recording.current_check()

    def _see_whether_it_stands(self, mine: recording.CheckRecord, error: Exception, ids: Iterable[str]) -> None:
        """Raise ``Blocked`` where an outage, or others, account for a finding: looking once more shows its worth."""
        from pytest_cloudimages.areas.tags.by_themselves import raise_if_tags_come_by_themselves
        from pytest_cloudimages.client.outage import raise_if_unfounded

        if any(isinstance(leaf, AssertionError) for leaf in leaves(error)) and not self.settings.dry_run:
            recorder = self.run.recorder
            with recorder.apart(), recorder.of(Purpose.PREPARING):
                raise_if_unfounded(self.run.client, mine.exchanges)
            raise_if_tags_come_by_themselves(self.run, error, ids)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the verdict on the report of a check."""
        report = yield
        mine = item.stash.get(CHECK, None)
        error = call.excinfo.value if call.excinfo else None
        ended = isinstance(error, KeyboardInterrupt | pytest.exit.Exception)
        if mine is not None and not ended and (report.when == "call" or error):
            self.records.show(item, report, self.records.judged(item, report, error, mine), error)
        if mine is None and error is not None and RUN in self.config.stash and error is self.run.problem:
            report.longrepr = str(error)  # where it was raised tells nobody anything
        report = fit_to_be_read(report)
        if mine is None and report.failed:
            self.config.stash.setdefault(OWN_FAILED, []).append(own_failure(report, error))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the results of every check."""
        self.records.results += results_of(report)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Name a check's verdict where pytest names its outcome."""
        results = results_of(report)
        if not results:
            return None
        if self.records.accepts(results):
            return DEVIATES, DEVIATES[0], DEVIATES.upper()
        verdict = worst(result.verdict for result in results)
        category = {Verdict.PASS: "passed", Verdict.FAIL: "failed"}.get(verdict, str(verdict))
        return category, LETTERS[verdict], str(verdict).upper()
