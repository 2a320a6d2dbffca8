"""Going on with new seeds after the checks were run once, where the tester gave it time."""

from __future__ import annotations

import dataclasses
import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.records import brief, count_sent, fit_to_be_read, raise_if_flaky
from pytest_cloudimages.app.stash import RUN
from pytest_cloudimages.app.suite import of_the_suite
from pytest_cloudimages.engine import recording
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.verdicts import Flaky, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from pytest_cloudimages.app.records import Records
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.results import CheckResult


class Exploring:
    """The hook that goes on; registered only if the tester gave it minutes."""

    def __init__(self, config: pytest.Config, settings: Settings, records: Records) -> None:
        self.config, self.settings, self.records = config, settings, records
        self.started = time.monotonic()

    @property
    def run(self) -> Run:
        """What the run stands on."""
        return self.config.stash[RUN]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Go on with new seeds."""
        result = yield
        if RUN in self.config.stash and not self.run.problem:
            self._explore(session.items)
        return result

    def _explore(self, items: list[pytest.Item]) -> None:
        from pytest_cloudimages.engine import exploration

        minutes = self.settings.minutes
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        found = {result.id for result in self.records.results if result.verdict.finding}
        # Where nobody sits at a terminal, progress would wait for a full buffer.
        say = functools.partial(reporter.write_line if reporter else print, flush=True)
        explored, left = exploration.divided(items)
        for item in items:
            reason = left.get(item.nodeid)
            if reason and not (reason == exploration.NOTHING_DRAWN and of_the_suite(item.path)):
                say(f"not explored: {brief(item.nodeid)}: {reason}")
        exploration.Exploration(
            run=self.run,
            items=[item for item in explored if not found & {*ids_of(item)}],
            judge=self.explored,
            say=say,
            minutes=minutes or 0,
            examples=exploration.Examples(
                Path(self.settings.examples or Path(self.settings.reports or "reports", "examples"))
            ),
            begun=self.started,
        ).explore()

    def explored(self, item: pytest.Item, arguments: Mapping[str, Any], seed: int) -> list[CheckResult]:
        """Return what a check shows with other arguments; a finding is reported as if it were a check of its own."""
        params = getattr(getattr(item, "callspec", None), "params", {})
        check = functools.partial(item.obj, **params, **arguments)  # type: ignore[attr-defined]  # a function
        test: Any = getattr(item, "function", None)
        if hasattr(test, "hypothesis"):
            import hypothesis

            hypothesis.seed(seed)(test)
        mine, begun = recording.CheckRecord(), time.time()
        error = self._asked(check, mine)
        ended = time.time()
        report = pytest.TestReport(
            f"{item.nodeid} (seed {seed})", item.location, {}, "passed", None, "call", [], ended - begun, begun, ended
        )
        results = [
            dataclasses.replace(
                result, seed=seed, notes=(), replay=self.settings.replay((result.id,), seed, raced=bool(result.rate))
            )
            for result in self.records.judged(item, report, error, mine)
        ]
        if any(result.verdict.finding for result in results):
            self.records.show(item, report, results, error)
            item.ihook.pytest_runtest_logreport(report=fit_to_be_read(report))
        else:
            self.records.results += [result for result in results if result.verdict is Verdict.PASS]
        return results

    def _asked(self, check: Callable[[], object], mine: recording.CheckRecord) -> BaseException | None:
        """Run a check, and return how it ended."""
        recording.collect(mine)
        try:
            with self.run.recorder.scope() as sent:
                check()
        except pytest.skip.Exception as skipped:
            return skipped
        except Exception as problem:  # noqa: BLE001 - it is judged, as pytest does
            try:
                count_sent(mine, sent)
                raise_if_flaky(check, mine, problem, self.run.recorder)
            except Flaky as unsteady:
                return unsteady
            return problem
        else:
            count_sent(mine, sent)
            return None
        finally:
            recording.collect(None)
