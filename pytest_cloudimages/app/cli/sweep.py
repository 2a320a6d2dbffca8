"""`cloudimages sweep`: take away what runs have left that are over, and give lent images back."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

from pytest_cloudimages.app.cli import doctor
from pytest_cloudimages.app.cli.arguments import named, settings_of
from pytest_cloudimages.app.cli.exit_status import FINE, NOT_JUDGED, USAGE

if TYPE_CHECKING:
    import argparse

    from pytest_cloudimages.engine.sweeping import Sweeper, Swept

NOT_TAKEN = ("reference", "image", "yes")
TAKEN = named(*(option.name for option in doctor.TAKEN if option.name not in NOT_TAKEN), "patience", "ledger")
"""What the doctor takes, but for the embedded server and lent images: nothing of ours is left on the one by anybody."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WORDS = (
    ("deleted", "deleted"),
    ("restored", "put back"),
    ("failed", "NOT swept"),
    ("kept", "left alone"),
    ("unproven", "not proved to be ours"),
)


def duration(text: str) -> float:
    """Return the seconds of a text such as 90s, 30m, 24h or 7d; raise ``ValueError`` for any other."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    if not found:
        raise ValueError(f"expected a number and a unit, such as 90s, 30m, 24h or 7d, got {text!r}")
    return int(found[1]) * float(UNITS[found[2]])


def run_id(text: str) -> str:
    """Return the id of a run; raise ``ValueError`` for what is none."""
    if not re.fullmatch(r"[0-9a-f]{12}", text):
        raise ValueError(
            f"expected the id of a run, twelve hexadecimal digits as its images' names have them, got {text!r}"
        )
    return text


def sweep(chosen: argparse.Namespace) -> int:
    """Sweep, say what became of everything, and return the exit status."""
    from pytest_cloudimages.areas.members.resource import MEMBERS
    from pytest_cloudimages.areas.tags.resource import TAGS
    from pytest_cloudimages.client.errors import ConfigurationError
    from pytest_cloudimages.client.redaction import SECRETS
    from pytest_cloudimages.engine.ledger import Ledger, folder_of
    from pytest_cloudimages.engine.preflight import prepare
    from pytest_cloudimages.engine.sweeping import Sweeper

    settings = settings_of(chosen, TAKEN, os.environ)
    try:
        run = prepare(settings, (TAGS,))
        ledger = Ledger(folder_of(settings.ledger))
        try:
            problems = _swept(Sweeper(run, ledger, (TAGS, MEMBERS), dry=chosen.dry_run), chosen)
        finally:
            ledger.close()
            run.close()
    except ConfigurationError as problem:
        print(f"cloudimages sweep: {SECRETS.hide(str(problem))}", file=sys.stderr)
        return USAGE
    return NOT_JUDGED if problems else FINE


def _swept(sweeper: Sweeper, chosen: argparse.Namespace) -> bool:
    """Sweep, and return whether anything of ours is left that should not be, or could not be looked for."""
    from pytest_cloudimages.client.exchange import Purpose
    from pytest_cloudimages.client.redaction import SECRETS
    from pytest_cloudimages.client.showing import in_one_line
    from pytest_cloudimages.engine.ledger import LedgerError
    from pytest_cloudimages.spec.verdicts import Blocked

    problems: list[str] = []
    with sweeper.run.recorder.of(Purpose.CLEANING):
        try:
            if sweeper.run.problem:
                raise sweeper.run.problem
            try:
                sweeper.sweep_by_ledger()
            except LedgerError as problem:
                problems.append(f"{problem}: only what its properties prove to be ours is swept")
            sweeper.sweep_by_properties(chosen.older_than, chosen.run or ())
        except Blocked as problem:
            problems.append(str(problem))
    problems = [in_one_line(SECRETS.hide(told)) for told in problems]
    status = NOT_JUDGED if problems or sweeper.swept.failed else FINE
    if chosen.json:
        print(json.dumps(_data(sweeper, chosen, problems, status), indent=1))
    else:
        lines = _lines(sweeper.swept, sweeper.endpoint, dry=chosen.dry_run)
        # Who could not look does not say that nothing is there.
        print(*(lines[:-1] if problems and len(lines) == 1 else lines), sep="\n", end="\n" if lines[1:] else "")
        for told in problems:
            print(f"cloudimages sweep: {told}", file=sys.stderr)
    return status == NOT_JUDGED


def _lines(swept: Swept, endpoint: str, *, dry: bool) -> list[str]:
    from pytest_cloudimages.client.redaction import SECRETS
    from pytest_cloudimages.client.showing import in_one_line
    from pytest_cloudimages.engine.sweeping import summary

    lines = [
        f"{'to be ' if dry and key in ('deleted', 'restored') else ''}{word}: {what}"
        for key, word in WORDS
        for what in getattr(swept, key)
    ]
    lines.append(f"{endpoint}: {summary(swept, would=dry)}")
    return [in_one_line(SECRETS.hide(line)) for line in lines]


def _data(sweeper: Sweeper, chosen: argparse.Namespace, problems: list[str], status: int) -> dict[str, object]:
    from pytest_cloudimages.client.redaction import SECRETS

    found = {key: [SECRETS.hide(what) for what in getattr(sweeper.swept, key)] for key, _ in WORDS}
    whole = {"endpoint": sweeper.endpoint, "dry_run": chosen.dry_run, **found}
    return whole | {"problems": problems, "exit_status": status}
