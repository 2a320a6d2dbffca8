"""pytest-html and the file of --junit-xml hear how the tests ended when all is judged.

For which class of input a finding holds is known last, and with it whether it is accepted: what they heard before that
would have to be taken back.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting import OF_OTHERS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    import pytest

(PAGE,) = OF_OTHERS
PLUGINS = {"LogXML": "", "SelfContainedReport": PAGE, "Report": PAGE}
"""The classes of the plugins, and what each writes among the reports."""


class Postponed:
    """Stands between pytest and one such plugin, and hands on what that hears."""

    def __init__(self, plugin: object, completed: Callable[[pytest.TestReport], None], *, silent: bool) -> None:
        self.plugin, self.completed, self.silent = plugin, completed, silent
        self.reports: list[pytest.TestReport] = []
        self.problem: OSError | None = None
        """Why its file could not be written, if that is so."""
        self._taken: dict[str, Iterable[str]] = {}
        """What each of its hooks asks for: reports are handed on by the hundred."""

    def _hand_on(self, hook: str, **said: Any) -> None:
        """Call a hook of the plugin, if it has that, with what it asks for."""
        method = getattr(self.plugin, hook, None)
        if method is not None:
            if hook not in self._taken:
                self._taken[hook] = inspect.signature(method).parameters
            method(**{name: said[name] for name in self._taken[hook]})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Hand on what could not be collected."""
        self._hand_on("pytest_collectreport", report=report)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Hand on that all is collected."""
        self._hand_on("pytest_collection_finish", session=session)

    def pytest_internalerror(self, excrepr: object, excinfo: object) -> None:
        """Hand on an error of pytest or a plugin."""
        self._hand_on("pytest_internalerror", excrepr=excrepr, excinfo=excinfo)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how a test ended."""
        self.reports.append(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: object) -> None:
        """Hand on how all the tests ended, and have the file written."""
        for report in self.reports:
            self.completed(report)
            self._hand_on("pytest_runtest_logreport", report=report)
        try:
            self._hand_on("pytest_sessionfinish", session=session, exitstatus=exitstatus)
        except OSError as problem:
            self.problem = problem

    def pytest_terminal_summary(self, terminalreporter: object, exitstatus: object, config: pytest.Config) -> None:
        """Have the plugin say where its file is, unless that is said of all reports together."""
        if not self.silent and self.problem is None:
            self._hand_on(
                "pytest_terminal_summary", terminalreporter=terminalreporter, exitstatus=exitstatus, config=config
            )

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Let the plugin end as it has begun: registered."""
        config.pluginmanager.register(self.plugin)


def postpone(
    config: pytest.Config, completed: Callable[[pytest.TestReport], None], ours: Container[str]
) -> list[Postponed]:
    """Stand between pytest and the plugins that write such files; return what does.

    ``completed`` makes of a report what is known of it at the end; ``ours`` are the files that are named together.
    """
    manager = config.pluginmanager
    found = [plugin for plugin in manager.get_plugins() if type(plugin).__name__ in PLUGINS]
    standing = [Postponed(plugin, completed, silent=PLUGINS[type(plugin).__name__] in ours) for plugin in found]
    for between in standing:
        manager.unregister(between.plugin)
        manager.register(between)
    return standing
