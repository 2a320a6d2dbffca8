"""The end of a command that has met an error nobody expected: one line, and the traceback in a file."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from contextlib import suppress

from pytest_cloudimages.app.cli.exit_status import SUITE_ERROR
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import in_one_line, visible

LONGEST = 300
"""Characters of an error that are told; the file has them all."""


def tell_unexpected(command: str, error: Exception) -> int:
    """Say in one line what went wrong and where the traceback is, and return the status of an error of the suite."""
    what = in_one_line(SECRETS.hide(f"{type(error).__name__}: {error}"))
    what = what if len(what) <= LONGEST else f"{what[:LONGEST]}…"
    told = f"cloudimages {command}: this is an error of the suite itself: {what}; {_kept(error)}; exit {SUITE_ERROR}"
    with suppress(OSError):
        print(told, file=sys.stderr)
    return SUITE_ERROR


def _kept(error: Exception) -> str:
    """Write the traceback where its reader alone sees it, and return what is to be done with it."""
    text = visible(SECRETS.hide("".join(traceback.format_exception(error))))
    try:
        number, name = tempfile.mkstemp(prefix="cloudimages-traceback-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        return f"its traceback cannot be written: {problem.strerror}"
    return f"report it with the traceback in {name}"
