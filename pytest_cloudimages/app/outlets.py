"""Where pytest writes without asking: its debug log, logs, warnings and errors of its own; none shows a secret."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.client.redaction import SECRETS

if TYPE_CHECKING:
    import warnings
    from collections.abc import Callable


class Outlets:
    """The hooks of a run that hide secrets where no report of a test has them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.hide = config, SECRETS.hide
        config.add_cleanup(self._guard_logs())
        if config.option.debug:
            config.add_cleanup(self._guard_debug_log())

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Hide secrets in what pytest repeats of a warning at the end."""
        told = str(warning_message.message)
        if (hidden := self.hide(told)) != told:
            warning_message.message = warning_message.category(hidden)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> bool | None:
        """Show what broke without secrets, as pytest shows it, where it has some."""
        told = str(excrepr)
        if (hidden := self.hide(told)) == told:
            return None
        if (reporter := self.config.pluginmanager.get_plugin("terminalreporter")) is not None:
            for line in hidden.splitlines():
                reporter.write_line(f"INTERNALERROR> {line}")
        return True

    def _guard_logs(self) -> Callable[[], None]:
        """Hide secrets in every record of a log, whoever writes it wherever, and return what ends that."""
        make, hide = logging.getLogRecordFactory(), self.hide

        def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            with suppress(Exception):  # what cannot be formatted is told to whoever tries to write it
                told = record.getMessage()
                if (hidden := hide(told)) != told:
                    record.msg, record.args = hidden, ()
                if record.exc_info:
                    told = logging.Formatter().formatException(record.exc_info)
                    if (hidden := hide(told)) != told:
                        record.exc_text = hidden
            return record

        logging.setLogRecordFactory(made)
        return lambda: logging.setLogRecordFactory(make)

    def _guard_debug_log(self) -> Callable[[], None]:
        """Hide secrets in the log of pytest's option ``--debug``, and return what looks through it at the end.

        Until a run has begun, pytest has written what was typed, whatever that holds.
        """
        tracer = self.config.trace.root
        write: Any = tracer._writer  # noqa: SLF001 - there is no other way to what was set there
        file, hide = getattr(write, "__self__", None), self.hide
        if file is None:
            return lambda: None
        tracer.setwriter(lambda text: write(hide(text)))

        def look_through() -> None:
            with suppress(OSError, ValueError):
                file.flush()
                with open(file.name, encoding="utf-8") as written:  # noqa: PTH123 - as it was named to pytest
                    text = hide(written.read())
                file.seek(0)
                file.truncate()
                file.write(text)

        return look_through
