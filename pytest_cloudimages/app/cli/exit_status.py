"""The exit statuses of all commands: one table, and no number with two meanings.

Made from it are what the commands say in their help, and the README's table, which
`python -m pytest_cloudimages.app.cli.exit_status` prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FINE, FOUND, USAGE, NOT_JUDGED, SUITE_ERROR, INTERRUPTED = 0, 1, 2, 3, 4, 130

MEANINGS = {
    FINE: "nothing is held against the service: no requirement failed, or with a baseline none that is new",
    FOUND: "at least one requirement failed (with --strict: or is advisory), neither accepted nor in the baseline; or a"
    " deviation has expired, is unknown, or no longer deviates; or a test of your own failed",
    USAGE: "usage or configuration, or a file that cannot be read as what it should be",
    NOT_JUDGED: "it could not be judged: blocked, unstable, nothing tested, something left behind, a MUST left"
    " out for lack of budget, or nobody read on",
    SUITE_ERROR: "an error of the suite itself, or a report that could not be written",
    INTERRUPTED: "interrupted; what was seen until then is in the reports",
}
FROM_GOOD_TO_BAD = (FINE, NOT_JUDGED, USAGE, SUITE_ERROR, FOUND, INTERRUPTED)
"""Of several runs the worst counts: a fail that was seen stands, whatever else went wrong."""


def worst(statuses: Iterable[int]) -> int:
    """Return the status of several runs; of none, that nothing is held against anybody."""
    return max(statuses, key=FROM_GOOD_TO_BAD.index, default=FINE)


def epilog() -> str:
    """Return what the help of a command says of the exit statuses."""
    import textwrap

    rows = [
        textwrap.fill(text, 100, initial_indent=f"  {status:<4} ", subsequent_indent=" " * 7)
        for status, text in MEANINGS.items()
    ]
    return "\n".join(["exit status:", *rows, ""])


def markdown() -> str:
    """Return the README's table of exit statuses."""
    rows = [f"| {status} | {text} |" for status, text in MEANINGS.items()]
    return "\n".join(["| exit status | meaning |", "| --- | --- |", *rows]).replace("--strict", "`--strict`")


if __name__ == "__main__":
    print(markdown())
