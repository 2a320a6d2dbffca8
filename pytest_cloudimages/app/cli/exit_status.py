"""The exit statuses of the command."""

from __future__ import annotations

USAGE, NOT_JUDGED, SUITE_ERROR = 2, 3, 4

RUN_ENDS = """\
exit status:
  0  no requirement failed
  1  at least one failed (with --strict: or is advisory)
  2  usage or configuration
  3  it could not be judged: blocked, unstable, nothing tested, or something was left behind
  4  an error of the suite itself
"""
