"""`cloudimages replay`: ask once more what a finding is about, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.cli import doctor
from pytest_cloudimages.app.cli.arguments import named, settings_of
from pytest_cloudimages.app.cli.exit_status import FINE, FOUND, NOT_JUDGED, USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from pytest_cloudimages.app.replaying import Replayed
    from pytest_cloudimages.engine.settings import Settings

TAKEN = named(*(option.name for option in doctor.TAKEN), "patience", "ledger", "max-body")
"""What the doctor takes, and how a run waits, reads and takes notes."""
FORMS = ("pytest", "sh")

TEST = '''"""{title}

Asks once more what a finding is about, on images of its own: fails while it is there, and passes where all is well.

    CLOUDIMAGES_TOKEN=… pytest FILE --cloudimages-endpoint URL
"""

FINDING = {finding}


def test_{name}(cloudimages_replay):
    cloudimages_replay(FINDING)
'''


def replay(chosen: argparse.Namespace) -> int:
    """Ask once more, say whether the finding is there still, and return the exit status."""
    from pytest_cloudimages.app.asking_whole import can_be_asked
    from pytest_cloudimages.app.result_files import finding_at
    from pytest_cloudimages.client.errors import ConfigurationError

    try:
        finding = finding_at(Path(chosen.file))
    except ValueError as problem:
        print(f"cloudimages replay: {problem}", file=sys.stderr)
        return USAGE
    if finding["plan"] is None and not can_be_asked(finding):
        told = f"no few requests show {finding['id']}: {finding.get('reason', 'no reason is told')}"
        return _not_judged(f"{told}; this asks for the whole requirement: {finding['command']}")
    if chosen.form:
        return _printed(chosen.form, finding)
    try:
        return _replayed(settings_of(chosen, TAKEN, os.environ), finding)
    except ConfigurationError as problem:
        told = "\n".join(map(_shown, str(problem).splitlines()))
        print(f"cloudimages replay: {told}\n(It was found at {_shown(finding['endpoint'])}.)", file=sys.stderr)
        return USAGE


def _replayed(settings: Settings, finding: Mapping[str, Any]) -> int:
    from pytest_cloudimages.app.replaying import asked_once_more
    from pytest_cloudimages.areas.members.resource import MEMBERS
    from pytest_cloudimages.areas.tags.resource import TAGS
    from pytest_cloudimages.engine.preflight import prepare
    from pytest_cloudimages.engine.sweeping import begin
    from pytest_cloudimages.spec.verdicts import Blocked

    run = begin(prepare(settings, (TAGS,)), (TAGS, MEMBERS))
    traces = run.recorder.traces
    try:
        shown = asked_once_more(run, finding)
    except Blocked as problem:
        return _not_judged(_shown(problem))
    finally:
        for notice in (*traces.notices, *(f"left behind: {what}" for what in traces.left_behind)):
            print(_shown(notice), file=sys.stderr)
        run.close()
    return _said(finding, shown, left=bool(traces.left_behind))


def _said(finding: Mapping[str, Any], shown: Replayed, *, left: bool) -> int:
    from pytest_cloudimages.reporting.closing import count

    print(_shown(f"{finding['id']}: {finding['statement']}"))
    print(_shown(f"came: {shown.told}"))
    status = FOUND if shown.reproduced else NOT_JUDGED if left else FINE
    print(f"{'reproduced' if shown.reproduced else 'fixed'}, with {count(shown.requests, 'request')}; exit {status}")
    return status


def _not_judged(told: str) -> int:
    print(f"cloudimages replay: it cannot be judged: {told.removesuffix('.')}; exit {NOT_JUDGED}", file=sys.stderr)
    return NOT_JUDGED


def _printed(form: str, finding: Mapping[str, Any]) -> int:
    """Print a finding as a test, or as a script."""
    from pprint import pformat

    from pytest_cloudimages.client.showing import in_one_line
    from pytest_cloudimages.reporting.reproduction import script_of

    if form == "sh":
        print(script_of(finding), end="")
        return FINE
    title = in_one_line(f"{finding['id']}: {finding['statement']}").replace("\\", "/").replace('"', "'")
    name = finding["id"].lower().replace("-", "_")
    kept = {key: finding[key] for key in ("id", "identity", "asks", "rate", "plan") if key in finding}
    print(TEST.format(title=title, name=name, finding=pformat(kept, width=116, sort_dicts=False)), end="")
    return FINE


def _shown(told: object) -> str:
    from pytest_cloudimages.client.redaction import SECRETS
    from pytest_cloudimages.client.showing import harmless, in_one_line

    return harmless(in_one_line(SECRETS.hide(str(told))))
